//! What a careful reader of a manifest would point out, before any runtime looks at it.
//!
//! Refuses nothing. Each finding names who can mend it. Facts: what Kubernetes 1.36.2 takes without a word
//! and Kata never gets to see.

use super::Node;
use super::names::ANNOTATIONS_LIMIT;
use super::quantity::Quantity;
use super::resources::{PodResources, Role};
use super::sizing::Size;
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::Fix;
use crate::catalog::KATA_PREFIX;
use crate::input::Place;
use crate::input::manifest::{Object, Pod, RuntimeClass, Stray};

fn finding(code: Code, severity: Severity, place: Option<Place>, message: String, fix: String) -> Finding {
    let fix = (!fix.is_empty()).then(|| Fix::Advice(fix.into()));
    Finding { code, severity, subject: None, place, message, fix, who: Who::PodAuthor }
}

/// Kata annotations on the wrong object.
pub fn strays(strays: &[Stray]) -> Vec<Finding> {
    let one = |stray: &Stray| {
        let message =
            format!("{} stands at {} of a {}: its pods never get it", stray.key, stray.path, stray.kind);
        let fix = format!("move it to {}", stray.right_path);
        let place = Some(stray.place.clone());
        Finding {
            subject: Some(stray.key.clone()),
            ..finding(Code::AnnotationMisplaced, Severity::Ignored, place, message, fix)
        }
    };
    strays.iter().map(one).collect()
}

/// The annotation by which a pod asks for a longer start.
const TIMEOUT: &str = "io.katacontainers.config.runtime.create_container_timeout";

/// A start that may take longer for Kata than for kubelet.
pub fn timeout(pod: &Pod, node: &Node) -> Option<Finding> {
    let annotation = pod.annotations.iter().find(|a| a.key == TIMEOUT)?;
    let asked: i64 = annotation.value.trim().parse().ok()?;
    let limit = node.kubelet.request_timeout / 1_000_000_000;
    (asked > limit).then(|| Finding {
        subject: Some(annotation.key.to_string()),
        who: Who::ClusterAdministrator,
        ..finding(
            Code::ShortTimeout,
            Severity::Warning,
            Some(annotation.place.clone()),
            format!(
                "kubelet gives up after {limit} s (runtimeRequestTimeout), before the {asked} s asked for here: \
                 the shorter one counts, {limit} s; raising only one does not help"
            ),
            format!("set runtimeRequestTimeout: {asked}s in kubelet's configuration as well"),
        )
    })
}

/// What the way of writing does.
pub fn writing(pod: &Pod, object: &Object<'_, '_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let kata = |key: &str| key.starts_with(KATA_PREFIX);
    if pod.runtime_class.is_none() && pod.annotations.iter().any(|a| kata(&a.key)) {
        let message = "no runtimeClassName: the pod runs in the node's default runtime, and unless that is Kata \
                       none of its Kata annotations has any effect";
        let fix = "add runtimeClassName: with the name of a RuntimeClass of Kata to the pod's spec";
        let place = Some(pod.place());
        found.push(finding(Code::NoRuntimeClass, Severity::Warning, place, message.into(), fix.into()));
    }
    for annotation in pod.annotations.iter().filter(|a| kata(&a.key) && a.value.ends_with('\n')) {
        let message = format!("the value of {} ends with a line break, which | and > keep", annotation.key);
        let fix = "write |- or >- instead, or put the value in quotes on one line";
        let place = Some(annotation.place.clone());
        found.push(Finding {
            subject: Some(annotation.key.to_string()),
            ..finding(Code::TrailingNewline, Severity::Warning, place, message, fix.into())
        });
    }
    for annotation in &pod.annotations {
        if object
            .repeats
            .iter()
            .any(|r| annotation.key == r.key && object.places.of(r.at) == annotation.place)
        {
            let message = format!(
                "{} is written twice: this one counts, the earlier one is dropped without a word",
                annotation.key
            );
            let place = Some(annotation.place.clone());
            found.push(Finding {
                subject: Some(annotation.key.to_string()),
                ..finding(
                    Code::DuplicateKey,
                    Severity::Warning,
                    place,
                    message,
                    "delete one of the two".into(),
                )
            });
        }
    }
    let lost = pod.problems.iter().any(|p| p.annotation.is_some() && p.message.contains("cannot unmarshal"));
    if object.list.is_some() && lost {
        let message = "kubectl create refuses this item; kubectl apply takes it without a word and drops all of its \
                       annotations, because one of them is no string";
        let fix = "put the value in quotes";
        let place = pod.problems.first().and_then(|p| p.place.clone());
        found.push(finding(Code::ListApplyLoss, Severity::Warning, place, message.into(), fix.into()));
    }
    let total: usize = pod.annotations.iter().map(|a| a.key.len() + a.value.len()).sum();
    if pod.problems.is_empty() && total * 2 > ANNOTATIONS_LIMIT && pod.kind == "Pod" {
        let message = format!(
            "{total} bytes of annotations: client-side kubectl apply stores a second copy of them in an annotation, \
             and {ANNOTATIONS_LIMIT} bytes are all there is"
        );
        let fix = "use kubectl create, or kubectl apply --server-side";
        found.push(finding(Code::ApplySize, Severity::Warning, Some(pod.place()), message, fix.into()));
    }
    found
}

