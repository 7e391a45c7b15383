//! Which settings each hypervisor takes from its table, and what it insists on.
//!
//! A setting that is not copied here keeps its zero value, whatever the file says. Facts: the
//! `new*HypervisorConfig` functions of src/runtime/pkg/katautils/config.go at 4.1.0.

use super::settings::{
    Refusal, check_vsock, default_hypervisor_path, default_machine_type, default_virtio_fs_cache,
};
use super::tables::HypervisorTable;
use crate::golang::strconv::fields;
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::Release;
use crate::runtime::go::config::{HypervisorConfig, HypervisorType, ParamFrom};
use crate::runtime::go::kernel_params::pairs;
use crate::runtime::go::{Change, numa};

type Built = Result<HypervisorConfig, Refusal>;

/// The configuration of one table.
pub(super) fn build(kind: HypervisorType, table: &HypervisorTable, host: &Host, release: Release) -> Built {
    match kind {
        HypervisorType::Firecracker => firecracker(table, host, release),
        HypervisorType::Qemu => qemu(table, host, release),
        HypervisorType::Clh => clh(table, host, release),
        HypervisorType::Dragonball => dragonball(table, host, release),
        HypervisorType::Stratovirt => stratovirt(table, host, release),
        HypervisorType::Remote => Ok(remote(table, release)),
        HypervisorType::Acrn => acrn(table, host, release),
    }
}

/// What holds where no file has a hypervisor table at all.
pub(super) fn built_in(release: Release) -> HypervisorConfig {
    HypervisorConfig {
        hypervisor_path: default_hypervisor_path(release).into(),
        jailer_path: "/usr/bin/jailer".into(),
        kernel_path: "/usr/share/kata-containers/vmlinuz.container".into(),
        image_path: "/usr/share/kata-containers/kata-containers.img".into(),
        initrd_path: "/usr/share/kata-containers/kata-containers-initrd.img".into(),
        rootfs_type: "ext4".into(),
        hypervisor_machine_type: default_machine_type(release).into(),
        num_vcpus_f: 1.0,
        memory_size: 2048,
        default_bridges: 1,
        block_device_driver: "virtio-scsi".into(),
        block_device_aio: "io_uring".into(),
        msize9p: 8192,
        cold_plug_vfio: "no-port".into(),
        hot_plug_vfio: "no-port".into(),
        vhost_user_store_path: "/var/run/kata-containers/vhost-user/".into(),
        hypervisor_loglevel: 1,
        virtio_fs_cache: default_virtio_fs_cache(release).into(),
        disable_guest_selinux: true,
        ..HypervisorConfig::default()
    }
}

fn firecracker(h: &HypervisorTable, host: &Host, release: Release) -> Built {
    let hypervisor_path = h.resolved_path(host, release)?;
    let jailer_path = h.resolved_jailer_path(host)?;
    let kernel_path = h.resolved_kernel(host)?;
    let (initrd_path, image_path) = h.boot_assets(host, release)?;
    let firmware_path = h.resolved_firmware(host)?;
    Ok(HypervisorConfig {
        hypervisor_path,
        hypervisor_path_list: h.valid_hypervisor_paths.as_slice().into(),
        jailer_path,
        jailer_path_list: h.valid_jailer_paths.as_slice().into(),
        kernel_path,
        initrd_path,
        image_path,
        rootfs_type: h.rootfs_type_or_default(),
        firmware_path,
        kernel_params: h.kernel_line(release),
        kernel_verity_params: h.kernel_verity_params.clone(),
        num_vcpus_f: h.vcpus(host, release),
        default_max_vcpus: h.most_vcpus(host, release),
        memory_size: h.memory_mib(),
        mem_slots: h.slots(),
        default_max_memory_size: h.most_memory_mib(host),
        entropy_source: h.entropy_source_or_default(),
        entropy_source_list: h.valid_entropy_sources.as_slice().into(),
        default_bridges: h.bridges(),
        disable_block_device_use: h.disable_block_device_use && release.has(Change::FirecrackerWithoutBlock),
        enable_swap: h.enable_swap,
        huge_pages: h.enable_hugepages,
        debug: h.enable_debug,
        disable_nesting_checks: h.disable_nesting_checks,
        block_device_driver: h.checked_block_device_driver()?,
        enable_iothreads: h.enable_iothreads,
        indep_iothreads: h.indep_iothreads,
        disable_vhost_net: true,
        guest_hook_path: h.guest_hook_path.clone(),
        rx_rate_limiter_max_rate: h.rx_rate_limiter_max_rate,
        tx_rate_limiter_max_rate: h.tx_rate_limiter_max_rate,
        enable_annotations: h.enable_annotations.as_slice().into(),
        disable_selinux: h.disable_selinux,
        disable_guest_selinux: true,
        ..HypervisorConfig::default()
    })
}

