//! From a document to typed settings: which values fit, and what is said when one does not.
//!
//! Decides what a file sets, key by key, with places; a handler or workload of a later file replaces the whole
//! entry. Judges no value. Facts: decode.go of github.com/BurntSushi/toml, and `tomlConfig` in
//! pkg/config/config.go of cri-o.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;

use super::fields::{Fields, Setting, texts};
use super::handler::Handler;
use super::keys::{self, Kind, Shape};
use super::release::Release;
use super::workloads::Workload;
use crate::golang::strconv::quote;
use crate::golang::toml::{Dialect, Document, Key, Spot, Table, Value};
use crate::input::Place;
use crate::input::source::Source;

/// What the files set, one over the other.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    plain: HashMap<(&'static str, &'static str), Setting>,
    /// `[crio.runtime.runtimes]`
    pub handlers: IndexMap<String, Handler>,
    /// `[crio.runtime.workloads]`
    pub workloads: IndexMap<String, Workload>,
}

impl Settings {
    /// A key of a table.
    pub fn get(&self, table: &Shape, key: &'static str) -> Option<&Setting> {
        self.plain.get(&(table.go, key))
    }

    /// A text, if it is set.
    pub fn text(&self, table: &Shape, key: &'static str) -> Option<&str> {
        match &self.get(table, key)?.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number, if it is set.
    pub fn number(&self, table: &Shape, key: &'static str) -> Option<i64> {
        match &self.get(table, key)?.value {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A flag, if it is set.
    pub fn flag(&self, table: &Shape, key: &'static str) -> Option<bool> {
        match &self.get(table, key)?.value {
            Value::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A list of texts; none where it is not set.
    pub fn texts(&self, table: &Shape, key: &'static str) -> Vec<String> {
        self.get(table, key).map(|setting| texts(&setting.value)).unwrap_or_default()
    }

    /// Where a key of a table is set.
    pub fn place(&self, table: &Shape, key: &'static str) -> Option<Place> {
        self.get(table, key).map(|setting| setting.place.clone())
    }
}

/// A value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The library's message.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
}

/// Takes a file's settings over.
pub fn decode(
    document: &Document,
    source: &Source,
    release: Release,
    settings: &mut Settings,
) -> Result<(), DecodeError> {
    let mut keys = HashMap::new();
    for (key, spot) in &document.keys {
        keys.insert(key.to_string(), *spot);
    }
    let mut fitter = Fitter { document, source, release, dialect: release.toml(), keys, path: Vec::new() };
    fitter.table(&keys::FILE, &document.root, &mut |found| settings.take(found))
}

/// A value that fits its key.
struct Found<'v> {
    shape: &'static Shape,
    key: &'static str,
    value: &'v Value,
    place: Place,
    /// The name of the entry, where the key takes entries.
    entry: Option<Entry>,
}

enum Entry {
    Handler(String, Box<Handler>),
    Workload(String, Workload),
}

impl Settings {
    fn take(&mut self, found: Found<'_>) {
        match found.entry {
            Some(Entry::Handler(name, handler)) => drop(self.handlers.insert(name, *handler)),
            Some(Entry::Workload(name, workload)) => drop(self.workloads.insert(name, workload)),
            None => {
                let setting = Setting { value: found.value.clone(), place: found.place };
                self.plain.insert((found.shape.go, found.key), setting);
            }
        }
    }
}

type Take<'t> = dyn FnMut(Found<'_>) + 't;

struct Fitter<'d> {
    document: &'d Document,
    source: &'d Source,
    release: Release,
    dialect: Dialect,
    keys: HashMap<String, Spot>,
    path: Vec<String>,
}

impl Fitter<'_> {
    fn name(&self) -> String {
        Key(self.path.clone()).to_string()
    }

    /// Where the current key stands.
    fn place(&self) -> Place {
        let name = self.name();
        let spot = self.keys.get(&name).or_else(|| self.document.values.get(&name));
        self.source.place(spot.map_or(0, |spot| spot.offset))
    }

    fn complain(&self, what: &str) -> DecodeError {
        let name = self.name();
        let line = self.document.values.get(&name).map_or(0, |spot| spot.line);
        let key = quote(&name);
        let message = match line {
            1.. => format!("toml: line {line} (last key {key}): {what}"),
            _ => format!("toml: (last key {key}): {what}"),
        };
        DecodeError { message, place: Some(self.place()) }
    }

