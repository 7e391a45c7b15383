//! `[runtime]`: what is not about one hypervisor or agent.
//!
//! Facts: src/libs/kata-types/src/config/{runtime,shared_mount}.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use super::record::record;
use super::values::Secret;
use crate::input::Text;

pub(super) const PASSFD_LISTENER_PORT: u32 = 1027;

record! {
    /// The `[runtime]` table.
    Runtime {
        name: Text,
        hypervisor_name: Text,
        agent_name: Text,
        enable_debug: bool,
        log_level: Text = "info".into(),
        experimental: Vec<String>,
        internetworking_model: Text,
        disable_new_netns: bool,
        sandbox_bind_mounts: Vec<String>,
        sandbox_cgroup_only: bool,
        enable_vcpus_pinning: bool,
        enable_tracing: bool,
        jaeger_endpoint: Text,
        jaeger_user: Text,
        jaeger_password: Secret,
        enable_pprof: bool,
        static_sandbox_resource_mgmt: bool,
        disable_guest_seccomp: bool,
        disable_guest_empty_dir: bool,
        emptydir_mode: Text,
        vfio_mode: Text,
        /// Upstream's place for vendors; its presence decides how errors are worded.
        #[serde(flatten)]
        vendor: Vendor,
        keep_abnormal: bool,
        dan_conf: Text,
        shared_mounts: Vec<SharedMount>,
        use_passfd_io: bool,
        passfd_listener_port: u32 = PASSFD_LISTENER_PORT,
        pod_resource_api_sock: Text,
    }
}

impl Runtime {
    /// A table that is not in the file at all: the defaults of its keys do not count then.
    pub(super) fn absent() -> Self {
        Self { log_level: Text::default(), passfd_listener_port: 0, ..Self::default() }
    }
}

/// One entry of `runtime.shared_mounts`.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedMount {
    pub name: Text,
    pub src_ctr: Text,
    pub src_path: Text,
    pub dst_ctr: Text,
    pub dst_path: Text,
}

/// An entry as the releases read it in which an unknown field was no error.
#[derive(Deserialize)]
#[serde(remote = "SharedMount", rename = "SharedMount")]
struct UncheckedMount {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    src_ctr: Text,
    #[serde(default)]
    src_path: Text,
    #[serde(default)]
    dst_ctr: Text,
    #[serde(default)]
    dst_path: Text,
}

/// An entry that may have fields of any name.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct LenientMount(#[serde(with = "UncheckedMount")] SharedMount);

impl From<LenientMount> for SharedMount {
    fn from(mount: LenientMount) -> Self {
        mount.0
    }
}

/// Nothing: no vendor is built in.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct Vendor {}
