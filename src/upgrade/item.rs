//! One difference between a pod's answers under two releases.
//!
//! Decides what counts as a difference that somebody has to know of, and how bad it is. A key that only the
//! newer release has is none as long as nobody sets it; what the launch makes of it is seen there.

use std::fmt;

use crate::answer::effective::{EffectiveValue, Origin};
use crate::answer::launch::{Arg, cause_at};
use crate::answer::verdict::{Status, Verdict};
use crate::diff::evaluation::{BodyRows, ConfigRow, Differences, ProcessRows};
use crate::diff::{Kind, Sides, argv};
use crate::evaluate::{Evaluation, Outcome};

/// What a difference comes to, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// What started or loaded does not any more.
    Breaks,
    /// What took effect does not any more.
    Lost,
    /// The VM has another size.
    Size,
    /// The VM is started in another way.
    Launch,
    /// The guest is told something else.
    Agent,
    /// Another value holds, and the launch shows nothing of it.
    Value,
    /// It is refused as before, in other words.
    Message,
    /// What had no effect takes effect, or what was refused starts.
    Gained,
}

impl Effect {
    /// All, worst first.
    pub const ALL: [Self; 8] = [
        Self::Breaks,
        Self::Lost,
        Self::Size,
        Self::Launch,
        Self::Agent,
        Self::Value,
        Self::Message,
        Self::Gained,
    ];

    /// The word of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breaks => "breaks",
            Self::Lost => "lost",
            Self::Size => "size",
            Self::Launch => "launch",
            Self::Agent => "agent",
            Self::Value => "value",
            Self::Message => "message",
            Self::Gained => "gained",
        }
    }

    /// For people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Breaks => "does not start any more",
            Self::Lost => "has no effect any more",
            Self::Size => "another size of the VM",
            Self::Launch => "another VM command",
            Self::Agent => "the guest is told something else",
            Self::Value => "another value",
            Self::Message => "refused in other words",
            Self::Gained => "takes effect, or starts, from now on",
        }
    }
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// What becomes of the pod.
    Outcome,
    /// What becomes of an annotation, by its whole key.
    Annotation(String),
    /// An effective value, by its key.
    Value(String),
    /// A part of a command, by the command's place among them.
    Command(usize),
    /// A parameter of the guest's kernel.
    Kernel,
    /// A part of a file or a request, by its title and the JSON pointer.
    Document(String, String),
    /// A part of what the agent is asked, likewise.
    Agent(String, String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome => f.write_str("outcome"),
            Self::Annotation(key) | Self::Value(key) => f.write_str(key),
            Self::Command(0) => f.write_str("command"),
            Self::Command(_) => f.write_str("helper"),
            Self::Kernel => f.write_str("kernel parameter"),
            Self::Document(title, pointer) | Self::Agent(title, pointer) => write!(f, "{title} {pointer}"),
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Item {
    /// What differs.
    pub place: Place,
    /// What it comes to.
    pub effect: Effect,
    /// What it was; `None`: nothing.
    pub before: Option<String>,
    /// What it becomes; `None`: nothing.
    pub after: Option<String>,
    /// The configuration keys that decided it.
    pub keys: Vec<String>,
}

impl Item {
    /// Whether another difference is about the same thing.
    pub fn is_about(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::Command(own), Place::Command(others)) => own == others && self.shares_text(other),
            (Place::Kernel, Place::Kernel) => self.shares_text(other),
            (Place::Document(title, own), Place::Document(of, others))
            | (Place::Agent(title, own), Place::Agent(of, others)) => {
                title == of && (own.starts_with(others.as_str()) || others.starts_with(own.as_str()))
            }
            (own, others) => own == others,
        }
    }

    fn shares_text(&self, other: &Self) -> bool {
        (self.before.is_some() && self.before == other.before)
            || (self.after.is_some() && self.after == other.after)
    }

    /// What kind of difference it is, whatever the figures: two pods with the same kinds have the same causes.
    pub fn kind(&self) -> (Place, Effect, String) {
        let text = self.after.as_deref().or(self.before.as_deref()).unwrap_or_default();
        let flag = match self.place {
            Place::Command(_) => text.split([',', '=']).next().unwrap_or_default(),
            Place::Kernel => text.split('=').next().unwrap_or_default(),
            _ => "",
        };
        (self.place.clone(), self.effect, flag.to_owned())
    }
}

/// What becomes of the pod, with the message where it is refused.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome.failure() {
        Some(failure) => {
            format!("refused at {}: {}", failure.stage.as_str(), failure.message.trim_end())
        }
        None => outcome.as_str().to_owned(),
    }
}

