//! Marked pods, and what is said otherwise than the files say it.

use katascope::evaluate::node::NodeEvaluator;
use katascope::release::{Release, Runtime};
use katascope::tui::effect::Effect;
use katascope::tui::message::{Answer, Message};
use katascope::tui::model::dialog::Dialog;
use katascope::tui::model::{Baseline, Screen};

use super::stage::{CONFIG, Stage, evaluator, pods};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 36)];

fn manifest() -> String {
    let pod = |name: &str, annotation: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: shop\n  annotations:\n    \
             io.katacontainers.config.hypervisor.{annotation}\nspec:\n  runtimeClassName: kata\n  containers:\n  \
             - {{name: c, image: x}}\n"
        )
    };
    [
        ("bad", "path: /tmp/qemu"),
        ("big", "default_vcpus: \"4\""),
        ("small", "default_vcpus: \"2\""),
        ("web", "default_memory: \"4096\""),
    ]
    .map(|(name, annotation)| pod(name, annotation))
    .concat()
}

fn stage(width: u16, height: u16) -> Stage {
    Stage::of(evaluator(CONFIG, Release::newest(Runtime::Go)), pods(&manifest()), width, height)
}

fn snap(name: &str, prepare: &dyn Fn(&mut Stage)) {
    for (width, height) in SIZES {
        for ascii in [false, true] {
            let mut stage = stage(width, height);
            stage.ascii = ascii;
            prepare(&mut stage);
            let form = if ascii { "ascii" } else { "mono" };
            insta::assert_snapshot!(format!("{name}-{width}x{height}-{form}"), stage.screen());
        }
    }
}

#[test]
fn marks_are_for_comparing_listing_and_trying() {
    let mut stage = stage(120, 36);
    // The list has the refused one first; the next one is marked by the same key.
    let screen = stage.keys("6 g j space space").screen();
    assert!(screen.contains("2 pods are marked") && screen.contains("2 marked"), "{screen}");
    assert_eq!(stage.model.marks.iter().copied().collect::<Vec<_>>(), [1, 2]);
    // Listed: what becomes of each.
    let screen = stage.keys("X").screen();
    assert!(screen.contains("shop/big Pod") && screen.contains("starts"), "{screen}");
    stage.keys("esc");
    // Compared, wherever the cursor is: one with the other.
    assert!(stage.keys("c").screen().contains("against pod shop/small"));
    stage.keys("6");
    // From one of them: with the other.
    let screen = stage.keys("g j c").screen();
    assert_eq!(
        (stage.model.screen, stage.model.baseline, stage.model.pod),
        (Screen::Launch, Baseline::Marked, 1)
    );
    assert!(screen.contains("against pod shop/small"), "{screen}");
    let screen = stage.keys(".").screen();
    assert!(screen.contains("against pod shop/big"), "{screen}");
    // Tried on both, and taken back from both.
    let screen = stage.keys("1 / `default_memory` enter e ctrl-u `8192`").screen();
    assert!(
        screen.contains("on 2 marked pods") && screen.contains("of the other marked pods 1 would start"),
        "{screen}"
    );
    stage.keys("enter");
    assert_eq!(stage.model.trials.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert!(stage.keys("x").screen().contains("name: \"small\""));
    stage.keys("esc d");
    assert!(stage.model.trials.is_empty());
    // A pod that is not marked is tried on alone.
    stage.keys("6 g 1 / ctrl-u `default_memory` enter e ctrl-u `8192` enter");
    assert_eq!(stage.model.trials.keys().copied().collect::<Vec<_>>(), [0]);
    // All and none, also of a group.
    stage.keys("6 * ");
    assert_eq!(stage.model.marks.len(), 4);
    stage.keys("*");
    assert!(stage.model.marks.is_empty());
    stage.keys("b b space");
    assert_eq!(stage.model.marks.len(), 4, "a group is marked whole");
    assert!(stage.keys("c").screen().contains("this is a group"));
}

#[test]
fn views_of_marks() {
    snap("marked", &|stage| {
        stage.keys("6 g space space");
    });
    snap("marked-listed", &|stage| {
        stage.keys("6 * X");
    });
    snap("marked-compared", &|stage| {
        stage.keys("6 g j space space g j c");
    });
    // With a refused one: as if it were not.
    snap("marked-refused", &|stage| {
        stage.keys("6 g space c");
    });
}

#[test]
fn what_is_tried_is_written_where_the_kind_has_it() {
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: shop}\nspec:\n  schedule: \"0 0 * * *\"\n  \
                jobTemplate:\n    spec:\n      template:\n        metadata:\n          annotations:\n            \
                io.katacontainers.config.hypervisor.default_vcpus: \"2\"\n        spec:\n          runtimeClassName: \
                kata\n          containers: [{name: c, image: x}]\n";
    let mut stage = Stage::of(evaluator(CONFIG, Release::newest(Runtime::Go)), pods(text), 120, 36);
    stage.keys("1 e ctrl-u `3` enter x");
    let Some(Dialog::Text { lines, file, .. }) = stage.model.dialogs.last() else { panic!("no window") };
    let wanted = "---\napiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: \"nightly\"\n  namespace: \"shop\"\nspec:\n  \
                  jobTemplate:\n    spec:\n      template:\n        metadata:\n          annotations:\n            \
                  io.katacontainers.config.hypervisor.default_vcpus: \"3\"";
    assert_eq!((lines.join("\n").as_str(), *file), (wanted, "katascope-tried.yaml"));
}