fn qemu(h: &HypervisorTable, host: &Host, release: Release) -> Built {
    let hypervisor_path = h.resolved_path(host, release)?;
    let kernel_path = h.resolved_kernel(host)?;
    let (initrd_path, image_path) = h.boot_assets(host, release)?;
    let pflash = h.checked_pflashes(host, release)?;
    let dumps = release.has(Change::BindMountsAndDumps);
    let dump_path = if dumps { h.guest_memory_dump_path.clone() } else { String::new() };
    let firmware_path = h.resolved_firmware(host)?;
    let firmware_volume_path = h.resolved_firmware_volume(host)?;
    let hypervisor_machine_type = h.machine_type_or_default(release);
    // microvm has no NVDIMM; arm64 needs firmware for it.
    let disable_image_nvdimm = h.disable_image_nvdimm
        || hypervisor_machine_type == "microvm"
        || (host.facts.arch == Arch::Aarch64
            && release.has(Change::Arm64NvdimmNeedsFirmware)
            && firmware_path.is_empty()
            && pflash.is_empty());
    let snp_certs_path = h.resolved_snp_certs(host, release)?;
    let block_device_driver = h.checked_block_device_driver()?;
    let block_device_aio = h.checked_block_device_aio()?;
    let shared_fs = h.checked_shared_fs(release)?;
    h.check_daemon(&shared_fs)?;
    check_vsock(host)?;
    let extra_monitor_socket = h.checked_extra_monitor_socket()?;
    let (logical, physical) = h.checked_sector_sizes()?;
    let guest_extension_images = h.checked_extension_images()?;
    // A mapping that cannot be made is only warned about.
    let guest_numa_nodes = match h.enable_numa {
        true => numa::guest_nodes(&host.facts, &h.numa_mapping).unwrap_or_default(),
        false => Vec::new(),
    };
    Ok(HypervisorConfig {
        hypervisor_path,
        hypervisor_path_list: h.valid_hypervisor_paths.as_slice().into(),
        kernel_path,
        initrd_path,
        image_path,
        rootfs_type: h.rootfs_type_or_default(),
        firmware_path,
        firmware_volume_path,
        pflash: pflash.into(),
        machine_accelerators: h.tidy_machine_accelerators(),
        cpu_features: h.tidy_cpu_features(),
        kernel_params: h.kernel_line(release),
        kernel_verity_params: h.kernel_verity_params.clone(),
        hypervisor_machine_type,
        qgs_port: h.quote_port(release),
        num_vcpus_f: h.vcpus(host, release),
        default_max_vcpus: h.most_vcpus(host, release),
        memory_size: h.memory_mib(),
        mem_slots: h.slots(),
        mem_offset: h.memory_offset.0,
        default_max_memory_size: h.most_memory_mib(host),
        virtio_mem: h.enable_virtio_mem,
        entropy_source: h.entropy_source_or_default(),
        entropy_source_list: h.valid_entropy_sources.as_slice().into(),
        default_bridges: h.bridges(),
        disable_block_device_use: h.disable_block_device_use,
        shared_fs,
        virtio_fs_daemon: h.virtio_fs_daemon.clone(),
        virtio_fs_daemon_list: h.valid_virtio_fs_daemon_paths.as_slice().into(),
        hypervisor_loglevel: h.loglevel(release),
        virtio_fs_cache_size: h.virtio_fs_cache_size,
        virtio_fs_cache: h.virtio_fs_cache_or_default(release),
        virtio_fs_queue_size: h.virtio_fs_queue_size,
        virtio_fs_extra_args: h.virtio_fs_extra_args.clone(),
        mem_prealloc: h.enable_mem_prealloc,
        reclaim_guest_freed_memory: h.reclaim_guest_freed_memory,
        enable_swap: h.enable_swap,
        file_backed_mem_root_dir: h.file_mem_backend.clone(),
        file_backed_mem_root_list: h.valid_file_mem_backends.as_slice().into(),
        huge_pages: h.enable_hugepages,
        iommu: h.enable_iommu,
        iommu_platform: h.enable_iommu_platform,
        guest_numa_nodes,
        numa_mapping: h.numa_mapping.clone(),
        debug: h.enable_debug,
        disable_nesting_checks: h.disable_nesting_checks,
        block_device_driver,
        block_device_aio,
        block_device_cache_set: h.block_device_cache_set,
        block_device_cache_direct: h.block_device_cache_direct,
        block_device_cache_noflush: h.block_device_cache_noflush,
        block_device_logical_sector_size: logical,
        block_device_physical_sector_size: physical,
        enable_iothreads: h.enable_iothreads,
        indep_iothreads: h.indep_iothreads,
        msize9p: h.msize_9p_or_default(),
        disable_image_nvdimm,
        hotplug_vfio_on_root_bus: h.hotplug_vfio_on_root_bus,
        hot_plug_vfio: h.hot_plug_or_default(),
        cold_plug_vfio: h.cold_plug_or_default(),
        pcie_root_port: h.root_ports(release),
        pcie_switch_port: h.switch_ports(),
        disable_vhost_net: h.disable_vhost_net,
        enable_vhost_user_store: h.enable_vhost_user_store,
        vhost_user_store_path: h.vhost_user_store_path_or_default(),
        vhost_user_store_path_list: h.valid_vhost_user_store_paths.as_slice().into(),
        vhost_user_device_reconnect: h.reconnect_timeout(release),
        seccomp_sandbox: h.seccompsandbox.clone(),
        guest_hook_path: h.guest_hook_path.clone(),
        rx_rate_limiter_max_rate: h.rx_rate_limiter_max_rate,
        tx_rate_limiter_max_rate: h.tx_rate_limiter_max_rate,
        enable_annotations: h.enable_annotations.as_slice().into(),
        guest_memory_dump_path: dump_path,
        guest_memory_dump_paging: dumps && h.guest_memory_dump_paging,
        confidential_guest: h.confidential_guest,
        sev_snp_guest: h.sev_snp_guest,
        guest_swap: h.enable_guest_swap,
        rootless: h.rootless,
        legacy_serial: h.use_legacy_serial,
        disable_selinux: h.disable_selinux,
        disable_guest_selinux: h.disable_guest_selinux,
        extra_monitor_socket,
        snp_certs_path,
        snp_id_block: h.snp_id_block.clone(),
        snp_id_auth: h.snp_id_auth.clone(),
        snp_guest_policy: h.snp_guest_policy,
        measurement_algo: h.measurement_algo_or_default(),
        guest_extension_images,
        ..HypervisorConfig::default()
    })
}

