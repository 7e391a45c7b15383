//! A node is the unit: its handlers, each with its shim and file, and each pod judged by its own.
//!
//! The built program over nodes that are laid out in a folder, as a user runs it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

const CONTAINERD: &str = "/etc/containerd/config.toml";
const GO_SHIM: &str = "/opt/kata/bin/containerd-shim-kata-v2";
const RS_SHIM: &str = "/opt/kata/runtime-rs/bin/containerd-shim-kata-v2";
const GO_FILE: &str = "/opt/kata/share/defaults/kata-containers/configuration-remote.toml";
const RS_FILE: &str = "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration-remote.toml";

/// Files that load anywhere: the hypervisor is on another machine.
const GO_TEXT: &str = "[hypervisor.remote]\nremote_hypervisor_socket = \"/run/peer.sock\"\n\
    enable_annotations = [\"default_memory\"]\n[agent.kata]\n[runtime]\ninternetworking_model = \"none\"\n\
    disable_new_netns = true\n";

struct Node {
    folder: tempfile::TempDir,
}

/// One handler's table.
fn table(name: &str, shim: &str, config: &str) -> String {
    format!(
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}]\nruntime_type = 'io.containerd.{name}.v2'\n\
         runtime_path = '{shim}'\npod_annotations = ['io.katacontainers.*']\noptions = {{ ConfigPath = '{config}' }}\n"
    )
}

impl Node {
    fn new() -> Self {
        let node = Self { folder: tempfile::tempdir().unwrap() };
        for program in [GO_SHIM, RS_SHIM, "/usr/bin/containerd-shim-runc-v2"] {
            node.program(program);
        }
        node.write(GO_FILE, GO_TEXT);
        let containerd = format!(
            "version = 3\n{}{}",
            table("kata-go", GO_SHIM, GO_FILE),
            table("kata-rs", RS_SHIM, RS_FILE)
        );
        node.file(CONTAINERD, &containerd)
    }

    fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn program(&self, path: &str) {
        self.write(path, "\u{7f}ELF");
        let path = self.folder.path().join(path.trim_start_matches('/'));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a command on the node; `manifests` lie beside it.
    fn ask(&self, args: &[&str], manifests: &[(&str, &str)]) -> Said {
        let beside = tempfile::tempdir().unwrap();
        for (name, text) in manifests {
            let path = beside.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.ask_in(beside.path(), args)
    }

    fn ask_in(&self, folder: &Path, args: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
            .args(args)
            .args(["--root", self.folder.path().to_str().unwrap()])
            .current_dir(folder)
            .stdin(std::process::Stdio::null())
            .env_remove("KATA_CONF_FILE")
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        Said {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code().unwrap(),
        }
    }
}

struct Said {
    out: String,
    err: String,
    status: i32,
}

impl Said {
    fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }

    /// Outcome, handler and judging file of each pod.
    fn pods(&self) -> Vec<(String, String, String, String)> {
        let report = self.json();
        let text = |value: &Json| value.as_str().unwrap_or("-").to_owned();
        let pods = report["pods"].as_array().unwrap();
        let file = |pod: &Json| {
            let policy = pod["policy"].as_u64().map(|index| &report["policies"][index as usize]["config"]);
            policy.map_or("-".to_owned(), text)
        };
        pods.iter()
            .map(|pod| (text(&pod["name"]), text(&pod["outcome"]), text(&pod["handler"]), file(pod)))
            .collect()
    }
}

fn class(name: &str, handler: &str) -> String {
    format!(
        "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {{name: {name}}}\nhandler: {handler}\n---\n"
    )
}

fn pod(name: &str, class: Option<&str>) -> String {
    let class = class.map(|class| format!("  runtimeClassName: {class}\n")).unwrap_or_default();
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  annotations:\n    \
         io.katacontainers.config.hypervisor.default_memory: '4096'\nspec:\n{class}  containers: [{{name: a, image: a}}]\n---\n"
    )
}

