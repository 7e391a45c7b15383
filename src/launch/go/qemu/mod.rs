//! QEMU: what `CreateVM` decides, in upstream's order, and the order of its command line.
//!
//! Facts: src/runtime/virtcontainers/{qemu,qemu_arch_base,qemu_amd64,...}.go from 2.0.0 to 4.1.0.

mod arch;
mod devices;
mod endpoints;
mod line;
mod ports;
mod protection;

use super::daemon::{Daemon, NYDUSD_API};
use super::guest_kernel::Root;
use super::network::Network;
use super::numa::{self, Topology};
use super::{Boot, Change, Plan, Refusal, Start, findings, or, process, refuse, requests};
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::{Code, Finding};
use crate::answer::launch::{Arg, Launch};
use crate::input::Host;
use crate::input::host::{Arch, Errno, Protection, Stat};
use crate::runtime::go::config::HypervisorConfig;
use arch::{GuestProtection, Machine};
use ports::Ports;

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

/// A QEMU sandbox that will not fail any more.
pub(super) struct Qemu<'a> {
    start: Start<'a>,
    nested: bool,
    machine: Machine,
    protection: GuestProtection,
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
    snp_cpu: bool,
    qgs_unix: bool,
    network: Network<'a>,
}

impl<'a> Qemu<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let Start { host, hv, arch, paths, .. } = start;

        // setup: newQemuArch
        let machine = Machine::of(&start)?;
        let protection = GuestProtection::of(&start)?;
        if protection == GuestProtection::Realm {
            check_measurement(&hv.measurement_algo)?;
        }
        let nvdimm = has_nvdimm(&start);
        let root = root(&start, nvdimm)?;

        // CreateVM
        let numa = numa::topology(start.release, host, hv)?;
        let daemon = start.daemon();
        if hv.enable_vhost_user_store && !hv.enable_hugepages {
            return refuse(
                "Vhost-user-blk/scsi is enabled without HugePages. This configuration will not work",
                &["enable_vhost_user_store", "enable_hugepages"],
            );
        }
        paths.check_socket(QMP_SOCKET)?;
        if hv.enable_debug && start.has(Change::HumanMonitor) {
            paths.check_socket(HUMAN_MONITOR_SOCKET)?;
        }
        if has_extra_monitor(hv) {
            paths.check_socket(EXTRA_MONITOR_SOCKET)?;
        }
        paths.check_socket(CONSOLE_SOCKET)?;
        let boot = Boot::of(&start)?;
        let disk = disk(&start, boot, nvdimm)?;
        if hv.enable_iommu && machine != Machine::Q35 {
            return Err(arch::refuse_iommu(arch, machine));
        }
        if arch == Arch::Aarch64 {
            check_pflash(hv.pflashes.len())?;
        }
        let program = or(hv.hypervisor_asset_path(), arch::default_path(arch, machine));
        if host.stat(program) == Err(Errno::NotFound) {
            return refuse(format!("QEMU path ({program}) does not exist"), &["path"]);
        }
        if protection == GuestProtection::Snp && start.has(Change::SnpIdentity) {
            check_snp_identity(hv)?;
        }
        let ports = Ports::of(&start, machine)?;
        paths.check_socket(SHARE_SOCKET)?;
        if let Some(daemon) = daemon.filter(|d| *d == Daemon::Nydusd) {
            daemon.check_sockets(paths, SHARE_SOCKET)?;
        }

        // configure of the agent
        check_vsock(host)?;

        // createNetwork
        let network = Network::of(&start, |_| Ok(()))?;

        // StartVM
        if let Some(daemon) = daemon {
            daemon.check_start(&start)?;
            check_daemon(&start)?;
        }
        let smp = smp(&start, protection, numa.nodes.len() as u32)?;
        if start.has(Change::Daemonized)
            && let Some(why) = process::output(host, program).err()
        {
            return not_launched(&start, &why, &["path"]);
        }

        let chosen = match &*hv.file_mem_backend {
            folder if !folder.is_empty() && start.has(Change::FileMemoryBackend) => Some(folder),
            _ => daemon.map(|_| SHARED_MEMORY),
        };
        let told_of_socket = || host.facts.qgs_socket.unwrap_or_else(|| host.finds(protection::QUOTE_SOCKET));
        Ok(Self {
            start,
            nested: host.facts.nested && arch == Arch::X86_64 && !hv.disable_nesting_checks,
            machine,
            protection,
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
            network,
            snp_cpu: arch == Arch::X86_64 && start.wants_snp() && host.facts.protection == Protection::Snp,
            qgs_unix: protection == GuestProtection::Tdx
                && hv.tdx_quote_generation_service_socket_port == 0
                && (!start.has(Change::TdxQuoteFallback) || told_of_socket()),
        })
    }

    fn shares_files(&self) -> bool {
        self.start.hv.shared_fs != "none" || !self.has(Change::NoSharedFolder)
    }
}

