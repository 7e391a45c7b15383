//! What became of each annotation, for people: status, reason, what would help, and the steps.
//!
//! Judges nothing that the runtime does not: it compares the value an annotation wrote with the value
//! in the end, and words the difference. What was taken and why not: `annotations`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::annotations::{Attempt, Decision, Known, Refusal, Rule, Table, View};
use super::config::{Config, Runtime};
use super::{Loaded, Pair};
use crate::answer::verdict::{
    Failure, FailureStage, Fix, ListId, Note, Reason, Stage, Status, Step, Trace, Verdict,
};
use crate::catalog::{self, Parse};
use crate::input::Text;
use crate::release::Release;
use crate::release::rs::Change;

/// What is the same in all verdicts on the annotation of one rule, under one pair of tables.
pub struct Prepared {
    /// The configuration key with its table.
    field: Text,
    /// The configured value.
    before: Option<Arc<Json>>,
    /// Why nothing uses it on this hypervisor, where nothing does.
    pub(super) unused: Option<Text>,
}

/// What is known when the pod's way is over.
pub struct VerdictContext<'s> {
    /// The configuration and its policy.
    pub loaded: &'s Loaded,
    /// What is the same for every pod that uses the same tables.
    pub(super) pair: Option<&'s Pair>,
    /// In the end, or as far as the pod got.
    pub last: &'s Config,
    /// Its tables in use.
    pub view: Option<View<'s>>,
    /// Why the pod does not start.
    pub failure: Option<&'s Failure>,
    /// The keys that sizing wrote over.
    pub sized: Vec<&'static str>,
}

impl Loaded {
    /// What is the same in all verdicts on the annotation, where it has a rule.
    pub(super) fn prepared<'s>(
        &'s self,
        pair: Option<&'s Pair>,
        names: &Runtime,
        attempt: &Attempt<'_>,
    ) -> Option<&'s Prepared> {
        let (known, pair) = (attempt.known?, pair?);
        let rule = known.rule;
        let prepared = pair.prepared.get(known.id as usize)?;
        Some(prepared.get_or_init(|| Prepared {
            field: rule.whole_field(&names.hypervisor_name, &names.agent_name).into(),
            before: self.before(pair, names, rule).map(Arc::new),
            unused: super::remarks::unused(known, &names.hypervisor_name, self.release()).map(Text::from),
        }))
    }

    /// The configured value in the table that the pod uses.
    fn before(&self, pair: &Pair, names: &Runtime, rule: &Rule) -> Option<Json> {
        if rule.field == "kernel_params" {
            return Some(pair.kernel_params.as_str().into());
        }
        Some(View::new(&self.read.adjusted, names)?.shown(rule))
    }

    fn patterns(&self, names: &Runtime, list: &str) -> &[String] {
        let hv = self.read.adjusted.hypervisor.get(&names.hypervisor_name);
        hv.map(|hv| hv.list(list)).unwrap_or_default()
    }
}

