//! The process that serves the shared folder: virtiofsd, or nydusd with its own arguments.
//!
//! Decides whether it would start and how it is called. Facts:
//! src/runtime/virtcontainers/{virtiofsd,nydusd}.go and `createVirtiofsDaemon` of each hypervisor at 4.1.0.

use super::Refusal;
use super::keys::Keys;
use super::paths::Paths;
use crate::input::Host;
use crate::launch::{Arg, Cause, Helper};
use crate::runtime::go::config::SandboxHypervisor;

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
    pub(super) fn of(shared_fs: &str) -> Option<Self> {
        match shared_fs {
            "virtio-fs" => Some(Self::Virtiofsd),
            "virtio-fs-nydus" => Some(Self::Nydusd),
            _ => None,
        }
    }

    /// What is checked where the daemon is prepared: the lengths of its sockets' paths.
    pub(super) fn check_sockets(self, paths: Paths<'_>, socket: &str) -> Result<(), Refusal> {
        paths.check_socket(socket)?;
        if self == Self::Nydusd { paths.check_socket(NYDUSD_API) } else { Ok(()) }
    }

    /// What is checked where it is started.
    pub(super) fn check_start(self, host: &Host, hv: &SandboxHypervisor<'_>) -> Result<(), Refusal> {
        let path = &*hv.virtio_fs_daemon;
        match self {
            Self::Virtiofsd if path.is_empty() => {
                Err(Refusal::because("virtiofsd daemon path is empty", &["virtio_fs_daemon"]))
            }
            Self::Virtiofsd => match &*hv.virtio_fs_cache {
                "" | "auto" | "always" | "metadata" | "never" => Ok(()),
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

    /// How it is called. `xattr`: the hypervisor adds `--xattr` for a guest with SELinux.
    pub(super) fn helper(
        self,
        hv: &SandboxHypervisor<'_>,
        keys: &'static Keys,
        paths: Paths<'_>,
        socket: &str,
        api: &str,
        xattr: bool,
    ) -> Helper {
        let mut args = Vec::with_capacity(8 + hv.virtio_fs_extra_args.len());
        let always = |text: &str| Arg::new(text, Cause::constant());
        match self {
            Self::Virtiofsd => {
                let cache = if hv.virtio_fs_cache.is_empty() { "auto" } else { &hv.virtio_fs_cache };
                args.push(always("--syslog"));
                args.push(Arg::new(format!("--cache={cache}"), Cause::key(keys.virtio_fs_cache)));
                args.push(Arg::new(
                    format!("--shared-dir={}", paths.share()),
                    Cause::rule("the sandbox's shared folder"),
                ));
                args.push(Arg::new("--fd=3", Cause::rule("the socket is inherited")));
            }
            Self::Nydusd => {
                let level = if hv.debug { "debug" } else { "info" };
                args.push(always("virtiofs"));
                args.push(Arg::new("--log-level", Cause::key(keys.enable_debug)));
                args.push(Arg::new(level, Cause::key(keys.enable_debug)));
                args.push(always("--apisock"));
                args.push(Arg::new(paths.in_vm(api), Cause::constant()));
                args.push(always("--sock"));
                args.push(Arg::new(paths.in_vm(socket), Cause::constant()));
            }
        }
        args.extend(
            hv.virtio_fs_extra_args.iter().map(|arg| Arg::new(&**arg, Cause::key(keys.virtio_fs_extra_args))),
        );
        if xattr && self == Self::Virtiofsd {
            args.push(Arg::new("--xattr", Cause::key(keys.disable_guest_selinux)));
        }
        Helper { program: hv.virtio_fs_daemon.to_string(), args }
    }
}
