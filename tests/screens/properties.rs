//! What must hold for any keys.

use std::sync::LazyLock;

use katascope::tui::chord::{Chord, Key};
use katascope::tui::keymap::{DEFAULTS, Layer};
use katascope::tui::message::Message;
use proptest::collection::vec;
use proptest::prelude::*;

use super::every_size::{check, hostile_stage, node_stage};
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

/// Every chord of the keymap, and letters that mean nothing but as text.
static ALPHABET: LazyLock<Vec<Chord>> = LazyLock::new(|| {
    let text = ['!', '=', '"', '*', 'é'].map(|letter| Chord::of(Key::Char(letter)));
    let mut all: Vec<Chord> = Vec::new();
    for chord in DEFAULTS.iter().map(|binding| binding.chord).chain(text) {
        if !all.contains(&chord) {
            all.push(chord);
        }
    }
    all
});

/// How many scripts are tried: 24, or what KATASCOPE_SCRIPTS says.
fn scripts() -> u32 {
    std::env::var("KATASCOPE_SCRIPTS").ok().and_then(|number| number.parse().ok()).unwrap_or(24)
}

/// Sends the keys; nothing hostile is on any screen, and the file on disk is only ever changed through the save window.
fn holds(stage: &mut Stage, keys: &[prop::sample::Index]) -> Result<(), TestCaseError> {
    for key in keys {
        let chord = *key.get(&ALPHABET);
        let before = stage.disk.clone();
        let saving = stage.model.layers().contains(&Layer::Save);
        stage.send(Message::Key(chord));
        stage.settle();
        check(&stage.draw(), &chord.to_string());
        prop_assert!(saving || stage.disk == before);
        if stage.ended.is_some() {
            break;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: scripts(), ..ProptestConfig::default() })]

    /// Any keys, at any size: no panic.
    #[test]
    fn any_keys(keys in vec(any::<prop::sample::Index>(), 1..60), width in 50u16..160, height in 12u16..50) {
        holds(&mut hostile_stage(width, height, 0), &keys)?;
    }

    /// The same on a node with handlers, and in windows that are too small.
    #[test]
    fn any_keys_on_a_node(keys in vec(any::<prop::sample::Index>(), 1..60), width in 20u16..130, height in 6u16..40) {
        let mut stage = node_stage();
        stage.size = (width, height);
        holds(&mut stage, &keys)?;
    }
}
