//! Windows over a screen.

use ratatui::layout::Rect;

use super::chrome::typed;
use super::frame::{below, choose, hanging, scrolled, scrolled_to, window};
use super::{conflict, otherwise, pods, upgrade, windows};
use crate::report::counted::counted;
use crate::tui::available::reason_against;
use crate::tui::geometry::Geometry;
use crate::tui::keymap::Layer;
use crate::tui::message::{COMMANDS, Command, Group};
use crate::tui::model::annotations::short;
use crate::tui::model::dialog::{Dialog, HandlerItem, Preview};
use crate::tui::model::pods::STATUSES;
use crate::tui::model::{Model, plain as json};
use crate::tui::palette;
use crate::tui::theme::{Token, status_token};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::{Rich, find_ignoring_case};
use crate::tui::widget::text;

/// Columns of the keys in help.
const KEYS: usize = 18;

/// Draws one window; the top one measures.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    main: Rect,
    model: &Model,
    dialog: &Dialog,
    geometry: Option<&mut Geometry>,
) {
    let mut unused = Geometry::default();
    let geometry = geometry.unwrap_or(&mut unused);
    match dialog {
        Dialog::Help { line, scroll } => {
            let lines = help(canvas, model, line.text());
            let inner = window(canvas, main, 92, main.height, Rich::of(Token::Title, "Keys that work here"));
            let prompt = Rich::of(Token::Key, "search ");
            typed(canvas, Rect { height: 1, ..inner }, prompt, line, Rich::new());
            let below = below(inner, 2);
            hanging(canvas, below, lines, (*scroll, KEYS), geometry);
        }
        Dialog::Palette { line, at } => {
            let inner = window(canvas, main, 92, main.height, Rich::of(Token::Title, "Commands"));
            typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, ": "), line, Rich::new());
            let lines = palette_lines(model, &palette::hits(line.text()));
            choose(canvas, below(inner, 2), lines, *at, geometry);
        }
        Dialog::CopyMenu { items, at } => {
            let height = (items.len() as u16).saturating_add(2).min(main.height);
            let inner = window(canvas, main, 92, height, Rich::of(Token::Title, "Copy"));
            let lines = items
                .iter()
                .map(|item| {
                    let line = Rich::of(Token::Key, &item.what).pad_to(17);
                    match &item.file {
                        None => line.put(Token::Text, text::glimpse(&item.text)),
                        Some(name) => line
                            .put(Token::Text, format!("{} {name} in this folder", canvas.theme.glyphs.arrow)),
                    }
                })
                .collect();
            choose(canvas, inner, lines, *at, geometry);
        }
        Dialog::Releases { items, at } => {
            let (width, height) = upgrade::size(dialog);
            let title = Rich::of(Token::Title, "Against which release");
            let inner = window(canvas, main, width, height.min(main.height), title);
            let lines = items.iter().map(|item| upgrade::choice(canvas, item)).collect();
            choose(canvas, inner, lines, *at, geometry);
        }
        Dialog::Handlers { items, at } => handlers(canvas, main, items, *at, geometry),
        Dialog::Try { key, line, pods, preview } => {
            let on = if pods.len() > 1 { format!(" on {} marked pods", pods.len()) } else { String::new() };
            let title = Rich::of(Token::Title, format!("Try another value{on}: {}", short(key)));
            let inner = window(canvas, main, 92, 9, title);
            typed(canvas, Rect { height: 1, ..inner }, Rich::of(Token::Key, "value "), line, Rich::new());
            let lines = preview.as_deref().map(|p| foresight(canvas, p)).unwrap_or_default();
            scrolled(canvas, below(inner, 2), lines, 0, geometry);
        }
        Dialog::Pattern(draft) => windows::pattern(canvas, main, model, draft, geometry),
        Dialog::Opening { purpose, line, at, error } => {
            windows::opening(canvas, main, model, (*purpose, line, *at, error.as_deref()), geometry)
        }
        Dialog::Otherwise(form) => otherwise::draw(canvas, main, model, form, geometry),
        Dialog::Key(draft) => windows::key(canvas, main, model, draft, geometry),
        Dialog::Find { line, all, found, at } => {
            windows::find(canvas, main, (line, all, found, *at), geometry)
        }
        Dialog::Save { targets, powers, at, scroll } => {
            windows::save(canvas, main, model, (targets, powers, *at, *scroll), geometry)
        }
        Dialog::Conflict { .. } => conflict::draw(canvas, main, model, dialog, geometry),
        Dialog::Quit => {
            let inner = window(canvas, main, 64, 6, Rich::of(Token::Title, "Quit"));
            let count = model.unsaved() + model.unsaved_elsewhere();
            let text = format!("{count} policy edit{} not saved.", if count == 1 { " is" } else { "s are" });
            canvas.line(inner, 0, Rich::of(Token::Text, text));
            let key = |command| {
                model.keymap.chord_for(&model.layers(), command).map_or(String::new(), |k| k.to_string())
            };
            let choices = [
                (Command::SaveAndQuit, "save and quit"),
                (Command::DiscardAndQuit, "discard and quit"),
                (Command::Back, "cancel"),
            ];
            let mut line = Rich::new();
            for (command, label) in choices {
                line = line.put(Token::Key, key(command)).put(Token::Text, format!(" {label}   "));
            }
            canvas.line(inner, 2, line);
        }
        Dialog::Text { title, lines, scroll, search, typing, .. } => {
            let mut inner = window(canvas, main, 120, main.height, Rich::of(Token::Title, title));
            if *typing || !search.is_empty() {
                inner.height = inner.height.saturating_sub(1);
                let last = Rect { y: inner.y + inner.height, height: 1, ..inner };
                let prompt = Rich::of(Token::Key, "/");
                match typing {
                    true => typed(canvas, last, prompt, search, Rich::new()),
                    false => canvas.line(last, 0, prompt.put(Token::Strong, search.text())),
                }
            }
            let needle = search.text();
            let line = |line: &String| Rich::of(Token::Text, line).marked(needle, Token::Match);
            let lines = lines.iter().map(line).collect();
            let hits = scrolled_to(canvas, inner, lines, *scroll, needle, geometry);
            geometry.dialog_hits = hits;
        }
    }
}

