//! The name gate: which annotations `enable_annotations` lets through.
//!
//! The entries are regular expressions searched anywhere in the name after
//! `io.katacontainers.config.hypervisor.`. In the Go runtimes an invalid entry matches nothing; in
//! runtime-rs it disables the whole list. Facts: src/libs/kata-types/src/config/hypervisor/mod.rs and
//! src/runtime/pkg/oci/utils.go at 4.1.0, src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use regex::{Regex, RegexSet};

use crate::golang::regexp::GoRegex;
use crate::release::{Release, Runtime};

/// A compiled `enable_annotations` list.
#[derive(Debug, Clone)]
pub struct NameGate {
    entries: Entries,
    invalid: Vec<(usize, String)>,
}

#[derive(Debug, Clone)]
enum Entries {
    /// All are as plain as most are, and found without an automaton: to make one for six entries takes 0.1 ms, to load
    /// a whole configuration of the Go runtime 0.06 ms.
    Plain(Vec<Plain>),
    /// The Go runtimes try each entry for itself; `None` where it is invalid.
    Each(Vec<Option<GoRegex>>),
    /// runtime-rs compiles all into one set; `None` where that fails.
    Set(Option<RegexSet>),
}

impl NameGate {
    /// Compiles the list; never fails, an invalid pattern is remembered as such.
    pub fn new(release: Release, patterns: &[String]) -> Self {
        if let Some(entries) = Plain::all(patterns) {
            return Self { entries: Entries::Plain(entries), invalid: Vec::new() };
        }
        let mut invalid = Vec::new();
        let entries = match release.runtime {
            Runtime::Go => Entries::Each(
                patterns
                    .iter()
                    .enumerate()
                    .map(|(i, pattern)| {
                        GoRegex::new(pattern).map_err(|e| invalid.push((i, e.to_string()))).ok()
                    })
                    .collect(),
            ),
            Runtime::Rs => Entries::Set(match RegexSet::new(patterns) {
                Ok(set) => Some(set),
                Err(error) => {
                    if patterns.len() > 1 {
                        let reason = |p: &String| Regex::new(p).err().map(|e| e.to_string());
                        let each = patterns.iter().enumerate();
                        invalid = each.filter_map(|(i, p)| Some((i, reason(p)?))).collect();
                    }
                    // Each entry is good, but together they outgrow the bound on a set.
                    if invalid.is_empty() {
                        invalid.push((patterns.len().saturating_sub(1), error.to_string()));
                    }
                    None
                }
            }),
        };
        Self { entries, invalid }
    }

    /// The index of the first pattern that lets `short` (the name without the hypervisor prefix) through.
    pub fn allows(&self, short: &str) -> Option<usize> {
        match &self.entries {
            Entries::Plain(entries) => entries.iter().position(|entry| entry.is_match(short)),
            Entries::Each(entries) => {
                entries.iter().position(|e| e.as_ref().is_some_and(|regex| regex.is_match(short)))
            }
            Entries::Set(set) => {
                let set = set.as_ref()?;
                if !set.is_match(short) {
                    return None;
                }
                set.matches(short).iter().next()
            }
        }
    }

    /// The invalid patterns, by index, with the reason.
    pub fn invalid(&self) -> impl Iterator<Item = (usize, &str)> {
        self.invalid.iter().map(|(i, reason)| (*i, reason.as_str()))
    }

    /// Whether one invalid pattern disables the whole list, as in runtime-rs.
    pub fn disabled(&self) -> bool {
        matches!(self.entries, Entries::Set(None))
    }
}

/// An entry of letters, digits and `_`: `word`, `^word$`, `^default_(vcpus|memory)$`.
#[derive(Debug, Clone)]
struct Plain {
    words: Vec<Box<str>>,
    /// They stand at the beginning of the name.
    begin: bool,
    /// And at its end.
    end: bool,
}

impl Plain {
    /// The entries, where all are plain and together far below the bounds that the runtimes set on a set.
    fn all(patterns: &[String]) -> Option<Vec<Self>> {
        let small = patterns.iter().map(String::len).sum::<usize>() <= 4096;
        if small { patterns.iter().map(|pattern| Self::of(pattern)).collect() } else { None }
    }

    fn of(pattern: &str) -> Option<Self> {
        let (rest, begin) = pattern.strip_prefix('^').map_or((pattern, false), |rest| (rest, true));
        let (rest, end) = rest.strip_suffix('$').map_or((rest, false), |rest| (rest, true));
        let words: Vec<Box<str>> = match rest.split_once('(') {
            None => vec![rest.into()],
            Some((before, rest)) => {
                let (choices, after) = rest.split_once(')')?;
                choices.split('|').map(|choice| format!("{before}{choice}{after}").into()).collect()
            }
        };
        let plain = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        words.iter().all(|word| plain(word)).then_some(Self { words, begin, end })
    }

    fn is_match(&self, name: &str) -> bool {
        self.words.iter().any(|word| match (self.begin, self.end) {
            (false, false) => name.contains(&**word),
            (true, false) => name.starts_with(&**word),
            (false, true) => name.ends_with(&**word),
            (true, true) => name == &**word,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn plain_entries_match_where_the_regular_expressions_do(
            list in proptest::collection::vec("\\^?[ab_1]{0,3}(\\([ab|]{0,5}\\)[ab]{0,2})?\\$?|[ab^$()|]{0,5}", 0..4),
            name in "[ab_1]{0,6}",
        ) {
            let Some(entries) = Plain::all(&list) else { return Ok(()) };
            let set = RegexSet::new(&list).unwrap();
            let each: Vec<_> = list.iter().map(|p| GoRegex::new(p).unwrap()).collect();
            let found = entries.iter().position(|entry| entry.is_match(&name));
            proptest::prop_assert_eq!(found, set.matches(&name).iter().next(), "{:?} {}", list, name);
            proptest::prop_assert_eq!(found, each.iter().position(|e| e.is_match(&name)), "{:?} {}", list, name);
        }
    }

    #[test]
    fn what_is_plain() {
        for plain in ["", "path", "^path$", "^default_", "params$", "^default_(vcpus|memory)$", "(a|b)"] {
            assert!(Plain::of(plain).is_some(), "{plain}");
        }
        for other in [".*", "a|b", "^a|b$", "(a)(b)", "a(b", "a)b", "\\$", "a-b", "^^a", "((a))", "(?i)", "ä"]
        {
            assert!(Plain::of(other).is_none(), "{other}");
        }
    }
}
