//! What exists: every annotation and configuration key of every generation, with type, unit,
//! default, gate and risk. Written in `assets/catalog/*.toml`, made into tables by the build script;
//! does nothing.

#[cfg(test)]
#[allow(missing_docs, dead_code)] // the tests need only what it refuses
mod document;
mod nearest;
pub mod shipped;
mod words;

pub use nearest::nearest;
pub use words::{Kind, Level, OnBad, Parse, Risk};

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// A runtime at a version: the rules that are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generation {
    /// The Go runtime of Kata 2.1.
    Go21,
    /// The Go runtime of Kata 4.1.
    Go41,
    /// runtime-rs of Kata 4.1.
    Rs41,
}

impl Generation {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::Go21, Self::Go41, Self::Rs41];

    /// The identifier of reports: `go-2.1`, `go-4.1`, `rs-4.1`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Go21 => "go-2.1",
            Self::Go41 => "go-4.1",
            Self::Rs41 => "rs-4.1",
        }
    }

    /// For people: `Go runtime 4.1`, `runtime-rs 4.1`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Go21 => "Go runtime 2.1",
            Self::Go41 => "Go runtime 4.1",
            Self::Rs41 => "runtime-rs 4.1",
        }
    }
}

/// The prefix of every annotation that the host's policy gates.
pub const HYPERVISOR_PREFIX: &str = "io.katacontainers.config.hypervisor.";
/// The prefix of all Kata annotations.
pub const KATA_PREFIX: &str = "io.katacontainers.";
/// What begins the keys that containerd and CRI-O write themselves. None of them is Kata's.
pub const CRI_PREFIX: &str = "io.kubernetes.cri";

impl Generation {
    /// Reads the identifier of reports.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|generation| generation.id() == id)
    }

    fn index(self) -> usize {
        match self {
            Self::Go21 => 0,
            Self::Go41 => 1,
            Self::Rs41 => 2,
        }
    }
}

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

/// One annotation, over all generations.
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
    /// The releases whose Go runtime reads it (`2.0.0..3.1.3 3.6.0..4.1.0`).
    pub go: Option<&'static str>,
    /// The releases whose runtime-rs reads it.
    pub rs: Option<&'static str>,
    /// The releases that document it.
    pub documented: Option<&'static str>,
    /// The key that took its place.
    pub replaced_by: Option<&'static str>,
    readers: [Reader; 3],
}

/// What one generation does with an annotation.
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
    /// What becomes of it where it is not read.
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

impl Annotation {
    /// What `generation` does with it.
    pub fn reader(&self, generation: Generation) -> &Reader {
        let [go21, go41, rs41] = &self.readers;
        match generation {
            Generation::Go21 => go21,
            Generation::Go41 => go41,
            Generation::Rs41 => rs41,
        }
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

/// One key of `configuration.toml`, over all generations.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigKey {
    /// `hypervisor.<name>`, `agent.<name>`, `runtime`, `factory`, ...
    pub table: &'static str,
    /// The key.
    pub key: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    readers: [Option<KeyReader>; 3],
}

/// What one generation does with a configuration key.
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
    /// What `generation` does with it; `None`: it reads no such key.
    pub fn reader(&self, generation: Generation) -> Option<&KeyReader> {
        self.readers.get(generation.index())?.as_ref()
    }
}

/// All annotations of any generation, in the order of the documentation's groups.
pub fn all_annotations() -> &'static [Annotation] {
    ANNOTATIONS
}

/// The annotation with this whole key.
pub fn annotation(key: &str) -> Option<&'static Annotation> {
    let at = ANNOTATIONS_BY_KEY
        .binary_search_by(|i| {
            let own = ANNOTATIONS.get(*i).map_or("", |annotation| annotation.key);
            own.len().cmp(&key.len()).then_with(|| own.cmp(key))
        })
        .ok()?;
    ANNOTATIONS.get(*ANNOTATIONS_BY_KEY.get(at)?)
}

/// The annotations of pods and containers that `generation` reads, in order.
pub fn annotations(generation: Generation) -> impl Iterator<Item = (&'static Annotation, &'static Reader)> {
    ANNOTATIONS
        .iter()
        .filter(|annotation| annotation.level != Level::MountOption)
        .map(move |annotation| (annotation, annotation.reader(generation)))
        .filter(|(_, reader)| reader.read)
}

/// All configuration keys of any generation, table by table.
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

/// The policy lists that `generation` reads in a hypervisor table: `enable_annotations` first.
pub fn lists(generation: Generation) -> impl Iterator<Item = &'static str> {
    std::iter::once("enable_annotations").chain(
        CONFIG_KEYS
            .iter()
            .filter(move |k| k.key.starts_with("valid_") && k.reader(generation).is_some())
            .map(|k| k.key),
    )
}

#[cfg(test)]
mod tests;