fn clh(h: &HypervisorTable, host: &Host, release: Release) -> Built {
    let hypervisor_path = h.resolved_path(host, release)?;
    let kernel_path = h.resolved_kernel(host)?;
    let (initrd_path, image_path) = h.boot_assets(host, release)?;
    let image_alone = release.has(Change::ClhImageAlone);
    if image_alone && !initrd_path.is_empty() {
        let message = "having an initrd defined in the configuration file is not supported";
        return Err(Refusal::new("initrd", message));
    }
    if image_path.is_empty() && initrd_path.is_empty() {
        return Err(Refusal::new("image", "image or initrd must be defined in the configuration file"));
    }
    let firmware_path = h.resolved_firmware(host)?;
    let block_device_driver = h.checked_block_device_driver()?;
    let shared_fs = if image_alone { "virtio-fs".to_owned() } else { h.checked_shared_fs(release)? };
    if image_alone && h.virtio_fs_daemon.is_empty() {
        let message = "virtio-fs daemon path is missing in configuration file";
        return Err(Refusal::new("virtio_fs_daemon", message));
    }
    if !matches!(shared_fs.as_str(), "virtio-fs" | "virtio-fs-nydus" | "none") {
        let message = match release.has(Change::NoSharedFs) {
            true => format!("Cloud Hypervisor does not support {shared_fs} shared filesystem option"),
            false => "clh only support virtio-fs or virtio-fs-nydus".to_owned(),
        };
        return Err(Refusal::new("shared_fs", message));
    }
    h.check_daemon(&shared_fs)?;
    let burst = HypervisorTable::burst;
    Ok(HypervisorConfig {
        hypervisor_path,
        hypervisor_path_list: h.valid_hypervisor_paths.as_slice().into(),
        kernel_path,
        initrd_path,
        image_path,
        rootfs_type: h.rootfs_type_or_default(),
        firmware_path,
        machine_accelerators: h.tidy_machine_accelerators(),
        kernel_params: h.kernel_line(release),
        kernel_verity_params: h.kernel_verity_params.clone(),
        hypervisor_machine_type: h.machine_type_or_default(release),
        num_vcpus_f: h.vcpus(host, release),
        default_max_vcpus: h.most_vcpus(host, release),
        memory_size: h.memory_mib(),
        mem_slots: h.slots(),
        mem_offset: h.memory_offset.0,
        default_max_memory_size: h.most_memory_mib(host),
        virtio_mem: h.enable_virtio_mem,
        entropy_source: h.entropy_source_or_default(),
        entropy_source_list: h.valid_entropy_sources.as_slice().into(),
        default_bridges: h.bridges(),
        disable_block_device_use: h.disable_block_device_use,
        shared_fs,
        virtio_fs_daemon: h.virtio_fs_daemon.clone(),
        virtio_fs_daemon_list: h.valid_virtio_fs_daemon_paths.as_slice().into(),
        hypervisor_loglevel: h.loglevel(release),
        virtio_fs_cache_size: h.virtio_fs_cache_size,
        // Without the default that QEMU gets.
        virtio_fs_cache: h.virtio_fs_cache.clone(),
        mem_prealloc: h.enable_mem_prealloc,
        enable_swap: h.enable_swap,
        reclaim_guest_freed_memory: h.reclaim_guest_freed_memory,
        file_backed_mem_root_dir: h.file_mem_backend.clone(),
        file_backed_mem_root_list: h.valid_file_mem_backends.as_slice().into(),
        huge_pages: h.enable_hugepages,
        debug: h.enable_debug,
        disable_nesting_checks: h.disable_nesting_checks,
        block_device_driver,
        block_device_cache_set: h.block_device_cache_set,
        block_device_cache_direct: h.block_device_cache_direct,
        enable_iothreads: h.enable_iothreads,
        indep_iothreads: h.indep_iothreads,
        msize9p: h.msize_9p_or_default(),
        disable_image_nvdimm: h.disable_image_nvdimm,
        hotplug_vfio_on_root_bus: h.hotplug_vfio_on_root_bus,
        cold_plug_vfio: h.cold_plug_or_default(),
        hot_plug_vfio: h.hot_plug_or_default(),
        pcie_root_port: h.root_ports(release),
        pcie_switch_port: h.switch_ports(),
        disable_vhost_net: true,
        guest_hook_path: h.guest_hook_path.clone(),
        virtio_fs_extra_args: h.virtio_fs_extra_args.clone(),
        enable_annotations: h.enable_annotations.as_slice().into(),
        disable_seccomp: h.disable_seccomp,
        confidential_guest: h.confidential_guest,
        rootless: h.rootless,
        disable_selinux: h.disable_selinux,
        disable_guest_selinux: h.disable_guest_selinux,
        net_rate_limiter_bw_max_rate: h.net_rate_limiter_bw_max_rate,
        net_rate_limiter_bw_one_time_burst: burst(
            h.net_rate_limiter_bw_one_time_burst,
            h.net_rate_limiter_bw_max_rate,
        ),
        net_rate_limiter_ops_max_rate: h.net_rate_limiter_ops_max_rate,
        net_rate_limiter_ops_one_time_burst: burst(
            h.net_rate_limiter_ops_one_time_burst,
            h.net_rate_limiter_ops_max_rate,
        ),
        disk_rate_limiter_bw_max_rate: h.disk_rate_limiter_bw_max_rate,
        disk_rate_limiter_bw_one_time_burst: burst(
            h.disk_rate_limiter_bw_one_time_burst,
            h.disk_rate_limiter_bw_max_rate,
        ),
        disk_rate_limiter_ops_max_rate: h.disk_rate_limiter_ops_max_rate,
        disk_rate_limiter_ops_one_time_burst: burst(
            h.disk_rate_limiter_ops_one_time_burst,
            h.disk_rate_limiter_ops_max_rate,
        ),
        measurement_algo: h.measurement_algo_or_default(),
        ..HypervisorConfig::default()
    })
}

