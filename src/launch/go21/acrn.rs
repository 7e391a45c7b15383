//! ACRN: `acrn-dm` and its devices, slot by slot.
//!
//! The first of the eight VMs that the hypervisor knows is taken to be free. The number of vCPUs is not
//! passed on, and neither is the agent's socket: this VM has no vsock device. Facts:
//! src/runtime/virtcontainers/acrn.go and acrn_arch_base.go at 2.1.0.

use super::process::not_startable;
use super::{Refusal, Started, configured, extend, in_vm, joined, push};
use crate::input::Host;
use crate::input::host::Errno;
use crate::launch::{Arg, Cause, Launch};
use crate::runtime::go21::config::{Asset, SandboxConfig, SandboxHypervisor};

macro_rules! acrn {
    ($key:literal) => {
        concat!("hypervisor.acrn.", $key)
    };
}

const FIRST_VM: &str = "a7ada506-1ab0-4b6b-a0da-e513ca9b8c2f";
/// Block devices without content, which are there to be exchanged later.
const SPARE_DRIVES: u32 = 8;
/// This slot belongs to the graphics card.
const RESERVED_SLOT: u32 = 2;

const KERNEL_PARAMS: [(&str, &str); 15] = [
    ("tsc", "reliable"),
    ("no_timer_check", ""),
    ("nohpet", ""),
    ("console", "tty0"),
    ("console", "ttyS0"),
    ("console", "hvc0"),
    ("log_buf_len", "16M"),
    ("consoleblank", "0"),
    ("iommu", "off"),
    ("i915.avail_planes_per_pipe", "0x070F00"),
    ("i915.enable_hangcheck", "0"),
    ("i915.nuclear_pageflip", "1"),
    ("i915.enable_guc_loading", "0"),
    ("i915.enable_guc_submission", "0"),
    ("i915.enable_guc", "0"),
];

fn is_missing(host: &Host, path: &str) -> bool {
    host.stat(path).err() == Some(Errno::NotFound)
}

/// Where upstream gives up.
pub(super) fn check(host: &Host, config: &SandboxConfig<'_>) -> Result<(), Refusal> {
    let image = config.asset(Asset::Image);
    if is_missing(host, image) {
        return Err(Refusal::because(format!("stat {image}: no such file or directory"), &["image"]));
    }
    let program = config.asset(Asset::Hypervisor);
    if is_missing(host, program) {
        return Err(Refusal::because(format!("acrn path ({program}) does not exist"), &["path"]));
    }
    let control = config.asset(Asset::HypervisorCtl);
    if is_missing(host, control) {
        return Err(Refusal::because(format!("acrnctl path ({control}) does not exist"), &["ctlpath"]));
    }
    if !host.vhost_vsock() {
        return Err(Refusal::because("open /dev/vhost-vsock: no such file or directory", &[]));
    }
    if not_startable(host, program).is_some() {
        // The process that is not there is asked for its number.
        let message = "panic: runtime error: invalid memory address or nil pointer dereference";
        return Err(Refusal::crash(message, &["path"]));
    }
    Ok(())
}

/// Spells it out.
pub(super) fn start(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Started {
    let kernel_params = kernel_params(config, hv);
    let kernel_cmdline = joined(&kernel_params);
    let mut args = Vec::with_capacity(40);
    push(&mut args, &["-U", FIRST_VM], &Cause::rule("the first VM slot of ACRN that is free"));
    push(&mut args, &["-A"], &Cause::constant());
    push(&mut args, &["-m", &format!("{}M", hv.memory_size)], &Cause::key(acrn!("default_memory")));
    devices(config, &mut args);
    push(&mut args, &["-k", config.asset(Asset::Kernel)], &Cause::key(acrn!("kernel")));
    if !kernel_cmdline.is_empty() {
        push(&mut args, &["-B", &kernel_cmdline], &Cause::key(acrn!("kernel_params")));
    }
    push(&mut args, &[&format!("sandbox-{}", config.id)], &Cause::rule("the sandbox id"));
    Started {
        launch: Launch {
            program: Some(config.asset(Asset::Hypervisor).to_owned()),
            args,
            ..Launch::default()
        },
        kernel_params,
        kernel_cmdline,
        shares_files: false,
    }
}

fn devices(config: &SandboxConfig<'_>, args: &mut Vec<Arg>) {
    let mut slot = 0;
    let mut next = || {
        if slot == RESERVED_SLOT {
            slot += 1;
        }
        slot += 1;
        slot - 1
    };
    push(args, &["-s", &format!("{}:0,hostbridge", next())], &Cause::constant());
    push(args, &["-s", &format!("{}:0,lpc", next()), "-lcom1,stdio"], &Cause::constant());
    let console = in_vm(config, "console.sock");
    let device = format!("{},virtio-console,@socket:console0={console}", next());
    push(args, &["-s", &device], &Cause::constant());
    let image = format!("{},virtio-blk,{}", next(), config.asset(Asset::Image));
    push(args, &["-s", &image], &Cause::key(acrn!("image")));
    for _ in 0..SPARE_DRIVES {
        let spare = format!("{},virtio-blk,nodisk", next());
        push(args, &["-s", &spare], &Cause::rule("a place for a container's disk"));
    }
}

fn kernel_params(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Vec<Arg> {
    let mut params = Vec::with_capacity(32);
    extend(&mut params, &KERNEL_PARAMS, &Cause::constant());
    let image = !hv.image_path.is_empty();
    if image {
        extend(&mut params, &[("root", "/dev/vda1 rw rootwait")], &Cause::key(acrn!("image")));
    }
    let debug = Cause::key(acrn!("enable_debug"));
    extend(&mut params, if hv.debug { &[("debug", "")] } else { &[("quiet", "")] }, &debug);
    if image {
        let chatty: &[_] = if hv.debug {
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
    let most = hv.default_max_vcpus.to_string();
    extend(&mut params, &[("maxcpus", &most)], &Cause::key(acrn!("default_maxvcpus")));
    configured(&mut params, config, acrn!("kernel_params"));
    params
}
