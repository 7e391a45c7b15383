//! Changing a policy: an edit of a list or of a key to a changed text, its plan and its undo, and the write to disk.
//!
//! Decides which bytes an edit changes (those of one value, and no other), where it goes, and how a
//! file is replaced without ever being half written. Evaluates nothing.

mod change;
mod create;
mod deployed;
mod document;
mod history;
pub mod output;
mod parse;
mod plan;
mod rebase;
mod reread;
mod save;
mod splice;

pub use change::Change;
pub use deployed::{deployed, shim_of};
pub use document::{Document, Item, List};
pub use history::{History, Stepped};
pub use plan::{Plan, Target, helm_values, targets};
pub use reread::{Lost, Reread};
pub use save::{Attributes, Disk, Done, RealDisk, SaveError, Saved, save, writable};

use crate::answer::verdict::ListId;

#[cfg(test)]
mod tests;

/// An edit of one policy list, or of another key, as a value. Of a key the value as TOML writes it stands for the only
/// entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyEdit {
    /// Writes a new entry before entry `at` (after the last where `at` is their number). A list that
    /// does not exist is created.
    Add {
        /// The list.
        list: ListId,
        /// Where.
        at: usize,
        /// The pattern.
        text: String,
    },
    /// Takes entry `at` away.
    Remove {
        /// The list.
        list: ListId,
        /// Which.
        at: usize,
    },
    /// Writes entry `at` anew.
    Replace {
        /// The list.
        list: ListId,
        /// Which.
        at: usize,
        /// The pattern.
        text: String,
    },
    /// Moves entry `from` so that it becomes entry `to`.
    Move {
        /// The list.
        list: ListId,
        /// Which.
        from: usize,
        /// Where to.
        to: usize,
    },
    /// Writes entry `at` a second time, below itself.
    Duplicate {
        /// The list.
        list: ListId,
        /// Which.
        at: usize,
    },
    /// Writes the whole list anew, or creates it; comments in it go.
    Set {
        /// The list.
        list: ListId,
        /// Its entries.
        items: Vec<String>,
    },
    /// Writes a key that is no policy list, or takes it out.
    Key {
        /// The table and the key.
        list: ListId,
        /// Its value as TOML.
        value: Option<String>,
    },
    /// Creates a list that does not exist.
    Create {
        /// The list.
        list: ListId,
        /// Its entries.
        items: Vec<String>,
    },
}

impl PolicyEdit {
    /// The list it is about.
    pub fn list(&self) -> &ListId {
        match self {
            Self::Add { list, .. }
            | Self::Remove { list, .. }
            | Self::Replace { list, .. }
            | Self::Move { list, .. }
            | Self::Duplicate { list, .. }
            | Self::Set { list, .. }
            | Self::Key { list, .. }
            | Self::Create { list, .. } => list,
        }
    }

    /// The entry that it is about: the new one, or that of `before` which it takes away or moves.
    pub fn entry<'a>(&'a self, before: Option<&'a [String]>) -> Option<&'a str> {
        match self {
            Self::Add { text, .. } | Self::Replace { text, .. } => Some(text),
            Self::Remove { at, .. } | Self::Duplicate { at, .. } | Self::Move { from: at, .. } => {
                before?.get(*at).map(String::as_str)
            }
            Self::Key { value, .. } => value.as_deref(),
            Self::Set { .. } | Self::Create { .. } => None,
        }
    }

    /// The entries afterwards; `items` is absent where the list does not exist.
    fn planned(&self, items: Option<&[String]>) -> Option<Vec<String>> {
        let mut planned = items.map(<[String]>::to_vec);
        match self {
            Self::Create { items, .. } => return planned.is_none().then(|| items.clone()),
            Self::Set { items, .. } => return Some(items.clone()),
            Self::Key { value, .. } => return Some(value.iter().cloned().collect()),
            Self::Add { at, text, .. } => {
                let planned = planned.get_or_insert_default();
                if *at > planned.len() {
                    return None;
                }
                planned.insert(*at, text.clone());
            }
            Self::Remove { at, .. } => {
                let planned = planned.as_mut()?;
                planned.get(*at)?;
                planned.remove(*at);
            }
            Self::Replace { at, text, .. } => planned.as_mut()?.get_mut(*at)?.clone_from(text),
            Self::Move { from, to, .. } => {
                let planned = planned.as_mut()?;
                if *from >= planned.len() || *to >= planned.len() {
                    return None;
                }
                let moved = planned.remove(*from);
                planned.insert(*to, moved);
            }
            Self::Duplicate { at, .. } => {
                let planned = planned.as_mut()?;
                let twin = planned.get(*at)?.clone();
                planned.insert(at + 1, twin);
            }
        }
        planned
    }
}

/// Why an edit cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is not TOML.
    #[error("{place}: {message}")]
    NotToml {
        /// Where it stops being TOML.
        place: crate::input::Place,
        /// The parser's message.
        message: String,
    },
    /// The edit names an entry that is not there.
    #[error("{0} has no such entry")]
    NoEntry(ListId),
    /// The list is there, but is no list of texts.
    #[error("{0} is not a list of texts")]
    NotAList(ListId),
    /// The list cannot be created: what should hold it is no table.
    #[error("{0} cannot be created: its table is written as something else")]
    NoTable(ListId),
    /// The value is none of TOML.
    #[error("{0} cannot be written so: it is no value of TOML")]
    NoValue(ListId),
    /// The change would have meant something else than planned, and was not made.
    #[error("{0} cannot be changed in place without changing what else the file says")]
    OtherMeaning(ListId),
    /// The file is not among those that are edited.
    #[error("{0} is not open")]
    NotOpen(String),
}
