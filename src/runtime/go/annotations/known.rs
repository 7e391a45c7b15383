//! What an annotation stands for: a key of the configuration, and the table that it belongs to.
//!
//! Decides nothing: the catalogue has every annotation with the key that it sets. Facts:
//! src/runtime/virtcontainers/pkg/annotations/annotations.go at 4.1.0.

use crate::catalog::Id;
use crate::release::Runtime;
use crate::runtime::go::config::HypervisorType;

/// The table that an annotation's key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime::go) enum Section {
    Hypervisor,
    Runtime,
    Agent,
    Factory,
    Netmon,
    /// Read at another time than the sandbox's creation.
    Nowhere,
}

impl Section {
    /// The whole configuration key (`hypervisor.qemu.path`).
    pub fn key(self, field: &str, hypervisor: HypervisorType) -> String {
        match self {
            Self::Hypervisor => format!("{}.{field}", hypervisor.table()),
            // There is one agent, whatever a file calls its table.
            Self::Agent => format!("agent.kata.{field}"),
            Self::Runtime => format!("runtime.{field}"),
            Self::Factory => format!("factory.{field}"),
            Self::Netmon => format!("netmon.{field}"),
            Self::Nowhere => String::new(),
        }
    }
}

/// What an annotation stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime::go) struct Known {
    pub key: &'static str,
    pub section: Section,
    /// The key within the table.
    pub field: &'static str,
}

impl Id {
    /// What it stands for.
    pub(in crate::runtime::go) fn known(self) -> Known {
        let annotation = self.annotation();
        let key = annotation.key;
        // An annotation that no key stands behind is told by its own name.
        let named = key.strip_prefix("io.katacontainers.config.").unwrap_or_default();
        let field = annotation.readers(Runtime::Go).find_map(|(_, reader)| reader.field).unwrap_or(named);
        let (table, field) = field.split_once('.').unwrap_or_default();
        let section = match table {
            "hypervisor" => Section::Hypervisor,
            "runtime" => Section::Runtime,
            "agent" => Section::Agent,
            _ if self == Self::SgxIntelComEpc => {
                return Known { key, section: Section::Hypervisor, field: "epc" };
            }
            _ => Section::Nowhere,
        };
        Known { key, section, field: field.rsplit_once('.').map_or(field, |(_, field)| field) }
    }
}

impl Known {
    /// The whole configuration key that it stands for, if it stands for one.
    pub fn name(&self, hypervisor: HypervisorType) -> Option<String> {
        (self.section != Section::Nowhere).then(|| self.section.key(self.field, hypervisor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_stand_for_keys() {
        let known = |id: Id| {
            let Known { section, field, .. } = id.known();
            (section, field)
        };
        assert_eq!(known(Id::HypervisorDefaultMaxVcpus), (Section::Hypervisor, "default_maxvcpus"));
        assert_eq!(known(Id::HypervisorCtlpath), (Section::Hypervisor, "ctlpath"));
        assert_eq!(known(Id::HypervisorKernelHash), (Section::Hypervisor, "kernel_hash"));
        assert_eq!(known(Id::RuntimeCcInitData), (Section::Runtime, "cc_init_data"));
        assert_eq!(known(Id::EnableVcpusPinning), (Section::Runtime, "enable_vcpus_pinning"));
        assert_eq!(known(Id::AgentKernelModules), (Section::Agent, "kernel_modules"));
        assert_eq!(known(Id::SgxIntelComEpc), (Section::Hypervisor, "epc"));
        assert_eq!(known(Id::ConfigPath), (Section::Nowhere, ""));
    }
}
