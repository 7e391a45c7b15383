//! Trying another value in memory, and taking the trials out as YAML.

use crate::evaluate::Evaluation;
use crate::input::manifest::kinds;
use crate::runtime::Depth;
use crate::tui::model::dialog::{Dialog, Preview};
use crate::tui::model::row::Body;
use crate::tui::model::{Input, Model, Screen};

pub(super) fn start(model: &mut Model) {
    let Some(Body::Annotation(row)) = model.rows.current().map(|r| r.body.clone()) else { return };
    let value = model.selected_verdict().map_or(String::new(), |v| v.value.to_string());
    let line = model.input(value, Input::Value);
    let pods = model.together();
    model.dialogs.push(Dialog::Try { key: row.key.clone(), line, pods, preview: None });
    preview(model);
}

/// Other pods of which it is asked what a typed value would do: as many as take no time.
const ASKED: usize = 40;

/// What the typed value would do.
pub(super) fn preview(model: &mut Model) {
    let Some(Dialog::Try { key, line, pods, .. }) = model.dialogs.last() else { return };
    let (key, value, pods) = (key.clone(), line.text().to_owned(), pods.clone());
    let evaluation = would_be(model, model.pod, &key, &value);
    let mut others = [0; 3];
    let here = model.pod;
    for (number, pod) in pods.into_iter().filter(|pod| *pod != here).enumerate() {
        let asked = (number < ASKED).then(|| would_be(model, pod, &key, &value)).flatten();
        let [starts, refused, open] = &mut others;
        *match asked.map(|evaluation| evaluation.outcome.failure().is_some()) {
            Some(false) => starts,
            Some(true) => refused,
            None => open,
        } += 1;
    }
    let found = evaluation.map(|evaluation| Preview {
        verdict: evaluation.verdicts.iter().find(|v| v.key == key).cloned(),
        outcome: evaluation.outcome,
        others,
    });
    if let Some(Dialog::Try { preview, .. }) = model.dialogs.last_mut() {
        *preview = found.map(Box::new);
    }
}

/// What would become of a pod with another value.
fn would_be(model: &mut Model, pod: usize, key: &str, value: &str) -> Option<Evaluation> {
    let before = model.trials.entry(pod).or_default().insert(key.to_owned(), Some(value.to_owned()));
    let tried = model.with_trials(pod);
    put_back(model, pod, key, before);
    tried.map(|tried| model.judged(&tried, Depth::Verdicts, &model.seat.current))
}

fn put_back(model: &mut Model, pod: usize, key: &str, before: Option<Option<String>>) {
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
    let Some(Dialog::Try { key, line, pods, .. }) = model.dialogs.pop() else { return };
    let value = line.text().to_owned();
    let mut tried = 0;
    for pod in &pods {
        let own = model
            .pods
            .get(*pod)
            .and_then(|entry| entry.pod.annotations.iter().find(|a| a.key == key).map(|a| a.value.clone()));
        if own.as_deref() == Some(value.as_str()) {
            put_back(model, *pod, &key, None);
        } else {
            model.trials.entry(*pod).or_default().insert(key.clone(), Some(value.clone()));
            tried += 1;
        }
    }
    model.say(match (tried, pods.len()) {
        (0, 1) => "the pod's own value".to_owned(),
        (0, _) => "the pods' own value".to_owned(),
        (_, 1) => "tried in memory only; d drops it, x exports what is tried".to_owned(),
        (tried, _) => {
            format!("tried on {tried} pods, in memory only; d drops it, x exports what is tried")
        }
    });
    model.lists[Screen::Annotations].selected = Some(key.as_str().into());
    changed(model, &pods);
}

pub(super) fn drop_one(model: &mut Model) {
    let Some(Body::Annotation(row)) = model.rows.current().map(|r| r.body.clone()) else { return };
    let pods = model.together();
    for pod in &pods {
        put_back(model, *pod, &row.key, None);
    }
    model.say(match pods.len() {
        1 => "the pod is as its file says again",
        _ => "the marked pods are as their files say again",
    });
    changed(model, &pods);
}

fn changed(model: &mut Model, pods: &[usize]) {
    model.evaluate();
    for pod in pods {
        model.sweep.forget(*pod);
        model.saved_sweep.forget(*pod);
    }
}

/// The tried values as a patch in YAML, one document for each pod.
pub(super) fn export(model: &mut Model) {
    let text = patch(model);
    model.dialogs.push(Dialog::text("Tried values as YAML", &text).to_file("katascope-tried.yaml"));
}

fn patch(model: &Model) -> String {
    let mut out = String::new();
    for (index, trials) in &model.trials {
        let Some(entry) = model.pods.get(*index) else { continue };
        let pod = &entry.pod;
        let kind = kinds::built_in(&pod.kind);
        let path = match kind.and_then(|kind| kind.homes.first()) {
            Some(home) => home.annotations_path(),
            None if matches!(pod.kind.as_str(), "Pod" | "OCI" | "PodSandboxConfig") => {
                "metadata.annotations".to_owned()
            }
            None => "spec.template.metadata.annotations".to_owned(),
        };
        out.push_str("---\n");
        if let Some(version) = kind.and_then(|kind| kind.api_version()) {
            out.push_str(&format!("apiVersion: {version}\n"));
        }
        out.push_str(&format!(
            "kind: {}\nmetadata:\n  name: {}\n  namespace: {}\n",
            pod.kind,
            quoted(&pod.name),
            quoted(&pod.namespace)
        ));
        // The object's own metadata has begun.
        let begun = usize::from(path.starts_with("metadata."));
        let mut indent = String::new();
        for (depth, name) in path.split('.').enumerate() {
            if depth >= begun {
                out.push_str(&format!("{indent}{name}:\n"));
            }
            indent.push_str("  ");
        }
        for (key, value) in trials {
            let value = value.as_ref().map_or_else(|| "null".to_owned(), |v| quoted(v));
            out.push_str(&format!("{indent}{}: {value}\n", quoted_key(key)));
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
