//! Windows over a screen. Each is a variant with its own data.

use std::rc::Rc;

use super::Input;
use super::find::Hit;
use super::foresight::Foresight;
use super::openings::Purpose;
use super::otherwise::Otherwise;
use super::pods::Sweep;
use super::upgrade::ReleaseItem;
use crate::answer::verdict::{ListId, Verdict};
use crate::audit::changes::PowerChange;
use crate::audit::meaning::Meaning;
use crate::diff::text::Region;
use crate::edit::{History, Plan, PolicyEdit};
use crate::evaluate::{Evaluator, Outcome};
use crate::tui::keymap::Layer;
use crate::tui::message::Command;
use crate::tui::widget::line::Line;
use crate::tui::widget::text::windowful;

/// What a typed value would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What becomes of the annotation.
    pub verdict: Option<Verdict>,
    /// What becomes of the pod.
    pub outcome: Outcome,
    /// Of those that it is tried on with it: how many start, how many are refused, and of how many nothing was
    /// asked.
    pub others: [usize; 3],
}

/// An entry of a policy list being written, with what it would mean.
#[derive(Debug, Clone)]
pub struct PatternDraft {
    /// The list.
    pub list: ListId,
    /// Its place there.
    pub at: usize,
    /// The entry that it takes the place of; `None`: it is new.
    pub replaces: Option<String>,
    /// What is typed.
    pub line: Line,
    /// What it would mean.
    pub meaning: Option<Meaning>,
    /// What it would mean to the runtime of the same age, where that is asked for.
    pub elsewhere: Option<Meaning>,
    /// Whether it is asked for.
    pub both: bool,
    /// Why it cannot be.
    pub error: Option<String>,
    /// The setup with it.
    pub candidate: Option<Evaluator>,
    /// What would become of the pods.
    pub sweep: Sweep,
}

impl PatternDraft {
    /// The edit that it stands for.
    pub fn edit(&self) -> PolicyEdit {
        let (list, at, text) = (self.list.clone(), self.at, self.line.text().to_owned());
        match self.replaces {
            Some(_) => PolicyEdit::Replace { list, at, text },
            None => PolicyEdit::Add { list, at, text },
        }
    }
}

/// A key of the configuration being written, with what it would do.
#[derive(Debug, Clone)]
pub struct KeyDraft {
    /// The whole key.
    pub key: String,
    /// Its table and its name.
    pub id: ListId,
    /// What is typed.
    pub line: Line,
    /// What the files say, as TOML; `None`: nothing.
    pub was: Option<String>,
    /// What is typed, as TOML.
    pub value: Option<String>,
    /// Why it cannot be.
    pub error: Option<String>,
    /// The setup with it.
    pub candidate: Option<Evaluator>,
    /// What would differ for the pod that is looked at.
    pub foresight: Option<Rc<Foresight>>,
    /// What would become of the pods.
    pub sweep: Sweep,
}

/// One way to save.
#[derive(Debug, Clone)]
pub struct SaveTarget {
    /// Its name.
    pub label: String,
    /// Why it cannot be taken; `None`: it can.
    pub reason: Option<String>,
    /// What would be written, as a diff or as it is.
    pub lines: Vec<String>,
    /// What it does.
    pub action: SaveAction,
}

/// What saving does.
#[derive(Debug, Clone)]
pub enum SaveAction {
    /// Replaces files; the history afterwards, where it is another one.
    Files(Vec<Plan>, Option<Box<History>>),
    /// Writes a new file in the working folder.
    NewFile {
        /// Its name.
        name: String,
        /// Its content.
        text: String,
    },
}

/// Something that can be taken out.
#[derive(Debug, Clone)]
pub struct CopyItem {
    /// What it is.
    pub what: String,
    /// The text.
    pub text: String,
    /// The file that it goes into; `None`: the clipboard.
    pub file: Option<String>,
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
        /// The pods that it is tried on.
        pods: Vec<usize>,
        /// What it would do.
        preview: Option<Box<Preview>>,
    },
    /// What could be said otherwise than the files say it.
    Otherwise(Box<Otherwise>),
    /// An entry of a policy list being written.
    Pattern(Box<PatternDraft>),
    /// A key of the configuration being written.
    Key(Box<KeyDraft>),
    /// What to open, or to compare with.
    Opening {
        /// What it is for.
        purpose: Purpose,
        /// What is typed: words as on the command line.
        line: Line,
        /// Which of what is offered took its place.
        at: Option<usize>,
        /// Why it could not be opened.
        error: Option<String>,
    },
    /// Find anything.
    Find {
        /// What is typed.
        line: Line,
        /// Everything there is.
        all: Rc<[Hit]>,
        /// What fits, and whether it really does or is only near.
        found: (Vec<usize>, bool),
        /// Which hit.
        at: usize,
    },
    /// What saving would write, and where.
    Save {
        /// The choices.
        targets: Vec<SaveTarget>,
        /// What pods' authors can do newly, or no longer.
        powers: Rc<[PowerChange]>,
        /// Which.
        at: usize,
        /// First line shown.
        scroll: usize,
    },
    /// The file on disk is not what was read.
    Conflict {
        /// Shown path.
        path: String,
        /// What lies there now; `None`: nothing.
        theirs: Option<String>,
        /// Where what was read, what lies there now and what is here differ.
        regions: Vec<Region>,
        /// How many edits are unsaved, and how many of them are there already.
        edits: (usize, usize),
        /// Those that have no place there, with the reason.
        lost: Vec<String>,
        /// First line shown.
        scroll: usize,
    },
    /// Save, discard or stay.
    Quit,
    /// Something to choose and copy.
    CopyMenu {
        /// What there is.
        items: Vec<CopyItem>,
        /// Which.
        at: usize,
    },
    /// The node's handlers.
    Handlers {
        /// A line each.
        items: Vec<HandlerItem>,
        /// Which.
        at: usize,
    },
    /// The releases that the node can be held against.
    Releases {
        /// A line each.
        items: Vec<ReleaseItem>,
        /// Which.
        at: usize,
    },
    /// Something to read.
    Text {
        /// The title.
        title: String,
        /// The lines.
        lines: Vec<String>,
        /// What a file of them is called.
        file: &'static str,
        /// First line shown.
        scroll: usize,
        /// What is searched.
        search: Line,
        /// Whether letters go there.
        typing: bool,
    },
}

