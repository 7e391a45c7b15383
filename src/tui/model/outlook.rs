//! What the frame says of the pod in sight: from its evaluation, or, while the cursor runs through a list, from
//! what the list knows. One pod is current, wherever one is.

use super::Model;
use super::annotations::is_problem;
use super::pods::Elsewhere;
use crate::evaluate::Outcome;
use crate::input::host::Assumption;

/// The outcome without its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Badge {
    Starts,
    Refused,
    NotKata,
    Unknown,
}

/// Why a pod is refused.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'m> {
    /// The stage.
    pub stage: &'static str,
    /// The runtime's words.
    pub message: &'m str,
    /// Whether it crashes.
    pub panic: bool,
}

/// What is said of a pod.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'m> {
    /// The outcome.
    pub badge: Badge,
    /// What it rests on.
    pub assumed: &'m [Assumption],
    /// Why it is refused.
    pub refusal: Option<Refusal<'m>>,
    /// How many annotations do not do what they ask for, of how many.
    pub problems: (usize, usize),
}

impl Model {
    /// What is said of the pod in sight; `None` where there is none, or nothing is known yet.
    pub fn outlook(&self) -> Option<Outlook<'_>> {
        if self.pods.is_empty() {
            return None;
        }
        if self.due {
            let summary = self.sweep.get(self.pod)?;
            let refusal = summary.refused.as_ref();
            return Some(Outlook {
                badge: match (refusal, summary.elsewhere) {
                    (Some(_), _) => Badge::Refused,
                    (None, Some(Elsewhere::NotKata)) => Badge::NotKata,
                    (None, Some(Elsewhere::Unknown)) => Badge::Unknown,
                    (None, None) => Badge::Starts,
                },
                assumed: &summary.assumed,
                refusal: refusal.map(|(stage, message)| Refusal { stage, message, panic: false }),
                problems: (
                    usize::from(summary.problems()),
                    summary.counts.iter().map(|n| usize::from(*n)).sum(),
                ),
            });
        }
        let evaluation = &self.evaluation;
        let problems = evaluation.verdicts.iter().filter(|verdict| is_problem(verdict)).count();
        Some(Outlook {
            badge: match evaluation.outcome {
                Outcome::Starts => Badge::Starts,
                Outcome::Refused(_) => Badge::Refused,
                Outcome::NotKata => Badge::NotKata,
                Outcome::Unknown(_) => Badge::Unknown,
            },
            assumed: &evaluation.assumed,
            refusal: evaluation.outcome.failure().map(|failure| Refusal {
                stage: failure.stage.as_str(),
                message: &failure.message,
                panic: failure.panic,
            }),
            problems: (problems, evaluation.verdicts.len()),
        })
    }

    /// The pod under the cursor of a list becomes the one that everything speaks of. What becomes of it in full is
    /// worked out when somebody leaves the list.
    pub fn follow_cursor(&mut self, pod: usize) {
        if pod == self.pod || pod >= self.pods.len() {
            return;
        }
        self.pod = pod;
        self.due = true;
        self.follow_pod();
    }

    /// Evaluates the pod that the cursor was led to.
    pub fn catch_up(&mut self) {
        if self.due {
            self.evaluate();
        }
    }
}
