//! The larger windows: a pattern being written with everything it would do, saving, find.

use ratatui::layout::Rect;

use super::chrome::typed;
use super::frame::{below, choose, scrolled, window};
use super::policy;
use crate::audit::changes::PowerChange;
use crate::tui::geometry::Geometry;
use crate::tui::message::Command;
use crate::tui::model::Model;
use crate::tui::model::changes::other_runtime;
use crate::tui::model::dialog::{KeyDraft, PatternDraft, SaveTarget};
use crate::tui::model::find::Hit;
use crate::tui::model::foresight::Foresight;
use crate::tui::model::openings::Purpose;
use crate::tui::model::pods::{Sweep, Turn, turns};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::line::Line;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Pods named in a summary of consequences.
const NAMED: usize = 12;

/// The pods whose fate differs, in lines.
pub(super) fn consequences(
    canvas: &Canvas<'_>,
    model: &Model,
    baseline: &Sweep,
    candidate: &Sweep,
) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    let (done, all) = candidate.progress();
    let found = turns(baseline, candidate);
    let mut lines = Vec::new();
    let progress = if done < all { format!(" so far ({done} of {all} pods)") } else { String::new() };
    let title = match found.len() {
        0 => format!("no pod's outcome changes{progress}"),
        1 => format!("1 pod's outcome changes{progress}"),
        n => format!("{n} pods' outcome changes{progress}"),
    };
    lines.push(Rich::of(Token::Heading, title));
    for turn in [Turn::Refused, Turn::Starts, Turn::Differs] {
        let pods: Vec<usize> = found.iter().filter(|(_, t)| *t == turn).map(|(i, _)| *i).collect();
        let (token, sign, word) = match turn {
            Turn::Refused => (Token::Refused, glyphs.fail, "refused now"),
            Turn::Starts => (Token::Allowed, glyphs.pass, "starts now"),
            Turn::Differs => (Token::Changed, "~", "other values"),
        };
        for index in pods.iter().take(NAMED) {
            let name = model.pods.get(*index).map_or("", |p| &p.id);
            lines.push(Rich::of(token, format!("  {sign} {word} ")).pad_to(18).put(Token::Text, name));
        }
        if pods.len() > NAMED {
            lines.push(Rich::of(Token::Muted, format!("    and {} more", pods.len() - NAMED)));
        }
    }
    lines
}

pub(super) fn pattern(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    draft: &PatternDraft,
    geometry: &mut Geometry,
) {
    let title = match &draft.replaces {
        Some(_) => format!("Edit a pattern of {}", draft.list),
        None => format!("Add a pattern to {}", draft.list),
    };
    let inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, title));
    typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "pattern "), &draft.line, Rich::new());
    let area = below(inner, 2);
    let glyphs = canvas.theme.glyphs;
    let mut left = Vec::new();
    if let Some(error) = &draft.error {
        left.push(Rich::of(Token::Refused, format!("{} ", glyphs.fail)).put(Token::Text, error));
    }
    match &draft.meaning {
        Some(meaning) => {
            left.extend(policy::meaning(canvas, meaning, draft.list.list == "enable_annotations"))
        }
        None => left.push(Rich::of(Token::Hint, "type a pattern; what it lets in is shown here")),
    }
    let other = other_runtime(model.seat.current.setup().release).title();
    if let Some(meaning) = &draft.elsewhere {
        left.push(Rich::new());
        left.push(Rich::of(Token::Title, format!("to {other}")));
        left.extend(policy::meaning(canvas, meaning, draft.list.list == "enable_annotations"));
    } else if draft.meaning.is_some() {
        left.push(Rich::new());
        left.push(Rich::of(Token::Key, "Tab").put(Token::Hint, format!(" what it means to {other}")));
    }
    let right = if draft.candidate.is_some() {
        consequences(canvas, model, &model.sweep, &draft.sweep)
    } else {
        vec![Rich::of(Token::Hint, "nothing changes yet")]
    };
    if area.width < 76 {
        let mut lines = right;
        lines.push(Rich::new());
        lines.extend(left);
        scrolled(canvas, area, lines, 0, geometry);
        return;
    }
    let half = area.width / 2;
    scrolled(canvas, Rect { width: half - 1, ..area }, left, 0, geometry);
    let mut other = Geometry::default();
    scrolled(
        canvas,
        Rect { x: area.x + half + 1, width: area.width - half - 1, ..area },
        right,
        0,
        &mut other,
    );
}

