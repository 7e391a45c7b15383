//! The Go runtime's agent: the CreateSandbox request, and the policy that is set before it.
//!
//! Facts: `startSandbox`, `setupStorages` and `setupKernelModules` in
//! src/runtime/virtcontainers/kata_agent.go from 2.0.0 to 4.1.0. The resolver's lines (`dns`) come from a mount that
//! the CRI makes when the pod starts, and are left out.

use serde_json::Value as Json;

use super::create_sandbox::{Mount, hostname, kernel_module, shared_folder, shared_memory};
use crate::answer::agent::{AgentSetup, DecidedBy, fields};
use crate::golang::strconv;
use crate::launch::Started;
use crate::launch::go::guest_memory;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorType, SandboxConfig};

fn kernel_modules(config: &SandboxConfig) -> Vec<Json> {
    if config.hypervisor_type == HypervisorType::Remote {
        return Vec::new();
    }
    let modules = &config.agent_config.kernel_modules;
    modules.iter().filter_map(|line| kernel_module(strconv::fields(line))).collect()
}

fn mount(config: &SandboxConfig) -> Mount {
    let hv = &config.hypervisor_config;
    let release = config.release;
    let daemon =
        hv.shared_fs == "virtio-fs" || (hv.shared_fs == "virtio-fs-nydus" && release.has(Change::Nydusd));
    if daemon {
        let cached = match &*hv.virtio_fs_cache {
            "none" => release.has(Change::NeverIsNoCache),
            "never" => !release.has(Change::NeverIsNoCache),
            "metadata" => !release.has(Change::CacheMetadata),
            _ => true,
        };
        Mount::VirtioFs { dax: cached && hv.virtio_fs_cache_size != 0 }
    } else {
        Mount::Plan9 { msize: hv.msize_9p }
    }
}

/// What the guest of one sandbox is told.
pub fn setup(config: &SandboxConfig, started: &Started) -> AgentSetup {
    let mut storages = Vec::with_capacity(2);
    let mount = mount(config);
    if let Some(folder) = &started.share {
        storages.push(shared_folder(mount, folder.clone()));
    }
    if config.shm_size > 0 {
        storages.push(shared_memory(config.shm_size, guest_memory(config.release, config.rootless_shim)));
    }
    let create_sandbox = fields([
        ("hostname", hostname(&config.hostname).into()),
        ("storages", storages.into()),
        ("sandbox_pidns", false.into()),
        ("sandbox_id", config.id.as_str().into()),
        ("guest_hook_path", Json::from(&*config.hypervisor_config.guest_hook_path)),
        ("kernel_modules", kernel_modules(config).into()),
    ]);
    let told = config.hypervisor_type != HypervisorType::Remote || config.release.has(Change::RemoteAgent);
    let policy = &config.agent_config.policy;
    AgentSetup {
        kernel_params: started.kernel_params.clone(),
        kernel_cmdline: started.kernel_cmdline.clone(),
        create_sandbox,
        decided_by: DecidedBy {
            hypervisor: config.hypervisor_type.as_str().into(),
            // There is one agent, whatever a file calls its table.
            agent: "kata".into(),
            mount_options: mount.decided_by(),
        },
        network: started.network.clone(),
        policy: (told && !policy.is_empty()).then(|| policy.to_string()),
    }
}
