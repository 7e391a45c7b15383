//! The screen of the VMs that run: looking for them, opening one, and what is pasted there.

use crate::report::beside::{Beside, Runs};
use crate::report::counted::counted;
use crate::tui::effect::Effect;
use crate::tui::model::live::{Live, Place, Seen};
use crate::tui::model::row::Body;
use crate::tui::model::{Model, Pane, Screen};

/// The most of a paste that is read.
const PASTE: usize = 4 << 20;

/// Looks at the machine when the screen is seen for the first time.
pub(super) fn arrive(model: &mut Model) -> Option<Effect> {
    let first = model.screen == Screen::Live && model.live.place == Place::Nowhere;
    first.then(|| look(model))
}

/// Looks at the machine.
pub(super) fn look(model: &mut Model) -> Effect {
    model.live = Live { place: Place::Here, ..Live::default() };
    Effect::Look
}

/// What was found on the machine.
pub(super) fn looked(model: &mut Model, found: Result<Vec<Seen>, String>) {
    model.live = match found {
        Ok(vms) => Live { vms, opened: None, place: Place::Here },
        Err(why) => Live { place: Place::Unseen(why), ..Live::default() },
    };
    model.pane = if model.screen == Screen::Live { Pane::List } else { model.pane };
    model.rebuild_rows();
}

/// Process lines that were pasted.
pub(super) fn pasted(model: &mut Model, text: &str) {
    if text.len() > PASTE {
        model.complain("the paste is too long; save it to a file: diff --with running=FILE");
        return;
    }
    let live = Live::of_text(Runs::read(text));
    if live.vms.is_empty() {
        model.complain("no process line of a VM in what was pasted");
        return;
    }
    let one = live.vms.len() == 1;
    model.live = live;
    model.pane = Pane::List;
    model.rebuild_rows();
    if one {
        open_vm(model, 0);
    } else {
        model.say(format!("{} in what was pasted", counted(model.live.vms.len(), "VM")));
    }
}

/// Opens the VM under the cursor; an argument of an open one is read in the detail.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    match model.rows.current().map(|row| &row.body) {
        Some(Body::Vm(index)) => {
            let index = *index;
            open_vm(model, index).into_iter().collect()
        }
        Some(_) => {
            model.pane = Pane::Detail;
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn open_vm(model: &mut Model, index: usize) -> Option<Effect> {
    if let Some(own) = model.beside_of_text(index) {
        // The pod in sight may be another by now.
        opened(model, index, own.map_err(|why| why.to_string()));
        return None;
    }
    match model.live.vms.get(index).and_then(|seen| seen.beside.clone()) {
        Some(Ok(beside)) => {
            opened(model, index, Ok(beside));
            None
        }
        _ => {
            let sandbox = model.live.vms.get(index)?.sandbox.clone()?;
            Some(Effect::Beside { vm: index, sandbox })
        }
    }
}

/// A VM was held against its prediction.
pub(super) fn opened(model: &mut Model, index: usize, beside: Result<Beside, String>) {
    let Some(seen) = model.live.vms.get_mut(index) else { return };
    seen.beside = Some(beside.clone());
    match beside {
        Ok(beside) => {
            model.live.opened = Some(index);
            model.pane = Pane::List;
            let list = model.list_mut();
            list.selected = None;
            list.filter.clear();
            list.scroll = 0;
            model.rebuild_rows();
            let differs = beside.rows.iter().position(|row| row.verdict.differs());
            let row = differs.and_then(|at| {
                model.rows.shown.iter().position(|r| matches!(r.body, Body::Argument(own) if own == at))
            });
            model.select(row);
        }
        Err(why) => {
            model.complain(why);
            model.rebuild_rows();
        }
    }
}

/// Back from the open VM to the list; whether there was one.
pub(super) fn close(model: &mut Model) -> bool {
    if model.screen != Screen::Live {
        return false;
    }
    let Some(index) = model.live.opened.take() else { return false };
    model.list_mut().selected = None;
    model.rebuild_rows();
    let row = model.rows.shown.iter().position(|r| matches!(r.body, Body::Vm(own) if own == index));
    model.select(row);
    true
}
