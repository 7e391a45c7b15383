//! One key of a configuration set or removed, to see what would become of it: the texts of the layers, changed
//! in memory.
//!
//! Decides where a key is changed: where it stands last, else below the keys of its table in the first file that has
//! it, in whichever way the file writes that table. Writes nothing; edits that are kept are `edit`'s business.

use toml_edit::{Item, Key, Table};

use super::config::Layers;
use super::source::Source;
use crate::answer::Place;

/// A key as one of the layers has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub place: Place,
    /// The value as it is written.
    pub text: String,
}

/// Whether a text is a value of TOML.
pub fn is_value(text: &str) -> bool {
    text.parse::<toml_edit::Value>().is_ok()
}

/// How `key` of `table` is written in a text.
pub fn written(source: &Source, table: &str, key: &str) -> Option<Written> {
    let (name, value) = spans(source, table, key)?;
    let text = source.text.get(value)?.trim().to_owned();
    Some(Written { place: source.place(name.start), text })
}

/// The text with `key` of `table` written as `value`, or without its line; `None`: it cannot be changed.
pub fn with_value(source: &Source, table: &str, key: &str, value: Option<&str>) -> Option<String> {
    let text: &str = &source.text;
    match (spans(source, table, key), value) {
        (Some((_, span)), Some(value)) => {
            Some([text.get(..span.start)?, value, text.get(span.end..)?].concat())
        }
        (Some((name, span)), None) => {
            let start = text.get(..name.start)?.rfind('\n').map_or(0, |at| at + 1);
            let end = text.get(span.end..)?.find('\n').map_or(text.len(), |at| span.end + at + 1);
            // What else stands on these lines stays.
            let alone = text.get(start..name.start)?.trim().is_empty()
                && text
                    .get(span.end..end)
                    .map(str::trim_start)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('#'));
            let range = if alone { start..end } else { name.start..span.end };
            Some([text.get(..range.start)?, text.get(range.end..)?].concat())
        }
        (None, Some(value)) => {
            let parts: Vec<&str> = table.split('.').collect();
            with_entry(text, &parts, &format!("{key} = {value}"), "", &|_| false)
        }
        (None, None) => Some(text.to_owned()),
    }
}

impl Layers {
    /// How `key` of `table` (dotted) is written last.
    pub fn written(&self, table: &str, key: &str) -> Option<Written> {
        let found = self.sources().filter_map(|source| written(source, table, key));
        found.last()
    }

