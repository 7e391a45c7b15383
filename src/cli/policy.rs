//! `katascope policy`: a list edited in place, what the policy lets in, and the tightest one.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use super::args::{EditArgs, Input, PolicyCommand};
use super::error::{SetupError, plain};
use super::{CliError, Exit, open, paint, pods, say_assumed, setup};
use crate::answer::verdict::ListId;
use crate::audit;
use crate::audit::meaning::{Meaning, Warning, explain_entry};
use crate::audit::powers::Audit;
use crate::catalog::{self, HYPERVISOR_PREFIX};
use crate::edit::output::{self, Existing};
use crate::edit::{Document, History, List, Plan, PolicyEdit, RealDisk, Target, save, targets};
use crate::evaluate::Evaluator;
use crate::input::config::Layers;
use crate::input::{archive, search};
use crate::release::go::Change;
use crate::release::{Release, Runtime};
use crate::report::escape::visible;
use crate::report::{json, policy as report};
use crate::suggest::{Proposed, propose};

pub(super) fn run(command: &PolicyCommand) -> Result<Exit, CliError> {
    match command {
        PolicyCommand::Allow(args) => edit(args, true),
        PolicyCommand::Deny(args) => edit(args, false),
        PolicyCommand::Audit(args) => {
            let evaluator = open::one(&args.input())?.evaluator;
            say_assumed(evaluator.assumed());
            let (hypervisor, audit) = audit(&evaluator)?;
            let mut out = io::stdout().lock();
            if args.output.is_json() {
                json::print(&mut out, &report::audit_json(&evaluator, &audit))?;
            } else {
                let setup = evaluator.setup();
                let title = format!("{}  {} · {hypervisor}", setup.layers.asked, setup.release.title());
                report::audit(&mut out, &audit, &title, paint(args.output.color))?;
            }
            Ok(Exit::Clean)
        }
        PolicyCommand::Export(args) => super::export::run(args),
        PolicyCommand::Suggest(args) => {
            let evaluator = open::one(&args.input)?.evaluator;
            let mut all = Vec::new();
            pods::each(&args.input, |pod| {
                all.push(pod);
                Ok(())
            })?;
            if all.is_empty() {
                return Err(SetupError::Usage("a suggestion is for pods: name a manifest".into()).into());
            }
            if let Err(error) = evaluator.loaded() {
                let place = error.place.as_ref().map(|p| format!("{p}: ")).unwrap_or_default();
                return Err(SetupError::Usage(format!("{place}{}", error.message)).into());
            }
            say_assumed(evaluator.assumed());
            let hypervisor = setup::active(&evaluator)?;
            let Proposed { suggestion, unused, diff } = propose(&evaluator, &hypervisor, &all)?;
            let proposal =
                report::Proposal { pods: &all, suggestion: &suggestion, unused: &unused, diff: &diff };
            let mut out = io::stdout().lock();
            if args.output.is_json() {
                json::print(&mut out, &report::proposal_json(&evaluator, &proposal))?;
            } else {
                report::proposal(&mut out, &proposal, paint(args.output.color))?;
            }
            Ok(if suggestion.impossible.is_empty() { Exit::Clean } else { Exit::Found })
        }
    }
}

fn audit(evaluator: &Evaluator) -> Result<(String, Audit), SetupError> {
    let hypervisor = setup::active(evaluator)?;
    let audit = audit::of_evaluator(evaluator, &hypervisor);
    Ok((hypervisor, audit))
}

