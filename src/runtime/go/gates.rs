//! The compiled `valid_*` lists.
//!
//! Decides nothing.

use super::config::HypervisorConfig;
use crate::input::Place;
use crate::release::Release;
use crate::runtime::go_listed::ListedPaths;

/// All lists.
#[derive(Debug, Clone)]
pub(super) struct ValueGates {
    pub hypervisor: ListedPaths,
    pub ctl: ListedPaths,
    pub jailer: ListedPaths,
    pub file_mem_backend: ListedPaths,
    pub virtio_fs_daemon: ListedPaths,
    pub vhost_user_store: ListedPaths,
    pub entropy_source: ListedPaths,
}

impl ValueGates {
    /// Compiles them; `place` says where a key of the hypervisor's table stands.
    pub fn new(
        release: Release,
        hypervisor: &HypervisorConfig,
        place: impl Fn(&str) -> Option<Place>,
    ) -> Self {
        let gate = |list: &[String], key: &'static str| {
            let note = |pattern: &str| format!("{key} has {pattern:?}");
            ListedPaths::new(release, key, list, place(key), note)
        };
        Self {
            hypervisor: gate(&hypervisor.valid_hypervisor_paths, "valid_hypervisor_paths"),
            ctl: gate(&hypervisor.valid_ctlpaths, "valid_ctlpaths"),
            file_mem_backend: gate(&hypervisor.valid_file_mem_backends, "valid_file_mem_backends"),
            jailer: gate(&hypervisor.valid_jailer_paths, "valid_jailer_paths"),
            virtio_fs_daemon: gate(&hypervisor.valid_virtio_fs_daemon_paths, "valid_virtio_fs_daemon_paths"),
            vhost_user_store: gate(&hypervisor.valid_vhost_user_store_paths, "valid_vhost_user_store_paths"),
            entropy_source: gate(&hypervisor.valid_entropy_sources, "valid_entropy_sources"),
        }
    }
}
