//! Which release made a difference, and which of its changes.
//!
//! Decides by evaluation: the pod is asked of every release between the two, and of the release that made a
//! difference once more for each of its named changes, with that change taken back. What no named change
//! does is looked for in the catalogue: keys and annotations by spans.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use super::item::{self, Effect, Item, Place};
use crate::catalog::{self, Annotation, Reader};
use crate::evaluate::{Evaluation, Evaluator};
use crate::input::manifest::Pod;
use crate::release::{Named, Release, Version};
use crate::runtime::Depth;

/// Why something differs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cause {
    /// The release that made the difference, of two the later.
    pub release: Version,
    /// What it changed.
    pub change: Change,
    /// Whether the way leads down, to a release before it: what is gone then came with it.
    pub is_down: bool,
}

/// What a release changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// A behaviour that came or went.
    Behaviour {
        /// What holds in its span.
        about: String,
        /// The first release that does it.
        since: Version,
        /// The last one.
        until: Option<Version>,
        /// Where upstream has it.
        upstream: &'static str,
    },
    /// A configuration key, and what became of it.
    Key(String, String),
    /// An annotation, and what became of it.
    Annotation(String, String),
    /// Nothing that has a name; what it shows in.
    Unnamed(String),
}

impl Change {
    fn of(named: &Named) -> Self {
        let span = named.span;
        Self::Behaviour {
            about: named.sentence(),
            since: span.since,
            until: span.until,
            upstream: named.upstream,
        }
    }

    /// The word of reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Behaviour { .. } => "behaviour",
            Self::Key(..) => "key",
            Self::Annotation(..) => "annotation",
            Self::Unnamed(_) => "unnamed",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.is_down { "before" } else { "since" };
        match &self.change {
            Change::Behaviour { about, until: Some(until), .. } if *until < self.release => {
                write!(f, "until {until}: {about}")
            }
            Change::Behaviour { about, until: Some(until), .. } => {
                write!(f, "since {} (until {until}): {about}", self.release)
            }
            Change::Behaviour { about, .. } => write!(f, "since {}: {about}", self.release),
            Change::Key(key, what) | Change::Annotation(key, what) => {
                let what = if self.is_down { what.trim_end_matches(" any more") } else { what };
                write!(f, "{side} {}: {key} {what}", self.release)
            }
            Change::Unnamed(what) => write!(f, "{side} {}: {what}", self.release),
        }
    }
}

/// One step of the way from one release to another.
struct Step {
    from: Release,
    to: Release,
    items: Vec<Item>,
}

/// A change, and what it does by itself.
type Alone = (&'static Named, Vec<Item>);

/// One configuration under every release between two.
pub(super) struct Line<'e> {
    evaluator: &'e Evaluator,
    releases: Vec<Release>,
    known: RefCell<HashMap<Release, Evaluator>>,
}

impl<'e> Line<'e> {
    /// From the evaluator's release to another of the same runtime, up or down.
    pub(super) fn new(evaluator: &'e Evaluator, to: Version) -> Self {
        let from = evaluator.setup().release;
        let (first, last) = (from.version.min(to), from.version.max(to));
        let between = from.runtime.versions().filter(|version| first <= *version && *version <= last);
        let mut releases: Vec<Release> = between.map(|version| Release::new(from.runtime, version)).collect();
        if to < from.version {
            releases.reverse();
        }
        Self { evaluator, releases, known: RefCell::default() }
    }

    fn at(&self, release: Release) -> Evaluator {
        if release == self.evaluator.setup().release {
            return self.evaluator.clone();
        }
        let mut known = self.known.borrow_mut();
        known.entry(release).or_insert_with(|| self.evaluator.with_release(release)).clone()
    }

    fn ask(&self, release: Release, pod: &Pod) -> Evaluation {
        self.at(release).evaluate(pod, Depth::Full)
    }

