//! Every pod with its outcome, evaluated a slice at a time between keys.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use crate::answer::verdict::{FailureStage, Status, Verdict};
use crate::evaluate::affected::lists_matter_to;
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::searched;
use crate::evaluate::{Evaluation, Outcome};
use crate::input::host::Assumption;
use crate::input::manifest::{Pod, Sizing};
use crate::report::grouped::shape;
use crate::runtime::Depth;

/// How many pods one slice of idle time evaluates.
pub const SLICE: usize = 64;

/// A pod and how it is found.
#[derive(Debug, Clone)]
pub struct PodEntry {
    /// The pod.
    pub pod: Rc<Pod>,
    /// Its identity: namespace, name, kind, and a number where those come twice.
    pub id: Rc<str>,
    /// The handler that it goes to or asks for.
    pub handler: Option<Rc<str>>,
    /// The release that judges it.
    pub release: Option<Rc<str>>,
    /// Whether that is one of Kata's.
    pub kata: bool,
    /// Whether the entries of policy lists have a say in what becomes of it.
    pub gated: bool,
    /// What a filter looks at, once somebody filters.
    text: OnceCell<Box<str>>,
}

impl PodEntry {
    /// Namespace and name, and what stands behind them in its identity.
    pub fn names(&self) -> (&str, &str) {
        let length = self.pod.namespace.len() + 1 + self.pod.name.len();
        self.id.split_at_checked(length).unwrap_or((&self.id, ""))
    }

    /// What a filter looks at, in lower case.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| searched::text(&self.pod).into())
    }
}

/// Gives each pod its identity and its handler.
pub fn entries(pods: Vec<Pod>, node: &NodeEvaluator) -> Vec<PodEntry> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let only: Option<Rc<str>> = node.only().map(|judge| judge.setup().release.id().into());
    let mut names: BTreeMap<String, (Rc<str>, Option<Rc<str>>)> = BTreeMap::new();
    pods.into_iter()
        .map(|pod| {
            let base = format!("{}/{} {}", pod.namespace, pod.name, pod.kind);
            let count = seen.entry(base.clone()).or_insert(0);
            *count += 1;
            let id = if *count == 1 { base } else { format!("{base} #{count}") };
            let handler = node.handler_of(&pod);
            let kata = handler.as_ref().is_none_or(|(_, kata)| *kata);
            // Pods of one handler share its name and its release's.
            let handler = handler.map(|(name, _)| {
                let of = || {
                    let release = node.node().handler(&name).and_then(|handler| handler.release);
                    (Rc::from(&*name), release.map(|release| release.id().into()))
                };
                names.entry(name.to_string()).or_insert_with(of).clone()
            });
            let (handler, release) = handler.map_or((None, None), |(name, release)| (Some(name), release));
            let release = if kata { only.clone().or(release) } else { None };
            let gated = lists_matter_to(&pod);
            PodEntry {
                pod: Rc::new(pod),
                id: id.into(),
                handler,
                release,
                kata,
                gated,
                text: OnceCell::new(),
            }
        })
        .collect()
}

/// What a list needs to know of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Why it is refused: the stage and the first line of the message.
    pub refused: Option<(&'static str, Box<str>)>,
    /// Why, without the values in it: what it has in common with others. Of a pod of which nothing says where it
    /// would run, why not.
    pub why: Box<str>,
    /// Whether it is no Kata pod, or nothing says where it would run.
    pub elsewhere: Option<Elsewhere>,
    /// Annotations by status, in the order of `STATUSES`.
    pub counts: [u16; 7],
    /// A number that differs where verdicts or values differ.
    pub digest: u64,
    /// What that rests on that nobody has looked at.
    pub assumed: Arc<[Assumption]>,
}

/// Why Kata has nothing to say of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// Another runtime serves it.
    NotKata,
    /// Nothing says what serves it.
    Unknown,
}

/// The order of `Summary::counts`.
pub const STATUSES: [Status; 7] = [
    Status::Applied,
    Status::Overridden,
    Status::Ignored,
    Status::Refused,
    Status::Dropped,
    Status::Invalid,
    Status::Unknown,
];

