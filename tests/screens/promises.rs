//! What footer, help and status line promise: every key does something or says why not, every reason is a
//! clause, and no meaning hangs on a colour.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use katascope::tui::available::reason_against;
use katascope::tui::effect::Effect;
use katascope::tui::keymap::{DEFAULTS, Layer};
use katascope::tui::message::{COMMANDS, Command, Group, Message};
use katascope::tui::model::Screen;
use katascope::tui::model::nodes::Nodes;
use katascope::tui::model::pods::STATUSES;
use katascope::tui::theme::Preset;
use ratatui::style::Color;

use super::stage::{PODS, Stage, pods, text};

/// A stage on a screen, as it is when one comes there.
fn on(screen: Screen) -> Stage {
    let mut stage = Stage::new(120, 34);
    if screen == Screen::Nodes {
        let names = ["a", "b"].map(str::to_owned);
        let matrix = super::nodes::matrix(&pods(PODS), &names);
        stage.model.nodes = Some(Nodes { matrix, opened: 0, at: 0 });
    }
    stage.keys(".").keys(&(screen.index() + 1).to_string());
    assert_eq!(stage.model.screen == screen, screen != Screen::Upgrade);
    if screen == Screen::Upgrade {
        // It first asks for the release.
        stage.keys("j enter");
    }
    stage
}

#[test]
fn every_key_of_every_screen_does_something_or_says_why_not() {
    let mut silent = Vec::new();
    for screen in Screen::ALL {
        for row in DEFAULTS {
            let here = [Layer::Everywhere, Layer::Always, Layer::On(screen)].contains(&row.layer);
            let group = row.command.entry().group;
            // At an end of a list a step does nothing, as it should.
            let stays = group == Group::Move || matches!(row.command, Command::Go(to) if to == screen);
            if !here || stays {
                continue;
            }
            let mut stage = on(screen);
            let before = stage.screen();
            stage.send(Message::Key(row.chord));
            let acted = stage.screen() != before || !stage.effects.is_empty() || stage.ended.is_some();
            if !acted {
                silent.push(format!("{} ({}) on {}", row.chord, row.command.entry().name, screen.title()));
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_reason_against_a_command_is_a_clause() {
    let mut reasons: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut note = |stage: &Stage| {
        for entry in COMMANDS {
            if let Some(reason) = reason_against(&stage.model, entry.command) {
                reasons.entry(entry.name).or_default().insert(reason);
            }
        }
    };
    for screen in Screen::ALL {
        let mut stage = on(screen);
        note(&stage);
        stage.model.readonly = Some("started with --readonly".into());
        note(&stage);
        note(stage.keys("/ `zzzzzz` enter"));
    }
    assert!(reasons.len() > 15, "{reasons:?}");
    for (name, reason) in reasons.iter().flat_map(|(name, all)| all.iter().map(move |r| (name, r))) {
        let words = reason.split_whitespace().count();
        assert!(words >= 3 && !reason.contains('\n'), "{name}: {reason}");
        assert!(
            reason.starts_with(|c: char| c.is_lowercase()) && !reason.ends_with(['.', ' ']),
            "{name}: {reason}"
        );
    }
    // A reason is said when the key is pressed, and stands in the palette.
    let mut stage = on(Screen::Annotations);
    let reason = reason_against(&stage.model, Command::Undo).expect("nothing to undo");
    assert!(stage.keys("u").screen().contains(&format!("undo: {reason}")));
    assert!(stage.keys(": `undo`").screen().contains(&format!("not now: {reason}")));
}

#[test]
fn without_colour_every_status_still_reads_differently() {
    for ascii in [false, true] {
        let mut rows = BTreeSet::new();
        for status in STATUSES {
            let mut stage = on(Screen::Annotations);
            stage.ascii = ascii;
            stage.model.preset = Preset::Mono;
            let mut evaluation = (*stage.model.evaluation).clone();
            evaluation.verdicts[0].status = status;
            let key = evaluation.verdicts[0].key.rsplit('.').next().unwrap().to_owned();
            stage.model.evaluation = Rc::new(evaluation);
            let buffer = stage.draw();
            assert!(
                buffer
                    .content()
                    .iter()
                    .all(|cell| { [cell.fg, cell.bg].iter().all(|colour| *colour == Color::Reset) })
            );
            let screen = text(&buffer);
            let row = screen.lines().find(|line| line.contains(&key) && line.contains(status.as_str()));
            rows.insert(row.unwrap_or_else(|| panic!("{status:?}\n{screen}")).to_owned());
        }
        assert_eq!(rows.len(), STATUSES.len(), "{rows:#?}");
    }
}

#[test]
fn inputs_remember_what_was_typed() {
    let mut stage = on(Screen::Policy);
    stage.keys("j a `^one$` enter a `^two$` enter a up");
    assert!(stage.screen().contains("pattern ^two$"), "{}", stage.screen());
    stage.keys("up");
    assert!(stage.screen().contains("pattern ^one$"));
    stage.keys("down");
    assert!(stage.screen().contains("pattern ^two$"));
    stage.keys("esc : `pods` enter : up");
    assert!(stage.screen().contains(": pods"), "{}", stage.screen());
    stage.keys("esc f `kernel` enter f up");
    assert!(stage.screen().contains("find kernel"), "{}", stage.screen());
}

#[test]
fn edits_are_told_as_commands() {
    let mut stage = on(Screen::Policy);
    stage.keys("@");
    assert!(stage.screen().contains("nothing was changed"));
    stage.keys("j d a `^x y$` enter @");
    let shown = stage.screen();
    let path = super::stage::CONFIG_PATH;
    assert!(shown.contains(&format!("katascope policy deny -c {path} enable_iommu")), "{shown}");
    assert!(shown.contains(&format!("katascope policy allow -c {path} '^x y$'")), "{shown}");
    stage.keys("y");
    assert!(matches!(stage.effects.last(), Some(Effect::Copy { text, .. }) if text.lines().count() == 2));
}

#[test]
fn what_is_misspelt_is_answered_with_the_nearest_name() {
    let mut stage = on(Screen::Policy);
    stage.keys(": `xmesagesx` enter");
    assert!(stage.screen().contains("did you mean 'messages'?"), "{}", stage.screen());
}
