//! The schemas that are printed: every report is held against its own, and configurations against that of their
//! release, with a slip in each key in turn.

use assert_cmd::Command;
use katascope::catalog;
use katascope::release::{Release, Runtime};
use katascope::report::schema;
use serde_json::Value as Json;

use crate::support::{QEMU, QEMU_NAMES};

fn validator(schema: &Json) -> jsonschema::Validator {
    jsonschema::validator_for(schema).unwrap()
}

fn run(words: &[&str]) -> String {
    let output = Command::cargo_bin("katascope").unwrap().args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_output_has_its_schema() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sample");
    let config = format!("{sample}/configuration.toml");
    let pods = format!("{sample}/pods.yaml");
    let containerd = format!("{sample}/containerd.toml");
    let with = |words: &[&str]| run(&[words, &["-c", &config, "--json"]].concat());
    let dir = tempfile::tempdir().unwrap();
    let node = dir.path().join("n1");
    for (path, text) in [
        ("etc/containerd/config.toml", std::fs::read_to_string(&containerd).unwrap()),
        ("etc/kata-containers/configuration.toml", std::fs::read_to_string(&config).unwrap()),
        ("opt/kata/VERSION", "3.19.1\n".to_owned()),
        ("proc/4242/cmdline", "/opt/kata/bin/qemu-system-x86_64\0-name\0sandbox-blue\0".to_owned()),
        ("proc/4242/stat", "1 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1000 0 0".to_owned()),
        ("proc/stat", "cpu 1\nbtime 1700000000\n".to_owned()),
    ] {
        let path = node.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let node = node.to_str().unwrap();
    for (name, text) in schema::OUTPUTS {
        let document: Json = serde_json::from_str(text).unwrap();
        assert_eq!(run(&["schema", name]), text);
        let printed = match name.split_once('-') {
            _ if name == "check" => with(&["check", &pods]),
            _ if name == "which" => run(&["which", "--cri-config", &containerd, "--json"]),
            _ if name == "check-nodes" => run(&["check", "--node", node, "--node", node, &pods, "--json"]),
            _ if name == "live" => run(&["live", "--root", node, "--json"]),
            _ if name == "upgrade" => with(&["upgrade", "--to", "3.32", &pods]),
            _ if name == "show-initdata" => {
                let text = "version = \"0.1.0\"\nalgorithm = \"sha384\"\n[data]\n\"a.toml\" = \"x\"\n";
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
                let data =
                    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, packed.finish().unwrap());
                let pod = dir.path().join("initdata.yaml");
                let text = format!(
                    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    \
                     io.katacontainers.config.hypervisor.cc_init_data: {data}\nspec: {{containers: []}}\n"
                );
                std::fs::write(&pod, text).unwrap();
                with(&["show", "initdata", pod.to_str().unwrap()])
            }
            _ if name == "diff" => with(&["diff", "--with", "cpus=2", &pods]),
            _ if name == "diff-running" => {
                let line = dir.path().join("ps.txt");
                std::fs::write(&line, "/usr/bin/cloud-hypervisor --api-socket /run/vc/vm/blue/clh-api.sock")
                    .unwrap();
                with(&["diff", "--with", &format!("running={}", line.display())])
            }
            _ if name == "explain" => run(&["explain", "default_memory", "--json"]),
            Some(("show", what)) => with(&["show", what, &pods, "--pod", "lab/custom-qemu"]),
            Some(("policy", "audit")) => with(&["policy", "audit"]),
            Some(("policy", "suggest")) => with(&["policy", "suggest", &pods]),
            _ => panic!("nothing prints {name}"),
        };
        let report: Json = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let faults: Vec<String> = validator(&document)
            .iter_errors(&report)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        assert!(!validator(&document).is_valid(&Json::from("text")), "{name}");
    }
}

#[test]
fn explained_messages_are_as_their_schema_says() {
    let schema = schema::OUTPUTS.iter().find(|(name, _)| *name == "explain").unwrap().1;
    let schema = validator(&serde_json::from_str(schema).unwrap());
    let mut program = assert_cmd::Command::cargo_bin("katascope").unwrap();
    let text = "pod=\"shop/web\" ttrpc: closed\nlevel=error odd\n";
    let output = program.args(["explain", "-", "--json"]).write_stdin(text).output().unwrap();
    let mut report: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema.is_valid(&report), "{report}");
    assert_eq!(report["groups"].as_array().map(Vec::len), Some(2));
    report["groups"][1]["objects"] = Json::Null;
    assert!(!schema.is_valid(&report), "{report}");
}