fn palette_lines(model: &Model, hits: &[Command]) -> Vec<Rich> {
    let layers = model.layers_of(model.screen);
    hits.iter()
        .map(|command| {
            let entry = command.entry();
            let key = model.keymap.chord_for(&layers, *command).map_or(String::new(), |k| k.to_string());
            let mut line = Rich::of(Token::Strong, entry.name).pad_to(18).put(Token::Key, key).pad_to(27);
            match reason_against(model, *command) {
                Some(reason) => line.push(Token::Muted, format!("not now: {reason}")),
                None => line.push(Token::Text, entry.doc),
            }
            line
        })
        .collect()
}

/// The help: by group, everything that can be pressed here, then elsewhere.
fn help(canvas: &Canvas<'_>, model: &Model, wanted: &str) -> Vec<Rich> {
    let here = model.layers_of(model.screen);
    let mut lines = Vec::new();
    // What is done here first, then what is the same everywhere.
    let groups =
        [Group::Change, Group::Look, Group::Go, Group::Program, Group::Move, Group::Dialog, Group::Typing];
    let elsewhere = [
        Layer::Save,
        Layer::QuitQuestion,
        Layer::Conflict,
        Layer::Typing,
        Layer::Picker,
        Layer::Reading,
        Layer::Menu,
    ];
    // What counts in windows and while typing is no key of this place; a search finds it all the same.
    let is_elsewhere = |group: Group| matches!(group, Group::Dialog | Group::Typing);
    for group in groups.into_iter().filter(|group| !wanted.is_empty() || !is_elsewhere(*group)) {
        let mut rows = Vec::new();
        for entry in COMMANDS.iter().filter(|e| e.group == group) {
            let layers: &[Layer] = if is_elsewhere(group) { &elsewhere } else { &here };
            let keys: Vec<String> = layers
                .iter()
                .flat_map(|l| model.keymap.chords(*l, entry.command))
                .map(|k| k.to_string())
                .collect();
            if keys.is_empty() {
                continue;
            }
            let keys = keys.join(" ");
            let text = format!("{keys} {} {} {}", entry.name, entry.label, entry.doc);
            if !wanted.is_empty() && find_ignoring_case(&text, wanted).is_none() {
                continue;
            }
            rows.push(
                Rich::of(Token::Key, keys).pad_to(KEYS - 1).put(Token::Text, format!(" {}", entry.doc)),
            );
        }
        if !rows.is_empty() {
            if !lines.is_empty() {
                lines.push(Rich::new());
            }
            lines.push(Rich::of(Token::Heading, group.title()));
            lines.append(&mut rows);
        }
    }
    let signs: Vec<Rich> = signs(canvas)
        .into_iter()
        .filter(|(sign, _, words)| {
            wanted.is_empty() || find_ignoring_case(&format!("signs {sign} {words}"), wanted).is_some()
        })
        .map(|(sign, token, words)| Rich::of(token, sign).pad_to(KEYS).put(Token::Text, words))
        .collect();
    if !signs.is_empty() {
        if !lines.is_empty() {
            lines.push(Rich::new());
        }
        lines.push(Rich::of(Token::Heading, "Signs"));
        lines.extend(signs);
    }
    if wanted.is_empty() {
        lines.push(Rich::new());
        let text =
            "In windows and while typing other keys count: the footer has them, and a search here finds them";
        lines.push(Rich::of(Token::Hint, text));
    }
    if lines.is_empty() {
        lines.push(Rich::of(Token::Hint, format!("no key does '{wanted}' here")));
    }
    lines
}

