//! A node at home on another machine: collected, opened, compared with others.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::katascope;

const CONFIG: &str = r#"
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
kernel = "/opt/kata/share/vmlinux"
image = "/opt/kata/share/kata.img"
machine_type = "q35"
enable_annotations = ["path", "default_.*"]
valid_hypervisor_paths = ["/opt/kata/bin/qemu*"]
shared_fs = "virtio-fs"
virtio_fs_daemon = "/opt/kata/bin/virtiofsd"
default_memory = 2048

[agent.kata]

[runtime]
"#;

const CONTAINERD: &str = r#"version = 2
imports = ["/etc/containerd/more.toml"]
[plugins."io.containerd.grpc.v1.cri".registry.configs."r.io".auth]
username = "somebody"
password = "hunter2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-qemu]
runtime_type = "io.containerd.kata-qemu.v2"
runtime_path = "/opt/kata/bin/containerd-shim-kata-v2"
pod_annotations = ["io.katacontainers.*"]
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-qemu.options]
ConfigPath = "/opt/kata/share/defaults/kata-containers/configuration-qemu.toml"
"#;

const CONFIG_PATH: &str = "opt/kata/share/defaults/kata-containers/configuration-qemu.toml";

const PODS: &str = r#"
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: kata}
handler: kata-qemu
---
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec: {runtimeClassName: kata, containers: [{name: c, image: x}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: chosen
  annotations: {io.katacontainers.config.hypervisor.path: /opt/kata/bin/qemu-two}
spec: {runtimeClassName: kata, containers: [{name: c, image: x}]}
"#;

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A node under `node`, with pods beside it.
fn node() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("node");
    put(&root, "etc/containerd/config.toml", CONTAINERD);
    put(&root, "etc/containerd/more.toml", "version = 2\n");
    put(&root, CONFIG_PATH, CONFIG);
    for name in ["qemu-system-x86_64", "qemu-two", "virtiofsd", "containerd-shim-kata-v2"] {
        put(&root, &format!("opt/kata/bin/{name}"), "ELF");
    }
    put(&root, "opt/kata/VERSION", "4.1.0\n");
    put(&root, "opt/kata/share/vmlinux", "kernel");
    put(&root, "opt/kata/share/kata.img", "image");
    std::fs::write(dir.path().join("pods.yaml"), PODS).unwrap();
    std::fs::write(
        dir.path().join("host.toml"),
        "cpus = 16\nmemory_mib = 65536\nvhost_vsock = true\nnested = false\n",
    )
    .unwrap();
    dir
}

fn outcomes(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap();
    let outcome = |pod: &Value| pod["outcome"].as_str().unwrap().to_owned();
    report["pods"].as_array().unwrap().iter().map(outcome).collect()
}

#[test]
fn what_was_collected_answers_as_the_node_does() {
    let dir = node();
    let at = dir.path();
    let check = ["check", "pods.yaml", "--json", "--full"];
    let host = ["--root", "node", "--host", "host.toml"];
    let (before, err, status) = katascope(at, &[&check[..], &host].concat());
    assert_eq!((status, outcomes(&before)), (0, vec!["starts".into(), "starts".into()]), "{err}");
    let (said, err, status) = katascope(at, &[&["collect", "-o", "n.tar.gz"][..], &host].concat());
    assert_eq!(status, 0, "{err}");
    assert!(said.starts_with("n.tar.gz: "), "{said}");
    let (after, _, _) = katascope(at, &[&check[..], &["--node", "n.tar.gz"]].concat());
    assert_eq!(after, before);
    // Secrets stay on the node, and are named.
    assert!(err.contains("left out /etc/containerd/config.toml:5: ") && err.contains("password"), "{err}");
    let packed = std::fs::File::open(at.join("n.tar.gz")).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    for entry in archive.entries().unwrap() {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry.unwrap(), &mut text).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
    }
    let (out, _, _) = katascope(at, &["check", "--node", "n.tar.gz", "pods.yaml"]);
    assert!(out.contains("does not hold: /etc/containerd/config.toml:4: "), "{out}");
}

