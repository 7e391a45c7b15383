//! One step of the walk: how a value is read, and into which field it goes.
//!
//! Facts: `update_config_by_annotation`, `get_value` and `convert_to_megabytes` in
//! src/libs/kata-types/src/annotations/mod.rs at each tag.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use super::super::boot::add_kernel_params;
use super::super::changes::Change;
use super::super::complaint::existing;
use super::super::config::SharedMount;
use super::super::config::hypervisor::HugePageType;
use super::super::initdata::{self, Undecoded};
use super::super::plugin::Plugin;
use super::super::validate::sector_size;
use super::super::verity::Verity;
use super::lists::PathList;
use super::rules::{Action, Rule, Tables, View, rule};
use super::{Fate, Gates, Refusal, Trail};
use crate::answer::text::parse_trimmed;
use crate::answer::verdict::{Fix, ListId, Stage};
use crate::catalog::HYPERVISOR_PREFIX;
use crate::input::{Host, Text};
use crate::release::Release;
use crate::runtime::INITDATA_LIMIT;

/// The walk over one pod's annotations.
pub(super) struct Walk<'w> {
    pub host: &'w Host,
    pub gates: &'w Gates,
    pub plugin: Plugin,
    pub release: Release,
    /// The tables in use: hypervisor and agent.
    pub picked: (Text, Text),
    pub tables: Tables<'w>,
}

type Step<T = Fate> = Result<T, Box<Refusal>>;

