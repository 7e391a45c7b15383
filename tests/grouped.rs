//! A report of a cluster: what pods have in common is told once, and fits two screens.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const CONFIG: &str = "[hypervisor.qemu]\npath = \"/opt/kata/bin/qemu-system-x86_64\"\nkernel = \"/opt/kata/vmlinux\"\n\
    image = \"/opt/kata/kata.img\"\nenable_annotations = [\"default_.*\"]\nshared_fs = \"virtio-9p\"\n[agent.kata]\n[runtime]\n";

/// So many pods: a third is refused by name, and some ask for a size that cannot be.
fn pods(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let annotation = match i % 3 {
            0 => "io.katacontainers.config.hypervisor.kernel_params: quiet".to_owned(),
            1 => format!("io.katacontainers.config.hypervisor.default_memory: \"{}\"", i % 7),
            _ => "io.katacontainers.config.hypervisor.default_vcpus: \"2\"".to_owned(),
        };
        let _ = write!(
            text,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p{i}\n  namespace: team-{}\n  annotations:\n    {annotation}\n\
             spec: {{runtimeClassName: kata, containers: [{{name: c, image: x}}]}}\n---\n",
            i % 9
        );
    }
    text
}

fn check(folder: &Path, args: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(["check", "-c", "configuration.toml", "--files", "assume", "pods.yaml"])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

fn folder(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("configuration.toml"), CONFIG).unwrap();
    std::fs::write(dir.path().join("pods.yaml"), pods(count)).unwrap();
    dir
}

#[test]
fn many_pods_are_told_by_what_they_have_in_common() {
    let dir = folder(600);
    let (out, err, status) = check(dir.path(), &[]);
    assert_eq!(status, 1, "{err}");
    assert!(out.lines().count() <= 80, "{out}");
    assert!(out.contains("configuration.toml · Go runtime 4.1.0 · qemu (assumed: nothing tells)"), "{out}");
    let at = out.lines().position(|line| line.starts_with("refused  200 pods")).expect(&out);
    let lines: Vec<&str> = out.lines().skip(at).take(4).collect();
    assert!(lines[0].contains("hypervisor.kernel_params"), "{out}");
    assert!(lines[1].contains("no pattern in enable_annotations of [hypervisor.qemu] matches"), "{out}");
    assert!(lines[2].contains("enable_annotations") && lines[2].contains("(cluster administrator)"), "{out}");
    assert!(lines[3].trim().starts_with("team-0/p0, team-3/p3, team-6/p6 and 197 more"), "{out}");
    assert!(out.contains("600 pods: "), "{out}");
    let (all, _, _) = check(dir.path(), &["--all"]);
    assert_eq!(all.lines().filter(|line| line.contains("Pod  ") && line.contains("pods.yaml:")).count(), 600);
}

#[test]
fn few_pods_are_told_one_by_one() {
    let (out, _, _) = check(folder(6).path(), &[]);
    assert_eq!(
        out.lines().filter(|line| line.contains("Pod  ") && line.contains("pods.yaml:")).count(),
        6,
        "{out}"
    );
}

#[test]
fn a_workflow_reads_findings_at_their_place() {
    let (out, _, status) = check(folder(30).path(), &["-o", "github"]);
    assert_eq!(status, 1);
    let errors: Vec<&str> =
        out.lines().filter(|line| line.starts_with("::error file=pods.yaml,line=")).collect();
    assert!(errors.len() >= 10 && errors.iter().all(|line| line.contains(",title=")), "{out}");
    assert!(out.lines().all(|line| line.starts_with("::")), "{out}");
    assert!(errors[0].contains("%0A≈ if what is assumed of the host holds"), "{out}");
}

