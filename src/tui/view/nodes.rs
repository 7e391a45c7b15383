//! Screen 7: what becomes of every pod on every node.
//!
//! ```text
//!   pod                    worker-1  ▸worker-2    worker-3
//! ▸ shop/web Deployment    ✓         ▸✗1          ≈
//!   lab/model Pod          ✗2         ✗2          ✗2
//! ```
//!
//! Many nodes stand under their numbers, as many as there is room for around the cursor; the detail has the name.

use std::fmt::Write as _;

use crate::report::counted::{counted, times};
use crate::report::matrix::Word;
use crate::tui::model::Model;
use crate::tui::model::nodes::{NodeOutcome, Nodes};
use crate::tui::model::row::Body;
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// A name of fewer letters says nothing.
const LEAST_OF_NAME: usize = 9;
/// Names of more letters are cut.
const MOST_OF_NAME: usize = 24;
/// Nodes that the detail names one by one.
const NAMED: usize = 8;

/// Where the fields stand.
struct Grid {
    /// Columns of the pod's name.
    pod: usize,
    /// Columns of one node.
    node: usize,
    /// The first node shown, and how many are.
    first: usize,
    shown: usize,
    /// Whether the nodes stand under their names.
    named: bool,
}

fn grid(model: &Model, nodes: &Nodes, width: usize) -> Grid {
    let count = nodes.matrix.columns().len().max(1);
    let longest = model.pods.iter().map(|entry| text::width(&entry.id)).max().unwrap_or(0);
    let pod = (longest + 1).clamp(12, (width / 2).max(12));
    let room = width.saturating_sub(pod);
    let name = nodes.short_names().into_iter().map(text::width).max().unwrap_or(0);
    let name = name.clamp(4, MOST_OF_NAME) + 2;
    let named = room / count >= name.min(LEAST_OF_NAME + 2);
    let digits = |number: usize| number.to_string().len();
    let node = match named {
        true => (room / count).min(name),
        false => digits(count).max(1 + digits(nodes.matrix.reasons())) + 2,
    };
    let shown = (room / node.max(1)).clamp(1, count);
    // Whole pages: a step inside one moves nothing but the cursor.
    let first = (nodes.at / shown * shown).min(count - shown);
    Grid { pod, node, first, shown, named }
}

pub(super) fn heading(canvas: &Canvas<'_>, model: &Model, width: usize) -> Rich {
    let Some(nodes) = &model.nodes else { return Rich::new() };
    let glyphs = canvas.theme.glyphs;
    let grid = grid(model, nodes, width.saturating_sub(2));
    let names = nodes.short_names();
    let mut line = Rich::of(Token::Text, "  ").put(Token::Muted, "pod").pad_to(2 + grid.pod);
    for (place, index) in (grid.first..grid.first + grid.shown).enumerate() {
        let here = index == nodes.at;
        let name = match grid.named {
            true => {
                let name = names.get(index).copied().unwrap_or_default();
                text::cut_middle(&text::visible(name), grid.node - 2, glyphs.ellipsis)
            }
            false => (index + 1).to_string(),
        };
        line.push(Token::Focus, if here { glyphs.pointer } else { " " });
        let plain = if index == nodes.opened { Token::Text } else { Token::Muted };
        line.push(if here { Token::Strong } else { plain }, name);
        line = line.pad_to(2 + grid.pod + (place + 1) * grid.node);
    }
    line
}

/// The sign of a outcome with its token.
fn sign(canvas: &Canvas<'_>, outcome: Option<NodeOutcome>) -> (Token, String) {
    let glyphs = canvas.theme.glyphs;
    let Some(outcome) = outcome else { return (Token::Refused, "!".to_owned()) };
    let (token, mut sign) = match (outcome.word, outcome.assumed) {
        (Word::Starts, false) => (Token::Allowed, glyphs.pass.to_owned()),
        (Word::Starts, true) => (Token::Open, glyphs.assumed.to_owned()),
        (Word::Refused, _) => (Token::Refused, glyphs.fail.to_owned()),
        (Word::NotKata, _) => (Token::Muted, "-".to_owned()),
        (Word::Unknown, _) => (Token::Open, glyphs.unknown.to_owned()),
    };
    if let Some(number) = outcome.number {
        let _ = write!(sign, "{number}");
    }
    (token, sign)
}

pub(super) fn row(canvas: &Canvas<'_>, model: &Model, pod: usize, width: usize, here: bool) -> Rich {
    let (Some(entry), Some(nodes)) = (model.pods.get(pod), &model.nodes) else { return Rich::new() };
    let glyphs = canvas.theme.glyphs;
    let grid = grid(model, nodes, width);
    let mark = if model.marks.contains(&pod) { format!("{} ", glyphs.baseline) } else { String::new() };
    let room = (grid.pod - 1).saturating_sub(text::width(&mark));
    let name = text::cut_middle(&text::visible(&entry.id), room, glyphs.ellipsis);
    let mut line = Rich::of(Token::Open, mark).put(Token::Text, name).pad_to(grid.pod);
    for (place, index) in (grid.first..grid.first + grid.shown).enumerate() {
        let (token, sign) = sign(canvas, model.outcome(pod, index));
        line.push(Token::Focus, if here && index == nodes.at { glyphs.pointer } else { " " });
        line.push(token, sign);
        line = line.pad_to(grid.pod + (place + 1) * grid.node);
    }
    line
}

