//! Screen 1.
//!
//! ```text
//! ┌ Annotations · 9 ─────────────────────────────────────┐┌ path ──────────────────────┐
//! │   annotation        becomes      pod says   in effect ││ what it does               │
//! │ set by this pod                                       ││ ✗ refused at value         │
//! │ ▸ path              ✗ refused    "/tmp/q…"  /usr/bin… ││ why, and what would help   │
//! │   default_memory    ✓ applied    "4096"     4096      ││ the steps it passed        │
//! └───────────────────────────────────────────────────────┘└────────────────────────────┘
//! ```

use crate::answer::effective::{EffectiveValue, Origin};
use crate::answer::verdict::{Fix, Status, Verdict};
use crate::catalog::{Gate, Reader};
use crate::input::Place;
use crate::tui::message::Command;
use crate::tui::model::annotations::{field_of, known, short, unset_word, used};
use crate::tui::model::row::AnnotationRow;
use crate::tui::model::{Model, plain as json};
use crate::tui::theme::{Token, status_token};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Columns of a sentence in the detail: some repeat the value, which may be long.
const BRIEF: usize = 240;

/// The columns' widths; 0: left out.
pub(super) struct Columns {
    name: usize,
    status: usize,
    value: usize,
    effect: usize,
}

/// How `width` is shared; columns give way in an order, the name last.
pub(super) fn columns(width: usize) -> Columns {
    let status = 14;
    let rest = width.saturating_sub(2 + status);
    if width < 56 {
        return Columns { name: rest, status, value: 0, effect: 0 };
    }
    if width < 66 {
        let value = 12;
        return Columns { name: rest - value, status, value, effect: 0 };
    }
    // Most names fit; what a pod says is seldom as long as what comes of it with the line it stands in.
    let name = rest.saturating_sub(28).clamp(16, 32);
    let both = rest - name;
    let value = (both * 2 / 5).max(13).min(both);
    Columns { name, status, value, effect: both - value }
}

impl Columns {
    pub(super) fn heading(&self) -> Rich {
        let mut line = Rich::of(Token::Text, "  ").put(Token::Muted, "annotation").pad_to(2 + self.name);
        line.push(Token::Muted, "becomes");
        line = line.pad_to(2 + self.name + self.status);
        if self.value > 0 {
            line.push(Token::Muted, "the pod says");
        }
        line = line.pad_to(2 + self.name + self.status + self.value);
        if self.effect > 0 {
            line.push(Token::Muted, "in effect");
        }
        line
    }
}

pub(super) fn row(canvas: &Canvas<'_>, model: &Model, row: &AnnotationRow, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let columns = columns(width + 2);
    let verdict = row.verdict.and_then(|i| model.evaluation.verdicts.get(i));
    let mut line = Rich::new();
    let mut room = columns.name.saturating_sub(1);
    if row.tried {
        line.push(Token::Dirty, "e ");
        room = room.saturating_sub(2);
    }
    line.push(
        Token::Text,
        text::cut_middle(&text::visible(&text::glimpse(short(&row.key))), room, glyphs.ellipsis),
    );
    line = line.pad_to(columns.name);
    if let Some(verdict) = verdict {
        let (token, sign) = match model.evaluation.assumed_for(verdict) {
            None => (status_token(verdict.status), canvas.theme.status_glyph(verdict.status)),
            Some(_) => (Token::Open, glyphs.assumed),
        };
        line.push(token, format!("{sign} {}", verdict.status.as_str()));
    } else if let Some((_, reader)) = known(model, &row.key) {
        let (token, sign, word) = gate_word(canvas, model, row, reader);
        line.push(token, format!("{sign} {word}"));
    }
    line = line.pad_to(columns.name + columns.status);
    if columns.value > 0 && verdict.is_none() {
        let kind = known(model, &row.key).and_then(|(_, reader)| reader.kind);
        line.push(Token::Muted, kind.map_or("", |k| k.as_str()));
    }
    if columns.value > 0
        && let Some(verdict) = verdict
    {
        let shown = text::visible(&text::glimpse(&verdict.value)).into_owned();
        let shown =
            format!("\"{}\"", text::cut_middle(&shown, columns.value.saturating_sub(3), glyphs.ellipsis));
        line.push(Token::Text, shown);
    }
    line = line.pad_to(columns.name + columns.status + columns.value);
    if columns.effect > 0
        && let Some((value, origin)) = effect(model, row, verdict)
    {
        // The value comes first; its origin takes what is left.
        let room = columns.effect.saturating_sub(1);
        let least = text::width(&value).min(room.max(8) * 2 / 3);
        let left = room.saturating_sub(least + 1);
        let origin = text::cut(&text::visible(&origin), left, glyphs.ellipsis);
        let room = if left < 3 { room } else { room.saturating_sub(text::width(&origin) + 1) };
        line.push(Token::Text, text::cut_middle(&text::visible(&value), room, glyphs.ellipsis));
        if !origin.is_empty() && left >= 3 {
            line.push(Token::Origin, format!(" {origin}"));
        }
    }
    line
}

