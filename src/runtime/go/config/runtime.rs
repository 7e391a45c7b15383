//! `RuntimeConfig`: everything loading gives, before any pod.
//!
//! Facts: src/runtime/pkg/oci/utils.go at 4.1.0.

use crate::release::Release;
use std::sync::Arc;

use super::{AgentConfig, HypervisorConfig, HypervisorType, InterworkingModel};

/// How VFIO devices appear in the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VfioMode {
    /// As VFIO devices (the zero value).
    #[default]
    Vfio,
    /// As whatever the guest kernel makes of them.
    GuestKernel,
}

impl VfioMode {
    /// `VFIOSetMode`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "vfio" => Some(Self::Vfio),
            "guest-kernel" => Some(Self::GuestKernel),
            _ => None,
        }
    }

    /// The word of files and annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vfio => "vfio",
            Self::GuestKernel => "guest-kernel",
        }
    }
}

/// The VM factory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct FactoryConfig {
    pub template: bool,
    pub template_path: String,
    pub vm_cache_number: u64,
    pub vm_cache_endpoint: String,
}

/// netmon's settings, where a release has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct NetmonConfig {
    pub path: String,
    pub debug: bool,
    pub enable: bool,
}

/// The runtime's configuration.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct RuntimeConfig {
    pub release: Release,
    pub hypervisor_type: HypervisorType,
    pub hypervisor_config: HypervisorConfig,
    pub agent_config: AgentConfig,
    pub factory_config: FactoryConfig,
    pub inter_network_model: InterworkingModel,
    pub vfio_mode: VfioMode,
    pub debug: bool,
    pub trace: bool,
    /// Features that are switched on by name.
    pub experimental: Vec<String>,
    pub netmon: NetmonConfig,
    pub jaeger_endpoint: String,
    pub jaeger_user: String,
    pub jaeger_password: String,
    pub disable_guest_seccomp: bool,
    pub enable_vcpus_pinning: bool,
    pub guest_selinux_label: String,
    pub static_sandbox_resource_mgmt: bool,
    pub disable_new_netns: bool,
    pub sandbox_cgroup_only: bool,
    pub enable_pprof: bool,
    pub disable_guest_empty_dir: bool,
    pub empty_dir_mode: String,
    pub create_container_timeout: u64,
    pub dan_config: String,
    pub force_guest_pull: bool,
    pub pod_resource_api_sock: String,
    pub kubelet_root_dir: String,
    pub sandbox_bind_mounts: Arc<[String]>,
}
