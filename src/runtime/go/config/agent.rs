//! `KataAgentConfig`: how the runtime talks to the agent, and what it tells it.
//!
//! Facts: src/runtime/virtcontainers/kata_agent.go at 4.1.0.

/// The agent's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct AgentConfig {
    pub kernel_modules: Vec<String>,
    pub container_pipe_size: u32,
    pub dial_timeout: u32,
    pub cdh_api_timeout: u32,
    pub launch_process_timeout: u32,
    pub long_live_conn: bool,
    pub debug: bool,
    pub trace: bool,
    /// `static` or `dynamic`, where tracing has a mode.
    pub trace_mode: String,
    /// `isolated` or `collated`, where tracing has a type.
    pub trace_type: String,
    pub enable_debug_console: bool,
    pub visible_cdi_devices: bool,
    /// The agent policy, decoded (Go strings are bytes; what is not UTF-8 is replaced).
    pub policy: String,
}
