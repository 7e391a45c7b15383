//! JSON documents compared by place, as one tree. Decides which places of two documents are the same
//! one: members by name, elements of lists by the name that they carry, and else by position.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::sequence::{self, Run};
use super::{Kind, Sides};

/// One place of two documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'v> {
    /// JSON pointer in the candidate; in the baseline where the candidate has no such place.
    pub pointer: String,
    /// The member's name; `None` for the document and for elements of lists.
    pub name: Option<&'v str>,
    /// How many containers it stands in.
    pub depth: usize,
    /// `Same` also for two containers of a kind: what differs stands inside.
    pub kind: Kind,
    /// What stands there.
    pub values: Sides<Option<&'v Json>>,
}

impl Node<'_> {
    /// Whether places of their own stand below it.
    pub fn is_open(&self) -> bool {
        let open = |value: &Option<&Json>| match value {
            Some(Json::Object(map)) => !map.is_empty(),
            Some(Json::Array(list)) => !list.is_empty(),
            _ => false,
        };
        open(&self.values.baseline) || open(&self.values.candidate)
    }
}

/// Every place of two documents, outermost first, in the order of the candidate; what only the baseline
/// has stands where it stood. `visit` says whether to go on below a place.
pub fn walk<'v>(sides: Sides<Option<&'v Json>>, visit: &mut impl FnMut(&Node<'v>) -> bool) {
    node(String::new(), None, 0, sides, visit);
}

fn node<'v>(
    pointer: String,
    name: Option<&'v str>,
    depth: usize,
    values: Sides<Option<&'v Json>>,
    visit: &mut impl FnMut(&Node<'v>) -> bool,
) {
    let kind = match (values.baseline, values.candidate) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        (Some(Json::Object(old)), Some(Json::Object(new))) if old.is_empty() == new.is_empty() => Kind::Same,
        (Some(Json::Array(old)), Some(Json::Array(new))) if old.is_empty() == new.is_empty() => Kind::Same,
        (old, new) if old == new => Kind::Same,
        _ => Kind::Changed,
    };
    let here = Node { pointer, name, depth, kind, values };
    if !visit(&here) {
        return;
    }
    let Node { pointer, .. } = here;
    let (old, new) = (values.baseline, values.candidate);
    for (name, sides) in members(old.and_then(Json::as_object), new.and_then(Json::as_object)) {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        node(pointer, Some(name), depth + 1, sides, visit);
    }
    for (at, sides) in elements(old.and_then(Json::as_array), new.and_then(Json::as_array)) {
        node(format!("{pointer}/{at}"), None, depth + 1, sides, visit);
    }
}

/// The members of two objects, the candidate's order first.
fn members<'v>(
    old: Option<&'v Map<String, Json>>,
    new: Option<&'v Map<String, Json>>,
) -> Vec<(&'v str, Sides<Option<&'v Json>>)> {
    let both = |name: &String| Sides::new(old.and_then(|o| o.get(name)), new.and_then(|n| n.get(name)));
    let of_new = new.into_iter().flat_map(|map| map.keys());
    let of_old = old.into_iter().flat_map(|map| map.keys());
    let gone = of_old.filter(|name| new.is_none_or(|n| !n.contains_key(*name)));
    of_new.chain(gone).map(|name| (name.as_str(), both(name))).collect()
}

/// By what the elements of lists are known, in the APIs of the VMMs and of the agent.
const IDENTITIES: [&str; 7] = ["id", "drive_id", "iface_id", "tag", "mount_point", "path", "name"];

/// What makes an element of a list the same thing, and whether that is a name.
fn identity(element: &Json) -> (bool, Cow<'_, str>) {
    let named = element.as_object().and_then(|map| {
        let name = |key: &&str| map.get(*key).and_then(Json::as_str).filter(|text| !text.is_empty());
        IDENTITIES.iter().find_map(name)
    });
    match named {
        Some(name) => (true, Cow::Borrowed(name)),
        None => (false, Cow::Owned(element.to_string())),
    }
}

