//! Writing a list that does not exist yet: below the keys of its table, in whichever way the file
//! writes that table.

use super::EditError;
use super::parse::parse;
use super::splice::{newline, quote};
use crate::answer::verdict::ListId;
use crate::input::{Source, amend};

/// Marks a list that this program created: once it is empty again, its line goes as it came.
const MARK: &str = " # created by katascope";

/// The text of `source` with a new list.
pub(super) fn create(source: &Source, id: &ListId, items: &[String]) -> Result<String, EditError> {
    parse(source)?;
    let missing = || EditError::NoTable(id.clone());
    let name = id.table.strip_prefix("hypervisor.").ok_or_else(missing)?;
    let items: Vec<String> = items.iter().map(|item| quote(item, false)).collect();
    let entry = format!("{} = [{}]", id.list, items.join(", "));
    // Beside its like, where there are any.
    let is_like = |key: &str| key == "enable_annotations" || key.starts_with("valid_");
    amend::with_entry(&source.text, &["hypervisor", name], &entry, MARK, &is_like).ok_or_else(missing)
}

fn header(id: &ListId) -> String {
    let name = id.table.strip_prefix("hypervisor.").unwrap_or(&id.table);
    format!("{}{MARK}", amend::header(&["hypervisor", name]))
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
