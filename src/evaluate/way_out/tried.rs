//! Setups that were changed for a try, and what was looked up in the files on the way.
//!
//! Decides what is kept: pods of one kind ask the same, so each setup is loaded once.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;

use crate::answer::Place;
use crate::evaluate::{Evaluator, Setup};
use crate::input::amend::Written;
use crate::input::config::Layers;

/// What was tried and looked up: pods of one kind ask the same.
#[derive(Debug, Default)]
pub(in crate::evaluate) struct Tried {
    /// Setups, by what was changed.
    setups: Mutex<HashMap<String, Option<Evaluator>>>,
    /// Keys as the files have them.
    written: Mutex<HashMap<String, Option<Written>>>,
    /// Where each key stands.
    pub(super) places: OnceLock<IndexMap<String, Place>>,
    /// The tables below `hypervisor` and `agent`.
    pub(super) tables: Mutex<HashMap<String, Vec<String>>>,
}

/// So many setups and keys are kept.
const KEPT: usize = 64;

impl Evaluator {
    /// The same setup, changed for a try; `None`: it cannot be changed so.
    pub(in crate::evaluate) fn tried(
        &self,
        what: &str,
        change: impl FnOnce(&Self) -> Option<Self>,
    ) -> Option<Self> {
        once(&self.tried.setups, what, || change(self))
    }

    /// The same with changed layers.
    pub(in crate::evaluate) fn tried_with(
        &self,
        what: &str,
        change: impl FnOnce(&Layers) -> Option<Layers>,
    ) -> Option<Self> {
        self.tried(what, |own| {
            let layers = change(&own.setup.layers)?;
            Some(Self::load(Setup { layers, ..(*own.setup).clone() }, false))
        })
    }

    /// How a key is written last.
    pub(super) fn last_written(&self, table: &str, key: &str) -> Option<Written> {
        once(&self.tried.written, &format!("{table}.{key}"), || self.setup.layers.written(table, key))
    }
}

/// What is kept under a name, else found now and kept where there is room.
pub(super) fn once<T: Clone>(kept: &Mutex<HashMap<String, T>>, name: &str, find: impl FnOnce() -> T) -> T {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(name) {
        return known.clone();
    }
    let found = find();
    let mut kept = lock();
    if kept.len() < KEPT {
        kept.insert(name.to_owned(), found.clone());
    }
    found
}
