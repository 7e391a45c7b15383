//! A runtime at a version, spans of versions, and for each runtime one table of what came or went between versions.
//! Nothing else compares versions of Kata.
//!
//! Facts: `assets/catalog/releases.toml`, the tags of kata-containers; runtime-rs is shipped since 3.0.0.

pub mod go;
pub mod rs;

use std::fmt;
use std::str::FromStr;

/// The two runtimes of Kata Containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runtime {
    /// src/runtime, written in Go.
    Go,
    /// src/runtime-rs, written in Rust.
    Rs,
}

impl Runtime {
    /// The word of options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Rs => "rs",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Go => "Go runtime",
            Self::Rs => "runtime-rs",
        }
    }

    /// The versions of it that are measured, oldest first.
    pub fn measured(self) -> impl Iterator<Item = Version> {
        self.versions().filter(move |version| Release::new(self, *version).evidence() == Evidence::Measured)
    }

    /// Every version of it, oldest first.
    pub fn versions(self) -> impl DoubleEndedIterator<Item = Version> + Clone {
        let first = match self {
            Self::Go => Version::new(2, 0, 0),
            Self::Rs => Version::new(3, 0, 0),
        };
        RELEASES.iter().map(|row| row.version).filter(move |version| *version >= first)
    }

    /// Every behaviour of it that came or went, in the order of its table.
    pub fn behaviours(self) -> &'static [Named] {
        match self {
            Self::Go => go::Change::NAMED,
            Self::Rs => rs::Change::NAMED,
        }
    }
}

/// A version of Kata Containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    minor: u8,
    patch: u8,
}

impl Version {
    /// The newest whose rules are known.
    pub const NEWEST: Self = Self::new(4, 1, 0);

    /// By its numbers.
    pub const fn new(major: u8, minor: u8, patch: u8) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What is known of one release as a whole.
#[derive(Debug)]
pub struct Row {
    /// Which.
    pub version: Version,
    /// The beginning of the SHA-256 of its `versions.yaml`.
    pub versions_yaml: &'static str,
    /// The runtimes whose recorded answers at it come out equal here.
    measured: &'static [Runtime],
}

include!(concat!(env!("OUT_DIR"), "/releases.rs"));

/// How it is known what a release does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Its recorded answers come out equal here.
    Measured,
    /// From its source alone.
    Read,
}

impl Evidence {
    /// The word of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Read => "read",
        }
    }
}

/// A runtime at a version: what is modelled as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Release {
    /// Which runtime.
    pub runtime: Runtime,
    /// At which version.
    pub version: Version,
    /// The one behaviour that is taken to be as it is not at this version: how it is found out what one change does.
    turned: Option<Mark>,
}

impl Release {
    /// A runtime at a version.
    pub const fn new(runtime: Runtime, version: Version) -> Self {
        Self { runtime, version, turned: None }
    }

    /// The Go runtime at a version.
    pub const fn go(major: u8, minor: u8, patch: u8) -> Self {
        Self::new(Runtime::Go, Version::new(major, minor, patch))
    }

    /// runtime-rs at a version.
    pub const fn rs(major: u8, minor: u8, patch: u8) -> Self {
        Self::new(Runtime::Rs, Version::new(major, minor, patch))
    }

    /// The newest known of a runtime.
    pub const fn newest(runtime: Runtime) -> Self {
        Self::new(runtime, Version::NEWEST)
    }

    /// The release as it would be without a behaviour that it has, or with one that it has not.
    #[must_use]
    pub const fn turning(self, behaviour: &Named) -> Self {
        Self { turned: Some(behaviour.mark), ..self }
    }

    /// The releases that are set beside each other where one of each age will do, oldest first.
    pub const STOPS: [Self; 3] = [Self::go(2, 1, 0), Self::newest(Runtime::Go), Self::newest(Runtime::Rs)];

    /// Whether a behaviour of its runtime is there at its version.
    pub fn has(self, behaviour: impl Behaviour) -> bool {
        let mark = behaviour.mark();
        mark.runtime == self.runtime && behaviour.span().contains(self.version) != (self.turned == Some(mark))
    }

    /// How it is known what it does.
    pub fn evidence(self) -> Evidence {
        let row = RELEASES.iter().find(|row| row.version == self.version);
        match row.is_some_and(|row| row.measured.contains(&self.runtime)) {
            true => Evidence::Measured,
            false => Evidence::Read,
        }
    }

    /// What a reader has to know where nothing is recorded of it.
    pub fn caveat(self) -> Option<String> {
        (self.evidence() == Evidence::Read).then(|| {
            format!(
                "what {} does is read in its source; no recorded answers of it confirm that",
                self.title()
            )
        })
    }

