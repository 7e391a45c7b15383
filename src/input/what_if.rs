//! What if something were said otherwise: a configuration key, a pod's limits or annotation, its handler, a fact of
//! the host.
//!
//! Decides what the words `KEY=VALUE` and `KEY-` mean, and makes the edit in the text or the object that says it,
//! before anybody reads it. What comes of the edit is judged as if it had been written there.

mod manifest;
mod parse;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use manifest::PodEdit;
pub use parse::{WrongWord, unquoted};

use super::config::Layers;

/// What is shown as the place of a value that stands in no file.
pub const PLACE: &str = "what if";

/// A configuration key as it would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEdit {
    /// `hypervisor.qemu`, `runtime`, ...
    pub table: String,
    /// The key.
    pub key: String,
    /// Its value as TOML; `None`: the key is taken out.
    pub value: Option<String>,
}

impl KeyEdit {
    /// The key of that name with a value as a person writes it; why there is no such, or it takes no such value.
    pub fn read(name: &str, value: Option<&str>) -> Result<Self, WrongWord> {
        parse::key(name, value).map_err(|why| WrongWord { word: name.to_owned(), why })
    }

    /// `hypervisor.qemu.default_vcpus`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.table, self.key)
    }
}

/// One thing that is said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A configuration key.
    Key(KeyEdit),
    /// Something about the pods.
    Pod(PodEdit),
    /// The handler that serves them.
    Handler(String),
    /// A fact of the host, as a host file says it.
    Host {
        /// Its name.
        fact: String,
        /// Its value as TOML.
        value: String,
    },
}

/// Everything that is said otherwise, with the words.
#[derive(Debug, Clone, Default)]
pub struct WhatIf {
    words: Vec<String>,
    edits: Vec<Edit>,
    /// Which edits of pods found something to change.
    used: Arc<[AtomicBool]>,
}

impl WhatIf {
    /// Reads the words, in order; of two about the same the later counts.
    pub fn read<W: AsRef<str>>(words: &[W]) -> Result<Self, WrongWord> {
        let edits = words.iter().map(|word| parse::word(word.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let used = edits.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self { words: words.iter().map(|word| word.as_ref().to_owned()).collect(), edits, used })
    }

    /// The words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether nothing is said otherwise.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The configuration keys.
    pub fn keys(&self) -> Vec<KeyEdit> {
        let keys = self.edits.iter().filter_map(|edit| match edit {
            Edit::Key(key) => Some(key.clone()),
            _ => None,
        });
        keys.collect()
    }

    /// The handler.
    pub fn handler(&self) -> Option<&str> {
        self.edits.iter().rev().find_map(|edit| match edit {
            Edit::Handler(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The facts of the host, as the text of a host file.
    pub fn host_file(&self) -> Option<String> {
        let mut facts: indexmap::IndexMap<&str, &str> = indexmap::IndexMap::new();
        for edit in &self.edits {
            if let Edit::Host { fact, value } = edit {
                facts.insert(fact, value);
            }
        }
        let lines: Vec<String> = facts.iter().map(|(fact, value)| format!("{fact} = {value}\n")).collect();
        (!lines.is_empty()).then(|| lines.concat())
    }

    /// What is said about pods, each with its number.
    fn of_pods(&self) -> impl Iterator<Item = (usize, &PodEdit)> {
        self.edits.iter().enumerate().filter_map(|(at, edit)| match edit {
            Edit::Pod(edit) => Some((at, edit)),
            _ => None,
        })
    }

    /// Whether something is said about pods.
    pub fn changes_pods(&self) -> bool {
        self.of_pods().next().is_some()
    }

    fn note_use(&self, at: usize) {
        if let Some(used) = self.used.get(at) {
            used.store(true, Ordering::Relaxed);
        }
    }

    /// The words about pods that found nothing to change in any.
    pub fn in_vain(&self) -> Vec<&str> {
        let unused = |at: usize| self.used.get(at).is_some_and(|used| !used.load(Ordering::Relaxed));
        let idle = self.of_pods().filter(|(at, _)| unused(*at));
        idle.filter_map(|(at, _)| self.words.get(at).map(String::as_str)).collect()
    }
}

impl Layers {
    /// The same layers with the keys as they would be written. A key of a table that these files do not have is
    /// passed over where the table's name says what the files are about: a hypervisor, an agent.
    #[must_use]
    pub fn with_edits(&self, edits: &[KeyEdit]) -> Self {
        let mut layers = self.clone();
        for edit in edits {
            let KeyEdit { table, key, value } = edit;
            let own = match table.split_once('.') {
                Some((head @ ("hypervisor" | "agent"), name)) => {
                    let name = name.split('.').next().unwrap_or(name);
                    layers.tables_below(head).iter().any(|own| own == name)
                }
                _ => true,
            };
            if !own {
                continue;
            }
            let changed = match value {
                Some(value) => layers.with_key(table, key, value),
                None => Some(layers.without_key(table, key).unwrap_or_else(|| layers.clone())),
            };
            if let Some(mut changed) = changed {
                changed.what_if.push(edit.name());
                layers = changed;
            }
        }
        layers
    }
}
