//! What stands in a configuration file and is read in another way, and what to do about a cause.
//!
//! Decides by the catalogue's spans alone: that a key is gone matters also where nothing shows it yet.

use super::cause::{Cause, Change, of_key};
use super::item::{Effect, Item, Place};
use crate::catalog;
use crate::evaluate::Evaluator;
use crate::release::Release;

/// The keys of a file that another release reads and this one does not, or the other way round, each with the
/// release that made the difference; but for those of which it is known already that their value differs.
pub(super) fn of_file(own: &Evaluator, other: &Evaluator, known: &[Item]) -> (Vec<Item>, Vec<Vec<Cause>>) {
    let (from, to) = (own.setup().release, other.setup().release);
    let places = own.setup().layers.places();
    let read = |name: &str, release: Release| {
        let (table, key) = name.rsplit_once('.')?;
        Some(catalog::config_key(table, key)?.reader(release).is_some_and(|reader| !reader.unused))
    };
    let active = |name: &str| match name.strip_prefix("hypervisor.") {
        Some(rest) => own.hypervisor().is_some_and(|active| rest.split('.').next() == Some(active)),
        None => true,
    };
    let mut items = Vec::new();
    let mut causes = Vec::new();
    let is_known = |name: &str| known.iter().any(|item| item.place == Place::Value(name.to_owned()));
    for (name, place) in places.iter().filter(|(name, _)| active(name) && !is_known(name)) {
        let effect = match (read(name, from), read(name, to)) {
            (Some(true), Some(false)) => Effect::Lost,
            (Some(false), Some(true)) => Effect::Gained,
            _ => continue,
        };
        let Some(cause) = edge(name, from, to) else { continue };
        let there = Some(place.to_string());
        let (before, after) = if effect == Effect::Lost { (there, None) } else { (None, there) };
        items.push(Item { place: Place::Value(name.clone()), effect, before, after, keys: Vec::new() });
        causes.push(vec![cause]);
    }
    (items, causes)
}

/// The release between two from which on a key is read, or not, as in the second.
fn edge(name: &str, from: Release, to: Release) -> Option<Cause> {
    let (first, last) = (from.version.min(to.version), from.version.max(to.version));
    let between: Vec<Release> = from
        .runtime
        .versions()
        .filter(|version| first <= *version && *version <= last)
        .map(|version| Release::new(from.runtime, version))
        .collect();
    let steps = between.windows(2).rev().filter_map(|pair| match pair {
        [old, new] if from.version <= to.version => Some((*new, of_key(name, *old, *new)?)),
        [old, new] => Some((*new, of_key(name, *new, *old)?)),
        _ => None,
    });
    let (release, what) = steps.into_iter().next()?;
    Some(Cause {
        release: release.version,
        change: Change::Key(name.to_owned(), what),
        is_down: to.version < from.version,
    })
}

/// What to do about a cause, by what it did.
pub(super) fn advice(cause: &Cause, examples: &[Item]) -> Option<String> {
    match &cause.change {
        Change::Key(key, what) if what.starts_with("is read by nothing") => {
            Some(format!("take {key} out, or see what took its place: katascope explain {}", last(key)))
        }
        Change::Key(key, _) => {
            let value = examples.iter().find(|item| item.place == Place::Value(key.clone()))?;
            let before = value.before.as_ref()?;
            matches!(value.effect, Effect::Value | Effect::Size)
                .then(|| format!("to keep it as it is, set {} = {before}", last(key)))
        }
        Change::Annotation(_, what) => {
            let other = what.strip_prefix("is now ")?;
            Some(format!("write {other} instead"))
        }
        Change::Behaviour { .. } | Change::Unnamed(_) => None,
    }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
