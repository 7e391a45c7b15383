//! The container runtime between kubelet and Kata: which of a pod's annotations it passes on, and
//! which it writes itself.
//!
//! Decides what the runtime receives. Facts: containerd 1.7 to 2.4 (internal/cri/server), CRI-O.

pub mod containerd;
pub mod crio;
pub mod which;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::input::Place;
use crate::input::manifest::{Form, Pod, Sizing};
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
    pub note: Cow<'static, str>,
    /// Where the rule stands.
    pub place: Option<Place>,
    /// What would let it pass.
    pub fix: Option<Fix>,
}

/// What the runtime receives.
#[derive(Debug, Clone, Default)]
pub struct Passed {
    /// The annotations of the sandbox's OCI spec.
    pub received: BTreeMap<String, String>,
    /// One for each of the pod's annotations, in the pod's order.
    pub passages: Vec<Passage>,
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
    let mut received: BTreeMap<String, String> =
        pod.annotations.iter().map(|a| (a.key.clone(), a.value.clone())).collect();
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
    let passages = pod
        .annotations
        .iter()
        .map(|_| Passage { passed: true, note: note.into(), place: None, fix: None })
        .collect();
    Passed { received, passages, failure: None }
}

/// The keys that containerd writes for Kata to read; the pod cannot replace them.
fn own_keys(received: &mut BTreeMap<String, String>, pod: &Pod, sandbox_id: &str) {
    let mut set = |key: &str, value: String| {
        received.insert(key.to_owned(), value);
    };
    set("io.kubernetes.cri.container-type", "sandbox".into());
    set("io.kubernetes.cri.sandbox-id", sandbox_id.into());
    set("io.kubernetes.cri.sandbox-name", pod.name.clone());
    set("io.kubernetes.cri.sandbox-namespace", pod.namespace.clone());
    if let Some(uid) = &pod.uid {
        set("io.kubernetes.cri.sandbox-uid", uid.clone());
    }
    // kubelet's rule, for a document that does not name the folder itself.
    let by_uid = || pod.uid.as_ref().map(|uid| format!("/var/log/pods/{}_{}_{uid}", pod.namespace, pod.name));
    if let Some(folder) = pod.log_directory.clone().or_else(by_uid) {
        set("io.kubernetes.cri.sandbox-log-directory", folder);
    }
}

/// kubelet's sandbox sizing, as containerd passes it on.
fn sizing_keys(received: &mut BTreeMap<String, String>, sizing: &Sizing) {
    let mut set = |key: &str, value: String| {
        received.insert(key.to_owned(), value);
    };
    set("io.kubernetes.cri.sandbox-cpu-period", sizing.cpu_period.to_string());
    set("io.kubernetes.cri.sandbox-cpu-quota", sizing.cpu_quota.to_string());
    set("io.kubernetes.cri.sandbox-cpu-shares", sizing.cpu_shares.to_string());
    set("io.kubernetes.cri.sandbox-memory", sizing.memory_limit.to_string());
}
