//! What a file was made from, so that people and a later run can tell: the comment at its head, and the same words
//! in the annotations of its objects.
//!
//! Decides whether a file is stale: its policy's digest is held against that of the host's policy as it is.

use super::rules::{Origin, Rules};
use super::yaml::Node;
use crate::report::escape::visible;

/// What the words begin with.
const PREFIX: &str = "katascope/";
/// Of every pod, where no handler is known.
const ANY: &str = "any";
const WIDTH: usize = 78;

/// The words about one handler.
fn words(rules: &Rules) -> Vec<(&'static str, String)> {
    let Origin { handler, files, digest, hypervisor, mode, .. } = &rules.origin;
    vec![
        ("handler", handler.clone().unwrap_or_else(|| ANY.to_owned())),
        ("config", files.join(" ")),
        ("config-digest", digest.clone()),
        ("release", rules.origin.release_word()),
        ("hypervisor", hypervisor.clone()),
        ("mode", mode.as_str().to_owned()),
        ("policy-digest", rules.digest()),
    ]
}

/// The same as annotations of an object.
pub fn annotations(rules: &Rules) -> Node {
    Node::Table(
        words(rules).into_iter().map(|(key, text)| (format!("{PREFIX}{key}"), Node::Text(text))).collect(),
    )
}

/// Lines of comment that say what a file is.
pub struct Head(String);

impl Head {
    /// Begins with a sentence.
    pub fn new(first: &str) -> Self {
        let mut head = Self(String::new());
        head.sentence("", first);
        head.sentence("", &format!("Made by katascope {}.", env!("CARGO_PKG_VERSION")));
        head
    }

    /// A sentence, over as many lines as it needs.
    pub fn sentence(&mut self, mark: &str, text: &str) {
        let inside = " ".repeat(mark.len());
        let mut line = mark.to_owned();
        for word in visible(text).split(' ') {
            if line.len() > mark.len() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line.clone_from(&inside);
            }
            if line.len() > mark.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }

    /// A line as it is, further in.
    pub fn quote(&mut self, line: &str) {
        self.line(&format!("    {}", visible(line)));
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(format!("# {line}").trim_end());
        self.0.push('\n');
    }

    /// What it was made from.
    pub fn made_from(&mut self, rules: &Rules) {
        for (key, text) in words(rules) {
            self.line(&format!("  {PREFIX}{key}: {}", visible(&text)));
        }
    }

    /// What the host does and the file does not say.
    pub fn inexact(&mut self, all: &[String]) {
        if !all.is_empty() {
            self.sentence("", "Not said here as the host does it:");
            all.iter().for_each(|text| self.sentence("- ", text));
        }
    }

    /// The lines.
    pub fn text(self) -> String {
        self.0
    }
}

/// What a file says that it was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The handler; `None`: every pod.
    pub handler: Option<String>,
    /// The digest of its configuration.
    pub config_digest: String,
    /// The release.
    pub release: String,
    /// The mode's word.
    pub mode: String,
    /// The digest of what it enforces.
    pub policy_digest: String,
}

/// The words of a file, one for each handler, wherever they stand in it.
pub fn recorded(text: &str) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = Vec::new();
    let mut group: Vec<(&str, String)> = Vec::new();
    let mut end = |group: &mut Vec<(&str, String)>| {
        let of = |key: &str| group.iter().find(|(own, _)| *own == key).map(|(_, text)| text.clone());
        let found = Recorded {
            handler: of("handler").filter(|name| name != ANY),
            config_digest: of("config-digest").unwrap_or_default(),
            release: of("release").unwrap_or_default(),
            mode: of("mode").unwrap_or_default(),
            policy_digest: of("policy-digest").unwrap_or_default(),
        };
        if !found.policy_digest.is_empty() && !all.contains(&found) {
            all.push(found);
        }
        group.clear();
    };
    for line in text.lines() {
        let line = line.trim_start_matches(['#', ' ', '\t', '"', '\'']);
        let Some((key, text)) = line.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':')) else {
            continue;
        };
        let key = key.trim_end_matches(['"', '\'']);
        if group.iter().any(|(own, _)| *own == key) {
            end(&mut group);
        }
        group.push((key, text.trim_matches([' ', '"', '\'', ',']).to_owned()));
    }
    end(&mut group);
    all
}
