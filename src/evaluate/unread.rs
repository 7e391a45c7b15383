//! Keys of `configuration.toml` that nobody reads: misspelt ones, and those of another table, runtime or release.
//!
//! Decides by the catalogue's names alone; a file that does not load is not looked at. Both runtimes read past such
//! a key without a word, but for runtime-rs from 3.29 on in its agent's table. Facts: the catalogue's spans.

use super::Evaluator;
use crate::answer::finding::{Code, Finding, Who};
use crate::catalog::{self, ConfigKey, nearest_name};
use crate::input::toml_tree::{self, Table};
use crate::release::{Release, Runtime};

/// Other spellings that runtime-rs takes for a key.
const ALIASES: [&str; 2] = ["mem_agent_enable", "dbg_monitor_socket"];

/// What releases of the Go runtime take in and that changes nothing here.
const TAKEN_IN: [&str; 1] = ["verity_params"];

/// Findings of one configuration; a file of another kind would have thousands.
const MOST: usize = 20;

/// One finding for each key.
pub(super) fn keys(evaluator: &Evaluator) -> Vec<Finding> {
    if evaluator.loaded().is_err() {
        return Vec::new();
    }
    let setup = evaluator.setup();
    let mut found = Vec::new();
    for source in setup.layers.sources() {
        if let Ok(root) = toml_tree::parse(source) {
            walk(&root, "", setup.release, &mut found);
        }
    }
    found.truncate(MOST);
    found
}

fn walk(table: &Table, name: &str, release: Release, found: &mut Vec<Finding>) {
    for (key, node) in table {
        if found.len() >= MOST {
            return;
        }
        let whole = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        if let Some(inner) = node.table() {
            if !is_known_table(&whole) && !is_table_key(name, key, release) {
                found.push(finding(
                    &whole,
                    node.place.clone(),
                    format!("nobody reads the table [{whole}]: {} has none of that name", release.title()),
                    "remove it, or move its keys to the table that they belong to".to_owned(),
                ));
                continue;
            }
            if !is_table_key(name, key, release) {
                walk(inner, &whole, release, found);
            }
            continue;
        }
        if let Some((message, fix)) = unread(name, key, release) {
            found.push(finding(&whole, node.place.clone(), message, fix));
        }
    }
}

fn finding(subject: &str, place: crate::answer::Place, message: String, fix: String) -> Finding {
    Finding::warning(Code::KeyUnread, Who::ClusterAdministrator, message).about(subject).at(place).advise(fix)
}

/// Whether any release knows a key of this table, or of one below it. Of a table with a name of its own
/// (`hypervisor.qemu`) any name is known: loading has said which there are.
fn is_known_table(table: &str) -> bool {
    let parts: Vec<&str> = table.split('.').collect();
    let generic = |part: usize| match (part, parts.first()) {
        (1, Some(&("hypervisor" | "agent"))) => "<name>",
        _ => parts.get(part).copied().unwrap_or_default(),
    };
    let known: Vec<&str> = (0..parts.len()).map(generic).collect();
    let known = known.join(".").to_ascii_lowercase();
    catalog::all_config_keys().iter().any(|key| {
        key.table == known || key.table.strip_prefix(&known).is_some_and(|rest| rest.starts_with('.'))
    })
}

/// Whether a table is the value of a key.
fn is_table_key(table: &str, key: &str, release: Release) -> bool {
    known(table, key, release.runtime).is_some()
}

/// The catalogue's key; Go's reader of TOML does not mind capital letters.
fn known(table: &str, key: &str, runtime: Runtime) -> Option<&'static ConfigKey> {
    catalog::config_key(table, key).or_else(|| match runtime {
        Runtime::Go => catalog::config_key(&table.to_ascii_lowercase(), &key.to_ascii_lowercase()),
        Runtime::Rs => None,
    })
}

