//! OpenVMM: its process, and the VM that it is asked for in one call.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/openvmm at 4.1.0.

use serde_json::{Value as Json, json};

use super::kernel::KernelLine;
use super::resources::{Disk, Driver, Resources};
use super::{Context, Refusal, Start, Vm, findings, refuse};
use crate::answer::finding::Code;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::input::host::MAC_TOKEN;
use crate::launch::body::Body;
use crate::launch::findings::Findings;
use crate::launch::line::Line;

/// Numbers of the root ports on bus 0.
const ROOTFS: u32 = 1;
const SHARE: u32 = 2;
const VSOCK: u32 = 3;
const FIRST_ENDPOINT: u32 = 4;
/// So many network endpoints have a port.
const MOST_ENDPOINTS: usize = 4;
/// Ports for disks to come.
const SPARE: std::ops::Range<u32> = 8..32;

/// An OpenVMM sandbox that will not fail any more.
pub(super) struct OpenVmm<'a> {
    start: Start<'a>,
    resources: Resources<'a>,
    kernel: KernelLine<'a>,
}

impl<'a> OpenVmm<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let resources = Resources::new(&start, true)?;
        Self::vm(start, resources).context("start vm")
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
            let message =
                format!("openvmm only supports vhost-user virtio-fs (fs_type 'virtio-fs'), got '{kind}'");
            return refuse(message, &["hypervisor.shared_fs"]);
        }
        let vm = Self { start, resources, kernel };
        if vm.resources.network.taps().count() > MOST_ENDPOINTS {
            return refuse(format!("openvmm supports at most {MOST_ENDPOINTS} virtio-net-pci devices"), &[]);
        }
        Ok(vm)
    }

    /// Disks beside the root, plugged in once the VM runs.
    fn deferred(&self) -> impl Iterator<Item = &Disk<'a>> {
        let image = self.start.hv.boot_info.image.as_str();
        self.resources.disks.iter().filter(move |disk| image.is_empty() || disk.path != image)
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
        for (endpoint, number) in self.resources.network.taps().zip(0..) {
            // Bytes are set off by hyphens here, and letters are capitals.
            let mac = if endpoint.mac == MAC_TOKEN {
                endpoint.mac.clone()
            } else {
                endpoint.mac.to_uppercase().replace(':', "-")
            };
            let net = device(format!(
                "net {{backend {{tap {{name: {:?}}}}} mac_address: {mac:?}}}",
                endpoint.tap().unwrap_or_default()
            ));
            all.push(port(format!("net{number}"), FIRST_ENDPOINT + number, false, net));
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

impl Vm for OpenVmm<'_> {
    fn resources(&self) -> &Resources<'_> {
        &self.resources
    }

    /// The console that others name is a serial port here.
    fn kernel_params(&self) -> Vec<Arg> {
        let mut params = self.kernel.args();
        for param in params.iter_mut().filter(|param| param.text.contains("console=hvc0")) {
            param.text = param.text.replace("console=hvc0", "console=ttyS0");
            param.cause.rule = "the console is a serial port here".into();
        }
        params
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let (hv, keys, folder) =
            (self.start.hv, self.start.keys, format!("/run/kata/{}", self.start.paths.id));
        let create = Body::default()
            .by("kernel", &hv.boot_info.kernel, keys.kernel)
            .by("initrd", &hv.boot_info.initrd, keys.initrd)
            .by("cmdline", cmdline, keys.kernel_params)
            .by("memory_mb", hv.memory_info.default_memory, keys.default_memory)
            .by("processor_count", hv.cpu_info.default_vcpus.ceil() as u32, keys.default_vcpus)
            .set("root_ports", self.ports(&folder))
            .because("root_ports/0", keys.image)
            .by("deferred_block_devices", self.deferred().count(), keys.initdata);
        let mut line = Line::default();
        let by_api = Cause::rule("the runtime's control socket");
        line.push("--ttrpc", format!("{folder}/openvmm.sock"), by_api);
        Launch {
            program: Some(Arg::new(hv.path.to_string(), keys.path.into())),
            args: line.args,
            helpers: self.resources.helpers(),
            requests: vec![create.request("rpc", "CreateVM")],
            ..Launch::default()
        }
    }

    fn findings(&self) -> Findings {
        let mut findings = findings::of(&self.resources);
        if self.deferred().any(|disk| disk.driver != Driver::Blk) {
            let message =
                "the VM is started, then the sandbox fails: OpenVMM plugs in virtio-blk-pci disks only";
            findings.warn(Code::FailsLater, self.start.keys.block_device_driver, message);
        }
        findings
    }
}
