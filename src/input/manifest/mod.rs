//! Pods in Kubernetes documents, CRI pod configurations and OCI specs.
//!
//! Decides which pods an input holds and where each annotation stands. Whether Kubernetes would
//! accept them is `kubernetes`' business.

pub mod document;
pub mod json;
pub mod kinds;
pub mod list;
pub mod node;
mod options;
pub mod place;
pub mod pods;
pub mod stream;
pub mod text;
pub mod yaml;

use std::collections::BTreeMap;

use super::source::Source;
use super::{Annotations, Text};
use crate::answer::Place;
use crate::answer::finding::Finding;
pub use document::Object;
pub use stream::{Piece, batches, stream};

/// The deepest nesting that is read. Kubernetes' own objects stay below 40.
pub const NESTING_LIMIT: usize = 200;
/// The most documents in one input.
pub const DOCUMENT_LIMIT: usize = 10_000_000;
/// The largest input that is read as a whole, in bytes. JSON lines have no such limit.
pub const SIZE_LIMIT: u64 = 1 << 30;
/// The longest line of a stream of JSON lines, in bytes.
pub const LINE_LIMIT: usize = 16 << 20;

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
    pub key: Text,
    /// The value as Kubernetes would store it (a null arrives as the empty string).
    pub value: Text,
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
    /// Whether Kubernetes itself names it; of several values that are no strings it names only the first.
    pub named: bool,
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

/// How a size came about, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SizingSum {
    /// Who contributes what.
    pub lines: Vec<SizingLine>,
    /// How quota, shares and memory follow from the sum.
    pub steps: Vec<String>,
}

/// The sum behind a size, put into words when somebody asks: of most pods nobody does.
#[derive(Clone)]
pub struct Sum(std::sync::Arc<dyn Fn() -> SizingSum + Send + Sync>);

impl Sum {
    /// What `tell` says.
    pub fn new(tell: impl Fn() -> SizingSum + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(tell))
    }

    /// In words.
    pub fn tell(&self) -> SizingSum {
        (self.0)()
    }
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.tell().fmt(f)
    }
}

impl PartialEq for Sum {
    fn eq(&self, other: &Self) -> bool {
        self.tell() == other.tell()
    }
}

/// Devices of a plugin that a container asks kubelet for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// The resource: `vendor.com/class`.
    pub resource: String,
    /// How many.
    pub count: u32,
}

/// The pod's cgroup: the limits where all containers have them, and what the RuntimeClass adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CgroupSum {
    /// CPUs in thousandths; `None`: no limit.
    pub milli_cpus: Option<i64>,
    /// Bytes; `None`: no limit.
    pub memory: Option<i64>,
    /// CPUs of the overhead, in thousandths.
    pub overhead_milli_cpus: i64,
    /// Bytes of the overhead.
    pub overhead_memory: i64,
}

/// One contribution to a sandbox's size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizingLine {
    /// `container web`, `sidecar proxy`, `spec.resources`, `RuntimeClass overhead`.
    pub who: String,
    /// Its CPU limit.
    pub cpu: Option<String>,
    /// Its memory limit.
    pub memory: Option<String>,
    /// How it enters the sum.
    pub note: &'static str,
}

/// What a pod shares with the host and among its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Isolation {
    /// The host's network.
    pub host_network: bool,
    /// The host's processes.
    pub host_pid: bool,
    /// The host's IPC.
    pub host_ipc: bool,
    /// One process namespace for all containers.
    pub shared_pid: bool,
    /// A container of it is privileged.
    pub privileged: bool,
}

impl Isolation {
    /// Whether it shares the network, process or IPC namespace of the host.
    pub fn shares_the_host(self) -> bool {
        self.host_network || self.host_pid || self.host_ipc
    }

    /// Whether its sandbox counts as privileged.
    pub fn is_privileged(self) -> bool {
        self.privileged || self.shares_the_host()
    }
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
    pub labels: Annotations,
    /// `spec.runtimeClassName`.
    pub runtime_class: Option<String>,
    /// The guest's host name: the pod's name unless told otherwise.
    pub hostname: String,
    /// `metadata.uid`, where the document has it.
    pub uid: Option<String>,
    /// The log folder that a CRI document names.
    pub log_directory: Option<String>,
    /// The lines of `resolv.conf` that a CRI document asks for; empty where it asks for none.
    pub resolver: String,
    /// What it shares with the host and among its containers.
    pub isolation: Isolation,
    /// The sandbox's size: given by CRI and OCI documents, computed from `spec` for Kubernetes objects.
    pub sizing: Option<Sizing>,
    /// What the RuntimeClass adds to it, as kubelet sends it besides; `None`: kubelet sends no such message.
    pub overhead: Option<Sizing>,
    /// Bytes of memory by which its RuntimeClass enlarges its cgroup, where the input has that class.
    pub class_overhead: i64,
    /// The sum behind `sizing`, for Kubernetes objects.
    pub sum: Option<Sum>,
    /// Its cgroup, which is not the VM's size, likewise.
    pub cgroup: Option<CgroupSum>,
    /// The handler of its RuntimeClass, where the input has that class.
    pub handler: Option<String>,
    /// The devices of plugins that its containers ask kubelet for, container by container.
    pub devices: Vec<DeviceRequest>,
    /// What Kubernetes refuses about it; not empty means the pod never reaches the node.
    pub problems: Vec<Problem>,
    /// What is worth knowing before any runtime looks at it.
    pub findings: Vec<Finding>,
}

