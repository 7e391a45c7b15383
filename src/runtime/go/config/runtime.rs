//! `RuntimeConfig`: everything loading gives, before any pod; with the tables that are no hypervisor's.
//!
//! Which of their keys a release knows, the catalogue says. Facts: src/runtime/pkg/oci/utils.go and
//! src/runtime/pkg/katautils/config.go at 4.1.0, and for keys that went, at the last release that had them.

use std::sync::Arc;

use crate::release::Release;
use crate::runtime::go::record::record;

use super::{HypervisorConfig, HypervisorType};

/// How the VM joins the container network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum InterworkingModel {
    /// Never set (the zero value); `GetModel` has no name for it.
    #[default]
    Default,
    MacVtap,
    TcFilter,
    None,
}

impl InterworkingModel {
    /// `SetModel`: the words accepted in files and annotations.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            // `default` means what DefaultNetInterworkingModel holds.
            "default" | "tcfilter" => Self::TcFilter,
            "macvtap" => Self::MacVtap,
            "none" => Self::None,
            _ => return None,
        })
    }

    /// The word of files and annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::MacVtap => "macvtap",
            Self::TcFilter => "tcfilter",
            Self::None => "none",
        }
    }
}

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

record! {
    /// `[agent.<name>]`
    AgentConfig as "katautils.agent" in Some("agent.<name>");
    {
        kernel_modules: Vec<String>,
        enable_debug: bool,
        enable_tracing: bool,
        trace_mode: String,
        trace_type: String,
        debug_console_enabled: bool,
        dial_timeout: u32,
        cdh_api_timeout: u32,
        launch_process_timeout: u32,
        visible_cdi_devices: bool,
    }
    annotations alone {
        container_pipe_size: u32,
        policy: String,
    }
}

record! {
    /// `[runtime]`, in the order of reports.
    RuntimeTable as "katautils.runtime" in Some("runtime");
    {
        internetworking_model: String,
        vfio_mode: String,
        guest_selinux_label: String,
        sandbox_bind_mounts: Arc<[String]>,
        disable_new_netns: bool,
        disable_guest_seccomp: bool,
        enable_vcpus_pinning: bool,
        sandbox_cgroup_only: bool,
        static_sandbox_resource_mgmt: bool,
        emptydir_mode: String,
        create_container_timeout: u64,
        experimental_force_guest_pull: bool,
        enable_pprof: bool,
        kubelet_root_dir: String,
        enable_debug: bool,
        enable_tracing: bool,
        jaeger_endpoint: String,
        jaeger_user: String,
        jaeger_password: String,
        experimental: Vec<String>,
        disable_guest_empty_dir: bool,
        dan_conf: String,
        pod_resource_api_sock: String,
    }
}

record! {
    /// `[factory]`: the VM factory.
    FactoryTable as "katautils.factory" in Some("factory");
    {
        enable_template: bool,
        template_path: String,
        vm_cache_number: u64,
        vm_cache_endpoint: String,
    }
}

record! {
    /// `[netmon]`, where a release has it.
    NetmonTable as "katautils.netmon" in Some("netmon");
    {
        path: String,
        enable_debug: bool,
        enable_netmon: bool,
    }
}

/// The runtime's configuration.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct RuntimeConfig {
    pub release: Release,
    pub hypervisor_type: HypervisorType,
    pub hypervisor_config: HypervisorConfig,
    pub agent_config: AgentConfig,
    pub inter_network_model: InterworkingModel,
    pub vfio_mode: VfioMode,
    /// As written, with what holds where nothing is said.
    pub runtime: RuntimeTable,
    pub factory: FactoryTable,
    pub netmon: NetmonTable,
}
