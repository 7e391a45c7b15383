//! The findings of an evaluation: what a refused pod and each verdict have to say to a reader.
//!
//! Decides code, severity and who can mend it, and puts the parts of an evaluation together. What a careful
//! reader would add beyond the verdicts: `notice`.

use super::{Evaluation, Outcome, notice, way_out};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Failure, FailureStage, Fix, Status, Verdict};
use crate::catalog::KATA_PREFIX;
use crate::input::Annotations;
use crate::input::manifest::{Pod, PodAnnotation, Sizing};
use crate::runtime::Run;

pub(super) fn finish(
    pod: &Pod,
    outcome: Outcome,
    verdicts: Vec<Verdict>,
    run: Run,
    sizing: Option<Sizing>,
    received: Option<Annotations>,
) -> Evaluation {
    let mut findings = run.findings;
    for finding in findings.iter_mut().filter(|f| f.place.is_none()) {
        let set = pod.annotations.iter().find(|a| Some(a.key.as_str()) == finding.subject.as_deref());
        finding.place = set.map(|a| a.place.clone());
    }
    findings.iter_mut().for_each(notice::advise);
    findings.extend(pod.findings.iter().cloned());
    if let Some(failure) = outcome.failure() {
        findings.extend(refusal(pod, failure, &verdicts));
    }
    let judged = matches!(outcome, Outcome::Starts | Outcome::Refused(_));
    for (annotation, verdict) in pod.annotations.iter().zip(&verdicts).filter(|_| judged) {
        // Without a detour by way of an iterator, which would move a large `None` for almost each.
        if let Some(finding) = of_verdict(annotation, verdict) {
            findings.push(finding);
        }
    }
    Evaluation {
        outcome,
        verdicts,
        findings,
        effective: run.effective,
        launch: run.launch,
        agent: run.agent,
        sizing,
        received,
        ..Evaluation::default()
    }
}

/// The finding of a refused pod; `None` where a verdict already says it.
fn refusal(pod: &Pod, failure: &Failure, verdicts: &[Verdict]) -> Option<Finding> {
    let said = verdicts.iter().any(|v| {
        matches!(v.status, Status::Refused | Status::Invalid)
            && failure.annotation.as_deref() == Some(v.key.as_str())
    });
    if said && !failure.panic {
        return None;
    }
    let (code, who) = match failure {
        Failure { panic: true, .. } => (Code::RuntimePanics, Who::ClusterAdministrator),
        Failure { stage: FailureStage::Load, .. } => (Code::ConfigLoad, Who::ClusterAdministrator),
        Failure { stage: FailureStage::Kubernetes, .. } => (Code::PodRefused, Who::PodAuthor),
        _ => (Code::PodRefused, Who::ClusterAdministrator),
    };
    let of_kubernetes = failure.stage == FailureStage::Kubernetes;
    let fix = pod.problems.iter().filter(|_| of_kubernetes).find_map(|problem| problem.fix.clone());
    let fix = fix.map(|text| Fix::Advice(text.into()));
    let finding = Finding::new(code, Severity::Refused, who, &failure.message).at(pod.place());
    Some(Finding { subject: failure.annotation.clone(), fix, ..finding })
}

/// What a verdict has to say, of the annotation that it is about: verdicts stand in the pod's order.
fn of_verdict(annotation: &PodAnnotation, verdict: &Verdict) -> Option<Finding> {
    let (code, severity) = match verdict.status {
        Status::Applied => return None,
        Status::Overridden => (Code::AnnotationOverridden, Severity::Warning),
        Status::Ignored if !verdict.key.starts_with(KATA_PREFIX) => return None,
        Status::Ignored => (Code::AnnotationIgnored, Severity::Ignored),
        Status::Refused => (Code::AnnotationRefused, Severity::Refused),
        Status::Dropped if !verdict.key.starts_with(KATA_PREFIX) => return None,
        Status::Dropped => (Code::AnnotationDropped, Severity::Ignored),
        Status::Invalid => (Code::AnnotationInvalid, Severity::Refused),
        Status::Unknown => (Code::AnnotationUnknown, Severity::Ignored),
    };
    let who = match way_out::is_the_authors(verdict) {
        true => Who::PodAuthor,
        false => Who::ClusterAdministrator,
    };
    let finding = Finding::new(code, severity, who, verdict.reason());
    let finding = finding.about(verdict.key.as_str()).at(annotation.place.clone());
    Some(Finding { fix: verdict.fix.as_deref().cloned(), ..finding })
}
