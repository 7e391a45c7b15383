//! Firecracker: the process, jailed or not, and the configuration file it starts from.
//!
//! The binary is asked for its version first. Facts: src/runtime/virtcontainers/fc.go, and the names of
//! src/runtime/virtcontainers/pkg/firecracker from 2.0.0 to 4.1.0.

use serde_json::json;

use super::endpoint::Endpoint;
use super::guest_kernel::{Constants, Root, configured, constants, debug, rendered};
use super::network::{BY_CRI, Network, powers_of_1024};
use super::{Boot, Change, NIL_POINTER, Plan, Refusal, Start, findings, process, refuse, requests, version};
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Cause, Launch};
use crate::input::Host;
use crate::launch::body::Body;
use crate::launch::line::Line;

/// The jailer's own folders are below this one.
const CHROOT_BASE: &str = "/run/vc";
const CONFIG_FILE: &str = "fcConfig.json";
/// A longer sandbox id is cut, so that paths of sockets fit.
const ID_LIMIT: usize = 32;
/// Drives without content, which are there to be exchanged later.
const SPARE_DRIVES: u32 = 8;

/// The guest's parameters after the configured ones and the root.
const KERNEL_PARAMS: Constants = &[
    (None, "pci", "off"),
    (None, "reboot", "k"),
    (None, "panic", "1"),
    (None, "iommu", "off"),
    (None, "net.ifnames", "0"),
    (None, "random.trust_cpu", "on"),
    (None, "acpi", "off"),
];

/// A Firecracker sandbox that will not fail any more.
pub(super) struct Firecracker<'a> {
    start: Start<'a>,
    root: Root<'a>,
    jailed: bool,
    network: Network<'a>,
}

