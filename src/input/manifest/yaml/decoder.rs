//! From the tree of what is written to a value: aliases followed, `<<` merged, keys made text.
//!
//! Decides what keys become, in which order `<<` merges, which of two equal keys counts, and when aliases are
//! too many. Facts: the decoder of go-yaml 2 as sigs.k8s.io/yaml 1.6 carries it; messages are its own.

use std::borrow::Cow;
use std::collections::HashMap;

use super::scalar::{Scalar, in_go, resolve};
use super::tree::{Kind, Tree, Written};
use super::{Repeat, YamlError};
use crate::input::manifest::NESTING_LIMIT;
use crate::input::manifest::node::{Data, Entry, Node};

pub(super) struct Decoder<'d, 't> {
    tree: &'d Tree<'t>,
    /// The list whose items are read and not kept.
    let_go: Option<usize>,
    /// Read once already: there are not too many aliases.
    proven: bool,
    /// Anchored nodes that are being expanded.
    open: Vec<usize>,
    counted: u32,
    aliased: u32,
    alias_depth: u32,
    depth: usize,
    pub(super) repeats: Vec<Repeat>,
    /// The first key that no JSON object can have.
    pub(super) bad_key: Option<YamlError>,
    /// Where numbers stand that JSON has no word for, and the words for that.
    pub(super) beyond_json: HashMap<usize, String>,
}

impl<'d, 't> Decoder<'d, 't> {
    pub(super) fn new(tree: &'d Tree<'t>) -> Self {
        Self {
            tree,
            let_go: None,
            proven: false,
            open: Vec::new(),
            counted: 0,
            aliased: 0,
            alias_depth: 0,
            depth: 0,
            repeats: Vec::new(),
            bad_key: None,
            beyond_json: HashMap::new(),
        }
    }

    /// One that reads the items of this list and does not keep them.
    pub(super) fn letting_go(tree: &'d Tree<'t>, list: usize) -> Self {
        Self { let_go: Some(list), ..Self::new(tree) }
    }

    /// One for a text that was read once already.
    pub(super) fn of_proven(tree: &'d Tree<'t>) -> Self {
        Self { proven: true, ..Self::new(tree) }
    }

    pub(super) fn node(&mut self, index: usize) -> Result<Node<'t>, YamlError> {
        self.count(index)?;
        let Some(written) = self.tree.node(index) else { return Ok(Node { at: 0, data: Data::Null }) };
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
            Kind::Scalar { value, plain } => {
                let tag = self.tree.tag(index);
                let scalar = resolve(tag, value, *plain).map_err(|m| YamlError::new(at, m))?;
                scalar.into_json().unwrap_or_else(|message| {
                    self.beyond_json.insert(at, message);
                    Data::Null
                })
            }
            Kind::List { .. } => {
                self.enter(at)?;
                let mut items = Vec::new();
                for child in self.tree.children(index) {
                    let item = self.node(child)?;
                    if self.let_go != Some(index) {
                        items.push(item);
                    }
                }
                self.depth -= 1;
                Data::List(items)
            }
            Kind::Map { .. } => {
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
        if self.proven {
            return Ok(());
        }
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
            let at = self.tree.node(index).map(|n| n.at);
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

    fn mapping(&mut self, index: usize, map: &mut Mapping<'t>) -> Result<(), YamlError> {
        let Some(Written { at, kind: Kind::Map { .. } }) = self.tree.node(index) else {
            return Ok(());
        };
        self.enter(*at)?;
        let mut children = self.tree.children(index);
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if self.is_merge(key) {
                self.merge(value, map)?;
                continue;
            }
            let at = self.tree.node(key).map_or(*at, |n| n.at);
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
            self.tree.node(key).map(|n| &n.kind),
            Some(Kind::Scalar { value, plain })
                if value == "<<" && (*plain || self.tree.tag(key) == Some("tag:yaml.org,2002:merge"))
        )
    }

    /// `<<`: takes effect where it stands, so that it replaces what stands before it.
    fn merge(&mut self, value: usize, map: &mut Mapping<'t>) -> Result<(), YamlError> {
        map.merging = true;
        match self.tree.node(value).map(|n| &n.kind) {
            Some(Kind::List { .. }) => {
                // Earlier ones win, hence backwards.
                let children: Vec<usize> = self.tree.children(value).collect();
                for child in children.into_iter().rev() {
                    self.merge_one(child, map)?;
                }
            }
            _ => self.merge_one(value, map)?,
        }
        map.merging = false;
        Ok(())
    }

    fn merge_one(&mut self, index: usize, map: &mut Mapping<'t>) -> Result<(), YamlError> {
        self.count(index)?;
        match self.tree.node(index) {
            Some(Written { kind: Kind::Map { .. }, .. }) => self.mapping(index, map),
            Some(Written { at, kind: Kind::Alias { anchor, target } })
                if matches!(self.tree.node(*target), Some(Written { kind: Kind::Map { .. }, .. })) =>
            {
                self.through_alias(*at, anchor, *target, |decoder, target| decoder.mapping(target, map))
            }
            node => Err(YamlError {
                at: node.map(|n| n.at),
                message: "yaml: map merge requires map or sequence of maps as the value".to_owned(),
            }),
        }
    }

    fn key(&mut self, index: usize) -> Result<Scalar<'t>, YamlError> {
        let Some(written) = self.tree.node(index) else { return Ok(Scalar::Null) };
        match &written.kind {
            Kind::Scalar { value, plain } => {
                self.count(index)?;
                resolve(self.tree.tag(index), value, *plain).map_err(|m| YamlError::new(written.at, m))
            }
            Kind::Alias { anchor, target } => {
                self.count(index)?;
                self.through_alias(written.at, anchor, *target, Self::key)
            }
            Kind::List { .. } | Kind::Map { .. } => {
                let value = self.node(index)?;
                Err(YamlError::new(written.at, format!("yaml: invalid map key: {}", in_go(&value))))
            }
        }
    }
}

/// An object in the making: the last of two equal keys counts.
#[derive(Default)]
struct Mapping<'t> {
    entries: Vec<Entry<'t>>,
    /// Where the keys are, once there are more than a few.
    index: HashMap<Cow<'t, str>, usize>,
    merging: bool,
}

/// So many keys are found by looking at each.
const FEW: usize = 16;

impl<'t> Mapping<'t> {
    fn position(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|entry| entry.key == key);
        }
        self.index.get(key).copied()
    }

    fn set(&mut self, key: Cow<'t, str>, at: usize, value: Node<'t>) -> Option<Repeat> {
        let known = self.position(&key).and_then(|i| self.entries.get_mut(i));
        if let Some(entry) = known {
            entry.value = value;
            entry.at = at;
            return (!self.merging).then(|| Repeat { key: key.into_owned(), at });
        }
        self.entries.push(Entry { key, at, value });
        match self.entries.len() {
            ..=FEW => {}
            count => {
                let new = if count == FEW + 1 { 0 } else { count - 1 };
                let keys = self.entries.iter().enumerate().skip(new);
                self.index.extend(keys.map(|(place, entry)| (entry.key.clone(), place)));
            }
        }
        None
    }
}
