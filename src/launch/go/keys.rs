//! The configuration keys that several hypervisors of the Go runtime share, spelled out per table, so that
//! a cause is a borrowed word and never built.
//!
//! Decides nothing. Facts: the key names in src/runtime/pkg/katautils/config.go at 4.1.0.

use crate::runtime::go::config::HypervisorType;

macro_rules! keys {
    ($($name:ident)*) => {
        /// The dotted keys of one hypervisor's table.
        #[derive(Debug)]
        pub(crate) struct Keys { $(pub(crate) $name: &'static str),* }

        macro_rules! table {
            ($hypervisor:literal) => {
                Keys { $($name: concat!("hypervisor.", $hypervisor, ".", stringify!($name))),* }
            };
        }
    };
}

keys! {
    virtio_fs_daemon
    block_device_cache_set block_device_cache_noflush path jailer_path kernel image initrd rootfs_type kernel_params kernel_verity_params firmware
    default_vcpus default_maxvcpus default_memory default_maxmemory machine_type block_device_driver
    enable_debug shared_fs virtio_fs_cache virtio_fs_cache_size virtio_fs_extra_args enable_iommu
    confidential_guest enable_hugepages entropy_source disable_seccomp disable_guest_selinux
    cc_init_data hypervisor_loglevel reclaim_guest_freed_memory disk_rate_limiter_bw_max_rate
    disk_rate_limiter_bw_one_time_burst disk_rate_limiter_ops_max_rate
    disk_rate_limiter_ops_one_time_burst net_rate_limiter_bw_max_rate net_rate_limiter_bw_one_time_burst
    net_rate_limiter_ops_max_rate net_rate_limiter_ops_one_time_burst rx_rate_limiter_max_rate
    tx_rate_limiter_max_rate default_gpus default_gpu_model cold_plug_vfio
}

static QEMU: Keys = table!("qemu");
static CLH: Keys = table!("clh");
static FIRECRACKER: Keys = table!("firecracker");
static DRAGONBALL: Keys = table!("dragonball");
static STRATOVIRT: Keys = table!("stratovirt");
static ACRN: Keys = table!("acrn");
static REMOTE: Keys = table!("remote");

/// The keys of a hypervisor's table.
pub(crate) fn of(hypervisor: HypervisorType) -> &'static Keys {
    match hypervisor {
        HypervisorType::Qemu => &QEMU,
        HypervisorType::Clh => &CLH,
        HypervisorType::Firecracker => &FIRECRACKER,
        HypervisorType::Dragonball => &DRAGONBALL,
        HypervisorType::Stratovirt => &STRATOVIRT,
        HypervisorType::Acrn => &ACRN,
        HypervisorType::Remote => &REMOTE,
    }
}
