//! State and message to state and effects. Pure: no file, clock, environment or terminal.

mod answers;
mod commands;
pub(super) mod config_keys;
mod copy;
mod dialogs;
mod handlers;
mod leave;
mod links;
mod live;
mod marks;
mod motion;
mod nodes;
pub(super) mod openings;
mod otherwise;
mod policy;
mod save;
mod upgrade;
mod what_if;

use super::available::reason_against;
use crate::input::manifest::Pod;
use crate::report::initdata;
use crate::report::sizing::SizeReport;
use crate::runtime::Depth;

use super::effect::Effect;
use super::geometry::{Geometry, Target};
use super::keymap::Found;
use super::message::{Command, Message, Pointer};
use super::model::arrange::GroupBy;
use super::model::dialog::Dialog;
use super::model::pods::SLICE;
use super::model::row::Body;
use super::model::{Baseline, Input, Model, Pane, Screen, Show, Typing};

/// What a message does.
pub fn update(model: &mut Model, geometry: &Geometry, message: Message) -> Vec<Effect> {
    model.seeking &= matches!(message, Message::Idle | Message::Answer(_));
    let mut effects = react(model, geometry, message);
    effects.extend(live::arrive(model));
    // The pod under the cursor of a list is the one that everything speaks of.
    if model.dialogs.is_empty() && matches!(model.screen, Screen::Pods | Screen::Nodes) {
        model.follow_cursor(model.pod_under_cursor());
    }
    effects
}

fn react(model: &mut Model, geometry: &Geometry, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(chord) => {
            let found = model.keymap.lookup(&model.layers(), chord);
            if geometry.tiny
                && !matches!(found, Found::Command(Command::Quit | Command::Interrupt | Command::Suspend))
            {
                return Vec::new();
            }
            match found {
                Found::Command(command) => obey(model, geometry, command),
                Found::Letter(letter) => {
                    model.notice = None;
                    model.interrupted = false;
                    dialogs::typed(model, &letter.to_string());
                    Vec::new()
                }
                Found::Unbound => Vec::new(),
            }
        }
        Message::Command(command) => obey(model, geometry, command),
        Message::Paste(text) => {
            if geometry.tiny {
                return Vec::new();
            }
            if dialogs::takes_text(model) {
                dialogs::typed(model, &text);
            } else if model.screen == Screen::Live && model.dialogs.is_empty() {
                model.notice = None;
                live::pasted(model, &text);
            } else {
                model.complain("a paste is only taken while typing; press / or : or e first; process lines go into screen 8");
            }
            Vec::new()
        }
        Message::Pointer(pointer) => point(model, geometry, pointer),
        Message::Idle => {
            idle(model);
            Vec::new()
        }
        Message::Answer(answer) => answers::take(model, answer),
    }
}

/// Whether there is work for idle time.
pub fn has_work(model: &Model) -> bool {
    !model.sweep.done()
        || (model.seat.edited && !model.saved_sweep.done())
        || matches!(model.dialogs.last(), Some(Dialog::Pattern(draft)) if !draft.sweep.done())
        || matches!(model.dialogs.last(), Some(Dialog::Key(draft)) if !draft.sweep.done())
        || matches!(model.dialogs.last(), Some(Dialog::Otherwise(form)) if form.has_work())
}

/// One slice of work: this policy's outcomes first, then those on disk, then those of what is typed.
fn idle(model: &mut Model) {
    if !model.sweep.done() {
        let mut sweep = std::mem::take(&mut model.sweep);
        sweep.go_on(
            SLICE,
            |pod| model.judged(pod, Depth::Verdicts, &model.seat.current),
            |i| model.tried_pod(i),
            &model.pods,
        );
        let done = sweep.done();
        model.sweep = sweep;
        if model.seeking {
            seek(model, done);
        }
        if done && matches!(model.screen, Screen::Pods | Screen::Nodes) {
            model.rebuild_rows();
        }
    } else if model.seat.edited && !model.saved_sweep.done() {
        let mut sweep = std::mem::take(&mut model.saved_sweep);
        sweep.go_on(
            SLICE,
            |pod| model.judged(pod, Depth::Verdicts, &model.seat.saved),
            |i| model.tried_pod(i),
            &model.pods,
        );
        model.saved_sweep = sweep;
    } else if let Some(mut dialog) = model.dialogs.pop() {
        let drafted = match &mut dialog {
            Dialog::Pattern(draft) => draft.candidate.as_ref().zip(Some(&mut draft.sweep)),
            Dialog::Key(draft) => draft.candidate.as_ref().zip(Some(&mut draft.sweep)),
            _ => None,
        };
        if let Some((candidate, sweep)) = drafted {
            let judged = |pod: &Pod| model.judged(pod, Depth::Verdicts, candidate);
            sweep.go_on(SLICE, judged, |i| model.tried_pod(i), &model.pods);
        }
        if let Dialog::Otherwise(form) = &mut dialog
            && let Some(found) = &mut form.found
        {
            let judged = |pod: &Pod| found.node.evaluate(pod, Depth::Verdicts);
            found.sweep.go_on(SLICE, judged, |_| None, &found.pods);
        }
        model.dialogs.push(dialog);
    }
}

