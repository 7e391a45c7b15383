//! What a pod's annotations do to the loaded configuration, one by one.
//!
//! Decides which are let through, how each value is read and where it goes. Upstream walks them in
//! random order; each writes to a key of its own, so the order only decides which of several errors
//! is told: here it is the smallest message. Facts: src/libs/kata-types/src/annotations/mod.rs at each tag.

mod apply;
mod rules;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

pub use rules::{Known, Rule, Table, View};

use super::config::{Config, Hypervisor};
use super::error::{ConfigError, ConfigResult};
use super::plugin::Plugin;
use super::validate::sector_sizes;
use crate::answer::verdict::Stage;
use crate::catalog::{CRI_PREFIX, HYPERVISOR_PREFIX, Id, KATA_PREFIX, annotation};
use crate::input::{Annotations, Host, Place, Text};
use crate::policy::names::NameGate;
use crate::policy::values::ValueGate;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::defaults::or_word;
use crate::runtime::refusal::Refusal;
use rules::Tables;

/// The compiled policy of one hypervisor table.
#[derive(Debug, Clone)]
pub struct Gates {
    /// `enable_annotations`
    pub names: NameGate,
    /// Where `enable_annotations` stands.
    pub names_place: Option<Place>,
    /// What the names of known annotations come to, in the order of the catalogue.
    admitted: Vec<Option<usize>>,
    /// By the key of the list.
    paths: Vec<(&'static str, ValueGate)>,
}

impl Gates {
    /// Compiles the lists of a table.
    pub fn new(release: Release, hv: &Hypervisor, names_place: Option<Place>) -> Self {
        let names = NameGate::new(release, &hv.security_info.enable_annotations);
        let of_key = |key: &str| key.strip_prefix(HYPERVISOR_PREFIX).and_then(|short| names.allows(short));
        Self {
            admitted: Id::ALL.iter().map(|id| of_key(id.annotation().key)).collect(),
            names,
            names_place,
            paths: hv.lists().skip(1).map(|(key, list)| (key, ValueGate::new(release, list))).collect(),
        }
    }

    /// The entry of `enable_annotations` that lets a name through.
    fn allows(&self, short: &str, id: Option<Id>) -> Option<usize> {
        match id.and_then(|id| self.admitted.get(id as usize)) {
            Some(known) => *known,
            None => self.names.allows(short),
        }
    }

    pub(super) fn path(&self, list: &str) -> Option<&ValueGate> {
        self.paths.iter().find(|(key, _)| *key == list).map(|(_, gate)| gate)
    }
}

/// What the walk over the annotations made of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Its value went into the configuration.
    Taken,
    /// Known, let through and read past, for this reason.
    PassedOver(Stage, Cow<'static, str>),
    /// Known, and its name is not in `enable_annotations`.
    NotEnabled,
    /// Not known, and read past.
    Unknown,
    /// The pod fails.
    Refused(Box<Refusal>),
}

/// What became of one annotation.
pub struct Attempt<'a> {
    /// The whole key.
    pub key: &'a Text,
    /// The value as the pod has it.
    pub value: &'a Text,
    /// What it stands for, where the runtime has it.
    pub known: Option<Known>,
    /// The entry of `enable_annotations` that let it through.
    pub name_pattern: Option<usize>,
    /// The entry of the path list that let the value through.
    pub path_pattern: Option<usize>,
    /// What became of it.
    pub decision: Decision,
    /// The value of its field right after it, where it was taken.
    pub wrote: Option<Arc<Json>>,
}

impl Attempt<'_> {
    /// The name that `enable_annotations` is held against.
    pub fn short(&self) -> Option<&str> {
        self.key.strip_prefix(HYPERVISOR_PREFIX)
    }

    /// Why it makes the pod fail.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.decision {
            Decision::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

const PICK_HYPERVISOR: &str = "io.katacontainers.config.runtime.hypervisor_name";
const PICK_AGENT: &str = "io.katacontainers.config.runtime.agent_name";

