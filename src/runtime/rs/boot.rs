//! The guest kernel's parameters before the hypervisor adds its own.
//!
//! Facts: `BootInfo` in src/libs/kata-types/src/config/hypervisor/mod.rs,
//! `get_agent_kernel_params` in src/libs/kata-types/src/config/mod.rs, `update_agent_kernel_params` in
//! src/runtime-rs/crates/runtimes/src/manager.rs at 4.1.0.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::config::{Agent, BootInfo, MemAgent};
use crate::input::Text;
use crate::release::Release;
use crate::release::rs::Change;

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

/// A parameter, the key of the agent's table that makes it, and its value where that does.
type AgentParam = (&'static str, &'static str, fn(&Agent) -> Option<String>);

const AGENT_PARAMS: [AgentParam; 10] = [
    ("agent.log", "enable_debug", |a| a.enable_debug.then(|| "debug".into())),
    ("agent.trace", "enable_tracing", |a| a.enable_tracing.then(|| "true".into())),
    ("agent.container_pipe_size", "container_pipe_size", |a| unless_zero(a.container_pipe_size, 1)),
    ("agent.launch_process_timeout", "launch_process_timeout", |a| unless_zero(a.launch_process_timeout, 1)),
    // Whole seconds: less than one becomes 0.
    ("agent.cdh_api_timeout", "cdh_api_timeout_ms", |a| unless_zero(a.cdh_api_timeout_ms, 1000)),
    ("agent.debug_console", "debug_console_enabled", |a| a.debug_console_enabled.then(String::new)),
    ("agent.debug_console_vport", "debug_console_enabled", |a| {
        a.debug_console_enabled.then(|| "1026".into())
    }),
    ("agent.visible_cdi_devices", "visible_cdi_devices", |a| a.visible_cdi_devices.then(|| "true".into())),
    ("psi", "mem_agent.mem_agent_enable", |a| a.mem_agent.enable.then(|| "1".into())),
    ("agent.mem_agent_enable", "mem_agent.mem_agent_enable", |a| a.mem_agent.enable.then(|| "1".into())),
];

/// A number in a larger unit, or nothing in the place of 0.
fn unless_zero(number: u32, unit: u32) -> Option<String> {
    (number > 0).then(|| (number / unit).to_string())
}

/// What the agent is told by way of the kernel command line, in key order.
fn agent_params(agent: &Agent) -> String {
    let mut params: Vec<(Cow<'_, str>, String)> = Vec::with_capacity(8);
    params.extend(AGENT_PARAMS.iter().filter_map(|(name, _, value)| Some(((*name).into(), value(agent)?))));
    if agent.mem_agent.enable {
        params.extend(mem_agent_params(&agent.mem_agent));
    }
    params.sort_unstable();
    let words = params.into_iter().map(|(key, value)| match value.is_empty() {
        true => key.into_owned(),
        false => format!("{key}={value}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The keys of the memory agent that are set, each a parameter of its own.
fn mem_agent_params(mem: &MemAgent) -> Vec<(Cow<'static, str>, String)> {
    let Ok(Json::Object(keys)) = serde_json::to_value(mem) else { return Vec::new() };
    let set = keys.into_iter().filter(|(key, value)| key != "enable" && !value.is_null());
    set.map(|(key, value)| (format!("agent.mem_agent_{key}").into(), value.to_string())).collect()
}

/// Puts the agent's parameters before the configured ones.
pub fn put_agent_params(boot: &mut BootInfo, agent: &Agent) {
    let params = agent_params(agent);
    let sign = if params.is_empty() || boot.kernel_params.is_empty() { "" } else { " " };
    boot.kernel_params = Text::joined(&[&params, sign, &boot.kernel_params]);
    boot.params_of_agent = params.len();
}

/// The agent's parameters as they stand in the configured list, where their order is the hash map's.
pub fn params_in_random_order(boot: &BootInfo, release: Release) -> Option<&str> {
    let params = boot.kernel_params.get(..boot.params_of_agent)?;
    (!release.has(Change::OrderedAgentParams) && params.contains(' ')).then_some(params)
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
    match AGENT_PARAMS.iter().find(|(name, ..)| *name == param) {
        Some((_, key, _)) => Some((*key).into()),
        None => Some(format!("mem_agent.{}", param.strip_prefix("agent.mem_agent_")?).into()),
    }
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
