//! From what the walk wrote down to one verdict for each annotation, and the findings beside them.
//!
//! Decides the words; every fate was decided before. Facts: none of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::annotations::known::{Id, Section};
use super::annotations::session::{Mark, Session, step};
use super::config::SandboxConfig;
use super::{Loaded, effective, sizing, use_of};
use crate::catalog::{self, Generation, HYPERVISOR_PREFIX, KATA_PREFIX, Risk};
use crate::finding::{Code, Finding, Severity, Who};
use crate::runtime::Run;
use crate::runtime::verdict::{Fix, ListId, Stage, Status, Step, Verdict};

/// One for each annotation that is Kata's, in key order.
pub(super) fn verdicts(
    loaded: &Loaded,
    session: &mut Session<'_>,
    annotations: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> Vec<Verdict> {
    let mut baseline = None;
    let mut out = Vec::new();
    for (key, value) in annotations {
        let id = Id::of(key);
        if id.is_none() && !key.starts_with(KATA_PREFIX) {
            continue;
        }
        out.push(verdict(loaded, session, key, value, id, &mut baseline, findings));
    }
    out
}

fn place_step(stage: Stage, passed: bool, note: String, place: Option<crate::input::Place>) -> Step {
    Step { stage, passed, note: note.into(), place }
}

/// The name gate's station, or the refusal that it is.
fn name_step(loaded: &Loaded, key: &str) -> Result<Option<Step>, Box<Verdict>> {
    let Some(short) = key.strip_prefix(HYPERVISOR_PREFIX) else {
        return Ok(Some(step(Stage::Name, true, "no gate before this kind of annotation")));
    };
    let place = loaded.hypervisor_place("enable_annotations");
    if let Some(index) = loaded.names.admits(short) {
        let pattern = loaded.pattern("enable_annotations", index);
        return Ok(Some(place_step(Stage::Name, true, format!("{pattern:?} matches"), place)));
    }
    let list = loaded.runtime().hypervisor_config.enable_annotations.len();
    let reason = match list {
        0 => format!("enable_annotations of [{}] lets no annotation through", loaded.table),
        _ => format!("no pattern in enable_annotations of [{}] matches {short:?}", loaded.table),
    };
    let fix = match loaded.has_gates() {
        true => Fix::Allow {
            list: ListId::new(loaded.table.clone(), "enable_annotations"),
            pattern: format!("^{}$", regex::escape(short)),
        },
        false => Fix::Advice(Cow::Borrowed("leave it out: this hypervisor reads no enable_annotations")),
    };
    Err(Box::new(Verdict {
        key: key.to_owned(),
        value: String::new(),
        status: Status::Refused,
        field: None,
        before: None,
        after: None,
        stage: Stage::Name,
        trace: vec![place_step(Stage::Name, false, reason.clone(), place)],
        reason,
        fix: Some(fix),
    }))
}

fn verdict(
    loaded: &Loaded,
    session: &mut Session<'_>,
    key: &str,
    value: &str,
    id: Option<Id>,
    baseline: &mut Option<SandboxConfig>,
    findings: &mut Vec<Finding>,
) -> Verdict {
    let field = id.and_then(|id| loaded.field(id));
    let named = match name_step(loaded, key) {
        Ok(named) => named,
        Err(refused) => return Verdict { value: value.to_owned(), field, ..*refused },
    };
    let mut verdict = Verdict {
        key: key.to_owned(),
        value: value.to_owned(),
        status: Status::Unknown,
        field,
        before: None,
        after: None,
        stage: Stage::Known,
        reason: String::new(),
        fix: None,
        trace: named.into_iter().collect(),
    };
    findings.extend(wide_pattern(loaded, key));
    let Some(id) = id else {
        unknown(&mut verdict);
        return verdict;
    };
    let known = id.known();
    verdict.trace.push(match &verdict.field {
        Some(field) => step(Stage::Known, true, format!("stands for {field}")),
        None => step(Stage::Known, true, "known"),
    });
    let position = session.marks.iter().position(|(other, _)| *other == id);
    let Some((_, mark)) = position.map(|at| session.marks.swap_remove(at)) else {
        // Nothing was written down: the steps never came to it.
        verdict.status = Status::Ignored;
        verdict.reason = "the runtime reads past it".into();
        return verdict;
    };
    let before = before(loaded, session, baseline, id);
    let after = effective::value(&session.config, known.section, known.field)
        .or_else(|| (known.section != Section::Nowhere).then(|| Json::from(value)));
    let Mark { status, stage, reason, fix, steps, cut } = mark;
    verdict.status = status;
    verdict.stage = stage;
    verdict.fix = fix;
    verdict.trace.extend(steps);
    if status != Status::Refused {
        verdict.after = after;
    }
    verdict.before = before;
    verdict.reason = reason.into_owned();
    if status == Status::Applied {
        applied(loaded, session, id, &mut verdict, findings);
    }
    if let Some((given, kept)) = cut {
        findings.push(Finding {
            code: Code::ValueCut,
            severity: Severity::Warning,
            subject: Some(key.to_owned()),
            place: None,
            message: format!("{given} does not fit 32 bits: the runtime goes on with {kept}"),
            fix: None,
            who: Who::PodAuthor,
        });
    }
    verdict
}

/// A plain word in `enable_annotations` that was found inside a longer name, where the longer one gives
/// more into a pod's hands than a size.
fn wide_pattern(loaded: &Loaded, key: &str) -> Option<Finding> {
    let short = key.strip_prefix(HYPERVISOR_PREFIX)?;
    let pattern = loaded.pattern("enable_annotations", loaded.names.admits(short)?);
    let is_word = pattern.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let risk = catalog::annotation(key)?.risk;
    let matters = matches!(risk, Risk::HostExec | Risk::HostPath | Risk::GuestIntegrity | Risk::Isolation);
    (is_word && pattern != short && matters).then(|| Finding {
        code: Code::WidePattern,
        severity: Severity::Note,
        subject: Some(key.to_owned()),
        place: loaded.hypervisor_place("enable_annotations"),
        message: format!(
            "{pattern:?} in enable_annotations lets {short} through: patterns match anywhere in a name"
        ),
        fix: Some(Fix::Advice(format!("write \"^{pattern}$\" if only {pattern} is meant").into())),
        who: Who::ClusterAdministrator,
    })
}

fn unknown(verdict: &mut Verdict) {
    let generation = Generation::Go41;
    verdict.reason = match catalog::nearest(&verdict.key, generation) {
        Some(near) => {
            verdict.fix = Some(Fix::Advice(format!("did you mean {}?", near.key).into()));
            format!(
                "{} reads no such annotation; the nearest that it reads is {}",
                generation.title(),
                near.key
            )
        }
        None => format!("{} reads no such annotation", generation.title()),
    };
    verdict.trace.push(step(Stage::Known, false, "read by nothing"));
}

/// The value that would hold without this annotation: the file's, sized as this pod is.
fn before(
    loaded: &Loaded,
    session: &Session<'_>,
    baseline: &mut Option<SandboxConfig>,
    id: Id,
) -> Option<Json> {
    let known = id.known();
    let is_sized = matches!(id, Id::DefaultVcpus | Id::DefaultMemory | Id::DefaultMaxVcpus);
    if !(is_sized && session.config.static_resource_mgmt) {
        return effective::value(&loaded.template, known.section, known.field);
    }
    let sized = baseline.get_or_insert_with(|| {
        let mut sized = SandboxConfig::clone(&loaded.template);
        sized.sandbox_resources = session.config.sandbox_resources;
        sizing::apply_static(&mut sized);
        sized
    });
    effective::value(sized, known.section, known.field)
}

/// A value as a sentence shows it.
fn shown(value: &Json) -> String {
    let text = match value {
        Json::String(text) if text.is_empty() => return "nothing".into(),
        Json::Array(items) if items.is_empty() => return "nothing".into(),
        _ => value.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn applied(
    loaded: &Loaded,
    session: &Session<'_>,
    id: Id,
    verdict: &mut Verdict,
    findings: &mut Vec<Finding>,
) {
    let is_static = session.config.static_resource_mgmt;
    let sizes = session.config.sandbox_resources;
    match id {
        Id::DefaultMaxVcpus if is_static => {
            verdict.status = Status::Overridden;
            verdict.stage = Stage::Sizing;
            verdict.reason = "static sizing sets the maximum to the vCPUs at boot".into();
            verdict.trace.push(step(Stage::Sizing, false, verdict.reason.clone()));
            return;
        }
        Id::DefaultVcpus if is_static && sizes.workload_cpus != 0.0 => {
            let note = format!("static sizing adds the pod's {} CPUs", sizes.workload_cpus);
            verdict.trace.push(step(Stage::Sizing, true, note));
        }
        Id::DefaultMemory if is_static && sizes.workload_mem_mb != 0 => {
            let note = format!("static sizing adds the pod's {} MiB", sizes.workload_mem_mb);
            verdict.trace.push(step(Stage::Sizing, true, note));
        }
        _ => {}
    }
    let name = verdict.field.clone().unwrap_or_else(|| Cow::Owned(verdict.key.clone()));
    verdict.reason = match (&verdict.before, &verdict.after) {
        (Some(before), Some(after)) if before == after => {
            format!("sets {name} to {}, as it was", shown(after))
        }
        (Some(before), Some(after)) => format!("sets {name} to {} (was {})", shown(after), shown(before)),
        (None, Some(after)) => format!("sets {name} to {}", shown(after)),
        _ => "read when each container is created".to_owned(),
    };
    verdict.trace.push(match &verdict.after {
        Some(after) => step(Stage::Effective, true, shown(after)),
        None => step(Stage::Effective, true, "in effect"),
    });
    if let Some(why) = use_of::nothing_uses(id, loaded.runtime().hypervisor_type) {
        verdict.reason = format!("{}, but {why}", verdict.reason);
        findings.push(Finding {
            code: Code::NoEffect,
            severity: Severity::Warning,
            subject: Some(verdict.key.clone()),
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
        verdict.reason = format!("accepted, but the VM cannot be made with it: {}", failure.message);
        // It was in effect until then.
        verdict.trace.retain(|step| step.stage != Stage::Effective);
        verdict.trace.push(step(Stage::Value, false, failure.message.clone()));
        verdict.fix = verdict.before.as_ref().map(|before| {
            let text = before.as_str().map_or_else(|| before.to_string(), str::to_owned);
            Fix::Advice(
                format!("leave it out, or write what works on this host (without it: {text:?})").into(),
            )
        });
    }
}

/// What the containers of the pod will trip over, once the VM runs.
fn later(id: Id, verdict: &Verdict, findings: &mut Vec<Finding>) {
    if !matches!(id, Id::Swappiness | Id::SwapInBytes) {
        return;
    }
    let why = match crate::runtime::go_text::parse_uint(&verdict.value, 0, 64) {
        Ok(number) if id == Id::Swappiness && number > 200 => {
            "swapiness should not bigger than 200".to_owned()
        }
        Ok(_) => return,
        Err(error) => error.to_string(),
    };
    findings.push(Finding {
        code: Code::FailsLater,
        severity: Severity::Warning,
        subject: Some(verdict.key.clone()),
        place: None,
        message: format!("Invalid container configuration Annotations {} {why}", verdict.key),
        fix: Some(Fix::Advice("write a whole number (for swappiness, up to 200)".into())),
        who: Who::PodAuthor,
    });
}
