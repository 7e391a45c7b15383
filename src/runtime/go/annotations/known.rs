//! The annotations that any release of the Go runtime reads, in the order it reads them, and the
//! configuration key that each stands for.
//!
//! Decides nothing: which of them a release reads, the catalogue says. Facts: src/runtime/virtcontainers/pkg/annotations/annotations.go and the order of
//! `addAnnotations` in src/runtime/pkg/oci/utils.go at 4.1.0.

use std::sync::OnceLock;

use crate::catalog::KATA_PREFIX;
use crate::runtime::go::config::HypervisorType;
use crate::runtime::names::Names;

/// The table that an annotation's key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime::go) enum Section {
    Hypervisor,
    Runtime,
    Agent,
    /// Read at another time than the sandbox's creation.
    Nowhere,
}

/// One annotation.
#[derive(Debug, Clone, Copy)]
pub(in crate::runtime::go) struct Known {
    pub key: &'static str,
    pub section: Section,
    /// The key within the table.
    pub field: &'static str,
}

impl Section {
    /// The whole configuration key (`hypervisor.qemu.path`).
    pub fn key(self, field: &str, hypervisor: HypervisorType) -> String {
        match self {
            Self::Hypervisor => format!("{}.{field}", hypervisor.table()),
            // There is one agent, whatever a file calls its table.
            Self::Agent => format!("agent.kata.{field}"),
            Self::Runtime => format!("runtime.{field}"),
            Self::Nowhere => String::new(),
        }
    }
}

macro_rules! known {
    ($($id:ident $section:ident $key:literal => $field:literal;)*) => {
        /// Which annotation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(in crate::runtime::go) enum Id { $($id),* }

        /// All of them, by id.
        pub(in crate::runtime::go) const KNOWN: &[Known] =
            &[$(Known {
                key: $key,
                section: Section::$section,
                field: $field,
            }),*];

        const IDS: &[Id] = &[$(Id::$id),*];
    };
}

