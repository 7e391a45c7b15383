//! A document of the earliest version in the shape that all versions share.
//!
//! Decides nothing. The places of keys stand for those of their values: the complaints of this version name none.

use crate::golang::toml::{Document, Error, Key, Spot, Table, Value};

/// A document as the earliest version reads it.
pub(in crate::golang::toml) fn document(text: &str) -> Result<Document, Error> {
    let root = super::parse(text).map_err(|super::Error { message, offset, panic }| {
        let line = text.get(..offset).map_or(1, |before| before.matches('\n').count() as i64 + 1);
        Error { message, spot: Some(Spot { line, offset }), panic }
    })?;
    let mut document = Document::default();
    document.root = table_of(&root, &Key::default(), &mut document);
    Ok(document)
}

fn table_of(table: &super::Table, above: &Key, document: &mut Document) -> Table {
    let mut out = Table::new();
    for (name, entry) in table {
        let key = above.with(name);
        let spot = Spot { line: 0, offset: entry.offset };
        document.keys.push((key.clone(), spot));
        document.values.insert(key.to_string(), spot);
        out.insert(name.clone(), value_of(&entry.value, &key, document));
    }
    out
}

fn value_of(value: &super::Value, key: &Key, document: &mut Document) -> Value {
    match value {
        super::Value::String(text) => Value::String(text.clone()),
        super::Value::Integer(number) => Value::Integer(*number),
        // No key that this version reads wants one.
        super::Value::Float => Value::Float(0.0),
        super::Value::Boolean(flag) => Value::Boolean(*flag),
        super::Value::Datetime => Value::Datetime,
        super::Value::Array(items) => {
            Value::Array(items.iter().map(|item| value_of(item, key, document)).collect())
        }
        super::Value::Table(table) => Value::Table(table_of(table, key, document)),
        super::Value::Tables(all) => {
            Value::Tables(all.iter().map(|table| table_of(table, key, document)).collect())
        }
    }
}
