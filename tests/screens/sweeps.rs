//! What is worked out again after an edit, a trial and undoing them: what they can change, and nothing else.

use katascope::answer::verdict::ListId;
use katascope::edit::PolicyEdit;
use katascope::runtime::Depth;
use katascope::tui::model::pods::{Summary, Sweep, turns};

use super::stage::{Stage, pods};

/// The sample's pods, and each once more without any annotation.
fn stage() -> Stage {
    let mut all = pods(katascope::sample::PODS);
    let bare = all.clone().into_iter().map(|mut pod| {
        pod.name.push_str("-bare");
        pod.annotations.clear();
        pod.problems.clear();
        pod
    });
    all.extend(bare.collect::<Vec<_>>());
    let mut stage = Stage::of(katascope::sample::evaluator(), all, 120, 34);
    stage.settle();
    stage
}

/// What each pod comes to, worked out from nothing.
fn anew(stage: &Stage) -> Vec<Summary> {
    let model = &stage.model;
    let pod = |i| model.with_trials(i).expect("a pod");
    (0..model.pods.len())
        .map(|i| Summary::of(&model.seat.current.evaluate(&pod(i), Depth::Verdicts)))
        .collect()
}

fn known(sweep: &Sweep, pods: usize) -> Vec<Summary> {
    (0..pods).filter_map(|i| sweep.get(i).cloned()).collect()
}

fn check(stage: &mut Stage) {
    stage.settle();
    let pods = stage.model.pods.len();
    assert_eq!(known(&stage.model.sweep, pods), anew(stage));
}

fn add(text: &str) -> PolicyEdit {
    let list = ListId::new("hypervisor.qemu", "enable_annotations");
    PolicyEdit::Add { list, at: 0, text: text.to_owned() }
}

#[test]
fn an_edit_asks_again_of_those_pods_alone_that_lists_matter_to() {
    let mut stage = stage();
    let pods = stage.model.pods.len();
    assert_eq!(stage.model.sweep.progress(), (pods, pods));
    for text in ["^machine_type$", "^default_vcpus$", "("] {
        stage.model.apply_edit(&add(text)).expect("an edit");
        assert_eq!(stage.model.sweep.progress(), (pods / 2, pods), "{text}");
        check(&mut stage);
        assert_eq!(stage.model.saved_sweep.progress(), (pods, pods));
    }
    // Taken back to what is on disk: all of it is known.
    stage.keys("2 u u");
    stage.model.seat.history.undo().expect("a third edit");
    stage.model.policy_changed();
    assert!(!stage.model.seat.edited);
    assert_eq!(stage.model.sweep.progress(), (pods, pods));
    check(&mut stage);
    // An edit in the middle of the work.
    stage.model.sweep.restart();
    stage.model.apply_edit(&add("^memory_slots$")).expect("an edit");
    stage.model.apply_edit(&add("^enable_iommu$")).expect("an edit");
    check(&mut stage);
}

#[test]
fn another_configuration_or_runtime_asks_again_of_all() {
    let mut stage = stage();
    let pods = stage.model.pods.len();
    let text = stage.disk.values().next().expect("a file").clone();
    let path = stage.disk.keys().next().expect("a file").clone();
    stage.disk.insert(path, text.replace("default_memory = 2048", "default_memory = 1024"));
    stage.send(katascope::tui::message::Message::Command(katascope::tui::message::Command::Reload));
    assert_eq!(stage.model.sweep.progress(), (0, pods));
    check(&mut stage);
    stage.send(katascope::tui::message::Message::Command(katascope::tui::message::Command::OtherRuntime));
    assert_eq!(stage.model.sweep.progress(), (0, pods));
    check(&mut stage);
    stage.model.apply_edit(&add("^default_vcpus$")).expect("an edit");
    check(&mut stage);
    let baseline = known(&stage.model.saved_sweep, pods);
    let on_disk: Vec<Summary> = (0..pods)
        .map(|i| Summary::of(&stage.model.seat.saved.evaluate(&stage.model.pods[i].pod, Depth::Verdicts)))
        .collect();
    assert_eq!(baseline, on_disk);
}

#[test]
fn a_trial_is_no_consequence_of_an_edit() {
    let mut stage = stage();
    let pods = stage.model.pods.len();
    stage.model.apply_edit(&add("^no_such_name$")).expect("an edit");
    stage.settle();
    assert_eq!(turns(&stage.model.saved_sweep, &stage.model.sweep), []);
    stage.keys("1 g e ctrl-u `7` enter");
    assert_eq!(stage.model.trying(), 1);
    check(&mut stage);
    assert_eq!(turns(&stage.model.saved_sweep, &stage.model.sweep), []);
    stage.keys("d");
    assert_eq!((stage.model.trying(), stage.model.sweep.progress()), (0, (pods, pods)));
    check(&mut stage);
}
