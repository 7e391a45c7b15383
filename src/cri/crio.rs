//! CRI-O: its configuration, and what it passes to the runtime.
//!
//! Decides which handler serves a pod and which annotations the sandbox gets: everything but CRI-O's
//! own keys. Not verified by recordings. Facts: internal/config, server/sandbox_run_linux.go and
//! pkg/annotations of CRI-O 1.36.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Passage, Passages, Passed};
use crate::input::host::{FileKind, Host};
use crate::input::manifest::{Pod, Sizing};
use crate::input::source::Source;
use crate::input::toml_tree::{self, Node, Table, Value};
use crate::input::{Annotations, Place, Text};
use crate::runtime::verdict::{Failure, FailureStage, Fix};

/// Keys that only an `allowed_annotations` entry lets through; an annotation that starts with one is
/// removed.
const OWN_KEYS: [&str; 37] = [
    "io.kubernetes.cri.rdt-class",
    "bundle",
    "org.systemd.property.",
    "org.criu.config",
    "module.wasm.image/variant",
    "io.kubernetes.cri.container-type",
    "run.oci.",
    "userns-mode.crio.io",
    "devices.crio.io",
    "shm-size.crio.io",
    "unified-cgroup.crio.io",
    "link-logs.crio.io",
    "pod-linux-overhead.crio.io",
    "pod-linux-resources.crio.io",
    "seccomp-profile.crio.io",
    "umask.crio.io",
    "cpu-quota.crio.io",
    "irq-load-balancing.crio.io",
    "cpu-shared.crio.io",
    "cpu-load-balancing.crio.io",
    "io.kubernetes.cri-o.userns-mode",
    "io.kubernetes.cri-o.Devices",
    "io.kubernetes.cri-o.ShmSize",
    "io.kubernetes.cri-o.UnifiedCgroup",
    "io.kubernetes.cri-o.LinkLogs",
    "io.kubernetes.cri-o.PodLinuxOverhead",
    "io.kubernetes.cri-o.PodLinuxResources",
    "io.kubernetes.cri-o.umask",
    "io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw",
    "io.kubernetes.cri-o.DisableFIPS",
    "io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel",
    "seccomp-profile.kubernetes.cri-o.io",
    "io.containers.trace-syscall",
    "cpu-c-states.crio.io",
    "cpu-freq-governor.crio.io",
    "cpu-load-balancing.crio.io/",
    "irq-load-balancing.crio.io/",
];

/// One handler table.
#[derive(Debug, Clone, Default)]
pub struct Handler {
    /// `runtime_path`.
    pub runtime_path: String,
    /// `runtime_type`: `oci` or `vm`.
    pub runtime_type: String,
    /// `runtime_config_path`: Kata's configuration file.
    pub runtime_config_path: String,
    /// `allowed_annotations`.
    pub allowed: Vec<String>,
    /// `default_annotations`, which the pod's own replace.
    pub defaults: BTreeMap<Text, Text>,
    /// Where the table stands.
    pub place: Option<Place>,
}

/// A CRI-O with its configuration.
#[derive(Debug, Clone)]
pub struct Crio {
    /// The files it read, in order.
    pub files: Vec<String>,
    /// Its handlers by name, or why it does not start.
    pub handlers: Result<IndexMap<String, Handler>, String>,
    /// The handler for an empty one.
    pub default: String,
    /// The handler that serves the pods.
    pub handler: Option<String>,
}

impl Crio {
    /// Reads `path`, then everything below `<path>.d/` in lexical order.
    pub fn read(host: &Host, path: &str, handler: Option<String>) -> Self {
        let mut crio =
            Self { files: Vec::new(), handlers: Ok(IndexMap::new()), default: "crun".into(), handler };
        let mut paths = vec![path.to_owned()];
        walk(host, &format!("{path}.d"), &mut paths);
        let mut handlers = IndexMap::new();
        for path in paths {
            match crio.file(host, &path, &mut handlers) {
                Ok(()) => crio.files.push(path),
                Err(why) => {
                    crio.handlers = Err(why);
                    return crio;
                }
            }
        }
        let odd = handlers.iter().find_map(|(name, h): (&String, &Handler)| {
            h.allowed
                .iter()
                .find(|a| !OWN_KEYS.contains(&a.as_str()))
                .map(|a| format!("runtime handler {name}: invalid allowed_annotation: {a}"))
        });
        crio.handlers = odd.map_or(Ok(handlers), Err);
        crio
    }

    fn file(
        &mut self,
        host: &Host,
        path: &str,
        handlers: &mut IndexMap<String, Handler>,
    ) -> Result<(), String> {
        let bytes = host.read(path).map_err(|errno| format!("open {path}: {}", errno.go()))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{path}: not UTF-8"))?;
        let root = toml_tree::parse(&Source::new(path, text)).map_err(|e| e.to_string())?;
        let table = |table: &Table, key: &str| table.get(key).and_then(Node::table).cloned();
        let Some(runtime) = table(&root, "crio").and_then(|crio| table(&crio, "runtime")) else {
            return Ok(());
        };
        if let Some(default) = runtime.get("default_runtime").and_then(Node::str) {
            self.default = default.to_owned();
        }
        for (name, node) in table(&runtime, "runtimes").unwrap_or_default() {
            // A later table replaces the whole entry.
            handlers.insert(name, entry(&node));
        }
        Ok(())
    }

