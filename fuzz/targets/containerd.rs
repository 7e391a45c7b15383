//! Any text as containerd's configuration, under each family of releases.

use std::sync::Arc;

use katascope::cri::Engine;
use katascope::cri::containerd::{Containerd, Release};
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest;
use katascope::input::source::Source;
use katascope::node::{Node, Said};

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    let files = MemoryFiles::new().file("/etc/containerd/config.toml", 0o644, text).file(
        "/etc/containerd/conf.d/a.toml",
        0o644,
        "version = 2\n",
    );
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let pod = manifest::read(&Source::new(
        "pod.json",
        r#"{"metadata": {"name": "a", "uid": "u"}, "annotations": {"io.katacontainers.x": "y"}, "linux": {}}"#,
    ));
    for release in ["1.7.34", "2.0.11", "2.3.4", "2.4.0-beta.0"].into_iter().filter_map(Release::parse) {
        let containerd = Containerd::read(&host, "/etc/containerd/config.toml", release, Some("kata".into()));
        let engine = Engine::Containerd(Box::new(containerd));
        let node = Node::new(host.clone(), engine, &Said::default());
        if let Ok(documents) = &pod {
            for pod in &documents.pods {
                let _ = node.route(pod, "id");
                let _ = node.engine.pass(pod, pod.sizing.as_ref(), "id");
            }
        }
    }
}
