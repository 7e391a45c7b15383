//! Things on the screen that know no Kata: text made safe and measured, frames, a line editor.

pub mod canvas;
pub mod line;
pub mod rich;
pub mod text;
