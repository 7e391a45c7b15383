//! Cloud Hypervisor: its process, and the VM that its API is asked for.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/ch and src/runtime-rs/crates/hypervisor/ch-config at each tag.

mod vm_config;

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::kernel::KernelLine;
use super::remarks::Remarks;
use super::resources::{Resources, hardware};
use super::{Refusal, Spelled, Start, Within};
use crate::answer::launch::{Arg, Cause, Launch, Request, joined};
use crate::input::host::{Arch, Protection as Hardware};
use crate::release::rs::Change;

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
    /// Without persistent memory, room to grow and a serial port; a confidential guest's way, TDX or not, before
    /// the host was asked.
    closed: bool,
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
                Hardware::Pef => "pef",
                _ => "se",
            };
            refuse(format!("Expected TDX protection, found {name}").into())
        }
        (false, _) => Ok(()),
    }
}

/// Whether the guest is one of TDX.
fn has_tdx(start: &Start<'_>) -> bool {
    start.has(Change::ClhProtection) && hardware(&start.host.facts) == Hardware::Tdx
}

/// The hypervisor's program, which has to be there.
fn program(start: &Start<'_>) -> Result<String, Refusal> {
    let program = start.host.canonicalize(&start.hv.path);
    let program = program.map_err(|errno| Refusal::because(errno.rust(), &["hypervisor.path"]));
    Ok(program.within("launch failed")?.to_string())
}

impl<'a> Plan<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        if start.has(Change::ClhProtection) {
            protection(&start).within("prepare vm")?;
        } else {
            program(&start).within("prepare vm")?;
        }
        let resources = Resources::new(&start, !has_tdx(&start) || !start.has(Change::ClhTdxUnshared))?;
        Self::vm(start, resources).within("start vm")
    }

    fn vm(start: Start<'a>, resources: Resources<'a>) -> Result<Self, Refusal> {
        let tdx = has_tdx(&start);
        let mut plan = Self {
            program: program(&start)?,
            tdx,
            closed: tdx || (!start.has(Change::ClhProtection) && start.hv.security_info.confidential_guest),
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
        if start.has(Change::ClhCards) && !plan.resources.network.deferred {
            for card in plan.cards() {
                card.open(plan.descriptors(card)).within("open named tuntap")?;
            }
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
        let room = (!self.closed).then(|| rest + PLUG_ALIGN - rest % PLUG_ALIGN);
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

    pub(super) fn spell(&self) -> Spelled {
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
            requests.extend(self.cards().map(|card| self.add_net(card)));
            Vec::new()
        } else {
            let params = self.kernel.args();
            requests.push(Request {
                method: "PUT".to_owned(),
                path: "vm.create".to_owned(),
                body: self.body(&joined(&params)),
                causes: self.causes(),
            });
            let cards: Vec<Request> = match start.has(Change::ClhCards) {
                true => self.cards().map(|card| self.add_net(card)).collect(),
                false => Vec::new(),
            };
            let boot = ask("PUT", "vm.boot", Json::Null);
            if self.resources.network.deferred {
                requests.push(boot);
                requests.extend(cards);
            } else {
                requests.extend(cards);
                requests.push(boot);
            }
            params
        };
        let program = Arg::new(&*self.program, Cause::key(self.start.keys.path));
        let launch = Launch { program: Some(program), args, helpers, requests, ..Launch::default() };
        Spelled { launch, kernel_params }
    }

    pub(super) fn remarks(&self) -> Remarks {
        let mut remarks = Remarks::of(&self.start, &self.resources);
        remarks.dropped_disks(&self.start, &self.resources);
        remarks
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
