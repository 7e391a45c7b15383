//! The window in which something is said otherwise than the files say it.

use ratatui::layout::Rect;

use super::chrome::typed;
use super::frame::{below, scrolled, window};
use super::region;
use super::windows::{consequences, foresight};
use crate::tui::geometry::{Geometry, Target};
use crate::tui::model::Model;
use crate::tui::model::otherwise::{Field, Otherwise};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Columns of the names.
const NAME: usize = 18;

pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    form: &Otherwise,
    geometry: &mut Geometry,
) {
    let glyphs = canvas.theme.glyphs;
    let title = Rich::of(Token::Title, "What if: limits, requests, handler, host");
    let inner = window(canvas, main, 120, main.height, title);
    let all = form.fields.len();
    // What comes of it needs room, too.
    let rows = all.min(usize::from(inner.height).saturating_sub(5).max(1));
    let first = (form.at + 1).saturating_sub(rows);
    for (y, (index, field)) in form.fields.iter().enumerate().skip(first).take(rows).enumerate() {
        let place = Rect { y: inner.y + y as u16, height: 1, ..inner };
        row(canvas, place, field, index == form.at);
        region(geometry, place, Target::Choice(index));
    }
    let mut lines = Vec::new();
    if let Some(error) = &form.error {
        lines.push(
            Rich::of(Token::Refused, format!("{} ", glyphs.fail)).put(Token::Text, text::excerpt(error)),
        );
    }
    match &form.found {
        Some(found) => {
            if !form.is_current() {
                lines.push(Rich::of(Token::Overridden, "what was tried before; Enter tries what stands there now"));
            } else {
                lines.push(Rich::of(Token::Hint, "Enter reads everything so, Esc leaves it as it was"));
            }
            match &found.foresight {
                Some(seen) => lines.extend(foresight(canvas, model, seen)),
                None => lines.push(Rich::of(Token::Hint, "the pod in sight is not among what is read")),
            }
            if found.sweep.progress().1 > 0 {
                lines.push(Rich::new());
                lines.extend(consequences(canvas, model, &model.sweep, &found.sweep));
            }
        }
        None if form.error.is_none() => lines.push(Rich::of(
            Token::Hint,
            "Enter shows what comes of it; up and down choose, - stands for none, nothing for what the files say",
        )),
        None => {}
    }
    scrolled(canvas, below(inner, rows as u16 + 1), lines, 0, geometry);
}

fn row(canvas: &mut Canvas<'_>, place: Rect, field: &Field, here: bool) {
    let glyphs = canvas.theme.glyphs;
    let name = if field.name.is_empty() { "more" } else { field.name };
    let pointer = if here { glyphs.pointer } else { " " };
    let prompt = Rich::of(Token::Focus, pointer)
        .put(if here { Token::Key } else { Token::Text }, format!(" {name}"))
        .pad_to(NAME);
    let said = field.line.text();
    let room = usize::from(place.width);
    let now = match (field.name, field.now.as_str()) {
        (_, "") => String::new(),
        ("", example) => format!("  {example}"),
        (_, now) => format!("  now {now}"),
    };
    // Beside what is typed stands what it is now, where there is room for both.
    let used = NAME + text::width(&text::visible(said)).max(12);
    let now = text::cut(&text::visible(&now), room.saturating_sub(used + 2), glyphs.ellipsis);
    let after = Rich::of(Token::Muted, now);
    match here {
        true => typed(canvas, place, prompt, &field.line, after),
        false => {
            let left = room.saturating_sub(NAME + after.width() + 1);
            let shown = text::cut(&text::visible(said), left, glyphs.ellipsis);
            let line = prompt.put(Token::Strong, shown);
            let line = line.pad_to(room.saturating_sub(after.width())).join(after);
            canvas.line(place, 0, line);
        }
    }
}