/// What to open: a line of words, and what was opened before.
pub(super) fn opening(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    (purpose, line, at, error): (Purpose, &Line, Option<usize>, Option<&str>),
    geometry: &mut Geometry,
) {
    let title = match purpose {
        Purpose::Instead => "Open: words as on the command line",
        Purpose::Compare => "Compare with: words as on the command line",
    };
    let inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, title));
    typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "katascope "), line, Rich::new());
    let glyphs = canvas.theme.glyphs;
    let mut lines = Vec::new();
    if let Some(error) = error {
        lines.push(
            Rich::of(Token::Refused, format!("{} ", glyphs.fail)).put(Token::Text, text::excerpt(error)),
        );
        lines.push(Rich::new());
    }
    let offered = model.openings.offered();
    for (index, (kept, words)) in offered.iter().enumerate() {
        let on = at == Some(index);
        let pointer = if on { glyphs.pointer } else { " " };
        let (token, what) = if *kept { (Token::Key, "kept   ") } else { (Token::Muted, "before ") };
        lines.push(
            Rich::of(Token::Focus, pointer)
                .put(token, what)
                .put(if on { Token::Strong } else { Token::Text }, text::visible(words)),
        );
    }
    if offered.is_empty() {
        lines.push(Rich::of(Token::Hint, "nothing was opened before; B keeps what is open"));
    }
    lines.push(Rich::new());
    for (words, what) in [
        ("-c configuration.toml pods.yaml", "a configuration, for all pods"),
        ("--root /mnt/node pods.yaml", "a node's files; --node FILE for a node in a file"),
        ("--handler kata-clh pods.yaml", "all pods on one handler"),
        ("--set limits.cpu=2 pods.yaml", "what if: a limit, a key, host.cpus=8, an annotation"),
    ] {
        lines.push(Rich::of(Token::Text, format!("  {words}")).pad_to(38).put(Token::Hint, what));
    }
    scrolled(canvas, below(inner, 2), lines, 0, geometry);
}

/// What would differ for the pod in sight.
pub(super) fn foresight(canvas: &Canvas<'_>, model: &Model, foresight: &Foresight) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    let mut lines = Vec::new();
    let name = model.pods.get(model.pod).map_or("a pod that asks for nothing", |pod| &pod.id);
    lines.push(Rich::of(Token::Heading, name));
    lines.push(match foresight.outcome.failure() {
        None => Rich::of(Token::Allowed, format!("{} starts", glyphs.pass)),
        Some(failure) => Rich::of(Token::Refused, format!("{} refused: ", glyphs.fail))
            .put(Token::Text, failure.message.replace('\n', " ")),
    });
    for (what, before, after) in &foresight.rows {
        let what = if what.is_empty() { String::new() } else { format!("{what}  ") };
        let arrow = if before.is_empty() { String::new() } else { format!(" {} ", glyphs.arrow) };
        lines.push(
            Rich::of(Token::Strong, format!("  {what}"))
                .put(Token::Removed, text::glimpse(before))
                .put(Token::Muted, arrow)
                .put(Token::Added, text::glimpse(after)),
        );
    }
    if foresight.rows.is_empty() {
        lines.push(Rich::of(Token::Hint, "  nothing differs for it"));
    }
    if foresight.more > 0 {
        lines.push(Rich::of(Token::Muted, format!("  and {} more", foresight.more)));
    }
    lines
}

