//! The frame of a window, and the lines in it: to read, or to choose from.
//!
//! Decides where a window stands and how far its lines are scrolled.

use ratatui::layout::Rect;

use super::region;
use crate::tui::geometry::{Geometry, Target};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::{Rich, find_ignoring_case};

/// An empty frame in the middle of `main`; gives the inside with a margin.
pub(super) fn window(canvas: &mut Canvas<'_>, main: Rect, width: u16, height: u16, title: Rich) -> Rect {
    // A margin that shows next to nothing of what is below only confuses.
    let width = if main.width < width + 6 { main.width } else { width };
    let height = height.min(main.height).max(2);
    let area =
        Rect { x: main.x + (main.width - width) / 2, y: main.y + (main.height - height) / 2, width, height };
    canvas.clear(area, Token::Text);
    let inner = canvas.frame(area, title, Rich::new(), true);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// What is below the first rows.
pub(super) fn below(area: Rect, rows: u16) -> Rect {
    Rect { y: area.y + rows.min(area.height), height: area.height.saturating_sub(rows), ..area }
}

/// Lines to read.
pub(super) fn scrolled(
    canvas: &mut Canvas<'_>,
    area: Rect,
    lines: Vec<Rich>,
    scroll: usize,
    geometry: &mut Geometry,
) {
    hanging(canvas, area, lines, (scroll, 2), geometry);
}

/// The same; gives the lines that hold `needle`.
pub(super) fn scrolled_to(
    canvas: &mut Canvas<'_>,
    area: Rect,
    lines: Vec<Rich>,
    scroll: usize,
    needle: &str,
    geometry: &mut Geometry,
) -> Vec<usize> {
    let width = usize::from(area.width);
    let rows = lines.iter().map(|line| (line, if line.is_empty() { 1 } else { line.wrap(width, 2).len() }));
    let mut at = 0;
    let mut hits = Vec::new();
    for (line, rows) in rows {
        if !needle.is_empty() && find_ignoring_case(&line.text(), needle).is_some() {
            hits.push(at);
        }
        at += rows;
    }
    scrolled(canvas, area, lines, scroll, geometry);
    hits
}

/// Lines to read from `scroll` on; what is wrapped goes on in column `indent`.
pub(super) fn hanging(
    canvas: &mut Canvas<'_>,
    area: Rect,
    lines: Vec<Rich>,
    (scroll, indent): (usize, usize),
    geometry: &mut Geometry,
) {
    let width = usize::from(area.width);
    let wrapped: Vec<Rich> = lines
        .iter()
        .flat_map(|l| if l.is_empty() { vec![Rich::new()] } else { l.wrap(width, indent) })
        .collect();
    let page = usize::from(area.height);
    let offset = scroll.min(wrapped.len().saturating_sub(page));
    geometry.dialog_rows = page;
    geometry.dialog_lines = wrapped.len();
    let total = wrapped.len();
    for (i, line) in wrapped.into_iter().skip(offset).take(page).enumerate() {
        canvas.line(area, i as u16, line);
    }
    canvas.scroll_mark(Rect { width: area.width + 1, ..area }, offset, page, total);
}

/// Lines to choose from.
pub(super) fn choose(
    canvas: &mut Canvas<'_>,
    area: Rect,
    lines: Vec<Rich>,
    at: usize,
    geometry: &mut Geometry,
) {
    let page = usize::from(area.height);
    geometry.dialog_rows = page;
    geometry.dialog_lines = lines.len();
    let offset = (at + 1).saturating_sub(page);
    let total = lines.len();
    for (i, line) in lines.into_iter().enumerate().skip(offset).take(page) {
        let y = (i - offset) as u16;
        let pointer = if i == at { canvas.theme.glyphs.pointer } else { " " };
        let line = Rich::of(Token::Focus, pointer).pad_to(2).join(line);
        if i == at {
            canvas.clear(Rect { y: area.y + y, height: 1, ..area }, Token::Selection);
        }
        canvas.line_over(area, y, line, (i == at).then_some(Token::Selection));
        region(geometry, Rect { y: area.y + y, height: 1, ..area }, Target::Choice(i));
    }
    canvas.scroll_mark(Rect { width: area.width + 1, ..area }, offset, page, total);
}
