//! What a pod that is refused would be given: as if the policy let in all that it asks for, or as if what refuses
//! it were not asked for; and what of its annotations was taken before it failed.
//!
//! Decides by evaluating another policy or another pod, never by looking past a rule. Says what was supposed.

use crate::answer::effective::{Effective, Origin};
use crate::answer::verdict::{Fix, ListId, Status};
use crate::catalog::KATA_PREFIX;
use crate::input::manifest::Pod;

use super::way_out::entry_added;
use super::{Evaluation, Evaluator, Outcome};

/// What is supposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AsIf {
    /// The lists let in all that the pod asks for.
    Allowed,
    /// The annotations that refuse the pod are not set.
    Absent,
}

impl AsIf {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Allowed, Self::Absent];

    /// The word of the reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Absent => "absent",
        }
    }
}

/// What would become of a pod.
#[derive(Debug, Clone)]
pub struct Supposed {
    /// What was supposed.
    pub as_if: AsIf,
    /// Entries that were supposed to be in the lists.
    pub entries: Vec<(ListId, String)>,
    /// Annotations that were supposed not to be set.
    pub without: Vec<String>,
    /// The pod as it was evaluated.
    pub pod: Pod,
    /// The configuration as it was evaluated.
    pub evaluator: Evaluator,
    /// What became of it.
    pub evaluation: Evaluation,
}

impl Supposed {
    /// What was supposed, in one sentence.
    pub fn sentence(&self) -> String {
        let of = match (self.entries.as_slice(), self.without.as_slice()) {
            ([], []) if self.as_if == AsIf::Allowed => "no list stands in its way".to_owned(),
            ([], []) => "no annotation is to blame".to_owned(),
            ([], without) => {
                let short = |key: &String| {
                    key.strip_prefix("io.katacontainers.config.").unwrap_or(key.as_str()).to_owned()
                };
                format!("without {}", without.iter().map(short).collect::<Vec<_>>().join(", "))
            }
            (entries, _) => {
                let mut lists: Vec<(&ListId, Vec<String>)> = Vec::new();
                for (list, pattern) in entries {
                    let pattern = format!("{pattern:?}");
                    match lists.iter_mut().find(|(known, _)| *known == list) {
                        Some((_, patterns)) => patterns.push(pattern),
                        None => lists.push((list, vec![pattern])),
                    }
                }
                let list = |(list, patterns): &(&ListId, Vec<String>)| {
                    format!("{} with {}", list.list, patterns.join(", "))
                };
                lists.iter().map(list).collect::<Vec<_>>().join("; ")
            }
        };
        let outcome = match self.evaluation.outcome.failure() {
            None => String::new(),
            Some(failure) => {
                let first = failure.message.lines().next().unwrap_or_default();
                format!("; still refused at {}: {first}", failure.stage.as_str())
            }
        };
        format!("as if {} ({of}){outcome}", self.as_if.as_str())
    }
}

/// Judges a pod by a configuration; whoever supposes knows the node around them.
pub type Judge<'a> = &'a dyn Fn(&Pod, &Evaluator) -> Evaluation;

/// What would become of `pod`.
pub fn suppose(evaluator: &Evaluator, pod: &Pod, as_if: AsIf, judge: Judge<'_>) -> Supposed {
    match as_if {
        AsIf::Allowed => allowed(evaluator, pod, judge),
        AsIf::Absent => absent(evaluator, pod, judge),
    }
}

