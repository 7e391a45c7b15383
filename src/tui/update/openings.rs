//! Opening another node, configuration, manifest or handler in place of this one, or to compare with; and what the
//! other commands of the command line say of what is looked at.

use super::commands::{shell_line, shell_word};
use crate::explain::explain;
use crate::report::text::Paint;
use crate::report::{explanation, policy as report};
use crate::suggest;
use crate::tui::effect::Effect;
use crate::tui::message::Command;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::openings::{Purpose, words};
use crate::tui::model::row::Body;
use crate::tui::model::{Baseline, Input, Model};

/// The words that open what is open.
pub(in crate::tui) fn here(model: &Model) -> String {
    let mut said = model.invocation.clone();
    let places = std::mem::take(&mut said.places);
    if places.len() > 1 {
        said.place = None;
    }
    let release = said.release.unwrap_or(model.seat.current.setup().release);
    let mut all = said.pods(&[], release, None);
    if places.len() > 1 {
        all.extend(places.into_iter().flat_map(|place| ["--node".to_owned(), place]));
    }
    shell_line(all.get(1..).unwrap_or_default())
}

pub(super) fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::OpenOther => start(model, Purpose::Instead),
        Command::CompareWith => start(model, Purpose::Compare),
        Command::Bookmark => return bookmark(model),
        Command::Explain => explained(model),
        Command::Suggest => suggested(model),
        _ => {}
    }
    Vec::new()
}

fn start(model: &mut Model, purpose: Purpose) {
    let line = model.input(here(model), Input::Opening);
    model.dialogs.push(Dialog::Opening { purpose, line, at: None, error: None });
}

/// Up and down: what was opened before takes the place of what is typed.
pub(super) fn choose(model: &mut Model, command: Command) {
    let offered: Vec<String> = model.openings.offered().iter().map(|(_, line)| (*line).to_owned()).collect();
    let Some(Dialog::Opening { line, at, .. }) = model.dialogs.last_mut() else { return };
    let next = match (command, *at) {
        (Command::Up, None | Some(0)) => None,
        (Command::Up, Some(before)) => Some(before - 1),
        (_, None) => Some(0),
        (_, Some(before)) => Some((before + 1).min(offered.len().saturating_sub(1))),
    };
    *at = next.filter(|at| *at < offered.len());
    if let Some(text) = at.and_then(|at| offered.get(at)) {
        line.clear();
        line.insert(text);
    }
}

/// Enter: it is opened.
pub(super) fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(Dialog::Opening { purpose, line, error, .. }) = model.dialogs.last_mut() else {
        return Vec::new();
    };
    let (purpose, text) = (*purpose, line.text().to_owned());
    let Some(all) = words(&text) else {
        *error = Some("a quotation mark has no end".into());
        return Vec::new();
    };
    if purpose == Purpose::Compare {
        return vec![Effect::OpenBeside { words: all }];
    }
    let unsaved = if model.kept { 0 } else { model.unsaved() } + model.unsaved_elsewhere();
    if unsaved > 0 {
        let edits = if unsaved == 1 { "1 edit is".to_owned() } else { format!("{unsaved} edits are") };
        if let Some(Dialog::Opening { error, .. }) = model.dialogs.last_mut() {
            *error = Some(format!("{edits} not saved: save or take back first"));
        }
        return Vec::new();
    }
    vec![Effect::OpenInstead { words: all, keep: false }]
}

/// It could not be opened: the window stays, and says why.
pub(super) fn failed(model: &mut Model, why: String) {
    match model.dialogs.last_mut() {
        Some(Dialog::Opening { error, .. }) => *error = Some(why),
        _ => model.complain(why),
    }
}

/// What is compared with from now on.
pub(super) fn beside(model: &mut Model, name: String, node: crate::evaluate::node::NodeEvaluator) {
    model.dialogs.retain(|dialog| !matches!(dialog, Dialog::Opening { .. }));
    model.say(format!("launch and agent are compared with {name}; b compares with something else"));
    model.elsewhere = Some((name, node));
    model.baseline = Baseline::Elsewhere;
    model.compared = None;
    model.rebuild_rows();
}

fn bookmark(model: &mut Model) -> Vec<Effect> {
    let mut line = here(model);
    // The pod that is looked at is a part of the place.
    if model.invocation.pod.is_none()
        && model.pods.len() > 1
        && let Some(entry) = model.pods.get(model.pod)
    {
        let separator = if line.is_empty() { "" } else { " " };
        line = format!("{line}{separator}--pod {}", shell_word(&entry.pod.id()));
    }
    let kept = model.openings.toggle(&line);
    model.say(if kept { format!("kept: {line}; F offers it") } else { format!("no longer kept: {line}") });
    vec![Effect::Remember]
}

/// What `explain` says of what is selected.
fn explained(model: &mut Model) {
    let name = match model.rows.current().map(|row| &row.body) {
        Some(Body::Annotation(row)) => Some(row.key.clone()),
        Some(Body::Key(row)) => Some(row.key.rsplit('.').next().unwrap_or(&row.key).to_owned()),
        Some(Body::List(row)) => Some(row.id.list.to_string()),
        Some(Body::Pattern(row)) => Some(row.list.list.to_string()),
        Some(Body::Change(row)) => {
            row.keys.first().map(|key| key.rsplit('.').next().unwrap_or(key).to_owned())
        }
        _ => None,
    };
    let message = model.evaluation.outcome.failure().map(|failure| failure.message.clone());
    let Some(name) = name.or(message) else {
        model
            .complain("nothing is selected that explain knows: an annotation, a key, an argument, a refusal");
        return;
    };
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = explanation::text(&mut out, &explain(&name), &|_, _| None, Paint { color: false });
    let text = String::from_utf8_lossy(&out).into_owned();
    model.dialogs.push(Dialog::text("In every release", &text));
}

/// What `policy suggest` says of these pods.
fn suggested(model: &mut Model) {
    let Some(hypervisor) = crate::audit::active(&model.seat.current) else {
        model.complain("the configuration has no hypervisor's table");
        return;
    };
    let indices =
        (0..model.pods.len()).filter(|i| model.pods.get(*i).is_some_and(|e| model.is_judged_here(e)));
    let pods: Vec<_> = indices.filter_map(|i| model.with_trials(i)).collect();
    let mut out = Vec::new();
    match suggest::propose(&model.seat.current, &hypervisor, &pods) {
        Ok(proposed) => {
            let proposal = report::Proposal {
                pods: &pods,
                suggestion: &proposed.suggestion,
                unused: &proposed.unused,
                diff: &proposed.diff,
            };
            let _ = report::proposal(&mut out, &proposal, Paint { color: false });
        }
        Err(error) => {
            model.complain(error.to_string());
            return;
        }
    }
    let text = String::from_utf8_lossy(&out).into_owned();
    model.dialogs.push(Dialog::text("The tightest lists for these pods", &text));
}
