//! The command of a process, as a text or a machine has it. Decides nothing.

use super::Missing;

/// The command of one process, as the text has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line it begins at, from 1.
    pub line: usize,
    /// The process id.
    pub pid: Option<u64>,
    /// The parent's.
    pub parent: Option<u64>,
    /// The command.
    pub command: Command,
    /// What is missing of it.
    pub missing: Missing,
}

/// A command as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Argument by argument.
    Exact(Vec<String>),
    /// In one text, joined by blanks.
    Joined(String),
}
