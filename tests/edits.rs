//! Edits of policy lists: any sequence, on files of any shape, changes nothing but the list, means what was
//! planned, and can be taken back to the first byte. Saves that fail at any step leave the file as it was.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use katascope::answer::verdict::ListId;
use katascope::edit::{
    Attributes, Disk, Document, History, Plan, PolicyEdit, RealDisk, SaveError, save, writable,
};
use katascope::input::Source;
use katascope::input::config::Layers;
use proptest::prelude::*;

/// What a test does; indices are taken modulo what is there.
#[derive(Debug, Clone)]
enum Act {
    Add(usize, String),
    Remove(usize),
    Replace(usize, String),
    Move(usize, usize),
    Duplicate(usize),
    Set(Vec<String>),
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,12}",
        r#"[\^$.*+?()\[\]{}|\\/"'# ,\-a-c]{0,8}"#,
        any::<String>().prop_map(|s| s.chars().filter(|c| *c != '\u{feff}').take(6).collect()),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let at = any::<usize>();
    prop_oneof![
        3 => (at, pattern()).prop_map(|(at, text)| Act::Add(at, text)),
        2 => any::<usize>().prop_map(Act::Remove),
        1 => (any::<usize>(), pattern()).prop_map(|(at, text)| Act::Replace(at, text)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Act::Move(from, to)),
        1 => any::<usize>().prop_map(Act::Duplicate),
        1 => prop::collection::vec(pattern(), 0..4).prop_map(Act::Set),
    ]
}

/// The edit for a list of this many entries, and what it makes of them.
fn edit(list: &ListId, act: &Act, items: &mut Vec<String>) -> Option<PolicyEdit> {
    let count = items.len();
    let list = list.clone();
    if count == 0 && !matches!(act, Act::Add(..) | Act::Set(_)) {
        return None;
    }
    Some(match act {
        Act::Add(at, text) => {
            let at = at % (count + 1);
            items.insert(at, text.clone());
            PolicyEdit::Add { list, at, text: text.clone() }
        }
        Act::Remove(at) => {
            items.remove(at % count);
            PolicyEdit::Remove { list, at: at % count }
        }
        Act::Replace(at, text) => {
            items[at % count] = text.clone();
            PolicyEdit::Replace { list, at: at % count, text: text.clone() }
        }
        Act::Move(from, to) => {
            let item = items.remove(from % count);
            items.insert(to % count, item);
            PolicyEdit::Move { list, from: from % count, to: to % count }
        }
        Act::Set(new) => {
            items.clone_from(new);
            PolicyEdit::Set { list, items: new.clone() }
        }
        Act::Duplicate(at) => {
            items.insert(at % count, items[at % count].clone());
            PolicyEdit::Duplicate { list, at: at % count }
        }
    })
}

/// A list as somebody may have written it: separators, comments, line ends and commas as they come.
fn array() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        pattern().prop_map(|text| format!("{}", toml_edit::Value::from(text))),
        "[a-z^$.]{1,6}".prop_map(|text| format!("'{text}'")),
        "[a-z]{1,4}".prop_map(|text| format!("\"\"\"{text}\"\"\"")),
    ];
    let space = prop_oneof![
        4 => Just(String::new()),
        4 => Just(" ".to_owned()),
        1 => Just("\t".to_owned()),
        4 => Just("\n  ".to_owned()),
        2 => Just("\n".to_owned()),
        2 => Just(" # it's [a], \"comment\"\n    ".to_owned()),
        1 => Just("\n\n# alone\n\t".to_owned()),
    ];
    let entries = prop::collection::vec((space.clone(), item, space.clone()), 0..5);
    (entries, any::<bool>(), space).prop_map(|(entries, comma, end)| {
        let last = entries.len();
        let mut out = "[".to_owned();
        for (i, (before, item, after)) in entries.into_iter().enumerate() {
            out += &format!("{before}{item}{after}");
            if i + 1 < last || comma {
                out.push(',');
            }
        }
        out + &end + "]"
    })
}

