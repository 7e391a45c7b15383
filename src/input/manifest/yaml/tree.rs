//! The first document of a text as it is written: nodes, anchors and tags, before they mean anything.
//!
//! Decides nothing but how deep a document may be; the syntax is libyaml's, its complaints are worded as
//! go-yaml 2 words them.

use std::collections::HashMap;

use libyaml_safer::{ErrorKind, Event, EventData, Parser, ScalarStyle};

use super::YamlError;
use crate::input::manifest::NESTING_LIMIT;

/// A node before aliases and types are resolved.
pub(super) struct Written {
    /// Byte offset.
    pub(super) at: usize,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Scalar { tag: Option<String>, value: String, plain: bool },
    List(Vec<usize>),
    Map(Vec<usize>),
    Alias { anchor: String, target: usize },
}

/// The nodes in the order of the text; parts are named by index.
pub(super) struct Tree {
    pub(super) nodes: Vec<Written>,
    pub(super) root: Option<usize>,
}

impl Tree {
    pub(super) fn build(text: &str) -> Result<Self, YamlError> {
        let mut bytes = text.as_bytes();
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(&mut bytes);
        let mut tree = Self { nodes: Vec::new(), root: None };
        let mut anchors: HashMap<String, usize> = HashMap::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let Event { data, start_mark, end_mark, .. } = parser.parse().map_err(|e| syntax(&e, text))?;
            let at = usize::try_from(start_mark.index).unwrap_or(text.len());
            let (kind, anchor) = match data {
                EventData::StreamStart { .. } => continue,
                EventData::DocumentStart { version_directive, .. } => {
                    if version_directive.is_some_and(|v| (v.major, v.minor) != (1, 1)) {
                        return Err(YamlError::new(0, "yaml: found incompatible YAML document"));
                    }
                    continue;
                }
                EventData::DocumentEnd { .. } | EventData::StreamEnd => return Ok(tree),
                EventData::SequenceEnd | EventData::MappingEnd => {
                    open.pop();
                    continue;
                }
                EventData::Alias { anchor } => match anchors.get(&anchor) {
                    Some(target) => (Kind::Alias { anchor, target: *target }, None),
                    None => {
                        return Err(YamlError::new(
                            at,
                            format!("yaml: unknown anchor '{anchor}' referenced"),
                        ));
                    }
                },
                EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                    if style == ScalarStyle::DoubleQuoted {
                        let end = usize::try_from(end_mark.index).unwrap_or(text.len());
                        escapes(text.get(at..end).unwrap_or_default(), at, start_mark.line)?;
                    }
                    (Kind::Scalar { tag, value, plain: plain_implicit }, anchor)
                }
                EventData::SequenceStart { anchor, .. } => (Kind::List(Vec::new()), anchor),
                EventData::MappingStart { anchor, .. } => (Kind::Map(Vec::new()), anchor),
            };
            let opens = matches!(kind, Kind::List(_) | Kind::Map(_));
            let index = tree.nodes.len();
            if let Some(anchor) = anchor {
                anchors.insert(anchor, index);
            }
            tree.nodes.push(Written { at, kind });
            match open.last().and_then(|parent| tree.nodes.get_mut(*parent)) {
                Some(Written { kind: Kind::List(children) | Kind::Map(children), .. }) => {
                    children.push(index)
                }
                _ => tree.root = Some(index),
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
    let incompatible = problem.contains("<document start>")
        && text.lines().any(|l| l.starts_with("%YAML") && !l.trim_end().ends_with("1.1"));
    if incompatible {
        return YamlError::new(0, "yaml: found incompatible YAML document");
    }
    let message = match line {
        0 => format!("yaml: {problem}"),
        line => format!("yaml: line {line}: {problem}"),
    };
    YamlError { at: mark.and_then(|m| usize::try_from(m.index).ok()), message }
}
