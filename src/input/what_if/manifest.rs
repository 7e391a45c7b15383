//! A pod's object as it would be written: an annotation, limits and requests.
//!
//! Decides where in an object they stand: in each pod template of a workload, at the top of what a container runtime
//! is given. The object is changed before it is judged; places of what was there stay.

use std::borrow::Cow;

use super::{PLACE, WhatIf};
use crate::answer::Place;
use crate::input::manifest::kinds::{self, Template};
use crate::input::manifest::node::{Data, Entry, Node};
use crate::input::manifest::{Object, Pod};

/// Something about the pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodEdit {
    /// An annotation; without a value it is taken out.
    Annotation {
        /// The whole key.
        key: String,
        /// The value.
        value: Option<String>,
    },
    /// A limit or a request: of the pod as a whole where it states its own (`spec.resources`), else of each of its
    /// containers, or of the one that is named.
    Resource {
        /// A limit, or else a request.
        limits: bool,
        /// The container.
        container: Option<String>,
        /// `cpu`, `memory`, ...
        resource: String,
        /// The amount; without one it is taken out.
        value: Option<String>,
    },
}

impl WhatIf {
    /// The object as it would be written; `None` where nothing is said about it.
    pub fn amended<'a>(&self, object: &Object<'_, 'a>) -> Option<Node<'a>> {
        if !self.changes_pods() || !matches!(object.node.data, Data::Map(_)) {
            return None;
        }
        let mut changed = object.node.clone();
        let bare = object.kind.is_empty() && object.api_version.is_empty();
        if bare || object.node.text("ociVersion").is_some() {
            for (at, edit) in self.of_pods() {
                if let PodEdit::Annotation { key, value } = edit {
                    annotate(&mut changed, key, value.as_deref());
                    self.note_use(at);
                }
            }
            return Some(changed);
        }
        for template in kinds::templates(object.node, kinds::resolve(object.api_version, object.kind)) {
            for (at, edit) in self.of_pods() {
                if amend(object.node, &mut changed, &template, edit) {
                    self.note_use(at);
                }
            }
        }
        Some(changed)
    }
}

impl WhatIf {
    /// Says of a pod's annotations which of them stand in no file.
    pub fn mark(&self, pod: &mut Pod) {
        for (_, edit) in self.of_pods() {
            let PodEdit::Annotation { key, value: Some(_) } = edit else { continue };
            for annotation in pod.annotations.iter_mut().filter(|annotation| annotation.key == **key) {
                annotation.place = Place { file: PLACE.into(), line: 0, column: 0 };
            }
        }
    }
}

/// Makes the edit in the copy of a template; whether there was a place for it.
fn amend(original: &Node<'_>, copy: &mut Node<'_>, template: &Template<'_, '_>, edit: &PodEdit) -> bool {
    match edit {
        PodEdit::Annotation { key, value } => {
            let value = value.as_deref();
            match template.metadata {
                Some(metadata) => at(original, copy, metadata, &mut |node| annotate(node, key, value)),
                None => at(original, copy, template.node, &mut |node| {
                    within(node, "metadata", |metadata| annotate(metadata, key, value));
                }),
            }
        }
        PodEdit::Resource { limits, container, resource, value } => {
            let Some(spec) = template.spec else { return false };
            let list = if *limits { "limits" } else { "requests" };
            let mut found = false;
            at(original, copy, spec, &mut |spec| {
                let own = spec.get("resources").is_some() && container.is_none();
                let mut set = |node: &mut Node<'_>| {
                    within(node, "resources", |resources| {
                        within(resources, list, |amounts| put(amounts, resource, value.as_deref()));
                    });
                    found = true;
                };
                if own {
                    set(spec);
                    return;
                }
                for group in ["containers", "initContainers"] {
                    let Some(Data::List(items)) = entry_mut(spec, group).map(|entry| &mut entry.value.data)
                    else {
                        continue;
                    };
                    for item in items {
                        let wanted = match container {
                            Some(name) => item.text("name") == Some(name),
                            None => group == "containers",
                        };
                        if wanted {
                            set(item);
                        }
                    }
                }
            });
            found
        }
    }
}

fn annotate(metadata: &mut Node<'_>, key: &str, value: Option<&str>) {
    within(metadata, "annotations", |annotations| put(annotations, key, value));
}

/// Calls `change` with the part of the copy that `wanted` is in the original.
fn at<'c>(
    original: &Node<'_>,
    copy: &mut Node<'c>,
    wanted: &Node<'_>,
    change: &mut dyn FnMut(&mut Node<'c>),
) -> bool {
    // Of different types in their lifetimes, so that addresses are compared.
    if std::ptr::from_ref(original).cast::<()>() == std::ptr::from_ref(wanted).cast::<()>() {
        change(copy);
        return true;
    }
    match (&original.data, &mut copy.data) {
        (Data::Map(entries), Data::Map(copies)) => {
            entries.iter().zip(copies).any(|(entry, copy)| at(&entry.value, &mut copy.value, wanted, change))
        }
        (Data::List(items), Data::List(copies)) => {
            items.iter().zip(copies).any(|(item, copy)| at(item, copy, wanted, change))
        }
        _ => false,
    }
}

/// The last entry of that name.
fn entry_mut<'n, 'a>(node: &'n mut Node<'a>, name: &str) -> Option<&'n mut Entry<'a>> {
    match &mut node.data {
        Data::Map(entries) => entries.iter_mut().rev().find(|entry| entry.key == name),
        _ => None,
    }
}

/// Calls `change` with the object of that name, made where there is none.
fn within<'a>(node: &mut Node<'a>, name: &str, change: impl FnOnce(&mut Node<'a>)) {
    if !matches!(node.get(name).map(|node| &node.data), Some(Data::Map(_))) {
        let empty = Node { at: node.at, data: Data::Map(Vec::new()) };
        put_node(node, name, empty);
    }
    if let Some(entry) = entry_mut(node, name) {
        change(&mut entry.value);
    }
}

fn put(node: &mut Node<'_>, name: &str, value: Option<&str>) {
    match value {
        Some(value) => {
            let at = node.entry(name).map_or(node.at, |entry| entry.value.at);
            put_node(node, name, Node { at, data: Data::String(Cow::Owned(value.to_owned())) });
        }
        None => {
            if let Data::Map(entries) = &mut node.data {
                entries.retain(|entry| entry.key != name);
            }
        }
    }
}

fn put_node<'a>(node: &mut Node<'a>, name: &str, value: Node<'a>) {
    let at = node.at;
    match entry_mut(node, name) {
        Some(entry) => entry.value = value,
        None => {
            if let Data::Map(entries) = &mut node.data {
                entries.push(Entry { key: Cow::Owned(name.to_owned()), at, value });
            }
        }
    }
}
