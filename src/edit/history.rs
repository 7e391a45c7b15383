//! The files of a policy under edit: every change made, taken back and made again, without limit and
//! across saves.

use std::sync::Arc;

use super::document::{Document, List};
use super::plan::Plan;
use super::splice::Splice;
use super::{EditError, PolicyEdit};
use crate::input::Source;
use crate::input::config::Layers;
use crate::runtime::verdict::ListId;

/// One edit as it changed a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The edit.
    pub edit: PolicyEdit,
    /// The bytes it changed.
    pub splice: Splice,
}

#[derive(Debug, Clone)]
struct File {
    path: Arc<str>,
    /// What is on the disk, as far as is known; `None`: nothing.
    saved: Option<Arc<str>>,
    document: Result<Document, EditError>,
    text: Arc<str>,
}

impl File {
    fn new(path: Arc<str>, saved: Option<Arc<str>>) -> Self {
        let text = saved.clone().unwrap_or_default();
        let document = Document::of(&Source::new(path.clone(), text.clone()));
        Self { path, saved, document, text }
    }

    fn set(&mut self, text: Arc<str>) {
        self.document = Document::of(&Source::new(self.path.clone(), text.clone()));
        self.text = text;
    }
}

/// The files of one configuration, in order of effect, with all that was done to them.
#[derive(Debug, Clone, Default)]
pub struct History {
    files: Vec<File>,
    done: Vec<(Arc<str>, Change)>,
    undone: Vec<(Arc<str>, Change)>,
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
        self.done.push((path, change));
        self.done.last().map(|(_, change)| change).ok_or_else(|| EditError::NotOpen(String::new()))
    }

    /// Takes the last change back; gives the file and the change.
    pub fn undo(&mut self) -> Option<(Arc<str>, Change)> {
        let (path, change) = self.done.pop()?;
        self.splice(&path, &change.splice.inverse());
        self.undone.push((path.clone(), change.clone()));
        Some((path, change))
    }

    /// Makes the change again that was last taken back.
    pub fn redo(&mut self) -> Option<(Arc<str>, Change)> {
        let (path, change) = self.undone.pop()?;
        self.splice(&path, &change.splice);
        self.done.push((path.clone(), change.clone()));
        Some((path, change))
    }

    fn splice(&mut self, path: &str, splice: &Splice) {
        if let Some(file) = self.files.iter_mut().find(|file| &*file.path == path)
            && let Some(text) = splice.apply(&file.text)
        {
            file.set(text.into());
        }
    }

    /// How many changes can be taken back, and made again.
    pub fn depth(&self) -> (usize, usize) {
        (self.done.len(), self.undone.len())
    }

    /// Whether a file differs from what is on the disk.
    pub fn unsaved(&self) -> bool {
        self.files.iter().any(File::differs)
    }

    /// What saving would write: one plan for each file that differs.
    pub fn plans(&self) -> Vec<Plan> {
        self.files
            .iter()
            .filter(|file| file.differs())
            .map(|file| Plan {
                path: file.path.clone(),
                before: file.saved.clone(),
                after: file.text.clone(),
            })
            .collect()
    }

    /// Notes that a plan was carried out.
    pub fn saved(&mut self, plan: &Plan) {
        if let Some(file) = self.files.iter_mut().find(|file| file.path == plan.path) {
            file.saved = Some(plan.after.clone());
        }
    }

    /// The layers with the present texts.
    pub fn layers(&self, layers: &Layers) -> Layers {
        self.files
            .iter()
            .filter(|file| file.saved.is_some() || !file.text.is_empty())
            .fold(layers.clone(), |layers, file| layers.with_text(&file.path, &file.text))
    }
}

impl File {
    fn differs(&self) -> bool {
        match &self.saved {
            Some(saved) => *saved != self.text,
            None => !self.text.is_empty(),
        }
    }
}
