//! What became of each annotation, for people: status, reason, what would help, and the steps.
//!
//! Judges nothing that the runtime does not: it compares the value an annotation wrote with the value
//! in the end, and words the difference. What was taken and why not: `annotations`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::annotations::{Attempt, Decision, Known, Rule, Table, View};
use super::config::{Config, Runtime};
use super::{Loaded, Pair};
use crate::answer::verdict::{Failure, FailureStage, Fix, Note, Reason, Stage, Status, Step, Verdict};
use crate::catalog::{self, Parse};
use crate::input::Text;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::refusal::{Refusal, allow_name};

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
            field: prepared.map(|prepared| prepared.field.clone()),
            before: prepared.and_then(|prepared| prepared.before.clone()),
            ..Verdict::new(attempt.key, attempt.value, Status::Applied, Stage::Effective, Text::default())
        };
        if let (Decision::Taken, Some(known)) = (&attempt.decision, attempt.known) {
            self.taken(attempt, known.rule, prepared, &mut verdict);
            return verdict;
        }
        verdict.after.clone_from(&verdict.before);
        match &attempt.decision {
            Decision::Taken | Decision::Unknown => self.unknown(attempt, &mut verdict),
            Decision::NotEnabled => self.not_enabled(attempt, &mut verdict),
            Decision::PassedOver(stage, why) => {
                verdict.trace = self.steps_until(attempt, *stage, None).into();
                (verdict.status, verdict.stage, verdict.reason) =
                    (Status::Ignored, *stage, why.clone().into());
            }
            Decision::Refused(refusal) => self.refused(attempt, refusal, &mut verdict),
        }
        verdict
    }

    fn unknown(&self, attempt: &Attempt<'_>, verdict: &mut Verdict) {
        let release = self.loaded.release();
        let reader = catalog::annotation(attempt.key).map(|known| known.reader(release));
        let overwritten = reader.is_some_and(|reader| reader.overwritten);
        let title = release.title();
        let reason = match reader.and_then(|reader| reader.fate) {
            Some(_) if overwritten => {
                "the runtime writes this one itself, over whatever a pod says".to_owned()
            }
            // Of a gated key the list says what becomes of it; here its name was not let through.
            Some(fate) if attempt.short().is_none() && fate != "ignored" => {
                format!("{title} does not read it: {fate}")
            }
            _ if attempt.short().is_some() => format!(
                "{title} reads no such annotation; were its name in enable_annotations, the pod would fail"
            ),
            _ => format!("{title} reads no such annotation"),
        };
        verdict.fix = nearest(attempt.key, release).map(Box::new);
        let status = if overwritten { Status::Ignored } else { Status::Unknown };
        verdict.trace.push(Step::new(Stage::Known, false, "no rule for this key"));
        (verdict.status, verdict.stage, verdict.reason) = (status, Stage::Known, reason.into());
    }

    fn not_enabled(&self, attempt: &Attempt<'_>, verdict: &mut Verdict) {
        let short = attempt.short().unwrap_or_default();
        let table = format!("hypervisor.{}", self.last.runtime.hypervisor_name);
        let invalid = self.loaded.gates(self.last).and_then(|gates| {
            let first = gates.names.invalid().next().map(|(i, _)| i);
            first.filter(|_| gates.names.disabled())
        });
        let (reason, fix) = match invalid {
            Some(index) => {
                let pattern = self.pattern("enable_annotations", index);
                let advice =
                    format!("mend or remove the invalid pattern {pattern:?} of [{table}] enable_annotations");
                let reason = format!("the invalid pattern {pattern:?} disables all of enable_annotations");
                (reason, Fix::Advice(advice.into()))
            }
            None => {
                let reason = format!(
                    "no pattern of enable_annotations matches {short:?}; runtime-rs reads past it with a warning"
                );
                (reason, allow_name(table, short))
            }
        };
        verdict.end(Status::Ignored, Stage::Name, reason);
        if let Some(step) = verdict.trace.last_mut() {
            step.place = self.names_place();
        }
        verdict.fix = Some(fix.into());
    }

    fn refused(&self, attempt: &Attempt<'_>, refusal: &Refusal, verdict: &mut Verdict) {
        verdict.trace = self.steps_until(attempt, refusal.stage, Some(&refusal.message)).into();
        (verdict.status, verdict.stage, verdict.reason) =
            (Status::Refused, refusal.stage, refusal.reason.clone().into());
        let fix = match &refusal.fix {
            Some(fix) => Some(fix.clone()),
            None if refusal.stage == Stage::Known => nearest(attempt.key, self.loaded.release())
                .or(Some(Fix::Advice("take the annotation out of the pod".into()))),
            None => None,
        };
        verdict.fix = fix.map(Box::new);
    }

    /// The steps of an annotation that passes them all.
    fn steps(&self, attempt: &Attempt<'_>) -> Vec<Step> {
        let mut steps = Vec::with_capacity(8);
        if let Some(index) = attempt.name_pattern {
            let pattern = self.pattern("enable_annotations", index).to_owned();
            steps.push(Step::new(Stage::Name, true, pattern).at(self.names_place()));
        }
        let Some(known) = attempt.known else { return steps };
        steps.push(Step::new(Stage::Known, true, known.rule.field));
        let (reading, asks_range) = reading(known);
        steps.push(Step::new(Stage::Parse, true, reading));
        if asks_range {
            steps.push(Step::new(Stage::Range, true, ""));
        }
        match (known.list(), attempt.path_pattern) {
            (Some(list), Some(index)) => {
                let pattern = self.pattern(list, index).to_owned();
                steps.push(Step::new(Stage::Value, true, pattern).at(self.place(list)));
            }
            (Some(list), None) => steps.push(Step::new(Stage::Value, true, list)),
            (None, _) if known.must_exist() => steps.push(Step::new(Stage::Value, true, "the host's files")),
            (None, _) => {}
        }
        steps.push(Step::new(Stage::Merge, true, merging(known.parse)));
        steps
    }

    /// The steps up to the one that stops the annotation, with what is said there if more is said than at others.
    fn steps_until(&self, attempt: &Attempt<'_>, stage: Stage, said: Option<&str>) -> Vec<Step> {
        let mut steps = self.steps(attempt);
        let own = steps.iter().find(|step| step.stage == stage).map(|step| step.note.clone());
        steps.retain(|step| attempt.known.is_none() || step.stage < stage);
        let note = said.map(|said| Note::from(said.to_owned())).or(own);
        steps.push(Step::new(stage, false, note.unwrap_or_else(|| "".into())));
        steps
    }

    fn taken(&self, attempt: &Attempt<'_>, rule: &Rule, prepared: Option<&Prepared>, verdict: &mut Verdict) {
        let wrote = &attempt.wrote;
        verdict.trace = self.steps(attempt).into();
        if let Some(failure) = self.failure {
            verdict.after.clone_from(wrote);
            if failure.annotation.as_deref() == Some(attempt.key.as_str()) {
                // The checks over the whole configuration, or the start of the VM itself.
                let launched = failure.stage == FailureStage::Launch;
                let stage = if launched { Stage::Effective } else { Stage::Sizing };
                verdict.end(Status::Refused, stage, failure.message.clone());
            } else {
                verdict.trace.push(Step::new(Stage::Effective, false, "the pod does not start"));
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
            return verdict.end(Status::Overridden, stage, why);
        }
        verdict.trace.push(Step::new(Stage::Effective, true, rule.field));
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
