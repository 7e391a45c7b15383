//! The fuzzer's targets (`fuzz/`), here with a few hundred inputs that proptest makes up and the pieces
//! that the fuzzer starts from: they still compile, and still hold.

use proptest::collection::vec;
use proptest::prelude::*;

#[path = "../fuzz/targets/annotations.rs"]
mod annotations;
#[path = "../fuzz/targets/configuration.rs"]
mod configuration;
#[path = "../fuzz/targets/containerd.rs"]
mod containerd;
#[path = "../fuzz/targets/edits.rs"]
mod edits;
#[path = "../fuzz/targets/manifest.rs"]
mod manifest;
#[path = "../fuzz/targets/patterns.rs"]
mod patterns;
#[path = "../fuzz/targets/words.rs"]
mod words;

const CONFIGURATION: &str = include_str!("../assets/sample/configuration.toml");
const CONTAINERD: &str = include_str!("../assets/sample/containerd.toml");
const PODS: &str = include_str!("../assets/sample/pods.yaml");

/// A text with some of its lines dropped, doubled, swapped with others, cut, or with a piece put in.
fn mangled(text: &'static str) -> impl Strategy<Value = String> {
    let lines: Vec<&str> = text.lines().collect();
    let count = lines.len();
    let piece = prop_oneof![
        "[\\[\\]{}\"'#=:,.|&*!\\\\ \t\r\u{7f}-]{1,6}",
        "\\PC{1,8}",
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    vec((0..count, 0u8..5, 0..count, 0usize..60, piece), 1..8).prop_map(move |changes| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for (at, what, other, column, piece) in changes {
            match what {
                0 => lines[at].clear(),
                1 => lines[at] = lines[other].clone(),
                2 => lines.swap(at, other),
                3 => lines[at] = lines[at].chars().take(column).collect(),
                _ => {
                    let (head, tail) = lines[at].split_at(lines[at].floor_char_boundary(column));
                    lines[at] = format!("{head}{piece}{tail}");
                }
            }
        }
        lines.join("\n")
    })
}

/// A value such as annotations and patterns hold.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9/*?\\[\\]{}^$|.,:;= _-]{0,24}",
        "\\PC{0,12}",
        any::<i64>().prop_map(|number| number.to_string()),
        Just("true".to_owned()),
        Just("/opt/kata/bin/qemu-system-x86_64".to_owned()),
        Just("\u{1b}[31m\u{202e}\u{7f}\u{9b}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_manifest(text in mangled(PODS)) {
        manifest::run(&text);
    }

    #[test]
    fn any_configuration(release in 0u8..3, text in mangled(CONFIGURATION)) {
        configuration::run((release, &text));
    }

    #[test]
    fn any_containerd(text in mangled(CONTAINERD)) {
        containerd::run(&text);
    }

    #[test]
    fn any_edits(text in mangled(CONFIGURATION), steps in vec((any::<u8>(), 0u8..8, value()), 0..8)) {
        let steps = steps.iter().map(|(what, at, pattern)| (*what, *at, pattern.as_str())).collect();
        edits::run((&text, steps));
    }

    #[test]
    fn any_pattern(pattern in value(), value in value()) {
        patterns::run((&pattern, &value));
    }

    #[test]
    fn any_words(choice in 0u8..5, text in value()) {
        words::run((choice, &text));
    }

    #[test]
    fn any_annotations(
        host in 0u8..16,
        size in proptest::option::of((any::<i64>(), any::<u64>(), any::<i64>())),
        name in value(),
        set in vec((any::<u8>(), value()), 0..6),
    ) {
        let set = set.iter().map(|(key, value)| (*key, value.as_str())).collect();
        annotations::run((host, size, &name, set));
    }
}