/// Answers what the window asks for: the same node, the pods with another limit.
fn answer(stage: &mut Stage, limit: &str) -> Vec<String> {
    let Some(Effect::Suppose { words }) = stage.effects.pop() else { panic!("{:?}", stage.effects) };
    let node = NodeEvaluator::alone(stage.model.seat.current.clone());
    let text = manifest().replace("image: x", &format!("image: x, resources: {{limits: {{cpu: {limit}}}}}"));
    stage.send(Message::Answer(Answer::Supposed(Box::new(Ok((node, pods(&text)))))));
    stage.settle();
    words
}

#[test]
fn limits_are_said_otherwise_in_fields() {
    let mut stage = stage(120, 36);
    let screen = stage.keys(". p `8`").screen();
    assert!(screen.contains("limits.cpu") && screen.contains("now no CPU limit"), "{screen}");
    stage.keys("down `4Gi` up enter");
    let words = answer(&mut stage, "8");
    assert_eq!(words[words.len() - 4..], ["--set", "limits.cpu=8", "--set", "limits.memory=4Gi"]);
    let screen = stage.screen();
    assert!(
        screen.contains("Enter reads everything so") && screen.contains("no pod's outcome changes"),
        "{screen}"
    );
    assert!(screen.contains("hypervisor.qemu.default_vcpus"), "{screen}");
    // Something else is typed: it is tried before it is kept.
    assert!(stage.keys("backspace `2`").screen().contains("what was tried before"));
    stage.keys("enter");
    answer(&mut stage, "2");
    stage.keys("enter");
    let kept = stage.effects.pop();
    assert!(
        matches!(&kept, Some(Effect::OpenInstead { words, keep: true }) if words.contains(&"limits.cpu=2".to_owned())),
        "{kept:?}"
    );
    // What cannot be said is told where it is typed.
    stage.send(Message::Answer(Answer::NotOpened("--set handler=x: no such handler".into())));
    assert!(stage.screen().contains("no such handler"));
    assert!(matches!(stage.model.dialogs.last(), Some(Dialog::Otherwise(_))));
    // Edits that are not on disk would not be read again.
    let screen = stage.keys("esc 2 j d p `1` enter").screen();
    assert!(screen.contains("edits are not saved"), "{screen}");
}

#[test]
fn views_of_what_if() {
    snap("what-if", &|stage| {
        stage.keys(". p `8`");
    });
    snap("what-if-found", &|stage| {
        stage.keys(". p `8` enter");
        answer(stage, "8");
    });
}

#[test]
fn windows_of_text_are_searched() {
    let mut stage = stage(80, 24);
    let screen = stage.keys("2 A / `hypervisor`").screen();
    assert!(screen.contains("/hypervisor"), "{screen}");
    let before = stage.geometry.dialog_hits.clone();
    assert!(!before.is_empty());
    stage.keys("enter");
    let Some(Dialog::Text { scroll, .. }) = stage.model.dialogs.last() else { panic!() };
    assert!(before.contains(scroll), "{scroll} {before:?}");
    // A letter is a key again; Esc lets go of the search, then closes.
    stage.keys("n N esc");
    assert!(matches!(stage.model.dialogs.last(), Some(Dialog::Text { search, .. }) if search.is_empty()));
    assert!(stage.keys("n").screen().contains("nothing is searched"));
    stage.keys("esc");
    assert!(stage.model.dialogs.is_empty());
}
