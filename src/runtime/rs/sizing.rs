//! How the pod's limits become the VM's size.
//!
//! Since 4.0, with static sizing, the limits and the overhead replace the configured size; before they were
//! added to it, and before 3.29 the memory limit was whatever was configured. Facts:
//! src/runtime-rs/crates/resource/src/cpu_mem/initial_size.rs (static_resource.rs of crates/runtimes before
//! 3.2) and src/libs/kata-types/src/{cpu,annotations/mod}.rs at each tag.

use super::config::{Config, Hypervisor};
use super::error::{ConfigError, ConfigResult};
use crate::answer::text::parse_trimmed;
use crate::input::Annotations;
use crate::release::Release;
use crate::release::rs::Change;

const CONTAINERD: &str = "io.kubernetes.cri.container-type";
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
    pub fn of(annotations: &Annotations, release: Release) -> Self {
        // Another container's size stood in its resources; since then the annotations fill them up.
        if !release.has(Change::LimitsFilledUp) && !is_sandbox(annotations, release) {
            return Self { vcpus: 0.0, memory: 0 };
        }
        fn number<T: std::str::FromStr + Default>(annotations: &Annotations, key: &str) -> T {
            annotations.get(key).and_then(|text| parse_trimmed(text)).unwrap_or_default()
        }
        let quota: i64 = number(annotations, QUOTA);
        let period: u64 = number(annotations, PERIOD);
        let vcpus = match u64::try_from(quota).ok().filter(|_| period > 0) {
            None => 0.0,
            Some(quota) if release.has(Change::FractionalLimit) => (quota as f64 / period as f64) as f32,
            Some(quota) => whole_vcpus(quota, period) as f32,
        };
        Self { vcpus, memory: mebibytes(number(annotations, MEMORY), release) }
    }

    /// Whether there is a limit at all.
    pub fn is_limited(&self) -> bool {
        self.vcpus > 0.0 || self.memory > 0
    }
}

/// `container_type`: the first of the labels that is known says.
fn is_sandbox(annotations: &Annotations, release: Release) -> bool {
    let crio = if release.has(Change::CrioLabel) { "io.kubernetes.cri-o.ContainerType" } else { CONTAINERD };
    let label = |key: &str| match annotations.get(key)?.as_str() {
        "sandbox" | "podsandbox" => Some(true),
        "container" => Some(false),
        _ => None,
    };
    let known = [crio, CONTAINERD, "io.kubernetes.docker.type"].into_iter().find_map(label);
    known.unwrap_or(false)
}

/// A limit in thousandths, rounded up.
fn whole_vcpus(quota: u64, period: u64) -> u32 {
    ((quota.saturating_mul(1000) / period).saturating_add(999) / 1000) as u32
}

/// Whole MiB, one more where odd; only the low 32 bits count.
fn mebibytes(bytes: i64, release: Release) -> u32 {
    if bytes < 0 {
        return 0;
    }
    let mebibytes = (bytes / (1 << 20)) as u32;
    let odd = if release.has(Change::EvenMemory) { mebibytes % 2 } else { 0 };
    mebibytes.wrapping_add(odd)
}

/// The keys that sizing writes over, whatever stands there.
pub fn writes_over(config: &Config, workload: Workload) -> Vec<&'static str> {
    let (release, fixed) = (config.release, config.runtime.static_sandbox_resource_mgmt);
    let mut keys = Vec::new();
    if fixed && release.has(Change::Overhead) && workload.is_limited() {
        keys.extend(["default_vcpus", "default_memory"]);
    }
    if release.has(Change::VcpusFromLimit) && workload.vcpus > 0.0 {
        keys.push("default_vcpus");
    }
    if fixed && release.has(Change::StaticMaxVcpus) {
        keys.push("default_maxvcpus");
    }
    keys
}

/// The numbers that sizing reads and writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub vcpus: f32,
    pub most_vcpus: u32,
    /// MiB, as all memory here.
    pub memory: u32,
    pub most_memory: u32,
    pub overhead_vcpus: f32,
    pub overhead_memory: u32,
}

impl Size {
    fn of(hv: &Hypervisor) -> Self {
        let (cpu, memory) = (&hv.cpu_info, &hv.memory_info);
        Self {
            vcpus: cpu.default_vcpus,
            most_vcpus: cpu.default_maxvcpus,
            memory: memory.default_memory,
            most_memory: memory.default_maxmemory,
            overhead_vcpus: cpu.overhead_vcpus,
            overhead_memory: memory.overhead_memory,
        }
    }

    /// What the limits make of it; `fixed`: the VM boots as large as it gets.
    pub(crate) fn with(mut self, workload: Workload, release: Release, fixed: bool) -> Self {
        let limited = workload.is_limited();
        if !release.has(Change::Overhead) {
            if limited || (fixed && release.has(Change::StaticMaxVcpus)) {
                self.add(workload, release, fixed);
            }
            return self;
        }
        if fixed && limited {
            self.vcpus = (self.overhead_vcpus + workload.vcpus).max(1.0);
            self.memory = self.overhead_memory.wrapping_add(workload.memory);
            self.most_memory = self.most_memory.max(self.memory);
        }
        if fixed {
            self.most_vcpus = self.vcpus.ceil() as u32;
        }
        self
    }

    /// What releases before the overhead did with the limits.
    fn add(&mut self, workload: Workload, release: Release, fixed: bool) {
        let is_added =
            fixed && (release.has(Change::StaticLimitsAdded) || release.has(Change::LimitsAddedWhenStatic));
        if workload.vcpus > 0.0 {
            if is_added {
                self.vcpus += workload.vcpus;
                if release.has(Change::StaticLimitsAdded) {
                    self.most_vcpus = self.most_vcpus.max(self.vcpus.ceil() as u32);
                }
            } else if release.has(Change::VcpusFromLimit) {
                self.vcpus = workload.vcpus;
            }
        }
        if fixed && release.has(Change::StaticMaxVcpus) {
            self.most_vcpus = self.vcpus.ceil() as u32;
        }
        if workload.memory > 0 && (is_added || release.has(Change::MemoryFromLimit)) {
            let times = if release.has(Change::MemoryTwice) { 2 } else { 1 };
            self.memory = self.memory.wrapping_add(workload.memory.wrapping_mul(times));
            if release.has(Change::StaticLimitsAdded) {
                self.most_memory = self.most_memory.max(self.memory);
            }
        }
    }
}

/// Sizes the active hypervisor.
pub fn size(config: &mut Config, workload: Workload) -> ConfigResult {
    let (release, fixed) = (config.release, config.runtime.static_sandbox_resource_mgmt);
    let name = &config.runtime.hypervisor_name;
    let Some(hv) = config.hypervisor.get_mut(name) else { return Ok(()) };
    let before = Size::of(hv);
    let after = before.with(workload, release, fixed);
    if after != before {
        let (cpu, memory) = (&mut hv.cpu_info, &mut hv.memory_info);
        (cpu.default_vcpus, cpu.default_maxvcpus) = (after.vcpus, after.most_vcpus);
        (memory.default_memory, memory.default_maxmemory) = (after.memory, after.most_memory);
    }
    if after.memory == 0 && release.has(Change::Overhead) {
        let message = format!(
            "computed sandbox memory is 0 MiB for hypervisor '{name}'; set a non-zero memory limit or configure \
             non-zero default_memory/overhead_memory"
        );
        return Err(ConfigError::about("overhead_memory", message).within(format!("hypervisor.{name}")));
    }
    Ok(())
}
