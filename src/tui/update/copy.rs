//! Taking things out: copies, whole values, the same answer as a command, the editor.

use super::what_if::quoted;
use crate::tui::effect::Effect;
use crate::tui::message::Command;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::rows::Body;
use crate::tui::model::{Model, Screen};

pub(super) fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Copy => match choices(model).into_iter().next() {
            Some((what, text)) => return vec![Effect::Copy { text, what }],
            None => model.complain("nothing to copy here"),
        },
        Command::CopyMenu => model.dialogs.push(Dialog::CopyMenu { items: choices(model), at: 0 }),
        Command::CopyCommand => {
            return vec![Effect::Copy { text: as_command(model), what: "the command".into() }];
        }
        Command::Whole => match choices(model).into_iter().next() {
            Some((what, text)) => model.dialogs.push(Dialog::text(what, &text)),
            None => model.complain("nothing is selected"),
        },
        _ => {}
    }
    Vec::new()
}

/// What can be copied of the selected row, the most likely first.
fn choices(model: &Model) -> Vec<(String, String)> {
    let mut items: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, text: String| items.push((what.to_owned(), text));
    match model.rows.current().map(|r| &r.body) {
        Some(Body::Annotation(row)) => {
            if let Some(verdict) = model.selected_verdict() {
                add("value", verdict.value.clone());
                add("YAML line", format!("{}: {}", row.key, quoted(&verdict.value)));
            }
            add("key", row.key.clone());
            if let Some(verdict) = model.selected_verdict() {
                add("reason", verdict.reason.clone());
                if let Some(fix) = &verdict.fix {
                    add("fix", fix.to_string());
                }
            }
        }
        Some(Body::Pod(index)) => {
            if let Some(entry) = model.pods.get(*index) {
                add("pod", entry.pod.id());
            }
            if let Some(summary) = model.sweep.get(*index)
                && let Some((_, message)) = &summary.refused
            {
                add("message", message.to_string());
            }
        }
        Some(Body::Heading(_)) | None => {}
    }
    if let Some((path, line)) = place(model) {
        add("place", format!("{path}:{line}"));
    }
    add("command", as_command(model));
    items
}

/// The command that prints what this screen shows.
fn as_command(model: &Model) -> String {
    let mut words = model.words.clone();
    let subject: &[&str] = match model.screen {
        Screen::Annotations => &["show", "annotations"],
        Screen::Policy => &["policy", "audit"],
        Screen::Launch => &["show", "launch"],
        Screen::Agent => &["show", "agent"],
        Screen::Config => &["show", "config"],
        Screen::Pods => &["check"],
    };
    let one_pod = !matches!(model.screen, Screen::Policy | Screen::Pods);
    words.splice(1..1, subject.iter().map(|w| (*w).to_owned()));
    if one_pod && let Some(entry) = model.pods.get(model.pod).filter(|_| model.pods.len() > 1) {
        words.extend(["--pod".to_owned(), entry.pod.id()]);
    }
    words.iter().map(|w| shell_word(w)).collect::<Vec<_>>().join(" ")
}

/// One word as a shell reads it.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// File and line of what is selected.
fn place(model: &Model) -> Option<(String, u32)> {
    match &model.rows.current()?.body {
        Body::Annotation(row) => {
            let annotation = model.tried.annotations.iter().find(|a| a.key == row.key)?;
            Some((annotation.place.file.to_string(), annotation.place.line))
        }
        Body::Pod(index) => {
            let place = model.pods.get(*index)?.pod.place();
            Some((place.file.to_string(), place.line))
        }
        Body::Heading(_) => None,
    }
}

pub(super) fn editor(model: &mut Model) -> Vec<Effect> {
    if model.sample {
        model.complain("the sample lies in this program; name files of yours to edit them");
        return Vec::new();
    }
    let (path, line) = place(model).unwrap_or_else(|| (model.current.setup().layers.asked.to_string(), 0));
    vec![Effect::Editor { path, line }]
}
