//! Screen 2's state: the lists of the files at hand with everything done to them, and what a pattern
//! would mean.

use std::rc::Rc;
use std::sync::Arc;

use super::pods::{PodEntry, Sweep};
use super::row::{Body, ListRow, PatternRow, Row};
use super::{Model, Screen, Show};
use crate::answer::verdict::ListId;
use crate::audit;
use crate::audit::meaning::explain_entry;
use crate::catalog;
use crate::edit::{EditError, History, PolicyEdit, Reread, targets};
use crate::evaluate::Evaluator;
use crate::export::beside::{self, Both, Enforced};
use crate::export::{self, Admission, Mode, Subject};
use crate::input::config::Layers;
use crate::report::policy as report;
use crate::report::text::Paint;

/// The identity of an entry: its text, and a number where that comes twice.
pub fn entry_id(list: &ListId, text: &str, nth: usize) -> Rc<str> {
    format!("{list}\u{1}{text}\u{1}{nth}").into()
}

/// The identity of a list's row.
pub fn list_id(list: &ListId) -> Rc<str> {
    format!("{list}").into()
}

/// The rows, unfiltered.
pub fn rows(model: &Model) -> Vec<Row> {
    let show = model.lists[Screen::Policy].show;
    let active = format!("hypervisor.{}", model.seat.current.hypervisor().unwrap_or("qemu"));
    let found = model.seat.history.lists();
    let mut ids: Vec<ListId> = Vec::new();
    let release = model.seat.current.setup().release;
    for list in catalog::lists(release) {
        let id = ListId::new(active.clone(), list);
        let exists = found.iter().any(|(_, l)| l.id == id);
        if exists || show == Show::All {
            ids.push(id);
        }
    }
    for (_, list) in &found {
        if !ids.contains(&list.id) && (show != Show::Problems || list.id.table == active) {
            ids.push(list.id.clone());
        }
    }
    // What no file sets goes to the end of its table.
    ids.sort_by_key(|id| {
        let exists = found.iter().any(|(_, l)| l.id == *id);
        (id.table != active, !exists && id.list != "enable_annotations")
    });
    let mut rows = Vec::new();
    let mut table = String::new();
    for id in ids {
        if id.table != table {
            table = id.table.to_string();
            let note = if table == active { "" } else { "  (not the active hypervisor)" };
            rows.push(Row::heading(format!("[{table}]{note}")));
        }
        push_list(model, &id, show, &mut rows);
    }
    rows
}

fn push_list(model: &Model, id: &ListId, show: Show, rows: &mut Vec<Row>) {
    let found = model.seat.history.effective(id);
    rows.push(Row {
        id: list_id(id),
        find: id.list.as_ref().into(),
        body: Body::List(
            ListRow {
                id: id.clone(),
                entries: found.map(|(_, l)| l.items.len()),
                path: found.map(|(p, _)| p.clone()),
                line: found.map_or(0, |(_, l)| l.place.line),
            }
            .into(),
        ),
    });
    let Some((path, list)) = found else { return };
    let texts = list.texts();
    let mut seen: Vec<&str> = Vec::new();
    for (at, item) in list.items.iter().enumerate() {
        let nth = seen.iter().filter(|t| **t == item.text).count();
        seen.push(&item.text);
        let setup = model.seat.current.setup();
        let meaning = Rc::new(explain_entry(setup.release, &id.list, &texts, at, &setup.host));
        if show == Show::Problems && meaning.warnings.is_empty() {
            continue;
        }
        let names: Vec<&str> = meaning.names.iter().map(|a| a.base()).collect();
        rows.push(Row {
            id: entry_id(id, &item.text, nth),
            find: format!("{}\t{}\t{}", item.text, id.list, names.join(" ")).into(),
            body: Body::Pattern(
                PatternRow {
                    list: id.clone(),
                    at,
                    text: item.text.clone(),
                    comment: item.comment.clone(),
                    path: path.clone(),
                    line: item.place.line,
                    meaning,
                }
                .into(),
            ),
        });
    }
}

