//! Writing a key of the configuration in memory: the value with its type, and what it does to the pods, while it is
//! typed.

use std::rc::Rc;

use super::policy::make;
use crate::answer::verdict::ListId;
use crate::catalog;
use crate::diff::evaluation::Differences;
use crate::edit::PolicyEdit;
use crate::input::what_if::{KeyEdit, unquoted};
use crate::runtime::Depth;
use crate::tui::message::Command;
use crate::tui::model::dialog::{Dialog, KeyDraft};
use crate::tui::model::foresight::Foresight;
use crate::tui::model::pods::Sweep;
use crate::tui::model::row::Body;
use crate::tui::model::{Input, Model, plain};

/// Differences that are shown of one pod.
const SHOWN: usize = 8;

/// The key under the cursor.
fn here(model: &Model) -> Option<(String, ListId)> {
    let Some(Body::Key(row)) = model.rows.current().map(|row| &row.body) else { return None };
    let (table, key) = row.key.rsplit_once('.')?;
    Some((row.key.clone(), ListId::new(table.to_owned(), key.to_owned())))
}

/// Why the key under the cursor is not written; `None`: it can be.
pub(in crate::tui) fn reason_against(model: &Model) -> Option<String> {
    let Some((_, id)) = here(model) else {
        return Some("only keys of the configuration are, on screen 5".into());
    };
    let release = model.seat.current.setup().release;
    if catalog::lists(release).any(|list| list == id.list) {
        return Some("a policy list is edited on screen 2".into());
    }
    match catalog::config_key(&id.table, &id.list) {
        None => Some("no file sets it: only an annotation does".into()),
        Some(_) => None,
    }
}

pub(super) fn obey(model: &mut Model, command: Command) {
    let Some((key, id)) = here(model) else { return };
    if command == Command::RemoveKey {
        if model.seat.history.value(&id).is_none() {
            model.complain(format!("no file sets {}: its default counts already", id.list));
            return;
        }
        let edit = PolicyEdit::Key { list: id.clone(), value: None };
        make(model, &edit, &format!("{} is taken out", id.list));
        return;
    }
    let was = model.seat.history.value(&id);
    let shown = was.as_deref().map(unquoted).or_else(|| {
        let value = model.evaluation.effective.as_ref()?.get(&key)?;
        Some(match &value.value {
            serde_json::Value::String(text) => text.clone(),
            _ => plain(&value.value),
        })
    });
    let line = model.input(shown.unwrap_or_default(), Input::Value);
    let draft = KeyDraft {
        key,
        id,
        line,
        was,
        value: None,
        error: None,
        candidate: None,
        foresight: None,
        sweep: Sweep::new(0),
    };
    model.dialogs.push(Dialog::Key(Box::new(draft)));
    typed(model);
}

/// What the typed value would do.
pub(super) fn typed(model: &mut Model) {
    let Some(Dialog::Key(draft)) = model.dialogs.last() else { return };
    let (id, was) = (draft.id.clone(), draft.was.clone());
    let read = KeyEdit::read(&draft.key, Some(draft.line.text()));
    let (value, error) = match read {
        Ok(edit) => (edit.value, None),
        Err(wrong) => (None, Some(wrong.why)),
    };
    let edit = PolicyEdit::Key { list: id, value: value.clone() };
    let candidate = match &value {
        Some(value) if was.as_deref() != Some(value.as_str()) => Some(model.would_be(&edit)),
        _ => None,
    };
    let (candidate, error) = match candidate {
        Some(Ok(candidate)) => (Some(candidate), error),
        Some(Err(why)) => (None, Some(why.to_string())),
        None => (None, error),
    };
    let foresight = candidate.as_ref().map(|candidate| {
        let after = match model.pods.is_empty() {
            true => candidate.evaluate(&model.tried, Depth::Full),
            false => model.judged(&model.tried, Depth::Full, candidate),
        };
        Rc::new(Foresight::of(&Differences::between(&model.evaluation, &after), after.outcome, SHOWN))
    });
    let sweep = match &candidate {
        Some(candidate) => model.carried(model.sweep.clone(), &model.seat.current, candidate),
        None => Sweep::new(0),
    };
    let Some(Dialog::Key(draft)) = model.dialogs.last_mut() else { return };
    (draft.value, draft.error, draft.candidate) = (value, error, candidate);
    (draft.foresight, draft.sweep) = (foresight, sweep);
}

/// Enter: the value is written, in memory.
pub(super) fn accept(model: &mut Model) {
    let Some(Dialog::Key(draft)) = model.dialogs.last() else { return };
    let (id, value) = (draft.id.clone(), draft.value.clone());
    if let Some(error) = draft.error.clone() {
        model.complain(error);
        return;
    }
    let Some(value) = value.filter(|value| draft.was.as_deref() != Some(value.as_str())) else {
        model.dialogs.pop();
        return;
    };
    let done = format!("{} = {value}", id.list);
    if make(model, &PolicyEdit::Key { list: id, value: Some(value) }, &done) {
        model.dialogs.pop();
    }
}
