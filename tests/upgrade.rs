//! `katascope upgrade`: what another release changes is found by asking both, and laid to the change that does it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

const CONFIG: &str = r#"
[hypervisor.qemu]
path = "/usr/bin/qemu"
kernel = "/usr/share/vmlinuz"
image = "/usr/share/image"
valid_hypervisor_paths = ["/usr/bin/qemu"]
machine_type = "q35"
shared_fs = "virtio-9p"
enable_annotations = ["kernel_params", "image", "initrd"]
file_mem_backend = "/dev/shm"
[agent.kata]
[runtime]
"#;

const HOST: &str = "arch = \"x86_64\"\ncpus = 8\nmemory_mib = 16384\nnested = false\nprotection = \"none\"\n\
                    vhost_vsock = true\nhugepages = false\n";

const PODS: &str = r#"
apiVersion: v1
kind: Pod
metadata: { name: plain }
spec: { runtimeClassName: kata, containers: [{ name: a, image: a }] }
---
apiVersion: v1
kind: Pod
metadata:
  name: assets
  annotations:
    io.katacontainers.config.hypervisor.image: /usr/share/image
    io.katacontainers.config.hypervisor.initrd: /usr/share/image
spec: { runtimeClassName: kata, containers: [{ name: a, image: a }] }
---
apiVersion: v1
kind: Pod
metadata:
  name: initdata
  annotations: { io.katacontainers.config.runtime.cc_init_data: "H4sIAAAAAAAAAwMAAAAAAAAAAAA=" }
spec: { runtimeClassName: kata, containers: [{ name: a, image: a }] }
---
apiVersion: v1
kind: Pod
metadata:
  name: params
  annotations: { io.katacontainers.config.hypervisor.kernel_params: "panic=5 panic=6" }
spec: { runtimeClassName: kata, containers: [{ name: a, image: a }] }
"#;

fn upgrade(folder: &Path, from: &str, to: &str, more: &[&str]) -> (String, i32) {
    for (path, text) in [("kata.toml", CONFIG), ("host.toml", HOST), ("pods.yaml", PODS)] {
        std::fs::write(folder.join(path), text).unwrap();
    }
    for path in ["usr/bin/qemu", "usr/share/vmlinuz", "usr/share/image"] {
        let path = folder.join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(["upgrade", "--runtime", "go", "--kata-version", from, "--to", to, "-c", "kata.toml"])
        .args(["--host", "host.toml", "--root", "root", "pods.yaml"])
        .args(more)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (text, output.status.code().unwrap())
}

fn json(folder: &Path, from: &str, to: &str) -> (Json, i32) {
    let (text, status) = upgrade(folder, from, to, &["--json"]);
    (serde_json::from_str(&text).unwrap(), status)
}

fn causes(report: &Json) -> Vec<String> {
    let causes = report["causes"].as_array().unwrap();
    causes.iter().map(|cause| cause["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_is_said_of_the_same_release() {
    let folder = tempfile::tempdir().unwrap();
    let (report, status) = json(folder.path(), "4.1.0", "4.1.0");
    assert_eq!((status, causes(&report)), (0, Vec::new()));
}

#[test]
fn a_refusal_that_came_is_the_first_thing_said() {
    let folder = tempfile::tempdir().unwrap();
    let (report, status) = json(folder.path(), "3.1.3", "3.2.0");
    assert_eq!(status, 1, "{report:#}");
    let first = &report["causes"][0];
    assert_eq!((first["effect"].as_str(), first["release"].as_str()), (Some("breaks"), Some("3.2.0")));
    assert_eq!(first["pods"], serde_json::json!([1]));
    assert_eq!(report["pods"][1]["outcome"]["candidate"], "refused");
    assert_eq!(report["pods"][0]["outcome"]["candidate"], "starts");
}

#[test]
fn an_annotation_that_moved_is_named_with_its_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let (report, _) = json(folder.path(), "3.19.1", "3.20.0");
    let moved = report["causes"].as_array().unwrap().iter().find(|cause| cause["kind"] == "annotation");
    let moved = moved.unwrap_or_else(|| panic!("{report:#}"));
    let (key, other) =
        ("io.katacontainers.config.runtime.cc_init_data", "io.katacontainers.config.hypervisor.cc_init_data");
    assert_eq!(moved["text"], format!("since 3.20.0: {key} is now {other}"));
    assert_eq!(moved["advice"], format!("write {other} instead"));
}

#[test]
fn a_change_is_named_by_what_it_does_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (report, _) = json(folder.path(), "3.23.0", "3.32.0");
    let causes = causes(&report);
    let has = |text: &str| causes.iter().any(|cause| cause.contains(text));
    assert!(has("since 3.32.0: Devices name the PCI Express root bus."), "{causes:#?}");
    assert!(has("since 3.24.0: A kernel parameter takes the place of those of the same name"), "{causes:#?}");
    assert!(has("file_mem_backend is read by nothing any more"), "{causes:#?}");
}

#[test]
fn the_way_back_breaks_nothing_here() {
    let folder = tempfile::tempdir().unwrap();
    let (text, status) = upgrade(folder.path(), "3.2.0", "3.1.3", &[]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("Go runtime 3.2.0 → Go runtime 3.1.3"), "{text}");
    assert!(text.contains("1 starting from now on"), "{text}");
}

#[test]
fn a_key_is_explained_by_the_spans_of_its_releases() {
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(["explain", "io.katacontainers.config.runtime.cc_init_data"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(" to ")).collect();
    assert!(
        lines.iter().any(|line| line.contains("3.8.0 to 3.19.1") && line.contains("open to every pod")),
        "{text}"
    );
    assert!(lines.iter().any(|line| line.contains("3.20.0 to 4.1.0") && line.contains("not read")), "{text}");
}

#[test]
fn what_is_read_and_not_measured_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (text, _) = upgrade(folder.path(), "3.19.1", "3.20.0", &[]);
    assert!(text.contains("what Go runtime 3.19.1 does is read in its source"), "{text}");
    assert!(!text.contains("what Go runtime 3.20.0 does is read"), "{text}");
    let (report, _) = json(folder.path(), "3.19.1", "3.20.0");
    let handler = &report["handlers"][0];
    assert_eq!(
        (&handler["baseline"]["evidence"], &handler["candidate"]["evidence"]),
        (&"read".into(), &"measured".into())
    );
    let version = Command::new(env!("CARGO_BIN_EXE_katascope")).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert!(version.contains("measured: Go runtime 2.1.0, 2.5.2"), "{version}");
}
