//! Firecracker: its process, and the calls to its API, most of them before anything is registered.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/firecracker at each tag.

use serde_json::{Value as Json, json};

use super::kernel::KernelLine;
use super::resources::{Protection, Resources};
use super::{Context, Refusal, Start, Vm, findings, refuse};
use crate::answer::finding::Code;
use crate::answer::launch::{Arg, Cause, Launch, Request};
use crate::launch::body::Body;
use crate::launch::findings::Findings;
use crate::launch::line::Line;
use crate::release::rs::Change;
use crate::runtime::rs::config::shortest;

/// Drives that stand by to be replaced, counted from 1.
const SPARE_DRIVES: std::ops::Range<u64> = 1..6;
/// `VMADDR_CID_ANY`: the agent's channel is announced a second time, without a number of its own.
const ANY_CID: u32 = u32::MAX;

/// A Firecracker sandbox that will not fail any more.
pub(super) struct Firecracker<'a> {
    start: Start<'a>,
    resources: Resources<'a>,
    kernel: KernelLine<'a>,
}

impl<'a> Firecracker<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let kernel = kernel(&start).context("prepare vm")?;
        // Folders cannot be shared.
        let resources = Resources::new(&start, false)?;
        unhandled(&start, &resources).context("set up device before start vm")?;
        Ok(Self { start, resources, kernel })
    }

    /// Where the VM's files are.
    fn folder(&self) -> String {
        let id = self.start.paths.id;
        if self.start.is_jailed() { format!("/run/kata/firecracker/{id}") } else { format!("/run/kata/{id}") }
    }

    fn args(&self) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut line = Line::default();
        let jail = Cause::key(keys.jailer_path);
        let api = jail.clone().by("the runtime's control socket");
        if self.start.is_jailed() {
            line.push("--id", self.start.paths.id, jail.clone().by("the sandbox id"));
            line.words(&["--gid", "0", "--uid", "0"], &jail);
            line.push("--exec-file", hv.path.as_str(), keys.path);
            line.words(&["--chroot-base-dir", "/run/kata", "--"], &jail);
            line.push("--api-sock", "/run//fc.sock", api);
        } else {
            line.push("--api-sock", format!("{}/run/fc.sock", self.folder()), api);
        }
        let unfiltered = hv.security_info.disable_seccomp && self.start.has(Change::SeccompSwitch);
        line.word_if(unfiltered, "--no-seccomp", keys.disable_seccomp);
        line.args
    }

    fn requests(&self, cmdline: &str) -> Vec<Request> {
        let (start, hv, keys) = (&self.start, self.start.hv, self.start.keys);
        let mut all = Vec::with_capacity(12);
        let boot = Body::default()
            .by("kernel_image_path", start.jailed(&hv.boot_info.kernel, "vmlinux"), keys.kernel)
            .by("boot_args", cmdline, keys.kernel_params);
        all.push(boot.request("PUT", "/boot-source"));
        if start.has(Change::MachineConfig) {
            let vcpus = hv.cpu_info.default_vcpus;
            let vcpus = match start.has(Change::RawVcpuCount) {
                true if start.has(Change::WholeVcpus) => json!(vcpus as i32),
                true => shortest(vcpus).into(),
                false => json!(vcpus.ceil() as u8),
            };
            let machine = Body::default()
                .by("mem_size_mib", hv.memory_info.default_memory, keys.default_memory)
                .by("vcpu_count", vcpus, keys.default_vcpus);
            all.push(machine.request("PUT", "/machine-config"));
        }
        let drive = |id: &str, path: String, read_only: bool| {
            Body::default()
                .set("drive_id", id)
                .set("path_on_host", path)
                .set("is_root_device", false)
                .set("is_read_only", read_only)
        };
        let root = drive("rootfs", start.jailed(&hv.boot_info.image, "rootfs"), true);
        all.push(root.because("path_on_host", keys.image).request("PUT", "/drives/rootfs"));
        let pool = if start.is_jailed() { "/".to_owned() } else { format!("{}/root", self.folder()) };
        for id in SPARE_DRIVES.map(|number| format!("drive{number}")) {
            all.push(drive(&id, format!("{pool}/{id}"), false).request("PUT", format!("/drives/{id}")));
        }
        let folder = if start.is_jailed() { String::new() } else { format!("{}/", self.folder()) };
        for cid in [3, ANY_CID] {
            let vsock = Body::default()
                .set("guest_cid", cid)
                .set("uds_path", format!("{folder}kata.hvsock"))
                .set("vsock_id", "root");
            all.push(vsock.request("PUT", "/vsock"));
        }
        for endpoint in &self.resources.network.endpoints {
            let endpoint = Body::default()
                .set("iface_id", "{nonce}")
                .set("guest_mac", &endpoint.mac)
                .set("host_dev_name", endpoint.tap());
            all.push(endpoint.request("PUT", "/network-interfaces/{nonce}"));
        }
        for disk in self.resources.disks.iter().filter(|disk| disk.index > 0) {
            let id = format!("drive{}", disk.index);
            let limiter = match self.rate_limiter() {
                limiter if start.has(Change::RateLimiterAsText) => limiter.to_string().into(),
                limiter => limiter,
            };
            let limits = start.has(Change::RateLimiterAsText) || start.has(Change::DriveRateLimiter);
            let replaced = Body::default()
                .set("drive_id", &id)
                .by("path_on_host", start.jailed(&disk.path, &id), self.resources.keys_of(disk).0)
                .set_if(limits, "rate_limiter", limiter)
                .because("rate_limiter/bandwidth", keys.disk_rate_limiter_bw_max_rate)
                .because("rate_limiter/ops", keys.disk_rate_limiter_ops_max_rate);
            all.push(replaced.request("PATCH", format!("/drives/{id}")));
        }
        let begin = Body::default().set("action_type", "InstanceStart");
        all.push(begin.request("PUT", "/actions"));
        all
    }

    fn rate_limiter(&self) -> Json {
        let info = &self.start.hv.blockdev_info;
        let bucket = |rate: u64, burst: Option<u64>| {
            (rate > 0).then(|| json!({ "size": rate, "one_time_burst": burst, "refill_time": 1000 }))
        };
        let bandwidth = bucket(info.disk_rate_limiter_bw_max_rate, info.disk_rate_limiter_bw_one_time_burst);
        let ops = bucket(info.disk_rate_limiter_ops_max_rate, info.disk_rate_limiter_ops_one_time_burst);
        if bandwidth.is_none() && ops.is_none() {
            return Json::Null;
        }
        json!({ "bandwidth": bandwidth, "ops": ops })
    }
}

