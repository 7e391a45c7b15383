//! What exists: every annotation and configuration key of every release, with type, unit,
//! default, gate and risk, by spans of releases. Written in `assets/catalog/*.toml`, made into tables by the build script;
//! does nothing.

#[cfg(test)]
#[allow(missing_docs, dead_code)] // the tests need only what it refuses
mod document;
pub mod lines;
pub mod look;
pub mod message;
mod nearest;
pub mod shipped;
mod words;

pub use look::{knows_hypervisor, look};
pub use nearest::{nearest, nearest_name};
pub use words::{Kind, Level, OnBad, Parse, Risk};

use crate::release::{Release, Runtime, Span, Version};
use message::{Mender, Message, Piece};

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// The prefix of every annotation that the host's policy gates.
pub const HYPERVISOR_PREFIX: &str = "io.katacontainers.config.hypervisor.";
/// The prefix of all Kata annotations.
pub const KATA_PREFIX: &str = "io.katacontainers.";
/// What begins the keys that containerd and CRI-O write themselves. None of them is Kata's.
pub const CRI_PREFIX: &str = "io.kubernetes.cri";

/// What stands between a pod and the effect of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Nothing: whoever may create pods may set it.
    None,
    /// Its name must match `enable_annotations`.
    Name,
    /// Its name must match, and its value this list.
    NameAndValue(&'static str),
}

impl Gate {
    /// The list that gates the value.
    pub fn list(self) -> Option<&'static str> {
        match self {
            Self::NameAndValue(list) => Some(list),
            Self::None | Self::Name => None,
        }
    }
}

/// One annotation, over all releases.
#[derive(Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The whole key.
    pub key: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What surprises about it.
    pub note: Option<&'static str>,
    /// What whoever sets it gets into their hands.
    pub risk: Risk,
    /// Where it belongs.
    pub level: Level,
    /// The releases that document it.
    pub documented: Option<&'static str>,
    /// The key that took its place.
    pub replaced_by: Option<&'static str>,
    readers: &'static [(Runtime, Span, Reader)],
}

/// What a release does that no span of an annotation names.
static NOT_READ: Reader = Reader {
    documented: false,
    read: false,
    effective: false,
    overwritten: false,
    fate: Some("ignored"),
    kind: None,
    parse: None,
    unit: None,
    min: None,
    max: None,
    choices: &[],
    gate: Gate::None,
    bad: None,
    field: None,
    merge: None,
    hypervisors: &[],
};

fn of_release<T>(spans: &'static [(Runtime, Span, T)], release: Release) -> Option<&'static T> {
    spans
        .iter()
        .find(|(runtime, span, _)| *runtime == release.runtime && span.contains(release.version))
        .map(|(_, _, what)| what)
}

/// What one release does with an annotation.
#[derive(Debug, PartialEq, Eq)]
pub struct Reader {
    /// Documented for this runtime.
    pub documented: bool,
    /// The value that a pod gives is looked at.
    pub read: bool,
    /// The value can change something.
    pub effective: bool,
    /// The runtime replaces whatever the pod gives.
    pub overwritten: bool,
    /// What becomes of it where it is not read, or why it changes nothing where it is.
    pub fate: Option<&'static str>,
    /// What the value is.
    pub kind: Option<Kind>,
    /// How the value is read.
    pub parse: Option<Parse>,
    /// Its unit.
    pub unit: Option<&'static str>,
    /// The smallest value taken.
    pub min: Option<u64>,
    /// The largest value taken.
    pub max: Option<u64>,
    /// The words taken.
    pub choices: &'static [&'static str],
    /// What gates it.
    pub gate: Gate,
    /// What a bad value does.
    pub bad: Option<OnBad>,
    /// The configuration key it sets (`hypervisor.<name>.default_memory`).
    pub field: Option<&'static str>,
    /// How it meets the configured value.
    pub merge: Option<&'static str>,
    /// The hypervisors that use it; empty: any.
    pub hypervisors: &'static [&'static str],
}

impl Reader {
    /// Whether a hypervisor makes anything of it, by the name of its table.
    pub fn used_on(&self, hypervisor: &str) -> bool {
        // Cloud Hypervisor's table has two names.
        let hypervisor = if hypervisor == "cloud-hypervisor" { "clh" } else { hypervisor };
        self.effective && (self.hypervisors.is_empty() || self.hypervisors.contains(&hypervisor))
    }

    /// Why an accepted value changes nothing on a hypervisor, where it does not.
    pub fn idle_on(&self, hypervisor: &str) -> Option<&'static str> {
        match self.effective {
            false => Some(self.fate.unwrap_or("nothing uses it")),
            true => (!self.used_on(hypervisor)).then_some("nothing uses it on this hypervisor"),
        }
    }
}

