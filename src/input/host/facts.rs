//! The hardware that changes what a runtime does, as flags, a `--host` file or a probe tell it.
//!
//! Decides nothing but what is assumed where nobody says anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::network::PodNetwork;

/// Processor architecture, as Kata names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)]
pub enum Arch {
    #[default]
    X86_64,
    Aarch64,
    S390x,
    Ppc64le,
    Riscv64,
}

impl Arch {
    /// Reads `uname -m` and Go's GOARCH spellings.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "x86_64" | "amd64" => Self::X86_64,
            "aarch64" | "arm64" => Self::Aarch64,
            "s390x" => Self::S390x,
            "ppc64le" | "powerpc64le" => Self::Ppc64le,
            "riscv64" => Self::Riscv64,
            _ => return None,
        })
    }

    /// The `uname -m` spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::S390x => "s390x",
            Self::Ppc64le => "ppc64le",
            Self::Riscv64 => "riscv64",
        }
    }
}

/// Trusted execution hardware of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)]
pub enum Protection {
    #[default]
    None,
    Tdx,
    Snp,
    Sev,
    Se,
    /// The machine has IBM Secure Execution, and its kernel was started without it.
    SeNoCmdline,
    /// IBM's protected execution facility on POWER.
    Pef,
    /// Arm's confidential compute architecture.
    Cca,
}

impl Protection {
    /// All of them, in the words of the `--host` file.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("none", Self::None),
        ("tdx", Self::Tdx),
        ("snp", Self::Snp),
        ("sev", Self::Sev),
        ("se", Self::Se),
        ("se-nocmdline", Self::SeNoCmdline),
        ("pef", Self::Pef),
        ("cca", Self::Cca),
    ];

    /// Reads the word of a `--host` file.
    pub fn parse(text: &str) -> Option<Self> {
        Self::WORDS.iter().find_map(|(word, protection)| (*word == text).then_some(*protection))
    }

    /// The word of a `--host` file.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find_map(|(word, other)| (*other == self).then_some(*word)).unwrap_or("none")
    }
}

/// Where a host fact came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactOrigin {
    /// A command line flag.
    Flag,
    /// The `--host` file.
    HostFile,
    /// Told by what somebody collected on the host.
    Collected,
    /// Read from this machine.
    Probed,
    /// Nobody said and it cannot be known: assumed.
    Assumed,
}

/// One NUMA node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumaNode {
    /// CPU list as in `/sys/devices/system/node/node*/cpulist`, such as `0-3,8`.
    pub cpus: String,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// Hardware facts that change what a runtime does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// Architecture of host and guest.
    pub arch: Arch,
    /// Online CPUs.
    pub cpus: u32,
    /// Of those the ones that the container runtime's service, and so the shim, may run on; `None`: all.
    pub cpus_allowed: Option<u32>,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Whether the host is itself a virtual machine.
    pub nested: bool,
    /// TEE hardware.
    pub protection: Protection,
    /// Whether `/dev/vhost-vsock` exists.
    pub vhost_vsock: bool,
    /// Whether `/dev/hugepages` exists.
    pub hugepages: bool,
    /// Whether the TDX quote service listens on its own socket; `None`: as the host's files say.
    pub qgs_socket: Option<bool>,
    /// NUMA nodes; empty means one node with everything.
    pub numa: Vec<NumaNode>,
    /// What CNI has made for the pod.
    pub network: Arc<PodNetwork>,
    /// Where each fact came from, by its name in the `--host` file.
    pub origins: BTreeMap<&'static str, FactOrigin>,
}

impl Default for HostFacts {
    fn default() -> Self {
        Self {
            arch: Arch::X86_64,
            cpus: 8,
            cpus_allowed: None,
            memory_mib: 16384,
            nested: false,
            protection: Protection::None,
            vhost_vsock: true,
            hugepages: false,
            qgs_socket: None,
            numa: Vec::new(),
            network: Arc::new(PodNetwork::assumed()),
            origins: BTreeMap::new(),
        }
    }
}

/// The facts that are told by their name; what CNI and the quote service make is asked elsewhere.
const TOLD: [&str; 9] =
    ["arch", "cpus", "memory_mib", "nested", "protection", "vhost_vsock", "hugepages", "numa", "network"];

impl HostFacts {
    /// The facts of a host of which nobody has said anything, and that cannot be looked at.
    pub fn assumed() -> Self {
        let origins = TOLD.into_iter().map(|name| (name, FactOrigin::Assumed)).collect();
        Self { origins, ..Self::default() }
    }

    /// Whether nobody has said anything of a fact, and it could not be looked at.
    pub fn guesses(&self, name: &str) -> bool {
        self.origins.get(name) == Some(&FactOrigin::Assumed)
    }

    /// Whether the size or the architecture of the machine is a guess.
    pub fn guess_the_machine(&self) -> bool {
        ["arch", "cpus", "memory_mib"].iter().any(|name| self.guesses(name))
    }

    /// Whether `origin` may tell a fact, which is then noted to come from there: what a collection holds gives way
    /// to what a flag or a host file says.
    pub fn is_told(&mut self, name: &'static str, origin: FactOrigin) -> bool {
        let said = matches!(self.origins.get(name), Some(FactOrigin::Flag | FactOrigin::HostFile));
        let tells = origin != FactOrigin::Collected || !said;
        if tells {
            self.origins.insert(name, origin);
        }
        tells
    }

    /// The CPUs that the shim counts where it asks its scheduler.
    pub fn cpus_of_shim(&self) -> u32 {
        self.cpus_allowed.map_or(self.cpus, |allowed| allowed.min(self.cpus))
    }
}
