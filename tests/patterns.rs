//! The gates' patterns against what Go's and Rust's own functions answered (`tests/vectors/patterns-*.json`).

use std::sync::Arc;

use katascope::golang::filepath::path_match;
use katascope::golang::regexp::GoRegex;
use katascope::input::Host;
use katascope::input::host::{HostFacts, MemoryFiles};
use katascope::policy::names::NameGate;
use katascope::policy::values::ValueGate;
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

fn gate(release: Release, list: &[&str]) -> NameGate {
    NameGate::new(release, &list.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>())
}

#[test]
fn entries_are_searched_anywhere_in_a_name() {
    for release in Release::STOPS {
        let gate = gate(release, &["^image$", "path"]);
        let allowed = ["jailer_path", "image", "image_hash"].map(|name| gate.allows(name));
        assert_eq!(allowed, [Some(1), Some(0), None], "{release:?}");
    }
}

#[test]
fn one_invalid_entry_disables_the_set_only() {
    let list = ["path", "virtio_fs_(?!x)"];
    for (runtime, allowed) in [(Runtime::Rs, None), (Runtime::Go, Some(0))] {
        let gate = gate(Release::newest(runtime), &list);
        assert_eq!((gate.allows("path"), gate.disabled()), (allowed, allowed.is_none()));
        assert_eq!(gate.invalid().map(|(i, _)| i).collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn a_star_that_reaches_over_a_folder_is_told() {
    let list = ["/opt/*/qemu", "/opt/**/q*", "/opt[/-]*/b?c"].map(str::to_owned);
    let gate = ValueGate::new(Release::newest(Runtime::Rs), &list);
    for (index, value, over) in [
        (0, "/opt/kata/qemu", false),
        (0, "/opt/kata/bin/qemu", true),
        (1, "/opt/qemu/qemu", false),
        (1, "/opt/qx/emu", true),
        (2, "/opt-kata/b/c", true),
        (2, "/opt/kata/b/c", true),
        (2, "/opt-kata/bxc", false),
    ] {
        assert!(glob::Pattern::new(&list[index]).is_ok_and(|glob| glob.matches(value)), "{value}");
        assert_eq!(gate.reaches_over_folders(index, value), over, "{} {value}", list[index]);
    }
}

#[test]
fn paths_are_text_in_one_runtime_and_files_in_the_other() {
    let files = MemoryFiles::new().file("/opt/kata/bin/qemu", 0o755, "x");
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let list = ["[".to_owned(), "/opt/*".to_owned(), "/opt/kata/bin/q*".to_owned()];
    let allows = |release, value| ValueGate::new(release, &list).allows(&host, value);
    assert_eq!(allows(Release::newest(Runtime::Rs), "/opt/kata/bin/qemu"), Some(1));
    assert_eq!(allows(Release::newest(Runtime::Rs), "/opt/../bin/sh"), Some(1));
    for release in [Release::go(2, 1, 0), Release::newest(Runtime::Go)] {
        assert_eq!(allows(release, "/opt/kata/bin/qemu"), Some(2));
        assert_eq!(allows(release, "/opt/kata"), Some(1));
        assert_eq!(allows(release, "/opt/kata/bin/qemu2"), None);
        assert_eq!(ValueGate::new(release, &list).invalid().count(), 1);
    }
}
