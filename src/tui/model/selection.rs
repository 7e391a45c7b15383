//! The rows of the screen in sight: built once per change, with the cursor on an identity.

use super::arrange::is_group;
use super::row::{Body, Row};
use super::rows::Rows;
use super::{Model, Screen, annotations, changes, config, live, nodes, policy, upgrade};
use crate::diff::Kind;

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
