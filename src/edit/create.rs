//! Writing a list that does not exist yet: below the keys of its table, in whichever way the file
//! writes that table.

use toml_edit::{Item, Key, Table};

use super::EditError;
use super::document::parse;
use super::splice::{newline, quote};
use crate::answer::verdict::ListId;
use crate::input::Source;

/// Marks a list that this program created: once it is empty again, its line goes as it came.
const MARK: &str = " # created by katascope";

/// The text of `source` with a new list.
pub(super) fn create(source: &Source, id: &ListId, items: &[String]) -> Result<String, EditError> {
    let text: &str = &source.text;
    let parsed = parse(source)?;
    let missing = || EditError::NoTable(id.clone());
    let name = id.table.strip_prefix("hypervisor.").ok_or_else(missing)?;
    let items: Vec<String> = items.iter().map(|item| quote(item, false)).collect();
    let entry = format!("{} = [{}]", id.list, items.join(", "));
    let table = match parsed.get("hypervisor") {
        None => None,
        Some(hypervisors) => hypervisors.as_table_like().ok_or_else(missing)?.get(name),
    };
    match table {
        None => Ok(appended(text, id, &entry)),
        Some(Item::Table(table)) if table.is_implicit() && !table.is_dotted() => {
            Ok(appended(text, id, &entry))
        }
        Some(Item::Table(table)) => below(text, table, &entry).ok_or_else(missing),
        Some(Item::Value(toml_edit::Value::InlineTable(table))) => {
            // A table of dotted keys inside a table in braces has no braces of its own.
            if table.is_dotted() {
                return Err(missing());
            }
            let end = table.span().ok_or_else(missing)?.end - 1;
            let last = table.iter().filter_map(|(_, value)| value.span()).map(|span| span.end).max();
            let (at, new) = match last {
                Some(last) => (last, format!(", {entry}")),
                None => (end, format!(" {entry} ")),
            };
            insert(text, at, &new).ok_or_else(missing)
        }
        Some(_) => Err(missing()),
    }
}

fn insert(text: &str, at: usize, new: &str) -> Option<String> {
    let (head, tail) = text.split_at_checked(at)?;
    Some([head, new, tail].concat())
}

/// A new table at the end of the file.
fn appended(text: &str, id: &ListId, entry: &str) -> String {
    let end = newline(text);
    let header = header(id);
    match text {
        "" => format!("{header}{end}{entry}{MARK}{end}"),
        text if text.ends_with('\n') => format!("{text}{end}{header}{end}{entry}{MARK}{end}"),
        _ => format!("{text}{end}{end}{header}{end}{entry}{MARK}"),
    }
}

fn header(id: &ListId) -> String {
    let name = id.table.strip_prefix("hypervisor.").unwrap_or(&id.table);
    let bare =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let name = if bare { name.to_owned() } else { quote(name, false) };
    format!("[hypervisor.{name}]{MARK}")
}

/// Below the last key of the table, or below its header where it has none.
fn below(text: &str, table: &Table, entry: &str) -> Option<String> {
    let is_list = |key: &str| key == "enable_annotations" || key.starts_with("valid_");
    let last = table
        .iter()
        .filter(|(_, item)| item.is_value())
        .filter_map(|(key, item)| Some((is_list(key), table.key(key).and_then(Key::span)?, item.span()?)))
        // Beside its like, where there are any.
        .max_by_key(|(list, _, value)| (*list, value.end))
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
        Some(at) => insert(text, at, &format!("{prefix}{entry}{MARK}{newline}")),
        None => Some(format!("{text}{newline}{prefix}{entry}{MARK}")),
    }
}

/// The text without the line of a created list whose array ends at `end`.
pub(super) fn uncreate(source: &Source, id: &ListId, end: usize) -> Option<String> {
    let text: &str = &source.text;
    let after = text.get(end..)?.strip_prefix(MARK)?;
    let line = text.get(..end)?.rfind('\n').map_or(0, |i| i + 1);
    let before = text.get(..line)?;
    let newline = newline(text);
    let last = after.is_empty();
    let after = if last { after } else { after.strip_prefix(newline)? };
    // The header goes too where it was created with the list and the list was all of its table.
    if after.is_empty()
        && let Some(head) = before.strip_suffix(&format!("{}{newline}", header(id)))
    {
        let head = head.strip_suffix(newline).unwrap_or(head);
        return Some(if last { head.strip_suffix(newline).unwrap_or(head) } else { head }.to_owned());
    }
    let before = if last { before.strip_suffix(newline)? } else { before };
    Some([before, after].concat())
}
