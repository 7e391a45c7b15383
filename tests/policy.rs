//! `katascope policy` as a user runs it, and the proof that a suggested policy is the tightest.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use assert_cmd::Command;
use katascope::answer::verdict::Status;
use katascope::cri::Engine;
use katascope::evaluate::{Evaluator, Outcome, Setup};
use katascope::input::Source;
use katascope::input::config::Layers;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest::{self, Pod};
use katascope::release::{Release, Runtime};
use katascope::runtime::Depth;
use katascope::suggest::{Suggestion, suggest, unused};

const CONFIG: &str = "\
# a host
[hypervisor.qemu]
path = \"/usr/bin/qemu\"
kernel = \"/usr/share/vmlinuz\"
image = \"/usr/share/kata.img\"
enable_annotations = [
  \"enable_iommu\", # asked for by team a
  \"kernel_params\"
]
valid_hypervisor_paths = [\"/usr/bin/qemu*\"]
virtio_fs_daemon = \"/usr/bin/virtiofsd\"

[agent.kata]

[runtime]
";

fn policy(folder: &Path, words: &[&str]) -> std::process::Output {
    Command::cargo_bin("katascope").unwrap().arg("policy").args(words).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn deny_undoes_allow_to_the_last_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let read = || fs::read_to_string(&file).unwrap();
    for (list, pattern) in [
        ("enable_annotations", "^default_memory$"),
        ("valid_hypervisor_paths", "/opt/kata/bin/qemu"),
        ("valid_jailer_paths", "/usr/bin/jailer"),
        ("hypervisor.clh.enable_annotations", "kernel"),
    ] {
        fs::write(&file, CONFIG).unwrap();
        let edit = |verb: &str| policy(folder.path(), &[verb, "-c", "c.toml", "--list", list, pattern]);
        let allowed = edit("allow");
        assert_eq!(allowed.status.code(), Some(0), "{}", text(&allowed.stderr));
        let changed = read();
        assert_ne!(changed, CONFIG);
        let diff = text(&allowed.stderr);
        assert!(diff.starts_with("--- a/") && diff.contains(pattern), "{diff}");
        // A second time there is nothing to do.
        let again = edit("allow");
        assert_eq!((again.status.code(), text(&again.stderr).as_str()), (Some(0), ""));
        assert!(text(&again.stdout).contains("already"));
        assert_eq!(read(), changed);
        assert_eq!(edit("deny").status.code(), Some(0));
        assert_eq!(read(), CONFIG, "{list}");
        assert!(text(&edit("deny").stdout).contains("is not in"));
        assert_eq!(read(), CONFIG);
    }
}

#[test]
fn what_would_be_added_in_vain_is_added_by_force_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    for (pattern, why) in [("(", "--force"), ("machinetype", "machine_type"), ("/usr/bin/virtiofsd", "path")]
    {
        fs::write(&file, CONFIG).unwrap();
        let refused = policy(folder.path(), &["allow", "-c", "c.toml", "--runtime", "rs", pattern]);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{pattern}: {said}");
        assert!(said.contains(why) && said.contains("--force"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), CONFIG);
        let forced = policy(folder.path(), &["allow", "-c", "c.toml", "--runtime", "rs", "--force", pattern]);
        assert_eq!(forced.status.code(), Some(0), "{}", text(&forced.stderr));
        assert!(fs::read_to_string(&file).unwrap().contains(pattern));
    }
}