/// What stands beside words on the screens.
fn signs(canvas: &Canvas<'_>) -> Vec<(String, Token, String)> {
    let theme = canvas.theme;
    let glyphs = theme.glyphs;
    let mut all: Vec<(String, Token, String)> = STATUSES
        .iter()
        .map(|s| {
            let words = format!("{}: an annotation {}", s.as_str(), pods::fate(*s));
            (theme.status_glyph(*s).to_owned(), status_token(*s), words)
        })
        .collect();
    let more = [
        (
            glyphs.dot,
            Token::Open,
            "not set by this pod, but it could be: allowed, or open where nothing checks it",
        ),
        ("!", Token::Overridden, "read the detail: something is not what it seems"),
        ("~", Token::Changed, "different on the two sides that are compared"),
        ("+", Token::Added, "only on this side"),
        ("-", Token::Removed, "only in the baseline"),
        (glyphs.moved, Token::Changed, "the same, at another place"),
        (glyphs.baseline, Token::Open, "the pod that others are compared with"),
        (glyphs.fold, Token::Muted, "folded, or not known yet"),
        (glyphs.dirty, Token::Dirty, "not saved"),
        ("e", Token::Dirty, "a value that is tried in memory"),
    ];
    all.extend(more.map(|(sign, token, words)| (sign.to_owned(), token, words.to_owned())));
    all
}

fn foresight(canvas: &Canvas<'_>, preview: &Preview) -> Vec<Rich> {
    let glyphs = canvas.theme.glyphs;
    let mut lines = Vec::new();
    if let Some(verdict) = &preview.verdict {
        let sign = canvas.theme.status_glyph(verdict.status);
        let mut line = Rich::of(status_token(verdict.status), format!("{sign} {}", verdict.status.as_str()));
        if let Some(after) = &verdict.after {
            line.push(Token::Text, format!(" {} in effect {}", glyphs.arrow, json(after)));
        }
        lines.push(line);
        lines.push(Rich::of(Token::Text, verdict.reason()));
    }
    lines.push(match preview.outcome.failure() {
        None => Rich::of(Token::Allowed, format!("{} the pod starts", glyphs.pass)),
        Some(failure) => Rich::of(Token::Refused, format!("{} the pod is refused: ", glyphs.fail))
            .put(Token::Text, failure.message.replace('\n', " ")),
    });
    let [starts, refused, open] = preview.others;
    if starts + refused + open > 0 {
        let rest = if open > 0 { format!(", {open} not asked yet") } else { String::new() };
        lines.push(Rich::of(
            Token::Text,
            format!("of the other marked pods {starts} would start, {refused} be refused{rest}"),
        ));
    }
    lines
}

/// The node's handlers, a line each.
fn handlers(canvas: &mut Canvas<'_>, main: Rect, items: &[HandlerItem], at: usize, geometry: &mut Geometry) {
    let glyphs = canvas.theme.glyphs;
    let height = (items.len() as u16).saturating_add(2).min(main.height);
    let inner = window(canvas, main, 118, height, Rich::of(Token::Title, "Handlers of this node"));
    let longest = |text: fn(&HandlerItem) -> &str, most: usize| {
        items.iter().map(|item| text::width(&text::visible(text(item)))).max().unwrap_or(0).min(most)
    };
    let name = longest(|item| &item.name, 34);
    let runtime = longest(|item| &item.runtime, 20);
    let lines = items
        .iter()
        .map(|item| {
            let mark = if item.here { glyphs.arrow } else { " " };
            let token = if item.opens { Token::Key } else { Token::Muted };
            let shown = text::cut_middle(&text::visible(&item.name), name, glyphs.ellipsis);
            let line = Rich::of(Token::Text, mark).put(Token::Text, " ").put(token, shown);
            let pods = counted(item.pods, "pod");
            let line = line.pad_to(name + 3).put(Token::Muted, pods).pad_to(name + 13);
            let line = line.put(if item.opens { Token::Text } else { Token::Muted }, &item.runtime);
            let line = line.pad_to(name + runtime + 15);
            let line = if item.default { line.put(Token::Open, "default ") } else { line };
            match &item.error {
                Some(error) => line.put(Token::Refused, format!("{} ", glyphs.fail)).put(Token::Text, error),
                None => {
                    // Where files of several handlers begin alike, the end tells them apart.
                    let room = usize::from(inner.width).saturating_sub(line.width() + 4);
                    line.put(
                        Token::Origin,
                        text::cut_middle(&text::visible(&item.file), room, glyphs.ellipsis),
                    )
                }
            }
        })
        .collect();
    choose(canvas, inner, lines, at, geometry);
}