#[test]
fn a_way_out_is_the_same_at_home_and_on_the_node() {
    let dir = node();
    let at = dir.path();
    // The build's own kernel is not there either, which only the search for a way out asks.
    put(&at.join("node"), CONFIG_PATH, &CONFIG.replace("share/vmlinux", "share/no-vmlinux"));
    let check = ["check", "pods.yaml", "--json"];
    let host = ["--root", "node", "--host", "host.toml"];
    let (before, ..) = katascope(at, &[&check[..], &host].concat());
    assert!(before.contains("no-vmlinux") && !before.contains("remove kernel"), "{before}");
    let (_, err, status) = katascope(at, &[&["collect", "-o", "n.tar.gz"][..], &host].concat());
    assert_eq!(status, 0, "{err}");
    let (after, ..) = katascope(at, &[&check[..], &["--node", "n.tar.gz"]].concat());
    assert_eq!(after, before);
}

#[test]
fn the_list_is_shown_before_anything_is_written() {
    let dir = node();
    let (list, _, status) = katascope(dir.path(), &["collect", "--print", "--root", "node"]);
    assert_eq!(status, 0);
    assert!(
        list.contains(&format!("\t/{CONFIG_PATH}\t")) && list.contains("\t/opt/kata/bin/virtiofsd\t"),
        "{list}"
    );
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // An archive that is there is not written over by chance.
    std::fs::write(dir.path().join("katascope-node.tar.gz"), "mine").unwrap();
    let (_, err, status) = katascope(dir.path(), &["collect", "--root", "node"]);
    assert_eq!(status, 2, "{err}");
    assert_eq!(std::fs::read_to_string(dir.path().join("katascope-node.tar.gz")).unwrap(), "mine");
}

#[test]
fn a_folder_of_a_node_is_a_node() {
    let dir = node();
    let check = ["check", "pods.yaml", "--json", "--full", "--host", "host.toml"];
    let (root, _, _) = katascope(dir.path(), &[&check[..], &["--root", "node"]].concat());
    let (node, err, _) = katascope(dir.path(), &[&check[..], &["--node", "node"]].concat());
    assert_eq!(node, root, "{err}");
}

/// The report of a bug: what the script prints holds the file and no word about what exists.
#[test]
fn what_collect_data_prints_is_replayed() {
    let dir = node();
    let at = dir.path();
    let block = |command: &str, output: &str| {
        format!(
            "<details>\n<summary><tt>{command}</tt></summary>\n<p>\n\n```toml\n{output}\n```\n\n</p>\n</details>\n"
        )
    };
    let env = "[Runtime]\n[Runtime.Version]\nSemver = \"4.1.0\"\n[Host]\nArchitecture = \"amd64\"\nSupportVSocks = true\n\
               [Host.CPU]\nCPUs = 8\n[Host.Memory]\nTotal = 16777216";
    let document = format!(
        "# Meta details\n\nRunning `kata-collect-data.sh` version `4.1.0 (commit x)` at `t`.\n\n{}{}{}",
        block("/opt/kata/bin/kata-runtime kata-env", env),
        block(&format!("cat \"/{CONFIG_PATH}\""), CONFIG),
        block("cat /etc/containerd/config.toml", CONTAINERD),
    );
    std::fs::write(at.join("collect.md"), &document).unwrap();
    let (out, err, status) = katascope(at, &["check", "--node", "collect.md", "pods.yaml"]);
    assert_eq!(status, 0, "{out}{err}");
    assert_eq!(
        out.lines().filter(|line| line.starts_with("starts ") && line.ends_with("≈ assumed")).count(),
        1,
        "the one that rests on more than all do: {out}"
    );
    assert!(out.contains("collect (kata-collect-data.sh) does not hold: drop-ins (config.d)"), "{out}");
    // Another handler may stand in the import, which the script does not print.
    let other = PODS.replace("handler: kata-qemu", "handler: kata-clh");
    std::fs::write(at.join("other.yaml"), other).unwrap();
    let (out, _, _) = katascope(at, &["check", "--node", "collect.md", "other.yaml", "--json"]);
    assert_eq!(outcomes(&out), ["unknown", "unknown"], "{out}");
    assert!(out.contains("/etc/containerd/more.toml"), "{out}");
    let (_, err, status) = katascope(at, &["check", "-c", "collect.md", "pods.yaml"]);
    assert_eq!(status, 2);
    assert!(err.contains("open it with --node collect.md"), "{err}");
}