/// What the resources do to the VM's size.
pub fn sizing(pod: &Pod, resources: &PodResources, size: &Size, node: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    let place = || Some(pod.place());
    let some = |q: &Option<Quantity>| q.is_some_and(|q| !q.is_zero());
    let mut only_requests = Vec::new();
    if some(&size.cpu_request) && !some(&size.cpu) {
        only_requests.push("CPU");
    }
    if some(&size.memory_request) && !some(&size.memory) {
        only_requests.push("memory");
    }
    if !only_requests.is_empty() {
        let what = only_requests.join(" and ");
        let message = format!("the pod requests {what} and has no {what} limit: requests do not size the VM");
        let fix = format!("set a {what} limit");
        found.push(finding(Code::RequestsWithoutLimits, Severity::Note, place(), message, fix));
    }
    let running = || resources.containers.iter().filter(|c| c.role != Role::Init);
    let bare: Vec<&str> = running().filter(|c| c.limits.is_empty()).map(|c| c.name.as_str()).collect();
    if resources.pod.is_none() && !bare.is_empty() && running().any(|c| !c.limits.is_empty()) {
        let message = format!(
            "{} {} no limits and {} nothing to the VM's size, which is that of the other containers alone",
            bare.join(", "),
            if bare.len() == 1 { "has" } else { "have" },
            if bare.len() == 1 { "adds" } else { "add" },
        );
        let fix = "set limits for every container";
        found.push(finding(Code::PartialLimits, Severity::Warning, place(), message, fix.into()));
    }
    if !node.kubelet.cfs_quota && some(&size.cpu) {
        let message = "kubelet has cpuCFSQuota: false: the CPU limit is not handed on, and the runtimes see 0 CPUs; with \
             static sizing and a memory limit runtime-rs then starts 1 vCPU, whatever default_vcpus is";
        let fix =
            "set cpuCFSQuota: true in kubelet's configuration (with the Go runtime default_vcpus helps too)";
        found.push(Finding {
            who: Who::ClusterAdministrator,
            ..finding(Code::CfsQuotaOff, Severity::Warning, place(), message.into(), fix.into())
        });
    }
    if size.sizing.is_some_and(|s| s.cpu_quota == -1) {
        let message = "the static CPU manager gives this pod CPUs of its own, so kubelet sends quota -1: the Go \
                       runtime goes by the shares instead, runtime-rs sees 0 CPUs";
        let fix = "ask for a CPU limit that is no whole number, such as 1900m in place of 2, so that kubelet sends a quota";
        found.push(finding(Code::ExclusiveCpus, Severity::Warning, place(), message.into(), fix.into()));
    }
    found
}

/// The overhead of a RuntimeClass, which is not where its name points.
pub fn overhead(pod: &Pod, class: &RuntimeClass) -> Option<Finding> {
    if class.overhead.is_empty() {
        return None;
    }
    let amounts: Vec<_> = class.overhead.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
    let message = format!(
        "the overhead of RuntimeClass {} ({}) enlarges the pod's cgroup and what the scheduler counts, not the VM",
        class.name,
        amounts.join(", ")
    );
    Some(finding(Code::OverheadLeftOut, Severity::Note, Some(pod.place()), message, String::new()))
}
