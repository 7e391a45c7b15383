//! One row of a list, and what it shows.
//!
//! Decides which columns the filter looks at.

use std::rc::Rc;
use std::sync::Arc;

use super::pods::Summary;
use crate::answer::effective::EffectiveValue;
use crate::answer::launch::Cause;
use crate::answer::verdict::ListId;
use crate::audit::meaning::Meaning;
use crate::diff::argv::Piece;
use crate::diff::{Kind, Sides};
use crate::query::{Column, NamedValue, Searched, Word};

/// One row of a list.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its identity within the screen; of a pod's row its entry has it.
    pub id: Rc<str>,
    /// What the filter looks at: the columns of the body, between tabulators.
    pub find: Rc<str>,
    /// What it shows.
    pub body: Body,
}

/// What a row shows. Small: of pods there may be very many.
#[derive(Debug, Clone)]
pub enum Body {
    /// A title over the rows that follow; never selected.
    Heading(String),
    /// An annotation.
    Annotation(Rc<AnnotationRow>),
    /// A policy list.
    List(Rc<ListRow>),
    /// An entry of a policy list.
    Pattern(Rc<PatternRow>),
    /// An argument, a parameter or a field, on both sides.
    Change(Rc<ChangeRow>),
    /// Equal rows, folded: how many.
    Fold(usize),
    /// A configuration key.
    Key(Rc<KeyRow>),
    /// A pod, by index.
    Pod(usize),
    /// Pods that have something in common.
    Group(Rc<GroupRow>),
    /// A pod on every node, by index.
    PodOnNodes(usize),
    /// A VM that runs, by index.
    Vm(usize),
    /// An argument of the open VM, by index.
    Argument(usize),
    /// A cause of what another release changes, by index.
    Cause(usize),
    /// A pod that the cause above touches, by index.
    TouchedPod(usize),
}

impl Row {
    /// A title.
    pub fn heading(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { id: Rc::from(""), find: Rc::from(""), body: Body::Heading(text) }
    }

    /// Whether the cursor can stand on it.
    pub fn selectable(&self) -> bool {
        !matches!(self.body, Body::Heading(_))
    }
}

impl Body {
    /// What stands in the text that the filter looks at.
    fn columns(&self) -> &'static [Column] {
        match self {
            Self::Annotation(_) => &[Column::Key, Column::Outcome, Column::Value],
            Self::Key(_) => &[Column::Key, Column::Value, Column::Origin],
            Self::Change(_) => &[Column::Value, Column::Value, Column::Key, Column::Reason],
            Self::List(_) | Self::TouchedPod(_) => &[Column::Key],
            Self::Cause(_) => &[Column::Reason],
            Self::Pattern(_) => &[Column::Value, Column::Key],
            Self::Argument(_) => &[Column::Value, Column::Value],
            Self::Vm(_) => &[Column::Key, Column::Value, Column::Value, Column::Value],
            Self::Heading(_) | Self::Fold(_) | Self::Pod(_) | Self::Group(_) | Self::PodOnNodes(_) => &[],
        }
    }
}

impl Searched for Row {
    fn anywhere(&self, word: &Word) -> bool {
        word.is_in(&self.find)
    }

    fn column(&self, column: Column, word: &Word) -> bool {
        let fields = self.find.split('\t').zip(self.body.columns());
        fields.filter(|(_, own)| **own == column).any(|(field, _)| word.is_in(field))
    }

    fn named(&self, wanted: &NamedValue) -> bool {
        let mut fields = self.find.split('\t').zip(self.body.columns());
        let of = |wanted: Column| move |(_, own): &(&str, &Column)| **own == wanted;
        let key = fields.clone().find(of(Column::Key)).map(|(field, _)| field);
        let is_it = |key: &str| wanted.name.is(key) || wanted.name.is(key.rsplit('.').next().unwrap_or(key));
        match key.is_some_and(is_it) {
            true => fields.any(|(field, own)| *own == Column::Value && wanted.value.is_in(field)),
            false => self.anywhere(&wanted.term),
        }
    }
}

impl AsRef<str> for Row {
    fn as_ref(&self) -> &str {
        &self.find
    }
}

/// One annotation.
#[derive(Debug, Clone)]
pub struct AnnotationRow {
    /// The whole key.
    pub key: String,
    /// Its verdict's index, where the pod sets it.
    pub verdict: Option<usize>,
    /// Whether its value is tried.
    pub tried: bool,
    /// Whether its name would pass the gate; `None`: there is no gate before it.
    pub allowed: Option<bool>,
}

/// A list, as a row.
#[derive(Debug, Clone)]
pub struct ListRow {
    /// Which.
    pub id: ListId,
    /// How many entries; `None`: no file sets it.
    pub entries: Option<usize>,
    /// The file that sets it.
    pub path: Option<Arc<str>>,
    /// The line.
    pub line: u32,
}

/// An entry, as a row.
#[derive(Debug, Clone)]
pub struct PatternRow {
    /// Its list.
    pub list: ListId,
    /// Its place in the list.
    pub at: usize,
    /// The pattern.
    pub text: String,
    /// The comment beside it.
    pub comment: Option<String>,
    /// The file that sets the list.
    pub path: Arc<str>,
    /// The line.
    pub line: u32,
    /// What it means.
    pub meaning: Rc<Meaning>,
}

/// One unit on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// What became of it.
    pub kind: Kind,
    /// The text of both sides; empty where it is not there.
    pub text: Sides<String>,
    /// For `Changed`: the unit in pieces.
    pub pieces: Vec<Piece>,
    /// Why it is there.
    pub cause: Cause,
    /// How deep it stands in a document.
    pub depth: usize,
    /// How an annotation's row or a configuration key finds it.
    pub keys: Vec<String>,
}

/// One key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The whole key.
    pub key: String,
    /// The value and where it came from.
    pub value: EffectiveValue,
}

/// The head of a group.
#[derive(Debug, Clone)]
pub struct GroupRow {
    /// What its pods have in common.
    pub title: Rc<str>,
    /// How many come to what.
    pub counts: Counts,
    /// Whether its pods stand below.
    pub open: bool,
}

/// How many pods of a group come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts {
    pub starts: usize,
    pub refused: usize,
    pub elsewhere: usize,
    /// Not evaluated yet.
    pub open: usize,
}

impl Counts {
    /// All of them.
    pub fn all(self) -> usize {
        self.starts + self.refused + self.elsewhere + self.open
    }

    pub(super) fn add(&mut self, summary: Option<&Summary>) {
        match summary {
            None => self.open += 1,
            Some(Summary { refused: Some(_), .. }) => self.refused += 1,
            Some(Summary { elsewhere: Some(_), .. }) => self.elsewhere += 1,
            Some(_) => self.starts += 1,
        }
    }
}
