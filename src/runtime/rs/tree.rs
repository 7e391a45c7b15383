//! A configuration as a tree: read by the TOML crate of its release, merged, and cut to the keys that the
//! release reads.
//!
//! The crates are runtime-rs's own, so that grammar and messages are theirs: toml 0.5 up to 3.32, 1.1 since.
//! Facts: Cargo.lock and src/libs/kata-types/src/config/drop_in.rs at each tag.

use serde::de::DeserializeOwned;

use super::spelling::{self, Spelled};
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::RuntimeMessage;

/// Why a text is no TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The crate's own message.
    pub message: String,
    /// Where, if the crate says.
    pub at: Option<Spot>,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// By bytes.
    Offset(usize),
    /// By line and column, from 1.
    LineColumn(usize, usize),
}

/// A table or value, as one of the two crates holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// toml 0.5.
    Before4(toml_0_5::Value),
    /// toml 1.1.
    Since4(toml::Value),
}

/// What is done to the values of either crate: their types differ, the steps do not.
macro_rules! steps {
    ($name:ident, $toml:ident) => {
        mod $name {
            use $toml::Value;
            use $toml::map::Map;

            use super::{Release, Spelled, spelling};

            /// Puts `above` over `below`: tables key by key, all else as a whole.
            pub fn merge(below: &mut Value, above: Value) {
                match (below, above) {
                    (Value::Table(below), Value::Table(above)) => {
                        for (key, value) in above {
                            match below.get_mut(&key) {
                                Some(known) => merge(known, value),
                                None => {
                                    below.insert(key, value);
                                }
                            }
                        }
                    }
                    (below, above) => *below = above,
                }
            }

            /// Leaves the keys that a release reads, under the names that the structs have for them.
            pub fn cut(value: Value, table: &str, release: Release) -> Value {
                match value {
                    Value::Table(entries) => {
                        let mut own = Map::new();
                        for (key, value) in entries {
                            let inner = if table.is_empty() { key.clone() } else { format!("{table}.{key}") };
                            match spelling::of(table, &key, release) {
                                Spelled::Same => own.insert(key, cut(value, &inner, release)),
                                Spelled::As(name) => own.insert(name, value),
                                Spelled::PassedOver => None,
                            };
                        }
                        Value::Table(own)
                    }
                    Value::Array(items) if table == spelling::SHARED_MOUNT => {
                        Value::Array(items.into_iter().map(|item| cut(item, table, release)).collect())
                    }
                    other => other,
                }
            }

            /// The entries of the table at a dotted path, each alone in a table.
            pub fn entries(tree: &Value, path: &str) -> Option<Vec<(String, Value)>> {
                let table = path.split('.').filter(|part| !part.is_empty());
                let table = table.fold(Some(tree), |at, key| at?.get(key))?.as_table()?;
                let alone = |key: &String, value: &Value| {
                    let mut map = Map::new();
                    map.insert(key.clone(), value.clone());
                    (key.clone(), Value::Table(map))
                };
                Some(table.iter().map(|(key, value)| alone(key, value)).collect())
            }
        }
    };
}

steps!(before4, toml_0_5);
steps!(since4, toml);

impl Tree {
    /// Reads a text as a release does.
    pub fn parse(text: &str, release: Release) -> Result<Self, SyntaxError> {
        if release.has(Change::Toml1) {
            return toml::from_str(text).map(Self::Since4).map_err(|error: toml::de::Error| SyntaxError {
                message: error.to_string(),
                at: error.span().map(|span| Spot::Offset(span.start)),
            });
        }
        toml_0_5::from_str(text).map(Self::Before4).map_err(|error: toml_0_5::de::Error| SyntaxError {
            message: error.to_string(),
            at: error.line_col().map(|(line, column)| Spot::LineColumn(line + 1, column + 1)),
        })
    }

    /// Puts another tree of the same crate over this one.
    pub fn merge(&mut self, above: Self) {
        match (self, above) {
            (Self::Before4(below), Self::Before4(above)) => before4::merge(below, above),
            (Self::Since4(below), Self::Since4(above)) => since4::merge(below, above),
            _ => {}
        }
    }

    /// Leaves what a release reads, under the names that the structs have for it.
    #[must_use]
    pub fn cut(self, release: Release) -> Self {
        match self {
            Self::Before4(value) => Self::Before4(before4::cut(value, "", release)),
            Self::Since4(value) => Self::Since4(since4::cut(value, "", release)),
        }
    }

    /// Gives the values their types; the error is the crate's message.
    pub fn typed<T: DeserializeOwned>(self) -> Result<T, RuntimeMessage> {
        match self {
            Self::Before4(value) => {
                value.try_into().map_err(|error: toml_0_5::de::Error| error.to_string().into())
            }
            Self::Since4(value) => {
                value.try_into().map_err(|error: toml::de::Error| error.to_string().into())
            }
        }
    }

    /// The entries of the table at a dotted path, each alone in a table.
    pub fn entries(&self, path: &str) -> Option<Vec<(String, Self)>> {
        fn each<V>(entries: Vec<(String, V)>, wrap: fn(V) -> Tree) -> Vec<(String, Tree)> {
            entries.into_iter().map(|(key, value)| (key, wrap(value))).collect()
        }
        match self {
            Self::Before4(value) => before4::entries(value, path).map(|all| each(all, Self::Before4)),
            Self::Since4(value) => since4::entries(value, path).map(|all| each(all, Self::Since4)),
        }
    }
}
