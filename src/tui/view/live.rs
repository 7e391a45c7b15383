//! Screen 8: the VMs that run, and one of them beside its prediction.
//!
//! ```text
//!   sandbox       VMM    pod              handler      release
//! ▸ 3f1c90ab6d2e  QEMU   shop/web         kata-qemu    runtime-go 3.20.0
//!
//!   qemu
//! ▸ ≠ -m 2048M,slots=10,maxmem=...        4096M,...
//!   = -nodefaults
//! ```

use crate::diff::running::{Compared, Verdict};
use crate::report::beside::Beside;
use crate::report::counted::counted;
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::live::{Place, Seen};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Columns of the beginning of a sandbox's id.
const ID: usize = 14;
/// Columns of the VMM's name.
const VMM: usize = 18;
/// Below this width handler and release are left to the detail.
const ROOMY: usize = 68;

/// Columns of pod, handler and release.
fn columns(width: usize) -> (usize, usize, usize) {
    let room = width.saturating_sub(ID + VMM);
    if width < ROOMY {
        return (room, 0, 0);
    }
    let handler = room / 3;
    let release = room / 4;
    (room - handler - release, handler, release)
}

pub(super) fn heading(model: &Model, width: usize) -> Option<Rich> {
    if model.live.opened.is_some() || model.live.vms.is_empty() {
        return None;
    }
    let (pod, handler, _) = columns(width.saturating_sub(2));
    let mut line = Rich::of(Token::Text, "  ").put(Token::Muted, "sandbox").pad_to(2 + ID);
    line = line.put(Token::Muted, "VMM").pad_to(2 + ID + VMM).put(Token::Muted, "pod");
    if handler > 0 {
        line = line.pad_to(2 + ID + VMM + pod).put(Token::Muted, "handler");
        line = line.pad_to(2 + ID + VMM + pod + handler).put(Token::Muted, "release");
    }
    Some(line)
}

/// What stands behind the screen's name.
pub(super) fn title(model: &Model) -> String {
    let live = &model.live;
    if let Some(beside) = live.beside() {
        return beside.counts();
    }
    let vms = counted(live.vms.len(), "VM");
    match live.place {
        Place::Text(_) => format!("{vms} in the text"),
        Place::Here => format!("{vms} on this machine"),
        Place::Nowhere | Place::Unseen(_) => String::new(),
    }
}

/// What to say where there is nothing.
pub(super) fn empty(model: &Model) -> String {
    let why = match &model.live.place {
        Place::Unseen(why) => why.clone(),
        Place::Nowhere | Place::Here | Place::Text(_) => "no VM of Kata runs on this machine".to_owned(),
    };
    format!(
        "{why}. Paste a line of ps, /proc/PID/cmdline or vm.info here to hold it against the pod in sight."
    )
}

pub(super) fn vm_row(canvas: &Canvas<'_>, model: &Model, index: usize, width: usize) -> Rich {
    let Some(seen) = model.live.vms.get(index) else { return Rich::new() };
    let ellipsis = canvas.theme.glyphs.ellipsis;
    let (pod, handler, release) = columns(width);
    let cut =
        |text: &str, room: usize| text::cut_middle(&text::visible(text), room.saturating_sub(1), ellipsis);
    let id = seen.sandbox.as_deref().unwrap_or("(not in the text)");
    let id = text::visible(id);
    let mut line = Rich::of(Token::Text, text::head(&id, ID - 2).0).pad_to(ID);
    line = line.put(Token::Muted, cut(seen.vmm, VMM)).pad_to(ID + VMM);
    let unknown = if matches!(model.live.place, Place::Text(_)) { "the pod in sight" } else { "no bundle" };
    let known = seen.pod.as_deref();
    line = line
        .put(if known.is_some() { Token::Strong } else { Token::Muted }, cut(known.unwrap_or(unknown), pod));
    if handler > 0 {
        line = line
            .pad_to(ID + VMM + pod)
            .put(Token::Text, cut(seen.handler.as_deref().unwrap_or("-"), handler));
        let own = seen.release.map_or_else(|| "-".to_owned(), |release| release.id());
        line = line.pad_to(ID + VMM + pod + handler).put(Token::Text, cut(&own, release));
    }
    line
}

