//! Editing the lists: typing a pattern with its meaning beside it, deleting, moving, undo and redo,
//! and the shortest way from a verdict to the policy that would turn it.

use crate::answer::verdict::{Fix, ListId, Status};
use crate::audit::meaning::explain_entry;
use crate::catalog::Gate;
use crate::edit::PolicyEdit;
use crate::evaluate::Outcome;
use crate::tui::message::Command;
use crate::tui::model::annotations::{known, short};
use crate::tui::model::changes::other_runtime;
use crate::tui::model::dialog::{Dialog, PatternDraft};
use crate::tui::model::pods::Sweep;
use crate::tui::model::row::Body;
use crate::tui::model::{Input, Model, Screen, policy};

pub(super) fn obey(model: &mut Model, command: Command) {
    match command {
        Command::AddPattern => add(model),
        Command::EditPattern => edit(model),
        Command::Allow => allow(model),
        Command::Undo | Command::Redo => step(model, command == Command::Undo),
        _ => change(model, command),
    }
}

/// The list under the cursor, and the place behind the entry under it.
fn list_here(model: &Model) -> Option<(ListId, usize)> {
    match &model.rows.current()?.body {
        Body::List(row) => Some((row.id.clone(), row.entries.unwrap_or(0))),
        Body::Pattern(row) => Some((row.list.clone(), row.at + 1)),
        _ => None,
    }
}

fn add(model: &mut Model) {
    let Some((list, at)) = list_here(model) else { return };
    open(model, list, at, None);
}

fn edit(model: &mut Model) {
    let Some(Body::Pattern(row)) = model.rows.current().map(|r| r.body.clone()) else { return add(model) };
    open(model, row.list.clone(), row.at, Some(row.text.clone()));
}

fn open(model: &mut Model, list: ListId, at: usize, replaces: Option<String>) {
    let line = model.input(replaces.clone().unwrap_or_default(), Input::Pattern);
    let draft = PatternDraft {
        list,
        at,
        replaces,
        line,
        meaning: None,
        elsewhere: None,
        both: false,
        error: None,
        candidate: None,
        sweep: Sweep::new(0),
    };
    model.dialogs.push(Dialog::Pattern(Box::new(draft)));
    typed(model);
}

/// What the typed pattern would mean.
pub(super) fn typed(model: &mut Model) {
    let Some(Dialog::Pattern(draft)) = model.dialogs.last() else { return };
    let edit = draft.edit();
    let unchanged = draft.replaces.as_deref() == Some(draft.line.text());
    let empty = draft.line.is_empty() && draft.replaces.is_none();
    let mut patterns = model.patterns(&draft.list);
    let text = draft.line.text().to_owned();
    match (draft.replaces.is_some(), patterns.get_mut(draft.at)) {
        (true, Some(slot)) => *slot = text,
        _ => patterns.insert(draft.at.min(patterns.len()), text),
    }
    let setup = model.seat.current.setup();
    let meaning = explain_entry(setup.release, &draft.list.list, &patterns, draft.at, &setup.host);
    let elsewhere = draft.both.then(|| {
        explain_entry(other_runtime(setup.release), &draft.list.list, &patterns, draft.at, &setup.host)
    });
    let candidate = if unchanged || empty { None } else { Some(model.would_be(&edit)) };
    let sweep = match &candidate {
        Some(Ok(candidate)) => model.carried(model.sweep.clone(), &model.seat.current, candidate),
        _ => Sweep::new(0),
    };
    let Some(Dialog::Pattern(draft)) = model.dialogs.last_mut() else { return };
    draft.meaning = (!empty).then_some(meaning);
    draft.elsewhere = elsewhere.filter(|_| !empty);
    draft.error = None;
    draft.candidate = None;
    draft.sweep = sweep;
    match candidate {
        None => {}
        Some(Ok(evaluator)) => draft.candidate = Some(evaluator),
        Some(Err(error)) => draft.error = Some(error.to_string()),
    }
}

/// Asks what the pattern means to the other runtime too, or no longer.
pub(super) fn toggle_both(model: &mut Model) {
    if let Some(Dialog::Pattern(draft)) = model.dialogs.last_mut() {
        draft.both = !draft.both;
    }
    typed(model);
}

/// Enter: the pattern goes into the list, in memory.
pub(super) fn accept(model: &mut Model) {
    let Some(Dialog::Pattern(draft)) = model.dialogs.last() else { return };
    if draft.line.is_empty() && draft.list.list == "enable_annotations" {
        model.complain("an empty pattern would match every name; Esc leaves the list as it is");
        return;
    }
    if draft.replaces.as_deref() == Some(draft.line.text()) {
        model.dialogs.pop();
        return;
    }
    let (edit, list, text) = (draft.edit(), draft.list.clone(), draft.line.text().to_owned());
    if make(model, &edit, &format!("{text:?} is in {}", list.list)) {
        model.dialogs.pop();
        show_entry(model, &list, &text);
    }
}

