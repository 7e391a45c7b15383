//! From what the walk wrote down to one verdict for each annotation, and the findings beside them.
//!
//! Decides the words; what becomes of each was decided before. Facts: none of its own.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::annotations::walk::{Attempt, Decision, Walk};
use super::config::SandboxConfig;
use super::prepared::{self, Prepared};
use super::{Loaded, sizing};
use crate::answer::finding::{Code, Finding, Who};
use crate::answer::verdict::{Fix, Note, Reason, Stage, Status, Step, Trace, Verdict};
use crate::catalog::{self, HYPERVISOR_PREFIX, Id};
use crate::input::Text;
use crate::runtime::Run;
use crate::runtime::refusal::allow_name;

/// One for each annotation that is Kata's, in key order.
pub(super) fn verdicts<'a>(
    loaded: &'a Loaded,
    walk: &mut Walk<'a>,
    findings: &mut Vec<Finding>,
) -> Vec<Verdict> {
    let mut sized = None;
    let attempts = std::mem::take(&mut walk.attempts);
    attempts.into_iter().map(|attempt| verdict(loaded, walk, attempt, &mut sized, findings)).collect()
}

/// A verdict that knows where the annotation's way ended, and why.
fn ended(attempt: Attempt<'_>, status: Status, stage: Stage, reason: impl Into<Reason>) -> Verdict {
    Verdict {
        field: attempt.read.and_then(|(_, prepared)| prepared.name.clone()),
        ..Verdict::new(attempt.key, attempt.value, status, stage, reason)
    }
}

/// The verdict on a name that the name gate does not let through.
fn not_enabled(loaded: &Loaded, attempt: Attempt<'_>) -> Verdict {
    let short = attempt.key.strip_prefix(HYPERVISOR_PREFIX).unwrap_or(attempt.key);
    let reason = Text::from(match loaded.runtime().hypervisor_config.enable_annotations.len() {
        0 => format!("enable_annotations of [{}] lets no annotation through", loaded.table),
        _ => format!("no pattern in enable_annotations of [{}] matches {short:?}", loaded.table),
    });
    let fix = match loaded.has_gates() {
        true => allow_name(loaded.table, short),
        false => Fix::Advice(Cow::Borrowed("leave it out: this hypervisor reads no enable_annotations")),
    };
    let place = loaded.hypervisor_place("enable_annotations");
    Verdict {
        trace: vec![Step::new(Stage::Name, false, reason.clone()).at(place)].into(),
        fix: Some(fix.into()),
        ..ended(attempt, Status::Refused, Stage::Name, reason)
    }
}

fn verdict<'a>(
    loaded: &'a Loaded,
    walk: &mut Walk<'a>,
    attempt: Attempt<'a>,
    sized: &mut Option<SandboxConfig>,
    findings: &mut Vec<Finding>,
) -> Verdict {
    let Some((id, prepared)) = attempt.read else { return unknown(loaded, attempt, findings) };
    if !prepared.admitted {
        return not_enabled(loaded, attempt);
    }
    if let Some(wide) = &prepared.wide {
        findings.push(wide.clone());
    }
    let trace = Trace::along(Arc::clone(&prepared.steps));
    let position = walk.decisions.iter().position(|(other, _)| *other == id);
    let Some((_, mark)) = position.map(|at| walk.decisions.swap_remove(at)) else {
        // Nothing was written down: the steps never came to it.
        let reason = "the runtime reads past it";
        return Verdict { trace, ..ended(attempt, Status::Ignored, Stage::Known, reason) };
    };
    let Decision { status, stage, reason, fix, steps, cut } = mark;
    let after = match prepared.key {
        _ if status == Status::Refused => None,
        Some(key) => Some(key.value(&walk.config)),
        None => id.target().map(|_| Json::from(attempt.value.as_str())),
    };
    let mut verdict = Verdict {
        before: before(loaded, walk, sized, (id, prepared)),
        after: after.map(Arc::new),
        fix,
        trace: trace.then(steps),
        ..ended(attempt, status, stage, reason)
    };
    if status == Status::Applied {
        applied(walk, id, prepared, &mut verdict, findings);
    }
    if let Some((asked, kept)) = cut {
        let message = format!("{asked} does not fit 32 bits: the runtime goes on with {kept}");
        let finding = Finding::warning(Code::ValueCut, Who::PodAuthor, message);
        findings.push(finding.about(verdict.key.as_str()));
    }
    verdict
}

/// The verdict on a key that nothing reads.
fn unknown(loaded: &Loaded, attempt: Attempt<'_>, findings: &mut Vec<Finding>) -> Verdict {
    let Some(name) = prepared::name_step(loaded, attempt.key) else { return not_enabled(loaded, attempt) };
    findings.extend(prepared::wide_pattern(loaded, attempt.key));
    let release = loaded.release();
    let near = catalog::nearest(attempt.key, release);
    let mut reason = format!("{} reads no such annotation", release.title());
    if let Some(near) = near {
        reason.extend(["; the nearest that it reads is ", near.key]);
    }
    Verdict {
        fix: near.map(|near| Fix::Advice(format!("did you mean {}?", near.key).into()).into()),
        trace: vec![name, Step::new(Stage::Known, false, "read by nothing")].into(),
        ..ended(attempt, Status::Unknown, Stage::Known, reason)
    }
}

