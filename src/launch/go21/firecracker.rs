//! Firecracker: the process, jailed or not, and the configuration file it starts from.
//!
//! The binary is asked for its version first, and must be 0.21.1 or newer. Facts:
//! src/runtime/virtcontainers/fc.go, types/fcConfig.go and pkg/firecracker at 2.1.0.

use std::borrow::Cow;

use serde_json::{Map, Value as Json, json};

use super::process::{followed, not_startable};
use super::{Refusal, Started, configured, extend, joined, push};
use crate::input::Host;
use crate::launch::{Arg, Cause, Launch, LaunchFile};
use crate::runtime::go_text::quote;
use crate::runtime::go21::config::{Asset, SandboxConfig, SandboxHypervisor};

macro_rules! fc {
    ($key:literal) => {
        concat!("hypervisor.firecracker.", $key)
    };
}

/// The jailer's own folders are below this one.
const CHROOT_BASE: &str = "/run/vc";
const CONFIG_FILE: &str = "fcConfig.json";
/// The network namespace is made by the CRI when the pod starts; this name stands for it, as it does in
/// the recordings of the real runtime.
const NETWORK_NAMESPACE: &str = "/var/run/netns/ORACLENETNS";
/// A longer sandbox id is cut, so that paths of sockets fit.
const ID_LIMIT: usize = 32;
/// Drives without content, which are there to be exchanged later.
const SPARE_DRIVES: u32 = 8;
const OLDEST: [u64; 3] = [0, 21, 1];

/// What the guest's root file system is read from: an initrd is passed as a drive, too.
fn root_drive<'a>(config: &'a SandboxConfig<'_>) -> &'a str {
    match config.asset(Asset::Initrd) {
        "" => config.asset(Asset::Image),
        initrd => initrd,
    }
}

/// Where upstream gives up.
pub(super) fn check(host: &Host, config: &SandboxConfig<'_>) -> Result<(), Refusal> {
    let hv = &config.hypervisor_config;
    let sources: [(&str, &[&str]); 2] =
        [(config.asset(Asset::Kernel), &["kernel"]), (root_drive(config), &["initrd", "image"])];
    for (source, blame) in sources {
        if source.is_empty() {
            let dst = if blame.len() == 1 { "vmlinux" } else { "rootfs" };
            let message = format!("fcJailResource: invalid jail locations: src:{source}, dst:{dst}");
            return Err(Refusal::because(message, blame));
        }
        if host.canonicalize(source).is_err() {
            return Err(Refusal::because(format!("Could not resolve symlink for source {source}"), blame));
        }
    }
    version(host, &hv.hypervisor_path).map_err(|why| Refusal::because(why, &["path"]))?;
    let program = if hv.jailer_path.is_empty() { &hv.hypervisor_path } else { &hv.jailer_path };
    match not_startable(host, program) {
        Some(why) => Err(Refusal::because(why, &["jailer_path", "path"])),
        None => Ok(()),
    }
}

/// What the binary says of itself, word two of its output, must be new enough.
fn version(host: &Host, program: &str) -> Result<(), String> {
    let not_run = |why: String| format!("Running checking FC version command failed: {why}");
    if let Some(why) = not_startable(host, program) {
        return Err(not_run(why));
    }
    let Some(ran) = followed(host, program) else { return Ok(()) };
    if ran.status != 0 {
        return Err(not_run(format!("exit status {}", ran.status)));
    }
    let Some(word) = ran.output.split(' ').nth(1) else {
        return Err("getting FC version failed, the output is malformed".to_owned());
    };
    let text = word.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let version = semantic(text).map_err(|why| format!("Malformed firecracker version: {why}"))?;
    if version.is_older() {
        let [major, minor, patch] = OLDEST;
        return Err(format!(
            "version {text} is not supported. Minimum supported version of firecracker is {major}.{minor}.{patch}"
        ));
    }
    Ok(())
}

struct Version {
    numbers: [u64; 3],
    preview: bool,
}

impl Version {
    fn is_older(&self) -> bool {
        self.numbers < OLDEST || (self.numbers == OLDEST && self.preview)
    }
}

/// `major.minor.patch`, with what may follow a `-` or `+`.
fn semantic(text: &str) -> Result<Version, Cow<'static, str>> {
    if text.is_empty() {
        return Err("Version string empty".into());
    }
    let mut parts = text.splitn(3, '.');
    let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("No Major.Minor.Patch elements found".into());
    };
    let number = |text: &str, name: &str| {
        let zeroes = text.len() > 1 && text.starts_with('0');
        let lower = name.to_ascii_lowercase();
        if !text.bytes().all(|b| b.is_ascii_digit()) || text.is_empty() {
            return Err(Cow::from(format!("Invalid character(s) found in {lower} number {}", quote(text))));
        }
        if zeroes {
            return Err(format!("{name} number must not contain leading zeroes {}", quote(text)).into());
        }
        text.parse::<u64>()
            .map_err(|_| Cow::from(format!("strconv.ParseUint: parsing {}: value out of range", quote(text))))
    };
    let before_build = rest.split('+').next().unwrap_or_default();
    let (patch, preview) = match before_build.split_once('-') {
        Some((patch, _)) => (patch, true),
        None => (before_build, false),
    };
    let numbers = [number(major, "Major")?, number(minor, "Minor")?, number(patch, "Patch")?];
    Ok(Version { numbers, preview })
}

struct Jail<'a> {
    id: &'a str,
    folder: String,
    jailed: bool,
}

