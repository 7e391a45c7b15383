//! The rows of screen 5: every effective key with its origin.

use super::row::{Body, KeyRow, Row};
use super::{Model, Screen, Show, plain};
use crate::answer::effective::{EffectiveValue, Origin};

/// The rows, unfiltered.
pub fn rows(model: &Model) -> Vec<Row> {
    let show = model.lists[Screen::Config].show;
    let Some(effective) = &model.shown().effective else { return Vec::new() };
    let mut keys: Vec<(&str, &EffectiveValue)> = effective
        .iter()
        .map(|(k, v)| (k.as_ref(), v))
        .filter(|(_, v)| match show {
            Show::All => true,
            Show::Set => v.origin != Origin::Default,
            Show::Problems => matches!(v.origin, Origin::Annotation(_) | Origin::Derived(_)),
        })
        .collect();
    // Tables stay together; inside them the runtime's order counts.
    let mut tables: Vec<&str> = Vec::new();
    for (key, _) in &keys {
        let table = table(key);
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    keys.sort_by_key(|(key, _)| tables.iter().position(|t| *t == table(key)));
    let mut rows: Vec<Row> =
        model.supposition().map(|(_, sentence)| Row::heading(sentence)).into_iter().collect();
    let mut last = "";
    for (key, value) in keys {
        if table(key) != last {
            last = table(key);
            rows.push(Row::heading(format!("[{last}]")));
        }
        rows.push(Row {
            id: key.into(),
            find: format!("{key}\t{}\t{}", plain(&value.value), origin(value)).into(),
            body: Body::Key(KeyRow { key: key.to_owned(), value: value.clone() }.into()),
        });
    }
    rows
}

/// Where a value comes from, as a filter finds it.
fn origin(value: &EffectiveValue) -> String {
    let kind = value.origin.kind();
    match &value.origin {
        Origin::Default => kind.to_owned(),
        Origin::File(place) => format!("{kind} {place}"),
        Origin::Annotation(key) => format!("{kind} {key}"),
        Origin::Derived(rule) => format!("{kind} computed: {rule}"),
    }
}

/// The table of a key.
pub fn table(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(table, _)| table)
}
