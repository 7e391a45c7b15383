//! What must hold for any data and any size.

use katascope::catalog::Generation;
use katascope::report::escape::is_hostile;
use proptest::prelude::*;

use super::stage::{CONFIG, Stage, evaluator, pods};

/// Texts that terminals choke on.
const HOSTILE: [&str; 8] = [
    "\u{1b}[31mred\u{1b}[0m\u{7}",
    "\u{202e}drawkcab\u{2066}",
    "日本語テキスト한국어🦀🦀👨‍👩‍👧",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{301}\u{200b}\u{feff}\u{ad}",
    "tab\tnewline\nreturn\r",
    "",
    "العربية עברית",
];

fn hostile_stage(width: u16, height: u16) -> Stage {
    let config = CONFIG
        .replace("\"^path$\",", "\"^path$\", \"日本語.*🦀\", \"\\u001b[31m\\u202e\", \"[\", # \u{202e}x\n");
    let mut found = pods(super::stage::PODS);
    for (i, text) in HOSTILE.iter().enumerate() {
        let mut pod = found[1].clone();
        pod.name = format!("pod-{text}-{i}");
        pod.namespace = text.to_string();
        pod.kind = format!("{text}Kind");
        for annotation in &mut pod.annotations {
            annotation.value = text.repeat(40);
        }
        pod.annotations[0].key = format!("io.katacontainers.config.hypervisor.{text}");
        pod.annotations[1].value = "x".repeat(4_000);
        found.push(pod);
    }
    Stage::of(evaluator(&config, Generation::Go41), found, width, height)
}

fn check(stage: &mut Stage, what: &str) {
    let buffer = stage.draw();
    for cell in buffer.content() {
        assert!(!cell.symbol().chars().any(is_hostile), "{what}: {:?}", cell.symbol());
    }
}

const SCENES: [&str; 27] = [
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "1 l",
    "2 l",
    "3 l",
    "5 l",
    "6 l",
    "?",
    ":",
    "f",
    "f `pod`",
    "2 a `[`",
    "2 j e",
    "2 j d s",
    "2 j d q",
    "Y",
    "m",
    "2 A",
    "z",
    "/ `o`",
    "3 t",
    "3 Z",
    "1 j e `\u{1b}[`",
];

#[test]
fn every_scene_at_every_size() {
    // One stage is driven to each scene, and then drawn at all sizes.
    for pod in [1, 5, 7, 8] {
        for scene in SCENES {
            let mut stage = hostile_stage(100, 30);
            for _ in 0..pod {
                stage.keys(".");
            }
            stage.keys(scene);
            let step = if pod == 5 { 3 } else { 13 };
            for width in (1..=60).step_by(step).chain([80, 100, 140, 200]) {
                for height in (1..=20).step_by(step).chain([24, 60]) {
                    stage.size = (width, height);
                    check(&mut stage, scene);
                }
            }
        }
    }
}

#[test]
fn ascii_terminals_get_ascii_frames() {
    let mut stage = Stage::new(100, 30);
    stage.ascii = true;
    for scene in ["1", "2", "3", "4", "5", "6", "6 ?", "esc 2 j d s"] {
        stage.keys(scene);
        let screen = stage.screen();
        let odd: String = screen.chars().filter(|c| !c.is_ascii()).collect();
        assert_eq!(odd, "", "{scene}\n{screen}");
    }
}

const ALPHABET: [&str; 56] = [
    "j",
    "k",
    "h",
    "l",
    "g",
    "G",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    ".",
    ",",
    "/",
    "n",
    "N",
    "v",
    "z",
    "Z",
    "t",
    "b",
    "space",
    "e",
    "d",
    "a",
    "i",
    "D",
    "K",
    "J",
    "A",
    "u",
    "U",
    "s",
    "y",
    "Y",
    "C",
    "E",
    "R",
    "m",
    ":",
    "?",
    "f",
    "<",
    ">",
    "o",
    "L",
    "x",
    "r",
    "enter",
    "esc",
    "tab",
    "backspace",
    "ctrl-u",
    "pgdn",
    "q",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any keys, at any size: no panic, nothing hostile on the screen, and the file on disk is only
    /// ever changed through the save window.
    #[test]
    fn any_keys(keys in proptest::collection::vec(0..ALPHABET.len(), 1..60), width in 50u16..160, height in 12u16..50) {
        let mut stage = hostile_stage(width, height);
        for key in keys {
            let before = stage.disk.clone();
            let saving = stage.model.layers().contains(&katascope::tui::keymap::Layer::Save);
            stage.keys(ALPHABET[key]);
            check(&mut stage, ALPHABET[key]);
            prop_assert!(saving || stage.disk == before);
            if stage.ended.is_some() {
                break;
            }
        }
    }
}