impl VerdictContext<'_> {
    /// The verdict on one annotation.
    pub fn verdict(&self, attempt: &Attempt<'_>) -> Verdict {
        let prepared = self.loaded.prepared(self.pair, &self.last.runtime, attempt);
        let mut verdict = Verdict {
            key: attempt.key.clone(),
            value: attempt.value.clone(),
            status: Status::Applied,
            field: prepared.map(|prepared| prepared.field.clone()),
            after: None,
            before: prepared.and_then(|prepared| prepared.before.clone()),
            stage: Stage::Effective,
            reason: Text::default().into(),
            fix: None,
            trace: Trace::default(),
        };
        if let (Decision::Taken, Some(known)) = (&attempt.decision, attempt.known) {
            self.taken(attempt, known.rule, prepared, &mut verdict);
            return verdict;
        }
        verdict.after.clone_from(&verdict.before);
        match (&attempt.decision, attempt.known) {
            (Decision::Taken | Decision::Unknown, _) => self.unknown(attempt, &mut verdict),
            (Decision::NotEnabled, _) => self.not_enabled(attempt, &mut verdict),
            (Decision::PassedOver(stage, why), _) => {
                self.steps(attempt, *stage, &mut verdict);
                end(&mut verdict, Status::Ignored, *stage, why.clone());
            }
            (Decision::Refused(refusal), _) => self.refused(attempt, refusal, &mut verdict),
        }
        verdict
    }

    fn unknown(&self, attempt: &Attempt<'_>, verdict: &mut Verdict) {
        let decision = catalog::annotation(attempt.key).map(|a| a.reader(self.loaded.release()));
        let overwritten = decision.is_some_and(|reader| reader.overwritten);
        let reason = match decision.and_then(|reader| reader.fate) {
            Some(_) if overwritten => {
                "the runtime writes this one itself, over whatever a pod says".to_owned()
            }
            // Of a gated key the list says what becomes of it; here its name was not let through.
            Some(decision) if attempt.short().is_none() && decision != "ignored" => {
                format!("{} does not read it: {decision}", self.loaded.release().title())
            }
            _ if attempt.short().is_some() => {
                format!(
                    "{} reads no such annotation; were its name in enable_annotations, the pod would fail",
                    self.loaded.release().title()
                )
            }
            _ => format!("{} reads no such annotation", self.loaded.release().title()),
        };
        step(verdict, Stage::Known, false, "no rule for this key");
        verdict.fix = nearest(attempt.key, self.loaded.release()).map(Box::new);
        let status = if overwritten { Status::Ignored } else { Status::Unknown };
        end(verdict, status, Stage::Known, reason);
    }

    fn not_enabled(&self, attempt: &Attempt<'_>, verdict: &mut Verdict) {
        let short = attempt.short().unwrap_or_default();
        let table = format!("hypervisor.{}", self.last.runtime.hypervisor_name);
        let invalid = self.loaded.gates(self.last).and_then(|gates| {
            let first = gates.names.invalid().next().map(|(i, _)| i);
            first.filter(|_| gates.names.disabled())
        });
        self.steps(attempt, Stage::Name, verdict);
        let reason = match invalid {
            Some(index) => {
                let pattern = self.pattern("enable_annotations", index);
                let advice =
                    format!("mend or remove the invalid pattern {pattern:?} of [{table}] enable_annotations");
                verdict.fix = Some(Fix::Advice(advice.into()).into());
                format!("the invalid pattern {pattern:?} disables all of enable_annotations")
            }
            None => {
                let list = ListId::new(table, "enable_annotations");
                let pattern = format!("^{}$", regex::escape(short));
                verdict.fix = Some(Fix::Allow { list, pattern }.into());
                format!(
                    "no pattern of enable_annotations matches {short:?}; runtime-rs reads past it with a warning"
                )
            }
        };
        if let Some(last) = verdict.trace.last_mut() {
            last.note = reason.clone().into();
        }
        end(verdict, Status::Ignored, Stage::Name, reason);
    }

    fn refused(&self, attempt: &Attempt<'_>, refusal: &Refusal, verdict: &mut Verdict) {
        self.steps(attempt, refusal.stage, verdict);
        if let Some(last) = verdict.trace.last_mut() {
            last.note = refusal.message.clone().into();
        }
        let fix = match &refusal.fix {
            Some(fix) => Some(fix.clone()),
            None if refusal.stage == Stage::Known => nearest(attempt.key, self.loaded.release())
                .or(Some(Fix::Advice("take the annotation out of the pod".into()))),
            None => None,
        };
        verdict.fix = fix.map(Box::new);
        end(verdict, Status::Refused, refusal.stage, refusal.reason.clone());
    }

    /// The steps up to `last`, which stops the annotation unless it is `Effective`.
    fn steps(&self, attempt: &Attempt<'_>, last: Stage, verdict: &mut Verdict) {
        let mut put = |step| verdict.trace.push(step);
        let Some(known) = attempt.known else {
            if let Some(index) = attempt.name_pattern {
                let place = self.names_place();
                let note = self.pattern("enable_annotations", index).to_owned();
                put(Step { stage: Stage::Name, passed: true, note: note.into(), place });
            }
            put(to_step(Stage::Known, false, ""));
            return;
        };
        if last == Stage::Known {
            put(to_step(last, false, known.rule.field));
            return;
        }
        if attempt.short().is_some() {
            let passed = last != Stage::Name;
            let note = match attempt.name_pattern {
                Some(index) => self.pattern("enable_annotations", index).to_owned().into(),
                None => "no pattern matches".into(),
            };
            let place = self.names_place();
            put(Step { stage: Stage::Name, passed, note, place });
            if !passed {
                return;
            }
        }
        put(to_step(Stage::Known, true, known.rule.field));
        let (reading, asks_range) = reading(known);
        let gate = match known.list() {
            Some(list) => Some((list, attempt.path_pattern)),
            None => known.must_exist().then_some(("the host's files", None)),
        };
        for stage in [Stage::Parse, Stage::Range, Stage::Value, Stage::Merge] {
            let passed = stage != last;
            match stage {
                Stage::Parse => put(to_step(stage, passed, reading)),
                Stage::Range if asks_range || !passed => put(to_step(stage, passed, "")),
                Stage::Value => match gate {
                    Some((list, Some(index))) if passed => {
                        let place = self.place(list);
                        let note = self.pattern(list, index).to_owned();
                        put(Step { stage, passed, note: note.into(), place });
                    }
                    Some((list, _)) => put(to_step(stage, passed, list)),
                    None if !passed => put(to_step(stage, passed, "")),
                    None => {}
                },
                Stage::Merge if !passed || last > Stage::Merge => {
                    put(to_step(stage, passed, merging(known.parse)));
                }
                _ => {}
            }
            if !passed {
                return;
            }
        }
    }

    fn taken(&self, attempt: &Attempt<'_>, rule: &Rule, prepared: Option<&Prepared>, verdict: &mut Verdict) {
        let wrote = &attempt.wrote;
        if let Some(failure) = self.failure {
            self.steps(attempt, Stage::Effective, verdict);
            verdict.after.clone_from(wrote);
            if failure.annotation.as_deref() == Some(attempt.key.as_str()) {
                // The checks over the whole configuration, or the start of the VM itself.
                let launched = failure.stage == FailureStage::Launch;
                let stage = if launched { Stage::Effective } else { Stage::Sizing };
                step(verdict, stage, false, failure.message.clone());
                end(verdict, Status::Refused, stage, failure.message.clone());
            } else {
                step(verdict, Stage::Effective, false, "the pod does not start");
                verdict.reason = format!("sets {}, but the pod does not start", rule.field).into();
            }
            return;
        }
        let as_it_wrote = |wrote: &Arc<Json>| (sizing_ignores(rule, self), Some(Arc::clone(wrote)));
        let (overridden, after) = match (wrote, self.view) {
            // Nothing after the annotations writes to the agent's table.
            (Some(wrote), Some(_)) if rule.table == Table::Agent => as_it_wrote(wrote),
            (Some(wrote), Some(view)) => match view.shown(rule) {
                last if last == **wrote => as_it_wrote(wrote),
                last => (replaced(rule, wrote, &last, self), Some(Arc::new(last))),
            },
            (_, view) => (sizing_ignores(rule, self), view.map(|view| Arc::new(view.shown(rule)))),
        };
        verdict.after = after;
        if let Some((stage, why)) = overridden {
            if stage == Stage::Sizing {
                // Without the annotation the size would be the same.
                verdict.before.clone_from(&verdict.after);
            }
            self.steps(attempt, Stage::Effective, verdict);
            step(verdict, stage, false, why.clone());
            end(verdict, Status::Overridden, stage, why);
            return;
        }
        self.steps(attempt, Stage::Effective, verdict);
        step(verdict, Stage::Effective, true, rule.field);
        let reason: Reason = match prepared.and_then(|prepared| prepared.unused.clone()) {
            Some(why) => why.into(),
            None if verdict.before == verdict.after => rule.sets_anyway.clone().into(),
            None => rule.sets.clone().into(),
        };
        verdict.reason = reason;
    }

    fn pattern(&self, list: &str, index: usize) -> &str {
        self.loaded.patterns(&self.last.runtime, list).get(index).map_or("", String::as_str)
    }

    fn names_place(&self) -> Option<crate::input::Place> {
        self.loaded.gates(self.last)?.names_place.clone()
    }

    fn place(&self, list: &str) -> Option<crate::input::Place> {
        let key = format!("hypervisor.{}.{list}", self.last.runtime.hypervisor_name);
        self.loaded.read.places.get(&key).cloned()
    }
}

