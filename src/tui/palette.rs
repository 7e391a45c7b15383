//! The commands that the palette offers for what is typed.

use super::filter;
use super::message::{COMMANDS, Command};
use super::model::dialog::ALIASES;
use super::spelling::distance;

/// Commands for `typed`, best first.
pub fn hits(typed: &str) -> Vec<Command> {
    let typed = typed.trim();
    let offered: Vec<_> = COMMANDS.iter().filter(|e| !e.keys_only).collect();
    let mut commands: Vec<Command> = Vec::new();
    if let Some(exact) = offered.iter().find(|e| e.name == typed) {
        commands.push(exact.command);
    } else if let Some((_, command)) = ALIASES.iter().find(|(name, _)| *name == typed) {
        commands.push(*command);
    }
    // Who types a name's beginning means the name, whatever else has these letters.
    let begun = offered.iter().filter(|e| !typed.is_empty() && e.name.starts_with(typed));
    for entry in begun {
        if !commands.contains(&entry.command) {
            commands.push(entry.command);
        }
    }
    let texts: Vec<String> = offered.iter().map(|e| format!("{} {}", e.name, e.doc)).collect();
    for index in filter::rank(typed, texts.iter().map(String::as_str), texts.len()) {
        if let Some(entry) = offered.get(index)
            && !commands.contains(&entry.command)
        {
            commands.push(entry.command);
        }
    }
    commands
}

/// The command whose name is nearest to what is typed, where one is near.
pub fn near(typed: &str) -> Option<&'static str> {
    let typed = typed.trim();
    let offered = COMMANDS.iter().filter(|e| !e.keys_only).map(|e| e.name);
    let names = offered.map(|name| (distance(typed, name), name));
    names.min().filter(|(letters, _)| *letters <= typed.chars().count() / 3 + 1).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_win() {
        assert_eq!(hits("w").first(), Some(&Command::Save));
        assert_eq!(hits("quit").first(), Some(&Command::Quit));
        assert!(hits("pods").first().is_some_and(|c| c.entry().name == "pods"));
        assert_eq!(hits("open").first(), Some(&Command::OpenOther));
        assert_eq!(near("policcy"), Some("policy"));
        assert_eq!(near("zzzzzzzz"), None);
        assert_eq!(hits("").len(), COMMANDS.iter().filter(|e| !e.keys_only).count());
    }
}
