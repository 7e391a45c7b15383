//! One step of the walk: how a value is read, and into which field it goes.
//!
//! Facts: `update_config_by_annotation`, `get_value` and `convert_to_megabytes` in
//! src/libs/kata-types/src/annotations/mod.rs at each tag.

use std::str::FromStr;
use std::sync::Arc;

use super::super::boot::add_kernel_params;
use super::super::config::{LenientMount, SharedMount, Slot};
use super::super::error::existing;
use super::super::initdata::{self, Undecoded};
use super::super::plugin::Plugin;
use super::super::validate::sector_size;
use super::rules::{Known, Tables, known};
use super::{Attempt, Decision, Gates};
use crate::answer::text::parse_trimmed;
use crate::answer::verdict::{Fix, ListId, Stage};
use crate::catalog::{HYPERVISOR_PREFIX, Parse};
use crate::input::{Host, Text};
use crate::release::rs::Change;
use crate::release::{Release, Runtime};
use crate::runtime::INITDATA_LIMIT;
use crate::runtime::refusal::Refusal;
use crate::runtime::verity::Verity;

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

type Step<T = Decision> = Result<T, Box<Refusal>>;

fn refuse(stage: Stage, message: impl Into<String>, reason: impl Into<Text>) -> Box<Refusal> {
    Box::new(Refusal::at(stage, message, reason))
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
    pub(super) fn step<'a>(&mut self, key: &'a Text, value: &'a Text) -> Attempt<'a> {
        let short = key.strip_prefix(HYPERVISOR_PREFIX);
        let known = known(key, self.release);
        let name_pattern = short.and_then(|short| self.gates.allows(short, known.map(|known| known.id)));
        let mut path_pattern = None;
        let decision = match (known, short.is_some(), name_pattern.is_some()) {
            (Some(_), true, false) => Decision::NotEnabled,
            (Some(known), _, _) => {
                self.apply(known, value, &mut path_pattern).unwrap_or_else(Decision::Refused)
            }
            (None, true, true) => Decision::Refused(refuse(
                Stage::Known,
                format!("Invalid annotation type {key}"),
                "enable_annotations lets this name through, and runtime-rs refuses a name that it does not know",
            )),
            (None, _, _) => Decision::Unknown,
        };
        let taken = known.filter(|_| decision == Decision::Taken);
        let wrote = taken.map(|known| Arc::new(self.tables.shown(known.rule)));
        Attempt { key, value, known, name_pattern, path_pattern, decision, wrote }
    }

    fn apply(&mut self, known: Known, value: &Text, path_pattern: &mut Option<usize>) -> Step {
        let field = known.rule.field;
        match field {
            "name" => runtime_name(value)?,
            "hypervisor_name" => return Ok(picked("hypervisor", value, &self.picked.0)),
            "agent_name" => return Ok(picked("agent", value, &self.picked.1)),
            "sandbox_bind_mounts" if !self.release.has(Change::BindMountsFromPods) => {
                let why =
                    "host folders come from the configuration only; runtime-rs never takes them from a pod";
                return Ok(Decision::PassedOver(Stage::Name, why.into()));
            }
            _ => {}
        }
        if let Some(list) = known.list() {
            *path_pattern = Some(self.listed(list, value)?);
        } else if known.must_exist() {
            existing(self.host, value, field, "path {} is invalid{}")
                .map_err(|c| refuse(Stage::Value, c.message, "the host has no file at this path"))?;
        }
        let (plugin, release) = (self.plugin, self.release);
        match known.parse {
            Parse::RsKernelParams => {
                let boot = &mut self.tables.hv.boot_info;
                match release.has(Change::KernelParamsByKey) {
                    true => add_kernel_params(boot, value),
                    false => (boot.kernel_params, boot.params_of_pod) = (value.clone(), value.len()),
                }
                return Ok(Decision::Taken);
            }
            Parse::RsVerity => {
                let said = Verity::parse(value, Runtime::Rs)
                    .map_err(|why| refuse(Stage::Parse, why, "the dm-verity parameters are not complete"))?;
                if said.is_none() {
                    let why = "an empty value leaves the configured parameters as they are";
                    return Ok(Decision::PassedOver(Stage::Merge, why.into()));
                }
            }
            Parse::RsB64Gzip => {
                self.tables.hv.security_info.initdata = initdata(value, release)?.into();
                return Ok(Decision::Taken);
            }
            Parse::RsBytes | Parse::RsByteSize => {
                let Some(mib) = memory(plugin, value, release)? else {
                    let why = "runtime-rs cannot read this as a size of memory and keeps the configured one";
                    return Ok(Decision::PassedOver(Stage::Parse, why.into()));
                };
                self.tables.hv.memory_info.default_memory = mib;
                return Ok(Decision::Taken);
            }
            Parse::RsComma if field == "virtio_fs_extra_args" => {
                self.tables.hv.shared_fs.extra_args_of_pod = value.split(',').count();
            }
            _ => {}
        }
        match self.tables.slot(known.rule) {
            Slot::Bool(place) => *place = parsed(value, "parse bool error", BOOL)?,
            Slot::U32(place) => *place = in_range(field, number(value)?, release)?,
            Slot::U64(place) => *place = parsed(value, "parse u64 error", NUMBER_64)?,
            Slot::Usize(place) => *place = parsed(value, "parse usize error", NUMBER_64)?,
            Slot::F32(place) => *place = vcpus(plugin, value, known.parse)?,
            // Beyond 32 bits of milliseconds the number starts again from 0.
            Slot::Seconds(place) => place.milliseconds = number(value)?.wrapping_mul(1000),
            Slot::Text(place) => place.clone_from(value),
            Slot::MaybeText(place) => *place = Some(Text::copy(value.trim())),
            Slot::List(place) => match known.parse {
                Parse::RsBlanks => place.extend(value.split_ascii_whitespace().map(str::to_owned)),
                Parse::RsSemicolon => place.extend(value.split(';').map(str::to_owned)),
                _ => place.extend(value.split(',').map(str::to_owned)),
            },
            Slot::HugePages(place) => {
                *place = value.trim().parse().map_err(|why| {
                    let message = format!("parse huge pages type: {value}, error: {why}");
                    refuse(Stage::Parse, message, "the value must be hugetlbfs or thp")
                })?;
            }
            Slot::SharedMounts(place) => *place = shared_mounts(value, release)?,
            Slot::Other => {}
        }
        Ok(Decision::Taken)
    }

    fn listed(&self, list: &'static str, value: &str) -> Step<usize> {
        self.gates.path(list).and_then(|gate| gate.allows(self.host, value)).ok_or_else(|| {
            let message = format!("Path {value} is not permitted");
            let reason = format!("no pattern of {list} matches this path");
            let list = ListId::new(format!("hypervisor.{}", self.picked.0), list);
            let fix = Fix::Allow { list, pattern: glob::Pattern::escape(value) };
            Refusal::at(Stage::Value, message, reason).mended_by(fix).into()
        })
    }
}

