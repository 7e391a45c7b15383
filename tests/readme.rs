//! What the README prints of the program is what the program says of itself.

use std::path::Path;

use katascope::tui::keymap::{DEFAULTS, Keymap};
use katascope::tui::keys;

const START: &str = "<!-- the keys: UPDATE=1 cargo test readme writes them from src/tui/keymap.rs -->\n";
const END: &str = "<!-- end of the keys -->\n";

#[test]
fn the_keys_in_the_readme_are_those_of_the_keymap() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(START).expect("the table starts with a comment");
    let (table, after) = rest.split_once(END).expect("the table ends with a comment");
    let printed = keys::markdown(&keys::sections(&Keymap::default()));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, [before, START, &printed, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(table, printed, "the README is stale; UPDATE=1 cargo test readme");
}

#[test]
fn the_manual_page_has_every_key() {
    let page = keys::roff(&keys::sections(&Keymap::default()));
    for command in DEFAULTS.iter().map(|row| row.command.entry()) {
        assert!(page.contains(&command.doc.replace('-', "\\-")), "{}", command.name);
    }
    assert!(page.lines().all(|line| !line.starts_with('\'')), "no line is a request by accident");
}
