//! A configuration file as its policy lists: found by their place, changed in place, and read back.

use std::ops::Range;

use toml_edit::{Item as TomlItem, TableLike};

use super::change::Change;
use super::create::create;
use super::parse::parse;
use super::splice::{ArraySpan, Splice};
use super::{EditError, PolicyEdit};
use crate::answer::verdict::ListId;
use crate::input::{Place, Source, amend};

/// A policy list as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Which list.
    pub id: ListId,
    /// Where its key stands.
    pub place: Place,
    /// Its entries; empty where it is not a list of texts.
    pub items: Vec<Item>,
    /// Whether it is a list of texts, and can be edited.
    pub editable: bool,
    span: Range<usize>,
}

impl List {
    /// The entries' texts.
    pub fn texts(&self) -> Vec<String> {
        self.items.iter().map(|item| item.text.clone()).collect()
    }
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The pattern.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// The comment beside it, without its `#`.
    pub comment: Option<String>,
    span: Range<usize>,
}

/// One configuration file, read for its policy lists.
#[derive(Debug, Clone)]
pub struct Document {
    source: Source,
    lists: Vec<List>,
    variants: Vec<List>,
}

impl Document {
    /// Reads a file.
    pub fn of(source: &Source) -> Result<Self, EditError> {
        let parsed = parse(source)?;
        let mut lists = Vec::new();
        if let Some(hypervisors) = parsed.get("hypervisor").and_then(TomlItem::as_table_like) {
            for (name, item) in hypervisors.iter() {
                if let Some(table) = item.as_table_like() {
                    collect(source, name, table, &mut lists);
                }
            }
        }
        lists.sort_by_key(|list| (list.place.line, list.place.column));
        let (lists, variants) = lists.into_iter().partition(|list: &List| is_list(&list.id.list));
        Ok(Self { source: source.clone(), lists, variants })
    }

    /// The file's path and text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Every policy list that the file sets, in order.
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    /// Keys that are a list's name but for letter case: the Go runtimes take them for it in the main
    /// file. They are not edited.
    pub fn letter_case_variants(&self) -> &[List] {
        &self.variants
    }

    /// One list, where the file sets it.
    pub fn list(&self, id: &ListId) -> Option<&List> {
        self.lists.iter().find(|list| list.id == *id)
    }

    /// What a policy list or a key says: its entries, or the value as it is written.
    pub fn entries(&self, id: &ListId) -> Option<Vec<String>> {
        if is_list(&id.list) {
            return self.list(id).map(List::texts);
        }
        amend::written(&self.source, &id.table, &id.list).map(|written| vec![written.text])
    }

    /// The document with a key written or taken out.
    fn with_key(&self, id: &ListId, value: Option<&str>) -> Result<String, EditError> {
        let before: &str = &self.source.text;
        let value: Option<toml_edit::Value> =
            value.map(str::parse).transpose().map_err(|_| EditError::NoValue(id.clone()))?;
        let text = value.as_ref().map(|value| value.to_string());
        let after = amend::with_value(&self.source, &id.table, &id.list, text.as_deref().map(str::trim))
            .ok_or_else(|| EditError::NoTable(id.clone()))?;
        match means_key(before, &after, id, text.as_deref()) {
            true => Ok(after),
            false => Err(EditError::OtherMeaning(id.clone())),
        }
    }

    /// The document with the edit made, and the change, which can be taken back. Nothing but the bytes of
    /// the list changes; the new text was read back and means what was planned.
    pub fn apply(&self, edit: &PolicyEdit) -> Result<(Self, Change), EditError> {
        let id = edit.list();
        if let PolicyEdit::Key { value, .. } = edit {
            let after = self.with_key(id, value.as_deref())?;
            let (before, splice) = (self.entries(id), Splice::between(&self.source.text, &after));
            let document = Self::of(&Source::new(self.source.path.clone(), after))?;
            return Ok((document, Change { edit: edit.clone(), before, splice }));
        }
        let list = self.list(id);
        if list.is_some_and(|list| !list.editable) {
            return Err(EditError::NotAList(id.clone()));
        }
        let texts = list.map(List::texts);
        let planned = edit.planned(texts.as_deref()).ok_or_else(|| EditError::NoEntry(id.clone()))?;
        let before: &str = &self.source.text;
        let after = match list {
            None => create(&self.source, id, &planned)?,
            Some(list) => {
                let array = ArraySpan {
                    text: before,
                    whole: list.span.clone(),
                    items: list.items.iter().map(|item| item.span.clone()).collect(),
                };
                let changed = match edit {
                    PolicyEdit::Add { at, text, .. } => array.insert(*at, text),
                    PolicyEdit::Remove { at, .. } => array.remove(*at),
                    PolicyEdit::Replace { at, text, .. } => array.replace(*at, text),
                    PolicyEdit::Move { from, to, .. } => array.shift(*from, *to),
                    PolicyEdit::Duplicate { at, .. } => {
                        list.items.get(*at).and_then(|item| array.insert(at + 1, &item.text))
                    }
                    PolicyEdit::Set { items, .. } => Some(array.set(items)),
                    PolicyEdit::Create { .. } | PolicyEdit::Key { .. } => None,
                };
                changed.ok_or_else(|| EditError::NoEntry(id.clone()))?
            }
        };
        if !means(before, &after, id, &planned) {
            return Err(EditError::OtherMeaning(id.clone()));
        }
        let splice = Splice::between(before, &after);
        let document = Self::of(&Source::new(self.source.path.clone(), after))?;
        Ok((document, Change { edit: edit.clone(), before: texts, splice }))
    }

