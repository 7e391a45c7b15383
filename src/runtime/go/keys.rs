//! The keys of `configuration.toml` that a sandbox has a value of, and what each comes to.
//!
//! Which keys those are the tables' structs say; which of them a release reads and which one an annotation stands for,
//! the catalogue. Facts: `SandboxConfig` in src/runtime/virtcontainers/sandbox.go and
//! src/runtime/virtcontainers/pkg/annotations/annotations.go at 4.1.0.

use serde_json::Value as Json;

use super::config::{
    AgentConfig, FactoryTable, HypervisorConfig, HypervisorType, NetmonTable, RuntimeTable, SandboxConfig,
};
use super::record::Slot;
use crate::answer::effective::hidden;
use crate::catalog::Id;
use crate::release::{Release, Runtime};

/// The table that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Hypervisor,
    Runtime,
    Agent,
    Factory,
    Netmon,
}

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
    /// The whole key (`hypervisor.qemu.path`).
    pub(super) fn name(self, hypervisor: HypervisorType) -> String {
        let table = match self.section {
            Section::Hypervisor => hypervisor.table(),
            // There is one agent, whatever a file calls its table.
            Section::Agent => "agent.kata",
            Section::Runtime => "runtime",
            Section::Factory => "factory",
            Section::Netmon => "netmon",
        };
        format!("{table}.{}", self.field)
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
            (Section::Factory | Section::Netmon, _) => Slot::Other,
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
        }
    }
}

impl Id {
    /// The key that an annotation stands for, if it stands for one: not each of them can stand in a file.
    pub(super) fn target(self) -> Option<Key> {
        if self == Self::SgxIntelComEpc {
            return Some(Key { section: Section::Hypervisor, field: "epc" });
        }
        let annotation = self.annotation();
        // An annotation that no key stands behind is told by its own name.
        let named = annotation.key.strip_prefix("io.katacontainers.config.");
        let whole = annotation.readers(Runtime::Go).find_map(|(_, reader)| reader.field).or(named)?;
        let section = match whole.split_once('.')?.0 {
            "hypervisor" => Section::Hypervisor,
            "runtime" => Section::Runtime,
            "agent" => Section::Agent,
            _ => return None,
        };
        Some(Key { section, field: whole.rsplit_once('.')?.1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_stand_for_keys() {
        let known = |id: Id| id.target().map(|key| (key.section, key.field)).unwrap();
        assert_eq!(known(Id::HypervisorDefaultMaxVcpus), (Section::Hypervisor, "default_maxvcpus"));
        assert_eq!(known(Id::HypervisorCtlpath), (Section::Hypervisor, "ctlpath"));
        assert_eq!(known(Id::HypervisorKernelHash), (Section::Hypervisor, "kernel_hash"));
        assert_eq!(known(Id::RuntimeCcInitData), (Section::Runtime, "cc_init_data"));
        assert_eq!(known(Id::EnableVcpusPinning), (Section::Runtime, "enable_vcpus_pinning"));
        assert_eq!(known(Id::AgentKernelModules), (Section::Agent, "kernel_modules"));
        assert_eq!(known(Id::SgxIntelComEpc), (Section::Hypervisor, "epc"));
        assert_eq!(Id::ConfigPath.target(), None);
    }
}
