//! A TOML document as a tree in which every value knows its place, for readers that merge documents
//! themselves (containerd, CRI-O).
//!
//! Decides nothing; what a reader makes of duplicate or misspelt keys is the reader's business.

use indexmap::IndexMap;

use super::source::Source;
use crate::answer::Place;

/// A value with its place (the key's, where it has one).
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// What.
    pub value: Value,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

/// A table in file order.
pub type Table = IndexMap<String, Node>;

/// Why a text is not TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SyntaxError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

impl Node {
    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a document.
pub fn parse(source: &Source) -> Result<Table, SyntaxError> {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let shift = source.text.len() - text.len();
    let document = toml_edit::Document::parse(text).map_err(|e| SyntaxError {
        place: source.place(e.span().map_or(0, |s| s.start) + shift),
        message: e.message().to_owned(),
    })?;
    Ok(table(source, shift, document.as_table()))
}

fn table(source: &Source, shift: usize, table: &dyn toml_edit::TableLike) -> Table {
    table
        .iter()
        .filter_map(|(name, item)| {
            let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            let place = source.place(span.map_or(0, |s| s.start) + shift);
            Some((name.to_owned(), Node { value: from_item(source, shift, item)?, place }))
        })
        .collect()
}

fn from_item(source: &Source, shift: usize, item: &toml_edit::Item) -> Option<Value> {
    Some(match item {
        toml_edit::Item::None => return None,
        toml_edit::Item::Value(value) => from_value(source, shift, value),
        toml_edit::Item::Table(inner) => Value::Table(table(source, shift, inner)),
        toml_edit::Item::ArrayOfTables(tables) => Value::Array(
            tables
                .iter()
                .map(|inner| Node {
                    place: source.place(inner.span().map_or(0, |s| s.start) + shift),
                    value: Value::Table(table(source, shift, inner)),
                })
                .collect(),
        ),
    })
}

fn from_value(source: &Source, shift: usize, value: &toml_edit::Value) -> Value {
    use toml_edit::Value as V;
    match value {
        V::String(v) => Value::String(v.value().clone()),
        V::Integer(v) => Value::Integer(*v.value()),
        V::Float(v) => Value::Float(*v.value()),
        V::Boolean(v) => Value::Boolean(*v.value()),
        V::Datetime(v) => Value::Datetime(v.value().to_string()),
        V::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| Node {
                    place: source.place(item.span().map_or(0, |s| s.start) + shift),
                    value: from_value(source, shift, item),
                })
                .collect(),
        ),
        V::InlineTable(inner) => Value::Table(table(source, shift, inner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let source = Source::new("c.toml", "a = 1\n[t.'x.y']\nlist = [\n  \"p\", # why\n]\n");
        let root = parse(&source).unwrap();
        let inner = root["t"].table().unwrap()["x.y"].table().unwrap();
        assert_eq!(inner["list"].place.line, 3);
        let Value::Array(items) = &inner["list"].value else { panic!("a list") };
        assert_eq!((items[0].place.line, items[0].str()), (4, Some("p")));
    }
}
