//! What a word means: an annotation, a configuration key, or a message that a user met.
//!
//! Decides what was meant and collects what the catalogue and the message table know of it. Judges no
//! pod. Facts: the catalogue; `messages` for the runtimes' and Kubernetes' own words.

mod about;
mod events;
pub mod journal;
pub mod messages;
mod yaml;

use crate::catalog::{self, Annotation, ConfigKey, HYPERVISOR_PREFIX};
use messages::Decoded;

/// What was asked about.
#[derive(Debug, PartialEq)]
pub enum Meaning {
    /// Annotations of that name (one base name may stand under several prefixes).
    Annotations(Vec<&'static Annotation>),
    /// Configuration keys of that name.
    ConfigKeys(Vec<&'static ConfigKey>),
    /// Both: the usual case of a short name.
    Both(Vec<&'static Annotation>, Vec<&'static ConfigKey>),
    /// A message of a log or an event.
    Message(Box<Decoded>),
    /// Nothing known; the nearest names.
    Unknown(Vec<&'static str>),
}

/// Finds out what `text` is about.
pub fn explain(text: &str) -> Meaning {
    let text = text.trim();
    if text.split_whitespace().nth(1).is_some()
        && let Some(decoded) = messages::decode(&journal::said(text))
    {
        return Meaning::Message(Box::new(decoded));
    }
    let annotations: Vec<_> = match catalog::annotation(text) {
        Some(annotation) => vec![annotation],
        None => catalog::all_annotations()
            .iter()
            .filter(|a| a.base() == text || a.short() == Some(text) || without_config(a.key) == text)
            .collect(),
    };
    let keys: Vec<_> = match text.rsplit_once('.') {
        Some((table, key)) if !text.starts_with("io.") => {
            catalog::config_key(table, key).into_iter().collect()
        }
        _ => catalog::all_config_keys().iter().filter(|k| k.key == text).collect(),
    };
    match (annotations.is_empty(), keys.is_empty()) {
        (false, false) => Meaning::Both(annotations, keys),
        (false, true) => Meaning::Annotations(annotations),
        (true, false) => Meaning::ConfigKeys(keys),
        (true, true) => match messages::decode(&journal::said(text)) {
            Some(decoded) => Meaning::Message(Box::new(decoded)),
            None => Meaning::Unknown(nearest(text)),
        },
    }
}

/// `hypervisor.path` of `io.katacontainers.config.hypervisor.path`.
fn without_config(key: &str) -> &str {
    key.strip_prefix("io.katacontainers.config.").unwrap_or(key)
}

/// The names that a misspelt one was most likely meant to be.
fn nearest(text: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for release in crate::release::Release::STOPS.into_iter().rev() {
        let whole = format!("{HYPERVISOR_PREFIX}{text}");
        for key in [text, whole.as_str()] {
            if let Some(annotation) = catalog::nearest(key, release) {
                found.push(annotation.key);
            }
        }
    }
    if found.is_empty() {
        found = containing(text);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The names that have the word in them, where it is long enough to mean something.
fn containing(word: &str) -> Vec<&'static str> {
    const SHORTEST: usize = 3;
    const TOLD: usize = 10;
    if word.chars().count() < SHORTEST || word.contains(char::is_whitespace) {
        return Vec::new();
    }
    let word = word.to_lowercase().replace('-', "_");
    let keys = catalog::all_config_keys().iter().map(|known| known.key);
    let annotations = catalog::all_annotations().iter().map(|known| known.key);
    let names =
        keys.chain(annotations).filter(|name| name.rsplit('.').next().is_some_and(|n| n.contains(&word)));
    let mut found: Vec<&'static str> = names.collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(TOLD);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_find_annotation_and_key() {
        let Meaning::Both(annotations, keys) = explain("default_memory") else { panic!("both") };
        assert_eq!(annotations[0].key, "io.katacontainers.config.hypervisor.default_memory");
        assert_eq!(keys[0].table, "hypervisor.<name>");
        assert!(matches!(explain("hypervisor.qemu.path"), Meaning::Both(..) | Meaning::ConfigKeys(_)));
    }

    #[test]
    fn a_misspelt_name_gets_its_neighbours() {
        let Meaning::Unknown(names) = explain("defalt_memory") else { panic!("unknown") };
        assert!(names.contains(&"io.katacontainers.config.hypervisor.default_memory"), "{names:?}");
    }
}
