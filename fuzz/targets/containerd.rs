//! Any text as containerd's configuration, under each family of releases, and what the handlers make of a pod: the
//! same where the text stands a line further down.

use std::sync::Arc;

use katascope::cri::Engine;
use katascope::cri::containerd::{Containerd, Release};
use katascope::evaluate::Evaluation;
use katascope::evaluate::node::NodeEvaluator;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest;
use katascope::input::source::Source;
use katascope::node::{Node, Said};
use katascope::runtime::Depth;

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

fn host(text: &str) -> Host {
    const KATA: &str = "[hypervisor.qemu]\nenable_annotations = [\"default_.*\"]\n";
    let files = MemoryFiles::new()
        .file("/etc/containerd/config.toml", 0o644, text)
        .file("/etc/containerd/conf.d/a.toml", 0o644, "version = 2\n")
        .file("/etc/kata-containers/configuration.toml", 0o644, KATA);
    Host::new(HostFacts::default(), Arc::new(files))
}

fn node(host: &Host, release: Release) -> NodeEvaluator {
    let containerd = Containerd::read(host, "/etc/containerd/config.toml", release, Some("kata".into()));
    let engine = Engine::Containerd(Box::new(containerd));
    NodeEvaluator::new(Node::new(host.clone(), engine, &Said::default()), None, None)
}

/// What becomes of a pod, without the numbers of lines.
fn said(evaluation: &Evaluation) -> String {
    format!("{:?}", evaluation.outcome).replace(|c: char| c.is_ascii_digit(), "")
}

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    let host = self::host(text);
    let lower = self::host(&format!("# x\n{text}"));
    let pod = manifest::read(&Source::new(
        "pod.json",
        r#"{"metadata": {"name": "a", "uid": "u"}, "annotations": {"io.katacontainers.x": "y"}, "linux": {}}"#,
    ));
    for release in ["1.7.34", "2.0.11", "2.3.4", "2.4.0-beta.0"].into_iter().filter_map(Release::parse) {
        let node = self::node(&host, release);
        for pod in pod.iter().flat_map(|documents| &documents.pods) {
            let _ = node.node().route(pod, "id");
            let _ = node.node().engine.pass(pod, pod.sizing.as_ref(), "id");
            let quick = node.evaluate(pod, Depth::Verdicts);
            let full = node.evaluate(pod, Depth::Full);
            assert_eq!(quick.outcome, full.outcome, "the outcome does not depend on how much is asked");
            // A mark that begins a text is none further down.
            if !text.starts_with('\u{feff}') {
                let lower = self::node(&lower, release).evaluate(pod, Depth::Full);
                assert_eq!(said(&lower), said(&full), "a line further down");
                assert_eq!(
                    (lower.handler, lower.received),
                    (full.handler, full.received),
                    "a line further down"
                );
            }
        }
    }
}
