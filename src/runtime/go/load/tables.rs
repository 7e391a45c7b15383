//! The tables of `configuration.toml` as the Go runtime declares them: every key, its type, and the
//! order it is declared in.
//!
//! Decides nothing: which of them a release knows, the catalogue says. Facts: src/runtime/pkg/katautils/config.go
//! at 4.1.0, and for keys that went, at the last release that had them.

use crate::golang::toml::{Decode, Decoder, Error, Value};
use crate::release::Release;
use crate::runtime::go::Change;
use crate::runtime::go::record::record;

/// `default_vcpus`: a whole number until fractions came.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VcpuCount(pub f32);

impl Decode<Release> for VcpuCount {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Release>) -> Result<(), Error> {
        if at.fields().has(Change::FractionalVcpus) {
            return self.0.decode(value, at);
        }
        let mut whole = 0_i32;
        whole.decode(value, at)?;
        self.0 = whole as f32;
        Ok(())
    }
}

/// `memory_offset`: of 32 bits at first.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MemoryOffset(pub u64);

impl Decode<Release> for MemoryOffset {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Release>) -> Result<(), Error> {
        if at.fields().has(Change::WideMemoryOffset) {
            return self.0.decode(value, at);
        }
        let mut narrow = 0_u32;
        narrow.decode(value, at)?;
        self.0 = narrow.into();
        Ok(())
    }
}

record! {
    /// `[hypervisor.<name>]`
    HypervisorTable as "katautils.hypervisor" in Some("hypervisor.<name>"); {
        path: String = "path",
        jailer_path: String = "jailer_path",
        kernel: String = "kernel",
        ctlpath: String = "ctlpath",
        initrd: String = "initrd",
        image: String = "image",
        rootfs_type: String = "rootfs_type",
        firmware: String = "firmware",
        firmware_volume: String = "firmware_volume",
        machine_accelerators: String = "machine_accelerators",
        cpu_features: String = "cpu_features",
        kernel_params: String = "kernel_params",
        kernel_verity_params: String = "kernel_verity_params",
        machine_type: String = "machine_type",
        tdx_quote_generation_service_socket_port: u32 = "tdx_quote_generation_service_socket_port",
        block_device_driver: String = "block_device_driver",
        entropy_source: String = "entropy_source",
        shared_fs: String = "shared_fs",
        virtio_fs_daemon: String = "virtio_fs_daemon",
        virtio_fs_cache: String = "virtio_fs_cache",
        vhost_user_store_path: String = "vhost_user_store_path",
        file_mem_backend: String = "file_mem_backend",
        guest_hook_path: String = "guest_hook_path",
        guest_memory_dump_path: String = "guest_memory_dump_path",
        seccompsandbox: String = "seccompsandbox",
        block_device_aio: String = "block_device_aio",
        remote_hypervisor_socket: String = "remote_hypervisor_socket",
        snp_certs_path: String = "snp_certs_path",
        snp_id_block: String = "snp_id_block",
        snp_id_auth: String = "snp_id_auth",
        snp_guest_policy: Option<u64> = "snp_guest_policy",
        measurement_algo: String = "measurement_algo",
        valid_hypervisor_paths: Vec<String> = "valid_hypervisor_paths",
        valid_jailer_paths: Vec<String> = "valid_jailer_paths",
        valid_ctlpaths: Vec<String> = "valid_ctlpaths",
        valid_virtio_fs_daemon_paths: Vec<String> = "valid_virtio_fs_daemon_paths",
        virtio_fs_extra_args: Vec<String> = "virtio_fs_extra_args",
        pflashes: Vec<String> = "pflashes",
        valid_vhost_user_store_paths: Vec<String> = "valid_vhost_user_store_paths",
        valid_file_mem_backends: Vec<String> = "valid_file_mem_backends",
        valid_entropy_sources: Vec<String> = "valid_entropy_sources",
        enable_annotations: Vec<String> = "enable_annotations",
        rx_rate_limiter_max_rate: u64 = "rx_rate_limiter_max_rate",
        tx_rate_limiter_max_rate: u64 = "tx_rate_limiter_max_rate",
        memory_offset: MemoryOffset = "memory_offset",
        default_maxmemory: u64 = "default_maxmemory",
        disk_rate_limiter_bw_max_rate: i64 = "disk_rate_limiter_bw_max_rate",
        disk_rate_limiter_bw_one_time_burst: i64 = "disk_rate_limiter_bw_one_time_burst",
        disk_rate_limiter_ops_max_rate: i64 = "disk_rate_limiter_ops_max_rate",
        disk_rate_limiter_ops_one_time_burst: i64 = "disk_rate_limiter_ops_one_time_burst",
        net_rate_limiter_bw_max_rate: i64 = "net_rate_limiter_bw_max_rate",
        net_rate_limiter_bw_one_time_burst: i64 = "net_rate_limiter_bw_one_time_burst",
        net_rate_limiter_ops_max_rate: i64 = "net_rate_limiter_ops_max_rate",
        net_rate_limiter_ops_one_time_burst: i64 = "net_rate_limiter_ops_one_time_burst",
        hypervisor_loglevel: u32 = "hypervisor_loglevel",
        virtio_fs_cache_size: u32 = "virtio_fs_cache_size",
        virtio_fs_queue_size: u32 = "virtio_fs_queue_size",
        default_maxvcpus: u32 = "default_maxvcpus",
        default_memory: u32 = "default_memory",
        memory_slots: u32 = "memory_slots",
        default_bridges: u32 = "default_bridges",
        msize_9p: u32 = "msize_9p",
        remote_hypervisor_timeout: u32 = "remote_hypervisor_timeout",
        default_vcpus: VcpuCount = "default_vcpus",
        block_device_cache_set: bool = "block_device_cache_set",
        block_device_cache_direct: bool = "block_device_cache_direct",
        block_device_cache_noflush: bool = "block_device_cache_noflush",
        block_device_logical_sector_size: u32 = "block_device_logical_sector_size",
        block_device_physical_sector_size: u32 = "block_device_physical_sector_size",
        enable_vhost_user_store: bool = "enable_vhost_user_store",
        vhost_user_reconnect_timeout_sec: u32 = "vhost_user_reconnect_timeout_sec",
        disable_block_device_use: bool = "disable_block_device_use",
        enable_mem_prealloc: bool = "enable_mem_prealloc",
        reclaim_guest_freed_memory: bool = "reclaim_guest_freed_memory",
        enable_swap: bool = "enable_swap",
        enable_hugepages: bool = "enable_hugepages",
        enable_virtio_mem: bool = "enable_virtio_mem",
        enable_iommu: bool = "enable_iommu",
        enable_iommu_platform: bool = "enable_iommu_platform",
        enable_numa: bool = "enable_numa",
        numa_mapping: Vec<String> = "numa_mapping",
        enable_debug: bool = "enable_debug",
        disable_nesting_checks: bool = "disable_nesting_checks",
        enable_iothreads: bool = "enable_iothreads",
        indep_iothreads: u32 = "indep_iothreads",
        disable_image_nvdimm: bool = "disable_image_nvdimm",
        hotplug_vfio_on_root_bus: bool = "hotplug_vfio_on_root_bus",
        hot_plug_vfio: String = "hot_plug_vfio",
        cold_plug_vfio: String = "cold_plug_vfio",
        pcie_root_port: u32 = "pcie_root_port",
        pcie_switch_port: u32 = "pcie_switch_port",
        disable_vhost_net: bool = "disable_vhost_net",
        guest_memory_dump_paging: bool = "guest_memory_dump_paging",
        confidential_guest: bool = "confidential_guest",
        sev_snp_guest: bool = "sev_snp_guest",
        enable_guest_swap: bool = "enable_guest_swap",
        rootless: bool = "rootless",
        disable_seccomp: bool = "disable_seccomp",
        disable_selinux: bool = "disable_selinux",
        disable_guest_selinux: bool = "disable_guest_selinux",
        use_legacy_serial: bool = "use_legacy_serial",
        extra_monitor_socket: String = "extra_monitor_socket",
        guest_extension_images: Vec<ExtensionImageTable> = "guest_extension_images",
    }
}

