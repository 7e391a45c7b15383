//! The process that serves the shared folder: virtiofsd, or nydusd with its own arguments.
//!
//! Decides whether it would start and how it is called. Facts:
//! src/runtime/virtcontainers/{virtiofsd,nydusd}.go and `createVirtiofsDaemon` of each hypervisor from 2.0.0 to
//! 4.1.0.

use super::Refusal;
use super::paths::Paths;
use crate::answer::launch::{Arg, Cause, Helper};
use crate::input::Host;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};

/// The API socket of nydusd, beside the one of the file system; StratoVirt's has another name.
pub(super) const NYDUSD_API: &str = "nydusd-api.sock";

/// Which daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Daemon {
    Virtiofsd,
    Nydusd,
}

impl Daemon {
    /// The daemon that `shared_fs` asks for.
    pub(super) fn of(release: Release, shared_fs: &str) -> Option<Self> {
        match shared_fs {
            "virtio-fs" => Some(Self::Virtiofsd),
            "virtio-fs-nydus" if release.has(Change::Nydusd) => Some(Self::Nydusd),
            _ => None,
        }
    }

    /// What is checked where the daemon is prepared: the lengths of its sockets' paths.
    pub(super) fn check_sockets(self, paths: Paths<'_>, socket: &str) -> Result<(), Refusal> {
        paths.check_socket(socket)?;
        if self == Self::Nydusd { paths.check_socket(NYDUSD_API) } else { Ok(()) }
    }

    /// What is checked where it is started.
    pub(super) fn check_start(
        self,
        release: Release,
        host: &Host,
        hv: &HypervisorConfig,
    ) -> Result<(), Refusal> {
        let path = &*hv.virtio_fs_daemon;
        match self {
            Self::Virtiofsd if release.has(Change::VirtiofsdByHypervisor) => Ok(()),
            Self::Virtiofsd if path.is_empty() => {
                Err(Refusal::because("virtiofsd daemon path is empty", &["virtio_fs_daemon"]))
            }
            Self::Virtiofsd => match &*hv.virtio_fs_cache {
                _ if !release.has(Change::CacheChecked) => Ok(()),
                "" | "auto" | "always" | "never" => Ok(()),
                "none" if release.has(Change::CacheNone) => Ok(()),
                "metadata" if release.has(Change::CacheMetadata) => Ok(()),
                mode => Err(Refusal::because(
                    format!("Invalid virtio-fs cache mode: {mode}"),
                    &["virtio_fs_cache"],
                )),
            },
            Self::Nydusd => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if path.is_empty() || !host.exists(if folder.is_empty() { "/" } else { folder }) {
                    return Err(Refusal::because("nydusd daemon path is invalid", &["virtio_fs_daemon"]));
                }
                Ok(())
            }
        }
    }
}

/// How a sandbox's daemon is called.
pub(super) struct Call<'a> {
    pub(super) config: &'a SandboxConfig,
    pub(super) keys: &'static HypervisorKeys,
    pub(super) paths: Paths<'a>,
    /// The name of the file system's socket.
    pub(super) socket: &'static str,
    /// The name of nydusd's own socket.
    pub(super) api: &'static str,
    /// Whether the hypervisor asks for SELinux labels, for a guest with SELinux.
    pub(super) xattr: bool,
}

