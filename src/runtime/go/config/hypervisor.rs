//! `HypervisorConfig`: everything that shapes the VM.
//!
//! Facts: src/runtime/virtcontainers/hypervisor.go at 4.1.0.

use std::sync::Arc;

use crate::input::host::Arch;
use crate::release::Release;
use crate::runtime::go::Change;

/// Which VMM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)]
pub enum HypervisorType {
    #[default]
    Qemu,
    Clh,
    Firecracker,
    Dragonball,
    Acrn,
    Stratovirt,
    Remote,
}

impl HypervisorType {
    /// The table name in `configuration.toml`, and the runtime's own word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Clh => "clh",
            Self::Firecracker => "firecracker",
            Self::Dragonball => "dragonball",
            Self::Acrn => "acrn",
            Self::Stratovirt => "stratovirt",
            Self::Remote => "remote",
        }
    }

    /// The table (`hypervisor.qemu`).
    pub fn table(self) -> &'static str {
        match self {
            Self::Qemu => "hypervisor.qemu",
            Self::Clh => "hypervisor.clh",
            Self::Firecracker => "hypervisor.firecracker",
            Self::Dragonball => "hypervisor.dragonball",
            Self::Acrn => "hypervisor.acrn",
            Self::Stratovirt => "hypervisor.stratovirt",
            Self::Remote => "hypervisor.remote",
        }
    }

    /// By table name.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "qemu" => Self::Qemu,
            "clh" => Self::Clh,
            "firecracker" => Self::Firecracker,
            "dragonball" => Self::Dragonball,
            "stratovirt" => Self::Stratovirt,
            "remote" => Self::Remote,
            "acrn" => Self::Acrn,
            _ => return None,
        })
    }

    /// Whether a release has it.
    pub fn is_in(self, release: Release) -> bool {
        match self {
            Self::Qemu | Self::Clh | Self::Firecracker => true,
            Self::Dragonball => release.has(Change::Dragonball),
            Self::Stratovirt | Self::Remote => release.has(Change::StratovirtAndRemote),
            Self::Acrn => release.has(Change::Acrn),
        }
    }
}

/// What put a kernel parameter into the configured list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParamFrom {
    /// `kernel_params` of the configuration.
    #[default]
    Configuration,
    /// The pod's annotation `kernel_params`.
    Pod,
    /// An image, which boots systemd.
    Image,
    /// The driver of block devices.
    BlockDeviceDriver,
    /// Keys of the agent's table.
    Agent(&'static [&'static str]),
    /// The host's kernel, which runs in FIPS mode.
    Fips,
}

/// A key with a value: a kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Param {
    pub key: String,
    pub value: String,
    pub from: ParamFrom,
}

impl Param {
    /// A parameter.
    pub fn new(key: impl Into<String>, value: impl Into<String>, from: ParamFrom) -> Self {
        Self { key: key.into(), value: value.into(), from }
    }
}

/// One image of `guest_extension_images`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct GuestExtensionImage {
    pub name: String,
    pub path: String,
    pub verity_params: String,
}

/// A guest NUMA node: host nodes and host CPUs as list texts (`0-3,8`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct GuestNumaNode {
    pub host_nodes: String,
    pub host_cpus: String,
}

/// Assets that annotations chose; they win over the paths of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct CustomAssets {
    pub firmware: Option<String>,
    pub firmware_volume: Option<String>,
    pub hypervisor: Option<String>,
    /// ACRN's control program.
    pub hypervisor_ctl: Option<String>,
    pub image: Option<String>,
    pub initrd: Option<String>,
    pub jailer: Option<String>,
    pub kernel: Option<String>,
}

