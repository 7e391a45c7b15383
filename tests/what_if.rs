//! What is said otherwise than the files say it is judged as if the files said it.

use std::path::Path;

use serde_json::Value as Json;

use crate::support::{QEMU, QEMU_NAMES, katascope};

const PODS: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: db
  annotations: {io.katacontainers.config.hypervisor.enable_iommu: \"true\"}
spec:
  runtimeClassName: kata
  containers:
  - {name: c, image: x}
  - {name: d, image: x}
";

fn with_its_files(folder: &Path, args: &[&str]) -> (String, String, i32) {
    let always = ["--cpus", "16", "--memory", "65536", "--runtime", "rs", "-c", "c.toml", "pods.yaml"];
    let args: Vec<&str> = args.iter().chain(&always).copied().collect();
    katascope(folder, &args)
}

fn folder(config: &str, pods: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    std::fs::write(folder.path().join("pods.yaml"), pods).unwrap();
    folder
}

fn config() -> String {
    format!("{QEMU}{QEMU_NAMES}")
}

/// The pods of a full report without the places of what was said.
fn pods(args: &[&str], folder: &Path) -> Json {
    let args: Vec<&str> = ["check", "--json", "--full"].iter().chain(args).copied().collect();
    let (said, error, _) = with_its_files(folder, &args);
    let mut report: Json = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}{error}"));
    strip(&mut report["pods"]);
    report["pods"].take()
}

fn strip(json: &mut Json) {
    match json {
        Json::Object(entries) => {
            for key in ["at", "source", "place", "line", "way_out"] {
                entries.remove(key);
            }
            entries.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn it_is_judged_as_if_it_were_written() {
    let key = "io.katacontainers.config.hypervisor.";
    let iommu = format!("{key}enable_iommu: \"true\"");
    let limits = "{name: c, image: x, resources: {limits: {cpu: \"2\", memory: 1Gi}}}";
    let cases: [(&[&str], String, String); 7] = [
        (
            &["hypervisor.qemu.default_vcpus=4"],
            config().replace("machine_type", "default_vcpus = 4\nmachine_type"),
            PODS.into(),
        ),
        (&["hypervisor.qemu.machine_type=q35"], config(), PODS.into()),
        (
            &["hypervisor.qemu.machine_type-", "runtime.static_sandbox_resource_mgmt=true"],
            config().replace("machine_type = \"q35\"\n", "") + "static_sandbox_resource_mgmt = true\n",
            PODS.into(),
        ),
        (
            &["hypervisor.qemu.enable_annotations=[]"],
            config().replace("[\"enable_iommu\"]", "[]"),
            PODS.into(),
        ),
        (&["annotation:enable_iommu-"], config(), PODS.replace(&iommu, "")),
        (
            &["annotation:enable_iommu=no"],
            config(),
            PODS.replace(&iommu, &format!("{key}enable_iommu: \"no\"")),
        ),
        (&["limits.c.cpu=2", "limits.c.memory=1Gi"], config(), PODS.replace("{name: c, image: x}", limits)),
    ];
    for (words, config_after, pods_after) in cases {
        let as_is = folder(&config(), PODS);
        let set: Vec<&str> = words.iter().flat_map(|word| ["--set", word]).collect();
        let written = folder(&config_after, &pods_after);
        assert_eq!(pods(&set, as_is.path()), pods(&[], written.path()), "{words:?}");
    }
}

#[test]
fn the_reports_say_what_was_asked() {
    let folder = folder(&config(), PODS);
    let set = ["--set", "hypervisor.qemu.default_vcpus=4"];
    let (said, ..) = with_its_files(folder.path(), &["check", set[0], set[1]]);
    assert!(said.contains("\nwhat if hypervisor.qemu.default_vcpus=4\n"), "{said}");
    let (said, ..) = with_its_files(folder.path(), &["show", "config", set[0], set[1]]);
    let line = said.lines().find(|line| line.contains("default_vcpus ")).unwrap();
    assert!(line.ends_with("= 4.0  # what if"), "{line}");
    let (said, _, status) = with_its_files(folder.path(), &["diff", set[0], set[1]]);
    assert_eq!(status, 1);
    assert!(said.contains("+ candidate") && said.contains("with hypervisor.qemu.default_vcpus=4"), "{said}");
    assert!(said.contains("hypervisor.qemu.default_vcpus") && said.contains("-smp"), "{said}");
}

#[test]
fn what_cannot_be_meant_is_told() {
    let folder = folder(&config(), PODS);
    for (word, why) in [
        ("hypervisor.qemu.defualt_vcpus=4", "did you mean hypervisor.qemu.default_vcpus?"),
        ("hypervisor.qemu.default_vcpus=four", "'four' is not what the key takes: a number"),
        ("hypervisor.clh.default_vcpus=4", "there is [hypervisor.qemu]"),
        ("limits.e.cpu=4", "none of these pods has a place for it"),
        ("handler=kata-clh", "one configuration judges all pods"),
        ("host.cpu=4", "did you mean host.cpus?"),
        ("default_vcpus", "write KEY=VALUE"),
    ] {
        let (_, error, status) = with_its_files(folder.path(), &["check", "--set", word]);
        assert!(status == 2 && error.contains(why), "{word}: {error}");
    }
}

#[test]
fn the_change_is_written_where_it_is_asked_for() {
    let folder = folder(&config(), PODS);
    let words = [
        "check",
        "--set",
        "hypervisor.qemu.default_vcpus=4",
        "--set",
        "hypervisor.qemu.machine_type=pc",
        "--write-drop-in",
        "d.toml",
        "--write-patch",
        "p.patch",
    ];
    with_its_files(folder.path(), &words);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("d.toml"), "[hypervisor.qemu]\ndefault_vcpus = 4\nmachine_type = \"pc\"\n");
    let patch = read("p.patch");
    assert!(patch.contains("-machine_type = \"q35\"\n+machine_type = \"pc\"\n"), "{patch}");
    assert!(patch.contains("+default_vcpus = 4\n"), "{patch}");
    // Nothing is written over, and nothing else was.
    let (_, error, status) = with_its_files(folder.path(), &words);
    assert!(status == 2 && error.contains("d.toml"), "{error}");
    assert_eq!(read("c.toml"), config());
}
