//! QEMU. Facts: src/libs/kata-types/src/config/hypervisor/qemu.rs at each tag.

use super::super::config::Hypervisor;
use super::super::error::{ConfigResult, ensure, existing};
use super::{Plugin, absent, confidential_rootfs, enough_memory, too_many_vcpus};
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;

pub(super) fn validate(hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
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