fn refuse(stage: Stage, message: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Box<Refusal> {
    Box::new(Refusal { stage, message: message.into(), panic: false, reason: reason.into(), fix: None })
}

/// Reads a value as upstream's `get_value`: trimmed, then by the type's own rules.
fn parsed<T: FromStr>(value: &str, message: &str, wanted: &'static str) -> Step<T> {
    parse_trimmed(value).ok_or_else(|| refuse(Stage::Parse, message, wanted))
}

const BOOL: &str = "the value must be exactly true or false";
const NUMBER_32: &str = "the value must be a whole number from 0 to 4294967295";
const NUMBER_64: &str = "the value must be a whole number of at most 64 bits";

fn number(value: &str) -> Step<u32> {
    parsed(value, "parse u32 error", NUMBER_32)
}

impl Walk<'_> {
    pub(super) fn step<'a>(&mut self, key: &'a Text, value: &'a Text) -> Trail<'a> {
        let short = key.strip_prefix(HYPERVISOR_PREFIX);
        let known = rule(key, self.release);
        let index = known.map(|known| known.index);
        let rule = known.map(|known| known.rule);
        let name_pattern = short.and_then(|short| self.gates.admits(short, index));
        let mut path_pattern = None;
        let fate = match (rule, short.is_some(), name_pattern.is_some()) {
            (Some(_), true, false) => Fate::NotEnabled,
            (Some(rule), _, _) => self.apply(rule, value, &mut path_pattern).unwrap_or_else(Fate::Refused),
            (None, true, true) => Fate::Refused(refuse(
                Stage::Known,
                format!("Invalid annotation type {key}"),
                "enable_annotations lets this name through, and runtime-rs refuses a name that it does not know",
            )),
            (None, _, _) => Fate::Unknown,
        };
        let wrote = match (rule, &fate) {
            (Some(rule), Fate::Taken) => {
                let Tables { hv, ag, rt } = &self.tables;
                Some(Arc::new((rule.shown)(View { hv, ag, rt }).into()))
            }
            _ => None,
        };
        let reader = known.and_then(|known| known.reader);
        Trail { key, value, rule, index, reader, name_pattern, path_pattern, fate, wrote }
    }

    fn apply(&mut self, rule: &Rule, value: &Text, path_pattern: &mut Option<usize>) -> Step {
        let release = self.release;
        let t = &mut self.tables;
        match rule.action {
            Action::Bool(set) => set(t, parsed(value, "parse bool error", BOOL)?),
            Action::U32(set) => set(t, number(value)?),
            Action::U64(set) => set(t, parsed(value, "parse u64 error", NUMBER_64)?),
            Action::Usize(set) => set(t, parsed(value, "parse usize error", NUMBER_64)?),
            Action::Text(field) => field(t).clone_from(value),
            Action::Listed(list, field) => {
                *path_pattern = Some(self.listed(list, value)?);
                field(&mut self.tables).clone_from(value);
            }
            Action::Existing(field) => {
                existing(self.host, value, rule.field, "path {} is invalid{}")
                    .map_err(|c| refuse(Stage::Value, c.message, "the host has no file at this path"))?;
                field(t).clone_from(value);
            }
            Action::Append(sign, field) => {
                field(t).extend(value.split(sign).map(str::to_owned));
                if rule.field == "virtio_fs_extra_args" {
                    t.hv.shared_fs.extra_args_of_pod = value.split(sign).count();
                }
            }
            Action::Sector(set) => {
                let size = number(value)?;
                sector_size(size, rule.field)
                    .map_err(|c| refuse(Stage::Range, c.message, "no block device has such sectors"))?;
                set(t, size);
            }
            Action::Ports(what, set) => {
                let ports = number(value)?;
                if ports > 16 && release.has(Change::PortsBounded) {
                    let message = format!("{what} allocated exceeds the max 16");
                    return Err(refuse(Stage::Range, message, "a VM gets at most 16 of these ports"));
                }
                set(t, ports);
            }
            Action::Vcpus => t.hv.cpu_info.default_vcpus = vcpus(self.plugin, value, release)?,
            Action::Memory => match memory(self.plugin, value, release)? {
                Some(mib) => t.hv.memory_info.default_memory = mib,
                None => {
                    let why = "runtime-rs cannot read this as a size of memory and keeps the configured one";
                    return Ok(Fate::PassedOver(Stage::Parse, why.into()));
                }
            },
            Action::HugePages => {
                t.hv.memory_info.hugepage_type = value.trim().parse::<HugePageType>().map_err(|why| {
                    let message = format!("parse huge pages type: {value}, error: {why}");
                    refuse(Stage::Parse, message, "the value must be hugetlbfs or thp")
                })?;
            }
            Action::KernelParams => {
                let boot = &mut t.hv.boot_info;
                match release.has(Change::KernelParamsByKey) {
                    true => add_kernel_params(boot, value),
                    false => (boot.kernel_params, boot.params_of_pod) = (value.clone(), value.len()),
                }
            }
            Action::VerityParams => {
                let said = Verity::parse(value)
                    .map_err(|why| refuse(Stage::Parse, why, "the dm-verity parameters are not complete"))?;
                if said.is_none() {
                    let why = "an empty value leaves the configured parameters as they are";
                    return Ok(Fate::PassedOver(Stage::Merge, why.into()));
                }
                t.hv.boot_info.kernel_verity_params.clone_from(value);
            }
            Action::Initdata => {
                let document = initdata::decode(value, release).map_err(|why| match why {
                    Undecoded::Crash(message) => {
                        let reason = "the value is not base64 of gzip: runtime-rs crashes on it";
                        refuse(Stage::Parse, message, reason).crash()
                    }
                    Undecoded::TooLarge => {
                        let message = format!("more than {INITDATA_LIMIT} bytes are not read here");
                        refuse(Stage::Parse, message, "the document unpacks to more than is read here")
                    }
                })?;
                t.hv.security_info.initdata = document.into();
            }
            Action::SharedFs => t.hv.shared_fs.shared_fs = Some(Text::copy(value.trim())),
            // Beyond 32 bits of milliseconds the number starts again from 0.
            Action::Timeout => t.ag.request_timeout_ms = number(value)?.wrapping_mul(1000),
            Action::RuntimeName => t.rt.name = runtime_name(value)?.into(),
            Action::SharedMounts => t.rt.shared_mounts = shared_mounts(value)?,
            Action::PickHypervisor => return Ok(picked("hypervisor", value, &self.picked.0)),
            Action::PickAgent => return Ok(picked("agent", value, &self.picked.1)),
            Action::BindMounts if release.has(Change::BindMountsFromPods) => {
                t.rt.sandbox_bind_mounts.extend(value.split_ascii_whitespace().map(str::to_owned));
            }
            Action::BindMounts => {
                let why =
                    "host folders come from the configuration only; runtime-rs never takes them from a pod";
                return Ok(Fate::PassedOver(Stage::Name, why.into()));
            }
        }
        Ok(Fate::Taken)
    }

    fn listed(&self, list: PathList, value: &str) -> Step<usize> {
        self.gates.path(list).and_then(|gate| gate.admits(self.host, value)).ok_or_else(|| {
            let message = format!("Path {value} is not permitted");
            let reason = format!("no pattern of {} matches this path", list.key());
            refuse(Stage::Value, message, reason).mended_by(Fix::Allow {
                list: ListId::new(format!("hypervisor.{}", self.picked.0), list.key()),
                pattern: glob::Pattern::escape(value),
            })
        })
    }
}

fn picked(what: &str, value: &str, taken: &str) -> Fate {
    if value == taken {
        return Fate::Taken;
    }
    Fate::PassedOver(Stage::Value, format!("the configuration has no table [{what}.{value}]").into())
}

fn vcpus(plugin: Plugin, value: &str, release: Release) -> Step<f32> {
    const MESSAGE: &str = "parse i32 error";
    let vcpus: f32 = if release.has(Change::WholeVcpus) {
        parsed::<i32>(value, MESSAGE, "the value must be a whole number of 32 bits")? as f32
    } else {
        // Upstream still says `i32` of a number with a fraction.
        parsed(value, MESSAGE, "the value must be a number, fractions allowed")?
    };
    let most = plugin.max_vcpus();
    if vcpus > most as f32 {
        let message = format!("Vcpus specified in annotation {vcpus} is more than maximum limitation {most}");
        let reason = format!("{} takes at most {most} vCPUs", plugin.name());
        return Err(refuse(Stage::Range, message, reason).mended_by(Fix::Value(most.to_string())));
    }
    Ok(vcpus)
}

