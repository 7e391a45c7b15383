//! runtime-rs's agent: the CreateSandbox request, the policy that is set before it, and the kernel
//! parameters that loading makes of the agent's table.
//!
//! Facts: `start` in src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs, `KernelModule` in
//! src/runtime-rs/crates/agent/src/types.rs, `get_agent_kernel_params` in
//! src/libs/kata-types/src/config/mod.rs at each tag. The resolver's lines (`dns`) come from a mount that the
//! CRI makes when the pod starts, and are left out.

use serde_json::Value as Json;

use super::{AgentSetup, DecidedBy, NetworkRequests, fields};
use crate::answer::launch::{Arg, Cause};
use crate::launch::rs::guest_share;
use crate::release::Release;
use crate::runtime::Sandbox;
use crate::runtime::rs::Change;
use crate::runtime::rs::config::{Agent, Config};

/// `/dev/shm` of a sandbox, in bytes.
const SHM_SIZE: u64 = 65_536 * 1024;

/// How the launch words that the agent's part fails.
pub(crate) trait Refused {
    /// A kernel module's line cannot be read.
    fn kernel_modules(message: &'static str) -> Self;
}

/// One module: its name up to the first space, then parameters; quotes hold a parameter together.
fn kernel_module(line: &str) -> Option<Json> {
    let mut parameters: Vec<String> = Vec::new();
    let mut name = "";
    let mut quoted = false;
    for (number, word) in line.split(' ').enumerate() {
        if number == 0 {
            name = word;
        } else if quoted {
            // A quote in the name leaves nothing to go on with.
            if let Some(last) = parameters.last_mut() {
                last.push(' ');
                last.push_str(word);
            }
        } else {
            parameters.push(word.to_owned());
        }
        quoted ^= word.contains('"');
    }
    (!quoted).then(|| fields([("name", name.into()), ("parameters", parameters.into())]))
}

fn kernel_modules(config: &Config<'_>) -> Option<Vec<Json>> {
    let lines = config.active_agent().map(|agent| agent.kernel_modules.as_slice()).unwrap_or_default();
    lines.iter().filter(|line| !line.is_empty()).map(|line| kernel_module(line)).collect()
}

/// What can fail of it: a quote that stays open.
pub(crate) fn check<E: Refused>(config: &Config<'_>) -> Result<(), E> {
    let closed = |line: &String| line.split(' ').filter(|word| word.contains('"')).count().is_multiple_of(2);
    let fine = config.active_agent().is_none_or(|agent| agent.kernel_modules.iter().all(closed));
    if fine { Ok(()) } else { Err(E::kernel_modules("\" not match")) }
}

fn storage(
    release: Release,
    driver: &str,
    source: &str,
    fs_type: &str,
    mount_point: String,
    options: Json,
) -> Json {
    let mut storage = fields([
        ("driver", driver.into()),
        ("driver_options", Json::Array(Vec::new())),
        ("source", source.into()),
        ("fs_type", fs_type.into()),
        ("options", options),
        ("mount_point", mount_point.into()),
    ]);
    if release.has(Change::SharedMark)
        && let Json::Object(fields) = &mut storage
    {
        fields.insert("shared".to_owned(), false.into());
    }
    storage
}

/// What the guest of one sandbox is told. `share`: where it mounts the shared folder.
pub(crate) fn setup(
    config: &Config<'_>,
    sandbox: &Sandbox<'_>,
    kernel_params: Vec<Arg>,
    share: Option<String>,
    network: NetworkRequests,
) -> AgentSetup {
    let release = config.release;
    let mut storages = Vec::with_capacity(2);
    if let Some(mount_point) = share {
        storages.push(storage(release, "virtio-fs", "kataShared", "virtiofs", mount_point, ["nodev"].into()));
    }
    let options = ["noexec", "nosuid", "nodev", "mode=1777", &format!("size={SHM_SIZE}")].into();
    if release.has(Change::ShmStorage) {
        let path = "/run/kata-containers/sandbox/shm";
        let shm = match release.has(Change::GuestShmFixed) {
            true => path.to_owned(),
            false => guest_share(config.active_hypervisor(), path, release),
        };
        storages.push(storage(release, "ephemeral", "shm", "tmpfs", shm, options));
    }
    let hook_path = config.active_hypervisor().map_or("", |hv| hv.security_info.guest_hook_path.as_str());
    let create_sandbox = fields([
        ("hostname", sandbox.hostname.into()),
        ("dns", Json::Array(Vec::new())),
        ("storages", storages.into()),
        ("sandbox_pidns", false.into()),
        ("sandbox_id", sandbox.id.into()),
        ("guest_hook_path", hook_path.into()),
        ("kernel_modules", kernel_modules(config).unwrap_or_default().into()),
    ]);
    let policy =
        config.active_agent().map(|agent| agent.policy.to_string()).filter(|policy| !policy.is_empty());
    AgentSetup {
        kernel_cmdline: crate::answer::launch::joined(&kernel_params),
        kernel_params,
        create_sandbox,
        policy,
        network,
        decided_by: DecidedBy {
            hypervisor: config.runtime.hypervisor_name.to_string().into(),
            agent: config.runtime.agent_name.to_string().into(),
            // Always the same.
            mount_options: &[],
        },
    }
}

/// The parameters that loading puts before `kernel_params` on behalf of the agent, to be recognised one
/// after the other at the front of the list.
pub(crate) struct AgentParams<'a> {
    agent: Option<&'a Agent>,
    table: &'a str,
}

