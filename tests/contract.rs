//! Every shape of report is held against the contract's schema: all releases with each of their
//! hypervisors, what starts and what is refused at each stage, Kubernetes objects, CRI and OCI documents.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::recorded::Recording;
use katascope::cri::Engine;
use katascope::cri::containerd::{self, Containerd};
use katascope::evaluate::node::NodeEvaluator;
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::host::HostFacts;
use katascope::input::manifest::Pod;
use katascope::input::{Host, Source};
use katascope::kubernetes::{self, Kubelet, Node, Version};
use katascope::release::{Release, Runtime};
use katascope::report::json;
use katascope::runtime::Depth;
use katascope::sample;
use serde_json::{Value as Json, json};

struct Contract {
    schema: jsonschema::Validator,
    /// What the reports said, so that no shape is left out by mistake.
    seen: BTreeSet<String>,
}

impl Contract {
    fn new() -> Self {
        let text = include_str!("../assets/schema/check-1.schema.json");
        let schema = jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
        Self { schema, seen: BTreeSet::new() }
    }

    fn hold(&mut self, evaluator: &Evaluator, pods: &[Pod]) {
        for (depth, full) in [(Depth::Full, true), (Depth::Verdicts, false)] {
            let mut text = Vec::new();
            let mut writer =
                json::Writer::open(&mut text, &NodeEvaluator::alone(evaluator.clone()), None).unwrap();
            for pod in pods {
                writer
                    .pod(
                        &json::pod(
                            pod,
                            &evaluator.evaluate_and_advise(pod, depth),
                            Some(0),
                            full.then(json::Full::default),
                        )
                        .unwrap(),
                    )
                    .unwrap();
            }
            writer.close().unwrap();
            let report: Json = serde_json::from_slice(&text).unwrap();
            let faults: Vec<String> =
                self.schema.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(faults.is_empty(), "{faults:?}\n{report:#}");
            for pod in report["pods"].as_array().unwrap() {
                let stage = pod["error"]["stage"].as_str().unwrap_or("starts");
                self.seen.insert(format!("{} {stage}", report["policy"]["release"].as_str().unwrap()));
                if full && stage == "starts" {
                    let hypervisor = report["policy"]["hypervisor"].as_str().unwrap();
                    self.seen
                        .insert(format!("{} {hypervisor}", report["policy"]["release"].as_str().unwrap()));
                    for part in ["effective", "launch", "agent", "received"] {
                        assert!(pod[part].is_object(), "{part}: {pod:#}");
                    }
                }
                for part in ["effective", "launch", "agent", "sizing", "received"] {
                    assert_eq!(pod.get(part).is_some(), full, "{part}");
                }
                for annotation in pod["annotations"].as_array().unwrap() {
                    self.seen.insert(annotation["status"].as_str().unwrap().to_owned());
                }
            }
        }
    }
}

fn read(text: &str) -> Vec<Pod> {
    let node = Node::new(Version::default(), Kubelet::default(), 8);
    kubernetes::read(&Source::new("pods.yaml", text), &node).unwrap().pods
}

/// An OCI spec.
fn spec(annotations: Json) -> Vec<Pod> {
    read(&json!({"ociVersion": "1.1.0", "hostname": "web", "annotations": annotations}).to_string())
}

#[test]
fn recorded_sandboxes_keep_the_contract() {
    let mut contract = Contract::new();
    for release in [Release::newest(Runtime::Rs), Release::go(2, 1, 0)] {
        let recording = Recording::of(release);
        let mut configs = BTreeSet::new();
        for (at, case) in recording.cases.iter().enumerate() {
            // Every file once, and of the rest some.
            if configs.insert(&case.config) || at % 20 == 0 {
                contract.hold(&recording.evaluator(case), &[recording.pod(case)]);
            }
        }
    }
    for wanted in [
        "rs-4.1.0 load",
        "rs-4.1.0 annotations",
        "rs-4.1.0 validate",
        "rs-4.1.0 launch",
        "rs-4.1.0 qemu",
        "rs-4.1.0 clh",
        "rs-4.1.0 dragonball",
        "rs-4.1.0 firecracker",
        "rs-4.1.0 openvmm",
        "rs-4.1.0 remote",
        "go-2.1.0 load",
        "go-2.1.0 annotations",
        "go-2.1.0 qemu",
        "go-2.1.0 clh",
        "go-2.1.0 firecracker",
        "go-2.1.0 acrn",
        "applied",
        "refused",
        "ignored",
        "overridden",
        "unknown",
    ] {
        assert!(contract.seen.contains(wanted), "no report with {wanted}: {:?}", contract.seen);
    }
}

