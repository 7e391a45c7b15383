//! The house rules that one crate cannot get from its compiler: which room may name which crate,
//! which room may call which, what a view may know, and how long a file may be.
//!
//! A table here is as long as the house needs: an arrow or a home that nothing uses any more fails too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every Rust file below a folder of the project: its path in there, and its text.
fn all(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    files(&root, &mut found);
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// The sources without comments, so that a word in prose is no offence.
fn sources() -> Vec<(String, String)> {
    let code = |text: &str| {
        text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    all("src").into_iter().map(|(path, text)| (path, code(&text))).collect()
}

/// Whether the code has the word, and not only as the end of a longer name or path.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') && !code[..at].ends_with("::")
    })
}

fn offenders(inside: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, code) in sources().iter().filter(|(path, _)| inside(path)) {
        found.extend(words.iter().filter(|w| code.contains(**w)).map(|w| format!("{path}: {w}")));
    }
    found
}

fn room(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

/// The floors, from the ground up: a room names rooms of lower floors alone.
const FLOORS: [&[&str]; 15] = [
    &["golang", "release"],
    &["answer", "catalog", "query"],
    &["input"],
    &["policy", "explain", "running"],
    &["runtime"],
    &["launch", "kubernetes", "cri"],
    &["agent", "node"],
    &["evaluate"],
    &["diff", "sample"],
    &["edit"],
    &["suggest", "audit", "upgrade"],
    &["report"],
    &["export"],
    &["tui"],
    &["cli"],
];

/// What is no core: the two faces.
const FACES: [&str; 2] = ["cli", "tui"];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn is_core(path: &str) -> bool {
    floor(room(path)).is_some() && !FACES.contains(&room(path))
}

/// The rooms that the code names, as `crate::room` or in `crate::{room, ...}`.
fn named_rooms(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for piece in code.split("crate::").skip(1) {
        match piece.strip_prefix('{') {
            None => drop(found.insert(word(piece))),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in group.char_indices() {
                    if start && !c.is_whitespace() {
                        found.insert(word(&group[at..]));
                        start = false;
                    }
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' => start = depth == 0,
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn arrows_only_run_down() {
    let mut up = BTreeSet::new();
    for (path, code) in sources() {
        let from = room(&path).to_owned();
        // The two roots name what they please.
        if from == "lib" || from == "main" {
            continue;
        }
        let own = floor(&from).unwrap_or_else(|| panic!("{from} stands on no floor"));
        for to in named_rooms(&code) {
            if to != from && floor(&to).is_none_or(|floor| floor >= own) {
                up.insert((from.clone(), to));
            }
        }
    }
    assert_eq!(up, BTreeSet::new());
}

/// The path of a file's module: of `a/b/mod.rs` and `a/b.rs` alike, `a::b`.
fn module(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

/// The paths that a file names in `use` and elsewhere, from the crate's root.
fn named_paths(path: &str, code: &str) -> Vec<Vec<String>> {
    let own: Vec<String> = module(path).into_iter().map(str::to_owned).collect();
    let start = regex::Regex::new(r"\b(crate|self|super(?:::super)*)::").unwrap();
    let mut found = Vec::new();
    for head in start.captures_iter(code) {
        let whole = head.get(0).unwrap();
        let base = match &head[1] {
            "crate" => Vec::new(),
            "self" => own.clone(),
            up => own[..own.len().saturating_sub(up.matches("super").count())].to_vec(),
        };
        tree(&code[whole.end()..], base, &mut found);
    }
    found
}

/// The paths of a tree such as `a::{b, c::d}`; gives what follows it.
fn tree<'c>(mut code: &'c str, mut base: Vec<String>, found: &mut Vec<Vec<String>>) -> &'c str {
    loop {
        code = code.trim_start();
        if let Some(mut group) = code.strip_prefix('{') {
            loop {
                group = tree(group, base.clone(), found).trim_start();
                match group.strip_prefix(',') {
                    Some(rest) => group = rest,
                    None => return group.strip_prefix('}').unwrap_or(group),
                }
            }
        }
        let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
        if end > 0 {
            base.push(code[..end].to_owned());
        }
        code = &code[end..];
        match code.strip_prefix("::") {
            Some(rest) if end > 0 => code = rest,
            _ => break,
        }
    }
    found.push(base);
    // Another name for it.
    match code.trim_start().strip_prefix("as ") {
        Some(rest) => rest.trim_start().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => code,
    }
}

#[test]
fn no_two_files_lean_on_each_other() {
    let tests = |code: &str| code.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    let files: Vec<(String, String)> =
        sources().into_iter().map(|(path, code)| (path, tests(&code))).collect();
    let modules: Vec<Vec<&str>> = files.iter().map(|(path, _)| module(path)).collect();
    let leans: Vec<BTreeSet<usize>> = files
        .iter()
        .zip(&modules)
        .map(|((path, code), own)| {
            let named = named_paths(path, code).into_iter().filter_map(|path| {
                (1..=path.len()).rev().find_map(|length| modules.iter().position(|m| *m == path[..length]))
            });
            // A module and what is in it are one.
            named.filter(|at| !own.starts_with(&modules[*at]) && !modules[*at].starts_with(own)).collect()
        })
        .collect();
    assert!(leans.iter().map(BTreeSet::len).sum::<usize>() > files.len(), "hardly an arrow was found");
    // What nobody leans on, and then nobody else, goes; what is left goes round.
    let mut left: BTreeSet<usize> = (0..files.len()).collect();
    while let Some(free) = left.iter().copied().find(|at| leans[*at].is_disjoint(&left)) {
        left.remove(&free);
    }
    let round: BTreeSet<&str> = left.iter().map(|at| files[*at].0.as_str()).collect();
    assert_eq!(round, BTreeSet::new(), "they, or files above them, go round");
}

#[test]
fn the_core_knows_no_terminal_and_prints_nothing() {
    let words = ["println!", "print!(", "process::exit", "io::stdout", "io::stderr", "io::stdin"];
    assert_eq!(offenders(is_core, &words), Vec::<String>::new());
}

#[test]
fn the_faces_do_not_lean_on_each_other() {
    assert_eq!(offenders(|p| room(p) == "tui", &["crate::cli"]), Vec::<String>::new());
    let doors = ["cli/interactive.rs", "cli/machine.rs", "cli/mod.rs"];
    assert_eq!(offenders(|p| room(p) == "cli" && !doors.contains(&p), &["crate::tui"]), Vec::<String>::new());
}

#[test]
fn update_is_pure_and_view_does_not_update() {
    let words = ["std::fs", "Instant::now", "SystemTime", "ratatui", "crossterm", "std::env", "std::process"];
    let pure = |p: &str| p.starts_with("tui/update") || p.starts_with("tui/model");
    assert_eq!(offenders(pure, &words), Vec::<String>::new());
    let updating: Vec<String> = sources()
        .into_iter()
        .filter(|(p, code)| {
            p.starts_with("tui/view") && (code.contains("update::") || names(code, "update("))
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(updating, Vec::<String>::new());
}

#[test]
fn widgets_know_no_kata() {
    for (path, code) in sources().into_iter().filter(|(path, _)| path.starts_with("tui/widget")) {
        let mut rooms = named_rooms(&code);
        // How hostile text is shown is the same on paper and on screen.
        rooms.remove("report");
        rooms.remove("tui");
        assert_eq!(rooms, BTreeSet::new(), "{path}");
        assert!(!code.contains("model::"), "{path}");
    }
}

#[test]
fn colours_have_meanings() {
    assert_eq!(offenders(|p| p != "tui/theme.rs", &["Color::"]), Vec::<String>::new());
}

/// A crate and the files that may name it, so that to replace it is one place's work.
const HOMES: [(&str, &[&str]); 32] = [
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/shells.rs"]),
    ("ratatui", &["tui/"]),
    ("crossterm", &["tui/"]),
    ("unicode_width", &["tui/widget/"]),
    ("unicode_segmentation", &["tui/widget/"]),
    ("fuzzy_matcher", &["tui/filter.rs"]),
    ("signal_hook", &["cli/interactive.rs", "tui/signals.rs"]),
    ("similar", &["diff/"]),
    ("libyaml_safer", &["input/manifest/yaml"]),
    // Also what is written is read back.
    (
        "serde_yaml",
        &[
            "edit/tests.rs",
            "export/yaml.rs",
            "input/archive/facts.rs",
            "input/helm.rs",
            "kubernetes/kubelet.rs",
            "report/manifest.rs",
        ],
    ),
    // The reader with places, and the edits; a list to be pasted and the program's own settings are TOML, too.
    ("toml_edit", &["edit/", "evaluate/way_out/", "input/", "report/policy.rs", "tui/settings.rs"]),
    // The parser of runtime-rs, of the catalogue's tables and of the host's description.
    (
        "toml",
        &[
            "catalog/document.rs",
            "catalog/line_document.rs",
            "catalog/release_document.rs",
            "edit/document.rs",
            "input/described.rs",
            "input/host/network/table.rs",
            "input/probe.rs",
            "launch/rs/initdata.rs",
            "runtime/",
        ],
    ),
    // The gates; one check of a path is a regular expression upstream, too.
    ("regex", &["golang/regexp/", "policy/", "runtime/", "suggest.rs"]),
    ("regex_syntax", &["export/re2.rs", "golang/regexp/"]),
    ("glob", &["export/re2.rs", "policy/", "runtime/rs/annotations/", "suggest.rs"]),
    ("byte_unit", &["runtime/rs/annotations/"]),
    // What Dragonball's built-in file sharing reads its options with.
    ("go_flag", &["launch/rs/dragonball.rs"]),
    // initdata; a report that has to be held to its end is held packed.
    ("flate2", &["golang/flate.rs", "golang/gzip.rs", "input/archive/", "report/junit.rs", "runtime/"]),
    ("lzma_rust2", &["input/archive/"]),
    ("tar", &["input/archive/"]),
    ("zip", &["input/archive/"]),
    (
        "base64",
        &[
            "export/files.rs",
            "input/manifest/options.rs",
            "input/manifest/yaml",
            "launch/",
            "runtime/",
            "tui/clipboard.rs",
        ],
    ),
    (
        "sha2",
        &[
            "export/rules.rs",
            "input/archive/",
            "input/host",
            "launch/rs/initdata.rs",
            "node/release.rs",
            "runtime/",
        ],
    ),
    (
        "memchr",
        &[
            "cli/cluster.rs",
            "input/manifest/document.rs",
            "input/manifest/json.rs",
            "input/manifest/place.rs",
            "input/manifest/stream.rs",
            "input/manifest/yaml/plain.rs",
            "query.rs",
        ],
    ),
    ("aho_corasick", &["explain/messages.rs"]),
    ("strsim", &["input/helm.rs", "node/"]),
    ("smallvec", &["answer/launch.rs"]),
    ("rustix", &["cli/check.rs", "edit/save.rs", "tui/terminal.rs"]),
    ("mimalloc", &["main.rs"]),
    // What a room hands over is JSON; who only decides or draws needs none.
    (
        "serde_json",
        &[
            "agent/",
            "answer/",
            "cli/",
            "cri/",
            "diff/",
            "edit/",
            "evaluate/",
            "export/yaml.rs",
            "input/described.rs",
            "input/helm.rs",
            "launch/",
            "report/",
            "runtime/",
            "tui/model/",
            "tui/update/",
        ],
    ),
];

#[test]
fn each_foreign_crate_has_its_home() {
    let sources = sources();
    for (name, homes) in HOMES {
        let uses = |code: &str| names(code, &format!("{name}::")) || code.contains(&format!("use {name} "));
        let users: Vec<&str> =
            sources.iter().filter(|(_, code)| uses(code)).map(|(path, _)| path.as_str()).collect();
        let strangers: Vec<&&str> =
            users.iter().filter(|path| !homes.iter().any(|home| path.starts_with(home))).collect();
        assert_eq!(strangers, Vec::<&&str>::new(), "{name} belongs to {homes:?}");
        for home in homes {
            assert!(users.iter().any(|path| path.starts_with(home)), "{name} has left {home}");
        }
    }
}

/// The file as it is built into the program: without the tests at its end.
fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[test]
fn names_are_imported_one_by_one() {
    let globs: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .filter(|(_, code)| {
            let code = without_tests(code);
            code.contains("prelude::")
                || code
                    .lines()
                    .any(|l| l.contains("super::*") || (l.contains("pub use") && l.contains("::*")))
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(globs, Vec::<String>::new());
}

#[test]
fn every_module_says_what_it_decides() {
    let silent: Vec<String> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(all)
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

/// Past this a file is split along its nouns.
const LONGEST: usize = 600;

#[test]
fn files_tell_one_story() {
    let long: Vec<String> = ["src", "tests"]
        .into_iter()
        .flat_map(all)
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}