/// What differs between two answers.
pub fn items(old: &Evaluation, new: &Evaluation) -> Vec<Item> {
    let differences = Differences::between(old, new);
    let mut items = Vec::new();
    if differences.outcome.differ() {
        let effect = match (&differences.outcome.baseline, &differences.outcome.candidate) {
            (Outcome::Starts, _) => Effect::Breaks,
            (_, Outcome::Starts) => Effect::Gained,
            _ => Effect::Message,
        };
        let words = differences.outcome.map(outcome);
        if words.differ() {
            items.push(item(Place::Outcome, effect, Some(words.baseline), Some(words.candidate)));
        }
    }
    for row in differences.annotations.iter().filter(|row| row.kind != Kind::Same) {
        items.extend(annotation(&row.key, &row.verdicts));
    }
    // Where one side does not start there is nothing to compare it with.
    if old.effective.is_none() || new.effective.is_none() {
        return items;
    }
    items.extend(differences.config.iter().filter_map(value));
    if old.launch.is_none() || new.launch.is_none() {
        return items;
    }
    for (at, process) in differences.processes.iter().enumerate() {
        command(&mut items, Place::Command(at), Effect::Launch, process);
    }
    for body in &differences.bodies {
        document(&mut items, body, Effect::Launch);
    }
    command(&mut items, Place::Kernel, Effect::Agent, &differences.kernel);
    for body in &differences.agent {
        document(&mut items, body, Effect::Agent);
    }
    items
}

fn item(place: Place, effect: Effect, before: Option<String>, after: Option<String>) -> Item {
    Item { place, effect, before, after, keys: Vec::new() }
}

fn annotation(key: &str, verdicts: &Sides<Option<Verdict>>) -> Option<Item> {
    let words = |verdict: &Option<Verdict>| {
        let verdict = verdict.as_ref()?;
        Some(match &verdict.after {
            Some(after) => format!("{} ({after})", verdict.status.as_str()),
            None => verdict.status.as_str().to_owned(),
        })
    };
    let counts = |verdict: &Option<Verdict>| {
        verdict.as_ref().is_some_and(|v| matches!(v.status, Status::Applied | Status::Overridden))
    };
    let effect = match (counts(&verdicts.baseline), counts(&verdicts.candidate)) {
        (true, false) => Effect::Lost,
        (false, true) => Effect::Gained,
        (true, true) => Effect::Value,
        (false, false) => Effect::Message,
    };
    let words = verdicts.map(words);
    words.differ().then(|| item(Place::Annotation(key.to_owned()), effect, words.baseline, words.candidate))
}

/// Values that are the size of the VM.
const SIZES: [&str; 2] = ["default_vcpus", "default_memory"];

fn value(row: &ConfigRow) -> Option<Item> {
    let is_set = |value: &Option<EffectiveValue>| {
        value.as_ref().is_some_and(|value| matches!(value.origin, Origin::File(_) | Origin::Annotation(_)))
    };
    let effect = match row.kind {
        Kind::Added if is_set(&row.values.candidate) => Effect::Gained,
        Kind::Removed if is_set(&row.values.baseline) => Effect::Lost,
        Kind::Changed if SIZES.iter().any(|name| row.key.ends_with(name)) => Effect::Size,
        Kind::Changed => Effect::Value,
        _ => return None,
    };
    let words = row.values.map(|value| value.as_ref().map(|value| value.value.to_string()));
    Some(item(Place::Value(row.key.clone()), effect, words.baseline, words.candidate))
}

/// The options that say how large the VM is.
const SIZE_OPTIONS: [&str; 3] = ["-smp ", "-m ", "-c "];

fn command(items: &mut Vec<Item>, place: Place, effect: Effect, process: &ProcessRows) {
    if process.program.differ() {
        let Sides { baseline, candidate } = process.program.clone();
        items.push(item(place.clone(), effect, baseline, candidate));
    }
    let joined = |args: &[Arg], range: &std::ops::Range<usize>| -> Option<String> {
        let texts: Vec<&str> = args.get(range.clone())?.iter().map(|arg| arg.text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    };
    for row in process.rows.iter().filter(|row| row.kind != Kind::Same) {
        let before = joined(&process.args.baseline, &row.baseline);
        let after = joined(&process.args.candidate, &row.candidate);
        let text = after.as_deref().or(before.as_deref()).unwrap_or_default();
        let size = SIZE_OPTIONS.iter().any(|option| text.starts_with(option));
        let keys = argv::cause(row, process.args.map(Vec::as_slice)).keys;
        items.push(Item {
            keys: keys.iter().map(ToString::to_string).collect(),
            ..item(place.clone(), if size { Effect::Size } else { effect }, before, after)
        });
    }
}

/// The fields of requests and files that say how large the VM is.
const SIZE_FIELDS: [&str; 6] =
    ["/cpus/boot_vcpus", "/cpus/max_vcpus", "/memory/size", "vcpu_count", "mem_size_mib", "/max_vcpu_count"];

fn document(items: &mut Vec<Item>, body: &BodyRows, effect: Effect) {
    for change in &body.changes {
        let words = change.values.map(|value| value.as_ref().map(ToString::to_string));
        let (title, pointer) = (body.title.clone(), change.pointer.clone());
        let size = SIZE_FIELDS.iter().any(|field| pointer.ends_with(field));
        let keys = cause_at(&body.causes, &pointer).map(|cause| &cause.keys);
        let (place, effect) = match effect {
            Effect::Agent => (Place::Agent(title, pointer), effect),
            _ => (Place::Document(title, pointer), if size { Effect::Size } else { effect }),
        };
        items.push(Item {
            keys: keys.into_iter().flat_map(|keys| keys.iter()).map(ToString::to_string).collect(),
            ..item(place, effect, words.baseline, words.candidate)
        });
    }
}
