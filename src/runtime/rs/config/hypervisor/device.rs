//! What is plugged into the VM: block devices, PCI ports, network, shared file system.
//!
//! Facts: src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use crate::input::Text;

/// Keys about block devices.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct BlockDeviceInfo {
    #[serde(default)]
    pub disable_block_device_use: bool,
    #[serde(default)]
    pub block_device_driver: Text,
    #[serde(default)]
    pub block_device_aio: Text,
    #[serde(default)]
    pub block_device_cache_set: bool,
    #[serde(default)]
    pub block_device_cache_direct: bool,
    #[serde(default)]
    pub block_device_cache_noflush: bool,
    #[serde(default)]
    pub block_device_logical_sector_size: u32,
    #[serde(default)]
    pub block_device_physical_sector_size: u32,
    #[serde(default)]
    pub disable_image_nvdimm: bool,
    #[serde(default)]
    pub memory_offset: u64,
    #[serde(default)]
    pub enable_vhost_user_store: bool,
    #[serde(default)]
    pub vhost_user_store_path: Text,
    #[serde(default)]
    pub valid_vhost_user_store_paths: Vec<String>,
    #[serde(default)]
    pub disk_rate_limiter_bw_max_rate: u64,
    #[serde(default)]
    pub disk_rate_limiter_bw_one_time_burst: Option<u64>,
    #[serde(default)]
    pub disk_rate_limiter_ops_max_rate: u64,
    #[serde(default)]
    pub disk_rate_limiter_ops_one_time_burst: Option<u64>,
    #[serde(default)]
    pub queue_size: u32,
    #[serde(default)]
    pub num_queues: usize,
}

/// One entry of `guest_extension_images`.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct GuestExtensionImage {
    pub name: Text,
    #[serde(default)]
    pub path: Text,
    #[serde(default)]
    pub verity_params: Text,
}

/// Keys about PCI bridges, ports and IOMMU.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct DeviceInfo {
    #[serde(default)]
    pub default_bridges: u32,
    #[serde(default)]
    pub hotplug_vfio_on_root_bus: bool,
    #[serde(default)]
    pub cold_plug_vfio: Text,
    #[serde(default)]
    pub pcie_root_port: u32,
    #[serde(default)]
    pub pcie_switch_port: u32,
    #[serde(default)]
    pub enable_iommu: bool,
    #[serde(default)]
    pub enable_iommu_platform: bool,
    #[serde(default)]
    pub reclaim_guest_freed_memory: bool,
}

/// Keys about the network.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct NetworkInfo {
    #[serde(default)]
    pub disable_vhost_net: bool,
    #[serde(default)]
    pub rx_rate_limiter_max_rate: u64,
    #[serde(default)]
    pub tx_rate_limiter_max_rate: u64,
    #[serde(default)]
    pub network_queues: u32,
}

/// Keys about the shared file system.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct SharedFsInfo {
    pub shared_fs: Option<Text>,
    #[serde(default)]
    pub virtio_fs_daemon: Text,
    #[serde(default)]
    pub valid_virtio_fs_daemon_paths: Vec<String>,
    #[serde(default)]
    pub virtio_fs_extra_args: Vec<String>,
    /// How many of `virtio_fs_extra_args`, at its end, are the pod's.
    #[serde(skip)]
    pub extra_args_of_pod: usize,
    #[serde(default)]
    pub virtio_fs_cache: Text,
    #[serde(default)]
    pub virtio_fs_cache_size: u32,
    #[serde(default)]
    pub virtio_fs_queue_size: u32,
    #[serde(default)]
    pub virtio_fs_is_dax: bool,
    #[serde(default)]
    pub msize_9p: u32,
}
