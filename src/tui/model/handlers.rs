//! The handlers of the node as the screens hold them: one is looked at, and with it its configuration, its edits
//! and their undo; the others keep theirs.

use std::rc::Rc;

use super::Model;
use super::pods::{Elsewhere, PodEntry, Sweep};
use crate::edit::{History, Plan};
use crate::evaluate::node::NodeEvaluator;
use crate::evaluate::{Evaluation, Evaluator, Outcome};
use crate::input::manifest::Pod;
use crate::runtime::Depth;

/// A handler's configuration with what was done to it: of the one that is looked at, and kept of each other one.
#[derive(Debug)]
pub struct Seat {
    /// Its files as they were read.
    pub saved: Evaluator,
    /// The same with unsaved edits.
    pub current: Evaluator,
    /// Its policy lists with everything done to them.
    pub history: History,
    /// Whether a list differs from its file.
    pub edited: bool,
}

impl Seat {
    pub(super) fn of(evaluator: &Evaluator) -> Self {
        Self {
            history: History::of(&evaluator.setup().layers),
            saved: evaluator.clone(),
            current: evaluator.clone(),
            edited: false,
        }
    }
}

/// The handler that is looked at first: that of the pod, else the first of Kata's.
///
/// A node without any Kata handler has no configuration to show: an empty one stands for it.
pub(in crate::tui) fn first(node: &NodeEvaluator, pod: Option<&PodEntry>) -> (Option<Rc<str>>, Evaluator) {
    if let Some(evaluator) = node.only() {
        return (None, evaluator.clone());
    }
    let name = pod.and_then(|entry| entry.handler.clone());
    let of_pod = name.and_then(|name| Some((node.of_handler(&name)?.evaluator.clone(), name)));
    if let Some((evaluator, name)) = of_pod {
        return (Some(name), evaluator);
    }
    match node.policies().next() {
        Some((handler, evaluator)) => (handler.map(|h| Rc::from(h.name.as_str())), evaluator.clone()),
        None => (None, node.nothing()),
    }
}

fn not_kata(handler: Option<&str>) -> String {
    let handler = handler.unwrap_or("its handler");
    format!("{handler} is another runtime than Kata: no configuration of Kata's holds for this pod")
}

impl Model {
    /// What becomes of a pod where `evaluator` stands for the handler that is looked at.
    pub fn judged(&self, pod: &Pod, depth: Depth, evaluator: &Evaluator) -> Evaluation {
        self.node.evaluate_by(pod, depth, &|name| self.edited(name, evaluator))
    }

    /// The same, and how it comes to start where it is refused.
    pub fn judged_and_advised(&self, pod: &Pod, evaluator: &Evaluator) -> Evaluation {
        let mut evaluation = self.judged(pod, Depth::Full, evaluator);
        self.node.advise(pod, &mut evaluation, &|name| self.edited(name, evaluator));
        evaluation
    }

    /// The configuration of a handler as it is edited here, where `evaluator` stands for the one that is looked at.
    fn edited<'e>(&'e self, name: &str, evaluator: &'e Evaluator) -> Option<&'e Evaluator> {
        match self.handler.as_deref() {
            None => Some(evaluator),
            Some(active) if active == name => Some(evaluator),
            Some(_) => self.seats.get(name).map(|seat| &seat.current),
        }
    }

    /// Whether what is edited here matters to this pod.
    pub fn is_judged_here(&self, entry: &PodEntry) -> bool {
        self.handler.is_none() || self.handler == entry.handler
    }

    /// Looks at the configuration of another handler; its edits come along, those of this one stay with it.
    pub fn look_at(&mut self, name: &str) {
        if self.handler.is_none() || self.handler.as_deref() == Some(name) {
            return;
        }
        let Some(judge) = self.node.of_handler(name) else { return };
        let seat = self.seats.remove(name).unwrap_or_else(|| Seat::of(judge.evaluator));
        let left = std::mem::replace(&mut self.seat, seat);
        if let Some(before) = self.handler.replace(Rc::from(name)) {
            self.seats.insert(before, left);
        }
        self.saved_sweep = Sweep::new(self.pods.len());
        self.other = None;
        self.compared = None;
        // Other files are watched, and other rights hold.
        self.readings += 1;
    }

    /// Looks at the configuration that judges the pod in sight.
    pub fn follow_pod(&mut self) {
        let entry = self.pods.get(self.pod).filter(|entry| entry.kata);
        if let Some(name) = entry.and_then(|entry| entry.handler.clone()) {
            self.look_at(&name);
        }
    }

    /// Why Kata has nothing to say of the pod in sight, as a sentence.
    pub fn said_elsewhere(&self) -> Option<String> {
        if self.due {
            let handler = self.pods.get(self.pod).and_then(|entry| entry.handler.as_deref());
            return match self.sweep.get(self.pod)?.elsewhere? {
                Elsewhere::NotKata => Some(not_kata(handler)),
                Elsewhere::Unknown => Some(format!(
                    "not known where the pod would run: {}",
                    self.sweep.get(self.pod).map_or("", |summary| &summary.why)
                )),
            };
        }
        match &self.evaluation.outcome {
            Outcome::NotKata => Some(not_kata(self.evaluation.handler.as_deref())),
            Outcome::Unknown(why) => Some(format!("not known where the pod would run: {why}")),
            Outcome::Starts | Outcome::Refused(_) => None,
        }
    }

    /// Looks at a handler with edits that are not on disk; whether there is one.
    pub fn look_at_unsaved(&mut self) -> bool {
        let edited = self.seats.iter().find(|(_, seat)| seat.edited).map(|(name, _)| name.clone());
        edited.is_some_and(|name| {
            self.look_at(&name);
            true
        })
    }

    /// The unsaved edits of all handlers as a patch.
    pub fn whole_patch(&self) -> Option<String> {
        let seats = self.seats.values().filter(|seat| seat.edited);
        let others = seats.map(|seat| seat.history.plans().iter().map(Plan::diff).collect::<String>());
        let patch: String = self.unsaved_patch().into_iter().chain(others).collect();
        (!patch.is_empty() || self.seat.edited).then_some(patch)
    }

    /// Edits of other handlers that are not on disk.
    pub fn unsaved_elsewhere(&self) -> usize {
        let edited = self.seats.values().filter(|seat| seat.edited);
        edited.map(|seat| seat.history.unsaved_count().max(1)).sum()
    }
}
