//! What a file sets, and the fields of one handler or workload.
//!
//! Decides what stands for a field that is not set: nothing of its type.

use std::collections::BTreeMap;

use crate::golang::toml::Value;
use crate::input::{Place, Text};

/// A value that a file sets.
#[derive(Debug, Clone)]
pub struct Setting {
    /// It fits its key.
    pub value: Value,
    /// Where.
    pub place: Place,
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<String> {
    let Value::Array(items) = value else { return Vec::new() };
    let text = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}

/// The fields of one handler or workload.
pub struct Fields {
    /// Where its table stands.
    pub place: Place,
    pub(super) by_key: BTreeMap<&'static str, Setting>,
}

impl Fields {
    /// A text, empty where it is not set.
    pub fn text(&self, key: &str) -> String {
        match self.by_key.get(key).map(|setting| &setting.value) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// A flag.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.by_key.get(key).map(|setting| &setting.value), Some(Value::Boolean(true)))
    }

    /// A number, 0 where it is not set.
    pub fn number(&self, key: &str) -> i64 {
        match self.by_key.get(key).map(|setting| &setting.value) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        }
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.by_key.get(key).map(|setting| texts(&setting.value)).unwrap_or_default()
    }

    /// A table of texts.
    pub fn text_map(&self, key: &str) -> BTreeMap<Text, Text> {
        let Some(Value::Table(table)) = self.by_key.get(key).map(|setting| &setting.value) else {
            return BTreeMap::new();
        };
        let pair = |(name, value): (&String, &Value)| match value {
            Value::String(text) => Some((Text::copy(name), Text::copy(text))),
            _ => None,
        };
        table.iter().filter_map(pair).collect()
    }

    /// Where a key stands.
    pub fn place_of(&self, key: &str) -> Option<Place> {
        self.by_key.get(key).map(|setting| setting.place.clone())
    }
}
