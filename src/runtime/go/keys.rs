//! The keys of `configuration.toml` that a sandbox has a value of, and what each comes to.
//!
//! Decides which keys of the runtime's table those are; of the other tables the structs say it, and which keys a
//! release reads, the catalogue. Facts: `SandboxConfig` in src/runtime/virtcontainers/sandbox.go at 4.1.0.

use serde_json::Value as Json;

use super::annotations::known::{Known, Section};
use super::config::{AgentConfig, HypervisorConfig, HypervisorType, SandboxConfig};
use super::record::ToJson;
use crate::catalog;
use crate::release::Release;

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) section: Section,
    /// The key within the table.
    pub(super) field: &'static str,
}

type OfSandbox = fn(&SandboxConfig) -> Json;

/// The keys of the runtime's table that a sandbox has a value of, in the order of reports.
const RUNTIME: &[(&str, OfSandbox)] = &[
    ("internetworking_model", |c| c.network_config.interworking_model.as_str().into()),
    ("vfio_mode", |c| c.vfio_mode.as_str().into()),
    ("guest_selinux_label", |c| c.guest_selinux_label.to_json()),
    ("sandbox_bind_mounts", |c| c.sandbox_bind_mounts.to_json()),
    ("disable_new_netns", |c| c.network_config.disable_new_network.into()),
    ("disable_guest_seccomp", |c| c.disable_guest_seccomp.into()),
    ("enable_vcpus_pinning", |c| c.enable_vcpus_pinning.into()),
    ("sandbox_cgroup_only", |c| c.sandbox_cgroup_only.into()),
    ("static_sandbox_resource_mgmt", |c| c.static_resource_mgmt.into()),
    ("emptydir_mode", |c| c.empty_dir_mode.to_json()),
    ("create_container_timeout", |c| c.create_container_timeout.into()),
    ("experimental_force_guest_pull", |c| c.force_guest_pull.into()),
    ("enable_pprof", |c| c.enable_pprof.into()),
    ("kubelet_root_dir", |c| c.kubelet_root_dir.to_json()),
];

/// The key of a table, where a sandbox has a value of it.
pub(super) fn key(section: Section, field: &'static str) -> Option<Key> {
    let key = Key { section, field };
    all_keys().find(|known| *known == key)
}

/// All of them, in the order of reports.
pub(super) fn all_keys() -> impl Iterator<Item = Key> {
    let of = |section| move |field: &&'static str| Key { section, field };
    let hypervisor = HypervisorConfig::KEYS.iter().chain(HypervisorConfig::BY_ANNOTATION);
    let agent = AgentConfig::KEYS.iter().chain(AgentConfig::BY_ANNOTATION);
    let runtime = RUNTIME.iter().map(|(field, _)| field);
    hypervisor
        .map(move |field| of(Section::Hypervisor)(field))
        .chain(agent.map(move |field| of(Section::Agent)(field)))
        .chain(runtime.map(move |field| of(Section::Runtime)(field)))
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
            Section::Runtime => {
                RUNTIME.iter().find(|(field, _)| *field == self.field).map(|(_, value)| value(config))
            }
            Section::Nowhere => None,
        };
        value.unwrap_or_default()
    }

    /// Whether a release reads it from a file, for this hypervisor.
    pub(super) fn is_read(self, hypervisor: HypervisorType, release: Release) -> bool {
        match self.section {
            Section::Hypervisor => HypervisorConfig::takes(hypervisor, self.field, release),
            Section::Agent => AgentConfig::reads(self.field, release),
            Section::Runtime => {
                catalog::config_key("runtime", self.field).is_some_and(|key| key.reader(release).is_some())
            }
            Section::Nowhere => false,
        }
    }

    /// Whether one of these annotations can set it.
    pub(super) fn is_set_by(self, annotations: &[Known]) -> bool {
        annotations.iter().any(|known| known.section == self.section && known.field == self.field)
    }
}
