//! The container runtime between kubelet and Kata: which of a pod's annotations it passes on, and
//! which it writes itself.
//!
//! Decides what the runtime receives. Facts: containerd 1.7 to 2.4 (internal/cri/server), CRI-O.

pub mod containerd;
pub mod crio;
pub mod which;

use crate::input::manifest::{Form, Pod, Sizing};
use crate::input::{Annotations, Place, Text};
use crate::runtime::verdict::{Failure, Fix};
use containerd::Containerd;
use crio::Crio;

/// The container runtime of the node.
#[derive(Debug, Clone, Default)]
pub enum Engine {
    /// Nobody said: everything passes, as if `pod_annotations` named every key.
    #[default]
    Assumed,
    /// containerd with its configuration.
    Containerd(Box<Containerd>),
    /// CRI-O with its configuration.
    Crio(Box<Crio>),
}

/// What became of one annotation at this station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Whether the runtime gets it.
    pub passed: bool,
    /// The pattern that matched, or why none does.
    pub note: Text,
    /// Where the rule stands.
    pub place: Option<Place>,
    /// What would let it pass.
    pub fix: Option<Fix>,
}

impl Passage {
    /// It passes, by no rule of a file.
    fn free(note: impl Into<Text>) -> Self {
        Self { passed: true, note: note.into(), place: None, fix: None }
    }
}

/// What became of each of a pod's annotations at this station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passages {
    /// The same of all.
    Alike(Passage),
    /// One for each, in the pod's order.
    Each(Vec<Passage>),
}

impl Passages {
    /// The passage of the annotation at this place.
    pub fn of(&self, index: usize) -> Option<&Passage> {
        match self {
            Self::Alike(passage) => Some(passage),
            Self::Each(passages) => passages.get(index),
        }
    }
}

impl Default for Passages {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

/// What the runtime receives.
#[derive(Debug, Clone, Default)]
pub struct Passed {
    /// The annotations of the sandbox's OCI spec.
    pub received: Annotations,
    /// What became of the pod's annotations.
    pub passages: Passages,
    /// Why the sandbox is refused here.
    pub failure: Option<Failure>,
}

impl Engine {
    /// What the runtime gets of `pod`.
    pub fn pass(&self, pod: &Pod, sizing: Option<&Sizing>, sandbox_id: &str) -> Passed {
        match self {
            Self::Assumed => assumed(pod, sizing, sandbox_id),
            // An OCI spec is what a runtime really received: nothing is left to pass.
            Self::Containerd(_) | Self::Crio(_) if pod.form == Form::Oci => assumed(pod, sizing, sandbox_id),
            Self::Containerd(containerd) => containerd.pass(pod, sizing, sandbox_id),
            Self::Crio(crio) => crio.pass(pod, sizing, sandbox_id),
        }
    }
}

fn assumed(pod: &Pod, sizing: Option<&Sizing>, sandbox_id: &str) -> Passed {
    let mut received = match pod.form {
        Form::Oci => Vec::with_capacity(pod.annotations.len()),
        Form::Kubernetes | Form::Cri => with_room(pod),
    };
    received.extend(pod.annotations.iter().map(|a| (a.key.clone(), a.value.clone())));
    let note = match pod.form {
        Form::Oci => "the OCI spec has it",
        Form::Kubernetes | Form::Cri => "assumed: no CRI configuration given, all pass",
    };
    if pod.form != Form::Oci {
        if let Some(sizing) = sizing {
            sizing_keys(&mut received, sizing);
        }
        own_keys(&mut received, pod, sandbox_id);
    }
    let passages = Passages::Alike(Passage::free(note));
    Passed { received: Annotations::from(received), passages, failure: None }
}

/// Room for what a pod sets and what a container runtime adds.
fn with_room(pod: &Pod) -> Vec<(Text, Text)> {
    Vec::with_capacity(pod.annotations.len() + 12)
}

/// The keys that containerd writes for Kata to read; the pod cannot replace them.
fn own_keys(received: &mut Vec<(Text, Text)>, pod: &Pod, sandbox_id: &str) {
    let mut set = |key: &'static str, value: Text| received.push((key.into(), value));
    set("io.kubernetes.cri.container-type", "sandbox".into());
    set("io.kubernetes.cri.sandbox-id", Text::copy(sandbox_id));
    set("io.kubernetes.cri.sandbox-name", Text::copy(&pod.name));
    set("io.kubernetes.cri.sandbox-namespace", Text::copy(&pod.namespace));
    if let Some(uid) = &pod.uid {
        set("io.kubernetes.cri.sandbox-uid", Text::copy(uid));
    }
    // kubelet's rule, for a document that does not name the folder itself.
    let by_uid = || pod.uid.as_ref().map(|uid| format!("/var/log/pods/{}_{}_{uid}", pod.namespace, pod.name));
    if let Some(folder) = pod.log_directory.clone().or_else(by_uid) {
        set("io.kubernetes.cri.sandbox-log-directory", folder.into());
    }
}

/// kubelet's sandbox sizing, as containerd passes it on.
fn sizing_keys(received: &mut Vec<(Text, Text)>, sizing: &Sizing) {
    let mut set = |key: &'static str, value: String| received.push((key.into(), value.into()));
    set("io.kubernetes.cri.sandbox-cpu-period", sizing.cpu_period.to_string());
    set("io.kubernetes.cri.sandbox-cpu-quota", sizing.cpu_quota.to_string());
    set("io.kubernetes.cri.sandbox-cpu-shares", sizing.cpu_shares.to_string());
    set("io.kubernetes.cri.sandbox-memory", sizing.memory_limit.to_string());
}
