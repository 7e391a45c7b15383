//! The gates' patterns against what Go's and Rust's own functions answered (`tests/vectors/patterns-*.json`).

use katascope::golang::filepath::path_match;
use katascope::golang::regexp::GoRegex;
use katascope::policy::names::NameGate;
use katascope::release::{Release, Runtime};
use serde_json::Value;

fn vectors(file: &str, group: &str) -> Vec<(Value, String, Value)> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rows = all[group].as_array().unwrap();
    assert!(rows.len() > 100, "{group} is all there");
    rows.iter().map(|row| (row[0].clone(), row[1].as_str().unwrap().to_owned(), row[2].clone())).collect()
}

fn patterns(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|p| p.as_str().unwrap().to_owned()).collect()
}

fn hold(group: &str, differing: Vec<String>) {
    assert!(differing.is_empty(), "{group}: {} differ\n{}", differing.len(), differing.join("\n"));
}

fn answer<E>(result: Result<bool, E>) -> Value {
    result.map_or_else(|_| "error".into(), Value::from)
}

#[test]
fn go_path_match() {
    let differs = |(pattern, name, expected): (Value, String, Value)| {
        let got = answer(path_match(pattern.as_str().unwrap(), &name));
        (got != expected).then(|| format!("{pattern} {name:?}: {got}, not {expected}"))
    };
    hold("path.Match", vectors("patterns-go.json", "match").into_iter().filter_map(differs).collect());
}

#[test]
fn go_regexp() {
    // Rows of one pattern follow each other.
    let mut compiled = (Value::Null, None);
    let differs = |(pattern, name, expected): (Value, String, Value)| {
        if compiled.0 != pattern {
            compiled = (pattern.clone(), GoRegex::new(pattern.as_str().unwrap()).ok());
        }
        let got = answer(compiled.1.as_ref().map(|r| r.is_match(&name)).ok_or(()));
        (got != expected).then(|| format!("{pattern} {name:?}: {got}, not {expected}"))
    };
    hold(
        "regexp.MatchString",
        vectors("patterns-go.json", "regexp").into_iter().filter_map(differs).collect(),
    );
}

#[test]
fn go_lists() {
    let differs = |(list, name, expected): (Value, String, Value)| {
        let got = Value::from(
            NameGate::new(Release::newest(Runtime::Go), &patterns(&list)).allows(&name).is_some(),
        );
        (got != expected).then(|| format!("{list} {name:?}: {got}, not {expected}"))
    };
    hold(
        "enable_annotations",
        vectors("patterns-go.json", "enable").into_iter().filter_map(differs).collect(),
    );
}

#[test]
fn rust_globs() {
    let differs = |(pattern, name, expected): (Value, String, Value)| {
        let got = answer(glob::Pattern::new(pattern.as_str().unwrap()).map(|p| p.matches(&name)));
        (got != expected).then(|| format!("{pattern} {name:?}: {got}, not {expected}"))
    };
    hold("glob", vectors("patterns-rs.json", "glob").into_iter().filter_map(differs).collect());
}

#[test]
fn rust_sets() {
    // Rows of one list follow each other; the largest sets take long to compile.
    let mut compiled: Option<(Value, NameGate)> = None;
    let differs = |(list, name, expected): (Value, String, Value)| {
        let gate = match compiled.take() {
            Some((known, gate)) if known == list => gate,
            _ => NameGate::new(Release::newest(Runtime::Rs), &patterns(&list)),
        };
        let got = gate.allows(&name).is_some();
        // Some recordings tell an invalid set from one that does not match, some do not.
        let same = if expected == "error" { gate.disabled() } else { expected == got };
        compiled = Some((list.clone(), gate));
        (!same).then(|| format!("{list} {name:?}: {got}, not {expected}"))
    };
    hold("RegexSet", vectors("patterns-rs.json", "set").into_iter().filter_map(differs).collect());
}
