//! One YAML document, as the Kubernetes clients turn it into JSON.
//!
//! Decides which plain scalars are booleans, numbers and nulls (YAML 1.1 as sigs.k8s.io/yaml 1.6 with
//! its go-yaml 2 reads it: `yes`, `on`, `010`, `1_000`), what keys become, in which order `<<` merges,
//! and when aliases are too many. The syntax itself is libyaml's. Messages are go-yaml's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use crate::input::quiet;
use base64::Engine;
use libyaml_safer::{ErrorKind, Event, EventData, Parser};

use super::NESTING_LIMIT;
use super::node::{Data, Entry, Node};

/// Why a text is not YAML, or not YAML that can become JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Byte offset, where there is one.
    pub at: Option<usize>,
    /// The client's words.
    pub message: String,
}

impl YamlError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at: Some(at), message: message.into() }
    }
}

/// A key that was written twice in one mapping; the later one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The key.
    pub key: String,
    /// Where the one that counts stands.
    pub at: usize,
}

/// What one document came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value.
    pub root: Node<'static>,
    /// Keys written twice.
    pub repeats: Vec<Repeat>,
}

/// Reads the first document of `text`; `None` where there is none (blanks and comments only).
/// Whatever follows a `...` line is passed over, as the clients do.
pub fn read(text: &str) -> Result<Option<Reading>, YamlError> {
    // The clients read line by line and so end every document with a line break.
    let mut padded = String::with_capacity(text.len() + 1);
    padded.push_str(text);
    if !text.ends_with('\n') {
        padded.push('\n');
    }
    // The scanner underneath panics on a tag that a comma follows in a flow collection, and has a few
    // more asserts that crooked tags can reach; go-yaml has one message for all of them.
    let tree = quiet::attempt(|| Tree::build(&padded)).unwrap_or_else(|| {
        let message = "yaml: did not find expected whitespace or line break";
        Err(YamlError { at: None, message: message.to_owned() })
    })?;
    let Some(root) = tree.root else { return Ok(None) };
    let mut decoder = Decoder {
        tree: &tree,
        open: Vec::new(),
        counted: 0,
        aliased: 0,
        alias_depth: 0,
        depth: 0,
        repeats: Vec::new(),
    };
    let root = decoder.node(root)?;
    Ok(Some(Reading { root, repeats: decoder.repeats }))
}

/// A node before aliases and types are resolved.
struct Written {
    at: usize,
    kind: Kind,
}

enum Kind {
    Scalar { tag: Option<String>, value: String, plain: bool },
    List(Vec<usize>),
    Map(Vec<usize>),
    Alias { anchor: String, target: usize },
}

struct Tree {
    nodes: Vec<Written>,
    root: Option<usize>,
}

