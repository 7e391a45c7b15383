//! Kernel parameters: how texts become pairs, and which ones the runtime adds by itself at load.
//!
//! Facts: `DeserializeParams` and `KernelParamFields` in
//! src/runtime/virtcontainers/hypervisor.go, `SetKernelParams` in src/runtime/pkg/katautils/config.go and
//! `KataAgentKernelParams` in src/runtime/virtcontainers/kata_agent.go at 4.1.0.

use super::config::{AgentConfig, HypervisorConfig, Param, ParamFrom};
use crate::release::Release;
use crate::release::go::Change;

/// Pairs out of words: the key ends at the first `=`.
pub(super) fn pairs<'a>(words: impl IntoIterator<Item = &'a str>, from: ParamFrom) -> Vec<Param> {
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| match word.split_once('=') {
            Some((key, value)) => Param::new(key, value, from),
            None => Param::new(word, "", from),
        })
        .collect()
}

/// The words of a configured line: split at spaces outside double quotes.
pub(super) fn quoted_words(line: &str) -> Vec<&str> {
    let mut in_quotes = false;
    line.split(move |c| {
        in_quotes ^= c == '"';
        c == ' ' && !in_quotes
    })
    .map(str::trim)
    .filter(|word| !word.is_empty())
    .collect()
}

/// The parameters as one line.
pub(super) fn line(params: &[Param]) -> String {
    let length = params.iter().map(|p| p.key.len() + p.value.len() + 2).sum();
    let mut line = String::with_capacity(length);
    for Param { key, value, .. } in params.iter().filter(|p| !(p.key.is_empty() && p.value.is_empty())) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(key);
        if !key.is_empty() && !value.is_empty() {
            line.push('=');
        }
        line.push_str(value);
    }
    line
}

/// What stands before the configured parameters.
pub(super) fn added_at_load(
    hypervisor: &HypervisorConfig,
    agent: &AgentConfig,
    release: Release,
) -> Vec<Param> {
    let mut params = Vec::new();
    let mut add = |key: &str, value: &str, from| params.push(Param::new(key, value, from));
    if !hypervisor.image.is_empty() {
        add("systemd.unit", "kata-containers.target", ParamFrom::Image);
        add("systemd.mask", "systemd-networkd.service", ParamFrom::Image);
        add("systemd.mask", "systemd-networkd.socket", ParamFrom::Image);
    }
    if hypervisor.block_device_driver == "virtio-scsi" {
        add("scsi_mod.scan", "none", ParamFrom::BlockDeviceDriver);
    }
    let from = ParamFrom::Agent;
    if agent.enable_debug {
        add("agent.log", "debug", from(&["enable_debug"]));
    }
    if agent.enable_tracing && release.has(Change::TraceModes) {
        if agent.trace_mode == "static" {
            add("agent.trace", &agent.trace_type, from(&["enable_tracing", "trace_type"]));
        }
    } else if agent.enable_tracing {
        add("agent.trace", "true", from(&["enable_tracing"]));
    }
    if agent.container_pipe_size > 0 {
        let size = agent.container_pipe_size.to_string();
        add("agent.container_pipe_size", &size, from(&["container_pipe_size"]));
    }
    if agent.debug_console_enabled {
        add("agent.debug_console", "", from(&["debug_console_enabled"]));
        add("agent.debug_console_vport", "1026", from(&["debug_console_enabled"]));
    }
    if agent.cdh_api_timeout > 0 {
        let timeout = agent.cdh_api_timeout.to_string();
        add("agent.cdh_api_timeout", &timeout, from(&["cdh_api_timeout"]));
    }
    if agent.launch_process_timeout > 0 {
        let timeout = agent.launch_process_timeout.to_string();
        add("agent.launch_process_timeout", &timeout, from(&["launch_process_timeout"]));
    }
    if agent.visible_cdi_devices {
        add("agent.visible_cdi_devices", "true", from(&["visible_cdi_devices"]));
    }
    params
}