impl Call<'_> {
    /// The process.
    pub(super) fn helper(&self, daemon: Daemon) -> Helper {
        let (hv, keys, release) = (&self.config.hypervisor_config, self.keys, self.config.release);
        let mut args = match daemon {
            Daemon::Virtiofsd if release.has(Change::VirtiofsdInRust) => self.virtiofsd(),
            Daemon::Virtiofsd => self.first_virtiofsd(),
            Daemon::Nydusd => self.nydusd(),
        };
        let extra = Cause::key(keys.virtio_fs_extra_args);
        let configured =
            hv.virtio_fs_extra_args.len().saturating_sub(hv.virtio_fs_extra_args_of_pod as usize);
        args.extend(
            hv.virtio_fs_extra_args
                .iter()
                .enumerate()
                .map(|(at, arg)| Arg::new(&**arg, extra.clone().configured(at < configured))),
        );
        if self.xattr && daemon == Daemon::Virtiofsd && release.has(Change::VirtiofsdXattr) {
            let words: &[&str] =
                if release.has(Change::XattrInRust) { &["--xattr"] } else { &["-o", "xattr"] };
            let cause = Cause::key(keys.disable_guest_selinux);
            args.extend(words.iter().map(|word| Arg::new(*word, cause.clone())));
        }
        let cause = Cause::keys([keys.virtio_fs_daemon, keys.shared_fs]);
        Helper { program: Arg::new(&*hv.virtio_fs_daemon, cause), args }
    }

    fn cache(&self) -> &str {
        match &*self.config.hypervisor_config.virtio_fs_cache {
            "" if self.config.release.has(Change::CacheChecked) => "auto",
            "none" if self.config.release.has(Change::CacheNone) => "never",
            mode => mode,
        }
    }

    /// The daemon written in Rust.
    fn virtiofsd(&self) -> Vec<Arg> {
        vec![
            Arg::new("--syslog", Cause::constant()),
            Arg::new(format!("--cache={}", self.cache()), Cause::key(self.keys.virtio_fs_cache)),
            Arg::new(
                format!("--shared-dir={}", self.paths.share()),
                Cause::rule("the sandbox's shared folder"),
            ),
            Arg::new("--fd=3", Cause::rule("the socket is inherited")),
        ]
    }

    /// The daemon that came with QEMU.
    fn first_virtiofsd(&self) -> Vec<Arg> {
        let (release, debug) = (self.config.release, self.config.hypervisor_config.enable_debug);
        let mut args = Vec::with_capacity(12);
        let mut push = |words: &[&str], cause: Cause| {
            args.extend(words.iter().map(|word| Arg::new(*word, cause.clone())));
        };
        let cache = format!("cache={}", self.cache());
        let source = format!("source={}", self.paths.share());
        let by_cache = || Cause::key(self.keys.virtio_fs_cache);
        let by_share = || Cause::rule("the sandbox's shared folder");
        let by_debug = || Cause::key(self.keys.enable_debug);
        let socket = ("--fd=3", Cause::rule("the socket is inherited"));
        let own_way = release.has(Change::VirtiofsdByHypervisor);
        if own_way && self.config.hypervisor_type == HypervisorType::Qemu {
            push(&[socket.0], socket.1);
            push(&["-o", &source], by_share());
            push(&["-o", &cache], by_cache());
            push(&["--syslog", "-o", "no_posix_lock"], Cause::constant());
            push(&[if debug { "-d" } else { "-f" }], by_debug());
            return args;
        }
        push(&["--syslog"], Cause::constant());
        if own_way {
            push(&["-f"], Cause::constant());
        }
        push(&["-o", &cache], by_cache());
        push(&["-o", "no_posix_lock"], Cause::constant());
        push(&["-o", &source], by_share());
        push(&[socket.0], socket.1);
        if own_way {
            if debug {
                push(&["-o", "debug"], by_debug());
            }
        } else if release.has(Change::VirtiofsdDebug) {
            push(&[if debug { "-d" } else { "-f" }], by_debug());
        } else {
            push(&["-f"], Cause::constant());
        }
        args
    }

    fn nydusd(&self) -> Vec<Arg> {
        let (release, debug) = (self.config.release, self.config.hypervisor_config.enable_debug);
        let always = |text: &str| Arg::new(text, Cause::constant());
        let mut args = Vec::with_capacity(8);
        if release.has(Change::NydusdSubcommand) {
            args.push(always("virtiofs"));
        }
        if release.has(Change::NydusdHybrid) {
            args.push(always("--hybrid-mode"));
        }
        args.push(Arg::new("--log-level", Cause::key(self.keys.enable_debug)));
        args.push(Arg::new(if debug { "debug" } else { "info" }, Cause::key(self.keys.enable_debug)));
        args.push(always("--apisock"));
        args.push(Arg::new(self.paths.in_vm(self.api), Cause::constant()));
        args.push(always("--sock"));
        args.push(Arg::new(self.paths.in_vm(self.socket), Cause::constant()));
        args
    }
}
