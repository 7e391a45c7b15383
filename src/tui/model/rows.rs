//! The rows of the screen in sight: built once per change, filtered, with the cursor on an identity.

use std::rc::Rc;

use super::annotations::AnnotationRow;
use super::arrange::{GroupRow, is_group};
use super::changes::ChangeRow;
use super::config::KeyRow;
use super::policy::{ListRow, PatternRow};
use super::{Model, Screen, annotations, changes, config, live, nodes, policy, upgrade};
use crate::diff::Kind;
use crate::query::{Column, NamedValue, Searched, Word};
use crate::tui::filter;

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

/// A filtered list.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The rows that the filter kept, with the headings over them.
    pub shown: Vec<Row>,
    /// How many rows there are without the filter.
    pub all: usize,
    /// How many the filter kept.
    pub kept: usize,
    /// Where the cursor is.
    pub cursor: Option<usize>,
}

impl Rows {
    /// Filters `rows`.
    pub fn filtered(rows: Vec<Row>, query: &str) -> Self {
        let all = rows.iter().filter(|r| r.selectable()).count();
        if query.trim().is_empty() {
            return Self { kept: all, shown: rows, all, cursor: None };
        }
        let indices: Vec<usize> =
            (0..rows.len()).filter(|i| rows.get(*i).is_some_and(Row::selectable)).collect();
        let candidates: Vec<&Row> = indices.iter().filter_map(|i| rows.get(*i)).collect();
        let kept = filter::keep(query, &candidates);
        let mut keep = vec![false; rows.len()];
        for position in &kept {
            if let Some(flag) = indices.get(*position).and_then(|i| keep.get_mut(*i)) {
                *flag = true;
            }
        }
        // A heading stays where a row under it does.
        let mut below = false;
        for i in (0..rows.len()).rev() {
            let Some(row) = rows.get(i) else { continue };
            if row.selectable() {
                below |= keep.get(i).copied().unwrap_or(false);
            } else {
                if let Some(flag) = keep.get_mut(i) {
                    *flag = below;
                }
                below = false;
            }
        }
        let shown = rows.into_iter().zip(keep).filter(|(_, k)| *k).map(|(r, _)| r).collect();
        Self { shown, all, kept: kept.len(), cursor: None }
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<&Row> {
        self.shown.get(self.cursor?)
    }

    /// The selectable row nearest to `index`, forward first.
    pub fn nearest(&self, index: usize) -> Option<usize> {
        let ok = |i: &usize| self.shown.get(*i).is_some_and(Row::selectable);
        (index..self.shown.len()).find(ok).or_else(|| (0..index.min(self.shown.len())).rev().find(ok))
    }

    /// Where `steps` selectable rows from the cursor lead.
    pub fn moved(&self, steps: isize) -> Option<usize> {
        let mut at = self.cursor.or_else(|| self.nearest(0))?;
        let mut left = steps.unsigned_abs();
        let mut best = at;
        while left > 0 {
            let next =
                if steps < 0 { at.checked_sub(1) } else { Some(at + 1).filter(|n| *n < self.shown.len()) };
            let Some(next) = next else { break };
            at = next;
            if self.shown.get(at).is_some_and(Row::selectable) {
                best = at;
                left -= 1;
            }
        }
        Some(best)
    }
}

impl Model {
    /// Builds the rows of the screen in sight again; the selection stays where its row still is.
    pub fn rebuild_rows(&mut self) {
        self.suppose();
        let rows = match self.screen {
            Screen::Annotations => annotations::rows(self),
            Screen::Policy => policy::rows(self),
            Screen::Launch => changes::launch_rows(self),
            Screen::Agent => changes::agent_rows(self),
            Screen::Config => config::rows(self),
            Screen::Pods | Screen::Nodes => {
                self.rows = if self.screen == Screen::Pods { self.pod_rows() } else { nodes::rows(self) };
                self.place_cursor();
                return;
            }
            Screen::Live => live::rows(self),
            Screen::Upgrade => upgrade::rows(self),
        };
        self.rows = Rows::filtered(rows, self.list().filter.text());
        self.place_cursor();
    }

    /// The row of that identity.
    pub fn row_of(&self, id: &str) -> Option<usize> {
        let mut rows = self.rows.shown.iter();
        if self.screen == Screen::Pods && !is_group(id) {
            let is_it = |at: &usize| self.pods.get(*at).is_some_and(|entry| *entry.id == *id);
            let pod = Some(self.pod).filter(is_it).or_else(|| (0..self.pods.len()).find(is_it))?;
            return rows.position(|r| matches!(r.body, Body::Pod(index) if index == pod));
        }
        rows.position(|r| r.selectable() && *r.id == *id)
    }

    /// Puts the cursor onto the selected row, or where it stood.
    pub fn place_cursor(&mut self) {
        let list = &self.lists[self.screen];
        let found = list.selected.as_ref().and_then(|id| self.row_of(id));
        let at = if list.filter.is_empty() { list.at } else { 0 };
        // Without a selection the first difference is what one came for.
        let differs = |r: &Row| matches!(&r.body, Body::Change(c) if c.kind != Kind::Same);
        let first = || self.rows.shown.iter().position(differs).filter(|_| list.selected.is_none());
        self.rows.cursor = found.or_else(first).or_else(|| self.rows.nearest(at));
        if list.selected.is_none() {
            self.select(self.rows.cursor);
        }
    }

    /// Moves the selection.
    pub fn select(&mut self, index: Option<usize>) {
        let Some(index) = index else { return };
        let Some(row) = self.rows.shown.get(index).filter(|r| r.selectable()) else { return };
        let id = match row.body {
            Body::Pod(index) => self.pods.get(index).map_or_else(|| row.id.clone(), |entry| entry.id.clone()),
            _ => row.id.clone(),
        };
        self.rows.cursor = Some(index);
        let list = self.list_mut();
        list.at = index;
        if list.selected.as_ref() != Some(&id) {
            list.scroll = 0;
        }
        list.selected = Some(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let row = |t: &str| Row { id: t.into(), find: t.into(), body: Body::Pod(0) };
        let all = vec![Row::heading("a"), row("one"), row("two"), Row::heading("b"), row("three")];
        Rows::filtered(all, "")
    }

    #[test]
    fn the_cursor_skips_headings() {
        let mut rows = rows();
        assert_eq!(rows.moved(0), Some(1));
        rows.cursor = Some(2);
        assert_eq!(rows.moved(1), Some(4));
        assert_eq!(rows.moved(5), Some(4));
        assert_eq!(rows.moved(-9), Some(1));
    }

    #[test]
    fn headings_without_rows_go() {
        let kept = Rows::filtered(rows().shown, "three");
        assert_eq!((kept.shown.len(), kept.kept, kept.all), (2, 1, 3));
    }
}