/// Makes an edit and says so.
pub(super) fn make(model: &mut Model, edit: &PolicyEdit, done: &str) -> bool {
    match model.apply_edit(edit) {
        Ok(()) => {
            let key = |command| {
                let chord = model.keymap.chord_for(&model.layers_of(model.screen), command);
                chord.map_or(String::new(), |k| k.to_string())
            };
            let text = format!(
                "{done} (in memory); {} takes it back, {} saves",
                key(Command::Undo),
                key(Command::Save)
            );
            model.say(text);
            true
        }
        Err(error) => {
            model.complain(error.to_string());
            false
        }
    }
}

/// Puts the cursor of screen 2 onto an entry.
fn show_entry(model: &mut Model, list: &ListId, text: &str) {
    let id = policy::entry_id(list, text, 0);
    model.lists[Screen::Policy].selected = Some(id);
    if model.screen == Screen::Policy {
        model.place_cursor();
    }
}

fn change(model: &mut Model, command: Command) {
    let Some(Body::Pattern(row)) = model.rows.current().map(|r| r.body.clone()) else { return };
    let (list, at, text) = (row.list.clone(), row.at, row.text.clone());
    let count = model.patterns(&list).len();
    let (edit, done) = match command {
        Command::DeletePattern => {
            (PolicyEdit::Remove { list: list.clone(), at }, format!("{text:?} is no longer in {}", list.list))
        }
        Command::DuplicatePattern => {
            (PolicyEdit::Duplicate { list: list.clone(), at }, format!("{text:?} is there twice"))
        }
        Command::MovePatternUp | Command::MovePatternDown => {
            let up = command == Command::MovePatternUp;
            let to = if up { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < count) };
            let Some(to) = to else {
                model.say(if up { "this is the first" } else { "this is the last" });
                return;
            };
            (
                PolicyEdit::Move { list: list.clone(), from: at, to },
                format!("{text:?} is entry {} now", to + 1),
            )
        }
        _ => return,
    };
    make(model, &edit, &done);
}

fn step(model: &mut Model, undo: bool) {
    let stepped = step_whole(model, undo);
    let Some(stepped) = stepped else {
        model.say(if undo { "nothing to take back" } else { "nothing to do again" });
        return;
    };
    model.policy_changed();
    let what = in_words(&stepped.change.edit, stepped.change.before.as_deref(), &stepped.path);
    match (stepped.stuck, undo) {
        (None, true) => {
            let key = key_of(model, Command::Redo, "does it again");
            model.say(format!("took back: {what}{key}"));
        }
        (None, false) => {
            let key = key_of(model, Command::Undo, "takes it back");
            model.say(format!("did again: {what}{key}"));
        }
        (Some(reason), true) => model.complain(format!("cannot take back: {what}; {reason}")),
        (Some(reason), false) => model.complain(format!("cannot do again: {what}; {reason}")),
    }
}

/// Takes back, or makes again, a change with all that was made together with it; gives the first of them.
fn step_whole(model: &mut Model, undo: bool) -> Option<crate::edit::Stepped> {
    if undo {
        let mut joined = model.seat.history.is_joined(true);
        let mut stepped = model.seat.history.undo()?;
        while joined && stepped.stuck.is_none() {
            joined = model.seat.history.is_joined(true);
            stepped = model.seat.history.undo()?;
        }
        return Some(stepped);
    }
    let stepped = model.seat.history.redo()?;
    while stepped.stuck.is_none() && model.seat.history.is_joined(false) {
        model.seat.history.redo()?;
    }
    Some(stepped)
}

/// The key of a command and what it does, as the end of a sentence.
fn key_of(model: &Model, command: Command, does: &str) -> String {
    let key = model.keymap.chord_for(&model.layers_of(model.screen), command);
    key.map_or(String::new(), |key| format!("; {key} {does}"))
}

/// An edit of a list that had the entries `before`, in words.
pub(super) fn in_words(edit: &PolicyEdit, before: Option<&[String]>, path: &str) -> String {
    let word = match edit {
        PolicyEdit::Add { .. } => "add",
        PolicyEdit::Remove { .. } => "delete",
        PolicyEdit::Replace { .. } => "change to",
        PolicyEdit::Move { .. } => "move",
        PolicyEdit::Duplicate { .. } => "duplicate",
        PolicyEdit::Create { .. } => "create",
        PolicyEdit::Set { .. } => "rewrite",
        PolicyEdit::Key { value: Some(_), .. } => "write",
        PolicyEdit::Key { value: None, .. } => "take out",
    };
    if let PolicyEdit::Key { list, value } = edit {
        let value = value.as_ref().map_or(String::new(), |value| format!(" = {value}"));
        let file = path.rsplit('/').next().unwrap_or_default();
        return format!("{word} {}{value} of {file}", list.list);
    }
    let entry = edit.entry(before).map_or(String::new(), |text| format!(" {text:?} in"));
    format!("{word}{entry} {} of {}", edit.list().list, path.rsplit('/').next().unwrap_or_default())
}

