//! From the size that a sandbox is given to the VM's CPUs and memory, with the sum behind it.
//!
//! Decides the VM's size at boot and once all containers run, for each release. Judges nothing, and
//! no runtime goes by it: the wings compute their own. Facts: src/runtime/pkg/oci/utils.go and
//! src/runtime/virtcontainers/sandbox.go, src/runtime-rs/crates/resource/src/cpu_mem at 4.1.0.

use serde_json::Value as Json;

use crate::answer::effective::Effective;
use crate::answer::text::parse_trimmed;
use crate::answer::verdict::{Status, Verdict};
use crate::input::Annotations;
use crate::release::{Release, Runtime};
use crate::runtime::rs::Change;

/// What the configuration makes of a sandbox that asks for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    table: String,
    static_sizing: bool,
    vcpus: f64,
    memory: f64,
    overhead_vcpus: f64,
    overhead_memory: f64,
    most_vcpus: f64,
}

impl Base {
    /// Reads the values of the hypervisor's table.
    pub fn of(effective: &Effective, hypervisor: &str) -> Self {
        let table = format!("hypervisor.{hypervisor}");
        let number = |key: &str| {
            effective.get(&format!("{table}.{key}")).and_then(|v| v.value.as_f64()).unwrap_or(0.0)
        };
        let told = effective.get("runtime.static_sandbox_resource_mgmt").map(|v| &v.value);
        Self {
            static_sizing: told == Some(&Json::Bool(true)),
            vcpus: number("default_vcpus"),
            memory: number("default_memory"),
            overhead_vcpus: number("overhead_vcpus"),
            overhead_memory: number("overhead_memory"),
            most_vcpus: number("default_maxvcpus"),
            table,
        }
    }

    /// Whether the VM gets its whole size at boot.
    pub fn is_static(&self) -> bool {
        self.static_sizing
    }
}

/// What the runtime reads of the size that the container runtime hands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workload {
    /// CPUs; 0: no limit.
    pub vcpus: f64,
    /// MiB; 0: no limit.
    pub mib: f64,
}

impl Workload {
    /// As `release` reads the sandbox's annotations.
    pub fn of(release: Release, received: &Annotations) -> Self {
        let number = |key: &str| -> i64 { received.get(key).and_then(|t| parse_trimmed(t)).unwrap_or(0) };
        let (quota, period) =
            (number("io.kubernetes.cri.sandbox-cpu-quota"), number("io.kubernetes.cri.sandbox-cpu-period"));
        let shares = || number("io.kubernetes.cri.sandbox-cpu-shares");
        let rust = release.runtime == Runtime::Rs;
        let vcpus = match quota {
            0.. if period > 0 => quota as f64 / period as f64,
            ..0 if !rust => (shares().max(0) as f64 / 1024.0).ceil(),
            _ => 0.0,
        };
        let mib = number("io.kubernetes.cri.sandbox-memory").max(0) >> 20;
        // runtime-rs wants an even number.
        let mib = if rust { mib + mib % 2 } else { mib };
        Self { vcpus, mib: mib as f64 }
    }

    /// Whether there is a limit at all.
    pub fn is_limited(self) -> bool {
        self.vcpus > 0.0 || self.mib > 0.0
    }
}

/// CPUs and memory of a VM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// CPUs, whole ones.
    pub vcpus: f64,
    /// MiB.
    pub mib: f64,
}

/// The VM's size.
#[derive(Debug, Clone, PartialEq)]
pub struct VmSize {
    /// What it boots with.
    pub boot: Amount,
    /// What it is asked to grow to once all containers run, before any maximum.
    pub whole: Amount,
    /// The sum, a line for CPUs and one for memory, and what does not enter it.
    pub steps: Vec<String>,
}

impl VmSize {
    /// The size for one sandbox. `verdicts` tell what its annotations made of the defaults.
    pub fn of(release: Release, base: &Base, workload: Workload, verdicts: &[Verdict]) -> Self {
        Self::compute(release, base, workload, verdicts, true)
    }

    /// The same without the sum in words, which costs more than the sum.
    pub(super) fn bare(release: Release, base: &Base, workload: Workload, verdicts: &[Verdict]) -> Self {
        Self::compute(release, base, workload, verdicts, false)
    }

