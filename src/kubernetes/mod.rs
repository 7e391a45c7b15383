//! What Kubernetes does before a container runtime is asked: which objects it accepts, and the size
//! that kubelet gives the sandbox.
//!
//! Facts: Kubernetes 1.36.2 (apimachinery, api validation, kubelet), as recorded from the real programs.

pub mod accept;
pub mod judge;
pub mod kubelet;
pub mod names;
mod noticed;
pub mod quantity;
pub mod resources;
pub mod schema;
pub mod sizing;
pub mod validate;
pub mod version;

pub use judge::{judge, name_handler, read};
pub use kubelet::Kubelet;
pub use version::Version;

/// The node that pods would run on, and the cluster's version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Kubernetes' version with kubelet's feature gates.
    pub version: Version,
    /// kubelet's settings.
    pub kubelet: Kubelet,
    /// CPUs of the node; 0: not known.
    pub cpus: u32,
}

impl Node {
    /// A node of that version with those settings.
    pub fn new(version: Version, kubelet: Kubelet, cpus: u32) -> Self {
        Self { version: version.with_gates(kubelet.gates.clone()), kubelet, cpus }
    }
}
