//! A configuration looked at away from its host: what is taken for granted, what is not, and how it is marked.

use std::path::Path;

use serde_json::Value;

use crate::support::katascope;

const GO: &str = r#"
[hypervisor.qemu]
path = "/srv/none/bin/qemu-system-x86_64"
kernel = "/srv/none/vmlinux"
image = "/srv/none/kata.img"
machine_type = "q35"
enable_annotations = ["path", "image.*", "virtio_fs_daemon", "default_.*"]
valid_hypervisor_paths = ["/srv/none/bin/q*", "/usr/local/bin/qemu"]
valid_virtio_fs_daemon_paths = ["/srv/none/virtiofsd"]
shared_fs = "virtio-fs"
virtio_fs_daemon = "/srv/none/virtiofsd"
default_memory = 2048

[agent.kata]

[runtime]
"#;

fn pod(name: &str, annotations: &[(&str, &str)]) -> String {
    let lines: String = annotations
        .iter()
        .map(|(key, value)| format!("    io.katacontainers.config.hypervisor.{key}: {value:?}\n"))
        .collect();
    let annotations = if lines.is_empty() { String::new() } else { format!("  annotations:\n{lines}") };
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n{annotations}spec:\n  runtimeClassName: kata\n  \
         containers: [{{name: c, image: x}}]\n---\n"
    )
}

fn folder(config: &str, pods: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    std::fs::write(folder.path().join("pods.yaml"), pods.concat()).unwrap();
    folder
}

fn report(folder: &Path, more: &[&str]) -> Value {
    let mut args = vec!["check", "-c", "c.toml", "pods.yaml", "--runtime", "go", "--json"];
    args.extend(more);
    let (out, err, _) = katascope(folder, &args);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn nothing_is_refused_because_a_desk_has_no_qemu() {
    let folder = folder(GO, &[pod("bare", &[]), pod("sized", &[("default_memory", "4096")])]);
    let report = report(folder.path(), &[]);
    for pod in report["pods"].as_array().unwrap() {
        assert_eq!(pod["outcome"], "starts", "{pod}");
        let assumed = texts(&pod["assumed"]);
        for file in ["bin/qemu-system-x86_64", "vmlinux", "kata.img", "virtiofsd"] {
            assert!(assumed.contains(&format!("/srv/none/{file} is there").as_str()), "{assumed:?}");
        }
        assert!(assumed.contains(&"/dev/vhost-vsock is there"), "{assumed:?}");
    }
    assert_eq!(report["policy"]["assumed"], report["pods"][0]["assumed"]);
}

#[test]
fn what_is_looked_for_is_not_assumed() {
    let folder = folder(GO, &[pod("bare", &[])]);
    for more in [&["--files", "check"][..], &["--root", "."]] {
        let report = report(folder.path(), more);
        assert_eq!(report["pods"][0]["outcome"], "refused", "{more:?}");
        // A copied root tells nothing of the machine.
        let assumed = texts(&report["pods"][0]["assumed"]);
        assert!(!assumed.iter().any(|what| what.contains('/')), "{more:?} {assumed:?}");
        let message = report["pods"][0]["error"]["message"].as_str().unwrap();
        assert!(message.contains("/srv/none/bin/qemu-system-x86_64 does not exist"), "{message}");
    }
}

#[test]
fn a_file_that_is_here_makes_this_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("vmlinux");
    std::fs::write(&kernel, "x").unwrap();
    let config = GO.replace("/srv/none/vmlinux", kernel.to_str().unwrap());
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    std::fs::write(folder.path().join("pods.yaml"), pod("bare", &[])).unwrap();
    assert_eq!(report(folder.path(), &[])["pods"][0]["outcome"], "refused");
    assert_eq!(report(folder.path(), &["--files", "assume"])["pods"][0]["outcome"], "starts");
}

