//! The rules, one for each annotation: the key, the configuration key it sets, and how the value is read.
//!
//! Decides nothing. Facts: `update_config_by_annotation` in src/libs/kata-types/src/annotations/mod.rs at each tag.

use super::{Action, Rule, Table, float, seconds};
use crate::runtime::rs::annotations::lists::PathList;
macro_rules! hypervisor {
    ($short:literal, $field:literal, $action:expr, $shown:expr) => {
        Rule {
            key: concat!("io.katacontainers.config.hypervisor.", $short),
            table: Table::Hypervisor,
            field: $field,
            sets: concat!("sets ", $field),
            sets_anyway: concat!("sets ", $field, " to the value that it has anyway"),
            action: $action,
            shown: $shown,
        }
    };
}

/// A rule whose value goes into a field as it was parsed.
macro_rules! plain {
    ($kind:ident, $table:ident, $key:literal, $field:literal, $part:ident . $($path:ident).+) => {
        Rule {
            key: concat!("io.katacontainers.config.", $key),
            table: Table::$table,
            field: $field,
            sets: concat!("sets ", $field),
            sets_anyway: concat!("sets ", $field, " to the value that it has anyway"),
            action: Action::$kind(|t, v| t.$part.$($path).+ = v),
            shown: |v| v.$part.$($path).+.into(),
        }
    };
}

/// A rule whose field is text.
macro_rules! text {
    ($table:ident, $key:literal, $field:literal, $part:ident . $($path:ident).+) => {
        Rule {
            key: concat!("io.katacontainers.config.", $key),
            table: Table::$table,
            field: $field,
            sets: concat!("sets ", $field),
            sets_anyway: concat!("sets ", $field, " to the value that it has anyway"),
            action: Action::Text(|t| &mut t.$part.$($path).+),
            shown: |v| v.$part.$($path).+.as_str().into(),
        }
    };
}

/// A rule whose field is a path behind a list, or one that must exist.
macro_rules! path {
    ($key:literal, $list:ident, $($path:ident).+) => {
        hypervisor!(
            $key,
            $key,
            Action::Listed(PathList::$list, |t| &mut t.hv.$($path).+),
            |v| v.hv.$($path).+.as_str().into()
        )
    };
    ($key:literal, $($path:ident).+) => {
        hypervisor!(
            $key,
            $key,
            Action::Existing(|t| &mut t.hv.$($path).+),
            |v| v.hv.$($path).+.as_str().into()
        )
    };
}

/// A rule that appends to a list.
macro_rules! append {
    ($table:ident, $key:literal, $field:literal, $sign:literal, $part:ident . $($path:ident).+) => {
        Rule {
            key: concat!("io.katacontainers.config.", $key),
            table: Table::$table,
            field: $field,
            sets: concat!("sets ", $field),
            sets_anyway: concat!("sets ", $field, " to the value that it has anyway"),
            action: Action::Append($sign, |t| &mut t.$part.$($path).+),
            shown: |v| (&v.$part.$($path).+).into(),
        }
    };
}