known! {
    Firmware Hypervisor "io.katacontainers.config.hypervisor.firmware" => "firmware";
    FirmwareHash Hypervisor "io.katacontainers.config.hypervisor.firmware_hash" => "firmware_hash";
    FirmwareVolume Hypervisor "io.katacontainers.config.hypervisor.firmware_volume" => "firmware_volume";
    FirmwareVolumeHash Hypervisor "io.katacontainers.config.hypervisor.firmware_volume_hash" => "firmware_volume_hash";
    CtlPath Hypervisor "io.katacontainers.config.hypervisor.ctlpath" => "ctlpath";
    CtlHash Hypervisor "io.katacontainers.config.hypervisor.hypervisorctl_hash" => "hypervisorctl_hash";
    HypervisorPath Hypervisor "io.katacontainers.config.hypervisor.path" => "path";
    HypervisorHash Hypervisor "io.katacontainers.config.hypervisor.hypervisor_hash" => "hypervisor_hash";
    Image Hypervisor "io.katacontainers.config.hypervisor.image" => "image";
    ImageHash Hypervisor "io.katacontainers.config.hypervisor.image_hash" => "image_hash";
    Initrd Hypervisor "io.katacontainers.config.hypervisor.initrd" => "initrd";
    InitrdHash Hypervisor "io.katacontainers.config.hypervisor.initrd_hash" => "initrd_hash";
    JailerPath Hypervisor "io.katacontainers.config.hypervisor.jailer_path" => "jailer_path";
    JailerHash Hypervisor "io.katacontainers.config.hypervisor.jailer_hash" => "jailer_hash";
    Kernel Hypervisor "io.katacontainers.config.hypervisor.kernel" => "kernel";
    KernelHash Hypervisor "io.katacontainers.config.hypervisor.kernel_hash" => "kernel_hash";
    AssetHashType Nowhere "io.katacontainers.asset_hash_type" => "";
    DefaultVcpus Hypervisor "io.katacontainers.config.hypervisor.default_vcpus" => "default_vcpus";
    DefaultMaxVcpus Hypervisor "io.katacontainers.config.hypervisor.default_max_vcpus" => "default_maxvcpus";
    DefaultMemory Hypervisor "io.katacontainers.config.hypervisor.default_memory" => "default_memory";
    MemorySlots Hypervisor "io.katacontainers.config.hypervisor.memory_slots" => "memory_slots";
    MemoryOffset Hypervisor "io.katacontainers.config.hypervisor.memory_offset" => "memory_offset";
    EnableVirtioMem Hypervisor "io.katacontainers.config.hypervisor.enable_virtio_mem" => "enable_virtio_mem";
    EnableMemPrealloc Hypervisor "io.katacontainers.config.hypervisor.enable_mem_prealloc" => "enable_mem_prealloc";
    ReclaimGuestFreedMemory Hypervisor "io.katacontainers.config.hypervisor.reclaim_guest_freed_memory" => "reclaim_guest_freed_memory";
    EnableHugepages Hypervisor "io.katacontainers.config.hypervisor.enable_hugepages" => "enable_hugepages";
    EnableIommu Hypervisor "io.katacontainers.config.hypervisor.enable_iommu" => "enable_iommu";
    EnableIommuPlatform Hypervisor "io.katacontainers.config.hypervisor.enable_iommu_platform" => "enable_iommu_platform";
    FileMemBackend Hypervisor "io.katacontainers.config.hypervisor.file_mem_backend" => "file_mem_backend";
    EnableSwap Hypervisor "io.katacontainers.config.hypervisor.enable_swap" => "enable_swap";
    EnableGuestSwap Hypervisor "io.katacontainers.config.hypervisor.enable_guest_swap" => "enable_guest_swap";
    Rootless Hypervisor "io.katacontainers.config.hypervisor.rootless" => "rootless";
    NumaMapping Hypervisor "io.katacontainers.config.hypervisor.numa_mapping" => "numa_mapping";
    BlockDeviceDriver Hypervisor "io.katacontainers.config.hypervisor.block_device_driver" => "block_device_driver";
    BlockDeviceAio Hypervisor "io.katacontainers.config.hypervisor.block_device_aio" => "block_device_aio";
    DisableBlockDeviceUse Hypervisor "io.katacontainers.config.hypervisor.disable_block_device_use" => "disable_block_device_use";
    EnableIothreads Hypervisor "io.katacontainers.config.hypervisor.enable_iothreads" => "enable_iothreads";
    IndepIothreads Hypervisor "io.katacontainers.config.hypervisor.indep_iothreads" => "indep_iothreads";
    BlockDeviceCacheSet Hypervisor "io.katacontainers.config.hypervisor.block_device_cache_set" => "block_device_cache_set";
    BlockDeviceCacheDirect Hypervisor "io.katacontainers.config.hypervisor.block_device_cache_direct" => "block_device_cache_direct";
    BlockDeviceCacheNoflush Hypervisor "io.katacontainers.config.hypervisor.block_device_cache_noflush" => "block_device_cache_noflush";
    LogicalSectorSize Hypervisor "io.katacontainers.config.hypervisor.blk_logical_sector_size" => "block_device_logical_sector_size";
    PhysicalSectorSize Hypervisor "io.katacontainers.config.hypervisor.blk_physical_sector_size" => "block_device_physical_sector_size";
    SharedFs Hypervisor "io.katacontainers.config.hypervisor.shared_fs" => "shared_fs";
    VirtioFsDaemon Hypervisor "io.katacontainers.config.hypervisor.virtio_fs_daemon" => "virtio_fs_daemon";
    VirtioFsExtraArgs Hypervisor "io.katacontainers.config.hypervisor.virtio_fs_extra_args" => "virtio_fs_extra_args";
    VirtioFsCache Hypervisor "io.katacontainers.config.hypervisor.virtio_fs_cache" => "virtio_fs_cache";
    VirtioFsCacheSize Hypervisor "io.katacontainers.config.hypervisor.virtio_fs_cache_size" => "virtio_fs_cache_size";
    Msize9p Hypervisor "io.katacontainers.config.hypervisor.msize_9p" => "msize_9p";
    CpuFeatures Hypervisor "io.katacontainers.config.hypervisor.cpu_features" => "cpu_features";
    DisableVhostNet Hypervisor "io.katacontainers.config.hypervisor.disable_vhost_net" => "disable_vhost_net";
    RxRateLimiter Hypervisor "io.katacontainers.config.hypervisor.rx_rate_limiter_max_rate" => "rx_rate_limiter_max_rate";
    TxRateLimiter Hypervisor "io.katacontainers.config.hypervisor.tx_rate_limiter_max_rate" => "tx_rate_limiter_max_rate";
    KernelParams Hypervisor "io.katacontainers.config.hypervisor.kernel_params" => "kernel_params";
    KernelVerityParams Hypervisor "io.katacontainers.config.hypervisor.kernel_verity_params" => "kernel_verity_params";
    HotPlugVfio Hypervisor "io.katacontainers.config.hypervisor.hot_plug_vfio" => "hot_plug_vfio";
    ColdPlugVfio Hypervisor "io.katacontainers.config.hypervisor.cold_plug_vfio" => "cold_plug_vfio";
    PcieRootPort Hypervisor "io.katacontainers.config.hypervisor.pcie_root_port" => "pcie_root_port";
    PcieSwitchPort Hypervisor "io.katacontainers.config.hypervisor.pcie_switch_port" => "pcie_switch_port";
    CcInitData Hypervisor "io.katacontainers.config.hypervisor.cc_init_data" => "cc_init_data";
    MachineType Hypervisor "io.katacontainers.config.hypervisor.machine_type" => "machine_type";
    MachineAccelerators Hypervisor "io.katacontainers.config.hypervisor.machine_accelerators" => "machine_accelerators";
    VhostUserStorePath Hypervisor "io.katacontainers.config.hypervisor.vhost_user_store_path" => "vhost_user_store_path";
    EnableVhostUserStore Hypervisor "io.katacontainers.config.hypervisor.enable_vhost_user_store" => "enable_vhost_user_store";
    VhostUserReconnect Hypervisor "io.katacontainers.config.hypervisor.vhost_user_reconnect_timeout_sec" => "vhost_user_reconnect_timeout_sec";
    GuestHookPath Hypervisor "io.katacontainers.config.hypervisor.guest_hook_path" => "guest_hook_path";
    DisableImageNvdimm Hypervisor "io.katacontainers.config.hypervisor.disable_image_nvdimm" => "disable_image_nvdimm";
    HotplugVfioOnRootBus Hypervisor "io.katacontainers.config.hypervisor.hotplug_vfio_on_root_bus" => "hotplug_vfio_on_root_bus";
    UseLegacySerial Hypervisor "io.katacontainers.config.hypervisor.use_legacy_serial" => "use_legacy_serial";
    EntropySource Hypervisor "io.katacontainers.config.hypervisor.entropy_source" => "entropy_source";
    SgxEpc Hypervisor "sgx.intel.com/epc" => "epc";
    DefaultGpus Hypervisor "io.katacontainers.config.hypervisor.default_gpus" => "default_gpus";
    DefaultGpuModel Hypervisor "io.katacontainers.config.hypervisor.default_gpu_model" => "default_gpu_model";
    RuntimeInitData Runtime "io.katacontainers.config.runtime.cc_init_data" => "cc_init_data";
    DisableGuestSeccomp Runtime "io.katacontainers.config.runtime.disable_guest_seccomp" => "disable_guest_seccomp";
    SandboxCgroupOnly Runtime "io.katacontainers.config.runtime.sandbox_cgroup_only" => "sandbox_cgroup_only";
    CreateContainerTimeout Runtime "io.katacontainers.config.runtime.create_container_timeout" => "create_container_timeout";
    ForceGuestPull Runtime "io.katacontainers.config.runtime.experimental_force_guest_pull" => "experimental_force_guest_pull";
    ConfigPath Nowhere "io.katacontainers.config_path" => "";
    EnableVcpusPinning Runtime "io.katacontainers.enable_vcpus_pinning" => "enable_vcpus_pinning";
    Experimental Runtime "io.katacontainers.config.runtime.experimental" => "experimental";
    DisableNewNetns Runtime "io.katacontainers.config.runtime.disable_new_netns" => "disable_new_netns";
    InternetworkingModel Runtime "io.katacontainers.config.runtime.internetworking_model" => "internetworking_model";
    VfioMode Runtime "io.katacontainers.config.runtime.vfio_mode" => "vfio_mode";
    EnablePprof Runtime "io.katacontainers.config.runtime.enable_pprof" => "enable_pprof";
    KernelModules Agent "io.katacontainers.config.agent.kernel_modules" => "kernel_modules";
    Policy Agent "io.katacontainers.config.agent.policy" => "policy";
    TraceMode Agent "io.katacontainers.config.agent.trace_mode" => "trace_mode";
    TraceType Agent "io.katacontainers.config.agent.trace_type" => "trace_type";
    AgentTracing Agent "io.katacontainers.config.agent.enable_tracing" => "enable_tracing";
    ContainerPipeSize Agent "io.katacontainers.config.agent.container_pipe_size" => "container_pipe_size";
    BundlePath Nowhere "io.katacontainers.pkg.oci.bundle_path" => "";
    ContainerType Nowhere "io.katacontainers.pkg.oci.container_type" => "";
    Swappiness Nowhere "io.katacontainers.container.resource.swappiness" => "";
    SwapInBytes Nowhere "io.katacontainers.container.resource.swap_in_bytes" => "";
}