impl Vm for Firecracker<'_> {
    fn resources(&self) -> &Resources<'_> {
        &self.resources
    }

    fn kernel_params(&self) -> Vec<Arg> {
        if self.kernel.check().is_ok() { self.kernel.args() } else { Vec::new() }
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let (program, key) = match self.start.is_jailed() {
            true => (&hv.jailer_path, keys.jailer_path),
            false => (&hv.path, keys.path),
        };
        Launch {
            program: Some(Arg::new(program.to_string(), key.into())),
            args: self.args(),
            requests: self.requests(cmdline),
            ..Launch::default()
        }
    }

    fn findings(&self) -> Findings {
        let keys = self.start.keys;
        let mut findings = findings::of(&self.resources);
        if self.kernel.check().is_err() {
            let message = "a kernel parameter without a name cannot be spelled, and the runtime then passes \
                           none at all: the guest will not find its root file system";
            findings.warn(Code::FailsLater, keys.kernel_params, message);
        }
        if self.resources.disks.iter().any(|disk| disk.index >= SPARE_DRIVES.end) {
            let message = "there are more disks than spare drives: the call for the sixth fails";
            findings.warn(Code::FailsLater, keys.guest_extension_images, message);
        }
        findings
    }
}

/// The guest's parameters; the root is named by the driver of the containers' disks.
fn kernel<'a>(start: &Start<'a>) -> Result<KernelLine<'a>, Refusal> {
    let (hv, keys) = (start.hv, start.keys);
    let mut line = KernelLine::new(start);
    line.push("pci", "off", Cause::constant());
    line.push("iommu", "off", Cause::constant());
    let decided = Cause::keys([keys.image, keys.block_device_driver]);
    line.root(start, &hv.blockdev_info.block_device_driver, decided, &hv.boot_info.rootfs_type, true)?;
    line.configured(start);
    // The jail needs something to bind.
    let jailed = !hv.jailer_path.is_empty();
    for (path, name, context) in [
        (&hv.boot_info.kernel, "vmlinux", "get resource KERNEL"),
        (&hv.boot_info.image, "rootfs", "get resource ROOTFS"),
    ] {
        if jailed && path.is_empty() {
            return refuse(format!("invalid param src  dst {name}"), &["hypervisor.image"]).context(context);
        }
    }
    Ok(line)
}

