//! Dragonball. Facts: src/libs/kata-types/src/config/hypervisor/dragonball.rs at each tag.

use super::super::config::Hypervisor;
use super::super::error::{ConfigResult, ensure, existing};
use super::{Plugin, absent, enough_memory, too_many_vcpus};
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;

pub(super) const JAILER: &str = "dragonball jailer path {} is invalid: {}";

/// No more vCPUs than the VMM takes.
pub(super) fn bound_vcpus(hv: &mut Hypervisor) {
    let cpu = &mut hv.cpu_info;
    cpu.default_maxvcpus = cpu.default_maxvcpus.min(Plugin::Dragonball.max_vcpus());
    if cpu.default_vcpus as u32 > cpu.default_maxvcpus {
        cpu.default_vcpus = cpu.default_maxvcpus as f32;
    }
}

pub(super) fn validate(hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
    absent("path", hv.path.is_empty(), "Path for dragonball hypervisor should be empty")?;
    absent(
        "valid_hypervisor_paths",
        hv.valid_hypervisor_paths.is_empty(),
        "Valid hypervisor path for dragonball hypervisor should be empty",
    )?;
    let control = "CtlPath for dragonball hypervisor should be empty";
    absent("ctlpath", hv.ctlpath.is_empty(), control)?;
    absent("valid_ctlpaths", hv.valid_ctlpaths.is_empty(), control)?;
    existing(host, &hv.jailer_path, "jailer_path", JAILER)?;
    absent("enable_iothreads", !hv.enable_iothreads, "dragonball hypervisor doesn't support IO threads.")?;
    devices(hv, release)?;
    let boot = &hv.boot_info;
    absent("kernel", !boot.kernel.is_empty(), "Guest kernel image for dragonball hypervisor is empty")?;
    if release.has(Change::DragonballInitrd) {
        absent(
            "image",
            !boot.image.is_empty() || !boot.initrd.is_empty(),
            "Both of guest boot image and initrd for dragonball hypervisor is empty",
        )?;
    } else {
        absent("image", !boot.image.is_empty(), "Guest boot image for dragonball hypervisor is empty")?;
        absent("initrd", boot.initrd.is_empty(), "Initrd for dragonball hypervisor should be empty")?;
    }
    absent("firmware", boot.firmware.is_empty(), "Firmware for dragonball hypervisor should be empty")?;
    ensure(!too_many_vcpus(hv, Plugin::Dragonball.max_vcpus()), "default_maxvcpus", || {
        format!("dragonball hypervisor can not support {} vCPUs", hv.cpu_info.default_maxvcpus)
    })?;
    ports(hv)?;
    let machine = &hv.machine_info;
    absent(
        "machine_type",
        machine.machine_type.is_empty(),
        "dragonball hypervisor does not support machine_type",
    )?;
    absent("pflashes", machine.pflashes.is_empty(), "dragonball hypervisor does not support pflashes")?;
    absent(
        "enable_guest_swap",
        !hv.memory_info.enable_guest_swap || release.has(Change::DragonballGuestSwap),
        "dragonball hypervisor doesn't support enable_guest_swap",
    )?;
    absent("rootless", !hv.security_info.rootless, "dragonball hypervisor does not support rootless mode")?;
    if let Some(kind) = hv.shared_fs.shared_fs.as_deref() {
        ensure(matches!(kind, "virtio-fs" | "inline-virtio-fs"), "shared_fs", || {
            format!("dragonball hypervisor doesn't support {kind}")
        })?;
    }
    enough_memory(hv, Plugin::Dragonball, "dragonball")
}

fn devices(hv: &Hypervisor, release: Release) -> ConfigResult {
    let block = &hv.blockdev_info;
    let known = match release.has(Change::BlockDriverNames) {
        true => ["virtio-blk-pci", "virtio-blk-mmio", "virtio-pmem"],
        false => ["virtio-blk", "virtio-mmio", "nvdimm"],
    };
    ensure(
        block.disable_block_device_use || known.contains(&block.block_device_driver.as_str()),
        "block_device_driver",
        || format!("{} is unsupported block device type.", block.block_device_driver),
    )
}

fn ports(hv: &Hypervisor) -> ConfigResult {
    let device = &hv.device_info;
    let iommu = if device.enable_iommu { "enable_iommu" } else { "enable_iommu_platform" };
    absent(
        iommu,
        !device.enable_iommu && !device.enable_iommu_platform,
        "dragonball hypervisor does not support vIOMMU",
    )?;
    let port = if device.hotplug_vfio_on_root_bus {
        "hotplug_vfio_on_root_bus"
    } else if device.pcie_root_port > 0 {
        "pcie_root_port"
    } else if device.pcie_switch_port > 0 {
        "pcie_switch_port"
    } else {
        "default_bridges"
    };
    absent(
        port,
        !device.hotplug_vfio_on_root_bus
            && device.default_bridges == 0
            && device.pcie_root_port == 0
            && device.pcie_switch_port == 0,
        "dragonball hypervisor does not support PCI hotplug options",
    )
}
