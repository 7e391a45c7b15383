//! What becomes of one annotation, and why a pod is refused: the vocabulary all releases answer in.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

pub use super::note::Note;
use super::note::shown;
use super::{Place, Text};

/// A stage on an annotation's way, in the words of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Stage {
    Kubernetes,
    Cri,
    Known,
    Name,
    Parse,
    Range,
    Value,
    Merge,
    Sizing,
    Effective,
}

impl Stage {
    /// The word of the reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Cri => "cri",
            Self::Known => "known",
            Self::Name => "name",
            Self::Parse => "parse",
            Self::Range => "range",
            Self::Value => "value",
            Self::Merge => "merge",
            Self::Sizing => "sizing",
            Self::Effective => "effective",
        }
    }
}

impl Stage {
    /// The same for people, as what was found there: it stands behind a mark.
    pub fn title(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Cri => "container runtime",
            Self::Known => "key known",
            Self::Name => "name allowed",
            Self::Parse => "value read",
            Self::Range => "value in range",
            Self::Value => "value allowed",
            Self::Merge => "taken over",
            Self::Sizing => "sizing",
            Self::Effective => "in effect",
        }
    }
}

/// What became of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It took effect.
    Applied,
    /// It took effect, then a later step replaced it.
    Overridden,
    /// The runtime read past it.
    Ignored,
    /// It makes the pod fail.
    Refused,
    /// The CRI runtime never passes it on.
    Dropped,
    /// Kubernetes would not accept it.
    Invalid,
    /// This release reads no such key.
    Unknown,
}

impl Status {
    /// The word of the reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Overridden => "overridden",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

/// A policy list of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListId {
    /// `hypervisor.qemu`
    pub table: Cow<'static, str>,
    /// `enable_annotations`, `valid_hypervisor_paths`, ...
    pub list: Cow<'static, str>,
}

impl ListId {
    /// Names a list.
    pub fn new(table: impl Into<Cow<'static, str>>, list: impl Into<Cow<'static, str>>) -> Self {
        Self { table: table.into(), list: list.into() }
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.table, self.list)
    }
}

/// What would change an annotation's fate: the smallest policy edit, or the corrected value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Add this pattern to that list.
    Allow {
        /// The list.
        list: ListId,
        /// The smallest exact pattern.
        pattern: String,
    },
    /// Write this value instead.
    Value(String),
    /// Something a person has to do.
    Advice(Cow<'static, str>),
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow { list, pattern } => write!(f, "add {pattern:?} to {list}"),
            Self::Value(value) => write!(f, "write {value:?}"),
            Self::Advice(text) => f.write_str(text),
        }
    }
}

/// One step of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// Whether it let the annotation pass.
    pub passed: bool,
    /// What was looked at: the pattern that matched, the parsed value, the rule.
    pub note: Note,
    /// Where the rule stands.
    pub place: Option<Place>,
}

impl Step {
    /// A step whose rule stands in no file.
    pub fn new(stage: Stage, passed: bool, note: impl Into<Note>) -> Self {
        Self { stage, passed, note: note.into(), place: None }
    }

    /// Names the place of its rule, if that is known.
    #[must_use]
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }
}

/// The steps that an annotation passed, in that runtime's own order: the container runtime's, then
/// those that are the same for every pod under a configuration, then the pod's own.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    first: Option<Step>,
    common: Option<Arc<[Step]>>,
    own: Vec<Step>,
}

impl Trace {
    /// Stations that are prepared once, and shared by all who pass them.
    pub fn along(common: Arc<[Step]>) -> Self {
        Self { first: None, common: Some(common), own: Vec::new() }
    }

    /// The steps after those that are shared.
    #[must_use]
    pub fn then(mut self, own: Vec<Step>) -> Self {
        if self.own.is_empty() {
            self.own = own;
        } else {
            self.own.extend(own);
        }
        self
    }

    /// Puts a step before all others.
    pub fn begin(&mut self, step: Step) {
        if let Some(earlier) = self.first.replace(step) {
            let rest = self.drain();
            self.own = std::iter::once(earlier).chain(rest).collect();
        }
    }

    /// Adds a step behind the others.
    pub fn push(&mut self, step: Step) {
        self.own.push(step);
    }

    /// Adds steps behind the others.
    pub fn extend(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.own.extend(steps);
    }

    /// Keeps the steps that `stays` says.
    pub fn retain(&mut self, stays: impl Fn(&Step) -> bool) {
        self.first = self.first.take().filter(&stays);
        self.own = self.drain().into_iter().filter(&stays).collect();
    }

    /// All but the first.
    fn drain(&mut self) -> Vec<Step> {
        match self.common.take() {
            None => std::mem::take(&mut self.own),
            Some(common) => common.iter().cloned().chain(self.own.drain(..)).collect(),
        }
    }

