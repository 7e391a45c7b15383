//! The fuzzer's targets (`fuzz/`), here with a few hundred inputs that proptest makes up and the pieces
//! that the fuzzer starts from: they still compile, and still hold.

use proptest::collection::vec;
use proptest::prelude::*;

#[path = "../fuzz/targets/annotations.rs"]
mod annotations;
#[path = "../fuzz/targets/collections.rs"]
mod collections;
#[path = "../fuzz/targets/configuration.rs"]
mod configuration;
#[path = "../fuzz/targets/containerd.rs"]
mod containerd;
#[path = "../fuzz/targets/edits.rs"]
mod edits;
#[path = "../fuzz/targets/helm.rs"]
mod helm;
#[path = "../fuzz/targets/journal.rs"]
mod journal;
#[path = "../fuzz/targets/keys.rs"]
mod keys;
#[path = "../fuzz/targets/manifest.rs"]
mod manifest;
#[path = "../fuzz/targets/patterns.rs"]
mod patterns;
#[path = "../fuzz/targets/processes.rs"]
mod processes;
#[path = "../fuzz/targets/streams.rs"]
mod streams;
#[path = "../fuzz/targets/words.rs"]
mod words;

const CONFIGURATION: &str = include_str!("../assets/sample/configuration.toml");
const CONTAINERD: &str = include_str!("../assets/sample/containerd.toml");
const PODS: &str = include_str!("../assets/sample/pods.yaml");
/// Lines of a process list, of a journal and of the chart's values.
const PROCESSES: &str = "\
PID TTY CMD
4711 ? /opt/kata/bin/qemu-system-x86_64 -name sandbox-0a1b,debug-threads=on -machine q35,accel=kvm -m 2048M,slots=10
4712 ? /opt/kata/libexec/virtiofsd --syslog --cache=auto --shared-dir=/run/kata-containers/shared --fd=3
4713 ? /opt/kata/bin/containerd-shim-kata-v2 -namespace k8s.io -id 0a1b
4714 ? /opt/kata/bin/cloud-hypervisor --api-socket /run/vc/vm/0a1b/clh-api.sock
4715 ? /firecracker --id 0a1b --config-file /fcConfig.json
";
const JOURNAL: &str = "\
time=\"2026-01-01T00:00:00Z\" level=error msg=\"failed to create shim task: annotation /tmp/qemu is not in the list\"
{\"MESSAGE\": \"failed to create containerd task: failed to create shim task: QMP command failed\", \"PRIORITY\": \"3\"}
    \"count\": 3,
    \"message\": \"Failed to create pod sandbox: rpc error: code = Unknown desc = Unimplemented\",
";
const VALUES: &str = "\
shims:
  disableAll: false
  qemu:
    enabled: true
    allowedHypervisorAnnotations: [default_vcpus]
    dropIn: |
      [hypervisor.qemu]
      default_vcpus = 2
  clh:
    enabled: false
k8sDistribution: k8s
";

/// A text with some of its lines dropped, doubled, swapped with others, cut, or with a piece put in.
fn mangled(text: &'static str) -> impl Strategy<Value = String> {
    let lines: Vec<&str> = text.lines().collect();
    let count = lines.len();
    let piece = prop_oneof![
        "[\\[\\]{}\"'#=:,.|&*!\\\\ \t\r\u{7f}-]{1,6}",
        "\\PC{1,8}",
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    vec((0..count, 0u8..5, 0..count, 0usize..60, piece), 1..8).prop_map(move |changes| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for (at, what, other, column, piece) in changes {
            match what {
                0 => lines[at].clear(),
                1 => lines[at] = lines[other].clone(),
                2 => lines.swap(at, other),
                3 => lines[at] = lines[at].chars().take(column).collect(),
                _ => {
                    let (head, tail) = lines[at].split_at(lines[at].floor_char_boundary(column));
                    lines[at] = format!("{head}{piece}{tail}");
                }
            }
        }
        lines.join("\n")
    })
}

/// A value such as annotations and patterns hold.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9/*?\\[\\]{}^$|.,:;= _-]{0,24}",
        "\\PC{0,12}",
        any::<i64>().prop_map(|number| number.to_string()),
        Just("true".to_owned()),
        Just("/opt/kata/bin/qemu-system-x86_64".to_owned()),
        Just("\u{1b}[31m\u{202e}\u{7f}\u{9b}".to_owned()),
    ]
}

/// What the fuzzer came upon.
#[test]
fn found_before() {
    for pattern in ["**/*", "./**/*", "a/../*/*"] {
        patterns::run((pattern, "/l"));
    }
    // The end of a document with something behind it is no key.
    manifest::run(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  runtimeClassName: kata\n...  x: y\n",
    );
    // A list over several lines is what it is on one, in the releases of either runtime.
    let lists = r#"
        [hypervisor.qemu]
        path = "/opt/kata/bin/qemu-system-x86_64"
        kernel = "/opt/kata/share/kata-containers/vmlinux.container"
        image = "/opt/kata/share/kata-containers/kata-containers.img"
        shared_fs = "none"
        enable_annotations = ["path", "default_vcpus", "kernel_params"]
        valid_hypervisor_paths = ["/opt/kata/bin/*"]
    "#;
    (0..80).for_each(|choice| configuration::run((choice, lists)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_manifest(text in mangled(PODS)) {
        manifest::run(&text);
    }

    #[test]
    fn any_configuration(choice in any::<u8>(), text in mangled(CONFIGURATION)) {
        configuration::run((choice, &text));
    }

    #[test]
    fn any_containerd(text in mangled(CONTAINERD)) {
        containerd::run(&text);
    }

    #[test]
    fn any_collection(
        choice in 0u8..3,
        bytes in vec(any::<u8>(), 0..600),
        entries in vec((value(), mangled(CONTAINERD)), 0..4),
    ) {
        let entries = entries.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        collections::run((choice, &bytes, entries));
    }

    #[test]
    fn any_processes(text in mangled(PROCESSES)) {
        processes::run(&text);
    }

    #[test]
    fn any_journal(text in mangled(JOURNAL)) {
        journal::run(&text);
    }

    #[test]
    fn any_values(shim in 0u8..5, text in mangled(VALUES)) {
        helm::run((shim, &text));
    }

    #[test]
    fn any_stream(text in mangled(PODS)) {
        streams::run(&text);
    }

    #[test]
    fn any_edits(text in mangled(CONFIGURATION), steps in vec((any::<u8>(), 0u8..8, value()), 0..8)) {
        let steps = steps.iter().map(|(what, at, pattern)| (*what, *at, pattern.as_str())).collect();
        edits::run((&text, steps));
    }

    #[test]
    fn any_pattern(pattern in value(), value in value()) {
        patterns::run((&pattern, &value));
    }

    #[test]
    fn any_words(choice in 0u8..5, text in value()) {
        words::run((choice, &text));
    }

    #[test]
    fn any_keys(size in any::<[u8; 2]>(), steps in vec(any::<u8>(), 0..48), text in value()) {
        keys::run((size[0], size[1], &steps, &text));
    }

    #[test]
    fn any_annotations(
        host in 0u8..16,
        size in proptest::option::of((any::<i64>(), any::<u64>(), any::<i64>())),
        name in value(),
        set in vec((any::<u8>(), value()), 0..6),
    ) {
        let set = set.iter().map(|(key, value)| (*key, value.as_str())).collect();
        annotations::run((host, size, &name, set));
    }
}
