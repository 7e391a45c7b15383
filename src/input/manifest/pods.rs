//! The pods that an object makes, and the annotations that miss them.
//!
//! Decides name, place, annotations, labels, runtime class and form of each pod. What Kubernetes thinks
//! of them, and the size that kubelet gives them, is `kubernetes`' business.

use std::collections::BTreeMap;

use super::document::{Object, Places};
use super::kinds::{self, Template};
use super::node::{Data, Node};
use super::options;
use super::{Fault, Form, InputError, Isolation, Pod, PodAnnotation, PodSource, RuntimeClass, Sizing, Stray};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::catalog::KATA_PREFIX;
use crate::input::Text;

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
        let help = format!("{} stands where an object has to be", object.node.shape().as_str());
        return Some(InputError::new(place(), message).of(Fault::Object).with_help(help));
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

/// A string map as Kubernetes stores it, in the order of the text.
pub fn annotations(map: Option<&Node<'_>>, places: Places<'_>) -> Vec<PodAnnotation> {
    let mut found: Vec<PodAnnotation> = Vec::new();
    for entry in map.map(Node::entries).unwrap_or_default() {
        let annotation = PodAnnotation {
            key: Text::copy(&entry.key),
            value: value_of(&entry.value),
            place: places.of(entry.at),
        };
        match found.iter_mut().find(|a| a.key == annotation.key) {
            Some(earlier) => *earlier = annotation,
            None => found.push(annotation),
        }
    }
    found
}

/// An annotation's value.
fn value_of(node: &Node<'_>) -> Text {
    match &node.data {
        Data::Number(text) | Data::String(text) => Text::copy(text),
        _ => text_of(node).into(),
    }
}

/// The text of a value: as Kubernetes stores it for strings and nulls, as JSON for what it refuses.
fn text_of(node: &Node<'_>) -> String {
    match &node.data {
        Data::Null => String::new(),
        Data::Bool(b) => b.to_string(),
        Data::Number(text) | Data::String(text) => text.to_string(),
        Data::List(items) => format!("[{}]", items.iter().map(text_of).collect::<Vec<_>>().join(", ")),
        Data::Map(entries) => {
            let inner: Vec<_> = entries.iter().map(|e| format!("{}: {}", e.key, text_of(&e.value))).collect();
            format!("{{{}}}", inner.join(", "))
        }
    }
}

fn labels(map: Option<&Node<'_>>) -> BTreeMap<String, String> {
    let entries = map.map(Node::entries).unwrap_or_default();
    entries.iter().map(|e| (e.key.to_string(), text_of(&e.value))).collect()
}

fn source(object: &Object<'_, '_>) -> PodSource {
    PodSource {
        file: object.places.file().to_string(),
        document: object.document,
        line: object.places.of(object.node.at).line,
    }
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
    let mut found = annotations(template.shared.and_then(|s| s.get("annotations")), object.places);
    for annotation in annotations(template.metadata.and_then(|m| m.get("annotations")), object.places) {
        found.retain(|a| a.key != annotation.key);
        found.push(annotation);
    }
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

/// A pod configuration as `crictl runp` takes it.
fn is_cri(node: &Node<'_>) -> bool {
    let metadata = node.get("metadata").is_some_and(|m| m.text("name").is_some());
    let own = ["linux", "log_directory", "annotations", "labels", "dns_config", "port_mappings", "hostname"];
    metadata && own.iter().any(|key| node.get(key).is_some())
        || metadata && node.path(&["metadata", "uid"]).is_some() && node.get("spec").is_none()
}

fn cri(object: &Object<'_, '_>) -> Pod {
    let node = object.node;
    let metadata = |key: &str| node.get("metadata").and_then(|m| m.text(key)).unwrap_or_default().to_owned();
    Pod {
        name: metadata("name"),
        namespace: Some(metadata("namespace"))
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| "default".to_owned()),
        kind: "PodSandboxConfig".to_owned(),
        source: source(object),
        form: Form::Cri,
        annotations: annotations(node.get("annotations"), object.places),
        labels: labels(node.get("labels")),
        runtime_class: None,
        hostname: node.text("hostname").unwrap_or_default().to_owned(),
        uid: Some(metadata("uid")).filter(|uid| !uid.is_empty()),
        log_directory: node.text("log_directory").map(str::to_owned),
        isolation: cri_isolation(node),
        sizing: node.path(&["linux", "resources"]).map(cri_sizing),
        overhead: node.path(&["linux", "overhead"]).map(cri_sizing),
        class_overhead: 0,
        resolver: node.get("dns_config").map(resolver).unwrap_or_default(),
        sum: None,
        devices: Vec::new(),
        handler: None,
        problems: Vec::new(),
        findings: Vec::new(),
    }
}