#[test]
fn a_dry_run_and_another_output_leave_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    fs::write(&file, CONFIG).unwrap();
    let dry = policy(folder.path(), &["allow", "-c", "c.toml", "--dry-run", "^path$"]);
    assert_eq!(dry.status.code(), Some(1));
    assert!(text(&dry.stdout).contains("+  \"^path$\""), "{}", text(&dry.stdout));
    let nothing = policy(folder.path(), &["allow", "-c", "c.toml", "--dry-run", "kernel_params"]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(0), 0));
    let out = policy(folder.path(), &["allow", "-c", "c.toml", "-o", "-", "^path$"]);
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(
        text(&out.stdout),
        CONFIG.replace("\"kernel_params\"\n", "\"kernel_params\",\n  \"^path$\"\n")
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), CONFIG);
    let drop_in = policy(folder.path(), &["allow", "-c", "c.toml", "--drop-in", "^path$"]);
    assert_eq!(drop_in.status.code(), Some(0), "{}", text(&drop_in.stderr));
    assert_eq!(fs::read_to_string(&file).unwrap(), CONFIG);
    let added = fs::read_to_string(folder.path().join("config.d/90-katascope.toml")).unwrap();
    assert!(
        added.contains("enable_annotations = [\"enable_iommu\", \"kernel_params\", \"^path$\"]"),
        "{added}"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    fs::write(folder.path().join("bad.toml"), "a = \n").unwrap();
    fs::write(folder.path().join("empty.toml"), "").unwrap();
    for (words, message) in [
        (&["allow", "-c", "c.toml", "--list", "valid_things", "x"][..], "has no list 'valid_things'"),
        (&["allow", "-c", "c.toml", "io.katacontainers.config.hypervisor.path"], "write '^path$'"),
        (&["allow", "-c", "bad.toml", "x"], "bad.toml:1:"),
        (&["allow", "-c", "none.toml", "x"], "none.toml: no such file or directory"),
        (&["allow", "-c", "empty.toml", "x"], "no [hypervisor.*] table"),
        (&["allow", "-c", "c.toml", "--kata-version", "2.1", "--drop-in", "x"], "reads no drop-ins"),
    ] {
        let output = policy(folder.path(), words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains(message), "{words:?}: {}", text(&output.stderr));
    }
    assert_eq!(fs::read_to_string(folder.path().join("c.toml")).unwrap(), CONFIG);
}

#[test]
fn letter_case_does_not_hide_a_list_from_go() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG.replace("enable_annotations", "Enable_Annotations"))
        .unwrap();
    let opened = |runtime: &str| {
        let words = ["audit", "-c", "c.toml", "--runtime", runtime, "--hypervisor", "qemu", "-o", "json"];
        let output = policy(folder.path(), &words);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["open"].as_array().unwrap().iter().filter(|o| !o["entry"].is_null()).count()
    };
    assert_eq!((opened("go"), opened("rs")), (3, 0));
    let refused = policy(folder.path(), &["allow", "-c", "c.toml", "--runtime", "go", "x"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("c.toml:6:1: Go runtime 4.1.0 takes Enable_Annotations"));
    let allowed = policy(folder.path(), &["allow", "-c", "c.toml", "--runtime", "rs", "--dry-run", "x"]);
    assert!(text(&allowed.stdout).contains("+enable_annotations = [\"x\"]"));
}

#[test]
fn an_audit_tells_what_is_open() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG.replace("\"kernel_params\"", "\"path\"")).unwrap();
    fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
    fs::write(folder.path().join("usr/bin/qemu-x"), "").unwrap();
    let root = folder.path().to_string_lossy().into_owned();
    let output = policy(folder.path(), &["audit", "-c", "c.toml", "--root", &root, "-o", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["worst"], "host-exec");
    let open = report["open"].as_array().unwrap();
    let path = open.iter().find(|o| o["key"] == "io.katacontainers.config.hypervisor.path").unwrap();
    assert_eq!(path["files"], serde_json::json!(["/usr/bin/qemu-x"]));
    assert_eq!(path["entry"]["pattern"], "path");
    assert!(open.iter().any(|o| o["entry"].is_null()), "ungated annotations are told too");
    assert_eq!(report["entries"][0]["pattern"], "path", "the widest comes first");
    let people = policy(folder.path(), &["audit", "-c", "c.toml", "--root", &root]);
    assert!(text(&people.stdout).contains("not anchored: also matches"));
}

