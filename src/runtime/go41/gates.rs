//! The gates before a path: the compiled `valid_*` lists, with what is said of a path that passes.
//!
//! Decides nothing: what passes is decided by `policy`.

use super::config::HypervisorConfig;
use crate::catalog::Generation;
use crate::input::{Host, Place};
use crate::policy::values::ValueGate;
use crate::runtime::verdict::{Stage, Step};

/// A list of paths.
#[derive(Debug, Clone)]
pub(super) struct ListedPaths {
    /// The list's key in the hypervisor's table.
    pub key: &'static str,
    gate: ValueGate,
    /// What is said where an entry lets a path through, by entry.
    passed: Vec<Step>,
}

impl ListedPaths {
    fn new(key: &'static str, list: &[String], place: impl Fn(&str) -> Option<Place>) -> Self {
        let passed = |pattern: &String| Step {
            stage: Stage::Value,
            passed: true,
            note: format!("{key} has {pattern:?}").into(),
            place: place(key),
        };
        Self { key, gate: ValueGate::new(Generation::Go41, list), passed: list.iter().map(passed).collect() }
    }

    /// The station that lets a path through.
    pub fn admits(&self, host: &Host, path: &str) -> Option<&Step> {
        self.passed.get(self.gate.admits(host, path)?)
    }
}

/// All lists.
#[derive(Debug, Clone)]
pub(super) struct ValueGates {
    pub hypervisor: ListedPaths,
    pub jailer: ListedPaths,
    pub virtio_fs_daemon: ListedPaths,
    pub vhost_user_store: ListedPaths,
    pub entropy_source: ListedPaths,
}

impl ValueGates {
    /// Compiles them; `place` says where a key of the hypervisor's table stands.
    pub fn new(hypervisor: &HypervisorConfig, place: impl Fn(&str) -> Option<Place>) -> Self {
        let gate = |list: &[String], key| ListedPaths::new(key, list, &place);
        Self {
            hypervisor: gate(&hypervisor.hypervisor_path_list, "valid_hypervisor_paths"),
            jailer: gate(&hypervisor.jailer_path_list, "valid_jailer_paths"),
            virtio_fs_daemon: gate(&hypervisor.virtio_fs_daemon_list, "valid_virtio_fs_daemon_paths"),
            vhost_user_store: gate(&hypervisor.vhost_user_store_path_list, "valid_vhost_user_store_paths"),
            entropy_source: gate(&hypervisor.entropy_source_list, "valid_entropy_sources"),
        }
    }
}
