//! Each hypervisor's own checks, in upstream's order.
//!
//! Facts: src/libs/kata-types/src/config/hypervisor/{ch,dragonball,firecracker,openvmm,qemu,remote}.rs at each tag.

use super::super::config::Hypervisor;
use super::super::error::{ConfigError, ConfigResult, ensure, existing};
use super::{JAILER, Plugin};
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;

pub(super) fn qemu(hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
    existing(host, &hv.path, "path", "QEMU binary path `{}` is invalid: {}")?;
    existing(host, &hv.ctlpath, "ctlpath", "QEMU control path `{}` is invalid: {}")?;
    absent("jailer_path", hv.jailer_path.is_empty(), "Path for QEMU jailer should be empty")?;
    absent(
        "valid_jailer_paths",
        hv.valid_jailer_paths.is_empty(),
        "Valid Qemu jailer path list should be empty",
    )?;
    let block = &hv.blockdev_info;
    absent(
        "block_device_driver",
        block.disable_block_device_use || block.block_device_driver != "virtio-blk-mmio",
        "Qemu doesn't support virtio-blk-mmio",
    )?;
    confidential_rootfs(hv, release)?;
    let boot = &hv.boot_info;
    absent("kernel", !boot.kernel.is_empty(), "Guest kernel image for qemu is empty")?;
    // A confidential guest on s390x brings its own image.
    let own_image = release.has(Change::SealedImage)
        && boot.vm_rootfs_driver.ends_with("ccw")
        && hv.security_info.confidential_guest;
    absent(
        "image",
        !boot.image.is_empty() || !boot.initrd.is_empty() || own_image,
        "Both guest boot image and initrd for qemu are empty",
    )?;
    ensure(!too_many_vcpus(hv, Plugin::Qemu.max_vcpus()), "default_maxvcpus", || {
        format!("Qemu hypervisor can not support {} vCPUs", hv.cpu_info.default_maxvcpus)
    })?;
    ensure(hv.device_info.default_bridges <= 5, "default_bridges", || {
        format!("Qemu hypervisor can not support {} PCI bridges", hv.device_info.default_bridges)
    })?;
    enough_memory(hv, Plugin::Qemu, "Qemu")?;
    absent(
        "enable_guest_swap",
        !hv.memory_info.enable_guest_swap || !release.has(Change::DragonballGuestSwap),
        "Qemu hypervisor doesn't support enable_guest_swap",
    )
}

pub(super) fn clh(hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
    existing(host, &hv.path, "path", "CH binary path `{}` is invalid: {}")?;
    existing(host, &hv.ctlpath, "ctlpath", "CH control path `{}` is invalid: {}")?;
    absent("jailer_path", hv.jailer_path.is_empty(), "Path for CH jailer should be empty")?;
    absent(
        "valid_jailer_paths",
        hv.valid_jailer_paths.is_empty(),
        "Valid CH jailer path list should be empty",
    )?;
    let block = &hv.blockdev_info;
    let refused = release.has(Change::ClhRefusesMmio)
        && !block.disable_block_device_use
        && block.block_device_driver == "virtio-blk-mmio";
    absent("block_device_driver", !refused, "CH doesn't support virtio-blk-mmio")?;
    confidential_rootfs(hv, release)?;
    let boot = &hv.boot_info;
    absent("kernel", !boot.kernel.is_empty(), "Guest kernel image for CH is empty")?;
    absent(
        "image",
        !boot.image.is_empty() || !boot.initrd.is_empty(),
        "Both guest boot image and initrd for CH are empty",
    )?;
    ensure(!too_many_vcpus(hv, Plugin::Clh.max_vcpus()), "default_maxvcpus", || {
        format!("CH hypervisor cannot support {} vCPUs", hv.cpu_info.default_maxvcpus)
    })?;
    ensure(hv.device_info.default_bridges <= 5, "default_bridges", || {
        format!("CH hypervisor cannot support {} PCI bridges", hv.device_info.default_bridges)
    })?;
    enough_memory(hv, Plugin::Clh, "CH")
}

