//! ACRN: `acrn-dm` and its devices, slot by slot.
//!
//! Where the hypervisor knows eight VMs, the first is taken to be free; later the first processor is. The number
//! of vCPUs is not passed on. Facts: src/runtime/virtcontainers/acrn.go and acrn_arch_base.go from 2.0.0 to 3.9.0,
//! the last release with it.

use super::endpoint::Kind;
use super::guest_kernel::{configured, extend, spelled};
use super::network::{Abilities, Network};
use super::paths::Paths;
use super::qemu::check_vsock;
use super::remarks::Remarks;
use super::{NIL_POINTER, Refusal, Started, process};
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch, joined};
use crate::input::Host;
use crate::input::host::Errno;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};

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

/// The guest's first parameters, in order, each with what brought or took it.
const KERNEL_PARAMS: [(Option<Change>, &str, &str); 15] = [
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

/// Everything that is decided before anything is spelled out.
pub(super) struct Plan<'a> {
    release: Release,
    config: &'a SandboxConfig,
    hv: &'a HypervisorConfig,
    keys: &'static HypervisorKeys,
    paths: Paths<'a>,
    program: &'a str,
    name: String,
    network: Network<'a>,
}

fn or<'a>(path: &'a str, default: &'static str) -> &'a str {
    if path.is_empty() { default } else { path }
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &'a Host, config: &'a SandboxConfig) -> Result<Self, Refusal> {
        let (hv, release) = (&config.hypervisor_config, config.release);
        let paths = Paths::of(config);
        let is_missing = |path: &str| host.stat(path) == Err(Errno::NotFound);
        // Falls over what is not there; what asks for it is nobody's fault.
        let crash = |blame| Refusal::crash(NIL_POINTER, blame);
        let image = hv.image_asset_path();
        if image.is_empty() {
            return Err(Refusal::because("Image Path should not be empty: ", &["image"]));
        }
        paths.check_socket(CONSOLE_SOCKET)?;
        if release.has(Change::AcrnWithoutSandbox) {
            return Err(crash(&[]));
        }
        if is_missing(image) {
            return Err(Refusal::because(format!("stat {image}: no such file or directory"), &["image"]));
        }
        let program = or(hv.hypervisor_asset_path(), DEFAULT_PATH);
        if is_missing(program) {
            return Err(Refusal::because(format!("acrn path ({program}) does not exist"), &["path"]));
        }
        let control = or(hv.hypervisor_ctl_asset_path(), DEFAULT_CONTROL_PATH);
        if is_missing(control) {
            return Err(Refusal::because(format!("acrnctl path ({control}) does not exist"), &["ctlpath"]));
        }
        let name = if release.has(Change::AcrnUuid) {
            format!("sandbox-{}", config.id)
        } else {
            short_name(&config.id, paths)?
        };
        check_vsock(host)?;
        let network = Network::of(host, config, Abilities { queues: false, limits: false }, |_| Ok(()))?;
        if process::not_startable(host, program).is_some() {
            return Err(crash(&["path"]));
        }
        Ok(Self {
            release,
            config,
            hv,
            keys: HypervisorKeys::of(HypervisorType::Acrn),
            paths,
            program,
            name,
            network,
        })
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started<'a> {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        Started {
            launch: Launch {
                program: Some(Arg::new(self.program, Cause::key(self.keys.path))),
                args: self.args(&kernel_cmdline),
                ..Launch::default()
            },
            kernel_params,
            kernel_cmdline,
            shares_files: false,
            findings: self.findings(host),
            network: Some(self.network),
        }
    }

    /// What fails after the point up to which the launch is modelled.
    pub(super) fn findings(&self, host: &Host) -> Vec<Finding> {
        Remarks::of(host, self.config, self.keys, false).0
    }

    fn args(&self, cmdline: &str) -> Vec<Arg> {
        let (hv, keys) = (self.hv, self.keys);
        let mut args = Vec::with_capacity(40);
        let mut push = |texts: &[&str], cause: Cause| {
            args.extend(texts.iter().map(|text| Arg::new(*text, cause.clone())));
        };
        let by_uuid = self.release.has(Change::AcrnUuid);
        if by_uuid {
            push(&["-U", FIRST_VM], Cause::rule("the first VM slot of ACRN that is free"));
        }
        push(&["-A"], Cause::constant());
        push(&["-m", &format!("{}M", hv.default_memory)], Cause::key(keys.default_memory));
        let mut slot = 0;
        let mut next = || {
            if slot == RESERVED_SLOT {
                slot += 1;
            }
            slot += 1;
            slot - 1
        };
        push(&["-s", &format!("{}:0,hostbridge", next())], Cause::constant());
        push(&["-s", &format!("{}:0,lpc", next()), "-lcom1,stdio"], Cause::constant());
        let console = self.paths.in_vm(CONSOLE_SOCKET);
        let console = format!("{},virtio-console,@socket:console0={console}", next());
        push(&["-s", &console], Cause::constant());
        let image = format!("{},virtio-blk,{}", next(), hv.image_asset_path());
        push(&["-s", &image], Cause::key(keys.image));
        for _ in 0..SPARE_DRIVES {
            let spare = format!("{},virtio-blk,nodisk", next());
            push(&["-s", &spare], Cause::rule("a place for a container's disk"));
        }
        if !by_uuid {
            let vsock = format!("{},vhost-vsock,cid={{cid}}", next());
            push(&["-s", &vsock], Cause::rule("how the runtime reaches the agent"));
            push(&["--cpu_affinity", "0"], Cause::rule("the next processor of the host, in turn"));
        }
        for card in self.network.endpoints.iter().filter(|c| matches!(c.kind, Kind::Veth | Kind::Macvtap)) {
            let text = format!("{},virtio-net,{},mac={}", next(), card.tap, card.interface.mac);
            push(&["-s", &text], self.network.cause(&["runtime.internetworking_model"], card));
        }
        push(&["-k", hv.kernel_asset_path()], Cause::key(keys.kernel));
        if !cmdline.is_empty() {
            push(&["-B", cmdline], Cause::key(keys.kernel_params));
        }
        push(&[&self.name], Cause::rule("the sandbox id"));
        args
    }

    fn kernel_params(&self) -> Vec<Arg> {
        let (hv, keys) = (self.hv, self.keys);
        let mut params = Vec::with_capacity(32);
        let there = |change: Option<Change>| change.is_none_or(|change| self.release.has(change));
        for (_, key, value) in KERNEL_PARAMS.iter().filter(|(change, ..)| there(*change)) {
            extend(&mut params, &[(*key, *value)], &Cause::constant());
        }
        let image = !hv.image.is_empty();
        if image {
            extend(&mut params, &[("root", "/dev/vda1 rw rootwait")], &Cause::key(keys.image));
        }
        let debug = Cause::key(keys.enable_debug);
        extend(&mut params, if hv.enable_debug { &[("debug", "")] } else { &[("quiet", "")] }, &debug);
        if image {
            let chatty: &[_] = if hv.enable_debug {
                &[
                    ("systemd.show_status", "true"),
                    ("systemd.log_level", "debug"),
                    ("systemd.log_target", "kmsg"),
                    ("printk.devkmsg", "on"),
                ]
            } else {
                &[("systemd.show_status", "false")]
            };
            extend(&mut params, chatty, &debug);
        }
        extend(&mut params, &[("panic", "1")], &Cause::constant());
        let most = hv.default_maxvcpus.to_string();
        extend(&mut params, &[("maxcpus", &most)], &Cause::key(keys.default_maxvcpus));
        configured(self.config, keys, spelled, &mut params);
        params
    }
}

/// The name of the VM, which no sandbox of a CRI is short enough for.
fn short_name(id: &str, paths: Paths<'_>) -> Result<String, Refusal> {
    let name = format!("sbx-{id}");
    let length = name.len() - id.len() + paths.id_length();
    if length > NAME_LIMIT {
        let message = format!("VM Name len is {length} but ACRN supports max VM name len of {NAME_LIMIT}.");
        return Err(Refusal::because(message, &[]));
    }
    Ok(name)
}
