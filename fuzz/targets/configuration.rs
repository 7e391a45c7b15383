//! Any text as a configuration file, under each release, with a pod that sets a few annotations. The first byte
//! chooses the release, and whether its policy is exported and mended, too, or held against another release. The
//! newest releases read the same text elsewhere, too: a line further down, and as a drop-in. Each reads it with its
//! lists over several lines.

use std::sync::LazyLock;

use katascope::evaluate::node::NodeEvaluator;
use katascope::evaluate::{Evaluation, Evaluator, Outcome, Setup};
use katascope::export::{self, Action, Admission, Mode, Refused, Subject, Target, Wanted};
use katascope::input::config::Layers;
use katascope::input::manifest::{self, Pod};
use katascope::input::source::Source;
use katascope::release::{Judged, Release, Runtime};
use katascope::report::escape::is_hostile;
use katascope::report::text::Paint;
use katascope::report::upgrade as report;
use katascope::runtime::Depth;
use katascope::sample;
use katascope::suggest::suggest;
use katascope::upgrade::upgrade;

static POD: LazyLock<Option<Pod>> = LazyLock::new(|| {
    let text = r#"{"ociVersion": "1.1.0", "annotations": {
        "io.kubernetes.cri.container-type": "sandbox",
        "io.kubernetes.cri.sandbox-memory": "1073741824",
        "io.katacontainers.config.hypervisor.default_vcpus": "2",
        "io.katacontainers.config.hypervisor.path": "/opt/kata/bin/qemu-system-x86_64",
        "io.katacontainers.config.hypervisor.kernel_params": "a=b c",
        "io.katacontainers.config.agent.kernel_modules": "x; y"}}"#;
    manifest::read(&Source::new("pod.json", text)).ok()?.pods.into_iter().next()
});

/// The measured ones first, which are the seeds'.
static RELEASES: LazyLock<Vec<Release>> = LazyLock::new(|| {
    let each = [Runtime::Go, Runtime::Rs];
    let all = each.into_iter().flat_map(|runtime| runtime.versions().map(move |v| Release::new(runtime, v)));
    Release::STOPS.into_iter().chain(all).collect()
});

const CONFIGURATION: &str = "/etc/kata-containers/configuration.toml";

/// What the fuzzer makes up.
pub type Input<'a> = (u8, &'a str);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (choice, text) = input;
    let choice = usize::from(choice);
    let Some(release) = RELEASES.get(choice % RELEASES.len()) else { return };
    let setup = Setup {
        layers: Layers::of_text(CONFIGURATION, text),
        release: *release,
        ..sample::evaluator().setup().clone()
    };
    let evaluator = Evaluator::new(setup);
    let Some(pod) = POD.as_ref() else { return };
    let quick = evaluator.evaluate(pod, Depth::Verdicts);
    let full = evaluator.evaluate(pod, Depth::Full);
    assert_eq!(quick.outcome, full.outcome, "the outcome does not depend on how much is asked");
    match choice / RELEASES.len() {
        0 => {
            if *release == Release::newest(release.runtime) {
                elsewhere(&evaluator, pod, &full, text);
            }
            over_lines(&evaluator, pod, &full, text);
        }
        1 => shared(&evaluator, pod),
        _ => moved(evaluator, pod),
    }
}

/// The same text behind a comment, and in a drop-in beside a file that says nothing.
fn elsewhere(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, text: &str) {
    if evaluation.outcome != Outcome::Starts || text.starts_with('\u{feff}') {
        return;
    }
    let layers = |base: &str| Layers::of_text(CONFIGURATION, base);
    let lower = layers(&format!("# x\n{text}"));
    let drop_in = layers("").with_text("/etc/kata-containers/config.d/a.toml", text);
    for (layers, is_drop_in) in [(lower, false), (drop_in, true)] {
        let again = evaluator.with_layers(layers).evaluate(pod, Depth::Full);
        // Go passes over a key that it does not know in the file, and refuses it in a drop-in.
        if is_drop_in && again.outcome != Outcome::Starts {
            continue;
        }
        assert_eq!(again.outcome, evaluation.outcome);
        assert_eq!(told(&again), told(evaluation));
    }
}

/// The same text with each item of a list on a line of its own.
fn over_lines(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation, text: &str) {
    let read = text.parse::<toml_edit::DocumentMut>();
    let (Outcome::Starts, Ok(mut document)) = (&evaluation.outcome, read) else { return };
    break_lists(document.as_table_mut());
    let broken = document.to_string();
    if broken == text || text.contains('\r') {
        return;
    }
    let again = evaluator.with_layers(Layers::of_text(CONFIGURATION, &broken)).evaluate(pod, Depth::Full);
    assert_eq!(again.outcome, evaluation.outcome, "{broken}");
    assert_eq!(told(&again), told(evaluation), "{broken}");
}

