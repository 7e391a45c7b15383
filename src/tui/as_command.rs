//! The command line that prints what a screen shows: "copy as command".
//!
//! Decides which command says the same as the screen in sight.

use super::invocation::{Invocation, flags};
use super::model::changes::other_runtime;
use super::model::supposed::Shown;
use super::model::{Baseline, Model, Screen};

/// What the list in sight is filtered by.
fn filter(model: &Model) -> Option<String> {
    let filter = model.list().filter.text().trim();
    (!filter.is_empty()).then(|| format!("--filter={filter}"))
}

/// The command that prints what the screen in sight shows.
pub fn command(model: &Model) -> Vec<String> {
    let (said, release) = (&model.invocation, model.seat.current.setup().release);
    let subject = match model.screen {
        Screen::Policy => return said.policy(&["policy", "audit"], release),
        Screen::Pods => {
            let mut words = said.pods(&["check"], release, None);
            words.extend(filter(model));
            return words;
        }
        Screen::Nodes => {
            let mut words = Invocation { place: None, ..said.clone() }.pods(&["check"], release, None);
            words.extend(said.places.iter().flat_map(|place| ["--node".to_owned(), place.clone()]));
            words.extend(filter(model));
            return words;
        }
        Screen::Live => {
            let mut words = said.policy(&["live"], release);
            words.extend(model.live.open().and_then(|seen| seen.sandbox.clone()));
            return words;
        }
        Screen::Upgrade => {
            let mut words = said.pods(&["upgrade"], release, None);
            words.extend(model.upgrade.iter().map(|upgrading| format!("--to={}", upgrading.to)));
            return words;
        }
        Screen::Annotations => "annotations",
        Screen::Launch => "launch",
        Screen::Agent => "agent",
        Screen::Config => "config",
    };
    let id = |index: usize| model.pods.get(index).filter(|_| model.pods.len() > 1).map(|e| e.pod.id());
    let compares = matches!(model.screen, Screen::Launch | Screen::Agent);
    match (compares, model.baseline) {
        (true, Baseline::Marked) if model.marked().is_some_and(|m| m != model.pod) => {
            let mut words = said.pods(&["diff", "--show", subject], release, model.marked().and_then(id));
            words.extend(id(model.pod).map(|pod| format!("--with=pod={pod}")));
            words
        }
        (true, Baseline::OtherRuntime) => {
            let other = other_runtime(release);
            let mut words = said.pods(&["diff", "--show", subject], other, id(model.pod));
            words.extend(flags(release).map(|(flag, value)| format!("--with={flag}={value}")));
            words
        }
        _ => {
            let mut words = said.pods(&["show", subject], release, id(model.pod));
            if let Some(Shown::AsIf(as_if)) = model.shown_as() {
                words.push(format!("--as-if={}", as_if.as_str()));
            }
            words
        }
    }
}
