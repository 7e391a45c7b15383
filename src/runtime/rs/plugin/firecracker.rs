//! Firecracker. Facts: src/libs/kata-types/src/config/hypervisor/firecracker.rs at 4.1.0.

use super::super::complaint::{Outcome, ensure, written_existing};
use super::super::config::Hypervisor;
use super::{Plugin, absent, or_default, or_number, too_many_vcpus};
use crate::input::Host;

pub(super) fn adjust(hv: &mut Hypervisor<'_>) {
    if let Some(boot) = hv.boot_info.written_mut() {
        or_default(&mut boot.kernel, "vmlinux");
    }
    if let Some(machine) = hv.machine_info.written_mut() {
        or_default(&mut machine.entropy_source, "/dev/urandom");
    }
    if let Some(memory) = hv.memory_info.written_mut() {
        or_number(&mut memory.default_memory, 128);
    }
}

pub(super) fn validate(hv: &Hypervisor<'_>, host: &Host) -> Outcome {
    absent("path", !hv.path.is_empty(), "Firecracker path is empty")?;
    written_existing(host, &hv.path, "path", "FIRECRACKER binary path `{}` is invalid: {}")?;
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
    let least = Plugin::Firecracker.min_memory();
    ensure(hv.memory_info.default_memory >= least, "default_memory", || {
        format!("Firecracker hypervisor has minimal memory limitation {least}")
    })
}
