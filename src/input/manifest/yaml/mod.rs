//! One YAML document, as the Kubernetes clients turn it into JSON.
//!
//! Decides what keys become, in which order `<<` merges, which of two equal keys counts, and when aliases
//! are too many; what a scalar is: `scalar`; the syntax: `tree`. Facts: the decoder of go-yaml 2 as
//! sigs.k8s.io/yaml 1.6 carries it; messages are its own.

mod scalar;
mod tree;

use std::borrow::Cow;
use std::collections::HashMap;

use super::NESTING_LIMIT;
use super::node::{Data, Entry, Node};
use crate::input::quiet;
use scalar::{Scalar, in_go, resolve};
use tree::{Kind, Tree, Written};

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
        bad_key: None,
        beyond_json: HashMap::new(),
    };
    let root = decoder.node(root)?;
    // Only a whole value is turned into JSON: its keys first, and what became of it is written last.
    match decoder.bad_key.or_else(|| beyond_json(&root, &decoder.beyond_json)) {
        Some(error) => Err(error),
        None => Ok(Some(Reading { root, repeats: decoder.repeats })),
    }
}

/// The first number of a finished value that JSON has no word for; one that a repeated key replaced is gone.
fn beyond_json(node: &Node<'_>, numbers: &HashMap<usize, String>) -> Option<YamlError> {
    if numbers.is_empty() {
        return None;
    }
    match &node.data {
        Data::Null => numbers.get(&node.at).map(|message| YamlError::new(node.at, message.as_str())),
        Data::List(items) => items.iter().find_map(|item| beyond_json(item, numbers)),
        Data::Map(entries) => entries.iter().find_map(|entry| beyond_json(&entry.value, numbers)),
        _ => None,
    }
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
    /// The first key that no JSON object can have.
    bad_key: Option<YamlError>,
    /// Where numbers stand that JSON has no word for, and the words for that.
    beyond_json: HashMap<usize, String>,
}

impl Decoder<'_> {
    fn node(&mut self, index: usize) -> Result<Node<'static>, YamlError> {
        self.count(index)?;
        let Some(written) = self.tree.nodes.get(index) else { return Ok(Node { at: 0, data: Data::Null }) };
        let at = written.at;
        let data = match &written.kind {
            Kind::Alias { anchor, target } => {
                let mut node = self.through_alias(at, anchor, *target, Self::node)?;
                if let Some(message) = self.beyond_json.get(&node.at).cloned() {
                    self.beyond_json.insert(at, message);
                }
                node.at = at;
                return Ok(node);
            }
            Kind::Scalar { tag, value, plain } => {
                let scalar = resolve(tag.as_deref(), value, *plain).map_err(|m| YamlError::new(at, m))?;
                scalar.into_json().unwrap_or_else(|message| {
                    self.beyond_json.insert(at, message);
                    Data::Null
                })
            }
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
            let text = match key.into_text(&value) {
                Ok(text) => text,
                Err(message) => {
                    self.bad_key.get_or_insert_with(|| YamlError::new(at, message));
                    continue;
                }
            };
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
#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(value("! 8"), text("8"));
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
        assert_eq!(message("a: 1\nb: \"x\n  \\/\"\n"), "yaml: line 3: found unknown escape character");
        assert!(read("b: \"x\\\\/\"\n").is_ok());
    }

    #[test]
    fn faults_come_in_the_order_of_the_steps() {
        let message = |text| read(text).unwrap_err().message;
        assert_eq!(message("~: .nan\nb: !!int x\n"), "yaml: cannot decode !!str `x` as a !!int");
        let key = "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"x\"";
        assert_eq!(message("a: .nan\n? ~\n: x\n"), key);
        assert_eq!(message("a: &n .nan\n"), "json: unsupported value: NaN");
        assert!(read("a: .nan\na: x\n").is_ok());
    }
}
