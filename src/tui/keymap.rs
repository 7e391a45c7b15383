//! Which key means what: one table of rows (layer, chord, command), asked from the top layer down.
//!
//! Decides nothing else. A user's `[keys]` table is a patch over it: naming a command replaces its
//! chords, an empty list unbinds it.

use super::chord::{Chord, Key};
use super::message::{COMMANDS, Command as C, LineEdit as L};
use super::screen::Screen as S;
use super::spelling::nearest;

/// Where a binding counts. Screens fall through to `Everywhere`; dialogs do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Layer {
    /// Even in dialogs and while typing.
    Always,
    /// While a line is typed; printable keys are text.
    Typing,
    /// A list under a line that is typed (palette, find, help).
    Picker,
    /// A window to read.
    Reading,
    /// A menu to choose from.
    Menu,
    Save,
    QuitQuestion,
    Conflict,
    On(S),
    Everywhere,
}

impl Layer {
    /// Its name in help.
    pub fn title(self) -> String {
        match self {
            Self::Always => "always".into(),
            Self::Typing => "while typing".into(),
            Self::Picker => "in a search list".into(),
            Self::Reading => "in a window".into(),
            Self::Menu => "in a menu".into(),
            Self::Save => "in the save window".into(),
            Self::QuitQuestion => "in the quit question".into(),
            Self::Conflict => "in the conflict window".into(),
            Self::On(screen) => format!("in {}", screen.title()),
            Self::Everywhere => "everywhere".into(),
        }
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Where.
    pub layer: Layer,
    /// Which key.
    pub chord: Chord,
    /// What.
    pub command: C,
}

/// Why a command is not given a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// There is no such command.
    #[error("no command is named '{name}'; the nearest is '{nearest}'")]
    NoCommand {
        /// As it was written.
        name: String,
        /// One that there is.
        nearest: String,
    },
    /// There is no such key.
    #[error("'{0}' is no key; write s, ctrl-r, f5, space or shift-tab")]
    NoKey(String),
    /// It means something else in the same place.
    #[error("'{chord}' is '{by}' there already; unbind that first")]
    Taken {
        /// The key.
        chord: Chord,
        /// The name of the command that has it.
        by: &'static str,
    },
}

/// What a key means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This.
    Command(C),
    /// A letter for the line being typed.
    Letter(char),
    /// Nothing.
    Unbound,
}

const fn k(c: char) -> Chord {
    Chord::of(Key::Char(c))
}

const fn b(layer: Layer, chord: Chord, command: C) -> Binding {
    Binding { layer, chord, command }
}

const ALWAYS: Layer = Layer::Always;
const ALL: Layer = Layer::Everywhere;
const TYPE: Layer = Layer::Typing;
const PICK: Layer = Layer::Picker;
const READ: Layer = Layer::Reading;
const MENU: Layer = Layer::Menu;
const ANN: Layer = Layer::On(S::Annotations);
const POL: Layer = Layer::On(S::Policy);
const LAU: Layer = Layer::On(S::Launch);
const AGE: Layer = Layer::On(S::Agent);
const CFG: Layer = Layer::On(S::Config);
const POD: Layer = Layer::On(S::Pods);
const NOD: Layer = Layer::On(S::Nodes);
const LIV: Layer = Layer::On(S::Live);
const UPG: Layer = Layer::On(S::Upgrade);
const UP: Chord = Chord::of(Key::Up);
const DOWN: Chord = Chord::of(Key::Down);
const ENTER: Chord = Chord::of(Key::Enter);
const ESC: Chord = Chord::of(Key::Esc);
const PGUP: Chord = Chord::of(Key::PageUp);
const PGDN: Chord = Chord::of(Key::PageDown);
const HOME: Chord = Chord::of(Key::Home);
const END: Chord = Chord::of(Key::End);
const TAB: Chord = Chord::of(Key::Tab);
const SPACE: Chord = k(' ');

