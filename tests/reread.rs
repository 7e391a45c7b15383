//! The history of edits over files that somebody else changes: byte for byte where the two keep apart,
//! by the entries' texts where they meet, and said where neither works.

use katascope::answer::verdict::ListId;
use katascope::edit::{History, PolicyEdit, Reread, Stepped};
use katascope::input::config::Layers;

const PATH: &str = "/etc/kata/configuration.toml";

const FILE: &str = "\
[hypervisor.qemu]
path = \"/usr/bin/qemu\"
enable_annotations = [
    \"a\", # the first
    \"b\", # the second
    \"c\",
]
default_vcpus = 1
valid_hypervisor_paths = [\"/usr/bin/*\"]
";

fn names() -> ListId {
    ListId::new("hypervisor.qemu", "enable_annotations")
}

fn add(at: usize, text: &str) -> PolicyEdit {
    PolicyEdit::Add { list: names(), at, text: text.into() }
}

fn remove(at: usize) -> PolicyEdit {
    PolicyEdit::Remove { list: names(), at }
}

fn replace(at: usize, text: &str) -> PolicyEdit {
    PolicyEdit::Replace { list: names(), at, text: text.into() }
}

/// A history with the file as its disk.
struct Files {
    history: History,
    disk: String,
}

impl Files {
    fn new(text: &str) -> Self {
        Self { history: History::of(&Layers::of_text(PATH, text)), disk: text.into() }
    }

    fn edit(&mut self, edit: &PolicyEdit) {
        self.history.apply(PATH, edit).unwrap();
    }

    fn save(&mut self) {
        for plan in self.history.plans() {
            assert_eq!(plan.before.as_deref(), Some(self.disk.as_str()), "nothing is overwritten unseen");
            self.disk = plan.text().to_owned();
            self.history.saved(&plan);
        }
    }

    /// Somebody else writes the file, and it is read again.
    fn theirs(&mut self, from: &str, to: &str) -> Reread {
        assert!(self.disk.contains(from), "{from:?} in {:?}", self.disk);
        self.disk = self.disk.replace(from, to);
        self.history.reread(&Layers::of_text(PATH, &self.disk)).unwrap()
    }

    fn text(&self) -> &str {
        self.history.files().next().unwrap().1
    }

    fn names(&self) -> Vec<String> {
        self.history.effective(&names()).unwrap().1.texts()
    }

    fn undo(&mut self) -> Stepped {
        self.history.undo().expect("something to take back")
    }
}

const VCPUS: (&str, &str) = ("default_vcpus = 1", "# theirs\ndefault_vcpus = 32");

#[test]
fn an_unsaved_edit_stands_on_the_new_text_and_goes_without_a_trace() {
    let mut files = Files::new(FILE);
    files.edit(&remove(1));
    assert_eq!(files.theirs(VCPUS.0, VCPUS.1), Reread::default());
    let theirs = FILE.replace(VCPUS.0, VCPUS.1);
    let both = theirs.replace("    \"b\", # the second\n", "");
    assert_eq!(files.text(), both);
    assert_eq!(files.history.unsaved_count(), 1);
    assert_eq!(files.undo().stuck, None);
    assert_eq!(files.text(), theirs, "the comment is back too");
    assert!(!files.history.unsaved());
    files.history.redo().unwrap();
    assert_eq!(files.text(), both);
    files.save();
    assert_eq!(files.disk, both);
}

#[test]
fn a_saved_edit_can_be_taken_back_after_the_file_changed_elsewhere() {
    let mut files = Files::new(FILE);
    files.edit(&remove(0));
    files.edit(&add(0, "new"));
    files.save();
    files.theirs("path = \"/usr/bin/qemu\"", "path = \"/opt/kata/bin/qemu-system-x86_64\"");
    assert!(!files.history.unsaved());
    assert_eq!(files.text(), files.disk);
    files.undo();
    assert_eq!(files.history.unsaved_count(), 1);
    files.undo();
    assert_eq!(files.text(), FILE.replace("/usr/bin/qemu\"", "/opt/kata/bin/qemu-system-x86_64\""));
    files.save();
    assert_eq!(files.disk, files.text());
    while files.history.redo().is_some() {}
    assert_eq!(files.names(), ["new", "b", "c"]);
}

#[test]
fn what_was_taken_back_can_be_made_again_on_the_new_text() {
    let mut files = Files::new(FILE);
    files.edit(&add(3, "d"));
    files.edit(&remove(0));
    files.undo();
    files.undo();
    files.theirs(VCPUS.0, VCPUS.1);
    assert!(!files.history.unsaved());
    files.history.redo().unwrap();
    files.history.redo().unwrap();
    assert_eq!(files.names(), ["b", "c", "d"]);
    assert!(files.text().contains("default_vcpus = 32"));
}

#[test]
fn edits_of_the_same_list_are_both_kept() {
    let mut files = Files::new(FILE);
    files.edit(&add(3, "mine"));
    files.edit(&replace(0, "A"));
    assert_eq!(files.theirs("    \"c\",\n", "    \"c\",\n    \"theirs\",\n"), Reread::default());
    assert_eq!(files.names(), ["A", "b", "c", "mine", "theirs"]);
    files.undo();
    files.undo();
    assert_eq!(files.names(), ["a", "b", "c", "theirs"]);
    assert_eq!(files.text(), files.disk);
}

#[test]
fn one_line_lists_that_both_changed_are_merged_by_their_entries() {
    let list = ListId::new("hypervisor.qemu", "valid_hypervisor_paths");
    let mut files = Files::new(FILE);
    files.edit(&PolicyEdit::Add { list: list.clone(), at: 1, text: "/mine".into() });
    files.theirs("[\"/usr/bin/*\"]", "[\"/usr/bin/*\", \"/theirs\"]");
    assert_eq!(files.history.effective(&list).unwrap().1.texts(), ["/usr/bin/*", "/mine", "/theirs"]);
    files.undo();
    assert_eq!(files.text(), files.disk);
}

#[test]
fn an_edit_of_an_entry_that_is_gone_is_told() {
    let mut files = Files::new(FILE);
    files.edit(&replace(1, "B"));
    files.edit(&add(3, "d"));
    let reread = files.theirs("    \"b\", # the second\n", "    \"x\", # the second\n");
    let [lost] = reread.lost.as_slice() else { panic!("{reread:?}") };
    assert_eq!(lost.reason.to_string(), "\"b\" is not in the list any more");
    assert_eq!(files.names(), ["a", "x", "c", "d"], "the other edit stands");
    assert_eq!(files.history.unsaved_count(), 1);
    files.undo();
    assert_eq!(files.text(), files.disk);
    assert_eq!(files.history.undo(), None);
}

#[test]
fn what_they_did_too_is_no_edit_any_more() {
    let mut files = Files::new(FILE);
    files.edit(&add(3, "d"));
    files.edit(&remove(0));
    let reread = files.theirs("    \"a\", # the first\n", "");
    assert_eq!(reread, Reread { same: 1, ..Reread::default() });
    assert_eq!((files.names(), files.history.depth()), (vec!["b".into(), "c".into(), "d".into()], (1, 0)));
}

#[test]
fn a_saved_edit_that_they_wrote_over_cannot_be_taken_back_and_says_so() {
    let mut files = Files::new(FILE);
    files.edit(&add(3, "d"));
    files.edit(&replace(0, "A"));
    files.save();
    let reread = files.theirs("\"A\"", "\"Z\"");
    assert_eq!((reread.stuck, reread.lost.len()), (1, 0));
    let stuck = files.undo();
    assert_eq!(stuck.stuck.map(|s| s.to_string()).as_deref(), Some("\"A\" is not in the list any more"));
    assert_eq!(files.text(), files.disk, "nothing was done");
    assert!(!files.history.unsaved());
    // What lies before it still can.
    assert_eq!(files.undo().stuck, None);
    assert_eq!(files.names(), ["Z", "b", "c"]);
    assert_eq!(files.history.unsaved_count(), 1);
    files.history.redo().unwrap();
    assert!(!files.history.unsaved());
}

#[test]
fn the_way_to_what_is_saved_may_be_forgotten() {
    let mut files = Files::new(FILE);
    files.edit(&add(3, "saved"));
    files.save();
    files.undo();
    files.edit(&add(0, "other"));
    assert_eq!(files.history.unsaved_count(), 1);
    files.theirs(VCPUS.0, VCPUS.1);
    let mine = FILE.replace("    \"a\", #", "    \"other\",\n    \"a\", #");
    assert_eq!(files.text(), mine.replace(VCPUS.0, VCPUS.1));
    files.undo();
    assert_eq!(files.text(), FILE.replace(VCPUS.0, VCPUS.1));
    files.save();
    assert_eq!(files.disk, FILE.replace(VCPUS.0, VCPUS.1));
}

#[test]
fn a_file_that_is_broken_for_a_while_costs_nothing() {
    let mut files = Files::new(FILE);
    files.edit(&remove(1));
    // Unsaved edits are not put onto what cannot be read.
    let broken = Layers::of_text(PATH, "[hypervisor.qemu\n");
    assert!(files.history.reread(&broken).is_err());
    assert_eq!(files.names(), ["a", "c"]);
    files.save();
    files.history.reread(&broken).unwrap();
    assert!(files.undo().stuck.is_some(), "not now");
    files.disk = files.disk.replace(VCPUS.0, VCPUS.1);
    files.history.reread(&Layers::of_text(PATH, &files.disk)).unwrap();
    assert_eq!(files.undo().stuck, None);
    assert_eq!(files.text(), FILE.replace(VCPUS.0, VCPUS.1));
}

#[test]
fn a_list_that_was_created_goes_as_it_came() {
    let list = ListId::new("hypervisor.qemu", "valid_jailer_paths");
    let mut files = Files::new(FILE);
    files.edit(&PolicyEdit::Create { list: list.clone(), items: vec!["/j".into()] });
    files.save();
    files.theirs(VCPUS.0, VCPUS.1);
    assert_eq!(files.undo().stuck, None);
    assert_eq!(files.text(), FILE.replace(VCPUS.0, VCPUS.1));
    files.history.redo().unwrap();
    assert_eq!(files.text(), files.disk);
}

#[test]
fn unsaved_edits_can_be_put_aside_and_made_again() {
    let mut files = Files::new(FILE);
    files.edit(&add(3, "saved"));
    files.save();
    files.edit(&add(4, "mine"));
    files.edit(&remove(0));
    files.history.back_to_saved();
    assert!(!files.history.unsaved());
    assert_eq!(files.history.depth(), (1, 2));
    files.undo();
    files.history.back_to_saved();
    assert_eq!(files.text(), files.disk, "forward, too");
    files.theirs(VCPUS.0, VCPUS.1);
    files.history.redo().unwrap();
    files.history.redo().unwrap();
    assert_eq!(files.names(), ["b", "c", "saved", "mine"]);
}

#[test]
fn a_text_kept_over_theirs_is_written_only_over_what_was_seen() {
    let mut files = Files::new(FILE);
    files.edit(&remove(1));
    let mine = files.text().to_owned();
    files.disk = FILE.replace(VCPUS.0, VCPUS.1);
    let theirs = files.disk.clone();
    files.history.keep_over(PATH, Some(&theirs));
    files.save();
    assert_eq!(files.disk, mine);
    files.undo();
    assert_eq!(files.text(), FILE);
}

#[test]
fn a_file_that_is_gone_keeps_its_unsaved_edits() {
    let mut files = Files::new(FILE);
    files.edit(&remove(1));
    let mut gone = Layers::of_text(PATH, FILE);
    gone.base = Err(katascope::input::config::Unreadable::Io(katascope::input::host::Errno::NotFound));
    assert!(files.history.reread(&gone).is_err());
    assert_eq!(files.names(), ["a", "c"]);
}
