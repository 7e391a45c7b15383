//! Taking things out: copies, whole values, the same answer as a command, the editor.

use super::commands::{as_command, shell_line, shell_word};
use super::what_if::quoted;
use crate::answer::effective::Origin;
use crate::tui::effect::Effect;
use crate::tui::message::Command;
use crate::tui::model::dialog::{CopyItem, Dialog};
use crate::tui::model::row::Body;
use crate::tui::model::{Model, Screen};

/// What the marked pods are called among what can be copied.
const MARKED: &str = "marked pods";

pub(super) fn obey(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Copy => match choices(model).into_iter().next() {
            Some((what, text)) => return vec![Effect::Copy { text, what }],
            None => model.complain("nothing to copy here"),
        },
        Command::CopyMenu => model.dialogs.push(Dialog::CopyMenu { items: menu(model), at: 0 }),
        Command::CopyCommand => {
            let text = as_command(model);
            let what = format!("the command {text}{}", unsaid(model));
            return vec![Effect::Copy { text, what }];
        }
        Command::Whole => match choices(model).into_iter().next() {
            Some((what, text)) => model.dialogs.push(Dialog::text(what, &text)),
            None => model.complain("nothing is selected"),
        },
        _ => {}
    }
    Vec::new()
}

/// What can be copied, and at the end what can be written to a file: where no clipboard is to be had, or the
/// text is more than it takes.
fn menu(model: &Model) -> Vec<CopyItem> {
    const LONG: usize = 56_000;
    let choices = choices(model);
    let files =
        choices.iter().enumerate().filter(|(i, (what, text))| *i == 0 || text.len() > LONG || what == MARKED);
    let files = files.map(|(_, (what, text))| CopyItem {
        what: format!("{what} to a file"),
        text: text.clone(),
        file: Some(format!("katascope-{}.txt", what.to_lowercase().replace(' ', "-"))),
    });
    let files: Vec<CopyItem> = files.collect();
    choices.into_iter().map(|(what, text)| CopyItem { what, text, file: None }).chain(files).collect()
}

/// What taking an item of the menu asks for.
pub(super) fn take(item: CopyItem) -> Effect {
    match item.file {
        Some(name) => Effect::Export { name, text: item.text, another: true },
        None => Effect::Copy { text: item.text, what: item.what },
    }
}

/// What can be copied of the selected row, the most likely first.
fn choices(model: &Model) -> Vec<(String, String)> {
    let mut items: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, text: String| items.push((what.to_owned(), text));
    match model.rows.current().map(|r| &r.body) {
        Some(Body::Annotation(row)) => {
            if let Some(verdict) = model.selected_verdict() {
                add("value", verdict.value.to_string());
                add("YAML line", format!("{}: {}", row.key, quoted(&verdict.value)));
            }
            add("key", row.key.clone());
            if let Some(verdict) = model.selected_verdict() {
                add("reason", verdict.reason().into_owned());
                if let Some(fix) = &verdict.fix {
                    add("fix", fix.to_string());
                }
            }
        }
        Some(Body::Pod(index)) => {
            if let Some(entry) = model.pods.get(*index) {
                add("pod", entry.pod.id());
            }
            if let Some(summary) = model.sweep.get(*index)
                && let Some((_, message)) = &summary.refused
            {
                add("message", message.to_string());
            }
        }
        Some(Body::Group(group)) => add("group", group.title.to_string()),
        Some(Body::Cause(at)) => {
            if let Some(one) = model.upgrade.as_ref().and_then(|upgrading| upgrading.consequence(*at)) {
                add("cause", one.cause.to_string());
                if let Some(advice) = &one.advice {
                    add("advice", advice.clone());
                }
            }
        }
        Some(Body::TouchedPod(index)) => {
            if let Some(entry) = model.pods.get(*index) {
                add("pod", entry.pod.id());
            }
        }
        Some(Body::PodOnNodes(index)) => {
            if let Some(entry) = model.pods.get(*index) {
                add("pod", entry.pod.id());
            }
            let node = model.nodes.as_ref().map_or(0, |nodes| nodes.at);
            if let Some(reason) = model.reason(*index, node) {
                add("message", reason);
            }
            if let Some(nodes) = &model.nodes {
                add("node", nodes.name(node).to_owned());
            }
        }
        Some(Body::Vm(index)) => {
            let sandbox = model.live.vms.get(*index).and_then(|seen| seen.sandbox.clone());
            sandbox.into_iter().for_each(|id| add("sandbox", id));
        }
        Some(Body::Argument(index)) => {
            if let Some(row) = model.live.beside().and_then(|beside| beside.rows.get(*index)) {
                row.running.iter().for_each(|text| add("running", text.clone()));
                row.predicted.iter().for_each(|text| add("predicted", text.clone()));
            }
        }
        Some(Body::List(row)) => {
            let texts = model.patterns(&row.id);
            add("list", format!("{} = {}", row.id.list, serde_json::Value::from(texts)));
        }
        Some(Body::Pattern(row)) => {
            add("pattern", row.text.clone());
            let list = (row.list.list != "enable_annotations").then(|| format!("--list={}", row.list.list));
            let mut words = model.invocation.policy(&["policy", "allow"], model.seat.current.setup().release);
            words.extend(list);
            words.push(row.text.clone());
            add("as a command", shell_line(&words));
        }
        Some(Body::Change(row)) => {
            if !row.text.candidate.is_empty() {
                add("argument", row.text.candidate.clone());
            }
            if row.text.baseline != row.text.candidate && !row.text.baseline.is_empty() {
                add("in the baseline", row.text.baseline.clone());
            }
            if let Some(launch) = model.shown().launch.as_ref().filter(|_| model.screen == Screen::Launch) {
                let words = launch.program.iter().chain(&launch.args).map(|a| &a.text);
                add("VM command", words.map(|w| shell_word(w)).collect::<Vec<_>>().join(" "));
                for helper in &launch.helpers {
                    let words = std::iter::once(&helper.program).chain(&helper.args).map(|a| &a.text);
                    add("helper process", words.map(|w| shell_word(w)).collect::<Vec<_>>().join(" "));
                }
            }
            if let Some(agent) = model.shown().agent.as_ref().filter(|_| model.screen == Screen::Agent) {
                add("kernel line", agent.kernel_cmdline.clone());
            }
        }
        Some(Body::Key(row)) => {
            add("value", crate::tui::model::plain(&row.value.value));
            add("key", row.key.clone());
        }
        Some(Body::Fold(_) | Body::Heading(_)) | None => {}
    }
    if matches!(model.screen, Screen::Pods | Screen::Nodes) && !model.marks.is_empty() {
        add(MARKED, model.marked_lines());
    }
    if let Some((path, line)) = place(model) {
        add("place", format!("{path}:{line}"));
    }
    add("command", as_command(model));
    items
}

