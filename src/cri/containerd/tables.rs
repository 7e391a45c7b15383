//! Fields of containerd's tables, found and read as a release's TOML library does.
//!
//! Decides which spelling of a key counts, and what is said of a value of another type. Facts: go-toml 1.9 (1.7) and
//! 2.2 (2.x).

use std::borrow::Cow;

use super::Broken;
use super::load::{go_value, toml_type};
use super::merge;
use super::release::Release;
use crate::golang::filepath::PathPattern;
use crate::input::toml_tree::{Node, Table, Value};
use crate::input::{Place, Text};

/// One pattern of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Its text.
    pub text: String,
    /// The same, read; `None` where it is malformed and matches nothing.
    pub glob: Option<PathPattern>,
    /// Where it stands.
    pub place: Place,
    /// What is said of an annotation that it lets through.
    pub note: Text,
}

/// How a release finds a field's key: go-toml v1 tries a few spellings, v2 ignores case.
pub(super) fn find<'a>(table: &'a Table, field: &str, release: Release) -> Option<&'a Node> {
    if let Some(node) = table.get(field) {
        return Some(node);
    }
    if release.is_v1() {
        let mut first_lower = field.to_owned();
        if let Some(first) = first_lower.get_mut(0..1) {
            first.make_ascii_lowercase();
        }
        return [field.to_ascii_lowercase(), field.to_ascii_uppercase(), first_lower]
            .iter()
            .find_map(|key| table.get(key));
    }
    table.iter().find(|(key, _)| key.eq_ignore_ascii_case(field)).map(|(_, node)| node)
}

/// A table under `field`. go-toml v2 decodes every spelling of the key into the same struct, in the order
/// of the bytes.
pub(super) fn subtable<'a>(table: &'a Table, field: &str, release: Release) -> Option<Cow<'a, Node>> {
    let first = find(table, field, release)?;
    let mut spelt: Vec<&String> = table.keys().filter(|key| key.eq_ignore_ascii_case(field)).collect();
    if release.is_v1() || spelt.len() < 2 {
        return Some(Cow::Borrowed(first));
    }
    spelt.sort();
    let mut all = Table::new();
    for tables in spelt.into_iter().filter_map(|key| table.get(key)?.table()) {
        merge::deep(&mut all, tables.clone());
    }
    Some(Cow::Owned(Node { place: first.place.clone(), value: Value::Table(all) }))
}

/// Decodes the fields of one table.
pub(super) struct Reader<'a> {
    pub(super) table: &'a Table,
    pub(super) release: Release,
    pub(super) go_struct: &'static str,
}

impl Reader<'_> {
    pub(super) fn mismatch(&self, node: &Node, go_field: &str, go_type: &str, go_type_v1: &str) -> Broken {
        let message = if self.release.is_v1() {
            format!(
                "({}, {}): Can't convert {} to {go_type_v1}",
                node.place.line,
                node.place.column,
                go_value(&node.value)
            )
        } else {
            format!(
                "toml: cannot decode TOML {} into struct field {}.{go_field} of type {go_type}",
                toml_type(&node.value),
                self.go_struct
            )
        };
        Broken::new(message).at(&node.place)
    }

    pub(super) fn string(&self, field: &str, go_field: &str) -> Result<Option<String>, Broken> {
        match find(self.table, field, self.release) {
            None => Ok(None),
            Some(node) => match node.str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(self.mismatch(node, go_field, "string", "string")),
            },
        }
    }

    pub(super) fn boolean(&self, field: &str, go_field: &str) -> Result<bool, Broken> {
        match find(self.table, field, self.release).map(|n| (n, &n.value)) {
            None => Ok(false),
            Some((_, Value::Boolean(yes))) => Ok(*yes),
            Some((node, _)) => Err(self.mismatch(node, go_field, "bool", "bool")),
        }
    }

    pub(super) fn list(&self, field: &str, go_field: &str) -> Result<(Vec<Pattern>, Option<Place>), Broken> {
        let Some(node) = find(self.table, field, self.release) else { return Ok((Vec::new(), None)) };
        let Value::Array(items) = &node.value else {
            return Err(self.mismatch(node, go_field, "[]string", "[]string(slice)"));
        };
        let patterns: Result<Vec<Pattern>, Broken> = items
            .iter()
            .map(|item| match item.str() {
                Some(text) => Ok(Pattern {
                    text: text.to_owned(),
                    glob: PathPattern::new(text).ok(),
                    place: item.place.clone(),
                    note: Text::default(),
                }),
                None => {
                    // go-toml v1 names the place of the list.
                    let at = Node { place: node.place.clone(), value: item.value.clone() };
                    Err(self.mismatch(&at, go_field, "[]string", "string"))
                }
            })
            .collect();
        Ok((patterns?, Some(node.place.clone())))
    }
}
