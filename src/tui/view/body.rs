//! A screen's two halves: the frame, the scrolling, the cursor. What stands in them is each screen's.

use ratatui::layout::Rect;

use super::{annotations, changes, config, live, nodes, pods, policy, upgrade};
use crate::report::counted::counted;
use crate::tui::geometry::{Geometry, Region, Target};
use crate::tui::message::Command;
use crate::tui::model::row::{Body, Row};
use crate::tui::model::{Model, Pane, Screen, Show};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::rich::{Rich, find_ignoring_case};
use crate::tui::widget::text;

/// Rows that stay in sight around the cursor.
const MARGIN: usize = 2;
/// Columns that a frame's title and the words at its right have around them.
const BESIDE: usize = 6;

pub(super) fn list(canvas: &mut Canvas<'_>, area: Rect, model: &Model, geometry: &mut Geometry) {
    let focused = model.pane == Pane::List || geometry.narrow;
    let (title, right) = titles(canvas, model, area.width);
    let inner = canvas.frame(area, title, right, focused && model.dialogs.is_empty());
    let mut inner = inner;
    if let Some(head) = heading(canvas, inner, model) {
        canvas.line(inner, 0, head);
        inner.y += 1;
        inner.height = inner.height.saturating_sub(1);
    }
    let rows = &model.rows;
    let page = usize::from(inner.height);
    geometry.list_rows = page;
    let slot = &mut geometry.offsets[model.screen];
    *slot = offset(*slot, rows.cursor.unwrap_or(0), rows.shown.len(), page);
    let offset = *slot;
    if rows.shown.is_empty() {
        empty(canvas, inner, model);
    }
    let width = usize::from(inner.width);
    for (i, row) in rows.shown.iter().enumerate().skip(offset).take(page) {
        let y = (i - offset) as u16;
        let here = rows.cursor == Some(i);
        let line = draw_row(canvas, model, row, width, here);
        let place = Rect { y: inner.y + y, height: 1, ..inner };
        if here {
            canvas.clear(place, if focused { Token::Selection } else { Token::SelectionIdle });
        }
        let base = here.then_some(if focused { Token::Selection } else { Token::SelectionIdle });
        canvas.line_over(inner, y, line, base);
        if row.selectable() {
            geometry.regions.push(Region {
                x: place.x,
                y: place.y,
                width: place.width,
                height: 1,
                target: Target::Row(i),
            });
        }
    }
    canvas.scroll_mark(inner, offset, page, rows.shown.len());
}

/// Where the list starts so that the cursor is in sight and as little as possible moves.
fn offset(before: usize, cursor: usize, rows: usize, page: usize) -> usize {
    let margin = MARGIN.min(page.saturating_sub(1) / 2);
    let least = (cursor + margin + 1).saturating_sub(page);
    let most = cursor.saturating_sub(margin);
    before.clamp(least.min(most), most.max(least)).min(rows.saturating_sub(page))
}

