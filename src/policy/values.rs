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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    #[test]
    fn a_star_that_reaches_over_a_folder_is_told() {
        let list = ["/opt/*/qemu", "/opt/**/q*", "/opt[/-]*/b?c"].map(str::to_owned);
        let gate = ValueGate::new(Release::newest(Runtime::Rs), &list);
        for (index, value, over) in [
            (0, "/opt/kata/qemu", false),
            (0, "/opt/kata/bin/qemu", true),
            (1, "/opt/qemu/qemu", false),
            (1, "/opt/qx/emu", true),
            (2, "/opt-kata/b/c", true),
            (2, "/opt/kata/b/c", true),
            (2, "/opt-kata/bxc", false),
        ] {
            assert!(glob::Pattern::new(&list[index]).is_ok_and(|glob| glob.matches(value)), "{value}");
            assert_eq!(gate.reaches_over_folders(index, value), over, "{} {value}", list[index]);
        }
    }

    #[test]
    fn text_in_one_files_in_the_other() {
        let files = MemoryFiles::new().file("/opt/kata/bin/qemu", 0o755, "x");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let list = ["[".to_owned(), "/opt/*".to_owned(), "/opt/kata/bin/q*".to_owned()];
        let allows = |release, value| ValueGate::new(release, &list).allows(&host, value);
        assert_eq!(allows(Release::newest(Runtime::Rs), "/opt/kata/bin/qemu"), Some(1));
        assert_eq!(allows(Release::newest(Runtime::Rs), "/opt/../bin/sh"), Some(1));
        for release in [Release::go(2, 1, 0), Release::newest(Runtime::Go)] {
            assert_eq!(allows(release, "/opt/kata/bin/qemu"), Some(2));
            assert_eq!(allows(release, "/opt/kata"), Some(1));
            assert_eq!(allows(release, "/opt/kata/bin/qemu2"), None);
            assert_eq!(ValueGate::new(release, &list).invalid().count(), 1);
        }
    }

    proptest::proptest! {
        #[test]
        fn equal_slashes_leave_none_for_a_star(
            pattern in "[ab/*?]{1,7}", value in "[ab/]{1,8}"
        ) {
            let gate = ValueGate::new(Release::newest(Runtime::Rs), std::slice::from_ref(&pattern));
            if let Ok(glob) = glob::Pattern::new(&pattern) && glob.matches(&value) {
                let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
                let over = !glob.matches_with(&value, options);
                proptest::prop_assert_eq!(gate.reaches_over_folders(0, &value), over, "{} {}", pattern, value);
            }
        }
    }
}
