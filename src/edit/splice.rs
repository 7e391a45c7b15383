//! Which bytes an edit of an array changes: entries keep their comments, their lines and their
//! quotation marks; commas and line ends follow the array's own habit.

use std::ops::Range;

/// One run of bytes replaced by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// The offset of the first byte.
    pub at: usize,
    /// What stood there.
    pub removed: String,
    /// What stands there now.
    pub inserted: String,
}

impl Splice {
    /// The smallest splice that makes `before` into `after`.
    pub fn between(before: &str, after: &str) -> Self {
        let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
        let mut head = same(&mut before.bytes().zip(after.bytes()));
        while !(before.is_char_boundary(head) && after.is_char_boundary(head)) {
            head -= 1;
        }
        let (a, b) = (before.get(head..).unwrap_or_default(), after.get(head..).unwrap_or_default());
        let mut tail = same(&mut a.bytes().rev().zip(b.bytes().rev()));
        while !(a.is_char_boundary(a.len() - tail) && b.is_char_boundary(b.len() - tail)) {
            tail -= 1;
        }
        let cut = |text: &str| text.get(..text.len() - tail).unwrap_or_default().to_owned();
        Self { at: head, removed: cut(a), inserted: cut(b) }
    }

    /// The text with the splice made; `None` where it does not fit.
    pub fn apply(&self, text: &str) -> Option<String> {
        let (head, rest) = text.split_at_checked(self.at)?;
        let tail = rest.strip_prefix(self.removed.as_str())?;
        Some([head, &self.inserted, tail].concat())
    }

    /// The splice that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { at: self.at, removed: self.inserted.clone(), inserted: self.removed.clone() }
    }
}

/// An array in a text: its entries and what lies between them.
#[derive(Debug, Clone)]
pub(super) struct ArraySpan<'t> {
    pub text: &'t str,
    /// With its brackets.
    pub whole: Range<usize>,
    /// The entries as written, with their quotation marks.
    pub items: Vec<Range<usize>>,
}

impl<'t> ArraySpan<'t> {
    fn item(&self, at: usize) -> Option<Range<usize>> {
        self.items.get(at).cloned()
    }

    pub fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// The offset after the `[`.
    fn open(&self) -> usize {
        self.whole.start + 1
    }

    /// The offset of the `]`.
    fn close(&self) -> usize {
        self.whole.end.saturating_sub(1)
    }

    /// The offset of the comma after entry `at`.
    fn comma(&self, at: usize) -> Option<usize> {
        let from = self.item(at)?.end;
        let to = self.item(at + 1).map_or(self.close(), |next| next.start);
        let mut comment = false;
        self.slice(from..to).bytes().enumerate().find_map(|(i, byte)| {
            match byte {
                b'#' => comment = true,
                b'\n' => comment = false,
                b',' if !comment => return Some(from + i),
                _ => {}
            }
            None
        })
    }

    /// After the entry, and after its comma where that follows on the same line.
    fn end_with_comma(&self, at: usize) -> Option<usize> {
        let end = self.item(at)?.end;
        Some(match self.comma(at) {
            Some(comma) if self.blank(end..comma) => comma + 1,
            _ => end,
        })
    }