impl<'a> Jail<'a> {
    fn of(config: &'a SandboxConfig<'a>, hv: &SandboxHypervisor<'_>) -> Self {
        let id = config.id.get(..ID_LIMIT).unwrap_or(config.id);
        let name = hv.hypervisor_path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = if name.is_empty() { "." } else { name };
        Self { id, folder: format!("{CHROOT_BASE}/{name}/{id}"), jailed: !hv.jailer_path.is_empty() }
    }

    /// A file of the jail, as the VMM sees it.
    fn inside(&self, name: &str) -> String {
        if self.jailed { format!("/{name}") } else { format!("{}/root/{name}", self.folder) }
    }
}

/// Spells it out.
pub(super) fn start(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Started {
    let jail = Jail::of(config, hv);
    let kernel_params = kernel_params(config, hv);
    let kernel_cmdline = joined(&kernel_params);
    let program = if jail.jailed { &hv.jailer_path } else { &hv.hypervisor_path };
    let body = body(hv, &jail, &kernel_cmdline);
    Started {
        launch: Launch {
            program: Some(program.to_string()),
            args: args(hv, &jail),
            files: vec![LaunchFile {
                path: format!("{}/{CONFIG_FILE}", jail.folder),
                body,
                causes: causes(),
            }],
            ..Launch::default()
        },
        kernel_params,
        kernel_cmdline,
        shares_files: false,
    }
}

fn args(hv: &SandboxHypervisor<'_>, jail: &Jail<'_>) -> Vec<Arg> {
    let mut args = Vec::with_capacity(18);
    let file = jail.inside(CONFIG_FILE);
    let constant = Cause::constant();
    if jail.jailed {
        push(&mut args, &["--id", jail.id], &Cause::rule("the sandbox id, cut to 32 characters"));
        push(&mut args, &["--node", "0"], &constant);
        push(&mut args, &["--exec-file", &hv.hypervisor_path], &Cause::key(fc!("path")));
        push(&mut args, &["--uid", "0", "--gid", "0"], &constant);
        push(&mut args, &["--chroot-base-dir", CHROOT_BASE, "--daemonize"], &constant);
        push(&mut args, &["--netns", NETWORK_NAMESPACE], &Cause::rule("made by the CRI when the pod starts"));
        push(&mut args, &["--", "--config-file", &file], &Cause::key(fc!("jailer_path")));
    } else {
        push(&mut args, &["--api-sock", &jail.inside("run/firecracker.socket")], &constant);
        push(&mut args, &["--config-file", &file], &constant);
    }
    args
}

fn kernel_params(config: &SandboxConfig<'_>, hv: &SandboxHypervisor<'_>) -> Vec<Arg> {
    let mut params = Vec::with_capacity(24);
    configured(&mut params, config, fc!("kernel_params"));
    let constant = [
        ("root", "/dev/vda1"),
        ("rootflags", "data=ordered,errors=remount-ro ro"),
        ("rootfstype", "ext4"),
        ("pci", "off"),
        ("reboot", "k"),
        ("panic", "1"),
        ("iommu", "off"),
        ("net.ifnames", "0"),
        ("random.trust_cpu", "on"),
        ("acpi", "off"),
    ];
    extend(&mut params, &constant, &Cause::constant());
    let debug: &[_] = if hv.debug {
        &[("console", "ttyS0")]
    } else {
        &[("8250.nr_uarts", "0"), ("agent.log_vport", "1025")]
    };
    extend(&mut params, debug, &Cause::key(fc!("enable_debug")));
    params
}

fn causes() -> Vec<(String, Cause)> {
    let causes = [
        (
            "/boot-source/boot_args",
            Cause::key(fc!("kernel_params")).by("see the guest kernel's command line"),
        ),
        ("/boot-source/kernel_image_path", Cause::key(fc!("kernel")).by("mounted into the jail")),
        ("/logger/level", Cause::key(fc!("enable_debug"))),
        ("/machine-config/mem_size_mib", Cause::key(fc!("default_memory"))),
        ("/machine-config/vcpu_count", Cause::key(fc!("default_vcpus"))),
        ("/drives", Cause::rule("a spare drive, exchanged when a container brings one")),
        ("/drives/0", Cause::keys([fc!("initrd"), fc!("image")]).by("mounted into the jail")),
    ];
    causes.into_iter().map(|(pointer, cause)| (pointer.to_owned(), cause)).collect()
}

fn body(hv: &SandboxHypervisor<'_>, jail: &Jail<'_>, cmdline: &str) -> Json {
    let drive = |id: &str, read_only: bool| {
        json!({
            "drive_id": id,
            "is_read_only": read_only,
            "is_root_device": false,
            "path_on_host": jail.inside(id),
        })
    };
    let mut drives = vec![drive("rootfs", true)];
    drives.extend((0..SPARE_DRIVES).map(|i| drive(&format!("drive_{i}"), false)));
    let mut body = Map::new();
    let mut set = |key: &str, value: Json| body.insert(key.to_owned(), value);
    set("boot-source", json!({ "boot_args": cmdline, "kernel_image_path": jail.inside("vmlinux") }));
    set(
        "logger",
        json!({
            "level": if hv.debug { "Debug" } else { "Error" },
            "log_path": jail.inside("logs.fifo"),
        }),
    );
    set(
        "machine-config",
        json!({
            "ht_enabled": false,
            "mem_size_mib": hv.memory_size,
            "vcpu_count": hv.num_vcpus,
        }),
    );
    set("metrics", json!({ "metrics_path": jail.inside("metrics.fifo") }));
    set("drives", Json::Array(drives));
    set(
        "vsock",
        json!({
            "guest_cid": 3,
            "uds_path": jail.inside("kata.hvsock"),
            "vsock_id": "root",
        }),
    );
    Json::Object(body)
}
