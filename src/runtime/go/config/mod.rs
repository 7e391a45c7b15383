//! What the Go runtime 4.1 holds in memory: the typed configuration after loading, and the sandbox's
//! own copy after annotations and sizing.
//!
//! Decides nothing: these are shapes, under the keys of the file or upstream's field names in snake case. Facts:
//! src/runtime/virtcontainers/{hypervisor,sandbox,kata_agent,network}.go and src/runtime/pkg/oci/utils.go
//! at 4.1.0.

mod hypervisor;
mod runtime;
mod sandbox;

pub use hypervisor::{
    CustomAssets, GuestExtensionImage, GuestNumaNode, HypervisorConfig, HypervisorKeys, HypervisorType,
    KernelParams, Param, ParamFrom,
};
pub use runtime::{
    AgentConfig, FactoryTable, InterworkingModel, NetmonTable, RuntimeConfig, RuntimeTable, VfioMode,
};
pub use sandbox::{NetworkConfig, SandboxConfig, SandboxResources};