fn titles(canvas: &Canvas<'_>, model: &Model, width: u16) -> (Rich, Rich) {
    let rows = &model.rows;
    let dot = canvas.theme.glyphs.dot;
    let mut title = Rich::of(Token::Title, model.screen.title());
    let list = model.list();
    if list.filter.is_empty() && matches!(model.screen, Screen::Launch | Screen::Agent) {
        // What differs says more than how many there are.
    } else if list.filter.is_empty() && model.screen == Screen::Live {
        let words = live::title(model);
        title.push(Token::Muted, if words.is_empty() { words } else { format!(" {dot} {words}") });
    } else if list.filter.is_empty() {
        title.push(Token::Muted, format!(" {dot} {}", rows.all));
        if let (Screen::Nodes, Some(nodes)) = (model.screen, &model.nodes) {
            let pods = if rows.all == 1 { "pod" } else { "pods" };
            let nodes = counted(nodes.matrix.columns().len(), "node");
            title.push(Token::Muted, format!(" {pods} on {nodes}"));
        }
    } else {
        title.push(Token::Muted, format!(" {dot} {} of {} ", rows.kept, rows.all));
        title.push(Token::Key, "/");
        title.push(Token::Strong, list.filter.text());
    }
    if let Some((label, _)) = model.supposition() {
        title.push(Token::Open, format!(" {dot} {label}"));
    }
    if model.screen == Screen::Pods && rows.kept > 1 {
        title = title.join(pods::tally(canvas, model));
    }
    let right = match (model.screen, list.show) {
        (Screen::Launch | Screen::Agent, _) => {
            let right = Rich::of(Token::Muted, "against ").put(Token::Open, model.baseline_words());
            match model.baseline_failure() {
                Some(_) => right.put(Token::Refused, format!(" {} refused", canvas.theme.glyphs.fail)),
                None => right,
            }
        }
        (Screen::Upgrade, show) => {
            let only = match show {
                Show::All => "",
                Show::Set => ", only with pods",
                Show::Problems => ", only what is lost",
            };
            upgrade::way(canvas, model).put(Token::Open, only)
        }
        (Screen::Policy, Show::Set) => Rich::of(Token::Open, "only what a file sets"),
        (Screen::Policy, Show::Problems) => Rich::of(Token::Open, "only with warnings"),
        (Screen::Config, Show::Set) => Rich::of(Token::Open, "without defaults"),
        (Screen::Config, Show::Problems) => Rich::of(Token::Open, "set by annotations or rules"),
        (Screen::Live, Show::Set) => Rich::of(Token::Open, "only what is not equal"),
        (Screen::Live, Show::Problems) => Rich::of(Token::Open, "only what differs"),
        (Screen::Nodes, Show::Set) => Rich::of(Token::Open, "only where nodes differ"),
        (Screen::Nodes, Show::Problems) => Rich::of(Token::Open, "only refused on a node"),
        (Screen::Pods, _) => pods::arranged(model),
        (_, Show::All) => Rich::new(),
        (_, Show::Set) => Rich::of(Token::Open, "only set"),
        (_, Show::Problems) => Rich::of(Token::Open, "only problems"),
    };
    if matches!(model.screen, Screen::Launch | Screen::Agent) && !rows.shown.is_empty() {
        // Against what is said whole; the counts give way.
        let said = |short| format!(" {dot} {}", changes::summary(canvas, model, short));
        let beside = title.width() + right.width() + BESIDE;
        let short = beside + text::width(&said(false)) > usize::from(width);
        title.push(Token::Muted, said(short));
    }
    (title, right)
}

fn heading(canvas: &Canvas<'_>, inner: Rect, model: &Model) -> Option<Rich> {
    let width = usize::from(inner.width);
    match model.screen {
        Screen::Annotations => Some(annotations::columns(width).heading()),
        Screen::Pods => Some(pods::heading(canvas, model, width)),
        Screen::Nodes => Some(nodes::heading(canvas, model, width)),
        Screen::Launch | Screen::Agent if model.side_by_side && width >= 72 => {
            Some(changes::heading(canvas, model, width))
        }
        Screen::Live => live::heading(model, width),
        _ => None,
    }
}

fn empty(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let list = model.list();
    let refused = model.evaluation.outcome.failure();
    let shows_pod = matches!(model.screen, Screen::Launch | Screen::Agent | Screen::Config);
    let no_rows = shows_pod && refused.is_some() && model.rows.all == 0;
    let presses = match list.show {
        Show::All => 0,
        Show::Problems => 1,
        Show::Set => 2,
    };
    let text = if !list.filter.is_empty() && !no_rows {
        format!("nothing fits '{}'; Esc clears the filter", list.filter.text())
    } else if presses > 0 && !no_rows {
        let key = model.keymap.chord_for(&model.layers(), Command::CycleRows);
        let keys = key.map_or_else(|| "v".to_owned(), |key| key.to_string());
        format!("nothing of that kind; {} shows all", vec![keys; presses].join(" "))
    } else {
        match model.screen {
            Screen::Pods => "no pods: name manifests on the command line, or pipe them in with -".to_owned(),
            Screen::Annotations if model.pods.is_empty() => {
                "no pod: name manifests on the command line to see what becomes of theirs".to_owned()
            }
            Screen::Upgrade => "no difference".to_owned(),
            Screen::Launch | Screen::Agent | Screen::Config => match refused {
                Some(f) => format!(
                    "The pod does not get so far: it is refused at {}. {}{}",
                    f.stage.as_str(),
                    f.message,
                    model.supposition().map_or(String::new(), |(_, sentence)| format!("\n{sentence}"))
                ),
                None => model
                    .said_elsewhere()
                    .unwrap_or_else(|| "nothing is known here for this runtime".to_owned()),
            },
            Screen::Live => live::empty(model),
            _ => "nothing here".to_owned(),
        }
    };
    let width = usize::from(area.width).saturating_sub(4);
    let place = Rect { x: area.x + 2, width: width as u16, ..area };
    for (i, line) in Rich::of(Token::Hint, text).wrap(width, 0).into_iter().enumerate() {
        canvas.line(place, 1 + i as u16, line);
    }
}

