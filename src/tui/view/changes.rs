//! Screens 3 and 4: both sides by argument, parameter and field, with the cause of each.
//!
//! ```text
//! ┌ Launch · 1 changed ──────────────────────────────────── against the pod without annotations ┐
//! │ VM                                                                           │
//! │ ▸ ~ -m 2048M→4096M,slots=10,maxmem=…             default_memory +3 annotation │
//! │   ⋯ 12 equal; Enter unfolds                                                  │
//! └──────────────────────────────────────────────────────────────────────────────┘
//! ```

use crate::answer::effective::Origin;
use crate::answer::launch::Cause;
use crate::diff::Kind;
use crate::diff::argv::Piece;
use crate::tui::model::Model;
use crate::tui::model::annotations::short;
use crate::tui::model::row::ChangeRow;
use crate::tui::theme::{Preset, Token};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

use super::annotations::origin_words;

fn mark(canvas: &Canvas<'_>, kind: Kind) -> (Token, &'static str) {
    match kind {
        Kind::Same => (Token::Muted, " "),
        Kind::Moved => (Token::Changed, canvas.theme.glyphs.moved),
        Kind::Changed => (Token::Changed, "~"),
        Kind::Added => (Token::Added, "+"),
        Kind::Removed => (Token::Removed, "-"),
    }
}

/// The most columns that an equal piece may take, so that what differs is in sight: shorter ones leave
/// their part to longer ones. `beside` is what a differing piece takes beside its text.
fn equal_share<'p>(pieces: impl Iterator<Item = &'p Piece>, beside: usize, room: usize) -> usize {
    let mut left = room;
    let mut equal: Vec<usize> = Vec::new();
    for piece in pieces {
        let width = text::width(&text::visible(&piece.text));
        if piece.kind == Kind::Same {
            equal.push(width);
        } else {
            left = left.saturating_sub(width + beside);
        }
    }
    equal.sort_unstable();
    let count = equal.len();
    for (at, width) in equal.into_iter().enumerate() {
        let share = left / (count - at);
        if width > share {
            return share.max(8);
        }
        left -= width;
    }
    usize::MAX
}

/// A changed unit in one line; an arrow stands between what was and what is, and without colours the
/// words stand in brackets. What is equal gives way so that what differs is in sight.
fn inline(canvas: &Canvas<'_>, pieces: &[Piece], room: usize) -> Rich {
    let mono = canvas.theme.preset == Preset::Mono;
    let ellipsis = canvas.theme.glyphs.ellipsis;
    let share = equal_share(pieces.iter(), if mono { 4 } else { 1 }, room);
    let mut line = Rich::new();
    let mut before = Kind::Same;
    for piece in pieces {
        if (before, piece.kind, mono) == (Kind::Removed, Kind::Added, false) {
            line.push(Token::Changed, canvas.theme.glyphs.arrow);
        }
        before = piece.kind;
        let whole = text::glimpse(&piece.text);
        let shown = text::visible(&whole);
        match (piece.kind, mono) {
            (Kind::Removed, true) => line.push(Token::RemovedWord, format!("[-{shown}-]")),
            (Kind::Added, true) => line.push(Token::AddedWord, format!("{{+{shown}+}}")),
            (Kind::Removed, false) => line.push(Token::RemovedWord, shown),
            (Kind::Added, false) => line.push(Token::AddedWord, shown),
            _ => line.push(Token::Text, text::cut_middle(&shown, share, ellipsis)),
        }
    }
    line
}

/// One side of a changed unit, whole.
fn side(pieces: &[Piece], wanted: Kind) -> Rich {
    let mut line = Rich::new();
    for piece in of_side(pieces, wanted) {
        line.push(word_token(piece.kind), text::excerpt(&piece.text));
    }
    line
}

/// One side of a changed unit in `room` columns. What is equal gives way so that what differs is in
/// sight, and by as much on both sides, so that they still stand beside each other.
fn side_in(canvas: &Canvas<'_>, pieces: &[Piece], wanted: Kind, room: usize) -> Rich {
    let share = |kind| equal_share(of_side(pieces, kind), 0, room);
    let share = share(Kind::Removed).min(share(Kind::Added));
    let mut line = Rich::new();
    for piece in of_side(pieces, wanted) {
        let whole = text::glimpse(&piece.text);
        let shown = text::visible(&whole);
        if piece.kind == Kind::Same {
            line.push(Token::Text, text::cut_middle(&shown, share, canvas.theme.glyphs.ellipsis));
        } else {
            line.push(word_token(piece.kind), shown);
        }
    }
    line
}