impl Summary {
    /// Of one evaluation.
    pub fn of(evaluation: &Evaluation) -> Self {
        let mut counts = [0_u16; 7];
        let mut hasher = DefaultHasher::new();
        let refused = match &evaluation.outcome {
            Outcome::Starts | Outcome::NotKata | Outcome::Unknown(_) => None,
            Outcome::Refused(failure) => {
                failure.message.hash(&mut hasher);
                let first = failure.message.lines().next().unwrap_or_default();
                Some((failure.stage.as_str(), first.into()))
            }
        };
        let why = match &evaluation.outcome {
            Outcome::Refused(failure) => {
                let first = failure.message.lines().next().unwrap_or_default();
                format!("{}: {}", failure.stage.as_str(), shape(first, "")).into()
            }
            Outcome::Unknown(why) => (&**why).into(),
            Outcome::Starts | Outcome::NotKata => "".into(),
        };
        let elsewhere = match evaluation.outcome {
            Outcome::NotKata => Some(Elsewhere::NotKata),
            Outcome::Unknown(_) => Some(Elsewhere::Unknown),
            Outcome::Starts | Outcome::Refused(_) => None,
        };
        refused.is_some().hash(&mut hasher);
        let judged = |_: &&Verdict| elsewhere.is_none();
        for verdict in evaluation.verdicts.iter().filter(judged) {
            for (count, status) in counts.iter_mut().zip(STATUSES) {
                *count += u16::from(status == verdict.status);
            }
            verdict.status.hash(&mut hasher);
            verdict.after.as_ref().map(ToString::to_string).hash(&mut hasher);
        }
        Self {
            refused,
            why,
            elsewhere,
            counts,
            digest: hasher.finish(),
            assumed: Arc::clone(&evaluation.assumed),
        }
    }

    /// The word for the outcome.
    pub fn word(&self) -> &'static str {
        match (&self.refused, self.elsewhere) {
            (Some(_), _) => "refused",
            (None, Some(Elsewhere::NotKata)) => "not-kata",
            (None, Some(Elsewhere::Unknown)) => "unknown",
            (None, None) => "starts",
        }
    }

    /// How many annotations have this status.
    pub fn count(&self, status: Status) -> u16 {
        STATUSES.iter().zip(self.counts).find(|(s, _)| **s == status).map_or(0, |(_, n)| n)
    }

    /// How many annotations did not do what they say.
    pub fn problems(&self) -> u16 {
        STATUSES.iter().zip(self.counts).filter(|(s, _)| **s != Status::Applied).map(|(_, n)| n).sum()
    }

    /// Worst first.
    pub fn rank(&self) -> u8 {
        match (&self.refused, self.problems()) {
            (Some(_), _) => 0,
            (None, _) if self.elsewhere == Some(Elsewhere::Unknown) => 1,
            (None, 1..) => 1,
            (None, 0) if self.elsewhere.is_some() => 3,
            (None, 0) => 2,
        }
    }
}

/// The CPUs that a sandbox may use, as a person reads it.
pub fn cpu_words(sizing: &Sizing) -> String {
    match (sizing.cpu_quota, sizing.cpu_period) {
        (1.., 1..) => {
            // Display only: three digits are exact enough.
            let millis = sizing.cpu_quota as u128 * 1_000 / u128::from(sizing.cpu_period);
            format!("{}.{:03} CPUs", millis / 1_000, millis % 1_000)
        }
        _ => "no CPU limit".to_owned(),
    }
}

/// The memory that a sandbox may use.
pub fn memory_words(sizing: &Sizing) -> String {
    match sizing.memory_limit {
        1.. => format!("{} MiB", sizing.memory_limit / (1 << 20)),
        _ => "no memory limit".to_owned(),
    }
}

/// Where the program opens: found before there is a screen, so that whoever waits sees that it is under way.
#[derive(Debug)]
pub struct First {
    /// The node.
    pub node: NodeEvaluator,
    /// The pods.
    pub pods: Vec<Pod>,
    /// The pod that is looked at, by index.
    pub pod: usize,
    /// What becomes of it.
    pub evaluation: Evaluation,
    /// What becomes of the first pods, as many as were asked.
    pub summaries: Vec<Summary>,
    /// Whether a refused pod may lie behind those that were asked.
    pub seeking: bool,
}

impl First {
    /// What one came for: the first pod that a runtime refuses, else that anything does, else the first.
    /// Only as many are asked as take no time.
    pub fn of(node: NodeEvaluator, pods: Vec<Pod>) -> Self {
        const ASKED: usize = 100;
        let mut summaries: Vec<Summary> = Vec::new();
        let mut refused = None;
        for pod in pods.iter().take(ASKED) {
            let evaluation = node.evaluate(pod, Depth::Verdicts);
            let stage = evaluation.outcome.failure().map(|f| f.stage);
            let at = summaries.len();
            summaries.push(Summary::of(&evaluation));
            if stage == Some(FailureStage::Annotations) {
                refused = Some(at);
                break;
            }
            refused = refused.or(stage.map(|_| at));
        }
        let seeking = refused.is_none() && summaries.len() < pods.len();
        Self { summaries, seeking, ..Self::at(node, pods, refused.unwrap_or(0)) }
    }

