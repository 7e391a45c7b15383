//! The same answer without the screen: what it shows, and what was edited on it, as commands.

use crate::edit::{Change, PolicyEdit};
use crate::tui::as_command;
use crate::tui::model::Model;

/// The command that prints what this screen shows.
pub(super) fn as_command(model: &Model) -> String {
    shell_line(&as_command::command(model))
}

/// Words as a shell reads them.
pub(super) fn shell_line(words: &[String]) -> String {
    words.iter().map(|w| shell_word(w)).collect::<Vec<_>>().join(" ")
}

/// One word as a shell reads it.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Every edit that is done, as the commands that do it.
pub(super) fn of_edits(model: &Model) -> Vec<String> {
    model.seat.history.done().flat_map(|(path, change)| of_edit(model, path, change)).collect()
}

fn of_edit(model: &Model, path: &str, change: &Change) -> Vec<String> {
    let before = change.before.as_deref();
    let entry = change.edit.entry(before);
    let command = |verb: &str, patterns: &[&str]| {
        let id = change.edit.list();
        let active =
            model.seat.current.hypervisor().is_none_or(|name| id.table == format!("hypervisor.{name}"));
        let mut words = vec!["katascope", "policy", verb];
        let list = if active { id.list.to_string() } else { format!("{}.{}", id.table, id.list) };
        if list != "enable_annotations" {
            words.extend(["--list", &list]);
        }
        let config = &model.seat.saved.setup().layers.asked;
        words.extend(["-c", config]);
        if **config != *path {
            words.push("--drop-in");
        }
        // What begins with a dash is no flag.
        words.extend(patterns.iter().any(|pattern| pattern.starts_with('-')).then_some("--"));
        words.extend(patterns);
        words.into_iter().map(shell_word).collect::<Vec<_>>().join(" ")
    };
    match (&change.edit, entry) {
        (PolicyEdit::Key { list, value }, _) => {
            let set = match value {
                Some(value) => format!("{}.{}={value}", list.table, list.list),
                None => format!("{}.{}-", list.table, list.list),
            };
            let config = &model.seat.saved.setup().layers.asked;
            let out = if value.is_some() { "--write-drop-in" } else { "--write-patch" };
            let words = ["katascope", "check", "-c", config, "--set", &set, out, "FILE"];
            vec![words.into_iter().map(shell_word).collect::<Vec<_>>().join(" ")]
        }
        (PolicyEdit::Add { .. }, Some(new)) => vec![command("allow", &[new])],
        (PolicyEdit::Remove { .. }, Some(old)) => vec![command("deny", &[old])],
        (PolicyEdit::Replace { at, .. }, Some(new)) => {
            let old = before.and_then(|entries| entries.get(*at)).map(|old| command("deny", &[old]));
            old.into_iter().chain([command("allow", &[new])]).collect()
        }
        (PolicyEdit::Move { to, .. }, Some(moved)) => {
            vec![format!("# {} is entry {} now: no command moves", shell_word(moved), to + 1)]
        }
        (PolicyEdit::Duplicate { .. }, Some(twice)) => {
            vec![format!("# {} stands there twice: no command does that", shell_word(twice))]
        }
        (PolicyEdit::Create { items, .. } | PolicyEdit::Set { items, .. }, _) => {
            let gone = before.unwrap_or_default().iter().filter(|old| !items.contains(old));
            let gone: Vec<&str> = gone.map(String::as_str).collect();
            let new = items.iter().filter(|new| !before.unwrap_or_default().contains(new));
            let new: Vec<&str> = new.map(String::as_str).collect();
            let lines = [("deny", gone), ("allow", new)].into_iter().filter(|(_, words)| !words.is_empty());
            lines.map(|(verb, words)| command(verb, &words)).collect()
        }
        _ => Vec::new(),
    }
}
