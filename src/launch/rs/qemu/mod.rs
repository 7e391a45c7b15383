//! QEMU: the plan of its command line, where a sandbox can fail.
//!
//! Facts: `start_vm` in src/runtime-rs/crates/hypervisor/src/qemu/inner.rs and `QemuCmdLine` in
//! cmdline_generator.rs beside it at each tag.

mod devices;
mod line;
mod network;
mod protection;

use super::kernel::KernelLine;
use super::resources::{Disk, Driver, Protection, Resources, Role, has_ccw_bus};
use super::{Context, Refusal, Start, Vm, findings, refuse};
use crate::answer::finding::Code;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::input::host::{Arch, Stat};
use crate::launch::findings::Findings;
use crate::release::rs::Change;

/// So many objects that their arguments, of 40 bytes each at least, surely pass the two MiB that the
/// kernel takes.
const MOST_OBJECTS: u32 = 100_000;
const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// A size as QEMU is told: whole GiB or MiB.
fn size(bytes: u64) -> String {
    if bytes.is_multiple_of(GIB) {
        format!("{}G", bytes / GIB)
    } else if bytes.is_multiple_of(MIB) {
        format!("{}M", bytes / MIB)
    } else {
        bytes.to_string()
    }
}

/// What the guest's memory is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    /// Anonymous.
    Ram,
    /// Shared with virtiofsd.
    Shared,
}

impl Backend {
    fn id(self) -> &'static str {
        match self {
            Self::Ram => "entire-guest-memory",
            Self::Shared => "entire-guest-memory-share",
        }
    }
}

/// The guest's memory, in bytes.
#[derive(Debug, Clone, Copy)]
struct Memory {
    size: u64,
    slots: u32,
    max: u64,
    backend: Option<Backend>,
}

impl Memory {
    fn can_grow(self) -> bool {
        self.slots != 0 && self.max != 0
    }
}

/// A QEMU sandbox that will not fail any more.
pub(super) struct Qemu<'a> {
    start: Start<'a>,
    resources: Resources<'a>,
    kernel: KernelLine<'a>,
    memory: Memory,
    /// Image files as persistent memory: the disk's number, and what is known of its size.
    nvdimms: Vec<(usize, Stat)>,
    ccw: bool,
}

impl<'a> Qemu<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let hv = start.hv;
        // A confidential guest may not share folders.
        let shares = (!hv.security_info.confidential_guest || !start.has(Change::ConfidentialUnshared))
            && (hv.shared_fs.shared_fs.is_some() || !start.has(Change::QemuSharesIfAsked));
        let resources = Resources::new(&start, shares)?;
        if !start.has(Change::QemuWorks) {
            return Err(Refusal::crash("not yet implemented", &["runtime.hypervisor_name"]));
        }
        Self::command(start, resources).context("start vm")
    }

    fn command(start: Start<'a>, resources: Resources<'a>) -> Result<Self, Refusal> {
        let kernel = kernel(&start, &resources)?;
        control_socket(&start, &resources)?;
        monitor(&start)?;
        let mut plan = Self {
            memory: memory(&start, &resources),
            nvdimms: Vec::new(),
            ccw: has_ccw_bus(&start),
            start,
            resources,
            kernel,
        };
        plan.open_endpoints()?;
        plan.nvdimms = plan.persistent()?;
        if let Some(Protection::Snp { .. }) = plan.resources.protection
            && start.has(Change::SnpPolicy)
        {
            plan.memory.slots = 0;
            plan.memory.max = 0;
        }
        plan.kernel.check()?;
        plan.fits()?;
        Ok(plan)
    }

    /// Threads of their own for block devices.
    fn iothreads(&self) -> u32 {
        let hv = self.start.hv;
        let wanted = self.start.has(Change::IndepIothreads)
            && hv.blockdev_info.block_device_driver == "virtio-blk-pci"
            && hv.enable_iothreads;
        if wanted { hv.indep_iothreads } else { 0 }
    }

    /// Whether the machine gets root ports.
    fn has_ports(&self) -> bool {
        matches!(self.start.hv.machine_info.machine_type.as_str(), "q35" | "virt")
    }

    fn root_ports(&self) -> u32 {
        if self.has_ports() { self.resources.root_ports } else { 0 }
    }

    /// The kernel starts no process with so many arguments; the runtime itself runs out of memory before,
    /// where there are a few billion.
    fn fits(&self) -> Result<(), Refusal> {
        let message = "Argument list too long (os error 7)";
        if self.iothreads() > MOST_OBJECTS {
            return refuse(message, &["hypervisor.indep_iothreads", "hypervisor.enable_iothreads"]);
        }
        if self.root_ports() > MOST_OBJECTS || self.resources.switch_ports > MOST_OBJECTS {
            return refuse(message, &["hypervisor.pcie_root_port"]);
        }
        Ok(())
    }

    /// `add_nvdimm` for every image that is persistent memory.
    fn persistent(&self) -> Result<Vec<(usize, Stat)>, Refusal> {
        let initrd = self.start.hv.boot_info.initrd.as_str();
        let mut all = Vec::new();
        for (number, disk) in self.resources.disks.iter().enumerate() {
            if disk.driver != Driver::Nvdimm || disk.path == initrd {
                continue;
            }
            if !self.memory.can_grow() {
                return refuse(
                    "both memory max size and num slots must be set for nvdimm",
                    &["hypervisor.block_device_driver", "hypervisor.confidential_guest"],
                );
            }
            let stat = self.start.host.stat(&disk.path);
            let stat = stat.map_err(|errno| Refusal::because(errno.rust(), &["hypervisor.image"]))?;
            all.push((number, stat));
        }
        Ok(all)
    }
}