fn draw_row(canvas: &Canvas<'_>, model: &Model, row: &Row, width: usize, here: bool) -> Rich {
    let pointer = if here { canvas.theme.glyphs.pointer } else { " " };
    let head = Rich::of(Token::Focus, pointer).pad_to(2);
    let room = width.saturating_sub(2);
    match &row.body {
        Body::Heading(text) => Rich::of(Token::Heading, format!(" {text}")),
        Body::Annotation(annotation) => head.join(annotations::row(canvas, model, annotation, room)),
        Body::List(list) => head.join(policy::list_row(canvas, list, room)),
        Body::Pattern(pattern) => head.join(policy::pattern_row(canvas, pattern, room)),
        Body::Change(change) => head.join(changes::row(canvas, model, change, room)),
        Body::Fold(count) => {
            head.put(Token::Muted, format!("{} {count} equal; Enter unfolds", canvas.theme.glyphs.fold))
        }
        Body::Key(key) => head.join(config::row(canvas, key, room)),
        Body::Pod(index) => head.join(pods::row(canvas, model, *index, room)),
        Body::Group(group) => pods::group(canvas, group, here, width),
        Body::PodOnNodes(index) => head.join(nodes::row(canvas, model, *index, room, here)),
        Body::Vm(index) => head.join(live::vm_row(canvas, model, *index, room)),
        Body::Argument(index) => head.join(live::argument_row(canvas, model, *index, room)),
        Body::Cause(at) => head.join(upgrade::row(canvas, model, *at, room)),
        Body::TouchedPod(pod) => head.join(upgrade::pod(canvas, model, *pod, room)),
    }
}

pub(super) fn detail(canvas: &mut Canvas<'_>, area: Rect, model: &Model, geometry: &mut Geometry) {
    let focused = model.pane == Pane::Detail && model.dialogs.is_empty();
    let (title, lines) = match model.rows.current().map(|r| &r.body) {
        Some(Body::Annotation(row)) => annotations::detail(canvas, model, row),
        Some(Body::List(row)) => policy::list_detail(model, row),
        Some(Body::Pattern(row)) => policy::pattern_detail(canvas, row),
        Some(Body::Change(row)) => changes::detail(canvas, model, row),
        Some(Body::Key(row)) => config::detail(canvas, model, row),
        Some(Body::Pod(index)) => pods::detail(canvas, model, *index),
        Some(Body::Group(group)) => pods::group_detail(canvas, model, group),
        Some(Body::PodOnNodes(index)) => nodes::detail(canvas, model, *index),
        Some(Body::Vm(index)) => live::vm_detail(canvas, model, *index),
        Some(Body::Argument(index)) => live::argument_detail(canvas, model, *index),
        Some(Body::Cause(at)) => upgrade::detail(canvas, model, *at),
        Some(Body::TouchedPod(pod)) => upgrade::pod_detail(model, *pod),
        Some(Body::Fold(count)) => {
            let text =
                format!("{count} rows are the same on both sides. Enter shows them; Z folds and unfolds.");
            (Rich::of(Token::Title, "equal"), vec![Rich::of(Token::Text, text)])
        }
        Some(Body::Heading(_)) | None => (Rich::new(), Vec::new()),
    };
    let list = model.list();
    let inner = canvas.frame(area, title, Rich::new(), focused);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), ..inner };
    let width = usize::from(inner.width);
    let wrapped: Vec<Rich> =
        lines.iter().flat_map(|l| if l.is_empty() { vec![Rich::new()] } else { l.wrap(width, 2) }).collect();
    let page = usize::from(inner.height);
    let offset = list.scroll.min(wrapped.len().saturating_sub(page));
    geometry.detail_rows = page;
    geometry.detail_lines = wrapped.len();
    let needle = list.search.text();
    if !needle.is_empty() {
        let hit = |l: &Rich| find_ignoring_case(&l.text(), needle).is_some();
        geometry.hits = wrapped.iter().enumerate().filter(|(_, l)| hit(l)).map(|(i, _)| i).collect();
    }
    let total = wrapped.len();
    for (i, line) in wrapped.into_iter().skip(offset).take(page).enumerate() {
        canvas.line(inner, i as u16, line.marked(needle, Token::Match));
    }
    canvas.scroll_mark(inner, offset, page, total);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_move_no_more_than_they_must() {
        assert_eq!(offset(0, 5, 100, 10), 0);
        assert_eq!(offset(0, 9, 100, 10), 2);
        assert_eq!(offset(20, 21, 100, 10), 19);
        assert_eq!(offset(95, 99, 100, 10), 90);
        assert_eq!(offset(7, 0, 3, 10), 0);
        assert_eq!(offset(3, 0, 0, 0), 0);
        for page in 0..12 {
            for cursor in 0..30 {
                let at = offset(5, cursor, 30, page);
                assert!(page == 0 || (at <= cursor && cursor < at + page), "{page} {cursor} {at}");
            }
        }
    }
}
