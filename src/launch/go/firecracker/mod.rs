//! Firecracker: the process, jailed or not, and the configuration file it starts from.
//!
//! The binary is asked for its version first. Facts: src/runtime/virtcontainers/fc.go, and the names of
//! src/runtime/virtcontainers/pkg/firecracker from 2.0.0 to 4.1.0.

mod version;

use serde_json::{Map, Value as Json, json};

use super::endpoint::Endpoint;
use super::guest_kernel::{Root, configured, extend, spelled};
use super::network::{Abilities, NAMESPACE_CAUSE, Network, powers_of_1024};
use super::remarks::Remarks;
use super::{Boot, NIL_POINTER, Refusal, Started, process};
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch, LaunchFile, joined};
use crate::input::Host;
use crate::launch::put;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};

/// The jailer's own folders are below this one.
const CHROOT_BASE: &str = "/run/vc";
const CONFIG_FILE: &str = "fcConfig.json";
/// A longer sandbox id is cut, so that paths of sockets fit.
const ID_LIMIT: usize = 32;
/// Drives without content, which are there to be exchanged later.
const SPARE_DRIVES: u32 = 8;

/// Everything that is decided before anything is spelled out.
pub(super) struct Plan<'a> {
    release: Release,
    config: &'a SandboxConfig,
    hv: &'a HypervisorConfig,
    keys: &'static HypervisorKeys,
    root: Root<'a>,
    jailed: bool,
    network: Network<'a>,
}

