//! Saying otherwise what the files say of limits, the handler or the host: Enter shows what comes of it, Enter once
//! more reads everything so.

use std::rc::Rc;

use super::commands::shell_line;
use super::openings;
use crate::diff::evaluation::Differences;
use crate::evaluate::node::NodeEvaluator;
use crate::input::manifest::Pod;
use crate::runtime::Depth;
use crate::tui::effect::Effect;
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::foresight::Foresight;
use crate::tui::model::openings::words;
use crate::tui::model::otherwise::{Consequence, Otherwise};
use crate::tui::model::pods::{Sweep, entries};
use crate::tui::widget::line::Line;

/// Differences that are shown of one pod.
const SHOWN: usize = 12;

pub(super) fn start(model: &mut Model) {
    let (mut form, rest) = Otherwise::of(model);
    if let Some(last) = form.fields.last_mut() {
        last.line = Line::with(shell_line(&rest));
    }
    model.dialogs.push(Dialog::Otherwise(Box::new(form)));
}

pub(super) fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    if command == Command::Open {
        return enter(model);
    }
    let Some(Dialog::Otherwise(form)) = model.dialogs.last_mut() else { return Vec::new() };
    let last = form.fields.len().saturating_sub(1);
    form.at = match command {
        Command::Up | Command::PrevPane => form.at.checked_sub(1).unwrap_or(last),
        Command::Down | Command::NextPane => (form.at + 1) % (last + 1),
        _ => form.at,
    };
    Vec::new()
}

/// The words that open what is open, with these said otherwise.
fn opening(model: &Model, said: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let mut here = words(&openings::here(model)).unwrap_or_default().into_iter();
    while let Some(word) = here.next() {
        match word == "--set" {
            true => drop(here.next()),
            false => all.push(word),
        }
    }
    all.extend(said.iter().flat_map(|word| ["--set".to_owned(), word.clone()]));
    all
}

fn enter(model: &mut Model) -> Vec<Effect> {
    let unsaved = model.unsaved() + model.unsaved_elsewhere();
    let Some(Dialog::Otherwise(form)) = model.dialogs.last() else { return Vec::new() };
    let kept = form.is_current();
    let said = match form.words() {
        Ok(_) if unsaved > 0 => {
            Err("edits are not saved, and everything would be read again: save or take back \
                                     first"
                .to_owned())
        }
        said => said.map_err(|why| why.to_string()),
    };
    match said {
        Ok(said) if kept => return vec![Effect::OpenInstead { words: opening(model, &said), keep: true }],
        Ok(said) => return vec![Effect::Suppose { words: opening(model, &said) }],
        Err(why) => failed(model, why),
    }
    Vec::new()
}

/// It cannot be said.
pub(super) fn failed(model: &mut Model, why: String) {
    if let Some(Dialog::Otherwise(form)) = model.dialogs.last_mut() {
        form.error = Some(why);
    }
}

/// Everything was read as it is said to be.
pub(super) fn supposed(model: &mut Model, node: NodeEvaluator, pods: Vec<Pod>) {
    let pods = entries(pods, &node);
    let after = match model.counterpart(&pods) {
        Some(pod) => Some(node.evaluate(pod, Depth::Full)),
        None => node.policies().next().map(|(_, policy)| policy.evaluate(&Pod::bare(), Depth::Full)),
    };
    let foresight = after.map(|after| {
        Rc::new(Foresight::of(&Differences::between(&model.evaluation, &after), after.outcome, SHOWN))
    });
    // Outcomes are held against each other pod by pod.
    let same = pods.len() == model.pods.len() && pods.iter().zip(&model.pods).all(|(a, b)| a.id == b.id);
    let sweep = Sweep::new(if same { pods.len() } else { 0 });
    if let Some(Dialog::Otherwise(form)) = model.dialogs.last_mut()
        && let Ok(words) = form.words()
    {
        form.error = None;
        form.found = Some(Consequence { words, node, pods, foresight, sweep });
    }
}
