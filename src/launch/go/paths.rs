//! Where the runtime keeps what it makes for one sandbox, and how long a socket's path may be.
//!
//! Facts: src/runtime/virtcontainers/{persist/fs,kata_agent,utils/utils}.go at 4.1.0.

use super::Refusal;
use crate::runtime::go::config::SandboxConfig;
use crate::runtime::stand_in;

/// `sun_path` less its terminating zero.
const LONGEST_SOCKET: usize = 107;
/// What a container runtime gives: the length that the token of an unknown id stands for.
const ID_LENGTH: usize = 64;
const VM_STORE: &str = "/run/vc/vm/";

/// The network namespace of sandbox `id`: the CRI makes it when the pod starts.
pub(super) fn network_namespace(id: &str) -> &'static str {
    if id.starts_with('{') { "{netns}" } else { stand_in::NETWORK_NAMESPACE }
}

/// The folders of one sandbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<'a> {
    /// Empty, or the run-time folder of the user that a rootless VM runs as.
    pub(super) root: &'static str,
    /// The sandbox id.
    pub(super) id: &'a str,
}

impl<'a> Paths<'a> {
    pub(super) fn of(config: &'a SandboxConfig<'a>) -> Self {
        Self { root: if config.rootless_shim { stand_in::ROOTLESS_FOLDER } else { "" }, id: config.id }
    }

    /// A file in the folder of the VM.
    pub(super) fn in_vm(self, name: &str) -> String {
        format!("{}{VM_STORE}{}/{name}", self.root, self.id)
    }

    /// Refuses a socket whose path would not fit.
    pub(super) fn check_socket(self, name: &str) -> Result<(), Refusal> {
        let id = if self.id.starts_with('{') { ID_LENGTH } else { self.id.len() };
        let length = self.root.len() + VM_STORE.len() + id + 1 + name.len();
        if length > LONGEST_SOCKET {
            let path = self.in_vm(name);
            return Err(Refusal::because(
                format!("path too long (got {length}, max {LONGEST_SOCKET}): {path}"),
                &[],
            ));
        }
        Ok(())
    }

    /// The folder that the guest sees.
    pub(super) fn share(self) -> String {
        format!("{}/run/kata-containers/shared/sandboxes/{}/shared", self.root, self.id)
    }
}

/// The folder under which the guest mounts what is shared with it.
pub(crate) fn guest_share(rootless: bool, below: &str) -> String {
    format!("{}/run/kata-containers/shared/{below}", if rootless { stand_in::ROOTLESS_FOLDER } else { "" })
}
