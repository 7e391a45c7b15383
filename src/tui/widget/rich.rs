//! One line of text in tokens. What is put in is made visible on the way, so nothing hostile can
//! reach a screen by another door.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use super::text;
use crate::tui::theme::Token;

/// A line in pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rich {
    pieces: Vec<(Token, String)>,
}

impl Rich {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// One piece.
    pub fn of(token: Token, text: impl AsRef<str>) -> Self {
        Self::new().put(token, text)
    }

    /// Adds a piece.
    #[must_use]
    pub fn put(mut self, token: Token, text: impl AsRef<str>) -> Self {
        self.push(token, text);
        self
    }

    /// Adds a piece in place.
    pub fn push(&mut self, token: Token, text: impl AsRef<str>) {
        let text = text::visible(text.as_ref());
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some((last, held)) if *last == token => held.push_str(&text),
            _ => self.pieces.push((token, text.into_owned())),
        }
    }

    /// Adds another line's pieces.
    #[must_use]
    pub fn join(mut self, other: Rich) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Adds spaces up to `column`, at least one where `column` is passed and something is there.
    #[must_use]
    pub fn pad_to(mut self, column: usize) -> Self {
        let width = self.width();
        if width < column {
            self.push(Token::Text, " ".repeat(column - width));
        }
        self
    }

    /// Its columns.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, t)| text::width(t)).sum()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Its pieces.
    pub fn pieces(&self) -> &[(Token, String)] {
        &self.pieces
    }

    /// Its text.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(_, t)| t.as_str()).collect()
    }

    /// The line in `columns`, the cut marked.
    #[must_use]
    pub fn cut(self, columns: usize, ellipsis: &str) -> Self {
        if self.width() <= columns {
            return self;
        }
        let room = columns.saturating_sub(text::width(ellipsis));
        let mut out = Rich::new();
        let mut used = 0;
        let mut last = Token::Muted;
        for (token, piece) in &self.pieces {
            let (kept, w) = text::head(piece, room - used);
            last = *token;
            out.push(*token, kept);
            used += w;
            if kept.len() < piece.len() {
                break;
            }
        }
        if columns >= text::width(ellipsis) {
            out.push(last, ellipsis);
        }
        out
    }

    /// The line without its first `columns` columns.
    #[must_use]
    pub fn skip(&self, columns: usize) -> Self {
        let mut out = Rich::new();
        let mut left = columns;
        for (token, piece) in &self.pieces {
            let w = text::width(piece);
            if left >= w {
                left -= w;
                continue;
            }
            let (gone, _) = text::head(piece, left);
            left = 0;
            out.push(*token, piece.get(gone.len()..).unwrap_or_default());
        }
        out
    }

    /// The line wrapped to `columns`, at spaces and where a word has more columns within it; later lines are
    /// indented by `indent`.
    pub fn wrap(&self, columns: usize, indent: usize) -> Vec<Rich> {
        if columns == 0 {
            return Vec::new();
        }
        if self.width() <= columns {
            return vec![self.clone()];
        }
        let indent = if indent * 2 > columns { 0 } else { indent };
        let mut lines = Vec::new();
        let mut line = Rich::new();
        let mut used = 0;
        let start = |lines: &mut Vec<Rich>, line: &mut Rich, used: &mut usize| {
            lines.push(std::mem::take(line));
            line.push(Token::Text, " ".repeat(indent));
            *used = indent;
        };
        for (token, piece) in &self.pieces {
            for word in piece.split_word_bounds_at_spaces() {
                let w = text::width(word);
                let fresh = used == 0 || (!lines.is_empty() && used == indent);
                if used + w <= columns {
                    if fresh && word == " " && !lines.is_empty() {
                        continue;
                    }
                    line.push(*token, word);
                    used += w;
                    continue;
                }
                if w <= columns - indent && !fresh {
                    start(&mut lines, &mut line, &mut used);
                    if word.trim().is_empty() {
                        continue;
                    }
                    line.push(*token, word);
                    used += w;
                    continue;
                }
                // A path or a key goes on after a part of it, as far as its parts fit.
                for part in parts(word, columns - indent) {
                    let w = text::width(part);
                    let fresh = used == 0 || (!lines.is_empty() && used == indent);
                    if used + w > columns && w <= columns - indent && !fresh {
                        start(&mut lines, &mut line, &mut used);
                    }
                    for grapheme in part.graphemes(true) {
                        let g = text::grapheme_width(grapheme);
                        if used + g > columns {
                            start(&mut lines, &mut line, &mut used);
                            if used + g > columns {
                                continue;
                            }
                        }
                        line.push(*token, grapheme);
                        used += g;
                    }
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// The line with every place where `needle` stands (ignoring case) under `token`.
    #[must_use]
    pub fn marked(self, needle: &str, token: Token) -> Self {
        if needle.is_empty() {
            return self;
        }
        let mut out = Rich::new();
        for (own, piece) in &self.pieces {
            let mut rest = piece.as_str();
            while let Some(at) = find_ignoring_case(rest, needle) {
                let (before, hit, after) = split_hit(rest, at, needle.len());
                out.push(*own, before);
                out.push(token, hit);
                rest = after;
                if hit.is_empty() {
                    break;
                }
            }
            out.push(*own, rest);
        }
        out
    }
}

fn split_hit(text: &str, at: usize, len: usize) -> (&str, &str, &str) {
    let end = (at + len).min(text.len());
    match (text.get(..at), text.get(at..end), text.get(end..)) {
        (Some(before), Some(hit), Some(after)) => (before, hit, after),
        _ => (text, "", ""),
    }
}

/// Where `needle` stands in `text`; only ASCII letters lose their case.
pub fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    if needle.is_empty() || needle.len() > text.len() {
        return None;
    }
    text.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

/// Splitting at spaces, spaces kept as pieces of their own.
trait SplitSpaces {
    fn split_word_bounds_at_spaces(&self) -> Vec<&str>;
}

impl SplitSpaces for String {
    fn split_word_bounds_at_spaces(&self) -> Vec<&str> {
        let mut out = Vec::new();
        let mut rest = self.as_str();
        while !rest.is_empty() {
            let at = match rest.find(' ') {
                Some(0) => 1,
                Some(at) => at,
                None => rest.len(),
            };
            let (word, tail) = rest.split_at(at);
            out.push(word);
            rest = tail;
        }
        out
    }
}

/// A long word in parts after which it may be broken: those of a path or list, or where one of these has more
/// than `columns`, those of a dotted name.
fn parts(word: &str, columns: usize) -> Vec<&str> {
    let parts = after_signs(word, &['/', ',']).into_iter();
    let fit = |part: &str| text::width(part) <= columns;
    parts.flat_map(|part| if fit(part) { vec![part] } else { after_signs(part, &['.']) }).collect()
}

/// `text` in pieces that end with these signs; a sign alone is no piece.
fn after_signs<'a>(text: &'a str, signs: &[char]) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    let mut start = 0;
    for (at, sign) in text.char_indices().filter(|(_, c)| signs.contains(c)) {
        let end = at + sign.len_utf8();
        if at > start {
            out.extend(text.get(start..end));
            start = end;
        }
    }
    out.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    out
}

/// Text as one piece, for arguments that may be either.
impl From<&str> for Rich {
    fn from(text: &str) -> Self {
        Rich::of(Token::Text, text)
    }
}

impl From<Cow<'_, str>> for Rich {
    fn from(text: Cow<'_, str>) -> Self {
        Rich::of(Token::Text, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_every_letter_and_every_column() {
        let text = "The hypervisor binary that the host runs for this pod: /opt/kata/bin/qemu-system-x86_64 日本語日本語";
        for columns in 2..40 {
            let lines = Rich::of(Token::Text, text).wrap(columns, 2);
            assert!(lines.iter().all(|l| l.width() <= columns), "{columns}");
            let joined: String = lines.iter().map(Rich::text).collect::<String>().replace(' ', "");
            assert_eq!(joined, text.replace(' ', ""), "{columns}");
        }
    }

    #[test]
    fn a_long_word_is_broken_after_its_parts() {
        let wrapped = |text: &str, columns| -> Vec<String> {
            Rich::of(Token::Text, text).wrap(columns, 2).iter().map(Rich::text).collect()
        };
        let path = "in effect /opt/kata/share/kata-containers/vmlinux.container";
        assert_eq!(wrapped(path, 43), ["in effect /opt/kata/share/kata-containers/", "  vmlinux.container"]);
        let key = "io.katacontainers.config.hypervisor.default_vcpus";
        assert_eq!(wrapped(key, 42), ["io.katacontainers.config.hypervisor.", "  default_vcpus"]);
        assert_eq!(wrapped("/12345678901", 8), ["/1234567", "  8901"]);
    }

    #[test]
    fn cutting_and_skipping_count_columns() {
        let line = Rich::of(Token::Text, "abc").put(Token::Muted, "日本");
        assert_eq!(line.clone().cut(5, "…").text(), "abc…");
        assert_eq!(line.skip(3).text(), "日本");
        assert_eq!(Rich::of(Token::Text, "Path").marked("pa", Token::Match).pieces().len(), 2);
    }
}