/// Whether a command leaves one in the list of pods, whatever it does there.
fn stays_in_list(command: Command) -> bool {
    motion::moves(command)
        || matches!(
            command,
            Command::NextPod
                | Command::PrevPod
                | Command::Filter
                | Command::Mark
                | Command::MarkAll
                | Command::ListMarked
                | Command::CycleRows
                | Command::SortBy
                | Command::ReverseSort
                | Command::GroupBy
                | Command::Fold
                | Command::Edit(_)
        )
}

/// Opens on the first refused pod once the sweep comes to it: what one came for may lie behind the first pods.
fn seek(model: &mut Model, done: bool) {
    let refused = |i: &usize| model.sweep.get(*i).is_some_and(|summary| summary.refused.is_some());
    let first = (0..model.sweep.progress().0).find(refused);
    model.seeking = first.is_none() && !done;
    if let Some(pod) = first {
        motion::to_pod(model, pod);
        model.select_problem();
    }
}

fn obey(model: &mut Model, geometry: &Geometry, command: Command) -> Vec<Effect> {
    let twice = model.interrupted && command == Command::Interrupt;
    model.notice = None;
    model.interrupted = false;
    if let Some(reason) = reason_against(model, command) {
        model.complain(format!("{}: {reason}", command.entry().label));
        return Vec::new();
    }
    if !stays_in_list(command) {
        model.catch_up();
    }
    if twice {
        return vec![Effect::Quit { patch: leave::patch(model) }];
    }
    if !model.dialogs.is_empty()
        && !matches!(command, Command::Interrupt | Command::Suspend | Command::Redraw)
    {
        return dialogs::obey(model, geometry, command);
    }
    if model.typing != Typing::Nowhere && dialogs::while_typing(model, geometry, command) {
        return Vec::new();
    }
    match command {
        _ if motion::moves(command) => motion::go(model, geometry, command),
        Command::Left if nodes::step(model, -1) => {}
        Command::Right if nodes::step(model, 1) => {}
        Command::Left | Command::PrevPane | Command::Right | Command::NextPane => {
            model.pane = match (command, model.pane) {
                (Command::Left, _) | (Command::NextPane | Command::PrevPane, Pane::Detail) => Pane::List,
                _ => Pane::Detail,
            };
        }
        Command::Open if model.screen == Screen::Nodes => return nodes::open(model),
        Command::Open if model.screen == Screen::Live => return live::open(model),
        Command::Open if model.screen == Screen::Upgrade && model.pane == Pane::List => upgrade::open(model),
        Command::Open => open(model),
        Command::Back => back(model),
        Command::Go(Screen::Upgrade) if model.upgrade.is_none() => upgrade::choose(model),
        Command::Go(screen) => go_to(model, screen),
        Command::PrevPod => motion::other_pod(model, -1),
        Command::NextPod => motion::other_pod(model, 1),
        Command::JumpBack => motion::jump(model, true),
        Command::JumpForward => motion::jump(model, false),
        Command::Filter => {
            model.typing = if model.pane == Pane::Detail { Typing::Search } else { Typing::Filter };
        }
        Command::CycleRows => {
            let list = model.list_mut();
            list.show = match list.show {
                Show::All => Show::Set,
                Show::Set => Show::Problems,
                Show::Problems => Show::All,
            };
            model.rebuild_rows();
        }
        Command::MarkBaseline => {
            let pod = model.pod_under_cursor();
            model.mark_alone(pod);
            model.rebuild_rows();
            let name = model.pods.get(pod).map_or("", |p| &p.id).to_owned();
            model.say(format!("{name} is the baseline of Launch and Agent now"));
        }
        Command::CycleBaseline => {
            model.baseline = match model.baseline {
                Baseline::Bare => Baseline::Saved,
                Baseline::Saved if !model.marks.is_empty() => Baseline::Marked,
                Baseline::Saved | Baseline::Marked => Baseline::OtherRuntime,
                Baseline::OtherRuntime if model.elsewhere.is_some() => Baseline::Elsewhere,
                Baseline::OtherRuntime | Baseline::Elsewhere => Baseline::Bare,
            };
            model.say(format!("compared with {}", model.baseline_words()));
            model.rebuild_rows();
        }
        Command::SideBySide => model.side_by_side = !model.side_by_side,
        Command::AsIf => {
            model.next_supposition();
            if let Some((_, sentence)) = model.supposition() {
                model.say(sentence);
            }
        }
        Command::SortBy => sort(model, true),
        Command::ReverseSort => sort(model, false),
        Command::GroupBy => {
            model.arrangement.group = GroupBy::next(model.arrangement.group);
            model.arrangement.open.clear();
            model.list_mut().selected = None;
            model.list_mut().at = 0;
            model.rebuild_rows();
            model.say(match model.arrangement.group {
                Some(by) => format!("grouped by {}; Enter unfolds a group, Z all of them", by.title()),
                None => "not grouped".to_owned(),
            });
        }
        Command::Fold if model.screen == Screen::Pods => model.fold_groups(),
        Command::Fold => {
            model.folded = !model.folded;
            model.rebuild_rows();
        }
        Command::FindAnything => links::open_find(model),
        Command::Origin => links::origin(model),
        Command::ToLaunch => links::to_launch(model),
        Command::OtherRuntime => {
            let next = model.next_release();
            model.seat.saved = model.seat.saved.with_release(next);
            model.saved_sweep = Default::default();
            model.policy_changed();
            model.say(format!("evaluated as {} now", next.title()));
        }
        Command::AddPattern
        | Command::EditPattern
        | Command::DeletePattern
        | Command::DuplicatePattern
        | Command::MovePatternUp
        | Command::MovePatternDown
        | Command::Allow
        | Command::Undo
        | Command::Redo => policy::obey(model, command),
        Command::Save => save::open(model),
        Command::SaveAndQuit => return leave::save_and_quit(model),
        Command::DiscardAndQuit => return vec![Effect::Quit { patch: None }],
        Command::Audit => audit(model),
        Command::Cluster => cluster(model),
        Command::Handlers => handlers::open(model),
        Command::Initdata => {
            let mut text = Vec::new();
            // Writing to memory does not fail.
            let _ = initdata::text(&mut text, &model.tried, model.initdata().as_ref());
            let text = String::from_utf8_lossy(&text).into_owned();
            model.dialogs.push(Dialog::text("Initialization data", &text));
        }
        Command::Sizing => sizing(model),
        Command::OpenOther
        | Command::CompareWith
        | Command::Bookmark
        | Command::Explain
        | Command::Suggest => {
            return openings::obey(model, command);
        }
        Command::EditKey | Command::RemoveKey => config_keys::obey(model, command),
        Command::ChooseRelease => upgrade::choose(model),
        Command::Mark | Command::MarkAll | Command::CompareMarked | Command::ListMarked => {
            marks::obey(model, geometry, command);
        }
        Command::WhatIf => otherwise::start(model),
        Command::TryValue => what_if::start(model),
        Command::DropTry => what_if::drop_one(model),
        Command::ExportTry => what_if::export(model),
        Command::Copy | Command::CopyMenu | Command::CopyCommand | Command::Whole => {
            return copy::obey(model, command);
        }
        Command::Editor => return copy::editor(model),
        Command::Reload if model.screen == Screen::Live => return vec![live::look(model)],
        Command::Reload => return vec![Effect::Reload],
        Command::Messages => {
            let text: Vec<String> = model.log.iter().rev().map(|n| n.text.clone()).collect();
            let text = if text.is_empty() { "nothing was said yet".to_owned() } else { text.join("\n") };
            model.dialogs.push(Dialog::text("Messages, newest first", &text));
        }
        Command::Edits => {
            let text = commands::of_edits(model).join("\n");
            model.dialogs.push(Dialog::text("The edits as commands", &text));
        }
        Command::Palette => {
            let line = model.input("", Input::Command);
            model.dialogs.push(Dialog::Palette { line, at: 0 });
        }
        Command::Help => model.dialogs.push(Dialog::Help { line: Default::default(), scroll: 0 }),
        Command::Theme => {
            model.preset = model.preset.next();
            model.say(format!("theme {}", model.preset.name()));
        }
        Command::Mouse => {
            model.mouse = !model.mouse;
            model.say(if model.mouse {
                "mouse on: wheel scrolls, click selects; Shift-drag selects text"
            } else {
                "mouse off: the terminal selects text again"
            });
            return vec![Effect::Mouse(model.mouse)];
        }
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return leave::quit(model),
        Command::Interrupt => return leave::interrupt(model),
        _ => {}
    }
    Vec::new()
}