fn dragonball(h: &HypervisorTable, host: &Host, release: Release) -> Built {
    let kernel_path = h.resolved_kernel(host)?;
    let image_path = h.resolved_image(host)?;
    Ok(HypervisorConfig {
        kernel_path,
        image_path,
        rootfs_type: h.rootfs_type_or_default(),
        kernel_params: h.kernel_line(release),
        kernel_verity_params: h.kernel_verity_params.clone(),
        num_vcpus_f: h.vcpus(host, release),
        default_max_vcpus: h.most_vcpus(host, release),
        memory_size: h.memory_mib(),
        mem_slots: h.slots(),
        entropy_source: h.entropy_source_or_default(),
        debug: h.enable_debug,
        ..HypervisorConfig::default()
    })
}

fn stratovirt(h: &HypervisorTable, host: &Host, release: Release) -> Built {
    let hypervisor_path = h.resolved_path(host, release)?;
    let kernel_path = h.resolved_kernel(host)?;
    let (initrd_path, image_path) = h.boot_assets(host, release)?;
    if !image_path.is_empty() && !initrd_path.is_empty() {
        let message = "having both an image and an initrd defined in the configuration file is not supported";
        return Err(Refusal::new("initrd", message));
    }
    if image_path.is_empty() && initrd_path.is_empty() {
        return Err(Refusal::new("image", "image or initrd must be defined in the configuration file"));
    }
    let block_device_driver = h.checked_block_device_driver()?;
    check_vsock(host)?;
    let shared_fs = h.checked_shared_fs(release)?;
    if !matches!(shared_fs.as_str(), "virtio-fs" | "virtio-fs-nydus" | "none") {
        let message = format!("Stratovirt Hypervisor does not support {shared_fs} shared filesystem option");
        return Err(Refusal::new("shared_fs", message));
    }
    h.check_daemon(&shared_fs)?;
    let (logical, physical) = h.checked_sector_sizes()?;
    Ok(HypervisorConfig {
        hypervisor_path,
        hypervisor_path_list: h.valid_hypervisor_paths.as_slice().into(),
        kernel_path,
        initrd_path,
        image_path,
        rootfs_type: h.rootfs_type_or_default(),
        // Quotes mean nothing here.
        kernel_params: pairs(fields(&h.kernel_params), ParamFrom::Configuration),
        kernel_verity_params: h.kernel_verity_params.clone(),
        hypervisor_machine_type: h.machine_type_or_default(release),
        num_vcpus_f: h.vcpus(host, release),
        default_max_vcpus: h.most_vcpus(host, release),
        memory_size: h.memory_mib(),
        mem_slots: h.slots(),
        mem_offset: h.memory_offset.0,
        default_max_memory_size: h.most_memory_mib(host),
        entropy_source: h.entropy_source_or_default(),
        default_bridges: h.bridges(),
        disable_block_device_use: h.disable_block_device_use,
        shared_fs,
        virtio_fs_daemon: h.virtio_fs_daemon.clone(),
        virtio_fs_daemon_list: h.valid_virtio_fs_daemon_paths.as_slice().into(),
        hypervisor_loglevel: h.loglevel(release),
        virtio_fs_cache_size: h.virtio_fs_cache_size,
        virtio_fs_cache: h.virtio_fs_cache_or_default(release),
        virtio_fs_extra_args: h.virtio_fs_extra_args.clone(),
        huge_pages: h.enable_hugepages,
        debug: h.enable_debug,
        disable_nesting_checks: h.disable_nesting_checks,
        block_device_driver,
        block_device_logical_sector_size: logical,
        block_device_physical_sector_size: physical,
        disable_vhost_net: true,
        guest_hook_path: h.guest_hook_path.clone(),
        enable_annotations: h.enable_annotations.as_slice().into(),
        disable_seccomp: h.disable_seccomp,
        disable_selinux: h.disable_selinux,
        disable_guest_selinux: h.disable_guest_selinux,
        ..HypervisorConfig::default()
    })
}

