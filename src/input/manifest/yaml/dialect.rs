//! Where go-yaml 2 parts from libyaml, whose syntax it otherwise has.
//!
//! Decides what go-yaml refuses and libyaml takes, the other way about, which of two faults is met first, and
//! how faults are worded. Facts: scannerc.go, readerc.go and decode.go of go.yaml.in/yaml/v2 2.4.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use libyaml_safer::{ErrorKind, Mark};

use super::YamlError;

/// A text in the doses in which go-yaml takes it: a character that it cannot have is found out when its
/// dose is taken, before a fault of the syntax that stands later than the dose's start. The parser would take
/// all that it is offered, at four bytes for each character.
pub(super) struct Doses<'t>(pub(super) &'t str);

/// go-yaml's buffer, in bytes.
const DOSE: usize = 512;

impl BufRead for Doses<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let end = self.0.floor_char_boundary(DOSE);
        Ok(self.0.as_bytes().get(..end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.0 = self.0.get(amount..).unwrap_or_default();
    }
}

impl Read for Doses<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// A byte order mark that does not begin a text is a character like any other to go-yaml; libyaml passes over
/// it where it begins a line.
const MARK: &str = "\n\u{feff}";
/// What stands for such a mark while a text is read: of the same length, and for private use.
const STAND_IN: &str = "\n\u{f8ff}";

/// The text with something else for the marks that begin a line.
pub(super) fn without_marks(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) || text.contains(STAND_IN) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(MARK, STAND_IN))
}

/// A value with its marks and colons; `None` where nobody can tell them apart. `read` and `spelt` are how it was
/// read and how it is written.
pub(super) fn restored(value: &str, read: &str, spelt: &str) -> Option<String> {
    let back = |text: &str| text.replace(STAND_IN.trim_start(), MARK.trim_start()).replace(COLON, ":");
    (back(read) == spelt).then(|| back(value))
}

/// How often a text is read before its colons are given up: each that is taken out takes another reading.
pub(super) fn readings(text: &str) -> usize {
    const MOST: usize = 16;
    const BYTES: usize = 256 << 20;
    (BYTES / text.len().max(1)).clamp(1, MOST)
}

/// What stands for such a colon while a text is read.
pub(super) const COLON: &str = "~";
/// What libyaml says of one.
const UNEXPECTED: &str = "found unexpected ':'";

/// Where in a plain scalar between brackets a colon stands that libyaml refuses, because a bracket or a comma
/// follows: `{key:}`. To go-yaml it is a part of the scalar.
pub(super) fn colon(error: &libyaml_safer::Error) -> Option<usize> {
    let mark = error.problem_mark().filter(|_| error.problem() == UNEXPECTED)?;
    usize::try_from(mark.index).ok()
}

/// libyaml's complaint about a scalar whose colons cannot be put back.
pub(super) fn unexpected(at: usize, line: u64) -> YamlError {
    YamlError::new(at, worded(if line == 0 { 0 } else { line + 1 }, UNEXPECTED))
}

/// What closes a list or a mapping in brackets, and the line on which it begins.
pub(super) type Flow = (char, u64);

/// Between brackets a `?` ends a plain scalar, and nothing can follow but a comma or the end.
pub(super) fn question(plain: &str, at: usize, line: u64, flow: Option<Flow>) -> Result<(), YamlError> {
    let (Some((end, start)), Some(offset)) = (flow, plain.find('?')) else { return Ok(()) };
    let line = match line + breaks(plain, offset) {
        0 => start,
        line => line,
    };
    Err(YamlError::new(at + offset, worded(line, &format!("did not find expected ',' or '{end}'"))))
}

/// The line breaks before an offset.
fn breaks(text: &str, offset: usize) -> u64 {
    let before = text.get(..offset).unwrap_or_default().replace("\r\n", "\n");
    before.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() as u64
}

/// go-yaml has no `\/` between double quotes, which libyaml has.
pub(super) fn escapes(quoted: &str, at: usize, line: u64) -> Result<(), YamlError> {
    let mut escaped = false;
    for (offset, byte) in quoted.bytes().enumerate() {
        if escaped && byte == b'/' {
            let line = match line + breaks(quoted, offset) {
                0 => 0,
                line => line + 1,
            };
            return Err(YamlError::new(at + offset, worded(line, "found unknown escape character")));
        }
        escaped = !escaped && byte == b'\\';
    }
    Ok(())
}

/// go-yaml's message for what libyaml found. It counts lines from 1 for the scanner and from 0 for the
/// parser, and leaves out a line 0.
pub(super) fn syntax(error: &libyaml_safer::Error, text: &str) -> YamlError {
    let problem = error.problem();
    let mark = error.problem_mark();
    let scanner = error.kind() == ErrorKind::Scanner;
    let line = match mark {
        Some(mark) if mark.line != 0 => mark.line + u64::from(scanner),
        _ => error.context_mark().map_or(0, |m| m.line),
    };
    if let (
        Some("while parsing a quoted scalar" | "while scanning a quoted scalar"),
        Some(start),
        Some(end),
    ) = (error.context(), error.context_mark(), mark)
    {
        // Of two faults in it the earlier one counts.
        let at = |mark: Mark| usize::try_from(mark.index).unwrap_or(text.len());
        let quoted = text.get(at(start)..at(end)).unwrap_or_default();
        if quoted.starts_with('"')
            && let Err(earlier) = escapes(quoted, at(start), start.line)
        {
            return earlier;
        }
    }
    let is_incompatible = problem.contains("<document start>")
        && text.lines().any(|l| l.starts_with("%YAML") && !l.trim_end().ends_with("1.1"));
    if is_incompatible {
        return incompatible(text);
    }
    YamlError { at: mark.and_then(|m| usize::try_from(m.index).ok()), message: worded(line, problem) }
}

fn worded(line: u64, problem: &str) -> String {
    match line {
        0 => format!("yaml: {problem}"),
        line => format!("yaml: line {line}: {problem}"),
    }
}

/// The complaint about the first `%YAML` line.
pub(super) fn incompatible(text: &str) -> YamlError {
    let before = text.split_inclusive('\n').take_while(|line| !line.starts_with("%YAML"));
    let (line, at) = before.fold((0, 0), |(lines, bytes), line| (lines + 1, bytes + line.len()));
    YamlError::new(at, worded(line, "found incompatible YAML document"))
}
