//! The files of a policy under edit: every change made, taken back and made again, without limit and
//! across saves. How it outlives files that somebody else changed is told in `reread`.

use std::sync::Arc;

use super::change::{Change, between};
use super::document::{Document, List};
use super::plan::Plan;
use super::rebase::Conflict;
use super::{EditError, PolicyEdit};
use crate::answer::verdict::ListId;
use crate::input::Source;
use crate::input::config::Layers;

#[derive(Debug, Clone)]
pub(super) struct File {
    pub path: Arc<str>,
    /// What is on the disk, as far as is known; `None`: nothing.
    pub saved: Option<Arc<str>>,
    /// How many of this file's changes were done when its text was the saved one; `None`: another way led
    /// there.
    pub saved_at: Option<usize>,
    /// Whether it was not there before an edit here made it: with nothing left in it, it goes again.
    pub made_here: bool,
    pub document: Result<Document, EditError>,
    pub text: Arc<str>,
    /// The last text that was TOML, where the present one is not: what was done to the file was done to it.
    pub last_good: Option<Arc<str>>,
}

/// One change of one file.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub path: Arc<str>,
    pub change: Change,
    /// Why it can be neither taken back nor made again, since somebody else changed the file.
    pub stuck: Option<Conflict>,
    /// Whether it was made together with the one before, and is taken back with it.
    pub joined: bool,
}

/// What taking back or making again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// The file.
    pub path: Arc<str>,
    /// The change.
    pub change: Change,
    /// Why nothing was done about it; it is gone from the history.
    pub stuck: Option<Conflict>,
}

impl File {
    pub(super) fn new(path: Arc<str>, saved: Option<Arc<str>>) -> Self {
        let text = saved.clone().unwrap_or_default();
        let document = Document::of(&Source::new(path.clone(), text.clone()));
        let made_here = saved.is_none();
        Self { path, saved, saved_at: Some(0), made_here, document, text, last_good: None }
    }

    pub(super) fn set(&mut self, text: Arc<str>) {
        self.document = Document::of(&Source::new(self.path.clone(), text.clone()));
        self.text = text;
    }
}

/// The files of one configuration, in order of effect, with all that was done to them.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub(super) files: Vec<File>,
    pub(super) done: Vec<Step>,
    pub(super) undone: Vec<Step>,
}

impl History {
    /// Starts with the files as they are.
    pub fn of(layers: &Layers) -> Self {
        let files = layers.sources().map(|s| File::new(s.path.clone(), Some(s.text.clone()))).collect();
        Self { files, done: Vec::new(), undone: Vec::new() }
    }

