//! The way out of every refusal: where its cause stands, the values that collide, and the smallest change that
//! helps.
//!
//! Decides by trying: a change is offered only where the pod, evaluated with it, starts or gets further. Which
//! changes may help is the catalogue's knowledge of the message (`catalog::message`), and of an annotation the
//! verdict on it. Judges nothing.

mod gate;
mod outside;
mod tried;

use super::{Evaluation, Evaluator, Outcome, Setup};
use crate::answer::Place;
use crate::answer::finding::Who;
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Verdict};
use crate::answer::way_out::WayOut;
use crate::catalog::{self, message::Message};
use crate::explain::messages::{Decoded, decode};
use crate::input::Text;
use crate::input::amend::is_value;
use crate::input::host::{Assumption, Look};
use crate::input::manifest::Pod;
use crate::input::search;
use crate::runtime::Depth;
use gate::{behind_the_gate, other_syntax, with_entry};
use tried::once;

pub(super) use gate::entry_added;
pub(super) use outside::put_outside;
pub(super) use tried::Tried;

/// Puts the way out into an evaluation: into the verdicts whose fix would not help, and beside the failure.
pub(super) fn put(evaluator: &Evaluator, pod: &Pod, evaluation: &mut Evaluation) {
    let blocked: Vec<usize> = (0..evaluation.verdicts.len())
        .filter(|at| {
            evaluation.verdicts.get(*at).is_some_and(|v| {
                matches!(v.status, Status::Refused | Status::Ignored)
                    && matches!(v.fix.as_deref(), Some(Fix::Allow { .. }))
            })
        })
        .collect();
    for at in blocked {
        if let Some((key, fix)) = behind_the_gate(evaluator, pod, evaluation, at)
            && let Some(verdict) = evaluation.verdicts.get_mut(at)
        {
            // A value that could pass takes the open gate, too.
            let fix = match (&fix, verdict.fix.as_deref()) {
                (Fix::Value(_), Some(allow)) => Fix::Advice(format!("{fix}, and {allow}").into()),
                _ => fix,
            };
            for finding in evaluation.findings.iter_mut().filter(|f| f.subject.as_deref() == Some(&key)) {
                if finding.fix.as_ref() == verdict.fix.as_deref() {
                    finding.fix = Some(fix.clone());
                    finding.who = Who::PodAuthor;
                }
            }
            verdict.fix = Some(fix.into());
        }
    }
    let Some(failure) = evaluation.outcome.failure().cloned() else { return };
    if matches!(failure.stage, FailureStage::Kubernetes | FailureStage::Cri) {
        put_outside(pod, evaluation);
        return;
    }
    let way_out =
        Search { evaluator, pod, failure: &failure, decoded: decode(&failure.message) }.find(evaluation);
    for finding in evaluation.findings.iter_mut().filter(|f| f.message == failure.message) {
        finding.place = way_out.place.clone().or_else(|| finding.place.take());
        if finding.fix.is_none() {
            finding.fix =
                Some(way_out.fix.clone().unwrap_or_else(|| Fix::Advice(way_out.advice.clone().into())));
            finding.who = way_out.who;
        }
    }
    evaluation.way_out = Some(way_out);
}

/// How far a pod gets.
fn reach(outcome: &Outcome) -> u8 {
    match outcome.failure().map(|failure| failure.stage) {
        None => 9,
        Some(FailureStage::Kubernetes) => 0,
        Some(FailureStage::Cri) => 1,
        Some(FailureStage::Load) => 2,
        Some(FailureStage::Annotations) => 3,
        Some(FailureStage::Validate) => 4,
        Some(FailureStage::Sizing) => 5,
        Some(FailureStage::Launch) => 6,
    }
}

/// A change of the configuration that helps.
struct Change {
    fix: Fix,
    outcome: Outcome,
    /// A file that is only taken to be there, on which that rests.
    if_there: Option<Assumption>,
    by_author: bool,
}

struct Search<'a> {
    evaluator: &'a Evaluator,
    pod: &'a Pod,
    failure: &'a Failure,
    decoded: Option<Decoded>,
}

