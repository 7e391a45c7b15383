//! `SandboxConfig`: one pod's own copy, after annotations, sizing and validation.
//!
//! Facts: src/runtime/virtcontainers/sandbox.go at 4.1.0.

use std::sync::Arc;

use crate::release::Release;

use super::{
    AgentConfig, FactoryConfig, HypervisorConfig, HypervisorType, NetworkConfig, RuntimeConfig, VfioMode,
};

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
                disable_new_network: runtime.disable_new_netns,
                dan_config_path: String::new(),
                host_network: false,
            },
            sandbox_resources: SandboxResources::default(),
            static_resource_mgmt: runtime.static_sandbox_resource_mgmt,
            // A pod sandbox comes with a /dev/shm of the default size.
            shm_size: 64 << 20,
            vfio_mode: runtime.vfio_mode,
            sandbox_cgroup_only: runtime.sandbox_cgroup_only,
            sandbox_bind_mounts: runtime.sandbox_bind_mounts.clone(),
            disable_guest_seccomp: runtime.disable_guest_seccomp,
            empty_dir_mode: runtime.empty_dir_mode.clone(),
            enable_vcpus_pinning: runtime.enable_vcpus_pinning,
            guest_selinux_label: runtime.guest_selinux_label.clone(),
            create_container_timeout: runtime.create_container_timeout,
            force_guest_pull: runtime.force_guest_pull,
            kubelet_root_dir: runtime.kubelet_root_dir.clone(),
            factory_config: runtime.factory_config.clone(),
            enable_pprof: runtime.enable_pprof,
            trace: runtime.trace,
            rootless_shim: runtime.hypervisor_config.rootless,
        }
    }
}
