//! ACRN: `acrn-dm` and its devices, slot by slot.
//!
//! Where the hypervisor knows eight VMs, the first is taken to be free; later the first processor is. The number
//! of vCPUs is not passed on. Facts: src/runtime/virtcontainers/acrn.go and acrn_arch_base.go from 2.0.0 to 3.9.0,
//! the last release with it.

use super::endpoint::Kind;
use super::guest_kernel::{Constants, configured, constants, debug, extend, rendered};
use super::network::Network;
use super::paths::Paths;
use super::qemu::check_vsock;
use super::{Change, NIL_POINTER, Plan, Refusal, Start, findings, or, process, refuse, requests};
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::input::host::Errno;
use crate::launch::line::Line;

const DEFAULT_PATH: &str = "/usr/bin/acrn-dm";
const DEFAULT_CONTROL_PATH: &str = "/usr/bin/acrnctl";
const CONSOLE_SOCKET: &str = "console.sock";
const FIRST_VM: &str = "a7ada506-1ab0-4b6b-a0da-e513ca9b8c2f";
/// Block devices without content, which are there to be exchanged later.
const SPARE_DRIVES: u32 = 8;
/// This slot belongs to the graphics card.
const RESERVED_SLOT: u32 = 2;
/// ACRN takes no longer name for a VM.
const NAME_LIMIT: usize = 15;

/// The guest's first parameters.
const KERNEL_PARAMS: Constants = &[
    (None, "tsc", "reliable"),
    (None, "no_timer_check", ""),
    (None, "nohpet", ""),
    (None, "console", "tty0"),
    (None, "console", "ttyS0"),
    (None, "console", "hvc0"),
    (None, "log_buf_len", "16M"),
    (None, "consoleblank", "0"),
    (Some(Change::AcrnUuid), "iommu", "off"),
    (Some(Change::AcrnUuid), "i915.avail_planes_per_pipe", "0x070F00"),
    (Some(Change::AcrnUuid), "i915.enable_hangcheck", "0"),
    (Some(Change::AcrnUuid), "i915.nuclear_pageflip", "1"),
    (Some(Change::AcrnUuid), "i915.enable_guc_loading", "0"),
    (Some(Change::AcrnUuid), "i915.enable_guc_submission", "0"),
    (Some(Change::AcrnUuid), "i915.enable_guc", "0"),
];

/// An ACRN sandbox that will not fail any more.
pub(super) struct Acrn<'a> {
    start: Start<'a>,
    program: &'a str,
    name: String,
    network: Network<'a>,
}

