//! Input that means harm or is none, through the program itself: what is no file, what has no end, what is
//! nested, repeated or long beyond reason, and text that would act on whoever reads a report.

use std::path::{Path, PathBuf};
use std::process::Command;

use katascope::report::escape::is_hostile;
use serde_json::{Value as Json, json};

use crate::support::{QEMU, QEMU_NAMES};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sample/configuration.toml");
const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n";

struct Said {
    status: i32,
    out: String,
    err: String,
}

fn katascope(dir: &Path, args: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_katascope"))
        .args(args)
        .env_clear()
        .env("TERM", "dumb")
        .current_dir(dir)
        .output()
        .unwrap();
    let said = Said {
        status: output.status.code().unwrap_or_else(|| panic!("{args:?} was killed: {output:?}")),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
    said
}

/// A folder with everything in it that is no file.
fn oddities() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::os::unix::fs::symlink("loop", path("loop")).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
    std::fs::File::create(path("endless")).unwrap().set_len(1 << 40).unwrap();
    std::fs::write(path("latin1"), b"# caf\xe9\n").unwrap();
    std::fs::write(path("pod.yaml"), POD).unwrap();
    dir
}

const ODD: [&str; 7] = ["fifo", "loop", "folder", "zero", "endless", "latin1", "missing"];

#[test]
fn what_is_no_file_is_named_and_ends_the_work() {
    let dir = oddities();
    for odd in ODD {
        for args in [
            &["check", "-c", odd, "pod.yaml"][..],
            &["check", "-c", CONFIG, "--kubelet", odd, "pod.yaml"],
            &["check", "-c", CONFIG, "--host", odd, "pod.yaml"],
            &["show", "launch", "-c", odd, "pod.yaml"],
            &["explain", "default_memory", "-c", odd],
            &["policy", "audit", "-c", odd],
            &["policy", "allow", "^a$", "-c", odd],
            &["which", "--cri-config", odd],
        ] {
            let said = katascope(dir.path(), args);
            assert_eq!(said.status, 2, "{args:?}: {} {}", said.out, said.err);
            assert!(
                said.err.contains(odd) || odd == "zero" && said.err.contains("/dev/zero"),
                "{args:?}: {}",
                said.err
            );
        }
        // What the container runtime cannot read keeps every pod from starting.
        for cri in ["containerd", "crio"] {
            let args = ["check", "-c", CONFIG, "--cri", cri, "--cri-config", odd, "pod.yaml"];
            let said = katascope(dir.path(), &args);
            if matches!(odd, "loop" | "missing") {
                // What cannot be found at all is no finding about pods.
                assert_eq!((said.status, said.out.as_str()), (2, ""), "{args:?}: {}", said.err);
                continue;
            }
            assert_eq!(said.status, 1, "{args:?}: {} {}", said.out, said.err);
            assert!(said.out.contains("REFUSED"), "{args:?}: {}", said.out);
        }
    }
}

#[test]
fn a_manifest_may_be_a_pipe_but_has_to_end() {
    let dir = oddities();
    for (odd, why) in [
        ("loop", "levels of symbolic links"),
        ("folder", "no manifest in this folder"),
        ("zero", "control characters are not allowed"),
        ("endless", "control characters are not allowed"),
        ("missing", "No such file"),
    ] {
        let said = katascope(dir.path(), &["check", "-c", CONFIG, odd]);
        assert_eq!(said.status, 2, "{odd}: {}", said.out);
        assert!(said.err.contains(why), "{odd}: {}", said.err);
    }
    let fifo = dir.path().join("fifo");
    let writer = std::thread::spawn(move || std::fs::write(fifo, POD));
    let said = katascope(dir.path(), &["check", "-c", CONFIG, "fifo"]);
    writer.join().unwrap().unwrap();
    assert!(said.out.contains("default/a"), "{}{}", said.out, said.err);
}

