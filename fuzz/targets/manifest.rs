//! Any text as a manifest: read, judged as Kubernetes does, every pod evaluated. A `...` at the end of a text, which
//! leaves it to the YAML library, changes nothing; nor do other line breaks, nor a comment in front but the lines.

use std::sync::LazyLock;

use katascope::evaluate::Evaluator;
use katascope::input::manifest::{Documents, InputError, Pod};
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
    let bare = |line: &str| line.trim_start_matches('\u{feff}').trim_start().chars().next();
    let says_something = |line: &&str| !matches!(bare(line), None | Some('#'));
    let begun = text.lines().rfind(says_something).is_some_and(|line| !line.starts_with("---"));
    if begun && !text.trim_start().starts_with(['{', '[']) {
        let end = if text.ends_with('\n') { "...\n" } else { "\n...\n" };
        let ended = kubernetes::read(&Source::new("fuzz.yaml", format!("{text}{end}")), &node);
        assert_eq!(ended.ok(), documents.as_ref().ok().cloned(), "either reader of YAML reads the same");
    }
    // What YAML cannot have is found when its 512 bytes are read, even behind all that counts.
    let is_clean =
        |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\n' | '\t');
    let is_yaml = !text.starts_with(['\u{feff}', '%']) && !text.trim_start().starts_with(['{', '[']);
    if begun && is_yaml && text.chars().all(is_clean) {
        elsewhere(text, &documents, &node);
    }
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
        let quotes = |text: &str| text.matches('"').count();
        // Escapes, what cannot be seen, long keys and numbers and keys written twice are read differently.
        let is_plain = |b: u8| matches!(b, b'\n' | b' '..=b'~') && b != b'\\';
        let is_short = text.split('"').all(|part| part.len() < 1000)
            && text.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() < 16);
        if value.is_object()
            && is_short
            && text.bytes().all(is_plain)
            && quotes(&value.to_string()) == quotes(text)
        {
            let yaml = kubernetes::read(&Source::new("fuzz.yaml", format!("# YAML\n{text}")), &node);
            assert_eq!(asked(&yaml), asked(&documents), "JSON is YAML, too");
        }
    }
    if let Ok(documents) = documents {
        for pod in documents.pods.iter().take(16) {
            let _ = SAMPLE.evaluate(pod, Depth::Full);
        }
    }
}

/// The same text with other line breaks, and a line further down.
fn elsewhere(text: &str, documents: &Result<Documents, InputError>, node: &Node) {
    let read = |text: String| kubernetes::read(&Source::new("fuzz.yaml", text), node);
    let crlf = read(text.replace('\n', "\r\n"));
    assert_eq!(crlf.ok(), documents.as_ref().ok().cloned(), "line breaks of either kind mean the same");
    let lower = read(format!("# x\n{text}"));
    assert_eq!(asked(&lower), asked(documents), "a comment in front says nothing");
    let lines = |documents: &Result<Documents, InputError>, down: u32| -> Vec<Option<u32>> {
        let of_pod = |pod: &Pod| {
            let annotations = pod.annotations.iter().map(|annotation| Some(annotation.place.line + down));
            let problems = pod.problems.iter().map(|problem| problem.place.as_ref().map(|p| p.line + down));
            let own = std::iter::once(Some(pod.source.line + down));
            own.chain(annotations).chain(problems).collect::<Vec<_>>()
        };
        documents.iter().flat_map(|documents| &documents.pods).flat_map(of_pod).collect()
    };
    assert_eq!(lines(&lower, 0), lines(documents, 1), "every place is a line further down");
}

/// What the pods ask for, wherever it stands.
fn asked(documents: &Result<Documents, InputError>) -> Result<Vec<String>, ()> {
    let asked = |pod: &Pod| {
        let annotations: Vec<_> = pod.annotations.iter().map(|a| (&a.key, &a.value)).collect();
        let labels = pod.labels.in_order(|_| true);
        format!(
            "{} {} {annotations:?} {labels:?} {:?} {:?} {:?} {}",
            pod.id(),
            pod.kind,
            pod.runtime_class,
            pod.sum,
            pod.devices,
            pod.problems.len()
        )
    };
    documents.as_ref().map(|documents| documents.pods.iter().map(asked).collect()).map_err(|_| ())
}