/// The value in effect and a word about where it comes from.
fn effect(model: &Model, row: &AnnotationRow, verdict: Option<&Verdict>) -> Option<(String, String)> {
    if verdict.is_some_and(|v| refuses(v.status)) {
        return None;
    }
    let field = field(model, row, verdict);
    let effective = field.as_deref().and_then(|f| model.evaluation.effective.as_ref()?.get(f).cloned());
    match (effective, verdict) {
        (Some(found), _) => {
            let origin = match &found.origin {
                Origin::Annotation(_) => String::new(),
                Origin::Default => "default".into(),
                Origin::File(place) if place.line == 0 => place.file.to_string(),
                Origin::File(place) => format!(":{}", place.line),
                Origin::Derived(rule) => rule.to_string(),
            };
            Some((text::glimpse(&json(&found.value)).into_owned(), origin))
        }
        (None, Some(verdict)) => {
            Some((text::glimpse(&json(verdict.after.as_ref()?)).into_owned(), String::new()))
        }
        (None, None) => None,
    }
}

/// Whether nothing takes effect because of it: its pod does not start.
fn refuses(status: Status) -> bool {
    matches!(status, Status::Refused | Status::Invalid)
}

/// The configuration key that an annotation sets.
fn field(model: &Model, row: &AnnotationRow, verdict: Option<&Verdict>) -> Option<String> {
    match verdict.and_then(|v| v.field.as_ref()) {
        Some(field) => Some(field.to_string()),
        None => field_of(model, known(model, &row.key)?.1),
    }
}

/// A place by the file's name alone; the whole path is what `Y` copies and `E` opens.
pub(super) fn short_place(place: &Place) -> String {
    let name = place.file.rsplit('/').next().unwrap_or_default();
    if place.line == 0 { name.to_owned() } else { format!("{name}:{}", place.line) }
}

/// Where an effective value comes from, in words.
pub(super) fn origin_words(value: &EffectiveValue) -> String {
    match &value.origin {
        Origin::Default => "the runtime's default".into(),
        Origin::File(place) => short_place(place),
        Origin::Annotation(key) => format!("annotation {}", short(key)),
        Origin::Derived(rule) => format!("computed: {rule}"),
    }
}

pub(super) fn detail(canvas: &Canvas<'_>, model: &Model, row: &AnnotationRow) -> (Rich, Vec<Rich>) {
    let title = Rich::of(Token::Title, short(&row.key));
    let mut lines = Vec::new();
    let verdict = row.verdict.and_then(|i| model.evaluation.verdicts.get(i));
    if let Some(failure) = model.evaluation.outcome.failure().filter(|f| f.annotation.is_none()) {
        lines.push(Rich::of(
            Token::Refused,
            format!("{} the pod is refused at {}", canvas.theme.glyphs.fail, failure.stage.as_str()),
        ));
        lines.extend(failure.message.lines().map(|l| Rich::of(Token::Text, text::excerpt(l))));
        lines.push(Rich::new());
    }
    if let Some(verdict) = verdict {
        verdict_lines(canvas, model, verdict, &mut lines);
    }
    about(model, row, &mut lines);
    (title, lines)
}

/// A word for what stands between pods and an annotation that is not set.
fn gate_word(
    canvas: &Canvas<'_>,
    model: &Model,
    row: &AnnotationRow,
    reader: &Reader,
) -> (Token, &'static str, &'static str) {
    let glyphs = canvas.theme.glyphs;
    let word = unset_word(model, row.allowed, reader);
    match word {
        "not known" => (Token::Muted, glyphs.unknown, word),
        "open" | "allowed" => (Token::Open, glyphs.dot, word),
        _ => (Token::Muted, " ", word),
    }
}

