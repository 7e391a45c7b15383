//! Whether a command can do anything here, and the sentence that says why not.

use crate::answer::verdict::Fix;
use crate::evaluate;
use crate::tui::message::Command;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::row::Body;
use crate::tui::model::{Model, Screen};
use crate::tui::update::config_keys;

/// Why `command` does nothing now; `None`: it does something.
pub fn reason_against(model: &Model, command: Command) -> Option<String> {
    let on_annotation = || matches!(model.rows.current().map(|r| &r.body), Some(Body::Annotation(_)) if model.screen == Screen::Annotations);
    let here = || model.rows.current().map(|r| &r.body);
    let on_list = || matches!(here(), Some(Body::List(_) | Body::Pattern(_)));
    let on_pattern = || matches!(here(), Some(Body::Pattern(_)));
    let no = |text: &str| Some(text.to_owned());
    match command {
        Command::NextPod | Command::PrevPod if model.pods.len() < 2 => no("there is no other pod"),
        Command::Go(Screen::Nodes) if model.nodes.is_none() => {
            no("one node is looked at; --node, given several times, holds pods against several")
        }
        Command::CycleRows if model.screen == Screen::Live && model.live.opened.is_none() => {
            no("all VMs are shown; of an open one fewer arguments can be")
        }
        Command::Initdata if !evaluate::initdata::is_brought(&model.tried) => {
            no("the pod brings no initialization data (cc_init_data)")
        }
        Command::JumpBack if model.jumps.is_empty() => no("there is nowhere to go back to"),
        Command::JumpForward if model.forward.is_empty() => no("there is nowhere to go forward to"),
        Command::TryValue if !on_annotation() => no("only an annotation's value can be tried, on screen 1"),
        Command::TryValue | Command::MarkBaseline if model.pods.is_empty() => no("there is no pod"),
        Command::Mark if !matches!(here(), Some(Body::Pod(_) | Body::PodOnNodes(_) | Body::Group(_))) => {
            no("there is no pod")
        }
        Command::MarkAll if model.rows.kept == 0 => no("there is no pod"),
        Command::ListMarked | Command::CompareMarked if model.marks.is_empty() => {
            no("no pod is marked; space marks")
        }
        Command::CompareMarked if matches!(here(), Some(Body::Group(_))) => {
            no("this is a group; Enter unfolds it, and the cursor chooses the pod")
        }
        Command::CompareMarked
            if model.marks.len() == 1 && model.marked() == Some(model.pod_under_cursor()) =>
        {
            no("this is the marked pod itself; go to the one to compare with it, or mark that, too")
        }
        Command::DropTry if !on_annotation() => no("only an annotation's trial can be dropped, on screen 1"),
        Command::DropTry if !matches!(model.rows.current().map(|r| &r.body), Some(Body::Annotation(a)) if a.tried) => {
            no("nothing is tried on this annotation")
        }
        Command::AddPattern
        | Command::EditPattern
        | Command::DeletePattern
        | Command::DuplicatePattern
        | Command::MovePatternUp
        | Command::MovePatternDown
        | Command::EditKey
        | Command::RemoveKey
        | Command::Allow
            if model.readonly.is_some() =>
        {
            model.readonly.clone()
        }
        Command::EditKey | Command::RemoveKey => config_keys::reason_against(model),
        Command::AddPattern if !on_list() => no("only lists take patterns, on screen 2"),
        Command::EditPattern if !on_list() => no("only patterns are edited, on screen 2"),
        Command::DeletePattern
        | Command::DuplicatePattern
        | Command::MovePatternUp
        | Command::MovePatternDown
            if !on_pattern() =>
        {
            no("no pattern is selected; they are on screen 2")
        }
        Command::Allow if !on_annotation() => no("no annotation is selected; they are on screen 1"),
        Command::Suggest if model.pods.is_empty() => no("a suggestion is for pods, and there is none"),
        Command::Suggest if model.seat.current.loaded().is_err() => no("the configuration does not load"),
        Command::Edits if model.seat.history.depth().0 == 0 => no("nothing was changed"),
        Command::Allow => no_list_against(model),
        Command::Undo if model.seat.history.depth().0 == 0 => no("nothing was changed"),
        Command::Redo if model.seat.history.depth().1 == 0 => no("nothing was taken back"),
        Command::Save | Command::SaveAndQuit if model.readonly.is_some() => model.readonly.clone(),
        Command::Save if model.unsaved() == 0 => no("nothing to save: no policy edit is unsaved"),
        Command::Reapply | Command::TakeTheirs
            if matches!(model.dialogs.last(), Some(Dialog::Conflict { theirs: None, .. })) =>
        {
            no("the file is gone; k writes it anew, Esc leaves it so")
        }
        Command::Origin | Command::ToLaunch if model.rows.current().is_none() => no("nothing is selected"),
        Command::AsIf if model.shown_as().is_none() => {
            no("only what a refused pod would be given is supposed, on screens 3, 4 and 5")
        }
        Command::Fold if model.screen == Screen::Pods && model.arrangement.group.is_none() => {
            no("the pods are not grouped; b groups them")
        }
        Command::ExportTry if model.trying() == 0 => no("no value is tried; e on an annotation tries one"),
        Command::NextHit | Command::PrevHit => match model.dialogs.last() {
            Some(Dialog::Text { search, .. }) if search.is_empty() => no("nothing is searched; / searches"),
            None if model.list().search.is_empty() => no("nothing is searched; / in the detail searches"),
            _ => None,
        },
        _ => None,
    }
}

/// Why there is nothing to allow for the selected annotation.
fn no_list_against(model: &Model) -> Option<String> {
    if model.seat.current.hypervisor().is_none() {
        return Some("the configuration does not load, so its lists decide nothing".into());
    }
    match (model.selected_verdict(), model.rows.current().map(|r| &r.body)) {
        (Some(verdict), _) => match verdict.fix.as_deref() {
            Some(Fix::Allow { .. }) => None,
            Some(other) => Some(format!("no list stands in its way; {other}")),
            None => Some("no list stands in its way".into()),
        },
        (None, Some(Body::Annotation(row))) if row.allowed != Some(false) => {
            Some("no list stands in its way".into())
        }
        _ => None,
    }
}
