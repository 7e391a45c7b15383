//! Any text as a manifest: read, judged as Kubernetes does, every pod evaluated.

use std::sync::LazyLock;

use katascope::evaluate::Evaluator;
use katascope::input::source::Source;
use katascope::kubernetes::{self, Kubelet, Node, Version};
use katascope::runtime::Depth;
use katascope::sample;

static SAMPLE: LazyLock<Evaluator> = LazyLock::new(sample::evaluator);

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    let node = Node::new(Version::default(), Kubelet::default(), 64);
    if let Ok(documents) = kubernetes::read(&Source::new("fuzz.yaml", text), &node) {
        for pod in documents.pods.iter().take(16) {
            let _ = SAMPLE.evaluate(pod, Depth::Full);
        }
    }
}