    /// The causes of each of a pod's differences.
    pub(super) fn causes(&self, pod: &Pod, items: &[Item]) -> Vec<Vec<Cause>> {
        let answers: Vec<(Release, Evaluation)> =
            self.releases.iter().map(|release| (*release, self.ask(*release, pod))).collect();
        let all = steps(answers.iter());
        // A release that refuses the pod has no launch: the next that has one is compared with the last.
        let started = steps(answers.iter().filter(|(_, answer)| answer.launch.is_some()));
        let configured = steps(answers.iter().filter(|(_, answer)| answer.effective.is_some()));
        let mut turned: HashMap<(Release, Release), Vec<Alone>> = HashMap::new();
        items
            .iter()
            .map(|item| {
                let steps = match item.place {
                    Place::Outcome | Place::Annotation(_) => &all,
                    Place::Value(_) => &configured,
                    _ => &started,
                };
                let mut causes: Vec<Cause> = Vec::new();
                for (step, own) in touched(steps, item) {
                    let key = (step.from, step.to);
                    let turned = turned.entry(key).or_insert_with(|| self.turned(step, pod));
                    for cause in of_step(step, own, turned) {
                        if !causes.contains(&cause) {
                            causes.push(cause);
                        }
                    }
                }
                if causes.is_empty() {
                    let last = self.releases.last().map_or(Version::NEWEST, |release| release.version);
                    let first = self.releases.first().map_or(last, |release| release.version);
                    causes.push(Cause { release: last, change: unnamed(item), is_down: first > last });
                }
                causes
            })
            .collect()
    }

    /// What each of the changes of a step does by itself.
    fn turned(&self, step: &Step, pod: &Pod) -> Vec<Alone> {
        let flips =
            |named: &&Named| named.span.contains(step.from.version) != named.span.contains(step.to.version);
        let whole = self.ask(step.to, pod);
        step.to
            .runtime
            .behaviours()
            .iter()
            .filter(flips)
            .map(|named| (named, item::items(&self.ask(step.to.turning(named), pod), &whole)))
            .filter(|(_, items)| !items.is_empty())
            .collect()
    }
}

fn steps<'a>(answers: impl Iterator<Item = &'a (Release, Evaluation)>) -> Vec<Step> {
    let answers: Vec<_> = answers.collect();
    answers
        .windows(2)
        .filter_map(|pair| match pair {
            [(from, old), (to, new)] => Some(Step { from: *from, to: *to, items: item::items(old, new) }),
            _ => None,
        })
        .collect()
}

/// The steps that made a difference, each with its own part of it. What was there before the last of them is
/// looked for among those before it.
fn touched<'s>(steps: &'s [Step], net: &Item) -> Vec<(&'s Step, &'s Item)> {
    let mut found = Vec::new();
    let text = matches!(net.place, Place::Command(_) | Place::Kernel);
    if !text {
        for step in steps {
            found.extend(step.items.iter().filter(|own| own.is_about(net)).map(|own| (step, own)));
        }
        return found;
    }
    let same_place = |own: &&Item| own.place == net.place;
    if let Some(mut wanted) = net.after.as_ref() {
        for step in steps.iter().rev() {
            let own = step.items.iter().filter(same_place).find(|own| own.after.as_ref() == Some(wanted));
            let Some(own) = own else { continue };
            found.push((step, own));
            match &own.before {
                Some(before) => wanted = before,
                None => break,
            }
        }
    } else if let Some(mut wanted) = net.before.as_ref() {
        for step in steps {
            let own = step.items.iter().filter(same_place).find(|own| own.before.as_ref() == Some(wanted));
            let Some(own) = own else { continue };
            found.push((step, own));
            match &own.after {
                Some(after) => wanted = after,
                None => break,
            }
        }
    }
    found
}

fn of_step(step: &Step, own: &Item, turned: &[Alone]) -> Vec<Cause> {
    let later = step.from.version.max(step.to.version);
    let by_name: Vec<Cause> = turned
        .iter()
        .filter(|(_, items)| items.iter().any(|item| does(item, own)))
        .map(|(named, _)| {
            let edge = if named.span.contains(later) { named.span.since } else { first_without(named, step) };
            Cause { release: edge, change: Change::of(named), is_down: is_down(step) }
        })
        .collect();
    if !by_name.is_empty() {
        return by_name;
    }
    vec![of_catalogue(step, own).unwrap_or_else(|| {
        // What follows from a value that differs has its cause.
        let values = step.items.iter().filter(|item| match &item.place {
            Place::Value(key) => own.keys.contains(key) && item.place != own.place,
            _ => false,
        });
        let of_value = values.filter_map(|item| of_catalogue(step, item)).next();
        of_value.unwrap_or(Cause { release: later, change: unnamed(own), is_down: is_down(step) })
    })]
}

fn is_down(step: &Step) -> bool {
    step.to.version < step.from.version
}

/// The first release after the last that does something.
fn first_without(named: &Named, step: &Step) -> Version {
    let until = named.span.until.unwrap_or(Version::NEWEST);
    let after = step.to.runtime.versions().find(|version| *version > until);
    after.unwrap_or(step.from.version.max(step.to.version))
}