/// What whoever may create pods can change under the lists as they are edited: what `policy audit`
/// prints of them.
pub fn audit_text(model: &Model) -> String {
    let setup = model.seat.current.setup();
    let Some(hypervisor) = audit::active(&model.seat.current) else {
        return format!("{}: no [hypervisor.*] table", setup.layers.asked);
    };
    let mut out = Vec::new();
    let title = format!("{}  {} · {hypervisor}", setup.layers.asked, setup.release.title());
    // Writing to memory does not fail.
    let _ = report::audit(
        &mut out,
        &audit::of_evaluator(&model.seat.current, &hypervisor),
        &title,
        Paint { color: false },
    );
    String::from_utf8_lossy(&out).into_owned()
}

/// What a cluster would enforce of the policy as it is here, unsaved edits included, and how the pods fare there.
pub fn cluster_text(model: &Model) -> String {
    let Some(hypervisor) = audit::active(&model.seat.current) else { return beside::text(&[], 0) };
    let handler = model.handler.as_deref();
    let subject = Subject {
        handler: handler.map(str::to_owned),
        default: handler.and_then(|name| model.node.node().handler(name)).is_some_and(|h| h.default),
        evaluator: &model.seat.current,
    };
    let own: Vec<(usize, &PodEntry)> = model
        .pods
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kata && model.is_judged_here(entry))
        .collect();
    let waiting = own.iter().filter(|(index, _)| model.sweep.get(*index).is_none()).count();
    // What Kubernetes itself refuses reaches neither.
    let judged: Vec<(&PodEntry, Option<(String, String)>)> = own
        .into_iter()
        .filter_map(|(index, entry)| {
            let summary = model.sweep.get(index).filter(|summary| summary.elsewhere.is_none())?;
            let host = summary.refused.as_ref().map(|(stage, why)| ((*stage).to_owned(), why.to_string()));
            entry.pod.problems.is_empty().then_some((entry, host))
        })
        .collect();
    let enforced = [Mode::Closed, Mode::NothingLost, Mode::AsHost].map(|mode| {
        let rules = export::rules(&subject, &hypervisor, mode);
        let admission = Admission::by(&rules);
        let both = |(entry, host): &(&PodEntry, Option<(String, String)>)| Both {
            id: entry.id.to_string(),
            host: host.clone(),
            cluster: admission.refuses(&entry.pod),
        };
        let pods = judged.iter().map(both).collect();
        Enforced { rules: rules.clone(), pods }
    });
    beside::text(&enforced, waiting)
}

impl Model {
    /// The patterns of a list as it takes effect with the unsaved edits.
    pub fn patterns(&self, list: &ListId) -> Vec<String> {
        self.seat.history.effective(list).map(|(_, l)| l.texts()).unwrap_or_default()
    }

    /// Where an edit of `list` goes: the file that sets it, else the first that may.
    pub fn edit_path(&self, list: &ListId) -> Option<Arc<str>> {
        if let Some(path) = self.seat.history.holder(list) {
            return Some(path.clone());
        }
        let setup = self.seat.saved.setup();
        targets(setup.release, &setup.layers, list).first().map(|t| t.path().clone())
    }

    /// Makes an edit and evaluates what follows.
    pub fn apply_edit(&mut self, edit: &PolicyEdit) -> Result<(), EditError> {
        let path = self
            .edit_path(edit.list())
            .ok_or_else(|| EditError::NotOpen(self.seat.saved.setup().layers.asked.to_string()))?;
        self.seat.history.apply(&path, edit)?;
        self.policy_changed();
        Ok(())
    }

    /// After any change of the lists.
    pub fn policy_changed(&mut self) {
        self.kept = false;
        let was_edited = std::mem::replace(&mut self.seat.edited, self.seat.history.unsaved());
        if self.saved_sweep.progress().1 != self.pods.len() {
            self.saved_sweep = Sweep::new(self.pods.len());
        }
        if !was_edited && self.seat.edited && self.sweep.progress() > self.saved_sweep.progress() {
            // What is on disk was just evaluated.
            self.saved_sweep = self.sweep.clone();
        }
        let changed = if self.seat.edited {
            self.seat.saved.with_layers(self.seat.history.layers(&self.seat.saved.setup().layers))
        } else {
            self.seat.saved.clone()
        };
        let before = std::mem::replace(&mut self.seat.current, changed);
        self.other = None;
        let sweep = std::mem::take(&mut self.sweep);
        self.sweep = self.carried(sweep, &before, &self.seat.current);
        self.arrangement.made_for = None;
        if !self.seat.edited && self.saved_sweep.progress() > self.sweep.progress() {
            self.sweep = self.saved_sweep.clone();
        }
        self.evaluate();
    }

