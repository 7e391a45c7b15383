//! OpenVMM: its process, and the VM that it is asked for in one call.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/openvmm at 4.1.0.

use serde_json::{Value as Json, json};

use super::kernel::KernelLine;
use super::network::Card;
use super::remarks::Remarks;
use super::resources::{Disk, Driver, Resources};
use super::{Refusal, Spelled, Start, Within};
use crate::answer::finding::{Code, Severity};
use crate::answer::launch::{Arg, Cause, Launch, Request, joined};
use crate::input::host::MAC_TOKEN;

/// Numbers of the root ports on bus 0.
const ROOTFS: u32 = 1;
const SHARE: u32 = 2;
const VSOCK: u32 = 3;
const FIRST_CARD: u32 = 4;
/// So many network cards have a port.
const MOST_CARDS: usize = 4;
/// Ports for disks to come.
const SPARE: std::ops::Range<u32> = 8..32;

/// An OpenVMM sandbox that will not fail any more.
pub(super) struct Plan<'a> {
    start: Start<'a>,
    pub(super) resources: Resources<'a>,
    kernel: KernelLine<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let resources = Resources::new(&start, true)?;
        Self::vm(start, resources).within("start vm")
    }

    fn vm(start: Start<'a>, resources: Resources<'a>) -> Result<Self, Refusal> {
        let mut kernel = KernelLine::new(&start);
        let decided = Cause::key(start.keys.image).by("always virtio-blk");
        kernel.root(&start, "virtio-blk-pci", decided, &start.hv.boot_info.rootfs_type, false)?;
        kernel.configured(&start);
        kernel.check()?;
        if let Some(kind) = resources.share.as_ref().map(|share| share.kind.device())
            && kind != "virtio-fs"
        {
            return Err(Refusal::because(
                format!("openvmm only supports vhost-user virtio-fs (fs_type 'virtio-fs'), got '{kind}'"),
                &["hypervisor.shared_fs"],
            ));
        }
        let plan = Self { start, resources, kernel };
        if plan.cards().count() > MOST_CARDS {
            let message = format!("openvmm supports at most {MOST_CARDS} virtio-net-pci devices");
            return Err(Refusal::because(message, &[]));
        }
        Ok(plan)
    }

    /// The cards that it has: of those behind a process it takes none.
    fn cards(&self) -> impl Iterator<Item = &Card> {
        self.resources.network.cards.iter().filter(|card| card.tap().is_some())
    }

    /// Disks beside the root, plugged in once the VM runs.
    fn deferred(&self) -> impl Iterator<Item = &Disk<'a>> {
        let image = self.start.hv.boot_info.image.as_str();
        self.resources.disks.iter().filter(move |disk| image.is_empty() || disk.path != image)
    }

    /// The parameters; the console that others name is a serial port here.
    fn params(&self) -> Vec<Arg> {
        let mut params = self.kernel.args();
        for param in params.iter_mut().filter(|param| param.text.contains("console=hvc0")) {
            param.text = param.text.replace("console=hvc0", "console=ttyS0");
            param.cause.rule = "the console is a serial port here".into();
        }
        params
    }

    pub(super) fn spell(&self) -> Spelled {
        let start = &self.start;
        let (hv, keys, folder) = (start.hv, start.keys, format!("/run/kata/{}", start.paths.id));
        let kernel_params = self.params();
        let body = json!({
            "kernel": hv.boot_info.kernel,
            "initrd": hv.boot_info.initrd,
            "cmdline": joined(&kernel_params),
            "memory_mb": hv.memory_info.default_memory,
            "processor_count": hv.cpu_info.default_vcpus.ceil() as u32,
            "root_ports": self.ports(&folder),
            "deferred_block_devices": self.deferred().count(),
        });
        let causes = [
            ("/kernel", keys.kernel),
            ("/initrd", keys.initrd),
            ("/cmdline", keys.kernel_params),
            ("/memory_mb", keys.default_memory),
            ("/processor_count", keys.default_vcpus),
            ("/root_ports/0", keys.image),
            ("/deferred_block_devices", keys.initdata),
        ];
        let causes = causes.map(|(at, key)| (at.to_owned(), Cause::key(key))).into();
        let api = Cause::rule("the runtime's control socket");
        let launch = Launch {
            program: Some(Arg::new(hv.path.to_string(), Cause::key(start.keys.path))),
            args: vec![Arg::new("--ttrpc", api.clone()), Arg::new(format!("{folder}/openvmm.sock"), api)],
            helpers: self.resources.share.iter().filter_map(|share| share.helper(start)).collect(),
            requests: vec![Request { method: "rpc".into(), path: "CreateVM".into(), body, causes }],
            ..Launch::default()
        };
        Spelled { launch, kernel_params }
    }

    pub(super) fn remarks(&self) -> Remarks {
        let mut remarks = Remarks::of(&self.start, &self.resources);
        if self.deferred().any(|disk| disk.driver != Driver::Blk) {
            let message =
                "the VM is started, then the sandbox fails: OpenVMM plugs in virtio-blk-pci disks only";
            let key = self.start.keys.block_device_driver;
            remarks.add(Code::FailsLater, Severity::Warning, key, message.to_owned());
        }
        remarks
    }

    fn ports(&self, folder: &str) -> Vec<Json> {
        let port = |name: String, number: u32, hotplug: bool, attached: Option<String>| json!({ "name": name, "devfn": number << 3, "hotplug": hotplug, "attached": attached });
        let device = |text: String| Some(format!("device {{virtio {{{text}}}}}"));
        let mut all = Vec::with_capacity(27);
        let image = self.start.hv.boot_info.image.as_str();
        if !image.is_empty() {
            let disk = device(format!("blk {{backend {{file {{path: {image:?}}}}} read_only: true}}"));
            all.push(port("rootfs".to_owned(), ROOTFS, false, disk));
        }
        for (card, number) in self.cards().zip(0..) {
            // Bytes are set off by hyphens here, and letters are capitals.
            let mac = if card.mac == MAC_TOKEN {
                card.mac.clone()
            } else {
                card.mac.to_uppercase().replace(':', "-")
            };
            let net = device(format!(
                "net {{backend {{tap {{name: {:?}}}}} mac_address: {mac:?}}}",
                card.tap().unwrap_or_default()
            ));
            all.push(port(format!("net{number}"), FIRST_CARD + number, false, net));
        }
        if let Some(share) = &self.resources.share {
            let shared = device(format!(
                "vhost_user {{socket_path: {:?} device {{fs {{tag: \"kataShared\"}}}}}}",
                share.socket(&self.start)
            ));
            all.push(port("sharefs".to_owned(), SHARE, false, shared));
        }
        let channel = device(format!("vsock {{socket_path: \"{folder}/vsock.sock\"}}"));
        all.push(port("vsock".to_owned(), VSOCK, false, channel));
        all.extend(
            SPARE.zip(0..).map(|(number, name): (u32, u32)| port(format!("hp{name}"), number, true, None)),
        );
        all
    }
}
