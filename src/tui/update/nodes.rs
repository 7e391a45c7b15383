//! The screen of several nodes: its cursor, and opening another node.

use super::{go_to, motion};
use crate::edit::History;
use crate::tui::effect::{Effect, Fresh};
use crate::tui::model::pods::{Sweep, entries};
use crate::tui::model::row::Body;
use crate::tui::model::{Model, Pane, Screen};

/// The node to the left or to the right; whether this was the place for it.
pub(super) fn step(model: &mut Model, by: isize) -> bool {
    if model.screen != Screen::Nodes || model.pane != Pane::List {
        return false;
    }
    if let Some(nodes) = &mut model.nodes {
        nodes.step(by);
    }
    model.list_mut().scroll = 0;
    true
}

/// Goes to the pod under the cursor on the node under the cursor.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(Body::PodOnNodes(pod)) = model.rows.current().map(|row| &row.body) else { return Vec::new() };
    let pod = *pod;
    let Some(nodes) = &model.nodes else { return Vec::new() };
    let (node, opened) = (nodes.at, nodes.opened);
    if node == opened {
        show(model, pod);
        return Vec::new();
    }
    let here = if model.kept { 0 } else { model.unsaved() };
    let unsaved = here + model.unsaved_elsewhere();
    if unsaved > 0 {
        let edits = if unsaved == 1 { "1 edit is".to_owned() } else { format!("{unsaved} edits are") };
        let name = model.nodes.as_ref().map_or("", |nodes| nodes.name(opened)).to_owned();
        model.complain(format!("{edits} not saved on {name}: save or take back first"));
        return Vec::new();
    }
    vec![Effect::OpenNode { node, pod }]
}

fn show(model: &mut Model, pod: usize) {
    model.select(model.rows.cursor);
    motion::remember(model);
    motion::to_pod(model, pod);
    go_to(model, Screen::Annotations);
    model.select_problem();
}

/// Another node takes the place of the one that was opened; pods, marks and trials stay.
pub(super) fn opened(model: &mut Model, node: usize, pod: usize, fresh: Result<Fresh, String>) {
    let fresh = match fresh {
        Ok(fresh) => fresh,
        Err(text) => {
            model.complain(text);
            return;
        }
    };
    let Some(nodes) = &mut model.nodes else { return };
    nodes.opened = node;
    nodes.at = node;
    let name = nodes.name(node).to_owned();
    model.invocation.place = model.invocation.places.get(node).cloned();
    model.node = fresh.node;
    model.upgrade = None;
    let pods = model.pods.iter().map(|entry| (*entry.pod).clone()).collect();
    model.pods = entries(pods, &model.node);
    model.arrangement.made_for = None;
    model.pod = pod.min(model.pods.len().saturating_sub(1));
    let (handler, evaluator) = crate::tui::model::handlers::first(&model.node, model.pods.get(model.pod));
    model.handler = handler;
    model.seats.clear();
    model.seat.history = History::of(&evaluator.setup().layers);
    model.seat.saved = evaluator.clone();
    model.seat.current = evaluator;
    model.seat.edited = false;
    model.other = None;
    model.compared = None;
    model.sweep = Sweep::new(model.pods.len());
    model.saved_sweep = Sweep::new(model.pods.len());
    model.stale.clear();
    model.readings += 1;
    motion::remember(model);
    model.screen = Screen::Annotations;
    model.pane = Pane::List;
    model.evaluate();
    model.select_problem();
    let node = model.nodes.as_ref().map_or_else(String::new, |nodes| {
        format!("{} of {}", nodes.opened + 1, nodes.matrix.columns().len())
    });
    model.say(format!("{name} is opened, node {node}"));
}