fn memory(plugin: Plugin, value: &str, release: Release) -> Step<Option<u32>> {
    let Some(mib) =
        megabytes(value, release).map_err(|m| refuse(Stage::Parse, m, "the size is too large"))?
    else {
        return Ok(None);
    };
    let least = plugin.min_memory();
    if mib < least {
        let message = format!("memory specified in annotation {mib} is less than minimum limitation {least}");
        let reason = format!("{} needs at least {least} MiB", plugin.name());
        return Err(refuse(Stage::Range, message, reason).mended_by(Fix::Value(least.to_string())));
    }
    Ok(Some(mib))
}

/// A size with a unit; bare digits are MiB, in earlier releases bytes. `None` where it cannot be read.
fn megabytes(text: &str, release: Release) -> Result<Option<u32>, String> {
    use byte_unit::{Byte, Unit};
    if !release.has(Change::ByteUnit5) {
        let size = byte_unit_3::Byte::from_str(text).ok();
        return Ok(size.map(|size| size.get_adjusted_unit(byte_unit_3::ByteUnit::MiB).get_value() as u32));
    }
    if !release.has(Change::MemoryUnits) {
        let size = Byte::parse_str(text, true).ok();
        return Ok(size.map(|size| size.get_adjusted_unit(Unit::MiB).get_value() as u32));
    }
    // So short a number comes out of the crate as it goes in.
    if text.len() < 10
        && text.bytes().all(|b| b.is_ascii_digit())
        && let Ok(mib) = text.parse()
    {
        return Ok(Some(mib));
    }
    let Ok(mut size) = Byte::parse_str(text, true) else { return Ok(None) };
    if text.trim().chars().all(|c| c.is_ascii_digit()) {
        size = Byte::from_u64_with_unit(size.as_u64(), Unit::MiB)
            .ok_or_else(|| format!("failed to convert {} to MiB", size.as_u64()))?;
    }
    Ok(Some(size.get_adjusted_unit(Unit::MiB).get_value() as u32))
}

fn runtime_name(value: &str) -> Step<String> {
    const NAMES: [&str; 3] = ["virt-container", "linux-container", "wasm-container"];
    if NAMES.contains(&value) {
        return Ok(value.to_owned());
    }
    let message = format!("runtime specified in annotation {value} is not in {NAMES:?}");
    Err(refuse(Stage::Range, message, "runtime-rs takes none but its own three names here"))
}

fn shared_mounts(value: &str) -> Step<Vec<SharedMount>> {
    serde_json::from_str(value).map_err(|error| {
        refuse(Stage::Parse, error.to_string(), "the value must be a JSON list of shared mounts")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Release = Release::newest(crate::release::Runtime::Rs);

    fn newest_megabytes(text: &str) -> Result<Option<u32>, String> {
        megabytes(text, NEWEST)
    }

    #[test]
    fn bare_digits_were_bytes() {
        for release in [Release::rs(3, 2, 0), Release::rs(3, 31, 0)] {
            assert_eq!(megabytes("2048", release), Ok(Some(0)));
            assert_eq!(megabytes("2GiB", release), Ok(Some(2048)));
        }
    }

    #[test]
    fn sizes_with_and_without_units() {
        for (digits, mib) in [("2048", 2048), ("0", 0), ("007", 7), ("999999999", 999_999_999)] {
            assert_eq!(newest_megabytes(digits), Ok(Some(mib)));
            // A blank makes it go through the crate.
            assert_eq!(newest_megabytes(&format!("{digits} ")), Ok(Some(mib)));
        }
        assert_eq!(newest_megabytes("2 GiB"), Ok(Some(2048)));
        assert_eq!(newest_megabytes("1.5Gi"), Ok(Some(1536)));
        assert_eq!(newest_megabytes("2048r"), Ok(None));
        assert_eq!(newest_megabytes(""), Ok(None));
    }

    #[test]
    fn numbers_in_the_wrong_place_are_named() {
        let message = |text: &str| shared_mounts(text).map_err(|refusal| refusal.message);
        let want = "invalid type: floating point `1.5`, expected a string at line 1 column 12";
        assert_eq!(message(r#"[{"name":1.5}]"#), Err(want.to_owned()));
        let want = "invalid type: floating point `-0.0`, expected struct SharedMount at line 1 column 3";
        assert_eq!(message("[-0]"), Err(want.to_owned()));
    }

    #[test]
    fn numbers_are_trimmed_and_may_have_a_plus() {
        assert_eq!(number(" +7\n").ok(), Some(7));
        assert!(number("0x7").is_err_and(|r| r.message == "parse u32 error"));
        assert!(vcpus(Plugin::Qemu, "NaN", NEWEST).is_ok_and(f32::is_nan));
        assert!(vcpus(Plugin::Remote, "32.5", NEWEST).is_err());
    }
}