/// What stands before and after the list.
fn frame() -> impl Strategy<Value = (String, String)> {
    let before = prop_oneof![
        Just("# c\n[hypervisor.qemu]\npath = \"/a\"\nenable_annotations = ".to_owned()),
        Just("\u{feff}[hypervisor.qemu]\n\tenable_annotations=".to_owned()),
        Just("hypervisor.qemu.enable_annotations = ".to_owned()),
        Just("[hypervisor]\nqemu.x = nan\nqemu . enable_annotations = ".to_owned()),
        Just("hypervisor = { qemu = { a = 1, enable_annotations = ".to_owned()),
    ];
    let after = prop_oneof![
        Just(String::new()),
        Just("\n".to_owned()),
        Just(" # why\n".to_owned()),
        Just("\n# valid_hypervisor_paths = []\n\n[[hypervisor.qemu.list]]\na = []\n".to_owned()),
    ];
    (before, after).prop_map(|(before, after)| {
        if before.ends_with("annotations = ") && before.starts_with("hypervisor = {") {
            (before, " } }\n# end\n".to_owned())
        } else if before.starts_with("hypervisor.") || before.contains("qemu .") {
            (before, after.split("\n#").next().unwrap_or_default().to_owned())
        } else {
            (before, after)
        }
    })
}

