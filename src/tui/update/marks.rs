//! Keys of marked pods.

use super::motion;
use crate::report::counted::counted;
use crate::tui::geometry::Geometry;
use crate::tui::message::Command;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::{Baseline, Model, Pane, Screen};

pub(super) fn obey(model: &mut Model, geometry: &Geometry, command: Command) {
    match command {
        Command::Mark => {
            model.toggle_marks();
            let said = words(model);
            // As file managers do: the next one is marked by the same key.
            if model.pane == Pane::List {
                motion::go(model, geometry, Command::Down);
            }
            model.say(said);
        }
        Command::MarkAll => {
            model.toggle_all_marks();
            let said = words(model);
            model.say(said);
        }
        Command::CompareMarked => compare(model),
        Command::ListMarked => {
            let title = format!("{} marked", count(model));
            let text = model.marked_table();
            model.dialogs.push(Dialog::text(title, &text));
        }
        _ => {}
    }
}

fn count(model: &Model) -> String {
    counted(model.marks.len(), "pod")
}

/// What is marked, and what it is good for.
fn words(model: &Model) -> String {
    let key = |command| {
        let chord = model.keymap.chord_for(&model.layers(), command);
        chord.map_or_else(|| "a command".to_owned(), |chord| chord.to_string())
    };
    let (compare, list) = (key(Command::CompareMarked), key(Command::ListMarked));
    match model.marks.len() {
        0 => "no pod is marked".to_owned(),
        1 => format!("1 pod is marked: {compare} compares the one under the cursor with it, {list} lists it"),
        many => {
            let compares = match many {
                2 => "compares them",
                _ => "compares the one under the cursor with the last",
            };
            format!(
                "{many} pods are marked: {compare} {compares}, {list} lists them; what is tried on one of them on \
                 screen 1 is tried on all"
            )
        }
    }
}

/// The pod under the cursor against the marked one; from the marked one itself, against the other. Two that are
/// marked are compared wherever the cursor is.
fn compare(model: &mut Model) {
    let under = model.pod_under_cursor();
    let pod = match model.marks.first() {
        Some(first) if model.marks.len() == 2 && !model.marks.contains(&under) => *first,
        _ => under,
    };
    motion::remember(model);
    motion::to_pod(model, pod);
    model.baseline = Baseline::Marked;
    model.compared = None;
    super::go_to(model, Screen::Launch);
    model.rebuild_rows();
    let against = model.baseline_words();
    let key = model.keymap.chord_for(&model.layers(), Command::Go(Screen::Agent));
    let agent = key.map_or_else(|| "screen 4".to_owned(), |key| key.to_string());
    model.say(format!("compared with {against}; {agent} compares what the guest is told"));
}
