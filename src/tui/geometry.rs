//! What the last drawing measured: page heights, scroll offsets, what lies under the mouse.
//!
//! Kept beside the model, never inside; `update` reads it to page and to click.

use super::model::{PerScreen, Screen};

/// What a click on a region means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A row of the list, by index.
    Row(usize),
    /// The list's pane.
    List,
    /// The detail's pane.
    Detail,
    /// A screen's tab.
    Tab(Screen),
    /// A line of the top window's list, by index.
    Choice(usize),
}

/// A rectangle of cells and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Left.
    pub x: u16,
    /// Top.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// What it is.
    pub target: Target,
}

/// The measures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Geometry {
    /// Rows of the list in sight.
    pub list_rows: usize,
    /// First row shown, by screen.
    pub offsets: PerScreen<usize>,
    /// Lines of the detail in sight.
    pub detail_rows: usize,
    /// Lines of the detail in all.
    pub detail_lines: usize,
    /// Lines of the detail that hold what is searched.
    pub hits: Vec<usize>,
    /// Lines of the top dialog in sight.
    pub dialog_rows: usize,
    /// Lines of the top dialog in all.
    pub dialog_lines: usize,
    /// Lines of the top dialog that hold what is searched.
    pub dialog_hits: Vec<usize>,
    /// Whether list and detail are pages.
    pub narrow: bool,
    /// Whether the terminal is too small for anything.
    pub tiny: bool,
    /// What lies where; later ones lie on top.
    pub regions: Vec<Region>,
}

impl Geometry {
    /// What lies at a cell.
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        self.regions
            .iter()
            .rev()
            .find(|r| {
                (r.x..r.x.saturating_add(r.width)).contains(&column)
                    && (r.y..r.y.saturating_add(r.height)).contains(&row)
            })
            .map(|r| r.target)
    }
}