    /// At a pod that was said, by index.
    pub fn at(node: NodeEvaluator, pods: Vec<Pod>, pod: usize) -> Self {
        let evaluation = match (pods.get(pod), node.policies().next()) {
            (Some(pod), _) => node.evaluate_and_advise(pod, Depth::Full),
            // Without a pod the first configuration is shown, by what it makes of a bare one.
            (None, Some((_, evaluator))) => evaluator.evaluate_and_advise(&Pod::bare(), Depth::Full),
            (None, None) => Evaluation::default(),
        };
        Self { node, pods, pod, evaluation, summaries: Vec::new(), seeking: false }
    }
}

/// How a pod's outcome differs between two sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It started, and would be refused.
    Refused,
    /// It was refused, and would start.
    Starts,
    /// Other values or statuses.
    Differs,
}

/// The pods whose outcome differs, and how; among those that both sweeps have.
pub fn turns(baseline: &Sweep, candidate: &Sweep) -> Vec<(usize, Turn)> {
    let pairs = baseline.slots.iter().zip(&candidate.slots).enumerate();
    pairs
        .filter_map(|(i, (old, new))| {
            let (old, new) = (old.known()?, new.known()?);
            match (old.refused.is_some(), new.refused.is_some()) {
                (false, true) => Some((i, Turn::Refused)),
                (true, false) => Some((i, Turn::Starts)),
                _ if old.digest != new.digest => Some((i, Turn::Differs)),
                _ => None,
            }
        })
        .collect()
}

/// What is known of one pod.
#[derive(Debug, Clone, Default)]
struct Slot {
    summary: Option<Rc<Summary>>,
    /// Whether it is what becomes of the pod now, and not only what became of it before.
    holds: bool,
}

impl Slot {
    fn known(&self) -> Option<&Summary> {
        self.summary.as_deref().filter(|_| self.holds)
    }
}

/// Outcomes of all pods under one evaluator, filled in slices.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    slots: Vec<Slot>,
    /// How many hold.
    known: usize,
    /// All before this one hold.
    next: usize,
    /// Counts up whenever an outcome is forgotten.
    generation: u64,
}

impl Sweep {
    /// Nothing evaluated yet.
    pub fn new(pods: usize) -> Self {
        Self { slots: vec![Slot::default(); pods], ..Self::default() }
    }

    /// With what the first pods were found to come to.
    pub fn begun(pods: usize, summaries: Vec<Summary>) -> Self {
        let known = summaries.len().min(pods);
        let holds = |summary| Slot { summary: Some(Rc::new(summary)), holds: true };
        let mut slots: Vec<Slot> = summaries.into_iter().map(holds).collect();
        slots.resize(pods, Slot::default());
        Self { slots, known, next: known, generation: 0 }
    }

    /// Whether every pod was evaluated.
    pub fn done(&self) -> bool {
        self.known >= self.slots.len()
    }

    /// A number that differs where an outcome was forgotten since.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many were, and of how many.
    pub fn progress(&self) -> (usize, usize) {
        (self.known, self.slots.len())
    }

    /// Evaluates up to `count` more; `pod` gives the pod to evaluate at an index, where another one is tried.
    pub fn go_on(
        &mut self,
        count: usize,
        evaluate: impl Fn(&Pod) -> Evaluation,
        pod: impl Fn(usize) -> Option<Pod>,
        pods: &[PodEntry],
    ) {
        let mut left = count;
        while left > 0 {
            let (Some(slot), Some(entry)) = (self.slots.get_mut(self.next), pods.get(self.next)) else {
                return;
            };
            if !slot.holds {
                let evaluation = match pod(self.next) {
                    Some(tried) => evaluate(&tried),
                    None => evaluate(&entry.pod),
                };
                *slot = Slot { summary: Some(Rc::new(Summary::of(&evaluation))), holds: true };
                self.known += 1;
                left -= 1;
                // The first letter of a filter then waits for nothing.
                entry.text();
            }
            self.next += 1;
        }
    }

    /// The outcome of one pod, where it is known; the one before, until it is known anew.
    pub fn get(&self, index: usize) -> Option<&Summary> {
        self.slots.get(index).and_then(|slot| slot.summary.as_deref())
    }

    /// Starts over.
    pub fn restart(&mut self) {
        self.forget_where(|_| true);
    }

    /// Starts over for these pods.
    pub fn forget_where(&mut self, is_due: impl Fn(usize) -> bool) {
        for index in 0..self.slots.len() {
            if is_due(index) {
                self.forget(index);
            }
        }
    }

    /// Starts over for this pod.
    pub fn forget(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index).filter(|slot| slot.holds) {
            slot.holds = false;
            self.generation += 1;
            self.known -= 1;
            self.next = self.next.min(index);
        }
    }

    /// How many of the pods known so far are refused.
    pub fn refused(&self) -> usize {
        self.slots.iter().filter(|slot| slot.summary.as_ref().is_some_and(|s| s.refused.is_some())).count()
    }
}
