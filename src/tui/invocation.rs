//! How this program was started, sorted by which commands take which words too. Knows the words of the command line by their kinds only; `cli` sorts them.

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

/// The options that say a release.
pub(super) fn flags(release: Release) -> impl Iterator<Item = (&'static str, String)> {
    let version = release.version.to_string();
    [("runtime", release.runtime.as_str().to_owned()), ("kata-version", version)].into_iter()
}
