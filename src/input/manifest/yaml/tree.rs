//! The first document of a text as it is written: nodes, anchors and tags, before they mean anything.
//!
//! Decides nothing but how deep a document may be; the syntax is libyaml's, its complaints are worded as
//! go-yaml 2 words them.

use std::borrow::Cow;
use std::collections::HashMap;

use libyaml_safer::{Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};

use super::YamlError;
use super::dialect::{self, Doses};
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

/// A list or a mapping that is not at its end.
struct Open {
    index: usize,
    /// What closes it and the line on which it begins, where it is written in brackets.
    flow: Option<dialect::Flow>,
}

/// Why an attempt ended.
enum Stop {
    Fault(YamlError),
    /// At a colon that go-yaml takes for a part of a plain scalar, with libyaml's complaint.
    Colon(usize, YamlError),
}

impl From<YamlError> for Stop {
    fn from(fault: YamlError) -> Self {
        Self::Fault(fault)
    }
}

impl<'t> Tree<'t> {
    /// Of nodes of which the first is the root.
    pub(super) fn of(nodes: Vec<Written<'t>>, tags: HashMap<usize, String>) -> Self {
        let root = (!nodes.is_empty()).then_some(0);
        Self { nodes, tags, root }
    }

    /// The parts of a tree that is a list with one item, written at `column`.
    pub(super) fn into_only_item(self, column: usize) -> Option<(Vec<Written<'t>>, HashMap<usize, String>)> {
        let list = self.nodes.first().filter(|list| list.at == column)?;
        let is_only = matches!(list.kind, Kind::List { .. }) && self.children(0).count() == 1;
        (is_only && self.after(0) == self.nodes.len()).then_some((self.nodes, self.tags))
    }

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

    /// `whole` is `text` with a line break at its end; `depth` is how deep the text itself stands.
    pub(super) fn build(text: &'t str, whole: &str, depth: usize) -> Result<Self, YamlError> {
        let mut read = dialect::without_marks(whole);
        let mut left = dialect::readings(whole);
        loop {
            left -= 1;
            match Self::attempt(text, whole, &read, depth) {
                Err(Stop::Colon(at, _)) if left > 0 && read.get(at..=at) == Some(":") => {
                    read.to_mut().replace_range(at..=at, dialect::COLON);
                }
                Err(Stop::Colon(_, fault) | Stop::Fault(fault)) => return Err(fault),
                Ok(tree) => return Ok(tree),
            }
        }
    }

    /// The same, with `read` for the scanner: the whole text, without what it does not take as go-yaml does.
    fn attempt(text: &'t str, whole: &str, read: &str, depth: usize) -> Result<Self, Stop> {
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(Doses(read));
        let mut tree = Self { nodes: Vec::new(), tags: HashMap::new(), root: None };
        let mut anchors: HashMap<String, usize> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        loop {
            let Event { data, start_mark, end_mark, .. } = parser.parse().map_err(|error| {
                let fault = dialect::syntax(&error, whole);
                match dialect::colon(&error) {
                    Some(at) => Stop::Colon(at, fault),
                    None => Stop::Fault(fault),
                }
            })?;
            let at = usize::try_from(start_mark.index).unwrap_or(whole.len());
            let index = tree.nodes.len();
            let mut opens = None;
            let (kind, anchor) = match data {
                EventData::StreamStart { .. } => continue,
                EventData::DocumentStart { version_directive, .. } => {
                    if version_directive.is_some_and(|v| (v.major, v.minor) != (1, 1)) {
                        return Err(dialect::incompatible(whole).into());
                    }
                    continue;
                }
                EventData::DocumentEnd { .. } | EventData::StreamEnd => return Ok(tree),
                EventData::SequenceEnd | EventData::MappingEnd => {
                    let closed = open.pop().and_then(|parent| tree.nodes.get_mut(parent.index));
                    if let Some(Written { kind: Kind::List { end } | Kind::Map { end }, .. }) = closed {
                        *end = index;
                    }
                    continue;
                }
                EventData::Alias { anchor } => match anchors.get(&anchor) {
                    Some(target) => (Kind::Alias { anchor: anchor.into(), target: *target }, None),
                    None => {
                        let message = format!("yaml: unknown anchor '{anchor}' referenced");
                        return Err(YamlError::new(at, message).into());
                    }
                },
                EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                    let end = usize::try_from(end_mark.index).unwrap_or(whole.len());
                    let spelt = whole.get(at..end).unwrap_or_default();
                    let flow = open.last().and_then(|parent| parent.flow);
                    match style {
                        ScalarStyle::DoubleQuoted => dialect::escapes(spelt, at, start_mark.line)?,
                        ScalarStyle::Plain => dialect::question(spelt, at, start_mark.line, flow)?,
                        _ => {}
                    }
                    if let Some(tag) = tag {
                        tree.tags.insert(index, tag);
                    }
                    let mut value = as_it_stands(text, read, at, value);
                    if let Cow::Owned(joined) = &mut value
                        && let Some(read) = read.get(at..end)
                        && read != spelt
                    {
                        let whole = dialect::restored(joined, read, spelt);
                        *joined = whole.ok_or_else(|| dialect::unexpected(at, start_mark.line))?;
                    }
                    (Kind::Scalar { value, plain: plain_implicit }, anchor)
                }
                // Until it is closed, all that comes is in it.
                EventData::SequenceStart { anchor, style, .. } => {
                    let flow = (style == SequenceStyle::Flow).then_some((']', start_mark.line));
                    opens = Some(flow);
                    (Kind::List { end: usize::MAX }, anchor)
                }
                EventData::MappingStart { anchor, style, .. } => {
                    // One pair in a flow list may do without braces.
                    let pair = !whole.get(at..).is_some_and(|text| text.starts_with(['{', '&', '!']));
                    let around = open.last().and_then(|parent| parent.flow).filter(|_| pair);
                    let own = (style == MappingStyle::Flow).then_some(('}', start_mark.line));
                    opens = Some(own.map(|own| around.unwrap_or(own)));
                    (Kind::Map { end: usize::MAX }, anchor)
                }
            };
            if let Some(anchor) = anchor {
                anchors.insert(anchor, index);
            }
            tree.nodes.push(Written { at, kind });
            if open.is_empty() {
                tree.root = Some(index);
            }
            if let Some(flow) = opens {
                open.push(Open { index, flow });
                if open.len() + depth > NESTING_LIMIT {
                    let message = format!("yaml: nested deeper than {NESTING_LIMIT} levels");
                    return Err(YamlError::new(at, message).into());
                }
            }
        }
    }
}

/// The value of a scalar, out of the text where the text has it: plain, or behind a quote. `read` is what the
/// scanner was given, of the same length.
fn as_it_stands<'t>(text: &'t str, read: &str, at: usize, value: String) -> Cow<'t, str> {
    let spelt = [at, at + 1].into_iter().find_map(|start| {
        let range = start..start + value.len();
        read.get(range.clone()).filter(|spelt| *spelt == value).and_then(|_| text.get(range))
    });
    spelt.map_or(Cow::Owned(value), Cow::Borrowed)
}
