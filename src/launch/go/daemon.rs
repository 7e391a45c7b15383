//! The process that serves the shared folder: virtiofsd, or nydusd with its own arguments.
//!
//! Decides whether it would start and how it is called. Facts:
//! src/runtime/virtcontainers/{virtiofsd,nydusd}.go and `createVirtiofsDaemon` of each hypervisor from 2.0.0 to
//! 4.1.0.

use super::paths::Paths;
use super::{Change, Refusal, Start, refuse};
use crate::answer::launch::{Arg, Cause, Helper};
use crate::launch::line::Line;
use crate::runtime::go::config::HypervisorType;

/// The API socket of nydusd, beside the one of the file system; StratoVirt's has another name.
pub(super) const NYDUSD_API: &str = "nydusd-api.sock";
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Daemon {
    Virtiofsd,
    Nydusd,
}

impl Daemon {
    /// What is checked where the daemon is prepared: the lengths of its sockets' paths.
    pub(super) fn check_sockets(self, paths: Paths<'_>, socket: &str) -> Result<(), Refusal> {
        paths.check_socket(socket)?;
        if self == Self::Nydusd { paths.check_socket(NYDUSD_API) } else { Ok(()) }
    }

    /// What is checked where it is started.
    pub(super) fn check_start(self, start: &Start<'_>) -> Result<(), Refusal> {
        let path = &*start.hv.virtio_fs_daemon;
        match self {
            Self::Virtiofsd if start.has(Change::VirtiofsdByHypervisor) => Ok(()),
            Self::Virtiofsd if path.is_empty() => {
                refuse("virtiofsd daemon path is empty", &["virtio_fs_daemon"])
            }
            Self::Virtiofsd => match &*start.hv.virtio_fs_cache {
                _ if !start.has(Change::CacheChecked) => Ok(()),
                "" | "auto" | "always" | "never" => Ok(()),
                "none" if start.has(Change::CacheNone) => Ok(()),
                "metadata" if start.has(Change::CacheMetadata) => Ok(()),
                mode => refuse(format!("Invalid virtio-fs cache mode: {mode}"), &["virtio_fs_cache"]),
            },
            Self::Nydusd => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if path.is_empty() || !start.host.exists(if folder.is_empty() { "/" } else { folder }) {
                    return refuse("nydusd daemon path is invalid", &["virtio_fs_daemon"]);
                }
                Ok(())
            }
        }
    }

    /// The process. `socket`: the name of the file system's socket; `api`: that of nydusd's own; `xattr`: whether the
    /// hypervisor asks for SELinux labels, for a guest with SELinux.
    pub(super) fn helper(self, start: &Start<'_>, socket: &str, api: &str, xattr: bool) -> Helper {
        let (hv, keys) = (start.hv, start.keys);
        let mut line = Line::default();
        match self {
            Self::Virtiofsd if start.has(Change::VirtiofsdInRust) => virtiofsd(start, &mut line),
            Self::Virtiofsd => first_virtiofsd(start, &mut line),
            Self::Nydusd => nydusd(start, socket, api, &mut line),
        }
        let extra = Cause::key(keys.virtio_fs_extra_args);
        let of_pod = hv.virtio_fs_extra_args_of_pod as usize;
        let configured = hv.virtio_fs_extra_args.len().saturating_sub(of_pod);
        for (at, arg) in hv.virtio_fs_extra_args.iter().enumerate() {
            line.word(&**arg, extra.clone().configured(at < configured));
        }
        if xattr && self == Self::Virtiofsd && start.has(Change::VirtiofsdXattr) {
            let in_rust = start.has(Change::XattrInRust);
            line.words(if in_rust { &["--xattr"] } else { &["-o", "xattr"] }, keys.disable_guest_selinux);
        }
        let program = Arg::new(&*hv.virtio_fs_daemon, [keys.virtio_fs_daemon, keys.shared_fs].into());
        Helper { program, args: line.args }
    }
}

fn cache<'a>(start: &Start<'a>) -> &'a str {
    match &*start.hv.virtio_fs_cache {
        "" if start.has(Change::CacheChecked) => "auto",
        "none" if start.has(Change::CacheNone) => "never",
        mode => mode,
    }
}

fn by_folder() -> Cause {
    Cause::rule("the sandbox's shared folder")
}

fn by_socket() -> Cause {
    Cause::rule("the socket is inherited")
}

/// The daemon written in Rust.
fn virtiofsd(start: &Start<'_>, line: &mut Line) {
    line.word("--syslog", Cause::constant());
    line.word(format!("--cache={}", cache(start)), start.keys.virtio_fs_cache);
    line.word(format!("--shared-dir={}", start.paths.share()), by_folder());
    line.word("--fd=3", by_socket());
}

/// The daemon that came with QEMU.
fn first_virtiofsd(start: &Start<'_>, line: &mut Line) {
    let (keys, debug) = (start.keys, start.hv.enable_debug);
    let cache = format!("cache={}", cache(start));
    let source = format!("source={}", start.paths.share());
    let mode = if debug { "-d" } else { "-f" };
    let own_way = start.has(Change::VirtiofsdByHypervisor);
    if own_way && start.config.hypervisor_type == HypervisorType::Qemu {
        line.word("--fd=3", by_socket());
        line.words(&["-o", &source], by_folder());
        line.words(&["-o", &cache], keys.virtio_fs_cache);
        line.words(&["--syslog", "-o", "no_posix_lock"], Cause::constant());
        line.word(mode, keys.enable_debug);
        return;
    }
    line.word("--syslog", Cause::constant());
    line.word_if(own_way, "-f", Cause::constant());
    line.words(&["-o", &cache], keys.virtio_fs_cache);
    line.words(&["-o", "no_posix_lock"], Cause::constant());
    line.words(&["-o", &source], by_folder());
    line.word("--fd=3", by_socket());
    if !own_way && start.has(Change::VirtiofsdDebug) {
        line.word(mode, keys.enable_debug);
    } else if !own_way {
        line.word("-f", Cause::constant());
    } else if debug {
        line.words(&["-o", "debug"], keys.enable_debug);
    }
}

fn nydusd(start: &Start<'_>, socket: &str, api: &str, line: &mut Line) {
    line.word_if(start.has(Change::NydusdSubcommand), "virtiofs", Cause::constant());
    line.word_if(start.has(Change::NydusdHybrid), "--hybrid-mode", Cause::constant());
    let level = if start.hv.enable_debug { "debug" } else { "info" };
    line.words(&["--log-level", level], start.keys.enable_debug);
    line.words(&["--apisock", &start.paths.in_vm(api)], Cause::constant());
    line.words(&["--sock", &start.paths.in_vm(socket)], Cause::constant());
}
