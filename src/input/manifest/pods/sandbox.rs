//! Pods in a container runtime's own words: a CRI pod configuration, an OCI specification, an inspected sandbox.
//!
//! Decides which of them a text is, and what the pod is called and sized there. Facts: `PodSandboxConfig` of the
//! CRI's api.proto, the annotations of containerd and CRI-O, and what `crictl inspectp` and `ctr containers info`
//! print.

use crate::input::Annotations;

use super::fields::{annotations, is_true, labels, source, text_of};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::input::manifest::document::Object;
use crate::input::manifest::node::{Data, Node};
use crate::input::manifest::{Form, Isolation, Pod, Sizing, options};

/// A pod configuration as `crictl runp` takes it.
pub(super) fn is_cri(node: &Node<'_>) -> bool {
    let metadata = node.get("metadata").is_some_and(|m| m.text("name").is_some());
    let own = ["linux", "log_directory", "annotations", "labels", "dns_config", "port_mappings", "hostname"];
    metadata && own.iter().any(|key| node.get(key).is_some())
        || metadata && node.path(&["metadata", "uid"]).is_some() && node.get("spec").is_none()
}

pub(super) fn cri(object: &Object<'_, '_>) -> Pod {
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
        cgroup: None,
        devices: Vec::new(),
        handler: None,
        problems: Vec::new(),
        findings: Vec::new(),
    }
}

/// A sandbox as the container runtime tells of it: `crictl inspectp`, `ctr containers info`.
pub(super) fn inspected(object: &Object<'_, '_>) -> Option<Pod> {
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

pub(super) fn oci(object: &Object<'_, '_>) -> Pod {
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
        labels: Annotations::default(),
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
        cgroup: None,
        devices: Vec::new(),
        handler: None,
        problems: Vec::new(),
        findings: Vec::new(),
        hostname,
        annotations,
    }
}
