//! The Go runtime's agent: the CreateSandbox request, and the policy that is set before it.
//!
//! Facts: `startSandbox`, `setupStorages` and `setupKernelModules` in
//! src/runtime/virtcontainers/kata_agent.go at 4.1.0. The resolver's lines (`dns`) come from a mount that
//! the CRI makes when the pod starts, and are left out.

use serde_json::Value as Json;

use super::{AgentSetup, fields};
use crate::launch::Arg;
use crate::launch::go::guest_share;
use crate::runtime::go_text;
use crate::runtime::go41::config::{HypervisorType, SandboxConfig};

/// A longer host name is cut here, in bytes.
const HOSTNAME_LIMIT: usize = 64;

fn hostname(config: &SandboxConfig<'_>) -> String {
    let bytes = config.hostname.as_bytes();
    let end = bytes.len().min(HOSTNAME_LIMIT);
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

/// Each element's first word is the module, the others its parameters.
fn kernel_modules(config: &SandboxConfig<'_>) -> Vec<Json> {
    if config.hypervisor_type == HypervisorType::Remote {
        return Vec::new();
    }
    let modules = config.agent_config.kernel_modules.iter().filter_map(|line| {
        let mut words = go_text::fields(line);
        let name = words.next()?;
        let parameters: Vec<&str> = words.collect();
        // A list without elements is not there at all.
        let parameters = if parameters.is_empty() { Json::Null } else { parameters.into() };
        Some(fields([("name", name.into()), ("parameters", parameters)]))
    });
    modules.collect()
}

fn shared_folder(config: &SandboxConfig<'_>) -> Json {
    let hv = &config.hypervisor_config;
    let nydus = hv.shared_fs == "virtio-fs-nydus";
    let mut options: Vec<Json> = Vec::new();
    let (driver, fstype) = if nydus || hv.shared_fs == "virtio-fs" {
        let cached = !matches!(&*hv.virtio_fs_cache, "never" | "metadata");
        if cached && hv.virtio_fs_cache_size != 0 {
            options.push("dax".into());
        }
        ("virtio-fs", "virtiofs")
    } else {
        options.push("trans=virtio,version=9p2000.L,cache=mmap".into());
        options.push("nodev".into());
        options.push(format!("msize={}", hv.msize9p).into());
        ("9p", "9p")
    };
    fields([
        ("driver", driver.into()),
        ("driver_options", Json::Null),
        ("source", "kataShared".into()),
        ("fstype", fstype.into()),
        ("options", options.into()),
        ("mount_point", guest_share(config.rootless_shim, if nydus { "" } else { "containers/" }).into()),
    ])
}

fn shared_memory(size: u64) -> Json {
    fields([
        ("driver", "ephemeral".into()),
        ("driver_options", Json::Null),
        ("source", "shm".into()),
        ("fstype", "tmpfs".into()),
        ("options", ["noexec", "nosuid", "nodev", "mode=1777", &format!("size={size}")].into()),
        ("mount_point", "/run/kata-containers/sandbox/shm".into()),
    ])
}

/// What the guest of one sandbox is told. `shares_files`: the hypervisor gives it a shared folder.
pub fn setup(
    config: &SandboxConfig<'_>,
    kernel_params: Vec<Arg>,
    kernel_cmdline: String,
    shares_files: bool,
) -> AgentSetup {
    let mut storages = Vec::with_capacity(2);
    if shares_files {
        storages.push(shared_folder(config));
    }
    if config.shm_size > 0 {
        storages.push(shared_memory(config.shm_size));
    }
    let create_sandbox = fields([
        ("hostname", hostname(config).into()),
        ("storages", storages.into()),
        ("sandbox_pidns", false.into()),
        ("sandbox_id", config.id.into()),
        ("guest_hook_path", Json::from(&*config.hypervisor_config.guest_hook_path)),
        ("kernel_modules", kernel_modules(config).into()),
    ]);
    let policy = &config.agent_config.policy;
    AgentSetup {
        kernel_params,
        kernel_cmdline,
        create_sandbox,
        policy: (!policy.is_empty()).then(|| policy.to_string()),
    }
}
