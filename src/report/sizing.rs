//! How a sandbox's size came about: from the containers' limits to the VM's CPUs and memory, and beside it the pod's
//! cgroup.
//!
//! Joins what kubelet's sum says with what the runtime made of it, every say in each value and the sum behind that;
//! computes nothing.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::text::origin;
use crate::answer::effective::{Effective, EffectiveValue, Origin};
use crate::evaluate::chain::Link;
use crate::evaluate::vm_size::{Amount, VmSize};
use crate::evaluate::{Evaluation, Evaluator};
use crate::input::manifest::{CgroupSum, Pod, SizingSum};

/// The keys of a hypervisor table that make up a VM's size, in the order of the sum.
const KEYS: [&str; 9] = [
    "default_vcpus",
    "overhead_vcpus",
    "default_maxvcpus",
    "default_memory",
    "overhead_memory",
    "default_maxmemory",
    "memory_slots",
    "static_sandbox_resource_mgmt",
    "sandbox_cgroup_only",
];

/// What is reported of one sandbox.
#[derive(Debug)]
pub struct SizeReport<'r> {
    pod: &'r Pod,
    evaluation: &'r Evaluation,
    vm: Option<VmSize>,
    judge: Option<&'r Evaluator>,
}

impl<'r> SizeReport<'r> {
    /// Of a pod that was evaluated, with who judged it.
    pub fn of(pod: &'r Pod, evaluation: &'r Evaluation, judge: Option<&'r Evaluator>) -> Self {
        let judge = judge.filter(|_| evaluation.effective.is_some());
        Self { pod, evaluation, vm: judge.and_then(|judge| judge.vm_size(evaluation)), judge }
    }

    fn relevant(&self) -> Vec<(&str, &EffectiveValue)> {
        let values = self.evaluation.effective.iter().flat_map(Effective::iter);
        let named = |key: &str| KEYS.iter().any(|k| key.rsplit('.').next() == Some(k));
        values.map(|(key, value)| (key.as_ref(), value)).filter(|(key, _)| named(key)).collect()
    }

    /// The annotations by which the container runtime hands the size on.
    fn handed_on(&self) -> Vec<(&str, &str)> {
        let sizes = |key: &str| {
            key.rsplit('/').next().is_some_and(|k| k.contains("sandbox-cpu-") || k.contains("sandbox-memory"))
                || key.ends_with("pod-linux-resources.crio.io")
        };
        let received = self.evaluation.received.iter().flat_map(|received| received.in_order(sizes));
        received.map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    fn chain(&self, key: &str) -> Vec<Link> {
        self.judge.map(|judge| judge.chain(self.pod, self.evaluation, key)).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<f64> {
        let mut values = self.relevant().into_iter();
        values
            .find(|(key, _)| key.rsplit('.').next() == Some(name))
            .and_then(|(_, value)| value.value.as_f64())
    }

    fn cgroup_only(&self) -> Option<bool> {
        self.evaluation.effective.as_ref()?.get("runtime.sandbox_cgroup_only")?.value.as_bool()
    }

    /// As text.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", visible(&self.pod.id()))?;
        if let Some(sum) = &self.pod.sum {
            contributions(out, &sum.tell())?;
        }
        match &self.pod.sizing {
            Some(sizing) => writeln!(
                out,
                "kubelet sends quota {} period {} shares {} memory {}",
                sizing.cpu_quota, sizing.cpu_period, sizing.cpu_shares, sizing.memory_limit
            )?,
            None => writeln!(out, "no size is sent: the VM has the size of the configuration")?,
        }
        for (key, value) in self.handed_on() {
            writeln!(out, "  {} = {}", visible(key), visible(value))?;
        }
        let values = self.relevant();
        if !values.is_empty() {
            writeln!(out, "the runtime takes")?;
        }
        let width = values.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, value) in values {
            writeln!(out, "  {key:<width$} = {}  # {}", value.value, visible(&origin(&value.origin)))?;
            if matches!(value.origin, Origin::Derived(_) | Origin::Annotation(_)) {
                for link in self.chain(key) {
                    writeln!(out, "      {}", visible(&said(&link)))?;
                }
            }
        }
        if let Some(vm) = &self.vm {
            writeln!(out, "the VM")?;
            for step in &vm.steps {
                writeln!(out, "  {step}")?;
            }
            writeln!(out, "  boots with {} vCPUs and {} MiB", vm.boot.vcpus, vm.boot.mib)?;
            writeln!(out, "  {}", self.maximum())?;
        }
        if let Some(cgroup) = &self.pod.cgroup {
            writeln!(out, "the pod's cgroup")?;
            for line in self.cgroup(cgroup) {
                writeln!(out, "  {line}")?;
            }
        }
        Ok(())
    }

    fn maximum(&self) -> String {
        let most = |name: &str, unit: &str| match self.number(name) {
            Some(most) if most > 0.0 => format!("{most} {unit} ({name})"),
            _ => format!("as many {unit} as the hypervisor takes"),
        };
        let slots =
            self.number("memory_slots").map_or(String::new(), |slots| format!(", {slots} memory slots"));
        format!(
            "may grow to {} and {}{slots}",
            most("default_maxvcpus", "vCPUs"),
            most("default_maxmemory", "MiB")
        )
    }

