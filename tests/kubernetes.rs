//! What Kubernetes 1.36.2 itself answered, held against the library: which manifests get through with
//! which annotations, and the sizes that kubelet hands on. The vectors are recordings in a compact form.

use std::collections::BTreeMap;
use std::io::Read;

use katascope::input::Source;
use katascope::input::manifest::{InputError, Pod, text};
use katascope::kubernetes::{self, Kubelet, Node, Version};
use serde_json::Value;

pub fn vectors(gz: &[u8]) -> Vec<Value> {
    let mut json = String::new();
    flate2::read::GzDecoder::new(gz).read_to_string(&mut json).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn padded(text: &str, case: &Value) -> String {
    match case["pad"].as_u64() {
        Some(pad) => text.replace("@PAD@", &"x".repeat(usize::try_from(pad).unwrap())),
        None => text.to_owned(),
    }
}

fn manifest(case: &Value) -> String {
    match case["bytes"].as_str() {
        Some(bytes) => {
            use base64::Engine;
            text::decode(base64::engine::general_purpose::STANDARD.decode(bytes).unwrap())
        }
        None => padded(case["text"].as_str().unwrap(), case),
    }
}

/// The pods, or the message of the refusal.
fn judged(text: &str, node: &Node) -> Result<Vec<Pod>, String> {
    let documents =
        kubernetes::read(&Source::new("MANIFEST", text), node).map_err(|e: InputError| e.message)?;
    let refused = documents.pods.iter().find(|p| !p.problems.is_empty());
    match refused {
        Some(pod) => Err(pod
            .problems
            .iter()
            .filter(|p| p.named)
            .map(|p| p.message.as_str())
            .collect::<Vec<_>>()
            .join("\n")),
        None => Ok(documents.pods),
    }
}

/// What only a cluster knows: whether a RuntimeClass exists.
const BEYOND: &[&str] = &["runtimeclass-missing"];

#[test]
fn manifests_get_through_as_recorded() {
    let cases = vectors(include_bytes!("vectors/kubernetes/manifests.json.gz"));
    let node = Node::default();
    let mut wrong = Vec::new();
    let (mut said, mut refusals) = (0, 0);
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        if BEYOND.contains(&id) {
            continue;
        }
        let want: Option<Vec<BTreeMap<String, String>>> = case["pods"].as_array().map(|pods| {
            let strings = |pod: &Value| {
                let map = pod.as_object().unwrap().iter();
                map.map(|(k, v)| (k.clone(), padded(v.as_str().unwrap(), case))).collect()
            };
            pods.iter().map(strings).collect()
        });
        match (judged(&manifest(case), &node), want) {
            (Ok(pods), Some(want)) => {
                let annotations = |p: &Pod| {
                    p.annotations.iter().map(|a| (a.key.to_string(), a.value.to_string())).collect()
                };
                let got: Vec<BTreeMap<String, String>> = pods.iter().map(annotations).collect();
                if got != want {
                    wrong.push(format!("{id}: {got:?}"));
                }
            }
            (Err(message), None) => {
                refusals += 1;
                let says = case["says"].as_str().unwrap();
                let core: String = says.trim_start_matches("error: ").chars().take(60).collect();

                said += usize::from(message.contains(&core));
            }
            (got, want) => {
                wrong.push(format!("{id}: {:?}, expected {:?}", got.map(|p| p.len()), want.map(|w| w.len())))
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(said * 100 >= refusals * 95, "{said} of {refusals} refusals in Kubernetes' own words");
}

fn node(case: &Value) -> Result<Node, String> {
    let [quota, period, policy, version, gates] = case["kubelet"].as_array().unwrap().as_slice() else {
        panic!("{case}")
    };
    let version: Version = version.as_str().unwrap().parse().unwrap();
    let text = format!(
        "kind: KubeletConfiguration\ncpuCFSQuota: {quota}\ncpuCFSQuotaPeriod: {period}\ncpuManagerPolicy: {policy}\n\
         reservedSystemCPUs: '0'\nfeatureGates: {gates}\n"
    );
    let kubelet = Kubelet::read(&Source::new("kubelet.yaml", text), &version).map_err(|e| e.message)?;
    Ok(Node::new(version, kubelet, 16))
}

#[test]
fn sizes_are_as_recorded() {
    let mut wrong = Vec::new();
    for case in &vectors(include_bytes!("vectors/kubernetes/sizing.json.gz")) {
        let mut spec = case["spec"].clone();
        spec["runtimeClassName"] = "kata".into();
        let pod =
            serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
        let got =
            node(case).and_then(|node| judged(&pod.to_string(), &node)).map(|pods| pods[0].sizing.unwrap());
        let got = got.map(|s| serde_json::json!([s.cpu_quota, s.cpu_period, s.cpu_shares, s.memory_limit]));
        let right = match (&got, &case["refused"]) {
            (Ok(size), Value::Null) => *size == case["size"],
            // Decoding and kubelet speak one sentence, validation one for each field.
            (Err(message), refused) => {
                refused.as_array().is_some_and(|r| message.contains(r[1].as_str().unwrap()))
            }
            _ => false,
        };
        if !right {
            wrong.push(format!("{}: {got:?}, expected {} {}", case["id"], case["size"], case["refused"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_a_whole_pod_asks_for_is_checked_as_a_container_is() {
    let said = |resources: Value| {
        let spec = serde_json::json!({
            "runtimeClassName": "kata",
            "containers": [{"name": "c", "image": "i"}],
            "resources": resources,
        });
        let pod =
            serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
        judged(&pod.to_string(), &Node::default()).map(|pods| pods.len())
    };
    for (resources, want) in [
        (
            serde_json::json!({"requests": {"hugepages-2Mi": "2Mi", "cpu": "1"}}),
            "spec.resources.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            serde_json::json!({"limits": {"hugepages-2Mi": "2Mi"}}),
            "spec.resources: Forbidden: HugePages require cpu or memory",
        ),
        (
            serde_json::json!({"limits": {"pods": "1.5"}}),
            "spec.resources.limits[pods]: Invalid value: \"1500m\": must be an integer",
        ),
        (
            serde_json::json!({"limits": {"foo": "1"}}),
            "spec.resources.limits[foo]: Invalid value: \"foo\": must be a standard resource type or fully qualified",
        ),
        (
            serde_json::json!({"limits": {"cpu": "1e0"}, "requests": {"cpu": "+2"}}),
            "spec.resources.requests: Invalid value: \"+2\": must be less than or equal to cpu limit of 1e0",
        ),
    ] {
        assert!(said(resources).is_err_and(|message| message.contains(want)), "{want}");
    }
    assert_eq!(said(serde_json::json!({"limits": {"cpu": " 1 "}})), Ok(1));
}
