//! The pods that an object makes, and the annotations that miss them.
//!
//! Decides name, place, annotations, labels, runtime class and form of each pod. What Kubernetes thinks
//! of them, and the size that kubelet gives them, is `kubernetes`' business.

mod fields;
mod sandbox;

use std::collections::HashSet;

use super::document::Object;
use super::kinds::{self, Template};
use super::node::{Data, Node};
use super::{Fault, Form, InputError, Isolation, Pod, RuntimeClass, Stray};
use crate::catalog::KATA_PREFIX;
use fields::{annotations, is_true, labels, source, text_of};
use sandbox::{cri, inspected, is_cri, oci};

/// What an object turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It makes pods; none where its templates are missing.
    Pods(Vec<Pod>),
    /// A RuntimeClass.
    RuntimeClass(RuntimeClass),
    /// Something else, with its kind.
    Other(String),
    /// No object that Kubernetes knows.
    Unusable(InputError),
}

/// What `object` is, with the annotations that it sets to no effect.
pub fn find(object: &Object<'_, '_>) -> (Found, Vec<Stray>) {
    let node = object.node;
    if !matches!(node.data, Data::Map(_)) {
        return (unusable(object).map_or(Found::Other(String::new()), Found::Unusable), Vec::new());
    }
    if node.text("ociVersion").is_some() {
        return (Found::Pods(vec![oci(object)]), Vec::new());
    }
    if let Some(pod) = inspected(object) {
        return (Found::Pods(vec![pod]), Vec::new());
    }
    let bare = node.get("kind").is_none() && node.get("apiVersion").is_none();
    if bare && object.list.is_none() && is_cri(node) {
        return (Found::Pods(vec![cri(object)]), Vec::new());
    }
    let kind = kinds::resolve(object.api_version, object.kind);
    let (group, _) = kinds::group_version(object.api_version);
    if kind.is_none() && group == "node.k8s.io" && object.kind == "RuntimeClass" {
        return (Found::RuntimeClass(runtime_class(object)), Vec::new());
    }
    if kind.is_none()
        && kinds::is_missing(object.api_version, object.kind)
        && let Some(error) = unusable(object)
    {
        return (Found::Unusable(error), Vec::new());
    }
    let templates = kinds::templates(node, kind);
    let strays = strays(object, kind, &templates);
    if kind.is_none() && templates.is_empty() {
        if let Some(error) = unusable(object) {
            return (Found::Unusable(error), strays);
        }
        return (Found::Other(object.kind.to_owned()), strays);
    }
    let several = templates.len() > 1;
    let pods = templates.iter().map(|t| of_template(object, t, several)).collect();
    (Found::Pods(pods), strays)
}

/// What kubectl adds to the answers of its own check.
pub const IGNORABLE: &str =
    "; if you choose to ignore these errors, turn validation off with --validate=false";

/// Why a thing is no object at all, or none of a kind that there is.
fn unusable(object: &Object<'_, '_>) -> Option<InputError> {
    let place = || object.places.of(object.node.at);
    let (version, kind) = (object.api_version, object.kind);
    if !matches!(object.node.data, Data::Map(_)) {
        let message = format!("error validating data: invalid object to validate{IGNORABLE}");
        return Some(InputError::new(place(), message).of(Fault::Object).with_help(instead(object)));
    }
    let missing = match (version, kind) {
        ("", "") => "[apiVersion not set, kind not set]",
        ("", _) => "apiVersion not set",
        (_, "") => "kind not set",
        _ => {
            return kinds::is_missing(version, kind).then(|| {
                let message = format!(
                    "no matches for kind \"{kind}\" in version \"{version}\"\nensure CRDs are installed first"
                );
                InputError::new(place(), message).with_help("check apiVersion and kind for a slip")
            });
        }
    };
    let help = "every Kubernetes object says apiVersion: and kind:";
    let message = format!("error validating data: {missing}{IGNORABLE}");
    Some(InputError::new(place(), message).of(Fault::Object).with_help(help))
}

