//! The change of `--set`, taken out as a drop-in or a patch.
//!
//! Decides what of it can be written: configuration keys alone.

use std::io::{self, Write};
use std::path::Path;

use super::args::{Input, WriteOut};
use super::error::{SetupError, plain};
use super::{CliError, open, set};
use crate::edit::Plan;
use crate::edit::output::{self, Existing};
use crate::input::config::Layers;
use crate::input::what_if::KeyEdit;
use crate::report::escape::visible;

/// Writes the change out, where that was asked for.
pub(super) fn write(input: &Input, to: &WriteOut) -> Result<(), CliError> {
    let keys = set::read(input)?.keys();
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
    written
        .map_err(|error| SetupError::Unreadable { path: path.display().to_string(), reason: plain(&error) })
}