/// The bindings that ship. The first chord of a command in a layer is the one that is shown.
pub const DEFAULTS: &[Binding] = &[
    b(ALWAYS, Chord::ctrl('c'), C::Interrupt),
    b(ALWAYS, Chord::ctrl('z'), C::Suspend),
    b(ALWAYS, Chord::ctrl('l'), C::Redraw),
    // --- everywhere
    b(ALL, k('k'), C::Up),
    b(ALL, UP, C::Up),
    b(ALL, k('j'), C::Down),
    b(ALL, DOWN, C::Down),
    b(ALL, k('h'), C::Left),
    b(ALL, Chord::of(Key::Left), C::Left),
    b(ALL, k('l'), C::Right),
    b(ALL, Chord::of(Key::Right), C::Right),
    b(ALL, Chord::ctrl('u'), C::HalfUp),
    b(ALL, Chord::ctrl('d'), C::HalfDown),
    b(ALL, PGUP, C::PageUp),
    b(ALL, Chord::ctrl('b'), C::PageUp),
    b(ALL, PGDN, C::PageDown),
    b(ALL, Chord::ctrl('f'), C::PageDown),
    b(ALL, k('g'), C::First),
    b(ALL, HOME, C::First),
    b(ALL, k('G'), C::Last),
    b(ALL, END, C::Last),
    b(ALL, TAB, C::NextPane),
    b(ALL, Chord::of(Key::BackTab), C::PrevPane),
    b(ALL, ENTER, C::Open),
    b(ALL, ESC, C::Back),
    b(ALL, k('1'), C::Go(S::Annotations)),
    b(ALL, k('2'), C::Go(S::Policy)),
    b(ALL, k('3'), C::Go(S::Launch)),
    b(ALL, k('4'), C::Go(S::Agent)),
    b(ALL, k('5'), C::Go(S::Config)),
    b(ALL, k('6'), C::Go(S::Pods)),
    b(ALL, k('7'), C::Go(S::Nodes)),
    b(ALL, k('8'), C::Go(S::Live)),
    b(ALL, k('9'), C::Go(S::Upgrade)),
    b(ALL, k('.'), C::NextPod),
    b(ALL, k(','), C::PrevPod),
    b(ALL, k('<'), C::JumpBack),
    b(ALL, Chord::ctrl('o'), C::JumpBack),
    b(ALL, k('>'), C::JumpForward),
    b(ALL, k('f'), C::FindAnything),
    b(ALL, Chord::ctrl('p'), C::FindAnything),
    b(ALL, k('/'), C::Filter),
    b(ALL, k('n'), C::NextHit),
    b(ALL, k('N'), C::PrevHit),
    b(ALL, k('z'), C::Whole),
    b(ALL, SPACE, C::MarkBaseline),
    b(ALL, k('r'), C::OtherRuntime),
    b(ALL, k('S'), C::Sizing),
    b(ALL, k('F'), C::OpenOther),
    b(ALL, k('B'), C::Bookmark),
    b(ALL, k('W'), C::CompareWith),
    b(ALL, k('p'), C::WhatIf),
    b(ALL, k('H'), C::Handlers),
    b(ALL, k('A'), C::Audit),
    b(ALL, k('I'), C::Initdata),
    b(ALL, k('x'), C::ExportTry),
    b(ALL, k('u'), C::Undo),
    b(ALL, Chord::ctrl('r'), C::Redo),
    b(ALL, k('U'), C::Redo),
    b(ALL, k('s'), C::Save),
    b(ALL, Chord::ctrl('s'), C::Save),
    b(ALL, k('y'), C::Copy),
    b(ALL, k('Y'), C::CopyMenu),
    b(ALL, k('C'), C::CopyCommand),
    b(ALL, k('E'), C::Editor),
    b(ALL, k('R'), C::Reload),
    b(ALL, Chord::of(Key::F(5)), C::Reload),
    b(ALL, k('@'), C::Edits),
    b(ALL, k('m'), C::Messages),
    b(ALL, k(':'), C::Palette),
    b(ALL, k('?'), C::Help),
    b(ALL, Chord::of(Key::F(1)), C::Help),
    b(ALL, k('T'), C::Theme),
    b(ALL, k('M'), C::Mouse),
    b(ALL, k('q'), C::Quit),
    // --- screens
    b(ANN, k('e'), C::TryValue),
    b(ANN, k('d'), C::DropTry),
    b(ANN, Chord::of(Key::Delete), C::DropTry),
    b(ANN, k('a'), C::Allow),
    b(ANN, k('v'), C::CycleRows),
    b(ANN, k('K'), C::Explain),
    b(CFG, k('K'), C::Explain),
    b(LAU, k('K'), C::Explain),
    b(AGE, k('K'), C::Explain),
    b(ANN, k('o'), C::Origin),
    b(ANN, k('L'), C::ToLaunch),
    b(POL, k('a'), C::AddPattern),
    b(POL, k('i'), C::AddPattern),
    b(POL, k('e'), C::EditPattern),
    b(POL, k('d'), C::DeletePattern),
    b(POL, Chord::of(Key::Delete), C::DeletePattern),
    b(POL, k('D'), C::DuplicatePattern),
    b(POL, k('K'), C::MovePatternUp),
    b(POL, k('J'), C::MovePatternDown),
    b(POL, k('c'), C::Cluster),
    b(POL, k('t'), C::Suggest),
    b(POL, k('v'), C::CycleRows),
    b(LAU, k('b'), C::CycleBaseline),
    b(AGE, k('b'), C::CycleBaseline),
    b(LAU, k('i'), C::AsIf),
    b(AGE, k('i'), C::AsIf),
    b(CFG, k('i'), C::AsIf),
    b(LAU, k('t'), C::SideBySide),
    b(LAU, k('Z'), C::Fold),
    b(LAU, k('o'), C::Origin),
    b(AGE, k('t'), C::SideBySide),
    b(AGE, k('Z'), C::Fold),
    b(AGE, k('o'), C::Origin),
    b(CFG, k('e'), C::EditKey),
    b(CFG, k('d'), C::RemoveKey),
    b(CFG, Chord::of(Key::Delete), C::RemoveKey),
    b(CFG, k('v'), C::CycleRows),
    b(CFG, k('o'), C::Origin),
    b(CFG, k('L'), C::ToLaunch),
    b(POD, SPACE, C::Mark),
    b(POD, k('*'), C::MarkAll),
    b(POD, k('c'), C::CompareMarked),
    b(POD, k('X'), C::ListMarked),
    b(NOD, SPACE, C::Mark),
    b(NOD, k('*'), C::MarkAll),
    b(NOD, k('c'), C::CompareMarked),
    b(NOD, k('X'), C::ListMarked),
    b(POD, k('v'), C::CycleRows),
    b(POD, k('b'), C::GroupBy),
    b(POD, k('o'), C::SortBy),
    b(POD, k('O'), C::ReverseSort),
    b(POD, k('Z'), C::Fold),
    b(NOD, k('v'), C::CycleRows),
    b(LIV, k('v'), C::CycleRows),
    b(POD, k('t'), C::ChooseRelease),
    b(UPG, k('t'), C::ChooseRelease),
    b(UPG, k('v'), C::CycleRows),
    // --- typing
    b(TYPE, ENTER, C::Open),
    b(TYPE, ESC, C::Back),
    b(TYPE, Chord::of(Key::Left), C::Edit(L::Left)),
    b(TYPE, Chord::of(Key::Right), C::Edit(L::Right)),
    b(TYPE, Chord::alt('b'), C::Edit(L::WordLeft)),
    b(TYPE, Chord { key: Key::Left, ctrl: true, alt: false }, C::Edit(L::WordLeft)),
    b(TYPE, Chord::alt('f'), C::Edit(L::WordRight)),
    b(TYPE, Chord { key: Key::Right, ctrl: true, alt: false }, C::Edit(L::WordRight)),
    b(TYPE, Chord::ctrl('a'), C::Edit(L::Home)),
    b(TYPE, HOME, C::Edit(L::Home)),
    b(TYPE, Chord::ctrl('e'), C::Edit(L::End)),
    b(TYPE, END, C::Edit(L::End)),
    b(TYPE, Chord::of(Key::Backspace), C::Edit(L::Backspace)),
    b(TYPE, Chord::ctrl('h'), C::Edit(L::Backspace)),
    b(TYPE, Chord::of(Key::Delete), C::Edit(L::Delete)),
    b(TYPE, Chord::ctrl('d'), C::Edit(L::Delete)),
    b(TYPE, Chord::ctrl('w'), C::Edit(L::DeleteWord)),
    b(TYPE, Chord::ctrl('u'), C::Edit(L::DeleteToStart)),
    b(TYPE, Chord::ctrl('k'), C::Edit(L::DeleteToEnd)),
    b(TYPE, UP, C::Edit(L::Older)),
    b(TYPE, DOWN, C::Edit(L::Newer)),
    b(TYPE, PGUP, C::PageUp),
    b(TYPE, PGDN, C::PageDown),
    b(TYPE, TAB, C::NextPane),
    // --- a list under a line: arrows move in the list
    b(PICK, UP, C::Up),
    b(PICK, Chord::ctrl('p'), C::Up),
    b(PICK, DOWN, C::Down),
    b(PICK, Chord::ctrl('n'), C::Down),
    b(PICK, PGUP, C::PageUp),
    b(PICK, PGDN, C::PageDown),
    // --- windows
    b(READ, ESC, C::Back),
    b(READ, k('q'), C::Back),
    b(READ, ENTER, C::Back),
    b(READ, k('k'), C::Up),
    b(READ, UP, C::Up),
    b(READ, k('j'), C::Down),
    b(READ, DOWN, C::Down),
    b(READ, Chord::ctrl('u'), C::HalfUp),
    b(READ, Chord::ctrl('d'), C::HalfDown),
    b(READ, PGUP, C::PageUp),
    b(READ, PGDN, C::PageDown),
    b(READ, SPACE, C::PageDown),
    b(READ, k('g'), C::First),
    b(READ, HOME, C::First),
    b(READ, k('G'), C::Last),
    b(READ, END, C::Last),
    b(READ, k('/'), C::Filter),
    b(READ, k('n'), C::NextHit),
    b(READ, k('N'), C::PrevHit),
    b(READ, k('y'), C::Copy),
    b(READ, k('Y'), C::CopyMenu),
    b(MENU, ENTER, C::Open),
    b(MENU, ESC, C::Back),
    b(MENU, k('q'), C::Back),
    b(MENU, k('k'), C::Up),
    b(MENU, UP, C::Up),
    b(MENU, k('j'), C::Down),
    b(MENU, DOWN, C::Down),
    b(MENU, k('g'), C::First),
    b(MENU, k('G'), C::Last),
    b(Layer::Save, k('y'), C::Write),
    b(Layer::Save, TAB, C::NextTarget),
    b(Layer::Save, k('t'), C::NextTarget),
    b(Layer::Save, ESC, C::Back),
    b(Layer::Save, ENTER, C::Back),
    b(Layer::Save, k('n'), C::Back),
    b(Layer::Save, k('q'), C::Back),
    b(Layer::Save, k('k'), C::Up),
    b(Layer::Save, UP, C::Up),
    b(Layer::Save, k('j'), C::Down),
    b(Layer::Save, DOWN, C::Down),
    b(Layer::Save, PGUP, C::PageUp),
    b(Layer::Save, PGDN, C::PageDown),
    b(Layer::Save, k('Y'), C::Copy),
    b(Layer::QuitQuestion, k('s'), C::SaveAndQuit),
    b(Layer::QuitQuestion, k('d'), C::DiscardAndQuit),
    b(Layer::QuitQuestion, k('c'), C::Back),
    b(Layer::QuitQuestion, ESC, C::Back),
    b(Layer::QuitQuestion, k('n'), C::Back),
    b(Layer::Conflict, k('r'), C::Reapply),
    b(Layer::Conflict, k('k'), C::KeepMine),
    b(Layer::Conflict, k('t'), C::TakeTheirs),
    b(Layer::Conflict, ESC, C::Back),
    b(Layer::Conflict, ENTER, C::Back),
    b(Layer::Conflict, k('q'), C::Back),
    b(Layer::Conflict, UP, C::Up),
    b(Layer::Conflict, DOWN, C::Down),
    b(Layer::Conflict, PGUP, C::PageUp),
    b(Layer::Conflict, PGDN, C::PageDown),
];

