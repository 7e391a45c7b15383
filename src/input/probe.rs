//! The facts of a host: the `--host` file, and what `/proc`, `/sys` and `/dev` of this machine say.
//!
//! Decides where each fact comes from; flags are the command line's business and win over both.

use std::sync::Arc;

use serde::Deserialize;

use super::described;
use super::host::{Arch, FactOrigin, HostFacts, NetworkTable, NumaNode, Protection};
use super::source::Source;
use crate::answer::Place;

/// Why a host file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct HostFileError {
    /// Where.
    pub place: Place,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostFile {
    arch: Option<toml::Spanned<String>>,
    cpus: Option<u32>,
    cpus_allowed: Option<toml::Spanned<Cpus>>,
    memory_mib: Option<u64>,
    nested: Option<bool>,
    protection: Option<toml::Spanned<String>>,
    vhost_vsock: Option<bool>,
    hugepages: Option<bool>,
    qgs_socket: Option<bool>,
    numa: Option<Vec<NumaEntry>>,
    network: Option<NetworkTable>,
}

/// How many, or which, as `/proc/PID/status` lists them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Cpus {
    Count(u32),
    List(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NumaEntry {
    cpus: String,
    memory_mib: u64,
}

/// The same for the machine whose files are at hand, of which a host file is the whole description: what it does not
/// name is not there.
pub fn describe_host(facts: &mut HostFacts, source: &Source) -> Result<(), HostFileError> {
    apply_host_file(facts, source)?;
    for name in ["nested", "protection", "hugepages"] {
        let said = facts.origins.entry(name).or_insert(FactOrigin::HostFile);
        if *said == FactOrigin::Assumed {
            *said = FactOrigin::HostFile;
        }
    }
    Ok(())
}

/// Puts the facts of a host file over `facts`; of what it does not name they keep what is known.
pub fn apply_host_file(facts: &mut HostFacts, source: &Source) -> Result<(), HostFileError> {
    if let Some(report) = described::parse(&source.text) {
        return described::apply(facts, &report, FactOrigin::HostFile).ok_or_else(|| HostFileError {
            place: source.place(0),
            message:
                "neither a host file, nor what kata-runtime env or kata-ctl env prints, nor a Node object of \
                      kubectl get node -o json"
                    .to_owned(),
        });
    }
    let file: HostFile = toml::from_str(&source.text).map_err(|e| HostFileError {
        place: source.place(e.span().map_or(0, |s| s.start)),
        message: e.message().to_owned(),
    })?;
    let mut said = |name| facts.origins.insert(name, FactOrigin::HostFile);
    if let Some(arch) = file.arch {
        facts.arch = Arch::parse(arch.get_ref()).ok_or_else(|| HostFileError {
            place: source.place(arch.span().start),
            message: format!(
                "'{}' is no architecture known here; write x86_64, aarch64, s390x, ppc64le or riscv64",
                arch.get_ref()
            ),
        })?;
        said("arch");
    }
    if let Some(cpus) = file.cpus {
        facts.cpus = cpus;
        // What this machine lets a service use says nothing of another one.
        facts.cpus_allowed = None;
        said("cpus");
    }
    if let Some(cpus) = file.cpus_allowed {
        let count = match cpus.get_ref() {
            Cpus::Count(count) => Some(*count),
            Cpus::List(list) => count_cpus(list),
        };
        facts.cpus_allowed = Some(count.filter(|count| *count > 0).ok_or_else(|| HostFileError {
            place: source.place(cpus.span().start),
            message:
                "cpus_allowed is how many CPUs the shim may use, or their list, such as \"0-3,8\"".to_owned(),
        })?);
        said("cpus_allowed");
    }
    if let Some(memory_mib) = file.memory_mib {
        facts.memory_mib = memory_mib;
        said("memory_mib");
    }
    if let Some(nested) = file.nested {
        facts.nested = nested;
        said("nested");
    }
    if let Some(protection) = file.protection {
        facts.protection = Protection::parse(protection.get_ref()).ok_or_else(|| {
            let words: Vec<_> = Protection::WORDS.iter().map(|(word, _)| *word).collect();
            HostFileError {
                place: source.place(protection.span().start),
                message: format!(
                    "'{}' is no protection; write one of {}",
                    protection.get_ref(),
                    words.join(", ")
                ),
            }
        })?;
        said("protection");
    }
    if let Some(vhost_vsock) = file.vhost_vsock {
        facts.vhost_vsock = vhost_vsock;
        said("vhost_vsock");
    }
    if let Some(hugepages) = file.hugepages {
        facts.hugepages = hugepages;
        said("hugepages");
    }
    if let Some(qgs_socket) = file.qgs_socket {
        facts.qgs_socket = Some(qgs_socket);
        said("qgs_socket");
    }
    if let Some(numa) = file.numa {
        facts.numa = numa.into_iter().map(|n| NumaNode { cpus: n.cpus, memory_mib: n.memory_mib }).collect();
        said("numa");
    }
    if let Some(network) = file.network {
        let network = network
            .read()
            .map_err(|e| HostFileError { place: source.place(e.span.start), message: e.message })?;
        facts.network = Arc::new(network);
        said("network");
    }
    Ok(())
}

/// Probes the machine this program runs on. What cannot be read keeps its assumed value.
pub fn this_machine() -> HostFacts {
    let mut facts = HostFacts::assumed();
    let mut probed = |name| facts.origins.insert(name, FactOrigin::Probed);
    if let Some(arch) = Arch::parse(std::env::consts::ARCH) {
        facts.arch = arch;
        probed("arch");
    }
    let read = |path: &str| std::fs::read_to_string(path).ok();
    if let Some(cpus) = read("/sys/devices/system/cpu/online").and_then(|t| count_cpus(&t)) {
        facts.cpus = cpus;
        probed("cpus");
        if let Some(allowed) = cpus_of_service(&read).filter(|allowed| *allowed < cpus) {
            facts.cpus_allowed = Some(allowed);
            probed("cpus_allowed");
        }
    }
    if let Some(memory) = read("/proc/meminfo").and_then(|t| total_mib(&t)) {
        facts.memory_mib = memory;
        probed("memory_mib");
    }
    if let Some(info) = read("/proc/cpuinfo") {
        facts.nested = info
            .lines()
            .find(|l| l.starts_with("flags"))
            .is_some_and(|l| l.split_whitespace().any(|flag| flag == "hypervisor"));
        probed("nested");
    }
    let enabled = |path: &str| read(path).is_some_and(|t| matches!(t.trim(), "1" | "Y" | "y"));
    if enabled("/sys/module/kvm_intel/parameters/tdx") {
        facts.protection = Protection::Tdx;
    } else if enabled("/sys/module/kvm_amd/parameters/sev_snp") {
        facts.protection = Protection::Snp;
    } else if enabled("/sys/module/kvm_amd/parameters/sev") {
        facts.protection = Protection::Sev;
    } else if enabled("/sys/firmware/uv/prot_virt_host") {
        facts.protection = Protection::Se;
    }
    probed("protection");
    facts.vhost_vsock = std::path::Path::new("/dev/vhost-vsock").exists();
    probed("vhost_vsock");
    facts.hugepages = std::path::Path::new("/dev/hugepages").exists();
    probed("hugepages");
    facts
}

/// Services that start shims, which inherit the CPUs that these may use.
const SERVICES: [&str; 5] = ["containerd", "crio", "k3s", "rke2-server", "rke2-agent"];

/// The CPUs that the container runtime may use, else those of PID 1, of which each service inherits.
fn cpus_of_service(read: &dyn Fn(&str) -> Option<String>) -> Option<u32> {
    let folders = ["/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice"];
    let mut lists =
        folders.iter().flat_map(|f| SERVICES.map(|service| format!("{f}/{service}.service/cgroup.procs")));
    let pid = lists.find_map(|list| Some(read(&list)?.lines().next()?.to_owned()));
    let status = read(&format!("/proc/{}/status", pid.as_deref().unwrap_or("1")))?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    count_cpus(list)
}

/// How many CPUs a list such as `0-3,8` names.
fn count_cpus(list: &str) -> Option<u32> {
    list.trim()
        .split(',')
        .map(|range| match range.split_once('-') {
            Some((first, last)) => last.parse::<u32>().ok()?.checked_sub(first.parse().ok()?)?.checked_add(1),
            None => range.parse::<u32>().ok().map(|_| 1),
        })
        .sum()
}

pub(super) fn total_mib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists_are_counted() {
        assert_eq!(count_cpus("0-3,8\n"), Some(5));
        assert_eq!(count_cpus("x"), None);
    }

    #[test]
    fn a_network_is_written_as_it_was_read() {
        let texts = [
            "[network]\ninterfaces = []\n",
            "[network]\nexists = false\n",
            "[network]\nnetns = \"/var/run/netns/\\u001b\"\ndan = \"{\\\"a\\\": 1}\"\n",
            "[[network.interface]]\nname = \"eth0\"\n[[network.interface]]\nname = \"tap1\"\nkind = \"tun\"\n\
             mac = \"0a:58:0a:f4:01:02\"\naddresses = [\"10.1.0.2/24\", \"fe80::1/64\"]\n\
             [[network.route]]\ndst = \"default\"\ndev = \"eth0\"\ngateway = \"fe80::2\"\nproto = \"kernel\"\n\
             [[network.neighbour]]\nip = \"10.1.0.1\"\nmac = \"0a:58:0a:f4:01:01\"\ndev = \"eth0\"\n",
        ];
        for text in texts {
            let read = |text: &str| {
                let mut facts = HostFacts::default();
                apply_host_file(&mut facts, &Source::new("h.toml", text)).map(|()| facts.network).unwrap()
            };
            let network = read(text);
            assert_eq!(read(&network.table()), network, "{}", network.table());
        }
    }

    #[test]
    fn a_host_file_says_what_is_wrong_and_where() {
        let mut facts = HostFacts::default();
        let source = Source::new("h.toml", "cpus = 4\nprotection = \"sgx\"\n");
        let error = apply_host_file(&mut facts, &source).unwrap_err();
        assert_eq!(
            error.to_string(),
            "h.toml:2:14: 'sgx' is no protection; write one of none, tdx, snp, sev, se, se-nocmdline, pef, cca"
        );
        assert_eq!(facts.cpus, 4);
    }
}