    /// The names of the tables right below `head`: `qemu` of `[hypervisor.qemu]`.
    pub fn tables_below(&self, head: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for source in self.sources() {
            let Ok(document) = toml_edit::Document::parse(source.text.as_ref()) else { continue };
            let Some(table) = document.get(head).and_then(|item| item.as_table_like()) else { continue };
            for (name, item) in table.iter() {
                if item.is_table_like() && !names.iter().any(|other| other == name) {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }

    /// The same layers with `key` of `table` set to `value` (as TOML is written); `None`: no text can be changed.
    pub fn with_key(&self, table: &str, key: &str, value: &str) -> Option<Self> {
        let written = self.sources().filter(|source| spans(source, table, key).is_some()).last();
        if let Some(source) = written {
            let text = with_value(source, table, key, Some(value))?;
            return Some(self.with_text(&source.path, &text));
        }
        let parts: Vec<&str> = table.split('.').collect();
        let own = self.sources().find(|source| has_table(source, &parts));
        let source = own.or_else(|| self.base.as_ref().ok())?;
        let text = with_value(source, table, key, Some(value))?;
        Some(self.with_text(&source.path, &text))
    }

    /// The same layers without `key` of `table`; `None`: none of them has it.
    pub fn without_key(&self, table: &str, key: &str) -> Option<Self> {
        let mut changed = None;
        for source in self.sources() {
            if spans(source, table, key).is_none() {
                continue;
            }
            let Some(text) = with_value(source, table, key, None) else { continue };
            let before = changed.as_ref().unwrap_or(self);
            changed = Some(before.with_text(&source.path, &text));
        }
        changed
    }
}

type Span = std::ops::Range<usize>;

/// Where the key and its value stand in a text.
fn spans(source: &Source, table: &str, key: &str) -> Option<(Span, Span)> {
    let document = toml_edit::Document::parse(source.text.as_ref()).ok()?;
    let mut inner: &dyn toml_edit::TableLike = document.as_table();
    for part in table.split('.').filter(|part| !part.is_empty()) {
        inner = inner.get(part)?.as_table_like()?;
    }
    let name = inner.key(key).and_then(toml_edit::Key::span)?;
    let value = inner.get(key)?.as_value()?.span()?;
    Some((name, value))
}

fn has_table(source: &Source, parts: &[&str]) -> bool {
    let Ok(document) = toml_edit::Document::parse(source.text.as_ref()) else { return false };
    let mut inner: &dyn toml_edit::TableLike = document.as_table();
    for part in parts {
        match inner.get(part).and_then(Item::as_table_like) {
            Some(table) => inner = table,
            None => return false,
        }
    }
    true
}

/// The text with `entry` (`key = value`, with `mark` behind it) in the table that the parts name: below its last key,
/// or below the last that is like it. A table that is not there comes at the end. `None`: what should hold it is no
/// table, or no TOML.
pub fn with_entry(
    text: &str,
    parts: &[&str],
    entry: &str,
    mark: &str,
    is_like: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let parsed = toml_edit::Document::parse(text).ok()?;
    let mut item: Option<&Item> = None;
    for (depth, part) in parts.iter().enumerate() {
        let table = match item {
            None => parsed.get(part),
            Some(item) => item.as_table_like()?.get(part),
        };
        match table {
            Some(table) => item = Some(table),
            None if depth > 0 && item.is_some_and(Item::is_value) => return None,
            None => return Some(appended(text, parts, entry, mark)),
        }
    }
    match item? {
        Item::Table(table) if table.is_implicit() && !table.is_dotted() => {
            Some(appended(text, parts, entry, mark))
        }
        Item::Table(table) => below(text, table, entry, mark, is_like),
        Item::Value(toml_edit::Value::InlineTable(table)) => {
            // A table of dotted keys inside a table in braces has no braces of its own.
            if table.is_dotted() {
                return None;
            }
            let end = table.span()?.end - 1;
            let last = table.iter().filter_map(|(_, value)| value.span()).map(|span| span.end).max();
            let (at, new) = match last {
                Some(last) => (last, format!(", {entry}")),
                None => (end, format!(" {entry} ")),
            };
            insert(text, at, &new)
        }
        _ => None,
    }
}

/// The header of the table that the parts name.
pub fn header(parts: &[&str]) -> String {
    let quoted = |part: &&str| Key::new(*part).to_string();
    format!("[{}]", parts.iter().map(quoted).collect::<Vec<_>>().join("."))
}

fn insert(text: &str, at: usize, new: &str) -> Option<String> {
    let (head, tail) = text.split_at_checked(at)?;
    Some([head, new, tail].concat())
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A new table at the end of the file.
fn appended(text: &str, parts: &[&str], entry: &str, mark: &str) -> String {
    let end = newline(text);
    let header = format!("{}{mark}", header(parts));
    match text {
        "" => format!("{header}{end}{entry}{mark}{end}"),
        text if text.ends_with('\n') => format!("{text}{end}{header}{end}{entry}{mark}{end}"),
        _ => format!("{text}{end}{end}{header}{end}{entry}{mark}"),
    }
}

/// Below the last key of the table, or below its header where it has none.
fn below(
    text: &str,
    table: &Table,
    entry: &str,
    mark: &str,
    is_like: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let last = table
        .iter()
        .filter(|(_, item)| item.is_value())
        .filter_map(|(key, item)| Some((is_like(key), table.key(key).and_then(Key::span)?, item.span()?)))
        .max_by_key(|(like, _, value)| (*like, value.end))
        .map(|(_, key, value)| (key, value));
    let (prefix, end) = match last {
        Some((key, value)) => {
            let line = text.get(..key.start)?.rfind('\n').map_or(0, |i| i + 1);
            let before = text.get(line..key.start)?.trim_start_matches('\u{feff}');
            // What stands before a dotted key are its tables; before a plain one, its indentation.
            let indent = before.get(..before.len() - before.trim_start().len())?;
            (if table.is_dotted() { before } else { indent }, value.end)
        }
        None if table.is_dotted() => return None,
        None => ("", table.span()?.start),
    };
    let newline = newline(text);
    match text.get(end..)?.find('\n').map(|i| end + i + 1) {
        Some(at) => insert(text, at, &format!("{prefix}{entry}{mark}{newline}")),
        None => Some(format!("{text}{newline}{prefix}{entry}{mark}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[hypervisor.qemu] # q\npath = \"/q\" # why\nlist = [\n  \"a\",\n]\n[runtime]\n";

    fn text(layers: Option<Layers>) -> String {
        layers.unwrap().base.unwrap().text.to_string()
    }

    #[test]
    fn a_key_is_changed_where_it_stands() {
        let layers = Layers::of_text("c.toml", TEXT);
        assert_eq!(layers.written("hypervisor.qemu", "path").unwrap().text, "\"/q\"");
        assert!(text(layers.with_key("hypervisor.qemu", "path", "\"/x\"")).contains("path = \"/x\" # why\n"));
        assert!(text(layers.with_key("hypervisor.qemu", "list", "[]")).contains("list = []\n[runtime]"));
        assert!(text(layers.without_key("hypervisor.qemu", "list")).contains("# why\n[runtime]"));
    }

    #[test]
    fn a_key_that_is_not_there_comes_below_those_of_its_table() {
        let layers = Layers::of_text("c.toml", TEXT);
        assert!(text(layers.with_key("hypervisor.qemu", "new", "1")).contains("]\nnew = 1\n[runtime]"));
        assert!(text(layers.with_key("runtime", "new", "1")).ends_with("[runtime]\nnew = 1\n"));
        assert!(text(layers.with_key("factory", "new", "1")).ends_with("\n\n[factory]\nnew = 1\n"));
        assert!(layers.without_key("runtime", "path").is_none());
        assert_eq!(layers.tables_below("hypervisor"), ["qemu"]);
    }
}