#[test]
fn documents_of_every_form_keep_the_contract() {
    let mut contract = Contract::new();
    let pods = [
        sample::PODS,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: Not_A_Name, annotations: {io.katacontainers.x: 4}}\nspec: {containers: []}\n",
        "{\"metadata\": {\"name\": \"a\", \"uid\": \"u\", \"namespace\": \"n\"}, \"annotations\": {\"io.katacontainers.x\": \"y\"}, \
          \"linux\": {\"resources\": {\"cpu_quota\": 1000, \"cpu_period\": 100000}}}",
        "{\"ociVersion\": \"1.1.0\"}",
    ]
    .map(read)
    .concat();
    let (sample, host) = (sample::evaluator(), sample::host());
    for release in Release::STOPS {
        contract.hold(&sample.with_release(release), &pods);
    }
    let crio = katascope::cri::crio::Crio::read(&host, "/etc/crio/crio.conf", Some("kata".into()));
    let containerd = |text: &str| {
        let files = katascope::input::host::MemoryFiles::new().file("/c.toml", 0o644, text);
        let host = Host::new(HostFacts::default(), Arc::new(files));
        Engine::Containerd(Box::new(Containerd::read(
            &host,
            "/c.toml",
            containerd::Release::NEWEST,
            Some("kata".into()),
        )))
    };
    for engine in
        [Engine::Assumed, Engine::Crio(Box::new(crio)), containerd("version = 3\n"), containerd("[")]
    {
        contract.hold(&Evaluator::new(Setup { engine, ..sample.setup().clone() }), &pods);
    }
    for text in ["", "[", "[hypervisor.qemu]\npath = 1\n"] {
        contract.hold(&sample.with_layers(Layers::of_text("/etc/c.toml", text)), &pods);
    }
    for wanted in
        ["rs-4.1.0 kubernetes", "rs-4.1.0 cri", "rs-4.1.0 load", "rs-4.1.0 qemu", "dropped", "invalid"]
    {
        assert!(contract.seen.contains(wanted), "no report with {wanted}: {:?}", contract.seen);
    }
}

#[test]
fn every_hypervisor_of_the_go_runtime_keeps_the_contract() {
    let mut contract = Contract::new();
    for hypervisor in ["qemu", "clh", "firecracker", "stratovirt", "remote"] {
        let text = format!(
            "[hypervisor.{hypervisor}]\npath = \"/opt/kata/bin/qemu-system-x86_64\"\n\
             kernel = \"/opt/kata/share/kata-containers/vmlinux.container\"\n\
             image = \"/opt/kata/share/kata-containers/kata-containers.img\"\nrootfs_type = \"ext4\"\n\
             virtio_fs_daemon = \"/opt/kata/libexec/virtiofsd\"\nshared_fs = \"none\"\n\
             enable_annotations = [\".*\"]\n[agent.kata]\n[runtime]\ninternetworking_model = \"tcfilter\"\n\
             vfio_mode = \"guest-kernel\"\n"
        );
        let setup = Setup {
            layers: Layers::of_text("/etc/kata-containers/configuration.toml", &text),
            release: Release::newest(Runtime::Go),
            known_by: katascope::release::KnownBy::Said,
            release_note: None,
            engine: Engine::Assumed,
            ..sample::evaluator().setup().clone()
        };
        let key = "io.katacontainers.config.hypervisor";
        let pods = [
            spec(json!({"io.kubernetes.cri.container-type": "sandbox"})),
            spec(
                json!({"io.kubernetes.cri.container-type": "sandbox", format!("{key}.default_memory"): "4096",
                format!("{key}.path"): "/tmp/qemu", format!("{key}.nope"): ""}),
            ),
            spec(json!({format!("{key}.default_vcpus"): "many"})),
        ]
        .concat();
        contract.hold(&Evaluator::new(setup), &pods);
    }
    for wanted in ["qemu", "clh", "firecracker", "stratovirt", "remote", "annotations"] {
        assert!(
            contract.seen.contains(&format!("go-4.1.0 {wanted}")),
            "no report with {wanted}: {:?}",
            contract.seen
        );
    }
}
