//! The container runtime between kubelet and Kata: which of a pod's annotations it passes on, and
//! which it writes itself.
//!
//! Decides what the runtime receives. Facts: containerd 1.7 to 2.4 (internal/cri/server), CRI-O.

pub mod containerd;
pub mod crio;
pub mod shim;

use crate::answer::verdict::{Failure, Fix};
use crate::input::manifest::{Form, Pod, Sizing};
use crate::input::{Annotations, Host, Place, Text};
use containerd::Containerd;
use crio::Crio;
use shim::Shim;

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

/// What the container runtime says of what it does not take, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineMessage(String);

impl From<String> for EngineMessage {
    fn from(message: String) -> Self {
        Self(message)
    }
}

impl From<EngineMessage> for String {
    fn from(message: EngineMessage) -> Self {
        message.0
    }
}

/// What became of one annotation at this step.
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

/// What became of each of a pod's annotations at this step.
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

/// One runtime handler, whatever the container runtime.
#[derive(Debug, Clone)]
pub struct Entry<'e> {
    /// Its name.
    pub name: &'e str,
    /// Whether it serves pods that ask for none.
    pub default: bool,
    /// `runtime_type`.
    pub runtime_type: &'e str,
    /// The shim's binary.
    pub shim: Shim,
    /// The configuration file that it hands to the shim, with its place.
    pub config: Option<(&'e str, Option<Place>)>,
    /// What mounts the root file systems of its containers, where its table says so.
    pub snapshotter: Option<&'e str>,
    /// Where its table stands; `None` for a built-in one.
    pub place: Option<&'e Place>,
    /// What its table says in vain, or does not say.
    pub notes: Vec<String>,
}

impl Engine {
    /// Its handlers in the order of its files, or why it serves none.
    pub fn entries(&self, host: &Host) -> Result<Vec<Entry<'_>>, String> {
        match self {
            Self::Assumed => Ok(Vec::new()),
            Self::Containerd(containerd) => {
                let handlers = containerd.handlers.as_ref().map_err(|broken| broken.message.clone())?;
                Ok(handlers
                    .by_name
                    .iter()
                    .map(|(name, handler)| Entry {
                        name,
                        default: *name == handlers.default,
                        runtime_type: &handler.runtime_type,
                        shim: handler.shim.clone(),
                        // What goes to the shim's sandbox API has no options in it.
                        config: handler
                            .config_path()
                            .filter(|_| handler.sandboxer != "shim")
                            .map(|(path, place)| (path, Some(place.clone()))),
                        snapshotter: handler.snapshotter.as_deref(),
                        place: handler.place.as_ref(),
                        notes: handler.notes(name),
                    })
                    .collect())
            }
            Self::Crio(crio) => {
                let handlers = crio.handlers.as_ref().map_err(|broken| broken.message.clone())?;
                Ok(handlers
                    .by_name
                    .iter()
                    .map(|(name, handler)| Entry {
                        name,
                        default: *name == handlers.default,
                        runtime_type: &handler.runtime_type,
                        shim: Shim::at(&handler.runtime_path, host),
                        config: Some(handler.runtime_config_path.as_str())
                            .filter(|path| !path.is_empty())
                            .map(|path| (path, handler.place.clone())),
                        snapshotter: handler.pulls_images.then_some("guest pull"),
                        place: handler.place.as_ref(),
                        notes: Vec::new(),
                    })
                    .collect())
            }
        }
    }

    /// The handler that serves `pod`, by name, or the container runtime's refusal.
    pub fn serving<'e>(&'e self, pod: &Pod, sandbox_id: &str) -> Result<Option<&'e str>, Failure> {
        match self {
            Self::Assumed => Ok(None),
            Self::Containerd(containerd) => containerd.serving(pod, sandbox_id).map(Some),
            Self::Crio(crio) => crio.handler_of(pod).map(|(name, _)| Some(name)),
        }
    }

    /// What mounts the roots of a handler's containers, and where the handler's table stands; `None` where nothing
    /// is known of the container runtime.
    pub fn snapshotter(&self, name: &str) -> Option<(&str, Option<&Place>)> {
        match self {
            Self::Assumed => None,
            Self::Containerd(containerd) => {
                let handlers = containerd.handlers.as_ref().ok()?;
                let handler = handlers.by_name.get(name)?;
                let own = handler.snapshotter.as_deref().unwrap_or(&handlers.snapshotter);
                Some((own, handler.place.as_ref()))
            }
            Self::Crio(crio) => {
                let handler = crio.handlers.as_ref().ok()?.by_name.get(name)?;
                // Its own storage hands over folders.
                let own = if handler.pulls_images { "guest pull" } else { "overlayfs" };
                Some((own, handler.place.as_ref()))
            }
        }
    }

    /// Handlers that its files name and that it does not have, with the reason and the place.
    pub fn dropped(&self) -> Vec<(&str, String, Option<&Place>)> {
        match self {
            Self::Assumed => Vec::new(),
            Self::Containerd(containerd) => {
                let lost = containerd.lost().iter();
                lost.map(|(name, place)| {
                    (
                        name.as_str(),
                        "a later file replaces its table, or its version is another".into(),
                        Some(place),
                    )
                })
                .collect()
            }
            Self::Crio(crio) => {
                let dropped = crio.handlers.iter().flat_map(|handlers| &handlers.dropped);
                dropped.map(|d| (d.name.as_str(), d.reason.clone(), d.handler.place.as_ref())).collect()
            }
        }
    }

    /// The handler that was said to serve every pod.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Assumed => None,
            Self::Containerd(containerd) => containerd.handler.as_deref(),
            Self::Crio(crio) => crio.handler.as_deref(),
        }
    }

    /// The files that it read, in order.
    pub fn files(&self) -> &[String] {
        match self {
            Self::Assumed => &[],
            Self::Containerd(containerd) => &containerd.files,
            Self::Crio(crio) => &crio.files,
        }
    }

    /// Files that may name further handlers, and that nobody collected.
    pub fn not_held(&self) -> &[String] {
        match self {
            Self::Containerd(containerd) => &containerd.not_held,
            Self::Assumed | Self::Crio(_) => &[],
        }
    }

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
    let mut set = |key: &'static str, value: &dyn std::fmt::Display| {
        received.push((key.into(), Text::written(format_args!("{value}"))));
    };
    set("io.kubernetes.cri.sandbox-cpu-period", &sizing.cpu_period);
    set("io.kubernetes.cri.sandbox-cpu-quota", &sizing.cpu_quota);
    set("io.kubernetes.cri.sandbox-cpu-shares", &sizing.cpu_shares);
    set("io.kubernetes.cri.sandbox-memory", &sizing.memory_limit);
}