/// Whether taking a change back undoes a difference.
fn does(turned: &Item, own: &Item) -> bool {
    turned.is_about(own) && turned.after == own.after && turned.effect == own.effect
}

/// What the catalogue says of a difference: a key or an annotation that is read in another way.
fn of_catalogue(step: &Step, item: &Item) -> Option<Cause> {
    let release = step.from.version.max(step.to.version);
    let cause = |change| Some(Cause { release, change, is_down: is_down(step) });
    match &item.place {
        Place::Annotation(key) => {
            let annotation = catalog::annotation(key)?;
            let what = of_annotation(annotation, annotation.reader(step.from), annotation.reader(step.to))?;
            cause(Change::Annotation(key.clone(), what))
        }
        Place::Value(key) => cause(Change::Key(key.clone(), of_key(key, step.from, step.to)?)),
        _ => item.keys.iter().find_map(|key| {
            let what = of_key(key, step.from, step.to)?;
            cause(Change::Key(key.clone(), what))
        }),
    }
}

/// What became of a configuration key from one release to another, in words that follow its name.
pub(super) fn of_key(name: &str, from: Release, to: Release) -> Option<String> {
    let (table, key) = name.rsplit_once('.')?;
    let known = catalog::config_key(table, key)?;
    Some(match (known.reader(from), known.reader(to)) {
        (None, None) => return None,
        (Some(_), None) => "is read by nothing any more".to_owned(),
        (None, Some(_)) => "is read".to_owned(),
        (Some(old), Some(new)) if old == new => return None,
        (Some(old), Some(new)) if old.unused != new.unused => {
            let what = if new.unused { "is read, and used by nothing" } else { "is used" };
            what.to_owned()
        }
        (Some(old), Some(new)) if old.kind != new.kind => {
            format!("is {} instead of {}", new.kind.as_str(), old.kind.as_str())
        }
        (Some(old), Some(new)) if old.default != new.default => {
            format!("is {} where it is not set, instead of {}", new.default, old.default)
        }
        (Some(old), Some(new)) if old.unit != new.unit => {
            format!("counts {} instead of {}", new.unit.unwrap_or("units"), old.unit.unwrap_or("units"))
        }
        (Some(_), Some(new)) => format!("is used by {}", new.hypervisors.join(", ")),
    })
}

/// What became of an annotation from one release to another, in words that follow its key.
pub(super) fn of_annotation(annotation: &Annotation, old: &Reader, new: &Reader) -> Option<String> {
    if old == new {
        return None;
    }
    Some(match (old.read, new.read) {
        (false, false) => new.fate.unwrap_or("is read by nothing").to_owned(),
        (true, false) => match annotation.replaced_by {
            Some(other) => format!("is now {other}"),
            None => "is read by nothing any more".to_owned(),
        },
        (false, true) => "is read".to_owned(),
        (true, true) if old.gate != new.gate => match new.gate {
            catalog::Gate::None => "needs nobody's permission any more".to_owned(),
            catalog::Gate::Name => "needs its name in enable_annotations".to_owned(),
            catalog::Gate::NameAndValue(list) => {
                format!("needs its name in enable_annotations and its value in {list}")
            }
        },
        (true, true) if old.kind != new.kind || old.parse != new.parse || old.unit != new.unit => {
            "is read in another way".to_owned()
        }
        (true, true) if (old.min, old.max, old.choices) != (new.min, new.max, new.choices) => {
            "takes other values".to_owned()
        }
        (true, true) if old.bad != new.bad => "meets a bad value in another way".to_owned(),
        (true, true) if old.merge != new.merge => "meets the configured value in another way".to_owned(),
        (true, true) if old.hypervisors != new.hypervisors => {
            format!("is used by {}", new.hypervisors.join(", "))
        }
        (true, true) => return None,
    })
}

/// What a difference shows in, where nothing has a name for it.
fn unnamed(item: &Item) -> Change {
    let (place, _, flag) = item.kind();
    Change::Unnamed(match place {
        Place::Outcome if item.effect == Effect::Message => "another message".to_owned(),
        Place::Outcome => match (item.effect, &item.after) {
            (Effect::Breaks, Some(after)) => after.clone(),
            _ => "another outcome".to_owned(),
        },
        Place::Command(_) | Place::Kernel => format!("{place} {flag}"),
        Place::Annotation(key) => format!("{key} comes to something else"),
        Place::Value(key) => format!("{key} comes to another value"),
        Place::Document(title, pointer) | Place::Agent(title, pointer) => format!("{title} {pointer}"),
    })
}