/// What the catalogue knows of it.
fn about(model: &Model, row: &AnnotationRow, lines: &mut Vec<Rich>) {
    let mut fact = |name: &str, token: Token, text: String| {
        lines.push(Rich::of(Token::Heading, format!("{name} ")).put(token, text));
    };
    let Some((annotation, reader)) = known(model, &row.key) else {
        lines.push(Rich::of(Token::Muted, &row.key));
        return;
    };
    fact("about", Token::Text, annotation.summary.to_owned());
    if let Some(note) = annotation.note {
        fact("note", Token::Text, note.to_owned());
    }
    fact("risk", Token::Risk, format!("{}: {}", annotation.risk.as_str(), annotation.risk.describe()));
    if let Some(kind) = reader.kind {
        let unit = reader.unit.map_or(String::new(), |u| format!(", {u}"));
        fact("type", Token::Text, format!("{}{unit}", kind.describe()));
    }
    if let Some(parse) = reader.parse {
        fact("written as", Token::Text, parse.describe().to_owned());
    }
    if !reader.choices.is_empty() {
        fact("words", Token::Text, reader.choices.join(", "));
    }
    match (reader.min, reader.max) {
        (Some(min), Some(max)) => fact("range", Token::Text, format!("{min} to {max}")),
        (Some(min), None) => fact("least", Token::Text, min.to_string()),
        (None, Some(max)) => fact("most", Token::Text, max.to_string()),
        (None, None) => {}
    }
    match reader.gate {
        Gate::None => fact("checked by", Token::Open, "no list: whoever may create pods may set it".into()),
        Gate::Name => fact("checked by", Token::Text, "enable_annotations, which must match its name".into()),
        Gate::NameAndValue(list) => {
            fact("checked by", Token::Text, format!("enable_annotations by its name, {list} by its value"));
        }
    }
    if let Some(bad) = reader.bad {
        fact("if bad", Token::Text, bad.describe().to_owned());
    }
    if !used(model, reader) {
        let hypervisor = model.seat.current.hypervisor().unwrap_or_default();
        fact("used by", Token::Overridden, format!("{}; not by {hypervisor}", reader.hypervisors.join(", ")));
    }
    if row.verdict.is_none()
        && let Some(field) = field_of(model, reader)
    {
        fact("sets", Token::Text, field.clone());
        if let Some(value) = model.evaluation.effective.as_ref().and_then(|e| e.get(&field)) {
            lines.push(
                Rich::of(Token::Heading, "in effect ")
                    .put(Token::Strong, text::excerpt(&json(&value.value)))
                    .put(Token::Origin, format!("  {}", origin_words(value))),
            );
        }
    }
    let read_by: Vec<String> = crate::release::Release::STOPS
        .into_iter()
        .filter(|g| annotation.reader(*g).read)
        .map(|g| g.id())
        .collect();
    let mut fact = |name: &str, token: Token, text: String| {
        lines.push(Rich::of(Token::Heading, format!("{name} ")).put(token, text));
    };
    fact(
        "read by",
        Token::Text,
        if read_by.is_empty() { "none of the runtimes known here".into() } else { read_by.join(", ") },
    );
    fact("key", Token::Muted, row.key.clone());
}

/// What became of it, why, what would help, and the steps.
fn verdict_lines(canvas: &Canvas<'_>, model: &Model, verdict: &Verdict, lines: &mut Vec<Rich>) {
    let glyphs = canvas.theme.glyphs;
    let brief = |said: &str| text::cut_middle(&text::visible(said), BRIEF, glyphs.ellipsis);
    let token = status_token(verdict.status);
    let sign = canvas.theme.status_glyph(verdict.status);
    lines.push(Rich::of(token, format!("{sign} {}", verdict.status.as_str())));
    if let Some(assumed) = model.evaluation.assumed_for(verdict) {
        let text = format!("{} if {}: nobody has looked", glyphs.assumed, brief(&assumed.to_string()));
        lines.push(Rich::of(Token::Open, text));
    }
    let reason = verdict.reason();
    if !reason.is_empty() {
        lines.push(Rich::of(Token::Text, brief(&reason)));
    }
    if let Some(fix) = &verdict.fix {
        let key = model.keymap.chord_for(&model.layers_of(model.screen), Command::Allow);
        let mut line = Rich::of(Token::Heading, "fix ");
        match (&**fix, key) {
            (Fix::Allow { .. }, Some(key)) => line.push(Token::Key, format!("{key} ")),
            (Fix::Value(_), _) => line.push(Token::Key, "e "),
            _ => {}
        }
        line.push(Token::Text, fix.to_string());
        lines.push(line);
    }
    lines.push(Rich::new());
    lines.push(
        Rich::of(Token::Heading, "the pod says ")
            .put(Token::Text, format!("\"{}\"", text::visible(&text::opening(&verdict.value)))),
    );
    if let Some(annotation) = model.tried.annotations.iter().find(|a| a.key == verdict.key) {
        lines.push(Rich::of(Token::Heading, "  at ").put(Token::Origin, annotation.place.to_string()));
    }
    if let Some(field) = &verdict.field {
        lines.push(Rich::of(Token::Heading, "sets ").put(Token::Text, field));
        if let Some(before) = &verdict.before {
            lines
                .push(Rich::of(Token::Heading, "without it ").put(Token::Text, text::opening(&json(before))));
        }
        let effective = model.evaluation.effective.as_ref().and_then(|e| e.get(field));
        if refuses(verdict.status) {
            // The pod does not start: nothing is in effect.
        } else if let Some(value) = effective {
            lines.push(
                Rich::of(Token::Heading, "in effect ")
                    .put(Token::Strong, text::opening(&json(&value.value)))
                    .put(Token::Origin, format!("  {}", origin_words(value))),
            );
        } else if let Some(after) = &verdict.after {
            lines
                .push(Rich::of(Token::Heading, "in effect ").put(Token::Strong, text::opening(&json(after))));
        }
    }
    if !verdict.trace.is_empty() {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, "how it was decided"));
        for step in verdict.trace.iter() {
            let (token, sign) = if step.passed {
                (Token::Allowed, glyphs.pass)
            } else {
                (status_token(verdict.status), canvas.theme.status_glyph(verdict.status))
            };
            let mut line = Rich::of(token, format!("{sign} {}", step.stage.title())).pad_to(20);
            line.push(Token::Text, format!(" {}", brief(&step.note.text())));
            if let Some(place) = &step.place {
                line.push(Token::Origin, format!("  {}", short_place(place)));
            }
            lines.push(line);
        }
    }
    lines.push(Rich::new());
}
