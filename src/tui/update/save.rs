//! From unsaved edits to disk: the exact diff, the target, the write, and what to do when somebody
//! else was faster.

use super::policy::in_words;
use crate::answer::verdict::ListId;
use crate::audit;
use crate::audit::changes::{PowerChange, changes};
use crate::diff::text::three_way;
use crate::edit::{Lost, Plan, PolicyEdit, Reread, Target, helm_values, shim_of, targets};
use crate::evaluate::Evaluator;
use crate::tui::effect::{Effect, SaveOutcome};
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::dialog::{Dialog, SaveAction, SaveTarget};

/// Opens the window that shows what would be written.
pub(super) fn open(model: &mut Model) {
    let targets = choices(model);
    let at = targets.iter().position(|t| t.reason.is_none()).unwrap_or(0);
    let powers = powers_between(model).into();
    model.dialogs.push(Dialog::Save { targets, powers, at, scroll: 0 });
}

/// What pods' authors can do newly, or no longer, once this is on disk.
fn powers_between(model: &Model) -> Vec<PowerChange> {
    let of = |evaluator: &Evaluator| {
        audit::active(evaluator).map(|hypervisor| audit::of_setup(evaluator.setup(), &hypervisor))
    };
    match (of(&model.seat.saved), of(&model.seat.current)) {
        (Some(before), Some(after)) => changes(&before, &after),
        _ => Vec::new(),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Files beside the collection that the node came in: it is never written to.
fn beside(model: &Model, stem: &str) -> Vec<SaveTarget> {
    let plans = model.seat.history.plans();
    let patch: String = plans.iter().map(Plan::diff).collect();
    let name = format!("{stem}.patch");
    let mut all = vec![SaveTarget {
        label: format!("a patch beside it ({name})"),
        reason: None,
        lines: lines(&patch),
        action: SaveAction::NewFile { name, text: patch },
    }];
    if let Some(SaveTarget { action: SaveAction::Files(plans, _), .. }) = drop_in(model)
        && let [Plan { path, before: None, after: Some(after) }] = plans.as_slice()
    {
        let name = format!("{stem}.{}", path.rsplit('/').next().unwrap_or_default());
        all.push(SaveTarget {
            label: format!("a drop-in beside it ({name})"),
            reason: None,
            lines: [format!("on the node: {path}"), String::new()].into_iter().chain(lines(after)).collect(),
            action: SaveAction::NewFile { name, text: after.to_string() },
        });
    }
    all.extend(helm(model));
    all
}

fn choices(model: &Model) -> Vec<SaveTarget> {
    if let Some(stem) = model.beside() {
        return beside(model, &stem);
    }
    let plans = model.seat.history.plans();
    let patch: String = plans.iter().map(Plan::diff).collect();
    let name = |plan: &Plan| match plan.after {
        Some(_) => plan.path.to_string(),
        None => format!("{} goes: nothing is left in it", plan.path),
    };
    let paths: Vec<String> = plans.iter().map(name).collect();
    let mut all = vec![SaveTarget {
        label: paths.join(", "),
        reason: model.rights.files.clone(),
        lines: lines(&patch),
        action: SaveAction::Files(plans.clone(), None),
    }];
    all.extend(drop_in(model));
    all.push(SaveTarget {
        label: "a patch file in this folder (katascope.patch)".into(),
        reason: None,
        lines: lines(&patch),
        action: SaveAction::NewFile { name: "katascope.patch".into(), text: patch },
    });
    all.extend(helm(model));
    all
}

/// The same lists in a new drop-in, the other files as they are on disk.
fn drop_in(model: &Model) -> Option<SaveTarget> {
    let setup = model.seat.saved.setup();
    let (changed, keys) = (model.changed_lists(), model.changed_keys());
    let first = changed.first().map(|(list, _)| list).or_else(|| keys.first().map(|(key, _)| key))?;
    // A drop-in says what counts; it cannot say that nothing does.
    if keys.iter().any(|(_, value)| value.is_none()) {
        return None;
    }
    let path = targets(setup.release, &setup.layers, first).into_iter().find_map(|t| match t {
        Target::NewDropIn(path) => Some(path),
        Target::File(_) | Target::DropIn(_) => None,
    })?;
    // What was saved before stays in the history.
    let mut history = model.seat.history.clone();
    history.back_to_saved();
    for (list, texts) in &changed {
        history.set_list(&path, list, texts).ok()?;
    }
    for (list, value) in keys {
        history.apply(&path, &PolicyEdit::Key { list, value }).ok()?;
    }
    let plans = history.plans();
    let text: String = plans.iter().map(Plan::diff).collect();
    Some(SaveTarget {
        label: format!("a new drop-in {path}"),
        reason: model.rights.drop_in.clone(),
        lines: lines(&text),
        action: SaveAction::Files(plans, Some(Box::new(history))),
    })
}

/// The names as values of the kata-deploy chart; lists of paths have no place there.
fn helm(model: &Model) -> Option<SaveTarget> {
    let hypervisor = model.seat.current.hypervisor()?;
    let list = ListId::new(format!("hypervisor.{hypervisor}"), "enable_annotations");
    model.changed_lists().iter().find(|(id, _)| *id == list)?;
    if !model.changed_keys().is_empty() {
        return None;
    }
    let setup = model.seat.current.setup();
    let shim = shim_of(&setup.layers.asked, setup.release, hypervisor);
    let text = helm_values(&shim, hypervisor, &model.patterns(&list));
    Some(SaveTarget {
        label: "kata-deploy Helm values in this folder (katascope-values.yaml)".into(),
        reason: None,
        lines: lines(&text),
        action: SaveAction::NewFile { name: "katascope-values.yaml".into(), text },
    })
}

/// Keys in the save window.
pub(super) fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(Dialog::Save { targets, at, scroll, .. }) = model.dialogs.last_mut() else { return Vec::new() };
    match command {
        Command::NextTarget => {
            *at = (*at + 1) % targets.len().max(1);
            *scroll = 0;
            Vec::new()
        }
        Command::Copy => {
            let text = targets.get(*at).map(|t| t.lines.join("\n") + "\n").unwrap_or_default();
            vec![Effect::Copy { text, what: "what would be written".into() }]
        }
        Command::Write => {
            let Some(target) = targets.get(*at) else { return Vec::new() };
            if let Some(reason) = target.reason.clone() {
                model.complain(format!("not written: {reason}"));
                return Vec::new();
            }
            match target.action.clone() {
                SaveAction::Files(plans, history) => {
                    model.pending = history.map(|h| *h);
                    vec![Effect::Save(plans)]
                }
                SaveAction::NewFile { name, text } => {
                    model.dialogs.pop();
                    model.exporting = true;
                    // What is written has the name that was shown.
                    vec![Effect::Export { name, text, another: false }]
                }
            }
        }
        _ => Vec::new(),
    }
}

/// What became of the write.
pub(super) fn ended(model: &mut Model, outcomes: Vec<SaveOutcome>) -> Vec<Effect> {
    let mut said = Vec::new();
    let pending = model.pending.take();
    for outcome in outcomes {
        match outcome {
            SaveOutcome::Written(plan, text) => {
                if let Some(history) = &pending {
                    model.seat.history = history.clone();
                }
                model.seat.history.saved(&plan);
                said.push(text);
            }
            SaveOutcome::Conflict { path, theirs } => {
                conflict(model, path, theirs);
                return Vec::new();
            }
            SaveOutcome::Failed(text) => {
                model.quitting = false;
                model.complain(text);
                return Vec::new();
            }
        }
    }
    model.dialogs.retain(|d| !matches!(d, Dialog::Save { .. } | Dialog::Conflict { .. }));
    let layers = model.seat.history.layers(&model.seat.saved.setup().layers);
    model.seat.saved = model.seat.saved.with_layers(layers);
    model.readings += 1;
    model.saved_sweep = Default::default();
    model.policy_changed();
    model.say(said.join("; "));
    if model.quitting && model.look_at_unsaved() {
        open(model);
        return Vec::new();
    }
    if model.quitting {
        return vec![Effect::Quit { patch: None }];
    }
    Vec::new()
}

/// Opens the window with the three sides: what was read, what is on disk, and what is here.
fn conflict(model: &mut Model, path: String, theirs: Option<String>) {
    let plan = model.seat.history.plans().into_iter().find(|plan| *plan.path == *path);
    let (base, mine) = match &plan {
        Some(plan) => (plan.before.as_deref().unwrap_or_default(), plan.text()),
        None => ("", ""),
    };
    let regions = three_way(base, theirs.as_deref().unwrap_or_default(), mine);
    let (mut lost, mut same) = (Vec::new(), 0);
    if let Some(theirs) = &theirs {
        let layers = model.seat.saved.setup().layers.with_text(&path, theirs);
        match model.seat.history.clone().reread(&layers) {
            Ok(reread) => {
                same = reread.same;
                let words =
                    |l: &Lost| format!("{}: {}", in_words(&l.edit, l.before.as_deref(), &l.path), l.reason);
                lost.extend(reread.lost.iter().map(words));
            }
            Err(error) => lost.push(error.to_string()),
        }
    }
    let edits = (model.unsaved(), same);
    model.dialogs.push(Dialog::Conflict { path, theirs, regions, edits, lost, scroll: 0 });
}

/// Keys in the conflict window.
pub(super) fn settle(model: &mut Model, command: Command) {
    let Some(Dialog::Conflict { path, theirs, .. }) = model.dialogs.last().cloned() else { return };
    let held = model.seat.history.plans().iter().any(|plan| *plan.path == *path);
    match (command, theirs) {
        (Command::KeepMine, _) if !held => {
            model.complain(
                "what would be written is a new file, and there is one by now; Esc and choose another target",
            );
        }
        (Command::KeepMine, theirs) => {
            model.keep_over(&path, theirs.as_deref());
            again(model);
            model.say("this would take back what they wrote; nothing is written yet");
        }
        (Command::Reapply | Command::TakeTheirs, Some(theirs)) => {
            let keep = command == Command::Reapply;
            let layers = model.seat.saved.setup().layers.with_text(&path, &theirs);
            let reread = match model.read_again(layers, keep) {
                Ok(reread) => reread,
                Err(error) => {
                    model.complain(format!("{error}; your edits are as they were"));
                    return;
                }
            };
            again(model);
            let text = match (keep, model.unsaved() > 0) {
                (true, true) => "your edits stand on the file as it is on disk now",
                (true, false) => "the file on disk says already what you edited",
                (false, _) => "the file is as it is on disk; redo makes your edits again",
            };
            tell(model, &reread, text);
        }
        _ => {}
    }
}

/// Back to the window that asks before it writes, where there is still something to write.
fn again(model: &mut Model) {
    model.dialogs.retain(|d| !matches!(d, Dialog::Save { .. } | Dialog::Conflict { .. }));
    if model.unsaved() > 0 {
        open(model);
    } else {
        model.quitting = false;
    }
}

/// Says `text`, and which edits have no place any more.
pub(super) fn tell(model: &mut Model, reread: &Reread, text: &str) {
    let mut text = text.to_owned();
    if reread.stuck > 0 {
        let (edits, them) = if reread.stuck == 1 { ("edit", "it") } else { ("edits", "them") };
        text.push_str(&format!(
            "; {} earlier {edits} cannot be taken back: the file says something else where {them} stood",
            reread.stuck
        ));
    }
    if reread.lost.is_empty() {
        model.say(text);
        return;
    }
    for lost in &reread.lost {
        model.complain(format!(
            "no place any more: {}; {}",
            in_words(&lost.edit, lost.before.as_deref(), &lost.path),
            lost.reason
        ));
    }
    if let [_, _, ..] = reread.lost.as_slice() {
        model.complain(format!("{} edits have no place any more; m tells which", reread.lost.len()));
    }
}
