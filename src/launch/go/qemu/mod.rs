//! QEMU: what `CreateVM` decides, in upstream's order, and the order of its command line.
//!
//! Facts: src/runtime/virtcontainers/{qemu,qemu_arch_base,qemu_amd64,...}.go at 4.1.0.

mod arch;
mod devices;
mod line;

use super::daemon::{Daemon, NYDUSD_API};
use super::guest_kernel::Root;
use super::keys::{self, Keys};
use super::numa::{self, Topology};
use super::paths::Paths;
use super::remarks::Remarks;
use super::{Boot, Refusal, Started};
use crate::finding::{Code, Finding, Severity, Who};
use crate::input::Host;
use crate::input::host::{Arch, Stat};
use crate::launch::{Launch, joined};
use crate::runtime::go::config::{HypervisorType, SandboxConfig, SandboxHypervisor};
use arch::{Guard, Machine};

/// A key of the QEMU table.
macro_rules! qemu {
    ($name:literal) => {
        concat!("hypervisor.qemu.", $name)
    };
}
use qemu;

const QMP_SOCKET: &str = "qmp.sock";
const EXTRA_MONITOR_SOCKET: &str = "extra-monitor.sock";
const CONSOLE_SOCKET: &str = "console.sock";
const SHARE_SOCKET: &str = "vhost-fs.sock";
/// As many ports of a kind as one root bus has room for.
const MOST_PORTS: u32 = 16;

/// The ports for VFIO devices that are plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ports {
    None,
    Root(u32),
    Switch(u32),
}

/// How the guest's root image is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk<'a> {
    /// As persistent memory of this size; QEMU is not told of an empty one.
    Nvdimm { path: &'a str, stat: Stat },
    /// As a block device.
    Block { path: &'a str },
    /// No image: an initrd, or nothing.
    None,
}

/// The vCPUs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Smp {
    cpus: u32,
    cores: u32,
    sockets: u32,
    max: u32,
}

