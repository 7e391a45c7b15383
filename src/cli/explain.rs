//! `katascope explain`: a key or a message, in every release and, with -c, on this host.

use std::io::{self, BufRead, Read};
use std::path::Path;

use super::args::{ExplainArgs, Input};
use super::error::SetupError;
use super::{CliError, Exit, open, paint, running, setup};
use crate::answer::verdict::{Fix, ListId};
use crate::catalog::HYPERVISOR_PREFIX;
use crate::evaluate::Evaluator;
use crate::explain::journal::Journal;
use crate::explain::{Meaning, explain};
use crate::policy::names::NameGate;
use crate::report::{explanation, json};

/// The longest piece of a line that is looked at as one.
const PIECE: usize = 64 << 10;

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    if let Some(path) = &args.running {
        return running::explain(path, &args.output);
    }
    if let [word] = args.words.as_slice()
        && word == "-"
    {
        return journal(args);
    }
    let meaning = explain(&args.words.join(" "));
    if matches!(meaning, Meaning::Unknown(_))
        && let [word] = args.words.as_slice()
        && Path::new(word).is_file()
    {
        let why = format!("{word} is a file: katascope explain - < {word} reads messages from it");
        return Err(SetupError::Usage(why).into());
    }
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

/// Everything that standard input says: counted, grouped and explained.
fn journal(args: &ExplainArgs) -> Result<Exit, CliError> {
    let mut journal = Journal::default();
    read(io::stdin().lock(), &mut journal)?;
    let lines = journal.lines();
    let groups = journal.groups();
    let mut out = io::stdout().lock();
    if args.output.is_json() {
        json::print(&mut out, &explanation::journal_json(lines, &groups))?;
    } else {
        explanation::journal(&mut out, lines, &groups, paint(args.output.color))?;
    }
    let is_known = groups.is_empty() || groups.iter().any(|group| group.decoded.is_some());
    Ok(if is_known { Exit::Clean } else { Exit::Found })
}

/// Hands on each line, and of one with many objects each object. Never holds more than one piece.
fn read(mut input: impl BufRead, journal: &mut Journal) -> io::Result<()> {
    let mut piece = Vec::new();
    let mut is_new_line = true;
    loop {
        let room = PIECE.saturating_sub(piece.len());
        let read = input.by_ref().take(room as u64).read_until(b'\n', &mut piece)?;
        if read == 0 && (piece.is_empty() || room > 0) {
            break;
        }
        let is_whole = piece.last() == Some(&b'\n');
        let text = String::from_utf8_lossy(&piece).into_owned();
        let mut objects: Vec<&str> = text.split("},{").collect();
        // The last object of a piece may go on in the next.
        let rest = if is_whole || objects.len() < 2 { None } else { objects.pop() };
        for object in objects {
            journal.read(object, is_new_line);
            is_new_line = false;
        }
        is_new_line = is_whole;
        piece = rest.map(|rest| rest.as_bytes().to_vec()).unwrap_or_default();
    }
    if !piece.is_empty() {
        journal.read(&String::from_utf8_lossy(&piece), is_new_line);
    }
    Ok(())
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
    Some(match gate.allows(short) {
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
