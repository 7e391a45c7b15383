//! One edit as it changed a text, and the edits that lead from one list to another.
//!
//! Decides which entries stay: those that both lists begin and end with.

use super::PolicyEdit;
use super::splice::Splice;
use crate::answer::verdict::ListId;

/// One edit as it changed a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The edit.
    pub edit: PolicyEdit,
    /// The list's entries before; `None`: there was no list.
    pub before: Option<Vec<String>>,
    /// The bytes it changed.
    pub splice: Splice,
}

/// The edits that give a list exactly `texts`, touching no entry that stays.
pub(super) fn between(list: &ListId, old: Option<&[String]>, texts: &[String]) -> Vec<PolicyEdit> {
    let list = list.clone();
    let Some(old) = old else { return vec![PolicyEdit::Create { list, items: texts.to_vec() }] };
    let same = old.iter().zip(texts).take_while(|(a, b)| a == b).count();
    let tail = old.iter().rev().zip(texts.iter().rev()).take_while(|(a, b)| a == b).count();
    let tail = tail.min(old.len() - same).min(texts.len() - same);
    let new_middle = texts.get(same..texts.len() - tail).unwrap_or_default();
    let old_middle = old.len() - tail - same;
    let written = new_middle.iter().enumerate().map(|(i, text)| {
        let (list, at, text) = (list.clone(), same + i, text.clone());
        match i < old_middle {
            true => PolicyEdit::Replace { list, at, text },
            false => PolicyEdit::Add { list, at, text },
        }
    });
    let removed = (same + new_middle.len()..same + old_middle)
        .rev()
        .map(|at| PolicyEdit::Remove { list: list.clone(), at });
    written.chain(removed).collect()
}
