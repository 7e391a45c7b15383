//! The order of QEMU's command line, and everything in it that is not a device.
//!
//! Facts: `QemuCmdLine::new` and `build` in
//! src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs at each tag.

use super::{Backend, Plan, Protection, size};
use crate::answer::launch::{Arg, Cause};
use crate::input::host::Arch;
use crate::release::rs::Change;

/// A command line that grows.
pub(super) struct Line {
    pub(super) args: Vec<Arg>,
    /// The next address on the channel subsystem.
    channel: u32,
}

impl Line {
    /// A flag with its value; both have the same cause.
    pub(super) fn push(&mut self, flag: &str, value: impl Into<String>, cause: Cause) {
        self.args.push(Arg::new(flag, cause.clone()));
        self.args.push(Arg::new(value, cause));
    }

    /// The address of the next device on the channel subsystem.
    pub(super) fn channel(&mut self) -> String {
        let address = format!("fe.0.{:04x}", self.channel);
        self.channel += 1;
        address
    }
}

impl Plan<'_> {
    /// The arguments.
    pub(super) fn line(&self, cmdline: String) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut line = Line { args: Vec::with_capacity(96), channel: 0 };
        let name = format!("sandbox-{}", self.start.paths.id);
        line.push("-name", name, Cause::rule("the sandbox id"));
        line.push("-kernel", hv.boot_info.kernel.as_str(), Cause::key(keys.kernel));
        if !hv.boot_info.initrd.is_empty() {
            line.push("-initrd", hv.boot_info.initrd.as_str(), Cause::key(keys.initrd));
        }
        if !cmdline.is_empty() {
            let cause = Cause::key(keys.kernel_params).by("see the guest kernel's command line");
            line.push("-append", cmdline, cause);
        }
        self.processors(&mut line);
        self.machine(&mut line);
        let snp = matches!(self.resources.protection, Some(Protection::Snp { .. }));
        let model = if snp { "EPYC-v4" } else { "host" };
        let mut cause = Cause::key(keys.cpu_features);
        if snp {
            cause = Cause::keys([keys.cpu_features, keys.sev_snp_guest]);
        }
        line.push("-cpu", format!("{model},{}", hv.cpu_info.cpu_features), cause);
        self.memory(&mut line);
        if self.start.has(Change::MonitorSocket) {
            line.push("-qmp", "unix:fd={fd},server=on,wait=off", Cause::rule("the runtime's control socket"));
        }
        self.built_in(&mut line);
        self.registered(&mut line);
        self.console(&mut line);
        if self.start.has(Change::BiosAtTheEnd) && self.plain_firmware() {
            line.push("-bios", hv.boot_info.firmware.as_str(), Cause::key(keys.firmware));
        }
        line.push("-vga", "none", Cause::constant());
        for flag in ["-no-user-config", "-nodefaults", "-nographic", "-no-reboot"] {
            line.args.push(Arg::new(flag, Cause::constant()));
        }
        line.args
    }

    /// Whether a plain guest has a firmware that is told.
    pub(super) fn plain_firmware(&self) -> bool {
        let hv = self.start.hv;
        !hv.security_info.confidential_guest && !hv.boot_info.firmware.is_empty()
    }

    fn processors(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let vcpus = match hv.cpu_info.default_vcpus {
            vcpus if self.start.has(Change::CeiledVcpus) => vcpus.ceil() as u32,
            // Below zero it wraps around.
            vcpus if self.start.has(Change::WholeVcpus) => vcpus as i32 as u32,
            vcpus => vcpus as u32,
        };
        let fixed = self.start.has(Change::SmpWithoutRoom);
        let confidential = fixed && hv.security_info.confidential_guest;
        let most = if confidential { vcpus } else { hv.cpu_info.default_maxvcpus };
        if most > vcpus || !fixed {
            let cause = Cause::keys([keys.default_vcpus, keys.default_maxvcpus]);
            line.push("-smp", format!("{vcpus},maxcpus={most}"), cause);
        } else {
            let cause = Cause::key(keys.default_vcpus).by("no more can be added later");
            line.push("-smp", vcpus.to_string(), cause);
        }
    }

    /// Whether an IOMMU is a device, and not a kernel parameter.
    pub(super) fn has_iommu_device(&self) -> bool {
        let hv = self.start.hv;
        let by_device = hv.machine_info.machine_type != "virt" || !self.start.has(Change::VirtIommu);
        hv.device_info.enable_iommu && by_device && self.start.has(Change::IommuDevice)
    }

    /// Whether the machine can have persistent memory.
    fn has_nvdimm_support(&self) -> bool {
        let arch = self.start.host.facts.arch;
        let fits = matches!(arch, Arch::X86_64 | Arch::Aarch64 | Arch::Ppc64le);
        fits && self.start.hv.machine_info.machine_type != "microvm"
    }

    fn machine(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let info = &hv.machine_info;
        let mut text = format!("{},accel=kvm", info.machine_type);
        let mut cause = Cause::key(keys.machine_type);
        if !info.machine_accelerators.is_empty() {
            text.push(',');
            text.push_str(&info.machine_accelerators);
            cause.keys.push(keys.machine_accelerators.into());
        }
        let protection = self.resources.protection.as_ref();
        // A shared folder's memory was a device of the same kind.
        let numa = self.memory.backend.is_some() && !self.start.has(Change::MemoryBackendOption) && !self.ccw;
        let persistent = !self.nvdimms.is_empty() || numa;
        if persistent && protection.is_none() && self.has_nvdimm_support() {
            text.push_str(",nvdimm=on");
            cause.keys.push(if numa { keys.shared_fs } else { keys.vm_rootfs_driver }.into());
        }
        let iommu = self.has_iommu_device();
        let guarded = match protection {
            Some(Protection::Snp { .. }) => self.start.has(Change::SnpPolicy),
            Some(Protection::Tdx { .. }) => self.start.has(Change::TdxIrqchip),
            _ => false,
        };
        if iommu || guarded {
            text.push_str(",kernel_irqchip=split");
        } else if self.start.has(Change::KernelIrqchip) {
            text.push_str(",kernel_irqchip=on");
        }
        if iommu {
            cause.keys.push(keys.enable_iommu.into());
        }
        if let Some(backend) = self.memory.backend.filter(|_| !numa) {
            text.push_str(",memory-backend=");
            text.push_str(backend.id());
            cause.keys.push(keys.shared_fs.into());
        }
        if let Some(protection) = protection {
            text.push_str(",confidential-guest-support=");
            text.push_str(protection_id(protection));
            cause.keys.push(keys.confidential_guest.into());
        }
        line.push("-machine", text, cause);
    }

    fn memory(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let memory = self.memory;
        let mut text = size(memory.size);
        let mut cause = Cause::key(keys.default_memory);
        if memory.slots != 0 {
            text.push_str(&format!(",slots={}", memory.slots));
            cause.keys.push(keys.memory_slots.into());
        }
        if memory.max != 0 {
            text.push_str(&format!(",maxmem={}", size(memory.max)));
            cause.keys.push(keys.default_maxmemory.into());
        } else if hv.security_info.confidential_guest && self.start.has(Change::MemoryBackendOption) {
            cause.keys.push(keys.confidential_guest.into());
            cause = cause.by("a confidential guest's memory does not grow");
        } else if memory.backend == Some(Backend::Shared) {
            cause.keys.push(keys.shared_fs.into());
            cause =
                cause.by("shared memory does not grow, unless the root is virtio-pmem or virtio-mem is on");
        }
        line.push("-m", text, cause);
        let Some(backend) = memory.backend else { return };
        let (id, bytes, prealloc) = (backend.id(), size(memory.size), hv.memory_info.enable_mem_prealloc);
        let cause = Cause::keys([keys.shared_fs, keys.default_memory, keys.enable_mem_prealloc]);
        let text = match backend {
            Backend::Ram => {
                let prealloc = if prealloc { ",prealloc=on" } else { "" };
                format!("memory-backend-ram,id={id},size={bytes}{prealloc}")
            }
            Backend::Shared => {
                let prealloc = match (prealloc, self.start.has(Change::Prealloc)) {
                    (_, false) => "",
                    (true, _) => ",prealloc=on",
                    (false, _) => ",prealloc=off",
                };
                format!(
                    "memory-backend-file,id={id},mem-path=/dev/shm,size={bytes},share=on{prealloc},readonly=off"
                )
            }
        };
        line.push("-object", text, cause);
    }
}

/// The name of the protecting object, which the machine refers to.
fn protection_id(protection: &Protection<'_>) -> &'static str {
    match protection {
        Protection::Sev { .. } => "sev",
        Protection::Snp { .. } => "snp",
        Protection::Se => "pv0",
        Protection::Tdx { .. } => "tdx",
    }
}