    /// The identifier of reports: `go-3.19.1`, `rs-4.1.0`.
    pub fn id(self) -> String {
        format!("{}-{}", self.runtime.as_str(), self.version)
    }

    /// For people: `Go runtime 3.19.1`, `runtime-rs 4.1.0`.
    pub fn title(self) -> String {
        format!("{} {}", self.runtime.title(), self.version)
    }
}

/// How it is known which release is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// Somebody said it.
    Said,
    /// The node tells it.
    Node,
    /// The configuration file has what only some releases know.
    File,
    /// Nothing tells: the newest.
    Assumed,
}

impl KnownBy {
    /// The word of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Node => "node",
            Self::File => "file",
            Self::Assumed => "assumed",
        }
    }
}

impl Default for Release {
    /// The newest of the Go runtime.
    fn default() -> Self {
        Self::newest(Runtime::Go)
    }
}

/// The release that is judged, and how it came to be that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Which.
    pub release: Release,
    /// How it is known.
    pub known_by: KnownBy,
    /// What a reader has to know about it: it stands for a newer one, or for a vendor's.
    pub note: Option<String>,
}

impl Judged {
    /// The newest of a runtime, where nothing tells which.
    pub fn assumed(runtime: Runtime) -> Self {
        Self { release: Release::newest(runtime), known_by: KnownBy::Assumed, note: None }
    }
}

impl From<Release> for Judged {
    /// A release that was named.
    fn from(release: Release) -> Self {
        Self { release, known_by: KnownBy::Said, note: None }
    }
}

/// A version as somebody wrote it: `3.19`, `v3.19.1`, `3.19.1.kata2`, `3.31.0-7.rhaos4.20`, `3.3.0-12-gabc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    major: u8,
    minor: u8,
    patch: Option<u8>,
    /// Whether a vendor's or a build's own addition follows the numbers.
    pub patched: bool,
}

/// A text that is no version of Kata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no version of Kata Containers; write one such as 3.19 or 3.19.1")]
pub struct VersionError(pub String);

impl FromStr for Asked {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(text.to_owned());
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(bare.len());
        let (numbers, rest) = bare.split_at_checked(end).unwrap_or((bare, ""));
        let mut parts = numbers.split('.');
        let mut number = || parts.next().filter(|part| !part.is_empty()).map(str::parse::<u8>);
        let major = number().ok_or_else(wrong)?.map_err(|_| wrong())?;
        let minor = number().ok_or_else(wrong)?.map_err(|_| wrong())?;
        let patch = number().transpose().map_err(|_| wrong())?;
        let more = parts.any(|part| !part.is_empty());
        // What is not a number has to be set off from the numbers: 3.19x is none.
        if !rest.is_empty() && !numbers.ends_with('.') && !rest.starts_with(['-', '+', '~', '_']) {
            return Err(wrong());
        }
        Ok(Self { major, minor, patch, patched: more || !rest.is_empty() })
    }
}

/// What a version that somebody wrote stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// One that was released, and that is modelled.
    Known(Version),
    /// One that is newer than the newest known, and is judged as that.
    Newer(Version),
    /// One that never was: those around it, where there are any.
    Never {
        /// The last before it.
        before: Option<Version>,
        /// The first after it.
        after: Option<Version>,
    },
}

impl Asked {
    /// What it stands for with a runtime; without a patch number the last patch of that minor version.
    pub fn of(self, runtime: Runtime) -> Meant {
        let asked = Version::new(self.major, self.minor, self.patch.unwrap_or(u8::MAX));
        let last = runtime.versions().rfind(|version| match self.patch {
            Some(_) => *version == asked,
            None => (version.major, version.minor) == (self.major, self.minor),
        });
        if let Some(version) = last {
            return Meant::Known(version);
        }
        if asked > Version::NEWEST {
            return Meant::Newer(Version::NEWEST);
        }
        Meant::Never {
            before: runtime.versions().rfind(|version| *version < asked),
            after: runtime.versions().find(|version| *version > asked),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

/// From one version up to and with another; without an end up to today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub since: Version,
    /// The last.
    pub until: Option<Version>,
}

impl Span {
    /// Whether a version lies in it.
    pub fn contains(self, version: Version) -> bool {
        self.since <= version && self.until.is_none_or(|until| version <= until)
    }
}

/// Something that one runtime does in a span of its releases and not in others.
pub trait Behaviour {
    /// The first and the last release that does it.
    fn span(&self) -> Span;
    /// Which row of which table it is.
    fn mark(&self) -> Mark;
}

/// A row of a runtime's table of behaviours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    runtime: Runtime,
    row: usize,
}

/// A behaviour of either runtime, with what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Which it is.
    pub mark: Mark,
    /// Its name in the code.
    pub name: &'static str,
    /// The first and the last release that does it.
    pub span: Span,
    /// What holds in those releases, in a sentence.
    pub about: &'static str,
    /// Where upstream has it: the pull request's commit, or the file.
    pub upstream: &'static str,
}

