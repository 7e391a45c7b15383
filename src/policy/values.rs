//! The value gates: which paths a `valid_*` list lets through.
//!
//! runtime-rs matches the text of each glob; the Go runtimes expand it on the host's files and want
//! exact equality. An invalid glob lets nothing through in either, and harms no other. Facts:
//! src/libs/kata-types/src/config/mod.rs and src/runtime/pkg/oci/utils.go at 4.1.0,
//! src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use crate::golang::filepath::PathPattern;
use crate::input::Host;
use crate::input::host::globs;
use crate::release::{Release, Runtime};

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
    pub fn new(release: Release, patterns: &[String]) -> Self {
        let entry = |pattern: &String| match release.runtime {
            Runtime::Rs => match glob::Pattern::new(pattern) {
                Ok(glob) => Entry::Text(glob),
                Err(error) => Entry::Invalid(error.to_string()),
            },
            Runtime::Go => match PathPattern::new(pattern) {
                Ok(_) => Entry::Files(pattern.as_str().into()),
                Err(error) => Entry::Invalid(error.to_string()),
            },
        };
        Self { entries: patterns.iter().map(entry).collect() }
    }

    /// The index of the first pattern that lets `value` through.
    pub fn allows(&self, host: &Host, value: &str) -> Option<usize> {
        self.entries.iter().position(|entry| match entry {
            Entry::Text(glob) => glob.matches(value),
            Entry::Files(pattern) => globs::has(host, pattern, value),
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