/// The bindings in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    // By layer, and there in the order in which they are shown.
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self { bindings: DEFAULTS.to_vec() };
        keymap.sort();
        keymap
    }
}

impl Keymap {
    fn sort(&mut self) {
        self.bindings.sort_by_key(|row| row.layer);
    }

    fn of_layer(&self, layer: Layer) -> &[Binding] {
        let start = self.bindings.partition_point(|row| row.layer < layer);
        let rest = self.bindings.get(start..).unwrap_or_default();
        let end = rest.partition_point(|row| row.layer == layer);
        rest.get(..end).unwrap_or_default()
    }

    /// What `chord` means, the first of `layers` asked first. Where one of them is a line being
    /// typed, a letter that none binds is text.
    pub fn lookup(&self, layers: &[Layer], chord: Chord) -> Found {
        for layer in layers {
            if let Some(row) = self.of_layer(*layer).iter().find(|r| r.chord == chord) {
                return Found::Command(row.command);
            }
            if *layer == Layer::Typing
                && let Chord { key: Key::Char(c), ctrl: false, alt: false } = chord
            {
                return Found::Letter(c);
            }
        }
        Found::Unbound
    }

    /// The key to show for `command` in `layers`.
    pub fn chord_for(&self, layers: &[Layer], command: C) -> Option<Chord> {
        layers.iter().find_map(|layer| {
            let row = self.of_layer(*layer).iter().find(|r| r.command == command)?;
            // A layer above may have taken the key.
            (self.lookup(layers, row.chord) == Found::Command(command)).then_some(row.chord)
        })
    }