/// The VMM runs already when devices are registered, and knows only some of them.
fn unhandled(start: &Start<'_>, resources: &Resources<'_>) -> Result<(), Refusal> {
    // The misspelling was the runtime's.
    let added = if start.has(Change::DeviceSpelled) { "device" } else { "deivce" };
    if let Some(protection) = &resources.protection {
        let message = format!("unhandled device: Protection({})", debug_of(protection));
        return refuse(message, &["hypervisor.confidential_guest"]).context(&format!(
            "do handle protection device failed.: failed to add {added}: add protection device."
        ));
    }
    if resources.root_ports > 0 || resources.switch_ports > 0 {
        let ports = debug_of_ports(resources, start.has(Change::PortReserves));
        let message = format!("unhandled device: PortDevice({ports})");
        return refuse(message, &["hypervisor.pcie_root_port", "hypervisor.pcie_switch_port"])
            .context(&format!("do handle port device failed.: failed to add {added}: add port devices."));
    }
    Ok(())
}

/// More ports than a message needs: what the runtime says of a billion of them fits no memory.
const TOLD_PORTS: u32 = 10_000;

/// The ports as the runtime's message has them; it goes through them in random order.
fn debug_of_ports(resources: &Resources<'_>, reserves: bool) -> String {
    let (kind, total) = match resources.root_ports {
        0 => ("SwitchPort", resources.switch_ports),
        total => ("RootPort", total),
    };
    let room = if reserves { ", memsz_reserve: 33554432, pref64_reserve: 536870912" } else { "" };
    let ports: Vec<String> = (0..total.min(TOLD_PORTS))
        .map(|id| {
            format!(
                "{id}: TopologyPortDevice {{ id: {id}, bus: \"pcie.0\", allocated: false, connected_switch: None }}"
            )
        })
        .collect();
    format!(
        "PCIePortDevice {{ device_id: \"{{nonce}}\", config: PortDeviceConfig {{ port_type: {kind}, total_ports: {total}{room} }}, port_devices: {{{}}} }}",
        ports.join(", ")
    )
}

/// Protection as the runtime's messages have it.
pub(super) fn debug_of(protection: &Protection<'_>) -> String {
    let config = match protection {
        Protection::Sev { firmware } => sev(false, firmware, &None),
        Protection::Snp { firmware, host_data } => sev(true, firmware, host_data),
        Protection::Se => "Se".to_owned(),
        Protection::Tdx { firmware, qgs_port, mrconfigid } => format!(
            "Tdx(TdxConfig {{ id: \"tdx\", firmware: {firmware:?}, qgs_port: {qgs_port}, mrconfigid: {mrconfigid:?}, debug: false }})"
        ),
    };
    format!("ProtectionDevice {{ device_id: \"{{nonce}}\", config: {config} }}")
}

fn sev(snp: bool, firmware: &str, host_data: &Option<String>) -> String {
    format!(
        "SevSnp(SevSnpConfig {{ is_snp: {snp}, cbitpos: 51, phys_addr_reduction: 1, firmware: {firmware:?}, host_data: {host_data:?} }})"
    )
}
