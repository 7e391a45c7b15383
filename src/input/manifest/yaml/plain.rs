//! The plain part of YAML, read line by line: what kubectl prints, and most of what people write.
//!
//! Decides whether a text keeps to block mappings and lists of scalars, of literal blocks and of `{}` and `[]`, all in
//! printable ASCII, and makes the very tree of it that libyaml's events make (the tests hold the two
//! against each other). An item of a list that does not keep to it is libyaml's alone; so is the whole text where
//! that is not enough, or where anything is wrong. A pod of a list in YAML takes a sixth of libyaml's instructions to
//! read so (74,000 of 467,000), and `check` of the list 240,000 in place of 689,000.

use std::borrow::Cow;
use std::collections::HashMap;

use super::tree::{Kind, Tree, Written};

/// Deeper ones are libyaml's.
const DEPTH: usize = 64;
/// libyaml looks no further for the colon behind a key.
const KEY_LIMIT: usize = 1000;

/// The tree of a text, where it is known without libyaml what nearly all of it is.
pub(super) fn tree(text: &str) -> Option<Tree<'_>> {
    // Growing, the nodes of a long list would be there twice.
    const PER_NODE: usize = 12;
    const AT_ONCE: usize = 1 << 22;
    let mut reader = Reader {
        text,
        line: None,
        next: 0,
        depth: 0,
        // Items within items may each be tried: not without end.
        spare: text.len().saturating_mul(2),
        nodes: Vec::with_capacity((text.len() / PER_NODE).min(AT_ONCE)),
        tags: HashMap::new(),
    };
    reader.advance();
    let first = reader.line.filter(|line| line.indent == 0)?;
    reader.block(first)?;
    let read = reader.line.is_none() && !reader.nodes.is_empty();
    read.then(|| Tree::of(reader.nodes, reader.tags))
}

/// A line that says something, or what is left of it.
#[derive(Clone, Copy)]
struct Line {
    /// Offset of its first byte.
    start: usize,
    /// The column at which what is left of it begins.
    indent: usize,
    /// Offset behind what it says.
    end: usize,
    /// Something of it was read before.
    begun: bool,
}

impl Line {
    fn at(self) -> usize {
        self.start + self.indent
    }
}

struct Reader<'t> {
    text: &'t str,
    line: Option<Line>,
    /// Offset of the line behind.
    next: usize,
    depth: usize,
    /// So many bytes may still be given to libyaml.
    spare: usize,
    nodes: Vec<Written<'t>>,
    tags: HashMap<usize, String>,
}

