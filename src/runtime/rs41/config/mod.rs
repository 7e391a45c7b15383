//! The configuration as runtime-rs holds it: `[hypervisor.*]`, `[agent.*]` and `[runtime]`, shaped
//! like upstream's own structs so that the two can be read side by side.
//!
//! Decides which keys are read, their types and what an absent key means before adjustment. The
//! order of fields matters: it is the order in which deserialization reports errors. What each key
//! means for people is the catalog's business, so fields carry no words here.
//! Facts: src/libs/kata-types/src/config at 4.1.0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod agent;
pub mod hypervisor;
mod runtime;

pub use agent::{Agent, MemAgent};
pub use hypervisor::Hypervisor;
pub use runtime::{Runtime, SharedMount};

/// A whole configuration: the tables by name.
///
/// Upstream keeps them in hash maps, so with several tables it meets them in random order; here the
/// order is that of their names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct Config {
    /// `[agent.*]`
    #[serde(default)]
    pub agent: BTreeMap<String, Agent>,
    /// `[hypervisor.*]`
    #[serde(default)]
    pub hypervisor: BTreeMap<String, Hypervisor>,
    /// `[runtime]`
    #[serde(default)]
    pub runtime: Runtime,
}

impl Config {
    /// The table that `runtime.hypervisor_name` picks.
    pub fn active_hypervisor(&self) -> Option<&Hypervisor> {
        self.hypervisor.get(&self.runtime.hypervisor_name)
    }

    /// The table that `runtime.agent_name` picks.
    pub fn active_agent(&self) -> Option<&Agent> {
        self.agent.get(&self.runtime.agent_name)
    }
}
