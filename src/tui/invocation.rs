//! How this program was started, sorted by which commands take which words too: what "copy as command"
//! is made of. Knows the words of the command line by their kinds only; `cli` sorts them.

use super::model::changes::other_runtime;
use super::model::supposed::Shown;
use super::model::{Baseline, Model, Screen};
use crate::release::Release;

/// The words of the command line, without those that only screens take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The node in a file that is looked at.
    pub place: Option<String>,
    /// All of them, where pods are held against several.
    pub places: Vec<String>,
    /// What names the configuration: every command that reads one takes these.
    pub configuration: Vec<String>,
    /// Which runtime was said to read it.
    pub runtime: Vec<String>,
    /// The release that this came to.
    pub release: Option<Release>,
    /// The node and what leads to it: commands about pods take these.
    pub node: Vec<String>,
    /// The manifests.
    pub manifests: Vec<String>,
    /// The pods that were asked for by name.
    pub pod: Option<String>,
}

impl Invocation {
    /// `katascope SUBJECT` over the same configuration, read by `release`.
    pub fn policy(&self, subject: &[&str], release: Release) -> Vec<String> {
        let mut words = vec!["katascope".to_owned()];
        words.extend(subject.iter().map(|w| (*w).to_owned()));
        words.extend(self.place.iter().flat_map(|place| ["--node".to_owned(), place.clone()]));
        words.extend(self.configuration.iter().cloned());
        if self.release.is_none_or(|g| g == release) {
            words.extend(self.runtime.iter().cloned());
        } else {
            words.extend(flags(release).map(|(flag, value)| format!("--{flag}={value}")));
        }
        words
    }

    /// The same over the pods too; `pod` instead of those that were asked for.
    pub fn pods(&self, subject: &[&str], release: Release, pod: Option<String>) -> Vec<String> {
        let mut words = self.policy(subject, release);
        words.extend(self.node.iter().chain(&self.manifests).cloned());
        if let Some(pod) = pod.or_else(|| self.pod.clone()) {
            words.extend(["--pod".to_owned(), pod]);
        }
        words
    }
}

fn flags(release: Release) -> impl Iterator<Item = (&'static str, String)> {
    let version = release.version.to_string();
    [("runtime", release.runtime.as_str().to_owned()), ("kata-version", version)].into_iter()
}

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
