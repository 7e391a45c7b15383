//! Trying another value in memory, and taking the trials out as YAML.

use crate::runtime::Depth;
use crate::tui::model::dialog::{Dialog, Preview};
use crate::tui::model::rows::Body;
use crate::tui::model::{Input, Model, Screen};

pub(super) fn start(model: &mut Model) {
    let Some(Body::Annotation(row)) = model.rows.current().map(|r| r.body.clone()) else { return };
    let value = model.selected_verdict().map_or(String::new(), |v| v.value.to_string());
    let line = model.input(value, Input::Value);
    model.dialogs.push(Dialog::Try { key: row.key, line, preview: None });
    preview(model);
}

/// What the typed value would do.
pub(super) fn preview(model: &mut Model) {
    let Some(Dialog::Try { key, line, .. }) = model.dialogs.last() else { return };
    let (key, value) = (key.clone(), line.text().to_owned());
    let before = model.trials.entry(model.pod).or_default().insert(key.clone(), Some(value));
    let evaluation =
        model.with_trials(model.pod).map(|pod| model.seat.current.evaluate(&pod, Depth::Verdicts));
    put_back(model, &key, before);
    let found = evaluation.map(|evaluation| Preview {
        verdict: evaluation.verdicts.iter().find(|v| v.key == key).cloned(),
        outcome: evaluation.outcome,
    });
    if let Some(Dialog::Try { preview, .. }) = model.dialogs.last_mut() {
        *preview = found.map(Box::new);
    }
}

fn put_back(model: &mut Model, key: &str, before: Option<Option<String>>) {
    let pod = model.pod;
    let trials = model.trials.entry(pod).or_default();
    match before {
        Some(before) => trials.insert(key.to_owned(), before),
        None => trials.remove(key),
    };
    if trials.is_empty() {
        model.trials.remove(&pod);
    }
}

pub(super) fn accept(model: &mut Model) {
    let Some(Dialog::Try { key, line, .. }) = model.dialogs.pop() else { return };
    let value = line.text().to_owned();
    let own = model
        .pods
        .get(model.pod)
        .and_then(|e| e.pod.annotations.iter().find(|a| a.key == key).map(|a| a.value.clone()));
    if own.as_deref() == Some(value.as_str()) {
        put_back(model, &key, None);
        model.say("the pod's own value");
    } else {
        model.trials.entry(model.pod).or_default().insert(key.clone(), Some(value));
        model.say("tried in memory only; d drops it, x exports what is tried");
    }
    model.lists[Screen::Annotations].selected = Some(key.as_str().into());
    changed(model);
}

pub(super) fn drop_one(model: &mut Model) {
    let Some(Body::Annotation(row)) = model.rows.current().map(|r| r.body.clone()) else { return };
    put_back(model, &row.key, None);
    model.say("the pod is as its file says again");
    changed(model);
}

fn changed(model: &mut Model) {
    model.evaluate();
    model.sweep.forget(model.pod);
    model.saved_sweep.forget(model.pod);
}

/// The tried values as a patch in YAML, one document for each pod.
pub(super) fn export(model: &mut Model) {
    let text = patch(model);
    model.dialogs.push(Dialog::text("Tried values as YAML: y copies", &text));
}

fn patch(model: &Model) -> String {
    let mut out = String::new();
    for (index, trials) in &model.trials {
        let Some(entry) = model.pods.get(*index) else { continue };
        let pod = &entry.pod;
        out.push_str("---\n");
        let template = !matches!(pod.kind.as_str(), "Pod" | "OCI" | "PodSandboxConfig");
        let (indent, head) =
            if template { ("      ", "spec:\n  template:\n    metadata:\n") } else { ("  ", "") };
        out.push_str(&format!(
            "kind: {}\nmetadata:\n  name: {}\n  namespace: {}\n",
            pod.kind,
            quoted(&pod.name),
            quoted(&pod.namespace)
        ));
        out.push_str(head);
        out.push_str(&format!("{indent}annotations:\n"));
        for (key, value) in trials {
            let value = value.as_ref().map_or_else(|| "null".to_owned(), |v| quoted(v));
            out.push_str(&format!("{indent}  {}: {value}\n", quoted_key(key)));
        }
    }
    out
}

/// A YAML double-quoted scalar is a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn quoted_key(key: &str) -> String {
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_' | b'-'));
    if plain && !key.is_empty() { key.to_owned() } else { quoted(key) }
}
