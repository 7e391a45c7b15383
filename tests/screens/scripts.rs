//! Key scripts: what a person types, and what must come of it.

use katascope::release::{Release, Runtime};
use katascope::tui::chord::{Chord, Key};
use katascope::tui::effect::Effect;
use katascope::tui::keymap::{DEFAULTS, Layer};
use katascope::tui::message::Message;
use katascope::tui::model::{Pane, Screen};

use super::stage::{CONFIG, CONFIG_PATH, Stage};

fn stage() -> Stage {
    Stage::new(120, 34)
}

#[test]
fn from_a_refused_pod_to_a_saved_policy_in_under_ten_keys() {
    let mut stage = stage();
    // to the third pod (refused by the value gate), allow, save, write
    stage.keys(". .");
    assert!(stage.screen().contains("REFUSED"));
    stage.keys("a");
    assert!(stage.screen().contains("STARTS"), "{}", stage.screen());
    assert!(stage.screen().contains("1 unsaved"));
    stage.keys("s y");
    let saved = &stage.disk[CONFIG_PATH];
    assert_eq!(
        *saved,
        CONFIG.replace(
            "valid_hypervisor_paths = [\"/opt/kata/bin/qemu-*\"]",
            "valid_hypervisor_paths = [\"/opt/kata/bin/qemu-*\", \"/tmp/qemu\"]"
        )
    );
    assert!(!stage.screen().contains("unsaved"));
}

#[test]
fn allowing_opens_every_list_that_stands_in_the_way_in_one_step() {
    // Neither the name nor the value is let through.
    let closed = CONFIG.replace("\"^path$\"", "\"^nothing$\"");
    assert_ne!(closed, CONFIG);
    let mut stage = Stage::of(
        super::stage::evaluator(&closed, Release::newest(Runtime::Go)),
        super::stage::pods(super::stage::PODS),
        140,
        40,
    );
    stage.keys(". .");
    assert!(stage.screen().contains("REFUSED"));
    stage.keys("a");
    let screen = stage.screen();
    assert!(screen.contains("STARTS") && screen.contains(" unsaved"), "{screen}");
    assert!(screen.contains("enable_annotations") && screen.contains("valid_hypervisor_paths"), "{screen}");
    stage.keys("u");
    assert!(stage.screen().contains("REFUSED") && !stage.screen().contains("unsaved"), "{}", stage.screen());
}

#[test]
fn edit_undo_redo_save_undo_save_gives_the_bytes_back() {
    let mut stage = stage();
    stage.keys("2 j d");
    assert_eq!(stage.model.unsaved(), 1);
    stage.keys("u");
    assert_eq!(stage.model.unsaved(), 0);
    stage.keys("U s y");
    assert_ne!(stage.disk[CONFIG_PATH], CONFIG);
    assert_eq!(stage.model.unsaved(), 0);
    stage.keys("u");
    assert_eq!(stage.model.unsaved(), 1);
    stage.keys("s y");
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG);
}

#[test]
fn enter_in_the_save_window_cancels() {
    let mut stage = stage();
    stage.keys("2 j d s enter");
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG);
    assert_eq!(stage.model.unsaved(), 1);
    stage.keys("s s s esc");
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG, "the opening key never confirms");
}

#[test]
fn a_drop_in_leaves_the_file_alone() {
    let mut stage = stage();
    stage.keys("2 j d s tab y");
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG);
    let drop_in = stage.disk.iter().find(|(p, _)| p.contains("config.d")).expect("a drop-in").1;
    assert!(drop_in.contains("^kernel_params$") && !drop_in.contains("enable_iommu"), "{drop_in}");
    assert_eq!(stage.model.unsaved(), 0);
}