pub(super) fn dragonball(hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
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

pub(super) fn firecracker(hv: &Hypervisor, host: &Host) -> ConfigResult {
    absent("path", !hv.path.is_empty(), "Firecracker path is empty")?;
    existing(host, &hv.path, "path", "FIRECRACKER binary path `{}` is invalid: {}")?;
    absent("kernel", !hv.boot_info.kernel.is_empty(), "Guest kernel image for firecracker is empty")?;
    // The words promise more than the check: an initrd does not help.
    absent(
        "image",
        !hv.boot_info.image.is_empty(),
        "Both guest boot image and initrd for firecracker are empty",
    )?;
    ensure(!too_many_vcpus(hv, Plugin::Firecracker.max_vcpus()), "default_maxvcpus", || {
        format!("Firecracker hypervisor can not support {} vCPUs", hv.cpu_info.default_maxvcpus)
    })?;
    enough_memory(hv, Plugin::Firecracker, "Firecracker")
}

pub(super) fn openvmm(hv: &Hypervisor, host: &Host) -> ConfigResult {
    absent("path", !hv.path.is_empty(), "OpenVMM binary path is empty")?;
    existing(host, &hv.path, "path", "OpenVMM binary path `{}` is invalid: {}")?;
    let most = Plugin::Openvmm.max_vcpus();
    ensure(!too_many_vcpus(hv, most), "default_maxvcpus", || {
        format!("OpenVMM hypervisor cannot support more than {most} vCPUs")
    })?;
    enough_memory(hv, Plugin::Openvmm, "OpenVMM")
}

pub(super) fn remote(hv: &Hypervisor, host: &Host) -> ConfigResult {
    absent(
        "default_maxmemory",
        u64::from(hv.memory_info.default_maxmemory) == host.facts.memory_mib,
        "Remote hypervisor does not support memory hotplug, default_maxmemory must be equal to the total \
         system memory",
    )?;
    absent(
        "default_maxvcpus",
        hv.cpu_info.default_maxvcpus == host.facts.cpus_of_shim(),
        "Remote hypervisor does not support CPU hotplug, default_maxvcpus must be equal to the total system \
         CPUs",
    )?;
    absent("initrd", hv.boot_info.initrd.is_empty(), "Remote hypervisor does not support initrd")?;
    absent(
        "rootfs_type",
        hv.boot_info.rootfs_type.is_empty(),
        "Remote hypervisor does not support rootfs_type",
    )?;
    absent(
        "block_device_driver",
        hv.blockdev_info.block_device_driver != "nvdimm",
        "Remote hypervisor does not support nvdimm",
    )?;
    enough_memory(hv, Plugin::Remote, "Remote")
}

/// Whether more vCPUs are asked for than `most`; fractions are cut off first.
fn too_many_vcpus(hv: &Hypervisor, most: u32) -> bool {
    let cpu = &hv.cpu_info;
    (cpu.default_vcpus > 0.0 && cpu.default_vcpus as u32 > most) || cpu.default_maxvcpus > most
}

/// The plugin's least memory, under the name that its message has for it.
fn enough_memory(hv: &Hypervisor, plugin: Plugin, name: &str) -> ConfigResult {
    let least = plugin.min_memory();
    ensure(hv.memory_info.default_memory >= least, "default_memory", || {
        format!("{name} hypervisor has minimal memory limitation {least}")
    })
}

/// The check that QEMU and Cloud Hypervisor share.
fn confidential_rootfs(hv: &Hypervisor, release: Release) -> ConfigResult {
    ensure(
        !(release.has(Change::ConfidentialRootfs)
            && hv.security_info.confidential_guest
            && hv.boot_info.vm_rootfs_driver == "virtio-blk-mmio"),
        "vm_rootfs_driver",
        || {
            "Confidential guests must not use virtio-blk-mmio (use virtio-blk-pci); virtio-mmio is not \
             hardened for CoCo"
                .to_owned()
        },
    )
}

/// Refuses with words that say nothing of the value.
fn absent(key: &'static str, fine: bool, message: &str) -> ConfigResult {
    if fine { Ok(()) } else { Err(ConfigError::about(key, message)) }
}
