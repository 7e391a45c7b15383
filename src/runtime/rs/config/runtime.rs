//! `[runtime]`: what is not about one hypervisor or agent.
//!
//! Facts: src/libs/kata-types/src/config/{runtime,shared_mount}.rs at 4.1.0.

use serde::{Deserialize, Serialize, Serializer};

use crate::input::Text;

use crate::answer::effective::hidden;

/// One entry of `runtime.shared_mounts`.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SharedMount {
    #[serde(default)]
    pub name: Text,
    #[serde(default)]
    pub src_ctr: Text,
    #[serde(default)]
    pub src_path: Text,
    #[serde(default)]
    pub dst_ctr: Text,
    #[serde(default)]
    pub dst_path: Text,
}

/// The `[runtime]` table.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct Runtime {
    #[serde(default)]
    pub name: Text,
    #[serde(default)]
    pub hypervisor_name: Text,
    #[serde(default)]
    pub agent_name: Text,
    #[serde(default, rename = "enable_debug")]
    pub debug: bool,
    #[serde(default = "super::agent::info")]
    pub log_level: Text,
    #[serde(default)]
    pub experimental: Vec<String>,
    #[serde(default)]
    pub internetworking_model: Text,
    #[serde(default)]
    pub disable_new_netns: bool,
    #[serde(default)]
    pub sandbox_bind_mounts: Vec<String>,
    #[serde(default)]
    pub sandbox_cgroup_only: bool,
    #[serde(default)]
    pub enable_vcpus_pinning: bool,
    #[serde(default)]
    pub enable_tracing: bool,
    #[serde(default)]
    pub jaeger_endpoint: Text,
    #[serde(default)]
    pub jaeger_user: Text,
    #[serde(default, serialize_with = "conceal")]
    pub jaeger_password: Text,
    #[serde(default)]
    pub enable_pprof: bool,
    #[serde(default)]
    pub static_sandbox_resource_mgmt: bool,
    #[serde(default)]
    pub disable_guest_seccomp: bool,
    #[serde(default)]
    pub disable_guest_empty_dir: bool,
    #[serde(default)]
    pub emptydir_mode: Text,
    #[serde(default)]
    pub vfio_mode: Text,
    /// Upstream's place for vendors; its presence decides how errors are worded.
    #[serde(default, flatten)]
    pub vendor: Vendor,
    #[serde(default)]
    pub keep_abnormal: bool,
    #[serde(default)]
    pub dan_conf: Text,
    #[serde(default)]
    pub shared_mounts: Vec<SharedMount>,
    #[serde(default)]
    pub use_passfd_io: bool,
    #[serde(default = "passfd_listener_port")]
    pub passfd_listener_port: u32,
    #[serde(default)]
    pub pod_resource_api_sock: Text,
}

/// Nothing: no vendor is built in.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct Vendor {}

pub(super) fn passfd_listener_port() -> u32 {
    1027
}

/// Reports are made of what is serialized.
fn conceal<S: Serializer>(password: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(hidden(password))
}