fn of_side(pieces: &[Piece], wanted: Kind) -> impl Iterator<Item = &Piece> {
    pieces.iter().filter(move |piece| piece.kind == wanted || piece.kind == Kind::Same)
}

fn word_token(kind: Kind) -> Token {
    match kind {
        Kind::Added => Token::AddedWord,
        Kind::Removed => Token::RemovedWord,
        Kind::Same | Kind::Moved | Kind::Changed => Token::Text,
    }
}

pub(super) fn row(canvas: &Canvas<'_>, model: &Model, row: &ChangeRow, width: usize) -> Rich {
    let (token, sign) = mark(canvas, row.kind);
    let indent = "  ".repeat(row.depth.min(12));
    let head = Rich::of(token, format!("{sign} ")).put(Token::Text, &indent);
    if model.side_by_side && width >= 70 {
        return beside(canvas, row, head, width);
    }
    let room = if width >= 56 { (width / 3).min(38) } else { 0 };
    let cause = cause_words(model, &row.cause, room, canvas.theme.glyphs.ellipsis);
    let left = width.saturating_sub(head.width() + text::width(&cause) + usize::from(!cause.is_empty()));
    let body = match row.kind {
        Kind::Changed => inline(canvas, &row.pieces, left),
        Kind::Added => Rich::of(Token::Added, text::glimpse(&row.text.candidate)),
        Kind::Removed => Rich::of(Token::Removed, text::glimpse(&row.text.baseline)),
        Kind::Moved => Rich::of(Token::Changed, text::glimpse(&row.text.candidate)),
        Kind::Same => Rich::of(Token::Text, text::glimpse(&row.text.candidate)),
    };
    let body = head.join(body.cut(left, canvas.theme.glyphs.ellipsis));
    if cause.is_empty() {
        return body;
    }
    body.pad_to(width.saturating_sub(text::width(&cause))).put(Token::Origin, cause)
}

/// What stands on either side.
pub(super) fn heading(canvas: &Canvas<'_>, model: &Model, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    // As the rows below: a pointer and a mark come first.
    let room = width.saturating_sub(2 + 2 + 3) / 2;
    let old =
        text::cut(&format!("baseline: {}", text::visible(&model.baseline_words())), room, glyphs.ellipsis);
    let new = model.pods.get(model.pod).map_or_else(|| "no pod".to_owned(), |entry| entry.pod.id());
    let new = text::cut(&text::visible(&new), room, glyphs.ellipsis);
    Rich::of(Token::Text, "    ")
        .put(Token::Muted, old)
        .pad_to(4 + room)
        .put(Token::Border, format!(" {} ", glyphs.bar))
        .put(Token::Muted, new)
}

fn beside(canvas: &Canvas<'_>, row: &ChangeRow, head: Rich, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let room = width.saturating_sub(head.width() + 3) / 2;
    let (left, right) = match row.kind {
        Kind::Changed => (
            side_in(canvas, &row.pieces, Kind::Removed, room),
            side_in(canvas, &row.pieces, Kind::Added, room),
        ),
        Kind::Removed => (Rich::of(Token::Removed, &row.text.baseline), Rich::new()),
        Kind::Added => (Rich::new(), Rich::of(Token::Added, &row.text.candidate)),
        Kind::Moved => {
            (Rich::of(Token::Changed, &row.text.baseline), Rich::of(Token::Changed, &row.text.candidate))
        }
        Kind::Same => (
            Rich::of(Token::Text, text::excerpt(&row.text.baseline)),
            Rich::of(Token::Text, text::excerpt(&row.text.candidate)),
        ),
    };
    let start = head.width();
    head.join(left.cut(room, glyphs.ellipsis))
        .pad_to(start + room)
        .put(Token::Border, format!(" {} ", glyphs.bar))
        .join(right.cut(room, glyphs.ellipsis))
}

/// Why an argument is there, in a few words; the key's name is whole where there is room for it.
fn cause_words(model: &Model, cause: &Cause, room: usize, ellipsis: &str) -> String {
    let cut = |words: &str| text::cut(&text::visible(words), room, ellipsis);
    let Some(key) = cause.keys.first() else { return cut(&cause.rule) };
    let name = key.rsplit('.').next().unwrap_or(key);
    let origin = model.shown().effective.as_ref().and_then(|e| e.get(key)).map(|v| &v.origin);
    let from = match origin {
        Some(Origin::Annotation(_)) => " annotation".to_owned(),
        Some(Origin::File(place)) if place.line == 0 => format!(" {}", place.file),
        Some(Origin::File(place)) => format!(" :{}", place.line),
        Some(Origin::Derived(rule)) => format!(" {rule}"),
        Some(Origin::Default) => " default".to_owned(),
        None => String::new(),
    };
    let more = if cause.keys.len() > 1 { format!(" +{}", cause.keys.len() - 1) } else { String::new() };
    if let Some(Origin::File(_)) = origin {
        // A line is short, and the last to give way.
        let left = room.saturating_sub(text::width(&more) + text::width(&from));
        return match left {
            0..4 => cut(from.trim_start()),
            left => format!("{}{more}{from}", text::cut_middle(&text::visible(name), left, ellipsis)),
        };
    }
    cut(&format!("{name}{more}{from}"))
}

