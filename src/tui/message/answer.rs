//! What the outside answered, once an effect was carried out.

use std::path::PathBuf;

use crate::evaluate::node::NodeEvaluator;
use crate::input::manifest::Pod;
use crate::release::Version;
use crate::upgrade::Upgrade;

/// What the outside answered.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Answer {
    /// A text went to the clipboard, or did not.
    Copied(Copied),
    /// A patch or a drop-in was written, or not.
    Exported(Result<PathBuf, String>),
    /// The save ended.
    Saved(Vec<crate::tui::effect::SaveOutcome>),
    /// The files were read again.
    Reloaded(Box<Result<crate::tui::effect::Fresh, String>>),
    /// Another node was read.
    NodeOpened {
        /// Which.
        node: usize,
        /// The pod that one goes to there.
        pod: usize,
        /// What was read.
        fresh: Box<Result<crate::tui::effect::Fresh, String>>,
    },
    /// Everything was read as it is said to be, or why it cannot be.
    Supposed(Box<Result<(NodeEvaluator, Vec<Pod>), String>>),
    /// The machine was looked at.
    Looked(Result<Vec<crate::tui::model::live::Seen>, String>),
    /// A VM was held against its prediction.
    Beside {
        /// Which.
        vm: usize,
        /// Both sides.
        beside: Box<Result<crate::report::beside::Beside, String>>,
    },
    /// Something else was read, to be compared with: its words and its node; or why it was not.
    OpenedBeside(Box<Result<(String, NodeEvaluator), String>>),
    /// Something else could not be opened.
    NotOpened(String),
    /// The node was held against another release.
    Upgraded {
        /// Which.
        to: Version,
        /// What differs.
        found: Box<Upgrade>,
    },
    /// The editor came back.
    Edited(Result<(), String>),
    /// A file differs from what was read.
    ChangedOnDisk(Vec<String>),
    /// The cluster has other pods, or nothing more is heard of it.
    News(crate::tui::effect::News),
    /// Back from the shell.
    Resumed,
    /// The terminal said what it is drawn on.
    Background {
        /// Whether it is light.
        light: bool,
    },
}

/// What became of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// It is in the clipboard; a sentence about how.
    Done(String),
    /// It is more than terminals take.
    TooLong {
        /// A word for it.
        what: String,
        /// Its length.
        bytes: usize,
    },
    /// The terminal did not take it; the reason.
    Failed(String),
}
