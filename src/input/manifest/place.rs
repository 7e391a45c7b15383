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
    /// Offset, line and column (from 1) of the last answer.
    last: Cell<(usize, u32, u32)>,
}

impl<'a> Locator<'a> {
    /// A text that starts on line `first_line` of `file`.
    pub fn new(file: Arc<str>, text: &'a str, first_line: u32) -> Self {
        Self { file, text, last: Cell::new((0, first_line, 1)) }
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
        let (at, mut line, mut column) = self.last.get();
        if offset >= at {
            let passed = self.text.get(at..offset).unwrap_or_default();
            let breaks = count(passed.bytes().filter(|b| *b == b'\n').count());
            let tail = passed.rsplit_once('\n').map_or(passed, |(_, tail)| tail);
            column = if breaks > 0 { 1 } else { column };
            line = line.saturating_add(breaks);
            column = column.saturating_add(count(tail.chars().count()));
        } else {
            let passed = self.text.get(offset..at).unwrap_or_default();
            let breaks = count(passed.bytes().filter(|b| *b == b'\n').count());
            line = line.saturating_sub(breaks);
            column = if breaks == 0 {
                column.saturating_sub(count(passed.chars().count()))
            } else {
                let before = self.text.get(..offset).unwrap_or_default();
                let head = before.rsplit_once('\n').map_or(before, |(_, head)| head);
                count(head.chars().count()).saturating_add(1)
            };
        }
        self.last.set((offset, line, column));
        Place { file: self.file.clone(), line, column }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Source;

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
