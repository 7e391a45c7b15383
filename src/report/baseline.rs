//! Findings that are accepted: written once, and not told of again.
//!
//! Decides what is the same finding: one of the same code about the same annotation in the same words, of a pod
//! of the same name and kind. Another value makes other words, and so another finding. An entry that leaves a
//! field out accepts whatever stands there; one that nothing meets any more is stale.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::answer::finding::{Code, Finding, Severity};
use crate::evaluate::Evaluation;
use crate::input::manifest::Pod;

/// Pods that a stale entry names.
const NAMED: usize = 3;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    accepted: Vec<Entry>,
}

/// Findings that are accepted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Why; for people, and kept when the file is written anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pods: Option<BTreeSet<String>>,
}

impl Entry {
    fn fits(&self, finding: &Finding) -> bool {
        self.code.as_deref().is_none_or(|code| code == finding.code.as_str())
            && (self.annotation.is_none() || self.annotation == finding.subject)
            && self.message.as_ref().is_none_or(|message| *message == finding.message)
    }
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not what is written by `--write-baseline`.
    #[error("no baseline: {0}")]
    Format(#[from] serde_json::Error),
    /// It is of a later program.
    #[error("a baseline of schema {0}; this program reads schema 1")]
    Schema(u32),
    /// A slip in a code.
    #[error("accepted[{at}]: there is no finding '{code}'")]
    Code {
        /// Which entry, from 0.
        at: usize,
        /// What it names.
        code: String,
    },
}

/// A file of accepted findings.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
    by_code: HashMap<Option<String>, Vec<usize>>,
}

/// What of a baseline was met: entries, and their pods.
#[derive(Debug, Clone, Default)]
pub struct Met {
    /// How many findings were accepted.
    pub findings: usize,
    entries: BTreeMap<usize, BTreeSet<String>>,
}

impl Met {
    /// Adds what another pod met.
    pub fn join(&mut self, other: Self) {
        self.findings += other.findings;
        for (entry, pods) in other.entries {
            self.entries.entry(entry).or_default().extend(pods);
        }
    }
}

/// How a pod is named in a baseline.
fn identity(pod: &Pod) -> String {
    format!("{}/{} {}", pod.namespace, pod.name, pod.kind)
}

impl Baseline {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let document: Document = serde_json::from_str(text)?;
        if document.schema != 1 {
            return Err(BaselineError::Schema(document.schema));
        }
        let mut by_code: HashMap<Option<String>, Vec<usize>> = HashMap::new();
        for (at, entry) in document.accepted.iter().enumerate() {
            if let Some(code) = &entry.code
                && !Code::ALL.iter().any(|known| known.as_str() == code)
            {
                return Err(BaselineError::Code { at, code: code.clone() });
            }
            by_code.entry(entry.code.clone()).or_default().push(at);
        }
        Ok(Self { entries: document.accepted, by_code })
    }

    /// Takes the accepted findings out of what is found of a pod.
    pub fn accept(&self, pod: &Pod, evaluation: &mut Evaluation) -> Met {
        let mut met = Met::default();
        if self.entries.is_empty() {
            return met;
        }
        let name = identity(pod);
        evaluation.findings.retain(|finding| {
            let code = Some(finding.code.as_str().to_owned());
            let candidates = [self.by_code.get(&code), self.by_code.get(&None)];
            let entry = candidates.into_iter().flatten().flatten().copied().find(|at| {
                self.entries.get(*at).is_some_and(|entry| {
                    entry.pods.as_ref().is_none_or(|pods| pods.contains(&name)) && entry.fits(finding)
                })
            });
            let Some(entry) = entry else { return true };
            met.findings += 1;
            met.entries.entry(entry).or_default().insert(name.clone());
            false
        });
        met
    }

    /// The entries that nothing met, as sentences.
    pub fn stale(&self, met: &Met) -> Vec<String> {
        let mut stale = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let seen = met.entries.get(&at);
            let gone: Vec<&str> = match &entry.pods {
                None if seen.is_some() => continue,
                None => Vec::new(),
                Some(pods) => {
                    let met = |pod: &&String| seen.is_some_and(|seen| seen.contains(*pod));
                    pods.iter().filter(|pod| !met(pod)).map(String::as_str).collect()
                }
            };
            if gone.is_empty() && entry.pods.is_some() {
                continue;
            }
            let what = [entry.code.as_deref(), entry.annotation.as_deref()];
            let what: Vec<&str> = what.into_iter().flatten().collect();
            let more = gone.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let of = match gone.is_empty() {
                true => String::new(),
                false => {
                    let named: Vec<&str> = gone.iter().take(NAMED).copied().collect();
                    format!(" of {}{more}", named.join(", "))
                }
            };
            let what = if what.is_empty() { "any finding".to_owned() } else { what.join(" ") };
            stale.push(format!("{what}{of}"));
        }
        stale
    }
}