#[test]
fn reloading_keeps_selection_filter_and_edits() {
    let mut stage = stage();
    stage.keys("2 j d 1 / `kernel` enter");
    let selected = stage.model.list().selected.clone();
    stage.keys("R");
    assert_eq!(stage.model.unsaved(), 1);
    assert_eq!(stage.model.list().selected, selected);
    assert_eq!(stage.model.list().filter.text(), "kernel");
}

#[test]
fn quitting_asks_only_with_unsaved_edits_and_preselects_nothing() {
    let mut stage = stage();
    stage.keys("q");
    assert_eq!(stage.ended, Some(None));
    let mut stage = self::stage();
    stage.keys("2 j d q");
    assert_eq!(stage.ended, None);
    stage.keys("enter");
    assert_eq!(stage.ended, None, "Enter chooses nothing");
    stage.keys("d");
    assert_eq!(stage.ended, Some(None));
}

#[test]
fn saving_on_the_way_out_ends_the_program() {
    let mut stage = stage();
    stage.keys("2 j d q s y");
    assert_eq!(stage.ended, Some(None));
    assert_ne!(stage.disk[CONFIG_PATH], CONFIG);
}

#[test]
fn a_second_interrupt_leaves_with_a_patch() {
    let mut stage = stage();
    stage.keys("2 j d ctrl-c");
    assert_eq!(stage.ended, None);
    stage.keys("ctrl-c");
    let patch = stage.ended.clone().flatten().expect("a patch");
    assert!(patch.contains("-    \"enable_iommu\","), "{patch}");
}

#[test]
fn interrupt_works_from_every_window() {
    for script in ["?", ":", "f", "e", "/", "Y", "m", "2 a", "2 j d s"] {
        let mut stage = stage();
        stage.keys(script).keys("ctrl-c");
        if stage.ended.is_none() {
            stage.keys("ctrl-c");
        }
        assert!(stage.ended.is_some(), "{script}");
    }
}

#[test]
fn escape_always_comes_back_to_the_top_and_never_quits() {
    for script in
        ["?", ": `re`", "f `mem`", "e `1`", "/ `x`", "Y", "m", "2 j e `x`", "l / `a` enter", "2 j d s", "z"]
    {
        let mut stage = stage();
        stage.keys(script).keys("esc esc esc esc esc esc");
        assert_eq!(stage.ended, None, "{script}");
        assert!(stage.model.dialogs.is_empty() && stage.model.pane == Pane::List, "{script}");
        assert!(stage.screen().contains("this is the top; q quits"), "{script}");
    }
}

#[test]
fn q_types_a_q_in_every_input() {
    for (script, shows) in
        [("?", "search q"), (":", ": q"), ("f", "find q"), ("/", " / q"), ("2 a", "pattern q")]
    {
        let mut stage = stage();
        stage.keys(script).keys("q");
        assert_eq!(stage.ended, None, "{script}");
        assert!(stage.screen().contains(shows), "{script}\n{}", stage.screen());
    }
}

#[test]
fn letters_that_are_not_bound_do_nothing() {
    let mut stage = stage();
    let bound = |c: char, screen: Screen| {
        DEFAULTS.iter().any(|b| {
            b.chord == Chord::of(Key::Char(c))
                && (b.layer == Layer::Everywhere || b.layer == Layer::On(screen))
        })
    };
    for screen in Screen::ALL {
        stage.keys(&(screen.index() + 1).to_string());
        if stage.model.screen != screen {
            continue;
        }
        let before = stage.screen();
        for c in ('!'..='~').filter(|c| !bound(*c, screen)) {
            stage.send(Message::Key(Chord::of(Key::Char(c))));
            assert_eq!(stage.screen(), before, "{c} on {screen:?}");
        }
    }
}

#[test]
fn pastes_go_into_inputs_only() {
    let mut stage = stage();
    stage.send(Message::Paste("dddqqq".into()));
    assert_eq!((stage.ended.clone(), stage.model.unsaved()), (None, 0));
    assert!(stage.screen().contains("a paste is only taken while typing"));
    stage.keys("/");
    stage.send(Message::Paste("vcpus\n".into()));
    assert_eq!(stage.model.list().filter.text(), "vcpus");
}