    /// Every key for `command` in `layer`.
    pub fn chords(&self, layer: Layer, command: C) -> impl Iterator<Item = Chord> + '_ {
        self.of_layer(layer).iter().filter(move |r| r.command == command).map(|r| r.chord)
    }

    /// Puts new chords in the place of those of the command named `name`.
    pub fn rebind(&mut self, name: &str, chords: &[String]) -> Result<(), BindError> {
        let Some(command) = C::by_name(name) else {
            let nearest = nearest(name, COMMANDS.iter().map(|e| e.name));
            return Err(BindError::NoCommand { name: name.to_owned(), nearest: nearest.to_owned() });
        };
        let mut parsed = Vec::new();
        for text in chords {
            match Chord::parse(text) {
                Some(chord) => parsed.push(chord),
                None => return Err(BindError::NoKey(text.clone())),
            }
        }
        let mut layers: Vec<Layer> =
            self.bindings.iter().filter(|r| r.command == command).map(|r| r.layer).collect();
        layers.dedup();
        if layers.is_empty() {
            layers.push(Layer::Everywhere);
        }
        for chord in &parsed {
            for layer in &layers {
                let taken = self.of_layer(*layer).iter().find(|r| r.chord == *chord && r.command != command);
                if let Some(row) = taken {
                    return Err(BindError::Taken { chord: *chord, by: row.command.entry().name });
                }
            }
        }
        self.bindings.retain(|r| r.command != command);
        for layer in layers {
            self.bindings.extend(parsed.iter().map(|chord| b(layer, *chord, command)));
        }
        self.sort();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_chord_twice_in_a_layer() {
        let mut seen = BTreeSet::new();
        for row in DEFAULTS {
            assert!(seen.insert((row.layer, row.chord)), "{:?} {}", row.layer, row.chord);
        }
    }

    #[test]
    fn every_command_has_a_key() {
        for entry in COMMANDS {
            assert!(DEFAULTS.iter().any(|r| r.command == entry.command), "{} is not bound", entry.name);
        }
    }

    #[test]
    fn rebinding_replaces_and_refuses() {
        let mut keymap = Keymap::default();
        let layers = [Layer::On(S::Pods), Layer::Everywhere];
        assert_eq!(keymap.rebind("save", &["w".into()]), Ok(()));
        assert_eq!(keymap.lookup(&layers, k('w')), Found::Command(C::Save));
        assert_eq!(keymap.lookup(&layers, k('s')), Found::Unbound);
        assert_eq!(keymap.rebind("save", &[]), Ok(()));
        assert_eq!(keymap.lookup(&layers, k('w')), Found::Unbound);
        assert!(keymap.rebind("sav", &[]).is_err_and(|e| e.to_string().contains("'save'")));
        assert!(keymap.rebind("reload", &["q".into()]).is_err_and(|e| e.to_string().contains("'quit'")));
    }

    #[test]
    fn letters_are_text_only_while_typing() {
        let keymap = Keymap::default();
        assert_eq!(keymap.lookup(&[Layer::Typing], k('q')), Found::Letter('q'));
        assert_eq!(keymap.lookup(&[Layer::Everywhere], k('q')), Found::Command(C::Quit));
        assert_eq!(keymap.lookup(&[Layer::Reading], k('w')), Found::Unbound);
    }
}