/// The hypervisor's configuration.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct HypervisorConfig {
    pub custom_assets: CustomAssets,
    pub kernel_path: String,
    pub image_path: String,
    pub initrd_path: String,
    pub guest_extension_images: Vec<GuestExtensionImage>,
    pub rootfs_type: String,
    pub firmware_path: String,
    pub firmware_volume_path: String,
    pub machine_accelerators: String,
    pub cpu_features: String,
    pub hypervisor_path: String,
    /// ACRN's control program.
    pub hypervisor_ctl_path: String,
    pub jailer_path: String,
    pub block_device_driver: String,
    pub hypervisor_machine_type: String,
    pub entropy_source: String,
    pub shared_fs: String,
    pub virtio_fs_daemon: String,
    pub virtio_fs_cache: String,
    /// The folder that backs the memory, where one is chosen.
    pub file_backed_mem_root_dir: String,
    pub vhost_user_store_path: String,
    pub vhost_user_device_reconnect: u32,
    pub guest_memory_dump_path: String,
    pub guest_hook_path: String,
    pub hypervisor_path_list: Arc<[String]>,
    pub hypervisor_ctl_path_list: Arc<[String]>,
    pub jailer_path_list: Arc<[String]>,
    pub entropy_source_list: Arc<[String]>,
    pub file_backed_mem_root_list: Arc<[String]>,
    pub virtio_fs_daemon_list: Arc<[String]>,
    pub virtio_fs_extra_args: Vec<String>,
    /// How many of `virtio_fs_extra_args`, at their end, are the pod's.
    pub virtio_fs_extra_args_of_pod: u32,
    pub enable_annotations: Arc<[String]>,
    pub pflash: Arc<[String]>,
    pub vhost_user_store_path_list: Arc<[String]>,
    pub seccomp_sandbox: String,
    pub block_device_aio: String,
    pub remote_hypervisor_socket: String,
    /// From the CRI's annotations (`io.kubernetes.cri.sandbox-name`, ...).
    pub sandbox_name: String,
    /// From the CRI's annotations.
    pub sandbox_namespace: String,
    pub snp_certs_path: String,
    pub snp_id_block: String,
    pub snp_id_auth: String,
    pub snp_guest_policy: Option<u64>,
    pub kernel_params: Vec<Param>,
    pub kernel_verity_params: String,
    pub sgx_epc_size: i64,
    pub disk_rate_limiter_bw_max_rate: i64,
    pub disk_rate_limiter_bw_one_time_burst: i64,
    pub disk_rate_limiter_ops_max_rate: i64,
    pub disk_rate_limiter_ops_one_time_burst: i64,
    pub rx_rate_limiter_max_rate: u64,
    pub tx_rate_limiter_max_rate: u64,
    pub net_rate_limiter_bw_max_rate: i64,
    pub net_rate_limiter_bw_one_time_burst: i64,
    pub net_rate_limiter_ops_max_rate: i64,
    pub net_rate_limiter_ops_one_time_burst: i64,
    pub mem_offset: u64,
    /// As written: the runtime does not check the word at load.
    pub hot_plug_vfio: String,
    /// As written: the runtime does not check the word at load.
    pub cold_plug_vfio: String,
    pub hotplug_vfio_on_root_bus: bool,
    /// The devices of the host that the sandbox's own specification names, by their CDI names.
    pub vfio_devices: Vec<String>,
    /// They are named by the files of their IOMMU groups, not by their own.
    pub vfio_groups: bool,
    pub pcie_root_port: u32,
    pub pcie_switch_port: u32,
    pub num_vcpus_f: f32,
    /// The processor that the runtime itself runs on.
    pub arch: Arch,
    pub default_max_vcpus: u32,
    /// MiB.
    pub memory_size: u32,
    /// MiB.
    pub default_max_memory_size: u64,
    pub default_bridges: u32,
    pub msize9p: u32,
    pub mem_slots: u32,
    pub virtio_fs_cache_size: u32,
    pub virtio_fs_queue_size: u32,
    pub remote_hypervisor_timeout: u32,
    pub block_device_cache_set: bool,
    pub block_device_cache_direct: bool,
    pub block_device_cache_noflush: bool,
    pub block_device_logical_sector_size: u32,
    pub block_device_physical_sector_size: u32,
    pub disable_block_device_use: bool,
    pub enable_iothreads: bool,
    pub indep_iothreads: u32,
    pub debug: bool,
    pub hypervisor_loglevel: u32,
    pub mem_prealloc: bool,
    /// `enable_swap`: the guest's memory may be swapped out.
    pub enable_swap: bool,
    pub reclaim_guest_freed_memory: bool,
    pub huge_pages: bool,
    pub virtio_mem: bool,
    pub iommu: bool,
    pub iommu_platform: bool,
    pub guest_numa_nodes: Vec<GuestNumaNode>,
    pub numa_mapping: Vec<String>,
    pub disable_nesting_checks: bool,
    pub disable_image_nvdimm: bool,
    pub guest_memory_dump_paging: bool,
    pub confidential_guest: bool,
    pub sev_snp_guest: bool,
    pub disable_vhost_net: bool,
    pub enable_vhost_user_store: bool,
    pub guest_swap: bool,
    pub rootless: bool,
    pub disable_seccomp: bool,
    pub disable_selinux: bool,
    pub disable_guest_selinux: bool,
    pub legacy_serial: bool,
    pub extra_monitor_socket: String,
    pub qgs_port: u32,
    /// The initdata document, decompressed.
    pub initdata: String,
    /// Its digest by the algorithm that it names.
    pub initdata_digest: Vec<u8>,
    pub default_gpus: u32,
    pub default_gpu_model: String,
    pub measurement_algo: String,
}