impl<'a> Plan<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(host: &'a Host, config: &'a SandboxConfig) -> Result<Self, Refusal> {
        let (hv, release) = (&config.hypervisor_config, config.release);
        check_mount(host, hv.kernel_asset_path(), "vmlinux", &["kernel"])?;
        let root = Root::new(release, hv, false, false)?;
        let image = match Boot::of(release, hv)? {
            Boot::Image(path) | Boot::Initrd(path) => path,
            Boot::Kernel => "",
        };
        check_mount(host, image, "rootfs", &["image", "initrd"])?;
        version::check(release, host, &hv.path).map_err(|why| Refusal::because(why, &["path"]))?;
        let network = Network::of(host, config, Abilities { queues: false, limits: true }, |card| {
            if card.has_pair() { Ok(()) } else { Err(Refusal::crash(NIL_POINTER, &[])) }
        })?;
        let jailed = !hv.jailer_path.is_empty();
        let program = if jailed { &hv.jailer_path } else { &hv.path };
        if let Some(why) = process::not_startable(host, program) {
            return Err(Refusal::because(why, &["jailer_path", "path"]));
        }
        Ok(Self {
            release,
            config,
            hv,
            keys: HypervisorKeys::of(HypervisorType::Firecracker),
            root,
            jailed,
            network,
        })
    }

    fn id(&self) -> &'a str {
        self.config.id.get(..ID_LIMIT).unwrap_or(&self.config.id)
    }

    /// The folder of the VM, without its jail.
    fn folder(&self) -> String {
        let name = self.hv.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        format!("{CHROOT_BASE}/{}/{}", if name.is_empty() { "." } else { name }, self.id())
    }

    /// A file of the jail, as the VMM sees it.
    fn in_jail(&self, name: &str) -> String {
        if self.jailed { format!("/{name}") } else { format!("{}/root/{name}", self.folder()) }
    }

    /// Spells it out.
    pub(super) fn start(self, host: &Host) -> Started<'a> {
        let kernel_params = self.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let file = LaunchFile {
            path: format!("{}/{CONFIG_FILE}", self.folder()),
            body: self.body(&kernel_cmdline),
            causes: self.causes(),
        };
        let (program, key) = match self.jailed {
            true => (&self.hv.jailer_path, self.keys.jailer_path),
            false => (&self.hv.path, self.keys.path),
        };
        Started {
            launch: Launch {
                program: Some(Arg::new(&**program, Cause::key(key))),
                args: self.args(),
                files: vec![file],
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

    fn args(&self) -> Vec<Arg> {
        let mut args = Vec::with_capacity(16);
        let mut push = |texts: &[&str], cause: Cause| {
            args.extend(texts.iter().map(|text| Arg::new(*text, cause.clone())));
        };
        let file = self.in_jail(CONFIG_FILE);
        if self.jailed {
            let jail = Cause::key(self.keys.jailer_path);
            push(&["--id", self.id()], jail.clone().by("the sandbox id, cut to 32 characters"));
            if self.release.has(Change::FcBeforeOne) {
                push(&["--node", "0"], jail.clone());
            }
            push(&["--exec-file", &self.hv.path], Cause::key(self.keys.path));
            push(&["--uid", "0", "--gid", "0"], jail.clone());
            push(&["--chroot-base-dir", CHROOT_BASE, "--daemonize"], jail.clone());
            if let Some(namespace) = self.network.namespace {
                let mut cause = NAMESPACE_CAUSE;
                cause.add_keys(&jail);
                push(&["--netns", namespace], cause);
            }
            push(&["--", "--config-file", &file], jail);
        } else {
            push(&["--api-sock", &self.in_jail("run/firecracker.socket")], Cause::constant());
            push(&["--config-file", &file], Cause::constant());
        }
        args
    }

    fn kernel_params(&self) -> Vec<Arg> {
        let mut out = Vec::with_capacity(24);
        configured(self.config, self.keys, spelled, &mut out);
        self.root.params(self.keys, &Cause::rule("the image is the first drive"), &mut out);
        extend(
            &mut out,
            &[
                ("pci", "off"),
                ("reboot", "k"),
                ("panic", "1"),
                ("iommu", "off"),
                ("net.ifnames", "0"),
                ("random.trust_cpu", "on"),
                ("acpi", "off"),
            ],
            &Cause::constant(),
        );
        let console: &[_] = if self.hv.enable_debug {
            &[("console", "ttyS0")]
        } else {
            &[("8250.nr_uarts", "0"), ("agent.log_vport", "1025")]
        };
        extend(&mut out, console, &Cause::key(self.keys.enable_debug));
        out
    }

    fn body(&self, cmdline: &str) -> Json {
        let hv = self.hv;
        let mut boot = Map::new();
        if !cmdline.is_empty() {
            boot.insert("boot_args".into(), cmdline.into());
        }
        boot.insert("kernel_image_path".into(), self.in_jail("vmlinux").into());
        let level = if hv.enable_debug { "Debug" } else { "Error" };
        let (log, metrics) = (self.in_jail("logs.fifo"), self.in_jail("metrics.fifo"));
        let together = self.release.has(Change::FcLogWithMetrics);
        let logger = if together {
            json!({ "level": level, "log_fifo": log, "metrics_fifo": metrics })
        } else {
            json!({ "level": level, "log_path": log })
        };
        let threads = if self.release.has(Change::FcBeforeOne) { "ht_enabled" } else { "smt" };
        let mut body = json!({
            "boot-source": boot,
            "logger": logger,
            "machine-config": {
                "mem_size_mib": hv.default_memory,
                threads: false,
                "vcpu_count": hv.num_vcpus(),
            },
        });
        if !together {
            put(&mut body, "metrics", json!({ "metrics_path": metrics }));
        }
        put(&mut body, "drives", self.drives().into());
        if !self.network.endpoints.is_empty() {
            put(&mut body, "network-interfaces", self.cards().into());
        }
        let vsock = json!({ "guest_cid": 3, "uds_path": self.in_jail("kata.hvsock"), "vsock_id": "root" });
        put(&mut body, "vsock", vsock);
        body
    }

    fn causes(&self) -> Vec<(String, Cause)> {
        let keys = self.keys;
        let cached = [keys.block_device_cache_set, keys.block_device_cache_noflush];
        let used = match self.hv.block_device_cache_set {
            _ if !self.release.has(Change::FcDriveCache) => &cached[..0],
            true => &cached[..],
            false => &cached[..1],
        };
        let spare = Cause::keys(used.iter().copied().chain([keys.jailer_path]))
            .by("a spare drive, exchanged when a container brings one");
        let named = Cause::key(keys.jailer_path).by("as the jail names it, where there is one");
        let causes = [
            (
                "/boot-source/boot_args",
                Cause::key(keys.kernel_params).by("see the guest kernel's command line"),
            ),
            ("/boot-source/kernel_image_path", Cause::key(keys.kernel).by("mounted into the jail")),
            ("/logger", named.clone()),
            ("/logger/level", Cause::key(keys.enable_debug)),
            ("/metrics", named.clone()),
            ("/vsock/uds_path", named),
            ("/machine-config/mem_size_mib", Cause::key(keys.default_memory)),
            ("/machine-config/vcpu_count", Cause::key(keys.default_vcpus).by("rounded up")),
            ("/drives", spare),
            (
                "/drives/0",
                Cause::keys([keys.image, keys.initrd, keys.jailer_path]).by("mounted into the jail"),
            ),
        ];
        let used =
            ["runtime.internetworking_model", keys.rx_rate_limiter_max_rate, keys.tx_rate_limiter_max_rate];
        let cards = self.network.endpoints.iter().enumerate();
        let cards = cards
            .map(|(index, card)| (format!("/network-interfaces/{index}"), self.network.cause(&used, card)));
        causes.into_iter().map(|(pointer, cause)| (pointer.to_owned(), cause)).chain(cards).collect()
    }

    /// The pod's network cards. What a rate limits is counted in bytes.
    fn cards(&self) -> Vec<Json> {
        let limiter = |rate: u64| match rate {
            0 => json!({}),
            rate => json!({ "bandwidth": { "refill_time": 1000, "size": powers_of_1024(rate / 8) as i64 } }),
        };
        let card = |card: &Endpoint<'_>| {
            json!({
                "guest_mac": card.interface.mac,
                "host_dev_name": card.tap,
                "iface_id": card.name(),
                "rx_rate_limiter": limiter(self.hv.rx_rate_limiter_max_rate),
                "tx_rate_limiter": limiter(self.hv.tx_rate_limiter_max_rate),
            })
        };
        self.network.endpoints.iter().map(card).collect()
    }

    fn drives(&self) -> Vec<Json> {
        let hv = self.hv;
        let mut drives = vec![json!({
            "drive_id": "rootfs",
            "is_read_only": true,
            "is_root_device": false,
            "path_on_host": self.in_jail("rootfs"),
        })];
        for i in 0..SPARE_DRIVES {
            let id = format!("drive_{i}");
            let path = self.in_jail(&id);
            let mut drive = Map::new();
            if hv.block_device_cache_set && self.release.has(Change::FcDriveCache) {
                let cache = if hv.block_device_cache_noflush { "Unsafe" } else { "Writeback" };
                drive.insert("cache_type".into(), cache.into());
            }
            drive.insert("drive_id".into(), id.into());
            drive.insert("is_read_only".into(), false.into());
            drive.insert("is_root_device".into(), false.into());
            drive.insert("path_on_host".into(), path.into());
            drives.push(drive.into());
        }
        drives
    }
}

/// Files are mounted into the jail, whether or not there is a jailer.
fn check_mount(host: &Host, source: &str, name: &str, blame: &'static [&'static str]) -> Result<(), Refusal> {
    if source.is_empty() {
        let message = format!("fcJailResource: invalid jail locations: src:{source}, dst:{name}");
        return Err(Refusal::because(message, blame));
    }
    if host.canonicalize(source).is_err() {
        return Err(Refusal::because(format!("Could not resolve symlink for source {source}"), blame));
    }
    Ok(())
}