fn run(before: &str, list: &str, after: &str, id: &ListId, acts: &[Act]) {
    let text = format!("{before}{list}{after}");
    let path = "/etc/configuration.toml";
    let mut history = History::of(&Layers::of_text(path, &text));
    let first = history.effective(id).unwrap_or_else(|| panic!("not found in {text:?}")).1.texts();
    let mut items = first.clone();
    for act in acts {
        let was: String = history.files().next().unwrap().1.to_owned();
        let Some(edit) = edit(id, act, &mut items) else { continue };
        history.apply(path, &edit).unwrap_or_else(|e| panic!("{e}: {edit:?} on {was:?}"));
        let now = history.files().next().unwrap().1.to_owned();
        assert!(now.starts_with(before), "{edit:?} on {was:?} gave {now:?}");
        assert!(now.ends_with(after), "{edit:?} on {was:?} gave {now:?}");
        // Read back by another reader than the edits use.
        let value: toml::Table = toml::from_str(&now).unwrap_or_else(|e| panic!("{e}: {now:?}"));
        let read: Vec<String> =
            value["hypervisor"][&id.table["hypervisor.".len()..]][&*id.list].clone().try_into().unwrap();
        assert_eq!(read, items, "{edit:?} on {was:?} gave {now:?}");
    }
    while history.undo().is_some() {}
    assert_eq!(history.files().next().unwrap().1, text, "all taken back");
    while history.redo().is_some() {}
    assert_eq!(history.effective(id).unwrap().1.texts(), items, "all made again");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_but_the_list_changes(
        (before, after) in frame(),
        list in array(),
        windows in any::<bool>(),
        acts in prop::collection::vec(act(), 1..8),
    ) {
        let end = |text: &str| if windows { text.replace('\n', "\r\n") } else { text.to_owned() };
        let id = ListId::new("hypervisor.qemu", "enable_annotations");
        run(&end(&before), &end(&list), &end(&after), &id, &acts);
    }

    #[test]
    fn adding_and_removing_gives_the_bytes_back(
        (before, after) in frame(), list in array(), text in pattern(),
    ) {
        let whole = format!("{before}{list}{after}");
        let id = ListId::new("hypervisor.qemu", "enable_annotations");
        let document = Document::of(&Source::new("/c", whole.as_str())).unwrap();
        let at = document.list(&id).unwrap().items.len();
        let (added, _) = document.apply(&PolicyEdit::Add { list: id.clone(), at, text }).unwrap();
        let (removed, _) = added.apply(&PolicyEdit::Remove { list: id, at }).unwrap();
        prop_assert_eq!(&*removed.source().text, &whole, "by way of {:?}", added.source().text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Somebody else writes before and behind the list while edits are done, undone, saved and unsaved:
    /// all taken back is their file, and all made again is both.
    #[test]
    fn history_outlives_what_others_write(
        (before, after) in frame(),
        list in array(),
        acts in prop::collection::vec((act(), any::<bool>()), 1..8),
        back in 0..5_usize,
        moment in 0..8_usize,
    ) {
        let path = "/etc/configuration.toml";
        let id = ListId::new("hypervisor.qemu", "enable_annotations");
        let text = format!("{before}{list}{after}");
        let theirs = |text: &str| {
            // Nothing goes before a byte order mark.
            let start = if text.starts_with('\u{feff}') { "" } else { "# by somebody else\n" };
            let end = if text.ends_with('\n') { "" } else { "\n" };
            format!("{start}{text}{end}# and at the end\n")
        };
        let mut history = History::of(&Layers::of_text(path, &text));
        let mut items = history.effective(&id).unwrap().1.texts();
        let mut disk = text.clone();
        for (i, (act, save)) in acts.iter().enumerate() {
            let Some(edit) = edit(&id, act, &mut items) else { continue };
            history.apply(path, &edit).unwrap();
            if *save && i <= moment {
                for plan in history.plans() {
                    disk = plan.text().to_owned();
                    history.saved(&plan);
                }
            }
        }
        let last = history.files().next().unwrap().1.to_owned();
        for _ in 0..back {
            history.undo();
        }
        let here = history.files().next().unwrap().1.to_owned();
        let reread = history.reread(&Layers::of_text(path, &theirs(&disk))).unwrap();
        prop_assert_eq!((reread.lost.len(), reread.stuck), (0, 0));
        prop_assert_eq!(history.files().next().unwrap().1, theirs(&here));
        prop_assert_eq!(history.unsaved(), disk != here);
        while history.redo().is_some() {}
        prop_assert_eq!(history.files().next().unwrap().1, theirs(&last));
        while history.undo().is_some() {}
        prop_assert_eq!(history.files().next().unwrap().1, theirs(&text));
    }
}

proptest! {
    // These files are long.
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_but_the_list_changes_in_upstream_files(
        which in any::<(prop::sample::Index, prop::sample::Index)>(),
        acts in prop::collection::vec(act(), 1..8),
    ) {
        let files = upstream();
        if files.is_empty() {
            return Ok(());
        }
        let text = std::fs::read_to_string(which.0.get(&files)).unwrap();
        let document = Document::of(&Source::new("/c", text.as_str())).unwrap();
        let id = which.1.get(document.lists()).id.clone();
        let parsed = toml_edit::Document::parse(text.as_str()).unwrap();
        let span = parsed["hypervisor"][&id.table["hypervisor.".len()..]][&*id.list].span().unwrap();
        run(&text[..span.start], &text[span.clone()], &text[span.end..], &id, &acts);
    }
}

/// Upstream's own configuration files, where they lie beside the repository.
fn upstream() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = here.ancestors().map(|a| a.join("shared/upstream")).find(|p| p.is_dir());
    let folders = shared.into_iter().flat_map(|p| std::fs::read_dir(p).unwrap().flatten());
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten())
        .map(|file| file.path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_list_of_every_upstream_file() {
    for path in upstream() {
        let text = std::fs::read_to_string(&path).unwrap();
        let document = Document::of(&Source::new("/c", text.as_str())).unwrap();
        let table = document.lists()[0].id.table.clone();
        let mut ids: Vec<ListId> = document.lists().iter().map(|list| list.id.clone()).collect();
        ids.push(ListId::new(table, "valid_new_things"));
        for id in ids {
            let at = document.list(&id).map_or(0, |list| list.items.len());
            let add = PolicyEdit::Add { list: id.clone(), at, text: "^x$".into() };
            let (added, change) = document.apply(&add).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(change.splice.removed, "", "only adds, in {}", path.display());
            let (removed, _) = added.apply(&PolicyEdit::Remove { list: id.clone(), at }).unwrap();
            let back = removed.without_own_empty(&id).unwrap_or_else(|| removed.source().text.to_string());
            assert_eq!(back, text, "{id} in {}", path.display());
        }
    }
}

/// A disk whose `fail`th call fails; `meddle` makes somebody else write the file before the last look.
struct Faulty<'d> {
    disk: &'d RealDisk,
    fail: usize,
    calls: RefCell<Vec<&'static str>>,
    meddle: bool,
}

impl Faulty<'_> {
    fn step<T>(&self, name: &'static str, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut calls = self.calls.borrow_mut();
        calls.push(name);
        if calls.len() == self.fail + 1 { Err(io::Error::from_raw_os_error(5)) } else { act() }
    }
}

