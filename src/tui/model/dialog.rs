//! Windows over a screen. Each is a variant with its own data.

use crate::evaluate::Outcome;
use crate::runtime::verdict::Verdict;
use crate::tui::keymap::Layer;
use crate::tui::message::Command;
use crate::tui::widget::line::Line;

/// What a typed value would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What becomes of the annotation.
    pub verdict: Option<Verdict>,
    /// What becomes of the pod.
    pub outcome: Outcome,
}

/// A window.
#[derive(Debug, Clone)]
pub enum Dialog {
    /// The keys that work here; typing filters.
    Help {
        /// What is typed.
        line: Line,
        /// First line shown.
        scroll: usize,
    },
    /// Any command by name.
    Palette {
        /// What is typed.
        line: Line,
        /// Which hit.
        at: usize,
    },
    /// Another value for an annotation.
    Try {
        /// The whole key.
        key: String,
        /// What is typed.
        line: Line,
        /// What it would do.
        preview: Option<Box<Preview>>,
    },
    /// Save, discard or stay.
    Quit,
    /// Something to choose and copy.
    CopyMenu {
        /// What there is: a label and the text.
        items: Vec<(String, String)>,
        /// Which.
        at: usize,
    },
    /// Something to read.
    Text {
        /// The title.
        title: String,
        /// The lines.
        lines: Vec<String>,
        /// First line shown.
        scroll: usize,
    },
}

impl Dialog {
    /// Which layers take its keys.
    pub fn layers(&self) -> Vec<Layer> {
        match self {
            Self::Help { .. } | Self::Palette { .. } => vec![Layer::Picker, Layer::Typing],
            Self::Try { .. } => vec![Layer::Typing],
            Self::Quit => vec![Layer::QuitQuestion],
            Self::CopyMenu { .. } => vec![Layer::Menu],
            Self::Text { .. } => vec![Layer::Reading],
        }
    }

    /// The line that is typed, where there is one.
    pub fn line_mut(&mut self) -> Option<&mut Line> {
        match self {
            Self::Help { line, .. } | Self::Palette { line, .. } | Self::Try { line, .. } => Some(line),
            _ => None,
        }
    }

    /// Whether a line is typed in it.
    pub fn has_line(&self) -> bool {
        matches!(self, Self::Help { .. } | Self::Palette { .. } | Self::Try { .. })
    }

    /// What goes into a window of lines.
    pub fn text(title: impl Into<String>, text: &str) -> Self {
        Self::Text { title: title.into(), lines: text.lines().map(str::to_owned).collect(), scroll: 0 }
    }
}

/// The palette's names for screens and for what other programs call these actions.
pub const ALIASES: &[(&str, Command)] = &[
    ("w", Command::Save),
    ("q", Command::Quit),
    ("wq", Command::SaveAndQuit),
    ("x", Command::SaveAndQuit),
    ("undo", Command::Undo),
    ("e", Command::Reload),
    ("h", Command::Help),
];