/// A sandbox as the container runtime tells of it: `crictl inspectp`, `ctr containers info`.
fn inspected(object: &Object<'_, '_>) -> Option<Pod> {
    let node = object.node;
    let info = node.get("info");
    let spec = info.and_then(|info| info.get("runtimeSpec")).or_else(|| node.get("Spec"));
    let spec = spec.filter(|spec| spec.text("ociVersion").is_some() || spec.get("annotations").is_some());
    let config = info.and_then(|info| info.get("config")).filter(|config| is_cri(config));
    let within = |node| Object { node, ..*object };
    let mut pod = match (config, spec) {
        (Some(config), _) => cri(&within(config)),
        (None, Some(spec)) => oci(&within(spec)),
        (None, None) => return None,
    };
    let text = |path: &[&str]| {
        node.path(path).and_then(|at| match &at.data {
            Data::String(text) if !text.is_empty() => Some(text.to_string()),
            _ => None,
        })
    };
    let crio = || pod.annotations.iter().find(|a| a.key == "io.kubernetes.cri-o.RuntimeHandler");
    pod.handler = text(&["status", "runtimeHandler"])
        .or_else(|| text(&["info", "sandboxMetadata", "RuntimeHandler"]))
        .or_else(|| crio().map(|annotation| annotation.value.to_string()).filter(|name| !name.is_empty()));
    let place = pod.place();
    let told = |message: String| Finding {
        code: Code::SandboxInspected,
        severity: Severity::Note,
        subject: None,
        place: Some(place.clone()),
        message,
        fix: None,
        who: Who::ClusterAdministrator,
    };
    let file = text(&["info", "runtimeOptions", "config_path"])
        .or_else(|| text(&["Runtime", "Options", "config_path"]))
        .or_else(|| options::config_path(&text(&["Runtime", "Options", "value"])?));
    let handler = pod.handler.as_deref().map(|name| format!(" by the handler {name}"));
    let shim = || text(&["Runtime", "Name"]).map(|name| format!(" by the shim {name}"));
    let handler = handler.or_else(shim).unwrap_or_default();
    let snapshotter = text(&["Snapshotter"]).map(|name| format!(", its root of the snapshotter {name}"));
    let snapshotter = snapshotter.unwrap_or_default();
    let file = file.map(|file| format!(" with the configuration {file}")).unwrap_or_default();
    let mut findings = vec![told(format!("this sandbox was started{handler}{file}{snapshotter}"))];
    if let (Some(_), Some(received)) = (config, spec.and_then(|spec| spec.get("annotations"))) {
        let lost: Vec<&str> = pod
            .annotations
            .iter()
            .map(|a| a.key.as_str())
            .filter(|key| received.get(key).is_none())
            .collect();
        if !lost.is_empty() {
            findings.push(told(format!(
                "the container runtime did not hand on {}: no pattern of its pod_annotations lets them through",
                lost.join(", ")
            )));
        }
    }
    pod.findings.extend(findings);
    Some(pod)
}

/// `DNSConfig`, as containerd writes it down.
fn resolver(config: &Node<'_>) -> String {
    let words = |key: &str| -> Vec<String> {
        config.get(key).map(|list| list.items().iter().map(text_of).collect()).unwrap_or_default()
    };
    let line = |name: &str, words: Vec<String>, between: &str| match words.is_empty() {
        true => String::new(),
        false => format!("{name} {}\n", words.join(between)),
    };
    [
        line("search", words("searches"), " "),
        line("nameserver", words("servers"), "\nnameserver "),
        line("options", words("options"), " "),
    ]
    .concat()
}

