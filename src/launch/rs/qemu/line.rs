//! The order of QEMU's command line, and everything in it that is not a device.
//!
//! Facts: `QemuCmdLine::new` and `build` in
//! src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs at each tag.

use super::{Backend, Protection, Qemu, size};
use crate::answer::launch::{Arg, Cause};
use crate::input::host::Arch;
use crate::launch::line::{Line, Options};
use crate::release::rs::Change;

impl Qemu<'_> {
    pub(super) fn line(&self, cmdline: &str) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let boot = &hv.boot_info;
        let mut line = Line::default();
        line.push("-name", format!("sandbox-{}", self.start.paths.id), Cause::rule("the sandbox id"));
        line.push("-kernel", boot.kernel.as_str(), keys.kernel);
        line.push_if(!boot.initrd.is_empty(), "-initrd", boot.initrd.as_str(), keys.initrd);
        if !cmdline.is_empty() {
            let cause = Cause::key(keys.kernel_params).by("see the guest kernel's command line");
            line.push("-append", cmdline, cause);
        }
        self.processors(&mut line);
        self.machine(&mut line);
        let features = &hv.cpu_info.cpu_features;
        match self.resources.protection {
            Some(Protection::Snp { .. }) => {
                line.push("-cpu", format!("EPYC-v4,{features}"), [keys.cpu_features, keys.sev_snp_guest]);
            }
            _ => line.push("-cpu", format!("host,{features}"), keys.cpu_features),
        }
        self.memory(&mut line);
        if self.start.has(Change::MonitorSocket) {
            line.push("-qmp", "unix:fd={fd},server=on,wait=off", Cause::rule("the runtime's control socket"));
        }
        self.built_in(&mut line);
        self.registered(&mut line);
        self.console(&mut line);
        if self.start.has(Change::BiosAtTheEnd) && self.plain_firmware() {
            line.push("-bios", boot.firmware.as_str(), keys.firmware);
        }
        line.push("-vga", "none", Cause::constant());
        line.words(&["-no-user-config", "-nodefaults", "-nographic", "-no-reboot"], Cause::constant());
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
            let smp = format!("{vcpus},maxcpus={most}");
            line.push("-smp", smp, [keys.default_vcpus, keys.default_maxvcpus]);
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
        let (start, keys, info) = (&self.start, self.start.keys, &self.start.hv.machine_info);
        let mut machine = Options::new(format!("{},accel=kvm", info.machine_type), keys.machine_type);
        let own = &info.machine_accelerators;
        machine.add_if(!own.is_empty(), own, keys.machine_accelerators);
        let protection = self.resources.protection.as_ref();
        // A shared folder's memory was a device of the same kind.
        let numa = self.memory.backend.is_some() && !start.has(Change::MemoryBackendOption) && !self.ccw;
        let persistent = !self.nvdimms.is_empty() || numa;
        let nvdimm = persistent && protection.is_none() && self.has_nvdimm_support();
        machine.add_if(nvdimm, "nvdimm=on", if numa { keys.shared_fs } else { keys.vm_rootfs_driver });
        let iommu = self.has_iommu_device();
        let guarded = match protection {
            Some(Protection::Snp { .. }) => start.has(Change::SnpPolicy),
            Some(Protection::Tdx { .. }) => start.has(Change::TdxIrqchip),
            _ => false,
        };
        if iommu || guarded {
            machine.add("kernel_irqchip=split", []);
        } else {
            machine.add_if(start.has(Change::KernelIrqchip), "kernel_irqchip=on", []);
        }
        if iommu {
            machine.because(keys.enable_iommu);
        }
        if let Some(backend) = self.memory.backend.filter(|_| !numa) {
            machine.add(format!("memory-backend={}", backend.id()), keys.shared_fs);
        }
        if let Some(protection) = protection {
            let id = protection_id(protection);
            machine.add(format!("confidential-guest-support={id}"), keys.confidential_guest);
        }
        line.options("-machine", machine);
    }

    fn memory(&self, line: &mut Line) {
        let (start, hv, keys, memory) = (&self.start, self.start.hv, self.start.keys, self.memory);
        let mut text = Options::new(size(memory.size), keys.default_memory);
        text.add_if(memory.slots != 0, format!("slots={}", memory.slots), keys.memory_slots);
        if memory.max != 0 {
            text.add(format!("maxmem={}", size(memory.max)), keys.default_maxmemory);
        } else if hv.security_info.confidential_guest && start.has(Change::MemoryBackendOption) {
            text.because(keys.confidential_guest);
            text.cause.rule = "a confidential guest's memory does not grow".into();
        } else if memory.backend == Some(Backend::Shared) {
            text.because(keys.shared_fs);
            text.cause.rule =
                "shared memory does not grow, unless the root is virtio-pmem or virtio-mem is on".into();
        }
        line.options("-m", text);
        let Some(backend) = memory.backend else { return };
        let (id, bytes, prealloc) = (backend.id(), size(memory.size), hv.memory_info.enable_mem_prealloc);
        let text = match backend {
            Backend::Ram => {
                let prealloc = if prealloc { ",prealloc=on" } else { "" };
                format!("memory-backend-ram,id={id},size={bytes}{prealloc}")
            }
            Backend::Shared => {
                let prealloc = match (prealloc, start.has(Change::Prealloc)) {
                    (_, false) => "",
                    (true, _) => ",prealloc=on",
                    (false, _) => ",prealloc=off",
                };
                let file = "mem-path=/dev/shm";
                format!("memory-backend-file,id={id},{file},size={bytes},share=on{prealloc},readonly=off")
            }
        };
        line.object(text, [keys.shared_fs, keys.default_memory, keys.enable_mem_prealloc]);
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
