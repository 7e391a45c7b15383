//! Keys while a window is open or a line is typed.

use super::{
    config_keys, copy, handlers, leave, links, motion, obey as obey_plain, openings, otherwise, policy, save,
    upgrade, what_if,
};
use crate::tui::effect::Effect;
use crate::tui::geometry::Geometry;
use crate::tui::message::{Command, LineEdit};
use crate::tui::model::dialog::{CopyItem, Dialog};
use crate::tui::model::find;
use crate::tui::model::{Model, Typing};
use crate::tui::palette;

/// Whether letters are text now.
pub(super) fn takes_text(model: &Model) -> bool {
    match model.dialogs.last() {
        Some(dialog) => dialog.has_line(),
        None => model.typing != Typing::Nowhere,
    }
}

/// Letters for the line being typed.
pub(super) fn typed(model: &mut Model, text: &str) {
    if let Some(line) = current_line(model) {
        line.insert(text);
        line_changed(model);
    }
}

fn current_line(model: &mut Model) -> Option<&mut crate::tui::widget::line::Line> {
    if model.dialogs.is_empty() {
        return match model.typing {
            Typing::Nowhere => None,
            Typing::Filter => Some(&mut model.list_mut().filter),
            Typing::Search => Some(&mut model.list_mut().search),
        };
    }
    model.dialogs.last_mut().and_then(Dialog::line_mut)
}

/// What follows from another text.
fn line_changed(model: &mut Model) {
    match model.dialogs.last_mut() {
        None => {
            if model.typing == Typing::Filter {
                model.rebuild_rows();
            }
        }
        Some(Dialog::Help { scroll, .. }) => *scroll = 0,
        Some(Dialog::Palette { at, .. }) => *at = 0,
        Some(Dialog::Opening { at, error, .. }) => (*at, *error) = (None, None),
        Some(Dialog::Otherwise(form)) => form.error = None,
        Some(Dialog::Try { .. }) => what_if::preview(model),
        Some(Dialog::Pattern(_)) => policy::typed(model),
        Some(Dialog::Key(_)) => config_keys::typed(model),
        Some(Dialog::Find { line, all, found, at }) => {
            *found = find::hits(all, line.text());
            *at = 0;
        }
        Some(_) => {}
    }
}

/// A command while the filter or a search is typed; whether it was taken.
pub(super) fn while_typing(model: &mut Model, geometry: &Geometry, command: Command) -> bool {
    match command {
        Command::Edit(edit) => {
            let old = current_line(model).map(|l| l.text().to_owned());
            if let Some(line) = current_line(model) {
                line.edit(edit);
                if Some(line.text()) != old.as_deref() {
                    line_changed(model);
                }
            }
        }
        Command::Open => {
            let search = model.typing == Typing::Search;
            if !search {
                // What was filtered for is what is selected from now on.
                model.select(model.rows.cursor);
            }
            if let Some(line) = current_line(model) {
                line.remember();
            }
            model.typing = Typing::Nowhere;
            if search && !model.list().search.is_empty() {
                motion::go(model, geometry, Command::NextHit);
            }
        }
        Command::Back => {
            if let Some(line) = current_line(model) {
                line.clear();
            }
            line_changed(model);
            model.typing = Typing::Nowhere;
        }
        Command::Up | Command::Down | Command::PageUp | Command::PageDown => {
            motion::go(model, geometry, command)
        }
        Command::NextPane => model.typing = Typing::Nowhere,
        _ => return false,
    }
    true
}