#[test]
fn a_folder_of_manifests_has_files_in_it() {
    let dir = oddities();
    let folder = dir.path().join("folder");
    std::fs::create_dir(folder.join("sub.yaml")).unwrap();
    std::fs::write(folder.join("a.yaml"), POD).unwrap();
    let said = katascope(dir.path(), &["check", "-c", CONFIG, "folder"]);
    assert!(said.out.contains("1 pod:"), "{}{}", said.out, said.err);
    std::fs::rename(dir.path().join("fifo"), folder.join("b.yaml")).unwrap();
    let said = katascope(dir.path(), &["check", "-c", CONFIG, "folder"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("folder/b.yaml: not a regular file"), "{}", said.err);
}

#[test]
fn drop_ins_that_are_no_files_do_not_hold_the_program_up() {
    let dir = oddities();
    let config_d = dir.path().join("config.d");
    std::fs::create_dir(&config_d).unwrap();
    std::fs::copy(CONFIG, dir.path().join("configuration.toml")).unwrap();
    for odd in ODD {
        std::os::unix::fs::symlink(dir.path().join(odd), config_d.join("a.toml")).unwrap();
        for runtime in ["go", "rs"] {
            let args = ["check", "--runtime", runtime, "-c", "configuration.toml", "pod.yaml"];
            assert_eq!(katascope(dir.path(), &args).status, 1, "{odd} {runtime}");
        }
        std::fs::remove_file(config_d.join("a.toml")).unwrap();
    }
}

/// Every reader of TOML is given `text`; its answer is a status, not a stack overflow or a long wait.
fn toml_everywhere(text: &str) {
    let dir = oddities();
    std::fs::write(dir.path().join("x.toml"), text).unwrap();
    for args in [
        &["check", "--runtime", "rs", "-c", "x.toml", "pod.yaml"][..],
        &["check", "--runtime", "go", "-c", "x.toml", "pod.yaml"],
        &["check", "--runtime", "go", "--kata-version", "2.1", "-c", "x.toml", "pod.yaml"],
        &["policy", "audit", "-c", "x.toml"],
        &["policy", "allow", "--dry-run", "^a$", "-c", "x.toml"],
        &["check", "-c", CONFIG, "--host", "x.toml", "pod.yaml"],
        &["check", "-c", CONFIG, "--cri", "containerd", "--cri-config", "x.toml", "pod.yaml"],
        &["check", "-c", CONFIG, "--cri", "crio", "--cri-config", "x.toml", "pod.yaml"],
    ] {
        let said = katascope(dir.path(), args);
        assert!((0..=2).contains(&said.status), "{args:?}: {}", said.err);
    }
}

#[test]
fn nesting_in_toml_is_bounded() {
    toml_everywhere(&format!("[hypervisor.qemu]\nx = {}", "[".repeat(50_000)));
    toml_everywhere(&format!("x = {}1{}\n", "{a=".repeat(50_000), "}".repeat(50_000)));
    toml_everywhere(&format!("[hypervisor.qemu{}]\n", ".a".repeat(50_000)));
    toml_everywhere(&format!("a{} = 1\n", ".a".repeat(50_000)));
}

#[test]
fn nesting_and_aliases_in_yaml_are_bounded() {
    let dir = oddities();
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ('b'..='k').zip('a'..) {
        let aliases = vec![format!("*{before}"); 9].join(",");
        bomb += &format!("{name}: &{name} [{aliases}]\n");
    }
    for (text, why) in [
        ("[".repeat(50_000), "nested deeper than 200 levels"),
        ("{\"a\":".repeat(50_000), "nested deeper than 200 levels"),
        ("- ".repeat(5_000), "nested deeper than 200 levels"),
        (bomb, "document contains excessive aliasing"),
        ("kind: Pod\0\n".to_owned(), "control characters are not allowed"),
    ] {
        std::fs::write(dir.path().join("x.yaml"), &text).unwrap();
        for args in [
            &["check", "-c", CONFIG, "x.yaml"][..],
            &["check", "-c", CONFIG, "--kubelet", "x.yaml", "pod.yaml"],
        ] {
            let said = katascope(dir.path(), args);
            assert_eq!(said.status, 2, "{args:?} {why}");
            assert!(said.err.contains(why) && said.err.contains("x.yaml:"), "{args:?}: {}", said.err);
        }
    }
}

#[test]
fn patterns_of_any_number_and_length_have_an_answer() {
    let text = std::fs::read_to_string(CONFIG).unwrap();
    let entry = "\"^path$\",";
    assert!(text.contains(entry));
    let many: String = (0..500).map(|i| format!("\"x{i}.*\",")).collect();
    for patterns in [
        many,
        format!("\"{}\",", "a".repeat(1 << 20)),
        "\"((a{100}){100}){100}\",".to_owned(),
        format!("\"{}a{}\",", "(".repeat(20_000), ")".repeat(20_000)),
    ] {
        let dir = oddities();
        std::fs::write(dir.path().join("x.toml"), text.replace(entry, &patterns)).unwrap();
        for runtime in ["go", "rs"] {
            let args = ["check", "--runtime", runtime, "--files", "check", "-c", "x.toml", "pod.yaml"];
            assert_eq!(katascope(dir.path(), &args).status, 1);
        }
        assert_eq!(katascope(dir.path(), &["policy", "audit", "-c", "x.toml"]).status, 0);
    }
}

#[test]
fn a_list_that_only_yaml_takes_has_each_pod_once() {
    let dir = oddities();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "c", "image": "i"}]}});
    std::fs::write(
        dir.path().join("x.json"),
        format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{pod},]}}"),
    )
    .unwrap();
    let said = katascope(dir.path(), &["check", "-c", CONFIG, "x.json"]);
    assert!(said.out.contains("1 pod:"), "{}{}", said.out, said.err);
}

