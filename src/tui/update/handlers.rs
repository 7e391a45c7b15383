//! The window of the node's handlers: which there are, and looking at the configuration of another one.

use super::go_to;
use super::motion;
use crate::tui::model::dialog::{Dialog, HandlerItem};
use crate::tui::model::{Model, Screen};

/// Opens the window at the handler that is looked at.
pub(super) fn open(model: &mut Model) {
    let items = items(model);
    if items.is_empty() {
        model.complain("no container runtime is described: one configuration judges every pod");
        return;
    }
    let at = items.iter().position(|item| item.here).unwrap_or(0);
    model.dialogs.push(Dialog::Handlers { items, at });
}

fn items(model: &Model) -> Vec<HandlerItem> {
    let node = model.node.node();
    let count = |name: &str| model.pods.iter().filter(|e| e.handler.as_deref() == Some(name)).count();
    node.handlers()
        .iter()
        .map(|handler| {
            let loaded = |name: &str| model.node.of_handler(name).map(|judge| judge.evaluator.loaded().err());
            let error = handler.error(&node.host).or_else(|| {
                let kata = handler.kata && model.node.only().is_none();
                let error = kata.then(|| loaded(&handler.name)).flatten().flatten()?;
                Some(error.message.lines().next().unwrap_or_default().to_owned())
            });
            HandlerItem {
                name: handler.name.clone(),
                default: handler.default,
                here: model.handler.as_deref() == Some(&handler.name),
                opens: handler.kata && model.node.only().is_none(),
                runtime: match handler.release {
                    Some(release) => release.title(),
                    None if handler.kata => "Kata, no shim".into(),
                    None => "another runtime".into(),
                },
                error,
                file: handler.config().unwrap_or_default().to_owned(),
                pods: count(&handler.name),
            }
        })
        .collect()
}

/// Looks at a handler: at its first pod, where it has one, else at its configuration alone.
pub(super) fn chosen(model: &mut Model, item: &HandlerItem) {
    if !item.opens {
        let why = if model.node.only().is_some() {
            "one configuration was named for all pods (-c)"
        } else {
            "it is no Kata runtime, and has no configuration of Kata's"
        };
        model.complain(format!("{}: {why}", item.name));
        return;
    }
    motion::remember(model);
    let first = model.pods.iter().position(|entry| entry.handler.as_deref() == Some(&item.name));
    match first {
        Some(pod) if pod != model.pod => motion::to_pod(model, pod),
        Some(_) => model.follow_pod(),
        None => {
            model.look_at(&item.name);
            go_to(model, Screen::Policy);
            model.say(format!("{}: no pod goes there; this is its policy", item.name));
        }
    }
    model.rebuild_rows();
}
