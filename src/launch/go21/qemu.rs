//! QEMU on x86_64: the command line, in the order that govmm puts it together.
//!
//! Facts: src/runtime/virtcontainers/qemu.go, qemu_arch_base.go, qemu_amd64.go and govmm/qemu/qemu.go as
//! vendored at 2.1.0.

use super::process::{fails, not_startable};
use super::{Refusal, Started, configured, extend, in_vm, joined, max_vcpus, push, share, vcpus};
use crate::input::Host;
use crate::input::host::Errno;
use crate::launch::{Arg, Cause, Helper, Launch};
use crate::runtime::go21::config::{Asset, SandboxConfig, SandboxHypervisor};

macro_rules! qemu {
    ($key:literal) => {
        concat!("hypervisor.qemu.", $key)
    };
}

/// Image files as persistent memory are kept above the memory that can be added.
const NVDIMM_ROOM: u32 = 1024;
/// The first address on the bus that a bridge gets.
const FIRST_BRIDGE: u32 = 2;

const KERNEL_PARAMS: [(&str, &str); 14] = [
    ("tsc", "reliable"),
    ("no_timer_check", ""),
    ("rcupdate.rcu_expedited", "1"),
    ("i8042.direct", "1"),
    ("i8042.dumbkbd", "1"),
    ("i8042.nopnp", "1"),
    ("i8042.noaux", "1"),
    ("noreplace-smp", ""),
    ("reboot", "k"),
    ("console", "hvc0"),
    ("console", "hvc1"),
    ("cryptomgr.notests", ""),
    ("net.ifnames", "0"),
    ("pci", "lastbus=0"),
];

fn machine_type<'a>(hv: &'a SandboxHypervisor<'_>) -> &'a str {
    if hv.hypervisor_machine_type.is_empty() { "pc" } else { &hv.hypervisor_machine_type }
}

/// Where memory that is shared with a daemon lives, where that place is there. `/dev/shm` always is.
fn memory_folder<'a>(host: &Host, hv: &'a SandboxHypervisor<'_>) -> Option<&'a str> {
    match &*hv.file_backed_mem_root_dir {
        "" if hv.shared_fs == "virtio-fs" => Some("/dev/shm"),
        "" => None,
        folder => (folder == "/dev/shm" || host.exists(folder)).then_some(folder),
    }
}

/// Where upstream gives up.
pub(super) fn check(host: &Host, config: &SandboxConfig<'_>) -> Result<(), Refusal> {
    let hv = &config.hypervisor_config;
    let machine = machine_type(hv);
    if !matches!(machine, "pc-lite" | "pc" | "q35" | "virt" | "microvm") {
        return Err(Refusal::because(format!("unrecognised machinetype: {machine}"), &["machine_type"]));
    }
    if hv.enable_vhost_user_store && !hv.huge_pages {
        let message = "Vhost-user-blk/scsi is enabled without HugePages. This configuration will not work";
        return Err(Refusal::because(message, &["enable_hugepages"]));
    }
    let image = config.asset(Asset::Image);
    if config.asset(Asset::Initrd).is_empty()
        && !image.is_empty()
        && let Err(errno) = host.stat(image)
    {
        let verb = if hv.disable_image_nvdimm { "stat" } else { "open" };
        if !hv.disable_image_nvdimm || errno == Errno::NotFound {
            return Err(Refusal::because(format!("{verb} {image}: {errno}"), &["image"]));
        }
    }
    if hv.iommu && machine != "q35" {
        let message = format!("Machine Type {machine} does not support vIOMMU");
        return Err(Refusal::because(message, &["enable_iommu", "machine_type"]));
    }
    let program = config.asset(Asset::Hypervisor);
    if host.stat(program).err() == Some(Errno::NotFound) {
        return Err(Refusal::because(format!("QEMU path ({program}) does not exist"), &["path"]));
    }
    if hv.shared_fs == "virtio-fs"
        && let Some(why) = not_startable(host, &hv.virtio_fs_daemon)
    {
        let daemon = &hv.virtio_fs_daemon;
        let message = format!("virtiofs daemon {daemon} returned with error: {why}");
        return Err(Refusal::because(message, &["virtio_fs_daemon", "shared_fs"]));
    }
    let not_launched = |why: String, blame| {
        let message = format!("failed to launch qemu: {why}, error messages from qemu log: ");
        Err(Refusal::because(message, blame))
    };
    let (vcpus, most) = (vcpus(hv), max_vcpus(hv));
    if most < vcpus {
        let why = format!("MaxCPUs {most} must be equal to or greater than CPUs {vcpus}");
        return not_launched(why, &["default_vcpus", "default_max_vcpus"]);
    }
    match fails(host, program) {
        Some(why) => not_launched(why, &["path"]),
        None => Ok(()),
    }
}

