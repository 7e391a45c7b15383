//! Where the runtime keeps what it makes for one sandbox, and how long a socket's path may be.
//!
//! Facts: src/runtime/virtcontainers/{persist/fs,kata_agent,utils/utils}.go at 4.1.0.

use super::{Change, Refusal, refuse};
use crate::release::Release;
use crate::runtime::go::config::SandboxConfig;
use crate::runtime::placeholder::ROOTLESS_FOLDER;

/// `sun_path` less its terminating zero.
const LONGEST_SOCKET: usize = 107;
/// What a container runtime gives: the length that the token of an unknown id stands for.
const ID_LENGTH: usize = 64;
const VM_STORE: &str = "/run/vc/vm/";

/// How long the path of a rootless VM's folder is: users that are made get a number of four digits.
const ROOTLESS_FOLDER_LENGTH: usize = 14;

/// The folders of one sandbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<'a> {
    /// Empty, or the run-time folder of the user that a rootless VM runs as.
    pub(super) root: &'static str,
    /// The same for the shared folder.
    share_root: &'static str,
    pub(super) id: &'a str,
}

impl<'a> Paths<'a> {
    pub(super) fn of(config: &'a SandboxConfig) -> Self {
        let root = if config.rootless_shim { ROOTLESS_FOLDER } else { "" };
        let share_root = if config.release.has(Change::RootlessShare) { root } else { "" };
        Self { root, share_root, id: &config.id }
    }

    /// A file in the folder of the VM.
    pub(super) fn in_vm(self, name: &str) -> String {
        format!("{}{VM_STORE}{}/{name}", self.root, self.id)
    }
    pub(super) fn id_length(self) -> usize {
        if self.id.starts_with('{') { ID_LENGTH } else { self.id.len() }
    }

    /// Refuses a socket whose path would not fit.
    pub(super) fn check_socket(self, name: &str) -> Result<(), Refusal> {
        let root = if self.root.is_empty() { 0 } else { ROOTLESS_FOLDER_LENGTH };
        let length = root + VM_STORE.len() + self.id_length() + 1 + name.len();
        if length > LONGEST_SOCKET {
            let path = self.in_vm(name);
            return refuse(format!("path too long (got {length}, max {LONGEST_SOCKET}): {path}"), &[]);
        }
        Ok(())
    }

    /// The folder that the guest sees.
    pub(super) fn share(self) -> String {
        format!("{}/run/kata-containers/shared/sandboxes/{}/shared", self.share_root, self.id)
    }

    /// The folder under which the guest mounts what is shared with it.
    pub(super) fn guest_share(self, below: &str) -> String {
        format!("{}/run/kata-containers/shared/{below}", self.share_root)
    }
}

/// Where the guest mounts the memory that its containers share.
pub(crate) fn guest_memory(release: Release, rootless: bool) -> String {
    let moved = rootless && release.has(Change::RootlessGuestMemory);
    format!("{}/run/kata-containers/sandbox/shm", if moved { ROOTLESS_FOLDER } else { "" })
}
