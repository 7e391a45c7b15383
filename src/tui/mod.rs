//! The terminal program: the screens, their keys, and the loop around them.
//!
//! Knows no rule of Kata: it asks `evaluate`, `policy`, `edit` and `diff`. `model` is all state,
//! `update` changes it and never touches the outside, `view` draws it and never changes it, `run`
//! carries out what `update` asks for.

mod against;
pub mod as_command;
pub mod available;
mod background;
pub mod chord;
mod clipboard;
mod display;
mod editor;
pub mod effect;
pub mod env;
mod events;
pub mod filter;
pub mod geometry;
pub mod invocation;
pub mod keymap;
pub mod keys;
pub mod message;
pub mod model;
mod opening;
pub mod palette;
mod recent;
mod run;
pub mod screen;
mod session;
pub mod settings;
mod signals;
pub mod spelling;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
mod watch;
pub mod widget;
mod write;

pub use opening::{Load, Opening};
pub use run::run;
pub use session::{Ended, Machine, Open, Session, Wanted};
