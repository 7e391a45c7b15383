//! One sandbox's configuration in the shape that launching takes.
//!
//! Decides nothing: fields have the same names in every release.

use std::borrow::Cow;

use super::config::{Asset, HypervisorType, SandboxConfig};
use crate::release::Release;
use crate::runtime::go::config as one;

fn hypervisor_type(kind: HypervisorType) -> one::HypervisorType {
    match kind {
        HypervisorType::Qemu => one::HypervisorType::Qemu,
        HypervisorType::Clh => one::HypervisorType::Clh,
        HypervisorType::Firecracker => one::HypervisorType::Firecracker,
        HypervisorType::Acrn => one::HypervisorType::Acrn,
    }
}

/// The configuration of one sandbox.
pub(super) fn convert<'a>(config: &'a SandboxConfig<'_>) -> one::SandboxConfig<'a> {
    let hv = &config.hypervisor_config;
    let agent = &config.agent_config;
    let factory = &config.runtime.factory_config;
    let asset = |asset: Asset| {
        let path = config.asset_annotation(asset.annotations().0).filter(|path| !path.is_empty());
        path.map(Cow::Borrowed)
    };
    fn text<'a>(text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
    let params = hv.kernel_params.iter().map(|p| one::Param::new(&*p.key, &*p.value)).collect();
    one::SandboxConfig {
        release: Release::go(2, 1, 0),
        id: config.id,
        hostname: config.hostname,
        hypervisor_type: hypervisor_type(config.runtime.hypervisor_type),
        shm_size: 64 << 20,
        agent_config: one::AgentConfig {
            kernel_modules: agent.kernel_modules.iter().map(|t| text(t)).collect(),
            container_pipe_size: agent.container_pipe_size,
            dial_timeout: agent.dial_timeout,
            debug: agent.debug,
            trace: agent.trace,
            trace_mode: text(&agent.trace_mode),
            trace_type: text(&agent.trace_type),
            enable_debug_console: agent.enable_debug_console,
            ..Default::default()
        },
        factory_config: one::FactoryConfig {
            template: factory.template,
            template_path: Cow::Borrowed(&factory.template_path),
            vm_cache_number: factory.vm_cache_number,
            vm_cache_endpoint: Cow::Borrowed(&factory.vm_cache_endpoint),
        },
        hypervisor_config: one::SandboxHypervisor {
            custom_assets: one::CustomAssets {
                firmware: asset(Asset::Firmware),
                hypervisor: asset(Asset::Hypervisor),
                hypervisor_ctl: asset(Asset::HypervisorCtl),
                image: asset(Asset::Image),
                initrd: asset(Asset::Initrd),
                jailer: asset(Asset::Jailer),
                kernel: asset(Asset::Kernel),
                ..Default::default()
            },
            num_vcpus_f: hv.num_vcpus as f32,
            default_max_vcpus: hv.default_max_vcpus,
            memory_size: hv.memory_size,
            default_bridges: hv.default_bridges,
            msize9p: hv.msize9p,
            mem_slots: hv.mem_slots,
            mem_offset: hv.mem_offset.into(),
            virtio_fs_cache_size: hv.virtio_fs_cache_size,
            kernel_params: params,
            kernel_path: text(&hv.kernel_path),
            image_path: text(&hv.image_path),
            initrd_path: text(&hv.initrd_path),
            firmware_path: text(&hv.firmware_path),
            machine_accelerators: text(&hv.machine_accelerators),
            cpu_features: text(&hv.cpu_features),
            hypervisor_path: text(&hv.hypervisor_path),
            hypervisor_ctl_path: text(&hv.hypervisor_ctl_path),
            jailer_path: text(&hv.jailer_path),
            block_device_driver: text(&hv.block_device_driver),
            hypervisor_machine_type: text(&hv.hypervisor_machine_type),
            entropy_source: text(&hv.entropy_source),
            shared_fs: text(&hv.shared_fs),
            virtio_fs_daemon: text(&hv.virtio_fs_daemon),
            virtio_fs_cache: text(&hv.virtio_fs_cache),
            virtio_fs_extra_args: hv.virtio_fs_extra_args.iter().map(|t| text(t)).collect(),
            file_backed_mem_root_dir: text(&hv.file_backed_mem_root_dir),
            pflash: config.runtime.hypervisor_config.pflash.as_slice(),
            block_device_cache_set: hv.block_device_cache_set,
            block_device_cache_direct: hv.block_device_cache_direct,
            block_device_cache_noflush: hv.block_device_cache_noflush,
            enable_iothreads: hv.enable_iothreads,
            debug: hv.debug,
            mem_prealloc: hv.mem_prealloc,
            huge_pages: hv.huge_pages,
            virtio_mem: hv.virtio_mem,
            iommu: hv.iommu,
            iommu_platform: hv.iommu_platform,
            enable_swap: !hv.mlock,
            disable_nesting_checks: hv.disable_nesting_checks,
            disable_image_nvdimm: hv.disable_image_nvdimm,
            pcie_root_port: hv.pcie_root_port,
            enable_vhost_user_store: hv.enable_vhost_user_store,
            guest_hook_path: text(&hv.guest_hook_path),
            sgx_epc_size: hv.sgx_epc_size,
            guest_memory_dump_path: text(&hv.guest_memory_dump_path),
            ..Default::default()
        },
        ..Default::default()
    }
}
