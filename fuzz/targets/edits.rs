//! Any text as a configuration file, and a sequence of edits of one of its lists: every edit that
//! succeeds means what was planned, and undoing all of them gives the original bytes.

use katascope::answer::verdict::ListId;
use katascope::edit::{History, PolicyEdit};
use katascope::input::config::Layers;

const PATH: &str = "/etc/kata-containers/configuration.toml";

/// What the fuzzer makes up.
pub type Input<'a> = (&'a str, Vec<(u8, u8, &'a str)>);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (text, steps) = input;
    let mut history = History::of(&Layers::of_text(PATH, text));
    let list = ListId::new("hypervisor.qemu", "enable_annotations");
    let mut done = 0;
    for (what, at, pattern) in steps.into_iter().take(8) {
        let (list, at) = (list.clone(), usize::from(at));
        let edit = match what % 5 {
            0 => PolicyEdit::Add { list, at, text: pattern.to_owned() },
            1 => PolicyEdit::Remove { list, at },
            2 => PolicyEdit::Replace { list, at, text: pattern.to_owned() },
            3 => PolicyEdit::Move { list, from: at, to: usize::from(what / 5) },
            _ => PolicyEdit::Duplicate { list, at },
        };
        done += usize::from(history.apply(PATH, &edit).is_ok());
    }
    for _ in 0..done {
        history.undo();
    }
    if let Some(Ok(document)) = history.document(PATH) {
        assert_eq!(&*document.source().text, text, "undo returns the original bytes");
    }
}