fn to_step(stage: Stage, passed: bool, note: impl Into<Note>) -> Step {
    Step { stage, passed, note: note.into(), place: None }
}

fn step(verdict: &mut Verdict, stage: Stage, passed: bool, note: impl Into<Note>) {
    verdict.trace.push(to_step(stage, passed, note));
}

fn end(verdict: &mut Verdict, status: Status, stage: Stage, reason: impl Into<Reason>) {
    verdict.status = status;
    verdict.stage = stage;
    verdict.reason = reason.into();
}

fn nearest(key: &str, release: Release) -> Option<Fix> {
    catalog::nearest(key, release)
        .map(|known| Fix::Advice(format!("the nearest that it reads is {}", known.key).into()))
}

/// How a value is read, in a few words, and whether a range is asked.
fn reading(known: Known) -> (&'static str, bool) {
    let words = match known.parse {
        _ if known.rule.field == "name" => return ("one of three names", true),
        _ if known.rule.field == "create_container_timeout" => "whole seconds of 32 bits, trimmed",
        Parse::RsBool => "true or false, trimmed",
        Parse::RsU32 => "a whole number of 32 bits, trimmed",
        Parse::RsU64 | Parse::RsUsize => "a whole number of 64 bits, trimmed",
        Parse::RsI32 | Parse::RsF32 => "a number, fractions allowed",
        Parse::RsBytes | Parse::RsByteSize => "a size with a unit, or MiB",
        Parse::RsEnum => "hugetlbfs or thp",
        Parse::RsVerity => "key=value pairs between commas",
        Parse::RsB64Gzip => "base64 of gzip",
        Parse::RsJson => "a JSON list",
        Parse::RsComma | Parse::RsSemicolon => "pieces, not trimmed",
        Parse::RsStringTrim => "text, trimmed",
        _ => "text as it stands",
    };
    (words, known.reader.min.is_some() || known.reader.max.is_some())
}

