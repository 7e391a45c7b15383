//! What another release would make of a node's handlers and of pods.
//!
//! Decides what breaks, changes and is gained between two releases of a runtime, up or down, and lays every
//! difference to the release and the change that makes it. All of it is found by evaluating under both
//! releases; nothing is said of what comes out alike.

mod cause;
mod item;
mod keys;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;

pub use cause::{Cause, Change};
pub use item::{Effect, Item, Place, outcome};

use crate::diff::Sides;
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{Evaluator, Outcome};
use crate::input::manifest::Pod;
use crate::release::{Judged, Runtime};
use crate::runtime::{Depth, LoadError};
use cause::Line;

/// What kind of difference it is, whatever the figures.
type ItemKind = (Place, Effect, String);

/// Differences of one kind that are kept as examples.
const EXAMPLES: usize = 8;

/// One configuration under both releases.
#[derive(Debug, Clone)]
pub struct HandlerUpgrade {
    /// The handler it belongs to; `None`: it judges every pod.
    pub handler: Option<String>,
    /// The file.
    pub config: Arc<str>,
    /// The releases; the candidate is why there is none, where there is none.
    pub releases: Sides<Result<Judged, String>>,
    /// Why it does not load.
    pub errors: Sides<Option<LoadError>>,
    /// What differs for a pod that asks for nothing.
    pub items: Vec<Item>,
}

/// One pod under both releases.
#[derive(Debug, Clone)]
pub struct PodUpgrade {
    /// `namespace/name`.
    pub id: String,
    /// Which kind of object it stands in.
    pub kind: String,
    /// Which configuration judges it; `None`: none of Kata does.
    pub policy: Option<usize>,
    /// What becomes of it.
    pub outcomes: Sides<Outcome>,
    /// What differs.
    pub items: Arc<[Item]>,
}

/// A cause with all that comes of it.
#[derive(Debug, Clone)]
pub struct Consequence {
    /// The cause.
    pub cause: Cause,
    /// How many pods, or handlers' configurations, it touches in which way.
    pub effects: BTreeMap<Effect, usize>,
    /// The pods, by their place.
    pub pods: Vec<usize>,
    /// The configurations, by their place, that it touches without any pod.
    pub handlers: Vec<usize>,
    /// Some of the differences.
    pub examples: Vec<Item>,
    /// What to do.
    pub advice: Option<String>,
}

impl Consequence {
    /// The worst that comes of it.
    pub fn effect(&self) -> Effect {
        self.effects.keys().next().copied().unwrap_or(Effect::Value)
    }
}

/// What another release would change.
#[derive(Debug, Clone, Default)]
pub struct Upgrade {
    /// Every configuration.
    pub handlers: Vec<HandlerUpgrade>,
    /// Every pod, in the order of the input.
    pub pods: Vec<PodUpgrade>,
    /// By cause, worst first.
    pub consequences: Vec<Consequence>,
}

impl Upgrade {
    /// Whether something that works now does not work any more.
    pub fn breaks(&self) -> bool {
        let no_release = self.handlers.iter().any(|handler| handler.releases.candidate.is_err());
        no_release || self.consequences.iter().any(|one| one.effects.contains_key(&Effect::Breaks))
    }
}

/// Evaluates a node's configurations and pods under their own release and under another one.
pub fn upgrade(
    node: &NodeEvaluator,
    to: &dyn Fn(Runtime) -> Result<Judged, String>,
    pods: &[Pod],
) -> Upgrade {
    let mut upgrade = Upgrade::default();
    let mut found = Found::default();
    let sides: Vec<(&Evaluator, Result<Evaluator, String>)> = node
        .policies()
        .map(|(_, own)| {
            let judged = to(own.setup().release.runtime);
            (own, judged.map(|judged| own.with_judged(judged)))
        })
        .collect();
    let lines: Vec<Option<Line<'_>>> = sides
        .iter()
        .map(|(own, other)| Some(Line::new(own, other.as_ref().ok()?.setup().release.version)))
        .collect();
    for (at, ((handler, _), (own, other))) in node.policies().zip(&sides).enumerate() {
        let name = handler.map(|handler| handler.name.clone());
        let (handler, causes) = configuration(name, own, other, lines.get(at).and_then(Option::as_ref));
        found.add(Who::Handler(at), &handler.items, &causes);
        if let (Ok(other), None) = (other, &handler.errors.baseline) {
            let (items, causes) = keys::of_file(own, other, &handler.items);
            found.add(Who::Handler(at), &items, &causes);
        }
        upgrade.handlers.push(handler);
    }
    let mut known: HashMap<(usize, Vec<ItemKind>), Vec<Vec<Cause>>> = HashMap::new();
    let mut shared: HashMap<Vec<Item>, Arc<[Item]>> = HashMap::new();
    for (index, pod) in pods.iter().enumerate() {
        let judge = node.judge_of(pod);
        let policy = judge.map(|judge| judge.policy);
        let both = policy.and_then(|policy| {
            let (own, other) = sides.get(policy)?;
            Some((policy, own, other.as_ref().ok()?))
        });
        let Some((policy, own, other)) = both else {
            let outcome = node.evaluate(pod, Depth::Verdicts).outcome;
            upgrade.pods.push(PodUpgrade {
                id: pod.id(),
                kind: pod.kind.clone(),
                policy,
                outcomes: Sides::new(outcome.clone(), outcome),
                items: Arc::new([]),
            });
            continue;
        };
        let mut answers = Sides::new(own.evaluate(pod, Depth::Full), other.evaluate(pod, Depth::Full));
        let items = item::items(&answers.baseline, &answers.candidate);
        if !items.is_empty() {
            let kinds: Vec<_> = items.iter().map(Item::kind).collect();
            let line = lines.get(policy).and_then(Option::as_ref);
            let causes = known
                .entry((policy, kinds))
                .or_insert_with(|| line.map(|line| line.causes(pod, &items)).unwrap_or_default());
            found.add(Who::Pod(index), &items, causes);
            if items.iter().any(is_loss) {
                other.advise(pod, &mut answers.candidate);
            }
            found.advise(&items, causes, &answers.candidate);
        }
        let items = match shared.get(&items) {
            Some(items) => items.clone(),
            None => {
                let own: Arc<[Item]> = items.clone().into();
                shared.insert(items, own.clone());
                own
            }
        };
        let outcomes = Sides::new(answers.baseline.outcome, answers.candidate.outcome);
        upgrade.pods.push(PodUpgrade {
            id: pod.id(),
            kind: pod.kind.clone(),
            policy: Some(policy),
            outcomes,
            items,
        });
    }
    upgrade.consequences = found.in_order();
    upgrade
}

