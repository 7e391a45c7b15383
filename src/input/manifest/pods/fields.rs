//! Fields that every form of a pod has: its annotations, its labels, and where it is written.
//!
//! Decides how a value becomes the text that Kubernetes stores.

use std::collections::BTreeMap;

use crate::input::manifest::document::{Object, Places};
use crate::input::manifest::node::{Data, Node};
use crate::input::manifest::{PodAnnotation, PodSource};
use crate::input::{Annotations, Text};

/// A string map as Kubernetes stores it, in the order of the text.
pub(in crate::input::manifest) fn annotations(
    map: Option<&Node<'_>>,
    places: Places<'_>,
) -> Vec<PodAnnotation> {
    let entries = map.map(Node::entries).unwrap_or_default();
    let (mut found, mut position) = (Vec::<PodAnnotation>::with_capacity(entries.len()), BTreeMap::new());
    for entry in entries {
        let annotation = PodAnnotation {
            key: Text::copy(&entry.key),
            value: value_of(&entry.value),
            place: places.of(entry.at),
        };
        // Of a key that is written twice the last value counts, in the place of the first.
        let at = *position.entry(entry.key.as_ref()).or_insert(found.len());
        match found.get_mut(at) {
            Some(earlier) => *earlier = annotation,
            None => found.push(annotation),
        }
    }
    found
}

/// The value of an annotation or a label.
fn value_of(node: &Node<'_>) -> Text {
    match &node.data {
        Data::Number(text) | Data::String(text) => Text::copy(text),
        _ => text_of(node).into(),
    }
}

/// The text of a value: as Kubernetes stores it for strings and nulls, as JSON for what it refuses.
pub(super) fn text_of(node: &Node<'_>) -> String {
    match &node.data {
        Data::Null => String::new(),
        Data::Bool(b) => b.to_string(),
        Data::Number(text) | Data::String(text) => text.to_string(),
        Data::List(items) => format!("[{}]", items.iter().map(text_of).collect::<Vec<_>>().join(", ")),
        Data::Map(entries) => {
            let inner: Vec<_> = entries.iter().map(|e| format!("{}: {}", e.key, text_of(&e.value))).collect();
            format!("{{{}}}", inner.join(", "))
        }
    }
}

pub(super) fn labels(map: Option<&Node<'_>>) -> Annotations {
    let entries = map.map(Node::entries).unwrap_or_default();
    entries.iter().map(|e| (Text::copy(&e.key), value_of(&e.value))).collect()
}

pub(super) fn source(object: &Object<'_, '_>) -> PodSource {
    PodSource {
        file: object.places.file().to_string(),
        document: object.document,
        line: object.places.of(object.node.at).line,
    }
}

pub(super) fn is_true(node: Option<&Node<'_>>, key: &str) -> bool {
    node.and_then(|node| node.get(key)).is_some_and(|value| matches!(value.data, Data::Bool(true)))
}
