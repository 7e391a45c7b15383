//! A line being typed: edits as readline does, by grapheme, with a history.

use unicode_segmentation::UnicodeSegmentation;

use crate::tui::message::LineEdit;

/// Longer lines are refused: nothing that is typed here needs them.
const LIMIT: usize = 64 * 1024;

/// A line with its cursor (a byte offset on a grapheme boundary).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    cursor: usize,
    history: Vec<String>,
    at: Option<usize>,
}

impl Line {
    /// A line that starts with `text`, the cursor at its end.
    pub fn with(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text, ..Self::default() }
    }

    /// The line with what was typed before, the newest last.
    #[must_use]
    pub fn recalling(self, history: Vec<String>) -> Self {
        Self { history, ..self }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// What stands behind it.
    pub fn behind(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Forgets the text, not the history.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
        self.at = None;
    }

    /// Puts the text into the history.
    pub fn remember(&mut self) {
        let text = self.text.clone();
        if !text.is_empty() && self.history.last() != Some(&text) {
            self.history.push(text);
        }
        self.at = None;
    }

    /// Types `text`; a paste's line ends become spaces.
    pub fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() > LIMIT {
            return;
        }
        let clean: String =
            text.trim_end_matches(['\n', '\r']).replace("\r\n", " ").replace(['\n', '\r'], " ");
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        self.settle();
    }

    /// One edit.
    pub fn edit(&mut self, edit: LineEdit) {
        match edit {
            LineEdit::Left => self.cursor = self.previous(),
            LineEdit::Right => self.cursor = self.next(),
            LineEdit::WordLeft => self.cursor = self.word_start(),
            LineEdit::WordRight => self.cursor = self.word_end(),
            LineEdit::Home => self.cursor = 0,
            LineEdit::End => self.cursor = self.text.len(),
            LineEdit::Backspace => self.remove(self.previous(), self.cursor),
            LineEdit::Delete => self.remove(self.cursor, self.next()),
            LineEdit::DeleteWord => self.remove(self.word_start(), self.cursor),
            LineEdit::DeleteToStart => self.remove(0, self.cursor),
            LineEdit::DeleteToEnd => self.remove(self.cursor, self.text.len()),
            LineEdit::Older => self.recall(true),
            LineEdit::Newer => self.recall(false),
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
        self.settle();
    }

    /// After a change two halves may have become one letter.
    fn settle(&mut self) {
        if !self.text.grapheme_indices(true).any(|(at, _)| at == self.cursor) {
            self.cursor = self
                .text
                .grapheme_indices(true)
                .map(|(at, _)| at)
                .find(|at| *at > self.cursor)
                .unwrap_or(self.text.len());
        }
    }

    fn previous(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        self.cursor + self.behind().graphemes(true).next().map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let trimmed = self.before().trim_end_matches(|c: char| !c.is_alphanumeric());
        trimmed.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_end(&self) -> usize {
        let rest = self.behind();
        let word = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - word.trim_start_matches(char::is_alphanumeric).len()
    }

    fn recall(&mut self, older: bool) {
        let at = match (self.at, older) {
            (None, true) => self.history.len().checked_sub(1),
            (None, false) => None,
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) => Some(at + 1),
        };
        if let Some(text) = at.and_then(|at| self.history.get(at)) {
            self.text = text.clone();
            self.cursor = self.text.len();
            self.at = at;
        } else if self.at.is_some() {
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_as_readline_does() {
        let mut line = Line::with("one two-three");
        line.edit(LineEdit::DeleteWord);
        assert_eq!(line.text(), "one two-");
        line.edit(LineEdit::WordLeft);
        line.insert("X");
        assert_eq!(line.text(), "one Xtwo-");
        line.edit(LineEdit::DeleteToStart);
        assert_eq!(line.text(), "two-");
        line.edit(LineEdit::End);
        line.insert("e\u{301}\n");
        line.edit(LineEdit::Backspace);
        assert_eq!(line.text(), "two-");
    }

    #[test]
    fn history_is_walked() {
        let mut line = Line::default();
        for text in ["first", "second"] {
            line.insert(text);
            line.remember();
            line.clear();
        }
        line.edit(LineEdit::Older);
        line.edit(LineEdit::Older);
        assert_eq!(line.text(), "first");
        line.edit(LineEdit::Newer);
        assert_eq!(line.text(), "second");
        line.edit(LineEdit::Newer);
        assert_eq!(line.text(), "");
    }

    proptest::proptest! {
        #[test]
        fn the_cursor_stays_between_letters(start in ".{0,12}", edits in proptest::collection::vec(0u8..11, 0..30)) {
            let mut line = Line::with(start);
            for edit in edits {
                line.edit(match edit {
                    0 => LineEdit::Left, 1 => LineEdit::Right, 2 => LineEdit::WordLeft, 3 => LineEdit::WordRight,
                    4 => LineEdit::Home, 5 => LineEdit::End, 6 => LineEdit::Backspace, 7 => LineEdit::Delete,
                    8 => LineEdit::DeleteWord, 9 => LineEdit::DeleteToStart, _ => LineEdit::DeleteToEnd,
                });
                proptest::prop_assert!(line.text().is_char_boundary(line.before().len()));
                proptest::prop_assert_eq!(format!("{}{}", line.before(), line.behind()), line.text());
            }
        }
    }
}
