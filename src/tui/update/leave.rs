//! Quitting, and what becomes of unsaved edits.

use super::save;
use crate::tui::effect::Effect;
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::dialog::Dialog;

/// The unsaved edits as a patch.
pub(super) fn patch(model: &Model) -> Option<String> {
    model.whole_patch()
}

pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    if !asks(model) {
        return vec![Effect::Quit { patch: None }];
    }
    model.dialogs.push(Dialog::Quit);
    Vec::new()
}

pub(super) fn interrupt(model: &mut Model) -> Vec<Effect> {
    if !asks(model) {
        return vec![Effect::Quit { patch: None }];
    }
    model.interrupted = true;
    if !matches!(model.dialogs.last(), Some(Dialog::Quit)) {
        model.dialogs.push(Dialog::Quit);
    }
    Vec::new()
}

/// Nobody wants to be asked about the sample.
fn asks(model: &Model) -> bool {
    let here = model.unsaved() > 0 && !model.kept;
    (here || model.unsaved_elsewhere() > 0) && !model.sample
}

/// Shows what would be written; once it is, the program ends.
pub(super) fn save_and_quit(model: &mut Model) -> Vec<Effect> {
    if model.unsaved() == 0 && !model.look_at_unsaved() {
        return vec![Effect::Quit { patch: None }];
    }
    model.quitting = true;
    save::open(model);
    Vec::new()
}

/// The answer to the question.
pub(super) fn answer(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::DiscardAndQuit => return vec![Effect::Quit { patch: None }],
        Command::SaveAndQuit => {
            model.dialogs.pop();
            return save_and_quit(model);
        }
        _ => {}
    }
    Vec::new()
}
