//! The last checks before the VM is made, and the zeros they fill.
//!
//! Facts: `validateHypervisorConfig` in src/runtime/virtcontainers/hypervisor_config_linux.go and
//! `newSandbox` in src/runtime/virtcontainers/sandbox.go at 4.1.0.

use super::Change;
use super::config::SandboxConfig;
use super::load::settings::max_vcpus;
use crate::input::host::Arch;

/// The machine type of IBM Z.
const CCW: &str = "s390-ccw-virtio";

/// Checks and fills.
pub(super) fn validate(config: &mut SandboxConfig, arch: Arch) -> Result<(), String> {
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
    let is_ccw = hypervisor.hypervisor_machine_type == CCW;
    let (image, initrd) = (!hypervisor.image_path.is_empty(), !hypervisor.initrd_path.is_empty());
    let complaint = if hypervisor.kernel_path.is_empty() {
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
    if hypervisor.num_vcpus_f == 0.0 {
        hypervisor.num_vcpus_f = 1.0;
    }
    if hypervisor.memory_size == 0 {
        hypervisor.memory_size = 2048;
    }
    if hypervisor.default_bridges == 0 {
        hypervisor.default_bridges = 1;
    }
    if hypervisor.block_device_driver.is_empty() {
        hypervisor.block_device_driver = "virtio-scsi".into();
    } else if hypervisor.block_device_driver == "virtio-blk" && is_ccw {
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
    if hypervisor.default_max_vcpus == 0 || hypervisor.default_max_vcpus > most {
        hypervisor.default_max_vcpus = most;
    }
    if hypervisor.confidential_guest && release.has(Change::ConfidentialMaxVcpus) {
        hypervisor.default_max_vcpus = hypervisor.num_vcpus();
    }
    let nodes = u32::try_from(hypervisor.guest_numa_nodes.len()).unwrap_or(1);
    if nodes > 1 && release.has(Change::VcpusByNumaNodes) {
        hypervisor.default_max_vcpus -= hypervisor.default_max_vcpus % nodes;
    }
    if hypervisor.msize9p == 0 && hypervisor.shared_fs != "virtio-fs" {
        hypervisor.msize9p = 8192;
    }
    Ok(())
}