/// The elements of two lists, with their position in the candidate or else in the baseline: the same
/// thing beside itself, wherever it stands; the rest by position, unless it has a name.
fn elements<'v>(
    old: Option<&'v Vec<Json>>,
    new: Option<&'v Vec<Json>>,
) -> Vec<(usize, Sides<Option<&'v Json>>)> {
    let (old, new) = (old.map_or(&[][..], Vec::as_slice), new.map_or(&[][..], Vec::as_slice));
    let identities = |side: &'v [Json]| side.iter().map(identity).collect::<Vec<_>>();
    let (old_ids, new_ids) = (identities(old), identities(new));
    let mut out = Vec::with_capacity(new.len());
    for run in sequence::runs(&old_ids, &new_ids) {
        let (mut olds, news) = match run {
            Run::Same { baseline, candidate } => {
                out.extend(baseline.zip(candidate).map(|(o, n)| (n, Sides::new(old.get(o), new.get(n)))));
                continue;
            }
            Run::Differs { baseline, candidate } => (baseline.peekable(), candidate),
        };
        let nameless = |ids: &[(bool, Cow<'_, str>)], at: usize| ids.get(at).is_some_and(|id| !id.0);
        for n in news {
            let partner = if nameless(&new_ids, n) { olds.next_if(|&o| nameless(&old_ids, o)) } else { None };
            out.push((n, Sides::new(partner.and_then(|o| old.get(o)), new.get(n))));
        }
        out.extend(olds.map(|o| (o, Sides::new(old.get(o), None))));
    }
    out
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// JSON pointer.
    pub pointer: String,
    /// `Changed`, `Added` or `Removed`.
    pub kind: Kind,
    /// The values; `None` on the side where there is none.
    pub values: Sides<Option<Json>>,
}

/// Every difference; what stands on one side only is one, with all that is in it.
pub fn compare(baseline: &Json, candidate: &Json) -> Vec<Change> {
    let mut changes = Vec::new();
    walk(Sides::new(Some(baseline), Some(candidate)), &mut |node| {
        if node.kind == Kind::Same {
            return node.values.differ();
        }
        let values = node.values.map(|value| value.cloned());
        changes.push(Change { pointer: node.pointer.clone(), kind: node.kind, values });
        false
    });
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn leaves_are_named_by_pointer() {
        let changes = compare(&json!({"a": [1, 2], "b": 1}), &json!({"a": [1, 3, 4], "c/d": null}));
        let shown: Vec<_> = changes.iter().map(|c| (c.pointer.as_str(), c.kind)).collect();
        assert_eq!(
            shown,
            [("/a/1", Kind::Changed), ("/a/2", Kind::Added), ("/c~1d", Kind::Added), ("/b", Kind::Removed)]
        );
    }

    #[test]
    fn an_element_is_known_by_its_name_wherever_it_stands() {
        let old = json!([{"id": "a", "x": 1}, {"id": "b", "x": 1}]);
        let new = json!([{"id": "new"}, {"id": "a", "x": 2}, {"id": "b", "x": 1}]);
        let shown = |old, new| -> Vec<(String, Kind)> {
            compare(old, new).into_iter().map(|c| (c.pointer, c.kind)).collect()
        };
        assert_eq!(shown(&old, &new), [("/0".to_owned(), Kind::Added), ("/1/x".to_owned(), Kind::Changed)]);
        assert_eq!(shown(&new, &old), [("/0".to_owned(), Kind::Removed), ("/0/x".to_owned(), Kind::Changed)]);
    }

    #[test]
    fn every_place_of_one_side_is_visited() {
        let document = json!({"a": {"b": [1, {"c": null}]}, "d": []});
        let mut seen = Vec::new();
        walk(Sides::new(None, Some(&document)), &mut |node| {
            seen.push((node.pointer.clone(), node.depth, node.kind));
            true
        });
        let pointers: Vec<&str> = seen.iter().map(|(pointer, ..)| pointer.as_str()).collect();
        assert_eq!(pointers, ["", "/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/1/c", "/d"]);
        assert!(seen.iter().all(|(.., kind)| *kind == Kind::Added));
        assert_eq!(seen.iter().map(|(_, depth, _)| *depth).max(), Some(4));
    }
}