fn evaluator(release: Release) -> Evaluator {
    let files = ["/usr/bin/qemu", "/usr/bin/qemu-two", "/usr/share/vmlinuz", "/usr/bin/virtiofsd"]
        .iter()
        .fold(MemoryFiles::new(), |files, path| files.file(path, 0o755, "x"))
        .file("/usr/share/kata.img", 0o644, "x");
    let host = Host::new(HostFacts::default(), Arc::new(files));
    Evaluator::new(Setup {
        host,
        layers: Layers::of_text("/etc/c.toml", CONFIG),
        release,
        known_by: katascope::release::KnownBy::Said,
        release_note: None,
        hypervisor: None,
        sandbox_id: None,
        engine: Engine::Assumed,
    })
}

fn pods(annotations: &[&[(&str, &str)]]) -> Vec<Pod> {
    let pod = |(i, annotations): (usize, &&[(&str, &str)])| {
        let annotations: String = annotations
            .iter()
            .map(|(key, value)| format!("    io.katacontainers.config.{key}: {value:?}\n"))
            .collect();
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p{i}\n  annotations:\n{annotations}spec:\n  containers:\n  - {{name: c, image: i}}\n---\n"
        )
    };
    let text: String = annotations.iter().enumerate().map(pod).collect();
    manifest::read(&Source::new("pods.yaml", text)).unwrap().pods
}

fn entries(suggestion: &Suggestion, list: &str) -> Vec<String> {
    suggestion.lists.iter().find(|(id, _)| id.list == list).unwrap().1.clone()
}

fn fates(evaluator: &Evaluator, pods: &[Pod]) -> Vec<(bool, Vec<Status>)> {
    let fate = |pod| {
        let evaluation = evaluator.evaluate(pod, Depth::Verdicts);
        (evaluation.outcome == Outcome::Starts, evaluation.verdicts.iter().map(|v| v.status).collect())
    };
    pods.iter().map(fate).collect()
}

#[test]
fn the_tightest_policy_cannot_be_tighter() {
    let evaluator = evaluator(Release::newest(Runtime::Go));
    evaluator.loaded().unwrap();
    let pods = pods(&[
        &[("hypervisor.default_memory", "4096"), ("runtime.disable_new_netns", "false")],
        &[("hypervisor.path", "/usr/bin/qemu-two"), ("hypervisor.default_memory", "2048")],
        &[("hypervisor.default_memory", "12")],
        &[("hypervisor.no_such_thing", "x")],
        // Twins fare alike, and each is told of.
        &[("hypervisor.default_memory", "12")],
        &[("hypervisor.no_such_thing", "x")],
    ]);
    let suggestion = suggest(&evaluator, "qemu", &pods).unwrap();
    assert_eq!(
        entries(&suggestion, "enable_annotations"),
        ["^default_memory$", "^path$", "^no_such_thing$"],
        "Go refuses pods with unknown names that are not enabled"
    );
    assert_eq!(entries(&suggestion, "valid_hypervisor_paths"), ["/usr/bin/qemu-two"]);
    assert_eq!(suggestion.impossible.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [2, 4]);
    let idle: Vec<usize> = suggestion.without_effect.iter().map(|(i, _)| *i).collect();
    assert_eq!(idle, [3, 5]);

    let able: Vec<Pod> = [0, 1, 3].map(|i| pods[i].clone()).to_vec();
    let wanted = fates(&evaluator.with_layers(suggestion.layers(&evaluator).unwrap()), &able);
    assert!(wanted.iter().all(|(starts, _)| *starts));
    for list in 0..suggestion.lists.len() {
        for at in 0..suggestion.lists[list].1.len() {
            let mut fewer = suggestion.clone();
            let entry = fewer.lists[list].1.remove(at);
            let without = evaluator.with_layers(fewer.layers(&evaluator).unwrap());
            assert_ne!(fates(&without, &able), wanted, "{entry} can go");
        }
    }
}

#[test]
fn what_no_pod_needs_is_told() {
    let evaluator = evaluator(Release::newest(Runtime::Go));
    let pods = pods(&[&[("hypervisor.kernel_params", "quiet")]]);
    let unused: Vec<String> = unused(&evaluator, "qemu", &pods)
        .unwrap()
        .iter()
        .map(|(id, at)| format!("{} {at}", id.list))
        .collect();
    assert_eq!(unused, ["valid_hypervisor_paths 0", "enable_annotations 0"]);
}