#[test]
fn what_is_assumed_is_told_to_machines() {
    let dir = folder(3);
    let (sarif, _, _) = check(dir.path(), &["-o", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let assumed = &sarif["runs"][0]["results"][0]["properties"]["assumed"];
    assert!(assumed.as_array().unwrap().iter().any(|what| what == "/opt/kata/vmlinux is there"), "{assumed}");
    let (junit, _, _) = check(dir.path(), &["-o", "junit"]);
    assert!(junit.contains("≈ assumed: /opt/kata/vmlinux is there"), "{junit}");
}

#[test]
fn a_filter_speaks_the_language_of_the_screens() {
    let dir = folder(60);
    let of = |query: &str| {
        let (out, err, status) = check(dir.path(), &["--filter", query, "-o", "json"]);
        let report: Value =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{query}: {error}\n{err}"));
        (report["pods"].as_array().unwrap().len(), status)
    };
    assert_eq!(of("ns:team-1 !outcome:starts"), (7, 1));
    assert_eq!(of("default_vcpus"), (20, 0));
    assert_eq!(of("default_memory:3"), (3, 1));
    assert_eq!(of("!default_vcpus !default_memory"), (20, 1));
    assert_eq!(of("\"not enabled\" ns=team-0"), (7, 1));
    let (_, err, status) = check(dir.path(), &["--filter", "ns:nosuch"]);
    assert_eq!(status, 2);
    assert!(err.contains("no pod fits 'ns:nosuch'"), "{err}");
    let (_, err, _) = check(dir.path(), &["--filter", "!namspace:team-1"]);
    assert!(err.contains("'namspace' is no column"), "{err}");
}

#[test]
fn accepted_findings_are_told_of_no_more() {
    let dir = folder(40);
    let (_, err, status) = check(dir.path(), &["--write-baseline", "accepted.json"]);
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("findings accepted in accepted.json"), "{err}");
    let (out, err, status) = check(dir.path(), &["--baseline", "accepted.json"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.contains("accepted by accepted.json and not told of") && !out.contains("stale"), "{out}");
    assert!(!out.contains("refused  "), "{out}");
    // In every format only what is new is told, and counts.
    for format in ["json", "sarif", "junit", "github"] {
        let (out, err, status) = check(dir.path(), &["--baseline", "accepted.json", "-o", format]);
        assert_eq!(status, 0, "{format}: {err}");
        assert!(!out.contains("<failure") && !out.contains("::error"), "{out}");
    }
    // A new pod's are news; what is gone is stale.
    let more = pods(43).replace("name: p0\n", "name: gone\n");
    std::fs::write(dir.path().join("pods.yaml"), more).unwrap();
    let (out, _, status) = check(dir.path(), &["--baseline", "accepted.json"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("team-0/gone"), "{out}");
    assert!(out.contains("stale in accepted.json:") && out.contains("team-0/p0 Pod"), "{out}");
    // Of a part of the pods nothing is stale.
    let (out, _, _) = check(dir.path(), &["--baseline", "accepted.json", "--filter", "gone"]);
    assert!(!out.contains("stale"), "{out}");
    // A file that is none is an error.
    let (_, err, status) = check(dir.path(), &["--baseline", "pods.yaml"]);
    assert_eq!(status, 2);
    assert!(err.contains("pods.yaml: no baseline"), "{err}");
}

#[test]
fn a_refused_pod_has_a_launch_as_if() {
    let dir = folder(3);
    let show = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
            .arg("show")
            .args(args)
            .args(["-c", "configuration.toml", "--files", "assume", "--pod", "team-0/p0", "pods.yaml"])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
    };
    let (out, err, status) = show(&["launch"]);
    assert_eq!((out.as_str(), status), ("", 1));
    assert!(err.contains("--as-if allowed"), "{err}");
    let (out, err, status) = show(&["launch", "--as-if", "allowed"]);
    assert_eq!(status, 1);
    assert!(out.starts_with("# as if allowed (enable_annotations with \"^kernel_params$\")\n"), "{out}{err}");
    assert!(out.contains("/opt/kata/bin/qemu-system-x86_64") && out.contains("quiet"), "{out}");
    let (out, _, _) = show(&["launch", "--as-if", "absent"]);
    assert!(out.starts_with("# as if absent (without hypervisor.kernel_params)\n"), "{out}");
    assert!(
        out.contains("qemu-system-x86_64") && !out.contains("annotation hypervisor.kernel_params"),
        "{out}"
    );
    let (out, _, _) = show(&["config"]);
    assert!(out.starts_with("# as without annotations"), "{out}");
    assert!(out.contains("hypervisor.qemu.default_vcpus"), "{out}");
    let (out, _, _) = show(&["config", "--as-if", "allowed"]);
    assert!(out.contains("annotation hypervisor.kernel_params"), "{out}");
    let (out, _, _) = check(dir.path(), &["--full", "-o", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    let refused = &report["pods"][0];
    assert_eq!(refused["outcome"], "refused");
    assert!(refused["launch"].is_null());
    assert_eq!(refused["as_if"]["allowed"]["outcome"], "starts");
    assert_eq!(refused["as_if"]["allowed"]["entries"][0]["pattern"], "^kernel_params$");
    let without = "io.katacontainers.config.hypervisor.kernel_params";
    assert_eq!(refused["as_if"]["absent"]["without"][0], without);
    assert!(refused["as_if"]["absent"]["launch"]["args"].is_array());
    assert!(refused["as_if"]["so_far"]["effective"].is_object());
    assert!(report["pods"][2]["as_if"].is_null());
}

#[test]
fn a_diff_leaves_out_defaults_that_only_one_side_has() {
    let dir = folder(3);
    let diff = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
            .args(["diff", "--with", "kata-version=4.1.0", "--show", "config", "-c", "configuration.toml"])
            .args(["--files", "assume", "--runtime", "go", "--kata-version", "3.2.0"])
            .args(args)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (short, whole) = (diff(&[]), diff(&["--all"]));
    assert!(short.starts_with("- baseline   ") && short.contains("with kata-version=4.1.0"), "{short}");
    assert!(short.contains("keys that only one side has, at their default: --all"), "{short}");
    assert!(!short.contains("— → "), "{short}");
    assert!(whole.lines().count() > short.lines().count() + 5, "{whole}");
}