/// A key of the configuration being written: what it does to the pod that is looked at, and to the others.
pub(super) fn key(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    draft: &KeyDraft,
    geometry: &mut Geometry,
) {
    let inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, format!("Edit {}", draft.key)));
    typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "value "), &draft.line, Rich::new());
    let glyphs = canvas.theme.glyphs;
    let mut lines = Vec::new();
    if let Some(known) = crate::catalog::config_key(&draft.id.table, &draft.id.list) {
        lines.push(Rich::of(Token::Text, known.summary));
        if let Some(reader) = known.reader(model.seat.current.setup().release) {
            let unit = reader.unit.map_or(String::new(), |unit| format!(", {unit}"));
            lines.push(Rich::of(Token::Muted, format!("{}{unit}", reader.kind.describe())));
        }
    }
    let was = draft.was.as_deref().unwrap_or("not set");
    lines.push(Rich::of(Token::Heading, "the files say ").put(Token::Text, text::excerpt(was)));
    lines.push(Rich::new());
    if let Some(error) = &draft.error {
        lines.push(Rich::of(Token::Refused, format!("{} ", glyphs.fail)).put(Token::Text, error));
    }
    match &draft.foresight {
        Some(foresight) => {
            lines.extend(self::foresight(canvas, model, foresight));
            lines.push(Rich::new());
            lines.extend(consequences(canvas, model, &model.sweep, &draft.sweep));
        }
        None if draft.error.is_none() => lines.push(Rich::of(Token::Hint, "nothing changes yet")),
        None => {}
    }
    scrolled(canvas, below(inner, 2), lines, 0, geometry);
}

pub(super) fn save(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    (targets, powers, at, scroll): (&[SaveTarget], &[PowerChange], usize, usize),
    geometry: &mut Geometry,
) {
    let inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, "Save"));
    let glyphs = canvas.theme.glyphs;
    let mut y = 0;
    for (i, target) in targets.iter().enumerate() {
        let on = i == at;
        let mut line = Rich::of(Token::Focus, if on { glyphs.pointer } else { " " }).put(Token::Text, " ");
        // A reason has to be read to its end; of a path the ends tell enough.
        let reason = target.reason.as_deref().map(|reason| without_path(reason, &target.label));
        let taken = reason.map_or(0, |reason| text::width(&text::visible(reason)) + 4);
        let room = usize::from(inner.width).saturating_sub(2 + taken).max(24);
        let label = text::cut_middle(&target.label, room, glyphs.ellipsis);
        line.push(if on { Token::Strong } else { Token::Text }, label);
        if let Some(reason) = reason {
            line.push(Token::Refused, format!("  {} {}", glyphs.fail, text::visible(reason)));
        }
        canvas.line(inner, y, line);
        y += 1;
    }
    let key =
        |command| model.keymap.chord_for(&model.layers(), command).map_or(String::new(), |k| k.to_string());
    let choices =
        [(Command::Write, "write it"), (Command::NextTarget, "other target"), (Command::Back, "cancel")];
    let mut line = Rich::new();
    for (command, label) in choices {
        let (open, close) = if command == Command::Back { ("[", "]") } else { (" ", " ") };
        line = line.put(Token::Strong, open).put(Token::Key, key(command)).put(
            if command == Command::Back { Token::Strong } else { Token::Text },
            format!(" {label}{close}  "),
        );
    }
    canvas.line(inner, y, line);
    let mut lines: Vec<Rich> = Vec::new();
    let pods = consequences(canvas, model, &model.saved_sweep, &model.sweep);
    lines.extend(beside(canvas, pods, gains(canvas, powers), usize::from(inner.width)));
    lines.push(Rich::new());
    if let Some(target) = targets.get(at) {
        lines.extend(target.lines.iter().map(|l| diff_line(l)));
    }
    scrolled(canvas, below(inner, y + 2), lines, scroll, geometry);
}

/// A reason without the path that it begins with, where that stands beside it.
fn without_path<'r>(reason: &'r str, label: &str) -> &'r str {
    match reason.split_once(' ') {
        Some((path, rest)) if path.starts_with('/') && label.contains(path) => rest,
        _ => reason,
    }
}

/// Files named of one power.
const FILES: usize = 4;