fn edit(args: &EditArgs, allow: bool) -> Result<Exit, CliError> {
    let input: Input = args.input();
    let chosen = open::one(&input)?;
    let layers = &chosen.evaluator.setup().layers;
    let release = chosen.evaluator.setup().release;
    match &layers.base {
        // Before all else: of a file that cannot be read, nothing more can be said.
        Err(unreadable) => {
            let (path, reason) = (layers.asked.to_string(), unreadable.to_string());
            return Err(SetupError::Unreadable { path, reason }.into());
        }
        Ok(base) => drop(Document::of(base)?),
    }
    let id = list_id(args, release, layers)?;
    let mut history = History::of(layers);
    let same = |list: &&List| list.id.table == id.table && list.id.list.eq_ignore_ascii_case(&id.list);
    if let Some(variant) = audit::variants(release, layers).iter().find(same) {
        return Err(SetupError::Usage(format!(
            "{}: {} takes {} for {}; write it in small letters first",
            variant.place,
            release.title(),
            variant.id.list,
            id.list
        ))
        .into());
    }
    let path = target(args, release, layers, &id)?;
    if let Some(Err(error)) = history.document(&path) {
        return Err(error.clone().into());
    }
    let mut said = Vec::new();
    for pattern in &args.patterns {
        let texts =
            |history: &History| history.effective(&id).map(|(_, list)| list.texts()).unwrap_or_default();
        let at = |history: &History| texts(history).iter().rposition(|text| text == pattern);
        match (allow, at(&history)) {
            (true, Some(_)) => said.push(format!("{pattern:?} is already in {id}")),
            (false, None) => said.push(format!("{pattern:?} is not in {id}")),
            (true, None) => {
                let (at, text) = (texts(&history).len(), checked(&id, pattern)?.to_owned());
                let mut entries = texts(&history);
                entries.push(text.clone());
                let meaning = explain_entry(release, &id.list, &entries, at, &chosen.evaluator.setup().host);
                if let Some(why) = in_vain(&id, pattern, &meaning, release).filter(|_| !args.force) {
                    return Err(SetupError::Usage(why).into());
                }
                history.apply(&path, &PolicyEdit::Add { list: id.clone(), at, text })?;
                said.push(format!("added {pattern:?} to {id} in {path}"));
                said.extend(let_in(&meaning));
            }
            (false, Some(_)) => {
                // What stands there twice is still let in until both are gone.
                while let Some(at) = at(&history) {
                    history.apply(&path, &PolicyEdit::Remove { list: id.clone(), at })?;
                }
                said.push(format!("took {pattern:?} out of {id} in {path}"));
            }
        }
    }
    let plans: Vec<Plan> = history.plans().into_iter().map(|plan| tidied(plan, &history, &id)).collect();
    let diff: String = plans.iter().map(Plan::diff).collect();
    if args.dry_run {
        print_diff(&mut io::stdout().lock(), &diff, io::stdout().is_terminal())?;
        return Ok(if diff.is_empty() { Exit::Clean } else { Exit::Found });
    }
    if let Some(file) = &args.output {
        let text = plans.iter().find(|plan| plan.path == path).map(|plan| plan.text().into());
        let text = text
            .or_else(|| history.document(&path)?.ok().map(|d| d.source().text.clone()))
            .unwrap_or_default();
        if file.as_os_str() == "-" {
            io::stdout().lock().write_all(text.as_bytes())?;
        } else {
            output::put(file, &text, Existing::Replace).map_err(|e| SetupError::Unreadable {
                path: file.display().to_string(),
                reason: plain(&e),
            })?;
        }
        print_diff(&mut io::stderr().lock(), &diff, io::stderr().is_terminal())?;
        return Ok(Exit::Clean);
    }
    if let Some(place) = input.node.first() {
        return write_beside(&place.to_string_lossy(), &plans, &said);
    }
    let disk = RealDisk::new(chosen.root.clone());
    for plan in &plans {
        save(plan, &disk)?;
    }
    print_diff(&mut io::stderr().lock(), &diff, io::stderr().is_terminal())?;
    let mut out = io::stdout().lock();
    for line in said {
        writeln!(out, "{}", visible(&line))?;
    }
    Ok(Exit::Clean)
}

/// An edit of a node in a file goes beside it: a new drop-in as it is, everything else as a patch.
fn write_beside(place: &str, plans: &[Plan], said: &[String]) -> Result<Exit, CliError> {
    let stem = archive::beside(place);
    let mut out = io::stdout().lock();
    for line in said {
        writeln!(out, "{}", visible(line))?;
    }
    let (path, text, then) = match plans {
        [] => return Ok(Exit::Clean),
        [plan @ Plan { path, before: None, .. }] => {
            let name = path.rsplit('/').next().unwrap_or_default();
            (format!("{stem}.{name}"), plan.text().to_owned(), format!("on the node it is {path}"))
        }
        several => {
            let path = format!("{stem}.patch");
            let then = format!("on the node: patch -p1 -d / < {path}");
            (path, several.iter().map(Plan::diff).collect(), then)
        }
    };
    let written = output::put(path.as_ref(), &text, Existing::Keep);
    written.map_err(|error| {
        let there = error.kind() == io::ErrorKind::AlreadyExists;
        let reason = if there {
            "is there already, and nothing was written; --output FILE takes the changed file".to_owned()
        } else {
            plain(&error)
        };
        SetupError::Unreadable { path: path.clone(), reason }
    })?;
    writeln!(out, "wrote {}; {}", visible(&path), visible(&then))?;
    Ok(Exit::Clean)
}

/// A difference as it is, for `patch`; on a terminal nothing in it acts.
fn print_diff(out: &mut dyn Write, diff: &str, terminal: bool) -> io::Result<()> {
    for line in diff.split_inclusive('\n') {
        let text = line.strip_suffix('\n').unwrap_or(line);
        if terminal && text.len() < line.len() {
            writeln!(out, "{}", visible(text))?;
        } else {
            out.write_all(line.as_bytes())?;
        }
    }
    Ok(())
}

