//! From what the walk wrote down to one verdict for each annotation, and the findings beside them.
//!
//! Decides the words; every fate was decided before. Facts: none of its own.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::annotations::known::Section;
use super::annotations::session::{Given, Mark, Session};
use super::config::SandboxConfig;
use super::stations::{self, Stations, step};
use super::{Loaded, sizing};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::verdict::{Fix, ListId, Note, Reason, Stage, Status, Step, Trace, Verdict};
use crate::catalog::{self, HYPERVISOR_PREFIX, Id};
use crate::input::Text;
use crate::runtime::Run;

/// One for each annotation that is Kata's, in key order.
pub(super) fn verdicts<'a>(
    loaded: &'a Loaded,
    session: &mut Session<'a>,
    findings: &mut Vec<Finding>,
) -> Vec<Verdict> {
    let mut sized = None;
    let given = std::mem::take(&mut session.given);
    given.into_iter().map(|given| verdict(loaded, session, given, &mut sized, findings)).collect()
}

/// A verdict that knows nothing yet.
fn blank(given: Given<'_>) -> Verdict {
    Verdict {
        key: given.key.clone(),
        value: given.value.clone(),
        status: Status::Unknown,
        field: given.read.and_then(|(_, stations)| stations.name.clone()),
        before: None,
        after: None,
        stage: Stage::Known,
        reason: Text::default().into(),
        fix: None,
        trace: Trace::default(),
    }
}

/// The verdict on a name that the name gate does not let through.
fn not_enabled(loaded: &Loaded, given: Given<'_>) -> Verdict {
    let short = given.key.strip_prefix(HYPERVISOR_PREFIX).unwrap_or(given.key);
    let reason = Text::from(match loaded.runtime().hypervisor_config.enable_annotations.len() {
        0 => format!("enable_annotations of [{}] lets no annotation through", loaded.table),
        _ => format!("no pattern in enable_annotations of [{}] matches {short:?}", loaded.table),
    });
    let fix = match loaded.has_gates() {
        true => Fix::Allow {
            list: ListId::new(loaded.table, "enable_annotations"),
            pattern: format!("^{}$", regex::escape(short)),
        },
        false => Fix::Advice(Cow::Borrowed("leave it out: this hypervisor reads no enable_annotations")),
    };
    let place = loaded.hypervisor_place("enable_annotations");
    Verdict {
        status: Status::Refused,
        stage: Stage::Name,
        trace: vec![Step { stage: Stage::Name, passed: false, note: reason.clone().into(), place }].into(),
        reason: reason.into(),
        fix: Some(fix.into()),
        ..blank(given)
    }
}

fn verdict<'a>(
    loaded: &'a Loaded,
    session: &mut Session<'a>,
    given: Given<'a>,
    sized: &mut Option<SandboxConfig>,
    findings: &mut Vec<Finding>,
) -> Verdict {
    let Some((id, stations)) = given.read else { return unknown(loaded, given, findings) };
    if !stations.admitted {
        return not_enabled(loaded, given);
    }
    if let Some(wide) = &stations.wide {
        findings.push(wide.clone());
    }
    let trace = Trace::along(Arc::clone(&stations.steps));
    let position = session.marks.iter().position(|(other, _)| *other == id);
    let Some((_, mark)) = position.map(|at| session.marks.swap_remove(at)) else {
        // Nothing was written down: the steps never came to it.
        let reason = "the runtime reads past it".into();
        return Verdict { status: Status::Ignored, reason, trace, ..blank(given) };
    };
    let Mark { status, stage, reason, fix, steps, cut } = mark;
    let after = match stations.key {
        _ if status == Status::Refused => None,
        Some(key) => Some(key.value(&session.config)),
        None => (id.known().section != Section::Nowhere).then(|| Json::from(given.value.as_str())),
    };
    let mut verdict = Verdict {
        key: given.key.clone(),
        value: given.value.clone(),
        status,
        field: given.read.and_then(|(_, stations)| stations.name.clone()),
        before: before(loaded, session, sized, (id, stations)),
        after: after.map(Arc::new),
        stage,
        reason: reason.into(),
        fix,
        trace: trace.then(steps),
    };
    if status == Status::Applied {
        applied(session, id, stations, &mut verdict, findings);
    }
    if let Some((given, kept)) = cut {
        findings.push(Finding {
            code: Code::ValueCut,
            severity: Severity::Warning,
            subject: Some(verdict.key.to_string()),
            place: None,
            message: format!("{given} does not fit 32 bits: the runtime goes on with {kept}"),
            fix: None,
            who: Who::PodAuthor,
        });
    }
    verdict
}

