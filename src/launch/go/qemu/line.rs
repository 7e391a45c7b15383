//! The order of QEMU's command line, and everything in it that is not a device; the guest's parameters.
//!
//! Facts: `LaunchQemu` of the QEMU library (src/runtime/pkg/govmm/qemu/qemu.go, vendored before 2.4.0),
//! `kernelParameters` and `CreateVM` in src/runtime/virtcontainers/qemu.go from 2.0.0 to 4.1.0.

use super::arch::{self, Guard, Machine};
use super::{
    CONSOLE_SOCKET, EXTRA_MONITOR_SOCKET, HUMAN_MONITOR_SOCKET, Plan, QMP_SOCKET, has_extra_monitor, qemu,
};
use crate::answer::launch::{Arg, Cause};
use crate::input::host::Arch;
use crate::launch::go::guest_kernel::{configured, extend, spelled};
use crate::release::go::Change;

/// Image files as persistent memory are kept above the memory that can be added.
const NVDIMM_ROOM: u64 = 1024;

/// A command line that grows.
pub(super) struct Line {
    pub(super) args: Vec<Arg>,
    /// The next subchannel of the s390x bus.
    channel: u32,
}

impl Line {
    /// A flag with its value; both have the same cause.
    pub(super) fn push(&mut self, flag: &str, value: impl Into<String>, cause: Cause) {
        self.args.push(Arg::new(flag, cause.clone()));
        self.args.push(Arg::new(value, cause));
    }

    /// A flag alone.
    pub(super) fn flag(&mut self, flag: &str, cause: Cause) {
        self.args.push(Arg::new(flag, cause));
    }

    /// The address of the next device on the s390x bus.
    pub(super) fn channel(&mut self) -> String {
        self.channel += 1;
        format!("fe.0.{:04x}", self.channel)
    }
}