impl HypervisorConfig {
    /// vCPUs at boot: the float rounded up.
    pub fn num_vcpus(&self) -> u32 {
        // Go's conversion goes through a 64 bit integer and is cut; what becomes of a NaN or of a float that does
        // not fit is up to the processor: x86_64 makes the least integer of it, the others the nearest.
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let up = f64::from(self.num_vcpus_f).ceil();
        match self.arch {
            Arch::X86_64 if up.abs() >= LIMIT => 0,
            Arch::Riscv64 if up.is_nan() => u32::MAX,
            _ => (up as i64) as u32,
        }
    }
}

impl HypervisorConfig {
    /// The kernel to boot.
    pub fn kernel_asset_path(&self) -> &str {
        self.custom_assets.kernel.as_deref().unwrap_or(&self.kernel_path)
    }

    /// The image.
    pub fn image_asset_path(&self) -> &str {
        self.custom_assets.image.as_deref().unwrap_or(&self.image_path)
    }

    /// The initrd.
    pub fn initrd_asset_path(&self) -> &str {
        self.custom_assets.initrd.as_deref().unwrap_or(&self.initrd_path)
    }

    /// The VMM binary.
    pub fn hypervisor_asset_path(&self) -> &str {
        self.custom_assets.hypervisor.as_deref().unwrap_or(&self.hypervisor_path)
    }

    /// ACRN's control program.
    pub fn hypervisor_ctl_asset_path(&self) -> &str {
        self.custom_assets.hypervisor_ctl.as_deref().unwrap_or(&self.hypervisor_ctl_path)
    }

    /// The jailer binary.
    pub fn jailer_asset_path(&self) -> &str {
        self.custom_assets.jailer.as_deref().unwrap_or(&self.jailer_path)
    }

    /// The firmware.
    pub fn firmware_asset_path(&self) -> &str {
        self.custom_assets.firmware.as_deref().unwrap_or(&self.firmware_path)
    }

    /// The firmware volume.
    pub fn firmware_volume_asset_path(&self) -> &str {
        self.custom_assets.firmware_volume.as_deref().unwrap_or(&self.firmware_volume_path)
    }
}

#[cfg(test)]
mod tests {
    use super::HypervisorConfig;
    use crate::input::host::Arch;

    #[test]
    fn odd_counts_are_cut_as_the_processor_does() {
        let count = |num_vcpus_f| HypervisorConfig { num_vcpus_f, ..Default::default() }.num_vcpus();
        assert_eq!((count(0.1), count(2.0), count(-5.0)), (1, 2, 4_294_967_291));
        assert_eq!((count(f32::NAN), count(9.223_372e18), count(5e9)), (0, 0, 705_032_704));
        let elsewhere =
            |num_vcpus_f| HypervisorConfig { num_vcpus_f, arch: Arch::S390x, ..Default::default() };
        let count = |count| elsewhere(count).num_vcpus();
        assert_eq!((count(f32::NAN), count(9.223_373e18), count(5e9)), (0, u32::MAX, 705_032_704));
    }
}
