//! The history over files that were read again: every change, done and undone, is carried onto the new
//! text. A change that has no place there stays in the history as one that cannot be taken back, and an
//! unsaved edit that has none is told.

use std::sync::Arc;

use super::change::{Change, between};
use super::document::{Document, List};
use super::history::{File, History, Step};
use super::rebase::{Conflict, Move, across, hunks, rebase};
use super::splice::Splice;
use super::{EditError, PolicyEdit};
use crate::input::Source;
use crate::input::config::Layers;

/// An unsaved edit that has no place in the file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The file.
    pub path: Arc<str>,
    /// The edit.
    pub edit: PolicyEdit,
    /// The list's entries before it.
    pub before: Option<Vec<String>>,
    /// Why.
    pub reason: Conflict,
}

/// What became of the edits when the files were read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reread {
    /// Unsaved edits without a place.
    pub lost: Vec<Lost>,
    /// How many unsaved edits somebody else made as well.
    pub same: usize,
    /// How many changes of before can no longer be taken back or made again.
    pub stuck: usize,
}

/// The changes of one file in their order, and where among them its text and the saved one stand.
struct Chain {
    steps: Vec<Step>,
    /// How many are done.
    done: usize,
    /// The text after each number of changes.
    states: Vec<Document>,
    /// What becomes of each: kept or dropped.
    kept: Vec<bool>,
}

impl History {
    /// Takes files as they are on the disk now, and carries every change onto them. Does nothing where
    /// unsaved edits would be lost as a whole: their file is gone, or is not TOML.
    pub fn reread(&mut self, layers: &Layers) -> Result<Reread, EditError> {
        let fresh: Vec<&Source> = layers.sources().collect();
        let unsaved = |file: &&File| file.saved.is_some() && file.differs();
        for file in self.files.iter().filter(unsaved) {
            match fresh.iter().find(|source| source.path == file.path) {
                None => return Err(EditError::NotOpen(file.path.to_string())),
                Some(source) => drop(Document::of(source)?),
            }
        }
        let mut reread = Reread::default();
        let old = std::mem::take(&mut self.files);
        for source in &fresh {
            let file = old.iter().find(|file| file.path == source.path).cloned();
            let file = match file {
                None => File::new(source.path.clone(), Some(source.text.clone())),
                Some(file) if file.saved.as_ref() == Some(&source.text) && file.last_good.is_none() => file,
                Some(file) => {
                    let made_here = file.made_here;
                    File { made_here, ..self.carried(file, source, &mut reread) }
                }
            };
            self.files.push(file);
        }
        for file in old {
            if fresh.iter().any(|source| source.path == file.path) {
                continue;
            }
            if file.saved.is_none() {
                // A drop-in that was never written is where it was.
                let at = self.files.iter().skip(1).position(|f| f.path > file.path);
                self.files.insert(at.map_or(self.files.len(), |i| i + 1), file);
            } else {
                self.forget(&file.path);
            }
        }
        Ok(reread)
    }

    /// Undoes, or makes again, whatever lies between the files and the disk, so that nothing is unsaved.
    /// What was unsaved can be made again.
    pub fn back_to_saved(&mut self) {
        for back in [true, false] {
            while self.saved_lies(back) {
                let depth = self.depth();
                let stepped = if back { self.undo() } else { self.redo() };
                if stepped.is_none() || self.depth() == depth {
                    break;
                }
            }
        }
        for i in 0..self.files.len() {
            let Some(file) = self.files.get(i).filter(|file| file.differs()).cloned() else { continue };
            // No way leads there but to start again.
            self.forget(&file.path);
            if let Some(slot) = self.files.get_mut(i) {
                *slot = File { made_here: file.made_here, ..File::new(file.path, file.saved) };
            }
        }
    }

    /// Keeps this side's text of a file that somebody else changed: what they wrote is what saving would
    /// now replace.
    pub fn keep_over(&mut self, path: &str, theirs: Option<&str>) {
        if let Some(file) = self.files.iter_mut().find(|file| &*file.path == path) {
            file.saved = theirs.map(Arc::from);
            file.saved_at = None;
        }
    }

