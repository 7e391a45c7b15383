//! A configuration that is looked at away from its host: which files it names, and what its host is then taken
//! to be.
//!
//! Decides whether this machine can be the host at all (one of the files is here), and which hardware is taken for
//! granted where nobody says otherwise: that which the configuration is made for. Facts: the keys of the files that
//! src/runtime/config and src/runtime-rs/config render at 4.1.0.

use std::path::Path;
use std::sync::Arc;

use super::config::Layers;
use super::host::{Arch, Assumption, FactOrigin, Host, HostFacts, Look, Protection};

/// Keys of a hypervisor's table that name a file of the host which an installation brings along.
const FILE_KEYS: [&str; 9] = [
    "path",
    "jailer_path",
    "ctlpath",
    "kernel",
    "image",
    "initrd",
    "firmware",
    "firmware_volume",
    "virtio_fs_daemon",
];

/// The texts of `key` in the hypervisors' tables, in order of effect.
pub fn texts(layers: &Layers, key: &str) -> Vec<String> {
    values(layers, key, |item| item.as_str().map(str::to_owned))
}

/// Whether the last hypervisor's table that sets `key` sets it to true.
fn is_set(layers: &Layers, key: &str) -> bool {
    values(layers, key, toml_edit::Item::as_bool).last() == Some(&true)
}

fn values<T>(layers: &Layers, key: &str, read: impl Fn(&toml_edit::Item) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for source in layers.sources() {
        let Ok(document) = toml_edit::Document::parse(source.text.as_ref()) else { continue };
        let Some(tables) = document.get("hypervisor").and_then(|item| item.as_table_like()) else { continue };
        let tables = tables.iter().filter_map(|(_, table)| table.as_table_like());
        found.extend(tables.filter_map(|table| table.get(key)).filter_map(&read));
    }
    found
}

/// The files that the configuration names, each once.
pub fn named_files(layers: &Layers) -> Vec<String> {
    let mut files: Vec<String> = FILE_KEYS.iter().flat_map(|key| texts(layers, key)).collect();
    files.retain(|path| path.starts_with('/'));
    files.sort();
    files.dedup();
    files
}

/// Whether the host has any file that the configuration names.
pub fn is_its_host(layers: &Layers, host: &Host) -> bool {
    named_files(layers).iter().any(|path| host.exists(path))
}

/// How much of a host's files can be looked at, whatever its configurations name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// All of them.
    #[default]
    All,
    /// Those that somebody collected.
    Part,
    /// None but the configurations.
    Nothing,
}

/// The host as these layers meet it.
#[must_use]
pub fn host(host: &Host, layers: &Layers, seen: Seen) -> Host {
    match seen {
        Seen::All if HARDWARE.iter().any(|name| host.facts.guesses(name)) => on_hardware_of(host, layers),
        Seen::All => host.clone(),
        // A file that cannot be read is the trouble, and names none.
        _ if layers.base.is_err() => host.looking(),
        Seen::Part => partly_seen(&host.looking(), layers),
        Seen::Nothing => unseen(&host.looking(), layers),
    }
}

/// The same where all of its files are at hand, copied from where its kernel runs.
fn on_hardware_of(host: &Host, layers: &Layers) -> Host {
    let mut facts = host.facts.clone();
    let granted = grant(&mut facts, layers, Machine::Itself);
    host.with_facts(facts).looked_at(Look::Everything, granted)
}

/// The host of these layers where nobody can look at it: what the configuration names is taken to be there.
#[must_use]
pub fn unseen(host: &Host, layers: &Layers) -> Host {
    let mut facts = host.facts.clone();
    let granted = grant(&mut facts, layers, Machine::Another);
    let own = [Some(&layers.asked), layers.resolved.as_ref().ok()].into_iter().flatten().cloned();
    let drop_ins = layers.drop_ins.iter().flatten().map(|drop_in| Arc::clone(&drop_in.path));
    let look = Look::NothingBut(own.chain(drop_ins).collect());
    host.with_facts(facts).looked_at(look, granted)
}

/// The same where some of its files are at hand.
#[must_use]
pub fn partly_seen(host: &Host, layers: &Layers) -> Host {
    let mut facts = host.facts.clone();
    let granted = grant(&mut facts, layers, Machine::Another);
    host.with_facts(facts).looked_at(Look::Collected, granted)
}

/// The facts of the hardware that a configuration tells something of, and those that it takes as they come.
const HARDWARE: [&str; 8] =
    ["arch", "cpus", "memory_mib", "nested", "protection", "vhost_vsock", "hugepages", "numa"];

