//! The larger windows: a pattern being written with everything it would do, saving, find.

use ratatui::layout::Rect;

use super::chrome::typed;
use super::dialogs::{below, choose, scrolled, window};
use super::policy;
use crate::tui::geometry::Geometry;
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::changes::other_runtime;
use crate::tui::model::dialog::{PatternDraft, SaveTarget};
use crate::tui::model::find::Hit;
use crate::tui::model::pods::{Sweep, Turn, turns};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::line::Line;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Pods named in a summary of consequences.
const NAMED: usize = 12;

/// The pods whose fate differs, in lines.
fn consequences(canvas: &Canvas<'_>, model: &Model, baseline: &Sweep, candidate: &Sweep) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    let (done, all) = candidate.progress();
    let found = turns(baseline, candidate);
    let mut lines = Vec::new();
    let progress = if done < all { format!(" so far ({done} of {all} pods)") } else { String::new() };
    let title = match found.len() {
        0 => format!("no pod's fate changes{progress}"),
        1 => format!("1 pod's fate changes{progress}"),
        n => format!("{n} pods' fate changes{progress}"),
    };
    lines.push(Rich::of(Token::Heading, title));
    for turn in [Turn::Refused, Turn::Starts, Turn::Differs] {
        let pods: Vec<usize> = found.iter().filter(|(_, t)| *t == turn).map(|(i, _)| *i).collect();
        let (token, sign, word) = match turn {
            Turn::Refused => (Token::Refused, glyphs.fail, "refused now"),
            Turn::Starts => (Token::Allowed, glyphs.pass, "starts now"),
            Turn::Differs => (Token::Changed, "~", "other values"),
        };
        for index in pods.iter().take(NAMED) {
            let name = model.pods.get(*index).map_or("", |p| &p.id);
            lines.push(Rich::of(token, format!("  {sign} {word} ")).pad_to(18).put(Token::Text, name));
        }
        if pods.len() > NAMED {
            lines.push(Rich::of(Token::Muted, format!("    and {} more", pods.len() - NAMED)));
        }
    }
    lines
}

pub(super) fn pattern(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    draft: &PatternDraft,
    geometry: &mut Geometry,
) {
    let title = match &draft.replaces {
        Some(_) => format!("Edit a pattern of {}", draft.list),
        None => format!("Add a pattern to {}", draft.list),
    };
    let inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, title));
    typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "pattern "), &draft.line, Rich::new());
    let area = below(inner, 2);
    let glyphs = canvas.theme.glyphs;
    let mut left = Vec::new();
    if let Some(error) = &draft.error {
        left.push(Rich::of(Token::Refused, format!("{} ", glyphs.fail)).put(Token::Text, error));
    }
    match &draft.meaning {
        Some(meaning) => {
            left.extend(policy::meaning(canvas, meaning, draft.list.list == "enable_annotations"))
        }
        None => left.push(Rich::of(Token::Hint, "type a pattern; what it lets in is shown here")),
    }
    let other = other_runtime(model.current.setup().release).title();
    if let Some(meaning) = &draft.elsewhere {
        left.push(Rich::new());
        left.push(Rich::of(Token::Title, format!("to {other}")));
        left.extend(policy::meaning(canvas, meaning, draft.list.list == "enable_annotations"));
    } else if draft.meaning.is_some() {
        left.push(Rich::new());
        left.push(Rich::of(Token::Key, "Tab").put(Token::Hint, format!(" what it means to {other}")));
    }
    let right = if draft.candidate.is_some() {
        consequences(canvas, model, &model.sweep, &draft.sweep)
    } else {
        vec![Rich::of(Token::Hint, "nothing changes yet")]
    };
    if area.width < 76 {
        let mut lines = right;
        lines.push(Rich::new());
        lines.extend(left);
        scrolled(canvas, area, lines, 0, geometry);
        return;
    }
    let half = area.width / 2;
    scrolled(canvas, Rect { width: half - 1, ..area }, left, 0, geometry);
    let mut other = Geometry::default();
    scrolled(
        canvas,
        Rect { x: area.x + half + 1, width: area.width - half - 1, ..area },
        right,
        0,
        &mut other,
    );
}

pub(super) fn save(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    (targets, at, scroll): (&[SaveTarget], usize, usize),
    geometry: &mut Geometry,
) {
    let inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, "Save"));
    let glyphs = canvas.theme.glyphs;
    let mut y = 0;
    for (i, target) in targets.iter().enumerate() {
        let on = i == at;
        let mut line = Rich::of(Token::Focus, if on { glyphs.pointer } else { " " }).put(Token::Text, " ");
        // A reason has to be read to its end; of a path the ends tell enough.
        let reason = target.reason.as_deref().map_or(0, |r| text::width(&text::visible(r)) + 4);
        let room = usize::from(inner.width).saturating_sub(2 + reason).max(24);
        let label = text::cut_middle(&target.label, room, glyphs.ellipsis);
        line.push(if on { Token::Strong } else { Token::Text }, label);
        if let Some(reason) = &target.reason {
            line.push(Token::Refused, format!("  {} {}", glyphs.fail, text::visible(reason)));
        }
        canvas.line(inner, y, line);
        y += 1;
    }
    let key =
        |command| model.keymap.chord_for(&model.layers(), command).map_or(String::new(), |k| k.to_string());
    let choices =
        [(Command::Write, "write it"), (Command::NextTarget, "other target"), (Command::Back, "cancel")];
    let mut line = Rich::new();
    for (command, label) in choices {
        let (open, close) = if command == Command::Back { ("[", "]") } else { (" ", " ") };
        line = line.put(Token::Strong, open).put(Token::Key, key(command)).put(
            if command == Command::Back { Token::Strong } else { Token::Text },
            format!(" {label}{close}  "),
        );
    }
    canvas.line(inner, y, line);
    let mut lines: Vec<Rich> = Vec::new();
    lines.extend(consequences(canvas, model, &model.saved_sweep, &model.sweep));
    lines.push(Rich::new());
    if let Some(target) = targets.get(at) {
        lines.extend(target.lines.iter().map(|l| diff_line(l)));
    }
    scrolled(canvas, below(inner, y + 2), lines, scroll, geometry);
}

/// A line of a unified diff.
fn diff_line(line: &str) -> Rich {
    let token = match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => Token::Added,
        Some(b'-') if !line.starts_with("---") => Token::Removed,
        Some(b'@') => Token::Origin,
        _ => Token::Text,
    };
    Rich::of(token, line.replace('\t', "    "))
}

pub(super) fn find(
    canvas: &mut Canvas<'_>,
    main: Rect,
    (line, all, found, at): (&Line, &[Hit], &(Vec<usize>, bool), usize),
    geometry: &mut Geometry,
) {
    let inner = window(canvas, main, 110, main.height, Rich::of(Token::Title, "Find anything"));
    let count = Rich::of(Token::Hint, format!(" {} of {} ", found.0.len(), all.len()));
    typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "find "), line, count);
    if !found.1 {
        let word = if found.0.is_empty() {
            "nothing is called that"
        } else {
            "nothing is called that; did you mean"
        };
        canvas.line(inner, 1, Rich::of(Token::Overridden, word));
    }
    let lines = found
        .0
        .iter()
        .filter_map(|i| all.get(*i))
        .map(|hit| {
            Rich::of(Token::Key, hit.what)
                .pad_to(11)
                .put(Token::Text, &hit.text)
                .marked(line.text(), Token::Match)
        })
        .collect();
    choose(canvas, below(inner, 2), lines, at, geometry);
}
