//! Cloud Hypervisor. Facts: src/libs/kata-types/src/config/hypervisor/ch.rs at each tag.

use super::super::config::Hypervisor;
use super::super::error::{ConfigResult, ensure, existing};
use super::{Plugin, absent, confidential_rootfs, enough_memory, too_many_vcpus};
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;

pub(super) fn validate(hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
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