/// A command while a window is open.
pub(super) fn obey(model: &mut Model, geometry: &Geometry, command: Command) -> Vec<Effect> {
    if let Command::Edit(edit) = command {
        edit_line(model, edit);
        return Vec::new();
    }
    if let Some(Dialog::Text { search, typing, .. }) = model.dialogs.last_mut()
        && (*typing || command == Command::Back && !search.is_empty())
    {
        // As in the detail: Enter goes to the first hit, Esc lets go of the search before it closes the window.
        *typing = false;
        match command {
            Command::Open => {
                search.remember();
                text(model, geometry, Command::NextHit);
            }
            Command::Back => search.clear(),
            _ => {}
        }
        return Vec::new();
    }
    if command == Command::Back {
        model.dialogs.pop();
        model.quitting = false;
        return Vec::new();
    }
    if command == Command::Open {
        model.remember_input();
    }
    // Above the first hit lies what was typed before.
    if command == Command::Up
        && let Some(Dialog::Palette { at: 0, .. } | Dialog::Find { at: 0, .. }) = model.dialogs.last()
    {
        edit_line(model, LineEdit::Older);
        return Vec::new();
    }
    let (page, lines) = (geometry.dialog_rows, geometry.dialog_lines);
    match model.dialogs.last_mut() {
        Some(Dialog::Text { .. }) => return text(model, geometry, command),
        Some(Dialog::Help { scroll, .. }) if command != Command::Open => {
            *scroll = motion::scrolled(*scroll, command, page, lines);
        }
        Some(Dialog::Help { .. }) => {
            model.dialogs.pop();
        }
        Some(Dialog::Palette { line, at }) => {
            let hits = palette::hits(line.text());
            if command == Command::Open {
                let hit = hits.get(*at).copied();
                let typed = line.text().to_owned();
                model.dialogs.pop();
                return match hit {
                    Some(command) => obey_plain(model, geometry, command),
                    None => {
                        let near = palette::near(&typed);
                        let near = near.map_or(String::new(), |name| format!("; did you mean '{name}'?"));
                        model.complain(format!("no command is called '{typed}'{near}"));
                        Vec::new()
                    }
                };
            }
            *at = chosen(*at, command, hits.len(), page);
        }
        Some(Dialog::CopyMenu { items, at }) => {
            if command == Command::Open {
                let item = items.get(*at).cloned();
                model.dialogs.pop();
                return item.map(copy::take).into_iter().collect();
            }
            *at = chosen(*at, command, items.len(), page);
        }
        Some(Dialog::Handlers { items, at }) => {
            if command == Command::Open {
                let item = items.get(*at).cloned();
                model.dialogs.pop();
                if let Some(item) = item {
                    handlers::chosen(model, &item);
                }
                return Vec::new();
            }
            *at = chosen(*at, command, items.len(), page);
        }
        Some(Dialog::Releases { items, at }) => {
            if command == Command::Open {
                let item = items.get(*at).cloned();
                model.dialogs.pop();
                return item.map(|item| upgrade::chosen(item.version)).unwrap_or_default();
            }
            *at = chosen(*at, command, items.len(), page);
        }
        Some(Dialog::Try { .. }) if command == Command::Open => what_if::accept(model),
        Some(Dialog::Otherwise(_)) => return otherwise::obey(model, command),
        Some(Dialog::Opening { .. }) if command == Command::Open => return openings::accept(model),
        Some(Dialog::Opening { .. }) => openings::choose(model, command),
        Some(Dialog::Key(_)) if command == Command::Open => config_keys::accept(model),
        Some(Dialog::Pattern(_)) if command == Command::Open => policy::accept(model),
        Some(Dialog::Pattern(_)) if command == Command::NextPane => policy::toggle_both(model),
        Some(Dialog::Find { all, found, at, .. }) => {
            if command == Command::Open {
                let hit = found.0.get(*at).and_then(|i| all.get(*i)).cloned();
                model.dialogs.pop();
                match hit {
                    Some(hit) => links::to_hit(model, &hit),
                    None => model.complain("nothing is called that"),
                }
                return Vec::new();
            }
            *at = chosen(*at, command, found.0.len(), page);
        }
        Some(Dialog::Save { scroll, .. }) => {
            if matches!(command, Command::NextTarget | Command::Copy | Command::Write) {
                return save::obey(model, command);
            }
            *scroll = motion::scrolled(*scroll, command, page, lines);
        }
        Some(Dialog::Conflict { scroll, .. }) => {
            *scroll = motion::scrolled(*scroll, command, page, lines);
            save::settle(model, command);
        }
        Some(Dialog::Quit) => return leave::answer(model, command),
        _ => {}
    }
    Vec::new()
}

/// Keys in a window to read.
fn text(model: &mut Model, geometry: &Geometry, command: Command) -> Vec<Effect> {
    let Some(Dialog::Text { scroll, lines, file, typing, .. }) = model.dialogs.last_mut() else {
        return Vec::new();
    };
    match command {
        Command::CopyMenu => {
            let text = lines.join("\n") + "\n";
            let item = |what: &str, file| CopyItem { what: what.into(), text: text.clone(), file };
            let items = vec![item("this text", None), item("this text to a file", Some((*file).to_owned()))];
            model.dialogs.push(Dialog::CopyMenu { items, at: 0 });
        }
        Command::Copy => {
            let text = lines.join("\n");
            return vec![Effect::Copy { text, what: "this text".into() }];
        }
        Command::Filter => *typing = true,
        Command::NextHit | Command::PrevHit => {
            match motion::hit(&geometry.dialog_hits, *scroll, command == Command::NextHit) {
                Some(line) => *scroll = line,
                None => model.complain("not found"),
            }
        }
        _ => *scroll = motion::scrolled(*scroll, command, geometry.dialog_rows, geometry.dialog_lines),
    }
    Vec::new()
}

/// A click on a line of a list: selects it, the second click takes it.
pub(super) fn choose(model: &mut Model, geometry: &Geometry, index: usize) -> Vec<Effect> {
    let at = match model.dialogs.last_mut() {
        Some(
            Dialog::Palette { at, .. }
            | Dialog::CopyMenu { at, .. }
            | Dialog::Handlers { at, .. }
            | Dialog::Releases { at, .. }
            | Dialog::Find { at, .. },
        ) => at,
        Some(Dialog::Otherwise(form)) => {
            form.at = index.min(form.fields.len().saturating_sub(1));
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    if *at != index {
        *at = index;
        return Vec::new();
    }
    model.notice = None;
    obey(model, geometry, Command::Open)
}

fn chosen(at: usize, command: Command, count: usize, page: usize) -> usize {
    let last = count.saturating_sub(1);
    match (command, motion::steps(command, page)) {
        (Command::First, _) => 0,
        (Command::Last, _) => last,
        (_, Some(steps)) => at.saturating_add_signed(steps).min(last),
        (_, None) => at,
    }
}

fn edit_line(model: &mut Model, edit: LineEdit) {
    let Some(line) = current_line(model) else { return };
    let old = line.text().to_owned();
    line.edit(edit);
    if line.text() != old {
        line_changed(model);
    }
}