impl Pod {
    /// A pod that asks for nothing, where there is none.
    pub fn bare() -> Self {
        Self {
            name: "no pod".into(),
            namespace: String::new(),
            kind: "Pod".into(),
            source: PodSource { file: String::new(), document: 0, line: 0 },
            form: Form::Kubernetes,
            annotations: Vec::new(),
            labels: Annotations::default(),
            runtime_class: None,
            hostname: String::new(),
            uid: None,
            log_directory: None,
            isolation: Isolation::default(),
            sizing: None,
            overhead: None,
            class_overhead: 0,
            resolver: String::new(),
            sum: None,
            cgroup: None,
            handler: None,
            devices: Vec::new(),
            findings: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// `namespace/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The handler that kubelet asks for: the one of the pod's RuntimeClass where the input has that
    /// class, else a handler with the class's own name, where `exists` says that there is one (nearly
    /// every installation names them alike).
    pub fn asked_handler(&self, exists: impl Fn(&str) -> bool) -> Option<&str> {
        let alike = self.runtime_class.as_deref().filter(|class| exists(class));
        self.handler.as_deref().or(alike)
    }

    /// Where the pod stands.
    pub fn place(&self) -> Place {
        Place { file: self.source.file.as_str().into(), line: self.source.line, column: 0 }
    }
}

/// A `RuntimeClass` of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeClass {
    /// What pods put in `runtimeClassName`.
    pub name: String,
    /// The container runtime's handler.
    pub handler: String,
    /// `overhead.podFixed`: added to the pod's cgroup and to what the scheduler counts, not to the sandbox's size.
    pub overhead: BTreeMap<String, String>,
    /// Where it stands.
    pub place: Place,
}

/// A Kata annotation on an object that does not hand it to a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The key.
    pub key: String,
    /// The kind of the object.
    pub kind: String,
    /// Where in the object it stands.
    pub path: String,
    /// Where it would have to stand.
    pub right_path: String,
    /// Where in the file.
    pub place: Place,
}

/// An input that cannot be read, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct InputError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// What kind of trouble it is.
    pub fault: Fault,
}

/// What an input that cannot be read is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// A manifest.
    #[default]
    Manifest,
    /// Any Kubernetes object at all: values, a kustomization, a configuration.
    Object,
    /// JSON, though it begins like it.
    Json,
}

impl InputError {
    /// An error with no advice.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), help: None, fault: Fault::Manifest }
    }

    /// The same of another kind.
    #[must_use]
    pub fn of(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that an input holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Documents {
    /// The pods and pod templates, in order.
    pub pods: Vec<Pod>,
    /// RuntimeClass objects.
    pub runtime_classes: Vec<RuntimeClass>,
    /// Kata annotations that no pod gets.
    pub strays: Vec<Stray>,
    /// Kinds of the objects that make no pods, in order.
    pub others: Vec<String>,
}

/// Every pod of a text, as written: nothing is judged, Kubernetes objects have no size yet.
/// A text without any is an error.
pub fn read(source: &Source) -> Result<Documents, InputError> {
    let locator = place::Locator::new(source.path.clone(), &source.text, 1);
    let mut documents = Documents::default();
    let mut unusable: Option<InputError> = None;
    let mut visit = |object: Object<'_, '_>| {
        let (found, strays) = pods::find(&object);
        documents.strays.extend(strays);
        match found {
            pods::Found::Pods(pods) => documents.pods.extend(pods),
            pods::Found::RuntimeClass(class) => documents.runtime_classes.push(class),
            pods::Found::Other(kind) => documents.others.push(kind),
            pods::Found::Unusable(error) => unusable = unusable.take().or(Some(error)),
        }
    };
    document::Walk::new(&locator, 0, &mut visit).run()?;
    unusable.map_or(Ok(()), Err)?;
    if documents.pods.is_empty() {
        return Err(no_pods(&source.path, &documents.others));
    }
    Ok(documents)
}

/// The error of an input in which there is no pod.
pub fn no_pods(path: &std::sync::Arc<str>, others: &[String]) -> InputError {
    let place = Place { file: path.clone(), line: 0, column: 0 };
    let mut kinds: Vec<&str> =
        others.iter().map(|k| if k.is_empty() { "an object without kind" } else { k }).collect();
    kinds.dedup();
    let message = match kinds.as_slice() {
        [] => "no objects passed to create: the input is empty".to_owned(),
        [first @ .., _] if first.len() > 4 => {
            format!("no pod in it, only {} objects of other kinds", others.len())
        }
        kinds => format!("no pod in it, only {}", kinds.join(", ")),
    };
    InputError::new(place, message).with_help(
        "give a Pod, anything with a pod template, a CRI pod configuration or an OCI config.json, as YAML or JSON",
    )
}
