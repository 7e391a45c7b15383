//! `SandboxConfig`: one pod's own copy, after annotations, sizing and validation.
//!
//! Facts: src/runtime/virtcontainers/sandbox.go at 4.1.0.

use std::sync::Arc;

use super::{AgentConfig, FactoryConfig, HypervisorConfig, HypervisorType, NetworkConfig, VfioMode};

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

/// The configuration of one sandbox.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct SandboxConfig {
    pub id: String,
    pub hostname: String,
    pub hypervisor_type: HypervisorType,
    pub hypervisor_config: HypervisorConfig,
    pub agent_config: AgentConfig,
    pub network_config: NetworkConfig,
    pub sandbox_resources: SandboxResources,
    pub static_resource_mgmt: bool,
    pub shm_size: u64,
    pub vfio_mode: VfioMode,
    pub sandbox_cgroup_only: bool,
    pub sandbox_bind_mounts: Arc<[String]>,
    pub disable_guest_seccomp: bool,
    pub empty_dir_mode: String,
    pub enable_vcpus_pinning: bool,
    pub guest_selinux_label: String,
    pub create_container_timeout: u64,
    pub force_guest_pull: bool,
    pub kubelet_root_dir: String,
    /// What the shim knew of the VM factory before the pod was looked at.
    pub factory_config: FactoryConfig,
    /// `[runtime] enable_pprof`.
    pub enable_pprof: bool,
    /// `[runtime] enable_tracing`.
    pub trace: bool,
    /// `rootless` of the file alone: user, group and folders are made before annotations are read, so
    /// the annotation (in `hypervisor_config.rootless`) comes too late for them.
    pub rootless_shim: bool,
}