/// Everything that several parts of the line need.
struct Line<'a> {
    config: &'a SandboxConfig<'a>,
    hv: &'a SandboxHypervisor<'a>,
    host: &'a Host,
    machine: &'a str,
    args: Vec<Arg>,
}

/// Spells it out.
pub(super) fn start(host: &Host, config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Started {
    let kernel_params = kernel_params(config, hv);
    let kernel_cmdline = joined(&kernel_params);
    let mut line = Line { config, hv, host, machine: machine_type(hv), args: Vec::with_capacity(80) };
    line.machine();
    line.devices();
    line.knobs();
    line.kernel(&kernel_cmdline);
    line.rest();
    let helpers = if hv.shared_fs == "virtio-fs" { vec![daemon(config, hv)] } else { Vec::new() };
    Started {
        launch: Launch {
            program: Some(config.asset(Asset::Hypervisor).to_owned()),
            args: line.args,
            helpers,
            ..Launch::default()
        },
        kernel_params,
        kernel_cmdline,
        shares_files: true,
    }
}

fn daemon(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Helper {
    let mut args = Vec::with_capacity(12);
    let constant = Cause::constant();
    push(&mut args, &["--fd=3", "-o", &format!("source={}", share(config))], &constant);
    let cache = format!("cache={}", hv.virtio_fs_cache);
    push(&mut args, &["-o", &cache], &Cause::key(qemu!("virtio_fs_cache")));
    push(&mut args, &["--syslog", "-o", "no_posix_lock"], &constant);
    push(&mut args, &[if hv.debug { "-d" } else { "-f" }], &Cause::key(qemu!("enable_debug")));
    let extra = Cause::key(qemu!("virtio_fs_extra_args"));
    args.extend(hv.virtio_fs_extra_args.iter().map(|text| Arg::new(&**text, extra.clone())));
    Helper { program: hv.virtio_fs_daemon.to_string(), args }
}

fn kernel_params(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Vec<Arg> {
    let mut params = Vec::with_capacity(36);
    extend(&mut params, &KERNEL_PARAMS, &Cause::constant());
    if hv.iommu {
        let cause = Cause::key(qemu!("enable_iommu"));
        extend(&mut params, &[("intel_iommu", "on"), ("iommu", "pt")], &cause);
    }
    // What the file says counts here, and not what an annotation brought in its place.
    let image = !hv.image_path.is_empty();
    if image {
        let (root, flags) = if hv.disable_image_nvdimm {
            ("/dev/vda1", "data=ordered,errors=remount-ro ro")
        } else {
            ("/dev/pmem0p1", "dax,data=ordered,errors=remount-ro ro")
        };
        let cause = Cause::keys([qemu!("image"), qemu!("disable_image_nvdimm")]);
        extend(&mut params, &[("root", root), ("rootflags", flags), ("rootfstype", "ext4")], &cause);
    }
    let debug = Cause::key(qemu!("enable_debug"));
    extend(&mut params, if hv.debug { &[("debug", "")] } else { &[("quiet", "")] }, &debug);
    if image {
        let chatty: &[_] = if hv.debug {
            &[("systemd.show_status", "true"), ("systemd.log_level", "debug")]
        } else {
            &[("systemd.show_status", "false")]
        };
        extend(&mut params, chatty, &debug);
    }
    extend(&mut params, &[("panic", "1")], &Cause::constant());
    let most = hv.default_max_vcpus.to_string();
    extend(&mut params, &[("nr_cpus", &most)], &Cause::key(qemu!("default_maxvcpus")));
    configured(&mut params, config, qemu!("kernel_params"));
    params
}

impl Line<'_> {
    fn push(&mut self, texts: &[&str], cause: &Cause) {
        push(&mut self.args, texts, cause);
    }

    /// A virtio driver on this machine's bus.
    fn driver(&self, name: &str) -> String {
        format!("{name}-{}", if self.machine == "microvm" { "device" } else { "pci" })
    }

    /// The option that PCI devices have; nested guests get the old drivers.
    fn legacy(&self) -> &'static str {
        match (self.machine, self.host.facts.nested && !self.hv.disable_nesting_checks) {
            ("microvm", _) => "",
            (_, true) => ",disable-modern=true",
            (_, false) => ",disable-modern=false",
        }
    }

    fn machine(&mut self) {
        let hv = self.hv;
        self.push(&["-name", &format!("sandbox-{}", self.config.id)], &Cause::rule("the sandbox id"));
        self.push(&["-uuid", "{uuid}"], &Cause::rule("made when the VM starts"));
        let mut machine = format!("{},accel=kvm,kernel_irqchip", self.machine);
        if hv.iommu && self.machine == "q35" {
            machine.push_str("=split");
        }
        if !hv.image_path.is_empty() && !hv.disable_image_nvdimm {
            machine.push_str(",nvdimm=on");
        }
        if !hv.machine_accelerators.is_empty() {
            if !hv.machine_accelerators.starts_with(',') {
                machine.push(',');
            }
            machine.push_str(&hv.machine_accelerators);
        }
        let keys = [
            qemu!("machine_type"),
            qemu!("machine_accelerators"),
            qemu!("enable_iommu"),
            qemu!("disable_image_nvdimm"),
        ];
        self.push(&["-machine", &machine], &Cause::keys(keys));
        self.push(&["-cpu", &format!("host,{}", hv.cpu_features)], &Cause::key(qemu!("cpu_features")));
        let monitor = in_vm(self.config, "qmp.sock");
        self.push(&["-qmp", &format!("unix:{monitor},server=on,wait=off")], &Cause::constant());
        let mut memory = format!("{}M", hv.memory_size);
        // Eight bits are all there is for the number of slots.
        let slots = hv.mem_slots & 0xff;
        if slots > 0 {
            memory.push_str(&format!(",slots={slots}"));
        }
        let room = u64::from(hv.mem_offset.wrapping_add(NVDIMM_ROOM));
        memory.push_str(&format!(",maxmem={}M", self.host.facts.memory_mib + room));
        let cause = Cause::keys([qemu!("default_memory"), qemu!("memory_slots"), qemu!("memory_offset")])
            .by("at most: the memory of the host, the offset, and 1024 MiB");
        self.push(&["-m", &memory], &cause);
    }

    fn devices(&mut self) {
        let hv = self.hv;
        self.bridges();
        let legacy = self.legacy();
        let constant = Cause::constant();
        let serial = format!("{}{legacy},id=serial0", self.driver("virtio-serial"));
        self.push(&["-device", &serial], &constant);
        self.push(&["-device", "virtconsole,chardev=charconsole0,id=console0"], &constant);
        let console = in_vm(self.config, "console.sock");
        let console = format!("socket,id=charconsole0,path={console},server=on,wait=off");
        self.push(&["-chardev", &console], &constant);
        self.image();
        if hv.iommu {
            let device = "intel-iommu,intremap=on,device-iotlb=on,caching-mode=on";
            self.push(&["-device", device], &Cause::key(qemu!("enable_iommu")));
        }
        if !hv.guest_memory_dump_path.is_empty() {
            let cause = Cause::key(qemu!("guest_memory_dump_path"));
            self.push(&["-device", "pvpanic", "-no-shutdown"], &cause);
        }
        if hv.block_device_driver == "virtio-scsi" {
            let mut device = format!("{},id=scsi0{legacy}", self.driver("virtio-scsi"));
            if hv.enable_iothreads {
                device.push_str(",iothread=iothread-{nonce}");
            }
            let keys = [qemu!("block_device_driver"), qemu!("enable_iothreads")];
            self.push(&["-device", &device], &Cause::keys(keys));
        }
        let mut source = "rng-random,id=rng0".to_owned();
        if !hv.entropy_source.is_empty() {
            source.push_str(&format!(",filename={}", hv.entropy_source));
        }
        let random = format!("{},rng=rng0", self.driver("virtio-rng"));
        self.push(&["-object", &source, "-device", &random], &Cause::key(qemu!("entropy_source")));
        if self.machine == "q35" {
            for port in 0..hv.pcie_root_port {
                let device =
                    format!("pcie-root-port,id=rp{port},bus=pcie.0,chassis=0,slot={port},multifunction=off");
                self.push(&["-device", &device], &Cause::key(qemu!("pcie_root_port")));
            }
        }
        let socket = self.driver("vhost-vsock");
        let socket = format!("{socket}{legacy},vhostfd=3,id=vsock-{{cid}},guest-cid={{cid}}");
        self.push(&["-device", &socket], &Cause::rule("the agent is reached by vsock"));
        self.shared_folder();
    }

    fn bridges(&mut self) {
        let bus = match self.machine {
            "q35" | "virt" => "pcie.0",
            "pc" => "pci.0",
            _ => return,
        };
        for index in 0..self.hv.default_bridges.max(1) {
            let (chassis, address) = (index + 1, FIRST_BRIDGE + index);
            let device = format!(
                "pci-bridge,bus={bus},id=pci-bridge-{index},chassis_nr={chassis},shpc=on,addr={address:x}"
            );
            self.push(&["-device", &device], &Cause::key(qemu!("default_bridges")));
        }
    }

    fn image(&mut self) {
        let config = self.config;
        let image = config.asset(Asset::Image);
        if image.is_empty() || !config.asset(Asset::Initrd).is_empty() {
            return;
        }
        let cause = Cause::keys([qemu!("image"), qemu!("disable_image_nvdimm")]);
        if self.hv.disable_image_nvdimm {
            let (driver, legacy) = (self.driver("virtio-blk"), self.legacy());
            let device = format!(
                "{driver}{legacy},drive=image-{{nonce}},scsi=off,config-wce=off,share-rw=on,serial=image-{{nonce}}"
            );
            let drive = format!("id=image-{{nonce}},file={image},aio=threads,format=raw,if=none,readonly");
            self.push(&["-device", &device, "-drive", &drive], &cause);
            return;
        }
        // A file without content is no valid device, and is left out.
        if let Ok(stat) = self.host.stat(image)
            && stat.size > 0
        {
            let size = stat.size_text(|size| size.to_string());
            let object = format!("memory-backend-file,id=mem0,mem-path={image},size={size}");
            self.push(&["-device", "nvdimm,id=nv0,memdev=mem0", "-object", &object], &cause);
        }
    }

    fn shared_folder(&mut self) {
        let hv = self.hv;
        if hv.shared_fs == "virtio-fs" {
            let socket = in_vm(self.config, "vhost-fs.sock");
            let socket = format!("socket,id=char-{{nonce}},path={socket}");
            let mut device =
                format!("{},chardev=char-{{nonce}},tag=kataShared", self.driver("vhost-user-fs"));
            if hv.virtio_fs_cache_size != 0 {
                device.push_str(&format!(",cache-size={}M", hv.virtio_fs_cache_size));
            }
            let cause = Cause::keys([qemu!("shared_fs"), qemu!("virtio_fs_cache_size")]);
            self.push(&["-chardev", &socket, "-device", &device], &cause);
            return;
        }
        let (driver, legacy) = (self.driver("virtio-9p"), self.legacy());
        let device = format!("{driver}{legacy},fsdev=extra-9p-kataShared,mount_tag=kataShared");
        let folder = format!(
            "local,id=extra-9p-kataShared,path={},security_model=none,multidevs=remap",
            share(self.config)
        );
        self.push(&["-device", &device, "-fsdev", &folder], &Cause::key(qemu!("shared_fs")));
    }

    fn knobs(&mut self) {
        let hv = self.hv;
        let constant = Cause::constant();
        self.push(&["-rtc", "base=utc,driftfix=slew,clock=host"], &constant);
        self.push(&["-global", "kvm-pit.lost_tick_policy=discard"], &constant);
        for file in &hv.pflash {
            self.push(&["-pflash", file], &Cause::key(qemu!("pflashes")));
        }
        self.push(&["-vga", "none", "-no-user-config", "-nodefaults", "-nographic"], &constant);
        self.push(&["--no-reboot", "-daemonize"], &constant);
        self.memory();
        if !hv.mlock {
            self.push(&["-realtime", "mlock=off"], &Cause::key(qemu!("enable_swap")));
        }
    }

    fn memory(&mut self) {
        let hv = self.hv;
        let size = hv.memory_size;
        let shared_with_daemon = hv.shared_fs == "virtio-fs" || !hv.file_backed_mem_root_dir.is_empty();
        let folder = memory_folder(self.host, hv);
        let mut object = if hv.huge_pages {
            format!("memory-backend-file,id=dimm1,size={size}M,mem-path=/dev/hugepages")
        } else if let Some(folder) = folder {
            format!("memory-backend-file,id=dimm1,size={size}M,mem-path={folder}")
        } else {
            format!("memory-backend-ram,id=dimm1,size={size}M")
        };
        if folder.is_some() || hv.enable_vhost_user_store {
            object.push_str(",share=on");
        }
        if hv.mem_prealloc || (hv.huge_pages && shared_with_daemon) {
            object.push_str(",prealloc=on");
        }
        let keys = [
            qemu!("default_memory"),
            qemu!("enable_hugepages"),
            qemu!("shared_fs"),
            qemu!("file_mem_backend"),
            qemu!("enable_mem_prealloc"),
        ];
        self.push(&["-object", &object], &Cause::keys(keys));
        let node: [&str; 2] = if self.machine == "microvm" {
            ["-machine", "memory-backend=dimm1"]
        } else {
            ["-numa", "node,memdev=dimm1"]
        };
        self.push(&node, &Cause::key(qemu!("machine_type")));
    }

    fn kernel(&mut self, cmdline: &str) {
        let config = self.config;
        self.push(&["-kernel", config.asset(Asset::Kernel)], &Cause::key(qemu!("kernel")));
        let initrd = config.asset(Asset::Initrd);
        if !initrd.is_empty() {
            self.push(&["-initrd", initrd], &Cause::key(qemu!("initrd")));
        }
        self.push(&["-append", cmdline], &Cause::key(qemu!("kernel_params")));
    }

    fn rest(&mut self) {
        let (config, hv) = (self.config, self.hv);
        let firmware = config.asset(Asset::Firmware);
        if !firmware.is_empty() {
            self.push(&["-bios", firmware], &Cause::key(qemu!("firmware")));
        }
        if hv.block_device_driver == "virtio-scsi" && hv.enable_iothreads {
            let cause = Cause::key(qemu!("enable_iothreads"));
            self.push(&["-object", "iothread,id=iothread-{nonce}"], &cause);
        }
        self.push(&["-pidfile", &in_vm(config, "pid")], &Cause::constant());
        if hv.debug {
            self.push(&["-D", &in_vm(config, "qemu.log")], &Cause::key(qemu!("enable_debug")));
        }
        let (vcpus, most) = (hv.num_vcpus, hv.default_max_vcpus);
        let cpus = format!("{vcpus},cores=1,threads=1,sockets={most},maxcpus={most}");
        let cause = Cause::keys([qemu!("default_vcpus"), qemu!("default_maxvcpus")]);
        self.push(&["-smp", &cpus], &cause);
    }
}