/// Whether somebody has to do something about it.
fn is_loss(item: &Item) -> bool {
    matches!(item.effect, Effect::Breaks | Effect::Lost)
}

/// A configuration by itself: whether it loads, and what differs for a pod that asks for nothing.
fn configuration(
    name: Option<String>,
    own: &Evaluator,
    other: &Result<Evaluator, String>,
    line: Option<&Line<'_>>,
) -> (HandlerUpgrade, Vec<Vec<Cause>>) {
    let setup = own.setup();
    let judged = |evaluator: &Evaluator| {
        let setup = evaluator.setup();
        let note = setup.release_note.clone();
        Judged { release: setup.release, known_by: setup.known_by, note }
    };
    let error = |evaluator: &Evaluator| evaluator.loaded().err().cloned();
    let bare = Pod::bare();
    let items = match other {
        Ok(other) => item::items(&own.evaluate(&bare, Depth::Full), &other.evaluate(&bare, Depth::Full)),
        Err(_) => Vec::new(),
    };
    let causes = line.map(|line| line.causes(&bare, &items)).unwrap_or_default();
    let handler = HandlerUpgrade {
        handler: name,
        config: setup.layers.asked.clone(),
        releases: Sides::new(Ok(judged(own)), other.as_ref().map(judged).map_err(Clone::clone)),
        errors: Sides::new(error(own), other.as_ref().ok().and_then(error)),
        items,
    };
    (handler, causes)
}

/// Whom a difference concerns.
#[derive(Debug, Clone, Copy)]
enum Who {
    Pod(usize),
    Handler(usize),
}

/// What was found so far, by cause.
#[derive(Default)]
struct Found {
    all: IndexMap<Cause, Consequence>,
}

impl Found {
    fn add(&mut self, who: Who, items: &[Item], causes: &[Vec<Cause>]) {
        let mut touched: IndexMap<&Cause, Vec<&Item>> = IndexMap::new();
        for (item, causes) in items.iter().zip(causes) {
            for cause in causes {
                touched.entry(cause).or_default().push(item);
            }
        }
        for (cause, items) in touched {
            let found = self.all.entry(cause.clone()).or_insert_with(|| Consequence {
                cause: cause.clone(),
                effects: BTreeMap::new(),
                pods: Vec::new(),
                handlers: Vec::new(),
                examples: Vec::new(),
                advice: None,
            });
            let mut effects: Vec<Effect> = items.iter().map(|item| item.effect).collect();
            effects.sort_unstable();
            effects.dedup();
            for effect in effects {
                *found.effects.entry(effect).or_default() += 1;
            }
            match who {
                Who::Pod(at) => found.pods.push(at),
                Who::Handler(at) => found.handlers.push(at),
            }
            for item in items {
                if found.examples.len() < EXAMPLES && !found.examples.contains(item) {
                    found.examples.push(item.clone());
                }
            }
            if found.advice.is_none() {
                found.advice = keys::advice(cause, &found.examples);
            }
        }
    }

    /// What the newer release itself would have a refused pod do.
    fn advise(&mut self, items: &[Item], causes: &[Vec<Cause>], candidate: &crate::evaluate::Evaluation) {
        for (item, causes) in items.iter().zip(causes) {
            if !is_loss(item) {
                continue;
            }
            let subject = match &item.place {
                Place::Annotation(key) => Some(key.as_str()),
                _ => None,
            };
            let fix = candidate.findings.iter().find_map(|finding| {
                let about = finding.subject.as_deref();
                if subject.is_some() && about != subject { None } else { finding.fix.as_ref() }
            });
            let Some(fix) = fix else { continue };
            for cause in causes {
                if let Some(found) = self.all.get_mut(cause).filter(|found| found.advice.is_none()) {
                    found.advice = Some(fix.to_string());
                }
            }
        }
    }

    fn in_order(self) -> Vec<Consequence> {
        let mut all: Vec<Consequence> = self.all.into_values().collect();
        all.sort_by_key(|one| {
            let most = one.effects.values().next().copied().unwrap_or(0);
            (one.effect(), std::cmp::Reverse(most), one.cause.release)
        });
        all
    }
}