    /// The pod's cgroup, and what of the VM runs in it (docs/design/host-cgroups.md at 4.1.0).
    fn cgroup(&self, sum: &CgroupSum) -> Vec<String> {
        let mib = |bytes: i64| bytes as f64 / f64::from(1 << 20);
        let line = |what: &str, limit: Option<f64>, overhead: f64, unit: &str| match limit {
            None => format!("{what}: no limit, since not every container has one"),
            Some(limit) if overhead > 0.0 => {
                let all = limit + overhead;
                format!("{what}: limits {limit} + overhead of the RuntimeClass {overhead} = {all}{unit}")
            }
            Some(limit) => format!("{what}: limits {limit}{unit}, no overhead"),
        };
        let cpus = |milli: i64| milli as f64 / 1000.0;
        let mut lines = vec![
            line("CPUs", sum.milli_cpus.map(cpus), cpus(sum.overhead_milli_cpus), ""),
            line("memory", sum.memory.map(mib), mib(sum.overhead_memory), " MiB"),
        ];
        match (self.cgroup_only(), &self.vm) {
            (Some(true), Some(vm)) => {
                let all = sum.memory.map(|memory| mib(memory + sum.overhead_memory));
                lines.push(match all {
                    Some(all) if all >= vm.whole.mib => format!(
                        "sandbox_cgroup_only: the VM, its VMM and the shim run in it: {} MiB of guest memory leave \
                         {} MiB for them",
                        vm.whole.mib,
                        all - vm.whole.mib
                    ),
                    Some(all) => format!(
                        "sandbox_cgroup_only: the VM, its VMM and the shim run in it: {} MiB of guest memory are {} \
                         MiB more than it has, and using them all ends the VM",
                        vm.whole.mib,
                        vm.whole.mib - all
                    ),
                    None => "sandbox_cgroup_only: the VM, its VMM and the shim run in it".to_owned(),
                });
            }
            (Some(false), _) => lines.push(
                "no sandbox_cgroup_only: the vCPU threads alone run in it, the rest in /kata_overhead, which nobody \
                 limits"
                    .to_owned(),
            ),
            _ => {}
        }
        lines
    }

    /// As JSON.
    pub fn json(&self) -> Json {
        let sum = self.pod.sum.as_ref().map(|sum| {
            let sum = sum.tell();
            let line = |l: &crate::input::manifest::SizingLine| {
                json!({ "who": l.who, "cpu": l.cpu, "memory": l.memory, "note": l.note })
            };
            json!({ "limits": sum.lines.iter().map(line).collect::<Vec<_>>(), "steps": sum.steps })
        });
        let sent = self.pod.sizing.map(|s| {
            json!({ "cpu_quota": s.cpu_quota, "cpu_period": s.cpu_period, "cpu_shares": s.cpu_shares, "memory_limit": s.memory_limit })
        });
        let received: serde_json::Map<String, Json> =
            self.handed_on().into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        let link = |link: &Link| {
            let at = link.place.as_ref().map(ToString::to_string);
            json!({ "value": link.value, "from": link.from, "at": at })
        };
        let effective: serde_json::Map<String, Json> = self
            .relevant()
            .into_iter()
            .map(|(key, value)| {
                let chain: Vec<Json> = self.chain(key).iter().map(link).collect();
                (
                    key.to_owned(),
                    json!({ "value": value.value, "origin": value.origin.kind(), "chain": chain }),
                )
            })
            .collect();
        let vm = self.vm.as_ref().map(|vm| {
            let amount = |a: Amount| json!({ "vcpus": a.vcpus, "memory_mib": a.mib });
            json!({
                "boot": amount(vm.boot),
                "whole": amount(vm.whole),
                "maximum": {
                    "vcpus": self.number("default_maxvcpus"), "memory_mib": self.number("default_maxmemory"),
                },
                "steps": vm.steps,
            })
        });
        let cgroup = self.pod.cgroup.as_ref().map(|c| {
            json!({
                "milli_cpus": c.milli_cpus, "memory": c.memory,
                "overhead_milli_cpus": c.overhead_milli_cpus, "overhead_memory": c.overhead_memory,
                "sandbox_cgroup_only": self.cgroup_only(),
            })
        });
        json!({
            "pod": self.pod.id(), "sum": sum, "sizing": sent, "received": received, "effective": effective, "vm": vm,
            "cgroup": cgroup,
        })
    }
}

/// One say in a value, in words.
pub fn said(link: &Link) -> String {
    match &link.place {
        Some(place) => format!("{}  {} ({place})", link.value, link.from),
        None => format!("{}  {}", link.value, link.from),
    }
}

fn contributions(out: &mut dyn Write, sum: &SizingSum) -> io::Result<()> {
    let shown = |amount: &Option<String>| amount.clone().unwrap_or_else(|| "-".to_owned());
    let who = sum.lines.iter().map(|l| l.who.chars().count()).max().unwrap_or(0);
    writeln!(out, "limits {:<pad$}  {:>8}  {:>8}", "", "cpu", "memory", pad = who.saturating_sub(5))?;
    for line in &sum.lines {
        let (cpu, memory) = (shown(&line.cpu), shown(&line.memory));
        writeln!(out, "  {:<who$}  {cpu:>8}  {memory:>8}  {}", visible(&line.who), line.note)?;
    }
    for step in &sum.steps {
        writeln!(out, "  {step}")?;
    }
    Ok(())
}