/// Another screen; its filter and selection are as they were left.
pub(super) fn go_to(model: &mut Model, screen: Screen) {
    if model.screen != screen {
        if !matches!(screen, Screen::Pods | Screen::Nodes) {
            model.catch_up();
        }
        model.screen = screen;
        model.pane = Pane::List;
        model.typing = Typing::Nowhere;
        if matches!(screen, Screen::Pods | Screen::Nodes) {
            model.reveal_pod();
        }
        model.rebuild_rows();
    }
}

fn open(model: &mut Model) {
    if model.screen == Screen::Pods {
        if matches!(model.rows.current().map(|row| &row.body), Some(Body::Group(_))) {
            model.fold_group();
            return;
        }
        let pod = model.pod_under_cursor();
        model.select(model.rows.cursor);
        motion::remember(model);
        motion::to_pod(model, pod);
        go_to(model, Screen::Annotations);
        model.select_problem();
        return;
    }
    if let Some(Body::Fold(_)) = model.rows.current().map(|r| &r.body) {
        model.folded = false;
        model.rebuild_rows();
        return;
    }
    if model.screen == Screen::Policy && model.pane == Pane::Detail {
        policy::obey(model, Command::EditPattern);
        return;
    }
    model.pane = Pane::Detail;
}

/// Another sort key, or the other way round.
fn sort(model: &mut Model, next: bool) {
    let arrangement = &mut model.arrangement;
    if next {
        (arrangement.sort, arrangement.reverse) = (arrangement.sort.next(), false);
    } else {
        arrangement.reverse = !arrangement.reverse;
    }
    let way = if arrangement.reverse { ", the other way round" } else { "" };
    let text = format!("sorted by {}{way}", arrangement.sort.title());
    model.rebuild_rows();
    model.say(text);
}

