//! Firecracker. Facts: src/libs/kata-types/src/config/hypervisor/firecracker.rs at 4.1.0.

use super::super::config::Hypervisor;
use super::super::error::{ConfigResult, ensure, existing};
use super::{Plugin, absent, enough_memory, too_many_vcpus};
use crate::input::Host;

pub(super) fn validate(hv: &Hypervisor, host: &Host) -> ConfigResult {
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
