//! What a careful reader would point out about a pod that runtime-rs lets start, or about its policy.
//!
//! Judges nothing: every remark names what the runtime does anyway.

use std::borrow::Cow;

use super::annotations::{Action, Fate, Gates, Rule, Trail};
use super::config::Config;
use super::list_of;
use super::load::Read;
use super::sizing::Workload;
use crate::catalog::{self, Generation};
use crate::finding::{Code, Finding, Severity, Who};
use crate::input::Host;
use crate::input::host::Protection;

/// Why nothing uses an annotation on this hypervisor; `None` where something does.
pub fn unused(rule: &Rule, hypervisor: &str) -> Option<Cow<'static, str>> {
    let reader = catalog::annotation(rule.key)?.reader(Generation::Rs41);
    if !reader.effective {
        return Some(format!("sets {}, which nothing in runtime-rs 4.1 uses", rule.field).into());
    }
    let used = reader.hypervisors.is_empty() || reader.hypervisors.contains(&hypervisor);
    (!used).then(|| {
        format!(
            "sets {}, which {hypervisor} does not use (only {})",
            rule.field,
            reader.hypervisors.join(", ")
        )
        .into()
    })
}

fn remark(code: Code, severity: Severity, subject: &str, message: String, who: Who) -> Finding {
    Finding { code, severity, subject: Some(subject.to_owned()), place: None, message, fix: None, who }
}

/// What loading leaves standing: remarks on the policy and the host, once for a table.
pub fn of_table(read: &Read, name: &str, gates: &Gates, host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(hv) = read.adjusted.hypervisor.get(name) else { return findings };
    let mut say = |code, key: &str, message| {
        let subject = format!("hypervisor.{name}.{key}");
        let place = read.places.get(&subject).cloned();
        let who = Who::ClusterAdministrator;
        findings.push(Finding { place, ..remark(code, Severity::Warning, &subject, message, who) });
    };
    if gates.names.disabled() {
        let bad: Vec<String> = gates
            .names
            .invalid()
            .filter_map(|(i, _)| hv.security_info.enable_annotations.get(i))
            .map(|p| format!("{p:?}"))
            .collect();
        let message = format!(
            "{} is not a regular expression, and one such pattern disables all of enable_annotations",
            bad.join(", ")
        );
        say(Code::PolicyDisabled, "enable_annotations", message);
    }
    if hv.security_info.confidential_guest && host.facts.protection == Protection::None {
        let message = "confidential_guest is set, and the host has no TEE".to_owned();
        say(Code::NoTee, "confidential_guest", message);
    }
    findings
}

/// Remarks on one pod.
pub fn of_pod(trails: &[Trail<'_>], config: &Config, workload: Workload) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(hv) = config.active_hypervisor() else { return findings };
    for trail in trails.iter().filter(|t| t.fate == Fate::Taken) {
        let Some(rule) = trail.rule else { continue };
        if let Some(why) = unused(rule, &config.runtime.hypervisor_name) {
            findings.push(remark(Code::NoEffect, Severity::Warning, trail.key, why.into(), Who::PodAuthor));
        }
        if let Action::Listed(list, _) = rule.action {
            let pattern = trail.path_pattern.and_then(|i| list_of(hv, list.key()).get(i));
            findings.extend(admitted(trail, list.key(), pattern.map_or("", String::as_str)));
        }
    }
    let subject = format!("hypervisor.{}", config.runtime.hypervisor_name);
    if hv.cpu_info.default_vcpus.is_nan() {
        let message =
            "default_vcpus is not a number (NaN): it passes every check, and the VM starts with 0 or 1 vCPU"
                .to_owned();
        findings.push(remark(
            Code::NotANumber,
            Severity::Warning,
            &format!("{subject}.default_vcpus"),
            message,
            Who::PodAuthor,
        ));
    }
    if config.runtime.static_sandbox_resource_mgmt && workload.vcpus > 0.0 && workload.memory == 0 {
        let message = format!(
            "the pod limits CPU but not memory, so static sizing leaves the VM overhead_memory alone: {} MiB",
            hv.memory_info.default_memory
        );
        findings.push(remark(
            Code::OverheadOnly,
            Severity::Warning,
            &format!("{subject}.overhead_memory"),
            message,
            Who::PodAuthor,
        ));
    }
    findings
}

/// Paths that a glob lets through though nobody may have meant it.
fn admitted(trail: &Trail<'_>, list: &str, pattern: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let who = Who::ClusterAdministrator;
    let strict = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    if glob::Pattern::new(pattern).is_ok_and(|glob| !glob.matches_with(trail.value, strict)) {
        let message =
            format!("{pattern:?} of {list} lets {:?} through because its * reaches over /", trail.value);
        findings.push(remark(Code::GlobOverFolders, Severity::Warning, trail.key, message, who));
    }
    if trail.value.split('/').any(|part| part == "..") {
        let message = format!(
            "{pattern:?} of {list} lets {:?} through: the text matches, and .. leads out of the folder",
            trail.value
        );
        findings.push(remark(Code::PathClimbs, Severity::Warning, trail.key, message, who));
    }
    findings
}
