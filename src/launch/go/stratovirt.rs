//! StratoVirt: its command line.
//!
//! Facts: src/runtime/virtcontainers/stratovirt.go from 3.3.0 to 4.1.0. The misspelt `ramdom.trust_cpu`, `-D` without
//! a value, and a virtiofsd that is started for whatever shares files are the runtime's own.

use super::daemon::Daemon;
use super::endpoint::Descriptors;
use super::guest_kernel::{Root, configured, debug, extend, rendered};
use super::network::Network;
use super::qemu::check_vsock;
use super::{NIL_POINTER, Plan, Refusal, Start, findings, or, refuse, requests};
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::input::host::Errno;
use crate::launch::line::Line;

const DEFAULT_PATH: &str = "/usr/bin/stratovirt";
const SHARE_SOCKET: &str = "virtiofs_kata.socket";
const NYDUSD_SOCKET: &str = "nydusd_kata.socket";
const CONSOLE_SOCKET: &str = "console.socket";

/// A StratoVirt sandbox that will not fail any more.
pub(super) struct Stratovirt<'a> {
    start: Start<'a>,
    machine: String,
    root: Option<Root<'a>>,
    program: &'a str,
    daemon: Option<Daemon>,
    network: Network<'a>,
}

impl<'a> Stratovirt<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let Start { host, hv, paths, .. } = start;
        let machine = match hv.machine_type.to_lowercase() {
            name if name.is_empty() => "microvm".to_owned(),
            name => name,
        };
        let root = match hv.initrd_asset_path() {
            "" => Some(Root::new(&start, false, false)?),
            _ => None,
        };
        let program = or(hv.hypervisor_asset_path(), DEFAULT_PATH);
        if host.stat(program) == Err(Errno::NotFound) {
            return refuse(format!("StratoVirt path ({program}) does not exist"), &["path"]);
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
        let network = Network::of(&start, |endpoint| {
            if endpoint.has_pair() { Ok(()) } else { Err(Refusal::crash(NIL_POINTER, &[])) }
        })?;

        // startVM
        if hv.enable_debug {
            paths.check_socket(CONSOLE_SOCKET)?;
        }
        if let Some(daemon) = daemon {
            daemon.check_start(&start)?;
        }
        Ok(Self { start, machine, root, program, daemon, network })
    }

    fn args(&self, cmdline: &str) -> Vec<Arg> {
        let (hv, keys, paths) = (self.start.hv, self.start.keys, self.start.paths);
        let mut line = Line::default();
        let named = |key: &str, value: &str| rendered(key, value).unwrap_or_default();
        let listen =
            |id: &str, socket: &str| format!("socket,id={id},path={},server,nowait", paths.in_vm(socket));
        let shares = self.start.daemon().is_some();
        line.push("-name", format!("sandbox-{}", paths.id), Cause::rule("the sandbox id"));
        line.push("-uuid", "{uuid}", Cause::rule("made when the VM is created"));
        line.push("-smp", hv.num_vcpus().to_string(), Cause::key(keys.default_vcpus).by("rounded up"));
        line.push("-m", hv.default_memory.to_string(), keys.default_memory);
        line.push_if_any("-kernel", hv.kernel_asset_path(), keys.kernel);
        let by_params = Cause::key(keys.kernel_params).by("see the kernel parameters");
        line.push_if_any("-append", cmdline, by_params);
        line.push("-qmp", format!("unix:{},server,nowait", paths.in_vm("qmp.socket")), Cause::constant());
        line.words(&["-D", "-disable-seccomp"], Cause::constant());
        let shared = if shares { ",mem-share=on" } else { "" };
        let machine = format!("type={},dump-guest-core=off{shared}", self.machine);
        line.push("-machine", machine, [keys.machine_type, keys.shared_fs]);
        let initrd = hv.initrd_asset_path();
        line.push_if(!initrd.is_empty(), "-initrd", initrd, keys.initrd);
        let source = named("filename", &hv.entropy_source);
        line.object(format!("rng-random,id=objrng0,{source}"), keys.entropy_source);
        line.device("virtio-rng-device,rng=objrng0,id=virtio-rng0", keys.entropy_source);
        if hv.enable_debug {
            line.device("virtio-serial-device,id=virtio-serial0", keys.enable_debug);
            line.push("-chardev", listen("charconsole0", CONSOLE_SOCKET), keys.enable_debug);
            line.device("virtconsole,chardev=charconsole0,id=virtio-console0,nr=0", keys.enable_debug);
        }
        if initrd.is_empty() {
            let file = named("file", hv.image_asset_path());
            line.push("-drive", format!("id=rootfs,{file},readonly=on,direct=off"), keys.image);
            line.device("virtio-blk-device,drive=rootfs,id=virtio-blk0", keys.image);
        }
        let vsock = "vhost-vsock-device,id=vsock-id,guest-cid={cid},vhostfd=3";
        line.device(vsock, Cause::rule("how the runtime reaches the agent"));
        if shares {
            line.push("-chardev", listen("virtio_fs", SHARE_SOCKET), keys.shared_fs);
            let share = "vhost-user-fs-device,chardev=virtio_fs,tag=kataShared,id=virtio-fs0";
            line.device(share, keys.shared_fs);
        }
        // The first descriptor is the agent's.
        let mut descriptors = Descriptors::after(3);
        for endpoint in self.network.endpoints.iter().filter(|endpoint| endpoint.has_pair()) {
            let cause = self.network.cause(&["runtime.internetworking_model"], endpoint);
            let name = endpoint.name();
            let way = match endpoint.taps {
                0 => format!("ifname={}", endpoint.tap),
                taps => format!("fds={}", descriptors.next(taps)),
            };
            line.push("-netdev", format!("tap,id={name},{way}"), &cause);
            let mac = named("mac", &endpoint.interface.mac);
            line.device(format!("virtio-net-device,netdev={name},id={name},{mac}"), cause);
        }
        line.args
    }
}

impl Plan for Stratovirt<'_> {
    fn kernel_params(&self) -> Vec<Arg> {
        let keys = self.start.keys;
        let mut out = Vec::with_capacity(24);
        configured(&self.start, rendered, &mut out);
        if let Some(root) = &self.root {
            root.params(keys, &Cause::rule("the image is the first drive"), &mut out);
        }
        let constant = [("reboot", "k"), ("panic", "1"), ("net.ifnames", "0"), ("ramdom.trust_cpu", "on")];
        extend(&mut out, &constant, Cause::constant());
        if self.machine == "microvm" {
            extend(&mut out, &[("pci", "off"), ("iommu", "off"), ("acpi", "off")], keys.machine_type);
        }
        let off = [("quiet", ""), ("8250.nr_uarts", "0"), ("agent.log_vport", "1025")];
        debug(&self.start, &[("debug", ""), ("console", "hvc0")], &off, &mut out);
        out
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let helper = self.daemon.map(|daemon| daemon.helper(&self.start, SHARE_SOCKET, NYDUSD_SOCKET, false));
        Launch {
            program: Some(Arg::new(self.program, self.start.keys.path.into())),
            args: self.args(cmdline),
            helpers: helper.into_iter().collect(),
            ..Launch::default()
        }
    }

    fn share(&self) -> Option<String> {
        (self.start.hv.shared_fs != "none").then(|| self.start.guest_share())
    }

    fn network(&self) -> NetworkRequests {
        requests::requests(&self.start, &self.network)
    }

    fn findings(&self) -> Vec<Finding> {
        findings::of(&self.start, self.daemon.is_some()).0
    }
}
