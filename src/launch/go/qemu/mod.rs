//! QEMU: what `CreateVM` decides, in upstream's order, and the order of its command line.
//!
//! Facts: src/runtime/virtcontainers/{qemu,qemu_arch_base,qemu_amd64,...}.go from 2.0.0 to 4.1.0.

mod arch;
mod cards;
mod devices;
mod line;
mod ports;
mod protection;

use super::daemon::{Call, Daemon, NYDUSD_API};
use super::guest_kernel::Root;
use super::network::{Abilities, Network};
use super::numa::{self, Topology};
use super::paths::Paths;
use super::remarks::Remarks;
use super::{Boot, Refusal, Started, process};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::launch::{Arg, Cause, Launch, joined};
use crate::input::Host;
use crate::input::host::{Arch, Errno, Protection, Stat};
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};
pub(super) use arch::wants_snp;
use arch::{Guard, Machine};
use ports::Ports;

/// A key of the QEMU table.
macro_rules! qemu {
    ($name:literal) => {
        concat!("hypervisor.qemu.", $name)
    };
}
use qemu;

const QMP_SOCKET: &str = "qmp.sock";
const HUMAN_MONITOR_SOCKET: &str = "hmp.sock";
const EXTRA_MONITOR_SOCKET: &str = "extra-monitor.sock";
const CONSOLE_SOCKET: &str = "console.sock";
const SHARE_SOCKET: &str = "vhost-fs.sock";
/// Where memory that is shared with a daemon lies, unless a folder is chosen.
const SHARED_MEMORY: &str = "/dev/shm";

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
    release: Release,
    config: &'a SandboxConfig,
    hv: &'a HypervisorConfig,
    keys: &'static HypervisorKeys,
    paths: Paths<'a>,
    arch: Arch,
    /// MiB.
    host_memory: u64,
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
    /// The folder that backs the memory.
    memory_folder: Option<&'a str>,
    shares_files: bool,
    snp_cpu: bool,
    qgs_unix: bool,
    network: Network<'a>,
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &'a Host, config: &'a SandboxConfig) -> Result<Self, Refusal> {
        let (hv, release) = (&config.hypervisor_config, config.release);
        let paths = Paths::of(config);
        let arch = host.facts.arch;

        // setup: newQemuArch
        let machine = Machine::of(release, arch, &hv.machine_type)?;
        let guard = Guard::of(release, host, hv)?;
        if guard == Guard::Realm {
            check_measurement(&hv.measurement_algo)?;
        }
        let nvdimm = has_nvdimm(release, arch, hv);
        let root = root(release, arch, hv, nvdimm)?;

        // CreateVM
        let numa = numa::topology(release, host, hv)?;
        let daemon = Daemon::of(release, &hv.shared_fs);
        if hv.enable_vhost_user_store && !hv.enable_hugepages {
            return Err(Refusal::because(
                "Vhost-user-blk/scsi is enabled without HugePages. This configuration will not work",
                &["enable_vhost_user_store", "enable_hugepages"],
            ));
        }
        paths.check_socket(QMP_SOCKET)?;
        if hv.enable_debug && release.has(Change::HumanMonitor) {
            paths.check_socket(HUMAN_MONITOR_SOCKET)?;
        }
        if has_extra_monitor(hv) {
            paths.check_socket(EXTRA_MONITOR_SOCKET)?;
        }
        paths.check_socket(CONSOLE_SOCKET)?;
        let boot = Boot::of(release, hv)?;
        let disk = disk(host, arch, boot, nvdimm)?;
        if hv.enable_iommu && machine != Machine::Q35 {
            return Err(arch::refuse_iommu(arch, machine));
        }
        if arch == Arch::Aarch64 {
            check_pflash(hv.pflashes.len())?;
        }
        let program = match hv.hypervisor_asset_path() {
            "" => arch::default_path(arch, machine),
            path => path,
        };
        if host.stat(program) == Err(Errno::NotFound) {
            return Err(Refusal::because(format!("QEMU path ({program}) does not exist"), &["path"]));
        }
        if guard == Guard::Snp && release.has(Change::SnpIdentity) {
            check_snp_identity(hv)?;
        }
        let ports = Ports::of(host, config, machine)?;
        paths.check_socket(SHARE_SOCKET)?;
        if let Some(daemon) = daemon.filter(|d| *d == Daemon::Nydusd) {
            daemon.check_sockets(paths, SHARE_SOCKET)?;
        }

        // configure of the agent
        check_vsock(host)?;

        // createNetwork
        let network = Network::of(host, config, Abilities { queues: true, limits: false }, |_| Ok(()))?;

        // StartVM
        if let Some(daemon) = daemon {
            daemon.check_start(release, host, hv)?;
            check_daemon(release, host, &hv.virtio_fs_daemon)?;
        }
        let smp = smp(release, hv, guard, numa.nodes.len() as u32)?;
        if release.has(Change::Daemonized)
            && let Some(why) = process::fails(host, program)
        {
            return Err(not_launched(release, &why, &["path"]));
        }

        let chosen = match &*hv.file_mem_backend {
            folder if !folder.is_empty() && release.has(Change::FileMemoryBackend) => Some(folder),
            _ => daemon.map(|_| SHARED_MEMORY),
        };
        Ok(Self {
            release,
            config,
            hv,
            keys: HypervisorKeys::of(HypervisorType::Qemu),
            paths,
            arch,
            host_memory: host.facts.memory_mib,
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
            memory_folder: chosen.filter(|folder| *folder == SHARED_MEMORY || host.exists(folder)),
            shares_files: hv.shared_fs != "none" || !release.has(Change::NoSharedFolder),
            network,
            snp_cpu: arch == Arch::X86_64
                && arch::wants_snp(release, hv)
                && host.facts.protection == Protection::Snp,
            qgs_unix: guard == Guard::Tdx
                && hv.tdx_quote_generation_service_socket_port == 0
                && release.has(Change::TdxQuoteSocket)
                && (!release.has(Change::TdxQuoteFallback)
                    || host.facts.qgs_socket.unwrap_or_else(|| host.finds(protection::QUOTE_SOCKET))),
        })
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started<'a> {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let helpers = self.daemon.map(|daemon| {
            let (config, keys, paths) = (self.config, self.keys, self.paths);
            let xattr = !self.hv.disable_guest_selinux;
            Call { config, keys, paths, socket: SHARE_SOCKET, api: NYDUSD_API, xattr }.helper(daemon)
        });
        Started {
            launch: Launch {
                program: Some(Arg::new(self.program, Cause::key(self.keys.path))),
                args: self.line(&kernel_cmdline),
                helpers: helpers.into_iter().collect(),
                ..Launch::default()
            },
            findings: self.findings(host),
            kernel_params,
            kernel_cmdline,
            shares_files: self.shares_files,
            network: Some(self.network),
        }
    }

    /// What fails after the point up to which the launch is modelled, and what was never held against
    /// the real runtime.
    pub(super) fn findings(&self, host: &Host) -> Vec<Finding> {
        let mut remarks = Remarks::of(host, self.config, self.keys, self.daemon.is_some());
        if self.hv.enable_virtio_mem && self.machine == Machine::Microvm {
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

fn has_extra_monitor(hv: &HypervisorConfig) -> bool {
    hv.enable_debug && !hv.extra_monitor_socket.is_empty()
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

fn check_snp_identity(hv: &HypervisorConfig) -> Result<(), Refusal> {
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
fn has_nvdimm(release: Release, arch: Arch, hv: &HypervisorConfig) -> bool {
    let confidential = hv.confidential_guest && release.has(Change::ConfidentialImageIsBlock);
    match arch {
        Arch::X86_64 | Arch::Aarch64 => !hv.disable_image_nvdimm && !confidential,
        Arch::Ppc64le => !confidential,
        Arch::Riscv64 => true,
        Arch::S390x => false,
    }
}

/// `handleImagePath`: what the guest is told of its root, by the image of the configuration alone.
fn root<'a>(
    release: Release,
    arch: Arch,
    hv: &'a HypervisorConfig,
    nvdimm: bool,
) -> Result<Option<Root<'a>>, Refusal> {
    if hv.image.is_empty() {
        return Ok(None);
    }
    let dax = nvdimm && arch == Arch::X86_64;
    match Root::new(release, hv, nvdimm, dax) {
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

/// What is said where QEMU is not launched.
fn not_launched(release: Release, why: &str, blame: &'static [&'static str]) -> Refusal {
    let log = if release.has(Change::Daemonized) { ", error messages from qemu log: " } else { "" };
    Refusal::because(format!("failed to launch qemu: {why}{log}"), blame)
}

/// Whether the daemon can be started, where that is waited for.
fn check_daemon(release: Release, host: &Host, daemon: &str) -> Result<(), Refusal> {
    if !release.has(Change::VirtiofsdByHypervisor) {
        return Ok(());
    }
    let Some(why) = process::not_startable(host, daemon) else { return Ok(()) };
    let message = format!("virtiofs daemon {daemon} returned with error: {why}");
    Err(Refusal::because(message, &["virtio_fs_daemon", "shared_fs"]))
}

/// `cpuTopology`, and the check of the QEMU library when it spells it out.
fn smp(release: Release, hv: &HypervisorConfig, guard: Guard, nodes: u32) -> Result<Smp, Refusal> {
    let cpus = hv.num_vcpus();
    let mut smp = if nodes > 1 {
        let cores = hv.default_maxvcpus.div_ceil(nodes).max(1);
        Smp { cpus, cores, sockets: nodes, max: nodes.wrapping_mul(cores) }
    } else {
        Smp { cpus, cores: 1, sockets: hv.default_maxvcpus, max: hv.default_maxvcpus }
    };
    if guard == Guard::Tdx && release.has(Change::TdxPrivateMemory) {
        smp = Smp { cores: cpus, sockets: 1, ..smp };
    }
    if hv.confidential_guest && release.has(Change::ConfidentialProcessorsFixed) {
        smp = Smp { cpus, cores: 1, sockets: 0, max: 0 };
    }
    if smp.max > 0 && smp.max < cpus {
        let why = format!("MaxCPUs {} must be equal to or greater than CPUs {cpus}", smp.max);
        return Err(not_launched(release, &why, &["default_vcpus", "default_max_vcpus"]));
    }
    Ok(smp)
}