    /// Whether the saved text of some file is reached by going back, or forward.
    fn saved_lies(&self, back: bool) -> bool {
        self.files.iter().filter(|file| file.differs()).any(|file| {
            let done = self.done_in(&file.path);
            file.saved_at.is_some_and(|at| if back { at < done } else { at > done })
        })
    }

    fn forget(&mut self, path: &str) {
        self.done.retain(|step| &*step.path != path);
        self.undone.retain(|step| &*step.path != path);
    }

    /// One file with its changes on a new text.
    fn carried(&mut self, file: File, source: &Source, reread: &mut Reread) -> File {
        let new = match Document::of(source) {
            Ok(new) => new,
            // Half written, perhaps: what was done waits until the file can be read.
            Err(_) => {
                let good = file.last_good.clone().or(Some(file.text.clone()));
                return File { last_good: good, ..File::new(file.path, Some(source.text.clone())) };
            }
        };
        let base = file.last_good.clone().or(file.saved.clone()).unwrap_or_default();
        let text = file.last_good.clone().unwrap_or(file.text.clone());
        let Some(mut chain) = self.chain(&file.path, &text) else {
            self.forget(&file.path);
            return File::new(file.path, Some(source.text.clone()));
        };
        let at = match file.last_good {
            Some(_) => Some(chain.done),
            None => file.saved_at.filter(|at| chain.states.get(*at).is_some_and(|d| d.source().text == base)),
        };
        let (start, begin) = match at {
            Some(at) => (at, new),
            None => (chain.done, merged(&file.path, &base, &text, &new, reread)),
        };
        let text = chain.rebase(start, begin, reread);
        let saved_at = at.map(|at| chain.kept.iter().take(at).filter(|kept| **kept).count());
        self.put_back(&file.path, chain);
        let mut carried = File::new(file.path, Some(source.text.clone()));
        if carried.text != text {
            carried.set(text);
        }
        carried.saved_at = saved_at;
        carried
    }

    /// The changes of a file; `None` where they do not lead through its text.
    fn chain(&self, path: &Arc<str>, text: &Arc<str>) -> Option<Chain> {
        let of_file = |step: &&Step| step.path == *path;
        let steps: Vec<Step> = self
            .done
            .iter()
            .filter(of_file)
            .chain(self.undone.iter().rev().filter(of_file))
            .cloned()
            .collect();
        let done = self.done_in(path);
        let open = |text: String| Document::of(&Source::new(path.clone(), text)).ok();
        let mut states = vec![open(text.to_string())?];
        for step in steps.get(..done)?.iter().rev() {
            let here = &states.first()?.source().text;
            let before = if step.stuck.is_some() {
                here.to_string()
            } else {
                step.change.splice.inverse().apply(here)?
            };
            states.insert(0, open(before)?);
        }
        for step in steps.get(done..)? {
            let here = &states.last()?.source().text;
            let after =
                if step.stuck.is_some() { here.to_string() } else { step.change.splice.apply(here)? };
            states.push(open(after)?);
        }
        let kept = vec![true; steps.len()];
        Some(Chain { steps, done, states, kept })
    }

    fn put_back(&mut self, path: &Arc<str>, chain: Chain) {
        let mut new = chain.steps.into_iter().zip(chain.kept);
        let mut replace = |steps: Vec<Step>| -> Vec<Step> {
            let own = |step: Step| match step.path == *path {
                true => new.next().and_then(|(step, kept)| kept.then_some(step)),
                false => Some(step),
            };
            steps.into_iter().filter_map(own).collect()
        };
        self.done = replace(std::mem::take(&mut self.done));
        let mut undone = std::mem::take(&mut self.undone);
        undone.reverse();
        let mut undone = replace(undone);
        undone.reverse();
        self.undone = undone;
    }
}

