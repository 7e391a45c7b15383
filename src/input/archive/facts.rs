//! What a collection tells of the node's hardware and releases.
//!
//! Decides which files of a collection are asked: `/proc`, the package list of a must-gather, the Node object
//! beside it, and the report of `kata-runtime kata-env`. What was said on the command line wins over all of them.

use crate::input::described;
use crate::input::host::{Arch, FactOrigin, Files, HostFacts};
use crate::input::probe;

/// Whether the collection may tell a fact.
fn tells(facts: &mut HostFacts, name: &'static str) -> bool {
    facts.is_told(name, FactOrigin::Collected)
}

fn text(files: &dyn Files, path: &str) -> Option<String> {
    files.read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// From the kernel's own files.
pub(super) fn of_tree(files: &dyn Files, facts: &mut HostFacts) {
    if let Some(memory) = text(files, "/proc/meminfo").and_then(|text| probe::total_mib(&text))
        && tells(facts, "memory_mib")
    {
        facts.memory_mib = memory;
    }
    let Some(info) = text(files, "/proc/cpuinfo") else { return };
    let count = info.lines().filter(|line| line.starts_with("processor")).count();
    if let Ok(cpus @ 1..) = u32::try_from(count)
        && tells(facts, "cpus")
    {
        facts.cpus = cpus;
    }
    let flags = info.lines().find(|line| line.starts_with("flags"));
    let arch = match flags {
        Some(_) => Some(Arch::X86_64),
        None if info.contains("CPU implementer") => Some(Arch::Aarch64),
        None if info.contains("IBM/S390") => Some(Arch::S390x),
        None if info.contains("POWER") => Some(Arch::Ppc64le),
        None => None,
    };
    if let Some(arch) = arch
        && tells(facts, "arch")
    {
        facts.arch = arch;
    }
    if let Some(flags) = flags
        && tells(facts, "nested")
    {
        facts.nested = flags.split_whitespace().any(|flag| flag == "hypervisor");
    }
}

/// From the Node object that a must-gather has beside the node's folder.
pub(super) fn of_must_gather(files: &dyn Files, folder: &str, name: &str, facts: &mut HostFacts) {
    let top = folder.strip_suffix(&format!("/nodes/{name}")).unwrap_or_default();
    let Some(object) = text(files, &format!("{top}/cluster-scoped-resources/core/nodes/{name}.yaml")) else {
        return;
    };
    if let Ok(object) = serde_yaml::from_str(&object) {
        described::node(facts, &object, FactOrigin::Collected);
    }
}

/// From the report of `kata-runtime kata-env`; Kata's version is the answer.
pub(super) fn of_kata_env(report: &str, facts: &mut HostFacts) -> Option<String> {
    let report = described::parse(report)?;
    described::apply(facts, &report, FactOrigin::Collected);
    described::version(&report)
}

/// Kata's version by the packages that a must-gather lists.
pub(super) fn kata_version(files: &dyn Files) -> Option<String> {
    let packages = text(files, "/version")?;
    let package = packages.lines().find_map(|line| line.trim().strip_prefix("kata-containers-"))?;
    let version = package.split(['-', '~']).next()?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

/// containerd's version by the report of a sosreport.
pub(super) fn containerd_version(files: &dyn Files) -> Option<String> {
    version_of_containerd(&text(files, "/sos_commands/containerd/containerd_--version")?)
}

/// `containerd github.com/containerd/containerd v1.6.20~ds1 1.6.20~ds1-1+b1`
pub(super) fn version_of_containerd(report: &str) -> Option<String> {
    let line = report.lines().find(|line| line.starts_with("containerd "))?;
    let version = line.split_whitespace().nth(2)?.trim_start_matches('v');
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version.get(..end).filter(|version| !version.is_empty()).map(str::to_owned)
}
