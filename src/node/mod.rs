//! A node: the handlers of its container runtime, each with its shim, runtime, release and file; and a pod
//! to its handler.
//!
//! Decides which handler Kubernetes and the container runtime give a pod, and what serves a handler. Judges
//! no pod, loads no configuration. Facts: kubelet's runtimeclass manager, `RunPodSandbox` of containerd and
//! CRI-O (room `cri`).

pub mod handler;
pub mod places;
pub mod release;

use crate::answer::verdict::Failure;
use crate::cri::Engine;
use crate::cri::shim;
use crate::input::Host;
use crate::input::Text;
use crate::input::manifest::{Form, Pod};

pub use handler::{Candidate, Handler, Said, Source};

/// A node of a cluster, as its files tell.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its host.
    pub host: Host,
    /// Its container runtime.
    pub engine: Engine,
    /// Its handlers in the order of the container runtime's files, or why there are none.
    pub handlers: Result<Vec<Handler>, String>,
    /// What `ctr` and `nerdctl` would start, where no CRI serves pods.
    pub shims: Vec<Handler>,
    /// Why no pod can come here: the container runtime has no CRI switched on.
    pub without_cri: Option<String>,
}

/// Where a pod goes on a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Route<'n> {
    /// To this handler.
    To {
        /// The handler.
        handler: &'n Handler,
        /// What was taken for granted on the way.
        assumed: Option<Text>,
        /// Whether somebody said so, whatever the pod asks for.
        said: bool,
    },
    /// To whatever Kata configuration was named: no container runtime is described.
    Anywhere,
    /// Nowhere: the container runtime refuses it.
    Refused {
        /// The handler that was asked for.
        handler: Option<Text>,
        /// Its message.
        failure: Failure,
    },
    /// Nothing given says where.
    Unknown(Text),
}

impl PartialEq for Handler {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Node {
    /// The node of a container runtime.
    pub fn new(host: Host, engine: Engine, said: &Said<'_>) -> Self {
        let handlers = engine
            .entries(&host)
            .map(|entries| entries.iter().map(|entry| handler::of_entry(entry, &host, said)).collect());
        let shims = if handlers.is_err() { shims(&host, said) } else { Vec::new() };
        Self { host, engine, handlers, shims, without_cri: None }
    }

    /// The handlers, where there are any.
    pub fn handlers(&self) -> &[Handler] {
        self.handlers.as_deref().unwrap_or_default()
    }

    /// Those of Kata.
    pub fn kata(&self) -> impl Iterator<Item = &Handler> {
        self.handlers().iter().filter(|handler| handler.kata)
    }

    /// A handler by name.
    pub fn handler(&self, name: &str) -> Option<&Handler> {
        self.handlers().iter().find(|handler| handler.name == name)
    }

    /// Where `pod` goes.
    pub fn route(&self, pod: &Pod, sandbox_id: &str) -> Route<'_> {
        if matches!(self.engine, Engine::Assumed) {
            return Route::Anywhere;
        }
        if let Some(why) = &self.without_cri {
            return Route::Unknown(Text::copy(why));
        }
        let said = self.engine.said().is_some_and(|name| !name.is_empty());
        if !said && let Some(route) = self.without_engine(pod) {
            return route;
        }
        let asked = self.engine.said().or(pod.handler.as_deref()).filter(|name| !name.is_empty());
        match self.engine.serving(pod, sandbox_id) {
            Err(failure) => Route::Refused { handler: asked.map(Text::copy), failure },
            Ok(name) => match name.and_then(|name| self.handler(name)) {
                Some(handler) => Route::To { handler, assumed: self.assumption(pod, said), said },
                None => Route::Unknown("the container runtime names no handler for it".into()),
            },
        }
    }

    /// Where a pod goes that the container runtime cannot be asked about.
    fn without_engine(&self, pod: &Pod) -> Option<Route<'_>> {
        if pod.form == Form::Oci {
            let mut kata = self.kata();
            return Some(match (kata.next(), kata.next()) {
                (Some(handler), None) => Route::To {
                    handler,
                    assumed: Some("an OCI spec names no handler: the only one of Kata".into()),
                    said: false,
                },
                _ => Route::Unknown(
                    "an OCI spec names no handler, and there is not one Kata handler: name it with --handler"
                        .into(),
                ),
            });
        }
        let class = pod.runtime_class.as_deref().filter(|class| !class.is_empty())?;
        if pod.handler.is_some() || self.handler(class).is_some() {
            return None;
        }
        let near = nearest(class, self.handlers().iter().map(|handler| handler.name.as_str()));
        let near = near.map_or_else(|| ".".to_owned(), |name| format!("; did you mean {name}?"));
        Some(Route::Unknown(
            format!(
                "RuntimeClass {class} is not among the inputs, and no handler of this node has its name{near} Give \
                 the RuntimeClass with the pods"
            )
            .into(),
        ))
    }

    fn assumption(&self, pod: &Pod, said: bool) -> Option<Text> {
        if said || pod.form != Form::Kubernetes || pod.handler.is_some() {
            return None;
        }
        let class = pod.runtime_class.as_deref().filter(|class| !class.is_empty())?;
        Some(
            format!("RuntimeClass {class} is not among the inputs: taken for the handler of its name").into(),
        )
    }
}

/// The name that is a slip or two away from `word`, where there is one.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |name: &str| strsim::damerau_levenshtein(word, name);
    names.map(|name| (slips(name), name)).filter(|(slips, _)| *slips <= 2).min().map(|(_, name)| name)
}

/// Kata's shims on PATH.
fn shims(host: &Host, said: &Said<'_>) -> Vec<Handler> {
    let mut found: Vec<Handler> = Vec::new();
    for folder in shim::folders("") {
        for name in host.read_dir(folder).iter().flat_map(|names| names.iter()) {
            let Some(runtime) = name.strip_prefix("containerd-shim-kata").and_then(|n| n.strip_suffix("-v2"))
            else {
                continue;
            };
            let runtime_type = format!("io.containerd.kata{runtime}.v2");
            let handler = handler::of_shim(&runtime_type, &format!("{folder}/{name}"), host, said);
            if found.iter().all(|other| *other != handler) {
                found.push(handler);
            }
        }
    }
    found
}
