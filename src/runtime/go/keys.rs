//! The keys of `configuration.toml` that a sandbox has a value of, and what each comes to.
//!
//! Which keys those are the tables' structs say, and which of them a release reads, the catalogue. Facts: `SandboxConfig` in src/runtime/virtcontainers/sandbox.go at 4.1.0.

use serde_json::Value as Json;

use super::annotations::known::{Known, Section};
use super::config::{
    AgentConfig, FactoryTable, HypervisorConfig, HypervisorType, NetmonTable, RuntimeTable, SandboxConfig,
};
use super::record::Slot;
use crate::answer::effective::hidden;
use crate::release::Release;

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) section: Section,
    /// The key within the table.
    pub(super) field: &'static str,
}

/// The key of a table that an annotation sets.
pub(super) fn key(section: Section, field: &'static str) -> Option<Key> {
    // What a pod says of features stays the text that it is.
    let key = Key { section, field };
    all_keys().find(|known| *known == key && field != "experimental")
}

/// All of them, in the order of reports.
pub(super) fn all_keys() -> impl Iterator<Item = Key> {
    let tables = [
        (Section::Hypervisor, HypervisorConfig::KEYS, HypervisorConfig::BY_ANNOTATION),
        (Section::Agent, AgentConfig::KEYS, AgentConfig::BY_ANNOTATION),
        (Section::Runtime, RuntimeTable::KEYS, RuntimeTable::BY_ANNOTATION),
        (Section::Factory, FactoryTable::KEYS, FactoryTable::BY_ANNOTATION),
        (Section::Netmon, NetmonTable::KEYS, NetmonTable::BY_ANNOTATION),
    ];
    tables.into_iter().flat_map(|(section, keys, by_annotation)| {
        keys.iter().chain(by_annotation).map(move |field| Key { section, field })
    })
}

impl Key {
    /// The whole key.
    pub(super) fn name(self, hypervisor: HypervisorType) -> String {
        self.section.key(self.field, hypervisor)
    }

    /// What it comes to.
    pub fn value(self, config: &SandboxConfig) -> Json {
        let hypervisor = &config.hypervisor_config;
        let value = match self.section {
            Section::Hypervisor => match hypervisor.chosen_asset(self.field) {
                Some(asset) => Some(asset.into()),
                None => hypervisor.value(self.field),
            },
            Section::Agent => config.agent_config.value(self.field),
            Section::Runtime => match self.field {
                "internetworking_model" => Some(config.network_config.interworking_model.as_str().into()),
                "vfio_mode" => Some(config.vfio_mode.as_str().into()),
                "disable_new_netns" => Some(config.network_config.disable_new_network.into()),
                "jaeger_password" => Some(hidden(&config.runtime.jaeger_password).into()),
                field => config.runtime.value(field),
            },
            Section::Factory => config.factory.value(self.field),
            Section::Netmon => config.netmon.value(self.field),
            Section::Nowhere => None,
        };
        value.unwrap_or_default()
    }

    /// The place of its value.
    pub(super) fn slot(self, config: &mut SandboxConfig) -> Slot<'_> {
        match (self.section, self.field) {
            (Section::Hypervisor, field) => config.hypervisor_config.slot(field),
            (Section::Agent, field) => config.agent_config.slot(field),
            (Section::Runtime, "disable_new_netns") => {
                Slot::Bool(&mut config.network_config.disable_new_network)
            }
            (Section::Runtime, field) => config.runtime.slot(field),
            (Section::Factory | Section::Netmon | Section::Nowhere, _) => Slot::Other,
        }
    }

    /// Whether a release reads it from a file, for this hypervisor.
    pub(super) fn is_read(self, hypervisor: HypervisorType, release: Release) -> bool {
        match self.section {
            Section::Hypervisor => HypervisorConfig::takes(hypervisor, self.field, release),
            Section::Agent => AgentConfig::reads(self.field, release),
            Section::Runtime => RuntimeTable::reads(self.field, release),
            Section::Factory => FactoryTable::reads(self.field, release),
            Section::Netmon => NetmonTable::reads(self.field, release),
            Section::Nowhere => false,
        }
    }

    /// Whether one of these annotations can set it.
    pub(super) fn is_set_by(self, annotations: &[Known]) -> bool {
        annotations.iter().any(|known| known.section == self.section && known.field == self.field)
    }
}
