//! Checks that both runtimes make, in the same words.
//!
//! Facts: src/runtime/pkg/katautils/config.go and src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use super::RuntimeMessage;
use super::verity::Verity;
use crate::release::Runtime;

/// Whether a sector size is 0 (let the hypervisor choose) or a power of two that disks have.
pub(super) fn is_sector_size(size: u64) -> bool {
    size == 0 || ((512..=65536).contains(&size) && size.is_power_of_two())
}

/// The logical sector is not larger than the physical one.
pub(super) fn sector_order(logical: u32, physical: u32) -> Result<(), RuntimeMessage> {
    if logical == 0 || physical == 0 || logical <= physical {
        return Ok(());
    }
    let message =
        format!("invalid sector sizes: logical ({logical}) must not be larger than physical ({physical})");
    Err(message.into())
}

/// The name and the verity parameters of one of `guest_extension_images`.
pub(super) fn extension_image(name: &str, verity: &str, runtime: Runtime) -> Result<(), RuntimeMessage> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(format!(
            "guest_extension_images '{name}' has an invalid name: only ASCII alphanumerics, '-' and '_' are \
             allowed (the name is used in the virtio-blk serial and in the \
             kata.extension.<name>.verity_params kernel parameter)"
        )
        .into());
    }
    match Verity::parse(verity, runtime) {
        Ok(_) => Ok(()),
        Err(why) => Err(format!("guest_extension_images '{name}' has invalid verity_params: {why}").into()),
    }
}