/// What the command cannot know, as a remark.
fn unsaid(model: &Model) -> String {
    let mut parts = Vec::new();
    if model.unsaved() > 0 {
        parts.push(format!("{} unsaved", model.unsaved()));
    }
    if model.trying() > 0 {
        parts.push(format!("{} tried", model.trying()));
    }
    if parts.is_empty() { String::new() } else { format!(" (without what is {})", parts.join(" or ")) }
}

/// File and line of what is selected.
fn place(model: &Model) -> Option<(String, u32)> {
    match &model.rows.current()?.body {
        Body::Annotation(row) => {
            let annotation = model.tried.annotations.iter().find(|a| a.key == row.key)?;
            Some((annotation.place.file.to_string(), annotation.place.line))
        }
        Body::Pod(index) | Body::PodOnNodes(index) | Body::TouchedPod(index) => {
            let place = model.pods.get(*index)?.pod.place();
            Some((place.file.to_string(), place.line))
        }
        Body::List(row) => Some((row.path.as_ref()?.to_string(), row.line)),
        Body::Pattern(row) => Some((row.path.to_string(), row.line)),
        Body::Key(row) => match &row.value.origin {
            Origin::File(place) => Some((place.file.to_string(), place.line)),
            _ => None,
        },
        Body::Change(row) => {
            let effective = model.shown().effective.as_ref()?;
            row.keys.iter().find_map(|key| match &effective.get(key)?.origin {
                Origin::File(place) => Some((place.file.to_string(), place.line)),
                _ => None,
            })
        }
        Body::Vm(_) | Body::Argument(_) | Body::Cause(_) => None,
        Body::Fold(_) | Body::Heading(_) | Body::Group(_) => None,
    }
}

pub(super) fn editor(model: &mut Model) -> Vec<Effect> {
    if model.sample {
        model.complain("the sample lies in this program; name files of yours to edit them");
        return Vec::new();
    }
    let (path, line) =
        place(model).unwrap_or_else(|| (model.seat.current.setup().layers.asked.to_string(), 0));
    let manifest = model.pods.iter().any(|entry| *entry.pod.source.file == path);
    if model.invocation.place.is_some() && !manifest {
        model.complain(
            "the node came in a file, and no editor writes there; edits made here are saved beside it",
        );
        return Vec::new();
    }
    vec![Effect::Editor { path, line }]
}