impl<'t> Reader<'t> {
    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Where the line at `start` ends, its break left out, and where the next begins.
    fn line_end(&self, start: usize) -> Option<(usize, usize)> {
        let rest = self.text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest);
        Some(end.map_or((self.text.len(), self.text.len()), |end| (start + end, start + end + 1)))
    }

    /// Goes to the next line that is neither blank nor a comment.
    fn advance(&mut self) {
        self.line = None;
        while let Some((end, next)) = self.line_end(self.next) {
            let start = std::mem::replace(&mut self.next, next);
            let written = self.slice(start, end);
            let said = written.trim_start_matches(' ');
            let is_said = !said.is_empty() && !said.starts_with('#');
            // What is not plain is seen by whoever reads the line.
            if is_said || !is_printable(written) {
                let indent = written.len() - said.len();
                let end = start + written.trim_end_matches(' ').len();
                self.line = Some(Line { start, indent, end, begun: false });
                return;
            }
        }
    }

    fn push(&mut self, at: usize, kind: Kind<'t>) -> usize {
        self.nodes.push(Written { at, kind });
        self.nodes.len() - 1
    }

    fn scalar(&mut self, at: usize, value: impl Into<Cow<'t, str>>, plain: bool) {
        self.push(at, Kind::Scalar { value: value.into(), plain });
    }

    /// A mapping or a list that begins on this line.
    fn block(&mut self, line: Line) -> Option<()> {
        let said = self.slice(line.at(), line.end);
        if !is_printable(said) {
            return None;
        }
        match is_item(said) {
            true => self.list(line.indent, line.at()),
            false => self.mapping(line.indent, line.at()),
        }
    }

    fn open(&mut self, at: usize, kind: Kind<'t>) -> Option<usize> {
        self.depth += 1;
        (self.depth <= DEPTH).then(|| self.push(at, kind))
    }

    fn close(&mut self, opened: usize) -> Option<()> {
        self.depth -= 1;
        let behind = self.nodes.len();
        match &mut self.nodes.get_mut(opened)?.kind {
            Kind::List { end } | Kind::Map { end } => *end = behind,
            Kind::Scalar { .. } | Kind::Alias { .. } => return None,
        }
        Some(())
    }

    fn mapping(&mut self, column: usize, at: usize) -> Option<()> {
        let opened = self.open(at, Kind::Map { end: usize::MAX })?;
        while let Some(line) = self.line.filter(|line| line.indent >= column) {
            let said = self.slice(line.at(), line.end);
            if line.indent > column || !is_printable(said) {
                return None;
            }
            let (key, plain, colon) = key(said)?;
            self.scalar(line.at(), key, plain);
            let behind = line.at() + colon + 1;
            let rest = self.slice(behind, line.end).trim_start_matches(' ');
            if rest.is_empty() || rest.starts_with('#') {
                self.advance();
                self.below(column, behind, true)?;
            } else {
                self.value(line.end - rest.len(), line.end, column)?;
            }
        }
        self.close(opened)
    }

    /// What belongs to a key or a dash with nothing behind it, which ends at `behind`.
    fn below(&mut self, column: usize, behind: usize, is_key: bool) -> Option<()> {
        match self.line {
            Some(line) if line.indent > column => self.block(line),
            Some(line) if is_key && line.indent == column && is_item(self.slice(line.at(), line.end)) => {
                self.block(line)
            }
            _ => {
                self.scalar(behind, "", true);
                Some(())
            }
        }
    }

    fn list(&mut self, column: usize, at: usize) -> Option<()> {
        let opened = self.open(at, Kind::List { end: usize::MAX })?;
        while let Some(line) = self.line.filter(|line| line.indent >= column) {
            if line.indent > column {
                return None;
            }
            if !is_item(self.slice(line.at(), line.end)) {
                // The next key of the mapping around it, or nothing that can be.
                break;
            }
            let (before, depth) = (self.nodes.len(), self.depth);
            if self.item(line).is_none() {
                if line.begun {
                    return None;
                }
                self.nodes.truncate(before);
                self.tags.retain(|index, _| *index < before);
                self.depth = depth;
                self.by_libyaml(line)?;
            }
        }
        self.close(opened)
    }

    fn item(&mut self, line: Line) -> Option<()> {
        let behind = line.at() + 1;
        let rest = self.slice(behind, line.end).trim_start_matches(' ');
        if rest.is_empty() || rest.starts_with('#') {
            if !is_printable(rest) {
                return None;
            }
            self.advance();
            return self.below(line.indent, behind, false);
        }
        let at = line.end - rest.len();
        if is_item(rest) || key(rest).is_some() {
            let line = Line { indent: at - line.start, begun: true, ..line };
            self.line = Some(line);
            return self.block(line);
        }
        self.value(at, line.end, line.indent)
    }

    /// The value that begins at `at`, in a mapping or a list at `column`; its first line says no more behind `end`.
    fn value(&mut self, at: usize, end: usize, column: usize) -> Option<()> {
        let written = self.slice(at, end);
        if !is_printable(written) {
            return None;
        }
        match written.as_bytes().first()? {
            b'"' => {
                let text = self.joined(written, column)?;
                self.scalar(at, read(text, double_quoted)?, false);
            }
            b'\'' => {
                let text = self.joined(written, column)?;
                self.scalar(at, read(text, single_quoted)?, false);
            }
            b'{' if written == "{}" => {
                let behind = self.nodes.len() + 1;
                self.push(at, Kind::Map { end: behind });
            }
            b'[' if written == "[]" => {
                let behind = self.nodes.len() + 1;
                self.push(at, Kind::List { end: behind });
            }
            b'|' => return self.literal(at, written, column),
            _ => {
                let text = match comment(written) {
                    Some(at) => Cow::Borrowed(written.get(..at)?.trim_end_matches(' ')),
                    None => self.joined(written, column)?,
                };
                if !is_plain(&text) {
                    return None;
                }
                self.scalar(at, text, true);
            }
        }
        self.advance();
        // A line further in would go on with it.
        self.line.is_none_or(|line| line.indent <= column).then_some(())
    }

    /// A scalar with the lines that go on with it: kubectl breaks those that are longer than a screen is wide.
    fn joined(&mut self, first: &'t str, column: usize) -> Option<Cow<'t, str>> {
        const LINES: usize = 64;
        let mut text = Cow::Borrowed(first);
        let is_quoted = first.starts_with(['"', '\'']);
        for _ in 0..LINES {
            let Some((end, next)) = self.line_end(self.next) else { return Some(text) };
            let written = self.slice(self.next, end);
            let said = written.trim_matches(' ');
            let is_within = !said.is_empty() && written.starts_with(' ') && indent(written) > column;
            let goes_on = if is_quoted { is_open(&text) } else { is_within && !said.starts_with('#') };
            if !goes_on {
                return Some(text);
            }
            // A backslash before a break takes it away.
            if !is_within || !is_printable(written) || text.ends_with('\\') {
                return None;
            }
            let text = text.to_mut();
            text.push(' ');
            text.push_str(said);
            self.next = next;
        }
        None
    }

    /// The lines of a literal block.
    fn literal(&mut self, at: usize, header: &str, column: usize) -> Option<()> {
        let ending = match header {
            "|" => "\n",
            "|-" => "",
            _ => return None,
        };
        let mut value = String::new();
        // Breaks that count only where more follows.
        let mut breaks = 0;
        let mut margin = None;
        while let Some((end, next)) = self.line_end(self.next) {
            let written = self.slice(self.next, end);
            let blanks = indent(written);
            let said = written.trim_start_matches(' ');
            if !is_printable(written) {
                return None;
            }
            if said.is_empty() {
                if blanks > margin? {
                    return None;
                }
                breaks += 1;
            } else {
                let margin = *margin.get_or_insert(blanks);
                if blanks < margin || margin <= column {
                    break;
                }
                value.extend(std::iter::repeat_n('\n', breaks));
                value.push_str(written.get(margin..)?);
                breaks = 1;
            }
            self.next = next;
        }
        if value.is_empty() {
            return None;
        }
        value.push_str(ending);
        self.scalar(at, value, false);
        self.advance();
        Some(())
    }

    /// The item that begins with this line, by libyaml.
    fn by_libyaml(&mut self, first: Line) -> Option<()> {
        let mut end = self.line_end(first.start)?.1;
        while let Some((line_end, next)) = self.line_end(end) {
            let written = self.slice(end, line_end);
            let said = written.trim_start_matches(' ');
            let is_beyond = indent(written) <= first.indent;
            if is_beyond && !said.trim_end_matches('\r').is_empty() && !said.starts_with('#') {
                break;
            }
            end = next;
        }
        self.spare = self.spare.checked_sub(end - first.start)?;
        let text = self.slice(first.start, end);
        if has_other_breaks(text) {
            return None;
        }
        let whole = if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
        // The list around it is counted, and read again.
        let item = Tree::build(text, &whole, self.depth - 1).ok()?;
        let base = self.nodes.len();
        let (nodes, tags) = item.into_only_item(first.indent)?;
        // The list itself, the first node, is here already.
        let moved = |index: usize| (index - 1).saturating_add(base);
        self.nodes.extend(nodes.into_iter().skip(1).map(|Written { at, kind }| {
            let kind = match kind {
                Kind::List { end } => Kind::List { end: moved(end) },
                Kind::Map { end } => Kind::Map { end: moved(end) },
                Kind::Alias { anchor, target } => Kind::Alias { anchor, target: moved(target) },
                scalar @ Kind::Scalar { .. } => scalar,
            };
            Written { at: at + first.start, kind }
        }));
        self.tags.extend(tags.into_iter().map(|(index, tag)| (moved(index), tag)));
        self.next = end;
        self.advance();
        Some(())
    }
}