/// Why nobody reads a key, and what to do; `None` where the release reads it.
fn unread(table: &str, key: &str, release: Release) -> Option<(String, String)> {
    let passes: &[&str] = if release.runtime == Runtime::Rs { &ALIASES } else { &TAKEN_IN };
    if passes.contains(&key) {
        return None;
    }
    let own = known(table, key, release.runtime);
    if own.is_some_and(|known| known.reader(release).is_some()) {
        return None;
    }
    let title = release.title();
    let head = table.split('.').next().unwrap_or_default();
    let read = || catalog::all_config_keys().iter().filter(|known| known.reader(release).is_some());
    let is_same_table = |known: &&ConfigKey| own_table(known.table, table);
    let elsewhere = read().find(|known| known.key == key && !is_same_table(known));
    if let Some(other) = elsewhere {
        let table = shown_table(other.table);
        let message = format!("nobody reads {key} here: {title} has it in {table}");
        return Some((message, format!("move it to {table}")));
    }
    if let Some(known) = own {
        let other = match release.runtime {
            Runtime::Go => Runtime::Rs,
            Runtime::Rs => Runtime::Go,
        };
        let by_other = known.readers(other).next().is_some();
        let versions: Vec<_> = release
            .runtime
            .versions()
            .filter(|v| known.reader(Release::new(release.runtime, *v)).is_some())
            .collect();
        let message = match (versions.first(), versions.last()) {
            (Some(first), Some(last)) if *last < release.version => {
                format!("nobody reads {key}: {first} to {last} did, {title} does not")
            }
            (Some(first), _) if *first < release.version => {
                let again = versions.iter().find(|version| **version > release.version);
                let before =
                    versions.iter().rev().find(|version| **version < release.version).unwrap_or(first);
                let again = again.map_or_else(String::new, |again| format!(", and {again} reads it again"));
                format!("nobody reads {key}: {first} to {before} did, {title} does not{again}")
            }
            (Some(first), _) => format!("nobody reads {key}: {first} is the first to, {title} does not yet"),
            _ if by_other => format!("nobody reads {key}: it is a key of {}, not of {title}", other.title()),
            _ => format!("nobody reads {key} in {title}"),
        };
        let near = near(key, table, release).map_or_else(String::new, |near| format!(", or write {near}"));
        return Some((message, format!("remove it{near}")));
    }
    if let Some(near) = near(key, table, release) {
        return Some((format!("nobody reads {key}; did you mean {near}?"), format!("write {near}")));
    }
    let anywhere = nearest_name(key, read().map(|known| known.key).filter(|other| *other != key));
    let message = match anywhere {
        Some(other) => {
            format!("nobody reads {key} in [{head}]; did you mean {other}, which is read elsewhere?")
        }
        None => format!("nobody reads {key}: no release has a key of that name"),
    };
    Some((message, "remove it".to_owned()))
}

/// The key of the same table that was meant.
fn near(key: &str, table: &str, release: Release) -> Option<&'static str> {
    let keys = catalog::all_config_keys().iter();
    let of_table = keys.filter(|known| known.reader(release).is_some() && own_table(known.table, table));
    let names: Vec<&'static str> = of_table.map(|known| known.key).filter(|other| *other != key).collect();
    // A unit at the end is what changed most between releases.
    let with_unit = names
        .iter()
        .find(|other| other.strip_prefix(key).is_some_and(|rest| rest == "_ms" || rest == "_sec"));
    with_unit.copied().or_else(|| nearest_name(key, names.into_iter()))
}

/// Whether the catalogue's name of a table is that of a file's.
fn own_table(known: &str, table: &str) -> bool {
    let (mut known, mut table) = (known.split('.'), table.split('.'));
    loop {
        match (known.next(), table.next()) {
            (None, None) => return true,
            (Some("<name>"), Some(_)) => {}
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => {}
            _ => return false,
        }
    }
}

fn shown_table(table: &str) -> String {
    match table.strip_suffix(".<name>") {
        Some("hypervisor") => "the hypervisor's table".to_owned(),
        Some("agent") => "[agent.kata]".to_owned(),
        _ => format!("[{table}]"),
    }
}
