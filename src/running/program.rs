//! Which program a process is, and which sandbox it belongs to by its arguments.
//!
//! Facts: the names that releases install and that distributions give QEMU; the folders of the runtimes
//! (`virtcontainers/persist/fs`, `kata-types/src/config/mod.rs`).

use super::Argument;

/// A program of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// QEMU.
    Qemu,
    /// Cloud Hypervisor.
    CloudHypervisor,
    /// Firecracker.
    Firecracker,
    /// StratoVirt.
    StratoVirt,
    /// ACRN's device model.
    Acrn,
    /// OpenVMM.
    OpenVmm,
    /// The jailer of Firecracker.
    Jailer,
    /// virtiofsd.
    Virtiofsd,
    /// nydusd.
    Nydusd,
    /// The shim v2 of Kata.
    Shim,
    /// kata-proxy, of Kata 1.x.
    KataProxy,
    /// kata-shim, of Kata 1.x.
    KataShim,
    /// None of Kata's.
    Other,
}

impl Program {
    /// The word of the catalogue and of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::CloudHypervisor => "cloud-hypervisor",
            Self::Firecracker => "firecracker",
            Self::StratoVirt => "stratovirt",
            Self::Acrn => "acrn-dm",
            Self::OpenVmm => "openvmm",
            Self::Jailer => "jailer",
            Self::Virtiofsd => "virtiofsd",
            Self::Nydusd => "nydusd",
            Self::Shim => "shim",
            Self::KataProxy => "kata-proxy",
            Self::KataShim => "kata-shim",
            Self::Other => "other",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Qemu => "QEMU",
            Self::CloudHypervisor => "Cloud Hypervisor",
            Self::Firecracker => "Firecracker",
            Self::StratoVirt => "StratoVirt",
            Self::Acrn => "ACRN",
            Self::OpenVmm => "OpenVMM",
            Self::Jailer => "Firecracker's jailer",
            Self::Virtiofsd => "virtiofsd",
            Self::Nydusd => "nydusd",
            Self::Shim => "Kata's shim v2",
            Self::KataProxy => "kata-proxy (Kata 1.x)",
            Self::KataShim => "kata-shim (Kata 1.x)",
            Self::Other => "no program of Kata",
        }
    }

    /// The table of the configuration, where it is a VMM.
    pub fn table(self) -> Option<&'static str> {
        match self {
            Self::Qemu => Some("qemu"),
            Self::CloudHypervisor => Some("clh"),
            Self::Firecracker | Self::Jailer => Some("firecracker"),
            Self::StratoVirt => Some("stratovirt"),
            Self::Acrn => Some("acrn"),
            Self::OpenVmm => Some("openvmm"),
            _ => None,
        }
    }

    /// Whether it is the VM itself.
    pub fn is_vmm(self) -> bool {
        self.table().is_some()
    }

    /// By the path or name of the program, as a command line begins with it.
    pub fn of_path(path: &str) -> Option<Self> {
        let path = path.trim_matches(['"', '\'', ',']);
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_qemu =
            (name.starts_with("qemu") && !name.starts_with("qemu-ga") && !name.starts_with("qemu-img"))
                || name.starts_with("nemu-system")
                || name == "kvm"
                || name == "qemu-kvm";
        Some(match name {
            _ if is_qemu => Self::Qemu,
            _ if name.starts_with("cloud-hypervisor") => Self::CloudHypervisor,
            _ if name.starts_with("firecracker") => Self::Firecracker,
            _ if name.starts_with("stratovirt") => Self::StratoVirt,
            _ if name.starts_with("acrn-dm") => Self::Acrn,
            _ if name.starts_with("openvmm") => Self::OpenVmm,
            _ if name.starts_with("jailer") => Self::Jailer,
            _ if name.starts_with("virtiofsd") => Self::Virtiofsd,
            _ if name.starts_with("nydusd") => Self::Nydusd,
            _ if name.starts_with("containerd-shim-kata") => Self::Shim,
            "kata-proxy" => Self::KataProxy,
            "kata-shim" => Self::KataShim,
            _ => return None,
        })
    }

    /// Whether an option takes the next word as its value. QEMU's are told by the words themselves.
    pub fn takes_value(self, option: &str) -> bool {
        match self {
            Self::Virtiofsd => matches!(
                option,
                "-o" | "--socket-path" | "--shared-dir" | "--cache" | "--sandbox" | "--seccomp"
            ),
            Self::Nydusd => matches!(option, "--log-level" | "--apisock" | "--sock"),
            Self::CloudHypervisor => {
                matches!(option, "--api-socket" | "--log-file" | "--seccomp" | "--event-monitor")
            }
            Self::Firecracker | Self::Jailer => !matches!(option, "--daemonize" | "--no-seccomp" | "--"),
            Self::Shim => !matches!(option, "-debug" | "start" | "delete"),
            Self::KataProxy | Self::KataShim => !matches!(option, "-terminal" | "-trace"),
            Self::Acrn => matches!(option, "-U" | "-m" | "-s" | "-k" | "-B" | "--cpu_affinity"),
            Self::Qemu | Self::StratoVirt | Self::OpenVmm | Self::Other => true,
        }
    }
}

/// Folders that have the sandbox's name below them.
const FOLDERS: [&str; 7] = [
    "/run/vc/vm/",
    "/run/vc/sbs/",
    "/run/kata-containers/shared/sandboxes/",
    "/run/vc/firecracker/",
    "/run/kata/firecracker/",
    "/run/kata/",
    "/run/vc/",
];

/// The sandbox that a path belongs to.
pub fn sandbox_of_path(path: &str) -> Option<&str> {
    FOLDERS.iter().find_map(|folder| {
        let (_, rest) = path.split_once(folder)?;
        rest.split(['/', ',', ' ']).next().filter(|name| !name.is_empty() && !hidden(name))
    })
}

/// Whether somebody put dots or a placeholder in the place of a name.
pub fn hidden(text: &str) -> bool {
    text.contains("...") || text.contains('…')
}

/// The sandbox of a process, by the arguments that name it.
pub fn sandbox(program: Program, arguments: &[Argument]) -> Option<String> {
    let value = |option: &str| {
        arguments.iter().find(|a| a.option == option).and_then(|a| a.value.as_deref()).filter(|v| !hidden(v))
    };
    let named = match program {
        Program::Qemu | Program::StratoVirt => value("-name")
            .and_then(|name| name.strip_prefix("sandbox-"))
            .and_then(|name| name.split(',').next()),
        Program::Shim => value("-id"),
        Program::Firecracker | Program::Jailer => value("--id"),
        Program::KataProxy => value("-sandbox"),
        _ => None,
    };
    let by_path = || {
        let values = arguments.iter().filter_map(|argument| argument.value.as_deref());
        let pieces = values.flat_map(|value| value.split([',', ' ']));
        pieces.filter(|piece| piece.contains("/run/")).find_map(sandbox_of_path)
    };
    named.or_else(by_path).filter(|name| !name.is_empty()).map(str::to_owned)
}
