//! Where one sandbox keeps its sockets and folders on the host.
//!
//! Facts: `get_sandbox_path` and `get_jailer_root` in src/runtime-rs/crates/hypervisor/src/utils.rs,
//! `prefix_with_rootless_dir` in src/libs/kata-types/src/lib.rs at each tag.

use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::placeholder::ROOTLESS_FOLDER;
use crate::runtime::rs::config::Hypervisor;

/// Where things are on the host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<'a> {
    pub(super) id: &'a str,
    /// What every folder is put below when the VMM is not root.
    rootless: Option<&'static str>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(id: &'a str, hv: &Hypervisor, release: Release) -> Self {
        Self { id, rootless: rootless_folder(Some(hv), release) }
    }

    pub(super) fn is_rootless(&self) -> bool {
        self.rootless.is_some()
    }

    /// The sandbox's own folder.
    pub(super) fn sandbox(&self) -> String {
        prefixed(self.rootless, &format!("/run/kata/{}", self.id))
    }

    /// The folder of sockets.
    pub(super) fn jail(&self) -> String {
        format!("{}/root", self.sandbox())
    }

    /// The folder that Cloud Hypervisor finds the file sharing daemon's socket in: a short link when the
    /// VMM is not root, because socket paths end at 108 bytes.
    pub(super) fn jail_link(&self) -> String {
        match &self.rootless {
            Some(dir) => format!("{dir}/{}/root", self.id),
            None => self.jail(),
        }
    }

    /// What the guest sees of the host.
    pub(super) fn shared(&self, side: &str) -> String {
        format!("{}/{}/{side}", prefixed(self.rootless, "/run/kata-containers/shared/sandboxes"), self.id)
    }

    /// The disk with the initialization data.
    pub(super) fn initdata(&self) -> String {
        format!(
            "{}/{}/initdata.image",
            prefixed(self.rootless, "/run/kata-containers/shared/initdata"),
            self.id
        )
    }
}

/// The folder of the user that the VMM runs as, who is made when the VM starts.
fn rootless_folder(hv: Option<&Hypervisor>, release: Release) -> Option<&'static str> {
    let rootless = hv.is_some_and(|hv| hv.security_info.rootless) && release.has(Change::Rootless);
    rootless.then_some(ROOTLESS_FOLDER)
}

fn prefixed(rootless: Option<&str>, path: &str) -> String {
    match rootless {
        // The prefix takes the path apart, which loses a slash at its end.
        Some(dir) => format!("{dir}{}", path.trim_end_matches('/')),
        None => path.to_owned(),
    }
}

/// Where the guest mounts what is shared; upstream gives it the host's prefix, too.
pub(crate) fn guest_share(hv: Option<&Hypervisor>, path: &str, release: Release) -> String {
    prefixed(rootless_folder(hv, release), path)
}
