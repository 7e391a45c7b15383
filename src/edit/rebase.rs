//! An edit carried onto another text: the same change, after somebody else changed the file.
//!
//! Where their bytes and the edit's lie apart, the edit changes the very bytes that it changed before.
//! Where they meet, it is made again by what it means: by the text of an entry, not by its number.
//! Whatever comes of it is read back and must say what was planned; what has no place is told.

use super::change::Change;
use super::document::{Document, means};
use super::splice::Splice;
use super::{EditError, PolicyEdit};
use crate::answer::verdict::ListId;
use crate::diff::text::fine_runs;
use crate::input::Source;

/// Why an edit has no place in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The list that it changes is not there.
    #[error("{0} is not in the file any more")]
    NoList(ListId),
    /// The list is there already.
    #[error("{0} is in the file already, with other entries")]
    ListThere(ListId),
    /// The entry that it changes is not there.
    #[error("{0:?} is not in the list any more")]
    NoEntry(String),
    /// The list says something else than when it was rewritten.
    #[error("{0} has other entries now")]
    OtherEntries(ListId),
    /// The change cannot be made there.
    #[error("{0}")]
    Cannot(#[from] EditError),
}

/// A change and, where it has one, its meaning.
pub(super) struct Move<'a> {
    pub list: &'a ListId,
    /// `None`: taking back a list that was created, which is a matter of bytes alone.
    pub edit: Option<PolicyEdit>,
    pub splice: Splice,
}

impl PolicyEdit {
    /// The edit that takes this one back from a list that had the entries `before`; `None`: there is none,
    /// the list was created.
    pub(super) fn inverse(&self, before: Option<&[String]>) -> Option<Self> {
        let list = self.list().clone();
        let entry = |at: usize| before?.get(at).cloned();
        Some(match self {
            Self::Add { .. } if before.is_none() => return None,
            Self::Add { at, .. } => Self::Remove { list, at: *at },
            Self::Remove { at, .. } => Self::Add { list, at: *at, text: entry(*at)? },
            Self::Replace { at, .. } => Self::Replace { list, at: *at, text: entry(*at)? },
            Self::Move { from, to, .. } => Self::Move { list, from: *to, to: *from },
            Self::Duplicate { at, .. } => Self::Remove { list, at: at + 1 },
            Self::Set { .. } => Self::Set { list, items: before?.to_vec() },
            Self::Key { .. } => Self::Key { list, value: before.and_then(|before| before.first().cloned()) },
            Self::Create { .. } => return None,
        })
    }

    /// The same edit for a list that had the entries `was` when it was made and has `now`; `None`: that is
    /// done already.
    fn again(&self, was: Option<&[String]>, now: Option<&[String]>) -> Result<Option<Self>, Conflict> {
        if was == now {
            return Ok(Some(self.clone()));
        }
        let list = self.list().clone();
        if let Self::Key { value, .. } = self {
            let wanted = value.as_ref().map(std::slice::from_ref);
            return match now == wanted {
                true => Ok(None),
                false => Err(Conflict::OtherEntries(list)),
            };
        }
        if let (Self::Create { items, .. }, now) = (self, now) {
            return match now {
                None => Ok(Some(self.clone())),
                Some(now) if now == items => Ok(None),
                Some(_) => Err(Conflict::ListThere(list)),
            };
        }
        let (was, now) = match (was, now) {
            (_, None) => return Err(Conflict::NoList(list)),
            (was, Some(now)) => (was.unwrap_or_default(), now),
        };
        let count = |entries: &[String], text: &str| entries.iter().filter(|e| *e == text).count();
        let entry = |at: usize| was.get(at).ok_or_else(|| EditError::NoEntry(list.clone()));
        let found = |at: usize, text: &str| {
            let places = now.iter().enumerate().filter(|(_, e)| *e == text).map(|(i, _)| i);
            places.min_by_key(|i| i.abs_diff(at))
        };
        let found = |at: usize| -> Result<usize, Conflict> {
            let text = entry(at)?;
            found(at, text).ok_or_else(|| Conflict::NoEntry(text.clone()))
        };
        let id = list.clone();
        Ok(Some(match self {
            Self::Add { at, text, .. } => {
                if count(now, text) > count(was, text) {
                    return Ok(None);
                }
                let behind = at.checked_sub(1).and_then(|before| found(before).ok()).map(|before| before + 1);
                let before = || found(*at).ok();
                let at = behind.or_else(before).unwrap_or(if *at == 0 { 0 } else { now.len() });
                Self::Add { list: id, at, text: text.clone() }
            }
            Self::Remove { at, .. } => {
                let text = entry(*at)?;
                if count(now, text) < count(was, text) {
                    return Ok(None);
                }
                Self::Remove { list: id, at: found(*at)? }
            }
            Self::Replace { at, text, .. } => {
                let old = entry(*at)?;
                if count(now, old) < count(was, old) && count(now, text) > count(was, text) {
                    return Ok(None);
                }
                Self::Replace { list: id, at: found(*at)?, text: text.clone() }
            }
            Self::Duplicate { at, .. } => {
                let text = entry(*at)?;
                if count(now, text) > count(was, text) {
                    return Ok(None);
                }
                Self::Duplicate { list: id, at: found(*at)? }
            }
            Self::Move { from, to, .. } => {
                let planned = self.planned(Some(was)).ok_or_else(|| EditError::NoEntry(list.clone()))?;
                let from = found(*from)?;
                let mut rest = now.to_vec();
                rest.remove(from);
                let before = to.checked_sub(1).and_then(|i| planned.get(i));
                let behind = before.and_then(|text| rest.iter().position(|e| e == text)).map(|i| i + 1);
                let to = behind.unwrap_or(*to).min(rest.len());
                if from == to {
                    return Ok(None);
                }
                Self::Move { list: id, from, to }
            }
            Self::Set { items, .. } if now == items.as_slice() => return Ok(None),
            Self::Set { .. } | Self::Key { .. } | Self::Create { .. } => {
                return Err(Conflict::OtherEntries(list));
            }
        }))
    }
}