/// Everything that is decided before anything is spelled out.
pub(super) struct Plan<'a> {
    config: &'a SandboxConfig<'a>,
    hv: &'a SandboxHypervisor<'a>,
    keys: &'static Keys,
    paths: Paths<'a>,
    arch: Arch,
    nested: bool,
    machine: Machine,
    guard: Guard,
    nvdimm: bool,
    root: Option<Root<'a>>,
    numa: Topology<'a>,
    initrd: Option<&'a str>,
    disk: Disk<'a>,
    program: &'a str,
    ports: Ports,
    smp: Smp,
    daemon: Option<Daemon>,
    shares_files: bool,
    snp_cpu: bool,
    qgs_unix: bool,
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &Host, config: &'a SandboxConfig<'a>) -> Result<Self, Refusal> {
        let hv = &config.hypervisor_config;
        let paths = Paths::of(config);
        let arch = host.facts.arch;

        // setup: newQemuArch
        let machine = Machine::of(arch, &hv.hypervisor_machine_type)?;
        let guard = Guard::of(host, hv)?;
        if arch == Arch::Aarch64 && hv.confidential_guest {
            check_measurement(&hv.measurement_algo)?;
        }
        let nvdimm = has_nvdimm(arch, hv);
        let root = root(arch, hv, nvdimm)?;

        // CreateVM
        let numa = numa::topology(host, hv)?;
        let daemon = Daemon::of(&hv.shared_fs);
        if hv.enable_vhost_user_store && !hv.huge_pages {
            return Err(Refusal::because(
                "Vhost-user-blk/scsi is enabled without HugePages. This configuration will not work",
                &["enable_vhost_user_store", "enable_hugepages"],
            ));
        }
        paths.check_socket(QMP_SOCKET)?;
        if has_extra_monitor(hv) {
            paths.check_socket(EXTRA_MONITOR_SOCKET)?;
        }
        paths.check_socket(CONSOLE_SOCKET)?;
        let boot = Boot::of(hv)?;
        let disk = disk(host, arch, boot, nvdimm)?;
        if hv.iommu && machine != Machine::Q35 {
            return Err(arch::refuse_iommu(arch, machine));
        }
        if arch == Arch::Aarch64 {
            check_pflash(hv.pflash.len())?;
        }
        let program = match hv.hypervisor_asset_path() {
            "" => arch::default_path(arch),
            path => path,
        };
        if host.stat(program) == Err(crate::input::host::Errno::NotFound) {
            return Err(Refusal::because(format!("QEMU path ({program}) does not exist"), &["path"]));
        }
        if guard == Guard::Snp {
            check_snp_identity(hv)?;
        }
        let ports = ports(machine, hv)?;
        paths.check_socket(SHARE_SOCKET)?;
        if let Some(daemon) = daemon.filter(|d| *d == Daemon::Nydusd) {
            daemon.check_sockets(paths, SHARE_SOCKET)?;
        }

        // configure of the agent
        check_vsock(host)?;

        // StartVM
        if let Some(daemon) = daemon {
            daemon.check_start(host, hv)?;
        }
        let smp = smp(hv, numa.nodes.len() as u32)?;

        Ok(Self {
            config,
            hv,
            keys: keys::of(HypervisorType::Qemu),
            paths,
            arch,
            nested: host.facts.nested && arch == Arch::X86_64 && !hv.disable_nesting_checks,
            machine,
            guard,
            nvdimm,
            root,
            numa,
            initrd: match boot {
                Boot::Initrd(path) => Some(path),
                _ => None,
            },
            disk,
            program,
            ports,
            smp,
            daemon,
            shares_files: hv.shared_fs != "none",
            snp_cpu: arch == Arch::X86_64
                && hv.sev_snp_guest
                && host.facts.protection == crate::input::host::Protection::Snp,
            qgs_unix: guard == Guard::Tdx && hv.qgs_port == 0 && host.finds("/var/run/tdx-qgs/qgs.socket"),
        })
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let helpers = self.daemon.map(|daemon| {
            daemon.helper(
                self.hv,
                self.keys,
                self.paths,
                SHARE_SOCKET,
                NYDUSD_API,
                !self.hv.disable_guest_selinux,
            )
        });
        Started {
            launch: Launch {
                program: Some(self.program.to_owned()),
                args: self.line(&kernel_cmdline),
                helpers: helpers.into_iter().collect(),
                ..Launch::default()
            },
            findings: self.findings(host),
            kernel_params,
            kernel_cmdline,
            shares_files: self.shares_files,
        }
    }

    /// What fails after the point up to which the launch is modelled, and what was never held against
    /// the real runtime.
    pub(super) fn findings(&self, host: &Host) -> Vec<Finding> {
        let mut remarks = Remarks::of(host, self.config, self.keys, self.daemon.is_some());
        if self.hv.virtio_mem && self.machine == Machine::Microvm {
            remarks.add(
                Code::FailsLater,
                Severity::Warning,
                Who::ClusterAdministrator,
                qemu!("enable_virtio_mem"),
                "microvm has no bridge to plug virtio-mem into: the VM is started, then fails",
            );
        }
        remarks.0
    }
}

fn has_extra_monitor(hv: &SandboxHypervisor<'_>) -> bool {
    hv.debug && !hv.extra_monitor_socket.is_empty()
}

fn check_measurement(algorithm: &str) -> Result<(), Refusal> {
    match algorithm {
        "sha256" | "sha512" => Ok(()),
        other => Err(Refusal::because(
            format!("invalid measurement algo: {other}, should be sha512 or sha256"),
            &["measurement_algo"],
        )),
    }
}

fn check_pflash(count: usize) -> Result<(), Refusal> {
    match count {
        0 | 2 => Ok(()),
        1 => Err(Refusal::because("two pflash images needed for arm64", &["pflashes"])),
        _ => Err(Refusal::because("too many pflash images for arm64", &["pflashes"])),
    }
}

fn check_snp_identity(hv: &SandboxHypervisor<'_>) -> Result<(), Refusal> {
    match (hv.snp_id_block.is_empty(), hv.snp_id_auth.is_empty()) {
        (false, true) => Err(Refusal::because(
            "specifying SNP IDBlock without SNP IDAuth is not allowed",
            &["snp_id_block", "snp_id_auth"],
        )),
        (true, false) => Err(Refusal::because(
            "specifying SNP IDAuth without SNP IDBlock is not allowed",
            &["snp_id_auth", "snp_id_block"],
        )),
        _ => Ok(()),
    }
}

/// Whether `findContextID` gets its device.
pub(super) fn check_vsock(host: &Host) -> Result<(), Refusal> {
    if host.vhost_vsock() {
        return Ok(());
    }
    Err(Refusal::because("open /dev/vhost-vsock: no such file or directory", &[]))
}

