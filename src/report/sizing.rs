//! How a sandbox's size came about: from the containers' limits to the VM's CPUs and memory.
//!
//! Joins what kubelet's sum says with what the runtime made of it and the sum behind that; computes nothing.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::escape::visible;
use super::text::origin;
use crate::answer::effective::{Effective, EffectiveValue};
use crate::evaluate::Evaluation;
use crate::evaluate::vm_size::{Amount, VmSize};
use crate::input::manifest::{Pod, SizingSum};

/// The keys of a hypervisor table that make up a VM's size, in the order of the sum.
const KEYS: [&str; 8] = [
    "default_vcpus",
    "overhead_vcpus",
    "default_maxvcpus",
    "default_memory",
    "overhead_memory",
    "default_maxmemory",
    "memory_slots",
    "static_sandbox_resource_mgmt",
];

fn relevant(evaluation: &Evaluation) -> Vec<(&str, &EffectiveValue)> {
    let values = evaluation.effective.iter().flat_map(Effective::iter);
    let named = |key: &str| KEYS.iter().any(|k| key.rsplit('.').next() == Some(k));
    values.map(|(key, value)| (key.as_ref(), value)).filter(|(key, _)| named(key)).collect()
}

/// The annotations by which the container runtime hands the size on.
fn handed_on(evaluation: &Evaluation) -> Vec<(&str, &str)> {
    let sizes = |key: &str| {
        key.rsplit('/').next().is_some_and(|k| k.contains("sandbox-cpu-") || k.contains("sandbox-memory"))
            || key.ends_with("pod-linux-resources.crio.io")
    };
    let received = evaluation.received.iter().flat_map(|received| received.in_order(sizes));
    received.map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// As text.
pub fn text(out: &mut dyn Write, pod: &Pod, evaluation: &Evaluation, vm: Option<&VmSize>) -> io::Result<()> {
    writeln!(out, "{}", visible(&pod.id()))?;
    if let Some(sum) = &pod.sum {
        contributions(out, sum)?;
    }
    match &pod.sizing {
        Some(sizing) => writeln!(
            out,
            "kubelet sends quota {} period {} shares {} memory {}",
            sizing.cpu_quota, sizing.cpu_period, sizing.cpu_shares, sizing.memory_limit
        )?,
        None => writeln!(out, "no size is sent: the VM has the size of the configuration")?,
    }
    for (key, value) in handed_on(evaluation) {
        writeln!(out, "  {} = {}", visible(key), visible(value))?;
    }
    let values = relevant(evaluation);
    if !values.is_empty() {
        writeln!(out, "the runtime takes")?;
    }
    let width = values.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, value) in values {
        writeln!(out, "  {key:<width$} = {}  # {}", value.value, visible(&origin(&value.origin)))?;
    }
    if let Some(vm) = vm {
        writeln!(out, "the VM")?;
        for step in &vm.steps {
            writeln!(out, "  {step}")?;
        }
        writeln!(out, "  boots with {} vCPUs and {} MiB", vm.boot.vcpus, vm.boot.mib)?;
    }
    Ok(())
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

/// As JSON.
pub fn json(pod: &Pod, evaluation: &Evaluation, vm: Option<&VmSize>) -> Json {
    let sum = pod.sum.as_ref().map(|sum| {
        let line = |l: &crate::input::manifest::SizingLine| {
            json!({ "who": l.who, "cpu": l.cpu, "memory": l.memory, "note": l.note })
        };
        json!({ "limits": sum.lines.iter().map(line).collect::<Vec<_>>(), "steps": sum.steps })
    });
    let sent = pod.sizing.map(|s| {
        json!({ "cpu_quota": s.cpu_quota, "cpu_period": s.cpu_period, "cpu_shares": s.cpu_shares, "memory_limit": s.memory_limit })
    });
    let received: serde_json::Map<String, Json> =
        handed_on(evaluation).into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    let effective: serde_json::Map<String, Json> = relevant(evaluation)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), json!({ "value": value.value, "origin": value.origin.kind() })))
        .collect();
    let vm = vm.map(|vm| {
        let amount = |a: Amount| json!({ "vcpus": a.vcpus, "memory_mib": a.mib });
        json!({ "boot": amount(vm.boot), "whole": amount(vm.whole), "steps": vm.steps })
    });
    json!({
        "pod": pod.id(), "sum": sum, "sizing": sent, "received": received, "effective": effective, "vm": vm,
    })
}