#[test]
fn the_selection_is_an_identity() {
    let mut stage = stage();
    stage.keys(". j j");
    let selected = stage.model.list().selected.clone();
    stage.keys("/ `kernel` esc");
    assert_eq!(stage.model.list().selected, selected);
    stage.size = (60, 12);
    stage.keys("6 1");
    stage.size = (200, 60);
    stage.draw();
    assert_eq!(stage.model.list().selected, selected);
    stage.keys("v v v");
    assert_eq!(stage.model.list().selected, selected);
}

#[test]
fn trying_a_value_changes_this_pod_in_memory_only() {
    let mut stage = stage();
    stage.keys(". e ctrl-u `16` enter");
    assert!(stage.screen().contains("1 tried"), "{}", stage.screen());
    assert!(stage.screen().contains("\"16\""));
    stage.keys("x");
    assert!(stage.screen().contains("io.katacontainers.config.hypervisor.default_vcpus: \"16\""));
    stage.keys("esc d");
    assert!(!stage.screen().contains("tried "));
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG);
}

#[test]
fn jumping_to_the_cause_and_back() {
    let mut stage = stage();
    stage.keys(". / `default_memory` enter L");
    assert!(stage.model.screen == Screen::Launch, "{}", stage.screen());
    assert!(
        stage.model.rows.current().is_some_and(|r| r.find.contains("-m ")),
        "{:?}",
        stage.model.rows.current()
    );
    stage.keys("o");
    assert_eq!(stage.model.screen, Screen::Annotations);
    assert!(stage.model.list().selected.as_deref().is_some_and(|s| s.ends_with("default_memory")));
    stage.keys("<");
    assert_eq!(stage.model.screen, Screen::Launch);
    stage.keys(">");
    assert_eq!(stage.model.screen, Screen::Annotations);
}

#[test]
fn finding_goes_anywhere() {
    let mut stage = stage();
    stage.keys("f `own-qemu` enter");
    assert_eq!((stage.model.screen, stage.model.pod), (Screen::Pods, 2));
    stage.keys("f `valid_hypervisor` enter");
    assert_eq!(stage.model.screen, Screen::Policy);
    stage.keys("f `defautl_mmeory`");
    assert!(stage.screen().contains("did you mean"), "{}", stage.screen());
    stage.keys("enter");
    assert!(stage.model.list().selected.as_deref().is_some_and(|s| s.contains("default_memory")));
}

#[test]
fn typing_a_pattern_tells_what_it_lets_in_and_whose_fate_changes() {
    let mut stage = stage();
    stage.keys("2 a `machine`");
    let screen = stage.screen();
    assert!(screen.contains("machine_type") && screen.contains("not anchored"), "{screen}");
    stage.keys("ctrl-u `[`");
    assert!(stage.screen().contains("malformed"), "{}", stage.screen());
}

#[test]
fn the_palette_runs_what_it_names() {
    let mut stage = stage();
    stage.keys(": `pods` enter");
    assert_eq!(stage.model.screen, Screen::Pods);
    stage.keys(": `nonsensical` enter");
    assert!(stage.screen().contains("no command is called 'nonsensical'"));
    stage.keys(": `q` enter");
    assert_eq!(stage.ended, Some(None));
}

#[test]
fn readonly_disables_changes_with_a_reason() {
    let mut stage = stage();
    stage.model.readonly = Some("started with --readonly".into());
    stage.keys("2 j d");
    assert_eq!(stage.model.unsaved(), 0);
    assert!(stage.screen().contains("started with --readonly"));
    stage.keys("a e");
    assert!(stage.model.dialogs.is_empty());
}

