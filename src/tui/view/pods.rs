//! Screen 6: every pod with its outcome, problems first once all are known.

use crate::answer::verdict::{FailureStage, Status};
use crate::input::manifest::Sizing;
use crate::tui::model::Model;
use crate::tui::model::annotations::short;
use crate::tui::model::pods::{Elsewhere, STATUSES};
use crate::tui::theme::{Token, status_token};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

const OUTCOME: usize = 12;
const COUNTS: usize = 16;

/// Columns of the handlers' names: none where one configuration judges all.
fn handler_width(model: &Model, width: usize) -> usize {
    if model.handler.is_none() {
        return 0;
    }
    let handlers = model.node.node().handlers();
    let longest = handlers.iter().map(|handler| text::width(&handler.name)).max().unwrap_or(0) + 1;
    longest.min((width / 4).max(10))
}

fn name_width(width: usize) -> usize {
    (width.saturating_sub(OUTCOME + COUNTS) * 3 / 5).clamp(18, 60)
}

pub(super) fn heading(_canvas: &Canvas<'_>, model: &Model, width: usize) -> Rich {
    let handler = handler_width(model, width.saturating_sub(2));
    let name = name_width(width.saturating_sub(2 + handler));
    let mut line = Rich::of(Token::Text, "  ")
        .put(Token::Muted, "outcome")
        .pad_to(2 + OUTCOME)
        .put(Token::Muted, "pod")
        .pad_to(2 + OUTCOME + name);
    if handler > 0 {
        line = line.put(Token::Muted, "handler").pad_to(2 + OUTCOME + name + handler);
    }
    line.put(Token::Muted, "annotations")
        .pad_to(2 + OUTCOME + name + handler + COUNTS)
        .put(Token::Muted, "why")
}

pub(super) fn row(canvas: &Canvas<'_>, model: &Model, index: usize, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let Some(entry) = model.pods.get(index) else { return Rich::new() };
    let summary = model.sweep.get(index);
    let handler = handler_width(model, width);
    let name = name_width(width.saturating_sub(handler));
    let mut line = match summary {
        None => Rich::of(Token::Muted, glyphs.fold),
        Some(s) if s.refused.is_some() => Rich::of(Token::Refused, format!("{} refused", glyphs.fail)),
        Some(s) if s.elsewhere.is_none() && !s.assumed.is_empty() => {
            Rich::of(Token::Open, format!("{} starts", glyphs.assumed))
        }
        Some(s) if s.elsewhere == Some(Elsewhere::NotKata) => Rich::of(Token::Muted, "  not Kata"),
        Some(s) if s.elsewhere == Some(Elsewhere::Unknown) => Rich::of(Token::Open, "? unknown"),
        Some(_) => Rich::of(Token::Allowed, format!("{} starts", glyphs.pass)),
    };
    line = line.pad_to(OUTCOME);
    let mut room = name.saturating_sub(1);
    if model.marked == Some(index) {
        line.push(Token::Open, format!("{} ", glyphs.baseline));
        room = room.saturating_sub(2);
    }
    let token = if index == model.pod { Token::Strong } else { Token::Text };
    line.push(token, text::cut_middle(&text::visible(&entry.id), room, glyphs.ellipsis));
    line = line.pad_to(OUTCOME + name);
    if handler > 0 {
        let shown = entry.handler.as_deref().unwrap_or("?");
        let token = if entry.kata { Token::Text } else { Token::Muted };
        line.push(token, text::cut_middle(&text::visible(shown), handler - 1, glyphs.ellipsis));
        line = line.pad_to(OUTCOME + name + handler);
    }
    if let Some(summary) = summary.filter(|summary| summary.elsewhere.is_none()) {
        for (status, count) in STATUSES.iter().zip(summary.counts).filter(|(_, n)| *n > 0) {
            line.push(status_token(*status), format!("{}{count} ", canvas.theme.status_glyph(*status)));
        }
        line = line.pad_to(OUTCOME + name + handler + COUNTS);
        if let Some((stage, message)) = &summary.refused {
            line.push(Token::Muted, format!("{stage}: "));
            line.push(Token::Text, message);
        }
    }
    line
}

