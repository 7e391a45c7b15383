//! What the outside answered.

use super::save;
use crate::tui::effect::{Effect, Fresh};
use crate::tui::message::Answer;
use crate::tui::model::Model;
use crate::tui::model::pods::entries;

pub(super) fn take(model: &mut Model, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Copied(Ok(text)) => model.say(text),
        Answer::Copied(Err(text)) => model.complain(text),
        Answer::Exported(Ok(path)) => model.say(format!("wrote {}", path.display())),
        Answer::Exported(Err(text)) => model.complain(text),
        Answer::Saved(outcomes) => return save::ended(model, outcomes),
        Answer::Reloaded(fresh) => match *fresh {
            Ok(fresh) => reloaded(model, fresh),
            Err(text) => model.complain(text),
        },
        Answer::Edited(Ok(())) => return vec![Effect::Reload],
        Answer::Edited(Err(text)) => model.complain(text),
        Answer::ChangedOnDisk(paths) => {
            // Without edits nothing can be lost: the new text is simply read.
            if !paths.is_empty() && model.unsaved() == 0 && model.dialogs.is_empty() {
                return vec![Effect::Reload];
            }
            if !paths.is_empty() {
                model.say(format!(
                    "{} changed on disk; R reads it again, your edits are kept",
                    paths.join(", ")
                ));
            }
            model.stale = paths;
        }
        Answer::Resumed => {}
    }
    Vec::new()
}

/// New texts under the old selection, filter and edits.
fn reloaded(model: &mut Model, fresh: Fresh) {
    let id = model.pods.get(model.pod).map(|e| e.id.clone());
    let marked = model.marked.and_then(|m| model.pods.get(m)).map(|e| e.id.clone());
    let tried: Vec<_> = std::mem::take(&mut model.trials)
        .into_iter()
        .filter_map(|(i, trials)| Some((model.pods.get(i)?.id.clone(), trials)))
        .collect();
    model.pods = entries(fresh.pods);
    let find = |id: &str| model.pods.iter().position(|e| &*e.id == id);
    model.pod = id.and_then(|id| find(&id)).unwrap_or(0);
    model.marked = marked.and_then(|id| find(&id));
    model.trials = tried.into_iter().filter_map(|(id, trials)| Some((find(&id)?, trials))).collect();
    let edits = model.unsaved();
    model.stale.clear();
    match model.read_again(fresh.layers, true) {
        Ok(()) if edits > 0 => model.say("read again; your unsaved edits stand on the new text"),
        Ok(()) => model.say("read again"),
        Err(error) => model.complain(format!("read again, but an edit has no place any more: {error}")),
    }
}
