//! What a collection tells of the node's hardware and releases.
//!
//! Decides which files of a collection are asked: `/proc`, the package list of a must-gather, the Node object
//! beside it, and the report of `kata-runtime kata-env`. What was said on the command line wins over all of them.

use crate::input::described;
use crate::input::host::{Arch, FactOrigin, Files, HostFacts};
use crate::input::probe;

/// Whether nobody said it outright; notes that the collection tells it.
fn tells(facts: &mut HostFacts, name: &'static str) -> bool {
    let said = matches!(facts.origins.get(name), Some(FactOrigin::Flag | FactOrigin::HostFile));
    if !said {
        facts.origins.insert(name, FactOrigin::Collected);
    }
    !said
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
    let mut in_capacity = false;
    for line in object.lines() {
        let Some((key, value)) = line.trim().split_once(':') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        match key {
            "capacity" => in_capacity = true,
            "conditions" | "nodeInfo" | "allocatable" => in_capacity = false,
            "cpu" if in_capacity => {
                if let Ok(cpus) = value.parse()
                    && tells(facts, "cpus")
                {
                    facts.cpus = cpus;
                }
            }
            "memory" if in_capacity => {
                let kib = value.strip_suffix("Ki").and_then(|kib| kib.parse::<u64>().ok());
                if let Some(kib) = kib
                    && tells(facts, "memory_mib")
                {
                    facts.memory_mib = kib / 1024;
                }
            }
            "architecture" => {
                if let Some(arch) = Arch::parse(value)
                    && tells(facts, "arch")
                {
                    facts.arch = arch;
                }
            }
            _ => {}
        }
    }
}

/// From the report of `kata-runtime kata-env`; Kata's version is the answer.
pub(super) fn of_kata_env(report: &str, facts: &mut HostFacts) -> Option<String> {
    let report: toml_edit::DocumentMut = report.parse().ok()?;
    let at = |path: &[&str]| path.iter().try_fold(report.as_item(), |item, key| item.get(key));
    let number = |path: &[&str]| at(path)?.as_integer();
    if let Some(cpus) = number(&["Host", "CPU", "CPUs"]).and_then(|cpus| u32::try_from(cpus).ok())
        && cpus > 0
        && tells(facts, "cpus")
    {
        facts.cpus = cpus;
    }
    if let Some(kib) = number(&["Host", "Memory", "Total"]).and_then(|kib| u64::try_from(kib).ok())
        && kib > 0
        && tells(facts, "memory_mib")
    {
        facts.memory_mib = kib / 1024;
    }
    if let Some(arch) = at(&["Host", "Architecture"]).and_then(|arch| Arch::parse(arch.as_str()?))
        && tells(facts, "arch")
    {
        facts.arch = arch;
    }
    if let Some(vsock) = at(&["Host", "SupportVSocks"]).and_then(toml_edit::Item::as_bool)
        && tells(facts, "vhost_vsock")
    {
        facts.vhost_vsock = vsock;
    }
    if let Some(list) = at(&["Host", "AvailableGuestProtections"]).and_then(toml_edit::Item::as_array)
        && tells(facts, "protection")
    {
        facts.protection =
            list.iter().filter_map(|name| described::protection(name.as_str()?)).next().unwrap_or_default();
    }
    let version = at(&["Runtime", "Version", "Semver"]).or_else(|| at(&["Runtime", "Version"]))?;
    version.as_str().map(str::to_owned)
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
