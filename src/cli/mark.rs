//! The line of a file that an error names, with a mark under the column: what a person looks for first.
//!
//! Decides only how it is shown. Errors begin with `FILE:LINE:COLUMN: `; a file that is not there (standard
//! input, one below another root) is shown no line of.

use std::fs;
use std::io::{BufRead, BufReader, Read};

use crate::report::escape::visible;

/// Longer files are not opened for the sake of one line.
const REACH: u64 = 64 << 20;
/// Letters shown before and behind the column.
const AROUND: usize = 60;

/// The marked line for an error's text.
pub(super) fn under(error: &str) -> Option<String> {
    let (file, line, column) = place(error.lines().next()?)?;
    let meta = fs::metadata(file).ok()?;
    if !meta.is_file() || meta.len() > REACH {
        return None;
    }
    let mut lines = BufReader::new(fs::File::open(file).ok()?.take(REACH)).split(b'\n');
    let text = lines.nth(line.checked_sub(1)?)?.ok()?;
    marked(&String::from_utf8_lossy(&text), line, column)
}

/// `FILE:LINE:COLUMN: ` at the start.
fn place(text: &str) -> Option<(&str, usize, usize)> {
    let (head, _) = text.split_once(": ")?;
    let mut parts = head.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((parts.next()?, line, column))
}

/// Of a long line, what stands around the column.
fn marked(line: &str, number: usize, column: usize) -> Option<String> {
    let line = line.trim_end_matches('\r');
    let letters: Vec<char> = line.chars().collect();
    let at = column.saturating_sub(1).min(letters.len());
    let start = at.saturating_sub(AROUND);
    let end = letters.len().min(at + AROUND);
    let part = |range: std::ops::Range<usize>| -> String {
        let text: String = letters.get(range).unwrap_or_default().iter().collect();
        visible(&text.replace('\t', " ")).into_owned()
    };
    let (before, behind) = (part(start..at), part(at..end));
    if before.trim().is_empty() && behind.trim().is_empty() {
        return None;
    }
    let gutter = number.to_string();
    let blank = " ".repeat(before.chars().count());
    let margin = " ".repeat(gutter.len());
    Some(format!("  {gutter} | {before}{behind}\n  {margin} | {blank}^"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_read_from_the_front() {
        assert_eq!(place("a b.toml:3:14: unclosed: table"), Some(("a b.toml", 3, 14)));
        assert_eq!(place("C:a.toml:3:14: x"), Some(("C:a.toml", 3, 14)));
        assert_eq!(place("a.toml: no such file"), None);
        assert_eq!(place("nothing"), None);
    }

    #[test]
    fn the_mark_stands_under_the_column() {
        assert_eq!(marked("[hypervisor", 12, 12).as_deref(), Some("  12 | [hypervisor\n     |            ^"));
        assert_eq!(marked("\tkey = \u{1b}[31m\r", 1, 2).as_deref(), Some("  1 |  key = \\e[31m\n    |  ^"));
        assert_eq!(marked("", 1, 1), None);
        let long = "x".repeat(500);
        assert!(marked(&long, 1, 300).is_some_and(|m| m.lines().all(|l| l.len() < 140)));
    }
}
