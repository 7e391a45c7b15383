//! `--set`: what is asked with something said otherwise than the files say it, and the change taken out as a file.
//!
//! Decides what cannot be meant: a key of a table that no configuration has, a handler that the node lacks.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use super::args::Input;
use super::open::{self, Opened};
use super::setup::SetupError;
use crate::cri::Engine;
use crate::edit::Plan;
use crate::edit::output::{self, Existing};
use crate::input::config::Layers;
use crate::input::host::HostFacts;
use crate::input::what_if::{KeyEdit, WhatIf};
use crate::input::{Source, probe};
use crate::report::escape::visible;

/// What is done with the change of `--set` beside showing what comes of it.
#[derive(Debug, Clone, Default, Args)]
pub struct WriteOut {
    /// Write the configuration keys of --set to FILE as a drop-in for config.d
    #[arg(long, value_name = "FILE", help_heading = "What if", requires = "set", hide_short_help = true)]
    pub write_drop_in: Option<PathBuf>,
    /// Write them to FILE as a patch of the configuration files (patch -p1)
    #[arg(long, value_name = "FILE", help_heading = "What if", requires = "set", hide_short_help = true)]
    pub write_patch: Option<PathBuf>,
}

/// What is said otherwise.
pub(super) fn read(input: &Input) -> Result<WhatIf, SetupError> {
    WhatIf::read(&input.set).map_err(|wrong| SetupError::Usage(format!("--set {wrong}")))
}

/// The facts of the host with those that are said otherwise.
pub(super) fn facts(input: &Input, facts: &mut HostFacts) -> Result<(), SetupError> {
    match read(input)?.host_file() {
        Some(text) => probe::apply_host_file(facts, &Source::new("--set host", text))
            .map_err(|error| SetupError::Usage(error.to_string())),
        None => Ok(()),
    }
}

/// The input with the handler that is said otherwise.
pub(super) fn with_handler(input: &Input) -> Result<Input, SetupError> {
    let mut input = input.clone();
    if let Some(handler) = read(&input)?.handler() {
        input.handler = Some(handler.to_owned());
    }
    Ok(input)
}

/// What was opened, with what is said otherwise.
pub(super) fn opened(input: &Input, opened: Opened) -> Result<Opened, SetupError> {
    let what_if = read(input)?;
    if what_if.is_empty() {
        return Ok(opened);
    }
    let node = opened.node.what_if(what_if.clone());
    if let Some(name) = what_if.handler() {
        let known: Vec<&str> = node.node().handlers().iter().map(|handler| handler.name.as_str()).collect();
        let wrong = |why: String| SetupError::Usage(format!("--set handler={name}: {why}"));
        if matches!(node.node().engine, Engine::Assumed) {
            return Err(wrong(
                "one configuration judges all pods: a node (--root) or the container runtime's file \
                 (--cri-config) tells the handlers"
                    .into(),
            ));
        }
        if !known.contains(&name) {
            return Err(wrong(format!("no such handler; there are {}", known.join(", "))));
        }
    }
    for key in what_if.keys() {
        let name = key.name();
        let has = |layers: &Layers| layers.what_if.contains(&name);
        let mut readers = node.policies().filter(|(_, policy)| has(&policy.setup().layers)).peekable();
        if readers.peek().is_none() && node.policies().next().is_some() {
            return Err(SetupError::Usage(format!("--set {name}: {}", no_table(&key, &node))));
        }
        let known = crate::catalog::config_key(&key.table, &key.key);
        let mut unread: Vec<String> = readers
            .map(|(_, policy)| policy.setup().release)
            .filter(|release| known.is_some_and(|known| known.reader(*release).is_none()))
            .map(|release| release.title())
            .collect();
        unread.dedup();
        if let Some(release) = unread.first() {
            let _ = writeln!(io::stderr(), "katascope: --set {name}: {release} reads no such key");
        }
    }
    Ok(Opened { node, ..opened })
}

/// What to say of a key that no configuration has a table for.
fn no_table(key: &KeyEdit, node: &crate::evaluate::node::NodeEvaluator) -> String {
    let head = key.table.split('.').next().unwrap_or_default();
    let mut tables: Vec<String> = Vec::new();
    for (_, policy) in node.policies() {
        let own = policy.setup().layers.tables_below(head);
        tables.extend(own.into_iter().map(|name| format!("[{head}.{name}]")));
    }
    tables.sort();
    tables.dedup();
    match tables.is_empty() {
        true => format!("no configuration that is read here has [{}], or it cannot be changed", key.table),
        false => {
            format!("no configuration that is read here has [{}]; there is {}", key.table, tables.join(", "))
        }
    }
}

/// Writes the change out, where that was asked for.
pub(super) fn write(input: &Input, to: &WriteOut) -> Result<(), CliError> {
    let keys = read(input)?.keys();
    let besides = input.set.len() > keys.len();
    if keys.is_empty() && (to.write_drop_in.is_some() || to.write_patch.is_some()) {
        return Err(SetupError::Usage(
            "--set names no configuration key: there is nothing for a drop-in or a patch of the configuration".into(),
        )
        .into());
    }
    if let Some(path) = &to.write_drop_in {
        new_file(path, &drop_in(&keys)?)?;
        say(&format!("wrote {}; it belongs into config.d beside the configuration file", path.display()));
    }
    if let Some(path) = &to.write_patch {
        new_file(path, &patch(input, &keys)?)?;
        say(&format!("wrote {}; patch -p1 -d / takes it", path.display()));
    }
    if besides && (to.write_drop_in.is_some() || to.write_patch.is_some()) {
        say("only configuration keys are in it: for annotations there is show annotations -o yaml");
    }
    Ok(())
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "katascope: {}", visible(text));
}

fn drop_in(keys: &[KeyEdit]) -> Result<String, SetupError> {
    let mut layers = Layers::of_text("drop-in", "");
    for key in keys {
        let value = key.value.as_ref().ok_or_else(|| {
            SetupError::Usage(format!("--set {}-: a drop-in cannot take a key out; a patch can", key.name()))
        })?;
        layers = layers.with_key(&key.table, &key.key, value).unwrap_or(layers);
    }
    Ok(layers.base.map(|source| source.text.trim_start().to_owned()).unwrap_or_default())
}

fn patch(input: &Input, keys: &[KeyEdit]) -> Result<String, SetupError> {
    let as_is = open::open(&Input { set: Vec::new(), ..input.clone() })?;
    let mut plans: Vec<Plan> = Vec::new();
    for (_, policy) in as_is.node.policies() {
        let layers = &policy.setup().layers;
        let changed = layers.with_edits(keys);
        for (old, new) in layers.sources().zip(changed.sources()).filter(|(old, new)| old.text != new.text) {
            let (before, after) = (Some(old.text.clone()), Some(new.text.clone()));
            let plan = Plan { path: old.path.clone(), before, after };
            if !plans.contains(&plan) {
                plans.push(plan);
            }
        }
    }
    Ok(plans.iter().map(Plan::diff).collect())
}

fn new_file(path: &Path, text: &str) -> Result<(), SetupError> {
    let written = output::put(path, text, Existing::Keep);
    written.map_err(|error| SetupError::Unreadable {
        path: path.display().to_string(),
        reason: super::setup::plain(&error),
    })
}
