//! Whatever bytes a manifest consists of, reading and judging it ends with an answer.

use katascope::input::Source;
use katascope::input::manifest::{self, Object, text};
use katascope::kubernetes::{self, Node};
use proptest::prelude::*;

const SEEDS: [&str; 5] = [
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: &a\n    io.katacontainers.x: \"4\"\n    y: |\n      a\n    <<: {z: '1'}\nspec:\n  \
     runtimeClassName: kata\n  containers:\n  - name: c\n    image: i\n    resources: {limits: {cpu: 1.5, memory: 2Gi}}\n---\n# c\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"t\", \
     \"annotations\": {\"k\": \"\\u0034\\n\"}}, \"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"i\"}]}}]}",
    "{\"ociVersion\":\"1.0\",\"annotations\":{\"a\":\"b\"}}\n{\"metadata\":{\"name\":\"a\",\"uid\":\"u\"},\"linux\":{}}\n",
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: t}\nspec:\n  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n        metadata: {annotations: {k: *v}}\n",
    "x: &a [!!int 1, !b \"\\x41\", ? k : v, *a]\n%TAG ! tag:x,2000:\n--- !<tag:y> {a: .inf, ~: 1}\n...\n",
];

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..3u8,
        prop::sample::select(b"\x00\t\n\r \"#&'*,-.0:<>?[]\\{|}~!%@`yn\xff\xc3\xa9".to_vec()),
    );
    (prop::sample::select(SEEDS.to_vec()), prop::collection::vec(edit, 0..8)).prop_map(|(seed, edits)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (index, what, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match what {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_always_ends_with_an_answer(bytes in mutated()) {
        let mut seen = Vec::new();
        let mut visit = |object: Object<'_, '_>| {
            let _ = kubernetes::judge(&object, &Node::default());
            seen.push(object.places.of(object.node.at).line);
        };
        let streamed = manifest::stream(bytes.as_slice(), "f", &mut visit);
        let text = text::decode(bytes);
        if let Err(error) = kubernetes::read(&Source::new("f", text.as_str()), &Node::default()) {
            prop_assert!(!error.message.is_empty());
        }
        prop_assert!(streamed.is_err() || seen.iter().all(|line| *line >= 1));
    }
}