impl Vm for Qemu<'_> {
    fn resources(&self) -> &Resources<'_> {
        &self.resources
    }

    fn kernel_params(&self) -> Vec<Arg> {
        self.kernel.args()
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let (hv, keys) = (self.start.hv, self.start.keys);
        Launch {
            program: Some(Arg::new(hv.path.to_string(), keys.path.into())),
            args: self.line(cmdline),
            helpers: self.resources.helpers(),
            ..Launch::default()
        }
    }

    fn findings(&self) -> Findings {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut findings = findings::of(&self.resources);
        let lost = |disk: &Disk<'_>| disk.role == Role::Initdata && !self.attaches(disk.driver);
        if self.resources.disks.iter().any(lost) {
            findings::lost_initdata(&self.start, &mut findings);
        }
        let own = self.memory;
        if own.max != 0 && (own.max < own.size || (own.max == own.size && own.slots != 0)) {
            let message = format!(
                "QEMU refuses maxmem={}: with {} slots it has to be more than the {} that the VM starts with",
                size(own.max),
                own.slots,
                size(own.size)
            );
            findings.warn(Code::FailsLater, keys.default_maxmemory, message);
        }
        let switch_ports = self.resources.switch_ports;
        if self.root_ports() > 1 || switch_ports > 1 {
            let (what, key) = if switch_ports > 1 {
                ("switch", keys.pcie_switch_port)
            } else {
                ("root", keys.pcie_root_port)
            };
            let message = format!(
                "QEMU is told of the PCIe {what} ports in random order, new at every start; here they stand by number"
            );
            findings.note(Code::RandomOrder, key, message);
        }
        let memory = &hv.memory_info;
        let machine = hv.machine_info.machine_type.as_str();
        let room = memory.default_maxmemory.checked_sub(memory.default_memory);
        if memory.enable_virtio_mem && own.can_grow() && room.is_none_or(|room| room >= 4) {
            let why = match room {
                None => format!(
                    "default_maxmemory ({}) must be >= default_memory ({}) for virtio-mem setup",
                    memory.default_maxmemory, memory.default_memory
                ),
                Some(_) if machine == "s390-ccw-virtio" => return findings,
                Some(_) => {
                    format!("the runtime sets up virtio-mem on s390-ccw-virtio only, not on {machine}")
                }
            };
            let message = format!("QEMU is started, then the sandbox fails: {why}");
            findings.warn(Code::FailsLater, keys.enable_virtio_mem, message);
        }
        findings
    }
}

