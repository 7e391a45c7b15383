//! Every command's name, label, one-line doc, group and rank: footer, help, palette and README are printed from this
//! table.

use super::{Command, LineEdit};
use crate::tui::model::Screen;

/// Where help lists a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Group {
    Move,
    Go,
    Look,
    Change,
    Program,
    Dialog,
    Typing,
}

impl Group {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Go => "Go to",
            Self::Look => "Look",
            Self::Change => "Change",
            Self::Program => "Program",
            Self::Dialog => "In dialogs",
            Self::Typing => "While typing",
        }
    }
}

/// What is known of a command.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The command.
    pub command: Command,
    /// Its name in settings and the palette.
    pub name: &'static str,
    /// A word or two for the footer.
    pub label: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// Where help lists it.
    pub group: Group,
    /// Place in the footer, small first; 0: not there.
    pub rank: u8,
    /// Whether it can only be reached by key (moving in a list, typing).
    pub keys_only: bool,
}

const fn row(
    command: Command,
    name: &'static str,
    label: &'static str,
    doc: &'static str,
    group: Group,
    rank: u8,
) -> Entry {
    let keys_only = matches!(group, Group::Move | Group::Dialog | Group::Typing);
    Entry { command, name, label, doc, group, rank, keys_only }
}

use Command as C;
use Group as G;
use LineEdit as L;

