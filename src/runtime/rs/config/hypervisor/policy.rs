//! Who may do what, and the keys of one hypervisor alone: security, remote, templates.
//!
//! Facts: src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use crate::input::Text;

/// `rootless_user`
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RootlessUser {
    #[serde(default)]
    pub uid: u32,
    #[serde(default)]
    pub gid: u32,
    #[serde(default)]
    pub groups: Vec<u32>,
    #[serde(default)]
    pub user_name: Text,
}

/// Keys about security.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct SecurityInfo {
    #[serde(default)]
    pub rootless: bool,
    #[serde(default)]
    pub rootless_user: Option<RootlessUser>,
    #[serde(default)]
    pub disable_seccomp: bool,
    #[serde(default)]
    pub confidential_guest: bool,
    #[serde(default)]
    pub sev_snp_guest: bool,
    #[serde(default)]
    pub snp_id_block: Text,
    #[serde(default)]
    pub snp_id_auth: Text,
    #[serde(default = "snp_guest_policy")]
    pub snp_guest_policy: u32,
    #[serde(default)]
    pub guest_hook_path: Text,
    #[serde(default)]
    pub initdata: Text,
    #[serde(default)]
    pub enable_annotations: Vec<String>,
    #[serde(default = "qgs_port", rename = "tdx_quote_generation_service_socket_port")]
    pub qgs_port: u32,
    pub seccomp_sandbox: Option<Text>,
    #[serde(default)]
    pub selinux_label: Option<Text>,
}

fn qgs_port() -> u32 {
    4050
}

fn snp_guest_policy() -> u32 {
    0x30000
}

/// Keys of the remote hypervisor.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct RemoteInfo {
    #[serde(default)]
    pub hypervisor_socket: Text,
    #[serde(default)]
    pub hypervisor_timeout: i32,
    #[serde(default)]
    pub default_gpus: u32,
    #[serde(default)]
    pub default_gpu_model: Text,
}

/// Keys by which one VM becomes a template or comes from one.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct VmTemplateInfo {
    #[serde(default)]
    pub boot_to_be_template: bool,
    #[serde(default)]
    pub boot_from_template: bool,
    #[serde(default)]
    pub memory_path: Text,
    #[serde(default)]
    pub device_state_path: Text,
}

/// `[hypervisor.*.factory]`
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Factory {
    #[serde(default)]
    pub enable_template: bool,
    #[serde(default)]
    pub template_path: Text,
}
