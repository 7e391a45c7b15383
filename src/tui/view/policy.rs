//! Screen 2: the lists, and what each entry lets in.
//!
//! ```text
//! ┌ Policy · 12 ───────────────────────────┐┌ ^path$ ─────────────────────────────┐
//! │ [hypervisor.qemu]                      ││ lets in 1 annotation                │
//! │   enable_annotations         6 entries ││ host-exec runs a chosen program     │
//! │ ▸   ^path$            1 name host-exec ││   path                              │
//! └────────────────────────────────────────┘└─────────────────────────────────────┘
//! ```

use std::collections::BTreeMap;

use crate::audit::meaning::{Meaning, Warning};
use crate::catalog::Risk;
use crate::tui::model::Model;
use crate::tui::model::row::{ListRow, PatternRow};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

pub(super) fn list_row(canvas: &Canvas<'_>, row: &ListRow, width: usize) -> Rich {
    let note = match row.entries {
        None => "set by no file".to_owned(),
        Some(0) => "empty: nothing gets in".to_owned(),
        Some(1) => "1 entry".to_owned(),
        Some(n) => format!("{n} entries"),
    };
    let room = width.saturating_sub(note.len() + 1);
    Rich::of(Token::Strong, text::cut(&text::visible(&row.id.list), room, canvas.theme.glyphs.ellipsis))
        .pad_to(room + 1)
        .put(Token::Muted, note)
}

pub(super) fn pattern_row(canvas: &Canvas<'_>, row: &PatternRow, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let mut right = Rich::new();
    if let Some(bad) = row.meaning.warnings.iter().find(|w| is_fatal(w)) {
        let word = if matches!(bad, Warning::DisablesAll(_)) { "disables the list" } else { "invalid" };
        right.push(Token::Refused, format!("{} {word}", glyphs.fail));
    } else {
        if !row.meaning.warnings.is_empty() {
            right.push(Token::Overridden, "! ");
        }
        if row.list.list == "enable_annotations" {
            let risk = row.meaning.risk();
            right.push(Token::Muted, count(row.meaning.names.len(), "name"));
            if risk != Risk::None {
                right.push(risk_token(risk), format!(" {}", risk.as_str()));
            }
        } else {
            let more = if row.meaning.more_files { "+" } else { "" };
            right.push(Token::Muted, format!("{}{more}", count(row.meaning.files.len(), "file")));
        }
    }
    let room = width.saturating_sub(right.width() + 4);
    let shown = text::cut_middle(&text::visible(&row.text), room, glyphs.ellipsis);
    let mut line = Rich::of(Token::Text, "  ").put(Token::Text, format!("\"{shown}\""));
    if let Some(comment) = &row.comment {
        let left = room.saturating_sub(line.width() + 1);
        if left > 6 {
            let comment = format!("  # {}", text::visible(comment.trim()));
            line.push(Token::Muted, text::cut(&comment, left, glyphs.ellipsis));
        }
    }
    line.pad_to(width.saturating_sub(right.width())).join(right)
}

fn is_fatal(warning: &Warning) -> bool {
    matches!(warning, Warning::Invalid(_) | Warning::DisablesAll(_) | Warning::DisabledBy(_))
}

fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

fn risk_token(risk: Risk) -> Token {
    match risk {
        Risk::HostExec | Risk::HostPath | Risk::GuestIntegrity => Token::Risk,
        _ => Token::Muted,
    }
}

pub(super) fn list_detail(model: &Model, row: &ListRow) -> (Rich, Vec<Rich>) {
    let mut lines = Vec::new();
    let about = crate::catalog::config_key(&row.id.table, &row.id.list).map(|k| k.summary);
    if let Some(about) = about {
        lines.push(Rich::of(Token::Text, about));
        lines.push(Rich::new());
    }
    match (&row.path, row.entries) {
        (Some(path), Some(n)) => {
            lines
                .push(Rich::of(Token::Heading, "set in ").put(Token::Origin, format!("{path}:{}", row.line)));
            lines.push(Rich::of(Token::Heading, "entries ").put(Token::Text, n.to_string()));
        }
        _ => {
            lines.push(Rich::of(Token::Text, "No file sets this list."));
            if let Some(path) = model.edit_path(&row.id) {
                lines.push(
                    Rich::of(Token::Text, "The first entry that is added creates it in ")
                        .put(Token::Origin, path),
                );
            }
        }
    }
    lines.push(Rich::new());
    if row.id.list == "enable_annotations" {
        lines.push(Rich::of(
            Token::Text,
            "Each entry is a regular expression, searched anywhere in the annotation's name after io.katacontainers.config.hypervisor. unless ^ and $ hold it.",
        ));
    } else {
        let gated = crate::audit::meaning::gated_by(model.seat.current.setup().release, &row.id.list);
        if !gated.is_empty() {
            let names: Vec<&str> = gated.iter().map(|a| a.base()).collect();
            lines.push(Rich::of(Token::Heading, "checks the value of ").put(Token::Text, names.join(", ")));
        }
        lines.push(Rich::of(Token::Text, "Each entry is a shell pattern for paths."));
    }
    (Rich::of(Token::Title, &row.id.list), lines)
}

pub(super) fn pattern_detail(canvas: &Canvas<'_>, row: &PatternRow) -> (Rich, Vec<Rich>) {
    let mut lines = meaning(canvas, &row.meaning, row.list.list == "enable_annotations");
    lines.push(Rich::new());
    if let Some(comment) = &row.comment {
        lines.push(Rich::of(Token::Heading, "comment ").put(Token::Text, comment.trim()));
    }
    lines.push(Rich::of(Token::Heading, "in ").put(Token::Text, row.list.to_string()));
    lines.push(Rich::of(Token::Heading, "at ").put(Token::Origin, format!("{}:{}", row.path, row.line)));
    (Rich::of(Token::Title, &row.text), lines)
}

/// What a pattern lets in, and what surprises about it.
pub(super) fn meaning(canvas: &Canvas<'_>, meaning: &Meaning, names_list: bool) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    let mut lines = Vec::new();
    for warning in &meaning.warnings {
        let (token, sign) =
            if is_fatal(warning) { (Token::Refused, glyphs.fail) } else { (Token::Overridden, "!") };
        lines.push(Rich::of(token, format!("{sign} ")).put(Token::Text, warning.to_string()));
    }
    if names_list {
        lines.push(Rich::of(Token::Heading, format!("lets in {}", count(meaning.names.len(), "annotation"))));
        // By risk, the worst first: of sixty names the three that matter must not be searched for.
        let mut by_risk: BTreeMap<Risk, Vec<&str>> = BTreeMap::new();
        for annotation in &meaning.names {
            by_risk.entry(annotation.risk).or_default().push(annotation.base());
        }
        for (risk, names) in by_risk {
            let word = if risk == Risk::None { "no risk" } else { risk.as_str() };
            lines.push(Rich::of(risk_token(risk), word).put(Token::Muted, format!(": {}", risk.describe())));
            lines.extend(names.iter().map(|name| Rich::of(Token::Text, format!("  {name}"))));
        }
    } else {
        let more = if meaning.more_files { " or more" } else { "" };
        lines.push(Rich::of(
            Token::Heading,
            format!("lets in {}{more} of this host", count(meaning.files.len(), "file")),
        ));
        for file in &meaning.files {
            lines.push(Rich::of(Token::Text, format!("  {}", text::visible(&file.path))));
        }
    }
    lines
}