    /// Nothing but spaces and tabs.
    fn blank(&self, range: Range<usize>) -> bool {
        self.slice(range).bytes().all(|b| matches!(b, b' ' | b'\t'))
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1)
    }

    /// The offset of the line's `\n` or `\r\n`, or the end of the text.
    fn line_end(&self, at: usize) -> usize {
        let end = self.text.get(at..).and_then(|t| t.find('\n')).map_or(self.text.len(), |i| at + i);
        if end > at && self.text.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end }
    }

    /// The offset of the line end before the line that starts at `start`.
    fn end_of_line_before(&self, start: usize) -> usize {
        let before = self.slice(0..start);
        before.strip_suffix("\r\n").or_else(|| before.strip_suffix('\n')).map_or(start, str::len)
    }

    fn newline(&self) -> &'static str {
        newline(self.text)
    }

    /// Whether only white space stands before the entry on its line.
    fn starts_line(&self, at: usize) -> bool {
        self.item(at).is_some_and(|item| self.blank(self.line_start(item.start)..item.start))
    }

    /// What follows the entry and its comma on the line: a comment or nothing. `None`: something else.
    fn comment_range(&self, at: usize) -> Option<Range<usize>> {
        let from = self.end_with_comma(at)?;
        Some(from..self.end_of_comment(from)?)
    }

    /// The end of the line, where nothing but a comment lies between.
    fn end_of_comment(&self, from: usize) -> Option<usize> {
        let to = self.line_end(from);
        if to > self.close() {
            return None;
        }
        let rest = self.slice(from..to).trim_start_matches([' ', '\t']);
        (rest.is_empty() || rest.starts_with('#')).then_some(to)
    }

    /// The comment that stands beside an entry, without its `#`.
    pub fn comment(&self, at: usize) -> Option<&'t str> {
        let comment = self.slice(self.comment_range(at)?).trim();
        comment.strip_prefix('#').map(str::trim)
    }

    /// Whether the entry has its line, with at most a comment after it, for itself.
    fn own_line(&self, at: usize) -> bool {
        self.starts_line(at) && self.comment_range(at).is_some()
    }

    /// The entry in the quotation marks that the array is used to.
    pub fn quote(&self, entry: &str) -> String {
        let literal = self.items.last().is_some_and(|last| self.slice(last.clone()).starts_with('\''));
        quote(entry, literal)
    }

    /// Replaces ranges that do not overlap.
    fn with(&self, mut changes: Vec<(Range<usize>, String)>) -> String {
        changes.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut done = 0;
        for (range, new) in changes {
            out.push_str(self.slice(done..range.start));
            out.push_str(&new);
            done = range.end;
        }
        out.push_str(self.slice(done..self.text.len()));
        out
    }

    /// The text with a new entry before entry `at`.
    pub fn insert(&self, at: usize, entry: &str) -> Option<String> {
        let quoted = self.quote(entry);
        let count = self.items.len();
        if at > count {
            return None;
        }
        if count == 0 {
            let open = self.open();
            if !self.slice(open..self.close()).contains('\n') {
                return Some(self.with(vec![(open..open, quoted)]));
            }
            // Below the bracket's line, and below the comment that may stand on it.
            let (here, indent) = (self.line_end(open), self.indent_of_key());
            return Some(self.with(vec![(here..here, format!("{}{indent}    {quoted},", self.newline()))]));
        }
        if at == 0 {
            let first = self.item(0)?;
            if self.own_line(0) {
                let start = self.line_start(first.start);
                let indent = self.slice(start..first.start);
                let here = self.end_of_line_before(start);
                return Some(self.with(vec![(here..here, format!("{}{indent}{quoted},", self.newline()))]));
            }
            return Some(
                self.with(vec![(first.start..first.start, format!("{quoted}{}", self.separator()))]),
            );
        }
        let previous = at - 1;
        let last = at == count;
        let before = self.item(previous)?;
        let comma = self.comma(previous);
        if self.own_line(previous) || (last && self.starts_line(previous)) {
            let indent = self.slice(self.line_start(before.start)..before.start);
            let after = self.end_with_comma(previous)?;
            let here = self.comment_range(previous).map_or(after, |comment| comment.end);
            // A comma on a later line cannot be passed without care.
            if last || comma.is_some_and(|c| c < here) {
                let trailing = if comma.is_some() { "," } else { "" };
                let line = format!("{}{indent}{quoted}{trailing}", self.newline());
                if comma.is_some_and(|c| c >= here) {
                    let here = self.end_of_comment(comma? + 1).unwrap_or(comma? + 1);
                    return Some(self.with(vec![(here..here, line)]));
                }
                let mut changes = vec![(here..here, line)];
                if comma.is_none() {
                    if here == before.end {
                        changes = vec![(here..here, format!(",{}{indent}{quoted}", self.newline()))];
                    } else {
                        changes.push((before.end..before.end, ",".to_owned()));
                    }
                }
                return Some(self.with(changes));
            }
        }
        Some(match comma {
            None => self.with(vec![(before.end..before.end, format!("{}{quoted}", self.separator()))]),
            Some(comma) => {
                let c = comma + 1;
                let space = self.separator();
                let space = space.strip_prefix(',').unwrap_or_default();
                self.with(vec![(c..c, format!("{space}{quoted},"))])
            }
        })
    }

    /// What the array puts between two entries of a line.
    fn separator(&self) -> &'t str {
        (1..self.items.len())
            .filter_map(|at| Some(self.slice(self.item(at - 1)?.end..self.item(at)?.start)))
            .find(|gap| gap.starts_with(',') && gap.trim_matches([',', ' ', '\t']).is_empty())
            .unwrap_or(", ")
    }

    fn indent_of_key(&self) -> &'t str {
        let start = self.line_start(self.whole.start);
        let line = self.slice(start..self.whole.start);
        self.slice(start..start + (line.len() - line.trim_start_matches([' ', '\t']).len()))
    }

    /// The text without entry `at`.
    pub fn remove(&self, at: usize) -> Option<String> {
        let item = self.item(at)?;
        let comma = self.comma(at);
        let next = self.item(at + 1);
        // Without a trailing comma the last entry takes the one before it along.
        let comma_before = if next.is_none() && comma.is_none() {
            at.checked_sub(1).and_then(|previous| self.comma(previous)).map(|c| c..c + 1)
        } else {
            None
        };
        if let (true, Some(comment)) = (self.own_line(at), self.comment_range(at))
            && comma.is_none_or(|c| c < comment.end)
        {
            // The line with the line end before it, so that the last line of an array can go too.
            let start = self.end_of_line_before(self.line_start(item.start));
            let mut changes = vec![(start..comment.end, String::new())];
            changes.extend(comma_before.map(|c| (c, String::new())));
            return Some(self.with(changes));
        }
        let plain = |range: Range<usize>| {
            self.slice(range).bytes().all(|b| matches!(b, b' ' | b'\t' | b',' | b'\r' | b'\n'))
        };
        let end = comma.map_or(item.end, |c| c + 1);
        let clean_end = comma.is_none_or(|c| self.blank(item.end..c));
        if let Some(before) = at.checked_sub(1).and_then(|previous| self.item(previous)) {
            let from = match comma_before {
                Some(_) => before.end,
                None => self.comma(at - 1)? + 1,
            };
            if clean_end && plain(from..item.start) {
                return Some(self.with(vec![(from..end, String::new())]));
            }
        } else if let Some(next) = &next {
            if plain(item.end..next.start) && !self.slice(item.end..next.start).contains('\n') {
                return Some(self.with(vec![(item.start..next.start, String::new())]));
            }
        } else if clean_end {
            let before = self.slice(self.open()..item.start);
            let start = item.start - (before.len() - before.trim_end_matches([' ', '\t']).len());
            return Some(self.with(vec![(start..end, String::new())]));
        }
        // Comments in between stay; only the entry and one comma go.
        let mut changes = vec![(item, String::new())];
        changes.extend(comma.map(|c| (c..c + 1, String::new())));
        changes.extend(comma_before.map(|c| (c, String::new())));
        Some(self.with(changes))
    }

    /// The text with all entries written anew: in one line, or a line each where the array has lines or
    /// would be a long one.
    pub fn set(&self, entries: &[String]) -> String {
        const LONG: usize = 100;
        let entries: Vec<String> = entries.iter().map(|entry| self.quote(entry)).collect();
        let line = format!("[{}]", entries.join(", "));
        let lines = self.slice(self.whole.clone()).contains('\n') || line.len() > LONG;
        let new = if lines && !entries.is_empty() {
            let (end, indent) = (self.newline(), self.indent_of_key());
            let entries: String = entries.iter().map(|e| format!("{end}{indent}    {e},")).collect();
            format!("[{entries}{end}{indent}]")
        } else {
            line
        };
        self.with(vec![(self.whole.clone(), new)])
    }

    /// The text with entry `at` written anew, in its own quotation marks.
    pub fn replace(&self, at: usize, entry: &str) -> Option<String> {
        let item = self.item(at)?;
        let literal = self.slice(item.clone()).starts_with('\'');
        Some(self.with(vec![(item, quote(entry, literal))]))
    }

    /// The text with entry `from` moved to become entry `to`; comments beside entries go with them where
    /// each entry has a line for itself.
    pub fn shift(&self, from: usize, to: usize) -> Option<String> {
        let slots: Vec<usize> = (from.min(to)..=from.max(to)).collect();
        let rotate = |mut parts: Vec<String>| {
            if from < to {
                parts.rotate_left(1)
            } else {
                parts.rotate_right(1)
            }
            parts
        };
        let items: Option<Vec<Range<usize>>> = slots.iter().map(|at| self.item(*at)).collect();
        let items = items?;
        let texts = rotate(items.iter().map(|range| self.slice(range.clone()).to_owned()).collect());
        let mut changes: Vec<_> = items.into_iter().zip(texts).collect();
        let comments: Option<Vec<Range<usize>>> =
            slots.iter().map(|at| if self.own_line(*at) { self.comment_range(*at) } else { None }).collect();
        if let Some(comments) = comments {
            let texts = rotate(comments.iter().map(|range| self.slice(range.clone()).to_owned()).collect());
            changes.extend(comments.into_iter().zip(texts));
        }
        Some(self.with(changes))
    }
}

/// The line end that a text is used to.
pub(super) fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A TOML string: literal where asked for and possible, else basic.
pub(super) fn quote(entry: &str, literal: bool) -> String {
    if literal && !entry.chars().any(|c| c == '\'' || (c.is_control() && c != '\t')) {
        return format!("'{entry}'");
    }
    let mut out = String::with_capacity(entry.len() + 2);
    out.push('"');
    for c in entry.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
