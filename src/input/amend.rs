//! One key of a configuration set or removed, to see what would become of it: the texts of the layers, changed
//! in memory.
//!
//! Decides where a key is changed: where it stands last, else in the first file that has its table. Writes
//! nothing; edits that are kept are `edit`'s business.

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

impl Layers {
    /// How `key` of `table` (dotted) is written last.
    pub fn written(&self, table: &str, key: &str) -> Option<Written> {
        let found = self.sources().filter_map(|source| {
            let (place, value) = spans(source, table, key)?;
            let text = source.text.get(value)?.trim().to_owned();
            Some(Written { place: source.place(place.start), text })
        });
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
            let (_, span) = spans(source, table, key)?;
            let mut text = source.text.to_string();
            text.replace_range(span, value);
            return Some(self.with_text(&source.path, &text));
        }
        let (source, at) = self.sources().find_map(|source| Some((source, behind_header(source, table)?)))?;
        let mut text = source.text.to_string();
        text.insert_str(at, &format!("{key} = {value}\n"));
        Some(self.with_text(&source.path, &text))
    }

    /// The same layers without `key` of `table`; `None`: none of them has it.
    pub fn without_key(&self, table: &str, key: &str) -> Option<Self> {
        let mut changed = None;
        for source in self.sources() {
            let Some((name, value)) = spans(source, table, key) else { continue };
            let mut text = source.text.to_string();
            text.replace_range(name.start..value.end, "");
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

/// The start of the line behind a table's header.
fn behind_header(source: &Source, table: &str) -> Option<usize> {
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        at += line.len();
        let header = line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if header.is_some_and(|(name, _)| name.trim() == table) && line.ends_with('\n') {
            return Some(at);
        }
    }
    None
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
        assert!(text(layers.without_key("hypervisor.qemu", "list")).contains("# why\n\n[runtime]"));
    }

    #[test]
    fn a_key_that_is_not_there_comes_behind_its_header() {
        let layers = Layers::of_text("c.toml", TEXT);
        assert!(text(layers.with_key("hypervisor.qemu", "new", "1")).contains("# q\nnew = 1\npath"));
        assert!(layers.with_key("factory", "new", "1").is_none());
        assert!(layers.without_key("runtime", "path").is_none());
        assert_eq!(layers.tables_below("hypervisor"), ["qemu"]);
    }
}