impl Disk for Faulty<'_> {
    fn resolve(&self, shown: &str) -> io::Result<PathBuf> {
        self.step("resolve", || self.disk.resolve(shown))
    }
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.step("read", || self.disk.read(path))
    }
    fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        self.step("attributes", || self.disk.attributes(path))
    }
    fn writable(&self, folder: &Path) -> io::Result<bool> {
        self.step("writable", || self.disk.writable(folder))
    }
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        self.step("make_folder", || self.disk.make_folder(folder))
    }
    fn create(&self, path: &Path) -> io::Result<()> {
        self.step("create", || self.disk.create(path))
    }
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // A disk that is full takes half of it.
        self.step("write", || self.disk.write(path, bytes)).inspect_err(|_| {
            let _ = self.disk.write(path, bytes.get(..bytes.len() / 2).unwrap_or_default());
        })
    }
    fn set_attributes(&self, path: &Path, attributes: Attributes) -> io::Result<()> {
        self.step("set_attributes", || self.disk.set_attributes(path, attributes))
    }
    fn sync(&self, path: &Path) -> io::Result<()> {
        if self.meddle {
            std::fs::write(path.parent().unwrap().join("configuration.toml"), "theirs").unwrap();
        }
        self.step("sync", || self.disk.sync(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", || self.disk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
}

#[test]
fn a_save_that_fails_leaves_the_file_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let mut failed = Vec::new();
    for fail in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("configuration.toml");
        std::fs::write(&file, "before").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let real = RealDisk::new(folder.path());
        let disk = Faulty { disk: &real, fail, calls: RefCell::default(), meddle: false };
        let plan = Plan {
            path: "/configuration.toml".into(),
            before: Some("before".into()),
            after: Some("after".into()),
        };
        let result = save(&plan, &disk);
        let calls = disk.calls.take();
        let now = std::fs::read_to_string(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing left over: {calls:?}");
        match result {
            Ok(saved) => {
                assert_eq!(now, "after");
                // What fails after the rename fails no save; it is told.
                assert_eq!(saved.durable, fail + 1 != calls.len());
                if fail >= calls.len() {
                    break;
                }
            }
            Err(error) => {
                assert_eq!(now, "before", "{error}");
                assert!(
                    error.to_string().contains("configuration.toml") || error.to_string().contains("tmp")
                );
                failed.push(*calls.last().unwrap());
            }
        }
    }
    assert!(
        ["read", "create", "write", "set_attributes", "sync", "rename"].iter().all(|s| failed.contains(s))
    );
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("configuration.toml");
    std::fs::write(&file, "before").unwrap();
    let real = RealDisk::new(folder.path());
    let disk = Faulty { disk: &real, fail: usize::MAX - 1, calls: RefCell::default(), meddle: true };
    let plan = Plan {
        path: "/configuration.toml".into(),
        before: Some("before".into()),
        after: Some("after".into()),
    };
    assert!(
        matches!(save(&plan, &disk), Err(SaveError::Conflict { now: Some(now), .. }) if now == b"theirs")
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "theirs");
}

/// A disk on which nothing may be written.
#[test]
fn no_right_to_write_is_known_at_once() {
    struct Locked(RealDisk);
    impl Disk for Locked {
        fn resolve(&self, shown: &str) -> io::Result<PathBuf> {
            self.0.resolve(shown)
        }
        fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
            self.0.read(path)
        }
        fn attributes(&self, path: &Path) -> io::Result<Attributes> {
            self.0.attributes(path)
        }
        fn writable(&self, _: &Path) -> io::Result<bool> {
            Ok(false)
        }
        fn make_folder(&self, _: &Path) -> io::Result<()> {
            panic!("nothing is written")
        }
        fn create(&self, _: &Path) -> io::Result<()> {
            panic!("nothing is written")
        }
        fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
            panic!("nothing is written")
        }
        fn set_attributes(&self, _: &Path, _: Attributes) -> io::Result<()> {
            panic!("nothing is written")
        }
        fn sync(&self, _: &Path) -> io::Result<()> {
            panic!("nothing is written")
        }
        fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
            panic!("nothing is written")
        }
        fn remove(&self, _: &Path) -> io::Result<()> {
            panic!("nothing is written")
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), "before").unwrap();
    let disk = Locked(RealDisk::new(folder.path()));
    assert!(matches!(writable(&disk, "/c.toml"), Err(SaveError::ReadOnly { .. })));
    let plan = Plan { path: "/c.toml".into(), before: Some("before".into()), after: Some("after".into()) };
    assert!(matches!(save(&plan, &disk), Err(SaveError::ReadOnly { .. })));
}