/// What acts on a terminal, hides, turns lines around, or cannot be.
const NASTY: &str =
    "n\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{7f}\u{0}\u{85}\u{feff}\r\n<&\">";

fn readable(what: &str, text: &str) {
    let bad = text.chars().find(|c| *c != '\n' && is_hostile(*c));
    assert_eq!(bad, None, "{what} shows it raw: {text:?}");
}

#[test]
fn no_field_of_any_report_acts_on_its_reader() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let folder = path("d\u{202e}\u{1b}[1m");
    std::fs::create_dir(&folder).unwrap();
    let (pods, spec): (PathBuf, PathBuf) = (folder.join("p\u{9b}.json"), folder.join("spec.json"));
    let kata = "io.katacontainers.config.hypervisor";
    let pod = json!({"apiVersion": NASTY, "kind": "Pod", "metadata": {"name": NASTY, "namespace": NASTY, "uid": NASTY,
            "labels": {NASTY: NASTY},
            "annotations": {NASTY: NASTY, format!("{kata}.path"): NASTY, format!("{kata}.kernel_params"): NASTY,
                format!("{kata}.{NASTY}"): "1", "io.katacontainers.config.agent.policy": NASTY}},
        "spec": {"runtimeClassName": NASTY, "containers": [{"name": NASTY, "image": "i",
            "resources": {"limits": {"cpu": NASTY, NASTY: "1"}}}]}});
    let mut typed = pod.clone();
    typed["apiVersion"] = "v1".into();
    std::fs::write(&pods, typed.to_string()).unwrap();
    let untyped = folder.join("untyped.json");
    std::fs::write(&untyped, pod.to_string()).unwrap();
    let spec_text = json!({"ociVersion": NASTY, "hostname": NASTY, "annotations": {
        "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-name": NASTY,
        format!("{kata}.kernel_params"): NASTY, format!("{kata}.machine_accelerators"): NASTY,
        format!("{kata}.path"): NASTY, NASTY: NASTY}});
    std::fs::write(&spec, spec_text.to_string()).unwrap();
    let starts = folder.join("starts.json");
    let spec_text = json!({"ociVersion": "1.1.0", "hostname": NASTY, "annotations": {
        "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-name": NASTY,
        format!("{kata}.kernel_params"): "a=\u{9b}\u{202e}"}});
    std::fs::write(&starts, spec_text.to_string()).unwrap();
    let root = path("root");
    for file in [
        "bin/qemu-system-x86_64",
        "libexec/virtiofsd",
        "share/kata-containers/vmlinux.container",
        "share/kata-containers/kata-containers.img",
    ] {
        let file = root.join("opt/kata").join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "x").unwrap();
    }
    let root = root.to_str().unwrap();
    // TOML holds no control character raw, but all of them escaped.
    let toml_text = NASTY.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect::<String>();
    let config = folder.join("c\u{202e}.toml");
    let text = std::fs::read_to_string(CONFIG).unwrap();
    let text = text.replace(
        "\"^path$\",",
        &format!("\"^path$\", \"^kernel_params$\", \"{toml_text}\", # \u{202e}\u{9b}"),
    );
    let text = text.replace("kernel_params = \"quiet\"", &format!("kernel_params = \"{toml_text}\""));
    std::fs::write(&config, text).unwrap();
    let (config, pods, spec) = (config.to_str().unwrap(), pods.to_str().unwrap(), spec.to_str().unwrap());
    let mut launches = 0;
    for input in [pods, spec, starts.to_str().unwrap()] {
        for runtime in ["go", "rs"] {
            for rest in [
                &["check", "-o", "text"][..],
                &["check", "-o", "json", "--full"],
                &["check", "-o", "sarif"],
                &["check", "-o", "junit"],
                &["show", "annotations"],
                &["show", "launch"],
                &["show", "config"],
                &["show", "agent"],
                &["show", "sizing"],
                &["show", "launch", "--json"],
                &["diff", "--with", "pod=none"],
                &["diff", "--with", "kata-version=2.1", "--json"],
                &["policy", "suggest"],
            ] {
                let mut args = rest.to_vec();
                args.extend(["--runtime", runtime, "--root", root, "-c", config, input]);
                let said = katascope(dir.path(), &args);
                readable(&format!("{args:?}"), &said.out);
                readable(&format!("{args:?} on standard error"), &said.err);
                let json = rest.contains(&"json") || rest.contains(&"--json") || rest.contains(&"sarif");
                if json && !said.out.is_empty() {
                    let _: Json = serde_json::from_str(&said.out).unwrap();
                }
                launches += usize::from(rest[..] == ["show", "launch"] && said.out.contains("\\u{9b}"));
            }
        }
    }
    assert!(launches > 0, "no launch shows the hostile argument");
    for args in [
        &["explain", "n\u{1b}[31m\u{202e}"][..],
        &["check", "-c", config, untyped.to_str().unwrap()],
        &["explain", "annotation n\u{1b}[31m\u{202e} is not enabled"],
        &["policy", "audit", "-c", config],
        &["policy", "audit", "--json", "-c", config],
        &["which", "--cri-config", config],
        &["check", "-c", pods, spec],
        &["check", "-c", config, "--kubelet", config, pods],
        &["check", "-c", config, "--host", config, pods],
        &["check", "-c", config, "--pod", "\u{1b}[31m\u{202e}", pods],
        &["check", "-c", config, "n\u{1b}\u{9b}\u{202e}"],
    ] {
        let said = katascope(dir.path(), args);
        readable(&format!("{args:?}"), &said.out);
        readable(&format!("{args:?} on standard error"), &said.err);
    }
}

