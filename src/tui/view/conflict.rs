//! The window over a file that somebody else changed while edits were unsaved: three sides, one below
//! the other, so that it reads the same at any width.
//!
//! ```text
//! configuration.toml is not what was read. Nothing was written.
//! r re-apply mine   k keep mine   t take theirs   Esc [cancel]
//!
//! line 14, changed on disk
//!   read, here    default_vcpus = 1
//!   on disk       default_vcpus = 3
//! ```

use ratatui::layout::Rect;

use super::chrome::here;
use super::frame::{below, scrolled, window};
use crate::diff::text::Region;
use crate::tui::available::reason_against;
use crate::tui::geometry::Geometry;
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::dialog::Dialog;
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Where the text of a side begins.
const INDENT: usize = 16;

pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    dialog: &Dialog,
    geometry: &mut Geometry,
) {
    let Dialog::Conflict { path, theirs, regions, edits, lost, scroll } = dialog else { return };
    let title = Rich::of(Token::Title, "Somebody else changed the file");
    let inner = window(canvas, main, 120, main.height, title);
    let there = if theirs.is_some() { "not what was read" } else { "gone" };
    let name = text::cut_middle(
        &text::visible(path),
        usize::from(inner.width).saturating_sub(46),
        canvas.theme.glyphs.ellipsis,
    );
    canvas.line(inner, 0, Rich::of(Token::Text, format!("{name} is {there}. Nothing was written.")));
    let key =
        |command| model.keymap.chord_for(&model.layers(), command).map_or(String::new(), |k| k.to_string());
    let mut choices = Rich::new();
    for command in [Command::Reapply, Command::KeepMine, Command::TakeTheirs] {
        if reason_against(model, command).is_none() {
            let label = here(model, command).unwrap_or(command.entry().label);
            choices = choices.put(Token::Key, key(command)).put(Token::Text, format!(" {label}   "));
        }
    }
    let choices = choices.put(Token::Key, key(Command::Back)).put(Token::Strong, " [cancel]");
    canvas.line(inner, 1, choices);
    let mut lines = foresight(canvas, key(Command::Reapply), theirs.is_some(), *edits, lost);
    for region in regions {
        lines.push(Rich::new());
        lines.extend(region_lines(region));
    }
    scrolled(canvas, below(inner, 3), lines, *scroll, geometry);
}

/// What would become of the edits.
fn foresight(
    canvas: &Canvas<'_>,
    key: String,
    there: bool,
    (edits, same): (usize, usize),
    lost: &[String],
) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    if !there {
        return vec![Rich::of(Token::Hint, "what was read and what is here is shown below")];
    }
    if lost.is_empty() {
        let what = match (edits, same) {
            (1, 0) => "your edit has its place in the file on disk".to_owned(),
            (_, 0) => "your edits have their place in the file on disk".to_owned(),
            (edits, same) if edits <= same => "the file on disk says already what you edited".to_owned(),
            (edits, same) => format!("the file on disk says already what {same} of your {edits} edits say"),
        };
        return vec![
            Rich::of(Token::Allowed, format!("{} ", glyphs.pass))
                .put(Token::Key, key)
                .put(Token::Text, format!(": {what}")),
        ];
    }
    let what = match (lost.len(), edits) {
        (_, 1) => "your edit has no place there".to_owned(),
        (1, _) => format!("one of your {edits} edits has no place there"),
        (lost, _) => format!("{lost} of your {edits} edits have no place there"),
    };
    let mut lines = vec![
        Rich::of(Token::Refused, format!("{} ", glyphs.fail))
            .put(Token::Key, key)
            .put(Token::Text, format!(": {what}")),
    ];
    lines.extend(lost.iter().map(|lost| Rich::of(Token::Text, format!("    {lost}"))));
    lines
}

fn region_lines(region: &Region) -> Vec<Rich> {
    let Region { line, base, theirs, mine } = region;
    let what = match (base == theirs, base == mine, theirs == mine) {
        (false, true, _) => "changed on disk",
        (true, false, _) => "changed here",
        (false, false, true) => "changed on disk and here, to the same",
        _ => "changed on disk and here",
    };
    let mut lines = vec![Rich::of(Token::Heading, format!("line {line}, {what}"))];
    let mut side = |name: &str, token: Token, text: &str| {
        let mut name = Some(name);
        let shown = if text.is_empty() { "(nothing)" } else { text };
        for part in shown.lines() {
            let head = Rich::of(token, format!("  {}", name.take().unwrap_or_default())).pad_to(INDENT);
            let token = if text.is_empty() { Token::Hint } else { Token::Text };
            lines.push(head.put(token, part.replace('\t', "    ")));
        }
    };
    if base == theirs {
        side("read, on disk", Token::Hint, base);
    } else if base == mine {
        side("read, here", Token::Hint, base);
    } else {
        side("read", Token::Hint, base);
    }
    if base != theirs && theirs == mine {
        side("on disk, here", Token::Origin, theirs);
    } else {
        if base != theirs {
            side("on disk", Token::Origin, theirs);
        }
        if base != mine {
            side("here", Token::Changed, mine);
        }
    }
    lines
}
