//! The house rules that one crate cannot get from its compiler: which room may name which crate,
//! which room may call which, and how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found
        .into_iter()
        .map(|(path, text)| (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), text))
        .collect()
}

/// The text without comments, so that a word in prose is no offence.
fn code(text: &str) -> String {
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn offenders(in_room: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    all()
        .iter()
        .filter(|(path, _)| in_room(path))
        .flat_map(|(path, text)| {
            let code = code(text);
            words.iter().filter(|w| code.contains(**w)).map(|w| format!("{path}: {w}")).collect::<Vec<_>>()
        })
        .collect()
}

fn room(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

const CORE: [&str; 13] = [
    "input",
    "catalog",
    "policy",
    "kubernetes",
    "cri",
    "runtime",
    "launch",
    "agent",
    "evaluate",
    "diff",
    "edit",
    "report",
    "finding",
];

#[test]
fn the_core_knows_no_terminal_and_prints_nothing() {
    let words = ["ratatui", "crossterm", "clap::", "println!", "eprintln!", "print!(", "process::exit"];
    assert_eq!(offenders(|p| CORE.contains(&room(p)), &words), Vec::<String>::new());
}

#[test]
fn the_faces_do_not_lean_on_each_other() {
    let faces = ["crate::cli", "crate::tui"];
    assert_eq!(offenders(|p| CORE.contains(&room(p)), &faces), Vec::<String>::new());
    assert_eq!(offenders(|p| room(p) == "cli", &["ratatui", "crossterm"]), Vec::<String>::new());
    assert_eq!(offenders(|p| room(p) == "tui", &["crate::cli"]), Vec::<String>::new());
}

#[test]
fn arrows_point_one_way() {
    // A room may name only rooms to its left (input -> policy -> runtime -> launch -> evaluate -> report).
    let forbidden: [(&str, &[&str]); 4] = [
        ("input", &["crate::runtime", "crate::policy", "crate::evaluate", "crate::edit", "crate::report"]),
        ("catalog", &["crate::runtime", "crate::evaluate", "crate::edit", "crate::report"]),
        ("launch", &["crate::evaluate", "crate::edit", "crate::report", "std::fs"]),
        ("agent", &["crate::evaluate", "crate::edit", "crate::report", "std::fs"]),
    ];
    let found: Vec<String> =
        forbidden.iter().flat_map(|(name, words)| offenders(|p| room(p) == *name, words)).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn update_is_pure_and_view_does_not_update() {
    let words = ["std::fs", "Instant::now", "SystemTime", "ratatui", "std::env"];
    assert_eq!(offenders(|p| p.starts_with("tui/update"), &words), Vec::<String>::new());
    let words = ["tui::update", "super::update"];
    assert_eq!(offenders(|p| p.starts_with("tui/view"), &words), Vec::<String>::new());
}

#[test]
fn each_foreign_crate_has_its_home() {
    let homes: [(&str, &[&str]); 5] = [
        ("clap::", &["cli"]),
        ("similar::", &["diff"]),
        ("ratatui::", &["tui"]),
        ("crossterm::", &["tui"]),
        ("fuzzy_matcher::", &["tui", "catalog"]),
    ];
    for (word, rooms) in homes {
        let found = offenders(|p| !rooms.contains(&room(p)), &[word]);
        assert_eq!(found, Vec::<String>::new(), "{word} belongs to {rooms:?}");
    }
}

#[test]
fn every_module_says_what_it_decides() {
    let silent: Vec<String> =
        all().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert_eq!(silent, Vec::<String>::new());
}

/// Past this a file is split along its nouns.
const LONGEST: usize = 900;

#[test]
fn files_tell_one_story() {
    let long: Vec<String> = all()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}
