//! Screen 6: every pod with its outcome, problems first once all are known.

use crate::answer::verdict::{FailureStage, Status};
use crate::input::host::Assumption;
use crate::report::counted::counted;
use crate::tui::message::Command;
use crate::tui::model::annotations::short;
use crate::tui::model::arrange::Sort;
use crate::tui::model::pods::{Elsewhere, STATUSES, cpu_words, memory_words};
use crate::tui::model::row::{Counts, GroupRow};
use crate::tui::model::{Model, Show};
use crate::tui::theme::{Token, status_token};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

const OUTCOME: usize = 11;
const COUNTS: usize = 13;
/// Columns without which a reason says nothing.
const LEAST_OF_WHY: usize = 18;
/// Cells of an outcome bar.
const BAR: usize = 10;

/// The columns' widths; 0: left out. The name is the last to give way.
struct Columns {
    name: usize,
    handler: usize,
    counts: usize,
}

fn columns(model: &Model, width: usize) -> Columns {
    let mut left = width.saturating_sub(OUTCOME);
    let name = (model.arrangement.longest + 1).clamp(12, 64).min((left * 7 / 10).max(24)).min(left);
    left -= name;
    let mut take = |wanted: usize| {
        let fits = wanted > 0 && left >= wanted + LEAST_OF_WHY;
        left -= if fits { wanted } else { 0 };
        if fits { wanted } else { 0 }
    };
    let longest = match &model.handler {
        None => 0,
        Some(_) => {
            let handlers = model.node.node().handlers();
            handlers.iter().map(|handler| text::width(&handler.name) + 2).max().unwrap_or(0).max(10)
        }
    };
    let handler = take(longest.min(30));
    Columns { name, handler, counts: take(COUNTS) }
}

pub(super) fn heading(canvas: &Canvas<'_>, model: &Model, width: usize) -> Rich {
    let Columns { name, handler, counts } = columns(model, width.saturating_sub(2));
    let arrangement = &model.arrangement;
    let [down, up] = canvas.theme.glyphs.sorted;
    let mut line = Rich::of(Token::Text, "  ");
    let mut at = 2;
    let mut column = |sort: Sort, width: usize| {
        if width == 0 {
            return;
        }
        let here = arrangement.sort == sort;
        line.push(if here { Token::Strong } else { Token::Muted }, sort.title());
        if here {
            line.push(Token::Focus, if arrangement.reverse { up } else { down });
        }
        at += width;
        line = std::mem::take(&mut line).pad_to(at);
    };
    column(Sort::Outcome, OUTCOME);
    column(Sort::Pod, name);
    column(Sort::Handler, handler);
    column(Sort::Annotations, counts);
    column(Sort::Reason, LEAST_OF_WHY);
    line
}

/// How the list is arranged, where that is not as it opens, and which pods it shows.
pub(super) fn arranged(model: &Model) -> Rich {
    let arrangement = &model.arrangement;
    let mut words = Vec::new();
    if !model.marks.is_empty() {
        words.push(format!("{} marked", model.marks.len()));
    }
    if let Some(by) = arrangement.group {
        words.push(format!("by {}", by.title()));
    }
    match model.list().show {
        Show::All => {}
        Show::Set => words.push("only with problems".to_owned()),
        Show::Problems => words.push("only refused".to_owned()),
    }
    if matches!(arrangement.sort, Sort::Release | Sort::Given) {
        words.push(format!("sorted by {}", arrangement.sort.title()));
    }
    Rich::of(Token::Open, words.join(", "))
}

/// What becomes of the pods that are kept, in a word and a bar.
pub(super) fn tally(canvas: &Canvas<'_>, model: &Model) -> Rich {
    let counts = model.arrangement.counts;
    let so_far = if counts.open > 0 { " so far" } else { "" };
    Rich::of(Token::Muted, format!(", {} refused{so_far} ", counts.refused)).join(bar(canvas, counts))
}

/// Refused, starting and other pods, each in proportion; what there is has a cell.
fn bar(canvas: &Canvas<'_>, counts: Counts) -> Rich {
    let [refused, starts, rest] = canvas.theme.glyphs.bars;
    let all = counts.all().max(1);
    let share = |count: usize| if count == 0 { 0 } else { (count * BAR / all).max(1) };
    let bad = share(counts.refused).min(BAR);
    let other = share(counts.elsewhere + counts.open).min(BAR - bad);
    let mut good = share(counts.starts).min(BAR - bad - other);
    let mut bad = bad;
    // What is lost by rounding goes to the larger of the two.
    let left = BAR.saturating_sub(bad + good + other);
    if counts.all() > 0 {
        if counts.starts >= counts.refused { good += left } else { bad += left }
    }
    Rich::of(Token::Refused, refused.repeat(bad))
        .put(Token::Allowed, starts.repeat(good))
        .put(Token::Muted, rest.repeat(other))
}

/// A message without what all keys have in common, which leaves room for what they have not; the detail has it whole.
pub(super) fn brief(message: &str, ellipsis: &str) -> String {
    message
        .replace("io.katacontainers.config.hypervisor.", ellipsis)
        .replace("io.katacontainers.config.", ellipsis)
}

