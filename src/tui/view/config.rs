//! Screen 5: every effective key with its value and origin; the detail shows the file around it.

use crate::answer::Place;
use crate::answer::effective::Origin;
use crate::catalog;
use crate::tui::model::row::KeyRow;
use crate::tui::model::{Model, plain};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

use super::annotations::origin_words;

/// Lines of the file shown before and after the key.
const AROUND: u32 = 4;

/// Columns without which a value says nothing.
const LEAST_OF_VALUE: usize = 14;
/// The same of where it comes from.
const LEAST_OF_ORIGIN: usize = 11;

/// A place in `room` columns: of the file's name what there is room for, of the line all.
fn file_and_line(place: &Place, room: usize, ellipsis: &str) -> String {
    let file = place.file.rsplit('/').next().unwrap_or_default();
    let line = if place.line == 0 { String::new() } else { format!(":{}", place.line) };
    let left = room.saturating_sub(line.len());
    format!("{}{line}", text::cut_middle(&text::visible(file), left, ellipsis))
}

pub(super) fn row(canvas: &Canvas<'_>, row: &KeyRow, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let name = row.key.rsplit('.').next().unwrap_or(&row.key);
    // Names are the last to give way: two of them differ in their middle alone.
    let name_width = width.saturating_sub(LEAST_OF_VALUE + LEAST_OF_ORIGIN).clamp(14, 38);
    let room = (width.saturating_sub(name_width) * 3 / 5).max(LEAST_OF_ORIGIN);
    let origin = match &row.value.origin {
        Origin::Default => "default".to_owned(),
        Origin::File(place) => file_and_line(place, room, glyphs.ellipsis),
        Origin::Annotation(_) => "annotation".to_owned(),
        Origin::Derived(rule) => text::cut(&text::visible(rule), room, glyphs.ellipsis),
    };
    let token = match &row.value.origin {
        Origin::Default => Token::Muted,
        Origin::File(_) => Token::Origin,
        Origin::Annotation(_) => Token::Changed,
        Origin::Derived(_) => Token::Overridden,
    };
    let room = width.saturating_sub(name_width + text::width(&origin) + 1);
    Rich::of(Token::Text, text::cut_middle(&text::visible(name), name_width - 1, glyphs.ellipsis))
        .pad_to(name_width)
        .put(
            Token::Text,
            text::cut_middle(&text::visible(&text::glimpse(&plain(&row.value.value))), room, glyphs.ellipsis),
        )
        .pad_to(width.saturating_sub(text::width(&origin)))
        .put(token, origin)
}

pub(super) fn detail(canvas: &Canvas<'_>, model: &Model, row: &KeyRow) -> (Rich, Vec<Rich>) {
    let mut lines = Vec::new();
    let (table, key) = row.key.rsplit_once('.').unwrap_or(("", &row.key));
    let known = catalog::config_key(table, key);
    if let Some(known) = known {
        lines.push(Rich::of(Token::Text, known.summary));
        lines.push(Rich::new());
    }
    lines
        .push(Rich::of(Token::Heading, "value ").put(Token::Strong, text::excerpt(&plain(&row.value.value))));
    lines.push(Rich::of(Token::Heading, "from ").put(Token::Origin, origin_words(&row.value)));
    if matches!(row.value.origin, Origin::Derived(_) | Origin::Annotation(_)) {
        // Where others had a say before, each is told.
        for link in model.seat.current.chain(&model.tried, model.shown(), &row.key) {
            let from = format!("  {}", link.from);
            let place = link.place.as_ref().map(|place| format!("  {}", text::visible(&place.to_string())));
            lines.push(
                Rich::of(Token::Strong, format!("  {}", text::glimpse(&link.value)))
                    .put(Token::Text, from)
                    .put(Token::Origin, place.unwrap_or_default()),
            );
        }
    }
    if let Some(reader) = known.and_then(|k| k.reader(model.seat.current.setup().release)) {
        let unit = reader.unit.map_or(String::new(), |u| format!(", {u}"));
        lines.push(
            Rich::of(Token::Heading, "type ").put(Token::Text, format!("{}{unit}", reader.kind.describe())),
        );
        if !reader.default.is_empty() {
            lines.push(Rich::of(Token::Heading, "without a file ").put(Token::Text, reader.default));
        }
        if reader.unused {
            lines.push(Rich::of(Token::Overridden, "read, and then used by nothing"));
        }
    }
    lines.push(Rich::of(Token::Heading, "key ").put(Token::Muted, &row.key));
    if let Origin::File(place) = &row.value.origin {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, format!("{}:", text::visible(&place.file))));
        let layers = &model.seat.current.setup().layers;
        if let Some(source) = layers.sources().find(|s| s.path == place.file) {
            for number in place.line.saturating_sub(AROUND).max(1)..=place.line + AROUND {
                let Some(line) = source.line(number) else { break };
                let here = number == place.line;
                let pointer = if here { canvas.theme.glyphs.pointer } else { " " };
                let token = if here { Token::Strong } else { Token::Text };
                lines.push(
                    Rich::of(Token::Focus, pointer)
                        .put(Token::Muted, format!("{number:>4} "))
                        .put(token, text::excerpt(line).replace('\t', "    ")),
                );
            }
        }
    }
    (Rich::of(Token::Title, key), lines)
}