impl Id {
    /// By the whole key.
    pub fn of(key: &str) -> Option<Self> {
        static NAMES: OnceLock<Names> = OnceLock::new();
        if !key.starts_with(KATA_PREFIX) {
            // The only one that is not Kata's own.
            return (key == Id::SgxEpc.known().key).then_some(Id::SgxEpc);
        }
        let names = NAMES.get_or_init(|| Names::new(KNOWN.iter().map(|known| known.key)));
        IDS.get(names.number(key)?).copied()
    }

    /// What it is.
    pub fn known(self) -> &'static Known {
        const NONE: Known = Known { key: "", section: Section::Nowhere, field: "" };
        KNOWN.get(self as usize).unwrap_or(&NONE)
    }
}

impl Known {
    /// The whole configuration key that it stands for, if it stands for one.
    pub fn name(&self, hypervisor: HypervisorType) -> Option<String> {
        (self.section != Section::Nowhere).then(|| self.section.key(self.field, hypervisor))
    }
}

/// How many there are.
pub(in crate::runtime::go) const COUNT: usize = KNOWN.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_keys_agree() {
        for (i, known) in KNOWN.iter().enumerate() {
            assert_eq!(Id::of(known.key).map(|id| id as usize), Some(i), "{}", known.key);
        }
        assert_eq!(COUNT, 95);
    }
}
