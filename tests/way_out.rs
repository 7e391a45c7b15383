//! Every refusal has a way out: a place where a file says its cause, and a change that was tried, or what to do in
//! words.

use std::collections::BTreeMap;

use katascope::answer::verdict::FailureStage;
use katascope::evaluate::{Evaluator, Outcome, Setup};
use katascope::input::Source;
use katascope::input::config::Layers;
use katascope::input::manifest::{self, Pod};
use katascope::release::{Release, Runtime};
use katascope::runtime::Depth;
use katascope::sample;

use crate::recorded::{Recording, recordings};
use crate::support::{QEMU, QEMU_NAMES};

/// Where nothing that a file says is at fault: what the host has or lacks, and what is missing from the files.
const NO_PLACE: [&str; 9] = [
    "vsock",
    "no such file or directory",
    "is not set",
    "are empty",
    "must be",
    "missing",
    "container type",
    "panic",
    "not support",
];

/// What was found of the refused cases.
#[derive(Default)]
struct Found {
    refused: usize,
    placed: usize,
    tried: usize,
    odd: BTreeMap<String, usize>,
}

/// Every case of one recording.
fn judge(recording: &Recording) -> Found {
    let mut found = Found::default();
    // One setup judges all pods of a configuration, so that what was tried is tried once.
    let mut evaluators: BTreeMap<(&str, String), Evaluator> = BTreeMap::new();
    for case in &recording.cases {
        let evaluator = evaluators
            .entry((&case.config, case.host.to_string()))
            .or_insert_with(|| recording.evaluator(case));
        let evaluation = evaluator.evaluate_and_advise(&recording.pod(case), Depth::Verdicts);
        let Some(failure) = evaluation.outcome.failure() else {
            assert_eq!(evaluation.way_out, None);
            continue;
        };
        found.refused += 1;
        let Some(way) = &evaluation.way_out else {
            panic!("{:?} {}: no way out", recording.release, case.id)
        };
        assert!(way.fix.is_some() || !way.advice.is_empty(), "{}: {}", case.config, failure.message);
        assert_eq!(way.fix.is_some(), way.gain.is_some(), "{}: a change that was not tried", case.config);
        if way.place.as_ref().is_some_and(|place| place.line > 0) {
            found.placed += 1;
        } else if !NO_PLACE.iter().any(|words| failure.message.contains(words)) {
            *found.odd.entry(failure.message.clone()).or_default() += 1;
        }
        found.tried += usize::from(way.fix.is_some());
    }
    found
}

/// Every case of every recording, those of each release beside those of another.
fn holds(runtime: Runtime) {
    let recordings = recordings(runtime);
    let all: Vec<(String, Found)> = std::thread::scope(|scope| {
        let halves = recordings.chunks(recordings.len().div_ceil(2));
        let judging: Vec<_> = halves
            .map(|half| {
                scope.spawn(|| {
                    half.iter().map(|one| (format!("{:?}", one.release), judge(one))).collect::<Vec<_>>()
                })
            })
            .collect();
        judging.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for (id, Found { refused, placed, tried, odd }) in all {
        eprintln!("{id}: {refused} refused, {placed} with a place, {tried} with a change that helps");
        assert!(placed * 100 >= refused * 85, "{id}: {placed} of {refused} have a place: {odd:#?}");
        assert!(tried * 100 >= refused * 70, "{id}: a change was tried for {tried} of {refused}");
    }
}

/// A configuration on the sample's host, and a pod.
fn by_hand(runtime: Runtime, text: &str, annotations: &[(&str, &str)]) -> (Evaluator, Pod) {
    let layers = Layers::of_text("/etc/kata-containers/configuration.toml", text);
    let setup = Setup { layers, release: Release::newest(runtime), ..sample::evaluator().setup().clone() };
    let mut all = serde_json::json!({ "io.kubernetes.cri.container-type": "sandbox" });
    for (key, value) in annotations {
        all[*key] = (*value).into();
    }
    let spec = serde_json::json!({ "ociVersion": "1.1.0", "annotations": all });
    let pod = manifest::read(&Source::new("pod.json", spec.to_string())).unwrap().pods.remove(0);
    (Evaluator::new(setup), pod)
}

#[test]
fn of_the_go_runtime() {
    holds(Runtime::Go);
}

#[test]
fn of_runtime_rs() {
    holds(Runtime::Rs);
}

#[test]
fn the_colliding_values_are_told_with_their_numbers_and_the_change_helps() {
    let text =
        format!("{QEMU}{QEMU_NAMES}").replace("[agent.kata]\n", "[agent.kata]\ndial_timeout_ms = 45000\n");
    let (evaluator, pod) = by_hand(Runtime::Rs, &text, &[]);
    let evaluation = evaluator.evaluate_and_advise(&pod, Depth::Verdicts);
    assert_eq!(evaluation.outcome.failure().map(|failure| failure.stage), Some(FailureStage::Validate));
    let way = evaluation.way_out.unwrap();
    assert!(way.facts.iter().any(|fact| fact.starts_with("dial_timeout_ms = 45000 (")), "{:?}", way.facts);
    assert!(way.facts.contains(&"reconnect_timeout_ms = 3000 (default)".to_owned()), "{:?}", way.facts);
    assert!(way.fix.unwrap().to_string().starts_with("set reconnect_timeout_ms = 45000 in [agent.kata]"));
    assert_eq!(way.gain.as_deref(), Some("the pod then starts"));
}

#[test]
fn no_gate_is_opened_in_vain() {
    let misspelt = [("io.katacontainers.config.hypervisor.defualt_memory", "8192")];
    let wrong = [("io.katacontainers.config.hypervisor.default_vcpus", "abc")];
    for (annotations, told) in [(misspelt, "default_memory"), (wrong, "write a number")] {
        let (evaluator, pod) = by_hand(Runtime::Go, QEMU, &annotations);
        let evaluation = evaluator.evaluate_and_advise(&pod, Depth::Verdicts);
        assert_ne!(evaluation.outcome, Outcome::Starts);
        let judged = evaluation.verdicts.iter().find(|v| v.key == annotations[0].0).unwrap();
        let fix = judged.fix.as_deref().unwrap().to_string();
        assert!(fix.contains(told) && !fix.contains("enable_annotations"), "{fix}");
    }
}

#[test]
fn a_missing_file_is_no_matter_of_how_its_line_is_written() {
    let text = format!("{QEMU}{QEMU_NAMES}").replace("qemu-system-x86_64", "nowhere");
    let (evaluator, pod) = by_hand(Runtime::Rs, &text, &[]);
    let evaluation = evaluator.evaluate_and_advise(&pod, Depth::Verdicts);
    assert!(evaluation.outcome.failure().unwrap().message.contains("nowhere"), "{:?}", evaluation.outcome);
    let way = evaluation.way_out.unwrap();
    assert!(way.misses_file, "{way:?}");
    assert!(way.fix.is_none(), "{way:?}");
}
