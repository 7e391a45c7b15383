//! Firecracker: its process, and the calls to its API, most of them before anything is registered.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/firecracker at each tag.

use serde_json::{Value as Json, json};

use super::kernel::KernelLine;
use super::remarks::Remarks;
use super::resources::{Protection, Resources, Role};
use super::{Refusal, Spelled, Start, Within};
use crate::answer::finding::{Code, Severity};
use crate::answer::launch::{Arg, Cause, Launch, Request, joined};
use crate::launch::put;
use crate::release::rs::Change;
use crate::runtime::rs::config::shortest;

/// Drives that stand by to be replaced, counted from 1.
const SPARE_DRIVES: std::ops::Range<u64> = 1..6;
/// `VMADDR_CID_ANY`: the agent's channel is announced a second time, without a number of its own.
const ANY_CID: u32 = u32::MAX;

/// A Firecracker sandbox that will not fail any more.
pub(super) struct Plan<'a> {
    start: Start<'a>,
    pub(super) resources: Resources<'a>,
    kernel: KernelLine<'a>,
    jailed: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let kernel = kernel(&start).within("prepare vm")?;
        // Folders cannot be shared.
        let resources = Resources::new(&start, false)?;
        unhandled(&start, &resources).within("set up device before start vm")?;
        Ok(Self { jailed: !start.hv.jailer_path.is_empty(), start, resources, kernel })
    }

    /// Where the VM's files are.
    fn folder(&self) -> String {
        let id = &self.start.paths.id;
        if self.jailed { format!("/run/kata/firecracker/{id}") } else { format!("/run/kata/{id}") }
    }

    /// A host file as Firecracker names it: in the jail it is bound to a name of its own.
    fn resource(&self, path: &str, name: &str) -> String {
        if self.jailed { format!("/{name}") } else { path.to_owned() }
    }

    fn program(&self) -> (Arg, Vec<Arg>) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut args = Vec::new();
        let mut push = |text: &str, cause: &Cause| args.push(Arg::new(text, cause.clone()));
        let jail = Cause::key(keys.jailer_path);
        let api = jail.clone().by("the runtime's control socket");
        let program = if self.jailed {
            let id = jail.clone().by("the sandbox id");
            push("--id", &id);
            push(self.start.paths.id, &id);
            for text in ["--gid", "0", "--uid", "0"] {
                push(text, &jail);
            }
            let path = Cause::key(keys.path);
            push("--exec-file", &path);
            push(&hv.path, &path);
            for text in ["--chroot-base-dir", "/run/kata", "--"] {
                push(text, &jail);
            }
            push("--api-sock", &api);
            push("/run//fc.sock", &api);
            &hv.jailer_path
        } else {
            push("--api-sock", &api);
            push(&format!("{}/run/fc.sock", self.folder()), &api);
            &hv.path
        };
        if hv.security_info.disable_seccomp && self.start.has(Change::SeccompSwitch) {
            push("--no-seccomp", &Cause::key(keys.disable_seccomp));
        }
        let key = if self.jailed { keys.jailer_path } else { keys.path };
        (Arg::new(program.to_string(), Cause::key(key)), args)
    }

    pub(super) fn spell(&self) -> Spelled {
        let kernel_params = self.kernel.args();
        let cmdline = if self.kernel.check().is_ok() { joined(&kernel_params) } else { String::new() };
        let (program, args) = self.program();
        let launch =
            Launch { program: Some(program), args, requests: self.requests(&cmdline), ..Launch::default() };
        let kernel_params = if cmdline.is_empty() { Vec::new() } else { kernel_params };
        Spelled { launch, kernel_params }
    }

    pub(super) fn remarks(&self) -> Remarks {
        let start = &self.start;
        let mut remarks = Remarks::of(start, &self.resources);
        if self.kernel.check().is_err() {
            let message = "a kernel parameter without a name cannot be spelled, and the runtime then passes \
                           none at all: the guest will not find its root file system";
            remarks.add(Code::FailsLater, Severity::Warning, start.keys.kernel_params, message.to_owned());
        }
        let beyond = self.resources.disks.iter().any(|disk| disk.index >= SPARE_DRIVES.end);
        if beyond {
            let message = "there are more disks than spare drives: the call for the sixth fails";
            remarks.add(
                Code::FailsLater,
                Severity::Warning,
                start.keys.guest_extension_images,
                message.to_owned(),
            );
        }
        remarks
    }

    fn requests(&self, cmdline: &str) -> Vec<Request> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut all = Vec::with_capacity(12);
        let mut ask = |method: &str, path: String, body: Json, causes: &[(&str, &'static str)]| {
            all.push(Request {
                method: method.to_owned(),
                path,
                body,
                causes: causes.iter().map(|(at, key)| ((*at).to_owned(), Cause::key(*key))).collect(),
            });
        };
        ask(
            "PUT",
            "/boot-source".to_owned(),
            json!({ "kernel_image_path": self.resource(&hv.boot_info.kernel, "vmlinux"), "boot_args": cmdline }),
            &[("/kernel_image_path", keys.kernel), ("/boot_args", keys.kernel_params)],
        );
        if self.start.has(Change::MachineConfig) {
            let vcpus = hv.cpu_info.default_vcpus;
            let vcpus = match self.start.has(Change::RawVcpuCount) {
                true if self.start.has(Change::WholeVcpus) => json!(vcpus as i32),
                true => shortest(vcpus).into(),
                false => json!(vcpus.ceil() as u8),
            };
            ask(
                "PUT",
                "/machine-config".to_owned(),
                json!({ "mem_size_mib": hv.memory_info.default_memory, "vcpu_count": vcpus }),
                &[("/mem_size_mib", keys.default_memory), ("/vcpu_count", keys.default_vcpus)],
            );
        }
        let drive = |id: &str, path: String, read_only: bool| json!({ "drive_id": id, "path_on_host": path, "is_root_device": false, "is_read_only": read_only });
        let image = self.resource(&hv.boot_info.image, "rootfs");
        ask(
            "PUT",
            "/drives/rootfs".to_owned(),
            drive("rootfs", image, true),
            &[("/path_on_host", keys.image)],
        );
        let pool = if self.jailed { "/".to_owned() } else { format!("{}/root", self.folder()) };
        for number in SPARE_DRIVES {
            let id = format!("drive{number}");
            let body = drive(&id, format!("{pool}/{id}"), false);
            ask("PUT", format!("/drives/{id}"), body, &[]);
        }
        let socket =
            if self.jailed { "kata.hvsock".to_owned() } else { format!("{}/kata.hvsock", self.folder()) };
        for cid in [3, ANY_CID] {
            let body = json!({ "guest_cid": cid, "uds_path": socket, "vsock_id": "root" });
            ask("PUT", "/vsock".to_owned(), body, &[]);
        }
        for card in &self.resources.network.cards {
            let body = json!({ "iface_id": "{nonce}", "guest_mac": card.mac, "host_dev_name": card.tap() });
            ask("PUT", "/network-interfaces/{nonce}".to_owned(), body, &[]);
        }
        for disk in self.resources.disks.iter().filter(|disk| disk.index > 0) {
            let id = format!("drive{}", disk.index);
            let key = match disk.role {
                Role::Root => keys.image,
                Role::Extension(_) => keys.guest_extension_images,
                Role::Initdata => keys.initdata,
            };
            let mut body = json!({ "drive_id": id, "path_on_host": self.resource(&disk.path, &id) });
            if self.start.has(Change::RateLimiterAsText) {
                put(&mut body, "rate_limiter", self.rate_limiter().to_string().into());
            } else if self.start.has(Change::DriveRateLimiter) {
                put(&mut body, "rate_limiter", self.rate_limiter());
            }
            let causes = [
                ("/path_on_host", key),
                ("/rate_limiter/bandwidth", keys.disk_rate_limiter_bw_max_rate),
                ("/rate_limiter/ops", keys.disk_rate_limiter_ops_max_rate),
            ];
            ask("PATCH", format!("/drives/{id}"), body, &causes);
        }
        ask("PUT", "/actions".to_owned(), json!({ "action_type": "InstanceStart" }), &[]);
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
            let refusal = Refusal::because(format!("invalid param src  dst {name}"), &["hypervisor.image"]);
            return Err(refusal.within(context));
        }
    }
    Ok(line)
}

/// The VMM runs already when devices are registered, and knows only some of them.
fn unhandled(start: &Start<'_>, resources: &Resources<'_>) -> Result<(), Refusal> {
    // The misspelling was the runtime's.
    let added = if start.has(Change::DeviceSpelled) { "device" } else { "deivce" };
    if let Some(protection) = &resources.protection {
        let refusal = Refusal::because(
            format!("unhandled device: Protection({})", debug_of(protection)),
            &["hypervisor.confidential_guest"],
        );
        return Err(refusal.within(&format!(
            "do handle protection device failed.: failed to add {added}: add protection device."
        )));
    }
    if resources.root_ports > 0 || resources.switch_ports > 0 {
        let ports = debug_of_ports(resources, start.has(Change::PortReserves));
        let refusal = Refusal::because(
            format!("unhandled device: PortDevice({ports})"),
            &["hypervisor.pcie_root_port", "hypervisor.pcie_switch_port"],
        );
        return Err(refusal
            .within(&format!("do handle port device failed.: failed to add {added}: add port devices.")));
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