/// Lets the pod pick the tables, where those exist, and wants all three names.
pub fn pick_tables(config: &mut Config, annotations: &Annotations) -> ConfigResult {
    if let Some(name) = annotations.get(PICK_HYPERVISOR)
        && config.hypervisor.contains_key(name.as_str())
    {
        config.runtime.hypervisor_name.clone_from(name);
    }
    if let Some(name) = annotations.get(PICK_AGENT)
        && config.agent.contains_key(name.as_str())
    {
        config.runtime.agent_name.clone_from(name);
    }
    if !config.release.has(Change::NamesRequired) {
        return default_names(config);
    }
    let runtime = &config.runtime;
    let wrong = |key, message: String| Err(ConfigError::about(key, message).within("runtime"));
    let names = [
        ("name", "Runtime", &runtime.name),
        ("hypervisor_name", "Hypervisor", &runtime.hypervisor_name),
        ("agent_name", "Agent", &runtime.agent_name),
    ];
    if let Some((key, what, _)) = names.into_iter().find(|(.., name)| name.is_empty()) {
        return wrong(key, format!("{what} name is missing in the configuration"));
    }
    if !config.hypervisor.contains_key(&runtime.hypervisor_name) {
        return wrong("hypervisor_name", format!("Invalid hypervisor name {}", runtime.hypervisor_name));
    }
    if !config.agent.contains_key(&runtime.agent_name) {
        return wrong("agent_name", format!("Invalid agent name {}", runtime.agent_name));
    }
    Ok(())
}

/// What releases did that did not want the names: there are defaults, and a missing table is a crash.
fn default_names(config: &mut Config) -> ConfigResult {
    let runtime = &mut config.runtime;
    or_word(&mut runtime.name, "virt_container");
    or_word(&mut runtime.hypervisor_name, "dragonball");
    or_word(&mut runtime.agent_name, "kata");
    let missing = match config.hypervisor.contains_key(&runtime.hypervisor_name) {
        false => "hypervisor_name",
        true if !config.agent.contains_key(&runtime.agent_name) => "agent_name",
        true => return Ok(()),
    };
    let message = "called `Option::unwrap()` on a `None` value";
    Err(ConfigError::about(missing, message).within("runtime").crash())
}

/// Whether a verdict is due: Kata's own keys, and others that Kata knows, save the CRI's.
fn is_katas(key: &str) -> bool {
    key.starts_with(KATA_PREFIX) || (!key.starts_with(CRI_PREFIX) && annotation(key).is_some())
}

/// Applies every annotation; the tables must have been picked.
pub fn apply<'a>(
    config: &mut Config,
    gates: &Gates,
    plugin: Plugin,
    annotations: &'a Annotations,
    host: &Host,
) -> Vec<Attempt<'a>> {
    let (hypervisor, agent) = (&config.runtime.hypervisor_name, &config.runtime.agent_name);
    let (Some(hv), Some(ag)) = (config.hypervisor.get_mut(hypervisor), config.agent.get_mut(agent)) else {
        return Vec::new();
    };
    let mut walk = apply::Walk {
        host,
        gates,
        plugin,
        release: config.release,
        picked: (hypervisor.clone(), agent.clone()),
        tables: Tables { hv, ag, rt: &mut config.runtime },
    };
    annotations.in_order(is_katas).into_iter().map(|(key, value)| walk.step(key, value)).collect()
}

/// What became of the annotations of a pod that fails before its annotations are read.
pub fn unread(release: Release, annotations: &Annotations) -> Vec<Attempt<'_>> {
    let decision = Decision::PassedOver(Stage::Known, "the pod fails before its annotations are read".into());
    annotations
        .in_order(is_katas)
        .into_iter()
        .map(|(key, value)| {
            let (known, decision) = (rules::known(key, release), decision.clone());
            Attempt { key, value, known, name_pattern: None, path_pattern: None, decision, wrote: None }
        })
        .collect()
}

/// The error that the runtime ends with, if any annotation is refused.
pub fn worst<'t, 'a>(attempts: &'t [Attempt<'a>]) -> Option<(&'t Attempt<'a>, &'t Refusal)> {
    attempts
        .iter()
        .filter_map(|attempt| attempt.refusal().map(|refusal| (attempt, refusal)))
        .min_by(|a, b| a.1.message.cmp(&b.1.message))
}

/// The check over two annotations that follows the walk.
pub fn cross_check(config: &Config) -> ConfigResult {
    let Some(hv) = config.active_hypervisor() else { return Ok(()) };
    let block = &hv.blockdev_info;
    sector_sizes(block.block_device_logical_sector_size, block.block_device_physical_sector_size)
        .map_err(|c| c.within(format!("hypervisor.{}", config.runtime.hypervisor_name)))
}