impl Plan for Qemu<'_> {
    fn kernel_params(&self) -> Vec<Arg> {
        self.params()
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let xattr = !self.start.hv.disable_guest_selinux;
        let helper = self.daemon.map(|daemon| daemon.helper(&self.start, SHARE_SOCKET, NYDUSD_API, xattr));
        Launch {
            program: Some(Arg::new(self.program, self.start.keys.path.into())),
            args: self.line(cmdline),
            helpers: helper.into_iter().collect(),
            ..Launch::default()
        }
    }

    fn share(&self) -> Option<String> {
        self.shares_files().then(|| self.start.guest_share())
    }

    fn network(&self) -> NetworkRequests {
        requests::requests(&self.start, &self.network)
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = findings::of(&self.start, self.daemon.is_some());
        if self.start.hv.enable_virtio_mem && self.machine == Machine::Microvm {
            let message = "microvm has no bridge to plug virtio-mem into: the VM is started, then fails";
            findings.warn(Code::FailsLater, self.start.keys.enable_virtio_mem, message);
        }
        findings.0
    }
}

fn has_extra_monitor(hv: &HypervisorConfig) -> bool {
    hv.enable_debug && !hv.extra_monitor_socket.is_empty()
}

fn check_measurement(algorithm: &str) -> Result<(), Refusal> {
    match algorithm {
        "sha256" | "sha512" => Ok(()),
        other => {
            let message = format!("invalid measurement algo: {other}, should be sha512 or sha256");
            refuse(message, &["measurement_algo"])
        }
    }
}

fn check_pflash(count: usize) -> Result<(), Refusal> {
    match count {
        0 | 2 => Ok(()),
        1 => refuse("two pflash images needed for arm64", &["pflashes"]),
        _ => refuse("too many pflash images for arm64", &["pflashes"]),
    }
}

fn check_snp_identity(hv: &HypervisorConfig) -> Result<(), Refusal> {
    let (message, caused_by): (_, &[_]) = match (hv.snp_id_block.is_empty(), hv.snp_id_auth.is_empty()) {
        (false, true) => {
            ("specifying SNP IDBlock without SNP IDAuth is not allowed", &["snp_id_block", "snp_id_auth"])
        }
        (true, false) => {
            ("specifying SNP IDAuth without SNP IDBlock is not allowed", &["snp_id_auth", "snp_id_block"])
        }
        _ => return Ok(()),
    };
    refuse(message, caused_by)
}

/// Whether `findContextID` gets its device.
pub(super) fn check_vsock(host: &Host) -> Result<(), Refusal> {
    match host.vhost_vsock() {
        true => Ok(()),
        false => refuse("open /dev/vhost-vsock: no such file or directory", &[]),
    }
}

