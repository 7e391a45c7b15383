//! The first document of a text as it is written: nodes, anchors and tags, before they mean anything.
//!
//! Decides nothing but how deep a document may be; the syntax is libyaml's, its complaints are worded as
//! go-yaml 2 words them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use libyaml_safer::{ErrorKind, Event, EventData, Parser, ScalarStyle};

use super::YamlError;
use crate::input::manifest::NESTING_LIMIT;

/// A node before aliases and types are resolved.
pub(super) struct Written<'t> {
    /// Byte offset.
    pub(super) at: usize,
    pub(super) kind: Kind<'t>,
}

pub(super) enum Kind<'t> {
    /// Most stand in the text as they are meant, and are not copied.
    Scalar {
        value: Cow<'t, str>,
        plain: bool,
    },
    /// What is in it follows, up to the node `end`.
    List {
        end: usize,
    },
    /// Keys and values in turn, likewise.
    Map {
        end: usize,
    },
    Alias {
        anchor: Box<str>,
        target: usize,
    },
}

/// The nodes in the order of the text; parts are named by index.
pub(super) struct Tree<'t> {
    nodes: Vec<Written<'t>>,
    /// Of the scalars that have one.
    tags: HashMap<usize, String>,
    pub(super) root: Option<usize>,
}

impl<'t> Tree<'t> {
    pub(super) fn node(&self, index: usize) -> Option<&Written<'t>> {
        self.nodes.get(index)
    }

    pub(super) fn tag(&self, scalar: usize) -> Option<&str> {
        if self.tags.is_empty() { None } else { self.tags.get(&scalar).map(String::as_str) }
    }

    /// The node behind this one and all that is in it.
    fn after(&self, index: usize) -> usize {
        match self.nodes.get(index).map(|written| &written.kind) {
            Some(Kind::List { end } | Kind::Map { end }) => *end,
            _ => index + 1,
        }
    }

    /// What is in a list or a mapping.
    pub(super) fn children(&self, index: usize) -> impl Iterator<Item = usize> {
        let (first, end) = (index + 1, self.after(index));
        std::iter::successors(Some(first), |child| Some(self.after(*child))).take_while(move |c| *c < end)
    }

    /// `whole` is `text` with a line break at its end.
    pub(super) fn build(text: &'t str, whole: &str) -> Result<Self, YamlError> {
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(Doses(whole));
        let mut tree = Self { nodes: Vec::new(), tags: HashMap::new(), root: None };
        let mut anchors: HashMap<String, usize> = HashMap::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let Event { data, start_mark, end_mark, .. } = parser.parse().map_err(|e| syntax(&e, whole))?;
            let at = usize::try_from(start_mark.index).unwrap_or(whole.len());
            let index = tree.nodes.len();
            let (kind, anchor) = match data {
                EventData::StreamStart { .. } => continue,
                EventData::DocumentStart { version_directive, .. } => {
                    if version_directive.is_some_and(|v| (v.major, v.minor) != (1, 1)) {
                        return Err(incompatible(whole));
                    }
                    continue;
                }
                EventData::DocumentEnd { .. } | EventData::StreamEnd => return Ok(tree),
                EventData::SequenceEnd | EventData::MappingEnd => {
                    let closed = open.pop().and_then(|parent| tree.nodes.get_mut(parent));
                    if let Some(Written { kind: Kind::List { end } | Kind::Map { end }, .. }) = closed {
                        *end = index;
                    }
                    continue;
                }
                EventData::Alias { anchor } => match anchors.get(&anchor) {
                    Some(target) => (Kind::Alias { anchor: anchor.into(), target: *target }, None),
                    None => {
                        return Err(YamlError::new(
                            at,
                            format!("yaml: unknown anchor '{anchor}' referenced"),
                        ));
                    }
                },
                EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                    if style == ScalarStyle::DoubleQuoted {
                        let end = usize::try_from(end_mark.index).unwrap_or(whole.len());
                        escapes(whole.get(at..end).unwrap_or_default(), at, start_mark.line)?;
                    }
                    if let Some(tag) = tag {
                        tree.tags.insert(index, tag);
                    }
                    (Kind::Scalar { value: as_it_stands(text, at, value), plain: plain_implicit }, anchor)
                }
                // Until it is closed, all that comes is in it.
                EventData::SequenceStart { anchor, .. } => (Kind::List { end: usize::MAX }, anchor),
                EventData::MappingStart { anchor, .. } => (Kind::Map { end: usize::MAX }, anchor),
            };
            let opens = matches!(kind, Kind::List { .. } | Kind::Map { .. });
            if let Some(anchor) = anchor {
                anchors.insert(anchor, index);
            }
            tree.nodes.push(Written { at, kind });
            if open.is_empty() {
                tree.root = Some(index);
            }
            if opens {
                open.push(index);
                if open.len() > NESTING_LIMIT {
                    let message = format!("yaml: nested deeper than {NESTING_LIMIT} levels");
                    return Err(YamlError::new(at, message));
                }
            }
        }
    }
}

/// A text in the doses in which go-yaml takes it: a character that it cannot have is found out when its
/// dose is taken, before a fault of the syntax that stands later than the dose's start. The parser would take
/// all that it is offered, at four bytes for each character.
struct Doses<'t>(&'t str);

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

/// The value of a scalar that stands at `at`, out of the text where the text has it.
fn as_it_stands(text: &str, at: usize, value: String) -> Cow<'_, str> {
    // Plain, or behind a quote.
    let spelt = [at, at + 1].into_iter().find_map(|start| {
        let spelt = text.get(start..start + value.len())?;
        (spelt == value).then_some(spelt)
    });
    spelt.map_or(Cow::Owned(value), Cow::Borrowed)
}

/// go-yaml has no `\/` between double quotes, which libyaml has.
fn escapes(quoted: &str, at: usize, line: u64) -> Result<(), YamlError> {
    let mut escaped = false;
    for (offset, byte) in quoted.bytes().enumerate() {
        if escaped && byte == b'/' {
            let before = quoted.as_bytes().get(..offset).unwrap_or_default();
            let breaks = before.iter().filter(|b| **b == b'\n').count() as u64;
            let message = format!("yaml: line {}: found unknown escape character", line + breaks + 1);
            return Err(YamlError::new(at + offset, message));
        }
        escaped = !escaped && byte == b'\\';
    }
    Ok(())
}

/// go-yaml's message for what libyaml found. It counts lines from 1 for the scanner and from 0 for the
/// parser, and leaves out a line 0.
fn syntax(error: &libyaml_safer::Error, text: &str) -> YamlError {
    let problem = error.problem();
    let mark = error.problem_mark();
    let scanner = error.kind() == ErrorKind::Scanner;
    let line = match mark {
        Some(mark) if mark.line != 0 => mark.line + u64::from(scanner),
        _ => error.context_mark().map_or(0, |m| m.line),
    };
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
fn incompatible(text: &str) -> YamlError {
    let before = text.split_inclusive('\n').take_while(|line| !line.starts_with("%YAML"));
    let (line, at) = before.fold((0, 0), |(lines, bytes), line| (lines + 1, bytes + line.len()));
    YamlError::new(at, worded(line, "found incompatible YAML document"))
}
