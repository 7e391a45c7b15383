//! Text by grapheme: width, cutting, wrapping. Hostile text becomes visible here and only here.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::report::escape;

/// More code points than this in one grapheme are no letter any more.
const GRAPHEME_LIMIT: usize = 8;

/// `text` safe to put on a screen: escapes for what would act or hide, piles of combining marks cut.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Cow::Borrowed(text);
    }
    let safe = escape::visible(text);
    if !safe.graphemes(true).any(odd) {
        return safe;
    }
    let mut out = String::with_capacity(safe.len());
    for grapheme in safe.graphemes(true) {
        if grapheme.width() == 0 {
            // A lone combining mark would sit on the neighbour's cell.
            for c in grapheme.chars() {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
        } else {
            out.extend(grapheme.chars().take(GRAPHEME_LIMIT));
        }
    }
    Cow::Owned(out)
}

fn odd(grapheme: &str) -> bool {
    grapheme.width() == 0 || grapheme.chars().count() > GRAPHEME_LIMIT
}

/// Columns of one grapheme: what the terminal gives it, never more than two.
pub fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width().min(2)
}

/// Columns of `text`.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(grapheme_width).sum() }
}

/// How many letters fit `columns`, where each is one byte and one column.
fn plain(text: &str, columns: usize) -> Option<usize> {
    text.bytes().all(|b| (0x20..0x7f).contains(&b)).then(|| text.len().min(columns))
}

/// The longest beginning of `text` that fits `columns`, and its width.
pub fn head(text: &str, columns: usize) -> (&str, usize) {
    if let Some(start) = plain(text, columns) {
        return (text.get(..start).unwrap_or_default(), start);
    }
    let (mut end, mut used) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        let w = grapheme_width(grapheme);
        if used + w > columns {
            break;
        }
        used += w;
        end = at + grapheme.len();
    }
    (text.get(..end).unwrap_or_default(), used)
}

/// The longest end of `text` that fits `columns`.
pub fn tail(text: &str, columns: usize) -> &str {
    if let Some(kept) = plain(text, columns) {
        return text.get(text.len() - kept..).unwrap_or_default();
    }
    let (mut start, mut used) = (text.len(), 0);
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let w = grapheme_width(grapheme);
        if used + w > columns {
            break;
        }
        used += w;
        start = at;
    }
    text.get(start..).unwrap_or_default()
}

/// Bytes of a text that one row can ever need.
const GLIMPSE: usize = 2_048;
/// Bytes of a text that a detail shows; the rest is for the window of its own, or a copy.
const EXCERPT: usize = 8_000;
/// Bytes of a text that stands among others in a detail.
const OPENING: usize = 200;
/// Bytes that a window of its own shows.
const WINDOW: usize = 128 * 1_024;

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Both ends of a text that is longer than any row: a value of a megabyte costs no more than a short one.
pub fn glimpse(text: &str) -> Cow<'_, str> {
    if text.len() <= GLIMPSE {
        return Cow::Borrowed(text);
    }
    let head = text.get(..boundary(text, GLIMPSE / 2)).unwrap_or_default();
    let tail = text.get(boundary(text, text.len() - GLIMPSE / 2)..).unwrap_or_default();
    Cow::Owned(format!("{head}…{tail}"))
}

fn shortened(text: &str, limit: usize, rest: &str) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let head = text.get(..boundary(text, limit)).unwrap_or_default();
    format!("{head}… ({} of {} bytes; {rest})", head.len(), text.len())
}

/// What a detail shows of a text.
pub fn excerpt(text: &str) -> String {
    shortened(text, EXCERPT, "z shows more, y copies all")
}

/// The start of a text that stands among others: what comes after it must stay in sight.
pub fn opening(text: &str) -> String {
    shortened(text, OPENING, "z shows more, y copies all")
}

/// What a window of its own shows of a text.
pub fn windowful(text: &str) -> String {
    shortened(text, WINDOW, "Y copies all")
}

/// `text` in `columns`, the cut marked at its end.
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let (kept, _) = head(text, room);
    if room == 0 { head(ellipsis, columns).0.to_owned() } else { format!("{kept}{ellipsis}") }
}

/// `text` in `columns`, the cut marked in its middle: for paths and globs.
pub fn cut_middle(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    if room < 4 {
        return cut(text, columns, ellipsis);
    }
    let (start, used) = head(text, room / 2);
    format!("{start}{ellipsis}{}", tail(text, room - used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_keep_columns() {
        for text in [
            "plain text of some length",
            "日本語のテキスト",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            "🦀🦀🦀🦀🦀",
        ] {
            for columns in 0..20 {
                assert!(width(&cut(text, columns, "…")) <= columns, "{text} {columns}");
                assert!(width(&cut_middle(text, columns, "…")) <= columns, "{text} {columns}");
            }
        }
        assert_eq!(cut_middle("/opt/kata/bin/qemu-system-x86_64", 15, "…"), "/opt/ka…-x86_64");
    }

    #[test]
    fn long_texts_are_shown_in_part() {
        let long = "日".repeat(1_000_000);
        assert!(glimpse(&long).len() <= GLIMPSE + 8 && glimpse(&long).ends_with('日'));
        assert!(excerpt(&long).contains("of 3000000 bytes"));
        assert_eq!(glimpse("short"), "short");
    }

    #[test]
    fn nothing_hostile_survives() {
        let text = visible("\u{1b}[31m\u{202e}a\u{200b}b\n\u{301}c");
        assert!(!text.chars().any(escape::is_hostile), "{text}");
        let pile = format!("a{}", "\u{301}".repeat(500));
        assert!(visible(&pile).chars().count() <= GRAPHEME_LIMIT);
    }
}