/// Whether the runtime counts on the image being persistent memory. Some architectures do not look at
/// `disable_image_nvdimm`, and attach a block device whatever they count on.
fn has_nvdimm(start: &Start<'_>) -> bool {
    let confidential = start.hv.confidential_guest && start.has(Change::ConfidentialImageIsBlock);
    match start.arch {
        Arch::X86_64 | Arch::Aarch64 => !start.hv.disable_image_nvdimm && !confidential,
        Arch::Ppc64le => !confidential,
        Arch::Riscv64 => true,
        Arch::S390x => false,
    }
}

/// `handleImagePath`: what the guest is told of its root, by the image of the configuration alone.
fn root<'a>(start: &Start<'a>, nvdimm: bool) -> Result<Option<Root<'a>>, Refusal> {
    if start.hv.image.is_empty() {
        return Ok(None);
    }
    match Root::new(start, nvdimm, nvdimm && start.arch == Arch::X86_64) {
        // Nobody looks at the error there.
        Err(_) if start.arch == Arch::Riscv64 => Ok(None),
        root => root.map(Some),
    }
}

fn disk<'a>(start: &Start<'_>, boot: Boot<'a>, nvdimm: bool) -> Result<Disk<'a>, Refusal> {
    let Boot::Image(path) = boot else { return Ok(Disk::None) };
    let is_nvdimm = nvdimm && matches!(start.arch, Arch::X86_64 | Arch::Aarch64);
    match start.host.stat(path) {
        Ok(stat) if is_nvdimm => Ok(Disk::Nvdimm { path, stat }),
        Err(errno) if is_nvdimm => refuse(format!("open {path}: {}", errno.go()), &["image"]),
        Err(Errno::NotFound) => refuse(format!("stat {path}: {}", Errno::NotFound.go()), &["image"]),
        _ => Ok(Disk::Block { path }),
    }
}

/// What is said where QEMU is not launched.
fn not_launched<T>(start: &Start<'_>, why: &str, caused_by: &'static [&'static str]) -> Result<T, Refusal> {
    let log = if start.has(Change::Daemonized) { ", error messages from qemu log: " } else { "" };
    refuse(format!("failed to launch qemu: {why}{log}"), caused_by)
}

/// Whether the daemon can be started, where that is waited for.
fn check_daemon(start: &Start<'_>) -> Result<(), Refusal> {
    if !start.has(Change::VirtiofsdByHypervisor) {
        return Ok(());
    }
    let daemon = &start.hv.virtio_fs_daemon;
    let Some(why) = process::not_startable(start.host, daemon) else { return Ok(()) };
    refuse(format!("virtiofs daemon {daemon} returned with error: {why}"), &["virtio_fs_daemon", "shared_fs"])
}

/// `cpuTopology`, and the check of the QEMU library when it spells it out.
fn smp(start: &Start<'_>, protection: GuestProtection, nodes: u32) -> Result<Smp, Refusal> {
    let (hv, cpus) = (start.hv, start.hv.num_vcpus());
    let mut smp = if nodes > 1 {
        let cores = hv.default_maxvcpus.div_ceil(nodes).max(1);
        Smp { cpus, cores, sockets: nodes, max: nodes.wrapping_mul(cores) }
    } else {
        Smp { cpus, cores: 1, sockets: hv.default_maxvcpus, max: hv.default_maxvcpus }
    };
    if protection == GuestProtection::Tdx && start.has(Change::TdxPrivateMemory) {
        smp = Smp { cores: cpus, sockets: 1, ..smp };
    }
    if hv.confidential_guest && start.has(Change::ConfidentialProcessorsFixed) {
        smp = Smp { cpus, cores: 1, sockets: 0, max: 0 };
    }
    if smp.max > 0 && smp.max < cpus {
        let why = format!("MaxCPUs {} must be equal to or greater than CPUs {cpus}", smp.max);
        return not_launched(start, &why, &["default_vcpus", "default_max_vcpus"]);
    }
    Ok(smp)
}
