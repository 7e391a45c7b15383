//! A pod's Kata annotations as a manifest has them: those that take effect, ready to be pasted, and the others
//! commented out with what became of them.

use std::fmt::Write;

use super::escape::visible;
use crate::answer::verdict::Status;
use crate::evaluate::Evaluation;

/// The block below `metadata`.
pub fn annotations(evaluation: &Evaluation) -> String {
    if evaluation.verdicts.is_empty() {
        return "metadata:\n  annotations: {}\n".to_owned();
    }
    let mut out = String::from("metadata:\n  annotations:");
    if !evaluation.verdicts.iter().any(|verdict| takes_effect(verdict.status)) {
        out.push_str(" {}");
    }
    out.push('\n');
    for verdict in &evaluation.verdicts {
        let entry = format!("{}: {}", quoted(&verdict.key), quoted(&verdict.value));
        if takes_effect(verdict.status) {
            let _ = writeln!(out, "    {entry}");
            continue;
        }
        let _ = writeln!(out, "    # {}: {}", verdict.status.as_str(), visible(&verdict.reason()));
        if let Some(fix) = &verdict.fix {
            let _ = writeln!(out, "    # fix: {}", visible(&fix.to_string()));
        }
        let _ = writeln!(out, "    # {entry}");
    }
    out
}

fn takes_effect(status: Status) -> bool {
    matches!(status, Status::Applied | Status::Overridden)
}

/// A text on one line, whatever is in it.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.contains('/') && text.bytes().all(plain) {
        return text.to_owned();
    }
    if text.starts_with("io.katacontainers.") && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) > 0xffff => drop(write!(out, "\\U{:08X}", u32::from(c))),
            c => drop(write!(out, "\\u{:04X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::manifest;
    use crate::runtime::Depth;
    use crate::sample;

    #[test]
    fn what_takes_effect_stays_and_the_rest_is_commented_out() {
        let evaluator = sample::evaluator();
        for pod in manifest::read(&sample::pods()).unwrap().pods {
            let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
            let text = annotations(&evaluation);
            let read: serde_json::Value = serde_yaml::from_str(&text).unwrap();
            let kept = read["metadata"]["annotations"].as_object().unwrap();
            for verdict in &evaluation.verdicts {
                let value = kept.get(&*verdict.key).and_then(|value| value.as_str());
                assert_eq!(value.is_some(), takes_effect(verdict.status), "{text}");
                assert!(value.is_none_or(|value| *value == *verdict.value));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn every_text_reads_back(text in ".{0,12}") {
            let read: serde_json::Value = serde_yaml::from_str(&format!("a: {}", quoted(&text))).unwrap();
            proptest::prop_assert_eq!(&read["a"], &serde_json::Value::from(text));
        }
    }
}