fn tar_of(path: &Path, entries: &[(&str, &str)]) {
    let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

/// Handlers are in it, Kata's files are not: the handler is known, the outcome is not.
#[test]
fn a_sosreport_knows_the_handler_and_not_the_file() {
    let dir = node();
    let at = dir.path();
    tar_of(
        &at.join("sos.tar"),
        &[
            ("sosreport-w1-2026-11-28-x/sos_commands/containerd/containerd_config_dump", "x"),
            ("sosreport-w1-2026-11-28-x/etc/containerd/config.toml", CONTAINERD),
            ("sosreport-w1-2026-11-28-x/etc/containerd/more.toml", "version = 2\n"),
        ],
    );
    let (out, err, _) = katascope(at, &["check", "--node", "sos.tar", "pods.yaml", "--json"]);
    assert_eq!(outcomes(&out), ["unknown", "unknown"], "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["pods"][0]["handler"], "kata-qemu");
    assert!(
        out.contains(&format!("/{CONFIG_PATH}, which its handler reads, is not in what was collected")),
        "{out}"
    );
    let (out, _, _) = katascope(at, &["which", "--node", "sos.tar"]);
    assert!(out.contains(&format!("/{CONFIG_PATH}")), "{out}");
}

#[test]
fn a_must_gather_without_the_files_says_what_it_lacks() {
    let dir = node();
    let at = dir.path();
    tar_of(
        &at.join("mg.tar"),
        &[
            ("must-gather/nodes/w1/version", "kata-containers-3.31.0-5.x86_64\n"),
            ("must-gather/nodes/w2/version", ""),
        ],
    );
    let (_, err, status) = katascope(at, &["which", "--node", "mg.tar"]);
    assert_eq!(status, 2);
    assert!(err.contains("w1, w2; name it as --node mg.tar#NODE"), "{err}");
    let (_, err, status) = katascope(at, &["which", "--node", "mg.tar#w1"]);
    assert_eq!(status, 2);
    assert!(err.contains("in w1, a must-gather collection (does not hold: /etc/crio; "), "{err}");
}

#[test]
fn pods_are_held_against_several_nodes() {
    let dir = node();
    let at = dir.path();
    let copy = |name: &str, config: &str| {
        let root = at.join(name);
        let status = Command::new("cp").arg("-r").arg(at.join("node")).arg(&root).status().unwrap();
        assert!(status.success());
        put(&root, CONFIG_PATH, config);
    };
    copy("strict", &CONFIG.replace("\"path\", ", ""));
    copy("broken", &CONFIG.replace("kernel =", "kernel_gone ="));
    let nodes = ["--node", "node", "--node", "strict", "--node", "broken", "--host", "host.toml"];
    let (out, err, status) = katascope(at, &[&["check", "pods.yaml"][..], &nodes].concat());
    assert_eq!(status, 1, "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains("node  (file system)  2 start"), "{out}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("default/chosen") && line.contains("✓") && line.contains("✗1")),
        "{out}"
    );
    assert!(out.contains("is not enabled (once, on 1 node)"), "{out}");
    assert!(out.contains("(2 times, on 1 node)"), "{out}");
    let (out, _, status) = katascope(at, &[&["check", "pods.yaml", "--json"][..], &nodes].concat());
    assert_eq!(status, 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    let words: Vec<&str> = report["pods"][1]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["starts", "refused", "refused"]);
    assert_eq!(report["nodes"][1]["refused"], 1);
    let diff = ["diff", "pods.yaml", "--node", "node", "--with", "node=strict", "--host", "host.toml"];
    let (out, err, status) = katascope(at, &diff);
    assert_eq!(status, 1, "{err}");
    let expected = "files
  ~ /opt/kata/share/defaults/kata-containers/configuration-qemu.toml
  ~     hypervisor.qemu.enable_annotations  -\"path\"  (line 7)
pods that fare differently
  ~ default/chosen  starts → refused at annotations: annotation io.katacontainers.config.hypervisor.path is not \
    enabled
        hypervisor.path  applied (\"/opt/kata/bin/qemu-two\") → refused

1 of 2 pods fare differently
";
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain(&out).contains(&plain(expected)), "{out}");
    assert!(
        out.starts_with("- baseline   node (file system)  handlers kata-qemu\n+ candidate  strict"),
        "{out}"
    );
    let (out, _, status) = katascope(at, &[&diff[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (status, &report["nodes"]["files"][0]["keys"][0]["entries"]["baseline"][0]),
        (1, &"path".into())
    );
    assert_eq!(report["fare_differently"][0]["pod"], "default/chosen");
    // A node beside itself.
    let (out, _, status) =
        katascope(at, &["diff", "pods.yaml", "--node", "node", "--with", "node=node", "--host", "host.toml"]);
    assert_eq!(status, 0, "{out}");
    assert!(
        out.contains("the nodes: no difference") && out.contains("0 of 2 pods fare differently"),
        "{out}"
    );
}

#[test]
fn an_edit_of_a_node_in_a_file_goes_elsewhere() {
    let dir = node();
    let allow = ["policy", "allow", "^x$", "--force", "--node", "node"];
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let (out, _, status) = katascope(dir.path(), &allow);
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("wrote node.patch; on the node: patch -p1 -d / < node.patch"), "{out}");
    let patch = read("node.patch");
    assert!(
        patch.starts_with(&format!("--- a/{CONFIG_PATH}\n+++ b/{CONFIG_PATH}\n"))
            && patch.contains("\"^x$\"")
    );
    // What is there stays.
    let (_, err, status) = katascope(dir.path(), &allow);
    assert!(status == 2 && err.contains("node.patch: is there already"), "{err}");
    let (out, _, status) = katascope(dir.path(), &[&allow[..], &["--drop-in"]].concat());
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("wrote node.90-katascope.toml; on the node it is /opt/kata/"), "{out}");
    assert!(read("node.90-katascope.toml").contains("\"default_.*\", \"^x$\""));
    let (diff, _, status) = katascope(dir.path(), &[&allow[..], &["--dry-run"]].concat());
    assert!(status == 1 && diff.contains("^x$"), "{diff}");
    let (changed, _, status) = katascope(dir.path(), &[&allow[..], &["--output", "-"]].concat());
    assert!(status == 0 && changed.contains("\"^x$\""), "{changed}");
    assert_eq!(std::fs::read_to_string(dir.path().join("node").join(CONFIG_PATH)).unwrap(), CONFIG);
}

#[test]
fn nothing_leaves_an_archive_for_the_disk() {
    let dir = node();
    let at = dir.path();
    let mut header = tar::Header::new_gnu();
    let name = b"e\x1b[2Jtc/../../up";
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_size(2);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(b"x\n");
    bytes.resize(2048, 0);
    std::fs::write(at.join("up.tar"), bytes).unwrap();
    let (out, err, status) = katascope(at, &["check", "--node", "up.tar", "pods.yaml"]);
    assert_eq!((out.as_str(), status), ("", 2));
    assert!(err.contains("leads out of the archive"), "{err}");
    assert!(!err.contains('\u{1b}'), "what a name does to a terminal is not done: {err:?}");
    assert!(!at.parent().unwrap().join("up").exists() && !at.join("up").exists());
}
