//! What the screens of a refused pod show: what it would be given as if allowed, or as if the annotation that
//! refuses it were absent; on Config first what of its annotations was taken. Always under a label that says so.

use std::rc::Rc;

use super::{Model, Screen};
use crate::evaluate::as_if::{AsIf, SO_FAR, so_far, suppose};
use crate::evaluate::{Evaluation, Evaluator};
use crate::input::manifest::Pod;
use crate::runtime::Depth;

/// Which of them is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// What was taken before it failed.
    SoFar,
    /// What would be.
    AsIf(AsIf),
}

/// What was worked out for one pod.
#[derive(Debug, Clone)]
pub struct Suppositions {
    /// The state that it was worked out in.
    revision: u64,
    so_far: Rc<Evaluation>,
    /// With the sentence that says what was supposed.
    allowed: (String, Rc<Evaluation>),
    absent: (String, Rc<Evaluation>),
}

impl Model {
    /// Works out what the screens of a refused pod show, where that is asked for and not known.
    pub(super) fn suppose(&mut self) {
        let asks = matches!(self.screen, Screen::Launch | Screen::Agent | Screen::Config);
        let known = self.supposed.as_ref().is_some_and(|known| known.revision == self.revision);
        if !asks || known || self.due {
            return;
        }
        self.supposed = None;
        if self.evaluation.outcome.failure().is_none() {
            return;
        }
        let judge = |pod: &Pod, evaluator: &Evaluator| self.judged(pod, Depth::Full, evaluator);
        let of = |as_if| {
            let supposed = suppose(&self.seat.current, &self.tried, as_if, &judge);
            (supposed.sentence(), Rc::new(supposed.evaluation))
        };
        let effective = so_far(&self.seat.current, &self.evaluation);
        self.supposed = Some(Suppositions {
            revision: self.revision,
            so_far: Rc::new(Evaluation { effective, ..(*self.evaluation).clone() }),
            allowed: of(AsIf::Allowed),
            absent: of(AsIf::Absent),
        });
    }

    /// What is supposed on this screen; `None`: the pod is shown as it is.
    pub fn shown_as(&self) -> Option<Shown> {
        let known = self.supposed.as_ref().filter(|known| known.revision == self.revision)?;
        let gets_there = |(_, evaluation): &(String, Rc<Evaluation>)| evaluation.launch.is_some();
        match (self.screen, self.as_if) {
            (Screen::Config, None) => Some(Shown::SoFar),
            (Screen::Launch | Screen::Agent | Screen::Config, Some(as_if)) => Some(Shown::AsIf(as_if)),
            // What opens is what there is something to see of.
            (Screen::Launch | Screen::Agent, None) => {
                let as_if = if gets_there(&known.allowed) || !gets_there(&known.absent) {
                    AsIf::Allowed
                } else {
                    AsIf::Absent
                };
                Some(Shown::AsIf(as_if))
            }
            _ => None,
        }
    }

    /// What the screen shows: the pod as it is, or what is supposed of it.
    pub fn shown(&self) -> &Rc<Evaluation> {
        match (&self.supposed, self.shown_as()) {
            (Some(known), Some(Shown::SoFar)) => &known.so_far,
            (Some(known), Some(Shown::AsIf(AsIf::Allowed))) => &known.allowed.1,
            (Some(known), Some(Shown::AsIf(AsIf::Absent))) => &known.absent.1,
            _ => &self.evaluation,
        }
    }

    /// The label over what is supposed, short, and the sentence that says it whole.
    pub fn supposition(&self) -> Option<(&'static str, String)> {
        let known = self.supposed.as_ref()?;
        Some(match self.shown_as()? {
            Shown::SoFar => ("what was taken before it failed", SO_FAR.to_owned()),
            Shown::AsIf(AsIf::Allowed) => ("as if allowed", known.allowed.0.clone()),
            Shown::AsIf(AsIf::Absent) => ("as if absent", known.absent.0.clone()),
        })
    }

    /// Shows the next of them; on Config also what it had come to.
    pub fn next_supposition(&mut self) {
        self.as_if = match (self.screen, self.shown_as()) {
            (_, Some(Shown::SoFar)) => Some(AsIf::Allowed),
            (_, Some(Shown::AsIf(AsIf::Allowed))) => Some(AsIf::Absent),
            (Screen::Config, Some(Shown::AsIf(AsIf::Absent))) => None,
            _ => Some(AsIf::Allowed),
        };
        self.rebuild_rows();
    }
}
