//! How big the pod says it is, and what static sizing makes of it.
//!
//! Facts: `CalculateSandboxSizing` and the end of `SandboxConfig` in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::config::{SandboxConfig, SandboxResources};
use crate::golang::strconv;
use crate::input::{Annotations, Text};
use crate::release::Release;
use crate::release::go::Change;

/// CPUs and memory that a sandbox is sized by.
pub(super) fn workload(annotations: &Annotations, release: Release) -> SandboxResources {
    match release.has(Change::StaticSizing) {
        true => limits(annotations, release),
        false => SandboxResources::default(),
    }
}

/// CPUs and memory that the CRI's annotations ask for. What cannot be read counts as 0.
pub(crate) fn limits(annotations: &Annotations, release: Release) -> SandboxResources {
    let text = |key: &str| annotations.get(key).map_or("", Text::as_str);
    let unsigned = |key: &str| strconv::parse_uint(text(key), 10, 64).unwrap_or(0);
    let wide = release.has(Change::LimitsIn64Bits);
    let fits = |number: &i64| wide || i32::try_from(*number).is_ok();
    let signed = |key: &str| strconv::parse_int(text(key), 10).ok().filter(fits).unwrap_or(0);
    let period = unsigned("io.kubernetes.cri.sandbox-cpu-period");
    let quota = signed("io.kubernetes.cri.sandbox-cpu-quota");
    let memory = signed("io.kubernetes.cri.sandbox-memory");
    let mut cpus = if quota >= 0 && period != 0 { quota as f32 / period as f32 } else { 0.0 };
    if !release.has(Change::FractionalVcpus) {
        // Thousandths of a CPU, and of those every part begun.
        let milli = if quota >= 0 && period != 0 {
            (quota as u64).wrapping_mul(1000).wrapping_div(period) as u32
        } else {
            0
        };
        cpus = milli.wrapping_add(999).wrapping_div(1000) as f32;
    }
    // A negative quota means that CPUs were given out by number: the shares tell how many.
    if quota < 0 && release.has(Change::SizedByShares) {
        let shares = unsigned("io.kubernetes.cri.sandbox-cpu-shares");
        cpus = (shares as f64 / 1024.0).ceil() as f32;
    }
    let memory_mib = if memory < 0 { 0 } else { (memory / (1024 * 1024)) as u32 };
    SandboxResources { workload_cpus: cpus, workload_mem_mb: memory_mib, ..SandboxResources::default() }
}

/// vCPUs and MiB of defaults and workload together.
pub(crate) fn together(vcpus: f32, memory: u32, workload: SandboxResources) -> (f32, u32) {
    (vcpus + workload.workload_cpus, memory.wrapping_add(workload.workload_mem_mb))
}

/// With static sizing the VM starts as large as defaults and workload together.
pub(super) fn apply_static(config: &mut SandboxConfig) {
    if !config.runtime.static_sandbox_resource_mgmt {
        return;
    }
    let (resources, hypervisor) = (&mut config.sandbox_resources, &mut config.hypervisor_config);
    resources.base_cpus = hypervisor.default_vcpus;
    resources.base_mem_mb = hypervisor.default_memory;
    (hypervisor.default_vcpus, hypervisor.default_memory) =
        together(hypervisor.default_vcpus, hypervisor.default_memory, *resources);
    let release = config.release;
    if release.has(Change::StaticMaxVcpus) {
        let least = u32::from(release.has(Change::StaticMaxVcpusAtLeastOne));
        hypervisor.default_maxvcpus = hypervisor.num_vcpus().max(least);
    }
}
