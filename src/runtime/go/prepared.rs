//! What is the same for every pod that sets an annotation: whether its name is let through, what it stands
//! for, and the value that holds without it.
//!
//! Made once for each annotation that some pod comes with. Facts: none of its own.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Loaded;
use super::config::SandboxConfig;
use super::keys::{Key, key};
use crate::answer::finding::{Code, Finding, Who};
use crate::answer::verdict::{Stage, Step};
use crate::catalog::Id;
use crate::catalog::{self, HYPERVISOR_PREFIX, Risk};
use crate::input::{Host, Place, Text};
use crate::policy::values::ValueGate;
use crate::release::Release;

/// The first prepared of one annotation, under one configuration.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// Whether the name gate lets it through.
    pub admitted: bool,
    /// The name gate, and what it is known as.
    pub steps: Arc<[Step]>,
    /// The whole configuration key that it stands for, if it stands for one.
    pub name: Option<Text>,
    /// The configuration key that it sets.
    pub key: Option<Key>,
    /// The value that the files give that key.
    pub before: Option<Arc<Json>>,
    /// Why it has no effect with this hypervisor, if it has none.
    pub unused: Option<&'static str>,
    /// What is pointed out about the pattern that lets it through.
    pub wide: Option<Finding>,
}

impl Prepared {
    /// Those of `id`.
    pub fn of(loaded: &Loaded, id: Id) -> Self {
        let annotation = id.annotation();
        let hypervisor = loaded.runtime().hypervisor_type;
        let reader = annotation.reader(loaded.release());
        let target = id.target();
        let key = target.and_then(|target| key(target.section, target.field));
        let gate = name_step(loaded, annotation.key);
        let name = target.map(|target| Text::from(target.name(hypervisor)));
        let config = SandboxConfig::new(loaded.runtime(), "", "");
        let known_as = match &name {
            Some(name) => Step::new(Stage::Known, true, format!("stands for {name}")),
            None => Step::new(Stage::Known, true, "known"),
        };
        Self {
            admitted: gate.is_some(),
            steps: gate.into_iter().chain([known_as]).collect(),
            name,
            key,
            before: key.map(|key| Arc::new(key.value(&config))),
            unused: reader.idle_on(hypervisor.as_str()).filter(|_| reader.read),
            wide: wide_pattern(loaded, annotation.key),
        }
    }
}

/// The name gate's step; `None` where it refuses the name.
pub(super) fn name_step(loaded: &Loaded, key: &str) -> Option<Step> {
    let Some(short) = key.strip_prefix(HYPERVISOR_PREFIX) else {
        return Some(Step::new(Stage::Name, true, "no list checks annotations of this kind"));
    };
    let pattern = loaded.pattern(short)?;
    let step = Step::new(Stage::Name, true, format!("{pattern:?} matches"));
    Some(step.at(loaded.hypervisor_place("enable_annotations")))
}

/// A plain word in `enable_annotations` that was found inside a longer name, where the longer one gives
/// more into a pod's hands than a size.
pub(super) fn wide_pattern(loaded: &Loaded, key: &str) -> Option<Finding> {
    let short = key.strip_prefix(HYPERVISOR_PREFIX)?;
    let pattern = loaded.pattern(short)?;
    let is_word = pattern.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let risk = catalog::annotation(key)?.risk;
    let matters = matches!(risk, Risk::HostExec | Risk::HostPath | Risk::GuestIntegrity | Risk::Isolation);
    if !is_word || pattern == short || !matters {
        return None;
    }
    let message =
        format!("{pattern:?} in enable_annotations lets {short} through: patterns match anywhere in a name");
    let finding = Finding::note(Code::WidePattern, Who::ClusterAdministrator, message).about(key);
    let finding = finding.at(loaded.hypervisor_place("enable_annotations"));
    Some(finding.advise(format!("write \"^{pattern}$\" if only {pattern} is meant")))
}

/// A compiled `valid_*` list, with what is said of a path that passes: once for each entry, not for each pod.
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
