//! The terminal with what is drawn on it: taken, lent to others, and drawn anew where they scribbled.

use std::io;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::geometry::Geometry;
use super::keymap::Keymap;
use super::model::Model;
use super::terminal::Guard;
use super::theme::{Preset, Theme};
use super::view;

/// The terminal, ours.
#[derive(Debug)]
pub(super) struct Display {
    // Dropped first: what it writes on the way back comes last.
    screen: Terminal<CrosstermBackend<io::BufWriter<io::Stdout>>>,
    guard: Guard,
    ascii: bool,
}

impl Display {
    /// Takes the terminal.
    pub(super) fn take(mouse: bool, ascii: bool) -> io::Result<Self> {
        let guard = Guard::take(mouse)?;
        let out = io::BufWriter::with_capacity(1 << 16, io::stdout());
        Ok(Self { screen: Terminal::new(CrosstermBackend::new(out))?, guard, ascii })
    }

    /// Draws the screens.
    pub(super) fn draw(&mut self, model: &Model, geometry: &mut Geometry) -> io::Result<()> {
        let theme = Theme::new(model.preset, self.ascii);
        self.screen.draw(|frame| {
            let drawn = view::view(model, theme, geometry, frame.buffer_mut());
            if let Some((x, y)) = drawn.cursor {
                frame.set_cursor_position((x, y));
            }
            *geometry = drawn.geometry;
        })?;
        Ok(())
    }

    /// Draws what is being read.
    pub(super) fn draw_reading(&mut self, words: &str, keymap: &Keymap, preset: Preset) -> io::Result<()> {
        let theme = Theme::new(preset, self.ascii);
        self.screen.draw(|frame| view::reading(words, keymap, theme, frame.buffer_mut()))?;
        Ok(())
    }

    /// Measures without drawing.
    pub(super) fn measure(&mut self, model: &Model, geometry: &mut Geometry) {
        let theme = Theme::new(model.preset, self.ascii);
        let mut scratch = Buffer::empty(self.screen.get_frame().area());
        *geometry = view::view(model, theme, geometry, &mut scratch).geometry;
    }

    /// Lends the terminal to whatever runs meanwhile.
    pub(super) fn lent<T>(&mut self, run: impl FnOnce() -> T) -> io::Result<T> {
        self.guard.lend();
        let result = run();
        self.guard.again()?;
        self.blank()?;
        Ok(result)
    }

    /// Forgets what is on the screen, so that everything is drawn again. Not ratatui's own `clear`: that
    /// asks the terminal where its cursor is, and a slow or dumb one never answers.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        self.screen.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Takes or releases the mouse.
    pub(super) fn set_mouse(&mut self, mouse: bool) -> io::Result<()> {
        self.guard.set_mouse(mouse)
    }
}
