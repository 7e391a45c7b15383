//! Any text as containerd's configuration, under each family of releases, and what the handlers make of a pod.

use std::sync::Arc;

use katascope::cri::Engine;
use katascope::cri::containerd::{Containerd, Release};
use katascope::evaluate::node::NodeEvaluator;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest;
use katascope::input::source::Source;
use katascope::node::{Node, Said};
use katascope::runtime::Depth;

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    const KATA: &str = "[hypervisor.qemu]\nenable_annotations = [\"default_.*\"]\n";
    let files = MemoryFiles::new()
        .file("/etc/containerd/config.toml", 0o644, text)
        .file("/etc/containerd/conf.d/a.toml", 0o644, "version = 2\n")
        .file("/etc/kata-containers/configuration.toml", 0o644, KATA);
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let pod = manifest::read(&Source::new(
        "pod.json",
        r#"{"metadata": {"name": "a", "uid": "u"}, "annotations": {"io.katacontainers.x": "y"}, "linux": {}}"#,
    ));
    for release in ["1.7.34", "2.0.11", "2.3.4", "2.4.0-beta.0"].into_iter().filter_map(Release::parse) {
        let containerd = Containerd::read(&host, "/etc/containerd/config.toml", release, Some("kata".into()));
        let engine = Engine::Containerd(Box::new(containerd));
        let node = NodeEvaluator::new(Node::new(host.clone(), engine, &Said::default()), None, None);
        for pod in pod.iter().flat_map(|documents| &documents.pods) {
            let _ = node.node().route(pod, "id");
            let _ = node.node().engine.pass(pod, pod.sizing.as_ref(), "id");
            let quick = node.evaluate(pod, Depth::Verdicts);
            let full = node.evaluate(pod, Depth::Full);
            assert_eq!(quick.outcome, full.outcome, "the outcome does not depend on how much is asked");
        }
    }
}
