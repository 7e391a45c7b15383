//! A filtered list: its rows, and the cursor among them.

use super::row::Row;
use crate::tui::filter;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::row::Body;

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
