//! JSON documents compared by place: every leaf that differs, by JSON pointer.

use serde_json::Value as Json;

use super::{Kind, Sides};

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

/// Every difference, in the order of the candidate, removed ones at the end of their object.
pub fn compare(baseline: &Json, candidate: &Json) -> Vec<Change> {
    let mut changes = Vec::new();
    walk("", baseline, candidate, &mut changes);
    changes
}

fn walk(pointer: &str, baseline: &Json, candidate: &Json, changes: &mut Vec<Change>) {
    match (baseline, candidate) {
        (Json::Object(old), Json::Object(new)) => {
            for (key, value) in new {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                match old.get(key) {
                    Some(before) => walk(&pointer, before, value, changes),
                    None => changes.push(change(pointer, None, Some(value))),
                }
            }
            for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                changes.push(change(pointer, Some(value), None));
            }
        }
        (Json::Array(old), Json::Array(new)) => {
            for i in 0..old.len().max(new.len()) {
                let pointer = format!("{pointer}/{i}");
                match (old.get(i), new.get(i)) {
                    (Some(before), Some(after)) => walk(&pointer, before, after, changes),
                    (before, after) => changes.push(change(pointer, before, after)),
                }
            }
        }
        (before, after) if before != after => {
            changes.push(change(pointer.to_owned(), Some(before), Some(after)));
        }
        _ => {}
    }
}

fn change(pointer: String, baseline: Option<&Json>, candidate: Option<&Json>) -> Change {
    let kind = match (baseline, candidate) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        _ => Kind::Changed,
    };
    Change { pointer, kind, values: Sides::new(baseline.cloned(), candidate.cloned()) }
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
}