fn row(name: &str, outcome: &str, handler: &str, file: &str) -> (String, String, String, String) {
    (name.into(), outcome.into(), handler.into(), file.into())
}

#[test]
fn each_pod_is_judged_by_the_file_of_its_handler() {
    let manifest = [
        class("fast", "kata-go"),
        class("old", "kata-gone"),
        pod("by-class", Some("fast")),
        pod("by-name", Some("kata-rs")),
        pod("plain", None),
        pod("gone", Some("old")),
        pod("nobody", Some("no-such-class")),
    ]
    .concat();
    let said = Node::new().ask(&["check", "-o", "json", "pods.yaml"], &[("pods.yaml", &manifest)]);
    assert_eq!(
        said.pods(),
        [
            row("by-class", "starts", "kata-go", GO_FILE),
            // Its file is not there, which is the trouble of this handler alone.
            row("by-name", "refused", "kata-rs", RS_FILE),
            row("plain", "not-kata", "runc", "-"),
            row("gone", "refused", "kata-gone", "-"),
            row("nobody", "unknown", "-", "-"),
        ]
    );
    let report = said.json();
    assert_eq!(report["policy"], Json::Null);
    assert_eq!(report["policies"][0]["release"], "go-4.1.0");
    assert_eq!(
        report["pods"][1]["assumed"][0],
        "RuntimeClass kata-rs is not among the inputs: taken for the handler of its name"
    );
    assert!(
        report["pods"][3]["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with("no runtime for \"kata-gone\" is configured")
    );
    assert_eq!(report["pods"][2]["findings"][0]["code"], "not-kata");
    assert_eq!(said.status, 1);
}

#[test]
fn a_class_counts_wherever_it_stands() {
    let (class, pod) = (class("fast", "kata-go"), pod("a", Some("fast")));
    let node = Node::new();
    let files = [("pod.yaml", pod.as_str()), ("class.yaml", class.as_str())];
    let said = node.ask(&["check", "-o", "json", "pod.yaml", "class.yaml"], &files);
    assert_eq!(said.pods(), [row("a", "starts", "kata-go", GO_FILE)]);
    let behind = format!("{pod}{class}");
    let said = node.ask(&["check", "-o", "json", "all.yaml"], &[("all.yaml", &behind)]);
    assert_eq!(said.pods(), [row("a", "starts", "kata-go", GO_FILE)]);
    let other = class.replace("kata-go", "kata-rs");
    let files = [("pod.yaml", pod.as_str()), ("a.yaml", class.as_str()), ("b.yaml", other.as_str())];
    let said = node.ask(&["check", "-o", "json", "pod.yaml", "a.yaml", "b.yaml"], &files);
    assert_eq!(said.pods(), [row("a", "starts", "kata-go", GO_FILE)]);
    assert!(said.err.contains("b.yaml:1:1: RuntimeClass fast names handler kata-rs"), "{}", said.err);
}

#[test]
fn a_near_miss_is_named() {
    let said = Node::new().ask(&["check", "p.yaml"], &[("p.yaml", &pod("a", Some("kata-og")))]);
    assert!(said.out.contains("did you mean kata-go?"), "{}", said.out);
}