/// A number that a few keys have bounds for.
fn in_range(field: &'static str, number: u32, release: Release) -> Step<u32> {
    match field {
        "block_device_logical_sector_size" | "block_device_physical_sector_size" => {
            sector_size(number, field)
                .map_err(|c| refuse(Stage::Range, c.message, "no block device has such sectors"))?;
        }
        "pcie_root_port" | "pcie_switch_port" if number > 16 && release.has(Change::PortsBounded) => {
            let what = if field == "pcie_root_port" { "root ports" } else { "switch ports" };
            let message = format!("{what} allocated exceeds the max 16");
            return Err(refuse(Stage::Range, message, "a VM gets at most 16 of these ports"));
        }
        _ => {}
    }
    Ok(number)
}

fn initdata(value: &str, release: Release) -> Step<String> {
    initdata::decode(value, release).map_err(|why| match why {
        Undecoded::Crash(message) => {
            let reason = "the value is not base64 of gzip: runtime-rs crashes on it";
            Refusal::at(Stage::Parse, message, reason).crash().into()
        }
        Undecoded::TooLarge => {
            let message = format!("more than {INITDATA_LIMIT} bytes are not read here");
            refuse(Stage::Parse, message, "the document unpacks to more than is read here")
        }
    })
}

fn picked(what: &str, value: &str, taken: &str) -> Decision {
    if value == taken {
        return Decision::Taken;
    }
    Decision::PassedOver(Stage::Value, format!("the configuration has no table [{what}.{value}]").into())
}

fn vcpus(plugin: Plugin, value: &str, parse: Parse) -> Step<f32> {
    const MESSAGE: &str = "parse i32 error";
    let vcpus: f32 = if parse == Parse::RsI32 {
        parsed::<i32>(value, MESSAGE, "the value must be a whole number of 32 bits")? as f32
    } else {
        // Upstream still says `i32` of a number with a fraction.
        parsed(value, MESSAGE, "the value must be a number, fractions allowed")?
    };
    let most = plugin.max_vcpus();
    if vcpus > most as f32 {
        let message = format!("Vcpus specified in annotation {vcpus} is more than maximum limitation {most}");
        let reason = format!("{} takes at most {most} vCPUs", plugin.name());
        return Err(Refusal::at(Stage::Range, message, reason).write(most).into());
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
        return Err(Refusal::at(Stage::Range, message, reason).write(least).into());
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

fn runtime_name(value: &str) -> Step<()> {
    const NAMES: [&str; 3] = ["virt-container", "linux-container", "wasm-container"];
    if NAMES.contains(&value) {
        return Ok(());
    }
    let message = format!("runtime specified in annotation {value} is not in {NAMES:?}");
    Err(refuse(Stage::Range, message, "runtime-rs takes none but its own three names here"))
}

fn shared_mounts(value: &str, release: Release) -> Step<Vec<SharedMount>> {
    let mounts = match release.has(Change::StrictTables) {
        true => serde_json::from_str(value),
        false => serde_json::from_str::<Vec<LenientMount>>(value)
            .map(|mounts| mounts.into_iter().map(SharedMount::from).collect()),
    };
    mounts.map_err(|error| {
        refuse(Stage::Parse, error.to_string(), "the value must be a JSON list of shared mounts")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Release = Release::newest(crate::release::Runtime::Rs);

    #[test]
    fn numbers_in_the_wrong_place_are_named() {
        let message = |text: &str| shared_mounts(text, NEWEST).map_err(|refusal| refusal.message);
        let want = "invalid type: floating point `1.5`, expected a string at line 1 column 12";
        assert_eq!(message(r#"[{"name":1.5}]"#), Err(want.to_owned()));
        let want = "invalid type: floating point `-0.0`, expected struct SharedMount at line 1 column 3";
        assert_eq!(message("[-0]"), Err(want.to_owned()));
    }

    #[test]
    fn unknown_fields_of_shared_mounts_were_no_error() {
        let read = |release| shared_mounts(r#"[{"name":"m","extra":1}]"#, release).map_err(|r| r.message);
        assert!(read(Release::rs(3, 28, 0)).is_ok_and(|mounts| mounts.len() == 1));
        assert!(read(Release::rs(3, 29, 0)).is_err_and(|why| why.starts_with("unknown field `extra`")));
    }
}
