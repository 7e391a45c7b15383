//! What CRI-O makes of one pod: its handler, and the annotations of the sandbox.
//!
//! Decides who serves the pod and what the shim reads in the sandbox's OCI spec, in the order in which CRI-O
//! writes it: its own keys; the handler's defaults and over them the pod's own, filtered; the pod's labels, not
//! filtered at all; and at last a few keys that nobody can replace. Facts: server/sandbox_run_linux.go,
//! server/utils.go and internal/oci of cri-o.
//!
//! Limitations: what only the daemon knows (times, mount points, the result of CNI) stands as a token or is left
//! out; of keys that nothing reads, those that hold the whole pod again are left out. A pod without namespace
//! options is taken as kubelet sends it.

use super::annotations::{Feature, Known};
use super::handler::{Handler, Seen};
use super::handlers::Handlers;
use super::{Broken, Crio};
use crate::answer::verdict::{Failure, FailureStage, Fix};
use crate::cri::{Passage, Passages, Passed};
use crate::golang::quantity::{self, Refused};
use crate::golang::strconv::{self, quote};
use crate::input::host::FileKind;
use crate::input::manifest::{Form, Pod, Sizing};
use crate::input::{Annotations, Text};

/// The longest label, key and value together.
const LABEL_LIMIT: usize = 4096;

impl Crio {
    /// The handler that a pod asks for; empty for the default one. A dropped one counts: the pod asks for it.
    fn asked<'p>(&'p self, handlers: &Handlers, pod: &'p Pod) -> &'p str {
        let named = |name: &str| {
            handlers.by_name.contains_key(name) || handlers.dropped.iter().any(|gone| gone.name == name)
        };
        let said = self.handler.as_deref().filter(|name| !name.is_empty());
        said.or_else(|| pod.asked_handler(named)).unwrap_or_default()
    }

    /// The handler that serves a pod, with its name, or CRI-O's message where there is none.
    pub fn handler_of(&self, pod: &Pod) -> Result<(&str, &Handler), Failure> {
        let handlers = self.handlers.as_ref().map_err(Broken::failure)?;
        let asked = self.asked(handlers, pod);
        let name = if asked.is_empty() { handlers.default.as_str() } else { asked };
        let found = handlers.by_name.get_key_value(name);
        found.map(|(name, handler)| (name.as_str(), handler)).ok_or_else(|| {
            let listed = handlers.listed();
            refusal(format!("failed to find runtime handler {name} from runtime list {listed}"))
        })
    }

    /// What the runtime gets of `pod`.
    pub fn pass(&self, pod: &Pod, sizing: Option<&Sizing>, sandbox_id: &str) -> Passed {
        match self.sandbox(pod, sizing, sandbox_id) {
            Ok(passed) => passed,
            Err(failure) => Passed { failure: Some(failure), ..Passed::default() },
        }
    }

    fn sandbox(&self, pod: &Pod, sizing: Option<&Sizing>, sandbox_id: &str) -> Result<Passed, Failure> {
        let handlers = self.handlers.as_ref().map_err(Broken::failure)?;
        let (name, handler) = self.handler_of(pod)?;
        let (kept, passages) = self.filtered(pod, name, handler);
        let kube = Annotations::from(handler.defaults.clone().into_iter().chain(kept).collect::<Vec<_>>());
        let read = |feature: Feature| feature.read(self.release).find_map(|key| kube.get(key));
        if let Some(mode) = read(Feature::USERNS).filter(|_| pod.form == Form::Cri) {
            user_namespace(mode).map_err(refusal)?;
        }
        labels_fit(pod).map_err(refusal)?;
        if let Some(size) = read(Feature::SHM).filter(|_| !pod.isolation.host_ipc) {
            shm(size).map_err(refusal)?;
        }
        self.start(handlers, pod, name, handler)?;
        let mut received = own_keys(pod, self.asked(handlers, pod), sandbox_id);
        received.push((Feature::OVERHEAD.written(self.release).into(), json(pod.overhead.as_ref()).into()));
        received.push((Feature::RESOURCES.written(self.release).into(), json(sizing).into()));
        received.extend(kube.in_order(|_| true).into_iter().map(|(key, value)| (key.clone(), value.clone())));
        received.extend(labels(pod));
        received.extend(last_keys(pod, sandbox_id));
        if self.drops_infra(pod, name, handler) {
            received.push((Feature::SPOOFED.written(self.release).into(), "true".into()));
        }
        Ok(Passed {
            received: Annotations::from(received),
            passages: Passages::Each(passages),
            failure: None,
        })
    }

