//! Where views draw: a buffer with a theme. Everything is clipped; nothing here can panic on a size.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

use super::rich::Rich;
use super::text;
use crate::tui::theme::{Theme, Token};

/// A buffer and the theme to draw it with.
#[derive(Debug)]
pub struct Canvas<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// The tokens' looks.
    pub theme: Theme,
    /// Where the real cursor goes.
    pub cursor: Option<(u16, u16)>,
}

impl<'a> Canvas<'a> {
    /// A canvas over `buffer`.
    pub fn new(buffer: &'a mut Buffer, theme: Theme) -> Self {
        Self { buffer, theme, cursor: None }
    }

    /// Gives every cell of `area` the look of `token` and no text.
    pub fn clear(&mut self, area: Rect, token: Token) {
        let mut blank = Cell::EMPTY;
        blank.set_style(self.theme.style(token));
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return;
        }
        for y in area.top()..area.bottom() {
            let start = self.buffer.index_of(area.left(), y);
            if let Some(row) = self.buffer.content.get_mut(start..start + usize::from(area.width)) {
                row.fill(blank.clone());
            }
        }
    }

    /// Puts the look of `token` over what is drawn in `area`.
    pub fn tint(&mut self, area: Rect, token: Token) {
        let style = self.theme.style(token);
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Draws `line` from the left of `area`'s row `row`; what does not fit is cut, and the cut marked.
    pub fn line(&mut self, area: Rect, row: u16, line: Rich) {
        self.line_over(area, row, line, None);
    }

    /// The same with every piece's look put over that of `base`.
    pub fn line_over(&mut self, area: Rect, row: u16, line: Rich, base: Option<Token>) {
        if row >= area.height {
            return;
        }
        let y = area.y.saturating_add(row);
        let line = line.cut(usize::from(area.width), self.theme.glyphs.ellipsis);
        let base = base.map_or(Style::new(), |token| self.theme.style(token));
        let mut x = area.x;
        for (token, piece) in line.pieces() {
            let style = base.patch(self.theme.style(*token));
            x = self.letters(x, y, area.right(), piece, style);
        }
    }

    fn letters(&mut self, mut x: u16, y: u16, end: u16, piece: &str, style: Style) -> u16 {
        // Most of what is shown: each letter is a grapheme of one column, and nobody has to look for its end.
        if piece.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            for letter in piece.split_inclusive(|_: char| true).take(usize::from(end.saturating_sub(x))) {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.set_symbol(letter).set_style(style);
                }
                x += 1;
            }
            return x;
        }
        for grapheme in piece.graphemes(true) {
            let w = text::grapheme_width(grapheme) as u16;
            if w == 0 || x.saturating_add(w) > end {
                continue;
            }
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.set_symbol(grapheme).set_style(style);
            }
            for dx in 1..w {
                if let Some(cell) = self.buffer.cell_mut((x + dx, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
            x += w;
        }
        x
    }

    /// A frame around `area` with a title at its left and one at its right; gives the inside.
    pub fn frame(&mut self, area: Rect, title: Rich, right: Rich, focused: bool) -> Rect {
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let [h, v, tl, tr, bl, br, _, _] = self.theme.glyphs.frame;
        let token = if focused { Token::Focus } else { Token::Border };
        let style = self.theme.style(token);
        let (left, edge, bottom) = (area.x, area.right() - 1, area.bottom() - 1);
        for x in area.x..area.right() {
            self.put(x, area.y, h, style);
            self.put(x, bottom, h, style);
        }
        for y in area.y..area.bottom() {
            self.put(left, y, v, style);
            self.put(edge, y, v, style);
        }
        self.put(left, area.y, tl, style);
        self.put(edge, area.y, tr, style);
        self.put(left, bottom, bl, style);
        self.put(edge, bottom, br, style);
        let room = usize::from(area.width).saturating_sub(4);
        let ellipsis = self.theme.glyphs.ellipsis;
        let title = title.cut(room, ellipsis);
        let used = title.width();
        let top = Rect { x: left + 1, y: area.y, width: area.width - 2, height: 1 };
        if used > 0 {
            self.line(top, 0, Rich::of(token, " ").join(title).put(token, " "));
        }
        // What does not fit is cut, where enough of it is left to say something.
        const LEAST: usize = 14;
        let left_over = usize::from(area.width).saturating_sub(used + 6);
        let right = if right.width() > left_over { right.cut(left_over, ellipsis) } else { right };
        let right_width = right.width();
        if right_width > 0 && (left_over >= LEAST || left_over > right_width) {
            let x = edge - right_width as u16 - 2;
            let place = Rect { x, y: area.y, width: right_width as u16 + 2, height: 1 };
            self.line(place, 0, Rich::of(token, " ").join(right).put(token, " "));
        }
        Rect { x: left + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    fn put(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// A mark of how far a list or text is scrolled, over the right edge of its frame.
    pub fn scroll_mark(&mut self, area: Rect, offset: usize, shown: usize, total: usize) {
        if total <= shown || area.height < 3 || shown == 0 {
            return;
        }
        let height = usize::from(area.height);
        let size = (height * shown / total).clamp(1, height);
        let start = ((height - size) * offset).div_ceil((total - shown).max(1)).min(height - size);
        let style = self.theme.style(Token::Muted);
        let symbol = if self.theme.glyphs.ascii { "#" } else { "┃" };
        for row in start..start + size {
            self.put(area.right(), area.y + row as u16, symbol, style);
        }
    }
}
