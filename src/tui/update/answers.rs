//! What the outside answered.

use super::{live, nodes, openings, otherwise, save, upgrade};
use crate::edit::EditError;
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::tui::effect::{Effect, Fresh, News};
use crate::tui::message::{Answer, Command, Copied};
use crate::tui::model::Model;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::pods::{Sweep, entries};
use crate::tui::theme::Preset;

pub(super) fn take(model: &mut Model, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Copied(Copied::Done(text)) => model.say(text),
        Answer::Copied(Copied::Failed(text)) => model.complain(text),
        Answer::Copied(Copied::TooLong { what, bytes }) => {
            let key = model.keymap.chord_for(&model.layers_of(model.screen), Command::CopyMenu);
            let menu = key.map_or_else(|| "the copy menu".to_owned(), |key| key.to_string());
            model.complain(format!(
                "{what}: {bytes} bytes are more than terminals take; {menu} offers a file"
            ));
        }
        Answer::Exported(Ok(path)) => {
            if std::mem::take(&mut model.exporting) {
                model.kept = model.beside().is_some();
                if model.quitting {
                    return vec![Effect::Quit { patch: None }];
                }
            }
            model.say(format!("wrote {}", path.display()));
        }
        Answer::Exported(Err(text)) => {
            model.exporting = false;
            model.quitting = false;
            model.complain(text);
        }
        Answer::Saved(outcomes) => return save::ended(model, outcomes),
        Answer::Reloaded(fresh) => match *fresh {
            Ok(fresh) => reloaded(model, fresh),
            Err(text) => model.complain(text),
        },
        Answer::NodeOpened { node, pod, fresh } => nodes::opened(model, node, pod, *fresh),
        Answer::Looked(found) => live::looked(model, found),
        Answer::Beside { vm, beside } => live::opened(model, vm, *beside),
        Answer::OpenedBeside(read) => match *read {
            Ok((name, node)) => openings::beside(model, name, node),
            Err(why) => openings::failed(model, why),
        },
        Answer::NotOpened(why) if matches!(model.dialogs.last(), Some(Dialog::Otherwise(_))) => {
            otherwise::failed(model, why);
        }
        Answer::NotOpened(why) => openings::failed(model, why),
        Answer::Supposed(read) => match *read {
            Ok((node, pods)) => otherwise::supposed(model, node, pods),
            Err(why) => otherwise::failed(model, why),
        },
        Answer::Upgraded { to, found } => upgrade::found(model, to, *found),
        Answer::Edited(Ok(())) => return vec![Effect::Reload],
        Answer::Edited(Err(text)) => model.complain(text),
        Answer::ChangedOnDisk(paths) => {
            // Without edits nothing can be lost: the new text is simply read.
            let reads = !paths.is_empty() && model.unsaved() == 0 && model.dialogs.is_empty();
            if !reads && !paths.is_empty() {
                model.say(format!(
                    "{} changed on disk; R reads it again, your edits are kept",
                    paths.join(", ")
                ));
            }
            // Until it is read, and where it cannot be.
            model.stale = paths;
            if reads {
                return vec![Effect::Reload];
            }
        }
        Answer::News(News::Pods { pods: now, text }) => {
            pods(model, now);
            model.follow_pod();
            model.policy_changed();
            if let Some(text) = text {
                model.say(text);
            }
        }
        Answer::News(News::Ended(why)) => {
            model.watching = false;
            model.complain(format!("the pods are not kept current any more: {why}"));
        }
        Answer::Resumed => {}
        // What was guessed; by now somebody may have chosen.
        Answer::Background { light: true } if model.preset == Preset::Dark => model.preset = Preset::Light,
        Answer::Background { .. } => {}
    }
    Vec::new()
}

/// New texts under the old selection, filter and edits.
fn reloaded(model: &mut Model, fresh: Fresh) {
    let edits = model.unsaved();
    let changed = changed_files(model, &fresh.layers);
    let reread = match model.read_again(fresh.layers, true) {
        Ok(reread) => reread,
        Err(error) => {
            let what = match error {
                EditError::NotOpen(path) => format!("{path} is gone"),
                other => other.to_string(),
            };
            model.complain(format!("{what}; nothing was read, your edits are as they were"));
            return;
        }
    };
    model.node = fresh.node;
    upgrade::forget(model);
    if let (Some(nodes), Some(matrix)) = (&mut model.nodes, fresh.matrix) {
        nodes.matrix = matrix;
    }
    // Of the other handlers only what was edited is kept as it was.
    model.seats.retain(|_, seat| seat.edited);
    pods(model, fresh.pods);
    model.follow_pod();
    model.stale.clear();
    model.policy_changed();
    let text = match edits > 0 && model.unsaved() > 0 {
        true => format!("read again{changed}; your unsaved edits stand on the new text"),
        false => format!("read again{changed}"),
    };
    save::tell(model, &reread, &text);
}

/// Other pods under the old selection, marks and trials.
fn pods(model: &mut Model, pods: Vec<Pod>) {
    let id = model.pods.get(model.pod).map(|e| e.id.clone());
    let marked: Vec<_> =
        model.marks.iter().filter_map(|mark| Some(model.pods.get(*mark)?.id.clone())).collect();
    let tried: Vec<_> = std::mem::take(&mut model.trials)
        .into_iter()
        .filter_map(|(i, trials)| Some((model.pods.get(i)?.id.clone(), trials)))
        .collect();
    model.pods = entries(pods, &model.node);
    model.arrangement.made_for = None;
    model.sweep = Sweep::new(model.pods.len());
    model.saved_sweep = Sweep::new(model.pods.len());
    let find = |id: &str| model.pods.iter().position(|e| &*e.id == id);
    model.pod = id.and_then(|id| find(&id)).unwrap_or(0);
    let marks = marked.iter().filter_map(|id| find(id)).collect();
    model.trials = tried.into_iter().filter_map(|(id, trials)| Some((find(&id)?, trials))).collect();
    model.marks = marks;
}

/// Which configuration files are not what they were, as the end of a sentence.
fn changed_files(model: &Model, fresh: &Layers) -> String {
    let old = &model.seat.saved.setup().layers;
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let mut changed: Vec<String> = fresh
        .sources()
        .filter(|new| old.sources().find(|s| s.path == new.path).is_none_or(|s| s.text != new.text))
        .map(|s| name(&s.path))
        .collect();
    changed.extend(
        old.sources()
            .filter(|s| !fresh.sources().any(|new| new.path == s.path))
            .map(|s| format!("{} (gone)", name(&s.path))),
    );
    if changed.is_empty() { String::new() } else { format!(": {} changed", changed.join(", ")) }
}
