//! The Go runtime 2.1's agent: what it adds to the guest's parameters, and the CreateSandbox request.
//!
//! The request for dynamic tracing has no fields; `starts_tracing` says whether it is sent. Facts:
//! `KataAgentKernelParams`, `handleTraceSettings`, `startSandbox` and `setupStorages` in
//! src/runtime/virtcontainers/kata_agent.go at 2.1.0. The resolver's lines come from a mount that the CRI
//! makes when the pod starts, and are left out.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{AgentSetup, fields};
use crate::launch::Arg;
use crate::runtime::go21::config::{AgentConfig, Param, SandboxConfig};

/// A longer host name is cut here, in bytes.
const HOSTNAME_LIMIT: usize = 64;
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

fn hostname(config: &SandboxConfig<'_>) -> String {
    let bytes = config.hostname.as_bytes();
    let end = bytes.len().min(HOSTNAME_LIMIT);
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

/// Each element's first word is the module, the others its parameters.
fn kernel_modules(agent: &AgentConfig<Cow<'_, str>>) -> Vec<Json> {
    let modules = agent.kernel_modules.iter().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let parameters: Vec<&str> = words.collect();
        // A list without elements is not there at all.
        let parameters = if parameters.is_empty() { Json::Null } else { parameters.into() };
        Some(fields([("name", name.into()), ("parameters", parameters)]))
    });
    modules.collect()
}

fn shared_folder(config: &SandboxConfig<'_>, msize9p: u32) -> Json {
    let hv = &config.hypervisor_config;
    let mut options: Vec<Json> = Vec::new();
    let (driver, fstype) = if hv.shared_fs == "virtio-fs" {
        if hv.virtio_fs_cache != "none" && hv.virtio_fs_cache_size != 0 {
            options.push("dax".into());
        }
        ("virtio-fs", "virtiofs")
    } else {
        options.push("trans=virtio,version=9p2000.L,cache=mmap".into());
        options.push("nodev".into());
        options.push(format!("msize={msize9p}").into());
        ("9p", "9p")
    };
    fields([
        ("driver", driver.into()),
        ("driver_options", Json::Null),
        ("source", "kataShared".into()),
        ("fstype", fstype.into()),
        ("options", options.into()),
        ("mount_point", "/run/kata-containers/shared/containers/".into()),
    ])
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
    if shares_files {
        storages.push(shared_folder(config, msize9p));
    }
    storages.push(fields([
        ("driver", "ephemeral".into()),
        ("driver_options", Json::Null),
        ("source", "shm".into()),
        ("fstype", "tmpfs".into()),
        ("options", ["noexec", "nosuid", "nodev", "mode=1777", &format!("size={SHARED_MEMORY}")].into()),
        ("mount_point", "/run/kata-containers/sandbox/shm".into()),
    ]));
    let create_sandbox = fields([
        ("hostname", hostname(config).into()),
        ("dns", Json::Null),
        ("storages", storages.into()),
        ("sandbox_pidns", false.into()),
        ("sandbox_id", config.id.into()),
        ("guest_hook_path", Json::from(&*config.hypervisor_config.guest_hook_path)),
        ("kernel_modules", kernel_modules(&config.agent_config).into()),
    ]);
    AgentSetup { kernel_params, kernel_cmdline, create_sandbox, policy: None }
}