/// What stands where an object has to be, and what was most likely meant.
fn instead(object: &Object<'_, '_>) -> String {
    if object.node.str().is_some_and(|text| text.starts_with("NAME ") || text.starts_with("NAMESPACE ")) {
        return "that is a table of kubectl's: ask it for the objects, with -o json or -o yaml".to_owned();
    }
    let path = object.places.of(object.node.at).file;
    if path.ends_with(".toml") {
        return format!("that looks like a configuration, not like pods: name it with -c {path}");
    }
    format!("{} stands where an object has to be", object.node.shape().as_str())
}

fn of_template(object: &Object<'_, '_>, template: &Template<'_, '_>, several: bool) -> Pod {
    let metadata = object.node.get("metadata");
    let text = |key| metadata.and_then(|m| m.text(key));
    let mut name = match (text("name"), text("generateName")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(prefix)) => format!("{prefix}{{random}}"),
        (None, None) => String::new(),
    };
    if let Some(role) = template.role.as_ref().filter(|_| several) {
        name = format!("{name}-{role}");
    }
    let own = annotations(template.metadata.and_then(|m| m.get("annotations")), object.places);
    let mut found = annotations(template.shared.and_then(|s| s.get("annotations")), object.places);
    if !found.is_empty() {
        let keys: HashSet<&str> = own.iter().map(|annotation| annotation.key.as_str()).collect();
        found.retain(|shared| !keys.contains(shared.key.as_str()));
    }
    found.extend(own);
    let spec = template.spec;
    let string = |key: &str| spec.and_then(|s| s.text(key)).filter(|t| !t.is_empty()).map(str::to_owned);
    let hostname = string("hostnameOverride").or_else(|| string("hostname")).unwrap_or_else(|| name.clone());
    Pod {
        namespace: text("namespace").filter(|n| !n.is_empty()).unwrap_or("default").to_owned(),
        kind: object.kind.to_owned(),
        source: source(object),
        form: Form::Kubernetes,
        annotations: found,
        labels: labels(template.metadata.and_then(|m| m.get("labels"))),
        runtime_class: string("runtimeClassName").or_else(|| patched_class(spec, object.node)),
        hostname,
        uid: text("uid").filter(|_| object.kind == "Pod").map(str::to_owned),
        log_directory: None,
        isolation: isolation(spec),
        sizing: None,
        overhead: None,
        class_overhead: 0,
        resolver: String::new(),
        sum: None,
        cgroup: None,
        devices: Vec::new(),
        handler: None,
        problems: Vec::new(),
        findings: Vec::new(),
        name,
    }
}

/// A workload whose template is missing, as a pod without annotations.
pub fn without_template(object: &Object<'_, '_>) -> Pod {
    let nothing = Node { at: object.node.at, data: Data::Null };
    let template = Template {
        node: &nothing,
        metadata: None,
        shared: None,
        spec: None,
        path: String::new(),
        role: None,
    };
    of_template(object, &template, false)
}

/// The class that an Argo workflow names in a patch, which is YAML within a string.
fn patched_class(spec: Option<&Node<'_>>, object: &Node<'_>) -> Option<String> {
    let patches = [
        spec.and_then(|s| s.text("podSpecPatch")),
        object.path(&["spec", "podSpecPatch"]).and_then(Node::str),
    ];
    patches.into_iter().flatten().find_map(|patch| {
        let reading = super::yaml::read(patch).ok().flatten()?;
        reading.root.text("runtimeClassName").map(str::to_owned)
    })
}

/// What a pod's spec shares.
fn isolation(spec: Option<&Node<'_>>) -> Isolation {
    let containers = ["containers", "initContainers"].into_iter().filter_map(|key| spec?.get(key));
    let mut contexts = containers.flat_map(Node::items).map(|container| container.get("securityContext"));
    Isolation {
        host_network: is_true(spec, "hostNetwork"),
        host_pid: is_true(spec, "hostPID"),
        host_ipc: is_true(spec, "hostIPC"),
        shared_pid: is_true(spec, "shareProcessNamespace"),
        privileged: contexts.any(|context| is_true(context, "privileged")),
    }
}