/// Without a branch for each byte.
fn is_printable(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & (0x20..0x7f).contains(&byte))
}

/// Breaks that YAML has beside those of the lines here: what follows one may stand left of the item.
fn has_other_breaks(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'))
        || text.contains(['\u{85}', '\u{2028}', '\u{2029}'])
}

fn is_item(said: &str) -> bool {
    said == "-" || said.starts_with("- ")
}

/// The blanks that a line begins with.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The key that a line begins with, whether it stands without quotes, and where its colon is.
fn key(said: &str) -> Option<(&str, bool, usize)> {
    let is_colon = |at: usize| matches!(said.as_bytes().get(at..), Some([b':'] | [b':', b' ', ..]));
    let (key, plain, colon) = match said.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let inside = said.get(1..)?;
            // A backslash or a doubled quote ends it early, and no colon follows either.
            let end = memchr::memchr2(*quote, b'\\', inside.as_bytes())?;
            (inside.get(..end)?, false, end + 2)
        }
        // At the start of a line these end a document or begin one, whatever follows.
        _ if said.starts_with("... ") || said.starts_with("--- ") => return None,
        _ => {
            let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-');
            let end = said.bytes().take_while(is_name).count();
            let colon = match is_colon(end) {
                true => end,
                false => memchr::memchr_iter(b':', said.as_bytes()).find(|at| is_colon(*at))?,
            };
            let key = said.get(..colon).filter(|key| is_plain(key) && !key.ends_with(' '))?;
            (key, true, colon)
        }
    };
    (is_colon(colon) && colon <= KEY_LIMIT).then_some((key, plain, colon))
}

