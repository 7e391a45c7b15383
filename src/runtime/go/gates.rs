//! The gate before a path: a compiled `valid_*` list, with what is said of a path that passes.
//!
//! Decides nothing: what passes is decided by `policy`. Said once for each entry, not for each pod.

use super::Loaded;
use crate::answer::verdict::{Stage, Step};
use crate::input::{Host, Place};
use crate::policy::values::ValueGate;
use crate::release::Release;

/// A list of paths.
#[derive(Debug, Clone)]
pub(super) struct ListedPaths {
    /// The list's key in the hypervisor's table.
    pub(super) key: &'static str,
    gate: ValueGate,
    /// What is said where an entry lets a path through, by entry.
    passed: Vec<Step>,
}

impl ListedPaths {
    /// Compiles a list, which stands at `place`.
    pub(super) fn new(release: Release, key: &'static str, list: &[String], place: Option<&Place>) -> Self {
        let passed = |pattern: &String| {
            Step::new(Stage::Value, true, format!("{key} has {pattern:?}")).at(place.cloned())
        };
        Self { key, gate: ValueGate::new(release, list), passed: list.iter().map(passed).collect() }
    }

    /// The step that lets a path through.
    pub(super) fn allows(&self, host: &Host, path: &str) -> Option<&Step> {
        self.passed.get(self.gate.allows(host, path)?)
    }
}

impl Loaded {
    /// The list of the active hypervisor's table under this key.
    pub(super) fn listed(&self, key: &str) -> Option<&ListedPaths> {
        self.gates.iter().find(|listed| listed.key == key)
    }
}
