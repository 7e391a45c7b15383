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
