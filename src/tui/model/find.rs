//! Everything that can be gone to by a part of its name or value.

use std::rc::Rc;

use super::annotations::short;
use super::{Model, Screen, policy};
use crate::catalog;
use crate::tui::filter;
use crate::tui::spelling::distance;

/// Hits shown at most.
pub const LIMIT: usize = 200;

/// Something to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is, in a word.
    pub what: &'static str,
    /// What is searched and shown.
    pub text: String,
    /// Where it is.
    pub screen: Screen,
    /// The row there; of a launch or agent row, part of what it shows.
    pub row: Rc<str>,
    /// The pod to go to.
    pub pod: Option<usize>,
}

/// Everything there is, in the order of the screens.
pub fn everything(model: &Model) -> Vec<Hit> {
    let mut all = Vec::new();
    let mut push =
        |what, text: String, screen, row: Rc<str>, pod| all.push(Hit { what, text, screen, row, pod });
    for verdict in &model.evaluation.verdicts {
        let text = format!("{} = {}", short(&verdict.key), verdict.value);
        push("annotation", text, Screen::Annotations, verdict.key.as_str().into(), None);
    }
    for (annotation, _) in catalog::annotations(model.seat.current.setup().release).filter(|(_, r)| r.read) {
        if !model.evaluation.verdicts.iter().any(|v| v.key == annotation.key) {
            push(
                "annotation",
                short(annotation.key).to_owned(),
                Screen::Annotations,
                annotation.key.into(),
                None,
            );
        }
    }
    for (_, list) in model.seat.history.lists() {
        push("list", list.id.to_string(), Screen::Policy, policy::list_id(&list.id), None);
        for item in &list.items {
            let text = format!("{} in {}", item.text, list.id.list);
            push("pattern", text, Screen::Policy, policy::entry_id(&list.id, &item.text, 0), None);
        }
    }
    if let Some(launch) = &model.evaluation.launch {
        for arg in launch.args.iter().chain(launch.helpers.iter().flat_map(|h| &h.args)) {
            push("argument", arg.text.clone(), Screen::Launch, arg.text.as_str().into(), None);
        }
    }
    if let Some(agent) = &model.evaluation.agent {
        for arg in &agent.kernel_params {
            push("parameter", arg.text.clone(), Screen::Agent, arg.text.as_str().into(), None);
        }
    }
    if let Some(effective) = &model.evaluation.effective {
        for (key, value) in effective.iter() {
            push("key", format!("{key} = {}", value.value), Screen::Config, key.as_ref().into(), None);
        }
    }
    for (index, entry) in model.pods.iter().enumerate() {
        push("pod", entry.id.to_string(), Screen::Pods, entry.id.clone(), Some(index));
    }
    all
}

/// The hits for what is typed, best first; where nothing fits, the nearest by spelling.
pub fn hits(all: &[Hit], typed: &str) -> (Vec<usize>, bool) {
    let found = filter::rank(typed, all.iter().map(|h| h.text.as_str()), LIMIT);
    if !found.is_empty() || typed.trim().len() < 3 {
        return (found, true);
    }
    let typed = typed.trim().to_ascii_lowercase();
    let name = |text: &str| text.split([' ', '=']).next().unwrap_or_default().to_ascii_lowercase();
    let mut near: Vec<(usize, usize)> = all
        .iter()
        .enumerate()
        .filter(|(_, hit)| hit.text.len() < 200)
        .map(|(i, hit)| {
            let whole = name(&hit.text);
            let last = whole.rsplit('.').next().unwrap_or_default().to_owned();
            (distance(&typed, &whole).min(distance(&typed, &last)), i)
        })
        .filter(|(d, _)| *d <= typed.len() / 3 + 1)
        .collect();
    near.sort();
    (near.into_iter().take(5).map(|(_, i)| i).collect(), false)
}
