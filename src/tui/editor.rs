//! The command that opens the user's editor at a file and line.
//!
//! What `$VISUAL` or `$EDITOR` says is shell: quotes, variables and arguments count, as git reads it.

use std::path::Path;
use std::process::{Command, ExitStatus};

/// The command: a shell that runs what was said, with the place as arguments.
pub(super) fn command(said: &str, file: &Path, line: u32) -> Command {
    let mut command = Command::new("sh");
    // The arguments are never part of the text that the shell reads.
    command.arg("-c").arg(format!("{said} \"$@\"")).arg(said);
    let line = line.max(1);
    match name(said).as_str() {
        "code" | "codium" => {
            command.arg("--goto").arg(format!("{}:{line}", file.display()));
        }
        "hx" | "helix" | "subl" | "zed" => {
            command.arg(format!("{}:{line}", file.display()));
        }
        "vi" | "vim" | "nvim" | "view" | "nano" | "emacs" | "emacsclient" | "kak" | "micro" | "joe"
        | "jed" | "mg" | "less" => {
            command.arg(format!("+{line}")).arg(file);
        }
        _ => {
            command.arg(file);
        }
    }
    command
}

/// Why it was no success.
pub(super) fn failure(said: &str, status: ExitStatus) -> String {
    match status.code() {
        // The shell's words for a command that is not there, or cannot be run.
        Some(126 | 127) => format!("no editor: '{said}' does not run; set VISUAL or EDITOR"),
        // And its number for one that a signal ended.
        Some(code @ 129..=192) => format!("{said} was ended by signal {}", code - 128),
        _ => format!("{said} ended with {status}"),
    }
}

/// The program's name, without its folder: the first word that sets no variable.
fn name(said: &str) -> String {
    let sets = |word: &str| {
        let variable = word.split_once('=').map(|(name, _)| name);
        variable.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    };
    let program = words(said).into_iter().find(|word| !sets(word)).unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The words, as far as quotes make them; what is in a variable stays as it is written.
fn words(said: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = said.chars();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(said: &str, line: u32) -> Vec<String> {
        let command = command(said, Path::new("/a b/c.toml"), line);
        command.get_args().map(|a| a.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_line_is_said_as_the_editor_takes_it() {
        assert_eq!(arguments("vim", 7)[3..], ["+7", "/a b/c.toml"]);
        assert_eq!(arguments("'/opt/my editors/code' --wait", 7)[3..], ["--goto", "/a b/c.toml:7"]);
        assert_eq!(arguments("LANG=C \"hx\"", 0)[3..], ["/a b/c.toml:1"]);
        assert_eq!(arguments("ed", 7)[3..], ["/a b/c.toml"]);
        assert_eq!(arguments("a=b/c", 7)[3..], ["/a b/c.toml"]);
        assert_eq!(name("/opt/my\\ editors/nano"), "nano");
    }

    #[test]
    fn quotes_and_variables_are_the_shells() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("my editor");
        std::fs::write(&script, "#!/bin/sh\nfor a in \"$@\"; do echo \"[$a]\"; done > \"$TOLD\"\n").unwrap();
        let told = folder.path().join("told");
        let said = format!("sh '{}' \"a b\" --to=\"$WHERE\"", script.display());
        let file = Path::new("/x/$HOME `no`.toml");
        let status = command(&said, file, 3).env("TOLD", &told).env("WHERE", "c d").status().unwrap();
        assert!(status.success());
        let told = std::fs::read_to_string(told).unwrap();
        assert_eq!(told, "[a b]\n[--to=c d]\n[/x/$HOME `no`.toml]\n");
        let missing =
            command("/no/such/editor", file, 1).stderr(std::process::Stdio::null()).status().unwrap();
        let killed =
            command("sh -c 'kill -9 $$'", file, 1).stderr(std::process::Stdio::null()).status().unwrap();
        assert!(failure("sh", killed).ends_with("signal 9") || failure("sh", killed).contains("signal: 9"));
        assert!(failure("/no/such/editor", missing).contains("set VISUAL or EDITOR"));
    }
}