/// A handler of the node in the window that lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerItem {
    /// Its name.
    pub name: String,
    /// Whether it serves pods that ask for none.
    pub default: bool,
    /// Whether it is the one that is looked at.
    pub here: bool,
    /// Whether its configuration can be looked at.
    pub opens: bool,
    /// Runtime and release, or why Kata has nothing to do with it.
    pub runtime: String,
    /// Why its pods do not start; nothing where they may.
    pub error: Option<String>,
    /// Its configuration file.
    pub file: String,
    /// How many of the pods go to it.
    pub pods: usize,
}

impl Dialog {
    /// Which layers take its keys.
    pub fn layers(&self) -> Vec<Layer> {
        match self {
            Self::Help { .. }
            | Self::Palette { .. }
            | Self::Find { .. }
            | Self::Opening { .. }
            | Self::Otherwise(_) => {
                vec![Layer::Picker, Layer::Typing]
            }
            Self::Try { .. } | Self::Pattern(_) | Self::Key(_) => vec![Layer::Typing],
            Self::Save { .. } => vec![Layer::Save],
            Self::Conflict { .. } => vec![Layer::Conflict],
            Self::Quit => vec![Layer::QuitQuestion],
            Self::CopyMenu { .. } | Self::Handlers { .. } | Self::Releases { .. } => vec![Layer::Menu],
            Self::Text { typing: true, .. } => vec![Layer::Typing],
            Self::Text { .. } => vec![Layer::Reading],
        }
    }

    /// The line that is typed, where there is one.
    pub fn line_mut(&mut self) -> Option<&mut Line> {
        match self {
            Self::Help { line, .. }
            | Self::Palette { line, .. }
            | Self::Find { line, .. }
            | Self::Opening { line, .. }
            | Self::Try { line, .. } => Some(line),
            Self::Text { search, typing: true, .. } => Some(search),
            Self::Pattern(draft) => Some(&mut draft.line),
            Self::Key(draft) => Some(&mut draft.line),
            Self::Otherwise(form) => form.fields.get_mut(form.at).map(|field| &mut field.line),
            _ => None,
        }
    }

    /// Which input it has, and what stands there.
    pub fn input(&self) -> Option<(Input, &str)> {
        match self {
            Self::Palette { line, .. } => Some((Input::Command, line.text())),
            Self::Find { line, .. } => Some((Input::Find, line.text())),
            Self::Opening { line, .. } => Some((Input::Opening, line.text())),
            Self::Try { line, .. } => Some((Input::Value, line.text())),
            Self::Pattern(draft) => Some((Input::Pattern, draft.line.text())),
            Self::Key(draft) => Some((Input::Value, draft.line.text())),
            _ => None,
        }
    }

    /// Whether a line is typed in it.
    pub fn has_line(&self) -> bool {
        matches!(
            self,
            Self::Help { .. }
                | Self::Palette { .. }
                | Self::Find { .. }
                | Self::Opening { .. }
                | Self::Try { .. }
                | Self::Pattern(_)
                | Self::Key(_)
                | Self::Otherwise(_)
                | Self::Text { typing: true, .. }
        )
    }

    /// What goes into a window of lines.
    pub fn text(title: impl Into<String>, text: &str) -> Self {
        Self::Text {
            title: title.into(),
            lines: windowful(text).lines().map(str::to_owned).collect(),
            file: "katascope.txt",
            scroll: 0,
            search: Line::default(),
            typing: false,
        }
    }

    /// With the name of a file of these lines.
    #[must_use]
    pub fn to_file(mut self, name: &'static str) -> Self {
        if let Self::Text { file, .. } = &mut self {
            *file = name;
        }
        self
    }
}

/// The palette's names for screens and for what other programs call these actions.
pub const ALIASES: &[(&str, Command)] = &[
    ("w", Command::Save),
    ("q", Command::Quit),
    ("wq", Command::SaveAndQuit),
    ("x", Command::SaveAndQuit),
    ("q!", Command::DiscardAndQuit),
    ("undo", Command::Undo),
    ("e", Command::Reload),
    ("h", Command::Help),
    ("o", Command::OpenOther),
    ("which", Command::Handlers),
    ("diff", Command::CompareWith),
    ("set", Command::WhatIf),
];
