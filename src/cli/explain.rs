//! `katascope explain`: a key or a message, in every release and, with -c, on this host.

use std::io;

use super::args::{ExplainArgs, Input};
use super::setup::SetupError;
use super::{CliError, Exit, open, paint, setup};
use crate::answer::verdict::{Fix, ListId};
use crate::catalog::HYPERVISOR_PREFIX;
use crate::evaluate::Evaluator;
use crate::explain::{Meaning, explain};
use crate::policy::names::NameGate;
use crate::report::{explanation, json};

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    let meaning = explain(&args.words.join(" "));
    let evaluator = match &args.config {
        None => None,
        Some(config) => {
            let input = Input { config: Some(config.clone()), root: args.root.clone(), ..Input::default() };
            let evaluator = open::one(&input)?.evaluator;
            if let Some(why) = setup::unread(&evaluator.setup().layers) {
                return Err(SetupError::Usage(why).into());
            }
            Some(evaluator)
        }
    };
    let mut out = io::stdout().lock();
    if args.output.is_json() {
        json::print(&mut out, &explanation::json(&meaning))?;
    } else {
        let policy = |key: &str, value: Option<&str>| evaluator.as_ref().and_then(|e| here(e, key, value));
        explanation::text(&mut out, &meaning, &policy, paint(args.output.color))?;
    }
    Ok(if matches!(meaning, Meaning::Unknown(_)) { Exit::Found } else { Exit::Clean })
}

/// What the host's own lists make of an annotation, or of a value that a list refused.
fn here(evaluator: &Evaluator, key: &str, value: Option<&str>) -> Option<String> {
    let setup = evaluator.setup();
    let history = crate::edit::History::of(&setup.layers);
    // A file that does not load here (its kernel is elsewhere, say) still has its lists.
    let table = match evaluator.hypervisor().or(setup.hypervisor.as_deref()) {
        Some(hypervisor) => format!("hypervisor.{hypervisor}"),
        None => history.lists().first().map(|(_, list)| list.id.table.to_string())?,
    };
    if key.starts_with("valid_") {
        let id = ListId::new(table, key.to_owned());
        let place = history.effective(&id).map(|(_, list)| list.place.to_string());
        let fix = Fix::Allow { list: id, pattern: value.unwrap_or_default().to_owned() };
        return Some(format!("{fix}{}", place.map(|p| format!(" ({p})")).unwrap_or_default()));
    }
    let short = key.strip_prefix(HYPERVISOR_PREFIX)?;
    let id = ListId::new(table, "enable_annotations");
    let Some((_, list)) = history.effective(&id) else {
        return Some(format!("{id} is not set: no hypervisor annotation is let in"));
    };
    let texts = list.texts();
    let gate = NameGate::new(setup.release, &texts);
    Some(match gate.admits(short) {
        Some(index) => {
            let pattern = texts.get(index).map(String::as_str).unwrap_or_default();
            format!("{pattern:?} of {} lets the name in", list.place)
        }
        None if gate.disabled() => {
            format!("{}: an invalid pattern disables the whole list in runtime-rs", list.place)
        }
        None => {
            let fix = Fix::Allow { list: id, pattern: format!("^{short}$") };
            format!("{fix} ({})", list.place)
        }
    })
}