#[test]
fn copies_say_what_they_copied() {
    let mut stage = stage();
    stage.keys(". y");
    assert!(matches!(&stage.effects[..], [Effect::Copy { text, .. }] if text == "4"), "{:?}", stage.effects);
    stage.keys("C");
    assert!(
        matches!(stage.effects.last(), Some(Effect::Copy { text, .. })
        if text == "katascope show annotations -c configuration.toml pods.yaml --pod shop/big"),
        "{:?}",
        stage.effects
    );
    assert!(stage.screen().contains("by OSC 52"));
}

#[test]
fn too_small_takes_no_key_but_quit() {
    let mut stage = stage();
    stage.size = (30, 8);
    stage.draw();
    stage.keys("2 d 3");
    assert_eq!((stage.model.screen, stage.model.unsaved()), (Screen::Annotations, 0));
    stage.keys("q");
    assert_eq!(stage.ended, Some(None));
}

#[test]
fn a_pattern_can_be_read_as_the_other_runtime_reads_it() {
    let mut stage = stage();
    stage.keys("2 a `^machine_type$` tab");
    assert!(stage.screen().contains("to runtime-rs 4.1"), "{}", stage.screen());
    stage.keys("tab");
    assert!(!stage.screen().contains("to runtime-rs 4.1\n"));
    assert!(stage.screen().contains("what it means to runtime-rs 4.1"));
}

#[test]
fn the_mouse_selects_opens_and_scrolls() {
    use katascope::tui::message::Pointer;
    let mut stage = stage();
    stage.keys("6");
    let rows = stage.geometry.regions.clone();
    let third = rows.iter().find(|r| r.target == katascope::tui::geometry::Target::Row(2)).expect("a row");
    let click = Pointer::Click { column: third.x + 3, row: third.y };
    stage.send(Message::Pointer(click));
    let selected = stage.model.list().selected.clone();
    assert_eq!(stage.model.rows.cursor, Some(2));
    stage.send(Message::Pointer(click));
    assert_eq!(stage.model.screen, Screen::Annotations, "the second click opens");
    assert!(stage.model.pods.get(stage.model.pod).is_some_and(|p| Some(&p.id) == selected.as_ref()));
    let tab = stage
        .geometry
        .regions
        .iter()
        .find(|r| r.target == katascope::tui::geometry::Target::Tab(Screen::Policy))
        .copied()
        .expect("a tab");
    stage.send(Message::Pointer(Pointer::Click { column: tab.x + 1, row: tab.y }));
    assert_eq!(stage.model.screen, Screen::Policy);
    let before = stage.model.rows.cursor;
    stage.send(Message::Pointer(Pointer::ScrollDown { column: 4, row: 8 }));
    assert_ne!(stage.model.rows.cursor, before);
    // While a window is open, nothing below it is hit.
    stage.keys("?");
    stage.send(Message::Pointer(Pointer::Click { column: 1, row: 1 }));
    assert!(!stage.model.dialogs.is_empty());
}

#[test]
fn a_megabyte_in_an_annotation_is_shown_in_part() {
    let mut found = super::stage::pods(super::stage::PODS);
    for annotation in &mut found[1].annotations {
        annotation.value = "日本語 \u{202e}".repeat(80_000).into();
    }
    let evaluator =
        super::stage::evaluator(CONFIG, katascope::release::Release::newest(katascope::release::Runtime::Go));
    let mut stage = Stage::of(evaluator, found, 120, 34);
    stage.keys(". l");
    let lines = stage.geometry.detail_lines;
    assert!(lines > 30 && lines < 1_000, "an excerpt: {lines}");
    stage.keys("j h j j z");
    let lines = stage.geometry.dialog_lines;
    assert!(lines > 100 && lines < 5_000, "a window shows more, but not a megabyte: {lines}");
    for key in ["1", "3", "4", "5", "6"] {
        stage.keys("esc").keys(key);
        assert!(stage.geometry.detail_lines < 5_000, "{key}: {}", stage.geometry.detail_lines);
    }
}
