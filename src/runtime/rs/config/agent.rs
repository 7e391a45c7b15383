//! `[agent.*]`: how the runtime talks to the agent, and what it asks of it.
//!
//! Unknown keys are an error here since 3.29, alone among the tables.
//! Facts: src/libs/kata-types/src/config/agent.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use super::record::record;
use super::runtime::PASSFD_LISTENER_PORT;
use super::values::Seconds;
use crate::input::Text;

/// `[agent.*.mem_agent]`
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemAgent {
    #[serde(alias = "mem_agent_enable")]
    pub enable: bool,
    pub memcg_disable: Option<bool>,
    pub memcg_swap: Option<bool>,
    pub memcg_swappiness_max: Option<u8>,
    pub memcg_period_secs: Option<u64>,
    pub memcg_period_psi_percent_limit: Option<u8>,
    pub memcg_eviction_psi_percent_limit: Option<u8>,
    pub memcg_eviction_run_aging_count_min: Option<u64>,
    pub compact_disable: Option<bool>,
    pub compact_period_secs: Option<u64>,
    pub compact_period_psi_percent_limit: Option<u8>,
    pub compact_psi_percent_limit: Option<u8>,
    pub compact_sec_max: Option<i64>,
    pub compact_order: Option<u8>,
    pub compact_threshold: Option<u64>,
    pub compact_force_times: Option<u64>,
}

record! {
    /// One `[agent.*]` table.
    #[serde(deny_unknown_fields)]
    Agent {
        enable_debug: bool,
        log_level: Text = "info".into(),
        enable_tracing: bool,
        debug_console_enabled: bool,
        visible_cdi_devices: bool,
        server_port: u32 = 1024,
        log_port: u32 = 1025,
        passfd_listener_port: u32 = PASSFD_LISTENER_PORT,
        dial_timeout_ms: u32 = 10,
        reconnect_timeout_ms: u32 = 3_000,
        cdh_api_timeout_ms: u32 = 50_000,
        create_container_timeout: Seconds = Seconds { milliseconds: 30_000 },
        /// The same as some releases have it.
        #[serde(rename = "create_container_timeout (ms)", skip_serializing)]
        create_container_timeout_ms: Option<u32>,
        health_check_request_timeout_ms: u32 = 90_000,
        kernel_modules: Vec<String>,
        container_pipe_size: u32,
        launch_process_timeout: u32,
        mem_agent: MemAgent,
        policy: Text,
    }
}
