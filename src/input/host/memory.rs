//! What the host remembers of its file system, so that a question costs one look-up from the second time on.
//!
//! Holds answers, and decides when there are too many of them.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::{Errno, Expansion, Stat};

/// How many answers are remembered before all are forgotten.
const MEMORY_LIMIT: usize = 100_000;

/// Answers, by what was asked.
type Answers<T> = HashMap<String, T, RandomState>;

/// All that is remembered.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) lstat: Answers<Result<Stat, Errno>>,
    pub(super) stat: Answers<Result<Stat, Errno>>,
    pub(super) canonical: Answers<Result<Arc<str>, Errno>>,
    /// The path without links of what is taken for granted.
    pub(super) granted: Answers<Arc<str>>,
    pub(super) dirs: Answers<Result<Arc<[String]>, Errno>>,
    pub(super) hashes: Answers<Result<Arc<str>, Errno>>,
    pub(super) globs: Answers<Arc<Expansion>>,
    /// Whether a glob stands for a path, by glob and path.
    stands_for: Answers<Answers<bool>>,
    /// How many answers `stands_for` has.
    pairs: usize,
}

impl Memory {
    /// Whether there are too many answers, of those that pods can ask for without end.
    pub(super) fn is_full(&self) -> bool {
        let paths = self.lstat.len() + self.stat.len() + self.canonical.len() + self.granted.len();
        paths + self.dirs.len() + self.hashes.len() + self.pairs > MEMORY_LIMIT
    }

    /// Whether a glob stands for a path, where that was asked before.
    pub(super) fn stands_for(&self, pattern: &str, path: &str) -> Option<bool> {
        self.stands_for.get(pattern)?.get(path).copied()
    }

    pub(super) fn remember_match(&mut self, pattern: &str, path: &str, answer: bool) {
        let paths = self.stands_for.entry(pattern.to_owned()).or_default();
        self.pairs += usize::from(paths.insert(path.to_owned(), answer).is_none());
    }
}
