//! runtime-rs's agent: the CreateSandbox request, and the policy that is set before it.
//!
//! Facts: `start` in src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs and `KernelModule` in
//! src/runtime-rs/crates/agent/src/types.rs at each tag. The resolver's lines (`dns`) come from a mount that the
//! CRI makes when the pod starts, and are left out.

use serde_json::Value as Json;

use crate::answer::agent::{AgentSetup, DecidedBy, fields};
use crate::answer::verdict::{Failure, FailureStage};
use crate::launch::Started;
use crate::launch::rs::guest_share;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::Sandbox;
use crate::runtime::rs::config::Config;

/// The annotation that adds modules.
const KERNEL_MODULES: &str = "io.katacontainers.config.agent.kernel_modules";

/// `/dev/shm` of a sandbox, in bytes.
const SHM_SIZE: u64 = 65_536 * 1024;

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

fn kernel_modules(config: &Config) -> Option<Vec<Json>> {
    let lines = config.active_agent().map(|agent| agent.kernel_modules.as_slice()).unwrap_or_default();
    lines.iter().filter(|line| !line.is_empty()).map(|line| kernel_module(line)).collect()
}

/// What can fail of it: a quote that stays open.
pub fn check(config: &Config, sandbox: &Sandbox<'_>) -> Result<(), Failure> {
    let closed = |line: &String| line.split(' ').filter(|word| word.contains('"')).count().is_multiple_of(2);
    let fine = config.active_agent().is_none_or(|agent| agent.kernel_modules.iter().all(closed));
    if fine {
        return Ok(());
    }
    let failure = Failure::new(FailureStage::Launch, "start sandbox in task handler: \" not match");
    match sandbox.annotations.contains_key(KERNEL_MODULES) {
        true => Err(failure.by(KERNEL_MODULES)),
        false => Err(failure),
    }
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

/// What the guest of one sandbox is told.
pub fn setup(config: &Config, sandbox: &Sandbox<'_>, started: &Started) -> AgentSetup {
    let release = config.release;
    let mut storages = Vec::with_capacity(2);
    if let Some(mount_point) = &started.share {
        let options = ["nodev"].into();
        storages.push(storage(release, "virtio-fs", "kataShared", "virtiofs", mount_point.clone(), options));
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
    let hostname = if release.has(Change::Hostname) { sandbox.hostname } else { "" };
    let hook_path = config.active_hypervisor().map_or("", |hv| hv.security_info.guest_hook_path.as_str());
    let create_sandbox = fields([
        ("hostname", hostname.into()),
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
        kernel_cmdline: started.kernel_cmdline.clone(),
        kernel_params: started.kernel_params.clone(),
        create_sandbox,
        policy,
        network: started.network.clone(),
        decided_by: DecidedBy {
            hypervisor: config.runtime.hypervisor_name.to_string().into(),
            agent: config.runtime.agent_name.to_string().into(),
            // Always the same.
            mount_options: &[],
        },
    }
}