/// Allows what the selected annotation needs, and no more.
fn allow(model: &mut Model) {
    let Some(Body::Annotation(row)) = model.rows.current().map(|r| r.body.clone()) else { return };
    let wanted = match model.selected_verdict() {
        Some(verdict) => match verdict.fix.as_deref().cloned() {
            Some(Fix::Allow { list, pattern }) => Some((list, pattern)),
            _ => None,
        },
        None => name_needed(model, &row.key),
    };
    let Some((list, pattern)) = wanted else {
        model.say(format!("{}: no list stands in its way", short(&row.key)));
        return;
    };
    let before = model.evaluation.outcome.clone();
    let at = model.patterns(&list).len();
    let edit = PolicyEdit::Add { list: list.clone(), at, text: pattern.clone() };
    if !make(model, &edit, &format!("{pattern:?} is in {}", list.list)) {
        return;
    }
    let mut added = vec![format!("{pattern:?} is in {}", list.list)];
    // What stands in its way behind the first list goes in the same step.
    while added.len() < LISTS_IN_ITS_WAY {
        let Some((list, pattern)) = next_obstacle(model, &row.key) else { break };
        let at = model.patterns(&list).len();
        let edit = PolicyEdit::Add { list: list.clone(), at, text: pattern.clone() };
        if model.apply_edit(&edit).is_err() {
            break;
        }
        model.seat.history.join_last();
        added.push(format!("{pattern:?} is in {}", list.list));
    }
    let risk = known(model, &row.key).map(|(annotation, _)| annotation.risk);
    let risk = risk.map_or(String::new(), |risk| format!("; {}: {}", risk.as_str(), risk.describe()));
    let left = model.evaluation.verdicts.iter().find(|v| v.key == row.key).and_then(|verdict| {
        let stands = matches!(verdict.status, Status::Refused | Status::Ignored | Status::Unknown);
        stands.then(|| format!("; still {}: {}", verdict.status.as_str(), verdict.reason()))
    });
    let left = left.unwrap_or_else(|| comes_to(&before, &model.evaluation.outcome));
    let keys =
        [key_of(model, Command::Undo, "takes it back"), key_of(model, Command::Save, "saves")].concat();
    model.say(format!("{} (in memory){risk}{left}{keys}", added.join(", ")));
    show_entry(model, &list, &pattern);
}

/// What becomes of the pod now, where it was refused or is.
fn comes_to(before: &Outcome, now: &Outcome) -> String {
    match (before.failure(), now.failure()) {
        (None, None) => String::new(),
        (Some(_), None) => "; the pod starts now".to_owned(),
        (before, Some(failure)) => {
            let word = if before.is_some() { "still" } else { "now" };
            let because = failure.annotation.as_deref().map(|key| format!("because of {}", short(key)));
            let because = because.unwrap_or_else(|| format!("at {}", failure.stage.as_str()));
            format!("; the pod is {word} refused, {because}")
        }
    }
}

/// The lists that can stand in one annotation's way: of names and of values.
const LISTS_IN_ITS_WAY: usize = 3;

/// The list that stands in the way of an annotation of the pod now.
fn next_obstacle(model: &Model, key: &str) -> Option<(ListId, String)> {
    let verdict = model.evaluation.verdicts.iter().find(|v| v.key == key)?;
    let open = matches!(verdict.status, Status::Refused | Status::Ignored);
    match verdict.fix.as_deref().filter(|_| open)? {
        Fix::Allow { list, pattern } if !model.patterns(list).contains(pattern) => {
            Some((list.clone(), pattern.clone()))
        }
        _ => None,
    }
}

/// The exact pattern for an annotation that the pod does not set, where its name is not allowed yet.
fn name_needed(model: &Model, key: &str) -> Option<(ListId, String)> {
    let (annotation, reader) = known(model, key)?;
    if reader.gate == Gate::None {
        return None;
    }
    let name = annotation.short()?;
    let list = ListId::new(format!("hypervisor.{}", model.seat.current.hypervisor()?), "enable_annotations");
    let gate =
        crate::policy::names::NameGate::new(model.seat.current.setup().release, &model.patterns(&list));
    gate.allows(name).is_none().then(|| (list, format!("^{name}$")))
}