/// A tree that holds some of the files: those are looked at, the others assumed.
#[test]
fn of_a_tree_that_is_not_whole_only_the_rest_is_assumed() {
    let folder = folder(GO, &[pod("bare", &[])]);
    std::fs::create_dir_all(folder.path().join("srv/none")).unwrap();
    std::fs::write(folder.path().join("srv/none/vmlinux"), "x").unwrap();
    let report = report(folder.path(), &["--root", ".", "--files", "assume"]);
    assert_eq!(report["pods"][0]["outcome"], "starts", "{report}");
    let assumed = texts(&report["pods"][0]["assumed"]);
    assert!(assumed.contains(&"/srv/none/kata.img is there"), "{assumed:?}");
    assert!(!assumed.contains(&"/srv/none/vmlinux is there"), "{assumed:?}");
}

#[test]
fn go_globs_and_digests_rest_on_what_they_name() {
    let listed =
        pod("listed", &[("path", "/srv/none/bin/qemu-new"), ("image", "/srv/i"), ("image_hash", "ab")]);
    let other = pod("other", &[("path", "/usr/bin/qemu")]);
    let up = pod("up", &[("path", "/srv/none/bin/../bin/qemu")]);
    let folder = folder(GO, &[listed, other, up]);
    let report = report(folder.path(), &[]);
    let pods = report["pods"].as_array().unwrap();
    assert_eq!(pods[0]["outcome"], "starts", "{}", pods[0]);
    let verdicts = pods[0]["annotations"].as_array().unwrap();
    let of = |name: &str| verdicts.iter().find(|v| v["key"].as_str().unwrap().ends_with(name)).unwrap();
    assert_eq!(of(".path")["assumed"], "/srv/none/bin/qemu-new is there");
    assert_eq!(of(".image_hash")["assumed"], "/srv/i has the digest that is asked for");
    for pod in &pods[1..] {
        assert_eq!(pod["outcome"], "refused", "no file makes the glob fit: {pod}");
        let assumed = texts(&pod["assumed"]);
        assert!(!assumed.iter().any(|text| text.starts_with("/usr/bin/qemu ")), "{assumed:?}");
    }
}

#[test]
fn the_text_says_once_what_all_pods_rest_on() {
    let folder = folder(GO, &[pod("a", &[]), pod("b", &[]), pod("c", &[("image", "/srv/other.img")])]);
    let (out, _, status) =
        katascope(folder.path(), &["check", "-c", "c.toml", "pods.yaml", "--runtime", "go"]);
    assert_eq!(status, 0, "{out}");
    let marked = |line: &&str| line.starts_with("starts ") && line.ends_with("≈ assumed");
    assert_eq!(out.lines().filter(marked).count(), 1, "the one that rests on more: {out}");
    let all = "≈ assumed, since the host's files cannot be looked at here: these 5 files are there: ";
    assert_eq!(out.lines().filter(|line| line.starts_with(all)).count(), 1, "{out}");
    assert!(out.contains("≈ assumed besides: /srv/other.img is there"), "{out}");
}

