//! A pod with what became of it, as a query looks at it: the same columns on every screen and in every report.

use super::{Evaluation, Outcome};
use crate::catalog::KATA_PREFIX;
use crate::input::manifest::Pod;
use crate::query::{Column, NamedValue, Searched, Word};

/// Longer values are looked at from their start only.
const REACH: usize = 4_000;

/// What is known of a pod.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownOutcome<'a> {
    /// The handler that serves it, or that it asks for.
    pub handler: Option<&'a str>,
    /// The release that judges it.
    pub release: Option<&'a str>,
    /// The word for the outcome; empty where it is not known yet.
    pub outcome: &'a str,
    /// The stage that refuses it, or an empty word.
    pub stage: &'a str,
    /// Why it is refused, or not known.
    pub why: &'a str,
    /// The node.
    pub node: &'a str,
}

impl<'a> KnownOutcome<'a> {
    /// Of an evaluated pod.
    pub fn of(evaluation: &'a Evaluation, release: Option<&'a str>) -> Self {
        let (stage, why) = match &evaluation.outcome {
            Outcome::Refused(failure) => (failure.stage.as_str(), failure.message.as_str()),
            Outcome::Unknown(why) => ("", &**why),
            Outcome::Starts | Outcome::NotKata => ("", ""),
        };
        let handler = evaluation.handler.as_deref();
        Self { handler, release, outcome: evaluation.outcome.as_str(), stage, why, node: "" }
    }
}

/// A pod to be found.
#[derive(Debug, Clone, Copy)]
pub struct SearchedPod<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What is known of it.
    pub known: KnownOutcome<'a>,
    /// What `text` made of it, where that is kept.
    pub text: Option<&'a str>,
}

/// What a pod itself says, in lower case: its names, its file, its annotations.
pub fn text(pod: &Pod) -> String {
    let annotations = pod.annotations.iter().map(|a| a.key.len() + a.value.len().min(REACH) + 2);
    let mut out = String::with_capacity(160 + annotations.sum::<usize>());
    let class = pod.runtime_class.as_deref().unwrap_or_default();
    for part in [&*pod.namespace, "/", &*pod.name, " ", &*pod.kind, "\n", class, "\n", &*pod.source.file] {
        out.push_str(part);
    }
    for annotation in &pod.annotations {
        out.push('\n');
        out.push_str(&annotation.key);
        out.push('\n');
        out.push_str(reach(&annotation.value));
    }
    if out.bytes().all(|byte| byte.is_ascii()) {
        out.make_ascii_lowercase();
        return out;
    }
    out.to_lowercase()
}

fn reach(value: &str) -> &str {
    let mut end = value.len().min(REACH);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.get(..end).unwrap_or_default()
}

/// The last part of an annotation's key, by which it is known.
fn base(key: &str) -> &str {
    key.rsplit(['.', '/']).next().unwrap_or(key)
}

impl SearchedPod<'_> {
    /// Whether the annotation of that name has that value; `None`: the pod has none of the name.
    pub fn valued(&self, wanted: &NamedValue) -> Option<bool> {
        let name = &wanted.name;
        // One look at the whole spares most pods one at each annotation.
        if self.text.is_some_and(|text| !name.may_be_in_lower(text)) {
            return None;
        }
        let mut own = self.pod.annotations.iter().filter(|a| {
            let rest = a.key.strip_prefix(KATA_PREFIX);
            name.is(base(&a.key)) || name.is(&a.key) || rest.is_some_and(|rest| name.is(rest))
        });
        let first = own.next()?;
        Some(wanted.value.is_in(&first.value) || own.any(|a| wanted.value.is_in(&a.value)))
    }

    /// Whether what is known of the pod has the word.
    fn becomes(&self, word: &Word) -> bool {
        let known = &self.known;
        let first = [known.handler.unwrap_or_default(), known.release.unwrap_or_default(), known.outcome];
        first.into_iter().chain([known.stage, known.why, known.node]).any(|part| word.is_in(part))
    }
}

impl Searched for SearchedPod<'_> {
    fn anywhere(&self, word: &Word) -> bool {
        let said = match self.text {
            Some(text) => word.is_in_lower(text),
            None => word.is_in_lower(&text(self.pod)),
        };
        said || self.becomes(word)
    }

    fn column(&self, column: Column, word: &Word) -> bool {
        let (pod, known) = (self.pod, &self.known);
        let own = !matches!(
            column,
            Column::Handler
                | Column::Release
                | Column::Outcome
                | Column::Reason
                | Column::Node
                | Column::Origin
        );
        if own && self.text.is_some_and(|text| !word.is_part_of_lower(text)) {
            return false;
        }
        match column {
            Column::Pod => word.is_in(&pod.name) || word.is_in(&format!("{}/{}", pod.namespace, pod.name)),
            Column::Namespace => word.is_in(&pod.namespace),
            Column::Kind => word.is_in(&pod.kind),
            Column::Class => word.is_in(pod.runtime_class.as_deref().unwrap_or_default()),
            Column::Handler => word.is_in(known.handler.unwrap_or_default()),
            Column::Release => word.is_in(known.release.unwrap_or_default()),
            Column::Outcome => word.is_in(known.outcome),
            Column::Reason => word.is_in(known.stage) || word.is_in(known.why),
            Column::Node => word.is_in(known.node),
            Column::Key => pod.annotations.iter().any(|a| word.is_in(base(&a.key)) || word.is_in(&a.key)),
            Column::Value => pod.annotations.iter().any(|a| word.is_in(reach(&a.value))),
            Column::Origin => false,
            Column::File => word.is_in(&pod.source.file),
        }
    }

    fn named(&self, wanted: &NamedValue) -> bool {
        match self.valued(wanted) {
            Some(found) => found,
            // Where the name is not, the term is not.
            None if self.text.is_some_and(|text| !wanted.name.may_be_in_lower(text)) => {
                self.becomes(&wanted.term)
            }
            None => self.anywhere(&wanted.term),
        }
    }
}