impl Tree {
    fn build(text: &str) -> Result<Self, YamlError> {
        let mut bytes = text.as_bytes();
        let mut parser = Parser::new();
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
        parser.set_input(&mut bytes);
        let mut tree = Self { nodes: Vec::new(), root: None };
        let mut anchors: HashMap<String, usize> = HashMap::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let Event { data, start_mark, .. } = parser.parse().map_err(|e| syntax(&e, text))?;
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
                EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                    // A lone `!` says no more than that the looks decide.
                    let tag = tag.filter(|tag| tag != "!");
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

struct Decoder<'t> {
    tree: &'t Tree,
    /// Anchored nodes that are being expanded.
    open: Vec<usize>,
    counted: u32,
    aliased: u32,
    alias_depth: u32,
    depth: usize,
    repeats: Vec<Repeat>,
}

impl Decoder<'_> {
    fn node(&mut self, index: usize) -> Result<Node<'static>, YamlError> {
        self.count(index)?;
        let Some(written) = self.tree.nodes.get(index) else { return Ok(Node { at: 0, data: Data::Null }) };
        let at = written.at;
        let data = match &written.kind {
            Kind::Alias { anchor, target } => {
                let mut node = self.through_alias(at, anchor, *target, Self::node)?;
                node.at = at;
                return Ok(node);
            }
            Kind::Scalar { tag, value, plain } => resolve(tag.as_deref(), value, *plain)
                .and_then(Scalar::into_json)
                .map_err(|message| YamlError::new(at, message))?,
            Kind::List(children) => {
                self.enter(at)?;
                let items = children.iter().map(|child| self.node(*child)).collect::<Result<_, _>>()?;
                self.depth -= 1;
                Data::List(items)
            }
            Kind::Map(_) => {
                let mut map = Mapping::default();
                self.mapping(index, &mut map)?;
                Data::Map(map.entries)
            }
        };
        Ok(Node { at, data })
    }

    fn enter(&mut self, at: usize) -> Result<(), YamlError> {
        self.depth += 1;
        if self.depth > NESTING_LIMIT {
            return Err(YamlError::new(at, format!("yaml: nested deeper than {NESTING_LIMIT} levels")));
        }
        Ok(())
    }

    /// Every visit counts; too large a share of visits through aliases ends the reading.
    fn count(&mut self, index: usize) -> Result<(), YamlError> {
        self.counted += 1;
        if self.alias_depth > 0 {
            self.aliased += 1;
        }
        let allowed = match self.counted {
            0..=400_000 => 0.99,
            4_000_000.. => 0.10,
            count => 0.99 - 0.89 * f64::from(count - 400_000) / 3_600_000.0,
        };
        let share = f64::from(self.aliased) / f64::from(self.counted);
        if self.aliased > 100 && self.counted > 1000 && share > allowed {
            let at = self.tree.nodes.get(index).map(|n| n.at);
            return Err(YamlError { at, message: "yaml: document contains excessive aliasing".to_owned() });
        }
        Ok(())
    }

    fn through_alias<T>(
        &mut self,
        at: usize,
        anchor: &str,
        target: usize,
        read: impl FnOnce(&mut Self, usize) -> Result<T, YamlError>,
    ) -> Result<T, YamlError> {
        if self.open.contains(&target) {
            return Err(YamlError::new(at, format!("yaml: anchor '{anchor}' value contains itself")));
        }
        self.open.push(target);
        self.alias_depth += 1;
        let value = read(self, target);
        self.alias_depth -= 1;
        self.open.pop();
        value
    }

    fn mapping(&mut self, index: usize, map: &mut Mapping) -> Result<(), YamlError> {
        let Some(Written { at, kind: Kind::Map(children) }) = self.tree.nodes.get(index) else {
            return Ok(());
        };
        self.enter(*at)?;
        for pair in children.chunks(2) {
            let &[key, value] = pair else { continue };
            if self.is_merge(key) {
                self.merge(value, map)?;
                continue;
            }
            let at = self.tree.nodes.get(key).map_or(*at, |n| n.at);
            let key = self.key(key)?;
            let value = self.node(value)?;
            let text = key.into_text(&value).map_err(|message| YamlError::new(at, message))?;
            if let Some(repeat) = map.set(text, at, value) {
                self.repeats.push(repeat);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        matches!(
            self.tree.nodes.get(key).map(|n| &n.kind),
            Some(Kind::Scalar { tag, value, plain })
                if value == "<<" && (*plain || tag.as_deref() == Some("tag:yaml.org,2002:merge"))
        )
    }

    /// `<<`: takes effect where it stands, so that it replaces what stands before it.
    fn merge(&mut self, value: usize, map: &mut Mapping) -> Result<(), YamlError> {
        map.merging = true;
        match self.tree.nodes.get(value).map(|n| &n.kind) {
            Some(Kind::List(children)) => {
                // Earlier ones win, hence backwards.
                for child in children.iter().rev() {
                    self.merge_one(*child, map)?;
                }
            }
            _ => self.merge_one(value, map)?,
        }
        map.merging = false;
        Ok(())
    }

    fn merge_one(&mut self, index: usize, map: &mut Mapping) -> Result<(), YamlError> {
        self.count(index)?;
        match self.tree.nodes.get(index) {
            Some(Written { kind: Kind::Map(_), .. }) => self.mapping(index, map),
            Some(Written { at, kind: Kind::Alias { anchor, target } })
                if matches!(self.tree.nodes.get(*target), Some(Written { kind: Kind::Map(_), .. })) =>
            {
                self.through_alias(*at, anchor, *target, |decoder, target| decoder.mapping(target, map))
            }
            node => Err(YamlError {
                at: node.map(|n| n.at),
                message: "yaml: map merge requires map or sequence of maps as the value".to_owned(),
            }),
        }
    }

    fn key(&mut self, index: usize) -> Result<Scalar, YamlError> {
        let Some(written) = self.tree.nodes.get(index) else { return Ok(Scalar::Null) };
        match &written.kind {
            Kind::Scalar { tag, value, plain } => {
                self.count(index)?;
                resolve(tag.as_deref(), value, *plain).map_err(|m| YamlError::new(written.at, m))
            }
            Kind::Alias { anchor, target } => {
                self.count(index)?;
                self.through_alias(written.at, anchor, *target, Self::key)
            }
            Kind::List(_) | Kind::Map(_) => {
                let value = self.node(index)?;
                Err(YamlError::new(written.at, format!("yaml: invalid map key: {}", in_go(&value))))
            }
        }
    }
}

/// An object in the making: the last of two equal keys counts.
#[derive(Default)]
struct Mapping {
    entries: Vec<Entry<'static>>,
    index: HashMap<String, usize>,
    merging: bool,
}

impl Mapping {
    fn set(&mut self, key: String, at: usize, value: Node<'static>) -> Option<Repeat> {
        let known = self.index.get(&key).and_then(|i| self.entries.get_mut(*i));
        if let Some(entry) = known {
            entry.value = value;
            entry.at = at;
            return (!self.merging).then_some(Repeat { key, at });
        }
        self.index.insert(key.clone(), self.entries.len());
        self.entries.push(Entry { key: Cow::Owned(key), at, value });
        None
    }
}

/// A scalar with the type that YAML 1.1 gives it.
#[derive(Debug, Clone, PartialEq)]
enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
}