/// Whether the runtime counts on the image being persistent memory. Some architectures do not look at
/// `disable_image_nvdimm`, and attach a block device whatever they count on.
fn has_nvdimm(arch: Arch, hv: &SandboxHypervisor<'_>) -> bool {
    match arch {
        Arch::X86_64 | Arch::Aarch64 => !hv.disable_image_nvdimm && !hv.confidential_guest,
        Arch::Ppc64le => !hv.confidential_guest,
        Arch::Riscv64 => true,
        Arch::S390x => false,
    }
}

/// `handleImagePath`: what the guest is told of its root, by the image of the configuration alone.
fn root<'a>(arch: Arch, hv: &'a SandboxHypervisor<'a>, nvdimm: bool) -> Result<Option<Root<'a>>, Refusal> {
    if hv.image_path.is_empty() {
        return Ok(None);
    }
    let dax = nvdimm && arch == Arch::X86_64;
    match Root::new(&hv.rootfs_type, nvdimm, dax, &hv.kernel_verity_params) {
        Ok(root) => Ok(Some(root)),
        // Nobody looks at the error there.
        Err(_) if arch == Arch::Riscv64 => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

fn disk<'a>(host: &Host, arch: Arch, boot: Boot<'a>, nvdimm: bool) -> Result<Disk<'a>, Refusal> {
    let Boot::Image(path) = boot else { return Ok(Disk::None) };
    if nvdimm && matches!(arch, Arch::X86_64 | Arch::Aarch64) {
        return match host.stat(path) {
            Ok(stat) => Ok(Disk::Nvdimm { path, stat }),
            Err(errno) => Err(Refusal::because(format!("open {path}: {}", errno.go()), &["image"])),
        };
    }
    match host.stat(path) {
        Err(errno @ crate::input::host::Errno::NotFound) => {
            Err(Refusal::because(format!("stat {path}: {}", errno.go()), &["image"]))
        }
        _ => Ok(Disk::Block { path }),
    }
}

/// `createPCIeTopology`, for a sandbox without VFIO devices.
fn ports(machine: Machine, hv: &SandboxHypervisor<'_>) -> Result<Ports, Refusal> {
    let either = |port: &str| hv.hot_plug_vfio == port || hv.cold_plug_vfio == port;
    let unplugged = hv.hot_plug_vfio == "no-port" && hv.cold_plug_vfio == "no-port";
    if !machine.has_pcie() || (machine == Machine::Q35 && unplugged) {
        return Ok(Ports::None);
    }
    let own = u32::from(machine == Machine::Virt && hv.virtio_mem);
    if either("root-port") {
        let count = own.max(hv.pcie_root_port);
        if count > MOST_PORTS {
            return Err(Refusal::because(
                format!("Number of PCIe Root Ports exceeed allowed max of {MOST_PORTS}"),
                &["pcie_root_port"],
            ));
        }
        return Ok(Ports::Root(count));
    }
    if either("switch-port") {
        let count = own.max(hv.pcie_switch_port);
        if count > MOST_PORTS {
            return Err(Refusal::because(
                format!("Number of PCIe Switch Ports exceeed allowed max of {MOST_PORTS}"),
                &["pcie_switch_port"],
            ));
        }
        return Ok(Ports::Switch(count));
    }
    Ok(if own > 0 { Ports::Root(own) } else { Ports::None })
}

/// `cpuTopology`, and the check of the QEMU library when it spells it out.
fn smp(hv: &SandboxHypervisor<'_>, nodes: u32) -> Result<Smp, Refusal> {
    let cpus = hv.num_vcpus();
    let mut smp = if nodes > 1 {
        let cores = hv.default_max_vcpus.div_ceil(nodes).max(1);
        Smp { cpus, cores, sockets: nodes, max: nodes.wrapping_mul(cores) }
    } else {
        Smp { cpus, cores: 1, sockets: hv.default_max_vcpus, max: hv.default_max_vcpus }
    };
    if hv.confidential_guest {
        smp = Smp { cpus, cores: 1, sockets: 0, max: 0 };
    }
    if smp.max > 0 && smp.max < cpus {
        return Err(Refusal::because(
            format!(
                "failed to launch qemu: MaxCPUs {} must be equal to or greater than CPUs {cpus}",
                smp.max
            ),
            &["default_vcpus", "default_max_vcpus"],
        ));
    }
    Ok(smp)
}