impl Annotation {
    /// What `release` does with it.
    pub fn reader(&self, release: Release) -> &'static Reader {
        of_release(self.readers, release).unwrap_or(&NOT_READ)
    }

    /// What a runtime does with it, span by span, oldest first.
    pub fn readers(&self, runtime: Runtime) -> impl Iterator<Item = (Span, &'static Reader)> {
        let of_runtime = move |row: &&(Runtime, Span, Reader)| row.0 == runtime;
        self.readers.iter().filter(of_runtime).map(|(_, span, reader)| (*span, reader))
    }

    /// The first and the last release of a runtime that reads it, for each time it was read without a gap.
    pub fn read_by(&self, runtime: Runtime) -> Vec<(Version, Version)> {
        let mut found: Vec<(Version, Version)> = Vec::new();
        let mut goes_on = false;
        for version in runtime.versions() {
            let read = self.reader(Release::new(runtime, version)).read;
            match found.last_mut() {
                Some((_, last)) if read && goes_on => *last = version,
                _ if read => found.push((version, version)),
                _ => {}
            }
            goes_on = read;
        }
        found
    }

    /// The part of the key that `enable_annotations` is held against, where it is gated.
    pub fn short(&self) -> Option<&'static str> {
        self.key.strip_prefix(HYPERVISOR_PREFIX)
    }

    /// The last part of the key, or the whole where it is nobody's but Kata's.
    pub fn base(&self) -> &'static str {
        let rest = self.key.strip_prefix("io.katacontainers.config.").unwrap_or(self.key);
        rest.split_once('.').map_or(rest, |(_, base)| base)
    }
}

/// One key of `configuration.toml`, over all releases.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigKey {
    /// `hypervisor.<name>`, `agent.<name>`, `runtime`, `factory`, ...
    pub table: &'static str,
    /// The key.
    pub key: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    readers: &'static [(Runtime, Span, KeyReader)],
}

/// What one release does with a configuration key.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyReader {
    /// What the value is.
    pub kind: Kind,
    /// Its unit.
    pub unit: Option<&'static str>,
    /// What counts when the key is absent, as text.
    pub default: &'static str,
    /// Read, then used by nothing.
    pub unused: bool,
    /// The hypervisors that use it; empty: any.
    pub hypervisors: &'static [&'static str],
}

impl ConfigKey {
    /// What `release` does with it; `None`: it reads no such key.
    pub fn reader(&self, release: Release) -> Option<&'static KeyReader> {
        of_release(self.readers, release)
    }

    /// What a runtime does with it, span by span, oldest first.
    pub fn readers(&self, runtime: Runtime) -> impl Iterator<Item = (Span, &'static KeyReader)> {
        let of_runtime = move |row: &&(Runtime, Span, KeyReader)| row.0 == runtime;
        self.readers.iter().filter(of_runtime).map(|(_, span, reader)| (*span, reader))
    }
}

/// All annotations of any release, in the order of the documentation's groups.
pub fn all_annotations() -> &'static [Annotation] {
    ANNOTATIONS
}

/// What programs say when something fails.
pub fn messages() -> &'static [Message] {
    MESSAGES
}

/// The annotation with this whole key.
pub fn annotation(key: &str) -> Option<&'static Annotation> {
    ANNOTATIONS.get(place(key)?)
}

/// The place of a key among the annotations.
fn place(key: &str) -> Option<usize> {
    let at = ANNOTATIONS_BY_KEY
        .binary_search_by(|i| {
            let own = ANNOTATIONS.get(*i).map_or("", |annotation| annotation.key);
            own.len().cmp(&key.len()).then_with(|| own.cmp(key))
        })
        .ok()?;
    ANNOTATIONS_BY_KEY.get(at).copied()
}

impl Id {
    /// How many annotations there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The annotation with this whole key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.get(place(key)?).copied()
    }

    /// What is known of it.
    pub fn annotation(self) -> &'static Annotation {
        // There are as many as ids: both are made from one list.
        ANNOTATIONS.get(self as usize).unwrap_or(&UNKNOWN)
    }
}

/// An annotation of which nothing is known.
static UNKNOWN: Annotation = Annotation {
    key: "",
    summary: "",
    note: None,
    risk: Risk::Resource,
    level: Level::Sandbox,
    documented: None,
    replaced_by: None,
    readers: &[],
};

/// The annotations of pods and containers that `release` reads, in order.
pub fn annotations(release: Release) -> impl Iterator<Item = (&'static Annotation, &'static Reader)> {
    ANNOTATIONS
        .iter()
        .filter(|annotation| annotation.level != Level::MountOption)
        .map(move |annotation| (annotation, annotation.reader(release)))
        .filter(|(_, reader)| reader.read)
}

/// All configuration keys of any release, table by table.
pub fn all_config_keys() -> &'static [ConfigKey] {
    CONFIG_KEYS
}

/// The configuration key of a table as it is written (`hypervisor.qemu`) or as the catalogue has it
/// (`hypervisor.<name>`).
pub fn config_key(table: &str, key: &str) -> Option<&'static ConfigKey> {
    let table = generic_table(table);
    let at = CONFIG_KEYS_BY_NAME
        .binary_search_by(|i| {
            let entry = CONFIG_KEYS.get(*i).map_or(("", ""), |k| (k.table, k.key));
            entry.cmp(&(table.as_str(), key))
        })
        .ok()?;
    CONFIG_KEYS.get(*CONFIG_KEYS_BY_NAME.get(at)?)
}

/// `hypervisor.qemu.factory` as `hypervisor.<name>.factory`.
fn generic_table(table: &str) -> String {
    let mut parts: Vec<&str> = table.split('.').collect();
    if let [head, name, ..] = parts.as_mut_slice()
        && matches!(*head, "hypervisor" | "agent")
    {
        *name = "<name>";
    }
    parts.join(".")
}

/// The policy lists that `release` reads in a hypervisor table: `enable_annotations` first.
pub fn lists(release: Release) -> impl Iterator<Item = &'static str> {
    std::iter::once("enable_annotations").chain(
        CONFIG_KEYS
            .iter()
            .filter(move |k| k.key.starts_with("valid_") && k.reader(release).is_some())
            .map(|k| k.key),
    )
}

#[cfg(test)]
mod tests;