/// Every rule, in upstream's order.
pub static RULES: &[Rule] = &[
    // the hypervisor
    path!("path", Hypervisor, path),
    path!("ctlpath", Control, ctlpath),
    path!("jailer_path", Jailer, jailer_path),
    plain!(Bool, Hypervisor, "hypervisor.enable_iothreads", "enable_iothreads", hv.enable_iothreads),
    plain!(U32, Hypervisor, "hypervisor.indep_iothreads", "indep_iothreads", hv.indep_iothreads),
    // block devices
    text!(
        Hypervisor,
        "hypervisor.block_device_driver",
        "block_device_driver",
        hv.blockdev_info.block_device_driver
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.disable_block_device_use",
        "disable_block_device_use",
        hv.blockdev_info.disable_block_device_use
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.block_device_cache_set",
        "block_device_cache_set",
        hv.blockdev_info.block_device_cache_set
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.block_device_cache_direct",
        "block_device_cache_direct",
        hv.blockdev_info.block_device_cache_direct
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.block_device_cache_noflush",
        "block_device_cache_noflush",
        hv.blockdev_info.block_device_cache_noflush
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.disable_image_nvdimm",
        "disable_image_nvdimm",
        hv.blockdev_info.disable_image_nvdimm
    ),
    plain!(U64, Hypervisor, "hypervisor.memory_offset", "memory_offset", hv.blockdev_info.memory_offset),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.enable_vhost_user_store",
        "enable_vhost_user_store",
        hv.blockdev_info.enable_vhost_user_store
    ),
    path!("vhost_user_store_path", VhostUserStore, blockdev_info.vhost_user_store_path),
    // what the guest boots
    path!("kernel", boot_info.kernel),
    hypervisor!("kernel_params", "kernel_params", Action::KernelParams, |v| v
        .hv
        .boot_info
        .kernel_params
        .as_str()
        .into()),
    hypervisor!("kernel_verity_params", "kernel_verity_params", Action::VerityParams, |v| v
        .hv
        .boot_info
        .kernel_verity_params
        .as_str()
        .into()),
    path!("image", boot_info.image),
    path!("initrd", boot_info.initrd),
    path!("firmware", boot_info.firmware),
    // CPUs
    text!(Hypervisor, "hypervisor.cpu_features", "cpu_features", hv.cpu_info.cpu_features),
    hypervisor!("default_vcpus", "default_vcpus", Action::Vcpus, |v| float(v.hv.cpu_info.default_vcpus)
        .into()),
    plain!(U32, Hypervisor, "hypervisor.default_max_vcpus", "default_maxvcpus", hv.cpu_info.default_maxvcpus),
    // devices
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.hotplug_vfio_on_root_bus",
        "hotplug_vfio_on_root_bus",
        hv.device_info.hotplug_vfio_on_root_bus
    ),
    hypervisor!(
        "pcie_root_port",
        "pcie_root_port",
        Action::Ports("root ports", |t, n| t.hv.device_info.pcie_root_port = n),
        |v| v.hv.device_info.pcie_root_port.into()
    ),
    hypervisor!(
        "pcie_switch_port",
        "pcie_switch_port",
        Action::Ports("switch ports", |t, n| t.hv.device_info.pcie_switch_port = n),
        |v| v.hv.device_info.pcie_switch_port.into()
    ),
    plain!(Bool, Hypervisor, "hypervisor.enable_iommu", "enable_iommu", hv.device_info.enable_iommu),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.enable_iommu_platform",
        "enable_iommu_platform",
        hv.device_info.enable_iommu_platform
    ),
    // the machine
    text!(Hypervisor, "hypervisor.machine_type", "machine_type", hv.machine_info.machine_type),
    text!(
        Hypervisor,
        "hypervisor.machine_accelerators",
        "machine_accelerators",
        hv.machine_info.machine_accelerators
    ),
    path!("entropy_source", Entropy, machine_info.entropy_source),
    text!(Hypervisor, "hypervisor.prefetch_files.list", "prefetch_list_path", hv.prefetch_list_path),
    // memory
    hypervisor!("default_memory", "default_memory", Action::Memory, |v| v
        .hv
        .memory_info
        .default_memory
        .into()),
    plain!(U32, Hypervisor, "hypervisor.memory_slots", "memory_slots", hv.memory_info.memory_slots),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.enable_mem_prealloc",
        "enable_mem_prealloc",
        hv.memory_info.enable_mem_prealloc
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.enable_hugepages",
        "enable_hugepages",
        hv.memory_info.enable_hugepages
    ),
    hypervisor!("hugepage_type", "hugepage_type", Action::HugePages, |v| v
        .hv
        .memory_info
        .hugepage_type
        .as_str()
        .into()),
    path!("file_mem_backend", MemoryBackend, memory_info.file_mem_backend),
    plain!(Bool, Hypervisor, "hypervisor.enable_swap", "enable_swap", hv.memory_info.enable_swap),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.enable_virtio_mem",
        "enable_virtio_mem",
        hv.memory_info.enable_virtio_mem
    ),
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.enable_guest_swap",
        "enable_guest_swap",
        hv.memory_info.enable_guest_swap
    ),
    // the network
    plain!(
        Bool,
        Hypervisor,
        "hypervisor.disable_vhost_net",
        "disable_vhost_net",
        hv.network_info.disable_vhost_net
    ),
    plain!(
        U64,
        Hypervisor,
        "hypervisor.rx_rate_limiter_max_rate",
        "rx_rate_limiter_max_rate",
        hv.network_info.rx_rate_limiter_max_rate
    ),
    plain!(
        U64,
        Hypervisor,
        "hypervisor.tx_rate_limiter_max_rate",
        "tx_rate_limiter_max_rate",
        hv.network_info.tx_rate_limiter_max_rate
    ),
    plain!(U32, Hypervisor, "hypervisor.network_queues", "network_queues", hv.network_info.network_queues),
    // security
    path!("guest_hook_path", security_info.guest_hook_path),
    hypervisor!("cc_init_data", "initdata", Action::Initdata, |v| v
        .hv
        .security_info
        .initdata
        .as_str()
        .into()),
    plain!(U32, Hypervisor, "hypervisor.default_gpus", "default_gpus", hv.remote_info.default_gpus),
    text!(Hypervisor, "hypervisor.default_gpu_model", "default_gpu_model", hv.remote_info.default_gpu_model),
    plain!(Bool, Hypervisor, "hypervisor.rootless", "rootless", hv.security_info.rootless),
    // the shared file system
    hypervisor!("shared_fs", "shared_fs", Action::SharedFs, |v| v.hv.shared_fs.shared_fs.as_deref().into()),
    path!("virtio_fs_daemon", VirtioFsDaemon, shared_fs.virtio_fs_daemon),
    text!(Hypervisor, "hypervisor.virtio_fs_cache", "virtio_fs_cache", hv.shared_fs.virtio_fs_cache),
    plain!(
        U32,
        Hypervisor,
        "hypervisor.virtio_fs_cache_size",
        "virtio_fs_cache_size",
        hv.shared_fs.virtio_fs_cache_size
    ),
    append!(
        Hypervisor,
        "hypervisor.virtio_fs_extra_args",
        "virtio_fs_extra_args",
        ',',
        hv.shared_fs.virtio_fs_extra_args
    ),
    plain!(U32, Hypervisor, "hypervisor.msize_9p", "msize_9p", hv.shared_fs.msize_9p),
    hypervisor!(
        "blk_logical_sector_size",
        "block_device_logical_sector_size",
        Action::Sector(|t, n| t.hv.blockdev_info.block_device_logical_sector_size = n),
        |v| v.hv.blockdev_info.block_device_logical_sector_size.into()
    ),
    hypervisor!(
        "blk_physical_sector_size",
        "block_device_physical_sector_size",
        Action::Sector(|t, n| t.hv.blockdev_info.block_device_physical_sector_size = n),
        |v| v.hv.blockdev_info.block_device_physical_sector_size.into()
    ),
    plain!(
        Usize,
        Hypervisor,
        "hypervisor.block_device_num_queues",
        "num_queues",
        hv.blockdev_info.num_queues
    ),
    plain!(U32, Hypervisor, "hypervisor.block_device_queue_size", "queue_size", hv.blockdev_info.queue_size),
    // the agent
    append!(Agent, "agent.kernel_modules", "kernel_modules", ';', ag.kernel_modules),
    plain!(Bool, Agent, "agent.enable_tracing", "enable_tracing", ag.enable_tracing),
    plain!(U32, Agent, "agent.container_pipe_size", "container_pipe_size", ag.container_pipe_size),
    plain!(U32, Agent, "agent.cdh_api_timeout_ms", "cdh_api_timeout_ms", ag.cdh_api_timeout_ms),
    Rule {
        key: "io.katacontainers.config.runtime.create_container_timeout",
        table: Table::Agent,
        field: "create_container_timeout",
        sets: concat!("sets ", "create_container_timeout"),
        sets_anyway: concat!("sets ", "create_container_timeout", " to the value that it has anyway"),
        action: Action::Timeout,
        shown: |v| seconds(v.ag.request_timeout_ms).into(),
    },
    // the runtime
    Rule {
        key: "io.katacontainers.config.runtime.name",
        table: Table::Runtime,
        field: "name",
        sets: concat!("sets ", "name"),
        sets_anyway: concat!("sets ", "name", " to the value that it has anyway"),
        action: Action::RuntimeName,
        shown: |v| v.rt.name.as_str().into(),
    },
    Rule {
        key: "io.katacontainers.config.runtime.hypervisor_name",
        table: Table::Runtime,
        field: "hypervisor_name",
        sets: concat!("sets ", "hypervisor_name"),
        sets_anyway: concat!("sets ", "hypervisor_name", " to the value that it has anyway"),
        action: Action::PickHypervisor,
        shown: |v| v.rt.hypervisor_name.as_str().into(),
    },
    Rule {
        key: "io.katacontainers.config.runtime.agent_name",
        table: Table::Runtime,
        field: "agent_name",
        sets: concat!("sets ", "agent_name"),
        sets_anyway: concat!("sets ", "agent_name", " to the value that it has anyway"),
        action: Action::PickAgent,
        shown: |v| v.rt.agent_name.as_str().into(),
    },
    plain!(Bool, Runtime, "runtime.disable_guest_seccomp", "disable_guest_seccomp", rt.disable_guest_seccomp),
    plain!(
        Bool,
        Runtime,
        "runtime.disable_guest_empty_dir",
        "disable_guest_empty_dir",
        rt.disable_guest_empty_dir
    ),
    plain!(Bool, Runtime, "runtime.enable_pprof", "enable_pprof", rt.enable_pprof),
    append!(Runtime, "runtime.experimental", "experimental", ',', rt.experimental),
    text!(Runtime, "runtime.internetworking_model", "internetworking_model", rt.internetworking_model),
    plain!(Bool, Runtime, "runtime.sandbox_cgroup_only", "sandbox_cgroup_only", rt.sandbox_cgroup_only),
    plain!(Bool, Runtime, "runtime.enable_vcpus_pinning", "enable_vcpus_pinning", rt.enable_vcpus_pinning),
    plain!(Bool, Runtime, "runtime.disable_new_netns", "disable_new_netns", rt.disable_new_netns),
    text!(Runtime, "runtime.vfio_mode", "vfio_mode", rt.vfio_mode),
    Rule {
        key: "io.katacontainers.config.runtime.shared_mounts",
        table: Table::Runtime,
        field: "shared_mounts",
        sets: concat!("sets ", "shared_mounts"),
        sets_anyway: concat!("sets ", "shared_mounts", " to the value that it has anyway"),
        action: Action::SharedMounts,
        shown: |v| serde_json::to_value(&v.rt.shared_mounts).unwrap_or_default().into(),
    },
    Rule {
        key: "io.katacontainers.config.runtime.sandbox_bind_mounts",
        table: Table::Runtime,
        field: "sandbox_bind_mounts",
        sets: concat!("sets ", "sandbox_bind_mounts"),
        sets_anyway: concat!("sets ", "sandbox_bind_mounts", " to the value that it has anyway"),
        action: Action::BindMounts,
        shown: |v| (&v.rt.sandbox_bind_mounts).into(),
    },
];
