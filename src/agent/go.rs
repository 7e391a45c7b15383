//! The Go runtime's agent: the CreateSandbox request, and the policy that is set before it.
//!
//! Facts: `startSandbox`, `setupStorages` and `setupKernelModules` in
//! src/runtime/virtcontainers/kata_agent.go at 4.1.0. The resolver's lines (`dns`) come from a mount that
//! the CRI makes when the pod starts, and are left out.

use serde_json::{Value as Json, json};

use super::AgentSetup;
use crate::launch::Arg;
use crate::launch::go::guest_share;
use crate::runtime::go_text;
use crate::runtime::go41::config::{HypervisorType, SandboxConfig};

/// A longer host name is cut here, in bytes.
const HOSTNAME_LIMIT: usize = 64;

fn hostname(config: &SandboxConfig) -> String {
    let bytes = config.hostname.as_bytes();
    let end = bytes.len().min(HOSTNAME_LIMIT);
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

/// Each element's first word is the module, the others its parameters.
fn kernel_modules(config: &SandboxConfig) -> Vec<Json> {
    if config.hypervisor_type == HypervisorType::Remote {
        return Vec::new();
    }
    let modules = config.agent_config.kernel_modules.iter().filter_map(|line| {
        let mut words = go_text::fields(line);
        let name = words.next()?;
        let parameters: Vec<&str> = words.collect();
        // A list without elements is not there at all.
        Some(json!({ "name": name, "parameters": (!parameters.is_empty()).then_some(parameters) }))
    });
    modules.collect()
}

fn shared_folder(config: &SandboxConfig) -> Json {
    let hv = &config.hypervisor_config;
    let nydus = hv.shared_fs == "virtio-fs-nydus";
    let mut options: Vec<String> = Vec::new();
    let (driver, fstype) = if nydus || hv.shared_fs == "virtio-fs" {
        let cached = !matches!(hv.virtio_fs_cache.as_str(), "never" | "metadata");
        if cached && hv.virtio_fs_cache_size != 0 {
            options.push("dax".into());
        }
        ("virtio-fs", "virtiofs")
    } else {
        options.push("trans=virtio,version=9p2000.L,cache=mmap".into());
        options.push("nodev".into());
        options.push(format!("msize={}", hv.msize9p));
        ("9p", "9p")
    };
    json!({
        "driver": driver,
        "driver_options": null,
        "source": "kataShared",
        "fstype": fstype,
        "options": options,
        "mount_point": guest_share(config.rootless_shim, if nydus { "" } else { "containers/" }),
    })
}

fn shared_memory(size: u64) -> Json {
    json!({
        "driver": "ephemeral",
        "driver_options": null,
        "source": "shm",
        "fstype": "tmpfs",
        "options": ["noexec", "nosuid", "nodev", "mode=1777", format!("size={size}")],
        "mount_point": "/run/kata-containers/sandbox/shm",
    })
}

/// What the guest of one sandbox is told. `shares_files`: the hypervisor gives it a shared folder.
pub fn setup(config: &SandboxConfig, kernel_params: Vec<Arg>, shares_files: bool) -> AgentSetup {
    let mut storages = Vec::with_capacity(2);
    if shares_files {
        storages.push(shared_folder(config));
    }
    if config.shm_size > 0 {
        storages.push(shared_memory(config.shm_size));
    }
    let create_sandbox = json!({
        "hostname": hostname(config),
        "storages": storages,
        "sandbox_pidns": false,
        "sandbox_id": config.id,
        "guest_hook_path": config.hypervisor_config.guest_hook_path,
        "kernel_modules": kernel_modules(config),
    });
    let policy = &config.agent_config.policy;
    AgentSetup {
        kernel_cmdline: crate::launch::joined(&kernel_params),
        kernel_params,
        create_sandbox,
        policy: (!policy.is_empty()).then(|| policy.clone()),
    }
}
