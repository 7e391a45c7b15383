//! What can happen: commands that a person causes, and answers from the outside.

mod answer;
mod table;

use super::chord::Chord;
use super::screen::Screen;

pub use answer::{Answer, Copied};
pub use table::{COMMANDS, Entry, Group};

/// One edit of a line being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum LineEdit {
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Backspace,
    Delete,
    DeleteWord,
    DeleteToStart,
    DeleteToEnd,
    Older,
    Newer,
}

/// What a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Command {
    Up,
    Down,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    NextPane,
    PrevPane,
    Open,
    Back,
    Go(Screen),
    PrevPod,
    NextPod,
    JumpBack,
    JumpForward,
    FindAnything,
    Origin,
    ToLaunch,
    Filter,
    NextHit,
    PrevHit,
    CycleRows,
    Whole,
    Fold,
    SideBySide,
    AsIf,
    SortBy,
    ReverseSort,
    GroupBy,
    MarkBaseline,
    Mark,
    MarkAll,
    CompareMarked,
    ListMarked,
    CycleBaseline,
    TryValue,
    WhatIf,
    DropTry,
    ExportTry,
    Allow,
    AddPattern,
    EditPattern,
    DeletePattern,
    DuplicatePattern,
    MovePatternUp,
    MovePatternDown,
    EditKey,
    RemoveKey,
    OtherRuntime,
    Audit,
    Cluster,
    Sizing,
    OpenOther,
    CompareWith,
    Bookmark,
    Explain,
    Suggest,
    Handlers,
    Initdata,
    ChooseRelease,
    Undo,
    Redo,
    Save,
    Copy,
    CopyMenu,
    CopyCommand,
    Editor,
    Reload,
    Edits,
    Messages,
    Palette,
    Help,
    Theme,
    Mouse,
    Redraw,
    Suspend,
    Quit,
    Interrupt,
    Write,
    NextTarget,
    SaveAndQuit,
    DiscardAndQuit,
    Reapply,
    KeepMine,
    TakeTheirs,
    Edit(LineEdit),
}

/// Mouse events, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Pointer {
    Click { column: u16, row: u16 },
    ScrollUp { column: u16, row: u16 },
    ScrollDown { column: u16, row: u16 },
}

/// Everything that can happen.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key was pressed.
    Key(Chord),
    /// A person asked, by key or palette.
    Command(Command),
    /// A paste.
    Paste(String),
    /// The mouse.
    Pointer(Pointer),
    /// Time to go on with work that was put off.
    Idle,
    /// The outside answered.
    Answer(Answer),
}
