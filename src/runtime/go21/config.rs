//! What the runtime holds after loading, and what it holds for one sandbox.
//!
//! Names follow upstream's structs, so that one can be read beside the other. Facts:
//! src/runtime/virtcontainers/{hypervisor,kata_agent,sandbox}.go and pkg/oci/utils.go at 2.1.0.

use std::borrow::Cow;

pub use crate::runtime::go::config::{InterworkingModel, Param};
use crate::runtime::go_lend::{Lend, lent};

/// Which VMM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)]
pub enum HypervisorType {
    #[default]
    Qemu,
    Clh,
    Firecracker,
    Acrn,
}

impl HypervisorType {
    /// The table name in `configuration.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Clh => "clh",
            Self::Firecracker => "firecracker",
            Self::Acrn => "acrn",
        }
    }

    /// By table name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Qemu, Self::Clh, Self::Firecracker, Self::Acrn].into_iter().find(|t| t.as_str() == text)
    }

    /// The policy lists that its table is read for; the others of the table are passed over.
    pub fn lists(self) -> &'static [List] {
        use List::*;
        match self {
            Self::Qemu => {
                &[HypervisorPaths, VirtioFsDaemonPaths, VhostUserStorePaths, FileMemBackends, EntropySources]
            }
            Self::Clh => &[HypervisorPaths, VirtioFsDaemonPaths, FileMemBackends, EntropySources],
            Self::Firecracker => &[HypervisorPaths, JailerPaths, EntropySources],
            Self::Acrn => &[HypervisorPaths, CtlPaths, EntropySources],
        }
    }
}

/// A list of globs that gates values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum List {
    HypervisorPaths,
    JailerPaths,
    CtlPaths,
    VirtioFsDaemonPaths,
    VhostUserStorePaths,
    FileMemBackends,
    EntropySources,
}

impl List {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::HypervisorPaths,
        Self::JailerPaths,
        Self::CtlPaths,
        Self::VirtioFsDaemonPaths,
        Self::VhostUserStorePaths,
        Self::FileMemBackends,
        Self::EntropySources,
    ];

    /// The configuration key.
    pub fn key(self) -> &'static str {
        match self {
            Self::HypervisorPaths => "valid_hypervisor_paths",
            Self::JailerPaths => "valid_jailer_paths",
            Self::CtlPaths => "valid_ctlpaths",
            Self::VirtioFsDaemonPaths => "valid_virtio_fs_daemon_paths",
            Self::VhostUserStorePaths => "valid_vhost_user_store_paths",
            Self::FileMemBackends => "valid_file_mem_backends",
            Self::EntropySources => "valid_entropy_sources",
        }
    }
}

/// A file that a pod may bring its own of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Asset {
    Firmware,
    Hypervisor,
    HypervisorCtl,
    Image,
    Initrd,
    Jailer,
    Kernel,
}

impl Asset {
    /// All of them, in the order they are checked.
    pub const ALL: [Self; 7] = [
        Self::Firmware,
        Self::Hypervisor,
        Self::HypervisorCtl,
        Self::Image,
        Self::Initrd,
        Self::Jailer,
        Self::Kernel,
    ];

    /// The base names of the annotations with its path and its digest.
    pub fn annotations(self) -> (&'static str, &'static str) {
        match self {
            Self::Firmware => ("firmware", "firmware_hash"),
            Self::Hypervisor => ("path", "hypervisor_hash"),
            Self::HypervisorCtl => ("ctlpath", "hypervisorctl_hash"),
            Self::Image => ("image", "image_hash"),
            Self::Initrd => ("initrd", "initrd_hash"),
            Self::Jailer => ("jailer_path", "jailer_hash"),
            Self::Kernel => ("kernel", "kernel_hash"),
        }
    }
}

lent! {
    /// `HypervisorConfig`: everything that shapes the VM.
    #[derive(Debug, Clone, PartialEq, Default)]
    #[allow(missing_docs)]
    pub struct HypervisorConfig<T> {
        pub num_vcpus: u32,
        pub default_max_vcpus: u32,
        pub memory_size: u32,
        pub default_bridges: u32,
        pub msize9p: u32,
        pub mem_slots: u32,
        pub mem_offset: u32,
        pub virtio_fs_cache_size: u32,
        pub kernel_params: Vec<Param<T>>,
        pub kernel_path: T,
        pub image_path: T,
        pub initrd_path: T,
        pub firmware_path: T,
        pub machine_accelerators: T,
        pub cpu_features: T,
        pub hypervisor_path: T,
        pub hypervisor_ctl_path: T,
        pub jailer_path: T,
        pub block_device_driver: T,
        pub hypervisor_machine_type: T,
        pub entropy_source: T,
        pub shared_fs: T,
        pub virtio_fs_daemon: T,
        pub virtio_fs_cache: T,
        pub virtio_fs_extra_args: Vec<T>,
        pub file_backed_mem_root_dir: T,
        pub pflash: Vec<T>,
        pub block_device_cache_set: bool,
        pub block_device_cache_direct: bool,
        pub block_device_cache_noflush: bool,
        pub disable_block_device_use: bool,
        pub enable_iothreads: bool,
        pub debug: bool,
        pub mem_prealloc: bool,
        pub huge_pages: bool,
        pub virtio_mem: bool,
        pub iommu: bool,
        pub iommu_platform: bool,
        pub mlock: bool,
        pub disable_nesting_checks: bool,
        pub disable_image_nvdimm: bool,
        pub hotplug_vfio_on_root_bus: bool,
        pub pcie_root_port: u32,
        pub disable_vhost_net: bool,
        pub enable_vhost_user_store: bool,
        pub vhost_user_store_path: T,
        pub guest_hook_path: T,
        pub rx_rate_limiter_max_rate: u64,
        pub tx_rate_limiter_max_rate: u64,
        pub sgx_epc_size: i64,
        pub guest_memory_dump_path: T,
        pub guest_memory_dump_paging: bool,
    }
}