/// The head of a group.
pub(super) fn group(canvas: &Canvas<'_>, group: &GroupRow, here: bool, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let [folded, unfolded] = glyphs.groups;
    let pointer = if here { glyphs.pointer } else { " " };
    let mut line = Rich::of(Token::Focus, pointer).pad_to(2);
    line.push(Token::Key, if group.open { unfolded } else { folded });
    line.push(Token::Strong, format!("{:>6} ", group.counts.all()));
    let line = line.join(bar(canvas, group.counts)).put(Token::Text, " ");
    let refused = match group.counts.refused {
        refused if refused > 0 && refused < group.counts.all() => format!("{refused} refused  "),
        _ => String::new(),
    };
    let room = width.saturating_sub(line.width() + refused.len());
    line.put(Token::Refused, refused).put(
        Token::Text,
        text::cut(&text::visible(&brief(&group.title, glyphs.ellipsis)), room, glyphs.ellipsis),
    )
}

/// What the pods of a group have in common, and what becomes of them.
pub(super) fn group_detail(canvas: &Canvas<'_>, model: &Model, group: &GroupRow) -> (Rich, Vec<Rich>) {
    let counts = group.counts;
    let mut lines = vec![Rich::of(Token::Text, text::visible(&group.title)), Rich::new()];
    lines.push(bar(canvas, counts));
    for (count, token, words) in [
        (counts.refused, Token::Refused, "refused"),
        (counts.starts, Token::Allowed, "start"),
        (counts.elsewhere, Token::Muted, "run elsewhere, or nothing says where"),
        (counts.open, Token::Muted, "not evaluated yet"),
    ] {
        if count > 0 {
            lines.push(Rich::of(token, count.to_string()).put(Token::Text, format!(" {words}")));
        }
    }
    let key = |command| model.keymap.chord_for(&model.layers(), command).map(|key| key.to_string());
    let (open, all) = (key(Command::Open).unwrap_or_default(), key(Command::Fold).unwrap_or_default());
    lines.push(Rich::new());
    lines.push(Rich::of(
        Token::Hint,
        format!(
            "{open} folds and unfolds its pods, {all} those of all groups; / filters, and the counts follow"
        ),
    ));
    (Rich::of(Token::Title, counted(counts.all(), "pod")), lines)
}

pub(super) fn row(canvas: &Canvas<'_>, model: &Model, index: usize, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let Some(entry) = model.pods.get(index) else { return Rich::new() };
    let summary = model.sweep.get(index);
    let Columns { name, handler, counts } = columns(model, width);
    let mut line = match summary {
        None => Rich::of(Token::Muted, glyphs.fold),
        Some(s) if s.refused.is_some() => Rich::of(Token::Refused, format!("{} refused", glyphs.fail)),
        Some(s) if s.elsewhere.is_none() && s.assumed.iter().any(Assumption::decides) => {
            Rich::of(Token::Open, format!("{} starts", glyphs.assumed))
        }
        Some(s) if s.elsewhere == Some(Elsewhere::NotKata) => Rich::of(Token::Muted, "  not Kata"),
        Some(s) if s.elsewhere == Some(Elsewhere::Unknown) => Rich::of(Token::Open, "? unknown"),
        Some(_) => Rich::of(Token::Allowed, format!("{} starts", glyphs.pass)),
    };
    line = line.pad_to(OUTCOME);
    let mut room = name.saturating_sub(1);
    if model.marks.contains(&index) {
        line.push(Token::Open, format!("{} ", glyphs.baseline));
        room = room.saturating_sub(2);
    }
    let token = if index == model.pod { Token::Strong } else { Token::Text };
    // The name comes first; the kind, and what tells two of one name apart, take what is left.
    let (own, rest) = entry.names();
    let own = text::visible(own);
    let least = text::width(&own).min(room);
    line.push(token, text::cut_middle(&own, room, glyphs.ellipsis));
    if text::width(rest) <= room - least {
        line.push(Token::Muted, text::visible(rest));
    }
    let mut at = OUTCOME + name;
    line = line.pad_to(at);
    if handler > 0 {
        let shown = entry.handler.as_deref().unwrap_or("?");
        let token = if entry.kata { Token::Text } else { Token::Muted };
        line.push(token, text::cut_middle(&text::visible(shown), handler - 1, glyphs.ellipsis));
        at += handler;
        line = line.pad_to(at);
    }
    if let Some(summary) = summary.filter(|summary| summary.elsewhere.is_none()) {
        if counts > 0 {
            for (status, count) in STATUSES.iter().zip(summary.counts).filter(|(_, n)| *n > 0) {
                line.push(status_token(*status), format!("{}{count} ", canvas.theme.status_glyph(*status)));
            }
            line = line.pad_to(at + counts);
        }
        if let Some((stage, message)) = &summary.refused {
            line.push(Token::Muted, format!("{stage}: "));
            line.push(Token::Text, brief(message, glyphs.ellipsis));
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
        fact("size", format!("{}, {}", cpu_words(&sizing), memory_words(&sizing)));
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
                None if summary.assumed.iter().any(Assumption::decides) => {
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
