//! The Go runtime 2.1's agent: what it adds to the guest's parameters, and the CreateSandbox request.
//!
//! The request for dynamic tracing has no fields; `starts_tracing` says whether it is sent. Facts:
//! `KataAgentKernelParams`, `handleTraceSettings`, `startSandbox` and `setupStorages` in
//! src/runtime/virtcontainers/kata_agent.go at 2.1.0. The resolver's lines come from a mount that the CRI
//! makes when the pod starts, and are left out.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::create_sandbox::{Mount, hostname, kernel_module, shared_folder, shared_memory};
use super::{AgentSetup, DecidedBy, fields};
use crate::launch::Arg;
use crate::runtime::go21::config::{AgentConfig, Param, SandboxConfig};

/// Every sandbox of a CRI has a mount of this size on `/dev/shm`.
const SHARED_MEMORY: u64 = 64 << 20;

/// The guest's parameters that say how the agent runs. They are fixed when the configuration is loaded:
/// no annotation reaches them.
pub fn kernel_params(agent: &AgentConfig) -> Vec<Param> {
    let mut params = Vec::new();
    if agent.debug {
        params.push(Param::new("agent.log", "debug"));
    }
    if agent.trace && agent.trace_mode == "static" {
        params.push(Param::new("agent.trace", agent.trace_type.clone()));
    }
    if agent.container_pipe_size > 0 {
        params.push(Param::new("agent.container_pipe_size", agent.container_pipe_size.to_string()));
    }
    if agent.enable_debug_console {
        params.push(Param::new("agent.debug_console", ""));
        params.push(Param::new("agent.debug_console_vport", "1026"));
    }
    params
}

/// Whether the agent is told to start tracing once the sandbox is there.
pub fn starts_tracing(agent: &AgentConfig) -> bool {
    agent.trace && agent.trace_mode == "dynamic"
}

fn kernel_modules(agent: &AgentConfig<Cow<'_, str>>) -> Vec<Json> {
    agent.kernel_modules.iter().filter_map(|line| kernel_module(line.split_whitespace())).collect()
}

fn mount(config: &SandboxConfig<'_>, msize: u32) -> Mount {
    let hv = &config.hypervisor_config;
    if hv.shared_fs == "virtio-fs" {
        Mount::VirtioFs { dax: hv.virtio_fs_cache != "none" && hv.virtio_fs_cache_size != 0 }
    } else {
        Mount::Plan9 { msize }
    }
}

/// What the guest of one sandbox is told. `shares_files`: the hypervisor gives it a shared folder.
pub fn setup(
    config: &SandboxConfig<'_>,
    kernel_params: Vec<Arg>,
    kernel_cmdline: String,
    shares_files: bool,
    msize9p: u32,
) -> AgentSetup {
    let mut storages = Vec::with_capacity(2);
    let mount = mount(config, msize9p);
    if shares_files {
        storages.push(shared_folder(mount, "/run/kata-containers/shared/containers/".to_owned()));
    }
    storages.push(shared_memory(SHARED_MEMORY));
    let create_sandbox = fields([
        ("hostname", hostname(config.hostname).into()),
        ("dns", Json::Null),
        ("storages", storages.into()),
        ("sandbox_pidns", false.into()),
        ("sandbox_id", config.id.into()),
        ("guest_hook_path", Json::from(&*config.hypervisor_config.guest_hook_path)),
        ("kernel_modules", kernel_modules(&config.agent_config).into()),
    ]);
    let decided_by = DecidedBy {
        hypervisor: config.runtime.hypervisor_type.as_str().into(),
        agent: "kata".into(),
        mount_options: mount.decided_by(),
    };
    AgentSetup { kernel_params, kernel_cmdline, create_sandbox, policy: None, decided_by }
}