/// What pods' authors can do newly, or no longer, by risk.
fn gains(canvas: &Canvas<'_>, powers: &[PowerChange]) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    if powers.is_empty() {
        return vec![Rich::of(Token::Heading, "no name and no file is newly let in or shut out")];
    }
    let mut lines = Vec::new();
    for (gain, title, token, sign) in
        [(true, "newly let in", Token::Refused, "+"), (false, "no longer let in", Token::Allowed, "-")]
    {
        let all: Vec<&PowerChange> = powers.iter().filter(|power| power.gains() == gain).collect();
        if all.is_empty() {
            continue;
        }
        lines.push(Rich::of(Token::Heading, format!("{title}: {}", all.len())));
        for power in all.iter().take(NAMED) {
            let (risk, name) = (power.risk().as_str(), power.annotation.base());
            let mut line =
                Rich::of(if power.idle { Token::Muted } else { token }, format!("  {sign} {risk}: "))
                    .put(Token::Strong, name);
            if let Some(by) = &power.by {
                line.push(Token::Muted, format!("  by {}", text::glimpse(by)));
            }
            lines.push(line);
            let files = if gain { &power.files_in } else { &power.files_out };
            for file in files.iter().take(FILES) {
                lines.push(Rich::of(Token::Text, format!("      {}", text::visible(file))));
            }
            let more = files.len().saturating_sub(FILES);
            if power.anywhere && gain {
                lines.push(Rich::of(token, "      any file of the host, spelled with .."));
            } else if more > 0 || (power.more && gain) {
                let words = if more > 0 {
                    format!("and {more} more files")
                } else {
                    "and files that are not listed".into()
                };
                lines.push(Rich::of(Token::Muted, format!("      {words}")));
            }
            if power.idle {
                lines.push(Rich::of(
                    Token::Muted,
                    format!(
                        "      {} gives nothing now: no value passes, or it is not used here",
                        glyphs.bar
                    ),
                ));
            }
        }
        if all.len() > NAMED {
            lines.push(Rich::of(
                Token::Muted,
                format!("  and {} more: the audit on screen 2", all.len() - NAMED),
            ));
        }
    }
    lines
}

/// Two texts side by side, or one above the other where there is no room.
fn beside(canvas: &Canvas<'_>, left: Vec<Rich>, right: Vec<Rich>, width: usize) -> Vec<Rich> {
    const ROOM: usize = 96;
    if width < ROOM {
        return right.into_iter().chain(std::iter::once(Rich::new())).chain(left).collect();
    }
    let half = width / 2 - 2;
    let wrapped =
        |lines: Vec<Rich>| -> Vec<Rich> { lines.iter().flat_map(|line| line.wrap(half, 6)).collect() };
    let (left, right) = (wrapped(left), wrapped(right));
    let rows = left.len().max(right.len());
    let mut pairs = left
        .into_iter()
        .map(Some)
        .chain(std::iter::repeat_with(|| None))
        .zip(right.into_iter().map(Some).chain(std::iter::repeat_with(|| None)));
    let bar = format!(" {} ", canvas.theme.glyphs.bar);
    (0..rows)
        .filter_map(|_| pairs.next())
        .map(|(left, right)| {
            left.unwrap_or_default()
                .pad_to(half)
                .put(Token::Border, bar.clone())
                .join(right.unwrap_or_default())
        })
        .collect()
}

/// A line of a unified diff.
fn diff_line(line: &str) -> Rich {
    let token = match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => Token::Added,
        Some(b'-') if !line.starts_with("---") => Token::Removed,
        Some(b'@') => Token::Origin,
        _ => Token::Text,
    };
    Rich::of(token, line.replace('\t', "    "))
}

pub(super) fn find(
    canvas: &mut Canvas<'_>,
    main: Rect,
    (line, all, found, at): (&Line, &[Hit], &(Vec<usize>, bool), usize),
    geometry: &mut Geometry,
) {
    let inner = window(canvas, main, 110, main.height, Rich::of(Token::Title, "Find anything"));
    let count = Rich::of(Token::Hint, format!(" {} of {} ", found.0.len(), all.len()));
    typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "find "), line, count);
    if !found.1 {
        let word = if found.0.is_empty() {
            "nothing is called that"
        } else {
            "nothing is called that; did you mean"
        };
        canvas.line(inner, 1, Rich::of(Token::Overridden, word));
    }
    let lines = found
        .0
        .iter()
        .filter_map(|i| all.get(*i))
        .map(|hit| {
            Rich::of(Token::Key, hit.what)
                .pad_to(11)
                .put(Token::Text, &hit.text)
                .marked(line.text(), Token::Match)
        })
        .collect();
    choose(canvas, below(inner, 2), lines, at, geometry);
}
