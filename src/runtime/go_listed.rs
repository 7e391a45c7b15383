//! The gate before a path: a compiled `valid_*` list, with what is said of a path that passes.
//!
//! Decides nothing: what passes is decided by `policy`. Said once for each entry, not for each pod.

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
    /// Compiles a list; `note` says that this entry lets a path through.
    pub(super) fn new(
        release: Release,
        key: &'static str,
        list: &[String],
        place: Option<Place>,
        note: impl Fn(&str) -> String,
    ) -> Self {
        let passed = |pattern: &String| Step {
            stage: Stage::Value,
            passed: true,
            note: note(pattern).into(),
            place: place.clone(),
        };
        let passed = list.iter().map(passed).collect();
        Self { key, gate: ValueGate::new(release, list), passed }
    }

    /// The station that lets a path through.
    pub(super) fn admits(&self, host: &Host, path: &str) -> Option<&Step> {
        self.passed.get(self.gate.admits(host, path)?)
    }
}
