//! The folder that host and guest share, and the daemon that serves it.
//!
//! Facts: src/runtime-rs/crates/resource/src/share_fs at each tag.

use super::{Refusal, Start, Within};
use crate::answer::launch::{Arg, Cause, Helper};
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::rs::config::Hypervisor;

const BLAME: &[&str] = &["hypervisor.shared_fs", "hypervisor.virtio_fs_daemon"];

/// Who serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// virtiofsd
    VirtioFs,
    /// nydusd
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
    pub(super) fn mount_point(self, hv: Option<&Hypervisor>, release: Release) -> String {
        let path = match self {
            Self::VirtioFs | Self::Inline => "/run/kata-containers/shared/containers/",
            Self::Nydus => "/run/kata-containers/shared/",
        };
        super::guest_share(hv, path, release)
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
            let refusal = Refusal::because(format!("unsupported {word} fs {name:?}"), BLAME);
            return Err(refusal.within("new share fs"));
        };
        if kind == Kind::VirtioFs && !start.has(Change::SharedFolderMade) {
            let refusal =
                Refusal::because("The virtiofs shared path didn't exist", &["hypervisor.shared_fs"]);
            let refusal = refusal.within("setup virtiofsd: virtiofsd args");
            return Err(refusal.within("setup share fs device before start vm"));
        }
        if kind == Kind::Nydus {
            check_nydusd(start)
                .within("setup share fs device before start vm: setup nydusd: validate nydusd config")?;
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
        let daemon = Daemon { share: self, start };
        let args = match self.kind {
            Kind::VirtioFs => daemon.virtiofsd(),
            Kind::Nydus => daemon.nydusd(),
            Kind::Inline => return None,
        };
        let cause = Cause::keys([start.keys.virtio_fs_daemon, start.keys.shared_fs]);
        Some(Helper { program: Arg::new(start.hv.shared_fs.virtio_fs_daemon.to_string(), cause), args })
    }
}

/// `validate_path`: the daemon is looked for before it is started.
fn check_nydusd(start: &Start<'_>) -> Result<(), Refusal> {
    let path = start.hv.shared_fs.virtio_fs_daemon.as_str();
    let refuse = |message: String| Err(Refusal::because(message, BLAME));
    if path.is_empty() {
        return refuse("path is empty".to_owned());
    }
    let parent = match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => "",
    };
    if let Err(errno) = start.host.canonicalize(parent) {
        return refuse(format!("failed to canonicalize parent path {parent:?}: {}", errno.rust()));
    }
    match start.host.stat(path) {
        Err(_) => refuse(format!("path {path:?} does not exist")),
        Ok(stat) if stat.kind != crate::input::host::FileKind::File => {
            refuse(format!("path {path:?} is not a file"))
        }
        Ok(_) => Ok(()),
    }
}

struct Daemon<'a> {
    share: &'a Share,
    start: &'a Start<'a>,
}

impl Daemon<'_> {
    /// A rootless daemon runs in its socket's folder and is told the name alone: socket paths end at 108 bytes.
    fn socket(&self, path: &str) -> Arg {
        if self.start.paths.is_rootless() {
            let name = path.rsplit('/').next().unwrap_or(path);
            let cause = Cause::key(self.start.keys.rootless).by("in the folder of its socket");
            return Arg::new(name, cause);
        }
        Arg::new(path, Cause::key(self.start.keys.shared_fs))
    }

    fn extra<'b>(&'b self) -> impl Iterator<Item = Arg> + 'b {
        let cause = Cause::key(self.start.keys.virtio_fs_extra_args);
        let shared = &self.start.hv.shared_fs;
        let args = &shared.virtio_fs_extra_args;
        let configured = args.len().saturating_sub(shared.extra_args_of_pod);
        args.iter()
            .enumerate()
            .map(move |(at, arg)| Arg::new(arg.as_str(), cause.clone().configured(at < configured)))
    }

    fn virtiofsd(&self) -> Vec<Arg> {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let share = Cause::key(keys.shared_fs);
        let cache = Cause::key(keys.virtio_fs_cache);
        let mut args = vec![
            Arg::new("--socket-path", share.clone()),
            self.socket(&self.share.socket(self.start)),
            Arg::new("--shared-dir", share.clone()),
            Arg::new(self.start.paths.shared("ro"), share),
            Arg::new("--cache", cache.clone()),
            Arg::new(hv.shared_fs.virtio_fs_cache.as_str(), cache),
        ];
        if self.start.has(Change::SandboxedVirtiofsd) {
            let flags = ["--sandbox", "none", "--seccomp", "none"];
            args.extend(flags.map(|text| Arg::new(text, Cause::constant())));
        }
        args.extend(self.extra());
        if !hv.disable_guest_selinux && self.start.has(Change::VirtiofsdXattr) {
            args.push(Arg::new("--xattr", Cause::key(keys.disable_guest_selinux)));
        }
        args
    }

    fn nydusd(&self) -> Vec<Arg> {
        let share = Cause::key(self.start.keys.shared_fs);
        let always = Cause::constant();
        let mut args = vec![
            Arg::new("virtiofs", always.clone()),
            Arg::new("--hybrid-mode", always.clone()),
            Arg::new("--log-level", always.clone()),
            Arg::new("info", always),
            Arg::new("--apisock", share.clone()),
            self.socket(&format!("{}/nydusd-api.sock", self.start.paths.jail())),
            Arg::new("--sock", share),
            self.socket(&self.share.socket(self.start)),
        ];
        args.extend(self.extra());
        args
    }
}
