//! What a careful reader would add once the whole story of a pod is known.
//!
//! Raises findings that need more than one step: the container runtime and the sizing, the policy and
//! the files as shipped, the VM and the host. Judges nothing. Facts: what users of Kata report.

use super::remark::finding;
use super::vm_size::{VmSize, Workload};
use super::{Evaluation, Evaluator, container_root, devices, host_limits, look, own_keys, typos};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{FailureStage, Fix, Stage, Status, Verdict};
use crate::catalog::{HYPERVISOR_PREFIX, KATA_PREFIX, shipped};
use crate::cri::Engine;
use crate::input::host::HostFacts;
use crate::input::manifest::{Form, Pod};
use crate::input::search;

/// What is pointed out about `pod` on top of what Kubernetes, the container runtime and Kata say.
pub(super) fn notices(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Vec<Finding> {
    let mut found = Vec::new();
    misspelt(evaluator, pod, evaluation, &mut found);
    gated(evaluator, pod, evaluation, &mut found);
    sizes(evaluator, pod, evaluation, &mut found);
    guest(pod, evaluation, &mut found);
    handler(evaluator, pod, evaluation, &mut found);
    found.extend(container_root::notice(evaluator, pod, evaluation));
    found.extend(devices::notice(evaluator, pod, evaluation));
    found.extend(own_keys::notice(evaluator, pod, evaluation));
    found.extend(look::of_another(evaluator, pod));
    found.extend(evaluator.unread_keys().iter().cloned());
    host_limits::notice(evaluator, pod, evaluation, &mut found);
    found
}

/// The way out of what a runtime's own remark points at, where it names none.
pub(super) fn advise(finding: &mut Finding) {
    if finding.fix.is_some() {
        return;
    }
    let advice = match finding.code {
        Code::OverheadOnly => "give the pod a memory limit beside its CPU limit (resources.limits.memory)",
        Code::Unprotected | Code::OtherProtection => {
            "run the pod on a host with the TEE that the configuration is for, or take a configuration for this one"
        }
        Code::InitdataDropped => "take a hypervisor and a block device driver that attach the disk with it",
        Code::InitdataCut => "pin the beginning that is kept, or name an algorithm whose digest fits whole",
        Code::NotANumber => "write a number",
        Code::NoEffect => "leave it out: on this hypervisor it does nothing",
        Code::PolicyDisabled => "mend or remove the invalid pattern",
        Code::GlobOverFolders => "write the folder's files one by one, or a pattern without * before a /",
        Code::PathClimbs => "write the pattern without a * that .. fits into",
        _ => return,
    };
    finding.fix = Some(Fix::Advice(advice.into()));
}

/// Keys that were meant to be Kata's.
fn misspelt(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, found: &mut Vec<Finding>) {
    let release = evaluator.setup().release;
    for (verdict, annotation) in evaluation.verdicts.iter().zip(&pod.annotations) {
        // Of an unknown key the verdict itself says it.
        let lost = matches!(verdict.status, Status::Dropped | Status::Ignored);
        if !lost {
            continue;
        }
        let Some(key) = typos::meant(&verdict.key, release) else { continue };
        let (code, message) = if typos::moved(&verdict.key) {
            (
                Code::KeyMoved,
                format!("{} moved: it is {key} now, and the old key is read by nothing", verdict.key),
            )
        } else {
            (Code::KeyMisspelt, format!("no runtime reads {}; did you mean {key}?", verdict.key))
        };
        let finding = finding(code, Severity::Ignored, pod, Who::PodAuthor, message, format!("write {key}"));
        found.push(finding.about(verdict.key.as_str()).at(annotation.place.clone()));
    }
}

/// Names that the policy does not let in: where they would be, and what becomes of an edit.
fn gated(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, found: &mut Vec<Finding>) {
    let names: Vec<&str> = evaluation
        .verdicts
        .iter()
        .filter(|v| v.stage == Stage::Name && matches!(v.status, Status::Refused | Status::Ignored))
        .filter_map(|v| v.key.strip_prefix(HYPERVISOR_PREFIX))
        .collect();
    if names.is_empty() {
        return;
    }
    let setup = evaluator.setup();
    let who = Who::ClusterAdministrator;
    let files = shipped::letting_in(setup.release, &names);
    let title = setup.release.title();
    let verb = if names.len() == 1 { "is" } else { "are together" };
    let message = match files.as_slice() {
        [] => format!("as shipped, no configuration of {title} lets {} in", names.join(", ")),
        [first, rest @ ..] if rest.len() > 2 => format!(
            "as shipped, {} {verb} let in by {first} and {} other configurations of {title}",
            names.join(", "),
            rest.len()
        ),
        files => format!("as shipped, {} {verb} let in by {}", names.join(", "), files.join(", ")),
    };
    found.push(finding(Code::ShippedPolicy, Severity::Note, pod, who, message, ""));
    let path = setup.layers.resolved.as_deref().unwrap_or(&setup.layers.asked);
    if search::is_rewritten(path) {
        let message =
            format!("{path} is rewritten by kata-deploy: an edit of it is lost at the next restart");
        let fix = "put the list into a drop-in (katascope policy allow --drop-in), whole, since a drop-in \
                   replaces it; or set allowedHypervisorAnnotations in kata-deploy's Helm values";
        found.push(finding(Code::FileRewritten, Severity::Note, pod, who, message, fix));
    }
}

/// The VM's size against the host, and a size that never arrives.
fn sizes(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, found: &mut Vec<Finding>) {
    let Some(sizing) = evaluation.sizing else { return };
    let limited = sizing.cpu_quota != 0 || sizing.memory_limit > 0;
    let setup = evaluator.setup();
    let arrives = || own_keys::sizes_itself(evaluator, pod, evaluation);
    if limited && matches!(setup.engine, Engine::Crio(_)) && pod.form == Form::Kubernetes && !arrives() {
        let message = "CRI-O hands the pod's limits on under a key that Kata does not read: the VM's size at boot \
                       is the configured one, whatever the limits are";
        let fix = "give the pod default_vcpus and default_memory, or make a handler with a configuration of its own";
        found.push(finding(
            Code::SizeNotDelivered,
            Severity::Warning,
            pod,
            Who::ClusterAdministrator,
            message.into(),
            fix,
        ));
    }
    let Some(received) = evaluation.received.as_ref() else { return };
    let asks =
        || evaluation.verdicts.iter().any(|v| v.field.as_deref().is_some_and(|f| f.contains(".default_")));
    if !limited && !asks() {
        return;
    }
    let Some(base) = evaluator.base() else { return };
    let workload = Workload::of(setup.release, received);
    let vm = VmSize::bare(setup.release, base, workload, &evaluation.verdicts);
    let told = |line: usize| {
        let told = VmSize::of(setup.release, base, workload, &evaluation.verdicts);
        told.steps.get(line).cloned().unwrap_or_default()
    };
    let facts = &setup.host.facts;
    let mut beyond = |what: &str, asked: f64, has: f64, unit: &str, line: usize| {
        if has <= 0.0 || asked <= has {
            return;
        }
        let message = format!("the VM is to have {asked} {unit}, and the host has {has} ({})", told(line));
        let fix =
            format!("lower the {what} limit or default_{}", if what == "CPU" { "vcpus" } else { "memory" });
        found.push(finding(Code::LargerThanHost, Severity::Warning, pod, Who::PodAuthor, message, fix));
    };
    // A remote VM does not live on this host, and of a host whose size nobody knows nothing is too large.
    if evaluator.hypervisor() != Some("remote") {
        if !facts.guesses("memory_mib") {
            beyond("memory", vm.whole.mib, facts.memory_mib as f64, "MiB", 1);
        }
        if !facts.guesses("cpus") {
            beyond("CPU", vm.whole.vcpus, f64::from(facts.cpus), "vCPUs", 0);
        }
        found.extend(past_affinity(facts, pod, vm.whole.vcpus, || told(0)));
    }
    let unsized_cpu = base.is_static()
        && setup.release.runtime == crate::release::Runtime::Rs
        && workload.vcpus == 0.0
        && workload.mib > 0;
    let is_wanted =
        |v: &&Verdict| v.status == Status::Overridden && v.key.ends_with(".hypervisor.default_vcpus");
    // Where kubelet keeps the quota back, the pod has a limit, and another one helps nothing.
    let kept_back = |f: &Finding| matches!(f.code, Code::ExclusiveCpus | Code::CfsQuotaOff);
    if unsized_cpu
        && !evaluation.findings.iter().any(kept_back)
        && let Some(verdict) = evaluation.verdicts.iter().find(is_wanted)
    {
        let message = format!(
            "default_vcpus {} is read and then replaced: the pod has a memory limit and no CPU limit, so static \
             sizing comes to {} ({})",
            verdict.value,
            vm.boot.vcpus,
            told(0),
        );
        let fix = format!("set resources.limits.cpu: {}", verdict.value.trim());
        let finding = finding(Code::SizeReplaced, Severity::Warning, pod, Who::PodAuthor, message, fix);
        found.push(finding.about(verdict.key.as_str()));
    }
}

/// A VM of more vCPUs than the shim, and so the VMM, may run on.
fn past_affinity(facts: &HostFacts, pod: &Pod, vcpus: f64, told: impl Fn() -> String) -> Option<Finding> {
    let allowed = facts.cpus_allowed.filter(|allowed| f64::from(*allowed) < vcpus)?;
    if vcpus > f64::from(facts.cpus) {
        return None;
    }
    let message = format!(
        "the VM is to have {vcpus} vCPUs ({}), and the shim and its VMM may run on {allowed} of the host's {} CPUs \
         (the affinity of the container runtime's service)",
        told(),
        facts.cpus
    );
    let fix = "lower the CPU limit or default_vcpus, or let the service use more CPUs (CPUAffinity= of its systemd unit)";
    Some(finding(Code::LargerThanHost, Severity::Warning, pod, Who::ClusterAdministrator, message, fix))
}

/// What the guest image must bring.
fn guest(pod: &Pod, evaluation: &Evaluation, found: &mut Vec<Finding>) {
    let modules = evaluation.verdicts.iter().find(|v| {
        v.status == Status::Applied && v.key.ends_with(".agent.kernel_modules") && !v.value.is_empty()
    });
    let Some(verdict) = modules else { return };
    let mut message = String::with_capacity(160 + verdict.value.len());
    message
        .push_str("the annotation arrives, and the guest image must bring the module for its own kernel (");
    let names = verdict.value.split(';').filter_map(|module| module.split_whitespace().next());
    for (number, name) in names.enumerate() {
        message.extend([if number == 0 { "" } else { ", " }, name]);
    }
    message.push_str("): otherwise the pod fails when the VM runs");
    let fix = "build the module into the guest image; a mount of /lib/modules comes too late";
    let finding = finding(Code::GuestMustBring, Severity::Note, pod, Who::ImageBuilder, message, fix);
    found.push(finding.about(verdict.key.as_str()));
}

/// A handler that is not there, or whose table nobody reads.
fn handler(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, found: &mut Vec<Finding>) {
    let Engine::Containerd(containerd) = &evaluator.setup().engine else { return };
    let Ok(handlers) = &containerd.handlers else { return };
    let missing = evaluation.outcome.failure().is_some_and(|f| f.stage == FailureStage::Cri);
    if missing {
        let names: Vec<&str> = handlers.by_name.keys().map(String::as_str).collect();
        let mut message =
            format!("containerd {} reads these handlers: {}", containerd.release, names.join(", "));
        for (name, place) in containerd.lost() {
            let last = containerd.files.last().map_or("", String::as_str);
            let how = if containerd.release.is_v1() && last != &*place.file {
                format!("lost: containerd 1.x replaces all handlers by those of {last}")
            } else {
                "lost: the table is not read".to_owned()
            };
            message.push_str(&format!("; {name} of {}:{} is {how}", place.file, place.line));
        }
        let fix = "add the handler's table to a file that containerd reads, or correct the RuntimeClass";
        let who = Who::ClusterAdministrator;
        found.push(finding(Code::HandlerMissing, Severity::Note, pod, who, message, fix));
    }
    let kata = pod.annotations.iter().any(|a| a.key.starts_with(KATA_PREFIX));
    if !missing && !kata {
        return;
    }
    for (table, place) in &handlers.unread {
        let message = format!(
            "the table [plugins.\"{table}\"] is of another version of the file: containerd {} ignores it",
            containerd.release
        );
        let fix = "move its handlers to the table of the file's own version";
        let who = Who::ClusterAdministrator;
        let mut one = finding(Code::TableUnread, Severity::Warning, pod, who, message, fix);
        one.place = Some(place.clone());
        found.push(one);
    }
}
