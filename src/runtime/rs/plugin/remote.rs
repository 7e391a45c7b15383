//! The remote hypervisor. Facts: src/libs/kata-types/src/config/hypervisor/remote.rs at each tag.

use super::super::config::Hypervisor;
use super::super::error::ConfigResult;
use super::{Plugin, absent, enough_memory};
use crate::input::Host;

pub(super) fn validate(hv: &Hypervisor, host: &Host) -> ConfigResult {
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
