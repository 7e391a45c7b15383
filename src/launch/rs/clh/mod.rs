//! Cloud Hypervisor: its process, and the VM that its API is asked for.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/ch and src/runtime-rs/crates/hypervisor/ch-config at each tag.

mod vm_config;

use super::kernel::KernelLine;
use super::resources::{Resources, hardware};
use super::{Context, Refusal, Start, Vm, findings, refuse};
use crate::answer::launch::{Arg, Cause, Launch, Request};
use crate::input::host::{Arch, Protection as Hardware};
use crate::launch::body::{Body, bare_request};
use crate::launch::findings::Findings;
use crate::launch::line::Line;
use crate::release::rs::Change;

const MIB: u64 = 1024 * 1024;
/// What can be plugged in later is a multiple of this.
const PLUG_ALIGN: u64 = 2 * MIB;
const MAX_PHYS_BITS: u8 = 46;
/// Microsoft's hypervisor, whose guests cannot nest.
const MSHV: &str = "/dev/mshv";

const CAUSED_BY_CC: &[&str] = &["hypervisor.confidential_guest"];
const CAUSED_BY_MEMORY: &[&str] = &["hypervisor.default_memory"];
const CAUSED_BY_CPUS: &[&str] = &["hypervisor.default_vcpus", "hypervisor.default_max_vcpus"];
const CAUSED_BY_BOOT: &[&str] = &["hypervisor.image", "hypervisor.initrd"];

/// How the VM gets its memory.
#[derive(Debug, Clone)]
enum Memory {
    /// Of its own, with so much room to plug in.
    Own { size: u64, room: Option<u64> },
    /// In a file that becomes a template.
    Template { size: u64 },
}

/// A Cloud Hypervisor sandbox that will not fail any more.
pub(super) struct Clh<'a> {
    start: Start<'a>,
    resources: Resources<'a>,
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
    let name = match (start.hv.security_info.confidential_guest, hardware(&start.host.facts)) {
        (true, Hardware::None) => {
            return refuse("guest protection requested but no guest protection available", CAUSED_BY_CC);
        }
        (false, Hardware::Tdx) => {
            return refuse(
                "TDX guest protection available and must be used with Cloud Hypervisor (set 'confidential_guest=true')",
                CAUSED_BY_CC,
            );
        }
        (true, Hardware::Tdx) | (false, _) => return Ok(()),
        // The missing parenthesis is the runtime's; the number is as EPYC processors have it.
        (true, Hardware::Sev) => "sev (cbitpos: 51",
        (true, Hardware::Snp) => "snp (cbitpos: 51",
        (true, Hardware::Pef) => "pef",
        (true, _) => "se",
    };
    refuse(format!("Expected TDX protection, found {name}"), CAUSED_BY_CC)
}

/// Whether the guest is one of TDX.
fn has_tdx(start: &Start<'_>) -> bool {
    start.has(Change::ClhProtection) && hardware(&start.host.facts) == Hardware::Tdx
}

/// The hypervisor's program, which has to be there.
fn program(start: &Start<'_>) -> Result<String, Refusal> {
    let program = start.host.canonicalize(&start.hv.path);
    let program = program.map_err(|errno| Refusal::because(errno.rust(), &["hypervisor.path"]));
    Ok(program.context("launch failed")?.to_string())
}