    /// The pod's annotations that are left, and what became of each.
    fn filtered(&self, pod: &Pod, name: &str, handler: &Handler) -> (Vec<(Text, Text)>, Vec<Passage>) {
        let known = Known::of(self.release);
        let has = |key: &str| pod.annotations.iter().any(|annotation| annotation.key == key);
        let workload = self.workloads.iter().find(|(_, workload)| has(&workload.activation));
        let of_workload = |key: &str| {
            workload.filter(|(_, workload)| workload.allowed.iter().any(|allowed| allowed == key))
        };
        let of_handler = |key: &str| handler.allowed.iter().any(|allowed| allowed == key);
        let mut kept = Vec::with_capacity(pod.annotations.len());
        let passage = |annotation: &crate::input::manifest::PodAnnotation| {
            let key = annotation.key.as_str();
            let removed = known.removes(key, |name| of_handler(name) || of_workload(name).is_some());
            if let Some(own) = removed {
                return Passage {
                    passed: false,
                    note: format!("CRI-O keeps {own} to itself unless handler {name} allows it").into(),
                    place: handler.allowed_place.clone(),
                    fix: Some(Fix::Advice(
                        format!("add {own:?} to allowed_annotations of handler {name}").into(),
                    )),
                };
            }
            kept.push((annotation.key.clone(), annotation.value.clone()));
            // The name that would have removed it, had nobody allowed it.
            let Some(own) = known.removes(key, |_| false) else {
                return Passage::free("CRI-O passes on every key but its own");
            };
            let (who, place) = match of_workload(own).filter(|_| !of_handler(own)) {
                Some((workload, table)) => (format!("workload {workload}"), table.place.clone()),
                None => (format!("handler {name}"), handler.allowed_place.clone()),
            };
            Passage { passed: true, note: format!("{who} allows {own}").into(), place, fix: None }
        };
        let passages = pod.annotations.iter().map(passage).collect();
        (kept, passages)
    }

    /// Whether the sandbox gets no container of its own: not where it holds the pod's processes together, nor
    /// where a VM is made of it.
    fn drops_infra(&self, pod: &Pod, name: &str, handler: &Handler) -> bool {
        let separated = handler.is_vm() || name.to_lowercase().contains("kata");
        self.drop_infra_ctr && !pod.isolation.shared_pid && !separated
    }

    /// What happens when the sandbox's container is created, as far as files tell.
    fn start(&self, handlers: &Handlers, pod: &Pod, name: &str, handler: &Handler) -> Result<(), Failure> {
        if self.drops_infra(pod, name, handler) {
            // The dropped container belongs to no handler, so that the default one gets it.
            let default = handlers.by_name.get(&handlers.default);
            if default.is_some_and(Handler::is_vm) {
                return Err(refusal("open : no such file or directory".to_owned()));
            }
            return Ok(());
        }
        if handler.is_vm() {
            return shim_starts(&handler.runtime_path, &self.seen).map_err(refusal);
        }
        if handler.is_oci() && handler.is_named_as_a_shim() {
            let shim = &handler.runtime_path;
            return Err(refusal(format!(
                "container create failed: {shim} is a shim, and is run as a program such as crun: \
                 handler {name} has no runtime_type = \"vm\""
            )));
        }
        Ok(())
    }
}

fn refusal(message: String) -> Failure {
    Failure::new(FailureStage::Cri, message)
}

/// Whether the file can be run; what the check at the daemon's start let pass.
fn shim_starts(path: &str, seen: &Seen) -> Result<(), String> {
    let why = match seen.stat(path) {
        Ok(stat) if stat.kind == FileKind::Directory || stat.mode & 0o111 == 0 => "permission denied",
        Ok(_) => return Ok(()),
        Err(errno) => errno.go(),
    };
    Err(format!(": fork/exec {path}: {why}"))
}

/// CRI-O's own keys that are known before the sandbox is there; a pod can replace every one of them.
fn own_keys(pod: &Pod, asked: &str, sandbox_id: &str) -> Vec<(Text, Text)> {
    let uid = pod.uid.as_deref().unwrap_or_default();
    let name = format!("k8s_{}_{}_{uid}_0", pod.name, pod.namespace);
    let container = format!("k8s_POD_{}_{}_{uid}_0", pod.name, pod.namespace);
    let flag = |on: bool| Text::from(if on { "true" } else { "false" });
    vec![
        ("io.kubernetes.cri-o.Name".into(), Text::copy(&name)),
        ("io.kubernetes.cri-o.SandboxName".into(), name.into()),
        ("io.kubernetes.cri-o.Namespace".into(), Text::copy(&pod.namespace)),
        ("io.kubernetes.cri-o.ContainerType".into(), "sandbox".into()),
        ("io.kubernetes.cri-o.SandboxID".into(), Text::copy(sandbox_id)),
        ("io.kubernetes.cri-o.ContainerName".into(), container.into()),
        ("io.kubernetes.cri-o.ContainerID".into(), Text::copy(sandbox_id)),
        ("io.kubernetes.cri-o.PrivilegedRuntime".into(), flag(pod.isolation.is_privileged())),
        ("io.kubernetes.cri-o.RuntimeHandler".into(), Text::copy(asked)),
        ("io.kubernetes.cri-o.HostName".into(), Text::copy(&pod.hostname)),
        ("io.kubernetes.cri-o.KubeName".into(), Text::copy(&pod.name)),
        ("io.kubernetes.cri-o.HostNetwork".into(), flag(pod.isolation.host_network)),
        ("io.container.manager".into(), "cri-o".into()),
    ]
}

