//! `[agent.*]`: how the runtime talks to the agent, and what it asks of it.
//!
//! Unknown keys are an error here since 3.29, alone among the tables.
//! Facts: src/libs/kata-types/src/config/agent.rs at 4.1.0.

use serde::{Deserialize, Deserializer, Serialize};

use crate::input::Text;

/// `[agent.*.mem_agent]`
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MemAgent {
    #[serde(default, alias = "mem_agent_enable")]
    pub enable: bool,
    #[serde(default)]
    pub memcg_disable: Option<bool>,
    #[serde(default)]
    pub memcg_swap: Option<bool>,
    #[serde(default)]
    pub memcg_swappiness_max: Option<u8>,
    #[serde(default)]
    pub memcg_period_secs: Option<u64>,
    #[serde(default)]
    pub memcg_period_psi_percent_limit: Option<u8>,
    #[serde(default)]
    pub memcg_eviction_psi_percent_limit: Option<u8>,
    #[serde(default)]
    pub memcg_eviction_run_aging_count_min: Option<u64>,
    #[serde(default)]
    pub compact_disable: Option<bool>,
    #[serde(default)]
    pub compact_period_secs: Option<u64>,
    #[serde(default)]
    pub compact_period_psi_percent_limit: Option<u8>,
    #[serde(default)]
    pub compact_psi_percent_limit: Option<u8>,
    #[serde(default)]
    pub compact_sec_max: Option<i64>,
    #[serde(default)]
    pub compact_order: Option<u8>,
    #[serde(default)]
    pub compact_threshold: Option<u64>,
    #[serde(default)]
    pub compact_force_times: Option<u64>,
}

/// One `[agent.*]` table.
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    #[serde(default, rename = "enable_debug")]
    pub debug: bool,
    #[serde(default = "info")]
    pub log_level: Text,
    #[serde(default)]
    pub enable_tracing: bool,
    #[serde(default)]
    pub debug_console_enabled: bool,
    #[serde(default)]
    pub visible_cdi_devices: bool,
    #[serde(default = "server_port")]
    pub server_port: u32,
    #[serde(default = "log_port")]
    pub log_port: u32,
    #[serde(default = "super::runtime::passfd_listener_port")]
    pub passfd_listener_port: u32,
    #[serde(default = "dial_timeout")]
    pub dial_timeout_ms: u32,
    #[serde(default = "reconnect_timeout")]
    pub reconnect_timeout_ms: u32,
    #[serde(default = "cdh_api_timeout")]
    pub cdh_api_timeout_ms: u32,
    /// Seconds in the file, milliseconds here; too many seconds end at the largest number.
    #[serde(default = "request_timeout", rename = "create_container_timeout", deserialize_with = "seconds")]
    pub request_timeout_ms: u32,
    /// The same as some releases have it.
    #[serde(default, rename = "create_container_timeout (ms)", skip_serializing)]
    pub request_timeout_in_file: Option<u32>,
    #[serde(default = "health_check_timeout")]
    pub health_check_request_timeout_ms: u32,
    #[serde(default)]
    pub kernel_modules: Vec<String>,
    #[serde(default)]
    pub container_pipe_size: u32,
    #[serde(default)]
    pub launch_process_timeout: u32,
    #[serde(default)]
    pub mem_agent: MemAgent,
    #[serde(default)]
    pub policy: Text,
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    u32::deserialize(deserializer).map(|seconds| seconds.saturating_mul(1000))
}

pub(super) fn info() -> Text {
    "info".into()
}

fn server_port() -> u32 {
    1024
}

fn log_port() -> u32 {
    1025
}

fn dial_timeout() -> u32 {
    10
}

fn reconnect_timeout() -> u32 {
    3_000
}

fn cdh_api_timeout() -> u32 {
    50_000
}

fn request_timeout() -> u32 {
    30_000
}

fn health_check_timeout() -> u32 {
    90_000
}
