//! Any text as a configuration file, and a sequence of edits of one of its lists: undoing all that succeed gives the
//! original bytes. Where somebody else makes the later edits, going back to what is saved gives their bytes.

use katascope::answer::verdict::ListId;
use katascope::edit::{History, PolicyEdit};
use katascope::input::config::Layers;

const PATH: &str = "/etc/kata-containers/configuration.toml";

/// What the fuzzer makes up.
pub type Input<'a> = (&'a str, Vec<(u8, u8, &'a str)>);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (text, steps) = input;
    let others = steps.iter().take(8).position(|(what, ..)| *what >= 250);
    let (mine, theirs) = steps.split_at(others.unwrap_or(steps.len().min(8)));
    let mut history = History::of(&Layers::of_text(PATH, text));
    let done = edited(&mut history, mine);
    if !theirs.is_empty() {
        let mut other = History::of(&Layers::of_text(PATH, text));
        edited(&mut other, &theirs[..theirs.len().min(8)]);
        let Some(Ok(other)) = other.document(PATH) else { return };
        let other = &*other.source().text;
        if history.reread(&Layers::of_text(PATH, other)).is_ok() {
            history.back_to_saved();
            let texts: Vec<&str> = history.files().map(|(_, text)| text).collect();
            assert_eq!(texts, [other], "what is saved is what the other wrote");
        }
        return;
    }
    for _ in 0..done {
        history.undo();
    }
    if let Some(Ok(document)) = history.document(PATH) {
        assert_eq!(&*document.source().text, text, "undo returns the original bytes");
    }
}

/// How many of the edits were made.
fn edited(history: &mut History, steps: &[(u8, u8, &str)]) -> usize {
    let list = ListId::new("hypervisor.qemu", "enable_annotations");
    let mut done = 0;
    for &(what, at, pattern) in steps {
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
    done
}
