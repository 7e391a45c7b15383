//! StratoVirt: its command line.
//!
//! Facts: src/runtime/virtcontainers/stratovirt.go from 3.3.0 to 4.1.0. The misspelt `ramdom.trust_cpu`, `-D` without
//! a value, and a virtiofsd that is started for whatever shares files are the runtime's own.

use super::daemon::{Call, Daemon};
use super::guest_kernel::{Root, configured, extend, spelled};
use super::network::{Abilities, Network};
use super::paths::Paths;
use super::qemu::check_vsock;
use super::remarks::Remarks;
use super::{NIL_POINTER, Refusal, Started};
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch, joined};
use crate::input::Host;
use crate::input::host::Errno;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};

const DEFAULT_PATH: &str = "/usr/bin/stratovirt";
const SHARE_SOCKET: &str = "virtiofs_kata.socket";
const NYDUSD_SOCKET: &str = "nydusd_kata.socket";
const CONSOLE_SOCKET: &str = "console.socket";

/// Everything that is decided before anything is spelled out.
pub(super) struct Plan<'a> {
    config: &'a SandboxConfig,
    hv: &'a HypervisorConfig,
    keys: &'static HypervisorKeys,
    paths: Paths<'a>,
    machine: String,
    root: Option<Root<'a>>,
    program: &'a str,
    daemon: Option<Daemon>,
    network: Network<'a>,
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &'a Host, config: &'a SandboxConfig) -> Result<Self, Refusal> {
        let hv = &config.hypervisor_config;
        let paths = Paths::of(config);
        let machine = match hv.machine_type.to_lowercase() {
            name if name.is_empty() => "microvm".to_owned(),
            name => name,
        };
        let root = if hv.initrd_asset_path().is_empty() {
            Some(Root::new(config.release, hv, false, false)?)
        } else {
            None
        };
        let program = match hv.hypervisor_asset_path() {
            "" => DEFAULT_PATH,
            path => path,
        };
        if host.stat(program) == Err(Errno::NotFound) {
            return Err(Refusal::because(format!("StratoVirt path ({program}) does not exist"), &["path"]));
        }
        paths.check_socket(SHARE_SOCKET)?;
        let daemon = match &*hv.shared_fs {
            "none" => None,
            "virtio-fs-nydus" => Some(Daemon::Nydusd),
            _ => Some(Daemon::Virtiofsd),
        };
        if daemon == Some(Daemon::Nydusd) {
            paths.check_socket(NYDUSD_SOCKET)?;
        }

        // configure of the agent
        check_vsock(host)?;

        // createNetwork
        let network = Network::of(host, config, Abilities { queues: false, limits: false }, |card| {
            if card.has_pair() { Ok(()) } else { Err(Refusal::crash(NIL_POINTER, &[])) }
        })?;

        // startVM
        if hv.enable_debug {
            paths.check_socket(CONSOLE_SOCKET)?;
        }
        if let Some(daemon) = daemon {
            daemon.check_start(config.release, host, hv)?;
        }
        let keys = HypervisorKeys::of(HypervisorType::Stratovirt);
        Ok(Self { config, hv, keys, paths, machine, root, program, daemon, network })
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started<'a> {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let helpers = self.daemon.map(|daemon| {
            let (config, keys, paths) = (self.config, self.keys, self.paths);
            Call { config, keys, paths, socket: SHARE_SOCKET, api: NYDUSD_SOCKET, xattr: false }
                .helper(daemon)
        });
        Started {
            launch: Launch {
                program: Some(Arg::new(self.program, Cause::key(self.keys.path))),
                args: self.args(kernel_cmdline.clone()),
                helpers: helpers.into_iter().collect(),
                ..Launch::default()
            },
            kernel_params,
            kernel_cmdline,
            shares_files: self.hv.shared_fs != "none",
            findings: self.findings(host),
            network: Some(self.network),
        }
    }

    /// What fails after the point up to which the launch is modelled.
    pub(super) fn findings(&self, host: &Host) -> Vec<Finding> {
        Remarks::of(host, self.config, self.keys, self.daemon.is_some()).0
    }

    fn kernel_params(&self) -> Vec<Arg> {
        let mut out = Vec::with_capacity(24);
        configured(self.config, self.keys, spelled, &mut out);
        if let Some(root) = &self.root {
            root.params(self.keys, &Cause::rule("the image is the first drive"), &mut out);
        }
        extend(
            &mut out,
            &[("reboot", "k"), ("panic", "1"), ("net.ifnames", "0"), ("ramdom.trust_cpu", "on")],
            &Cause::constant(),
        );
        if self.machine == "microvm" {
            let cause = Cause::key(self.keys.machine_type);
            extend(&mut out, &[("pci", "off"), ("iommu", "off"), ("acpi", "off")], &cause);
        }
        let debug: &[_] = if self.hv.enable_debug {
            &[("debug", ""), ("console", "hvc0")]
        } else {
            &[("quiet", ""), ("8250.nr_uarts", "0"), ("agent.log_vport", "1025")]
        };
        extend(&mut out, debug, &Cause::key(self.keys.enable_debug));
        out
    }

    fn args(&self, cmdline: String) -> Vec<Arg> {
        let (hv, keys) = (self.hv, self.keys);
        let mut args = Vec::with_capacity(36);
        let mut push = |flag: &str, value: String, cause: Cause| {
            args.push(Arg::new(flag, cause.clone()));
            if !value.is_empty() {
                args.push(Arg::new(value, cause));
            }
        };
        let named = |key: &str, value: &str| spelled(key, value).unwrap_or_default();
        push("-name", format!("sandbox-{}", self.paths.id), Cause::rule("the sandbox id"));
        push("-uuid", "{uuid}".into(), Cause::rule("made when the VM is created"));
        push("-smp", hv.num_vcpus().to_string(), Cause::key(keys.default_vcpus).by("rounded up"));
        push("-m", hv.default_memory.to_string(), Cause::key(keys.default_memory));
        push("-kernel", hv.kernel_asset_path().to_owned(), Cause::key(keys.kernel));
        push("-append", cmdline, Cause::key(keys.kernel_params).by("see the kernel parameters"));
        push("-qmp", format!("unix:{},server,nowait", self.paths.in_vm("qmp.socket")), Cause::constant());
        push("-D", String::new(), Cause::constant());
        push("-disable-seccomp", String::new(), Cause::constant());
        let shared =
            if Daemon::of(self.config.release, &hv.shared_fs).is_some() { ",mem-share=on" } else { "" };
        push(
            "-machine",
            format!("type={},dump-guest-core=off{shared}", self.machine),
            Cause::keys([keys.machine_type, keys.shared_fs]),
        );
        let initrd = hv.initrd_asset_path();
        if !initrd.is_empty() {
            push("-initrd", initrd.to_owned(), Cause::key(keys.initrd));
        }
        let entropy = Cause::key(keys.entropy_source);
        push(
            "-object",
            format!("rng-random,id=objrng0,{}", named("filename", &hv.entropy_source)),
            entropy.clone(),
        );
        push("-device", "virtio-rng-device,rng=objrng0,id=virtio-rng0".into(), entropy);
        if hv.enable_debug {
            let debug = Cause::key(keys.enable_debug);
            push("-device", "virtio-serial-device,id=virtio-serial0".into(), debug.clone());
            push(
                "-chardev",
                format!("socket,id=charconsole0,path={},server,nowait", self.paths.in_vm(CONSOLE_SOCKET)),
                debug.clone(),
            );
            push("-device", "virtconsole,chardev=charconsole0,id=virtio-console0,nr=0".into(), debug);
        }
        if initrd.is_empty() {
            let image = Cause::key(keys.image);
            let file = named("file", hv.image_asset_path());
            push("-drive", format!("id=rootfs,{file},readonly=on,direct=off"), image.clone());
            push("-device", "virtio-blk-device,drive=rootfs,id=virtio-blk0".into(), image);
        }
        push(
            "-device",
            "vhost-vsock-device,id=vsock-id,guest-cid={cid},vhostfd=3".into(),
            Cause::rule("how the runtime reaches the agent"),
        );
        if Daemon::of(self.config.release, &hv.shared_fs).is_some() {
            let share = Cause::key(keys.shared_fs);
            push(
                "-chardev",
                format!("socket,id=virtio_fs,path={},server,nowait", self.paths.in_vm(SHARE_SOCKET)),
                share.clone(),
            );
            push(
                "-device",
                "vhost-user-fs-device,chardev=virtio_fs,tag=kataShared,id=virtio-fs0".into(),
                share,
            );
        }
        // The first descriptor is the agent's.
        let mut next = 4;
        for card in self.network.endpoints.iter().filter(|card| card.has_pair()) {
            let cause = self.network.cause(&["runtime.internetworking_model"], card);
            let name = card.name();
            let way = match card.taps {
                0 => format!("ifname={}", card.tap),
                taps => {
                    let numbers: Vec<String> = (next..next + taps).map(|number| number.to_string()).collect();
                    next += taps;
                    format!("fds={}", numbers.join(":"))
                }
            };
            push("-netdev", format!("tap,id={name},{way}"), cause.clone());
            let mac = named("mac", &card.interface.mac);
            push("-device", format!("virtio-net-device,netdev={name},id={name},{mac}"), cause);
        }
        args
    }
}
