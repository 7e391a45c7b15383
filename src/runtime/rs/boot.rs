//! The guest kernel's parameters before the hypervisor adds its own.
//!
//! Facts: `BootInfo` in src/libs/kata-types/src/config/hypervisor/mod.rs,
//! `get_agent_kernel_params` in src/libs/kata-types/src/config/mod.rs, `update_agent_kernel_params` in
//! src/runtime-rs/crates/runtimes/src/manager.rs at 4.1.0.

use std::borrow::Cow;

use super::config::hypervisor::BootInfo;
use super::config::{Agent, MemAgent};
use crate::input::Text;

/// Puts a pod's parameters behind the configured ones, of which none with the same key stays.
pub fn add_kernel_params(boot: &mut BootInfo, pods: &str) {
    boot.kernel_params = replace_kernel_params(&boot.kernel_params, pods).into();
    boot.params_of_pod = replace_kernel_params("", pods).len();
}

/// Puts `new` parameters behind the `old` ones of which none with the same key stays.
fn replace_kernel_params(old: &str, new: &str) -> String {
    fn pieces(text: &str) -> impl Iterator<Item = &str> {
        text.split(' ').map(str::trim).filter(|p| !p.is_empty())
    }
    fn key(param: &str) -> &str {
        param.split_once('=').map_or(param, |(key, _)| key)
    }
    if new.is_empty() {
        return old.to_owned();
    }
    let mut replaced: Vec<&str> = Vec::new();
    if !old.is_empty() {
        replaced.extend(pieces(new).map(key));
        replaced.sort_unstable();
    }
    let kept = pieces(old).filter(|p| replaced.binary_search(&key(p)).is_err());
    let kept = kept.map(|p| match p.split_once('=') {
        // `key=` loses its sign.
        Some((key, "")) => key,
        _ => p,
    });
    let mut line = String::with_capacity(old.len() + 1 + new.len());
    for piece in kept.chain(pieces(new)) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(piece);
    }
    line
}

/// What of an agent's table its parameters come from.
#[derive(PartialEq)]
struct AgentParams<'a> {
    debug: bool,
    enable_tracing: bool,
    container_pipe_size: u32,
    launch_process_timeout: u32,
    cdh_api_timeout_ms: u32,
    debug_console_enabled: bool,
    visible_cdi_devices: bool,
    mem_agent: &'a MemAgent,
}

impl<'a> AgentParams<'a> {
    fn of(agent: &'a Agent) -> Self {
        Self {
            debug: agent.debug,
            enable_tracing: agent.enable_tracing,
            container_pipe_size: agent.container_pipe_size,
            launch_process_timeout: agent.launch_process_timeout,
            cdh_api_timeout_ms: agent.cdh_api_timeout_ms,
            debug_console_enabled: agent.debug_console_enabled,
            visible_cdi_devices: agent.visible_cdi_devices,
            mem_agent: &agent.mem_agent,
        }
    }

    /// The parameters in key order.
    fn params(&self) -> Vec<(&'static str, String)> {
        let mut params = Vec::with_capacity(8);
        let mut set = |key, value: String| params.push((key, value));
        if self.debug {
            set("agent.log", "debug".to_owned());
        }
        if self.enable_tracing {
            set("agent.trace", "true".to_owned());
        }
        if self.container_pipe_size > 0 {
            set("agent.container_pipe_size", self.container_pipe_size.to_string());
        }
        if self.launch_process_timeout > 0 {
            set("agent.launch_process_timeout", self.launch_process_timeout.to_string());
        }
        if self.cdh_api_timeout_ms > 0 {
            // Whole seconds: less than one becomes 0.
            set("agent.cdh_api_timeout", (self.cdh_api_timeout_ms / 1000).to_string());
        }
        if self.debug_console_enabled {
            set("agent.debug_console", String::new());
            set("agent.debug_console_vport", "1026".to_owned());
        }
        if self.visible_cdi_devices {
            set("agent.visible_cdi_devices", "true".to_owned());
        }
        if self.mem_agent.enable {
            set("psi", "1".to_owned());
            set("agent.mem_agent_enable", "1".to_owned());
            mem_agent_params(self.mem_agent, set);
        }
        params.sort_unstable_by_key(|(key, _)| *key);
        params
    }
}

