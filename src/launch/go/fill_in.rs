//! What the hypervisors of the first releases check and fill in themselves, before anything else.
//!
//! Facts: `HypervisorConfig.Valid` in src/runtime/virtcontainers/hypervisor.go, and who calls it, from 2.0.0 to
//! 2.4.3; later releases do it before the hypervisor is made.

use std::borrow::Cow;

use super::{Change, Refusal, refuse};
use crate::runtime::go::config::{HypervisorType, SandboxConfig};

/// The most vCPUs that QEMU takes on x86_64.
const MOST_VCPUS: u32 = 240;

/// The configuration as the hypervisor holds it.
pub(super) fn fill_in(config: &SandboxConfig) -> Result<Cow<'_, SandboxConfig>, Refusal> {
    let release = config.release;
    let firecracker = config.hypervisor_type == HypervisorType::Firecracker;
    if !release.has(Change::HypervisorFillsIn) || (firecracker && !release.has(Change::FirecrackerFillsIn)) {
        return Ok(Cow::Borrowed(config));
    }
    let mut filled = config.clone();
    let hv = &mut filled.hypervisor_config;
    if hv.kernel.is_empty() {
        return refuse("Missing kernel path", &[]);
    }
    if hv.image.is_empty() && hv.initrd.is_empty() {
        return refuse("Missing image and initrd path", &[]);
    }
    if hv.num_vcpus() == 0 {
        hv.default_vcpus = 1.0;
    }
    if hv.default_memory == 0 {
        hv.default_memory = 2048;
    }
    if hv.default_bridges == 0 {
        hv.default_bridges = 1;
    }
    if hv.block_device_driver.is_empty() {
        hv.block_device_driver = "virtio-scsi".into();
    }
    let capped = release.has(Change::MaxVcpusCapped) && hv.default_maxvcpus > MOST_VCPUS;
    if hv.default_maxvcpus == 0 || capped {
        hv.default_maxvcpus = MOST_VCPUS;
    }
    if hv.confidential_guest && release.has(Change::ConfidentialVcpusFixed) {
        hv.default_maxvcpus = hv.num_vcpus();
    }
    if hv.msize_9p == 0 && hv.shared_fs != "virtio-fs" {
        hv.msize_9p = 8192;
    }
    Ok(Cow::Owned(filled))
}