fn runtime_class(object: &Object<'_, '_>) -> RuntimeClass {
    let node = object.node;
    let fixed = node.path(&["overhead", "podFixed"]);
    RuntimeClass {
        name: node.get("metadata").and_then(|m| m.text("name")).unwrap_or_default().to_owned(),
        handler: node.text("handler").unwrap_or_default().to_owned(),
        overhead: fixed
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|e| (e.key.to_string(), text_of(&e.value)))
            .collect(),
        place: object.places.of(node.at),
    }
}

/// Kata annotations of `object` that no pod gets.
fn strays(
    object: &Object<'_, '_>,
    kind: Option<&'static kinds::Kind>,
    templates: &[Template<'_, '_>],
) -> Vec<Stray> {
    let home = kind.and_then(|k| k.homes.first());
    let right = match home {
        Some(home) => home.annotations_path(),
        None => templates.first().map_or_else(
            || "metadata.annotations of the pod, or of the pod template that makes it".to_owned(),
            |t| format!("{}.metadata.annotations", t.path),
        ),
    };
    let job = object.node.path(&["spec", "jobTemplate", "metadata"]);
    let places = [
        (object.node.get("metadata").and_then(|m| m.get("annotations")), "metadata.annotations"),
        (object.node.get("annotations"), "annotations"),
        (job.and_then(|m| m.get("annotations")), "spec.jobTemplate.metadata.annotations"),
    ];
    let mut found = Vec::new();
    for (map, path) in places {
        if path == right {
            continue;
        }
        for entry in map.map(Node::entries).unwrap_or_default() {
            if entry.key.starts_with(KATA_PREFIX) {
                found.push(Stray {
                    key: entry.key.to_string(),
                    kind: object.kind.to_owned(),
                    path: path.to_owned(),
                    right_path: right.clone(),
                    place: object.places.of(entry.at),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::input::Source;
    use crate::input::manifest::{Documents, Form, Pod, Sizing, read};

    fn documents(text: &str) -> Documents {
        read(&Source::new("f.yaml", text)).unwrap()
    }

    fn pods(text: &str) -> Vec<(String, Vec<String>, Option<String>)> {
        let told = |p: &Pod| {
            (p.id(), p.annotations.iter().map(|a| a.key.to_string()).collect(), p.runtime_class.clone())
        };
        documents(text).pods.iter().map(told).collect()
    }

    const TEMPLATE: &str = "{metadata: {annotations: {k: v}}, spec: {runtimeClassName: kata, containers: [{name: c, image: i}]}}";

    #[test]
    fn every_kind_hands_its_template_to_pods() {
        let kata = |name: &str| (format!("default/{name}"), vec!["k".to_owned()], Some("kata".to_owned()));
        for (kind, path) in [
            ("v1 PodTemplate", "template: @"),
            ("v1 ReplicationController", "spec: {template: @}"),
            ("apps/v1 Deployment", "spec: {template: @}"),
            ("batch/v1 CronJob", "spec: {jobTemplate: {spec: {template: @}}}"),
            ("argoproj.io/v1alpha1 Rollout", "spec: {template: @}"),
            ("serving.knative.dev/v1 Service", "spec: {template: @}"),
            ("sinks.knative.dev/v1alpha1 JobSink", "spec: {job: {spec: {template: @}}}"),
            (
                "jobset.x-k8s.io/v1alpha2 JobSet",
                "spec: {replicatedJobs: [{name: a, template: {spec: {template: @}}}]}",
            ),
            (
                "leaderworkerset.x-k8s.io/v1 LeaderWorkerSet",
                "spec: {leaderWorkerTemplate: {workerTemplate: @}}",
            ),
            ("kubeflow.org/v1 PyTorchJob", "spec: {pytorchReplicaSpecs: {Master: {template: @}}}"),
            ("ray.io/v1 RayCluster", "spec: {headGroupSpec: {template: @}}"),
            ("batch.volcano.sh/v1alpha1 Job", "spec: {tasks: [{name: a, template: @}]}"),
            ("agents.x-k8s.io/v1alpha1 Sandbox", "spec: {podTemplate: @}"),
            ("apps.openshift.io/v1 DeploymentConfig", "spec: {template: @}"),
            ("example.com/v1 Thing", "spec: {deep: [{template: @}]}"),
        ] {
            let (version, kind) = kind.split_once(' ').unwrap();
            let body = path.replace('@', TEMPLATE);
            let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n{body}\n");
            assert_eq!(pods(&text), [kata("x")], "{kind}");
        }
    }

    #[test]
    fn several_templates_make_several_pods() {
        let text = format!(
            "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {{name: r, namespace: ns}}\nspec:\n  headGroupSpec: {{template: {TEMPLATE}}}\n  \
             workerGroupSpecs: [{{groupName: w, template: {TEMPLATE}}}]\n"
        );
        let names: Vec<_> = pods(&text).into_iter().map(|p| p.0).collect();
        assert_eq!(names, ["ns/r-head", "ns/r-w"]);
        let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: w-}\nspec:\n  podMetadata: {annotations: {a: '1', b: '2'}}\n  \
                    podSpecPatch: '{runtimeClassName: kata}'\n  templates: [{name: t, metadata: {annotations: {b: '3'}}}]\n";
        let found = documents(text);
        let pod = &found.pods[0];
        let values: Vec<_> = pod.annotations.iter().map(|a| (a.key.as_str(), a.value.as_str())).collect();
        assert_eq!((pod.name.as_str(), values), ("w-{random}", vec![("a", "1"), ("b", "3")]));
        assert_eq!(pod.runtime_class.as_deref(), Some("kata"));
    }

    #[test]
    fn misplaced_annotations_are_told_with_the_right_path() {
        let key = "io.katacontainers.config.hypervisor.default_vcpus";
        let text = format!(
            "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: x\n  annotations:\n    {key}: '2'\nspec:\n  jobTemplate:\n    metadata: {{annotations: {{{key}: '3'}}}}\n    \
             spec: {{template: {TEMPLATE}}}\n"
        );
        let strays = documents(&text).strays;
        let told: Vec<_> = strays.iter().map(|s| (s.path.as_str(), s.place.to_string())).collect();
        assert_eq!(
            told,
            [
                ("metadata.annotations", "f.yaml:6:5".to_owned()),
                ("spec.jobTemplate.metadata.annotations", "f.yaml:9:30".to_owned())
            ]
        );
        assert_eq!(strays[0].right_path, "spec.jobTemplate.spec.template.metadata.annotations");
    }

    #[test]
    fn oci_specs_and_cri_configurations_are_taken_as_they_are() {
        let oci = r#"{"ociVersion":"1.0.2","hostname":"h","annotations":{"io.kubernetes.cri.sandbox-name":"web","io.kubernetes.cri.sandbox-namespace":"n","io.kubernetes.cri.sandbox-cpu-quota":"-1","io.kubernetes.cri.sandbox-memory":"1048576"}}"#;
        let pod = documents(oci).pods.remove(0);
        assert_eq!((pod.id().as_str(), pod.form, pod.hostname.as_str()), ("n/web", Form::Oci, "h"));
        assert_eq!(pod.sizing, Some(Sizing { cpu_quota: -1, memory_limit: 1 << 20, ..Sizing::default() }));
        let cri = r#"{"metadata":{"name":"a","namespace":"b","uid":"u"},"annotations":{"k":"v"},"linux":{"resources":{"cpu_quota":5,"cpu_period":6,"cpu_shares":7,"memory_limit_in_bytes":8}}}"#;
        let pod = documents(cri).pods.remove(0);
        assert_eq!((pod.id().as_str(), pod.form), ("b/a", Form::Cri));
        assert_eq!(pod.sizing, Some(Sizing { cpu_quota: 5, cpu_period: 6, cpu_shares: 7, memory_limit: 8 }));
    }

    #[test]
    fn an_input_without_pods_is_an_error() {
        let message = |text| read(&Source::new("f.yaml", text)).unwrap_err().to_string();
        assert_eq!(message("# nothing\n"), "f.yaml: no objects passed to create: the input is empty");
        assert_eq!(
            message("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"),
            "f.yaml: no pod in it, only ConfigMap"
        );
        assert!(
            message("hello\n").starts_with("f.yaml:1:1: error validating data: invalid object to validate")
        );
    }
}
