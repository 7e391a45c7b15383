//! The screen of another release: choosing one, and going from a cause to the pods that it touches.

use super::{go_to, motion};
use crate::release::Version;
use crate::report::upgrade::tally;
use crate::tui::effect::Effect;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::row::Body;
use crate::tui::model::upgrade::{Upgrading, releases};
use crate::tui::model::{Model, Pane, Screen};
use crate::upgrade::Upgrade;

/// Opens the window of releases, at the newest that is another one.
pub(super) fn choose(model: &mut Model) {
    let items = releases(model);
    let last = model.upgrade.as_ref().map(|upgrading| upgrading.to);
    let at = match last {
        Some(to) => items.iter().position(|item| item.version == to),
        None => items.iter().position(|item| !item.here),
    };
    model.dialogs.push(Dialog::Releases { items, at: at.unwrap_or(0) });
}

/// Holds the node against a release.
pub(super) fn chosen(to: Version) -> Vec<Effect> {
    vec![Effect::Upgrade { to }]
}

/// What differs was found.
pub(super) fn found(model: &mut Model, to: Version, found: Upgrade) {
    let said = match found.pods.is_empty() {
        true => format!("held against {to}"),
        false => format!("held against {to}: {}", tally(&found.pods)),
    };
    model.upgrade = Some(Upgrading { to, found, unfolded: None });
    let list = &mut model.lists[Screen::Upgrade];
    list.selected = None;
    list.at = 0;
    if model.screen != Screen::Upgrade {
        motion::remember(model);
    }
    go_to(model, Screen::Upgrade);
    model.rebuild_rows();
    model.say(said);
}

/// Forgets what was found: files or pods are others now.
pub(super) fn forget(model: &mut Model) {
    model.upgrade = None;
    if model.screen == Screen::Upgrade {
        go_to(model, Screen::Pods);
    }
}

/// From a cause to its pods, or from a pod to its annotations.
pub(super) fn open(model: &mut Model) {
    let body = model.rows.current().map(|row| &row.body);
    let pod = match body {
        Some(Body::TouchedPod(pod)) => *pod,
        Some(Body::Cause(at)) => {
            let at = *at;
            let Some(upgrading) = &mut model.upgrade else { return };
            let pods = upgrading.consequence(at).map(|one| one.pods.clone()).unwrap_or_default();
            match pods.as_slice() {
                [] => {
                    model.pane = Pane::Detail;
                    return;
                }
                [only] => *only,
                _ => {
                    upgrading.unfolded = if upgrading.unfolded == Some(at) { None } else { Some(at) };
                    model.rebuild_rows();
                    return;
                }
            }
        }
        _ => return,
    };
    model.select(model.rows.cursor);
    motion::remember(model);
    motion::to_pod(model, pod);
    go_to(model, Screen::Annotations);
    model.select_problem();
}