    /// What is known of all pods under `before`, as far as it holds under `after`.
    pub fn carried(&self, mut sweep: Sweep, before: &Evaluator, after: &Evaluator) -> Sweep {
        if before.fares_alike(after) {
            let is_gated = |index: usize| {
                let gated = |entry: &PodEntry| entry.gated && self.is_judged_here(entry);
                self.pods.get(index).is_none_or(gated)
            };
            sweep.forget_where(|index| is_gated(index) || self.trials.contains_key(&index));
        } else {
            sweep.forget_where(|index| self.pods.get(index).is_none_or(|entry| self.is_judged_here(entry)));
        }
        sweep
    }

    /// The layers as they would be after `edit`, without making it.
    pub fn would_be(&self, edit: &PolicyEdit) -> Result<Evaluator, EditError> {
        let mut history = self.seat.history.clone();
        let path = self.edit_path(edit.list()).ok_or_else(|| EditError::NotOpen(String::new()))?;
        history.apply(&path, edit)?;
        Ok(self.seat.saved.with_layers(history.layers(&self.seat.saved.setup().layers)))
    }

    /// How many policy edits are not on disk.
    pub fn unsaved(&self) -> usize {
        if !self.seat.edited {
            return 0;
        }
        self.seat.history.unsaved_count().max(1)
    }

    /// The unsaved edits as a patch.
    pub fn unsaved_patch(&self) -> Option<String> {
        if !self.seat.edited {
            return None;
        }
        Some(self.seat.history.plans().iter().map(crate::edit::Plan::diff).collect())
    }

    /// The lists whose entries differ from the files on disk, with their entries now.
    pub fn changed_lists(&self) -> Vec<(ListId, Vec<String>)> {
        let saved = History::of(&self.seat.saved.setup().layers);
        self.seat
            .history
            .lists()
            .into_iter()
            .filter(|(_, list)| saved.effective(&list.id).map(|(_, l)| l.texts()) != Some(list.texts()))
            .map(|(_, list)| (list.id.clone(), list.texts()))
            .collect()
    }

    /// The other keys that differ from the files on disk, with their values now as TOML.
    pub fn changed_keys(&self) -> Vec<(ListId, Option<String>)> {
        let saved = History::of(&self.seat.saved.setup().layers);
        self.seat.history.keys().into_iter().filter(|(id, value)| saved.value(id) != *value).collect()
    }

    /// Takes layers that were read again. Every change is carried onto them, done or undone; without
    /// `keep_edits` the unsaved ones are undone first, and can be made again.
    pub fn read_again(&mut self, layers: Layers, keep_edits: bool) -> Result<Reread, EditError> {
        let mut history = self.seat.history.clone();
        if !keep_edits {
            history.back_to_saved();
        }
        let reread = history.reread(&layers)?;
        self.seat.history = history;
        self.start_from(layers);
        Ok(reread)
    }

    /// Keeps the text of a file as it is here, over what somebody else wrote meanwhile; nothing is written.
    pub fn keep_over(&mut self, path: &str, theirs: Option<&str>) {
        self.seat.history.keep_over(path, theirs);
        let layers = &self.seat.saved.setup().layers;
        self.start_from(theirs.map_or_else(|| layers.clone(), |theirs| layers.with_text(path, theirs)));
    }

    /// Other texts on the disk than before.
    fn start_from(&mut self, layers: Layers) {
        let read = self.seat.saved.with_layers(layers);
        let before = std::mem::replace(&mut self.seat.saved, read);
        self.readings += 1;
        let sweep = std::mem::take(&mut self.saved_sweep);
        self.saved_sweep = self.carried(sweep, &before, &self.seat.saved);
        self.seat.edited = true;
        self.policy_changed();
    }
}
