//! Going from one thing to what it comes from or leads to.

use super::{go_to, motion};
use crate::answer::effective::Origin;
use crate::tui::model::annotations::{field_of, known};
use crate::tui::model::dialog::Dialog;
use crate::tui::model::find::Hit;
use crate::tui::model::row::Body;
use crate::tui::model::{Input, Model, Screen, Show, find};

/// Opens the window that finds anything.
pub(super) fn open_find(model: &mut Model) {
    let all: Vec<Hit> = find::everything(model);
    let found = find::hits(&all, "");
    let line = model.input("", Input::Find);
    model.dialogs.push(Dialog::Find { line, all: all.into(), found, at: 0 });
}

/// Goes to a row of a screen; a filter that hides it is cleared.
pub(super) fn go(model: &mut Model, screen: Screen, row: &str, pod: Option<usize>) {
    motion::remember(model);
    if let Some(pod) = pod {
        motion::to_pod(model, pod);
    }
    go_to(model, screen);
    let list = model.list_mut();
    list.selected = Some(row.into());
    list.scroll = 0;
    let there = |model: &Model| model.row_of(row).is_some();
    model.rebuild_rows();
    if !there(model) {
        let list = model.list_mut();
        list.filter.clear();
        list.show = Show::All;
        model.rebuild_rows();
    }
}

/// Goes to the row of a launch or agent screen that `test` names; whether there is one.
fn go_to_change(model: &mut Model, screen: Screen, test: impl Fn(&Body) -> bool) -> bool {
    let (from, was_folded) = (model.screen, model.folded);
    let pane = model.pane;
    let spot = model.spot();
    go_to(model, screen);
    let find = |model: &Model| model.rows.shown.iter().find(|r| test(&r.body)).map(|r| r.id.clone());
    let mut found = find(model);
    if found.is_none() {
        model.folded = false;
        let list = model.list_mut();
        list.filter.clear();
        model.rebuild_rows();
        found = find(model);
    }
    match found {
        Some(id) => {
            model.jumps.push(spot);
            model.forward.clear();
            model.list_mut().selected = Some(id);
            model.list_mut().scroll = 0;
            model.place_cursor();
            true
        }
        None => {
            model.folded = was_folded;
            go_to(model, from);
            model.pane = pane;
            false
        }
    }
}

/// Goes to a hit.
pub(super) fn to_hit(model: &mut Model, hit: &Hit) {
    match hit.screen {
        Screen::Launch | Screen::Agent => {
            let text = hit.row.to_string();
            let there = |body: &Body| matches!(body, Body::Change(c) if c.text.candidate.split(' ').any(|w| *w == text) || c.text.candidate == text);
            if !go_to_change(model, hit.screen, there) {
                go_to(model, hit.screen);
            }
        }
        screen => {
            let row = hit.row.clone();
            go(model, screen, &row, hit.pod);
        }
    }
}

/// To what the selected row comes from.
pub(super) fn origin(model: &mut Model) {
    match model.rows.current().map(|r| r.body.clone()) {
        Some(Body::Change(row)) => {
            let Some(key) = row.keys.first() else {
                let rule =
                    if row.cause.rule.is_empty() { "a constant of the runtime" } else { &row.cause.rule };
                model.say(format!("no key decides this: {rule}"));
                return;
            };
            to_key(model, key);
        }
        Some(Body::Key(row)) => match &row.value.origin {
            Origin::Annotation(key) => go(model, Screen::Annotations, key, None),
            Origin::File(place) => model.say(format!("{place}; E opens it there")),
            Origin::Default => model.say("no file and no annotation sets it: the runtime's own default"),
            Origin::Derived(rule) => model.say(format!("the runtime computes it: {rule}")),
        },
        Some(Body::Annotation(row)) => {
            let field = model
                .selected_verdict()
                .and_then(|v| v.field.as_ref().map(ToString::to_string))
                .or_else(|| known(model, &row.key).and_then(|(_, r)| field_of(model, r)));
            match field {
                Some(field) if model.shown().effective.as_ref().is_some_and(|e| e.get(&field).is_some()) => {
                    go(model, Screen::Config, &field, None);
                }
                Some(field) => model.say(format!("it sets {field}, which this pod does not get to")),
                None => model.say("it sets no configuration key"),
            }
        }
        _ => {}
    }
}

/// To a configuration key, or to the annotation that sets it.
fn to_key(model: &mut Model, key: &str) {
    let found = model.shown().effective.as_ref().and_then(|e| e.get(key)).map(|v| v.origin.clone());
    match found {
        Some(Origin::Annotation(annotation)) => go(model, Screen::Annotations, &annotation, None),
        Some(_) => go(model, Screen::Config, key, None),
        None => model.say(format!("{key} is no key that this runtime reads")),
    }
}

/// From an annotation or a key to the argument or parameter that it becomes.
pub(super) fn to_launch(model: &mut Model) {
    let key = match model.rows.current().map(|r| &r.body) {
        Some(Body::Annotation(row)) => model
            .selected_verdict()
            .and_then(|v| v.field.as_ref().map(ToString::to_string))
            .or_else(|| known(model, &row.key).and_then(|(_, r)| field_of(model, r))),
        Some(Body::Key(row)) => Some(row.key.clone()),
        _ => None,
    };
    let Some(key) = key else {
        model.say("it sets no configuration key");
        return;
    };
    let there = |body: &Body| matches!(body, Body::Change(c) if c.keys.contains(&key));
    if !go_to_change(model, Screen::Launch, there) && !go_to_change(model, Screen::Agent, there) {
        model.say(format!("no argument and no parameter comes from {key}"));
    }
}