fn break_lists(table: &mut toml_edit::Table) {
    for (_, item) in table.iter_mut() {
        match item {
            toml_edit::Item::Table(inner) => break_lists(inner),
            toml_edit::Item::ArrayOfTables(tables) => tables.iter_mut().for_each(break_lists),
            toml_edit::Item::Value(toml_edit::Value::Array(items)) => {
                items.iter_mut().for_each(|item| item.decor_mut().set_prefix("\n    "));
                items.set_trailing("\n");
            }
            _ => {}
        }
    }
}

/// What an evaluation tells, without the places.
fn told(evaluation: &Evaluation) -> Vec<String> {
    let verdicts = evaluation.verdicts.iter().map(|verdict| format!("{} {:?}", verdict.key, verdict.status));
    let effective = evaluation.effective.iter().flat_map(|effective| effective.iter());
    let values = effective.map(|(key, value)| format!("{key} = {}", value.value));
    let launch = evaluation.launch.iter().flat_map(|launch| &launch.args).map(|arg| arg.text.to_string());
    let agent =
        evaluation.agent.iter().map(|agent| format!("{} {}", agent.kernel_cmdline, agent.create_sandbox));
    verdicts.chain(values).chain(launch).chain(agent).collect()
}

/// A policy that lets the pod start, and rules for a cluster.
fn shared(evaluator: &Evaluator, pod: &Pod) {
    let Some(hypervisor) = evaluator.hypervisor() else { return };
    if let Ok(suggestion) = suggest(evaluator, hypervisor, std::slice::from_ref(pod))
        && suggestion.impossible.is_empty()
        && let Ok(layers) = suggestion.layers(evaluator)
    {
        let outcome = evaluator.with_layers(layers).evaluate(pod, Depth::Full).outcome;
        assert_eq!(outcome.failure(), None, "the policy that is proposed lets the pod start");
    }
    let subject = Subject { handler: Some("kata".to_owned()), default: false, evaluator };
    let wanted = Wanted {
        pods: true,
        templates: true,
        action: Action::default(),
        exempt: Vec::new(),
        classes: Vec::new(),
        early_containerd: false,
    };
    let mut names = Vec::new();
    for mode in [Mode::AsHost, Mode::NothingLost, Mode::Closed] {
        let rules = [export::rules(&subject, hypervisor, mode)];
        let [of_handler] = &rules;
        names.push(matches!(Admission::by(of_handler).refuses(pod), Some(Refused::Names(_))));
        for target in [
            Target::Vap,
            Target::Kyverno,
            Target::Gatekeeper,
            Target::Containerd,
            Target::Helm,
            Target::MachineConfig,
        ] {
            let Ok(exported) = export::export(target, &rules, &wanted) else { continue };
            assert_eq!(
                export::export(target, &rules, &wanted).as_ref(),
                Ok(&exported),
                "the same rules, the same file"
            );
            let digests = export::recorded(&exported.text).into_iter().map(|recorded| recorded.policy_digest);
            assert_eq!(
                digests.collect::<Vec<_>>(),
                [of_handler.digest()],
                "a file says what it was made from"
            );
            shown("export", exported.text.as_bytes());
            let read: Result<Vec<serde_json::Value>, _> = serde_yaml::Deserializer::from_str(&exported.text)
                .map(serde::Deserialize::deserialize)
                .collect();
            assert!(target == Target::Containerd || read.is_ok(), "what is exported is YAML: {read:?}");
        }
    }
    assert!(names.is_sorted(), "a stricter mode lets no more in: {names:?}");
}

/// What the newest release would change.
fn moved(evaluator: Evaluator, pod: &Pod) {
    let node = NodeEvaluator::alone(evaluator);
    let to = |runtime| Ok(Judged::assumed(runtime));
    let told = || {
        let upgrade = upgrade(&node, &to, std::slice::from_ref(pod));
        let mut out = Vec::new();
        let _ = report::text(&mut out, &upgrade, Paint { color: false });
        (out, report::json(&upgrade).to_string())
    };
    let (text, json) = told();
    shown("upgrade", &text);
    assert_eq!(told(), (text, json), "the same question has the same answer");
}

fn shown(what: &str, out: &[u8]) {
    let text = String::from_utf8_lossy(out);
    let hostile = text.chars().find(|c| *c != '\n' && is_hostile(*c));
    assert_eq!(hostile, None, "{what} shows it raw: {text:?}");
}