fn merging(parse: Parse) -> &'static str {
    match parse {
        Parse::RsComma | Parse::RsSemicolon => "put behind the configured entries",
        Parse::RsKernelParams => "takes the place of parameters with the same key",
        _ => "takes the place of the configured value",
    }
}

/// Whether sizing would write over the field whatever stands there.
fn sizing_ignores(rule: &Rule, context: &VerdictContext<'_>) -> Option<(Stage, Cow<'static, str>)> {
    if !context.sized.contains(&rule.field) {
        return None;
    }
    let overhead = context.last.release.has(Change::Overhead);
    let why = match rule.field {
        "default_maxvcpus" => "static sizing: the VM gets no more vCPUs than it starts with",
        "default_vcpus" if overhead => {
            "static sizing: the pod's limits plus overhead_vcpus take the place of default_vcpus"
        }
        "default_vcpus" => "the pod's CPU limit takes the place of default_vcpus",
        _ => "static sizing: the pod's memory limit plus overhead_memory takes the place of default_memory",
    };
    Some((Stage::Sizing, why.into()))
}

/// Why a value differs in the end from what the annotation wrote; `None` where it is the same thing in
/// another form.
fn replaced(
    rule: &Rule,
    wrote: &Json,
    last: &Json,
    context: &VerdictContext<'_>,
) -> Option<(Stage, Cow<'static, str>)> {
    if let Some(ignored) = sizing_ignores(rule, context) {
        return Some(ignored);
    }
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let range = |why: String| Some((Stage::Range, Cow::Owned(why)));
    match rule.field {
        "default_maxvcpus" => range(format!("limited to the host's CPUs: {last}")),
        "default_vcpus" => range(format!(
            "{wrote} becomes {last}: nothing below 1 or above the host's CPUs and default_maxvcpus"
        )),
        "default_memory" if !context.last.release.has(Change::Overhead) && last.as_u64() > wrote.as_u64() => {
            Some((Stage::Sizing, "the pod's memory limit is added".into()))
        }
        "default_memory" => range(format!("limited to the host's memory: {last} MiB")),
        "network_queues" => range(format!("{wrote} becomes {last}: from 1 to 256 queues")),
        "num_queues" | "queue_size" | "memory_slots" if wrote == &Json::from(0) => {
            range(format!("0 means the default: {last}"))
        }
        "block_device_driver" | "memory_offset" | "enable_vhost_user_store"
            if !context.view?.has_block_devices() =>
        {
            Some((Stage::Merge, "disable_block_device_use takes it away".into()))
        }
        "vhost_user_store_path" if text(last).is_empty() => {
            Some((Stage::Merge, "taken away: enable_vhost_user_store is false".into()))
        }
        "internetworking_model" | "disable_new_netns"
            if rule.table == Table::Runtime && context.last.hypervisor.contains_key("remote") =>
        {
            Some((Stage::Merge, "a [hypervisor.remote] table forces its own network on the file".into()))
        }
        _ => None,
    }
}