/// The VM's size, line by line.
fn sizing(model: &mut Model) {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = SizeReport::of(&model.tried, model.shown(), Some(&model.seat.current)).text(&mut out);
    let text = String::from_utf8_lossy(&out).into_owned();
    model.dialogs.push(Dialog::text("How the VM comes to its size", &text));
}

/// What the policy lets in, worst first.
fn audit(model: &mut Model) {
    let text = super::model::policy::audit_text(model);
    model.dialogs.push(Dialog::text("What this policy lets pod authors do", &text));
}

fn cluster(model: &mut Model) {
    let text = super::model::policy::cluster_text(model);
    model.dialogs.push(Dialog::text("What a cluster would enforce", &text));
}

fn back(model: &mut Model) {
    let detail = model.pane == Pane::Detail;
    let list = model.list_mut();
    if detail && !list.search.is_empty() {
        list.search.clear();
    } else if detail {
        model.pane = Pane::List;
    } else if !list.filter.is_empty() {
        list.filter.clear();
        model.rebuild_rows();
    } else if !live::close(model) {
        let key = model.keymap.chord_for(&model.layers(), Command::Quit);
        model.say(key.map_or_else(|| "this is the top".into(), |k| format!("this is the top; {k} quits")));
    }
}

fn point(model: &mut Model, geometry: &Geometry, pointer: Pointer) -> Vec<Effect> {
    if geometry.tiny {
        return Vec::new();
    }
    let (column, row, wheel) = match pointer {
        Pointer::Click { column, row } => (column, row, None),
        Pointer::ScrollUp { column, row } => (column, row, Some(Command::Up)),
        Pointer::ScrollDown { column, row } => (column, row, Some(Command::Down)),
    };
    if let Some(step) = wheel {
        if model.dialogs.is_empty() {
            match geometry.at(column, row) {
                Some(Target::Detail) => model.pane = Pane::Detail,
                Some(Target::Row(_) | Target::List) => model.pane = Pane::List,
                _ => {}
            }
        }
        return (0..3).flat_map(|_| obey(model, geometry, step)).collect();
    }
    if !model.dialogs.is_empty() {
        return match geometry.at(column, row) {
            Some(Target::Choice(index)) => dialogs::choose(model, geometry, index),
            _ => Vec::new(),
        };
    }
    model.notice = None;
    match geometry.at(column, row) {
        Some(Target::Row(index)) => {
            model.pane = Pane::List;
            let again = model.rows.cursor == Some(index);
            model.select(Some(index));
            if again {
                return obey(model, geometry, Command::Open);
            }
        }
        Some(Target::List) => model.pane = Pane::List,
        Some(Target::Detail) => model.pane = Pane::Detail,
        Some(Target::Tab(screen)) => go_to(model, screen),
        Some(Target::Choice(_)) | None => {}
    }
    Vec::new()
}
