//! Edits on texts of every shape, the history over them, and saving to a real folder.

use std::sync::Arc;

use super::*;
use crate::input::Source;
use crate::input::config::Layers;

fn names() -> ListId {
    ListId::new("hypervisor.qemu", "enable_annotations")
}

fn open(text: &str) -> Document {
    Document::of(&Source::new("/c.toml", text)).unwrap()
}

fn after(text: &str, edit: &PolicyEdit) -> String {
    let (document, change) = open(text).apply(edit).unwrap();
    let after = document.source().text.to_string();
    assert_eq!(change.splice.apply(text).as_deref(), Some(&*after));
    assert_eq!(change.splice.inverse().apply(&after).as_deref(), Some(text), "undo");
    after
}

fn add(at: usize, text: &str) -> PolicyEdit {
    PolicyEdit::Add { list: names(), at, text: text.to_owned() }
}

fn remove(at: usize) -> PolicyEdit {
    PolicyEdit::Remove { list: names(), at }
}

/// Adding at every place gives what is written, and removing it again gives the text back.
fn adds(array: &str, results: &[&str]) {
    let file = |array: &str| format!("[hypervisor.qemu]\nenable_annotations = {array}\nx = 1\n");
    for (at, result) in results.iter().enumerate() {
        let added = after(&file(array), &add(at, "x"));
        assert_eq!(added, file(result), "at {at}");
        assert_eq!(after(&added, &remove(at)), file(array), "taken back at {at}");
    }
}