impl Search<'_> {
    fn find(&self, evaluation: &Evaluation) -> WayOut {
        let message = self.decoded.as_ref().map(|decoded| decoded.message);
        let (facts, first) = self.facts(message, evaluation);
        let loading = self.evaluator.loaded().err().and_then(|error| error.place.clone());
        let of_annotation = self
            .failure
            .annotation
            .as_deref()
            .and_then(|key| self.pod.annotations.iter().find(|a| a.key == key).map(|a| a.place.clone()));
        let place = of_annotation.or(loading.filter(|place| place.line > 0)).or(first);
        let misses_file = self.misses_a_file();
        let change = self.change(message, evaluation, misses_file);
        let advice = message.map_or_else(
            || {
                "the message names the cause; no change of a single key or annotation that was tried helps"
                    .to_owned()
            },
            |message| message.advice.to_owned(),
        );
        let mut who = self.decoded.as_ref().map_or(Who::ClusterAdministrator, Decoded::who);
        if let Some(change) = &change {
            who = if change.by_author { Who::PodAuthor } else { Who::ClusterAdministrator };
        } else if self.failure.annotation.is_some() {
            who = Who::PodAuthor;
        }
        WayOut {
            place,
            facts,
            gain: change.as_ref().map(gain),
            fix: change.map(|change| change.fix),
            advice,
            causes: message.map_or(&[], |message| message.causes),
            misses_file,
            who,
        }
    }

    /// Whether it is a file that was looked for in vain: with every file in its place the pod gets further.
    fn misses_a_file(&self) -> bool {
        let setup = self.evaluator.setup();
        if !setup.host.sees_all() {
            return false;
        }
        if setup.layers.base.is_err() {
            return true;
        }
        let with_all = self.evaluator.tried("every file", |evaluator| {
            let host = evaluator.setup.host.looked_at(Look::Collected, Vec::new());
            Some(Evaluator::load(Setup { host, ..(*evaluator.setup).clone() }, false))
        });
        with_all.is_some_and(|other| self.is_further(&other.walk(self.pod, Depth::Verdicts).outcome))
    }

    /// The tables that a head stands for: the active one first.
    fn tables(&self, head: &str) -> Vec<String> {
        let layers = &self.evaluator.setup().layers;
        if !matches!(head, "hypervisor" | "agent") {
            return vec![head.to_owned()];
        }
        once(&self.evaluator.tried.tables, head, || {
            let mut names = layers.tables_below(head);
            let release = self.evaluator.setup().release;
            let active = match self.evaluator.hypervisor() {
                Some(name) => Some(name.to_owned()),
                None => search::hypervisor(release, layers),
            };
            names.sort_by_key(|name| Some(name) != active.as_ref());
            names.into_iter().take(3).map(|name| format!("{head}.{name}")).collect()
        })
    }

    /// The values that the message is about, and the place of the first that a file says.
    fn facts(&self, message: Option<&Message>, evaluation: &Evaluation) -> (Vec<String>, Option<Place>) {
        let setup = self.evaluator.setup();
        let (mut facts, mut first) = (Vec::new(), None);
        let culprit = self.decoded.as_ref().and_then(|decoded| decoded.value.as_deref());
        let keys = message.map_or(&[][..], |message| message.keys);
        for name in keys {
            let Some((head, key)) = name.rsplit_once('.') else { continue };
            let set = evaluation.verdicts.iter().find(|v| {
                let is_it = |field: &str| field.starts_with(head) && field.rsplit('.').next() == Some(key);
                matches!(v.status, Status::Applied | Status::Overridden | Status::Refused)
                    && v.field.as_deref().is_some_and(is_it)
            });
            if let Some(verdict) = set {
                facts.push(format!("{key} is {:?} by the pod's annotation", verdict.value.as_str()));
            }
            let table = self.tables(head).into_iter().next().unwrap_or_else(|| head.to_owned());
            match self.evaluator.last_written(&table, key) {
                Some(written) => {
                    // Of keys that name files only the one that names this file.
                    let names_it = culprit.is_none_or(|value| {
                        keys.len() < 4
                            || value.is_empty()
                            || written.text.contains(value.rsplit('/').next().unwrap_or(value))
                    });
                    if names_it {
                        facts.push(format!("{key} = {} ({})", cut(&written.text), written.place));
                        first = first.or(Some(written.place));
                    }
                }
                None if keys.len() < 4 && set.is_none() => {
                    let known = catalog::config_key(&table, key).and_then(|k| k.reader(setup.release));
                    if let Some(reader) = known.filter(|reader| !reader.default.is_empty()) {
                        facts.push(format!("{key} = {} (default)", reader.default));
                    }
                }
                None => {}
            }
        }
        let of_cpus = |name: &&str| {
            [".default_vcpus", ".default_maxvcpus", ".default_max_vcpus"]
                .iter()
                .any(|end| name.ends_with(end))
        };
        let host = &setup.host.facts;
        let of_annotation = self.failure.annotation.as_deref().is_some_and(|key| of_cpus(&key));
        if let Some(allowed) = host.cpus_allowed.filter(|_| of_annotation || keys.iter().any(of_cpus)) {
            facts.push(format!(
                "the shim may run on {allowed} of the host's {} CPUs (the affinity of the container runtime's service)",
                host.cpus
            ));
        }
        (facts, first)
    }

    /// The first change that makes the pod start, else the first with which it gets further.
    fn change(
        &self,
        message: Option<&Message>,
        evaluation: &Evaluation,
        misses_file: bool,
    ) -> Option<Change> {
        let mut further = None;
        let mut consider = |change: Option<Change>| -> Option<Change> {
            let change = change?;
            if change.outcome == Outcome::Starts {
                return Some(change);
            }
            if further.is_none() && self.is_further(&change.outcome) {
                further = Some(change);
            }
            None
        };
        for change in self.of_verdict(evaluation) {
            if let Some(found) = consider(Some(change)) {
                return Some(found);
            }
        }
        for tried in message.map_or(&[][..], |message| message.tries) {
            if *tried == "drop annotation" {
                continue;
            }
            for change in self.of_configuration(tried) {
                if let Some(found) = consider(Some(change)) {
                    return Some(found);
                }
            }
        }
        // Where a file is missing, nothing is wrong with how its line is written.
        let at_the_place = if misses_file { Vec::new() } else { self.at_the_place() };
        for change in at_the_place {
            if let Some(found) = consider(Some(change)) {
                return Some(found);
            }
        }
        for key in self.culprits(message, evaluation) {
            if let Some(found) = consider(self.without(&key)) {
                return Some(found);
            }
        }
        further
    }

    /// A change with what becomes of the pod.
    fn changed(&self, evaluation: Evaluation, fix: Fix, by_author: bool) -> Change {
        let before = self.evaluator.assumed();
        let mut files = evaluation.assumed.iter().filter(|a| matches!(a, Assumption::There(_)));
        let if_there = files.find(|file| !before.contains(file)).cloned();
        Change { fix, outcome: evaluation.outcome, if_there, by_author }
    }

    fn is_further(&self, outcome: &Outcome) -> bool {
        let before = Outcome::Refused(self.failure.clone());
        match outcome.failure() {
            Some(after) if reach(outcome) == reach(&before) => {
                let message = |text: &str| decode(text).map(|decoded| std::ptr::from_ref(decoded.message));
                self.failure.stage == FailureStage::Load
                    && after.message != self.failure.message
                    && message(&after.message) != message(&self.failure.message)
            }
            _ => reach(outcome) > reach(&before),
        }
    }

    /// What the verdict on the annotation at fault proposes, tried.
    fn of_verdict(&self, evaluation: &Evaluation) -> Vec<Change> {
        let Some(key) = self.failure.annotation.as_deref() else { return Vec::new() };
        let Some(verdict) = evaluation.verdicts.iter().find(|v| v.key == key) else { return Vec::new() };
        let mut found = Vec::new();
        match verdict.fix.as_deref() {
            Some(Fix::Allow { list, pattern }) => {
                if let Some(open) = with_entry(self.evaluator, list, pattern) {
                    let fix = Fix::Allow { list: list.clone(), pattern: pattern.clone() };
                    found.push(self.changed(open.walk(self.pod, Depth::Verdicts), fix, false));
                }
            }
            Some(Fix::Value(value)) => found.extend(self.with_value(key, value)),
            Some(Fix::Advice(_)) => {}
            None => found
                .extend(other_syntax(&verdict.value).iter().filter_map(|value| self.with_value(key, value))),
        }
        found
    }

    fn with_value(&self, key: &str, value: &str) -> Option<Change> {
        let mut pod = self.pod.clone();
        let annotation = pod.annotations.iter_mut().find(|a| a.key == key)?;
        annotation.value = Text::copy(value);
        let fix = Fix::Value(value.to_owned());
        Some(self.changed(self.evaluator.walk(&pod, Depth::Verdicts), fix, true))
    }

    /// The annotations that may be at fault: the one that the runtime names, else those that set a key of the
    /// message.
    fn culprits(&self, message: Option<&Message>, evaluation: &Evaluation) -> Vec<String> {
        if let Some(key) = &self.failure.annotation {
            return vec![key.clone()];
        }
        let keys = message.map_or(&[][..], |message| message.keys);
        let sets = |verdict: &&Verdict| {
            let key = verdict.field.as_deref().and_then(|field| field.rsplit('.').next());
            key.is_some_and(|key| keys.iter().any(|name| name.rsplit('.').next() == Some(key)))
                || verdict.status == Status::Refused
        };
        evaluation.verdicts.iter().filter(sets).map(|verdict| verdict.key.to_string()).collect()
    }

    fn without(&self, key: &str) -> Option<Change> {
        let mut pod = self.pod.clone();
        let before = pod.annotations.len();
        pod.annotations.retain(|a| a.key != key);
        if pod.annotations.len() == before {
            return None;
        }
        let fix = Fix::Advice(format!("leave {key} out").into());
        Some(self.changed(self.evaluator.walk(&pod, Depth::Verdicts), fix, true))
    }

    /// A change of the catalogue's, in each table that it may be for.
    fn of_configuration(&self, tried: &str) -> Vec<Change> {
        let (target, value) = match tried.strip_prefix("drop ") {
            Some(target) => (target, None),
            None => match tried.split_once(" = ") {
                Some((target, value)) => (target, Some(value)),
                None => return Vec::new(),
            },
        };
        let named = self.decoded.as_ref().and_then(|decoded| decoded.value.as_deref()).unwrap_or_default();
        let target = target.replace("{value}", named);
        let Some((head, key)) = target.rsplit_once('.') else { return Vec::new() };
        let change = |table: String| {
            let value = match value {
                Some(value) => Some(self.filled_in(value)?),
                None => None,
            };
            let written = self.evaluator.last_written(&table, key);
            if written.as_ref().map(|written| &written.text) == value.as_ref() {
                return None;
            }
            let other =
                self.evaluator.tried_with(&format!("{table}.{key} = {value:?}"), |layers| match &value {
                    Some(value) => layers.with_key(&table, key, value),
                    None => layers.without_key(&table, key),
                })?;
            let place = written.map(|written| format!(" ({})", written.place)).unwrap_or_default();
            let text = match &value {
                Some(value) => format!("set {key} = {value} in [{table}]{place}"),
                None => format!("remove {key} from [{table}]{place}"),
            };
            Some(self.changed(other.walk(self.pod, Depth::Verdicts), Fix::Advice(text.into()), false))
        };
        self.tables(head).into_iter().filter_map(change).collect()
    }

    /// The key in whose line loading ends, written as another type, or left out.
    fn at_the_place(&self) -> Vec<Change> {
        let Some(place) = self.evaluator.loaded().err().and_then(|error| error.place.clone()) else {
            return Vec::new();
        };
        let is_here = |(_, own): &(&String, &Place)| own.file == place.file && own.line == place.line;
        let places = self.evaluator.tried.places.get_or_init(|| self.evaluator.setup().layers.places());
        let Some((name, _)) = places.iter().find(is_here) else { return Vec::new() };
        let Some((table, key)) = name.rsplit_once('.') else { return Vec::new() };
        let Some(written) = self.evaluator.last_written(table, key) else { return Vec::new() };
        let bare = written.text.trim_matches('"').to_owned();
        let forms = [bare.clone(), format!("\"{bare}\""), format!("[{}]", written.text)];
        let mut found = Vec::new();
        let other = |value: &&String| **value != written.text && is_value(value);
        for value in forms.iter().filter(other).map(Some).chain([None]) {
            let other = self.evaluator.tried_with(&format!("{name} = {value:?}"), |layers| match value {
                Some(value) => layers.with_key(table, key, value),
                None => layers.without_key(table, key),
            });
            let Some(other) = other else { continue };
            let still = other.loaded().err().and_then(|error| error.place.as_ref());
            if still.is_some_and(|still| still.file == place.file && still.line == place.line) {
                continue;
            }
            let text = match value {
                Some(value) => format!("set {key} = {} in [{table}] ({})", cut(value), written.place),
                None => format!("remove {key} from [{table}] ({})", written.place),
            };
            found.push(self.changed(other.walk(self.pod, Depth::Verdicts), Fix::Advice(text.into()), false));
        }
        found
    }

    /// A value in which another key's stands in braces.
    fn filled_in(&self, value: &str) -> Option<String> {
        let Some(name) = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return Some(value.to_owned());
        };
        let (head, key) = name.rsplit_once('.')?;
        let table = self.tables(head).into_iter().next()?;
        let written = self.evaluator.last_written(&table, key).map(|written| written.text);
        written.or_else(|| {
            let reader = catalog::config_key(&table, key)?.reader(self.evaluator.setup().release)?;
            Some(reader.default.to_owned())
        })
    }
}

fn cut(text: &str) -> String {
    const SHOWN: usize = 80;
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= SHOWN {
        return one_line;
    }
    one_line.chars().take(SHOWN).chain("…".chars()).collect()
}

fn gain(change: &Change) -> String {
    match change.outcome.failure() {
        None => match &change.if_there {
            None => "the pod then starts".to_owned(),
            Some(file) => format!("the pod then starts, if {file}"),
        },
        Some(failure) => {
            let message = failure.message.trim().lines().next().unwrap_or_default();
            format!("the pod then gets as far as {}: {}", failure.stage.as_str(), cut(message))
        }
    }
}

/// Whether a verdict's fix is the pod author's to make.
pub(super) fn is_the_authors(verdict: &Verdict) -> bool {
    match verdict.fix.as_deref() {
        Some(Fix::Allow { .. }) => false,
        Some(Fix::Value(_) | Fix::Advice(_)) => verdict.stage != Stage::Cri,
        None => !matches!(verdict.stage, Stage::Cri | Stage::Name | Stage::Value),
    }
}
