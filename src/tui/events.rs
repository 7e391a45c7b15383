//! What the terminal sends, as messages; most of it is none.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use super::chord::{Chord, Key};
use super::message::{Message, Pointer};

/// A terminal event as a message.
pub(super) fn translate(event: Event) -> Option<Message> {
    match event {
        Event::Key(KeyEvent { code, modifiers, kind, .. }) if kind != KeyEventKind::Release => {
            let key = match code {
                KeyCode::Char(c) => Key::Char(c),
                KeyCode::Enter => Key::Enter,
                KeyCode::Esc => Key::Esc,
                KeyCode::Tab => Key::Tab,
                KeyCode::BackTab => Key::BackTab,
                KeyCode::Backspace => Key::Backspace,
                KeyCode::Delete => Key::Delete,
                KeyCode::Up => Key::Up,
                KeyCode::Down => Key::Down,
                KeyCode::Left => Key::Left,
                KeyCode::Right => Key::Right,
                KeyCode::Home => Key::Home,
                KeyCode::End => Key::End,
                KeyCode::PageUp => Key::PageUp,
                KeyCode::PageDown => Key::PageDown,
                KeyCode::F(n) => Key::F(n),
                _ => return None,
            };
            let ctrl = modifiers.contains(KeyModifiers::CONTROL);
            let key = match key {
                Key::Char(c) if ctrl => Key::Char(c.to_ascii_lowercase()),
                key => key,
            };
            Some(Message::Key(Chord { key, ctrl, alt: modifiers.contains(KeyModifiers::ALT) }))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Mouse(mouse) => {
            let (column, row) = (mouse.column, mouse.row);
            Some(Message::Pointer(match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Pointer::Click { column, row },
                MouseEventKind::ScrollUp => Pointer::ScrollUp { column, row },
                MouseEventKind::ScrollDown => Pointer::ScrollDown { column, row },
                _ => return None,
            }))
        }
        _ => None,
    }
}