/// Opens list after list, as the pod meets them: behind the gate of a name comes that of its value.
fn allowed(evaluator: &Evaluator, pod: &Pod, judge: Judge<'_>) -> Supposed {
    let mut open = evaluator.clone();
    let mut entries: Vec<(ListId, String)> = Vec::new();
    for _ in 0..=2 * pod.annotations.len() {
        let closed = open.judge(pod).verdicts.into_iter().filter_map(|verdict| {
            let lost = matches!(verdict.status, Status::Refused | Status::Ignored);
            match verdict.fix.as_deref() {
                Some(Fix::Allow { list, pattern }) if lost => Some((list.clone(), pattern.clone())),
                _ => None,
            }
        });
        let more: Vec<_> = closed.filter(|entry| !entries.contains(entry)).collect();
        if more.is_empty() {
            break;
        }
        let before = entries.len();
        let mut layers = open.setup().layers.clone();
        for (list, pattern) in more {
            if let Some(with) = entry_added(&layers, &list, &pattern) {
                layers = with;
                entries.push((list, pattern));
            }
        }
        if entries.len() == before {
            break;
        }
        // Pods of one kind suppose the same.
        let named: Vec<String> =
            entries.iter().map(|(list, pattern)| format!("{list} + {pattern}")).collect();
        let Some(with) = evaluator.tried_with(&named.join("\n"), |_| Some(layers)) else { break };
        open = with;
    }
    let evaluation = judge(pod, &open);
    Supposed {
        as_if: AsIf::Allowed,
        entries,
        without: Vec::new(),
        pod: pod.clone(),
        evaluator: open,
        evaluation,
    }
}

/// Takes out what the refusal names, and what the next one names, until the pod starts; where none is named, the
/// first annotation without which it starts, else all of Kata's.
fn absent(evaluator: &Evaluator, pod: &Pod, judge: Judge<'_>) -> Supposed {
    let mut left = pod.clone();
    let mut without: Vec<String> = Vec::new();
    let mut evaluation = judge(&left, evaluator);
    for _ in 0..pod.annotations.len() {
        let Some(failure) = evaluation.outcome.failure() else { break };
        let own = |key: &str| left.annotations.iter().any(|a| a.key == key);
        let named = failure.annotation.clone().filter(|key| own(key));
        let blamed = || {
            let bad = |status: Status| matches!(status, Status::Refused | Status::Invalid);
            let verdict = evaluation.verdicts.iter().find(|verdict| bad(verdict.status))?;
            Some(verdict.key.to_string()).filter(|key| own(key))
        };
        let key = match named.or_else(blamed) {
            Some(key) => key,
            None => {
                let helps = |key: &String| judge(&less(&left, key), evaluator).outcome == Outcome::Starts;
                let keys: Vec<String> = left
                    .annotations
                    .iter()
                    .filter(|a| a.key.starts_with(KATA_PREFIX))
                    .map(|a| a.key.to_string())
                    .collect();
                match keys.iter().find(|key| helps(key)) {
                    Some(key) => key.clone(),
                    None => {
                        for key in &keys {
                            left = less(&left, key);
                        }
                        without.extend(keys);
                        evaluation = judge(&left, evaluator);
                        break;
                    }
                }
            }
        };
        left = less(&left, &key);
        without.push(key);
        evaluation = judge(&left, evaluator);
    }
    Supposed {
        as_if: AsIf::Absent,
        entries: Vec::new(),
        without,
        pod: left,
        evaluator: evaluator.clone(),
        evaluation,
    }
}

fn less(pod: &Pod, key: &str) -> Pod {
    let mut pod = pod.clone();
    pod.annotations.retain(|a| a.key != key);
    pod.problems.retain(|problem| problem.annotation.as_deref() != Some(key));
    pod
}

/// What `so_far` gives, for a reader.
pub const SO_FAR: &str = "as without annotations, plus those taken before; not a half-done state";

/// The configuration of a pod that asks for nothing, with what the annotations that were taken before the pod
/// failed set in it: no state that the runtime itself was in, which stops in the middle. Sizing comes later. `None`
/// where the configuration does not load.
pub fn so_far(evaluator: &Evaluator, evaluation: &Evaluation) -> Option<Effective> {
    let mut effective = evaluator.bare()?.clone();
    for verdict in &evaluation.verdicts {
        let took = matches!(verdict.status, Status::Applied | Status::Overridden);
        if let (true, Some(field), Some(after)) = (took, &verdict.field, &verdict.after) {
            let key = verdict.key.to_string();
            effective.set(field.to_string(), (**after).clone(), Origin::Annotation(key.into()));
        }
    }
    Some(effective)
}