    /// The paths and present texts, in order of effect.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|file| (&*file.path, &*file.text))
    }

    fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| &*file.path == path)
    }

    /// One file as it is now.
    pub fn document(&self, path: &str) -> Option<Result<&Document, &EditError>> {
        self.file(path).map(|file| file.document.as_ref())
    }

    /// The list as it takes effect: of the last file that sets it, whole.
    pub fn effective(&self, id: &ListId) -> Option<(&Arc<str>, &List)> {
        self.files.iter().rev().find_map(|file| Some((&file.path, file.document.as_ref().ok()?.list(id)?)))
    }

    /// Every list that takes effect, with the file that sets it, in the order of their first mention.
    pub fn lists(&self) -> Vec<(&Arc<str>, &List)> {
        let mut ids: Vec<&ListId> = Vec::new();
        for file in &self.files {
            for list in file.document.iter().flat_map(Document::lists) {
                if !ids.contains(&&list.id) {
                    ids.push(&list.id);
                }
            }
        }
        ids.into_iter().filter_map(|id| self.effective(id)).collect()
    }

    /// Makes an edit in the file at `path`; a path that is not there yet becomes a new drop-in. Where the
    /// file does not set the list, it gets the whole list as it takes effect, edited. What was undone
    /// before is forgotten.
    pub fn apply(&mut self, path: &str, edit: &PolicyEdit) -> Result<&Change, EditError> {
        let id = edit.list();
        let here = self.file(path).map(|file| file.document.clone()).transpose()?;
        let edit = match (&here, self.effective(id)) {
            _ if matches!(edit, PolicyEdit::Key { .. }) => edit.clone(),
            (Some(document), _) if document.list(id).is_some() => edit.clone(),
            (_, Some((_, list))) => PolicyEdit::Create {
                list: id.clone(),
                items: edit.planned(Some(&list.texts())).ok_or_else(|| EditError::NoEntry(id.clone()))?,
            },
            (_, None) => edit.clone(),
        };
        let document = match here {
            Some(document) => document,
            None => Document::of(&Source::new(path, ""))?,
        };
        let (document, change) = document.apply(&edit)?;
        let path: Arc<str> = path.into();
        if self.file(&path).is_none() {
            // The first file is the main one; drop-ins follow in byte order.
            let drop_ins = self.files.get(1..).unwrap_or_default();
            let at = drop_ins.iter().position(|file| file.path > path).map_or(self.files.len(), |i| i + 1);
            self.files.insert(at, File::new(path.clone(), None));
        }
        if let Some(file) = self.files.iter_mut().find(|file| file.path == path) {
            file.text = document.source().text.clone();
            file.document = Ok(document);
        }
        self.undone.clear();
        for i in 0..self.files.len() {
            let Some(path) = self.files.get(i).map(|file| file.path.clone()) else { continue };
            let done = self.done_in(&path);
            // The way to what is saved went through what was just forgotten.
            if let Some(file) = self.files.get_mut(i) {
                file.saved_at = file.saved_at.filter(|at| *at <= done);
            }
        }
        self.done.push(Step { path, change, stuck: None, joined: false });
        self.done.last().map(|step| &step.change).ok_or_else(|| EditError::NotOpen(String::new()))
    }

    /// The keys that are no policy lists and were written, each with what the last file that sets it says.
    pub fn keys(&self) -> Vec<(ListId, Option<String>)> {
        let mut ids: Vec<&ListId> = Vec::new();
        for step in &self.done {
            let id = step.change.edit.list();
            if matches!(step.change.edit, PolicyEdit::Key { .. }) && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.into_iter().map(|id| (id.clone(), self.value(id))).collect()
    }

    /// What a key says that is no policy list: its value as the last file writes it.
    pub fn value(&self, id: &ListId) -> Option<String> {
        let mut files = self.files.iter().rev();
        files.find_map(|file| file.document.as_ref().ok()?.entries(id)?.into_iter().next())
    }

    /// The file that sets a key.
    pub fn holder(&self, id: &ListId) -> Option<&Arc<str>> {
        let sets = |file: &&File| file.document.as_ref().is_ok_and(|document| document.entries(id).is_some());
        self.files.iter().rev().find(sets).map(|file| &file.path)
    }

    /// How many changes of a file are done.
    pub(super) fn done_in(&self, path: &str) -> usize {
        self.done.iter().filter(|step| &*step.path == path).count()
    }

    /// Gives `list` exactly `texts` in the file at `path`, touching no entry that stays.
    pub fn set_list(&mut self, path: &str, list: &ListId, texts: &[String]) -> Result<(), EditError> {
        let old = self.effective(list).map(|(_, list)| list.texts());
        for edit in between(list, old.as_deref(), texts) {
            self.apply(path, &edit)?;
        }
        Ok(())
    }

    /// Takes the last change back, or finds that it cannot be.
    pub fn undo(&mut self) -> Option<Stepped> {
        self.step(true)
    }

    /// Makes the change again that was last taken back, or finds that it cannot be.
    pub fn redo(&mut self) -> Option<Stepped> {
        self.step(false)
    }

    fn step(&mut self, back: bool) -> Option<Stepped> {
        let step = if back { self.done.last() } else { self.undone.last() }.cloned()?;
        let Step { path, change, mut stuck, .. } = step.clone();
        let splice = if back { change.splice.inverse() } else { change.splice.clone() };
        let file = self.files.iter_mut().find(|file| file.path == path)?;
        if let Err(error) = &file.document {
            // The file may become TOML again: the change waits.
            return Some(Stepped { path, change, stuck: Some(error.clone().into()) });
        }
        let text = splice.apply(&file.text);
        if text.is_none() && stuck.is_none() {
            stuck = Some(Conflict::OtherEntries(change.edit.list().clone()));
        }
        if stuck.is_some() {
            let from = if back { &mut self.done } else { &mut self.undone };
            from.pop();
            let done = from.iter().filter(|step| step.path == path).count();
            if back {
                // What was done before counts one less.
                file.saved_at = file.saved_at.map(|at| if at > done { at - 1 } else { at });
            }
            return Some(Stepped { path, change, stuck });
        }
        if let Some(text) = text {
            file.set(text.into());
        }
        let (from, to) =
            if back { (&mut self.done, &mut self.undone) } else { (&mut self.undone, &mut self.done) };
        from.pop();
        to.push(step);
        Some(Stepped { path, change, stuck: None })
    }

    /// Makes the last change one with the change before it.
    pub fn join_last(&mut self) {
        if let Some(step) = self.done.last_mut() {
            step.joined = true;
        }
    }

    /// Whether the change that would be taken back, or made again, is one with the change before it.
    pub fn is_joined(&self, back: bool) -> bool {
        let step = if back { self.done.last() } else { self.undone.last() };
        step.is_some_and(|step| step.joined)
    }

    /// Every change that is done, the first first, with its file.
    pub fn done(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.done.iter().map(|step| (&*step.path, &step.change))
    }

    /// How many changes can be taken back, and made again.
    pub fn depth(&self) -> (usize, usize) {
        (self.done.len(), self.undone.len())
    }

    /// Whether a file differs from what is on the disk.
    pub fn unsaved(&self) -> bool {
        self.files.iter().any(File::differs)
    }

    /// How many changes lie between the files and what is on the disk.
    pub fn unsaved_count(&self) -> usize {
        let apart = |file: &File| file.saved_at.map_or(1, |at| at.abs_diff(self.done_in(&file.path))).max(1);
        self.files.iter().filter(|file| file.differs()).map(apart).sum()
    }

    /// What saving would write: one plan for each file that differs.
    pub fn plans(&self) -> Vec<Plan> {
        self.files
            .iter()
            .filter(|file| file.differs())
            .map(|file| Plan {
                path: file.path.clone(),
                before: file.saved.clone(),
                after: Some(file.text.clone()).filter(|text| !(file.made_here && text.is_empty())),
            })
            .collect()
    }

    /// Notes that a plan was carried out.
    pub fn saved(&mut self, plan: &Plan) {
        let done = self.done_in(&plan.path);
        if let Some(file) = self.files.iter_mut().find(|file| file.path == plan.path) {
            file.saved = plan.after.clone();
            file.saved_at = (*file.text == *plan.text()).then_some(done);
        }
    }

    /// The layers with the present texts.
    pub fn layers(&self, layers: &Layers) -> Layers {
        self.files.iter().fold(layers.clone(), |layers, file| {
            match file.saved.is_none() && file.text.is_empty() {
                true => layers.without(&file.path),
                false => layers.with_text(&file.path, &file.text),
            }
        })
    }
}

impl File {
    pub(super) fn differs(&self) -> bool {
        match &self.saved {
            Some(saved) => *saved != self.text,
            None => !self.text.is_empty(),
        }
    }
}