/// The verdict on a key that nothing reads.
fn unknown(loaded: &Loaded, given: Given<'_>, findings: &mut Vec<Finding>) -> Verdict {
    let Some(name) = stations::name_step(loaded, given.key) else { return not_enabled(loaded, given) };
    findings.extend(stations::wide_pattern(loaded, given.key));
    let release = loaded.release();
    let (reason, fix) = match catalog::nearest(given.key, release) {
        Some(near) => {
            let fix = Fix::Advice(format!("did you mean {}?", near.key).into()).into();
            let title = release.title();
            (
                format!("{title} reads no such annotation; the nearest that it reads is {}", near.key),
                Some(fix),
            )
        }
        None => (format!("{} reads no such annotation", release.title()), None),
    };
    let trace = vec![name, step(Stage::Known, false, "read by nothing")].into();
    Verdict { reason: reason.into(), fix, trace, ..blank(given) }
}

/// The value that would hold without this annotation: the file's, sized as this pod is.
fn before(
    loaded: &Loaded,
    session: &Session<'_>,
    sized: &mut Option<SandboxConfig>,
    (id, stations): (Id, &Stations),
) -> Option<Arc<Json>> {
    let is_sized = matches!(
        id,
        Id::HypervisorDefaultVcpus | Id::HypervisorDefaultMemory | Id::HypervisorDefaultMaxVcpus
    );
    if !(is_sized && session.config.runtime.static_sandbox_resource_mgmt) {
        return stations.before.clone();
    }
    let sized = sized.get_or_insert_with(|| {
        let mut sized = SandboxConfig::new(loaded.runtime(), "", "");
        sized.sandbox_resources = session.config.sandbox_resources;
        sizing::apply_static(&mut sized);
        sized
    });
    stations.key.map(|key| Arc::new(key.value(sized)))
}

fn applied(
    session: &Session<'_>,
    id: Id,
    stations: &Stations,
    verdict: &mut Verdict,
    findings: &mut Vec<Finding>,
) {
    let is_static = session.config.runtime.static_sandbox_resource_mgmt;
    let sizes = session.config.sandbox_resources;
    match id {
        Id::HypervisorDefaultMaxVcpus if is_static => {
            verdict.status = Status::Overridden;
            verdict.stage = Stage::Sizing;
            let reason = "static sizing sets the maximum to the vCPUs at boot";
            verdict.reason = reason.into();
            verdict.trace.push(step(Stage::Sizing, false, reason));
            return;
        }
        Id::HypervisorDefaultVcpus if is_static && sizes.workload_cpus != 0.0 => {
            let note = format!("static sizing adds the pod's {} CPUs", sizes.workload_cpus);
            verdict.trace.push(step(Stage::Sizing, true, note));
        }
        Id::HypervisorDefaultMemory if is_static && sizes.workload_mem_mb != 0 => {
            let note = format!("static sizing adds the pod's {} MiB", sizes.workload_mem_mb);
            verdict.trace.push(step(Stage::Sizing, true, note));
        }
        _ => {}
    }
    let (reason, note) = match &verdict.after {
        Some(after) => (Reason::Sets { but: stations.unused }, Note::Shown(Arc::clone(after))),
        // No key stands for it, so that there is nothing that could use it either.
        None => ("read when each container is created".into(), "in effect".into()),
    };
    verdict.reason = reason;
    verdict.trace.push(step(Stage::Effective, true, note));
    if let Some(why) = stations.unused {
        findings.push(Finding {
            code: Code::NoEffect,
            severity: Severity::Warning,
            subject: Some(verdict.key.to_string()),
            place: None,
            message: format!("accepted, but {why}"),
            fix: None,
            who: Who::PodAuthor,
        });
    }
    later(id, verdict, findings);
}

/// An annotation that was taken over, and that the launch then fails on, makes the pod fail after all.
pub(super) fn blame(run: &mut Run) {
    let Some(failure) = &run.failure else { return };
    let named = run.verdicts.iter_mut().find(|v| failure.annotation.as_deref() == Some(v.key.as_str()));
    if let Some(verdict) = named.filter(|v| v.status != Status::Refused) {
        verdict.status = Status::Refused;
        verdict.stage = Stage::Value;
        verdict.after = None;
        verdict.reason = format!("accepted, but the VM cannot be made with it: {}", failure.message).into();
        // It was in effect until then.
        verdict.trace.retain(|step| step.stage != Stage::Effective);
        verdict.trace.push(step(Stage::Value, false, failure.message.clone()));
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
    findings.push(Finding {
        code: Code::FailsLater,
        severity: Severity::Warning,
        subject: Some(verdict.key.to_string()),
        place: None,
        message: format!("Invalid container configuration Annotations {} {why}", verdict.key),
        fix: Some(Fix::Advice("write a whole number (for swappiness, up to 200)".into())),
        who: Who::PodAuthor,
    });
}
