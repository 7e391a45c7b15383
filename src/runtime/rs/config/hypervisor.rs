//! `[hypervisor.*]`: one superset of keys for all hypervisors, one line each.
//!
//! The groups (`blockdev_info`, `boot_info`, ...) exist only here; in the file their keys stand
//! side by side in the table. Unknown keys are passed over, except in the inner tables.
//! Facts: src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use super::Slot;
use super::record::{Held, hypervisor};
use super::runtime::Vendor;
use super::values::HugePageType;
use crate::input::Text;

hypervisor! {
    {
        path: Text,
        valid_hypervisor_paths: Vec<String>,
        ctlpath: Text,
        valid_ctlpaths: Vec<String>,
        jailer_path: Text,
        valid_jailer_paths: Vec<String>,
        disable_nesting_checks: bool,
        enable_iothreads: bool,
        indep_iothreads: u32,
    }
    /// Keys about block devices.
    blockdev_info: BlockDeviceInfo {
        disable_block_device_use: bool,
        block_device_driver: Text,
        block_device_aio: Text,
        block_device_cache_set: bool,
        block_device_cache_direct: bool,
        block_device_cache_noflush: bool,
        block_device_logical_sector_size: u32,
        block_device_physical_sector_size: u32,
        disable_image_nvdimm: bool,
        memory_offset: u64,
        enable_vhost_user_store: bool,
        vhost_user_store_path: Text,
        valid_vhost_user_store_paths: Vec<String>,
        disk_rate_limiter_bw_max_rate: u64,
        disk_rate_limiter_bw_one_time_burst: Option<u64>,
        disk_rate_limiter_ops_max_rate: u64,
        disk_rate_limiter_ops_one_time_burst: Option<u64>,
        queue_size: u32,
        num_queues: usize,
    }
    /// Keys about what the guest boots from.
    boot_info: BootInfo {
        kernel: Text,
        kernel_params: Text,
        kernel_verity_params: Text,
        initrd: Text,
        image: Text,
        rootfs_type: Text,
        firmware: Text,
        vm_rootfs_driver: Text,
    };
    beside {
        /// How many bytes of `kernel_params`, at its front, loading put there for the agent.
        params_of_agent: usize,
        /// How many bytes of `kernel_params`, at its end, are the pod's.
        params_of_pod: usize,
    }
    {
        guest_extension_images: Vec<GuestExtensionImage>,
    }
    /// Keys about CPUs.
    cpu_info: CpuInfo {
        cpu_features: Text,
        #[serde(serialize_with = "super::values::in_few_digits")]
        default_vcpus: f32,
        /// The same as releases have it that know no fractions.
        #[serde(rename = "default_vcpus (whole)", skip_serializing)]
        whole_vcpus: Option<i32>,
        #[serde(serialize_with = "super::values::in_few_digits")]
        overhead_vcpus: f32,
        default_maxvcpus: u32,
        disable_nested_virtualization: Option<bool>,
    }
    /// Keys about debugging.
    debug_info: DebugInfo {
        enable_debug: bool,
        log_level: Text = "info".into(),
        guest_memory_dump_paging: bool,
        guest_memory_dump_path: Text,
        #[serde(alias = "dbg_monitor_socket")]
        extra_monitor_socket: Text,
    }
    /// Keys about PCI bridges, ports and IOMMU.
    device_info: DeviceInfo {
        default_bridges: u32,
        hotplug_vfio_on_root_bus: bool,
        cold_plug_vfio: Text,
        pcie_root_port: u32,
        pcie_switch_port: u32,
        enable_iommu: bool,
        enable_iommu_platform: bool,
        reclaim_guest_freed_memory: bool,
    }
    /// Keys about the machine.
    machine_info: MachineInfo {
        machine_type: Text,
        machine_accelerators: Text,
        pflashes: Vec<Text>,
        entropy_source: Text,
        valid_entropy_sources: Vec<String>,
    }
    /// Keys about memory.
    memory_info: MemoryInfo {
        default_memory: u32,
        overhead_memory: u32,
        default_maxmemory: u32,
        memory_slots: u32,
        file_mem_backend: Text,
        valid_file_mem_backends: Vec<String>,
        enable_mem_prealloc: bool,
        enable_hugepages: bool,
        hugepage_type: HugePageType,
        enable_virtio_mem: bool,
        enable_swap: bool,
        enable_guest_swap: bool,
        guest_swap_path: Text = "/run/kata-containers/swap".into(),
        guest_swap_size_percent: u64 = 100,
        guest_swap_create_threshold_secs: u64 = 60,
    }
    /// Keys about the network.
    network_info: NetworkInfo {
        disable_vhost_net: bool,
        rx_rate_limiter_max_rate: u64,
        tx_rate_limiter_max_rate: u64,
        network_queues: u32,
    }
    /// Keys about security.
    security_info: SecurityInfo {
        rootless: bool,
        rootless_user: Option<RootlessUser>,
        disable_seccomp: bool,
        confidential_guest: bool,
        sev_snp_guest: bool,
        snp_id_block: Text,
        snp_id_auth: Text,
        snp_guest_policy: u32 = 0x30000,
        guest_hook_path: Text,
        initdata: Text,
        enable_annotations: Vec<String>,
        tdx_quote_generation_service_socket_port: u32 = 4050,
        seccomp_sandbox: Option<Text>,
        selinux_label: Option<Text>,
    }
    /// Keys about the shared file system.
    shared_fs: SharedFsInfo {
        shared_fs: Option<Text>,
        virtio_fs_daemon: Text,
        valid_virtio_fs_daemon_paths: Vec<String>,
        virtio_fs_extra_args: Vec<String>,
        virtio_fs_cache: Text,
        virtio_fs_cache_size: u32,
        virtio_fs_queue_size: u32,
        virtio_fs_is_dax: bool,
        msize_9p: u32,
    };
    beside {
        /// How many of `virtio_fs_extra_args`, at its end, are the pod's.
        extra_args_of_pod: usize,
    }
    /// Keys of the remote hypervisor.
    remote_info: RemoteInfo {
        hypervisor_socket: Text,
        hypervisor_timeout: i32,
        default_gpus: u32,
        default_gpu_model: Text,
    }
    /// Keys by which one VM becomes a template or comes from one.
    vm_template: VmTemplateInfo {
        boot_to_be_template: bool,
        boot_from_template: bool,
        memory_path: Text,
        device_state_path: Text,
    }
    {
        factory: Factory,
        prefetch_list_path: Text,
        #[serde(flatten)]
        vendor: Vendor,
        disable_guest_selinux: bool = true,
        disable_selinux: bool,
    }
}