/// Whose facts were probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    /// The host's, as far as any were.
    Itself,
    /// This machine's, which is not the host.
    Another,
}

/// Takes the hardware for granted that nobody told of.
fn grant(facts: &mut HostFacts, layers: &Layers, probed: Machine) -> Vec<Assumption> {
    let told = |facts: &HostFacts, name| match facts.origins.get(name) {
        Some(FactOrigin::Assumed) => false,
        Some(FactOrigin::Probed) => probed == Machine::Itself,
        Some(FactOrigin::Flag | FactOrigin::HostFile | FactOrigin::Collected) | None => true,
    };
    let mut granted = Vec::new();
    if !told(facts, "arch") {
        facts.arch = arch(layers).unwrap_or(facts.arch);
    }
    if !told(facts, "cpus") {
        // Which of this machine's CPUs a service may use says nothing of another one.
        facts.cpus_allowed = None;
        // Whoever writes a size into the configuration has a host that is large enough.
        let own = values(layers, "default_vcpus", |item| {
            item.as_float().or(item.as_integer().map(|cpus| cpus as f64))
        });
        facts.cpus = own.into_iter().fold(facts.cpus, |most, cpus| most.max(cpus.ceil().min(4096.0) as u32));
    }
    if !told(facts, "nested") {
        facts.nested = false;
    }
    if !told(facts, "protection") {
        facts.protection = protection(layers, facts.arch);
        let name = match facts.protection {
            Protection::None => None,
            Protection::Tdx => Some("Intel TDX"),
            Protection::Snp => Some("AMD SEV-SNP"),
            Protection::Sev => Some("AMD SEV"),
            Protection::Se | Protection::SeNoCmdline => Some("IBM Secure Execution"),
            Protection::Pef => Some("IBM's protected execution facility"),
            Protection::Cca => Some("Arm CCA"),
        };
        granted.extend(name.map(|name| fact(format!("the host has {name}"))));
    }
    if !told(facts, "hugepages") {
        facts.hugepages = is_set(layers, "enable_hugepages");
        granted.extend(facts.hugepages.then(|| Assumption::There("/dev/hugepages".into())));
    }
    for name in HARDWARE {
        if !told(facts, name) {
            facts.origins.insert(name, FactOrigin::Assumed);
        }
    }
    granted.splice(0..0, machine(facts, &["arch", "cpus", "memory_mib"]));
    granted
}

/// What is taken for granted of the machine's size and architecture, of these facts.
fn machine(facts: &HostFacts, names: &[&str]) -> Option<Assumption> {
    let guessed = names.iter().filter(|name| facts.guesses(name)).map(|name| match *name {
        "arch" => format!("is {}", facts.arch.as_str()),
        "cpus" => format!("has {} CPUs", facts.cpus),
        _ => format!("has {} MiB of memory", facts.memory_mib),
    });
    let guessed: Vec<String> = guessed.collect();
    (!guessed.is_empty()).then(|| Assumption::Machine(format!("the host {}", guessed.join(", ")).into()))
}

/// The same host, of whose size nobody knows, with at least so many CPUs and so much memory; 0: as it is.
#[must_use]
pub fn with_room(host: &Host, cpus: u32, memory_mib: u64) -> Host {
    let mut facts = host.facts.clone();
    let mut still = vec!["arch"];
    let mut granted: Vec<Assumption> = Vec::new();
    if cpus > 0 {
        facts.cpus = cpus;
        granted.push(fact(format!("the host has at least {cpus} CPUs")));
    } else {
        still.push("cpus");
    }
    if memory_mib > 0 {
        facts.memory_mib = memory_mib;
        granted.push(fact(format!("the host has at least {memory_mib} MiB of memory")));
    } else {
        still.push("memory_mib");
    }
    granted.extend(machine(&facts, &still));
    granted.extend(host.granted().iter().filter(|other| !matches!(other, Assumption::Machine(_))).cloned());
    host.with_facts(facts).granting(granted)
}

fn fact(text: String) -> Assumption {
    Assumption::Fact(text.into())
}