impl<'a> Firecracker<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let Start { host, hv, .. } = start;
        check_mount(host, hv.kernel_asset_path(), "vmlinux", &["kernel"])?;
        let root = Root::new(&start, false, false)?;
        let image = match Boot::of(&start)? {
            Boot::Image(path) | Boot::Initrd(path) => path,
            Boot::Kernel => "",
        };
        check_mount(host, image, "rootfs", &["image", "initrd"])?;
        version::check_firecracker(start.release, host, &hv.path)?;
        let network = Network::of(&start, |endpoint| {
            if endpoint.has_pair() { Ok(()) } else { Err(Refusal::crash(NIL_POINTER, &[])) }
        })?;
        let jailed = !hv.jailer_path.is_empty();
        let program = if jailed { &hv.jailer_path } else { &hv.path };
        if let Some(why) = process::not_startable(host, program) {
            return refuse(why, &["jailer_path", "path"]);
        }
        Ok(Self { start, root, jailed, network })
    }

    fn id(&self) -> &'a str {
        let id = &self.start.config.id;
        id.get(..ID_LIMIT).unwrap_or(id)
    }

    /// The folder of the VM, without its jail.
    fn folder(&self) -> String {
        let name = self.start.hv.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        format!("{CHROOT_BASE}/{}/{}", if name.is_empty() { "." } else { name }, self.id())
    }

    /// A file of the jail, as the VMM sees it.
    fn in_jail(&self, name: &str) -> String {
        if self.jailed { format!("/{name}") } else { format!("{}/root/{name}", self.folder()) }
    }

    fn args(&self) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let mut line = Line::default();
        let file = self.in_jail(CONFIG_FILE);
        if !self.jailed {
            line.push("--api-sock", self.in_jail("run/firecracker.socket"), Cause::constant());
            line.push("--config-file", file, Cause::constant());
            return line.args;
        }
        let jail = Cause::key(keys.jailer_path);
        line.push("--id", self.id(), jail.clone().by("the sandbox id, cut to 32 characters"));
        line.push_if(self.start.has(Change::FcBeforeOne), "--node", "0", &jail);
        line.push("--exec-file", &*hv.path, keys.path);
        line.words(&["--uid", "0", "--gid", "0", "--chroot-base-dir", CHROOT_BASE, "--daemonize"], &jail);
        if let Some(namespace) = self.network.namespace {
            line.push("--netns", namespace, jail.clone().by(BY_CRI));
        }
        line.words(&["--", "--config-file", &file], jail);
        line.args
    }

    /// The configuration file.
    fn body(&self, cmdline: &str) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let by_cmdline = Cause::key(keys.kernel_params).by("see the guest kernel's command line");
        let by_jail = Cause::key(keys.jailer_path).by("as the jail names it, where there is one");
        let by_mount = Cause::key(keys.kernel).by("mounted into the jail");
        let boot = Body::default().by_if(!cmdline.is_empty(), "boot_args", cmdline, by_cmdline).by(
            "kernel_image_path",
            self.in_jail("vmlinux"),
            by_mount,
        );
        let together = self.start.has(Change::FcLogWithMetrics);
        let (log, metrics) = (self.in_jail("logs.fifo"), self.in_jail("metrics.fifo"));
        let logger = Body::default()
            .all_by(&by_jail)
            .by("level", if hv.enable_debug { "Debug" } else { "Error" }, keys.enable_debug)
            .set(if together { "log_fifo" } else { "log_path" }, log)
            .set_if(together, "metrics_fifo", &metrics);
        let machine = Body::default()
            .by("mem_size_mib", hv.default_memory, keys.default_memory)
            .set(if self.start.has(Change::FcBeforeOne) { "ht_enabled" } else { "smt" }, false)
            .by("vcpu_count", hv.num_vcpus(), Cause::key(keys.default_vcpus).by("rounded up"));
        let vsock = Body::default()
            .set("guest_cid", 3)
            .by("uds_path", self.in_jail("kata.hvsock"), &by_jail)
            .set("vsock_id", "root");
        let endpoints = self.network.endpoints.iter().map(|endpoint| self.endpoint(endpoint)).collect();
        Body::default()
            .part("boot-source", boot)
            .part("logger", logger)
            .part("machine-config", machine)
            .by_if(!together, "metrics", json!({ "metrics_path": metrics }), &by_jail)
            .because("drives", self.by_spare())
            .parts("drives", self.drives())
            .parts_if_any("network-interfaces", endpoints)
            .part("vsock", vsock)
    }

    /// What decided the spare drives.
    fn by_spare(&self) -> Cause {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let cached = self.start.has(Change::FcDriveCache);
        let used = [
            (cached, keys.block_device_cache_set),
            (cached && hv.block_device_cache_set, keys.block_device_cache_noflush),
            (true, keys.jailer_path),
        ];
        Cause::keys(used.into_iter().filter(|(used, _)| *used).map(|(_, key)| key))
            .by("a spare drive, exchanged when a container brings one")
    }

    /// A network endpoint of the pod. What a rate limits is counted in bytes.
    fn endpoint(&self, endpoint: &Endpoint<'_>) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let limiter = |rate: u64| match rate {
            0 => json!({}),
            rate => json!({ "bandwidth": { "refill_time": 1000, "size": powers_of_1024(rate / 8) as i64 } }),
        };
        let used =
            ["runtime.internetworking_model", keys.rx_rate_limiter_max_rate, keys.tx_rate_limiter_max_rate];
        Body::default()
            .all_by(self.network.cause(&used, endpoint))
            .set("guest_mac", &endpoint.interface.mac)
            .set("host_dev_name", &endpoint.tap)
            .set("iface_id", endpoint.name())
            .set("rx_rate_limiter", limiter(hv.rx_rate_limiter_max_rate))
            .set("tx_rate_limiter", limiter(hv.tx_rate_limiter_max_rate))
    }

    fn drives(&self) -> Vec<Body> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let cached = hv.block_device_cache_set && self.start.has(Change::FcDriveCache);
        let cache = if hv.block_device_cache_noflush { "Unsafe" } else { "Writeback" };
        let drive = |id: &str, read_only: bool| {
            Body::default()
                .set_if(cached && !read_only, "cache_type", cache)
                .set("drive_id", id)
                .set("is_read_only", read_only)
                .set("is_root_device", false)
                .set("path_on_host", self.in_jail(id))
        };
        let by_image = Cause::keys([keys.image, keys.initrd, keys.jailer_path]).by("mounted into the jail");
        let spare = (0..SPARE_DRIVES).map(|number| drive(&format!("drive_{number}"), false));
        std::iter::once(drive("rootfs", true).all_by(by_image)).chain(spare).collect()
    }
}

impl Plan for Firecracker<'_> {
    fn kernel_params(&self) -> Vec<Arg> {
        let mut out = Vec::with_capacity(24);
        configured(&self.start, rendered, &mut out);
        self.root.params(self.start.keys, &Cause::rule("the image is the first drive"), &mut out);
        constants(&self.start, KERNEL_PARAMS, &mut out);
        let off = [("8250.nr_uarts", "0"), ("agent.log_vport", "1025")];
        debug(&self.start, &[("console", "ttyS0")], &off, &mut out);
        out
    }

    fn launch(&self, cmdline: &str) -> Launch {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let (program, key) =
            if self.jailed { (&hv.jailer_path, keys.jailer_path) } else { (&hv.path, keys.path) };
        Launch {
            program: Some(Arg::new(&**program, key.into())),
            args: self.args(),
            files: vec![self.body(cmdline).file(format!("{}/{CONFIG_FILE}", self.folder()))],
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

/// Files are mounted into the jail, whether or not there is a jailer.
fn check_mount(
    host: &Host,
    source: &str,
    name: &str,
    caused_by: &'static [&'static str],
) -> Result<(), Refusal> {
    if source.is_empty() {
        return refuse(format!("fcJailResource: invalid jail locations: src:, dst:{name}"), caused_by);
    }
    if host.canonicalize(source).is_err() {
        return refuse(format!("Could not resolve symlink for source {source}"), caused_by);
    }
    Ok(())
}