    fn compute(release: Release, base: &Base, workload: Workload, verdicts: &[Verdict], told: bool) -> Self {
        let set = |name: &str| {
            let own = |field: &str| {
                let rest = field.strip_prefix(base.table.as_str()).and_then(|rest| rest.strip_prefix('.'));
                rest == Some(name)
            };
            let verdict = verdicts.iter().find(|v| {
                v.field.as_deref().is_some_and(own)
                    && matches!(v.status, Status::Applied | Status::Overridden)
            });
            verdict.and_then(|v| v.after.as_deref()).and_then(Json::as_f64)
        };
        let replaced = release.runtime == Runtime::Rs && release.has(Change::Overhead);
        let added = base.static_sizing && !replaced;
        // Where the limits are added, the value in the end has them in it already.
        let own = |name: &str, configured: f64, work: f64| match set(name) {
            Some(value) if added => value - work,
            Some(value) => value,
            None => configured,
        };
        let vcpus = own("default_vcpus", base.vcpus, workload.vcpus);
        let memory = own("default_memory", base.memory, workload.mib);
        let Workload { vcpus: work_vcpus, mib: work_mib } = workload;
        if replaced && base.static_sizing && workload.is_limited() {
            return Self::of_overhead(base, workload, told);
        }
        let whole = Amount { vcpus: (vcpus + work_vcpus).ceil(), mib: memory + work_mib };
        let boot = if base.static_sizing { whole } else { Amount { vcpus: vcpus.ceil(), mib: memory } };
        if !told {
            return Self { boot, whole, steps: Vec::new() };
        }
        let mut steps = vec![
            sum("vCPUs", "default_vcpus", vcpus, work_vcpus, &format!("{}", whole.vcpus)),
            sum("memory", "default_memory", memory, work_mib, &format!("{} MiB", whole.mib)),
        ];
        if base.static_sizing {
            steps.push("static sizing: the VM boots with all of it".to_owned());
            return Self { boot, whole, steps };
        }
        steps.push(format!(
            "no static sizing: the VM boots with {} and {} MiB, and the limits are plugged in as containers \
             start{}",
            count(boot.vcpus),
            boot.mib,
            if base.most_vcpus > 0.0 {
                format!(" (at most {} in all, default_maxvcpus)", count(base.most_vcpus))
            } else {
                String::new()
            }
        ));
        Self { boot, whole, steps }
    }

    /// runtime-rs with static sizing: the limits and the overhead, whatever the defaults are.
    fn of_overhead(base: &Base, workload: Workload, told: bool) -> Self {
        let exact = base.overhead_vcpus + workload.vcpus;
        let vcpus = exact.max(1.0).ceil();
        let mib = base.overhead_memory + workload.mib;
        let amount = Amount { vcpus, mib };
        if !told {
            return Self { boot: amount, whole: amount, steps: Vec::new() };
        }
        let floor = if exact < 1.0 { ", raised to 1" } else { "" };
        let boots = format!("{}{floor}, boots with {vcpus}", round(exact));
        let steps = vec![
            sum("vCPUs", "overhead_vcpus", base.overhead_vcpus, workload.vcpus, &boots),
            sum("memory", "overhead_memory", base.overhead_memory, workload.mib, &format!("{mib} MiB")),
            "static sizing: the VM boots with all of it; default_vcpus and default_memory do not enter"
                .to_owned(),
        ];
        Self { boot: amount, whole: amount, steps }
    }
}

fn sum(what: &str, key: &str, own: f64, limits: f64, result: &str) -> String {
    let limits = if limits == 0.0 { "no limit".to_owned() } else { format!("limits {}", round(limits)) };
    format!("{what}: {key} {} + {limits} = {result}", round(own))
}

fn count(vcpus: f64) -> String {
    format!("{vcpus} vCPU{}", if vcpus == 1.0 { "" } else { "s" })
}

/// Without the dust of floating point.
fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(static_sizing: bool) -> Base {
        Base {
            table: "hypervisor.qemu".into(),
            static_sizing,
            vcpus: 1.0,
            memory: 2048.0,
            overhead_vcpus: 0.2,
            overhead_memory: 32.0,
            most_vcpus: 8.0,
        }
    }

    fn work(release: Release, quota: &str, shares: &str, memory: &str) -> Workload {
        let pairs =
            [("cpu-quota", quota), ("cpu-period", "100000"), ("cpu-shares", shares), ("memory", memory)];
        let key = |name| format!("io.kubernetes.cri.sandbox-{name}");
        Workload::of(release, &pairs.iter().map(|(k, v)| (key(k), (*v).to_owned())).collect())
    }

    #[test]
    fn each_generation_adds_up_in_its_own_way() {
        let limits = |release| work(release, "200000", "2048", "4294967296");
        let size = |release, is_static| VmSize::of(release, &base(is_static), limits(release), &[]);
        let go = size(Release::newest(Runtime::Go), false);
        assert_eq!(
            (go.boot, go.whole.vcpus, go.whole.mib),
            (Amount { vcpus: 1.0, mib: 2048.0 }, 3.0, 6144.0)
        );
        assert_eq!(size(Release::newest(Runtime::Go), true).boot, Amount { vcpus: 3.0, mib: 6144.0 });
        let rs = size(Release::newest(Runtime::Rs), true);
        assert_eq!(rs.boot, Amount { vcpus: 3.0, mib: 4128.0 });
        assert_eq!(rs.steps[0], "vCPUs: overhead_vcpus 0.2 + limits 2 = 2.2, boots with 3");
    }

    #[test]
    fn shares_count_for_the_go_runtime_alone() {
        assert_eq!(work(Release::newest(Runtime::Go), "-1", "4096", "0").vcpus, 4.0);
        assert_eq!(work(Release::newest(Runtime::Rs), "-1", "4096", "0").vcpus, 0.0);
        assert_eq!(work(Release::newest(Runtime::Rs), "0", "2", "537919488").mib, 514.0);
        let alone = VmSize::of(
            Release::newest(Runtime::Rs),
            &base(true),
            work(Release::newest(Runtime::Rs), "0", "2", "1048576"),
            &[],
        );
        assert_eq!(alone.boot, Amount { vcpus: 1.0, mib: 34.0 });
    }
}
