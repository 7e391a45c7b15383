//! Screen 9: what another release would change, by cause.
//!
//! ```text
//!  does not start any more
//! ▸ ✗ since 3.2.0: An image or initrd of an annotation takes …     12 pods
//!       shop/web Deployment                          starts → refused
//! ```

use crate::report::upgrade::difference;
use crate::tui::model::Model;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::upgrade::ReleaseItem;
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;
use crate::upgrade::{Change, Consequence, Effect, Item, PodUpgrade, outcome};

/// Differences that the detail spells out.
const SHOWN: usize = 40;

fn sign(canvas: &Canvas<'_>, effect: Effect) -> (Token, &'static str) {
    let glyphs = canvas.theme.glyphs;
    match effect {
        Effect::Breaks => (Token::Refused, glyphs.fail),
        Effect::Lost => (Token::Overridden, "!"),
        Effect::Gained => (Token::Allowed, glyphs.pass),
        Effect::Size | Effect::Launch | Effect::Agent | Effect::Value | Effect::Message => (Token::Open, "~"),
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn whom(one: &Consequence) -> String {
    match (one.pods.len(), one.handlers.len()) {
        (0, files) => count(files, "file"),
        (pods, _) => count(pods, "pod"),
    }
}

/// The two releases.
pub(super) fn way(canvas: &Canvas<'_>, model: &Model) -> Rich {
    let Some(upgrading) = &model.upgrade else { return Rich::new() };
    let own = upgrading.found.handlers.first().and_then(|handler| handler.releases.baseline.as_ref().ok());
    let from = own.map(|judged| judged.release.version.to_string());
    Rich::of(Token::Muted, from.unwrap_or_default())
        .put(Token::Muted, format!(" {} ", canvas.theme.glyphs.arrow))
        .put(Token::Open, upgrading.to.to_string())
}

pub(super) fn row(canvas: &Canvas<'_>, model: &Model, at: usize, width: usize) -> Rich {
    let Some(one) = model.upgrade.as_ref().and_then(|upgrading| upgrading.consequence(at)) else {
        return Rich::new();
    };
    let (token, sign) = sign(canvas, one.effect());
    let whom = whom(one);
    let room = width.saturating_sub(text::width(&whom) + 4);
    let cause = text::visible(&one.cause.to_string()).into_owned();
    Rich::of(token, format!("{sign} "))
        .put(Token::Text, text::cut(&cause, room, canvas.theme.glyphs.ellipsis))
        .pad_to(width.saturating_sub(text::width(&whom) + 1))
        .put(Token::Muted, whom)
}

/// A pod under its cause.
pub(super) fn pod(canvas: &Canvas<'_>, model: &Model, pod: usize, width: usize) -> Rich {
    let glyphs = canvas.theme.glyphs;
    let (Some(entry), Some(touched)) = (model.pods.get(pod), touched(model, pod)) else { return Rich::new() };
    let words = touched.outcomes.map(|outcome| outcome.as_str());
    let fate = match words.baseline == words.candidate {
        true => words.candidate.to_owned(),
        false => format!("{} {} {}", words.baseline, glyphs.arrow, words.candidate),
    };
    let room = width.saturating_sub(text::width(&fate) + 6);
    Rich::of(Token::Text, "    ")
        .put(Token::Text, text::cut_middle(&text::visible(&entry.id), room, glyphs.ellipsis))
        .pad_to(width.saturating_sub(text::width(&fate) + 1))
        .put(Token::Muted, fate)
}

fn touched(model: &Model, pod: usize) -> Option<&PodUpgrade> {
    model.upgrade.as_ref()?.found.pods.get(pod)
}

fn heading(text: &str) -> Rich {
    Rich::of(Token::Heading, text)
}

fn differences<'a>(lines: &mut Vec<Rich>, items: impl ExactSizeIterator<Item = &'a Item>) {
    let more = items.len().saturating_sub(SHOWN);
    let one = |item: &Item| Rich::of(Token::Text, text::visible(&text::excerpt(&difference(item))));
    lines.extend(items.take(SHOWN).map(one));
    if more > 0 {
        lines.push(Rich::of(Token::Muted, format!("and {more} more")));
    }
}

pub(super) fn detail(canvas: &Canvas<'_>, model: &Model, at: usize) -> (Rich, Vec<Rich>) {
    let Some(upgrading) = &model.upgrade else { return (Rich::new(), Vec::new()) };
    let Some(one) = upgrading.consequence(at) else { return (Rich::new(), Vec::new()) };
    let mut lines = vec![Rich::of(Token::Text, text::visible(&one.cause.to_string()))];
    if let Change::Behaviour { upstream, .. } = &one.cause.change {
        lines.push(heading("upstream ").put(Token::Origin, *upstream));
    }
    if let Some(advice) = &one.advice {
        lines.push(heading("to do ").put(Token::Text, text::visible(advice)));
    }
    lines.push(Rich::new());
    for (effect, number) in &one.effects {
        let (token, sign) = sign(canvas, *effect);
        let line = Rich::of(token, format!("{sign} ")).put(Token::Text, effect.describe());
        lines.push(line.put(Token::Muted, format!(": {number}")));
    }
    lines.push(Rich::new());
    lines.push(heading("what differs, for instance"));
    let mut examples: Vec<&Item> = one.examples.iter().collect();
    examples.sort_by_key(|item| item.effect);
    differences(&mut lines, examples.into_iter());
    if !one.pods.is_empty() {
        lines.push(Rich::new());
        lines.push(heading("pods"));
        let names = one.pods.iter().filter_map(|pod| model.pods.get(*pod));
        lines.extend(names.take(SHOWN).map(|entry| Rich::of(Token::Text, text::visible(&entry.id))));
        if one.pods.len() > SHOWN {
            lines.push(Rich::of(Token::Muted, format!("and {} more", one.pods.len() - SHOWN)));
        }
    }
    let files = one.handlers.iter().filter_map(|at| upgrading.found.handlers.get(*at));
    let files: Vec<Rich> = files
        .map(|file| {
            let name = file.handler.as_ref().map_or_else(String::new, |name| format!("{name}  "));
            Rich::of(Token::Key, text::visible(&name)).put(Token::Origin, text::visible(&file.config))
        })
        .collect();
    if !files.is_empty() {
        lines.push(Rich::new());
        lines.push(heading("files, for a pod that asks for nothing"));
        lines.extend(files);
    }
    (Rich::of(Token::Title, one.effect().describe()), lines)
}

pub(super) fn pod_detail(model: &Model, pod: usize) -> (Rich, Vec<Rich>) {
    let (Some(entry), Some(touched)) = (model.pods.get(pod), touched(model, pod)) else {
        return (Rich::new(), Vec::new());
    };
    let outcomes = touched.outcomes.map(outcome);
    let mut lines = vec![
        heading("now ").put(Token::Text, text::visible(&outcomes.baseline)),
        heading("then ").put(Token::Text, text::visible(&outcomes.candidate)),
        Rich::new(),
        heading("what differs"),
    ];
    differences(&mut lines, touched.items.iter());
    (Rich::of(Token::Title, entry.pod.id()), lines)
}

/// How far the answers can be trusted, and what they leave out.
pub(super) fn status(model: &Model) -> Rich {
    let Some(upgrading) = &model.upgrade else { return Rich::new() };
    let handlers = &upgrading.found.handlers;
    if let Some(why) = handlers.iter().find_map(|handler| handler.releases.candidate.as_ref().err()) {
        return Rich::of(Token::Refused, " ! ").put(Token::Text, text::visible(why));
    }
    let read = handlers.iter().find_map(|handler| handler.releases.candidate.as_ref().ok()?.release.caveat());
    match read {
        _ if model.seat.edited => {
            Rich::of(Token::Hint, " held against the files as they were read, without the unsaved edits")
        }
        Some(caveat) => Rich::of(Token::Hint, format!(" {caveat}")),
        None if upgrading.found.consequences.is_empty() => Rich::of(Token::Hint, " no difference"),
        None => Rich::new(),
    }
}

/// The releases to choose from, a line each.
pub(super) fn choice(canvas: &Canvas<'_>, item: &ReleaseItem) -> Rich {
    let mark = if item.here { canvas.theme.glyphs.arrow } else { " " };
    let line = Rich::of(Token::Text, mark).put(Token::Key, format!(" {}", item.version)).pad_to(12);
    let line = line.put(Token::Muted, item.evidence.as_str());
    if item.here { line.put(Token::Muted, ", judged now") } else { line }
}

/// How wide and how high the window of releases is.
pub(super) fn size(dialog: &Dialog) -> (u16, u16) {
    match dialog {
        Dialog::Releases { items, .. } => (40, (items.len() as u16).saturating_add(2)),
        _ => (0, 0),
    }
}