pub(super) fn detail(canvas: &Canvas<'_>, model: &Model, index: usize) -> (Rich, Vec<Rich>) {
    let glyphs = canvas.theme.glyphs;
    let Some(entry) = model.pods.get(index) else { return (Rich::new(), Vec::new()) };
    let pod = &entry.pod;
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(Rich::of(Token::Heading, format!("{name} ")).put(Token::Text, value));
        }
    };
    fact("kind", pod.kind.clone());
    fact("namespace", pod.namespace.clone());
    fact("runtime class", pod.runtime_class.clone().unwrap_or_default());
    fact(
        "handler",
        entry.handler.as_deref().map(|name| text::visible(name).into_owned()).unwrap_or_default(),
    );
    if !pod.source.file.is_empty() {
        fact("from", format!("{}:{} (document {})", pod.source.file, pod.source.line, pod.source.document));
    }
    if let Some(sizing) = pod.sizing {
        fact("size", size_words(&sizing));
    }
    if let Some(summary) = model.sweep.get(index) {
        lines.push(Rich::new());
        match &summary.refused {
            Some((stage, message)) => {
                lines.push(Rich::of(Token::Refused, format!("{} refused at {stage}", glyphs.fail)));
                // Of Kubernetes' complaints all are known, of the others the first line.
                if *stage == FailureStage::Kubernetes.as_str() && !pod.problems.is_empty() {
                    let texts = pod.problems.iter().flat_map(|problem| problem.message.lines());
                    lines.extend(texts.map(|text| Rich::of(Token::Text, text)));
                } else {
                    lines.push(Rich::of(Token::Text, message));
                }
            }
            None => lines.push(match summary.elsewhere {
                None if !summary.assumed.is_empty() => {
                    Rich::of(Token::Open, format!("{} starts, if what is assumed holds", glyphs.assumed))
                }
                None => Rich::of(Token::Allowed, format!("{} starts", glyphs.pass)),
                Some(Elsewhere::NotKata) => Rich::of(Token::Text, "another runtime than Kata serves it"),
                Some(Elsewhere::Unknown) => Rich::of(Token::Open, "nothing given says where it would run"),
            }),
        }
        for (status, count) in
            STATUSES.iter().zip(summary.counts).filter(|(_, n)| *n > 0 && summary.elsewhere.is_none())
        {
            lines.push(
                Rich::of(status_token(*status), format!("{} ", canvas.theme.status_glyph(*status)))
                    .put(Token::Text, format!("{count} {}", words(*status))),
            );
        }
    }
    let assumed = model.sweep.get(index).map(|summary| &*summary.assumed).unwrap_or_default();
    if !assumed.is_empty() {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, "assumed").put(Token::Hint, ": nobody has looked at this host"));
        lines.extend(assumed.iter().map(|what| {
            Rich::of(Token::Open, format!("{} ", glyphs.assumed)).put(Token::Text, what.to_string())
        }));
    }
    if !pod.annotations.is_empty() {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, "annotations"));
        for annotation in &pod.annotations {
            lines.push(
                Rich::of(Token::Text, format!("{}: ", short(&annotation.key)))
                    .put(Token::Origin, format!("\"{}\"", text::visible(&text::excerpt(&annotation.value)))),
            );
        }
    }
    (Rich::of(Token::Title, pod.id()), lines)
}

/// The sandbox's size as a person reads it.
fn size_words(sizing: &Sizing) -> String {
    let cpu = match (sizing.cpu_quota, sizing.cpu_period) {
        (1.., 1..) => {
            // Display only: three digits are exact enough.
            let millis = sizing.cpu_quota as u128 * 1_000 / u128::from(sizing.cpu_period);
            format!("{}.{:03} CPUs", millis / 1_000, millis % 1_000)
        }
        _ => "no CPU limit".to_owned(),
    };
    let memory = match sizing.memory_limit {
        1.. => format!("{} MiB", sizing.memory_limit / (1 << 20)),
        _ => "no memory limit".to_owned(),
    };
    format!("{cpu}, {memory}")
}

/// What became of one annotation, in words.
pub(super) fn fate(status: Status) -> &'static str {
    match status {
        Status::Applied => "that takes effect",
        Status::Overridden => "that a later step replaces",
        Status::Ignored => "that the runtime reads past",
        Status::Refused => "that makes the pod fail",
        Status::Dropped => "that the container runtime does not pass on",
        Status::Invalid => "that Kubernetes does not accept",
        Status::Unknown => "that this runtime does not know",
    }
}

fn words(status: Status) -> &'static str {
    match status {
        Status::Applied => "applied",
        Status::Overridden => "applied, then replaced",
        Status::Ignored => "ignored by the runtime",
        Status::Refused => "that make the pod fail",
        Status::Dropped => "not passed on by the container runtime",
        Status::Invalid => "that Kubernetes does not accept",
        Status::Unknown => "that this runtime does not know",
    }
}
