//! `KataAgentConfig`: how the runtime talks to the agent, and what it tells it.
//!
//! Facts: src/runtime/pkg/katautils/config.go and src/runtime/virtcontainers/kata_agent.go at 4.1.0.

use crate::runtime::go::record::record;

record! {
    /// `[agent.<name>]`
    AgentConfig as "katautils.agent" in Some("agent.<name>");
    {
        kernel_modules: Vec<String>,
        enable_debug: bool,
        enable_tracing: bool,
        trace_mode: String,
        trace_type: String,
        debug_console_enabled: bool,
        dial_timeout: u32,
        cdh_api_timeout: u32,
        launch_process_timeout: u32,
        visible_cdi_devices: bool,
    }
    annotations alone {
        container_pipe_size: u32,
        policy: String,
    }
}