impl Named {
    /// What holds, on one line.
    pub fn sentence(&self) -> String {
        self.about.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A table of named behaviours of a runtime: name, first release, last release where it went again, and
/// where upstream has it.
macro_rules! behaviours {
    (
        $(#[$about:meta])* $table:ident of $runtime:ident;
        $($(#[doc = $doc:literal])+ $name:ident: $since:expr, $until:expr, $upstream:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $table { $($(#[doc = $doc])+ $name),* }

        impl $table {
            /// All of them, in the order of the table.
            pub const NAMED: &[$crate::release::Named] = &[$($crate::release::Named {
                mark: $crate::release::Mark { runtime: $crate::release::Runtime::$runtime, row: Self::$name as usize },
                name: stringify!($name),
                span: $crate::release::Span { since: $since, until: $until },
                about: concat!($($doc),+),
                upstream: $upstream,
            }),*];
        }

        impl $crate::release::Behaviour for $table {
            fn span(&self) -> $crate::release::Span {
                match self { $(Self::$name => $crate::release::Span { since: $since, until: $until }),* }
            }

            fn mark(&self) -> $crate::release::Mark {
                $crate::release::Mark { runtime: $crate::release::Runtime::$runtime, row: *self as usize }
            }
        }
    };
}
use behaviours;

/// A version, as the tables of behaviours write it.
const fn v(major: u8, minor: u8, patch: u8) -> Version {
    Version::new(major, minor, patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str, runtime: Runtime) -> Meant {
        text.parse::<Asked>().unwrap().of(runtime)
    }

    #[test]
    fn a_version_without_patch_is_its_last() {
        assert_eq!(meant("3.19", Runtime::Go), Meant::Known(Version::new(3, 19, 1)));
        assert_eq!(meant("v2.5", Runtime::Go), Meant::Known(Version::new(2, 5, 2)));
        assert_eq!(meant("4.1", Runtime::Rs), Meant::Known(Version::NEWEST));
    }

    #[test]
    fn vendors_numbers_are_read_as_their_base() {
        for text in ["3.19.1.kata2", "3.19.1-7.rhaos4.20", "3.19.1-12-gabc", "3.19.1+dirty"] {
            let asked: Asked = text.parse().unwrap();
            assert!(asked.patched, "{text}");
            assert_eq!(asked.of(Runtime::Go), Meant::Known(Version::new(3, 19, 1)), "{text}");
        }
        assert!(!"3.19.1".parse::<Asked>().unwrap().patched);
    }

    #[test]
    fn what_never_was_has_neighbours() {
        assert_eq!(meant("4.3.0", Runtime::Go), Meant::Newer(Version::NEWEST));
        let around =
            Meant::Never { before: Some(Version::new(3, 19, 1)), after: Some(Version::new(3, 20, 0)) };
        assert_eq!(meant("3.19.7", Runtime::Go), around);
        let first = Meant::Never { before: None, after: Some(Version::new(3, 0, 0)) };
        assert_eq!(meant("2.5.2", Runtime::Rs), first);
        for text in ["", "4", "x.y", "3.19x", "3..1", "300.1"] {
            assert!(text.parse::<Asked>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_hold_their_ends() {
        let span = Span { since: Version::new(3, 1, 0), until: Some(Version::new(3, 10, 0)) };
        assert!(span.contains(Version::new(3, 1, 0)) && span.contains(Version::new(3, 10, 0)));
        assert!(!span.contains(Version::new(3, 10, 1)) && !span.contains(Version::new(3, 0, 2)));
        assert!(Span { until: None, ..span }.contains(Version::NEWEST));
        assert_eq!(Runtime::Rs.versions().count(), 42);
    }

    #[test]
    fn releases_stand_in_order_and_the_newest_is_measured() {
        let versions: Vec<Version> = RELEASES.iter().map(|row| row.version).collect();
        assert!(versions.is_sorted() && versions.last() == Some(&Version::NEWEST));
        assert_eq!(Release::default().evidence(), Evidence::Measured);
        assert_eq!(Release::go(3, 19, 1).evidence(), Evidence::Read);
    }

    #[test]
    fn every_change_begins_or_ends_with_a_release() {
        for runtime in [Runtime::Go, Runtime::Rs] {
            let versions: Vec<Version> = runtime.versions().collect();
            for Named { name, span, .. } in runtime.behaviours() {
                assert!(versions.contains(&span.since), "{name}");
                match span.until {
                    Some(until) => assert!(span.since <= until && versions.contains(&until), "{name}"),
                    None => assert!(Some(&span.since) > versions.first(), "{name} was always there"),
                }
            }
        }
    }
}