lent! {
    /// `KataAgentConfig`: how the agent is spoken to.
    #[derive(Debug, Clone, PartialEq, Default)]
    #[allow(missing_docs)]
    pub struct AgentConfig<T> {
        pub debug: bool,
        pub trace: bool,
        pub enable_debug_console: bool,
        pub container_pipe_size: u32,
        pub trace_mode: T,
        pub trace_type: T,
        pub dial_timeout: u32,
        pub kernel_modules: Vec<T>,
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

/// The network monitor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct NetmonConfig {
    pub path: String,
    pub debug: bool,
    pub enable: bool,
}

/// `RuntimeConfig`: everything loading gives, before any pod.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct RuntimeConfig {
    pub hypervisor_type: HypervisorType,
    pub hypervisor_config: HypervisorConfig,
    pub agent_config: AgentConfig,
    pub factory_config: FactoryConfig,
    pub netmon_config: NetmonConfig,
    pub inter_network_model: InterworkingModel,
    pub jaeger_endpoint: String,
    pub jaeger_user: String,
    pub jaeger_password: String,
    pub sandbox_bind_mounts: Vec<String>,
    pub experimental: Vec<String>,
    pub debug: bool,
    pub trace: bool,
    pub disable_guest_seccomp: bool,
    pub disable_new_netns: bool,
    pub sandbox_cgroup_only: bool,
    pub enable_pprof: bool,
}

/// `SandboxConfig`: one sandbox, after annotations: what the file says, borrowed, with what is the pod's own
/// in its place.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct SandboxConfig<'a> {
    pub id: &'a str,
    pub hostname: &'a str,
    pub hypervisor_config: SandboxHypervisor<'a>,
    pub agent_config: AgentConfig<Cow<'a, str>>,
    /// What annotations say of assets, by base name: paths and digests.
    pub asset_annotations: Vec<(&'static str, &'a str)>,
    pub interworking_model: InterworkingModel,
    pub disable_new_netns: bool,
    pub disable_guest_seccomp: bool,
    pub sandbox_cgroup_only: bool,
    pub experimental: Vec<Cow<'a, str>>,
    pub enable_pprof: bool,
    /// What no annotation can change.
    pub runtime: &'a RuntimeConfig,
}

/// One sandbox's own: texts are the file's or an annotation's.
pub type SandboxHypervisor<'a> = HypervisorConfig<Cow<'a, str>>;

impl<'a> SandboxConfig<'a> {
    /// A sandbox before its annotations.
    pub fn new(runtime: &'a RuntimeConfig, id: &'a str, hostname: &'a str) -> Self {
        Self {
            id,
            hostname,
            hypervisor_config: runtime.hypervisor_config.lend(),
            agent_config: runtime.agent_config.lend(),
            asset_annotations: Vec::new(),
            interworking_model: runtime.inter_network_model,
            disable_new_netns: runtime.disable_new_netns,
            disable_guest_seccomp: runtime.disable_guest_seccomp,
            sandbox_cgroup_only: runtime.sandbox_cgroup_only,
            experimental: runtime.experimental.lend(),
            enable_pprof: runtime.enable_pprof,
            runtime,
        }
    }

    /// What an annotation says of an asset, by base name.
    pub fn asset_annotation(&self, name: &str) -> Option<&'a str> {
        self.asset_annotations.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The path of an asset: the pod's own, else the configured one.
    pub fn asset(&self, asset: Asset) -> &str {
        let hv = &self.hypervisor_config;
        match self.asset_annotation(asset.annotations().0) {
            Some(path) if !path.is_empty() => path,
            _ => match asset {
                Asset::Firmware => &hv.firmware_path,
                Asset::Hypervisor => &hv.hypervisor_path,
                Asset::HypervisorCtl => &hv.hypervisor_ctl_path,
                Asset::Image => &hv.image_path,
                Asset::Initrd => &hv.initrd_path,
                Asset::Jailer => &hv.jailer_path,
                Asset::Kernel => &hv.kernel_path,
            },
        }
    }
}
