//! Texts with a path, and places in them.
//!
//! Decides how a byte offset becomes file, line and column (all 1-based, columns in characters).
//! Does not read files (see `input::host`) and judges nothing.

use std::sync::Arc;

use crate::answer::Place;

/// One input text with the start of each of its lines.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as the user sees it.
    pub path: Arc<str>,
    /// The text, exactly as read.
    pub text: Arc<str>,
    line_starts: Arc<[usize]>,
    /// How many characters begin before each [`BLOCK`] of bytes: a list of a hundred thousand entries may
    /// stand on one line, and counting it from its start for each entry would never end.
    characters: Arc<[usize]>,
}

/// How many bytes are counted again for a place.
const BLOCK: usize = 1024;

impl Source {
    /// Indexes `text`.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1))
            .collect();
        let characters = text
            .as_bytes()
            .chunks(BLOCK)
            .scan(0, |before, block| {
                let here = *before;
                *before += beginnings(block);
                Some(here)
            })
            .collect();
        Self { path: path.into(), text, line_starts, characters }
    }

    /// How many characters begin before byte `offset`.
    fn characters_before(&self, offset: usize) -> usize {
        // The end of a text that fills its last block belongs to that block.
        let block = (offset / BLOCK).min(self.characters.len().saturating_sub(1));
        let here = self.text.as_bytes().get(block * BLOCK..offset).map_or(0, beginnings);
        self.characters.get(block).map_or(0, |before| before + here)
    }

    /// The place of byte `offset`; offsets past the end give the end.
    pub fn place(&self, offset: usize) -> Place {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = match self.text.as_bytes().get(start..offset) {
            Some(near) if near.len() <= BLOCK => beginnings(near),
            _ => self.characters_before(offset).saturating_sub(self.characters_before(start)),
        };
        let column = before + 1;
        Place {
            file: self.path.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// The text of line `line` (from 1) without its line ending.
    pub fn line(&self, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.line_starts.get(index)?;
        let end = self.line_starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text.get(start..end).map(|s| s.trim_end_matches(['\n', '\r']))
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.line_starts.len()
    }
}

/// The characters that begin in these bytes of a text.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_long_lines_are_those_that_counting_gives() {
        for length in [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let text: String = "é\n".chars().chain("aé漢".chars().cycle()).take(length).collect();
            let source = Source::new("f", text.as_str());
            for (offset, _) in text.char_indices().skip(2).chain([(text.len(), ' ')]) {
                let counted = text.get(3..offset).map_or(0, |s| s.chars().count()) + 1;
                assert_eq!(source.place(offset), Place { file: "f".into(), line: 2, column: counted as u32 });
            }
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let source = Source::new("f", "ab\nçd\n");
        assert_eq!(source.place(0).to_string(), "f:1:1");
        assert_eq!(source.place(5).to_string(), "f:2:2");
        assert_eq!(source.line(2), Some("çd"));
        assert_eq!(source.place(999).to_string(), "f:3:1");
    }
}
