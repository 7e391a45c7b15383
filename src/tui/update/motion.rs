//! Moving: in lists and details, between pods, along the jump list.

use super::go_to;
use crate::tui::geometry::Geometry;
use crate::tui::message::Command;
use crate::tui::model::row::Body;
use crate::tui::model::{Model, Pane, Screen};

/// Spots kept in the jump list.
const JUMPS: usize = 100;

/// How far a command goes in a page of `page` lines; `None`: to an end.
pub(super) fn steps(command: Command, page: usize) -> Option<isize> {
    let page = isize::try_from(page.max(1)).unwrap_or(1);
    Some(match command {
        Command::Up => -1,
        Command::Down => 1,
        Command::HalfUp => -(page / 2).max(1),
        Command::HalfDown => (page / 2).max(1),
        Command::PageUp => -page,
        Command::PageDown => page,
        _ => return None,
    })
}

/// Whether a command goes to another place of the list or the text in sight.
pub(super) fn moves(command: Command) -> bool {
    let to_an_end = matches!(command, Command::First | Command::Last);
    to_an_end || matches!(command, Command::NextHit | Command::PrevHit) || steps(command, 1).is_some()
}

/// A scroll offset after `command`.
pub(super) fn scrolled(offset: usize, command: Command, page: usize, lines: usize) -> usize {
    let last = lines.saturating_sub(page);
    match (command, steps(command, page)) {
        (Command::First, _) => 0,
        (Command::Last, _) => last,
        (_, Some(steps)) => offset.min(last).saturating_add_signed(steps).min(last),
        (_, None) => offset,
    }
}

pub(super) fn go(model: &mut Model, geometry: &Geometry, command: Command) {
    if matches!(command, Command::NextHit | Command::PrevHit) {
        next_hit(model, geometry, command == Command::NextHit);
        return;
    }
    if model.pane == Pane::Detail {
        let list = model.list_mut();
        list.scroll = scrolled(list.scroll, command, geometry.detail_rows, geometry.detail_lines);
        return;
    }
    let to = match (command, steps(command, geometry.list_rows)) {
        (Command::First, _) => model.rows.nearest(0),
        (Command::Last, _) => model.rows.moved(isize::MAX),
        (_, Some(steps)) => model.rows.moved(steps),
        (_, None) => None,
    };
    model.select(to);
}

fn next_hit(model: &mut Model, geometry: &Geometry, forward: bool) {
    match hit(&geometry.hits, model.list().scroll, forward) {
        Some(line) => model.list_mut().scroll = line,
        None => model.complain("not found"),
    }
}

/// The hit after or before a line, round and round.
pub(super) fn hit(hits: &[usize], at: usize, forward: bool) -> Option<usize> {
    let hit = match forward {
        true => hits.iter().find(|hit| **hit > at).or(hits.first()),
        false => hits.iter().rev().find(|hit| **hit < at).or(hits.last()),
    };
    hit.copied()
}

/// The pod `by` places on, round and round.
pub(super) fn other_pod(model: &mut Model, by: isize) {
    let count = model.pods.len();
    if count == 0 {
        return;
    }
    if matches!(model.screen, Screen::Pods | Screen::Nodes) {
        // Round and round, as on the other screens.
        let next = model.rows.moved(by).filter(|next| Some(*next) != model.rows.cursor);
        let end = || if by > 0 { model.rows.nearest(0) } else { model.rows.moved(isize::MAX) };
        let to = next.or_else(end);
        model.select(to);
        return;
    }
    let at = (model.pod as isize + by).rem_euclid(count as isize);
    to_pod(model, at as usize);
}

/// Another pod.
pub(super) fn to_pod(model: &mut Model, index: usize) {
    if index >= model.pods.len() || index == model.pod {
        model.catch_up();
        return;
    }
    model.pod = index;
    model.follow_pod();
    model.evaluate();
    if model.screen == Screen::Annotations {
        let set = model
            .rows
            .current()
            .is_some_and(|r| matches!(&r.body, Body::Annotation(a) if a.verdict.is_some()));
        if !set {
            model.select_problem();
        }
    }
}

/// Remembers where one is before a jump.
pub(super) fn remember(model: &mut Model) {
    let spot = model.spot();
    if model.jumps.last() != Some(&spot) {
        model.jumps.push(spot);
    }
    if model.jumps.len() > JUMPS {
        model.jumps.remove(0);
    }
    model.forward.clear();
}

/// Goes along the jump list.
pub(super) fn jump(model: &mut Model, back: bool) {
    let here = model.spot();
    let (from, to) =
        if back { (&mut model.jumps, &mut model.forward) } else { (&mut model.forward, &mut model.jumps) };
    let Some(spot) = from.pop() else { return };
    to.push(here);
    to_pod(model, spot.pod);
    go_to(model, spot.screen);
    if let Some(row) = spot.row {
        model.list_mut().selected = Some(row);
        model.place_cursor();
    }
}

impl Model {
    /// The pod that a command on this screen means.
    pub(in crate::tui) fn pod_under_cursor(&self) -> usize {
        match self.rows.current().map(|r| &r.body) {
            Some(Body::Pod(index) | Body::PodOnNodes(index) | Body::TouchedPod(index)) => *index,
            _ => self.pod,
        }
    }
}