/// The architecture that the configuration is made for: by its machine type and the QEMU that it names.
fn arch(layers: &Layers) -> Option<Arch> {
    let paths = texts(layers, "path");
    let program = paths.iter().rev().find_map(|path| Path::new(path).file_name()?.to_str());
    let machine = texts(layers, "machine_type");
    match (program.and_then(|name| name.strip_prefix("qemu-system-")), machine.last().map(String::as_str)) {
        // Files for these are rendered with the path of another architecture's QEMU, too.
        (_, Some("s390-ccw-virtio")) => Some(Arch::S390x),
        (_, Some("pseries")) => Some(Arch::Ppc64le),
        (Some(name), _) if name.starts_with("ppc64") => Some(Arch::Ppc64le),
        (Some(name), _) if name.starts_with("x86_64") => Some(Arch::X86_64),
        (Some(name), _) if Arch::parse(name).is_some() => Arch::parse(name),
        (_, Some("q35" | "pc" | "pc-lite" | "microvm")) => Some(Arch::X86_64),
        _ => None,
    }
}

/// The hardware that a confidential guest of this configuration needs.
fn protection(layers: &Layers, arch: Arch) -> Protection {
    match arch {
        _ if !is_set(layers, "confidential_guest") => Protection::None,
        Arch::S390x => Protection::Se,
        Arch::X86_64 if is_set(layers, "sev_snp_guest") => Protection::Snp,
        Arch::X86_64 => Protection::Tdx,
        Arch::Aarch64 | Arch::Ppc64le | Arch::Riscv64 => Protection::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host::{Errno, MemoryFiles};

    fn layers(text: &str) -> Layers {
        Layers::of_text("/etc/c.toml", text)
    }

    fn laptop() -> HostFacts {
        let mut facts = HostFacts { vhost_vsock: false, nested: true, ..HostFacts::default() };
        for name in ["arch", "cpus", "memory_mib", "nested", "protection", "vhost_vsock", "hugepages"] {
            facts.origins.insert(name, FactOrigin::Probed);
        }
        facts
    }

    #[test]
    fn a_file_here_makes_this_machine_the_host() {
        let files = MemoryFiles::new().file("/opt/kata/vmlinux", 0o644, "x").file("/dev/urandom", 0o666, "");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let with = |key: &str, path: &str| layers(&format!("[hypervisor.qemu]\n{key} = \"{path}\"\n"));
        assert!(is_its_host(&with("kernel", "/opt/kata/vmlinux"), &host));
        assert!(!is_its_host(&with("kernel", "/opt/kata/vmlinuz"), &host));
        assert!(!is_its_host(&with("entropy_source", "/dev/urandom"), &host), "every machine has one");
    }

    #[test]
    fn what_is_named_is_taken_for_granted_and_what_is_tried_is_not() {
        let files = MemoryFiles::new().file("/etc/c.toml", 0o644, "x").file("/bin/sh", 0o755, "x");
        let host = Host::new(laptop(), Arc::new(files));
        let host = unseen(&host, &layers(""));
        let noting = host.noting(host.granted());
        assert_eq!(noting.canonicalize("/opt/../usr//bin/qemu").as_deref(), Ok("/usr/bin/qemu"));
        assert!(noting.stat("/opt/x.img").is_ok_and(|stat| !stat.size_known));
        assert!(!noting.finds("/dev/mshv") && noting.vhost_vsock());
        assert_eq!(noting.canonicalize(""), Err(Errno::NotFound));
        assert!(noting.exists("/dev/urandom") && noting.exists("/etc/c.toml"), "these are known");
        assert!(!noting.knows("/bin/sh"), "it is this machine's, not the host's");
        let told: Vec<String> = noting.noted().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "the host is x86_64, has 8 CPUs, has 16384 MiB of memory",
                "/usr/bin/qemu is there",
                "/opt/x.img is there",
                "/dev/mshv is not there",
                "/dev/vhost-vsock is there"
            ]
        );
    }

    #[test]
    fn the_hardware_is_what_the_configuration_is_made_for() {
        let of = |text: &str| {
            let mut facts = laptop();
            grant(&mut facts, &layers(text), Machine::Another);
            (facts.arch, facts.protection)
        };
        let qemu = "[hypervisor.qemu]\n";
        let guest = "confidential_guest = true\n";
        assert_eq!(of(qemu), (Arch::X86_64, Protection::None));
        assert_eq!(of(&format!("{qemu}{guest}")), (Arch::X86_64, Protection::Tdx));
        assert_eq!(of(&format!("{qemu}{guest}sev_snp_guest = true\n")), (Arch::X86_64, Protection::Snp));
        assert_eq!(
            of(&format!("{qemu}{guest}machine_type = \"s390-ccw-virtio\"\n")),
            (Arch::S390x, Protection::Se)
        );
        let path = "path = \"/usr/bin/qemu-system-aarch64\"\n";
        assert_eq!(of(&format!("{qemu}{path}machine_type = \"virt\"\n")), (Arch::Aarch64, Protection::None));
    }
}
