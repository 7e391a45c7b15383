//! Whether opening a gate would help, and what the pod's author has to mend first where it would not.
//!
//! Decides by evaluating the annotation alone with the gate open: a name that nothing reads and a value that
//! cannot pass are told before their gate is opened.

use serde_json::Value as Json;

use super::super::{Evaluation, Evaluator, typos};
use crate::answer::verdict::{Fix, ListId, Status};
use crate::input::Text;
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::runtime::Depth;

/// What the pod's author has to mend first where opening the gate would be in vain: the fix of the verdict that
/// the annotation gets once every gate lets it through.
pub(super) fn behind_the_gate(
    evaluator: &Evaluator,
    pod: &Pod,
    evaluation: &Evaluation,
    at: usize,
) -> Option<(String, Fix)> {
    let verdict = evaluation.verdicts.get(at)?;
    let mut alone = pod.clone();
    let own = alone.annotations.iter().find(|a| a.key == verdict.key)?.clone();
    alone.annotations = vec![own];
    let mut open = evaluator.clone();
    let mut fix = verdict.fix.clone();
    // The name gate, then the value gate.
    for _ in 0..3 {
        match fix.as_deref() {
            Some(Fix::Allow { list, pattern }) => open = with_entry(&open, list, pattern)?,
            Some(other) => return Some((verdict.key.to_string(), other.clone())),
            None => return None,
        }
        let after = open.walk(&alone, Depth::Verdicts);
        let judged = after.verdicts.into_iter().next()?;
        match judged.status {
            Status::Applied | Status::Overridden | Status::Dropped => return None,
            Status::Unknown | Status::Ignored
                if !matches!(judged.fix.as_deref(), Some(Fix::Allow { .. })) =>
            {
                let reason = judged.reason().into_owned();
                let fix = judged.fix.map_or_else(|| leave_out(&reason, &verdict.key, evaluator), |fix| *fix);
                return Some((verdict.key.to_string(), fix));
            }
            _ => {
                fix = judged.fix.clone().or_else(|| {
                    let value = other_syntax(&judged.value).into_iter().find(|value| {
                        let mut mended = alone.clone();
                        mended.annotations.iter_mut().for_each(|a| a.value = Text::copy(value));
                        let after = open.walk(&mended, Depth::Verdicts);
                        after
                            .verdicts
                            .iter()
                            .all(|v| matches!(v.status, Status::Applied | Status::Overridden))
                    });
                    let fix = value
                        .map_or_else(|| leave_out(&judged.reason(), &verdict.key, evaluator), Fix::Value);
                    Some(Box::new(fix))
                });
            }
        }
    }
    None
}

fn leave_out(reason: &str, key: &str, evaluator: &Evaluator) -> Fix {
    if let Some(meant) = typos::meant(key, evaluator.setup().release) {
        return Fix::Advice(format!("write {meant}").into());
    }
    Fix::Advice(format!("leave it out or correct it, whatever the policy is: {reason}").into())
}

/// The same setup with one more entry in a list.
pub(super) fn with_entry(evaluator: &Evaluator, list: &ListId, pattern: &str) -> Option<Evaluator> {
    evaluator.tried_with(&format!("{list} + {pattern}"), |layers| entry_added(layers, list, pattern))
}

/// The same layers with one more entry in a list; `None`: it cannot be put there.
pub(in crate::evaluate) fn entry_added(layers: &Layers, list: &ListId, pattern: &str) -> Option<Layers> {
    let quoted = toml_edit::Value::from(pattern).to_string();
    let value = match layers.written(&list.table, &list.list) {
        Some(written) => {
            let inner = written.text.trim().strip_suffix(']')?.trim_end();
            let comma = if inner.ends_with(['[', ',']) { "" } else { "," };
            // A comment behind the last entry ends with its line.
            format!("{inner}\n{comma} {quoted}]")
        }
        None => format!("[{quoted}]"),
    };
    layers.with_key(&list.table, &list.list, &value)
}

/// The same value in the syntax of the other runtime, and the usual slips mended.
pub(super) fn other_syntax(value: &str) -> Vec<String> {
    let trimmed = value.trim();
    let mut found = vec![trimmed.to_owned(), trimmed.to_lowercase()];
    match trimmed.to_lowercase().as_str() {
        "yes" | "on" | "1" | "t" | "enabled" => found.push("true".into()),
        "no" | "off" | "0" | "f" | "disabled" => found.push("false".into()),
        _ => {}
    }
    let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if let Ok(number) = digits.trim().parse::<u64>() {
        let unit = trimmed.get(digits.len()..).unwrap_or_default().to_lowercase();
        let mib = match unit.as_str() {
            "g" | "gi" | "gb" | "gib" => number.checked_mul(1024),
            "m" | "mi" | "mb" | "mib" => Some(number),
            "k" | "ki" | "kb" | "kib" => Some(number / 1024),
            _ => None,
        };
        found.extend(mib.map(|mib| mib.to_string()));
    }
    if trimmed.starts_with('-') {
        let words: Vec<String> = trimmed.split(',').map(|word| Json::from(word.trim()).to_string()).collect();
        found.push(format!("[{}]", words.join(", ")));
    }
    found.retain(|other| other != value);
    found
}
