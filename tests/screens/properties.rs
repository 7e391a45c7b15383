//! What must hold for any keys.

use proptest::prelude::*;

use super::every_size::{check, hostile_stage};
use super::stage::Stage;

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
        let mut stage = hostile_stage(width, height, 0);
        for key in keys {
            let before = stage.disk.clone();
            let saving = stage.model.layers().contains(&katascope::tui::keymap::Layer::Save);
            stage.keys(ALPHABET[key]);
            check(&stage.draw(), ALPHABET[key]);
            prop_assert!(saving || stage.disk == before);
            if stage.ended.is_some() {
                break;
            }
        }
    }
}