/// The value that would hold without this annotation: the file's, sized as this pod is.
fn before(
    loaded: &Loaded,
    walk: &Walk<'_>,
    sized: &mut Option<SandboxConfig>,
    (id, prepared): (Id, &Prepared),
) -> Option<Arc<Json>> {
    let is_sized = matches!(
        id,
        Id::HypervisorDefaultVcpus | Id::HypervisorDefaultMemory | Id::HypervisorDefaultMaxVcpus
    );
    if !(is_sized && walk.config.runtime.static_sandbox_resource_mgmt) {
        return prepared.before.clone();
    }
    let sized = sized.get_or_insert_with(|| {
        let mut sized = SandboxConfig::new(loaded.runtime(), "", "");
        sized.sandbox_resources = walk.config.sandbox_resources;
        sizing::apply_static(&mut sized);
        sized
    });
    prepared.key.map(|key| Arc::new(key.value(sized)))
}

fn applied(walk: &Walk<'_>, id: Id, prepared: &Prepared, verdict: &mut Verdict, findings: &mut Vec<Finding>) {
    let is_static = walk.config.runtime.static_sandbox_resource_mgmt;
    let sizes = walk.config.sandbox_resources;
    match id {
        Id::HypervisorDefaultMaxVcpus if is_static => {
            let reason = "static sizing sets the maximum to the vCPUs at boot";
            return verdict.end(Status::Overridden, Stage::Sizing, reason);
        }
        Id::HypervisorDefaultVcpus if is_static && sizes.workload_cpus != 0.0 => {
            let note = format!("static sizing adds the pod's {} CPUs", sizes.workload_cpus);
            verdict.trace.push(Step::new(Stage::Sizing, true, note));
        }
        Id::HypervisorDefaultMemory if is_static && sizes.workload_mem_mb != 0 => {
            let note = format!("static sizing adds the pod's {} MiB", sizes.workload_mem_mb);
            verdict.trace.push(Step::new(Stage::Sizing, true, note));
        }
        _ => {}
    }
    let (reason, note) = match &verdict.after {
        Some(after) => (Reason::Sets { but: prepared.unused }, Note::Shown(Arc::clone(after))),
        // No key stands for it, so that there is nothing that could use it either.
        None => ("read when each container is created".into(), "in effect".into()),
    };
    verdict.reason = reason;
    verdict.trace.push(Step::new(Stage::Effective, true, note));
    if let Some(why) = prepared.unused {
        let finding = Finding::warning(Code::NoEffect, Who::PodAuthor, format!("accepted, but {why}"));
        findings.push(finding.about(verdict.key.as_str()));
    }
    later(id, verdict, findings);
}

/// An annotation that was taken over, and that the launch then fails on, makes the pod fail after all.
pub(super) fn refuse_cause(run: &mut Run) {
    let Some(failure) = &run.failure else { return };
    let named = run.verdicts.iter_mut().find(|v| failure.annotation.as_deref() == Some(v.key.as_str()));
    if let Some(verdict) = named.filter(|v| v.status != Status::Refused) {
        // It was in effect until then.
        verdict.trace.retain(|step| step.stage != Stage::Effective);
        verdict.end(Status::Refused, Stage::Value, failure.message.clone());
        verdict.after = None;
        verdict.reason = format!("accepted, but the VM cannot be made with it: {}", failure.message).into();
        verdict.fix = verdict.before.as_ref().map(|before| {
            let text = before.as_str().map_or_else(|| before.to_string(), str::to_owned);
            let advice = format!("leave it out, or write what works on this host (without it: {text:?})");
            Fix::Advice(advice.into()).into()
        });
    }
}

/// What the containers of the pod will trip over, once the VM runs.
fn later(id: Id, verdict: &Verdict, findings: &mut Vec<Finding>) {
    if !matches!(id, Id::ContainerResourceSwappiness | Id::ContainerResourceSwapInBytes) {
        return;
    }
    let why = match crate::golang::strconv::parse_uint(&verdict.value, 0, 64) {
        Ok(number) if id == Id::ContainerResourceSwappiness && number > 200 => {
            "swapiness should not bigger than 200".to_owned()
        }
        Ok(_) => return,
        Err(error) => error.to_string(),
    };
    let message = format!("Invalid container configuration Annotations {} {why}", verdict.key);
    let finding = Finding::warning(Code::FailsLater, Who::PodAuthor, message).about(verdict.key.as_str());
    findings.push(finding.advise("write a whole number (for swappiness, up to 200)"));
}
