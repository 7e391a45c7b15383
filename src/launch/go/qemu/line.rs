//! The order of QEMU's command line, and everything in it that is not a device; the guest's parameters.
//!
//! Facts: `LaunchQemu` of the QEMU library (src/runtime/pkg/govmm/qemu/qemu.go, vendored before 2.4.0),
//! `kernelParameters` and `CreateVM` in src/runtime/virtcontainers/qemu.go from 2.0.0 to 4.1.0.

use super::arch::{self, GuestProtection, Machine};
use super::{
    CONSOLE_SOCKET, Change, EXTRA_MONITOR_SOCKET, HUMAN_MONITOR_SOCKET, QMP_SOCKET, Qemu, has_extra_monitor,
};
use crate::answer::launch::{Arg, Cause};
use crate::input::host::Arch;
use crate::launch::go::guest_kernel::{configured, constants, debug, extend, rendered};
use crate::launch::line::{Line, Options};

/// Image files as persistent memory are kept above the memory that can be added.
const NVDIMM_ROOM: u64 = 1024;

impl Qemu<'_> {
    pub(super) fn has(&self, change: Change) -> bool {
        self.start.has(change)
    }

    /// The guest's parameters, in order.
    pub(super) fn params(&self) -> Vec<Arg> {
        let (hv, keys, arch) = (self.start.hv, self.start.keys, self.start.arch);
        let mut out = Vec::with_capacity(40);
        constants(&self.start, arch::kernel_params(arch), &mut out);
        if hv.enable_iommu && arch == Arch::X86_64 {
            let name = if self.has(Change::IommuRenamed) { "kata-containers_iommu" } else { "intel_iommu" };
            extend(&mut out, &[(name, "on"), ("iommu", "pt")], keys.enable_iommu);
        }
        if self.protection == GuestProtection::Tdx && self.has(Change::TdxGuestParameter) {
            extend(&mut out, &[("tdx_guest", "")], keys.confidential_guest);
        }
        if let Some(root) = &self.root {
            root.params(keys, &self.disk_cause(), &mut out);
        }
        if arch != Arch::S390x && !self.has(Change::ConsolesAmongConstants) {
            let consoles: &[_] = if self.has_legacy_serial() {
                &[("console", "ttyS0")]
            } else {
                &[("console", "hvc0"), ("console", "hvc1")]
            };
            extend(&mut out, consoles, keys.use_legacy_serial);
        }
        debug(&self.start, &[("debug", "")], &[("quiet", "")], &mut out);
        if self.root.is_some() {
            let on = [("systemd.show_status", "true"), ("systemd.log_level", "debug")];
            debug(&self.start, &on, &[("systemd.show_status", "false")], &mut out);
        }
        extend(&mut out, &[("panic", "1")], Cause::constant());
        if !(hv.confidential_guest && self.has(Change::ConfidentialProcessorsFixed)) {
            extend(&mut out, &[("nr_cpus", &hv.default_maxvcpus.to_string())], keys.default_maxvcpus);
        }
        if self.has(Change::GuestSelinux) {
            let selinux = if hv.disable_guest_selinux { "0" } else { "1" };
            extend(&mut out, &[("selinux", selinux)], keys.disable_guest_selinux);
        }
        configured(&self.start, rendered, &mut out);
        for image in hv.guest_extension_images.iter().filter(|_| self.has(Change::ExtensionImages)) {
            let name = format!("kata.extension.{}.verity_params", image.name);
            extend(&mut out, &[(&name, &image.verity_params)], keys.guest_extension_images);
        }
        out
    }

    /// What decided how the image is attached.
    pub(super) fn disk_cause(&self) -> Cause {
        let keys = self.start.keys;
        match self.start.hv.confidential_guest {
            true => [keys.image, keys.confidential_guest].into(),
            false => [keys.image, keys.disable_image_nvdimm].into(),
        }
    }
    pub(super) fn line(&self, cmdline: &str) -> Vec<Arg> {
        let (hv, keys, paths) = (self.start.hv, self.start.keys, self.start.paths);
        let mut line = Line { address: 1, ..Line::default() };
        let threads =
            if hv.enable_debug && self.has(Change::DebugThreads) { ",debug-threads=on" } else { "" };
        let cause = Cause::key(keys.enable_debug).by("the sandbox id; thread names when debugging");
        line.push("-name", format!("sandbox-{}{threads}", paths.id), cause);
        line.push("-uuid", "{uuid}", Cause::rule("made when the VM is created"));
        self.machine_args(&mut line);
        match self.snp_cpu {
            true => {
                let model = format!("EPYC-v4,{}", hv.cpu_features);
                line.push("-cpu", model, [keys.cpu_features, keys.sev_snp_guest]);
            }
            false => line.push("-cpu", format!("host,{}", hv.cpu_features), keys.cpu_features),
        }
        self.monitors(&mut line);
        self.memory_size(&mut line);
        self.devices(&mut line);
        line.push("-rtc", "base=utc,driftfix=slew,clock=host", Cause::constant());
        line.push("-global", "kvm-pit.lost_tick_policy=discard", Cause::constant());
        for path in hv.pflashes.iter() {
            line.push("-pflash", path.as_str(), keys.pflashes);
        }
        line.push("-vga", "none", Cause::constant());
        line.words(&["-no-user-config", "-nodefaults", "-nographic", "--no-reboot"], Cause::constant());
        let daemonized = self.has(Change::Daemonized);
        line.word_if(daemonized, "-daemonize", Cause::constant());
        self.memory(&mut line);
        let swaps = hv.enable_swap && self.has(Change::MemoryLock);
        line.push_if(swaps, "-realtime", "mlock=off", keys.enable_swap);
        self.kernel(&mut line, cmdline);
        self.io_threads(&mut line);
        line.push("-pidfile", paths.in_vm("pid"), Cause::constant());
        line.push_if(hv.enable_debug && daemonized, "-D", paths.in_vm("qemu.log"), keys.enable_debug);
        self.pci_window(&mut line);
        line.push_if(!hv.seccompsandbox.is_empty(), "-sandbox", &*hv.seccompsandbox, keys.seccompsandbox);
        self.processors(&mut line);
        line.args
    }

    fn machine_args(&self, line: &mut Line) {
        let (hv, keys, arch) = (self.start.hv, self.start.keys, self.start.arch);
        let split = if self.has(Change::SplitIrqchipOnQ35Alone) {
            hv.enable_iommu && self.machine == Machine::Q35
        } else {
            hv.enable_iommu || hv.confidential_guest
        };
        let mut machine = Options::new(self.machine.name(), keys.machine_type);
        machine.add(arch::machine_options(self.start.release, arch, split), []);
        if split && hv.enable_iommu && arch == Arch::X86_64 {
            machine.because(keys.enable_iommu);
        }
        if let Some(support) = self.protection.support() {
            let typed = self.protection == GuestProtection::Tdx && self.has(Change::TdxFirmwareLoader);
            machine.add_if(typed, "kvm-type=tdx", []);
            machine.add(format!("confidential-guest-support={support}"), keys.confidential_guest);
            if matches!(self.protection, GuestProtection::Sev | GuestProtection::Snp) {
                machine.because(keys.sev_snp_guest);
            }
        }
        if self.has_epc() {
            machine.add("sgx-epc.0.memdev=epc0,sgx-epc.0.node=0", []);
            machine.cause.rule = "sgx.intel.com/epc asks for enclave memory".into();
        }
        let nvdimm = if self.has(Change::OptionsWithoutValue) { "nvdimm" } else { "nvdimm=on" };
        machine.add_if(self.nvdimm && self.root.is_some(), nvdimm, [keys.image, keys.disable_image_nvdimm]);
        let own = hv.machine_accelerators.strip_prefix(',').unwrap_or(&hv.machine_accelerators);
        machine.add_if(!hv.machine_accelerators.is_empty(), own, keys.machine_accelerators);
        line.options("-machine", machine);
    }

    fn monitors(&self, line: &mut Line) {
        let (hv, keys, paths) = (self.start.hv, self.start.keys, self.start.paths);
        if self.has(Change::Daemonized) {
            let socket = format!("unix:{},{}", paths.in_vm(QMP_SOCKET), self.server());
            line.push("-qmp", socket, Cause::constant());
        } else {
            line.push("-qmp", "unix:fd=3,server=on,wait=off", Cause::rule("the socket is inherited"));
        }
        let listen = |name: &str| format!("unix:path={},server=on,wait=off", paths.in_vm(name));
        let human = hv.enable_debug && self.has(Change::HumanMonitor);
        line.push_if(human, "-monitor", listen(HUMAN_MONITOR_SOCKET), keys.enable_debug);
        if !has_extra_monitor(hv) {
            return;
        }
        let flag = match &*hv.extra_monitor_socket {
            "hmp" => "-monitor",
            "qmp" => "-qmp",
            "qmp-pretty" => "-qmp-pretty",
            _ => return,
        };
        line.push(flag, listen(EXTRA_MONITOR_SOCKET), [keys.extra_monitor_socket, keys.enable_debug]);
    }

    fn memory_size(&self, line: &mut Line) {
        let (hv, keys, arch) = (self.start.hv, self.start.keys, self.start.arch);
        let mut memory = Options::new(format!("{}M", hv.default_memory), keys.default_memory);
        let configured = self.has(Change::MaxMemoryConfigured);
        let (most, slots) = if hv.confidential_guest && self.has(Change::ConfidentialMemoryFixed) {
            memory.because(keys.confidential_guest);
            (0, 0)
        } else {
            let most = if configured { hv.default_maxmemory } else { self.start.host.facts.memory_mib };
            // Kept in eight bits on the way.
            (most, hv.memory_slots as u8)
        };
        memory.add_if(slots > 0, format!("slots={slots}"), keys.memory_slots);
        let room = if self.has(Change::MemoryOffsetIn32Bits) {
            (hv.memory_offset as u32).wrapping_add(NVDIMM_ROOM as u32).into()
        } else {
            hv.memory_offset.wrapping_add(NVDIMM_ROOM)
        };
        let max = match arch {
            Arch::Riscv64 => Some(most),
            Arch::S390x if most == 0 => Some(u64::from(hv.default_memory)),
            Arch::S390x => Some(most),
            _ if most == 0 && self.has(Change::ConfidentialMemoryFixed) => None,
            Arch::Ppc64le if most < 256 => None,
            Arch::Ppc64le => Some((most - most % 256).wrapping_add(room)),
            _ => Some(most.wrapping_add(room)),
        };
        match max.map(|max| format!("maxmem={max}M")) {
            Some(max) if configured => memory.add(max, [keys.default_maxmemory, keys.memory_offset]),
            Some(max) => {
                memory.add(max, keys.memory_offset);
                memory.cause.rule = "at most: the memory of the host, the offset, and 1024 MiB".into();
            }
            None => {}
        }
        line.options("-m", memory);
    }

    /// What the memory is made of.
    fn memory(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let has_dimm = matches!(self.start.arch, Arch::X86_64 | Arch::Ppc64le | Arch::Aarch64)
            && self.machine != Machine::Microvm;
        if !has_dimm && self.has(Change::NoBackendWithoutDimms) {
            return;
        }
        let private = self.protection == GuestProtection::Tdx && self.has(Change::TdxPrivateMemory);
        let folder = self.memory_folder.filter(|_| !private);
        // Whether the administrator or the pod chose a folder for the memory.
        let chosen = !hv.file_mem_backend.is_empty() && self.has(Change::FileMemoryBackend);
        let own = self.protection == GuestProtection::Tdx && self.has(Change::TdxPrivateOption);
        let shared = folder.is_some() || (hv.enable_vhost_user_store && !private);
        let prealloc = hv.enable_mem_prealloc || (hv.enable_hugepages && (self.daemon.is_some() || chosen));
        let backing = if hv.enable_hugepages { Some("/dev/hugepages") } else { folder };
        let kind = match backing {
            Some(_) => "file",
            None if private => "memfd-private",
            None => "ram",
        };
        let mut cause = Cause::keys([keys.default_memory, keys.shared_fs]);
        for (asked, key) in [
            (chosen, keys.file_mem_backend),
            (hv.enable_hugepages, keys.enable_hugepages),
            (hv.enable_mem_prealloc, keys.enable_mem_prealloc),
            (hv.enable_vhost_user_store, keys.enable_vhost_user_store),
        ] {
            if asked {
                cause.keys.push(key.into());
            }
        }
        let object = |id: &str, size: u64, bound: Option<&str>| {
            let mut object = Options::new(format!("memory-backend-{kind},id={id},size={size}M"), &cause);
            object.add_if(backing.is_some(), format!("mem-path={}", backing.unwrap_or_default()), []);
            let bound_to = format!("host-nodes={},policy=bind", bound.unwrap_or_default());
            object.add_if(bound.is_some(), bound_to, []);
            object.add_if(own, "private=on", []);
            object.add_if(shared, "share=on", []);
            object.add_if(prealloc, "prealloc=on", []);
            object
        };
        if !has_dimm || self.numa.nodes.is_empty() {
            line.options("-object", object("dimm1", hv.default_memory.into(), None));
            if has_dimm && !private {
                line.push("-numa", "node,memdev=dimm1", Cause::constant());
            } else {
                line.push("-machine", "memory-backend=dimm1", keys.machine_type);
            }
            return;
        }
        for (number, node) in self.numa.nodes.iter().enumerate() {
            let bound = Some(node.host_nodes).filter(|nodes| !nodes.is_empty());
            let mut object = object(&format!("numa-mem{number}"), node.memory, bound);
            object.because([keys.enable_numa, keys.numa_mapping]);
            let mut numa =
                Options::new(format!("node,nodeid={number},memdev=numa-mem{number}"), &object.cause);
            if let Some((first, last)) = node.cpus {
                numa.add(format!("cpus={first}-{last}"), []);
            }
            line.options("-object", object);
            line.options("-numa", numa);
        }
        for (from, to, distance) in &self.numa.distances {
            let distance = format!("dist,src={from},dst={to},val={distance}");
            line.push("-numa", distance, Cause::rule("the host's distances; 20 is assumed"));
        }
    }

    fn kernel(&self, line: &mut Line, cmdline: &str) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let kernel = hv.kernel_asset_path();
        if !kernel.is_empty() {
            line.push("-kernel", kernel, keys.kernel);
            if let Some(initrd) = self.initrd {
                line.push("-initrd", initrd, keys.initrd);
            }
            if !cmdline.is_empty() {
                let cause = Cause::key(keys.kernel_params).by("see the kernel parameters");
                line.push("-append", cmdline, cause);
            }
        }
        let firmware = hv.firmware_asset_path();
        line.push_if(!firmware.is_empty() && self.has_bios(), "-bios", firmware, keys.firmware);
    }

    fn io_threads(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let thread = "iothread,id=iothread-{nonce}";
        line.push_if(self.has_scsi() && hv.enable_iothreads, "-object", thread, keys.enable_iothreads);
        let independent = if self.has(Change::IndependentIoThreads) { hv.indep_iothreads } else { 0 };
        for number in 0..independent {
            line.object(format!("iothread,id=indep_iothread_{number}"), keys.indep_iothreads);
        }
    }

    fn processors(&self, line: &mut Line) {
        let (smp, keys) = (self.smp, self.start.keys);
        if smp.cpus == 0 {
            return;
        }
        let first = format!("{},cores={},threads=1", smp.cpus, smp.cores);
        let mut options = Options::new(first, [keys.default_vcpus, keys.default_maxvcpus]);
        if self.start.hv.confidential_guest && self.has(Change::ConfidentialProcessorsFixed) {
            options.because(keys.confidential_guest);
        }
        options.add_if(smp.sockets > 0, format!("sockets={}", smp.sockets), []);
        options.add_if(smp.max > 0, format!("maxcpus={}", smp.max), []);
        line.options("-smp", options);
    }

    /// Where the guest's console is read.
    pub(super) fn console(&self) -> String {
        self.start.paths.in_vm(CONSOLE_SOCKET)
    }
}
