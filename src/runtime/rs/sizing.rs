//! How the pod's limits become the VM's size.
//!
//! With static sizing the limits and the overhead replace the configured size; without it the VM
//! starts as configured and grows later. Facts: src/runtime-rs/crates/resource/src/cpu_mem/initial_size.rs
//! and src/libs/kata-types/src/{cpu,annotations/mod}.rs at 4.1.0.

use super::complaint::{Complaint, Outcome};
use super::config::Config;
use crate::input::Annotations;
use crate::input::text::parse_trimmed;

const QUOTA: &str = "io.kubernetes.cri.sandbox-cpu-quota";
const PERIOD: &str = "io.kubernetes.cri.sandbox-cpu-period";
const MEMORY: &str = "io.kubernetes.cri.sandbox-memory";

/// What the pod's limits ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workload {
    /// CPUs, with a fraction; 0: no limit.
    pub vcpus: f32,
    /// MiB, even; 0: no limit.
    pub memory: u32,
}

impl Workload {
    /// Reads the sandbox's sizing annotations; what cannot be read counts as 0.
    pub fn of(annotations: &Annotations) -> Self {
        fn number<T: std::str::FromStr + Default>(annotations: &Annotations, key: &str) -> T {
            annotations.get(key).and_then(|text| parse_trimmed(text)).unwrap_or_default()
        }
        let quota: i64 = number(annotations, QUOTA);
        let period: u64 = number(annotations, PERIOD);
        let vcpus = if quota >= 0 && period > 0 { (quota as f64 / period as f64) as f32 } else { 0.0 };
        Self { vcpus, memory: even_mebibytes(number(annotations, MEMORY)) }
    }

    /// Whether there is a limit at all.
    pub fn is_limited(&self) -> bool {
        self.vcpus > 0.0 || self.memory > 0
    }
}

/// Whole MiB, one more where odd; only the low 32 bits count.
fn even_mebibytes(bytes: i64) -> u32 {
    if bytes < 0 {
        return 0;
    }
    let mebibytes = (bytes / (1 << 20)) as u32;
    mebibytes.wrapping_add(mebibytes % 2)
}

/// Sizes the active hypervisor.
pub fn size(config: &mut Config<'_>, workload: Workload) -> Outcome {
    let name = &config.runtime.hypervisor_name;
    let Some(hv) = config.hypervisor.get_mut(name) else { return Ok(()) };
    let (cpu, memory) = (&mut hv.cpu_info, &mut hv.memory_info);
    if config.runtime.static_sandbox_resource_mgmt {
        if workload.is_limited() {
            cpu.default_vcpus = (cpu.overhead_vcpus + workload.vcpus).max(1.0);
            memory.default_memory = memory.overhead_memory.wrapping_add(workload.memory);
            memory.default_maxmemory = memory.default_maxmemory.max(memory.default_memory);
        }
        cpu.default_maxvcpus = cpu.default_vcpus.ceil() as u32;
    }
    if memory.default_memory == 0 {
        let message = format!(
            "computed sandbox memory is 0 MiB for hypervisor '{name}'; set a non-zero memory limit or configure \
             non-zero default_memory/overhead_memory"
        );
        return Err(Complaint::about("overhead_memory", message).within(format!("hypervisor.{name}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_whole_and_even() {
        assert_eq!(even_mebibytes(513 << 20), 514);
        assert_eq!(even_mebibytes((1536 << 20) - 1), 1536);
        assert_eq!(even_mebibytes(-1), 0);
    }
}