/// What makes one entry: code, annotation and message.
type Key = (Code, Option<String>, String);

/// Findings to be accepted.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    found: IndexMap<Key, BTreeSet<String>>,
}

impl Findings {
    /// What could count for the exit status.
    pub fn of(pod: &Pod, evaluation: &Evaluation) -> Self {
        let mut found: IndexMap<Key, BTreeSet<String>> = IndexMap::new();
        for finding in evaluation.findings.iter().filter(|finding| finding.severity > Severity::Note) {
            let key = (finding.code, finding.subject.clone(), finding.message.clone());
            found.entry(key).or_default().insert(identity(pod));
        }
        Self { found }
    }

    /// Adds those of another pod.
    pub fn join(&mut self, other: Self) {
        for (key, pods) in other.found {
            self.found.entry(key).or_default().extend(pods);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.values().map(BTreeSet::len).sum()
    }

    /// The file that accepts them. Notes of `before`, and what was written there by hand, stay.
    pub fn document(self, before: &Baseline) -> Result<String, serde_json::Error> {
        let by_hand =
            |entry: &&Entry| entry.code.is_none() || entry.message.is_none() || entry.pods.is_none();
        let mut accepted: Vec<Entry> = before.entries.iter().filter(by_hand).cloned().collect();
        for ((code, annotation, message), pods) in self.found {
            let entry = Entry {
                code: Some(code.as_str().to_owned()),
                annotation,
                message: Some(message),
                note: None,
                pods: Some(pods),
            };
            let same = |old: &&Entry| {
                (&old.code, &old.annotation, &old.message) == (&entry.code, &entry.annotation, &entry.message)
            };
            let note = before.entries.iter().find(same).and_then(|old| old.note.clone());
            accepted.push(Entry { note, ..entry });
        }
        let mut text = serde_json::to_string_pretty(&Document { schema: 1, accepted })?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::manifest;
    use crate::runtime::Depth;
    use crate::sample;

    #[test]
    fn what_is_written_accepts_what_was_found_and_no_more() {
        let evaluator = sample::evaluator();
        let pods = manifest::read(&sample::pods()).unwrap().pods;
        let mut found = Findings::default();
        for pod in &pods {
            found.join(Findings::of(pod, &evaluator.evaluate(pod, Depth::Verdicts)));
        }
        let count = found.count();
        assert!(count > 3);
        let text = found.document(&Baseline::default()).unwrap();
        let baseline = Baseline::parse(&text).unwrap();
        let mut met = Met::default();
        for pod in &pods {
            let mut evaluation = evaluator.evaluate(pod, Depth::Verdicts);
            met.join(baseline.accept(pod, &mut evaluation));
            assert!(evaluation.findings.iter().all(|finding| finding.severity == Severity::Note));
        }
        assert_eq!(met.findings, count);
        assert_eq!(baseline.stale(&met), Vec::<String>::new());
        assert!(!baseline.stale(&Met::default()).is_empty());
        // Another value is news.
        let mut pod = pods.into_iter().find(|pod| !pod.annotations.is_empty()).unwrap();
        pod.name = "another".to_owned();
        let mut evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
        let before = evaluation.findings.len();
        baseline.accept(&pod, &mut evaluation);
        assert_eq!(evaluation.findings.len(), before);
    }

    #[test]
    fn entries_by_hand_accept_more_and_stay() {
        let text = r#"{"schema": 1, "accepted": [{"code": "annotation-ignored", "note": "known"}]}"#;
        let baseline = Baseline::parse(text).unwrap();
        assert_eq!(baseline.stale(&Met::default()), ["annotation-ignored"]);
        let again = Findings::default().document(&baseline).unwrap();
        assert!(again.contains("known"), "{again}");
        assert!(Baseline::parse(r#"{"schema": 2, "accepted": []}"#).is_err());
        assert!(Baseline::parse(r#"{"schema": 1, "accepted": [{"code": "anotation-ignored"}]}"#).is_err());
        assert!(Baseline::parse(r#"{"schema": 1, "accepted": [{"pod": "a"}]}"#).is_err());
    }
}
