//! Every annotation that runtime-rs reads, as data: the key, the configuration key it sets, and how
//! the value is read.
//!
//! Facts: `update_config_by_annotation` in src/libs/kata-types/src/annotations/mod.rs at each tag. Which of them a
//! release knows stands in the catalogue.

mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value as Json;

use super::super::changes::Change;
use super::super::config::hypervisor::shortest;
use super::super::config::{Agent, Hypervisor, Runtime};
use super::lists::PathList;
use super::shown::Shown;
use crate::catalog::{Reader, annotation};
use crate::input::Text;
use crate::release::Release;

pub use table::RULES;

/// The tables that one pod's annotations write to.
pub struct Tables<'a> {
    /// The hypervisor's.
    pub hv: &'a mut Hypervisor,
    /// The agent's.
    pub ag: &'a mut Agent,
    /// `[runtime]`
    pub rt: &'a mut Runtime,
}

/// The same tables, to look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The hypervisor's.
    pub hv: &'a Hypervisor,
    /// The agent's.
    pub ag: &'a Agent,
    /// `[runtime]`
    pub rt: &'a Runtime,
}

/// Which table a rule writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Table {
    Hypervisor,
    Agent,
    Runtime,
}

type Set<T> = fn(&mut Tables<'_>, T);
type TextIn = for<'a, 'b> fn(&'a mut Tables<'b>) -> &'a mut Text;
type List = for<'a, 'b> fn(&'a mut Tables<'b>) -> &'a mut Vec<String>;

/// How a value is read and what it does.
#[derive(Clone, Copy)]
pub enum Action {
    /// `true` or `false`.
    Bool(Set<bool>),
    /// A whole number of 32 bits.
    U32(Set<u32>),
    /// A whole number of 64 bits.
    U64(Set<u64>),
    /// A whole number of the machine's size.
    Usize(Set<usize>),
    /// Text as it stands.
    Text(TextIn),
    /// A path that one of the patterns of a list must match; existence is asked later.
    Listed(PathList, TextIn),
    /// A path that must exist on the host; empty takes the configured one away.
    Existing(TextIn),
    /// Pieces between these signs, put behind the configured ones.
    Append(char, List),
    /// A sector size.
    Sector(Set<u32>),
    /// A number of PCIe ports, and how the message calls them.
    Ports(&'static str, Set<u32>),
    /// `default_vcpus`
    Vcpus,
    /// `default_memory`
    Memory,
    /// `hugepage_type`
    HugePages,
    /// `kernel_params`
    KernelParams,
    /// `kernel_verity_params`
    VerityParams,
    /// `cc_init_data`
    Initdata,
    /// `shared_fs`
    SharedFs,
    /// `create_container_timeout`
    Timeout,
    /// `runtime.name`
    RuntimeName,
    /// `shared_mounts`
    SharedMounts,
    /// Read before all others: picks the hypervisor's table.
    PickHypervisor,
    /// Read before all others: picks the agent's table.
    PickAgent,
    /// `sandbox_bind_mounts`: no longer taken from a pod.
    BindMounts,
}

/// One annotation.
pub struct Rule {
    /// The whole key.
    pub key: &'static str,
    /// The table it writes to.
    pub table: Table,
    /// The configuration key.
    pub field: &'static str,
    /// What is said where the annotation sets it.
    pub sets: &'static str,
    /// What is said where it changes nothing.
    pub sets_anyway: &'static str,
    /// How.
    pub action: Action,
    /// The configured value, in the file's unit.
    pub shown: for<'v> fn(View<'v>) -> Shown<'v>,
}

/// A rule and what the catalogue has on its key.
#[derive(Clone, Copy)]
pub struct Known {
    /// The rule.
    pub rule: &'static Rule,
    /// Its place among the rules.
    pub index: usize,
    /// What the catalogue has.
    pub reader: Option<&'static Reader>,
}

/// The rule of a key, where a release has it.
pub fn rule(key: &str, release: Release) -> Option<Known> {
    static BY_KEY: LazyLock<HashMap<&str, (usize, &Rule)>> =
        LazyLock::new(|| RULES.iter().enumerate().map(|(index, rule)| (rule.key, (index, rule))).collect());
    let (index, rule) = *BY_KEY.get(key)?;
    let reader = annotation(key)?.reader(release);
    let is_known = reader.read || (matches!(rule.action, Action::BindMounts) && is_told_of(release));
    is_known.then_some(Known { rule, index, reader: Some(reader) })
}

/// Whether a release says that a pod may not bring host folders.
fn is_told_of(release: Release) -> bool {
    !release.has(Change::BindMountsFromPods) && release.has(Change::BindMountModes)
}

impl Rule {
    /// The configuration key with its table.
    pub fn whole_field(&self, hypervisor: &str, agent: &str) -> String {
        match self.table {
            Table::Hypervisor => ["hypervisor.", hypervisor, ".", self.field].concat(),
            Table::Agent => ["agent.", agent, ".", self.field].concat(),
            Table::Runtime => ["runtime.", self.field].concat(),
        }
    }
}

/// A number with a fraction as the reports print it: in the shortest digits of 32 bits.
pub(in super::super) fn float(number: f32) -> Json {
    shortest(number).into()
}

/// Milliseconds as the file's seconds, which are whole except after an overflow.
pub(in super::super) fn seconds(milliseconds: u32) -> Json {
    if milliseconds.is_multiple_of(1000) {
        (milliseconds / 1000).into()
    } else {
        (f64::from(milliseconds) / 1000.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog, release};

    #[test]
    fn the_rules_are_those_that_the_catalog_says_are_read() {
        for version in release::Runtime::Rs.versions() {
            let release = Release::new(release::Runtime::Rs, version);
            let mut read: Vec<&str> =
                catalog::annotations(release).map(|(annotation, _)| annotation.key).collect();
            read.retain(|key| *key != crate::runtime::elsewhere::CONFIG_PATH);
            let from_pods = RULES.iter().filter(|r| {
                rule(r.key, release).is_some()
                    && (!matches!(r.action, Action::BindMounts) || !is_told_of(release))
            });
            let mut rules: Vec<&str> = from_pods.map(|r| r.key).collect();
            read.sort_unstable();
            rules.sort_unstable();
            assert_eq!(rules, read, "{}", release.id());
        }
    }
}