/// What a quoted text means, as `means` has it.
fn read<'t>(text: Cow<'t, str>, means: fn(&str) -> Option<Cow<'_, str>>) -> Option<Cow<'t, str>> {
    match text {
        Cow::Borrowed(text) => means(text),
        Cow::Owned(text) => means(&text).map(|value| Cow::Owned(value.into_owned())),
    }
}

/// Whether the quote that a text begins with is not closed in it.
fn is_open(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix('"') else {
        // Each inside is written twice.
        return memchr::memchr_iter(b'\'', text.as_bytes()).count() % 2 == 1;
    };
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) {
        if rest.as_bytes().get(at) == Some(&b'"') {
            return false;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    true
}

/// What a text between double quotes means.
fn double_quoted(text: &str) -> Option<Cow<'_, str>> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut rest = inside;
    let mut value = String::new();
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) {
        value.push_str(rest.get(..at)?);
        value.push(match rest.as_bytes().get(at..at + 2)? {
            b"\\\"" => '"',
            b"\\\\" => '\\',
            b"\\ " => ' ',
            b"\\n" => '\n',
            b"\\t" => '\t',
            _ => return None,
        });
        rest = rest.get(at + 2..)?;
    }
    if value.is_empty() {
        return Some(Cow::Borrowed(rest));
    }
    value.push_str(rest);
    Some(Cow::Owned(value))
}

/// What a text between single quotes means.
fn single_quoted(text: &str) -> Option<Cow<'_, str>> {
    let inside = text.strip_prefix('\'')?.strip_suffix('\'')?;
    if memchr::memchr(b'\'', inside.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inside));
    }
    // Each is written twice; a break stands for the pair, since a text has none.
    let value = inside.replace("''", "\n");
    (!value.contains('\'')).then(|| Cow::Owned(value.replace('\n', "'")))
}

/// Where a comment begins.
fn comment(text: &str) -> Option<usize> {
    let is_apart =
        |at: &usize| at.checked_sub(1).and_then(|before| text.as_bytes().get(before)) == Some(&b' ');
    memchr::memchr_iter(b'#', text.as_bytes()).find(is_apart)
}

