//! Dragonball. Facts: src/libs/kata-types/src/config/hypervisor/dragonball.rs at each tag.

use super::super::config::Hypervisor;
use super::super::error::{ConfigResult, ensure, existing, resolve};
use super::{Plugin, TEMPLATE_PATH, absent, enough_memory, or_default, or_number, too_many_vcpus};
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;

const JAILER: &str = "dragonball jailer path {} is invalid: {}";

pub(super) fn adjust(hv: &mut Hypervisor, host: &Host, release: Release) -> ConfigResult {
    resolve(host, &mut hv.jailer_path, "jailer_path", JAILER)?;
    or_default(&mut hv.boot_info.kernel, "vmlinuz");
    hv.cpu_info.default_maxvcpus = hv.cpu_info.default_maxvcpus.min(Plugin::Dragonball.max_vcpus());
    if hv.cpu_info.default_vcpus as u32 > hv.cpu_info.default_maxvcpus {
        hv.cpu_info.default_vcpus = hv.cpu_info.default_maxvcpus as f32;
    }
    or_default(&mut hv.machine_info.entropy_source, "/dev/urandom");
    or_number(&mut hv.memory_info.default_memory, 128);
    or_number(&mut hv.memory_info.memory_slots, 128);
    if release.has(Change::TemplatesEverywhere) {
        or_default(&mut hv.factory.template_path, TEMPLATE_PATH);
    }
    Ok(())
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
