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

use crate::recorded::Recording;
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

/// Every sixth case: each change that may help is tried.
fn holds(release: Release) {
    let recording = Recording::of(release);
    let (mut refused, mut placed, mut tried) = (0, 0, 0);
    let mut odd: BTreeMap<String, usize> = BTreeMap::new();
    for case in recording.cases.iter().step_by(6) {
        let evaluator = recording.evaluator(case);
        let evaluation = evaluator.evaluate(&recording.pod(case), Depth::Verdicts);
        let Some(failure) = evaluation.outcome.failure() else {
            assert_eq!(evaluation.way_out, None);
            continue;
        };
        refused += 1;
        let Some(way) = &evaluation.way_out else { panic!("{release:?} {}: no way out", case.config) };
        assert!(way.fix.is_some() || !way.advice.is_empty(), "{}: {}", case.config, failure.message);
        assert_eq!(way.fix.is_some(), way.gain.is_some(), "{}: a change that was not tried", case.config);
        if way.place.as_ref().is_some_and(|place| place.line > 0) {
            placed += 1;
        } else if !NO_PLACE.iter().any(|words| failure.message.contains(words)) {
            *odd.entry(failure.message.clone()).or_default() += 1;
        }
        tried += usize::from(way.fix.is_some());
    }
    assert!(refused > 0, "{release:?}");
    assert!(placed * 100 >= refused * 90, "{release:?}: {placed} of {refused} have a place: {odd:#?}");
    assert!(tried * 100 >= refused * 75, "{release:?}: a change was tried for {tried} of {refused}");
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
    holds(Release::newest(Runtime::Go));
}

#[test]
fn of_runtime_rs() {
    holds(Release::newest(Runtime::Rs));
}

#[test]
fn the_colliding_values_are_told_with_their_numbers_and_the_change_helps() {
    let text =
        format!("{QEMU}{QEMU_NAMES}").replace("[agent.kata]\n", "[agent.kata]\ndial_timeout_ms = 45000\n");
    let (evaluator, pod) = by_hand(Runtime::Rs, &text, &[]);
    let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
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
        let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
        assert_ne!(evaluation.outcome, Outcome::Starts);
        let judged = evaluation.verdicts.iter().find(|v| v.key == annotations[0].0).unwrap();
        let fix = judged.fix.as_deref().unwrap().to_string();
        assert!(fix.contains(told) && !fix.contains("enable_annotations"), "{fix}");
    }
}