fn heading_of(name: &str, value: &str) -> Rich {
    Rich::of(Token::Heading, format!("{name:<9}")).put(Token::Text, text::visible(value))
}

pub(super) fn vm_detail(canvas: &Canvas<'_>, model: &Model, index: usize) -> (Rich, Vec<Rich>) {
    let Some(seen) = model.live.vms.get(index) else { return (Rich::new(), Vec::new()) };
    let mut lines =
        vec![heading_of("sandbox", seen.sandbox.as_deref().unwrap_or("its name is not in the text"))];
    lines.extend(known(seen));
    lines.push(heading_of("line is", &format!("of {}", seen.told)));
    lines.push(Rich::new());
    match &seen.beside {
        Some(Ok(beside)) => lines.extend(summary(canvas, beside)),
        Some(Err(why)) => lines.push(Rich::of(Token::Refused, text::visible(why))),
        None => {
            let key = model.keymap.chord_for(&model.layers(), Command::Open).map(|key| key.to_string());
            let key = key.unwrap_or_else(|| "open".to_owned());
            lines.push(Rich::of(
                Token::Hint,
                format!("{key} holds it against its prediction, argument by argument."),
            ));
        }
    }
    (Rich::of(Token::Title, seen.vmm), lines)
}

fn known(seen: &Seen) -> Vec<Rich> {
    let pid = seen.pid.map(|pid| pid.to_string());
    let release = seen.release.map(|release| format!("{}, as installed", release.title()));
    let all = [
        ("process", pid.as_deref()),
        ("started", seen.started.as_deref()),
        ("pod", seen.pod.as_deref()),
        ("handler", seen.handler.as_deref()),
        ("release", release.as_deref()),
    ];
    all.into_iter().filter_map(|(name, value)| Some(heading_of(name, value?))).collect()
}

/// The whole comparison in a few lines.
fn summary(canvas: &Canvas<'_>, beside: &Beside) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    let verdict = match beside.differs() {
        true => Rich::of(Token::Changed, format!("{} differs from the prediction", glyphs.differs)),
        false => Rich::of(Token::Allowed, format!("{} as predicted", glyphs.pass)),
    };
    let mut lines = vec![
        verdict,
        Rich::of(Token::Text, beside.counts()),
        Rich::of(Token::Text, format!("predicted as {}", beside.predicted)),
    ];
    if !beside.fits {
        lines.push(Rich::of(
            Token::Refused,
            "The line is of another release or runtime: start with --kata-version and --runtime as it tells.",
        ));
    }
    lines.extend(beside.notes.iter().map(|note| Rich::of(Token::Open, text::visible(note))));
    lines
}

fn mark(canvas: &Canvas<'_>, verdict: Verdict) -> (Token, &'static str) {
    match verdict {
        Verdict::Equal => (Token::Muted, "="),
        Verdict::Made => (Token::Muted, "~"),
        Verdict::Different => (Token::Changed, canvas.theme.glyphs.differs),
        Verdict::OnlyPredicted => (Token::Removed, "-"),
        Verdict::OnlyRunning => (Token::Added, "+"),
        Verdict::Unknown => (Token::Open, "?"),
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equal => "equal",
        Verdict::Made => "equal but for what is made at the start",
        Verdict::Different => "different",
        Verdict::OnlyPredicted => "predicted, and not there",
        Verdict::OnlyRunning => "there, and not predicted",
        Verdict::Unknown => "not in the text, which tells nothing",
    }
}