impl Plan<'_> {
    /// Whether this release does it.
    pub(super) fn has(&self, change: Change) -> bool {
        self.release.has(change)
    }

    /// The guest's parameters, in order.
    pub(super) fn kernel_params(&self) -> Vec<Arg> {
        let hv = self.hv;
        let mut out = Vec::with_capacity(40);
        extend(&mut out, &arch::kernel_params(self.release, self.arch), &Cause::constant());
        if hv.enable_iommu && self.arch == Arch::X86_64 {
            let cause = Cause::key(qemu!("enable_iommu"));
            let name = if self.has(Change::IommuRenamed) { "kata-containers_iommu" } else { "intel_iommu" };
            extend(&mut out, &[(name, "on"), ("iommu", "pt")], &cause);
        }
        if self.guard == Guard::Tdx && self.has(Change::TdxGuestParameter) {
            extend(&mut out, &[("tdx_guest", "")], &Cause::key(qemu!("confidential_guest")));
        }
        if let Some(root) = &self.root {
            root.params(self.keys, &self.disk_cause(), &mut out);
        }
        if self.arch != Arch::S390x && !self.has(Change::ConsolesAmongConstants) {
            let cause = Cause::key(qemu!("use_legacy_serial"));
            let consoles: &[_] = if self.has_legacy_serial() {
                &[("console", "ttyS0")]
            } else {
                &[("console", "hvc0"), ("console", "hvc1")]
            };
            extend(&mut out, consoles, &cause);
        }
        let debug = Cause::key(qemu!("enable_debug"));
        extend(&mut out, if hv.enable_debug { &[("debug", "")] } else { &[("quiet", "")] }, &debug);
        if self.root.is_some() {
            let systemd: &[_] = if hv.enable_debug {
                &[("systemd.show_status", "true"), ("systemd.log_level", "debug")]
            } else {
                &[("systemd.show_status", "false")]
            };
            extend(&mut out, systemd, &debug);
        }
        extend(&mut out, &[("panic", "1")], &Cause::constant());
        if !(hv.confidential_guest && self.has(Change::ConfidentialProcessorsFixed)) {
            out.push(Arg::new(
                format!("nr_cpus={}", hv.default_maxvcpus),
                Cause::key(qemu!("default_maxvcpus")),
            ));
        }
        if self.has(Change::GuestSelinux) {
            let selinux = if hv.disable_guest_selinux { "0" } else { "1" };
            extend(&mut out, &[("selinux", selinux)], &Cause::key(qemu!("disable_guest_selinux")));
        }
        configured(self.config, self.keys, spelled, &mut out);
        if !self.has(Change::ExtensionImages) {
            return out;
        }
        out.extend(hv.guest_extension_images.iter().filter_map(|image| {
            let key = format!("kata.extension.{}.verity_params", image.name);
            let text = spelled(&key, &image.verity_params)?;
            Some(Arg::new(text, Cause::key(qemu!("guest_extension_images"))))
        }));
        out
    }

    /// What decided how the image is attached.
    pub(super) fn disk_cause(&self) -> Cause {
        if self.hv.confidential_guest {
            Cause::keys([qemu!("image"), qemu!("confidential_guest")])
        } else {
            Cause::keys([qemu!("image"), qemu!("disable_image_nvdimm")])
        }
    }

    /// The arguments.
    pub(super) fn line(&self, cmdline: &str) -> Vec<Arg> {
        let hv = self.hv;
        let mut line = Line { args: Vec::with_capacity(96), channel: 0 };
        let threads =
            if hv.enable_debug && self.has(Change::DebugThreads) { ",debug-threads=on" } else { "" };
        line.push(
            "-name",
            format!("sandbox-{}{threads}", self.paths.id),
            Cause::key(qemu!("enable_debug")).by("the sandbox id; thread names when debugging"),
        );
        line.push("-uuid", "{uuid}", Cause::rule("made when the VM is created"));
        self.machine_args(&mut line);
        let model = if self.snp_cpu { "EPYC-v4" } else { "host" };
        let mut cause = Cause::key(qemu!("cpu_features"));
        if self.snp_cpu {
            cause = Cause::keys([qemu!("cpu_features"), qemu!("sev_snp_guest")]);
        }
        line.push("-cpu", format!("{model},{}", hv.cpu_features), cause);
        self.monitors(&mut line);
        self.memory_size(&mut line);
        self.devices(&mut line);
        line.push("-rtc", "base=utc,driftfix=slew,clock=host", Cause::constant());
        line.push("-global", "kvm-pit.lost_tick_policy=discard", Cause::constant());
        for path in hv.pflashes.iter() {
            line.push("-pflash", path.as_str(), Cause::key(qemu!("pflashes")));
        }
        line.push("-vga", "none", Cause::constant());
        for flag in ["-no-user-config", "-nodefaults", "-nographic", "--no-reboot"] {
            line.flag(flag, Cause::constant());
        }
        if self.has(Change::Daemonized) {
            line.flag("-daemonize", Cause::constant());
        }
        self.memory(&mut line);
        if hv.enable_swap && self.has(Change::MemoryLock) {
            line.push("-realtime", "mlock=off", Cause::key(qemu!("enable_swap")));
        }
        self.kernel(&mut line, cmdline);
        self.io_threads(&mut line);
        line.push("-pidfile", self.paths.in_vm("pid"), Cause::constant());
        if hv.enable_debug && self.has(Change::Daemonized) {
            line.push("-D", self.paths.in_vm("qemu.log"), Cause::key(qemu!("enable_debug")));
        }
        self.pci_window(&mut line);
        if !hv.seccompsandbox.is_empty() {
            line.push("-sandbox", &*hv.seccompsandbox, Cause::key(qemu!("seccompsandbox")));
        }
        self.processors(&mut line);
        line.args
    }

    fn machine_args(&self, line: &mut Line) {
        let hv = self.hv;
        let split = if self.has(Change::SplitIrqchipOnQ35Alone) {
            hv.enable_iommu && self.machine == Machine::Q35
        } else {
            hv.enable_iommu || hv.confidential_guest
        };
        let options = arch::machine_options(self.release, self.arch, split);
        let mut text = format!("{},{options}", self.machine.name());
        let mut cause = Cause::key(qemu!("machine_type"));
        if split && hv.enable_iommu && self.arch == Arch::X86_64 {
            cause.keys.push(qemu!("enable_iommu").into());
        }
        if let Some(support) = self.guard.support() {
            if self.guard == Guard::Tdx && self.has(Change::TdxFirmwareLoader) {
                text.push_str(",kvm-type=tdx");
            }
            text.push_str(",confidential-guest-support=");
            text.push_str(support);
            cause.keys.push(qemu!("confidential_guest").into());
            if matches!(self.guard, Guard::Sev | Guard::Snp) {
                cause.keys.push(qemu!("sev_snp_guest").into());
            }
        }
        if self.has_epc() {
            text.push_str(",sgx-epc.0.memdev=epc0,sgx-epc.0.node=0");
            cause.rule = "sgx.intel.com/epc asks for enclave memory".into();
        }
        if self.nvdimm && self.root.is_some() {
            text.push_str(if self.has(Change::OptionsWithoutValue) { ",nvdimm" } else { ",nvdimm=on" });
            cause.keys.push(qemu!("image").into());
            cause.keys.push(qemu!("disable_image_nvdimm").into());
        }
        if !hv.machine_accelerators.is_empty() {
            if !hv.machine_accelerators.starts_with(',') {
                text.push(',');
            }
            text.push_str(&hv.machine_accelerators);
            cause.keys.push(qemu!("machine_accelerators").into());
        }
        line.push("-machine", text, cause);
    }

    fn monitors(&self, line: &mut Line) {
        let hv = self.hv;
        if self.has(Change::Daemonized) {
            let socket = format!("unix:{},{}", self.paths.in_vm(QMP_SOCKET), self.server());
            line.push("-qmp", socket, Cause::constant());
        } else {
            line.push("-qmp", "unix:fd=3,server=on,wait=off", Cause::rule("the socket is inherited"));
        }
        if hv.enable_debug && self.has(Change::HumanMonitor) {
            line.push(
                "-monitor",
                format!("unix:path={},server=on,wait=off", self.paths.in_vm(HUMAN_MONITOR_SOCKET)),
                Cause::key(qemu!("enable_debug")),
            );
        }
        if !has_extra_monitor(hv) {
            return;
        }
        let flag = match &*hv.extra_monitor_socket {
            "hmp" => "-monitor",
            "qmp" => "-qmp",
            "qmp-pretty" => "-qmp-pretty",
            _ => return,
        };
        line.push(
            flag,
            format!("unix:path={},server=on,wait=off", self.paths.in_vm(EXTRA_MONITOR_SOCKET)),
            Cause::keys([qemu!("extra_monitor_socket"), qemu!("enable_debug")]),
        );
    }

    fn memory_size(&self, line: &mut Line) {
        let hv = self.hv;
        let mut text = format!("{}M", hv.default_memory);
        let mut cause = Cause::key(qemu!("default_memory"));
        let configured = self.has(Change::MaxMemoryConfigured);
        let (most, slots) = if hv.confidential_guest && self.has(Change::ConfidentialMemoryFixed) {
            cause.keys.push(qemu!("confidential_guest").into());
            (0, 0)
        } else {
            let most = if configured { hv.default_maxmemory } else { self.host_memory };
            // Kept in eight bits on the way.
            (most, hv.memory_slots as u8)
        };
        if slots > 0 {
            text.push_str(&format!(",slots={slots}"));
            cause.keys.push(qemu!("memory_slots").into());
        }
        let room = if self.has(Change::MemoryOffsetIn32Bits) {
            (hv.memory_offset as u32).wrapping_add(NVDIMM_ROOM as u32).into()
        } else {
            hv.memory_offset.wrapping_add(NVDIMM_ROOM)
        };
        let max = match self.arch {
            Arch::Riscv64 => Some(most),
            Arch::S390x if most == 0 => Some(u64::from(hv.default_memory)),
            Arch::S390x => Some(most),
            _ if most == 0 && self.has(Change::ConfidentialMemoryFixed) => None,
            Arch::Ppc64le if most < 256 => None,
            Arch::Ppc64le => Some((most - most % 256).wrapping_add(room)),
            _ => Some(most.wrapping_add(room)),
        };
        if let Some(max) = max {
            text.push_str(&format!(",maxmem={max}M"));
            if configured {
                cause.keys.push(qemu!("default_maxmemory").into());
            } else {
                cause.rule = "at most: the memory of the host, the offset, and 1024 MiB".into();
            }
            cause.keys.push(qemu!("memory_offset").into());
        }
        line.push("-m", text, cause);
    }

    /// What the memory is made of.
    fn memory(&self, line: &mut Line) {
        let hv = self.hv;
        let has_dimm = matches!(self.arch, Arch::X86_64 | Arch::Ppc64le | Arch::Aarch64)
            && self.machine != Machine::Microvm;
        if !has_dimm && self.has(Change::NoBackendWithoutDimms) {
            return;
        }
        let mut cause = Cause::keys([qemu!("default_memory"), qemu!("shared_fs")]);
        let private = self.guard == Guard::Tdx && self.has(Change::TdxPrivateMemory);
        let folder = self.memory_folder.filter(|_| !private);
        let shared = folder.is_some() || (hv.enable_vhost_user_store && !private);
        let by_folder = self.daemon.is_some() || self.has_chosen_folder();
        let prealloc = hv.enable_mem_prealloc || (hv.enable_hugepages && by_folder);
        if self.has_chosen_folder() {
            cause.keys.push(qemu!("file_mem_backend").into());
        }
        let backing = if hv.enable_hugepages {
            cause.keys.push(qemu!("enable_hugepages").into());
            Some("/dev/hugepages")
        } else {
            folder
        };
        if hv.enable_mem_prealloc {
            cause.keys.push(qemu!("enable_mem_prealloc").into());
        }
        if hv.enable_vhost_user_store {
            cause.keys.push(qemu!("enable_vhost_user_store").into());
        }
        let own = self.guard == Guard::Tdx && self.has(Change::TdxPrivateOption);
        let flags = format!(
            "{}{}{}",
            if own { ",private=on" } else { "" },
            if shared { ",share=on" } else { "" },
            if prealloc { ",prealloc=on" } else { "" }
        );
        let kind = match backing {
            Some(_) => "file",
            None if private => "memfd-private",
            None => "ram",
        };
        let path = backing.map(|p| format!(",mem-path={p}")).unwrap_or_default();
        if has_dimm && !self.numa.nodes.is_empty() {
            cause.keys.push(qemu!("enable_numa").into());
            cause.keys.push(qemu!("numa_mapping").into());
            self.numa_memory(line, &format!("memory-backend-{kind}"), &path, &flags, &cause);
            return;
        }
        line.push(
            "-object",
            format!("memory-backend-{kind},id=dimm1,size={}M{path}{flags}", hv.default_memory),
            cause,
        );
        if has_dimm && !private {
            line.push("-numa", "node,memdev=dimm1", Cause::constant());
        } else {
            line.push("-machine", "memory-backend=dimm1", Cause::key(qemu!("machine_type")));
        }
    }

    /// Whether the administrator or the pod chose a folder for the memory.
    fn has_chosen_folder(&self) -> bool {
        !self.hv.file_mem_backend.is_empty() && self.has(Change::FileMemoryBackend)
    }

    fn numa_memory(&self, line: &mut Line, kind: &str, path: &str, flags: &str, cause: &Cause) {
        for (id, node) in self.numa.nodes.iter().enumerate() {
            let bound = match node.host_nodes {
                "" => String::new(),
                nodes => format!(",host-nodes={nodes},policy=bind"),
            };
            line.push(
                "-object",
                format!("{kind},id=numa-mem{id},size={}M{path}{bound}{flags}", node.memory),
                cause.clone(),
            );
            let cpus = node.cpus.map(|(first, last)| format!(",cpus={first}-{last}")).unwrap_or_default();
            line.push("-numa", format!("node,nodeid={id},memdev=numa-mem{id}{cpus}"), cause.clone());
        }
        for (from, to, distance) in &self.numa.distances {
            line.push(
                "-numa",
                format!("dist,src={from},dst={to},val={distance}"),
                Cause::rule("the host's distances; 20 is assumed"),
            );
        }
    }

    fn kernel(&self, line: &mut Line, cmdline: &str) {
        let hv = self.hv;
        let kernel = hv.kernel_asset_path();
        if !kernel.is_empty() {
            line.push("-kernel", kernel, Cause::key(qemu!("kernel")));
            if let Some(initrd) = self.initrd {
                line.push("-initrd", initrd, Cause::key(qemu!("initrd")));
            }
            if !cmdline.is_empty() {
                line.push(
                    "-append",
                    cmdline,
                    Cause::key(qemu!("kernel_params")).by("see the kernel parameters"),
                );
            }
        }
        let firmware = hv.firmware_asset_path();
        if !firmware.is_empty() && self.has_bios() {
            line.push("-bios", firmware, Cause::key(qemu!("firmware")));
        }
    }

    fn io_threads(&self, line: &mut Line) {
        if self.has_scsi() && self.hv.enable_iothreads {
            line.push("-object", "iothread,id=iothread-{nonce}", Cause::key(qemu!("enable_iothreads")));
        }
        let independent = if self.has(Change::IndependentIoThreads) { self.hv.indep_iothreads } else { 0 };
        for i in 0..independent {
            line.push(
                "-object",
                format!("iothread,id=indep_iothread_{i}"),
                Cause::key(qemu!("indep_iothreads")),
            );
        }
    }

    fn processors(&self, line: &mut Line) {
        let smp = self.smp;
        if smp.cpus == 0 {
            return;
        }
        let mut text = format!("{},cores={},threads=1", smp.cpus, smp.cores);
        let mut cause = Cause::keys([qemu!("default_vcpus"), qemu!("default_maxvcpus")]);
        if self.hv.confidential_guest && self.has(Change::ConfidentialProcessorsFixed) {
            cause.keys.push(qemu!("confidential_guest").into());
        }
        if smp.sockets > 0 {
            text.push_str(&format!(",sockets={}", smp.sockets));
        }
        if smp.max > 0 {
            text.push_str(&format!(",maxcpus={}", smp.max));
        }
        line.push("-smp", text, cause);
    }

    /// Where the guest's console is read.
    pub(super) fn console(&self) -> String {
        self.paths.in_vm(CONSOLE_SOCKET)
    }
}