    /// The text without the key of a list that this program created and that has become empty; `None`
    /// where the list is someone else's, or has entries.
    pub fn without_own_empty(&self, id: &ListId) -> Option<String> {
        let list = self.list(id).filter(|list| list.editable && list.items.is_empty())?;
        super::create::uncreate(&self.source, id, list.span.end)
    }
}

fn is_list(key: &str) -> bool {
    key == "enable_annotations" || key.starts_with("valid_")
}

fn collect(source: &Source, name: &str, table: &dyn TableLike, lists: &mut Vec<List>) {
    for (key, item) in table.iter() {
        if !is_list(&key.to_ascii_lowercase()) {
            continue;
        }
        let at = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
        let array = item.as_array();
        let items: Option<Vec<(String, Range<usize>)>> = array.and_then(|array| {
            array.iter().map(|value| Some((value.as_str()?.to_owned(), value.span()?))).collect()
        });
        let span = array.and_then(toml_edit::Array::span);
        let editable = items.is_some() && span.is_some();
        let span = span.unwrap_or_default();
        let items = items.unwrap_or_default();
        let layout = ArraySpan {
            text: &source.text,
            whole: span.clone(),
            items: items.iter().map(|(_, range)| range.clone()).collect(),
        };
        lists.push(List {
            id: ListId::new(format!("hypervisor.{name}"), key.to_owned()),
            place: source.place(at.map_or(0, |span| span.start)),
            items: items
                .iter()
                .enumerate()
                .map(|(i, (text, range))| Item {
                    text: text.clone(),
                    place: source.place(range.start),
                    comment: layout.comment(i).map(str::to_owned),
                    span: range.clone(),
                })
                .collect(),
            editable,
            span,
        });
    }
}

/// Whether `after` says what `before` says, with the list as planned.
pub(super) fn means(before: &str, after: &str, id: &ListId, planned: &[String]) -> bool {
    if !is_list(&id.list) {
        return means_key(before, after, id, planned.first().map(String::as_str));
    }
    says(before, after, &mut id.table.splitn(2, '.'), &id.list, Some(planned.to_vec().into()))
}

/// The same of a key that is no list.
fn means_key(before: &str, after: &str, id: &ListId, value: Option<&str>) -> bool {
    let value = value.map(|value| toml::from_str::<toml::Table>(&format!("value = {value}")));
    let value = match value {
        Some(Ok(mut table)) => table.remove("value"),
        Some(Err(_)) => return false,
        None => None,
    };
    says(before, after, &mut id.table.split('.'), &id.list, value)
}

/// Whether `after` says what `before` says, with one value instead.
fn says(
    before: &str,
    after: &str,
    parts: &mut dyn Iterator<Item = &str>,
    key: &str,
    value: Option<toml::Value>,
) -> bool {
    let (Ok(mut before), Ok(after)) =
        (toml::from_str::<toml::Table>(before), toml::from_str::<toml::Table>(after))
    else {
        return false;
    };
    let mut table = &mut before;
    for part in parts {
        let inner = table.entry(part).or_insert_with(|| toml::Table::new().into());
        match inner.as_table_mut() {
            Some(inner) => table = inner,
            None => return false,
        }
    }
    match value {
        Some(value) => drop(table.insert(key.to_owned(), value)),
        None => drop(table.remove(key)),
    }
    // Written out, because a number that is none would not even equal itself.
    format!("{before:?}") == format!("{after:?}")
}