impl<'a> Clh<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        if start.has(Change::ClhProtection) {
            protection(&start).context("prepare vm")?;
        } else {
            program(&start).context("prepare vm")?;
        }
        let resources = Resources::new(&start, !has_tdx(&start) || !start.has(Change::ClhTdxUnshared))?;
        Self::vm(start, resources).context("start vm")
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
            for endpoint in plan.resources.network.taps() {
                endpoint.open(plan.descriptors(endpoint)).context("open named tuntap")?;
            }
        }
        if let Some(share) = &plan.resources.share
            && u16::try_from(share.queue_size).is_err()
        {
            let message = "out of range integral type conversion attempted";
            return refuse(message, &["hypervisor.virtio_fs_queue_size"]);
        }
        plan.guest()?;
        plan.check_tdx()?;
        if start.hv.vm_template.boot_to_be_template {
            plan.memory = plan.template_memory().context("Memory config error")?;
        }
        (plan.vcpus, plan.max_vcpus) = plan.processors().context("CPU config error")?;
        let boot = &start.hv.boot_info;
        match (boot.initrd.is_empty(), boot.image.is_empty()) {
            (false, false) => return refuse("cannot specify image and initrd", CAUSED_BY_BOOT),
            (true, true) => return refuse("missing boot image (no rootfs image or initrd)", CAUSED_BY_BOOT),
            _ => {}
        }
        if boot.kernel.is_empty() {
            return refuse("Payload config error: No kernel specified", &["hypervisor.kernel"]);
        }
        if tdx && boot.firmware.is_empty() {
            return refuse("Payload config error: Need firmware for TDX", &["hypervisor.firmware"]);
        }
        if !start.hv.vm_template.boot_to_be_template {
            plan.memory = plan.own_memory().context("Memory config error")?;
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
        refuse(why, CAUSED_BY_CC)
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
        let refuse = |message: &str| refuse(message.to_owned(), CAUSED_BY_MEMORY);
        if hv.memory_info.default_memory == 0 {
            return refuse("No default memory specified");
        }
        if path.is_empty() {
            return refuse("Template memory path is empty");
        }
        if let Err(errno) = host.stat(path) {
            return refuse(&format!("Template memory path is not accessible: {path}: {}", errno.rust()));
        }
        if hv.shared_fs.shared_fs.is_some() {
            return refuse("Template mode requires no shared filesystem");
        }
        Ok(Memory::Template { size: u64::from(hv.memory_info.default_memory) * MIB })
    }

    fn own_memory(&self) -> Result<Memory, Refusal> {
        let wanted = self.start.hv.memory_info.default_memory;
        if wanted == 0 {
            return refuse("No default memory specified", CAUSED_BY_MEMORY);
        }
        let size = u64::from(wanted) * MIB;
        let most = self.start.host.facts.memory_mib.saturating_mul(MIB);
        if size > most {
            return refuse("Default memory size > available RAM", CAUSED_BY_MEMORY);
        }
        // Rounded up, and by a whole step where it is a multiple already.
        let rest = most - size;
        let room = (!self.closed).then(|| rest + PLUG_ALIGN - rest % PLUG_ALIGN);
        Ok(Memory::Own { size, room })
    }

    fn processors(&self) -> Result<(u32, u32), Refusal> {
        let (start, info) = (&self.start, &self.start.hv.cpu_info);
        let refuse = |message: &str| refuse(message.to_owned(), CAUSED_BY_CPUS);
        let range = "out of range integral type conversion attempted";
        if info.default_vcpus <= 0.0 {
            return refuse("Boot vCPUs cannot be zero or negative");
        }
        if info.default_maxvcpus == 0 {
            return refuse("Max vCPUs cannot be zero or negative");
        }
        let boot = info.default_vcpus.ceil() as u32;
        let max = if self.tdx { boot } else { info.default_maxvcpus };
        let wide = start.has(Change::ClhWideCpus);
        for (number, which) in [(boot, "boot"), (info.default_maxvcpus, "max")] {
            if !wide && u8::try_from(number).is_err() {
                return refuse(&format!("Too many {which} vCPUs specified: {range}"));
            }
        }
        if boot > max {
            return refuse("Boot vCPUs cannot be larger than max vCPUs");
        }
        if u16::try_from(max).is_err() {
            return refuse(&format!("Max vCPUs cannot be represented in CPU topology: {range}"));
        }
        Ok((boot, max))
    }

    fn args(&self) -> Vec<Arg> {
        let (start, keys) = (&self.start, self.start.keys);
        let mut line = Line::default();
        let by_api = Cause::key(keys.rootless).by("the runtime's control socket");
        line.push("--api-socket", format!("{}/ch-api.sock", start.paths.sandbox()), by_api);
        line.word_if(start.hv.debug_info.enable_debug, "-v", keys.enable_debug);
        let unfiltered = start.hv.security_info.disable_seccomp || start.has(Change::ClhSeccompOff);
        line.push_if(unfiltered, "--seccomp", "false", keys.disable_seccomp);
        line.args
    }

    fn requests(&self, cmdline: &str) -> Vec<Request> {
        let mut requests = vec![bare_request("GET", "vmm.ping")];
        let endpoints = self.resources.network.taps().map(|endpoint| self.add_net(endpoint));
        if self.restored {
            let source = format!("file://{}", self.start.paths.sandbox());
            requests.push(Body::default().set("source_url", source).request("PUT", "vm.restore"));
            requests.push(bare_request("GET", "vm.info"));
            requests.push(bare_request("PUT", "vm.resume"));
            requests.extend(endpoints);
            return requests;
        }
        requests.push(self.body(cmdline).request("PUT", "vm.create"));
        let boot = bare_request("PUT", "vm.boot");
        let told = self.start.has(Change::ClhCards);
        if self.resources.network.deferred {
            requests.push(boot);
            requests.extend(endpoints.filter(|_| told));
        } else {
            requests.extend(endpoints.filter(|_| told));
            requests.push(boot);
        }
        requests
    }
}

impl Vm for Clh<'_> {
    fn resources(&self) -> &Resources<'_> {
        &self.resources
    }

    fn kernel_params(&self) -> Vec<Arg> {
        if self.restored { Vec::new() } else { self.kernel.args() }
    }

    fn launch(&self, cmdline: &str) -> Launch {
        Launch {
            program: Some(Arg::new(&*self.program, self.start.keys.path.into())),
            args: self.args(),
            helpers: self.resources.helpers(),
            requests: self.requests(cmdline),
            ..Launch::default()
        }
    }

    fn findings(&self) -> Findings {
        let mut findings = findings::of(&self.resources);
        findings::dropped_disks(&self.resources, &mut findings);
        findings
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
