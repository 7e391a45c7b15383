//! The last checks before the VM is made, and the zeros they fill.
//!
//! Facts: `validateHypervisorConfig` in src/runtime/virtcontainers/hypervisor_config_linux.go and
//! `newSandbox` in src/runtime/virtcontainers/sandbox.go at 4.1.0.

use super::config::SandboxConfig;
use super::load::settings::max_vcpus;
use crate::input::host::Arch;
use crate::release::go::Change;
use crate::runtime::RuntimeMessage;
use crate::runtime::defaults::{or_number, or_word};

/// The machine type of IBM Z.
const CCW: &str = "s390-ccw-virtio";

/// Checks and fills.
pub(super) fn validate(config: &mut SandboxConfig, arch: Arch) -> Result<(), RuntimeMessage> {
    if config.id.is_empty() {
        return Err("Invalid sandbox configuration".into());
    }
    let release = config.release;
    if !release.has(Change::ChecksBeforeHypervisor) {
        return Ok(());
    }
    let hypervisor = &mut config.hypervisor_config;
    if release.has(Change::RemoteUnchecked) && !hypervisor.remote_hypervisor_socket.is_empty() {
        return Ok(());
    }
    let is_ccw = hypervisor.machine_type == CCW;
    let (image, initrd) = (!hypervisor.image.is_empty(), !hypervisor.initrd.is_empty());
    let complaint = if hypervisor.kernel.is_empty() {
        Some("Missing kernel path")
    } else if hypervisor.confidential_guest && is_ccw {
        (image || initrd).then_some("Neither the image or initrd path may be set for Secure Execution")
    } else if !image && !initrd {
        Some("Missing image and initrd path")
    } else if image && initrd {
        Some("Image and initrd path cannot be both set")
    } else {
        None
    };
    if let Some(complaint) = complaint {
        return Err(complaint.into());
    }
    or_number(&mut hypervisor.default_vcpus, 1.0);
    or_number(&mut hypervisor.default_memory, 2048);
    or_number(&mut hypervisor.default_bridges, 1);
    or_word(&mut hypervisor.block_device_driver, "virtio-scsi");
    if hypervisor.block_device_driver == "virtio-blk" && is_ccw {
        hypervisor.block_device_driver = "virtio-blk-ccw".into();
    }
    if release.has(Change::NoMmioForConfidential)
        && hypervisor.confidential_guest
        && hypervisor.block_device_driver == "virtio-mmio"
    {
        return Err("confidential guests must not use virtio-mmio (use virtio-blk-pci); virtio-mmio is not \
                    hardened for CoCo"
            .into());
    }
    let most = max_vcpus(arch);
    if hypervisor.default_maxvcpus == 0 || hypervisor.default_maxvcpus > most {
        hypervisor.default_maxvcpus = most;
    }
    if hypervisor.confidential_guest && release.has(Change::ConfidentialMaxVcpus) {
        hypervisor.default_maxvcpus = hypervisor.num_vcpus();
    }
    let nodes = u32::try_from(hypervisor.guest_numa_nodes.len()).unwrap_or(1);
    if nodes > 1 && release.has(Change::VcpusByNumaNodes) {
        hypervisor.default_maxvcpus -= hypervisor.default_maxvcpus % nodes;
    }
    if hypervisor.shared_fs != "virtio-fs" {
        or_number(&mut hypervisor.msize_9p, 8192);
    }
    Ok(())
}
