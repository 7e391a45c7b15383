//! Key scripts over files that change under the program: nothing is lost, nothing is overwritten unseen.

use super::stage::{CONFIG, CONFIG_PATH, Stage};
use katascope::tui::effect::Effect;
use katascope::tui::message::{Answer, Message};
use katascope::tui::update;

/// The fixture after somebody else changed it elsewhere, and after the list was changed on both sides.
fn theirs() -> String {
    CONFIG.replace("default_vcpus = 1", "default_vcpus = 3")
}

/// One entry deleted, and a save that finds another file.
fn conflict(width: u16, height: u16, theirs: &str) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.keys("2 j d");
    stage.disk.insert(CONFIG_PATH.into(), theirs.into());
    stage.keys("s y");
    assert!(stage.screen().contains("Somebody else changed the file"), "{}", stage.screen());
    assert_eq!(stage.disk[CONFIG_PATH], theirs);
    stage
}

#[test]
fn all_three_sides_are_shown() {
    for (width, height) in [(80, 24), (140, 40)] {
        let mut stage = conflict(width, height, &theirs());
        insta::assert_snapshot!(format!("conflict-{width}x{height}"), stage.screen());
        let both = theirs().replace("\"enable_iommu\"", "\"enable_.*\"");
        let mut stage = conflict(width, height, &both);
        insta::assert_snapshot!(format!("conflict-met-{width}x{height}"), stage.screen());
    }
}

#[test]
fn edits_are_put_onto_the_file_on_disk_and_asked_for_again() {
    let mut stage = conflict(80, 24, &theirs());
    stage.keys("r");
    assert_eq!(stage.disk[CONFIG_PATH], theirs(), "nothing is written by that alone");
    stage.keys("y");
    let both = stage.disk[CONFIG_PATH].clone();
    assert!(both.contains("default_vcpus = 3") && !both.contains("\"enable_iommu\""), "{both}");
    stage.keys("u s y");
    assert_eq!(stage.disk[CONFIG_PATH], theirs(), "undo reaches back over it all");
}

#[test]
fn an_edit_that_has_no_place_is_told_before_and_after() {
    let gone = CONFIG.replace("\"enable_iommu\"", "\"enable_.*\"");
    let mut stage = Stage::new(80, 24);
    stage.keys("2 j e ctrl-u `^enable_iommu$` enter");
    stage.disk.insert(CONFIG_PATH.into(), gone.clone());
    stage.keys("s y");
    assert!(stage.screen().contains("your edit has no place there"), "{}", stage.screen());
    stage.keys("r");
    assert!(stage.screen().contains("no place any more"), "{}", stage.screen());
    assert_eq!((stage.model.unsaved(), &stage.disk[CONFIG_PATH]), (0, &gone));
}

#[test]
fn mine_can_be_kept_but_is_shown_against_theirs_first() {
    let mut stage = conflict(80, 24, &theirs());
    stage.keys("k");
    assert_eq!(stage.disk[CONFIG_PATH], theirs());
    stage.keys("pgdn");
    assert!(stage.screen().contains("-default_vcpus = 3"), "{}", stage.screen());
    stage.keys("esc");
    assert_eq!(stage.disk[CONFIG_PATH], theirs());
    stage.keys("s y");
    let mine = stage.disk[CONFIG_PATH].clone();
    assert!(mine.contains("default_vcpus = 1") && !mine.contains("\"enable_iommu\""), "{mine}");
    stage.keys("u s y");
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG);
}

#[test]
fn a_second_change_while_deciding_is_found_too() {
    let mut stage = conflict(80, 24, &theirs());
    stage.keys("k");
    let later = theirs().replace("default_vcpus = 3", "default_vcpus = 4");
    stage.disk.insert(CONFIG_PATH.into(), later.clone());
    stage.keys("y");
    assert!(stage.screen().contains("Somebody else changed the file"));
    assert_eq!(stage.disk[CONFIG_PATH], later);
}

#[test]
fn theirs_can_be_taken_and_mine_made_again() {
    let mut stage = conflict(80, 24, &theirs());
    stage.keys("t");
    assert_eq!((stage.model.unsaved(), &stage.disk[CONFIG_PATH]), (0, &theirs()));
    assert!(stage.model.dialogs.is_empty());
    stage.keys("U");
    assert_eq!(stage.model.unsaved(), 1);
    stage.keys("s y");
    assert_eq!(
        stage.disk[CONFIG_PATH].matches("enable_iommu").count(),
        CONFIG.matches("enable_iommu").count() - 1
    );
}