    fn wrong_type(&self, wanted: &str, value: &Value) -> DecodeError {
        let found = self.dialect.type_name(value.type_name());
        self.complain(&format!(
            "incompatible types: TOML value has type {found}; destination has type {wanted}"
        ))
    }

    fn not_a_table(&self, wanted: &str, value: &Value) -> DecodeError {
        let found = self.dialect.type_name(value.type_name());
        self.complain(&format!("type mismatch for {wanted}: expected table but found {found}"))
    }

    fn table(
        &mut self,
        shape: &'static Shape,
        table: &Table,
        take: &mut Take<'_>,
    ) -> Result<(), DecodeError> {
        let release = self.release;
        for (name, value) in table {
            let known = || shape.keys.iter().filter(|key| key.is_known(release));
            let key = known()
                .find(|key| key.name == name)
                .or_else(|| known().find(|key| crate::golang::toml::same_name(key.name, name)));
            let Some(key) = key else { continue };
            self.path.push(name.clone());
            self.value(shape, key, value, take)?;
            self.path.pop();
        }
        Ok(())
    }

    fn value(
        &mut self,
        shape: &'static Shape,
        key: &'static keys::Key,
        value: &Value,
        take: &mut Take<'_>,
    ) -> Result<(), DecodeError> {
        match (key.kind, value) {
            (Kind::Text, Value::String(_))
            | (Kind::Flag, Value::Boolean(_))
            | (Kind::Number | Kind::Duration, Value::Integer(_)) => {}
            (Kind::Duration, Value::String(text)) => {
                if crate::golang::duration::parse(text).is_err() {
                    return Err(self.complain(&format!("invalid duration: {}", quote(text))));
                }
            }
            (Kind::Text, _) => return Err(self.wrong_type("string", value)),
            (Kind::Flag, _) => return Err(self.wrong_type("boolean", value)),
            (Kind::Number | Kind::Duration, _) => return Err(self.wrong_type("integer", value)),
            (Kind::Texts, Value::Array(items)) => {
                if let Some(odd) = items.iter().find(|item| !matches!(item, Value::String(_))) {
                    return Err(self.wrong_type("string", odd));
                }
            }
            (Kind::Texts, Value::Tables(tables)) => {
                if let Some(table) = tables.first() {
                    return Err(self.wrong_type("string", &Value::Table(table.clone())));
                }
            }
            (Kind::Texts, _) => return Err(self.wrong_type("slice", value)),
            (Kind::TextMap, Value::Table(table)) => {
                for (name, value) in table {
                    self.path.push(name.clone());
                    if !matches!(value, Value::String(_)) {
                        return Err(self.wrong_type("string", value));
                    }
                    self.path.pop();
                }
            }
            (Kind::Entries(entry), Value::Table(table)) => {
                for (name, value) in table {
                    self.path.push(name.clone());
                    let Value::Table(inner) = value else { return Err(self.not_a_table(entry.go, value)) };
                    let (place, entry) = (self.place(), self.entry(entry, name, inner)?);
                    take(Found { shape, key: key.name, value, place, entry: Some(entry) });
                    self.path.pop();
                }
                return Ok(());
            }
            (Kind::TextMap | Kind::Entries(_), _) => return Ok(()),
            (Kind::Table(inner), Value::Table(table)) => return self.table(inner, table, take),
            (Kind::Table(inner), _) => return Err(self.not_a_table(inner.go, value)),
        }
        take(Found { shape, key: key.name, value, place: self.place(), entry: None });
        Ok(())
    }

    fn entry(&mut self, shape: &'static Shape, name: &str, table: &Table) -> Result<Entry, DecodeError> {
        let mut fields = Fields { place: self.place(), by_key: BTreeMap::new() };
        self.table(shape, table, &mut |found| {
            fields.by_key.insert(found.key, Setting { value: found.value.clone(), place: found.place });
        })?;
        Ok(if std::ptr::eq(shape, &raw const keys::HANDLER) {
            Entry::Handler(name.to_owned(), Box::new(Handler::of(&fields)))
        } else {
            Entry::Workload(name.to_owned(), Workload::of(&fields))
        })
    }
}