#[test]
fn the_shim_decides_and_has_to_be_there() {
    let wrong = table("kata-wrong", RS_SHIM, GO_FILE);
    let missing = table("kata-missing", "/opt/kata/bin/containerd-shim-kata-missing-v2", GO_FILE);
    let node = Node::new().file(CONTAINERD, &format!("version = 3\n{wrong}{missing}"));
    let which = node.ask(&["which", "-o", "json"], &[]).json();
    let handlers: Vec<[&Json; 3]> = which["handlers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|handler| [&handler["handler"], &handler["runtime"], &handler["shim"]])
        .collect();
    let shown = serde_json::json!([
        ["runc", null, "/usr/bin/containerd-shim-runc-v2"],
        ["kata-wrong", "rs", RS_SHIM],
        ["kata-missing", null, null],
    ]);
    assert_eq!(serde_json::to_value(handlers).unwrap(), shown);
    let manifest = pod("wrong", Some("kata-wrong")) + &pod("missing", Some("kata-missing"));
    let said = node.ask(&["check", "p.yaml"], &[("p.yaml", &manifest)]);
    for part in [
        "looks like a file of the Go runtime, and runtime-rs reads it",
        "invalid custom binary path: stat /opt/kata/bin/containerd-shim-kata-missing-v2: no such file or directory",
        "a shim lies at /opt/kata/bin/containerd-shim-kata-v2",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    assert_eq!(said.status, 1);
}

#[test]
fn the_version_is_told_by_the_installation() {
    let node = Node::new().file("/opt/kata/VERSION", "3.19.1\n");
    let which = node.ask(&["which", "kata-go", "-o", "json"], &[]).json();
    assert_eq!(
        (&which["handlers"][0]["release"], &which["handlers"][0]["known_by"]),
        (&"3.19.1".into(), &"node".into())
    );
    let asked = ["check", "-o", "json", "--kata-version", "3.20", "p.yaml"];
    let said = node.ask(&asked, &[("p.yaml", &pod("a", Some("kata-go")))]).json();
    let policy = &said["policies"][0];
    assert_eq!((&policy["release"], &policy["known_by"]), (&"go-3.20.0".into(), &"said".into()));
}

#[test]
fn a_wrapper_around_the_shim_names_the_file() {
    let script = format!("#!/usr/bin/env bash\nKATA_CONF_FILE={GO_FILE} {GO_SHIM} \"$@\"\n");
    let node = Node::new().file("/opt/kata/VERSION", "2.5.2\n").file(
        CONTAINERD,
        "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]\nruntime_type = 'io.containerd.kata.v2'\n",
    );
    node.program("/usr/local/bin/containerd-shim-kata-v2");
    node.write("/usr/local/bin/containerd-shim-kata-v2", &script);
    let which = node.ask(&["which", "kata", "-o", "json"], &[]).json();
    let handler = &which["handlers"][0];
    assert_eq!(
        (&handler["runtime"], &handler["release"], &handler["config"]),
        (&"go".into(), &"2.5.2".into(), &GO_FILE.into())
    );
}

#[test]
fn distributions_have_files_of_their_own() {
    let k3s = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml";
    let node = Node::new().file(k3s, "version = 3\n");
    let said = node.ask(&["which"], &[]);
    for part in [k3s, "/etc/containerd/config.toml is there, and is not read", "it has no Kata handler"] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let template = node.ask(&["which", "--cri-config", "config.toml.tmpl"], &[("config.toml.tmpl", "")]);
    assert!(template.err.contains("a template, which containerd does not read"), "{}", template.err);
    assert_eq!(template.status, 2);
}

#[test]
fn a_folder_may_hold_other_things() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n";
    let files = [
        ("deploy/pod.yaml", pod("a", Some("kata-go"))),
        ("deploy/service.yaml", service.to_owned()),
        ("deploy/class.yaml", class("other", "kata-go")),
        ("deploy/kustomization.yaml", "resources: [pod.yaml]\n".to_owned()),
        ("deploy/values.yaml", "replicas: 3\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let node = Node::new();
    let said = node.ask(&["check", "-o", "json", "deploy"], &files);
    assert_eq!((said.pods(), said.status), (vec![row("a", "starts", "kata-go", GO_FILE)], 0), "{}", said.err);
    let nothing = node.ask(&["check", "deploy/service.yaml"], &files);
    assert!(nothing.err.contains("no pod in it, only Service"), "{}", nothing.err);
    assert_eq!(nothing.status, 2);
    let template = "metadata:\n  name: {{ .Release.Name }}\n";
    let template = node.ask(&["check", "pod.yaml"], &[("pod.yaml", template)]);
    let placeholder = pod("a", Some("${CLASS}"));
    let placeholder = node.ask(&["check", "pod.yaml"], &[("pod.yaml", &placeholder)]);
    assert!(placeholder.out.contains("fix: ${CLASS} is a placeholder"), "{}", placeholder.out);
    assert!(template.err.contains("pod.yaml:2: a Helm template, not a manifest"), "{}", template.err);
    assert_eq!(template.status, 2);
}

#[test]
fn nothing_is_green_without_a_look() {
    let node = Node::new();
    let said = node.ask(&["check"], &[]);
    assert!(
        said.out.contains("no manifest: 1 configuration loads, 1 does not; no pod was looked at"),
        "{}",
        said.out
    );
    assert_eq!(said.status, 1);
    for (flag, file) in [("--cri-config", "gone.toml"), ("--kubelet", "gone.yaml"), ("-c", "gone.toml")] {
        let said = node.ask(&["check", flag, file, "p.yaml"], &[("p.yaml", &pod("a", None))]);
        assert_eq!(
            (said.status, said.err.lines().count(), said.out.as_str()),
            (2, 1, ""),
            "{flag}: {}",
            said.err
        );
    }
    let several = node.ask(&["policy", "audit"], &[]);
    assert!(
        several.err.contains("2 Kata handlers; name one with --handler: kata-go, kata-rs"),
        "{}",
        several.err
    );
    assert_eq!(several.status, 2);
    let one = node.ask(&["policy", "audit", "--handler", "kata-go"], &[]);
    assert!(one.out.starts_with(GO_FILE), "{}{}", one.out, one.err);
    let edit = ["policy", "allow", "default_vcpus", "--handler", "kata-go", "--dry-run"];
    let one = node.ask(&edit, &[]);
    assert!(one.out.contains(&format!("+++ b{GO_FILE}")), "{}{}", one.out, one.err);
}

#[test]
fn two_configurations_differ_without_a_pod() {
    let other = GO_TEXT.replace("[agent.kata]\n", "[agent.kata]\nenable_debug = true\n");
    let node = Node::new();
    let files = [("a.toml", GO_TEXT), ("b.toml", other.as_str())];
    let said = node.ask(&["diff", "-c", "a.toml", "--with", "config=b.toml"], &files);
    assert_eq!(said.status, 1, "{}{}", said.out, said.err);
    let same = node.ask(&["diff", "-c", "a.toml", "--with", "config=a.toml"], &files);
    assert_eq!(same.status, 0, "{}{}", same.out, same.err);
}

#[test]
fn what_others_print_describes_the_host_and_kubelet() {
    let node = Node::new();
    let limited = pod("a", Some("kata-go"))
        .replace("image: a}", "image: a, resources: {limits: {cpu: 2, memory: 1Gi}}}");
    let env =
        r#"{ "Host": { "CPU": { "CPUs": 3 }, "Memory": { "Total": 4194304 }, "Architecture": "amd64" } }"#;
    let configz = r#"{ "kubeletconfig": { "cpuCFSQuota": false } }"#;
    let files = [("p.yaml", limited.as_str()), ("env.json", env), ("kubelet.json", configz)];
    let args = ["check", "-o", "json", "--full", "--host", "env.json", "--kubelet", "kubelet.json", "p.yaml"];
    let said = node.ask(&args, &files).json();
    assert_eq!(said["pods"][0]["sizing"]["cpu_quota"], 0, "configz is read");
    for (flag, text) in [("--host", "{ \"a\": 1 }"), ("--kubelet", "a: 1\n")] {
        let said = node.ask(&["check", flag, "odd", "p.yaml"], &[("p.yaml", &limited), ("odd", text)]);
        assert_eq!((said.status, said.err.contains("neither a")), (2, true), "{flag}: {}", said.err);
    }
}