/// Why an entry is not worth adding: what it would do.
fn in_vain(id: &ListId, pattern: &str, meaning: &Meaning, release: Release) -> Option<String> {
    let all = format!("{pattern:?} is not added to {id}");
    let force = "--force adds it all the same";
    if id.list == "enable_annotations" && pattern.contains('/') {
        return Some(format!(
            "{all}: the list is of annotations' names, and this looks like a path, which it would never match; a path \
             belongs into the annotation's valid_* list (--list); {force}"
        ));
    }
    meaning.warnings.iter().find_map(|warning| match warning {
        Warning::DisablesAll(_) | Warning::Invalid(_) => Some(format!("{all}: {warning}; {force}")),
        Warning::NoName(_) => {
            let name = pattern.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let near = catalog::nearest(&format!("{HYPERVISOR_PREFIX}{name}"), release);
            let near = near.and_then(|annotation| annotation.short());
            let near = near.map_or(String::new(), |near| format!("; did you mean '^{near}$'?"));
            Some(format!("{all}: it {warning}{near}; {force}"))
        }
        _ => None,
    })
}

/// What an entry lets in, and what is to be known of it.
fn let_in(meaning: &Meaning) -> Vec<String> {
    const NAMED: usize = 5;
    let names: Vec<String> = meaning
        .names
        .iter()
        .take(NAMED)
        .map(|annotation| format!("{} ({})", annotation.base(), annotation.risk.as_str()))
        .collect();
    let more = meaning.names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut lines = Vec::new();
    if !names.is_empty() {
        lines.push(format!("  lets in {}{more}", names.join(", ")));
    }
    lines.extend(meaning.warnings.iter().map(|warning| format!("  {warning}")));
    lines
}

/// An entry as the name gate will read it.
fn checked<'p>(id: &ListId, pattern: &'p str) -> Result<&'p str, SetupError> {
    match pattern.strip_prefix(HYPERVISOR_PREFIX) {
        Some(short) if id.list == "enable_annotations" => Err(SetupError::Usage(format!(
            "entries of enable_annotations are matched against the name after '{HYPERVISOR_PREFIX}'; \
             write '^{short}$'"
        ))),
        _ => Ok(pattern),
    }
}

fn list_id(args: &EditArgs, release: Release, layers: &Layers) -> Result<ListId, SetupError> {
    let (table, list) = match args.list.rsplit_once('.') {
        Some((table, list)) => (Some(table), list),
        None => (None, args.list.as_str()),
    };
    if !catalog::lists(release).any(|known| known == list) {
        let known: Vec<&str> = catalog::lists(release).collect();
        return Err(SetupError::Usage(format!(
            "--list: {} has no list '{list}'; it has {}",
            release.title(),
            known.join(", ")
        )));
    }
    let table = match (table, &args.input.hypervisor) {
        (Some(table), _) => table.to_owned(),
        (None, Some(name)) => format!("hypervisor.{name}"),
        (None, None) => search::hypervisor(release, layers)
            .map(|name| format!("hypervisor.{name}"))
            .ok_or_else(|| setup::no_table(&layers.asked))?,
    };
    Ok(ListId::new(table, list.to_owned()))
}

/// The file that is edited: the one that sets the list today, or with --drop-in a drop-in.
fn target(args: &EditArgs, release: Release, layers: &Layers, id: &ListId) -> Result<Arc<str>, SetupError> {
    let targets = targets(release, layers, id);
    let found = if args.drop_in {
        targets.iter().rev().find(|target| !matches!(target, Target::File(_)))
    } else {
        targets.first()
    };
    found.map(|target| target.path().clone()).ok_or_else(|| {
        let without = release.runtime == Runtime::Go && !release.has(Change::DropIns);
        SetupError::Usage(if without {
            format!("--drop-in: {} reads no drop-ins", release.title())
        } else {
            format!("{}: nothing to edit", layers.asked)
        })
    })
}

/// A list that `allow` created goes with its last entry, where no other file sets it.
fn tidied(plan: Plan, history: &History, id: &ListId) -> Plan {
    let sets = |path: &str| history.document(path).and_then(Result::ok).is_some_and(|d| d.list(id).is_some());
    let elsewhere = history.files().any(|(path, _)| path != &*plan.path && sets(path));
    let document: Option<&Document> = history.document(&plan.path).and_then(Result::ok);
    match document.and_then(|document| document.without_own_empty(id)).filter(|_| !elsewhere) {
        Some(text) => Plan { after: Some(text.into()), ..plan },
        None => plan,
    }
}