impl Hypervisor {
    /// The lists that gate what pods may name, `enable_annotations` first, then those of paths.
    pub fn lists(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let paths = [
            ("valid_hypervisor_paths", self.valid_hypervisor_paths.as_slice()),
            ("valid_ctlpaths", &self.valid_ctlpaths),
            ("valid_jailer_paths", &self.valid_jailer_paths),
            ("valid_vhost_user_store_paths", &self.blockdev_info.valid_vhost_user_store_paths),
            ("valid_entropy_sources", &self.machine_info.valid_entropy_sources),
            ("valid_file_mem_backends", &self.memory_info.valid_file_mem_backends),
            ("valid_virtio_fs_daemon_paths", &self.shared_fs.valid_virtio_fs_daemon_paths),
        ];
        std::iter::once(("enable_annotations", self.security_info.enable_annotations.as_slice())).chain(paths)
    }

    /// The patterns of one of them.
    pub fn list(&self, key: &str) -> &[String] {
        self.lists().find(|(own, _)| *own == key).map(|(_, list)| list).unwrap_or_default()
    }
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

/// `rootless_user`
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RootlessUser {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub user_name: Text,
}

/// `[hypervisor.*.factory]`
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Factory {
    pub enable_template: bool,
    pub template_path: Text,
}
