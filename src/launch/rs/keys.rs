//! The configuration keys of each hypervisor's table, spelled out, so that a cause is a borrowed word and
//! never built.
//!
//! Decides nothing. Facts: the field names in src/libs/kata-types/src/config/hypervisor/mod.rs at each tag.

use super::Kind;

macro_rules! keys {
    ($($name:ident)*) => {
        /// The dotted keys of one hypervisor's table.
        #[derive(Debug)]
        pub(super) struct Keys { $(pub(super) $name: &'static str),* }

        macro_rules! table {
            ($hypervisor:literal) => {
                Keys { $($name: concat!("hypervisor.", $hypervisor, ".", stringify!($name))),* }
            };
        }
    };
}

keys! {
    block_device_cache_direct block_device_driver boot_from_template boot_to_be_template confidential_guest
    cpu_features default_bridges default_gpu_model default_gpus default_maxmemory default_maxvcpus
    default_memory default_vcpus disable_guest_selinux disable_nested_virtualization disable_nesting_checks
    disable_seccomp disable_vhost_net disk_rate_limiter_bw_max_rate disk_rate_limiter_bw_one_time_burst
    disk_rate_limiter_ops_max_rate disk_rate_limiter_ops_one_time_burst enable_debug enable_hugepages
    enable_iommu enable_iothreads enable_mem_prealloc enable_virtio_mem entropy_source
    extra_monitor_socket firmware guest_extension_images hugepage_type
    image indep_iothreads initdata initrd jailer_path kernel kernel_params
    kernel_verity_params machine_accelerators machine_type memory_slots network_queues path pcie_root_port pcie_switch_port
    cold_plug_vfio virtio_fs_daemon reclaim_guest_freed_memory rootfs_type rootless seccomp_sandbox sev_snp_guest shared_fs
    snp_guest_policy tdx_quote_generation_service_socket_port virtio_fs_cache virtio_fs_cache_size
    virtio_fs_extra_args virtio_fs_queue_size vm_rootfs_driver
}

static QEMU: Keys = table!("qemu");
static CLH: Keys = table!("clh");
static CLOUD_HYPERVISOR: Keys = table!("cloud-hypervisor");
static DRAGONBALL: Keys = table!("dragonball");
static FIRECRACKER: Keys = table!("firecracker");
static REMOTE: Keys = table!("remote");
static OPENVMM: Keys = table!("openvmm");

/// The keys of a hypervisor's table, which is called so.
pub(super) fn of(kind: Kind, name: &str) -> &'static Keys {
    match kind {
        Kind::Qemu => &QEMU,
        Kind::Clh if name == "clh" => &CLH,
        Kind::Clh => &CLOUD_HYPERVISOR,
        Kind::Dragonball => &DRAGONBALL,
        Kind::Firecracker => &FIRECRACKER,
        Kind::Remote => &REMOTE,
        Kind::OpenVmm => &OPENVMM,
    }
}
