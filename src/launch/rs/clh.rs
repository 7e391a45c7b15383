//! Cloud Hypervisor: its process, and the VM that its API is asked for.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/ch and src/runtime-rs/crates/hypervisor/ch-config at each tag.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::kernel::KernelLine;
use super::remarks::Remarks;
use super::resources::{Protection, Resources, hardware};
use super::share_fs::{self, Share};
use super::{Refusal, Start, Started, Within};
use crate::answer::launch::{Arg, Cause, Launch, Request, joined};
use crate::input::host::{Arch, Protection as Hardware};
use crate::launch::put;
use crate::runtime::rs::Change;

const MIB: u64 = 1024 * 1024;
/// What can be plugged in later is a multiple of this.
const PLUG_ALIGN: u64 = 2 * MIB;
const MAX_PHYS_BITS: u8 = 46;
/// Microsoft's hypervisor, whose guests cannot nest.
const MSHV: &str = "/dev/mshv";

const BLAME_CC: &[&str] = &["hypervisor.confidential_guest"];
const BLAME_MEMORY: &[&str] = &["hypervisor.default_memory"];
const BLAME_CPUS: &[&str] = &["hypervisor.default_vcpus", "hypervisor.default_max_vcpus"];
const BLAME_BOOT: &[&str] = &["hypervisor.image", "hypervisor.initrd"];

/// How the VM gets its memory.
#[derive(Debug, Clone)]
enum Memory {
    /// Of its own, with so much room to plug in.
    Own { size: u64, room: Option<u64> },
    /// In a file that becomes a template.
    Template { size: u64 },
}

/// A Cloud Hypervisor sandbox that will not fail any more.
pub(super) struct Plan<'a> {
    start: Start<'a>,
    pub(super) resources: Resources<'a>,
    program: String,
    tdx: bool,
    /// Restored from a template; nothing is created then.
    restored: bool,
    kernel: KernelLine<'a>,
    memory: Memory,
    vcpus: u32,
    max_vcpus: u32,
}