pub(super) fn detail(canvas: &Canvas<'_>, model: &Model, row: &ChangeRow) -> (Rich, Vec<Rich>) {
    let mut lines = Vec::new();
    let (token, sign) = mark(canvas, row.kind);
    let failure = model.baseline_failure();
    let word = match row.kind {
        Kind::Same if failure.is_some() => "not compared: there is no baseline",
        Kind::Same => "the same on both sides",
        Kind::Moved => "the same, at another place",
        Kind::Changed => "changed",
        Kind::Added => "only with this pod",
        Kind::Removed => "only in the baseline",
    };
    lines.push(Rich::of(token, format!("{sign} {word}")));
    if let Some(failure) = failure {
        lines.push(
            Rich::of(
                Token::Refused,
                format!("{} is refused at {}: ", model.baseline_words(), failure.stage.as_str()),
            )
            .put(Token::Text, text::excerpt(&failure.message.replace('\n', " "))),
        );
        lines.push(Rich::new());
    }
    if !row.text.candidate.is_empty() {
        let shown = if row.kind == Kind::Changed {
            side(&row.pieces, Kind::Added)
        } else {
            Rich::of(Token::Text, text::excerpt(&row.text.candidate))
        };
        lines.push(shown);
    }
    if !row.text.baseline.is_empty() && row.kind != Kind::Same {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, format!("in the baseline ({})", model.baseline_words())));
        let shown = if row.kind == Kind::Changed {
            side(&row.pieces, Kind::Removed)
        } else {
            Rich::of(Token::Text, text::excerpt(&row.text.baseline))
        };
        lines.push(shown);
    }
    lines.push(Rich::new());
    lines.push(Rich::of(Token::Heading, "why it is there"));
    if row.cause.keys.is_empty() && row.cause.rule.is_empty() {
        lines.push(Rich::of(Token::Text, "the runtime always sends it"));
    }
    if !row.cause.rule.is_empty() {
        lines.push(Rich::of(Token::Text, row.cause.rule.as_ref()));
    }
    for key in row.cause.keys.iter() {
        lines.push(Rich::of(Token::Strong, short(key)));
        match model.shown().effective.as_ref().and_then(|e| e.get(key)) {
            Some(value) => lines.push(
                Rich::of(
                    Token::Text,
                    format!("  {}", text::visible(&crate::tui::model::plain(&value.value))),
                )
                .put(Token::Origin, format!("  {}", origin_words(value))),
            ),
            None => lines.push(Rich::of(Token::Muted, "  not among the effective keys")),
        }
    }
    let title = if row.text.candidate.is_empty() { &row.text.baseline } else { &row.text.candidate };
    let title = title.split([' ', '=']).next().unwrap_or_default();
    (Rich::of(Token::Title, title), lines)
}

/// What the title says of the differences, in words or, where those are too long, in signs.
pub(super) fn summary(canvas: &Canvas<'_>, model: &Model, short: bool) -> String {
    use crate::tui::model::row::Body;
    if model.baseline_failure().is_some() {
        return "nothing to compare with".into();
    }
    let mut counts = [0_usize; 4];
    for row in &model.rows.shown {
        if let Body::Change(change) = &row.body {
            match change.kind {
                Kind::Same => {}
                Kind::Changed => counts[0] += 1,
                Kind::Added => counts[1] += 1,
                Kind::Removed => counts[2] += 1,
                Kind::Moved => counts[3] += 1,
            }
        }
    }
    let words = [
        (Kind::Changed, "changed"),
        (Kind::Added, "added"),
        (Kind::Removed, "removed"),
        (Kind::Moved, "moved"),
    ];
    let part = |(count, (kind, word)): (&usize, (Kind, &str))| match short {
        true => format!("{}{count}", mark(canvas, kind).1),
        false => format!("{count} {word}"),
    };
    let parts: Vec<String> = counts.iter().zip(words).filter(|(n, _)| **n > 0).map(part).collect();
    if parts.is_empty() { "no difference".into() } else { parts.join(if short { " " } else { ", " }) }
}