/// Every command.
pub const COMMANDS: &[Entry] = &[
    row(C::Up, "up", "up", "One line up", G::Move, 0),
    row(C::Down, "down", "down", "One line down", G::Move, 0),
    row(C::HalfUp, "half-up", "half page up", "Half a page up", G::Move, 0),
    row(C::HalfDown, "half-down", "half page down", "Half a page down", G::Move, 0),
    row(C::PageUp, "page-up", "page up", "One page up", G::Move, 0),
    row(C::PageDown, "page-down", "page down", "One page down", G::Move, 0),
    row(C::First, "first", "first", "To the first line", G::Move, 0),
    row(C::Last, "last", "last", "To the last line", G::Move, 0),
    row(C::Left, "left", "list", "To the list", G::Move, 0),
    row(C::Right, "right", "detail", "To the detail", G::Move, 0),
    row(C::NextPane, "next-pane", "pane", "To the other pane", G::Move, 0),
    row(C::PrevPane, "prev-pane", "pane", "To the other pane, backwards", G::Move, 0),
    row(C::Open, "open", "open", "Open what is selected", G::Move, 4),
    row(C::Back, "back", "back", "One step back; never quits", G::Move, 0),
    row(
        C::Go(Screen::Annotations),
        "annotations",
        "annotations",
        "Screen 1: every annotation of this pod",
        G::Go,
        0,
    ),
    row(
        C::Go(Screen::Policy),
        "policy",
        "policy",
        "Screen 2: the lists that say what pods may set",
        G::Go,
        0,
    ),
    row(C::Go(Screen::Launch), "launch", "launch", "Screen 3: the VM command, against a baseline", G::Go, 0),
    row(C::Go(Screen::Agent), "agent", "agent", "Screen 4: kernel command line and agent requests", G::Go, 0),
    row(C::Go(Screen::Config), "config", "config", "Screen 5: every effective key with its origin", G::Go, 0),
    row(C::Go(Screen::Pods), "pods", "pods", "Screen 6: every pod with its outcome", G::Go, 0),
    row(C::Go(Screen::Nodes), "nodes", "nodes", "Screen 7: every pod on every node", G::Go, 0),
    row(
        C::Go(Screen::Live),
        "live",
        "live",
        "Screen 8: the VMs that run, beside their prediction; takes pasted process lines",
        G::Go,
        38,
    ),
    row(
        C::Go(Screen::Upgrade),
        "upgrade",
        "upgrade",
        "Screen 9: what another release would change, by cause",
        G::Go,
        0,
    ),
    row(C::PrevPod, "previous-pod", "previous pod", "The pod before this one", G::Go, 0),
    row(C::NextPod, "next-pod", "next pod", "The pod after this one", G::Go, 30),
    row(C::JumpBack, "jump-back", "back", "Where you were before the last jump", G::Go, 0),
    row(C::JumpForward, "jump-forward", "forward", "Forward again", G::Go, 0),
    row(
        C::FindAnything,
        "find",
        "find",
        "Find any annotation, key, pod, pattern or argument, and go there",
        G::Go,
        0,
    ),
    row(C::Origin, "origin", "origin", "Go to what this comes from", G::Go, 14),
    row(
        C::ToLaunch,
        "to-launch",
        "VM argument",
        "Go to the argument or parameter that this becomes",
        G::Go,
        16,
    ),
    row(
        C::Filter,
        "filter",
        "filter",
        "Filter this list: words, !word, column:text; in the detail, search",
        G::Look,
        8,
    ),
    row(C::NextHit, "next-hit", "next hit", "The next hit of the search", G::Look, 2),
    row(C::PrevHit, "previous-hit", "previous hit", "The hit before", G::Look, 0),
    row(C::CycleRows, "rows", "show fewer", "Show all rows, fewer, or only problems", G::Look, 26),
    row(C::Whole, "whole", "whole value", "Show the whole value in a window of its own", G::Look, 0),
    row(
        C::Fold,
        "fold",
        "fold",
        "Fold or unfold what is equal on both sides; on Pods, the groups",
        G::Look,
        22,
    ),
    row(
        C::SideBySide,
        "side-by-side",
        "side by side",
        "Both sides beside each other, or one after the other",
        G::Look,
        20,
    ),
    row(
        C::MarkBaseline,
        "baseline",
        "baseline",
        "Mark this pod alone: the side that others are compared with",
        G::Look,
        24,
    ),
    row(
        C::Mark,
        "mark",
        "mark",
        "Mark this pod, or all of this group: marked ones are compared, listed, and tried on together",
        G::Look,
        11,
    ),
    row(C::MarkAll, "mark-all", "mark all", "Mark every pod that the filter keeps, or none", G::Look, 0),
    row(
        C::CompareMarked,
        "compare-marked",
        "compare",
        "Compare this pod with the marked one, or two that are marked with each other, on screens 3 and 4",
        G::Look,
        13,
    ),
    row(
        C::ListMarked,
        "list-marked",
        "list marked",
        "The marked pods with what becomes of them; y copies, Y in the list writes a file",
        G::Look,
        0,
    ),
    row(
        C::CycleBaseline,
        "next-baseline",
        "other baseline",
        "Compare with: pod without annotations, saved policy, marked pod, other runtime",
        G::Look,
        12,
    ),
    row(
        C::OtherRuntime,
        "other-runtime",
        "other runtime",
        "Evaluate with the next release of runtime",
        G::Look,
        0,
    ),
    row(C::Audit, "audit", "audit", "What this policy lets pod authors do on this host", G::Look, 28),
    row(
        C::Cluster,
        "cluster",
        "cluster",
        "What a cluster would enforce of this policy, and the pods that fare otherwise there",
        G::Look,
        27,
    ),
    row(
        C::OpenOther,
        "open-other",
        "open other",
        "Open another node, configuration, manifest or handler: words as on the command line",
        G::Go,
        0,
    ),
    row(
        C::CompareWith,
        "compare-with",
        "compare with",
        "Compare launch and agent with another configuration, handler or node",
        G::Look,
        0,
    ),
    row(C::Bookmark, "bookmark", "bookmark", "Keep what is open among what F offers, or drop it", G::Go, 0),
    row(
        C::Explain,
        "explain",
        "explain",
        "What is selected in every release: type, gate, effect, history",
        G::Look,
        0,
    ),
    row(C::Suggest, "suggest", "suggest", "The tightest lists with which these pods start", G::Look, 30),
    row(
        C::Sizing,
        "sizing",
        "sizing",
        "The VM's size line by line: limits, kubelet, the runtime's sum, the pod's cgroup",
        G::Look,
        0,
    ),
    row(
        C::Handlers,
        "handlers",
        "handlers",
        "The node's handlers: shim, runtime, release, file; Enter looks at one",
        G::Look,
        29,
    ),
    row(
        C::AsIf,
        "as-if",
        "as if",
        "A refused pod: as if allowed, as if what refuses it were absent; on 5 first what was taken before it failed",
        G::Look,
        7,
    ),
    row(
        C::GroupBy,
        "group",
        "group by",
        "Group by reason, namespace, handler, release or outcome",
        G::Look,
        9,
    ),
    row(C::SortBy, "sort", "sort by", "Sort by the next column", G::Look, 10),
    row(C::ReverseSort, "reverse", "reverse", "Sort the other way round", G::Look, 0),
    row(
        C::Initdata,
        "initdata",
        "initdata",
        "The pod's initialization data: its parts, the digest, and what pins it",
        G::Look,
        15,
    ),
    row(
        C::ChooseRelease,
        "target",
        "release",
        "Choose the release that this node and its pods are held against",
        G::Look,
        29,
    ),
    row(
        C::TryValue,
        "try",
        "try value",
        "Try another value in memory: on all marked pods where this is one of several",
        G::Change,
        10,
    ),
    row(
        C::WhatIf,
        "what-if",
        "what if",
        "Limits, requests, the handler or facts of the host otherwise than the files say: what comes of it",
        G::Change,
        20,
    ),
    row(C::DropTry, "untry", "drop trial", "Take back the value that is tried here", G::Change, 11),
    row(C::ExportTry, "export", "export trials", "The tried values as a YAML patch", G::Change, 0),
    row(C::Allow, "allow", "allow", "Allow what the selected annotation needs, no more", G::Change, 12),
    row(C::AddPattern, "add", "add", "Add a pattern to this list", G::Change, 10),
    row(C::EditPattern, "edit", "edit", "Edit this pattern in place", G::Change, 11),
    row(C::DeletePattern, "delete", "delete", "Delete this pattern; undo brings it back", G::Change, 12),
    row(C::DuplicatePattern, "duplicate", "duplicate", "Add a copy of this pattern below it", G::Change, 0),
    row(C::MovePatternUp, "move-up", "move up", "Move this pattern up", G::Change, 0),
    row(C::MovePatternDown, "move-down", "move down", "Move this pattern down", G::Change, 0),
    row(C::EditKey, "edit-key", "edit key", "Write another value for this key, in memory", G::Change, 10),
    row(
        C::RemoveKey,
        "remove-key",
        "take out",
        "Take this key out of its file, in memory: its default counts",
        G::Change,
        11,
    ),
    row(C::Undo, "undo", "undo", "Take back the last change, saved or not", G::Change, 18),
    row(C::Redo, "redo", "redo", "Do it again", G::Change, 0),
    row(C::Save, "save", "save", "Show what would be written, and where; y writes it", G::Change, 32),
    row(C::Copy, "copy", "copy", "Copy the selected value", G::Program, 0),
    row(
        C::CopyMenu,
        "copy-what",
        "copy what",
        "Choose what to copy: value, YAML, place, command, fix",
        G::Program,
        0,
    ),
    row(
        C::CopyCommand,
        "copy-command",
        "copy command",
        "Copy the command that prints what this screen shows",
        G::Program,
        0,
    ),
    row(C::Editor, "editor", "editor", "Open the file at this line in $VISUAL or $EDITOR", G::Program, 34),
    row(
        C::Reload,
        "reload",
        "reload",
        "Read the files again; edits, filter and selection stay",
        G::Program,
        0,
    ),
    row(C::Edits, "edits", "edits", "Every edit of the lists as a `katascope policy` command", G::Program, 0),
    row(C::Messages, "messages", "messages", "What this program said so far", G::Program, 0),
    row(C::Palette, "palette", "command", "Any command by its name", G::Program, 40),
    row(C::Help, "help", "help", "The keys that work here", G::Program, 42),
    row(C::Theme, "theme", "theme", "The next theme: dark, light, 16 colours, mono", G::Program, 0),
    row(C::Mouse, "mouse", "mouse", "Mouse on or off; Shift-drag selects text while it is on", G::Program, 0),
    row(C::Redraw, "redraw", "redraw", "Draw everything again", G::Program, 0),
    row(C::Suspend, "suspend", "suspend", "Back to the shell; fg returns", G::Program, 0),
    row(C::Quit, "quit", "quit", "Quit; asks only when policy edits are unsaved", G::Program, 50),
    row(C::Interrupt, "interrupt", "quit", "Quit from anywhere; twice leaves at once", G::Program, 0),
    row(C::Write, "write", "write", "Write the file as shown", G::Dialog, 2),
    row(
        C::NextTarget,
        "next-target",
        "other target",
        "Where to write: the file, a drop-in, a patch",
        G::Dialog,
        3,
    ),
    row(C::SaveAndQuit, "save-and-quit", "save", "Show what would be written, then quit", G::Dialog, 2),
    row(C::DiscardAndQuit, "discard-and-quit", "discard", "Quit without the edits", G::Dialog, 3),
    row(
        C::Reapply,
        "reapply",
        "re-apply mine",
        "Put the edits onto the file as it is on disk, and show it",
        G::Dialog,
        2,
    ),
    row(
        C::KeepMine,
        "keep-mine",
        "keep mine",
        "Keep the text as it is here, over theirs, and show it",
        G::Dialog,
        3,
    ),
    row(
        C::TakeTheirs,
        "take-theirs",
        "take theirs",
        "Read the file without the edits; redo makes them again",
        G::Dialog,
        4,
    ),
    row(C::Edit(L::Left), "cursor-left", "left", "One letter left", G::Typing, 0),
    row(C::Edit(L::Right), "cursor-right", "right", "One letter right", G::Typing, 0),
    row(C::Edit(L::WordLeft), "word-left", "word left", "One word left", G::Typing, 0),
    row(C::Edit(L::WordRight), "word-right", "word right", "One word right", G::Typing, 0),
    row(C::Edit(L::Home), "line-start", "start", "To the start", G::Typing, 0),
    row(C::Edit(L::End), "line-end", "end", "To the end", G::Typing, 0),
    row(C::Edit(L::Backspace), "backspace", "backspace", "Delete the letter before", G::Typing, 0),
    row(C::Edit(L::Delete), "delete-letter", "delete", "Delete the letter under the cursor", G::Typing, 0),
    row(C::Edit(L::DeleteWord), "delete-word", "delete word", "Delete the word before", G::Typing, 0),
    row(C::Edit(L::DeleteToStart), "delete-to-start", "clear", "Delete everything before", G::Typing, 0),
    row(C::Edit(L::DeleteToEnd), "delete-to-end", "cut", "Delete everything behind", G::Typing, 0),
    row(C::Edit(L::Older), "older", "older", "What was typed before", G::Typing, 0),
    row(C::Edit(L::Newer), "newer", "newer", "What was typed after", G::Typing, 0),
];

impl Command {
    /// What is known of it.
    #[allow(clippy::indexing_slicing, reason = "a table that is not empty")]
    pub fn entry(self) -> &'static Entry {
        // Every command has its row (a test walks them); the first row stands in for the type checker.
        COMMANDS.iter().find(|e| e.command == self).unwrap_or(&COMMANDS[0])
    }

    /// The command of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|e| e.name == name).map(|e| e.command)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_docs_are_one_line() {
        let names: BTreeSet<_> = COMMANDS.iter().map(|e| e.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        for entry in COMMANDS {
            assert_eq!(entry.command.entry().name, entry.name);
            assert!(
                entry.doc.len() > 5 && !entry.doc.contains('\n') && !entry.doc.ends_with('.'),
                "{}",
                entry.name
            );
            assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", entry.name);
        }
    }
}