/// The labels: the pod's, those that kubelet adds, and the name of the sandbox's own container.
fn labels(pod: &Pod) -> impl Iterator<Item = (Text, Text)> {
    let kubelets = [
        ("io.kubernetes.pod.name", pod.name.as_str()),
        ("io.kubernetes.pod.namespace", &pod.namespace),
        ("io.kubernetes.pod.uid", pod.uid.as_deref().unwrap_or_default()),
    ];
    // A client such as crictl may have set them.
    let absent = move |key: &str| pod.form != Form::Cri || !pod.labels.contains_key(key);
    let own = pod.labels.in_order(|_| true).into_iter().map(|(key, value)| (key.clone(), value.clone()));
    let added = kubelets.into_iter().filter(move |(key, _)| absent(key));
    own.chain(added.map(|(key, value)| (Text::from(key), Text::copy(value))))
        .chain([("io.kubernetes.container.name".into(), "POD".into())])
}

/// The keys that come after everything of the pod's.
fn last_keys(pod: &Pod, sandbox_id: &str) -> Vec<(Text, Text)> {
    let folder = format!("/run/containers/storage/overlay-containers/{sandbox_id}/userdata");
    let seccomp = if pod.isolation.is_privileged() { "Unconfined" } else { "RuntimeDefault" };
    vec![
        ("io.kubernetes.cri-o.MountPoint".into(), "{mount}".into()),
        ("io.kubernetes.cri-o.HostnamePath".into(), format!("{folder}/hostname").into()),
        ("io.kubernetes.cri-o.SeccompProfilePath".into(), seccomp.into()),
    ]
}

/// kubelet's message as JSON: the fields in the message's order, without zeros; `null` for none.
fn json(sizing: Option<&Sizing>) -> String {
    let Some(sizing) = sizing else { return "null".to_owned() };
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

fn labels_fit(pod: &Pod) -> Result<(), String> {
    let mut labels = pod.labels.in_order(|_| true).into_iter();
    let Some((key, _)) = labels.find(|(key, value)| key.len() + value.len() > LABEL_LIMIT) else {
        return Ok(());
    };
    let start: String = key.chars().take(10).collect();
    Err(format!("label key and value greater than maximum size ({LABEL_LIMIT} bytes), key: {start}"))
}

fn shm(size: &str) -> Result<(), String> {
    match quantity::binary_bytes(size) {
        Err(Refused::Parse(why)) => Err(format!("failed to parse shm size '{size}': {why}")),
        Ok(_) | Err(Refused::Format) => Ok(()),
    }
}

/// Whether a user namespace such as `auto:size=65536` can be made; what is asked of a host is taken to work.
fn user_namespace(mode: &str) -> Result<(), String> {
    if mode.is_empty() {
        return Ok(());
    }
    let (kind, rest) = mode.split_once(':').map_or((mode, None), |(kind, rest)| (kind, Some(rest)));
    let mut values: Vec<(&str, &str)> = Vec::new();
    for argument in rest.into_iter().flat_map(|rest| rest.split(';')) {
        let pair = argument.split_once('=');
        values.push(pair.ok_or_else(|| format!("invalid argument: {}", quote(argument)))?);
    }
    let value = |key: &str| values.iter().rev().find(|(own, _)| *own == key).map(|(_, value)| *value);
    let mapped = value("uidmapping").is_some() || value("gidmapping").is_some();
    if mapped {
        return Err("cannot use uidmapping or gidmapping if RunAsUser is not set".to_owned());
    }
    match kind {
        "auto" => {
            if value("keep-id") == Some("true") && value("map-to-root") == Some("true") {
                return Err(format!("cannot use both keep-id and map-to-root: {}", quote(mode)));
            }
            let size = value("size").map(|size| strconv::parse_uint(size, 10, 32));
            size.transpose().map(drop).map_err(|error| error.to_string())
        }
        "private" => Err("userns requested but no userns mappings configured".to_owned()),
        _ => Err(format!("invalid userns mode: {}", quote(mode))),
    }
}