    /// The last step, to say more about it.
    pub fn last_mut(&mut self) -> Option<&mut Step> {
        if self.own.is_empty() {
            self.own = self.drain();
        }
        self.own.last_mut().or(self.first.as_mut())
    }

    /// The steps in order.
    pub fn iter(&self) -> impl Iterator<Item = &Step> {
        self.first.iter().chain(self.common.iter().flat_map(|common| common.iter())).chain(&self.own)
    }

    /// Whether there is no step at all.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl PartialEq for Trace {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl From<Vec<Step>> for Trace {
    fn from(own: Vec<Step>) -> Self {
        Self { first: None, common: None, own }
    }
}

/// The sentence of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// In its own words.
    Said(Text),
    /// That it sets its field, and from what to what: all of which the verdict has, so that the words are
    /// joined once somebody reads them.
    Sets {
        /// What speaks against it.
        but: Option<&'static str>,
    },
}

impl<T: Into<Text>> From<T> for Reason {
    fn from(text: T) -> Self {
        Self::Said(text.into())
    }
}

/// What became of one annotation of one pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The whole key.
    pub key: Text,
    /// The value as the pod has it.
    pub value: Text,
    /// What became of it.
    pub status: Status,
    /// The configuration key it sets (`hypervisor.qemu.default_memory`).
    pub field: Option<Text>,
    /// The value of `field` without the annotation.
    pub before: Option<Arc<Json>>,
    /// The value of `field` in the end.
    pub after: Option<Arc<Json>>,
    /// The stage that ended its way (`Effective` where it took effect).
    pub stage: Stage,
    /// One sentence for people, for [`Verdict::reason`] to tell.
    pub reason: Reason,
    /// What would change its fate.
    pub fix: Option<Box<Fix>>,
    /// The steps it passed, in that runtime's own order.
    pub trace: Trace,
}

impl Verdict {
    /// One of which nothing is known but where the annotation's way ended.
    pub fn new(key: &Text, value: &Text, status: Status, stage: Stage, reason: impl Into<Reason>) -> Self {
        Self {
            key: key.clone(),
            value: value.clone(),
            status,
            field: None,
            before: None,
            after: None,
            stage,
            reason: reason.into(),
            fix: None,
            trace: Trace::default(),
        }
    }

    /// Ends the annotation's way at a stage that does not let it pass, for a reason.
    pub fn end(&mut self, status: Status, stage: Stage, reason: impl Into<Text>) {
        let reason = reason.into();
        self.trace.push(Step::new(stage, false, reason.clone()));
        (self.status, self.stage, self.reason) = (status, stage, reason.into());
    }

    /// One sentence for people.
    pub fn reason(&self) -> Cow<'_, str> {
        let but = match &self.reason {
            Reason::Said(text) => return Cow::Borrowed(text),
            Reason::Sets { but } => but,
        };
        let shown = |value: &Option<Arc<Json>>| value.as_deref().map(shown).unwrap_or_default();
        let mut text = format!("sets {} to {}", self.field.as_ref().unwrap_or(&self.key), shown(&self.after));
        if self.before == self.after {
            text.push_str(", as it was");
        } else if self.before.is_some() {
            text.extend([" (was ", &shown(&self.before), ")"]);
        }
        if let Some(why) = but {
            text.extend([", but ", why]);
        }
        Cow::Owned(text)
    }
}

/// Where a pod's start ends, in the words of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FailureStage {
    Kubernetes,
    Cri,
    Load,
    Annotations,
    Validate,
    Sizing,
    Launch,
}

impl FailureStage {
    /// The word of the reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Cri => "cri",
            Self::Load => "load",
            Self::Annotations => "annotations",
            Self::Validate => "validate",
            Self::Sizing => "sizing",
            Self::Launch => "launch",
        }
    }
}

/// Why a pod does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where it ends.
    pub stage: FailureStage,
    /// The annotation that caused it.
    pub annotation: Option<String>,
    /// The runtime's own message, word for word where it is deterministic.
    pub message: String,
    /// Whether the real runtime crashes here.
    pub panic: bool,
}

impl Failure {
    /// A failure that is an error, not a crash.
    pub fn new(stage: FailureStage, message: impl Into<String>) -> Self {
        Self { stage, annotation: None, message: message.into(), panic: false }
    }

    /// Names the annotation that caused it.
    #[must_use]
    pub fn by(mut self, annotation: impl Into<String>) -> Self {
        self.annotation = Some(annotation.into());
        self
    }

    /// Marks it as a crash of the runtime.
    #[must_use]
    pub fn crash(mut self) -> Self {
        self.panic = true;
        self
    }
}