impl<'a> AgentParams<'a> {
    /// Those of the active agent.
    pub(crate) fn of(config: &'a Config<'_>) -> Self {
        Self { agent: config.active_agent().map(|agent| &**agent), table: &config.runtime.agent_name }
    }

    /// What put the next parameter there, if the agent's table did. The first that it did not ends the row.
    pub(crate) fn next(&mut self, key: &str, value: &str) -> Option<Cause> {
        let found = self.agent.and_then(|agent| origin(agent, key, value));
        if found.is_none() {
            self.agent = None;
        }
        let table = self.table;
        found.map(|name| match (table, name) {
            ("kata", "enable_debug") => Cause::key("agent.kata.enable_debug"),
            ("kata", "cdh_api_timeout_ms") => Cause::key("agent.kata.cdh_api_timeout_ms"),
            _ => Cause::key(format!("agent.{table}.{name}")),
        })
    }
}

fn origin(agent: &Agent, key: &str, value: &str) -> Option<&'static str> {
    let memory = &agent.mem_agent;
    let is = |number: u32| number > 0 && value == number.to_string();
    Some(match (key, value) {
        ("agent.cdh_api_timeout", _)
            if agent.cdh_api_timeout_ms > 0 && value == (agent.cdh_api_timeout_ms / 1000).to_string() =>
        {
            "cdh_api_timeout_ms"
        }
        ("agent.container_pipe_size", _) if is(agent.container_pipe_size) => "container_pipe_size",
        ("agent.debug_console", "") | ("agent.debug_console_vport", "1026")
            if agent.debug_console_enabled =>
        {
            "debug_console_enabled"
        }
        ("agent.launch_process_timeout", _) if is(agent.launch_process_timeout) => "launch_process_timeout",
        ("agent.log", "debug") if agent.debug => "enable_debug",
        ("agent.trace", "true") if agent.enable_tracing => "enable_tracing",
        ("agent.visible_cdi_devices", "true") if agent.visible_cdi_devices => "visible_cdi_devices",
        ("agent.mem_agent_enable" | "psi", "1") if memory.enable => "mem_agent.mem_agent_enable",
        _ if memory.enable => match key.strip_prefix("agent.mem_agent_")? {
            "memcg_disable" => "mem_agent.memcg_disable",
            "memcg_swap" => "mem_agent.memcg_swap",
            "memcg_swappiness_max" => "mem_agent.memcg_swappiness_max",
            "memcg_period_secs" => "mem_agent.memcg_period_secs",
            "memcg_period_psi_percent_limit" => "mem_agent.memcg_period_psi_percent_limit",
            "memcg_eviction_psi_percent_limit" => "mem_agent.memcg_eviction_psi_percent_limit",
            "memcg_eviction_run_aging_count_min" => "mem_agent.memcg_eviction_run_aging_count_min",
            "compact_disable" => "mem_agent.compact_disable",
            "compact_period_secs" => "mem_agent.compact_period_secs",
            "compact_period_psi_percent_limit" => "mem_agent.compact_period_psi_percent_limit",
            "compact_psi_percent_limit" => "mem_agent.compact_psi_percent_limit",
            "compact_sec_max" => "mem_agent.compact_sec_max",
            "compact_order" => "mem_agent.compact_order",
            "compact_threshold" => "mem_agent.compact_threshold",
            "compact_force_times" => "mem_agent.compact_force_times",
            _ => return None,
        },
        _ => return None,
    })
}