/// `handle_guest_protection`: this hypervisor knows TDX only, and must use it where it is.
fn protection(start: &Start<'_>) -> Result<(), Refusal> {
    let refuse = |message: Cow<'static, str>| Err(Refusal::because(message, BLAME_CC));
    match (start.hv.security_info.confidential_guest, hardware(&start.host.facts)) {
        (true, Hardware::None) => {
            refuse("guest protection requested but no guest protection available".into())
        }
        (true, Hardware::Tdx) | (false, Hardware::None) => Ok(()),
        (false, Hardware::Tdx) => refuse(
            "TDX guest protection available and must be used with Cloud Hypervisor (set 'confidential_guest=true')"
                .into(),
        ),
        (true, other) => {
            let name = match other {
                // The missing parenthesis is the runtime's; the number is as EPYC processors have it.
                Hardware::Sev => "sev (cbitpos: 51",
                Hardware::Snp => "snp (cbitpos: 51",
                _ => "se",
            };
            refuse(format!("Expected TDX protection, found {name}").into())
        }
        (false, _) => Ok(()),
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        protection(&start).within("prepare vm")?;
        let resources = Resources::new(&start, true)?;
        Self::vm(start, resources).within("start vm")
    }

    fn vm(start: Start<'a>, resources: Resources<'a>) -> Result<Self, Refusal> {
        let program = start.host.canonicalize(&start.hv.path);
        let program = program
            .map_err(|errno| Refusal::because(errno.rust(), &["hypervisor.path"]))
            .within("launch failed")?;
        let tdx = hardware(&start.host.facts) == Hardware::Tdx;
        let mut plan = Self {
            program: program.to_string(),
            tdx,
            restored: restores(&start),
            kernel: KernelLine::new(&start),
            memory: Memory::Own { size: 0, room: None },
            vcpus: 0,
            max_vcpus: 0,
            start,
            resources,
        };
        if plan.restored {
            return Ok(plan);
        }
        if let Some(share) = &plan.resources.share
            && u16::try_from(share.queue_size).is_err()
        {
            return Err(Refusal::because(
                "out of range integral type conversion attempted",
                &["hypervisor.virtio_fs_queue_size"],
            ));
        }
        plan.guest()?;
        plan.check_tdx()?;
        if start.hv.vm_template.boot_to_be_template {
            plan.memory = plan.template_memory().within("Memory config error")?;
        }
        (plan.vcpus, plan.max_vcpus) = plan.processors().within("CPU config error")?;
        let boot = &start.hv.boot_info;
        match (boot.initrd.is_empty(), boot.image.is_empty()) {
            (false, false) => return Err(Refusal::because("cannot specify image and initrd", BLAME_BOOT)),
            (true, true) => {
                return Err(Refusal::because("missing boot image (no rootfs image or initrd)", BLAME_BOOT));
            }
            _ => {}
        }
        if boot.kernel.is_empty() {
            return Err(Refusal::because(
                "Payload config error: No kernel specified",
                &["hypervisor.kernel"],
            ));
        }
        if tdx && boot.firmware.is_empty() {
            let message = "Payload config error: Need firmware for TDX";
            return Err(Refusal::because(message, &["hypervisor.firmware"]));
        }
        if !start.hv.vm_template.boot_to_be_template {
            plan.memory = plan.own_memory().within("Memory config error")?;
        }
        Ok(plan)
    }

    /// `get_kernel_params`
    fn guest(&mut self) -> Result<(), Refusal> {
        let start = self.start;
        let (hv, keys) = (start.hv, start.keys);
        let debug = Cause::key(keys.enable_debug);
        if !hv.debug_info.enable_debug {
            self.kernel.push("quiet", "", debug);
        } else if hv.security_info.confidential_guest {
            self.kernel.push("console", "hvc0", Cause::keys([keys.enable_debug, keys.confidential_guest]));
        } else {
            let port =
                if start.host.facts.arch == Arch::Aarch64 { "ttyAMA0,115200n8" } else { "ttyS0,115200n8" };
            self.kernel.push("console", port, debug);
        }
        let rootfs_type = match hv.boot_info.rootfs_type.as_str() {
            "" => "ext4",
            set => set,
        };
        let options = start.has(Change::ClhGuestOptions);
        let block = start.has(Change::ClhBlockRoot) || (options && hv.security_info.confidential_guest);
        let (driver, by) = match block {
            true => ("virtio-blk-pci", "always virtio-blk"),
            false => ("virtio-pmem", "always persistent memory"),
        };
        self.kernel.root(&start, driver, Cause::key(keys.image).by(by), rootfs_type, true)?;
        for (key, value) in [("no_timer_check", ""), ("noreplace-smp", ""), ("systemd.log_target", "console")]
        {
            if options {
                self.kernel.push(key, value, Cause::constant());
            }
        }
        self.kernel.configured(&start);
        self.kernel.check()
    }

    /// `check_tdx_rootfs_settings`
    fn check_tdx(&self) -> Result<(), Refusal> {
        if !self.tdx {
            return Ok(());
        }
        let hv = self.start.hv;
        let is_block = |driver: &str| matches!(driver, "virtio-blk-mmio" | "virtio-blk-pci");
        let why = if hv.boot_info.image.is_empty() {
            "TDX requires an image=, not an initrd="
        } else if !is_block(&hv.blockdev_info.block_device_driver) {
            "TDX requires virtio-blk container rootfs block device driver"
        } else if !is_block(self.rootfs_driver()) {
            "TDX requires virtio-blk VM rootfs driver"
        } else {
            return Ok(());
        };
        Err(Refusal::because(why, BLAME_CC))
    }

    /// Persistent memory is not supported and taken for virtio-blk.
    fn rootfs_driver(&self) -> &str {
        match self.start.hv.boot_info.vm_rootfs_driver.as_str() {
            "virtio-pmem" => "virtio-blk-pci",
            driver => driver,
        }
    }

    fn template_memory(&self) -> Result<Memory, Refusal> {
        let (host, hv) = (self.start.host, self.start.hv);
        let path = hv.vm_template.memory_path.as_str();
        let refuse = |message: String| Err(Refusal::because(message, BLAME_MEMORY));
        if hv.memory_info.default_memory == 0 {
            return refuse("No default memory specified".to_owned());
        }
        if path.is_empty() {
            return refuse("Template memory path is empty".to_owned());
        }
        if let Err(errno) = host.stat(path) {
            return refuse(format!("Template memory path is not accessible: {path}: {}", errno.rust()));
        }
        if hv.shared_fs.shared_fs.is_some() {
            return refuse("Template mode requires no shared filesystem".to_owned());
        }
        Ok(Memory::Template { size: u64::from(hv.memory_info.default_memory) * MIB })
    }

    fn own_memory(&self) -> Result<Memory, Refusal> {
        let wanted = self.start.hv.memory_info.default_memory;
        if wanted == 0 {
            return Err(Refusal::because("No default memory specified", BLAME_MEMORY));
        }
        let size = u64::from(wanted) * MIB;
        let most = self.start.host.facts.memory_mib.saturating_mul(MIB);
        if size > most {
            return Err(Refusal::because("Default memory size > available RAM", BLAME_MEMORY));
        }
        // Rounded up, and by a whole step where it is a multiple already.
        let rest = most - size;
        let room = (!self.tdx).then(|| rest + PLUG_ALIGN - rest % PLUG_ALIGN);
        Ok(Memory::Own { size, room })
    }

    fn processors(&self) -> Result<(u32, u32), Refusal> {
        let (start, info) = (&self.start, &self.start.hv.cpu_info);
        let refuse = |message: &'static str| Err(Refusal::because(message, BLAME_CPUS));
        if info.default_vcpus <= 0.0 {
            return refuse("Boot vCPUs cannot be zero or negative");
        }
        if info.default_maxvcpus == 0 {
            return refuse("Max vCPUs cannot be zero or negative");
        }
        let boot = info.default_vcpus.ceil() as u32;
        let max = if self.tdx { boot } else { info.default_maxvcpus };
        let wide = start.has(Change::ClhWideCpus);
        for (number, words) in [(boot, "Boot"), (info.default_maxvcpus, "Max")] {
            if !wide && u8::try_from(number).is_err() {
                let why = "out of range integral type conversion attempted";
                let message = match words {
                    "Boot" => format!("Too many boot vCPUs specified: {why}"),
                    _ => format!("Too many max vCPUs specified: {why}"),
                };
                return Err(Refusal::because(message, BLAME_CPUS));
            }
        }
        if boot > max {
            return refuse("Boot vCPUs cannot be larger than max vCPUs");
        }
        if u16::try_from(max).is_err() {
            return refuse(
                "Max vCPUs cannot be represented in CPU topology: out of range integral type conversion attempted",
            );
        }
        Ok((boot, max))
    }

    pub(super) fn spell(&self) -> Started {
        let (start, keys) = (&self.start, self.start.keys);
        let api = Cause::key(keys.rootless).by("the runtime's control socket");
        let mut args = vec![
            Arg::new("--api-socket", api.clone()),
            Arg::new(format!("{}/ch-api.sock", start.paths.sandbox()), api),
        ];
        if start.hv.debug_info.enable_debug {
            args.push(Arg::new("-v", Cause::key(keys.enable_debug)));
        }
        if start.hv.security_info.disable_seccomp || start.has(Change::ClhSeccompOff) {
            let cause = Cause::key(keys.disable_seccomp);
            args.extend(["--seccomp", "false"].map(|text| Arg::new(text, cause.clone())));
        }
        let helpers = self.resources.share.iter().filter_map(|share| share.helper(start)).collect();
        let ask = |method: &str, path: &str, body: Json| Request {
            method: method.to_owned(),
            path: path.to_owned(),
            body,
            causes: Vec::new(),
        };
        let mut requests = vec![ask("GET", "vmm.ping", Json::Null)];
        let kernel_params = if self.restored {
            let source = format!("file://{}", start.paths.sandbox());
            requests.push(ask("PUT", "vm.restore", json!({ "source_url": source })));
            requests.push(ask("GET", "vm.info", Json::Null));
            requests.push(ask("PUT", "vm.resume", Json::Null));
            Vec::new()
        } else {
            let params = self.kernel.args();
            requests.push(Request {
                method: "PUT".to_owned(),
                path: "vm.create".to_owned(),
                body: self.body(&joined(&params)),
                causes: self.causes(),
            });
            requests.push(ask("PUT", "vm.boot", Json::Null));
            params
        };
        let launch =
            Launch { program: Some(self.program.clone()), args, helpers, requests, ..Launch::default() };
        Started { launch, kernel_params }
    }

    pub(super) fn remarks(&self) -> Remarks {
        let mut remarks = Remarks::of(&self.start);
        remarks.dropped_disks(&self.start, &self.resources);
        remarks
    }

    fn cpus(&self) -> Json {
        let info = &self.start.hv.cpu_info;
        let nested = if !self.start.has(Change::ClhMshv) {
            None
        } else if self.start.host.finds(MSHV) {
            Some(false)
        } else {
            info.disable_nested_virtualization.map(|disabled| !disabled)
        };
        let mut cpus = json!({
            "boot_vcpus": self.vcpus,
            "max_vcpus": self.max_vcpus,
            "topology": {
                "threads_per_core": 1,
                "cores_per_die": self.max_vcpus,
                "dies_per_package": 1,
                "packages": 1,
            },
            "kvm_hyperv": false,
        });
        if let Some(nested) = nested {
            put(&mut cpus, "nested", json!(nested));
        }
        put(&mut cpus, "max_phys_bits", json!(MAX_PHYS_BITS));
        put(
            &mut cpus,
            "features",
            if self.start.host.facts.arch == Arch::X86_64 {
                json!({ "amx": info.cpu_features.split(',').any(|feature| feature == "amx") })
            } else {
                json!({})
            },
        );
        cpus
    }

    fn memory(&self) -> Json {
        let prefault = self.start.hv.memory_info.enable_mem_prealloc && self.start.has(Change::Prealloc);
        let (size, room, zone) = match self.memory {
            Memory::Own { size, room } => (size, room, None),
            Memory::Template { size } => (0, None, Some(size)),
        };
        let mut memory = json!({ "size": size, "mergeable": false, "hotplug_method": "Acpi" });
        if let Some(room) = room {
            put(&mut memory, "hotplug_size", json!(room));
        }
        put(&mut memory, "shared", json!(true));
        put(&mut memory, "hugepages", json!(false));
        put(&mut memory, "prefault", json!(prefault));
        if let Some(size) = zone {
            put(
                &mut memory,
                "zones",
                json!([{
                    "id": "mem0",
                    "size": size,
                    "file": self.start.hv.vm_template.memory_path,
                    "shared": true,
                    "hugepages": false,
                    "hugepage_size": null,
                    "host_numa_node": null,
                    "hotplug_size": null,
                    "hotplugged_size": null,
                    "prefault": prefault,
                }]),
            );
        }
        memory
    }

    fn payload(&self, cmdline: &str) -> Json {
        let boot = &self.start.hv.boot_info;
        let set = |text: &str| if text.is_empty() { Json::Null } else { json!(text) };
        let (mrconfigid, host_data) = match &self.resources.protection {
            Some(Protection::Tdx { mrconfigid, .. }) => (mrconfigid.clone(), None),
            Some(Protection::Snp { host_data, .. }) => (None, host_data.clone()),
            _ => (None, None),
        };
        let mut payload = json!({
            "firmware": set(&boot.firmware),
            "kernel": boot.kernel,
            "cmdline": set(cmdline),
            "initramfs": set(&boot.initrd),
        });
        if self.start.has(Change::ClhHostData) {
            put(&mut payload, "mrconfigid", json!(mrconfigid));
            put(&mut payload, "host_data", json!(host_data));
        }
        payload
    }

    /// The image as a disk.
    fn disk(&self) -> Json {
        let mut disk = json!({
            "path": self.start.hv.boot_info.image,
            "readonly": true,
            "direct": false,
            "iommu": false,
            "num_queues": 1,
            "queue_size": 128,
            "vhost_user": false,
            "vhost_socket": null,
            "rate_limiter_config": null,
            "id": null,
            "disable_io_uring": false,
            "pci_segment": 0,
        });
        if self.start.has(Change::ClhSparse) {
            put(&mut disk, "sparse", json!(true));
        }
        if self.start.has(Change::ClhImageType) {
            put(&mut disk, "image_type", json!("Unknown"));
        }
        disk
    }

    /// The image as persistent memory.
    fn persistent(&self) -> Json {
        json!({
            "file": self.start.hv.boot_info.image,
            "size": null,
            "iommu": false,
            "discard_writes": true,
            "id": null,
            "pci_segment": 0,
        })
    }

    /// The VM, in the order of upstream's structs.
    fn body(&self, cmdline: &str) -> Json {
        let hv = self.start.hv;
        let mut vm =
            json!({ "cpus": self.cpus(), "memory": self.memory(), "payload": self.payload(cmdline) });
        let is_disk = self.tdx || self.start.has(Change::ClhBlockRoot);
        if !hv.boot_info.image.is_empty() && is_disk {
            put(&mut vm, "disks", json!([self.disk()]));
        }
        let entropy = hv.machine_info.entropy_source.as_str();
        let entropy = if entropy.is_empty() { "/dev/urandom" } else { entropy };
        if self.start.has(Change::ClhNetAtCreation) {
            put(&mut vm, "net", json!([]));
        }
        put(&mut vm, "rng", json!({ "src": entropy, "iommu": false }));
        if hv.device_info.reclaim_guest_freed_memory && self.start.has(Change::Balloon) {
            put(
                &mut vm,
                "balloon",
                json!({ "size": 0, "deflate_on_oom": false, "free_page_reporting": true }),
            );
        }
        if !hv.boot_info.image.is_empty() && !is_disk {
            put(&mut vm, "pmem", json!([self.persistent()]));
        }
        put(&mut vm, "fs", self.resources.share.iter().map(|share| self.shared(share)).collect());
        let talks =
            |on: bool| json!({ "file": null, "mode": if on { "Tty" } else { "Off" }, "iommu": false });
        put(&mut vm, "serial", talks(hv.debug_info.enable_debug && !self.tdx));
        put(&mut vm, "console", talks(hv.debug_info.enable_debug && self.tdx));
        if self.start.has(Change::ClhHostDevices) {
            put(&mut vm, "devices", json!([]));
        }
        put(
            &mut vm,
            "vsock",
            json!({
                "cid": 3,
                "socket": format!("{}/ch-vm.sock", self.start.paths.sandbox()),
                "iommu": false,
                "id": null,
                "pci_segment": 0,
            }),
        );
        put(&mut vm, "iommu", json!(false));
        put(&mut vm, "watchdog", json!(false));
        if self.tdx {
            put(
                &mut vm,
                "platform",
                json!({
                    "num_pci_segments": 1,
                    "iommu_segments": null,
                    "serial_number": null,
                    "uuid": null,
                    "oem_strings": null,
                    "tdx": true,
                }),
            );
        }
        vm
    }

    fn shared(&self, share: &Share) -> Json {
        let paths = &self.start.paths;
        let folder = if share.kind == share_fs::Kind::Inline && !paths.is_rootless() {
            paths.sandbox()
        } else {
            paths.jail_link()
        };
        json!({
            "tag": "kataShared",
            "socket": format!("{folder}/virtiofsd.sock"),
            "num_queues": 1,
            "queue_size": if self.start.has(Change::QueueSize) { share.queue_size } else { 1024 },
            "id": null,
            "pci_segment": 0,
        })
    }

    fn causes(&self) -> Vec<(String, Cause)> {
        let keys = self.start.keys;
        let mut causes: Vec<(String, Cause)> = [
            ("/cpus/boot_vcpus", keys.default_vcpus),
            ("/cpus/max_vcpus", keys.default_maxvcpus),
            ("/cpus/topology/cores_per_die", keys.default_maxvcpus),
            ("/cpus/nested", keys.disable_nested_virtualization),
            ("/cpus/features", keys.cpu_features),
            ("/memory/size", keys.default_memory),
            ("/memory/prefault", keys.enable_mem_prealloc),
            ("/memory/zones", keys.boot_to_be_template),
            ("/payload/kernel", keys.kernel),
            ("/payload/cmdline", keys.kernel_params),
            ("/payload/initramfs", keys.initrd),
            ("/payload/firmware", keys.firmware),
            ("/payload/mrconfigid", keys.initdata),
            ("/payload/host_data", keys.initdata),
            ("/disks/0", keys.image),
            ("/rng/src", keys.entropy_source),
            ("/balloon", keys.reclaim_guest_freed_memory),
            ("/fs", keys.shared_fs),
            ("/fs/0/queue_size", keys.virtio_fs_queue_size),
            ("/serial/mode", keys.enable_debug),
            ("/console/mode", keys.enable_debug),
            ("/platform", keys.confidential_guest),
            ("/vsock/socket", keys.rootless),
        ]
        .map(|(pointer, key)| (pointer.to_owned(), Cause::key(key)))
        .into();
        let room = Cause::key(keys.default_memory).by("what is left of the host's memory");
        causes.push(("/memory/hotplug_size".to_owned(), room));
        causes
    }
}

/// `should_restore_from_template`: whether all that a template is made of is there.
fn restores(start: &Start<'_>) -> bool {
    let template = &start.hv.vm_template;
    let path = template.memory_path.as_str();
    if !template.boot_from_template || path.is_empty() || path == "/" {
        return false;
    }
    let folder = path.trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder);
    let inside = |file: &str| if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
    [path.to_owned(), inside("state.json"), inside("config.json")].iter().all(|file| start.host.finds(file))
}