/// Whether a text stands for itself to the end of its line.
fn is_plain(text: &str) -> bool {
    let begins = match text.as_bytes() {
        [b'-' | b'?' | b':', next, ..] => *next != b' ',
        [first, ..] => first.is_ascii_alphanumeric() || b"_./~+=$()^;<\\".contains(first),
        [] => false,
    };
    let ends = memchr::memchr_iter(b':', text.as_bytes())
        .any(|at| text.as_bytes().get(at + 1).is_none_or(|next| *next == b' '));
    begins && !ends && comment(text).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(tree: &Tree<'_>) -> Vec<String> {
        let all = (0..).map_while(|index| Some((index, tree.node(index)?)));
        all.map(|(index, Written { at, kind })| match kind {
            Kind::Scalar { value, plain } => format!("{at} {value:?} {plain} {:?}", tree.tag(index)),
            Kind::List { end } => format!("{at} list to {end}"),
            Kind::Map { end } => format!("{at} map to {end}"),
            Kind::Alias { anchor, target } => format!("{at} *{anchor} {target}"),
        })
        .collect()
    }

    /// Whether a text is plain enough; if so it is to libyaml what it is here.
    fn is_read(text: &str) -> bool {
        let Some(own) = tree(text) else { return false };
        let whole = format!("{text}{}", if text.ends_with('\n') { "" } else { "\n" });
        let theirs = Tree::build(text, &whole, 0).map(|tree| told(&tree)).map_err(|error| error.message);
        assert_eq!(Ok(told(&own)), theirs, "{text}");
        true
    }

    #[test]
    fn what_is_plain_is_the_same_to_libyaml() {
        for text in [
            "a: 1\n",
            "a:\nb: ~",
            "- a\n- b: c\n  d: e\n-\n- # c\n- - x\n  - y: z\n",
            "# c\n\nitems:\n- a: \"x\"\n  b:\n  - 'it''s'\n  - {}\n  c:   \n# c\n  d: []\n\nkind: List\n",
            "a:\n  b:\n    c: \"\\\"q\\\" \\\\ \\n\"\n  \"d e\": x:y#z\n'f': http://a/b?c=d  \n",
            "a: |\n  one\n   two \n\n\n  three\n\n# c\nb: |-\n  x\n\nc: |\n # no comment\n",
            "- |\n  x\n- - |-\n   y\n  - z\n",
            "a:\n- --x=y\n- :80\n- -1\n- f:a: {}\n  k:{\"p\":80}: 1\n  x y: z # c\n  .: ?a\n",
            "a: b\n  c d\n   e\nf: 'it''s\n  on # two'\ng:\n- \"x \\\"\n   \\ y\"\n- h\n i\n- j: k\n   l\n",
            "a:\n- &x b: 1\n  c: *x\n- !t d\n- [1, {e: f}]\n- e\n- k: >\n    folded\n    text\n- \u{e9}\n- \"x\n  y\"\n- g: h\n",
            "a:\n  b:\n    - c: !t x\n      d: [\n     1]\n    - e\n  f: g\n",
        ] {
            assert!(is_read(text), "{text}");
        }
        #[rustfmt::skip]
        let others = [
            "", "# c\n", "a", "a: b: c\n", "a: 'b' c\n", "a: 1\n\n b\n", "a: \"x\n", "a: \"x\\\n  y\"\n", "a: b\n  c: d\n",
            "a: b # c\n  d\n", "a: 'b\nc'\n", "a : b\n", "a:: b\n", "a #b: c\n", "a: b #\n  #\n c\n", " a: 1\n", "a: 1\n b: 2\n",
            "a:\n    b: 1\n  c: 2\n", "a: &b 1\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n...\n", "a: 1\n... b: 1\n", "--- a: 1\n", "a: 1\n---\nb: 2\n", "- a\nb: 1\n",
            "a: 1\n- b\n", "a: \t1\n", "a: 1\r\n", "a:\n- &x b\n- *x\n", "a:\n- \"b\n- c\"\n", "a: |\n\n  x\n",
            "a: |\n x\n  \u{1}\n", "a: |\nb: 1\n", "? a\n: b\n", "a: \"\\/\"\n", "a: @b\n", "a:\n -\n  \rx\n", "a:\n -\n  \u{85}x\n",
        ];
        for text in others {
            assert!(tree(text).is_none(), "{text}");
        }
    }

    #[test]
    fn so_is_what_chance_puts_together() {
        #[rustfmt::skip]
        const PARTS: [&str; 55] = [
            "a:", "a: 1", "b: x y", "- a", "- a: 1", "-", "- - b", "- - a: 1", "c: \"q\"", "c: 'q'", "d: |", "d: |-", "text here",
            "# c", "", "e: {}", "e: []", "- |", "- {}", "f: # c", "\"k\": v", "'k': v", "g: \"a\\nb\"", "g: 'a''b'", "h: a:b",
            "h: a #b", "m: 'x", "y'", "n: \"x", "\\ y\"", "o p: --q", "f:x: :1", "it''s", "- ?z",
            "- [a, b]", "- &x a", "- *x", "- !t a", "i: &x", "- \u{e9}", "j: >", "...", "- \"a", "b\"", "k: [a,", "b]", "- k: |",
            "l:  ", "x: y\\", "\\\\", "\rx", "- a\rb: c", "\u{85}y: z", "\tx", "... p: q",
        ];
        let mut state = 7_u64;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % limit
        };
        let cases = std::env::var("PLAIN_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(4_000);
        let mut read = 0;
        for _ in 0..cases {
            let mut indent = 0;
            let lines: String = (0..2 + below(7))
                .map(|at| {
                    indent = if at == 0 { 0 } else { (indent + below(4)).saturating_sub(below(3)) };
                    // What is not plain is rare, so that something else is met as well.
                    let parts = if below(4) == 0 { PARTS.len() } else { 34 };
                    let part = below(parts);
                    format!("{}{}\n", " ".repeat(indent), PARTS[part])
                })
                .collect();
            read += usize::from(is_read(&lines));
        }
        assert!(read * 20 > cases, "{read}");
    }
}
