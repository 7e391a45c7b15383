//! From byte offsets to lines and columns, cheaply for offsets that are near one another.
//!
//! A list of a hundred thousand pods may stand on one line; counting its characters from the start for
//! every annotation would never end, so the last answer is where the next count begins.

use std::cell::Cell;
use std::sync::Arc;

use crate::input::Place;

/// Answers where offsets of one text are.
#[derive(Debug)]
pub struct Locator<'a> {
    file: Arc<str>,
    text: &'a str,
    /// Line and column at which the text starts.
    first: (u32, u32),
    /// Offset, line and column (from 1) of the last answer.
    last: Cell<(usize, u32, u32)>,
}

impl<'a> Locator<'a> {
    /// A text that starts on line `first_line` of `file`.
    pub fn new(file: Arc<str>, text: &'a str, first_line: u32) -> Self {
        Self::from(file, text, first_line, 1)
    }

    /// A text that starts inside a line.
    pub fn from(file: Arc<str>, text: &'a str, first_line: u32, first_column: u32) -> Self {
        let first = (first_line, first_column);
        Self { file, text, first, last: Cell::new((0, first_line, first_column)) }
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The file's shown name.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The place of byte `offset`; offsets past the end give the end.
    pub fn place(&self, offset: usize) -> Place {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (mut at, mut line, mut column) = self.last.get();
        if offset < at / 2 {
            // It is nearer to the start.
            (at, line, column) = (0, self.first.0, self.first.1);
        }
        if offset >= at {
            let passed = self.text.get(at..offset).unwrap_or_default();
            let breaks = breaks(passed);
            let tail =
                if breaks > 0 { passed.rsplit_once('\n').map_or("", |(_, tail)| tail) } else { passed };
            column = if breaks > 0 { 1 } else { column };
            line = line.saturating_add(breaks);
            column = column.saturating_add(count(tail.chars().count()));
        } else {
            let passed = self.text.get(offset..at).unwrap_or_default();
            let breaks = breaks(passed);
            line = line.saturating_sub(breaks);
            column = if breaks == 0 {
                column.saturating_sub(count(passed.chars().count()))
            } else {
                let before = self.text.get(..offset).unwrap_or_default();
                let (head, first) = match before.rsplit_once('\n') {
                    Some((_, head)) => (head, 1),
                    None => (before, self.first.1),
                };
                count(head.chars().count()).saturating_add(first)
            };
        }
        self.last.set((offset, line, column));
        Place { file: self.file.clone(), line, column }
    }
}

fn breaks(text: &str) -> u32 {
    count(memchr::memchr_iter(b'\n', text.as_bytes()).count())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Source;

    #[test]
    fn a_text_may_start_inside_a_line() {
        let locator = Locator::from("f".into(), "ab\ncd", 7, 5);
        let at = |offset| (locator.place(offset).line, locator.place(offset).column);
        assert_eq!((at(1), at(4), at(0), at(3)), ((7, 6), (8, 2), (7, 5), (8, 1)));
    }

    #[test]
    fn agrees_with_the_source_in_any_order() {
        let text = "a: é\nb:\n  c: ü x\n\nd";
        let source = Source::new("f", text);
        let locator = Locator::new("f".into(), text, 1);
        for step in [1usize, 7, 5, 11, 3] {
            for i in 0..text.len() * 2 {
                let offset = i * step % (text.len() + 2);
                assert_eq!(locator.place(offset), source.place(offset), "{offset}");
            }
        }
    }
}