const STANDARD: &str = "tag:yaml.org,2002:";

/// The type of a scalar: by its tag, by its looks where it is plain.
fn resolve(tag: Option<&str>, value: &str, plain: bool) -> Result<Scalar, String> {
    let text = || Scalar::Text(value.to_owned());
    let kind = match tag {
        None if !plain => return Ok(text()),
        None => "",
        Some(tag) => match tag.strip_prefix(STANDARD) {
            Some("binary") => return binary(value),
            Some(kind @ ("str" | "bool" | "int" | "float" | "null" | "timestamp")) => kind,
            _ => return Ok(text()),
        },
    };
    if kind == "str" {
        return Ok(text());
    }
    let scalar = by_looks(value, kind);
    let found = match &scalar {
        Scalar::Null => "null",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) | Scalar::Uint(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Text(_) if is_timestamp(value) => "timestamp",
        Scalar::Text(_) => "str",
    };
    match (kind, &scalar) {
        ("", _) => Ok(scalar),
        ("float", Scalar::Int(i)) => Ok(Scalar::Float(*i as f64)),
        ("float", Scalar::Uint(u)) => Ok(Scalar::Float(*u as f64)),
        _ if kind == found => Ok(scalar),
        _ => Err(format!("yaml: cannot decode !!{found} `{value}` as a !!{kind}")),
    }
}

fn binary(value: &str) -> Result<Scalar, String> {
    let compact: String = value.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact);
    let bytes = bytes.map_err(|_| "yaml: !!binary value contains invalid base64 data".to_owned())?;
    Ok(Scalar::Text(super::text::lossy(&bytes)))
}

fn by_looks(value: &str, kind: &str) -> Scalar {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let text = || Scalar::Text(value.to_owned());
    match value.as_bytes().first() {
        Some(b'.') => match styled_float(value) {
            Some(float) => Scalar::Float(float),
            None => text(),
        },
        Some(b'+' | b'-' | b'0'..=b'9') => {
            if matches!(kind, "" | "timestamp") && is_timestamp(value) {
                // A date stays the text that it was.
                return text();
            }
            let digits = value.replace('_', "");
            if let Some(int) = integer(&digits) {
                return int;
            }
            styled_float(&digits).map_or_else(text, Scalar::Float)
        }
        _ => text(),
    }
}

