//! The name gate: which annotations `enable_annotations` lets through.
//!
//! The entries are regular expressions searched anywhere in the name after
//! `io.katacontainers.config.hypervisor.`. Facts: src/libs/kata-types/src/annotations/mod.rs and
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use regex::Regex;

use crate::catalog::Generation;

/// A compiled `enable_annotations` list.
#[derive(Debug, Clone)]
pub struct NameGate {
    generation: Generation,
    patterns: Vec<Result<Regex, String>>,
}

impl NameGate {
    /// Compiles the list; never fails, an invalid pattern is remembered as such.
    pub fn new(generation: Generation, patterns: &[String]) -> Self {
        let patterns = patterns.iter().map(|p| Regex::new(p).map_err(|e| e.to_string())).collect();
        Self { generation, patterns }
    }

    /// The index of the first pattern that lets `short` (the name without the hypervisor prefix) through.
    pub fn admits(&self, short: &str) -> Option<usize> {
        if self.disabled() {
            return None;
        }
        self.patterns.iter().position(|p| p.as_ref().is_ok_and(|r| r.is_match(short)))
    }

    /// The invalid patterns, by index, with the reason.
    pub fn invalid(&self) -> impl Iterator<Item = (usize, &str)> {
        self.patterns.iter().enumerate().filter_map(|(i, p)| p.as_ref().err().map(|e| (i, e.as_str())))
    }

    /// Whether one invalid pattern disables the whole list, as in runtime-rs.
    pub fn disabled(&self) -> bool {
        self.generation == Generation::Rs41 && self.patterns.iter().any(Result::is_err)
    }
}
