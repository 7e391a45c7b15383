//! The configuration as runtime-rs holds it: `[hypervisor.*]`, `[agent.*]` and `[runtime]`, shaped
//! like upstream's own structs so that the two can be read side by side. They have the keys of every release;
//! `spelling` leads a release's file to them.
//!
//! Decides which keys are read, their types and what an absent key means before adjustment. The
//! order of fields matters: it is the order in which deserialization reports errors. What each key
//! means for people is the catalog's business, so fields carry no words here.
//! Facts: src/libs/kata-types/src/config at each tag.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::input::Text;
use crate::release::{self, Release};

mod agent;
mod hypervisor;
mod record;
mod runtime;
mod values;

pub use agent::{Agent, MemAgent};
pub use hypervisor::{
    BlockDeviceInfo, BootInfo, CpuInfo, Factory, GuestExtensionImage, Hypervisor, Keys, MachineInfo,
    MemoryInfo, RootlessUser, SharedFsInfo,
};
pub use record::Slot;
pub use runtime::{LenientMount, Runtime, SharedMount, Vendor};
pub use values::{HugePageType, shortest};

/// A whole configuration: the tables by name.
///
/// Upstream keeps them in hash maps, so with several tables it meets them in random order; here the
/// order is that of their names.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Config {
    /// `[agent.*]`
    #[serde(default)]
    pub agent: BTreeMap<Text, Agent>,
    /// `[hypervisor.*]`
    #[serde(default)]
    pub hypervisor: BTreeMap<Text, Hypervisor>,
    /// `[runtime]`
    #[serde(default = "Runtime::absent")]
    pub runtime: Runtime,
    /// Whose rules hold.
    #[serde(skip, default = "newest")]
    pub release: Release,
}

fn newest() -> Release {
    Release::newest(release::Runtime::Rs)
}

impl Default for Config {
    fn default() -> Self {
        let (agent, hypervisor, runtime) = Default::default();
        Self { agent, hypervisor, runtime, release: newest() }
    }
}

impl Config {
    /// The table that `runtime.hypervisor_name` picks.
    pub fn active_hypervisor(&self) -> Option<&Hypervisor> {
        self.hypervisor.get(&self.runtime.hypervisor_name)
    }

    /// The same, to write to.
    pub(in crate::runtime::rs) fn active_hypervisor_mut(&mut self) -> Option<&mut Hypervisor> {
        self.hypervisor.get_mut(&self.runtime.hypervisor_name)
    }

    /// The table that `runtime.agent_name` picks.
    pub fn active_agent(&self) -> Option<&Agent> {
        self.agent.get(&self.runtime.agent_name)
    }
}
