//! What differs by processor architecture: machine types, default options and parameters, transports, and
//! which memory encryption there is.
//!
//! Facts: src/runtime/virtcontainers/qemu_{amd64,arm64,s390x,ppc64le,riscv64}.go, hypervisor_*.go and the
//! transports of pkg/govmm/qemu: x86_64 from 2.0.0 to 4.1.0, the others at 4.1.0.

use super::super::guest_kernel::Constants;
use super::super::{Change, Refusal, Start, refuse};
use crate::input::host::{Arch, Protection};
use crate::release::Release;

/// A machine type that the runtime accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    Pc,
    PcLite,
    Q35,
    Microvm,
    Virt,
    S390Ccw,
    Pseries,
}

impl Machine {
    /// The machine type as configured; nothing configured is the architecture's own.
    pub(super) fn of(start: &Start<'_>) -> Result<Self, Refusal> {
        Ok(match (start.arch, &*start.hv.machine_type) {
            (Arch::X86_64, "" | "pc") if start.has(Change::PcMachines) => Self::Pc,
            (Arch::X86_64, "pc-lite") if start.has(Change::PcMachines) => Self::PcLite,
            (Arch::X86_64, "virt") if start.has(Change::VirtOnAmd64) => Self::Virt,
            (Arch::X86_64, "" | "q35") => Self::Q35,
            (Arch::X86_64, "microvm") => Self::Microvm,
            (Arch::Aarch64 | Arch::Riscv64, "" | "virt") => Self::Virt,
            (Arch::S390x, "" | "s390-ccw-virtio") => Self::S390Ccw,
            (Arch::Ppc64le, "" | "pseries") => Self::Pseries,
            (_, name) => return refuse(format!("unrecognised machinetype: {name}"), &["machine_type"]),
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pc => "pc",
            Self::PcLite => "pc-lite",
            Self::Q35 => "q35",
            Self::Microvm => "microvm",
            Self::Virt => "virt",
            Self::S390Ccw => "s390-ccw-virtio",
            Self::Pseries => "pseries",
        }
    }

    /// How its virtio devices are attached.
    pub(super) fn transport(self) -> Transport {
        match self {
            Self::Microvm => Transport::Mmio,
            Self::S390Ccw => Transport::Ccw,
            _ => Transport::Pci,
        }
    }

    /// Whether its root bus is PCI Express.
    pub(super) fn has_pcie(self) -> bool {
        matches!(self, Self::Q35 | Self::Virt)
    }

    /// The root bus that bridges are plugged into.
    pub(super) fn bridge_bus(self) -> &'static str {
        if self.has_pcie() { "pcie.0" } else { "pci.0" }
    }

    /// Whether bridges are rendered out for it.
    pub(super) fn has_pci_bridges(self) -> bool {
        matches!(self, Self::Pc | Self::Q35 | Self::Virt | Self::Pseries)
    }
}

/// How a virtio device is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Pci,
    Ccw,
    Mmio,
}

impl Transport {
    /// What follows the device's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Pci => "-pci",
            Self::Ccw => "-ccw",
            Self::Mmio => "-device",
        }
    }
}

/// The memory encryption that a confidential guest gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GuestProtection {
    None,
    Tdx,
    Sev,
    Snp,
    SecureExecution,
    Pef,
    Realm,
}

impl GuestProtection {
    /// What the machine is told about it.
    pub(super) fn support(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Tdx => Some("tdx"),
            Self::Sev => Some("sev"),
            Self::Snp => Some("snp"),
            Self::SecureExecution => Some("pv0"),
            Self::Pef => Some("pef0"),
            Self::Realm => Some("rme0"),
        }
    }

    /// What protects the guest, if it is to be protected.
    pub(super) fn of(start: &Start<'_>) -> Result<Self, Refusal> {
        let asked = start.hv.confidential_guest && start.has(Change::ConfidentialGuests);
        if !asked || start.arch == Arch::Riscv64 {
            return Ok(Self::None);
        }
        let refuse = |message: &'static str| refuse(message, &["confidential_guest"]);
        match (start.arch, start.host.facts.protection) {
            (Arch::X86_64, Protection::Tdx) => Ok(Self::Tdx),
            (Arch::X86_64, Protection::Snp) if start.wants_snp() => Ok(Self::Snp),
            (Arch::X86_64, Protection::Snp) => Ok(Self::Sev),
            (Arch::X86_64, Protection::Sev) if start.has(Change::SevHosts) => Ok(Self::Sev),
            (Arch::Ppc64le, Protection::Pef) => Ok(Self::Pef),
            (Arch::Aarch64, Protection::Cca) if start.has(Change::Realms) => Ok(Self::Realm),
            (Arch::S390x, Protection::Se) => Ok(Self::SecureExecution),
            (Arch::S390x, Protection::SeNoCmdline) => refuse(
                "Protected Virtualization is not enabled on kernel command line! Need prot_virt=1 (or on, y, yes) to \
                 enable Secure Execution",
            ),
            (Arch::S390x, _) => refuse("This CPU does not support Secure Execution"),
            (Arch::Aarch64, _) => refuse("Configured confidential guest but kvm does not support"),
            _ => refuse("This system doesn't support Confidential Computing (Guest Protection)"),
        }
    }
}

