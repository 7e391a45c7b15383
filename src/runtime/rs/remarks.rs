//! What a careful reader would point out about a pod that runtime-rs lets start, or about its policy.
//!
//! Judges nothing: every remark names what the runtime does anyway. Facts:
//! src/libs/kata-types/src/annotations/mod.rs and src/libs/kata-types/src/config at 4.1.0.

use std::borrow::Cow;

use super::annotations::{Attempt, Decision, Gates, Known};
use super::boot;
use super::config::{Config, Hypervisor};
use super::sizing::Workload;
use crate::answer::finding::{Code, Finding, Who};
use crate::input::Text;
use crate::release::Release;

/// Why nothing uses an annotation on this hypervisor; `None` where something does.
pub fn unused(known: Known, hypervisor: &str, release: Release) -> Option<Cow<'static, str>> {
    let Known { rule, reader, .. } = known;
    if !reader.effective {
        return Some(format!("sets {}, which nothing in {} uses", rule.field, release.title()).into());
    }
    (!reader.used_on(hypervisor)).then(|| {
        format!(
            "sets {}, which {hypervisor} does not use (only {})",
            rule.field,
            reader.hypervisors.join(", ")
        )
        .into()
    })
}

/// What loading leaves standing of a table's policy.
pub fn of_table(hv: &Hypervisor, name: &str, gates: &Gates) -> Option<Finding> {
    if !gates.names.disabled() {
        return None;
    }
    let patterns = &hv.security_info.enable_annotations;
    let bad = gates.names.invalid().filter_map(|(i, _)| Some(format!("{:?}", patterns.get(i)?)));
    let message = format!(
        "{} is not a regular expression, and one such pattern disables all of enable_annotations",
        bad.collect::<Vec<_>>().join(", ")
    );
    let finding = Finding::warning(Code::PolicyDisabled, Who::ClusterAdministrator, message);
    let finding = finding.about(format!("hypervisor.{name}.enable_annotations"));
    Some(finding.at(gates.names_place.clone()))
}

/// Remarks on one pod. `unused` tells of an annotation why nothing uses it.
pub fn of_pod<'t>(
    attempts: &[Attempt<'_>],
    unused: impl Fn(&Attempt<'_>) -> Option<&'t Text>,
    gates: &Gates,
    config: &Config,
    workload: Workload,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(hv) = config.active_hypervisor() else { return findings };
    for attempt in attempts.iter().filter(|t| matches!(t.decision, Decision::Taken)) {
        let Some(known) = attempt.known else { continue };
        if let Some(why) = unused(attempt) {
            let finding = Finding::warning(Code::NoEffect, Who::PodAuthor, why.as_str());
            findings.push(finding.about(attempt.key.as_str()));
        }
        if let Some(list) = known.list() {
            let pattern = attempt.path_pattern.and_then(|i| hv.list(list).get(i));
            let over = attempt.path_pattern.zip(gates.path(list));
            let over = over.is_some_and(|(index, gate)| gate.reaches_over_folders(index, attempt.value));
            findings.extend(admitted(attempt, list, pattern.map_or("", String::as_str), over));
        }
    }
    let subject = |key: &str| format!("hypervisor.{}.{key}", config.runtime.hypervisor_name);
    if let Some(params) = boot::params_in_random_order(&hv.boot_info, config.release) {
        let message = format!(
            "the agent's kernel parameters stand in random order, new at every start, and one of the orders is shown: {params}"
        );
        let finding = Finding::note(Code::RandomOrder, Who::ClusterAdministrator, message);
        findings.push(finding.about(subject("kernel_params")));
    }
    if hv.cpu_info.default_vcpus.is_nan() {
        let message =
            "default_vcpus is not a number (NaN): it passes every check, and the VM starts with 0 or 1 vCPU";
        let finding = Finding::warning(Code::NotANumber, Who::PodAuthor, message);
        findings.push(finding.about(subject("default_vcpus")));
    }
    if config.runtime.static_sandbox_resource_mgmt && workload.vcpus > 0.0 && workload.memory == 0 {
        let message = format!(
            "the pod limits CPU but not memory, so static sizing leaves the VM overhead_memory alone: {} MiB",
            hv.memory_info.default_memory
        );
        let finding = Finding::warning(Code::OverheadOnly, Who::PodAuthor, message);
        findings.push(finding.about(subject("overhead_memory")));
    }
    findings
}

/// Paths that a glob lets through though nobody may have meant it.
fn admitted(attempt: &Attempt<'_>, list: &str, pattern: &str, over_folders: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |code, message: String| {
        let finding = Finding::warning(code, Who::ClusterAdministrator, message);
        findings.push(finding.about(attempt.key.as_str()));
    };
    if over_folders {
        let message =
            format!("{pattern:?} of {list} lets {:?} through because its * reaches over /", attempt.value);
        say(Code::GlobOverFolders, message);
    }
    if attempt.value.contains("..") && attempt.value.split('/').any(|part| part == "..") {
        let message = format!(
            "{pattern:?} of {list} lets {:?} through: the text matches, and .. leads out of the folder",
            attempt.value
        );
        say(Code::PathClimbs, message);
    }
    findings
}
