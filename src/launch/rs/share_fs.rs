//! The folder that host and guest share, and the daemon that serves it.
//!
//! Facts: src/runtime-rs/crates/resource/src/share_fs at each tag.

use super::{Context, Refusal, Start, guest_share, refuse};
use crate::answer::launch::{Arg, Cause, Helper};
use crate::input::host::FileKind;
use crate::launch::line::Line;
use crate::release::Release;
use crate::release::rs::Change;

const CAUSED_BY: &[&str] = &["hypervisor.shared_fs", "hypervisor.virtio_fs_daemon"];

/// Who serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    VirtioFs,
    Nydus,
    /// The VMM itself.
    Inline,
}

impl Kind {
    fn named(name: &str, release: Release) -> Option<Self> {
        Some(match name {
            "virtio-fs" => Self::VirtioFs,
            "virtio-fs-nydus" if release.has(Change::Nydus) => Self::Nydus,
            "inline-virtio-fs" => Self::Inline,
            _ => return None,
        })
    }

    /// The device's type, as hypervisors are told.
    pub(super) fn device(self) -> &'static str {
        match self {
            Self::VirtioFs | Self::Nydus => "virtio-fs",
            Self::Inline => "inline-virtio-fs",
        }
    }

    /// Where the agent mounts it.
    pub(super) fn mount_point(self, start: &Start<'_>) -> String {
        let path = match self {
            Self::VirtioFs | Self::Inline => "/run/kata-containers/shared/containers/",
            Self::Nydus => "/run/kata-containers/shared/",
        };
        guest_share(Some(start.hv), path, start.release)
    }
}

/// The shared folder of one sandbox.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) kind: Kind,
    pub(super) queue_size: u64,
}

impl Share {
    /// `ResourceConfig::ShareFs`: the device and its daemon.
    pub(super) fn new(start: &Start<'_>, name: &str) -> Result<Self, Refusal> {
        let Some(kind) = Kind::named(name, start.release) else {
            let word = if start.has(Change::SharedFsSpelled) { "shared" } else { "shred" };
            return refuse(format!("unsupported {word} fs {name:?}"), CAUSED_BY).context("new share fs");
        };
        if kind == Kind::VirtioFs && !start.has(Change::SharedFolderMade) {
            return refuse("The virtiofs shared path didn't exist", &["hypervisor.shared_fs"])
                .context("setup share fs device before start vm: setup virtiofsd: virtiofsd args");
        }
        if kind == Kind::Nydus {
            check_nydusd(start)
                .context("setup share fs device before start vm: setup nydusd: validate nydusd config")?;
        }
        Ok(Self { kind, queue_size: u64::from(start.hv.shared_fs.virtio_fs_queue_size) })
    }

    /// The socket of the daemon.
    pub(super) fn socket(&self, start: &Start<'_>) -> String {
        match self.kind {
            Kind::Inline => "virtiofsd.sock".to_owned(),
            Kind::VirtioFs | Kind::Nydus => start.socket("virtiofsd.sock"),
        }
    }

    /// The daemon's command line.
    pub(super) fn helper(&self, start: &Start<'_>) -> Option<Helper> {
        let (keys, info) = (start.keys, &start.hv.shared_fs);
        let mut line = Line::default();
        match self.kind {
            Kind::VirtioFs => {
                Self::socket_argument(start, "--socket-path", &self.socket(start), &mut line);
                line.push("--shared-dir", start.paths.shared("ro"), keys.shared_fs);
                line.push("--cache", info.virtio_fs_cache.as_str(), keys.virtio_fs_cache);
                if start.has(Change::SandboxedVirtiofsd) {
                    line.words(&["--sandbox", "none", "--seccomp", "none"], Cause::constant());
                }
            }
            Kind::Nydus => {
                line.words(&["virtiofs", "--hybrid-mode", "--log-level", "info"], Cause::constant());
                let api = format!("{}/nydusd-api.sock", start.paths.jail());
                Self::socket_argument(start, "--apisock", &api, &mut line);
                Self::socket_argument(start, "--sock", &self.socket(start), &mut line);
            }
            Kind::Inline => return None,
        }
        let args = &info.virtio_fs_extra_args;
        let configured = args.len().saturating_sub(info.extra_args_of_pod);
        for (at, arg) in args.iter().enumerate() {
            let cause = Cause::key(keys.virtio_fs_extra_args).configured(at < configured);
            line.word(arg.as_str(), cause);
        }
        let labels = !start.hv.disable_guest_selinux && start.has(Change::VirtiofsdXattr);
        line.word_if(self.kind == Kind::VirtioFs && labels, "--xattr", keys.disable_guest_selinux);
        let program = info.virtio_fs_daemon.to_string();
        let cause = Cause::keys([keys.virtio_fs_daemon, keys.shared_fs]);
        Some(Helper { program: Arg::new(program, cause), args: line.args })
    }

    /// A rootless daemon runs in its socket's folder and is told the name alone: socket paths end at 108 bytes.
    fn socket_argument(start: &Start<'_>, flag: &str, path: &str, line: &mut Line) {
        let keys = start.keys;
        line.word(flag, keys.shared_fs);
        if start.paths.is_rootless() {
            let name = path.rsplit('/').next().unwrap_or(path);
            line.word(name, Cause::key(keys.rootless).by("in the folder of its socket"));
        } else {
            line.word(path, keys.shared_fs);
        }
    }
}

/// `validate_path`: the daemon is looked for before it is started.
fn check_nydusd(start: &Start<'_>) -> Result<(), Refusal> {
    let path = start.hv.shared_fs.virtio_fs_daemon.as_str();
    if path.is_empty() {
        return refuse("path is empty", CAUSED_BY);
    }
    let parent = match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => "",
    };
    if let Err(errno) = start.host.canonicalize(parent) {
        let message = format!("failed to canonicalize parent path {parent:?}: {}", errno.rust());
        return refuse(message, CAUSED_BY);
    }
    match start.host.stat(path) {
        Err(_) => refuse(format!("path {path:?} does not exist"), CAUSED_BY),
        Ok(stat) if stat.kind != FileKind::File => refuse(format!("path {path:?} is not a file"), CAUSED_BY),
        Ok(_) => Ok(()),
    }
}
