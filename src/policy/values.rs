//! The value gates: which paths a `valid_*` list lets through.
//!
//! runtime-rs matches the text of each glob; the Go runtimes expand it on the host's files and want
//! exact equality. An invalid glob lets nothing through in either, and harms no other. Facts:
//! src/libs/kata-types/src/config/mod.rs and src/runtime/pkg/oci/utils.go at 4.1.0,
//! src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use super::go_path::{self, PathPattern};
use crate::catalog::Generation;
use crate::input::Host;

/// A compiled `valid_*` list.
#[derive(Debug, Clone)]
pub struct ValueGate {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
enum Entry {
    /// Matched as text.
    Text(glob::Pattern),
    /// Expanded on the host.
    Files(Box<str>),
    Invalid(String),
}

impl ValueGate {
    /// Compiles the list; never fails, an invalid pattern is remembered as such.
    pub fn new(generation: Generation, patterns: &[String]) -> Self {
        let entry = |pattern: &String| match generation {
            Generation::Rs41 => match glob::Pattern::new(pattern) {
                Ok(glob) => Entry::Text(glob),
                Err(error) => Entry::Invalid(error.to_string()),
            },
            Generation::Go21 | Generation::Go41 => match PathPattern::new(pattern) {
                Ok(_) => Entry::Files(pattern.as_str().into()),
                Err(error) => Entry::Invalid(error.to_string()),
            },
        };
        Self { entries: patterns.iter().map(entry).collect() }
    }

    /// The index of the first pattern that lets `value` through.
    pub fn admits(&self, host: &Host, value: &str) -> Option<usize> {
        self.entries.iter().position(|entry| match entry {
            Entry::Text(glob) => glob.matches(value),
            Entry::Files(pattern) => go_path::glob_has(host, pattern, value),
            Entry::Invalid(_) => false,
        })
    }

    /// Whether the text pattern at `index` lets `value` through only because its `*` reaches over a `/`.
    pub fn reaches_over_folders(&self, index: usize, value: &str) -> bool {
        let strict = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        match self.entries.get(index) {
            Some(Entry::Text(glob)) => !glob.matches_with(value, strict),
            _ => false,
        }
    }

    /// The invalid patterns, by index, with the reason.
    pub fn invalid(&self) -> impl Iterator<Item = (usize, &str)> {
        self.entries.iter().enumerate().filter_map(|(i, entry)| match entry {
            Entry::Invalid(reason) => Some((i, reason.as_str())),
            _ => None,
        })
    }
}

/// The index of the first pattern that lets `value` through. Compiles the list anew: where many values
/// meet one list, keep a [`ValueGate`].
pub fn admits(generation: Generation, host: &Host, patterns: &[String], value: &str) -> Option<usize> {
    ValueGate::new(generation, patterns).admits(host, value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    #[test]
    fn text_in_one_files_in_the_other() {
        let files = MemoryFiles::new().file("/opt/kata/bin/qemu", 0o755, "x");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let list = ["[".to_owned(), "/opt/*".to_owned(), "/opt/kata/bin/q*".to_owned()];
        let admits = |generation, value| ValueGate::new(generation, &list).admits(&host, value);
        assert_eq!(admits(Generation::Rs41, "/opt/kata/bin/qemu"), Some(1));
        assert_eq!(admits(Generation::Rs41, "/opt/../bin/sh"), Some(1));
        for generation in [Generation::Go21, Generation::Go41] {
            assert_eq!(admits(generation, "/opt/kata/bin/qemu"), Some(2));
            assert_eq!(admits(generation, "/opt/kata"), Some(1));
            assert_eq!(admits(generation, "/opt/kata/bin/qemu2"), None);
            assert_eq!(ValueGate::new(generation, &list).invalid().count(), 1);
        }
    }
}