/// `LinuxContainerResources`, as far as a sandbox's size goes.
fn cri_sizing(resources: &Node<'_>) -> Sizing {
    let number = |key: &str| resources.get(key).and_then(Node::integer).unwrap_or_default();
    let unsigned = |key: &str| u64::try_from(number(key)).unwrap_or_default();
    Sizing {
        cpu_quota: number("cpu_quota"),
        cpu_period: unsigned("cpu_period"),
        cpu_shares: unsigned("cpu_shares"),
        memory_limit: number("memory_limit_in_bytes"),
    }
}

/// NamespaceMode NODE (2, or by name) of network, pid or ipc, and POD of pid where it is said.
fn cri_isolation(node: &Node<'_>) -> Isolation {
    let context = node.path(&["linux", "security_context"]);
    let options = context.and_then(|context| context.get("namespace_options"));
    let is = |key: &str, modes: [&str; 2]| {
        options.and_then(|options| options.get(key)).is_some_and(|mode| match &mode.data {
            Data::Number(text) | Data::String(text) => modes.contains(&text.as_ref()),
            _ => false,
        })
    };
    let node = ["2", "NODE"];
    Isolation {
        host_network: is("network", node),
        host_pid: is("pid", node),
        host_ipc: is("ipc", node),
        shared_pid: is("pid", ["0", "POD"]),
        privileged: is_true(context, "privileged"),
    }
}

fn is_true(node: Option<&Node<'_>>, key: &str) -> bool {
    node.and_then(|node| node.get(key)).is_some_and(|value| matches!(value.data, Data::Bool(true)))
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

fn oci(object: &Object<'_, '_>) -> Pod {
    let node = object.node;
    let annotations = annotations(node.get("annotations"), object.places);
    let value = |keys: &[&str]| {
        let mut values = keys.iter().filter_map(|key| annotations.iter().find(|a| a.key == *key));
        values.find(|a| !a.value.is_empty()).map(|a| a.value.to_string())
    };
    let hostname = node.text("hostname").unwrap_or_default().to_owned();
    let number = |key: &str| value(&[key]).and_then(|v| v.parse::<i64>().ok());
    let unsigned = |key: &str| value(&[key]).and_then(|v| v.parse::<u64>().ok()).unwrap_or_default();
    let sized = annotations.iter().any(|a| {
        a.key.starts_with("io.kubernetes.cri.sandbox-cpu-") || a.key == "io.kubernetes.cri.sandbox-memory"
    });
    Pod {
        name: value(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.KubeName"])
            .unwrap_or_else(|| hostname.clone()),
        namespace: value(&["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace"])
            .unwrap_or_else(|| "default".to_owned()),
        kind: "OCI".to_owned(),
        source: source(object),
        form: Form::Oci,
        labels: BTreeMap::new(),
        runtime_class: None,
        uid: None,
        log_directory: None,
        isolation: Isolation::default(),
        sizing: sized.then(|| Sizing {
            cpu_quota: number("io.kubernetes.cri.sandbox-cpu-quota").unwrap_or_default(),
            cpu_period: unsigned("io.kubernetes.cri.sandbox-cpu-period"),
            cpu_shares: unsigned("io.kubernetes.cri.sandbox-cpu-shares"),
            memory_limit: number("io.kubernetes.cri.sandbox-memory").unwrap_or_default(),
        }),
        overhead: None,
        class_overhead: 0,
        resolver: String::new(),
        sum: None,
        devices: Vec::new(),
        handler: None,
        problems: Vec::new(),
        findings: Vec::new(),
        hostname,
        annotations,
    }
}

fn runtime_class(object: &Object<'_, '_>) -> RuntimeClass {
    let node = object.node;
    let fixed = node.path(&["overhead", "podFixed"]);
    RuntimeClass {
        name: node.get("metadata").and_then(|m| m.text("name")).unwrap_or_default().to_owned(),
        handler: node.text("handler").unwrap_or_default().to_owned(),
        overhead: labels(fixed),
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