#[test]
fn a_password_of_the_configuration_is_in_no_report() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{QEMU}{QEMU_NAMES}jaeger_password = \"sesame\"\n");
    // The files that the configuration names.
    for path in text.split('"').filter(|word| word.starts_with('/') && !word.contains('*')) {
        let path = dir.path().join("root").join(&path[1..]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::fs::write(dir.path().join("host.toml"), "vhost_vsock = true\ncpus = 4\nmemory_mib = 8192\n")
        .unwrap();
    std::fs::write(dir.path().join("c.toml"), text).unwrap();
    std::fs::write(dir.path().join("pod.yaml"), POD).unwrap();
    let mut hidden = 0;
    for (runtime, version) in [("rs", "4.1"), ("go", "4.1"), ("go", "2.1")] {
        let host = ["--root", "root", "--host", "host.toml"];
        let setup = ["--runtime", runtime, "--kata-version", version, "-c", "c.toml", "pod.yaml"];
        let shared = [&host[..], &setup].concat();
        for command in [&["show", "config"][..], &["check", "-o", "json"], &["diff"]] {
            let more: &[&str] = if command == ["diff"] { &["--with", "pod=none"] } else { &[] };
            let said = katascope(dir.path(), &[command, more, &shared].concat());
            assert!(said.status < 2, "{command:?}: {}", said.err);
            assert!(!said.out.contains("sesame") && !said.err.contains("sesame"), "{runtime} {command:?}");
            hidden += said.out.matches("(hidden)").count();
        }
    }
    // That there is one is shown.
    assert_eq!(hidden, 3);
}

/// All but labels took time by the square of their number once.
#[test]
fn a_pod_may_have_any_number_of_everything() {
    const MANY: usize = 30_000;
    let dir = tempfile::tempdir().unwrap();
    let named = |prefix: &str| -> Json { (0..MANY).map(|i| (format!("{prefix}{i}"), json!("1"))).collect() };
    let container = |name: &str, resources: Json| json!({"name": name, "image": "i", "resources": resources});
    let containers: Vec<Json> = (0..MANY).map(|i| container(&format!("c{i}"), json!({}))).collect();
    let volumes: Vec<Json> = (0..MANY).map(|i| json!({"name": format!("v{i}")})).collect();
    let mounts: Vec<Json> =
        (0..MANY).map(|i| json!({"name": format!("v{i}"), "mountPath": format!("/{i}")})).collect();
    let one = [container("c", json!({}))];
    let pod = |metadata: Json, spec: Json| json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    let kata = "io.katacontainers.config.hypervisor.x";
    let refused = "metadata.annotations: Too long: may not be more than 262144 bytes";
    for (name, object, says) in [
        (
            "annotations",
            pod(json!({"name": "a", "annotations": named("annotation-")}), json!({"containers": one})),
            refused,
        ),
        ("kata", pod(json!({"name": "a", "annotations": named(kata)}), json!({"containers": one})), refused),
        ("labels", pod(json!({"name": "a", "labels": named("a")}), json!({"containers": one})), "starts"),
        ("containers", pod(json!({"name": "a"}), json!({"containers": containers})), "starts"),
        (
            "resources",
            pod(
                json!({"name": "a"}),
                json!({"containers": [container("c", json!({"limits": named("a.io/r"), "requests": named("a.io/s")}))]}),
            ),
            "Limit must be set for non overcommitable resources",
        ),
        (
            "volumes",
            pod(
                json!({"name": "a"}),
                json!({"volumes": volumes, "containers": [{"name": "c", "image": "i", "volumeMounts": mounts}]}),
            ),
            "starts",
        ),
        (
            "OCI",
            json!({"ociVersion": "1.1.0", "annotations": named(kata)}),
            "30000 annotations without effect",
        ),
    ] {
        let file = dir.path().join(format!("{name}.json"));
        std::fs::write(&file, object.to_string()).unwrap();
        for args in [&["check"][..], &["diff", "--with", "kata-version=4.0"]] {
            let file = file.to_str().unwrap();
            let said = katascope(dir.path(), &[args, &["-c", CONFIG, "--runtime", "rs", file]].concat());
            assert!(said.status < 2, "{name} {args:?}: {}", said.err);
            assert!(args[0] != "check" || said.out.contains(says), "{name}: {:.2000}", said.out);
        }
    }
}