/// The binary where none is configured.
pub(super) fn default_path(arch: Arch, machine: Machine) -> &'static str {
    match arch {
        Arch::X86_64 if machine == Machine::PcLite => "/usr/bin/qemu-lite-system-x86_64",
        Arch::X86_64 => "/usr/bin/qemu-system-x86_64",
        Arch::Aarch64 => "/usr/bin/qemu-system-aarch64",
        Arch::S390x => "/usr/bin/qemu-system-s390x",
        Arch::Ppc64le => "/usr/bin/qemu-system-ppc64",
        Arch::Riscv64 => "/usr/bin/qemu-system-riscv64",
    }
}

/// The machine options that come first. `split`: a part of the interrupt chip is QEMU's own.
pub(super) fn machine_options(release: Release, arch: Arch, split: bool) -> &'static str {
    match arch {
        Arch::X86_64 if split => "accel=kvm,kernel_irqchip=split",
        Arch::X86_64 if release.has(Change::IrqchipWithoutValue) => "accel=kvm,kernel_irqchip",
        Arch::X86_64 if release.has(Change::IrqchipNamed) => "accel=kvm,kernel_irqchip=on",
        Arch::X86_64 | Arch::S390x => "accel=kvm",
        Arch::Aarch64 => "usb=off,accel=kvm,gic-version=host",
        Arch::Ppc64le => "accel=kvm,usb=off,cap-ail-mode-3=off",
        Arch::Riscv64 => "accel=kvm,usb=off",
    }
}

/// The kernel parameters that come first on x86_64.
const AMD64_PARAMS: Constants = &[
    (None, "tsc", "reliable"),
    (None, "no_timer_check", ""),
    (None, "rcupdate.rcu_expedited", "1"),
    (None, "i8042.direct", "1"),
    (None, "i8042.dumbkbd", "1"),
    (None, "i8042.nopnp", "1"),
    (None, "i8042.noaux", "1"),
    (None, "noreplace-smp", ""),
    (None, "reboot", "k"),
    (Some(Change::ConsolesAmongConstants), "console", "hvc0"),
    (Some(Change::ConsolesAmongConstants), "console", "hvc1"),
    (None, "cryptomgr.notests", ""),
    (None, "net.ifnames", "0"),
    (None, "pci", "lastbus=0"),
];

/// The kernel parameters that come first.
pub(super) fn kernel_params(arch: Arch) -> Constants {
    match arch {
        Arch::X86_64 => AMD64_PARAMS,
        Arch::Aarch64 => &[(None, "iommu.passthrough", "0")],
        Arch::S390x => &[],
        Arch::Ppc64le => &[
            (None, "rcupdate.rcu_expedited", "1"),
            (None, "reboot", "k"),
            (None, "cryptomgr.notests", ""),
            (None, "net.ifnames", "0"),
        ],
        Arch::Riscv64 => &[(None, "numa", "off")],
    }
}

/// What is said of a virtual IOMMU where there is none.
pub(super) fn refuse_iommu(arch: Arch, machine: Machine) -> Refusal {
    let message = match arch {
        Arch::X86_64 => format!("Machine Type {} does not support vIOMMU", machine.name()),
        Arch::Aarch64 => "Arm64 architecture does not support vIOMMU".to_owned(),
        Arch::S390x => "S390x does not support appending a vIOMMU".to_owned(),
        Arch::Ppc64le => "PPC64le does not support appending a vIOMMU".to_owned(),
        Arch::Riscv64 => "riscv64 does not support appending a vIOMMU".to_owned(),
    };
    Refusal::because(message, &["enable_iommu", "machine_type"])
}