fn acrn(h: &HypervisorTable, host: &Host, release: Release) -> Built {
    let hypervisor_path = h.resolved_path(host, release)?;
    let hypervisor_ctl_path = h.resolved_ctl_path(host)?;
    let kernel_path = h.resolved_kernel(host)?;
    let image_path = h.resolved_image(host)?;
    if image_path.is_empty() {
        let message = match release.has(Change::AssetsAtLoad) {
            true => "image is not set",
            false => "image must be defined in the configuration file",
        };
        return Err(Refusal::new("image", message));
    }
    let firmware_path = h.resolved_firmware(host)?;
    Ok(HypervisorConfig {
        hypervisor_path,
        hypervisor_path_list: h.valid_hypervisor_paths.as_slice().into(),
        hypervisor_ctl_path,
        hypervisor_ctl_path_list: h.valid_ctlpaths.as_slice().into(),
        kernel_path,
        image_path,
        rootfs_type: h.rootfs_type_or_default(),
        firmware_path,
        kernel_params: h.kernel_line(release),
        num_vcpus_f: h.vcpus(host, release),
        default_max_vcpus: h.most_vcpus(host, release),
        memory_size: h.memory_mib(),
        mem_slots: h.slots(),
        default_max_memory_size: h.most_memory_mib(host),
        entropy_source: h.entropy_source_or_default(),
        entropy_source_list: h.valid_entropy_sources.as_slice().into(),
        default_bridges: h.bridges(),
        enable_swap: h.enable_swap,
        huge_pages: h.enable_hugepages,
        debug: h.enable_debug,
        disable_nesting_checks: h.disable_nesting_checks,
        block_device_driver: h.checked_block_device_driver()?,
        disable_vhost_net: h.disable_vhost_net,
        guest_hook_path: h.guest_hook_path.clone(),
        disable_selinux: h.disable_selinux,
        enable_annotations: h.enable_annotations.as_slice().into(),
        disable_guest_selinux: true,
        ..HypervisorConfig::default()
    })
}

fn remote(h: &HypervisorTable, release: Release) -> HypervisorConfig {
    HypervisorConfig {
        remote_hypervisor_socket: h.remote_socket_or_default(),
        remote_hypervisor_timeout: h.remote_timeout_or_default(),
        disable_guest_selinux: true,
        hypervisor_machine_type: h.machine_type.clone(),
        shared_fs: if release.has(Change::RemoteSharesNothing) { "none" } else { "" }.into(),
        // No driver at all: the agent then gets no block devices.
        block_device_driver: "dummy".into(),
        enable_annotations: h.enable_annotations.as_slice().into(),
        guest_hook_path: h.guest_hook_path.clone(),
        ..HypervisorConfig::default()
    }
}
