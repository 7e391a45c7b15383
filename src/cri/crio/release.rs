//! CRI-O's releases, and what came with which.
//!
//! Decides which release is meant by a version that somebody names or that the node records, and whether a
//! change is in it; keys of files have their own table (`keys`). A change can be in a late patch of an old line and in the next line from its start, so
//! that the first release of each line is named. Facts: the tags of cri-o from v1.30.0 to v1.36.3; the files
//! of the changes are named in the table.

use std::fmt;

use crate::golang::toml::Dialect;
use crate::input::host::Host;

/// A release: 1.`minor`.`patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The line, which is that of the Kubernetes it belongs to.
    pub minor: u32,
    /// The patch.
    pub patch: u32,
}

/// The first releases of something, one for each line that has it from some patch on; every later line has it.
pub type Since = &'static [(u32, u32)];

/// What changed between the releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The built-in handler is crun, not runc (pkg/config/config_linux.go).
    CrunBuiltIn,
    /// What fails while files are read is told with the steps that led there (internal/criocli/criocli.go).
    NamedLoadSteps,
    /// `runtime_type` is checked before the paths (pkg/config/config.go).
    TypeCheckedFirst,
    /// The complaint about `no_sync_log` says what it is about.
    NamedSyncLog,
    /// A handler of type `pod` is asked for its monitor's version (vendored conmon-rs/pkg/client/client.go).
    MonitorAsked,
    /// Keys that end in `.crio.io` stand beside `io.kubernetes.cri-o.` (pkg/annotations/v2).
    KeysOfItsDomain,
    /// A monitor cgroup of cgroupfs may be left out, and is quoted when it is wrong.
    MonitorCgroupOptional,
}

impl Change {
    const fn since(self) -> Since {
        match self {
            Self::CrunBuiltIn | Self::NamedLoadSteps | Self::TypeCheckedFirst => &[(31, 0)],
            Self::MonitorCgroupOptional => &[(33, 0)],
            Self::NamedSyncLog | Self::MonitorAsked => &[(34, 0)],
            Self::KeysOfItsDomain => &[(35, 0)],
        }
    }
}

/// The last patch of each line that is known.
const LAST: [(u32, u32); 7] = [(30, 14), (31, 13), (32, 13), (33, 13), (34, 11), (35, 6), (36, 3)];

/// Where a daemon writes its version when it starts; the second only where it is told to
/// (`version_file_persist`).
const VERSION_FILES: [&str; 3] = ["/run/crio/version", "/var/run/crio/version", "/var/lib/crio/version"];

impl Release {
    /// The newest release whose rules are known.
    pub const NEWEST: Self = Self { minor: 36, patch: 3 };

    /// Reads `1.33`, `v1.33.13`, `1.33.13-3.rhaos4.20.git`; without a patch the last one known of the line.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let numbers = text.split(['-', '~', '+', ' ']).next().unwrap_or(text);
        let mut parts = numbers.split('.');
        if parts.next() != Some("1") {
            return None;
        }
        let minor = parts.next()?.parse().ok()?;
        let patch = match parts.next() {
            Some(patch) => patch.parse().ok()?,
            None => LAST.iter().find(|(line, _)| *line == minor).map_or(0, |(_, patch)| *patch),
        };
        Some(Self { minor, patch })
    }

    /// The release that the node's daemon recorded when it last started.
    pub fn of_node(host: &Host) -> Option<Self> {
        VERSION_FILES.iter().find_map(|path| {
            let text = String::from_utf8(host.read(path).ok()?).ok()?;
            Self::parse(text.trim().trim_matches('"'))
        })
    }

    /// Whether it has a change.
    pub fn has(self, change: Change) -> bool {
        self.is_since(change.since())
    }

    /// Whether it is one of these releases or later.
    pub fn is_since(self, since: Since) -> bool {
        match since.iter().find(|(minor, _)| *minor == self.minor) {
            Some((_, patch)) => self.patch >= *patch,
            None => since.last().is_none_or(|(minor, _)| self.minor > *minor),
        }
    }

    /// The TOML library that it is built with, by its go.mod.
    pub(super) fn toml(self) -> Dialect {
        match (self.minor, self.patch) {
            (..=30, _) => Dialect::V1_3,
            (31 | 32, _) => Dialect::V1_4,
            (33 | 34, _) | (35, 0) => Dialect::V1_5,
            _ => Dialect::V1_6,
        }
    }

    /// Whether its rules are known, and not taken from the nearest release.
    pub fn is_known(self) -> bool {
        LAST.iter().any(|(minor, patch)| *minor == self.minor && self.patch <= *patch)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}.{}", self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        Release::parse(text).unwrap()
    }

    #[test]
    fn a_version_without_patch_is_the_last_of_its_line() {
        assert_eq!(release("1.33"), Release { minor: 33, patch: 13 });
        assert_eq!(release("v1.34.2-3.rhaos4.21.gitabc"), Release { minor: 34, patch: 2 });
        assert_eq!(Release::parse("2.3"), None);
        assert_eq!(Release::parse("1.x"), None);
        assert!(!release("1.99").is_known() && !release("1.29.4").is_known() && release("1.35.1").is_known());
    }

    #[test]
    fn a_change_of_a_late_patch_is_in_every_later_line() {
        assert!(!release("1.34.9").has(Change::KeysOfItsDomain));
        assert!(
            release("1.35.0").has(Change::KeysOfItsDomain) && release("1.99").has(Change::KeysOfItsDomain)
        );
        let annotations: Since = &[(31, 4)];
        assert!(!release("1.31.3").is_since(annotations) && release("1.31.4").is_since(annotations));
        assert!(!release("1.30.14").is_since(annotations) && release("1.32.0").is_since(annotations));
        let backported: Since = &[(33, 12), (34, 8), (35, 3)];
        assert!(!release("1.34.7").is_since(backported) && release("1.34.8").is_since(backported));
        assert!(release("1.33.13").is_since(backported) && release("1.36.0").is_since(backported));
        assert!(!release("1.32.13").is_since(backported));
    }
}