#[test]
fn a_file_that_is_gone_is_written_anew_only_when_told() {
    let mut stage = Stage::new(80, 24);
    stage.keys("2 j d");
    stage.disk.remove(CONFIG_PATH);
    stage.keys("s y");
    let screen = stage.screen();
    assert!(screen.contains("is gone") && screen.contains("k write it anew"), "{screen}");
    assert!(!screen.contains("take theirs") && !screen.contains("re-apply"), "{screen}");
    stage.keys("r t");
    assert!(stage.screen().contains("the file is gone"), "{}", stage.screen());
    assert!(!stage.disk.contains_key(CONFIG_PATH));
    stage.keys("k y");
    assert!(stage.disk[CONFIG_PATH].contains("[hypervisor.qemu]"));
}

#[test]
fn edits_are_undone_across_saves_and_reloads_byte_by_byte() {
    let mut stage = Stage::new(100, 30);
    stage.keys("2 j d s y");
    let saved = stage.disk[CONFIG_PATH].clone();
    assert_ne!(saved, CONFIG);
    stage.keys("R");
    assert_eq!(stage.model.seat.history.depth(), (1, 0));
    let changed = saved.replace("default_vcpus = 1", "default_vcpus = 3");
    stage.disk.insert(CONFIG_PATH.into(), changed);
    // Without unsaved edits the file is read as soon as it is seen to differ.
    stage.send(Message::Answer(Answer::ChangedOnDisk(vec![CONFIG_PATH.into()])));
    assert!(stage.screen().contains("read again"), "{}", stage.screen());
    stage.keys("u");
    assert_eq!(stage.model.unsaved(), 1);
    stage.keys("s y");
    assert_eq!(stage.disk[CONFIG_PATH], theirs());
    stage.keys("U s y u s y");
    assert_eq!(stage.disk[CONFIG_PATH], theirs());
}

#[test]
fn what_cannot_be_taken_back_any_more_says_so() {
    let mut stage = Stage::new(120, 30);
    stage.keys("2 j e ctrl-u `^enable_iommu$` enter s y");
    let over = stage.disk[CONFIG_PATH].replace("^enable_iommu$", "^something_else$");
    stage.disk.insert(CONFIG_PATH.into(), over.clone());
    stage.keys("R");
    assert!(stage.screen().contains("1 earlier edit cannot be taken back"), "{}", stage.screen());
    stage.keys("u");
    assert!(stage.screen().contains("cannot take back"), "{}", stage.screen());
    assert_eq!((stage.model.unsaved(), &stage.disk[CONFIG_PATH]), (0, &over));
    stage.keys("u");
    assert!(stage.screen().contains("nothing was changed"), "{}", stage.screen());
}

#[test]
fn a_drop_in_does_not_cost_what_was_done_before() {
    let mut stage = Stage::new(100, 30);
    stage.keys("2 j d s y");
    stage.keys("d s tab y");
    assert_eq!(stage.model.unsaved(), 0);
    while stage.model.seat.history.depth().0 > 0 {
        stage.keys("u");
    }
    stage.keys("s y");
    assert_eq!(stage.disk[CONFIG_PATH], CONFIG);
}

#[test]
fn a_reading_that_is_refused_leaves_the_mark_and_what_is_watched() {
    let mut stage = Stage::new(100, 30);
    stage.keys("2 j d");
    let changed = Answer::ChangedOnDisk(vec![CONFIG_PATH.into()]);
    stage.send(Message::Answer(changed.clone()));
    let readings = stage.model.readings;
    stage.send(Message::Answer(Answer::Reloaded(Box::new(Err("configuration.toml is gone".into())))));
    let screen = stage.screen();
    assert!(screen.contains("changed on disk") && screen.contains("is gone"), "{screen}");
    assert_eq!(stage.model.readings, readings, "nothing was read");
    stage.keys("R");
    assert!(!stage.screen().contains("changed on disk"), "{}", stage.screen());
    assert_eq!(stage.model.readings, readings + 1);
    // Without edits it is read at once, and marked until that is done.
    stage.keys("u");
    let effects = update::update(&mut stage.model, &stage.geometry, Message::Answer(changed));
    assert_eq!((effects, stage.model.stale.len()), (vec![Effect::Reload], 1));
}

#[test]
fn what_cannot_be_written_is_not_the_choice_to_begin_with() {
    let mut stage = Stage::new(100, 30);
    stage.model.rights.files = Some("/etc cannot be written".into());
    stage.keys("2 j d s");
    assert!(stage.screen().contains("a new drop-in"), "{}", stage.screen());
    stage.keys("esc");
    stage.model.rights.drop_in = Some("/etc cannot be written".into());
    stage.keys("s");
    assert!(stage.screen().contains("katascope.patch"), "{}", stage.screen());
    // The reason stands where it is chosen all the same.
    stage.keys("tab");
    while !stage.screen().contains("a new drop-in") {
        stage.keys("tab");
    }
    assert!(stage.screen().contains("90-katascope.toml  ✗ cannot be written"), "{}", stage.screen());
    stage.keys("y");
    assert!(stage.disk.values().all(|text| text == CONFIG), "nothing was written");
}
