//! The name gate: which annotations `enable_annotations` lets through.
//!
//! The entries are regular expressions searched anywhere in the name after
//! `io.katacontainers.config.hypervisor.`. In the Go runtimes an invalid entry matches nothing; in
//! runtime-rs it disables the whole list. Facts: src/libs/kata-types/src/config/hypervisor/mod.rs and
//! src/runtime/pkg/oci/utils.go at 4.1.0, src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use regex::{Regex, RegexSet};

use super::go_regex::GoRegex;
use crate::catalog::Generation;

/// A compiled `enable_annotations` list.
#[derive(Debug, Clone)]
pub struct NameGate {
    entries: Entries,
    invalid: Vec<(usize, String)>,
}

#[derive(Debug, Clone)]
enum Entries {
    /// All are as plain as most are: they match where they stand in the name, in every runtime.
    Words(Vec<Box<str>>),
    /// The Go runtimes try each entry for itself; `None` where it is invalid.
    Each(Vec<Option<GoRegex>>),
    /// runtime-rs compiles all into one set; `None` where that fails.
    Set(Option<RegexSet>),
}

impl NameGate {
    /// Compiles the list; never fails, an invalid pattern is remembered as such.
    pub fn new(generation: Generation, patterns: &[String]) -> Self {
        if let Some(words) = words(patterns) {
            return Self { entries: Entries::Words(words), invalid: Vec::new() };
        }
        let mut invalid = Vec::new();
        let entries = match generation {
            Generation::Go21 | Generation::Go41 => Entries::Each(
                patterns
                    .iter()
                    .enumerate()
                    .map(|(i, pattern)| {
                        GoRegex::new(pattern).map_err(|e| invalid.push((i, e.to_string()))).ok()
                    })
                    .collect(),
            ),
            Generation::Rs41 => Entries::Set(match RegexSet::new(patterns) {
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
    pub fn admits(&self, short: &str) -> Option<usize> {
        match &self.entries {
            Entries::Words(words) => words.iter().position(|word| short.contains(&**word)),
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

/// The entries, where none has a character that means something to a regular expression and all together
/// are far below the bounds that the runtimes set on one.
fn words(patterns: &[String]) -> Option<Vec<Box<str>>> {
    let word = |text: &String| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let small = patterns.iter().map(String::len).sum::<usize>() <= 4096;
    (small && patterns.iter().all(word)).then(|| patterns.iter().map(|p| p.as_str().into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(generation: Generation, patterns: &[&str]) -> NameGate {
        NameGate::new(generation, &patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn entries_are_searched_anywhere() {
        for generation in Generation::ALL {
            let gate = gate(generation, &["^image$", "path"]);
            assert_eq!(gate.admits("jailer_path"), Some(1), "{generation:?}");
            assert_eq!(gate.admits("image"), Some(0));
            assert_eq!(gate.admits("image_hash"), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn words_match_where_the_regular_expressions_do(
            list in proptest::collection::vec("[ab_1]{0,3}", 0..5), name in "[ab_1]{0,6}"
        ) {
            let set = RegexSet::new(&list).unwrap();
            let each: Vec<_> = list.iter().map(|p| GoRegex::new(p).unwrap()).collect();
            for generation in Generation::ALL {
                let gate = NameGate::new(generation, &list);
                proptest::prop_assert!(matches!(gate.entries, Entries::Words(_)));
                proptest::prop_assert_eq!(gate.admits(&name), set.matches(&name).iter().next());
                proptest::prop_assert_eq!(gate.admits(&name), each.iter().position(|e| e.is_match(&name)));
            }
        }
    }

    #[test]
    fn one_invalid_entry_disables_the_set_only() {
        let list = ["path", "virtio_fs_(?!x)"];
        let rs = gate(Generation::Rs41, &list);
        assert!(rs.disabled() && rs.admits("path").is_none());
        assert_eq!(rs.invalid().map(|(i, _)| i).collect::<Vec<_>>(), [1]);
        let go = gate(Generation::Go41, &list);
        assert!(!go.disabled());
        assert_eq!(go.admits("path"), Some(0));
        assert_eq!(go.invalid().map(|(i, _)| i).collect::<Vec<_>>(), [1]);
    }
}
