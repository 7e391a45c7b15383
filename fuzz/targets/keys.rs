//! Any keys, clicks and pasted text, at any size. No panic and nothing hostile on a screen; what each pod comes to is
//! as if worked out anew; undoing leads back to what was read, and Esc out of every window.

use std::sync::LazyLock;

use katascope::evaluate::Evaluator;
use katascope::input::manifest::{self, Pod};
use katascope::report::escape::is_hostile;
use katascope::runtime::Depth;
use katascope::sample;
use katascope::tui::chord::{Chord, Key};
use katascope::tui::geometry::Geometry;
use katascope::tui::keymap::DEFAULTS;
use katascope::tui::message::{Message, Pointer};
use katascope::tui::model::Model;
use katascope::tui::model::pods::Summary;
use katascope::tui::theme::{Preset, Theme};
use katascope::tui::{update, view};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// What the fuzzer makes up: width, height, steps, and what is pasted and typed.
pub type Input<'a> = (u8, u8, &'a [u8], &'a str);

static SAMPLE: LazyLock<Evaluator> = LazyLock::new(sample::evaluator);
static PODS: LazyLock<Vec<Pod>> =
    LazyLock::new(|| manifest::read(&sample::pods()).map(|documents| documents.pods).unwrap_or_default());
/// Every chord that means something.
static CHORDS: LazyLock<Vec<Chord>> = LazyLock::new(|| {
    let mut chords: Vec<Chord> = Vec::new();
    for chord in DEFAULTS.iter().map(|binding| binding.chord) {
        if !chords.contains(&chord) {
            chords.push(chord);
        }
    }
    chords
});
/// So many steps at most, and as many windows.
const MOST: usize = 48;

struct Stage {
    model: Model,
    geometry: Geometry,
    buffer: Buffer,
}

impl Stage {
    fn send(&mut self, message: Message) {
        let _ = update::update(&mut self.model, &self.geometry, message);
    }

    fn draw(&mut self) {
        let theme = Theme::new(Preset::Mono, false);
        self.buffer.reset();
        self.geometry = view::view(&self.model, theme, &self.geometry, &mut self.buffer).geometry;
        let hostile = self.buffer.content().iter().find(|cell| cell.symbol().chars().any(is_hostile));
        assert_eq!(hostile.map(|cell| cell.symbol()), None, "shown raw");
    }

    fn settle(&mut self) {
        while update::has_work(&self.model) {
            let _ = update::update(&mut self.model, &self.geometry, Message::Idle);
        }
    }
}

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (width, height, steps, text) = input;
    let area = Rect::new(0, 0, 20 + u16::from(width % 128), 5 + u16::from(height % 32));
    let model = Model::new(SAMPLE.clone(), PODS.clone());
    let mut stage = Stage { model, geometry: Geometry::default(), buffer: Buffer::empty(area) };
    stage.draw();
    let mut letters = text.chars().cycle();
    for (at, step) in steps.iter().take(MOST).enumerate() {
        let (column, row) = (u16::from(*step) * 7 % area.width, u16::from(*step) * 3 % area.height);
        let message = match step {
            0..200 => CHORDS.get(usize::from(*step) % CHORDS.len()).copied().map(Message::Key),
            200..230 => letters.next().map(|letter| Message::Key(Chord::of(Key::Char(letter)))),
            230 => Some(Message::Paste(text.to_owned())),
            231..235 => Some(Message::Idle),
            235..250 => Some(Message::Pointer(Pointer::Click { column, row })),
            _ => Some(Message::Pointer(Pointer::ScrollDown { column, row })),
        };
        message.into_iter().for_each(|message| stage.send(message));
        // Keys that come fast are not drawn one by one.
        if at % 3 == 0 {
            stage.draw();
        }
    }
    stage.settle();
    stage.draw();
    let model = &stage.model;
    for index in 0..model.pods.len() {
        let pod = model.with_trials(index).expect("a pod");
        let anew = Summary::of(&model.seat.current.evaluate(&pod, Depth::Verdicts));
        assert_eq!(model.sweep.get(index), Some(&anew), "{}", pod.id());
    }
    for _ in 0..MOST {
        if stage.model.dialogs.is_empty() {
            break;
        }
        stage.send(Message::Key(Chord::of(Key::Esc)));
    }
    assert!(stage.model.dialogs.is_empty(), "Esc leaves every window");
    while stage.model.seat.history.undo().is_some() {}
    stage.model.policy_changed();
    assert!(!stage.model.seat.edited, "undone is as it was read");
}
