//! What a VMM says of itself, or the file that it was given, beside the document that is predicted for it.
//!
//! Decides which predicted document is meant, and compares it where Kata says something: what only the VMM adds is its
//! own default. Facts: `vm.info` of Cloud Hypervisor's API, Firecracker's configuration file.

use serde_json::Value as Json;

use super::running::{Compared, EARLIER, Verdict, is_filled, row};
use crate::answer::launch::{Cause, Launch, cause_at};

/// A document beside those of a launch; `None` where the launch has none of its kind.
pub fn of_launch(launch: &Launch, document: &Json) -> Option<Vec<Compared>> {
    let documents: Vec<_> = launch.documents().collect();
    let create = documents.iter().find(|d| d.title.1.ends_with("vm.create"));
    // Cloud Hypervisor has all devices in one document, those added later too.
    if let (Some(create), Some(config)) = (create, document.get("config")) {
        let mut rows = self::document(&create.name(), create.body, create.causes, config);
        let added = documents.iter().filter(|d| d.title.1.contains("vm.add-net"));
        for (at, net) in added.enumerate() {
            let own = config.get("net").and_then(|all| all.get(at)).cloned().unwrap_or(Json::Null);
            rows.extend(self::document(&net.name(), net.body, net.causes, &own));
        }
        return Some(rows);
    }
    let file = documents.iter().find(|d| d.title.0 == "file")?;
    document.get("boot-source")?;
    Some(self::document(&file.name(), file.body, file.causes, document))
}

/// A document that was sent or written beside what the VMM has.
fn document(of: &str, predicted: &Json, causes: &[(String, Cause)], running: &Json) -> Vec<Compared> {
    let mut rows = Vec::new();
    leaves(predicted, running, "", &mut |pointer, old, new| {
        let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cause = cause_at(causes, pointer).cloned().unwrap_or_default();
        let old_text = text(old);
        let verdict = match new {
            None if old.is_null()
                || old == &Json::Bool(false)
                || old.as_array().is_some_and(Vec::is_empty) =>
            {
                return;
            }
            None => Verdict::OnlyPredicted,
            Some(new) if new == old => Verdict::Equal,
            Some(new) if is_filled(&old_text, &text(new)) => Verdict::Made,
            Some(_) => Verdict::Different,
        };
        let probably = verdict.differs().then(|| EARLIER.to_owned());
        let side = |value: &str| Some(format!("{pointer} {value}"));
        rows.push(row(of, verdict, side(&old_text), new.and_then(|new| side(&text(new))), cause, probably));
    });
    rows
}

fn leaves(old: &Json, new: &Json, pointer: &str, visit: &mut impl FnMut(&str, &Json, Option<&Json>)) {
    let deeper = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match old {
        Json::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                leaves(value, new.get(key).unwrap_or(&Json::Null), &deeper(key), visit);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                leaves(value, new.get(at).unwrap_or(&Json::Null), &deeper(&at.to_string()), visit);
            }
        }
        _ => visit(pointer, old, Some(new).filter(|new| !new.is_null())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_compared_where_kata_says_something() {
        let old =
            serde_json::json!({ "cpus": { "boot_vcpus": 1 }, "net": [{ "mac": "{mac}" }], "off": false });
        let new = serde_json::json!({ "cpus": { "boot_vcpus": 2, "own": 1 }, "net": [{ "mac": "0a:58:00:00:00:01" }] });
        let verdicts: Vec<_> =
            document("vm.create", &old, &[], &new).into_iter().map(|row| row.verdict).collect();
        assert_eq!(verdicts, [Verdict::Different, Verdict::Made]);
    }
}
