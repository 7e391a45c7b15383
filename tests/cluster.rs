//! The cluster through kubectl, with a program in its place that writes down what it was asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

use crate::support::{QEMU, QEMU_NAMES};

const PODS: &str = r#"{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"lab","annotations":
  {"io.katacontainers.config.hypervisor.path":"/tmp/qemu"}},
 "spec":{"runtimeClassName":"fast","containers":[{"name":"c","image":"i"}]}}]}"#;
const CLASSES: &str = r#"{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"fast"},"handler":"kata-qemu"}]}"#;
const CONTAINERD: &str = "\
version = 2
[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata-qemu]
runtime_type = \"io.containerd.kata.v2\"
pod_annotations = [\"io.katacontainers.*\"]
";

fn lay(folder: &Path, kubectl: &str) {
    fs::write(folder.join("c.toml"), format!("{QEMU}{QEMU_NAMES}").replace("enable_iommu", "path")).unwrap();
    fs::write(folder.join("containerd.toml"), CONTAINERD).unwrap();
    fs::write(folder.join("pods.json"), PODS).unwrap();
    fs::write(folder.join("runtimeclasses.json"), CLASSES).unwrap();
    let program = folder.join("kubectl");
    fs::write(&program, format!("#!/bin/sh\n{kubectl}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

const ANSWERS: &str = "echo \"$@\" >> asked; exec /bin/cat $2.json";

fn run(folder: &Path, words: &[&str]) -> Output {
    // No other kubectl is found there.
    let path = folder.display().to_string();
    let mut command = Command::cargo_bin("katascope").unwrap();
    command.args(words).current_dir(folder).env("PATH", path).env_remove("KUBECTL").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_pods_of_a_cluster_are_read_as_a_file_is() {
    let folder = tempfile::tempdir().unwrap();
    lay(folder.path(), ANSWERS);
    let output =
        run(folder.path(), &["check", "-c", "c.toml", "-A", "--context", "east", "-l", "app=web", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pods"][0]["outcome"], "refused");
    assert_eq!(report["pods"][0]["source"]["file"], "kubectl get pods");
    let words = "get pods -o json --context=east --all-namespaces --selector=app=web";
    assert_eq!(fs::read_to_string(folder.path().join("asked")).unwrap(), format!("{words}\n"));
    assert!(text(&output.stderr).contains(&format!("katascope: kubectl {words}\n")));
}

#[test]
fn handlers_are_told_by_the_clusters_classes() {
    let folder = tempfile::tempdir().unwrap();
    lay(folder.path(), ANSWERS);
    let output = run(
        folder.path(),
        &["check", "-c", "c.toml", "--cri-config", "containerd.toml", "-n", "lab", "--json"],
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pods"][0]["handler"], "kata-qemu", "{}", text(&output.stderr));
    let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
    assert_eq!(asked, "get runtimeclasses -o json\nget pods -o json --namespace=lab\n");
}

#[test]
fn what_kubectl_complains_about_is_told_in_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let refused = "echo 'Error from server (Forbidden): pods is \x1b[31mforbidden' >&2; exit 1";
    lay(folder.path(), refused);
    let output = run(folder.path(), &["check", "-c", "c.toml", "-A"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("Error from server (Forbidden): pods is \\e[31mforbidden"), "{said}");
    fs::remove_file(folder.path().join("kubectl")).unwrap();
    let output = run(folder.path(), &["check", "-c", "c.toml", "-A"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("kubectl is not there") && said.contains("kubectl get pods -o json"), "{said}");
}
