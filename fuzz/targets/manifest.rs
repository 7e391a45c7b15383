//! Any text as a manifest: read, judged as Kubernetes does, every pod evaluated. A `...` at the end of a text, which
//! leaves it to the YAML library, changes nothing.

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
    let documents = kubernetes::read(&Source::new("fuzz.yaml", text), &node);
    // A document of nothing but its end would be an error.
    let says_something = |line: &&str| !matches!(line.trim_start().chars().next(), None | Some('#'));
    let begun = text.lines().rfind(says_something).is_some_and(|line| !line.starts_with("---"));
    if begun && !text.trim_start().starts_with(['{', '[']) {
        let end = if text.ends_with('\n') { "...\n" } else { "\n...\n" };
        let ended = kubernetes::read(&Source::new("fuzz.yaml", format!("{text}{end}")), &node);
        assert_eq!(ended.ok(), documents.as_ref().ok().cloned(), "either reader of YAML reads the same");
    }
    if let Ok(documents) = documents {
        for pod in documents.pods.iter().take(16) {
            let _ = SAMPLE.evaluate(pod, Depth::Full);
        }
    }
}
