//! Where everything sits. Pure: a model in, cells and measures out.
//!
//! ```text
//! header   configuration │ runtime · hypervisor │ host │ pod k/n        outcome, marks
//! tabs     1 Annotations  2 Policy  3 Launch  4 Agent  5 Config  6 Pods  7 Nodes (where there are several)  8 Live
//!          9 Upgrade (once asked for)
//! body     a list and its detail, side by side from 100 columns on, else as pages
//! status   what is typed, what was said, or why the pod is refused
//! footer   the keys that work here
//! ```

mod annotations;
mod body;
mod changes;
mod chrome;
mod config;
mod conflict;
mod dialogs;
mod frame;
mod live;
mod nodes;
mod otherwise;
mod pods;
mod policy;
mod upgrade;
mod windows;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::geometry::{Geometry, Region, Target};
use super::keymap::{Keymap, Layer};
use super::message::Command;
use super::model::{Model, Pane, Screen};
use super::theme::{Theme, Token};
use super::widget::canvas::Canvas;
use super::widget::rich::Rich;
use super::widget::text;

/// From this width on list and detail stand side by side.
pub const WIDE: u16 = 100;
/// Below this nothing useful fits.
pub const LEAST: (u16, u16) = (50, 12);

/// What a drawing gives back.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// The measures.
    pub geometry: Geometry,
    /// Where the cursor goes; `None`: hidden.
    pub cursor: Option<(u16, u16)>,
}

/// Draws `model` over the whole of `buffer`. `before` is what the last drawing measured: it keeps
/// lists from jumping.
pub fn view(model: &Model, theme: Theme, before: &Geometry, buffer: &mut Buffer) -> Drawn {
    let area = buffer.area;
    let mut canvas = Canvas::new(buffer, theme);
    canvas.clear(area, Token::Text);
    let mut geometry = Geometry { offsets: before.offsets, ..Geometry::default() };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        geometry.tiny = true;
        let mut text =
            format!("{}x{} needed, this is {}x{}; q quits", LEAST.0, LEAST.1, area.width, area.height);
        if text.len() > usize::from(area.width) {
            text = format!("needs {}x{}; q quits", LEAST.0, LEAST.1);
        }
        canvas.line(area, area.height / 2, Rich::of(Token::Text, text));
        return Drawn { geometry, cursor: None };
    }
    geometry.narrow = area.width < WIDE;
    let row = |y: u16| Rect { x: area.x, y: area.y + y, width: area.width, height: 1 };
    chrome::header(&mut canvas, row(0), model);
    chrome::tabs(&mut canvas, row(1), model, &mut geometry);
    let main = Rect { x: area.x, y: area.y + 2, width: area.width, height: area.height - 4 };
    split(&mut canvas, main, model, &mut geometry);
    chrome::footer(&mut canvas, row(area.height - 1), model);
    for (depth, dialog) in model.dialogs.iter().enumerate() {
        canvas.cursor = None;
        let top = depth + 1 == model.dialogs.len();
        dialogs::draw(&mut canvas, main, model, dialog, top.then_some(&mut geometry));
    }
    // Over everything: a message may be longer than its row.
    chrome::status(&mut canvas, row(area.height - 2), model);
    let cursor = canvas.cursor;
    Drawn { geometry, cursor }
}

/// Draws what is being read, before there is a model.
pub fn reading(words: &str, keymap: &Keymap, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    let mut canvas = Canvas::new(buffer, theme);
    canvas.clear(area, Token::Text);
    let row = |y: u16| Rect { x: area.x, y: area.y + y, width: area.width, height: 1 };
    if area.height > 2 {
        canvas.clear(row(0), Token::Header);
        canvas.line_over(row(0), 0, Rich::of(Token::Strong, " katascope"), Some(Token::Header));
        let quit = keymap.chord_for(&[Layer::Everywhere], Command::Quit);
        let keys = quit.map_or_else(Rich::new, |key| {
            Rich::of(Token::Text, " ").put(Token::Key, key.to_string()).put(Token::Hint, " quit")
        });
        canvas.line(row(area.height - 1), 0, keys);
    }
    let words = text::cut_middle(&text::visible(words), usize::from(area.width), theme.glyphs.ellipsis);
    let left = usize::from(area.width).saturating_sub(text::width(&words)) / 2;
    let line = Rich::new().pad_to(left).put(Token::Text, words);
    if area.height > 0 {
        canvas.line(row(area.height / 2), 0, line);
    }
}

fn split(canvas: &mut Canvas<'_>, main: Rect, model: &Model, geometry: &mut Geometry) {
    let (list, detail) = if geometry.narrow {
        match model.pane {
            Pane::List => (Some(main), None),
            Pane::Detail => (None, Some(main)),
        }
    } else {
        let share = match model.screen {
            Screen::Annotations | Screen::Policy => 62,
            Screen::Pods => 70,
            Screen::Launch | Screen::Agent if model.side_by_side => 72,
            _ => 64,
        };
        let width = (u32::from(main.width) * share / 100) as u16;
        (Some(Rect { width, ..main }), Some(Rect { x: main.x + width, width: main.width - width, ..main }))
    };
    if let Some(area) = list {
        region(geometry, area, Target::List);
        body::list(canvas, area, model, geometry);
    }
    if let Some(area) = detail {
        region(geometry, area, Target::Detail);
        body::detail(canvas, area, model, geometry);
    }
}

fn region(geometry: &mut Geometry, area: Rect, target: Target) {
    geometry.regions.push(Region { x: area.x, y: area.y, width: area.width, height: area.height, target });
}
