//! containerd's releases, as far as they read configuration differently.
//!
//! Decides which release is meant by a version that somebody names. Facts: the tags named in `mod`.

use std::fmt;

/// A release by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
    /// Patch.
    pub patch: u32,
    /// Whether it is a beta or candidate of that number.
    pub pre: bool,
}

impl Release {
    /// The newest release whose rules are known.
    pub const NEWEST: Self = Self { major: 2, minor: 3, patch: 4, pre: false };

    /// Reads `1.7.34`, `v2.3`, `2.4.0-beta.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let (numbers, pre) = match text.split_once(['-', '~', '+']) {
            Some((numbers, rest)) => {
                (numbers, rest.starts_with("beta") || rest.starts_with("rc") || rest.starts_with("alpha"))
            }
            None => (text, false),
        };
        let mut parts = numbers.split('.').map(|p| p.parse::<u32>().ok());
        let major = parts.next()??;
        let minor = parts.next().unwrap_or(Some(0))?;
        let patch = parts.next().unwrap_or(Some(0))?;
        Some(Self { major, minor, patch, pre })
    }

    /// 1.x: a drop-in replaces a plugin's whole table, nothing is migrated.
    pub fn is_v1(self) -> bool {
        self.major < 2
    }

    /// 2.3 and newer migrate each file before merging it.
    pub fn migrates_each_file(self) -> bool {
        (self.major, self.minor) >= (2, 3)
    }

    /// The newest schema version of a configuration file that it reads.
    pub fn config_version(self) -> i64 {
        match (self.major, self.minor) {
            (0 | 1, _) => 2,
            (2, 0..=2) => 3,
            _ => 4,
        }
    }

    /// Whether it refuses drop-ins of a higher version than the main file: 2.3 to the first 2.4 beta.
    pub fn refuses_newer_drop_ins(self) -> bool {
        self.migrates_each_file() && ((self.major, self.minor) < (2, 4) || self.pre)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