/// Go's `strconv.ParseInt(s, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..)?),
        Some(b'+') => (false, text.get(1..)?),
        _ => (false, text),
    };
    let prefix = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match prefix.as_deref() {
        Some("0x") => (16, digits.get(2..)?),
        Some("0o") => (8, digits.get(2..)?),
        Some("0b") => (2, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.chars().next().is_some_and(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    match i64::try_from(value) {
        Ok(int) => Some(Scalar::Int(int)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => u64::try_from(value).ok().map(Scalar::Uint),
    }
}

/// A decimal number as go-yaml's pattern wants it: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn styled_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, Some(unsigned.get(at + 1..)?)),
        None => (unsigned, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && all_digits(e)
    });
    let fits = mantissa_fits && exponent_fits;
    fits.then(|| text.parse::<f64>().ok()).flatten().filter(|f| f.is_finite())
}

/// Whether go-yaml would take it for a date (and then keep it as it stands).
fn is_timestamp(value: &str) -> bool {
    let bytes = value.as_bytes();
    let year = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if year != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let number = |text: &str, max: u32| {
        (1..=2).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| n <= max)
    };
    let (date, time) = match value.find(['T', 't', ' ']) {
        Some(at) => (value.get(..at).unwrap_or_default(), value.get(at + 1..)),
        None => (value, None),
    };
    let mut parts = date.split('-').skip(1);
    let (Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    if !number(month, 12) || !number(day, 31) {
        return false;
    }
    let Some(time) = time else { return month.len() == 2 && day.len() == 2 };
    let clock = time.trim_end_matches(['Z', 'z']);
    let clock = clock.find(['+', '-']).and_then(|at| clock.get(..at)).unwrap_or(clock).trim_end();
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let second = second.split('.').next().unwrap_or_default();
    number(hour, 23) && number(minute, 59) && number(second, 59)
}

impl Scalar {
    fn into_json(self) -> Result<Data<'static>, String> {
        Ok(match self {
            Self::Null => Data::Null,
            Self::Bool(b) => Data::Bool(b),
            Self::Int(i) => Data::Number(i.to_string().into()),
            Self::Uint(u) => Data::Number(u.to_string().into()),
            Self::Float(f) if f.is_nan() => return Err("json: unsupported value: NaN".to_owned()),
            Self::Float(f) if f.is_infinite() => {
                let sign = if f > 0.0 { '+' } else { '-' };
                return Err(format!("json: unsupported value: {sign}Inf"));
            }
            Self::Float(f) => Data::Number(json_float(f).into()),
            Self::Text(text) => Data::String(text.into()),
        })
    }

    /// What a key becomes; `value` is for the message only.
    fn into_text(self, value: &Node<'_>) -> Result<String, String> {
        Ok(match self {
            Self::Text(text) => text,
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::Float(f) if f.is_nan() => ".nan".to_owned(),
            Self::Float(f) if f.is_infinite() => (if f > 0.0 { ".inf" } else { "-.inf" }).to_owned(),
            Self::Float(f) => key_float(f),
            Self::Null => {
                let value = in_go(value);
                return Err(format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {value}"));
            }
            Self::Uint(u) => {
                let value = in_go(value);
                return Err(format!("unsupported map key of type: uint64, key: {u:#x}, value: {value}"));
            }
        })
    }
}

/// A float as Go's encoding/json writes it.
fn json_float(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return if size < 1.0 { text } else { text.replace('e', "e+") };
    }
    format!("{float}")
}