    /// What the runtime gets of `pod`.
    pub fn pass(&self, pod: &Pod, sizing: Option<&Sizing>, sandbox_id: &str) -> Passed {
        let refused = |message: String| Passed {
            failure: Some(Failure::new(FailureStage::Cri, message)),
            ..Passed::default()
        };
        let handlers = match &self.handlers {
            Ok(handlers) => handlers,
            Err(why) => return refused(format!("CRI-O does not start: {why}")),
        };
        let of_class = || pod.asked_handler(|name| handlers.contains_key(name));
        let name =
            self.handler.as_deref().filter(|h| !h.is_empty()).or_else(of_class).unwrap_or(&self.default);
        let Some(handler) = handlers.get(name) else {
            return refused(format!("failed to find runtime handler {name} from runtime list"));
        };
        let mut received: Vec<(Text, Text)> = vec![
            ("io.kubernetes.cri-o.ContainerType".into(), "sandbox".into()),
            ("io.kubernetes.cri-o.SandboxID".into(), Text::copy(sandbox_id)),
            ("io.kubernetes.cri-o.KubeName".into(), Text::copy(&pod.name)),
            ("io.kubernetes.cri-o.Namespace".into(), Text::copy(&pod.namespace)),
        ];
        if let Some(sizing) = sizing {
            received.push(("pod-linux-resources.crio.io".into(), resources(sizing).into()));
        }
        received.extend(handler.defaults.clone());
        let passages = pod
            .annotations
            .iter()
            .map(|annotation| {
                let own = OWN_KEYS.iter().find(|key| {
                    annotation.key.starts_with(**key) && !handler.allowed.iter().any(|a| a == *key)
                });
                match own {
                    Some(key) => Passage {
                        passed: false,
                        note: format!("CRI-O keeps {key} to itself unless handler {name} allows it").into(),
                        place: handler.place.clone(),
                        fix: Some(Fix::Advice(
                            format!("add {key:?} to allowed_annotations of handler {name}").into(),
                        )),
                    },
                    None => {
                        received.push((annotation.key.clone(), annotation.value.clone()));
                        Passage::free("CRI-O passes on every key but its own")
                    }
                }
            })
            .collect();
        // Labels become annotations too, and win.
        received.extend(pod.labels.iter().map(|(key, value)| (Text::copy(key), Text::copy(value))));
        let received = Annotations::from(received);
        Passed { received, passages: Passages::Each(passages), failure: None }
    }
}

fn walk(host: &Host, folder: &str, paths: &mut Vec<String>) {
    let Ok(names) = host.read_dir(folder) else { return };
    for name in names.iter() {
        let path = format!("{folder}/{name}");
        match host.lstat(&path).map(|s| s.kind) {
            Ok(FileKind::Directory) => walk(host, &path, paths),
            Ok(_) => paths.push(path),
            Err(_) => {}
        }
    }
}

fn entry(node: &Node) -> Handler {
    let Some(table) = node.table() else { return Handler::default() };
    let text = |key: &str| table.get(key).and_then(Node::str).unwrap_or_default().to_owned();
    let allowed = match table.get("allowed_annotations").map(|n| &n.value) {
        Some(Value::Array(items)) => items.iter().filter_map(Node::str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let defaults = table.get("default_annotations").and_then(Node::table);
    Handler {
        runtime_path: text("runtime_path"),
        runtime_type: text("runtime_type"),
        runtime_config_path: text("runtime_config_path"),
        allowed,
        defaults: defaults
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((Text::copy(k), Text::copy(v.str()?))))
            .collect(),
        place: Some(node.place.clone()),
    }
}

/// The sandbox's size as CRI-O 1.35 publishes it; Kata reads it not.
fn resources(sizing: &Sizing) -> String {
    let fields = [
        ("cpu_period", i64::try_from(sizing.cpu_period).unwrap_or(i64::MAX)),
        ("cpu_quota", sizing.cpu_quota),
        ("cpu_shares", i64::try_from(sizing.cpu_shares).unwrap_or(i64::MAX)),
        ("memory_limit_in_bytes", sizing.memory_limit),
    ];
    let inner: Vec<String> =
        fields.iter().filter(|(_, n)| *n != 0).map(|(k, n)| format!("\"{k}\":{n}")).collect();
    format!("{{{}}}", inner.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};
    use std::sync::Arc;

    #[test]
    fn a_later_table_replaces_the_whole_handler() {
        let files = MemoryFiles::new()
            .file(
                "/etc/crio/crio.conf",
                0o644,
                "[crio.runtime.runtimes.kata]\nruntime_path='/a'\nruntime_config_path='/c'\n",
            )
            .file(
                "/etc/crio/crio.conf.d/99-kata",
                0o644,
                "[crio.runtime.runtimes.kata]\nruntime_path='/b'\n",
            );
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let crio = Crio::read(&host, "/etc/crio/crio.conf", None);
        let handlers = crio.handlers.unwrap();
        assert_eq!(handlers["kata"].runtime_path, "/b");
        assert_eq!(handlers["kata"].runtime_config_path, "");
    }
}
