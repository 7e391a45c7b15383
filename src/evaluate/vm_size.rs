//! From the size that a sandbox is given to the VM's CPUs and memory, with the sum behind it.
//!
//! Decides what a VM is asked to grow to once all containers run, and says the sum; how limits are read and what a VM
//! boots with is the runtime's own sizing. Judges nothing. Facts: src/runtime/virtcontainers/sandbox.go and
//! src/runtime-rs/crates/resource/src/cpu_mem at 4.1.0.

use serde_json::Value as Json;

use crate::answer::effective::Effective;
use crate::answer::verdict::{Status, Verdict};
use crate::input::Annotations;
use crate::release::rs::Change;
use crate::release::{Release, Runtime};
use crate::runtime::go::config::SandboxResources;
use crate::runtime::{go, rs};

/// What the configuration makes of a sandbox that asks for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    table: String,
    static_sizing: bool,
    vcpus: f32,
    memory: u32,
    overhead_vcpus: f32,
    overhead_memory: u32,
    most_vcpus: u32,
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
            vcpus: number("default_vcpus") as f32,
            memory: number("default_memory") as u32,
            overhead_vcpus: number("overhead_vcpus") as f32,
            overhead_memory: number("overhead_memory") as u32,
            most_vcpus: number("default_maxvcpus") as u32,
            table,
        }
    }

    /// Whether the VM gets its whole size at boot.
    pub fn is_static(&self) -> bool {
        self.static_sizing
    }

    /// vCPUs and MiB at boot, as the runtime's own sizing has them.
    fn at_boot(&self, release: Release, vcpus: f32, memory: u32, workload: Workload) -> (f32, u32) {
        match release.runtime {
            Runtime::Go if !self.static_sizing => (vcpus, memory),
            Runtime::Go => {
                let Workload { vcpus: workload_cpus, mib: workload_mem_mb } = workload;
                let workload = SandboxResources { workload_cpus, workload_mem_mb, ..Default::default() };
                go::sizing::together(vcpus, memory, workload)
            }
            Runtime::Rs => {
                let size = rs::sizing::Size {
                    vcpus,
                    most_vcpus: self.most_vcpus,
                    memory,
                    most_memory: u32::MAX,
                    overhead_vcpus: self.overhead_vcpus,
                    overhead_memory: self.overhead_memory,
                };
                let workload = rs::sizing::Workload { vcpus: workload.vcpus, memory: workload.mib };
                let size = size.with(workload, release, self.static_sizing);
                (size.vcpus, size.memory)
            }
        }
    }

    /// The sum where the limits and the overhead count, whatever the defaults are.
    fn overhead(&self, workload: Workload, boot: Amount) -> Vec<String> {
        let exact = f64::from(self.overhead_vcpus + workload.vcpus);
        let floor = if exact < 1.0 { ", raised to 1" } else { "" };
        let boots = format!("{}{floor}, boots with {}", round(exact), boot.vcpus);
        let memory = format!("{} MiB", boot.mib);
        vec![
            sum("vCPUs", "overhead_vcpus", self.overhead_vcpus.into(), workload.vcpus.into(), &boots),
            sum("memory", "overhead_memory", self.overhead_memory.into(), workload.mib.into(), &memory),
            "static sizing: the VM boots with all of it; default_vcpus and default_memory do not enter"
                .to_owned(),
        ]
    }
}

/// What the runtime reads of the size that the container runtime hands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workload {
    /// CPUs; 0: no limit.
    pub vcpus: f32,
    /// MiB; 0: no limit.
    pub mib: u32,
}

impl Workload {
    /// As `release` reads the sandbox's annotations.
    pub fn of(release: Release, received: &Annotations) -> Self {
        match release.runtime {
            Runtime::Go => {
                let limits = go::sizing::limits(received, release);
                Self { vcpus: limits.workload_cpus, mib: limits.workload_mem_mb }
            }
            Runtime::Rs => {
                let limits = rs::sizing::Workload::of(received, release);
                Self { vcpus: limits.vcpus, mib: limits.memory }
            }
        }
    }

    /// Whether there is a limit at all.
    pub fn is_limited(self) -> bool {
        self.vcpus > 0.0 || self.mib > 0
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
        let replaced = release.has(Change::Overhead);
        let added = base.static_sizing && !replaced;
        // Where the limits are added, the value in the end has them in it already.
        let vcpus = match set("default_vcpus") {
            Some(value) if added => value as f32 - workload.vcpus,
            Some(value) => value as f32,
            None => base.vcpus,
        };
        let memory = match set("default_memory") {
            Some(value) if added => (value as u32).saturating_sub(workload.mib),
            Some(value) => value as u32,
            None => base.memory,
        };
        let (boot_vcpus, boot_memory) = base.at_boot(release, vcpus, memory, workload);
        let boot = Amount { vcpus: f64::from(boot_vcpus.ceil()), mib: boot_memory.into() };
        if replaced && base.static_sizing && workload.is_limited() {
            return Self {
                boot,
                whole: boot,
                steps: if told { base.overhead(workload, boot) } else { Vec::new() },
            };
        }
        let whole = match base.static_sizing {
            true => boot,
            false => Amount {
                vcpus: f64::from((vcpus + workload.vcpus).ceil()),
                mib: f64::from(memory) + f64::from(workload.mib),
            },
        };
        if !told {
            return Self { boot, whole, steps: Vec::new() };
        }
        let (own_memory, work_mib) = (f64::from(memory), f64::from(workload.mib));
        let mut steps = vec![
            sum("vCPUs", "default_vcpus", vcpus.into(), workload.vcpus.into(), &format!("{}", whole.vcpus)),
            sum("memory", "default_memory", own_memory, work_mib, &format!("{} MiB", whole.mib)),
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
            if base.most_vcpus > 0 {
                format!(" (at most {} in all, default_maxvcpus)", count(base.most_vcpus.into()))
            } else {
                String::new()
            }
        ));
        Self { boot, whole, steps }
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
            memory: 2048,
            overhead_vcpus: 0.2,
            overhead_memory: 32,
            most_vcpus: 8,
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
        assert_eq!(work(Release::newest(Runtime::Rs), "0", "2", "537919488").mib, 514);
        let alone = VmSize::of(
            Release::newest(Runtime::Rs),
            &base(true),
            work(Release::newest(Runtime::Rs), "0", "2", "1048576"),
            &[],
        );
        assert_eq!(alone.boot, Amount { vcpus: 1.0, mib: 34.0 });
    }
}
