//! What an annotation stands for: a key of the configuration, and how its value is read.
//!
//! Decides nothing: the catalogue has every annotation with the key that it sets, its list and its parse rule, and the
//! key's line in `config` the place that the value goes to. Facts: `update_config_by_annotation` in
//! src/libs/kata-types/src/annotations/mod.rs at each tag.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::super::config::{Agent, Config, Hypervisor, Runtime, Slot};
use crate::catalog::{Id, Kind, Parse, Reader};
use crate::input::Text;
use crate::release::rs::Change;
use crate::release::{self, Release};

/// The tables that one pod's annotations write to.
pub struct Tables<'a> {
    /// The hypervisor's.
    pub hv: &'a mut Hypervisor,
    /// The agent's.
    pub ag: &'a mut Agent,
    /// `[runtime]`
    pub rt: &'a mut Runtime,
}

impl Tables<'_> {
    /// The place that an annotation's value goes to.
    pub fn slot(&mut self, rule: &Rule) -> Slot<'_> {
        match rule.table {
            Table::Hypervisor => self.hv.slot(rule.field),
            Table::Agent => self.ag.slot(rule.field),
            Table::Runtime => self.rt.slot(rule.field),
        }
    }

    /// What stands there.
    pub fn shown(&self, rule: &Rule) -> Json {
        View { hv: self.hv, ag: self.ag, rt: self.rt }.shown(rule)
    }
}

/// The same tables, to look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    hv: &'a Hypervisor,
    ag: &'a Agent,
    rt: &'a Runtime,
}

impl<'a> View<'a> {
    /// The tables of these names.
    pub fn new(config: &'a Config, names: &Runtime) -> Option<Self> {
        let hv = config.hypervisor.get(&names.hypervisor_name)?;
        Some(Self { hv, ag: config.agent.get(&names.agent_name)?, rt: &config.runtime })
    }

    /// The value that an annotation would write to.
    pub fn shown(&self, rule: &Rule) -> Json {
        let value = match rule.table {
            Table::Hypervisor => self.hv.shown(rule.field),
            Table::Agent => self.ag.shown(rule.field),
            Table::Runtime => self.rt.shown(rule.field),
        };
        value.unwrap_or_default()
    }

    /// Whether the hypervisor's table uses block devices.
    pub fn has_block_devices(&self) -> bool {
        !self.hv.blockdev_info.disable_block_device_use
    }
}

/// Which table an annotation writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Table {
    Hypervisor,
    Agent,
    Runtime,
}

/// One annotation.
#[derive(Debug)]
pub struct Rule {
    /// The whole key.
    pub key: &'static str,
    /// The table it writes to.
    pub table: Table,
    /// The configuration key.
    pub field: &'static str,
    /// What is said where the annotation sets it.
    pub sets: Text,
    /// What is said where it changes nothing.
    pub sets_anyway: Text,
}

/// A rule and what the catalogue has on its key.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Which annotation.
    pub id: Id,
    /// The key that it stands for.
    pub rule: &'static Rule,
    /// What the release does with it.
    pub reader: &'static Reader,
    /// How its value is read.
    pub parse: Parse,
}

impl Known {
    /// The list that gates the value.
    pub fn list(&self) -> Option<&'static str> {
        self.reader.gate.list()
    }

    /// Whether the value must be a path that exists; empty takes the configured one away.
    pub fn must_exist(&self) -> bool {
        self.parse == Parse::RsString && self.reader.kind == Some(Kind::Path) && self.list().is_none()
    }

    /// Whether the value goes behind what is configured.
    pub fn adds(&self) -> bool {
        matches!(self.parse, Parse::RsComma | Parse::RsSemicolon | Parse::RsKernelParams)
    }
}

static RULES: LazyLock<Vec<Option<Rule>>> = LazyLock::new(|| Id::ALL.into_iter().map(Rule::of).collect());

/// The annotation of a key, where a release has it.
pub fn known(key: &str, release: Release) -> Option<Known> {
    let id = Id::of(key)?;
    let rule = RULES.get(id as usize)?.as_ref()?;
    let reader = id.annotation().reader(release);
    let bind_mounts = rule.field == "sandbox_bind_mounts" && says_of_bind_mounts(release);
    match reader.parse {
        Some(parse) => Some(Known { id, rule, reader, parse }),
        None => bind_mounts.then_some(Known { id, rule, reader, parse: Parse::RsBlanks }),
    }
}

/// Whether a release says that a pod may not bring host folders.
fn says_of_bind_mounts(release: Release) -> bool {
    !release.has(Change::BindMountsFromPods) && release.has(Change::BindMountModes)
}

impl Rule {
    fn of(id: Id) -> Option<Self> {
        let annotation = id.annotation();
        let (_, reader) =
            annotation.readers(release::Runtime::Rs).find(|(_, reader)| reader.field.is_some())?;
        let (table, field) = reader.field?.rsplit_once('.')?;
        let table = match table.split('.').next() {
            Some("hypervisor") => Table::Hypervisor,
            Some("agent") => Table::Agent,
            _ => Table::Runtime,
        };
        let sets = Text::from(format!("sets {field}"));
        let sets_anyway = format!("{sets} to the value that it has anyway").into();
        Some(Self { key: annotation.key, table, field, sets, sets_anyway })
    }

    /// The configuration key with its table.
    pub fn whole_field(&self, hypervisor: &str, agent: &str) -> String {
        match self.table {
            Table::Hypervisor => ["hypervisor.", hypervisor, ".", self.field].concat(),
            Table::Agent => ["agent.", agent, ".", self.field].concat(),
            Table::Runtime => ["runtime.", self.field].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn every_annotation_has_a_place_that_its_value_fits() {
        let (mut hv, mut ag, mut rt) = (Hypervisor::default(), Agent::default(), Runtime::default());
        let mut tables = Tables { hv: &mut hv, ag: &mut ag, rt: &mut rt };
        for version in release::Runtime::Rs.versions() {
            let release = Release::new(release::Runtime::Rs, version);
            for (annotation, reader) in catalog::annotations(release) {
                if annotation.key == crate::runtime::config_path::CONFIG_PATH {
                    continue;
                }
                let known = known(annotation.key, release).unwrap();
                let slot = tables.slot(known.rule);
                let fits = match known.parse {
                    Parse::RsBool => matches!(slot, Slot::Bool(_)),
                    Parse::RsU32 => matches!(slot, Slot::U32(_) | Slot::Seconds(_)),
                    Parse::RsU64 => matches!(slot, Slot::U64(_)),
                    Parse::RsUsize => matches!(slot, Slot::Usize(_)),
                    Parse::RsI32 | Parse::RsF32 => matches!(slot, Slot::F32(_)),
                    Parse::RsBytes | Parse::RsByteSize => matches!(slot, Slot::U32(_)),
                    Parse::RsStringTrim => matches!(slot, Slot::MaybeText(_)),
                    Parse::RsEnum => matches!(slot, Slot::HugePages(_)),
                    Parse::RsJson => matches!(slot, Slot::SharedMounts(_)),
                    Parse::RsComma | Parse::RsSemicolon | Parse::RsBlanks => matches!(slot, Slot::List(_)),
                    _ => matches!(slot, Slot::Text(_)),
                };
                assert!(fits, "{} of {}: {:?} into {slot:?}", annotation.key, release.id(), reader.parse);
            }
        }
    }
}