/// What differs has every shape: of pods, configurations, releases, nodes, added and gone.
#[test]
fn every_form_of_diff_is_as_its_schema_says() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sample");
    let config = format!("{sample}/configuration.toml");
    let pods = format!("{sample}/pods.yaml");
    let schema = schema::OUTPUTS.iter().find(|(name, _)| *name == "diff").unwrap().1;
    let schema = validator(&serde_json::from_str(schema).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let other = dir.path().join("other.toml");
    std::fs::write(&other, text.replace("[hypervisor.qemu]", "[hypervisor.qemu]\ndefault_bridges = 3"))
        .unwrap();
    let broken = dir.path().join("broken.toml");
    std::fs::write(&broken, "[hypervisor.qemu\n").unwrap();
    let node = |name: &str, config: &str, handler: &str| {
        let node = dir.path().join(name);
        for (path, text) in [
            (
                "etc/containerd/config.toml",
                format!(
                    "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{handler}]\n\
                     runtime_type = 'io.containerd.kata.v2'\n"
                ),
            ),
            ("etc/kata-containers/configuration.toml", config.to_owned()),
            ("opt/kata/VERSION", "4.1.0\n".to_owned()),
        ] {
            let path = node.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        node.display().to_string()
    };
    let one = node("one", &text, "kata");
    let two = node(
        "two",
        &text.replace("enable_annotations = [", "enable_annotations = [\n    \"machine_type\","),
        "kata",
    );
    let three = node("three", "[hypervisor.qemu]\n", "kata-qemu");
    let with = |what: String| ["--with".to_owned(), what];
    let mut forms: Vec<Vec<String>> = [
        format!("config={}", other.display()),
        format!("config={}", broken.display()),
        "kata-version=3.20".into(),
        "runtime=go".into(),
        "cpus=2".into(),
    ]
    .map(|what| [vec!["-c".into(), config.clone(), pods.clone()], with(what).into()].concat())
    .into();
    for (a, b) in [(&one, &two), (&two, &one), (&one, &three), (&three, &one), (&one, &one)] {
        forms.push(
            [vec!["--node".into(), a.clone(), pods.clone()], with(format!("node={b}")).into()].concat(),
        );
    }
    let mut of_nodes = 0;
    for form in forms {
        let words: Vec<&str> = form.iter().map(String::as_str).collect();
        let printed = run(&[&["diff", "--json"], words.as_slice()].concat());
        let report: Json = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{form:?}: {error}"));
        let faults: Vec<String> =
            schema.iter_errors(&report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{form:?}: {faults:?}");
        of_nodes += usize::from(report.get("nodes").is_some_and(|nodes| nodes["differs"] == true));
    }
    assert!(of_nodes >= 3, "{of_nodes}");
}

/// Each runtime words its requests in its own way, and without a pod something else is printed.
#[test]
fn other_forms_of_show_are_as_their_schema_says() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sample");
    let (config, pods) = (format!("{sample}/configuration.toml"), format!("{sample}/pods.yaml"));
    let go = ["--runtime", "go", "--kata-version", "4.1"];
    let first = ["--runtime", "go", "--kata-version", "2.1"];
    let refused = [pods.as_str(), "--pod", "lab/custom-qemu", "--as-if", "allowed"];
    for (what, words) in [
        ("agent", [&go[..], &refused[..]].concat()),
        ("agent", [&first[..], &refused[..]].concat()),
        ("launch", [&go[..], &refused[..]].concat()),
        ("config", [&go[..], &refused[..]].concat()),
        ("sizing", [&go[..], &refused[..]].concat()),
        ("annotations", go.to_vec()),
        ("annotations", Vec::new()),
    ] {
        let name = format!("show-{what}");
        let schema = schema::OUTPUTS.iter().find(|(own, _)| *own == name).unwrap().1;
        let schema = validator(&serde_json::from_str(schema).unwrap());
        let printed = run(&[&["show", what, "-c", &config, "--json"], words.as_slice()].concat());
        let report: Json =
            serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let faults: Vec<String> =
            schema.iter_errors(&report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{name} {words:?}: {faults:?}");
    }
}

fn read(text: &str) -> Json {
    toml::from_str(text).unwrap()
}

#[test]
fn a_configuration_is_taken_and_a_slip_is_not() {
    let mut seen: Vec<Json> = Vec::new();
    let all = [Runtime::Go, Runtime::Rs].into_iter().flat_map(|runtime| {
        runtime.versions().map(move |version| Release::new(runtime, version)).collect::<Vec<_>>()
    });
    for release in all {
        let mut of = schema::config(release);
        // Most releases take what the one before them takes.
        of.as_object_mut().unwrap().retain(|key, _| !matches!(key.as_str(), "title" | "description" | "$id"));
        if seen.contains(&of) {
            continue;
        }
        seen.push(of);
        let schema = validator(&schema::config(release));
        // runtime-rs began with another.
        let known = if catalog::knows_hypervisor(release, "qemu") { "qemu" } else { "dragonball" };
        let named = |text: &str| text.replace("[hypervisor.qemu", &format!("[hypervisor.{known}"));
        let config = read(&named(&format!("{QEMU}{QEMU_NAMES}")));
        let faults: Vec<String> = schema.iter_errors(&config).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", release.title());
        let words: Vec<(&str, &str)> = catalog::all_config_keys()
            .iter()
            .filter(|k| k.reader(release).is_some())
            .map(|k| (k.table, k.key))
            .collect();
        for (table, key) in words {
            let table = table
                .replace("hypervisor.<name>", &format!("hypervisor.{known}"))
                .replace("agent.<name>", "agent.kata");
            // A letter twice, and one left out.
            let twice = format!("{key}{}", key.chars().last().unwrap());
            let short = &key[1..];
            for slip in [twice.as_str(), short] {
                assert!(
                    !schema.is_valid(&read(&format!("[{table}]\n{slip} = 1\n"))),
                    "{}: {table} {slip}",
                    release.title()
                );
            }
        }
        for wrong in [
            "[hypervisor.qemuu]\n",
            "[hypervisor.qemu]\ndefault_memory = \"2048\"\n",
            "[hypervisor.qemu]\nenable_annotations = [1]\n",
            "[hypervisor.qemu]\ndefault_vcpus = true\n",
            "[agents.kata]\n",
        ] {
            assert!(!schema.is_valid(&read(&named(wrong))), "{}: {wrong}", release.title());
        }
    }
}