#[test]
fn adding_keeps_the_habit_of_the_array() {
    adds("[]", &[r#"["x"]"#]);
    adds("[ ]", &[r#"["x" ]"#]);
    adds(r#"["a"]"#, &[r#"["x", "a"]"#, r#"["a", "x"]"#]);
    adds(r#"["a","b",]"#, &[r#"["x","a","b",]"#, r#"["a","x","b",]"#, r#"["a","b","x",]"#]);
    adds("['a']", &["['x', 'a']", "['a', 'x']"]);
    adds("[\n]", &["[\n    \"x\",\n]"]);
    adds(
        "[\n\t\"a\", # why\n\t\"b\" # last\n]",
        &[
            "[\n\t\"x\",\n\t\"a\", # why\n\t\"b\" # last\n]",
            "[\n\t\"a\", # why\n\t\"x\",\n\t\"b\" # last\n]",
            "[\n\t\"a\", # why\n\t\"b\", # last\n\t\"x\"\n]",
        ],
    );
    adds(
        "[\r\n  \"a\",\r\n  # above\r\n  \"b\",\r\n]",
        &[
            "[\r\n  \"x\",\r\n  \"a\",\r\n  # above\r\n  \"b\",\r\n]",
            "[\r\n  \"a\",\r\n  \"x\",\r\n  # above\r\n  \"b\",\r\n]",
            "[\r\n  \"a\",\r\n  # above\r\n  \"b\",\r\n  \"x\",\r\n]",
        ],
    );
    adds("[\n  \"a\"]", &["[\n  \"x\", \"a\"]", "[\n  \"a\",\n  \"x\"]"]);
    adds("[ # c, [\"\n  \"a\"\n  , # d\n]", &["[ # c, [\"\n  \"x\",\n  \"a\"\n  , # d\n]"]);
}

#[test]
fn comments_go_with_their_entries() {
    let text = "[hypervisor.qemu]\nenable_annotations = [\n  \"a\", # one\n  \"b\",\n  # alone\n  \"c\" # three\n]\n";
    let document = open(text);
    let list = document.list(&names()).unwrap();
    assert_eq!(list.items[0].comment.as_deref(), Some("one"));
    assert_eq!(list.items[2].comment.as_deref(), Some("three"));
    assert_eq!(list.items[2].place.to_string(), "/c.toml:6:3");
    let moved = after(text, &PolicyEdit::Move { list: names(), from: 2, to: 0 });
    assert_eq!(
        moved,
        "[hypervisor.qemu]\nenable_annotations = [\n  \"c\", # three\n  \"a\", # one\n  # alone\n  \"b\"\n]\n"
    );
    let replaced = after(text, &PolicyEdit::Replace { list: names(), at: 0, text: "a\"\\d".into() });
    assert!(replaced.contains(r#"  "a\"\\d", # one"#));
    let twice = after(text, &PolicyEdit::Duplicate { list: names(), at: 1 });
    assert!(twice.contains("  \"b\",\n  \"b\",\n  # alone"));
    assert!(!after(text, &remove(2)).contains("three"));
}

#[test]
fn a_list_is_created_where_its_table_is() {
    let list = ListId::new("hypervisor.qemu", "valid_jailer_paths");
    let create = PolicyEdit::Create { list: list.clone(), items: vec!["/a".into()] };
    for (text, expected) in [
        (
            "[hypervisor.qemu]\npath = \"x\" # c\n\n[agent.kata]\n",
            "path = \"x\" # c\nvalid_jailer_paths = [\"/a\"]",
        ),
        (
            "[hypervisor.qemu]\nenable_annotations = [\n]\npath = \"x\"\n",
            "]\nvalid_jailer_paths = [\"/a\"] # created by katascope\npath",
        ),
        ("[hypervisor.qemu]\n  path = \"x\"", "\n  valid_jailer_paths = [\"/a\"]"),
        ("[hypervisor.qemu] # h\n[agent]\n", "[hypervisor.qemu] # h\nvalid_jailer_paths = [\"/a\"]"),
        ("hypervisor.qemu.path = \"x\"\n", "hypervisor.qemu.valid_jailer_paths = [\"/a\"]"),
        ("[hypervisor]\nqemu.path = \"x\"\nqemu.pflashes = [\n]\n", "]\nqemu.valid_jailer_paths = [\"/a\"]"),
        ("hypervisor = { qemu = { path = \"x\" } }\n", "path = \"x\", valid_jailer_paths = [\"/a\"] }"),
        ("hypervisor = { qemu = {} }\n", "qemu = { valid_jailer_paths = [\"/a\"] }"),
        ("[hypervisor.clh]\n", "\n\n[hypervisor.qemu]"),
        ("[hypervisor.qemu.factory]\nx = 1", "\n\n[hypervisor.qemu]"),
        (
            "",
            "[hypervisor.qemu] # created by katascope\nvalid_jailer_paths = [\"/a\"] # created by katascope\n",
        ),
        ("\u{feff}hypervisor.qemu.path = 1\r\n", "\r\nhypervisor.qemu.valid_jailer_paths = [\"/a\"]"),
    ] {
        let created = after(text, &create);
        assert!(created.contains(expected), "{text:?} gave {created:?}");
        let emptied = after(&created, &PolicyEdit::Remove { list: list.clone(), at: 0 });
        if !text.contains('{') {
            assert_eq!(open(&emptied).without_own_empty(&list).as_deref(), Some(text), "{created:?}");
        }
    }
    let wrong = open("hypervisor.qemu = 1\n").apply(&create).unwrap_err();
    assert_eq!(wrong, EditError::NoTable(list));
}

#[test]
fn what_cannot_be_edited_says_so() {
    let error = |text: &str, edit| open(text).apply(&edit).unwrap_err();
    assert_eq!(
        error("[hypervisor.qemu]\nenable_annotations = \"a\"\n", add(0, "x")),
        EditError::NotAList(names())
    );
    assert_eq!(
        error("[hypervisor.qemu]\nenable_annotations = [1]\n", remove(0)),
        EditError::NotAList(names())
    );
    assert_eq!(error("[hypervisor.qemu]\nenable_annotations = []\n", remove(0)), EditError::NoEntry(names()));
    let error = Document::of(&Source::new("/c", "a = \n")).unwrap_err();
    assert!(matches!(error, EditError::NotToml { ref place, .. } if place.line == 1), "{error}");
}

#[test]
fn history_goes_back_and_forth_across_saves() {
    let text = "[hypervisor.qemu]\nenable_annotations = [\"a\"]\n";
    let layers = Layers::of_text("/etc/kata/configuration.toml", text);
    let mut history = History::of(&layers);
    let base = "/etc/kata/configuration.toml";
    history.apply(base, &add(1, "b")).unwrap();
    let plan = history.plans().remove(0);
    assert!(plan.diff().contains("-enable_annotations = [\"a\"]\n+enable_annotations = [\"a\", \"b\"]\n"));
    assert!(plan.diff().starts_with("--- a/etc/kata/configuration.toml\n"));
    history.saved(&plan);
    assert!(!history.unsaved());
    history.undo().unwrap();
    assert!(history.unsaved());
    assert_eq!(history.plans()[0].text(), text);
    history.redo().unwrap();
    assert!(!history.unsaved());

    // A drop-in repeats the whole list.
    let Some(Target::NewDropIn(path)) =
        targets(crate::release::Release::newest(crate::release::Runtime::Rs), &layers, &names()).pop()
    else {
        panic!("no drop-in offered")
    };
    assert_eq!(&*path, "/etc/kata/config.d/90-katascope.toml");
    history.apply(&path, &remove(0)).unwrap();
    assert_eq!(history.effective(&names()).unwrap().1.texts(), ["b"]);
    assert_eq!(history.layers(&layers).sources().count(), 2);
    let plan = history.plans().remove(0);
    assert_eq!(plan.before, None);
    assert!(plan.diff().starts_with("--- /dev/null\n"));
    // Saved and taken back, it goes; made again, it comes again.
    history.saved(&plan);
    let with = history.layers(&layers);
    history.undo().unwrap();
    let gone = history.plans().remove(0);
    assert_eq!((gone.after.as_ref(), gone.before.as_ref()), (None, plan.after.as_ref()));
    assert!(gone.diff().contains("+++ /dev/null\n"));
    history.saved(&gone);
    assert_eq!(history.layers(&with).sources().count(), 1);
    history.redo().unwrap();
    assert_eq!(history.plans(), [plan]);
    while history.undo().is_some() {}
    assert_eq!(history.depth(), (0, 2));
    assert_eq!(history.layers(&layers).sources().count(), 1);
    assert_eq!(history.plans()[0].text(), text);
    assert_eq!(targets(crate::release::Release::go(2, 1, 0), &layers, &names()).len(), 1);
}

#[test]
fn helm_values_are_yaml() {
    let text = helm_values("fc", "firecracker", &["a".into(), "^b\\d, x$".into()]);
    let values: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let drop_in = values["shims"]["fc"]["dropIn"].as_str().unwrap();
    let read: toml_edit::DocumentMut = drop_in.parse().unwrap();
    let list = read["hypervisor"]["firecracker"]["enable_annotations"].as_array().unwrap();
    assert_eq!(list.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>(), ["a", "^b\\d, x$"]);
}

#[test]
fn saving_replaces_what_links_point_to() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.toml");
    std::fs::write(&real, "a").unwrap();
    std::os::unix::fs::symlink("/real.toml", folder.path().join("link.toml")).unwrap();
    let disk = RealDisk::new(folder.path());
    let plan = |path: &str, before: Option<&str>| Plan {
        path: path.into(),
        before: before.map(Arc::from),
        after: Some("b".into()),
    };
    let saved = save(&plan("/link.toml", Some("a")), &disk).unwrap();
    assert_eq!(saved, Saved { path: real.clone(), done: Done::Replaced, durable: true });
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "b");
    assert!(folder.path().join("link.toml").symlink_metadata().unwrap().is_symlink());
    let conflict = save(&plan("/link.toml", Some("a")), &disk).unwrap_err();
    assert!(matches!(conflict, SaveError::Conflict { now: Some(now), .. } if now == b"b"));
    let new = save(&plan("/config.d/90.toml", None), &disk).unwrap();
    assert_eq!(new.done, Done::Created);
    assert!(matches!(save(&plan("/config.d/90.toml", None), &disk), Err(SaveError::Conflict { .. })));
    let gone = Plan { after: None, ..plan("/config.d/90.toml", Some("b")) };
    assert_eq!(save(&gone, &disk).unwrap().done, Done::Removed);
    assert!(!new.path.exists());
    assert!(matches!(save(&gone, &disk), Err(SaveError::Conflict { now: None, .. })));
    assert!(matches!(
        save(&plan("/no/such/folder/x", None), &disk),
        Err(SaveError::Io { step: super::save::Step::Resolve, .. })
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left over");
}