record! {
    /// One entry of `guest_extension_images`.
    ExtensionImageTable as "katautils.guestExtensionImage" in None; {
        name: String = "name",
        path: String = "path",
        verity_params: String = "verity_params",
    }
}

record! {
    /// `[runtime]`
    RuntimeTable as "katautils.runtime" in Some("runtime"); {
        internetworking_model: String = "internetworking_model",
        jaeger_endpoint: String = "jaeger_endpoint",
        jaeger_user: String = "jaeger_user",
        jaeger_password: String = "jaeger_password",
        vfio_mode: String = "vfio_mode",
        guest_selinux_label: String = "guest_selinux_label",
        sandbox_bind_mounts: Vec<String> = "sandbox_bind_mounts",
        experimental: Vec<String> = "experimental",
        enable_tracing: bool = "enable_tracing",
        disable_new_netns: bool = "disable_new_netns",
        disable_guest_seccomp: bool = "disable_guest_seccomp",
        enable_vcpus_pinning: bool = "enable_vcpus_pinning",
        enable_debug: bool = "enable_debug",
        sandbox_cgroup_only: bool = "sandbox_cgroup_only",
        static_sandbox_resource_mgmt: bool = "static_sandbox_resource_mgmt",
        enable_pprof: bool = "enable_pprof",
        disable_guest_empty_dir: bool = "disable_guest_empty_dir",
        emptydir_mode: String = "emptydir_mode",
        create_container_timeout: u64 = "create_container_timeout",
        dan_conf: String = "dan_conf",
        experimental_force_guest_pull: bool = "experimental_force_guest_pull",
        pod_resource_api_sock: String = "pod_resource_api_sock",
        kubelet_root_dir: String = "kubelet_root_dir",
    }
}

record! {
    /// `[agent.<name>]`
    AgentTable as "katautils.agent" in Some("agent.<name>"); {
        kernel_modules: Vec<String> = "kernel_modules",
        enable_debug: bool = "enable_debug",
        enable_tracing: bool = "enable_tracing",
        trace_mode: String = "trace_mode",
        trace_type: String = "trace_type",
        debug_console_enabled: bool = "debug_console_enabled",
        dial_timeout: u32 = "dial_timeout",
        cdh_api_timeout: u32 = "cdh_api_timeout",
        launch_process_timeout: u32 = "launch_process_timeout",
        visible_cdi_devices: bool = "visible_cdi_devices",
    }
}

record! {
    /// `[netmon]`
    NetmonTable as "katautils.netmon" in Some("netmon"); {
        path: String = "path",
        enable_debug: bool = "enable_debug",
        enable_netmon: bool = "enable_netmon",
    }
}

record! {
    /// `[factory]`
    FactoryTable as "katautils.factory" in Some("factory"); {
        template_path: String = "template_path",
        vm_cache_endpoint: String = "vm_cache_endpoint",
        vm_cache_number: u64 = "vm_cache_number",
        enable_template: bool = "enable_template",
    }
}
