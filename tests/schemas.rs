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
    for (name, text) in schema::OUTPUTS {
        let document: Json = serde_json::from_str(text).unwrap();
        assert_eq!(run(&["schema", name]), text);
        let printed = match name.split_once('-') {
            _ if name == "check" => with(&["check", &pods]),
            _ if name == "which" => run(&["which", "--cri-config", &containerd, "--json"]),
            _ if name == "diff" => with(&["diff", "--with", "cpus=2", &pods]),
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

fn read(text: &str) -> Json {
    toml::from_str(text).unwrap()
}

#[test]
fn a_configuration_is_taken_and_a_slip_is_not() {
    for release in [
        Release::newest(Runtime::Go),
        Release::newest(Runtime::Rs),
        Release::go(2, 1, 0),
        Release::go(3, 2, 0),
        Release::rs(3, 12, 0),
    ] {
        let schema = validator(&schema::config(release));
        let config = read(&format!("{QEMU}{QEMU_NAMES}"));
        let faults: Vec<String> = schema.iter_errors(&config).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", release.title());
        let words: Vec<(&str, &str)> = catalog::all_config_keys()
            .iter()
            .filter(|k| k.reader(release).is_some())
            .map(|k| (k.table, k.key))
            .collect();
        for (table, key) in words {
            let table =
                table.replace("hypervisor.<name>", "hypervisor.qemu").replace("agent.<name>", "agent.kata");
            let slip: String = key.chars().rev().collect();
            assert!(
                !schema.is_valid(&read(&format!("[{table}]\n{slip}x = 1\n"))),
                "{}: {table} {slip}",
                release.title()
            );
        }
        for wrong in [
            "[hypervisor.qemuu]\n",
            "[hypervisor.qemu]\ndefault_memory = \"2048\"\n",
            "[hypervisor.qemu]\nenable_annotations = [1]\n",
            "[hypervisor.qemu]\ndefault_vcpus = true\n",
            "[agents.kata]\n",
        ] {
            assert!(!schema.is_valid(&read(wrong)), "{}: {wrong}", release.title());
        }
    }
}