/// The network card that is assumed where nobody says anything changes no outcome: it is told, and marks nothing.
#[test]
fn an_assumed_network_marks_no_pod() {
    let folder = folder(&GO.replace("/srv/none", "/srv/root"), &[pod("a", &[])]);
    for file in ["bin/qemu-system-x86_64", "vmlinux", "kata.img", "virtiofsd"] {
        let path = folder.path().join("root/srv/root").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    let host = "arch = \"x86_64\"\ncpus = 4\nmemory_mib = 8192\nnested = false\nprotection = \"none\"\n\
                vhost_vsock = true\nhugepages = false\n";
    std::fs::write(folder.path().join("h.toml"), host).unwrap();
    let args =
        ["check", "-c", "c.toml", "pods.yaml", "--runtime", "go", "--root", "root", "--host", "h.toml"];
    let (out, err, _) = katascope(folder.path(), &args);
    assert!(
        out.contains(
            "≈ assumed, since nobody said otherwise: the pod has one network interface, the veth eth0"
        ),
        "{out}{err}"
    );
    assert!(!out.lines().any(|line| line.starts_with("starts ") && line.contains('≈')), "{out}");
}

/// A file of one runtime under the other's flag is named with what to pass, whether it loads there or not.
#[test]
fn a_file_of_the_other_runtime_is_named() {
    let rs = format!("{GO}name = \"virt_container\"\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"\n");
    // The second loads under runtime-rs, says nothing of its own, and starts nothing there.
    let plain = "[hypervisor.qemu]\npath = \"/srv/none/q\"\nkernel = \"/srv/none/k\"\nimage = \"/srv/none/i\"\n\
                 [agent.kata]\n[runtime]\n";
    for (text, own, other) in [(GO, "go", "rs"), (plain, "go", "rs"), (&*rs, "rs", "go")] {
        let folder = folder(text, &[pod("a", &[])]);
        let (out, err, _) =
            katascope(folder.path(), &["check", "-c", "c.toml", "pods.yaml", "--runtime", other, "--json"]);
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
        let findings = report["pods"][0]["findings"].as_array().unwrap();
        let named = findings.iter().find(|finding| finding["code"] == "other-runtimes-file");
        let named = named.unwrap_or_else(|| panic!("{own} under {other}: {report:#}"));
        let fix = format!("judge it with --runtime {own}");
        assert!(named["fix"].as_str().unwrap().contains(&fix), "{named}");
    }
}

/// Under another release than those that it looks like, a file is named with what to pass, where it does not load there
/// and where it starts nothing.
#[test]
fn a_file_of_another_release_is_named() {
    let rs = format!("{GO}name = \"virt_container\"\nhypervisor_name = \"qemu\"\nagent_name = \"kata\"\n");
    let reads_past = rs.replace("[agent.kata]\n", "[agent.kata]\ndial_timeout = 45\n");
    let clh = rs.replace("hypervisor.qemu", "hypervisor.clh").replace("\"qemu\"", "\"clh\"");
    let pc = GO.replace("\"q35\"", "\"pc\"");
    for (text, runtime, judged, looks, fix) in [
        (&reads_past, "rs", "4.1.0", "agent.kata.dial_timeout is unknown", "3.28.0"),
        (&clh, "rs", "3.12.0", "[hypervisor.clh] is unknown", "4.1.0"),
        (&pc, "go", "3.20.0", "fits Kata 2.0.0 to 2.1.1, and starts nothing here", "2.1.1"),
    ] {
        let folder = folder(text, &[pod("a", &[])]);
        let args = ["check", "-c", "c.toml", "pods.yaml", "--json", "--runtime", runtime, "--kata-version"];
        let (out, err, _) = katascope(folder.path(), &[&args[..], &[judged]].concat());
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
        let findings = report["pods"][0]["findings"].as_array().unwrap();
        let named = findings.iter().find(|finding| finding["code"] == "other-releases-file");
        let named = named.unwrap_or_else(|| panic!("{runtime} {judged}: {report:#}"));
        assert!(named["message"].as_str().unwrap().contains(looks), "{named}");
        assert_eq!(named["fix"], format!("judge it with --kata-version {fix}"), "{named}");
    }
}

/// Files in the form of 2.1 are judged as what they look like, with a word about it, and refuse nobody.
#[test]
fn a_file_of_an_old_release_is_known_by_its_look() {
    let tables = [
        ("qemu", "machine_type = \"pc\"\nenable_swap = true\n"),
        ("clh", "virtio_fs_daemon = \"/srv/none/virtiofsd\"\n"),
        ("firecracker", ""),
        ("acrn", "ctlpath = \"/srv/none/acrnctl\"\n"),
    ];
    for (name, own) in tables {
        let config = format!(
            "[hypervisor.{name}]\npath = \"/srv/none/bin/{name}\"\nkernel = \"/srv/none/vmlinuz\"\n\
             image = \"/srv/none/kata.img\"\n{own}[factory]\n[agent.kata]\n[netmon]\nenable_netmon = false\n\
             path = \"/srv/none/kata-netmon\"\n[runtime]\ninternetworking_model = \"tcfilter\"\n"
        );
        let folder = folder(&config, &[pod("a", &[]), pod("b", &[("default_memory", "1024")])]);
        let (out, err, _) = katascope(folder.path(), &["check", "-c", "c.toml", "pods.yaml", "--json"]);
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
        // A machine type narrows it further.
        let release = if name == "qemu" { "go-2.1.1" } else { "go-2.3.3" };
        assert_eq!(
            (&report["policy"]["release"], &report["policy"]["known_by"]),
            (&release.into(), &"file".into()),
            "{name}"
        );
        let note = report["policy"]["release_note"].as_str().unwrap();
        assert!(note.contains("the newest release that") && note.contains("--kata-version"), "{note}");
        let pods = report["pods"].as_array().unwrap();
        assert!(
            pods.iter().all(|pod| pod["error"]["stage"] != "load" && pod["error"]["stage"] != "launch"),
            "{name}: {report:#}"
        );
        assert_eq!(pods[0]["outcome"], "starts", "{name}: {report:#}");
    }
}

#[test]
fn an_unknown_size_is_no_number() {
    let folder = folder(GO, &[pod("a", &[])]);
    let (out, err, status) =
        katascope(folder.path(), &["show", "launch", "-c", "c.toml", "pods.yaml", "--runtime", "go"]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("mem-path=/srv/none/kata.img,size={image-size},readonly=on"), "{out}");
    assert!(err.contains("≈ assumed"), "{err}");
}

/// A confidential guest is judged on the hardware that it is made for.
#[test]
fn the_hardware_is_assumed_too() {
    let config = GO.replace(
        "default_memory",
        "confidential_guest = true\nfirmware = \"/srv/none/OVMF\"\ndefault_memory",
    );
    let folder = folder(&config, &[pod("a", &[])]);
    let tdx = report(folder.path(), &[]);
    assert_eq!(tdx["pods"][0]["outcome"], "starts", "{tdx}");
    assert!(texts(&tdx["pods"][0]["assumed"]).contains(&"the host has Intel TDX"));
    std::fs::write(folder.path().join("h.toml"), "protection = \"none\"\nvhost_vsock = false\n").unwrap();
    let said = report(folder.path(), &["--host", "h.toml"]);
    assert_eq!(said["pods"][0]["outcome"], "refused", "what is said is not assumed: {said}");
}

#[test]
fn a_desk_with_few_cpus_refuses_no_pod_that_asks_for_many() {
    let folder = folder(GO, &[pod("large", &[("default_vcpus", "200")]), pod("small", &[])]);
    let unsaid = report(folder.path(), &[]);
    let (large, small) = (&unsaid["pods"][0], &unsaid["pods"][1]);
    assert_eq!(large["outcome"], "starts", "{large}");
    assert!(texts(&large["assumed"]).contains(&"the host has at least 200 CPUs"), "{large}");
    assert!(!texts(&large["assumed"]).iter().any(|text| text.contains("MiB") && text.contains("CPUs")));
    assert!(!texts(&small["assumed"]).iter().any(|text| text.contains("at least")), "{small}");
    let codes = |pod: &Value| {
        pod["findings"].as_array().unwrap().iter().map(|f| f["code"].to_string()).collect::<Vec<_>>()
    };
    assert!(!codes(large).iter().any(|code| code.contains("larger-than-host")), "{large}");
    let said = report(folder.path(), &["--cpus", "8"]);
    assert_eq!(said["pods"][0]["outcome"], "refused", "what is said is not assumed: {said}");
}

#[test]
fn a_shut_name_and_a_value_that_cannot_pass_are_told_together() {
    let config = GO.replace("\"default_.*\"", "\"kernel\"");
    let folder = folder(&config, &[pod("large", &[("default_vcpus", "64")])]);
    let said = report(folder.path(), &["--cpus", "8"]);
    let fix = said["pods"][0]["findings"][0]["fix"].as_str().unwrap();
    assert!(fix.starts_with("write \"8\", and add \"^default_vcpus$\" to [hypervisor.qemu]"), "{fix}");
}
