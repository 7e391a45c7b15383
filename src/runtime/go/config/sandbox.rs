//! `SandboxConfig`: one pod's own copy, after annotations, sizing and validation.
//!
//! Facts: src/runtime/virtcontainers/sandbox.go at 4.1.0.

use crate::release::Release;

use super::{
    AgentConfig, FactoryTable, HypervisorConfig, HypervisorType, InterworkingModel, NetmonTable,
    RuntimeConfig, RuntimeTable, VfioMode,
};

/// The pod's network configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct NetworkConfig {
    pub interworking_model: InterworkingModel,
    pub disable_new_network: bool,
    /// `<dan_conf>/<sandbox id>.json`, where that file exists.
    pub dan_config_path: String,
    /// Whether the pod names no network namespace.
    pub host_network: bool,
}

/// What sizing worked with.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs)]
pub struct SandboxResources {
    pub workload_cpus: f32,
    pub workload_mem_mb: u32,
    /// `default_vcpus` before the workload was added; only set in static sizing.
    pub base_cpus: f32,
    /// `default_memory` before the workload was added; only set in static sizing.
    pub base_mem_mb: u32,
}

/// The configuration of one sandbox: its own copy of what the files say, and what its pod made of that.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct SandboxConfig {
    /// The release whose rules hold.
    pub release: Release,
    pub id: String,
    pub hostname: String,
    pub hypervisor_type: HypervisorType,
    pub hypervisor_config: HypervisorConfig,
    pub agent_config: AgentConfig,
    pub network_config: NetworkConfig,
    pub sandbox_resources: SandboxResources,
    pub shm_size: u64,
    pub vfio_mode: VfioMode,
    pub runtime: RuntimeTable,
    /// What the shim knew of the VM factory before the pod was looked at.
    pub factory: FactoryTable,
    pub netmon: NetmonTable,
    /// `rootless` of the file alone: user, group and folders are made before annotations are read, so
    /// the annotation (in `hypervisor_config.rootless`) comes too late for them.
    pub rootless_shim: bool,
}

impl SandboxConfig {
    /// A sandbox without annotations or size.
    pub fn new(runtime: &RuntimeConfig, id: &str, hostname: &str) -> Self {
        Self {
            release: runtime.release,
            id: id.to_owned(),
            hostname: hostname.to_owned(),
            hypervisor_type: runtime.hypervisor_type,
            hypervisor_config: runtime.hypervisor_config.clone(),
            agent_config: runtime.agent_config.clone(),
            network_config: NetworkConfig {
                interworking_model: runtime.inter_network_model,
                disable_new_network: runtime.runtime.disable_new_netns,
                dan_config_path: String::new(),
                host_network: false,
            },
            sandbox_resources: SandboxResources::default(),
            // A pod sandbox comes with a /dev/shm of the default size.
            shm_size: 64 << 20,
            vfio_mode: runtime.vfio_mode,
            runtime: runtime.runtime.clone(),
            factory: runtime.factory.clone(),
            netmon: runtime.netmon.clone(),
            rootless_shim: runtime.hypervisor_config.rootless,
        }
    }
}