/// What the field under the cursor says, in one line.
pub(super) fn status(canvas: &Canvas<'_>, model: &Model) -> Rich {
    let (Some(nodes), Some(Body::PodOnNodes(pod))) =
        (&model.nodes, model.rows.current().map(|row| &row.body))
    else {
        return Rich::new();
    };
    let outcome = model.outcome(*pod, nodes.at);
    let reason = model.reason(*pod, nodes.at).unwrap_or_default();
    Rich::of(Token::Strong, format!(" {}: ", text::visible(nodes.short_name(nodes.at))))
        .join(said(canvas, outcome))
        .put(Token::Text, format!(" {}", text::visible(&reason.replace('\n', " "))))
}

/// An outcome in words, with its sign.
fn said(canvas: &Canvas<'_>, outcome: Option<NodeOutcome>) -> Rich {
    let (token, _) = sign(canvas, outcome);
    let words = match outcome.map(|outcome| (outcome.word, outcome.assumed)) {
        None => "not judged: the node cannot be read",
        Some((Word::Starts, false)) => "starts",
        Some((Word::Starts, true)) => "starts, if what is assumed holds",
        Some((Word::Refused, _)) => "refused",
        Some((Word::NotKata, _)) => "another runtime than Kata serves it",
        Some((Word::Unknown, _)) => "not known",
    };
    let (_, glyph) = sign(canvas, outcome.map(|outcome| NodeOutcome { number: None, ..outcome }));
    Rich::of(token, format!("{glyph} {words}"))
}

pub(super) fn detail(canvas: &Canvas<'_>, model: &Model, pod: usize) -> (Rich, Vec<Rich>) {
    let (Some(entry), Some(nodes)) = (model.pods.get(pod), &model.nodes) else {
        return (Rich::new(), Vec::new());
    };
    let count = nodes.matrix.columns().len();
    let Some(column) = nodes.matrix.columns().get(nodes.at) else { return (Rich::new(), Vec::new()) };
    let outcome = model.outcome(pod, nodes.at);
    let heading = |text: String| Rich::of(Token::Heading, text);
    let mut lines = vec![
        heading("on ".into())
            .put(Token::Strong, text::visible(&column.name))
            .put(Token::Muted, format!(" ({}), node {} of {count}", column.origin, nodes.at + 1)),
        said(canvas, outcome),
    ];
    if let Some(reason) = model.reason(pod, nodes.at) {
        lines.extend(reason.lines().map(|line| Rich::of(Token::Text, text::visible(line))));
    }
    let cell = nodes.matrix.cell(pod, nodes.at);
    if let Some((_, met)) = cell.and_then(|cell| nodes.matrix.reason(cell.reason?)) {
        let times = times(met.pods);
        let on = counted(met.nodes, "node");
        lines.push(Rich::of(Token::Muted, format!("met {times}, on {on}")));
    }
    if let Some(handler) = cell.and_then(|cell| nodes.matrix.handler(cell)) {
        lines.push(heading("handler ".into()).put(Token::Text, text::visible(handler)));
    }
    lines.push(Rich::new());
    lines.push(heading("this pod elsewhere".into()));
    lines.extend(elsewhere(canvas, model, nodes, pod));
    lines.push(Rich::new());
    lines.push(heading("this node".into()));
    lines.push(Rich::of(Token::Text, nodes.matrix.counts(nodes.at)));
    if let Some(error) = &column.error {
        lines.push(Rich::of(Token::Refused, text::visible(error)));
    }
    if !column.lacks.is_empty() {
        let lacks = column.lacks.join("; ");
        lines.push(Rich::of(Token::Open, "does not hold: ").put(Token::Text, text::visible(&lacks)));
    }
    (Rich::of(Token::Title, entry.pod.id()), lines)
}

/// The nodes by what becomes of the pod there.
fn elsewhere(canvas: &Canvas<'_>, model: &Model, nodes: &Nodes, pod: usize) -> Vec<Rich> {
    let mut groups: Vec<(Option<NodeOutcome>, Vec<usize>)> = Vec::new();
    for node in 0..nodes.matrix.columns().len() {
        let outcome = model.outcome(pod, node);
        match groups.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, members)) => members.push(node),
            None => groups.push((outcome, vec![node])),
        }
    }
    groups
        .iter()
        .map(|(outcome, members)| {
            let (token, sign) = sign(canvas, *outcome);
            let mut names: Vec<String> = members
                .iter()
                .take(NAMED)
                .map(|node| text::visible(nodes.name(*node)).into_owned())
                .collect();
            if members.len() > NAMED {
                names.push(format!("{} more", members.len() - NAMED));
            }
            Rich::of(token, format!("{sign} ")).put(Token::Text, names.join(", "))
        })
        .collect()
}