fn mem_agent_params(mem: &MemAgent, mut set: impl FnMut(&'static str, String)) {
    let mut put = |key, value: Option<String>| {
        if let Some(value) = value {
            set(key, value);
        }
    };
    fn text<T: ToString>(value: Option<T>) -> Option<String> {
        value.map(|v| v.to_string())
    }
    put("agent.mem_agent_memcg_disable", text(mem.memcg_disable));
    put("agent.mem_agent_memcg_swap", text(mem.memcg_swap));
    put("agent.mem_agent_memcg_swappiness_max", text(mem.memcg_swappiness_max));
    put("agent.mem_agent_memcg_period_secs", text(mem.memcg_period_secs));
    put("agent.mem_agent_memcg_period_psi_percent_limit", text(mem.memcg_period_psi_percent_limit));
    put("agent.mem_agent_memcg_eviction_psi_percent_limit", text(mem.memcg_eviction_psi_percent_limit));
    put("agent.mem_agent_memcg_eviction_run_aging_count_min", text(mem.memcg_eviction_run_aging_count_min));
    put("agent.mem_agent_compact_disable", text(mem.compact_disable));
    put("agent.mem_agent_compact_period_secs", text(mem.compact_period_secs));
    put("agent.mem_agent_compact_period_psi_percent_limit", text(mem.compact_period_psi_percent_limit));
    put("agent.mem_agent_compact_psi_percent_limit", text(mem.compact_psi_percent_limit));
    put("agent.mem_agent_compact_sec_max", text(mem.compact_sec_max));
    put("agent.mem_agent_compact_order", text(mem.compact_order));
    put("agent.mem_agent_compact_threshold", text(mem.compact_threshold));
    put("agent.mem_agent_compact_force_times", text(mem.compact_force_times));
}

/// Whether two agents are told the same by way of the kernel command line.
pub fn are_told_alike(agent: &Agent, other: &Agent) -> bool {
    AgentParams::of(agent) == AgentParams::of(other)
}

/// What the agent is told by way of the kernel command line.
pub fn agent_params(agent: &Agent) -> String {
    let mut line = String::with_capacity(128);
    for (key, value) in AgentParams::of(agent).params() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(key);
        if !value.is_empty() {
            line.push('=');
            line.push_str(&value);
        }
    }
    line
}

/// Puts the agent's parameters before the configured ones.
pub fn put_agent_params(boot: &mut BootInfo, told: &str) {
    let sign = if told.is_empty() || boot.kernel_params.is_empty() { "" } else { " " };
    boot.kernel_params = Text::joined(&[told, sign, &boot.kernel_params]);
    boot.params_of_agent = told.len();
}

/// What put a parameter of the configured list there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamFrom {
    /// A key of the agent's table.
    Agent(Cow<'static, str>),
    /// `kernel_params` of the configuration.
    Configuration,
    /// The pod's annotation.
    Pod,
}

/// What put the parameter there that begins at a byte of `kernel_params`.
pub fn param_from(boot: &BootInfo, at: usize, name: &str) -> ParamFrom {
    match agent_key(name).filter(|_| at < boot.params_of_agent) {
        Some(key) => ParamFrom::Agent(key),
        None if at < boot.kernel_params.len().saturating_sub(boot.params_of_pod) => ParamFrom::Configuration,
        None => ParamFrom::Pod,
    }
}

/// The key of the agent's table that makes a parameter.
fn agent_key(param: &str) -> Option<Cow<'static, str>> {
    let key = match param {
        "agent.log" => "enable_debug",
        "agent.trace" => "enable_tracing",
        "agent.container_pipe_size" => "container_pipe_size",
        "agent.launch_process_timeout" => "launch_process_timeout",
        "agent.cdh_api_timeout" => "cdh_api_timeout_ms",
        "agent.debug_console" | "agent.debug_console_vport" => "debug_console_enabled",
        "agent.visible_cdi_devices" => "visible_cdi_devices",
        "psi" | "agent.mem_agent_enable" => "mem_agent.mem_agent_enable",
        other => return Some(format!("mem_agent.{}", other.strip_prefix("agent.mem_agent_")?).into()),
    };
    Some(key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_keys_are_replaced_and_repeats_in_the_new_ones_stay() {
        assert_eq!(replace_kernel_params("a=1 quiet b= c", "a=2 a=3"), "quiet b c a=2 a=3");
        assert_eq!(replace_kernel_params("  a   b", ""), "  a   b");
        assert_eq!(replace_kernel_params("  a   b", " "), "a b");
    }
}
