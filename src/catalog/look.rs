//! Which releases a configuration file was written for, told from what stands in it.
//!
//! Decides by the catalogue's spans alone: the releases that read the most of a file's keys and know the most
//! of its hypervisors. A file of shipped defaults is read whole by its own release, and by later ones until a
//! key goes. Facts: the catalogue; the hypervisors as src/runtime/pkg/katautils/config.go and
//! src/runtime-rs/crates/runtimes/virt_container/src/lib.rs know them at each tag.

use super::{ConfigKey, config_key, generic_table};
use crate::release::{Release, Runtime, Span, Version};

const fn span(since: (u8, u8), until: Option<(u8, u8)>) -> Span {
    let until = match until {
        Some((major, minor)) => Some(Version::new(major, minor, u8::MAX)),
        None => None,
    };
    Span { since: Version::new(since.0, since.1, 0), until }
}

/// Hypervisors that not all releases of a runtime know.
const HYPERVISORS: &[(Runtime, &str, Span)] = &[
    (Runtime::Go, "acrn", span((2, 0), Some((3, 9)))),
    (Runtime::Go, "dragonball", span((3, 0), None)),
    (Runtime::Go, "remote", span((3, 3), None)),
    (Runtime::Go, "stratovirt", span((3, 3), None)),
    (Runtime::Rs, "qemu", span((3, 1), None)),
    (Runtime::Rs, "cloud-hypervisor", span((3, 2), Some((3, 29)))),
    (Runtime::Rs, "clh", span((3, 30), None)),
    (Runtime::Rs, "firecracker", span((3, 7), None)),
    (Runtime::Rs, "remote", span((3, 11), None)),
    (Runtime::Rs, "openvmm", span((4, 1), None)),
];

/// Machine types that a runtime takes no more: src/runtime/virtcontainers/qemu_amd64.go at 2.1.1 and 2.2.0.
const MACHINES: &[(Runtime, &str, Span)] =
    &[(Runtime::Go, "pc", span((2, 0), Some((2, 1)))), (Runtime::Go, "pc-lite", span((2, 0), Some((2, 1))))];

/// Releases of runtime-rs that read past what they do not know in the agent's table; files that they shipped had keys
/// of the Go runtime there. Later ones refuse it: src/libs/kata-types/src/config/agent.rs at 3.28.0 and 3.29.0.
pub(crate) const READS_PAST_AGENT_KEYS: Span = span((3, 0), Some((3, 28)));

/// Whether a release of runtime-rs refuses a key of the agent's table that is the Go runtime's.
pub(crate) fn is_refused_agent_key(table: &str, key: &ConfigKey, runtime: Runtime, version: Version) -> bool {
    runtime == Runtime::Rs && !READS_PAST_AGENT_KEYS.contains(version) && is_agent_key_of_go(table, key)
}

/// Whether a key of the agent's table was ever read by the Go runtime alone.
fn is_agent_key_of_go(table: &str, key: &ConfigKey) -> bool {
    table.starts_with("agent.")
        && key.readers(Runtime::Go).next().is_some()
        && key.readers(Runtime::Rs).next().is_none()
}

/// The releases that know a hypervisor's table by this name, as far as that ever changed.
pub(crate) fn hypervisor_span(runtime: Runtime, name: &str) -> Option<Span> {
    HYPERVISORS.iter().find(|(of, own, _)| *of == runtime && *own == name).map(|(_, _, span)| *span)
}

/// Whether a release knows a hypervisor's table by this name, as far as that ever changed.
pub fn knows_hypervisor(release: Release, name: &str) -> bool {
    let of = || HYPERVISORS.iter().filter(|(runtime, own, _)| *runtime == release.runtime && *own == name);
    of().next().is_none() || of().any(|(_, _, span)| span.contains(release.version))
}

/// The releases of a runtime that a file looks like, by its dotted keys (`hypervisor.qemu.path`) and the machine types
/// that it names; `None` where every release reads it alike.
pub fn look<'k>(
    runtime: Runtime,
    keys: impl IntoIterator<Item = &'k str>,
    machines: &[String],
) -> Option<Span> {
    let versions: Vec<Version> = runtime.versions().collect();
    let mut known = vec![0_u32; versions.len()];
    let mut tables: Vec<&str> = Vec::new();
    let mut has_agent_key_of_go = false;
    for key in keys {
        let Some((table, name)) = key.rsplit_once('.') else { continue };
        if let Some(hypervisor) = table.strip_prefix("hypervisor.")
            && !hypervisor.contains('.')
            && !tables.contains(&hypervisor)
        {
            tables.push(hypervisor);
        }
        let Some(entry) = config_key(&generic_table(table), name) else { continue };
        has_agent_key_of_go |= is_agent_key_of_go(table, entry);
        for (known, version) in known.iter_mut().zip(&versions) {
            *known += u32::from(entry.reader(Release::new(runtime, *version)).is_some());
        }
    }
    let named = HYPERVISORS.iter().filter(|(of, name, _)| *of == runtime && tables.contains(name));
    let machine =
        MACHINES.iter().filter(|(of, name, _)| *of == runtime && machines.iter().any(|own| own == name));
    let past = (runtime == Runtime::Rs && has_agent_key_of_go).then_some(&READS_PAST_AGENT_KEYS);
    for span in named.chain(machine).map(|(_, _, span)| span).chain(past) {
        for (known, version) in known.iter_mut().zip(&versions) {
            *known += u32::from(span.contains(*version));
        }
    }
    let most = known.iter().copied().max()?;
    if known.iter().all(|own| *own == most) {
        return None;
    }
    let best = |at: &usize| known.get(*at) == Some(&most);
    let last = (0..versions.len()).rfind(best)?;
    let first = (0..=last).rev().take_while(best).last()?;
    let until = versions.get(last).copied().filter(|version| *version != Version::NEWEST);
    Some(Span { since: *versions.get(first)?, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(runtime: Runtime, keys: &[&str]) -> Option<String> {
        let span = look(runtime, keys.iter().copied(), &[])?;
        let until = span.until.map_or_else(String::new, |until| until.to_string());
        Some(format!("{}..{until}", span.since))
    }

    #[test]
    fn tables_and_keys_that_came_or_went_narrow_the_releases() {
        let rs = |keys: &[&str]| looks(Runtime::Rs, keys);
        assert_eq!(rs(&["hypervisor.qemu.path", "runtime.name"]), Some("3.1.0..".to_owned()));
        assert_eq!(rs(&["hypervisor.dragonball.kernel"]), None);
        assert_eq!(rs(&["hypervisor.cloud-hypervisor.path"]), Some("3.2.0..3.29.0".to_owned()));
        let both = ["hypervisor.cloud-hypervisor.path", "hypervisor.cloud-hypervisor.network_queues"];
        assert_eq!(rs(&both), Some("3.2.0..3.29.0".to_owned()));
        let later =
            ["hypervisor.clh.path", "runtime.disable_guest_empty_dir", "agent.kata.cdh_api_timeout_ms"];
        assert_eq!(rs(&later), Some("3.31.0..3.32.0".to_owned()));
        assert_eq!(looks(Runtime::Go, &["hypervisor.acrn.path"]), Some("2.0.0..3.9.0".to_owned()));
        let old = look(Runtime::Go, ["hypervisor.qemu.enable_swap"], &["pc".to_owned()]);
        assert_eq!(old.and_then(|span| span.until), Some(Version::new(2, 1, 1)));
    }
}
