//! The keys as a table for reading: printed from the keymap for the README and the man page, so that no
//! key is dead there and none is secret.

use std::fmt::Write as _;

use super::keymap::{Keymap, Layer};
use super::message::{COMMANDS, Group};
use super::model::Screen;

/// The keys of one place, under its name.
#[derive(Debug, Clone)]
pub struct Section {
    /// Where.
    pub title: String,
    /// What can be pressed there.
    pub rows: Vec<Row>,
}

/// A command with its keys.
#[derive(Debug, Clone)]
pub struct Row {
    /// The keys, the one that is shown first.
    pub keys: Vec<String>,
    /// A word or two.
    pub label: &'static str,
    /// One line.
    pub doc: &'static str,
}

/// Every key by place: what works everywhere, then each screen's own, then windows and typing.
pub fn sections(keymap: &Keymap) -> Vec<Section> {
    let of = |title: &str, layers: &[Layer], group: Option<Group>| {
        let rows = COMMANDS
            .iter()
            .filter(|entry| group.is_none_or(|group| entry.group == group))
            .filter_map(|entry| {
                let keys = layers.iter().flat_map(|layer| keymap.chords(*layer, entry.command));
                let keys: Vec<String> = keys.map(|chord| chord.to_string()).collect();
                (!keys.is_empty()).then_some(Row { keys, label: entry.label, doc: entry.doc })
            })
            .collect();
        Section { title: title.to_owned(), rows }
    };
    let everywhere = [Layer::Everywhere, Layer::Always];
    let groups = [Group::Move, Group::Go, Group::Look, Group::Change, Group::Program];
    let mut sections: Vec<Section> =
        groups.into_iter().map(|group| of(group.title(), &everywhere, Some(group))).collect();
    for screen in Screen::ALL {
        sections.push(of(&format!("On {}", screen.title()), &[Layer::On(screen)], None));
    }
    sections.push(of("Save window", &[Layer::Save], Some(Group::Dialog)));
    sections.push(of("Conflict window", &[Layer::Conflict], Some(Group::Dialog)));
    sections.push(of("Unsaved on quit", &[Layer::QuitQuestion], Some(Group::Dialog)));
    sections.push(of("While typing", &[Layer::Typing], Some(Group::Typing)));
    sections.retain(|section| !section.rows.is_empty());
    sections
}

/// A table of one row for each place, in Markdown.
pub fn markdown(sections: &[Section]) -> String {
    let mut out = "| where | keys |\n| --- | --- |\n".to_owned();
    for section in sections {
        let cells: Vec<String> = section
            .rows
            .iter()
            .filter_map(|row| Some(format!("{} {}", code(row.keys.first()?), row.label)))
            .collect();
        let _ = writeln!(out, "| {} | {} |", section.title, cells.join(" · "));
    }
    out
}

/// A key as code in a table's cell.
fn code(key: &str) -> String {
    format!("`{}`", key.replace('|', "\\|"))
}

/// The same as a section of a manual page, with every key and what it does.
pub fn roff(sections: &[Section]) -> String {
    let escaped = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let mut out = ".SH KEYS\n".to_owned();
    for section in sections {
        let _ = writeln!(out, ".SS {}", escaped(&section.title));
        for row in &section.rows {
            let keys: Vec<String> = row.keys.iter().map(|key| format!("\\fB{}\\fR", escaped(key))).collect();
            let _ = writeln!(out, ".TP\n{}\n{}", keys.join(", "), escaped(row.doc));
        }
    }
    out
}