pub(super) fn argument_row(canvas: &Canvas<'_>, model: &Model, index: usize, width: usize) -> Rich {
    let Some(row) = model.live.beside().and_then(|beside| beside.rows.get(index)) else { return Rich::new() };
    let (token, sign) = mark(canvas, row.verdict);
    let glyphs = canvas.theme.glyphs;
    let line = Rich::of(token, format!("{sign} "));
    let room = width.saturating_sub(2);
    if row.verdict == Verdict::Different {
        let old = row.predicted.as_deref().unwrap_or_default();
        let new = row.running.as_deref().unwrap_or_default();
        let (head, old, new, tail) = apart(old, new);
        // What differs stays in sight on both sides; what is alike around it gives way.
        let cut = |text: &str, room: usize| text::cut_middle(&text::visible(text), room, glyphs.ellipsis);
        let (old, new) = (cut(old, room * 2 / 5), cut(new, room * 2 / 5));
        let left = room.saturating_sub(text::width(&old) + text::width(&new) + text::width(glyphs.arrow));
        let behind = cut(tail, left / 3);
        return line
            .put(Token::Text, cut(head, left.saturating_sub(text::width(&behind))))
            .put(Token::RemovedWord, old)
            .put(Token::Changed, glyphs.arrow)
            .put(Token::AddedWord, new)
            .put(Token::Text, behind);
    }
    let shown = row.running.as_deref().or(row.predicted.as_deref()).unwrap_or_default();
    let shown = text::visible(shown);
    let plain = if row.verdict.differs() { Token::Text } else { Token::Muted };
    line.put(plain, text::cut_middle(&shown, room, glyphs.ellipsis))
}

/// What two texts begin with alike, what each has of its own, and what both end with, cut where parts begin.
fn apart<'t>(old: &'t str, new: &'t str) -> (&'t str, &'t str, &'t str, &'t str) {
    const BETWEEN: [char; 4] = [',', ' ', '=', ':'];
    let alike = old.char_indices().zip(new.chars()).take_while(|((_, a), b)| a == b);
    let same = alike.map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0);
    let start = old.get(..same).and_then(|head| head.rfind(BETWEEN)).map_or(0, |at| at + 1);
    let (head, old) = old.split_at_checked(start).unwrap_or(("", old));
    let new = new.get(start..).unwrap_or(new);
    let alike = old.chars().rev().zip(new.chars().rev()).take_while(|(a, b)| a == b);
    let same: usize = alike.map(|(c, _)| c.len_utf8()).sum();
    let end = old.get(old.len() - same..).and_then(|tail| tail.find(BETWEEN)).map_or(0, |at| same - at);
    let (old, tail) = old.split_at_checked(old.len() - end).unwrap_or((old, ""));
    (head, old, new.get(..new.len() - end).unwrap_or(new), tail)
}

pub(super) fn argument_detail(canvas: &Canvas<'_>, model: &Model, index: usize) -> (Rich, Vec<Rich>) {
    let found = model.live.beside().and_then(|beside| beside.arguments().nth(index));
    let Some((row, because)) = found else { return (Rich::new(), Vec::new()) };
    let (token, sign) = mark(canvas, row.verdict);
    let mut lines = vec![Rich::of(token, format!("{sign} {}", words(row.verdict))), Rich::new()];
    lines.extend(sides(row));
    if !because.is_empty() {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, "by"));
        lines.push(Rich::of(Token::Text, text::visible(because)));
    }
    if let Some(probably) = &row.probably {
        lines.push(Rich::new());
        lines.push(Rich::of(Token::Heading, "probably"));
        lines.push(Rich::of(Token::Text, text::visible(probably)));
    }
    if let Some(beside) = model.live.beside() {
        lines.push(Rich::new());
        lines.extend(summary(canvas, beside));
    }
    (Rich::of(Token::Title, text::visible(&row.of)), lines)
}

fn sides(row: &Compared) -> Vec<Rich> {
    let side = |name: &str, value: &str| {
        [Rich::of(Token::Heading, name), Rich::of(Token::Text, text::visible(value))]
    };
    match (&row.predicted, &row.running) {
        (Some(predicted), Some(running)) if predicted != running => {
            side("predicted", predicted).into_iter().chain(side("running", running)).collect()
        }
        (Some(both), Some(_)) => side("both", both).into(),
        (Some(predicted), None) => side("predicted", predicted).into(),
        (None, Some(running)) => side("running", running).into(),
        (None, None) => Vec::new(),
    }
}

/// The open VM in one line.
pub(super) fn status(model: &Model) -> Option<Rich> {
    let beside = model.live.beside()?;
    let sandbox =
        text::visible(beside.sandbox.as_deref().unwrap_or("(its name is not in the text)")).into_owned();
    let sandbox = text::head(&sandbox, ID - 2).0.to_owned();
    Some(
        Rich::of(Token::Strong, format!(" {} ", text::visible(&beside.pod)))
            .put(Token::Text, format!("beside sandbox {sandbox}, predicted as {}", beside.predicted)),
    )
}
