//! The Go runtime's agent: the CreateSandbox request, and the policy that is set before it.
//!
//! Facts: `startSandbox`, `setupStorages` and `setupKernelModules` in
//! src/runtime/virtcontainers/kata_agent.go from 2.0.0 to 4.1.0. The resolver's lines (`dns`) come from a mount that
//! the CRI makes when the pod starts, and are left out.

use serde_json::Value as Json;

use crate::answer::agent::{AgentSetup, DecidedBy, fields};
use crate::golang::strconv;
use crate::launch::Started;
use crate::launch::go::guest_memory;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorType, SandboxConfig};

/// A longer host name is cut here, in bytes.
const HOSTNAME_LIMIT: usize = 64;

fn hostname(name: &str) -> String {
    let bytes = name.as_bytes();
    let end = bytes.len().min(HOSTNAME_LIMIT);
    String::from_utf8_lossy(bytes.get(..end).unwrap_or(bytes)).into_owned()
}

/// A kernel module: the first word is its name, the others are its parameters.
fn kernel_module(line: &str) -> Option<Json> {
    let mut words = strconv::fields(line);
    let name = words.next()?;
    let parameters: Vec<&str> = words.collect();
    // A list without elements is not there at all.
    let parameters = if parameters.is_empty() { Json::Null } else { parameters.into() };
    Some(fields([("name", name.into()), ("parameters", parameters)]))
}

fn kernel_modules(config: &SandboxConfig) -> Vec<Json> {
    if config.hypervisor_type == HypervisorType::Remote {
        return Vec::new();
    }
    config.agent_config.kernel_modules.iter().filter_map(|line| kernel_module(line)).collect()
}

fn storage(driver: &str, source: &str, fstype: &str, options: Json, mount_point: Json) -> Json {
    fields([
        ("driver", driver.into()),
        ("driver_options", Json::Null),
        ("source", source.into()),
        ("fstype", fstype.into()),
        ("options", options),
        ("mount_point", mount_point),
    ])
}

/// The folder that the guest shares with the host, through virtiofsd or nydusd, else through QEMU itself; and the
/// hypervisor's keys that decide how it is mounted.
fn shared_folder(config: &SandboxConfig, mount_point: &str) -> (Json, &'static [&'static str]) {
    let (hv, release) = (&config.hypervisor_config, config.release);
    let daemon =
        hv.shared_fs == "virtio-fs" || (hv.shared_fs == "virtio-fs-nydus" && release.has(Change::Nydusd));
    if !daemon {
        let options =
            ["trans=virtio,version=9p2000.L,cache=mmap", "nodev", &format!("msize={}", hv.msize_9p)];
        return (storage("9p", "kataShared", "9p", options.into(), mount_point.into()), &["msize_9p"]);
    }
    let cached = match &*hv.virtio_fs_cache {
        "none" => release.has(Change::NeverIsNoCache),
        "never" => !release.has(Change::NeverIsNoCache),
        "metadata" => !release.has(Change::CacheMetadata),
        _ => true,
    };
    // With a window into the host's page cache.
    let dax: &[&str] = if cached && hv.virtio_fs_cache_size != 0 { &["dax"] } else { &[] };
    let folder = storage("virtio-fs", "kataShared", "virtiofs", dax.into(), mount_point.into());
    (folder, &["virtio_fs_cache_size", "virtio_fs_cache"])
}

/// `/dev/shm` of all containers.
fn shared_memory(size: u64, mount_point: String) -> Json {
    let options = ["noexec", "nosuid", "nodev", "mode=1777", &format!("size={size}")].into();
    storage("ephemeral", "shm", "tmpfs", options, mount_point.into())
}

/// What the guest of one sandbox is told.
pub fn setup(config: &SandboxConfig, started: &Started) -> AgentSetup {
    let mut storages = Vec::with_capacity(2);
    let (folder, mount_options) = shared_folder(config, started.share.as_deref().unwrap_or_default());
    if started.share.is_some() {
        storages.push(folder);
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
            mount_options,
        },
        network: started.network.clone(),
        policy: (told && !policy.is_empty()).then(|| policy.to_string()),
    }
}