/// Carries a change of `from` onto `to`; gives the text and the change there, or `None` where that says
/// already what the change would make it say.
pub(super) fn rebase(
    from: &Document,
    step: &Move<'_>,
    to: &Document,
) -> Result<Option<(Document, Change)>, Conflict> {
    let id = step.list;
    let texts = |document: &Document| document.entries(id);
    let apart = || {
        let text = across(&hunks(&from.source().text, &to.source().text), &step.splice)?;
        let after = text.apply(&to.source().text)?;
        Some((Document::of(&Source::new(to.source().path.clone(), after)).ok()?, text))
    };
    let Some(edit) = &step.edit else {
        // A list that was created goes as a whole, or not at all.
        if to.list(id).is_none() {
            return Ok(None);
        }
        let gone = |document: &Document| document.list(id).is_none();
        let (document, splice) =
            apart().filter(|(d, _)| gone(d)).ok_or_else(|| Conflict::OtherEntries(id.clone()))?;
        let items = texts(to).unwrap_or_default();
        let edit = PolicyEdit::Create { list: id.clone(), items };
        return Ok(Some((document, Change { edit, before: None, splice })));
    };
    let (was, now) = (texts(from), texts(to));
    let Some(edit) = edit.again(was.as_deref(), now.as_deref())? else { return Ok(None) };
    let planned = edit.planned(now.as_deref()).ok_or_else(|| EditError::NoEntry(id.clone()))?;
    if let Some((document, splice)) = apart()
        && means(&to.source().text, &document.source().text, id, &planned)
    {
        return Ok(Some((document, Change { edit, before: now, splice })));
    }
    Ok(Some(to.apply(&edit)?))
}

/// What makes `old` into `new`, in order, as small as words allow.
pub(super) fn hunks(old: &str, new: &str) -> Vec<Splice> {
    fine_runs(old, new)
        .into_iter()
        .map(|(old_run, new_run)| {
            let at = old_run.start;
            let (old, new) = (old.get(old_run).unwrap_or_default(), new.get(new_run).unwrap_or_default());
            let small = Splice::between(old, new);
            Splice { at: at + small.at, ..small }
        })
        .collect()
}

/// A splice of a text, after `hunks` were made in that text; `None` where they meet.
pub(super) fn across(hunks: &[Splice], splice: &Splice) -> Option<Splice> {
    let (start, end) = (splice.at, splice.at + splice.removed.len());
    let mut at = splice.at;
    for hunk in hunks {
        let (from, to) = (hunk.at, hunk.at + hunk.removed.len());
        // Two insertions at one place have no order.
        let same_place = from == to && start == end && from == start;
        if to <= start && !same_place {
            at = (at + hunk.inserted.len()).checked_sub(hunk.removed.len())?;
        } else if end > from || same_place {
            return None;
        }
    }
    Some(Splice { at, ..splice.clone() })
}
