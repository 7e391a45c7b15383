//! Pods in Kubernetes documents, CRI pod configurations and OCI specs.
//!
//! Decides which pods an input holds and where each annotation stands. Whether Kubernetes would
//! accept them is `kubernetes`' business.

use std::collections::BTreeMap;

use super::source::Place;

/// What kind of document a pod came from: it decides at which stage its story starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A Kubernetes object: starts at the `kubernetes` stage.
    Kubernetes,
    /// A CRI pod configuration (`crictl runp`): starts at the `cri` stage.
    Cri,
    /// An OCI `config.json`: what a runtime really received.
    Oci,
}

/// One annotation as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodAnnotation {
    /// The whole key.
    pub key: String,
    /// The value as Kubernetes would store it (a null arrives as the empty string).
    pub value: String,
    /// Where the key stands.
    pub place: Place,
}

/// A complaint Kubernetes would make, ending the pod's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The annotation it is about.
    pub annotation: Option<String>,
    /// Kubernetes' message.
    pub message: String,
    /// What to write instead.
    pub fix: Option<String>,
    /// Where.
    pub place: Option<Place>,
}

/// Where a pod stands in its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSource {
    /// Shown path or `<stdin>`.
    pub file: String,
    /// Document number in the file, from 1.
    pub document: usize,
    /// Line of the object, from 1.
    pub line: u32,
}

/// What kubelet hands to the CRI as the sandbox's size. Quota, period in microseconds; memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizing {
    /// CFS quota; 0 or negative: none.
    pub cpu_quota: i64,
    /// CFS period.
    pub cpu_period: u64,
    /// CPU shares.
    pub cpu_shares: u64,
    /// Memory limit; 0: none.
    pub memory_limit: i64,
}

/// One pod (or pod template) of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// `metadata.name` (of the workload, for a template).
    pub name: String,
    /// `metadata.namespace`, `default` where absent.
    pub namespace: String,
    /// `Pod`, `Deployment`, ... ; `PodSandboxConfig` (CRI), `OCI` (spec).
    pub kind: String,
    /// Where it stands.
    pub source: PodSource,
    /// What it came from.
    pub form: Form,
    /// Every annotation the pod sets, in file order.
    pub annotations: Vec<PodAnnotation>,
    /// The pod's labels (a CRI may pass some on).
    pub labels: BTreeMap<String, String>,
    /// `spec.runtimeClassName`.
    pub runtime_class: Option<String>,
    /// The guest's host name: the pod's name unless told otherwise.
    pub hostname: String,
    /// The sandbox's size: given by CRI and OCI documents, computed from `spec` for Kubernetes objects.
    pub sizing: Option<Sizing>,
    /// What Kubernetes refuses about it; not empty means the pod never reaches the node.
    pub problems: Vec<Problem>,
}

impl Pod {
    /// `namespace/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Where the pod stands.
    pub fn place(&self) -> Place {
        Place { file: self.source.file.as_str().into(), line: self.source.line, column: 0 }
    }
}