impl Chain {
    /// Carries every change, beginning with the text `begin` in the place of state `start`; gives the text
    /// in the place of the present one.
    fn rebase(&mut self, start: usize, begin: Document, reread: &mut Reread) -> Arc<str> {
        let mut present = begin.source().text.clone();
        let mut here = begin.clone();
        for i in start..self.steps.len() {
            if i == self.done {
                present = here.source().text.clone();
            }
            self.one(i, true, i < self.done, &mut here, reread);
        }
        if self.done == self.steps.len() && start <= self.done {
            present = here.source().text.clone();
        }
        let mut here = begin;
        for i in (0..start).rev() {
            self.one(i, false, i >= self.done, &mut here, reread);
            if i == self.done {
                present = here.source().text.clone();
            }
        }
        present
    }

    /// Carries change `i`, forward or back, from its old place onto `here`. `unsaved`: it is one of those
    /// between the saved text and the present one.
    fn one(&mut self, i: usize, forward: bool, unsaved: bool, here: &mut Document, reread: &mut Reread) {
        let (Some(before), Some(after)) = (self.states.get(i), self.states.get(i + 1)) else { return };
        let (Some(step), Some(kept)) = (self.steps.get_mut(i), self.kept.get_mut(i)) else { return };
        if step.stuck.is_some() {
            return;
        }
        let list = step.change.edit.list().clone();
        let texts = |document: &Document| document.entries(&list);
        let (from, edit, splice) = match forward {
            true => (before, Some(step.change.edit.clone()), step.change.splice.clone()),
            false => {
                (after, step.change.edit.inverse(texts(before).as_deref()), step.change.splice.inverse())
            }
        };
        match rebase(from, &Move { list: &list, edit, splice }, here) {
            Ok(Some((document, change))) => {
                if forward {
                    step.change = change;
                } else {
                    let there = texts(here);
                    // What takes back the taking back is the change itself, in its new place.
                    if let Some(edit) = change.edit.inverse(there.as_deref()) {
                        step.change.edit = edit;
                    }
                    step.change.before = texts(&document);
                    step.change.splice = change.splice.inverse();
                }
                *here = document;
            }
            // They did the same.
            Ok(None) => {
                *kept = false;
                reread.same += usize::from(unsaved);
            }
            Err(reason) if unsaved => {
                *kept = false;
                let Change { edit, before, .. } = step.change.clone();
                reread.lost.push(Lost { path: step.path.clone(), edit, before, reason });
            }
            Err(reason) => {
                step.stuck = Some(reason);
                reread.stuck += 1;
            }
        }
    }
}

/// `mine`, which came from `base` by a way that is forgotten, on the text that `base` has become.
fn merged(path: &Arc<str>, base: &str, mine: &str, theirs: &Document, reread: &mut Reread) -> Document {
    let their_hunks = hunks(base, &theirs.source().text);
    let open = |text: &str| Document::of(&Source::new(path.clone(), text));
    let apart = || {
        let own: Option<Vec<Splice>> = hunks(base, mine).iter().map(|h| across(&their_hunks, h)).collect();
        // From the end, so that what comes first keeps its place.
        let text = own?.iter().rev().try_fold(theirs.source().text.to_string(), |text, h| h.apply(&text))?;
        open(&text).ok()
    };
    if let Some(document) = apart() {
        return document;
    }
    let (Ok(base), Ok(mine)) = (open(base), open(mine)) else { return theirs.clone() };
    let mut document = theirs.clone();
    for list in mine.lists() {
        let mut was = base.clone();
        let texts = base.list(&list.id).map(List::texts);
        for edit in between(&list.id, texts.as_deref(), &list.texts()) {
            let Ok((next, change)) = was.apply(&edit) else { break };
            let step = Move { list: &list.id, edit: Some(edit.clone()), splice: change.splice.clone() };
            match rebase(&was, &step, &document) {
                Ok(Some((carried, _))) => document = carried,
                Ok(None) => {}
                Err(reason) => {
                    reread.lost.push(Lost { path: path.clone(), edit, before: change.before, reason });
                }
            }
            was = next;
        }
    }
    document
}