/// A float as Go's `FormatFloat(f, 'g', -1, 32)` writes it: what a float key becomes.
fn key_float(float: f64) -> String {
    #[allow(clippy::cast_possible_truncation)]
    let short = float as f32;
    let scientific = format!("{short:e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if short != 0.0 && !(-4..6).contains(&exponent) {
        let mantissa = scientific.split('e').next().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{short}")
}

/// A value in the spelling of Go's `%#v`.
fn in_go(node: &Node<'_>) -> String {
    match &node.data {
        Data::Null => "interface {}(nil)".to_owned(),
        Data::Bool(b) => b.to_string(),
        Data::Number(text) => text.to_string(),
        Data::String(text) => format!("{text:?}"),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(in_go).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Data::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|e| (&e.key, &e.value)).collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            let mut text = "map[interface {}]interface {}{".to_owned();
            for (index, (key, value)) in entries.into_iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}{key:?}:{}", in_go(value));
            }
            text + "}"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Data<'static> {
        by_looks(text, "").into_json().unwrap_or(Data::String("unsupported".into()))
    }

    #[test]
    fn plain_scalars_follow_yaml_1_1() {
        let number = |t: &'static str| Data::Number(t.into());
        for (text, want) in [
            ("8", number("8")),
            ("010", number("8")),
            ("0o10", number("8")),
            ("0x1f", number("31")),
            ("0b11", number("3")),
            ("1_000", number("1000")),
            ("+1", number("1")),
            ("-1", number("-1")),
            ("1e3", number("1000")),
            (".5", number("0.5")),
            ("1.", number("1")),
            ("08", number("8")),
            ("12345678901234567890", number("12345678901234567890")),
            ("1e21", number("1e+21")),
            ("1e-7", number("1e-7")),
            ("yes", Data::Bool(true)),
            ("Off", Data::Bool(false)),
            ("~", Data::Null),
            (".inf", Data::String("unsupported".into())),
        ] {
            assert_eq!(value(text), want, "{text}");
        }
        for text in [
            "tRue",
            "4Gi",
            "2024-01-01",
            "12:30:45",
            "a=b",
            "-",
            "+",
            ".",
            "1e",
            "0x",
            "<<",
            "nil",
            "1.2.3",
            "-x",
        ] {
            assert_eq!(value(text), Data::String(text.into()), "{text}");
        }
    }

    #[test]
    fn keys_become_text() {
        let reading = read("yes: 1\n010: 2\n1.5: 3\n1e30: 4\n!!str no: 5\n").unwrap().unwrap();
        let keys: Vec<_> = reading.root.entries().iter().map(|e| e.key.as_ref()).collect();
        assert_eq!(keys, ["true", "8", "1.5", "1e+30", "no"]);
    }

    #[test]
    fn tags_decide_before_looks() {
        let value = |text: &str| {
            read(&format!("k: {text}\n")).map(|r| r.unwrap().root.get("k").map(|n| n.data.clone()))
        };
        let text = |t: &'static str| Ok(Some(Data::String(t.into())));
        assert_eq!(value("!!str 8"), text("8"));
        assert_eq!(value("!custom 8"), text("8"));
        assert_eq!(value("!!binary aGk="), text("hi"));
        assert_eq!(value("!!int \"8\""), Ok(Some(Data::Number("8".into()))));
        assert_eq!(value("! 8"), Ok(Some(Data::Number("8".into()))));
        assert_eq!(value("!!int x").unwrap_err().message, "yaml: cannot decode !!str `x` as a !!int");
        assert_eq!(value("!!float 8"), Ok(Some(Data::Number("8".into()))));
    }

    #[test]
    fn merges_replace_what_stands_before_them() {
        let reading = read("b: &b {x: 1, z: 2}\na:\n  x: 0\n  <<: *b\n  z: 3\n").unwrap().unwrap();
        let a = reading.root.get("a").unwrap();
        assert_eq!((a.get("x").unwrap().integer(), a.get("z").unwrap().integer()), (Some(1), Some(3)));
    }

    #[test]
    fn faults_carry_the_client_s_line() {
        let message = |text| read(text).unwrap_err().message;
        assert_eq!(message("a:\n  x: \"1\"\n   y: 2\n"), "yaml: line 2: did not find expected key");
        assert_eq!(message("a: *b\n"), "yaml: unknown anchor 'b' referenced");
        assert_eq!(message("a: &a [*a]\n"), "yaml: anchor 'a' value contains itself");
        assert_eq!(message("%YAML 1.2\n"), "yaml: found incompatible YAML document");
        assert_eq!(message("~: v\n"), "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"v\"");
        assert!(read("# nothing\n").unwrap().is_none());
    }
}
