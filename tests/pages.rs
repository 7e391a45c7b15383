//! Every command in the pages under `docs/` runs, and prints what the page shows.
//!
//! In a fenced block `console`, a line that begins with `$ ` is a command, what follows it is what it prints (both
//! streams), `...` on a line of its own stands for lines that the page leaves out, and `[exit N]` at the end for an
//! exit status other than 0. The commands of a page run one after the other in a folder that begins as a copy of
//! `docs/files`. `UPDATE=1 cargo test pages` writes what they print into the pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One command of a page, with what the page says it prints.
struct Shown {
    command: String,
    printed: Vec<String>,
}

enum Part {
    Text(String),
    Shown(Shown),
}

/// A page as its texts and its commands, in order.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut in_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_console = !in_console && line == "```console";
            parts.push(Part::Text(line.to_owned()));
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| in_console) {
            parts.push(Part::Shown(Shown { command: command.to_owned(), printed: Vec::new() }));
        } else if let (true, Some(Part::Shown(shown))) = (in_console, parts.last_mut()) {
            shown.printed.push(line.to_owned());
        } else {
            parts.push(Part::Text(line.to_owned()));
        }
    }
    parts
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a command prints on both streams, and its exit status if that is not 0.
fn run(command: &str, folder: &Path) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_katascope")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("HOME", folder)
        .env("COLUMNS", "100")
        .env_remove("KATASCOPE_CONFIG")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // The folder is another each time.
    let text = text.replace(&format!("{}/", folder.canonicalize().unwrap().display()), "");
    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    match output.status.code() {
        Some(0) => {}
        Some(code) => lines.push(format!("[exit {code}]")),
        None => lines.push("[killed]".to_owned()),
    }
    lines
}

/// Whether the lines are those that the page shows, where `...` stands for any number of them.
fn agree(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => (0..=printed.len()).any(|at| agree(rest, &printed[at..])),
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(p, others)| p == first && agree(rest, others))
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.sort();
    pages
}

#[test]
fn the_commands_of_the_pages_print_what_the_pages_show() {
    let update = std::env::var_os("UPDATE").is_some();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/files");
    let mut stale = Vec::new();
    let mut commands = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let folder = tempfile::tempdir().unwrap();
        copy(&files, folder.path());
        let mut written = String::new();
        for part in parts(&page) {
            match part {
                Part::Text(line) => written += &format!("{line}\n"),
                Part::Shown(shown) => {
                    commands += 1;
                    let printed = run(&shown.command, folder.path());
                    let keep = agree(&shown.printed, &printed);
                    if !keep {
                        stale.push(format!(
                            "{}: $ {}\n{}",
                            path.display(),
                            shown.command,
                            printed.join("\n")
                        ));
                    }
                    written += &format!("$ {}\n", shown.command);
                    for line in if keep { &shown.printed } else { &printed } {
                        written += &format!("{line}\n");
                    }
                }
            }
        }
        if update && written != page {
            fs::write(&path, written).unwrap();
        }
    }
    assert!(commands >= 20, "the pages show commands: {commands}");
    assert!(update || stale.is_empty(), "UPDATE=1 cargo test pages\n{}", stale.join("\n\n"));
}

#[test]
fn every_page_is_named_in_the_readme() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for path in pages() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(readme.contains(&format!("docs/{name}")), "the README does not name docs/{name}");
    }
}