/// The guest's parameters as far as they can fail, and with what devices add.
fn kernel<'a>(start: &Start<'a>, resources: &Resources<'a>) -> Result<KernelLine<'a>, Refusal> {
    let (hv, keys) = (start.hv, start.keys);
    let mut line = KernelLine::new(start);
    if hv.boot_info.initrd.is_empty() {
        let dax = start.host.facts.arch != Arch::Aarch64;
        let decided = Cause::keys([keys.image, keys.vm_rootfs_driver]);
        let verity = start.has(Change::Verity);
        line.root(start, &hv.boot_info.vm_rootfs_driver, decided, &hv.boot_info.rootfs_type, dax).context(
            if verity { "adding rootfs/verity params failed" } else { "adding rootfs params failed" },
        )?;
    }
    line.configured(start);
    if start.has(Change::GuestSelinux) {
        let selinux = if hv.disable_guest_selinux { "0" } else { "1" };
        line.push("selinux", selinux, Cause::key(keys.disable_guest_selinux));
    }
    for image in hv.guest_extension_images.iter() {
        line.extension(&image.name, &image.verity_params, &Cause::key(keys.guest_extension_images));
    }
    if hv.device_info.enable_iommu && start.has(Change::IommuDevice) {
        let cause = Cause::key(keys.enable_iommu);
        if hv.machine_info.machine_type == "virt" && start.has(Change::VirtIommu) {
            line.push("iommu.passthrough", "0", cause);
        } else {
            line.push("intel_iommu", "on", cause.clone());
            line.push("iommu", "pt", cause);
        }
    }
    if matches!(resources.protection, Some(Protection::Se)) {
        line.remove(&["reboot", "systemd.unit", "systemd.mask", "root", "rootflags", "rootfstype"]);
    }
    if start.has(Change::ConsoleParam) {
        line.push("console", "hvc0", Cause::constant());
    }
    Ok(line)
}

/// `QmpSocket::new`: the folder of a rootless sandbox's sockets was made for a shared folder alone.
fn control_socket(start: &Start<'_>, resources: &Resources<'_>) -> Result<(), Refusal> {
    let is_made = start.has(Change::SocketFolder) || !start.paths.is_rootless() || resources.share.is_some();
    if is_made {
        return Ok(());
    }
    let message = "unix listener bind failed.: No such file or directory (os error 2)";
    refuse(message, &["hypervisor.rootless", "hypervisor.shared_fs"])
}

/// `add_monitor`: an extra QMP socket would have the name of the one that is bound already.
fn monitor(start: &Start<'_>) -> Result<(), Refusal> {
    let debug = &start.hv.debug_info;
    if debug.enable_debug && !matches!(debug.extra_monitor_socket.as_str(), "" | "hmp") {
        let message = "unix listener bind failed.: Address already in use (os error 98)";
        return refuse(message, &["hypervisor.extra_monitor_socket", "hypervisor.enable_debug"]);
    }
    Ok(())
}

/// `Memory::new`, and what sharing a folder makes of it.
fn memory(start: &Start<'_>, resources: &Resources<'_>) -> Memory {
    let hv = start.hv;
    let info = &hv.memory_info;
    let named = start.has(Change::MemoryBackendOption);
    let (mut size, mut most) = (u64::from(info.default_memory), u64::from(info.default_maxmemory));
    if !start.has(Change::MemoryBounded) {
        let host = start.host.facts.memory_mib;
        size = size.min(host);
        most = if most == 0 { host } else { most.min(host) };
    }
    let (slots, max) =
        if hv.security_info.confidential_guest && named { (0, 0) } else { (info.memory_slots, most * MIB) };
    let mut memory = Memory { size: size * MIB, slots, max, backend: None };
    if named && matches!(hv.shared_fs.shared_fs.as_deref(), None | Some("none")) {
        memory.backend = Some(Backend::Ram);
    }
    if resources.share.as_ref().is_some_and(|share| share.kind.device() == "virtio-fs") {
        memory.backend = Some(Backend::Shared);
        let keeps = matches!(hv.boot_info.vm_rootfs_driver.as_str(), "nvdimm" | "virtio-pmem");
        if named && !keeps && !info.enable_virtio_mem {
            memory.slots = 0;
            memory.max = 0;
        }
    }
    memory
}