impl<'a> Acrn<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let Start { host, hv, paths, .. } = start;
        let is_missing = |path: &str| host.stat(path) == Err(Errno::NotFound);
        // Falls over what is not there; what asks for it is nobody's fault.
        let crash = |caused_by| Refusal::crash(NIL_POINTER, caused_by);
        let image = hv.image_asset_path();
        if image.is_empty() {
            return refuse("Image Path should not be empty: ", &["image"]);
        }
        paths.check_socket(CONSOLE_SOCKET)?;
        if start.has(Change::AcrnWithoutSandbox) {
            return Err(crash(&[]));
        }
        if is_missing(image) {
            return refuse(format!("stat {image}: no such file or directory"), &["image"]);
        }
        let program = or(hv.hypervisor_asset_path(), DEFAULT_PATH);
        if is_missing(program) {
            return refuse(format!("acrn path ({program}) does not exist"), &["path"]);
        }
        let control = or(hv.hypervisor_ctl_asset_path(), DEFAULT_CONTROL_PATH);
        if is_missing(control) {
            return refuse(format!("acrnctl path ({control}) does not exist"), &["ctlpath"]);
        }
        let name = match start.has(Change::AcrnUuid) {
            true => format!("sandbox-{}", paths.id),
            false => short_name(paths)?,
        };
        check_vsock(host)?;
        let network = Network::of(&start, |_| Ok(()))?;
        if process::not_startable(host, program).is_some() {
            return Err(crash(&["path"]));
        }
        Ok(Self { start, program, name, network })
    }

    fn args(&self, cmdline: &str) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut line = Line::default();
        let by_uuid = self.start.has(Change::AcrnUuid);
        line.push_if(by_uuid, "-U", FIRST_VM, Cause::rule("the first VM slot of ACRN that is free"));
        line.word("-A", Cause::constant());
        line.push("-m", format!("{}M", hv.default_memory), keys.default_memory);
        let mut slots = (0..).filter(|slot| *slot != RESERVED_SLOT);
        let mut slot = |line: &mut Line, device: &str, cause: Cause| {
            line.push("-s", format!("{}{device}", slots.next().unwrap_or_default()), cause);
        };
        slot(&mut line, ":0,hostbridge", Cause::constant());
        slot(&mut line, ":0,lpc", Cause::constant());
        line.word("-lcom1,stdio", Cause::constant());
        let console = self.start.paths.in_vm(CONSOLE_SOCKET);
        slot(&mut line, &format!(",virtio-console,@socket:console0={console}"), Cause::constant());
        slot(&mut line, &format!(",virtio-blk,{}", hv.image_asset_path()), keys.image.into());
        for _ in 0..SPARE_DRIVES {
            slot(&mut line, ",virtio-blk,nodisk", Cause::rule("a place for a container's disk"));
        }
        if !by_uuid {
            slot(&mut line, ",vhost-vsock,cid={cid}", Cause::rule("how the runtime reaches the agent"));
            line.push("--cpu_affinity", "0", Cause::rule("the next processor of the host, in turn"));
        }
        for endpoint in self.network.endpoints.iter().filter(|c| matches!(c.kind, Kind::Veth | Kind::Macvtap))
        {
            let cause = self.network.cause(&["runtime.internetworking_model"], endpoint);
            slot(&mut line, &format!(",virtio-net,{},mac={}", endpoint.tap, endpoint.interface.mac), cause);
        }
        line.push("-k", hv.kernel_asset_path(), keys.kernel);
        line.push_if(!cmdline.is_empty(), "-B", cmdline, keys.kernel_params);
        line.word(&*self.name, Cause::rule("the sandbox id"));
        line.args
    }
}

impl Plan for Acrn<'_> {
    fn kernel_params(&self) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut params = Vec::with_capacity(32);
        constants(&self.start, KERNEL_PARAMS, &mut params);
        let image = !hv.image.is_empty();
        if image {
            extend(&mut params, &[("root", "/dev/vda1 rw rootwait")], keys.image);
        }
        debug(&self.start, &[("debug", "")], &[("quiet", "")], &mut params);
        if image {
            let on = [
                ("systemd.show_status", "true"),
                ("systemd.log_level", "debug"),
                ("systemd.log_target", "kmsg"),
                ("printk.devkmsg", "on"),
            ];
            debug(&self.start, &on, &[("systemd.show_status", "false")], &mut params);
        }
        extend(&mut params, &[("panic", "1")], Cause::constant());
        extend(&mut params, &[("maxcpus", &hv.default_maxvcpus.to_string())], keys.default_maxvcpus);
        configured(&self.start, rendered, &mut params);
        params
    }

    fn launch(&self, cmdline: &str) -> Launch {
        Launch {
            program: Some(Arg::new(self.program, self.start.keys.path.into())),
            args: self.args(cmdline),
            ..Launch::default()
        }
    }

    fn network(&self) -> NetworkRequests {
        requests::requests(&self.start, &self.network)
    }

    fn findings(&self) -> Vec<Finding> {
        findings::of(&self.start, false).0
    }
}

/// The name of the VM, which no sandbox of a CRI is short enough for.
fn short_name(paths: Paths<'_>) -> Result<String, Refusal> {
    let name = format!("sbx-{}", paths.id);
    let length = name.len() - paths.id.len() + paths.id_length();
    if length > NAME_LIMIT {
        return refuse(
            format!("VM Name len is {length} but ACRN supports max VM name len of {NAME_LIMIT}."),
            &[],
        );
    }
    Ok(name)
}
