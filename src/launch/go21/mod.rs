//! The Go runtime 2.1: from one sandbox's configuration to the VMM process and the agent's requests.
//!
//! Decides what `createSandbox`, the agent's `configure` and `startVM` make of a configuration that has
//! been through annotations and asset checks: one file per hypervisor. Each first checks, in upstream's
//! order, where a sandbox can fail; spelling out cannot. What is modelled is x86_64; the pod's network
//! cards are made when it starts, and are left out.
//!
//! Facts: src/runtime/virtcontainers and the vendored govmm at 2.1.0.

mod acrn;
mod clh;
mod firecracker;
mod process;
mod qemu;
mod remarks;
#[cfg(test)]
mod tests;

pub(crate) use remarks::findings;

use std::borrow::Cow;

use crate::agent::AgentSetup;
use crate::catalog::HYPERVISOR_PREFIX;
use crate::input::Host;
use crate::launch::refusal::Refusal;
use crate::launch::{Arg, Cause, Launch, joined};
use crate::runtime::Sandbox;
use crate::runtime::go21::config::{HypervisorType, Param, SandboxConfig, SandboxHypervisor};
use crate::runtime::verdict::Failure;

/// Where the runtime keeps what belongs to one VM.
const VM_STORE: &str = "/run/vc/vm";

/// What a hypervisor starts, and what its guest boots with.
struct Started {
    launch: Launch,
    kernel_params: Vec<Arg>,
    /// The line as the guest gets it.
    kernel_cmdline: String,
    /// Whether the guest gets a shared folder.
    shares_files: bool,
}

/// Whether the sandbox gets as far as a running VM.
pub(crate) fn check(host: &Host, config: &SandboxConfig<'_>, sandbox: &Sandbox<'_>) -> Result<(), Failure> {
    match config.runtime.hypervisor_type {
        HypervisorType::Qemu => qemu::check(host, config),
        HypervisorType::Clh => clh::check(host, config),
        HypervisorType::Firecracker => firecracker::check(host, config),
        HypervisorType::Acrn => acrn::check(host, config),
    }
    .map_err(|refusal| refusal.of(sandbox, HYPERVISOR_PREFIX))
}

/// What is started and said for one sandbox that has been checked.
pub(crate) fn launch(host: &Host, config: &SandboxConfig<'_>) -> (Launch, AgentSetup) {
    let hv = completed(config);
    let mut started = match config.runtime.hypervisor_type {
        HypervisorType::Qemu => qemu::start(host, config, &hv),
        HypervisorType::Clh => clh::start(host, config, &hv),
        HypervisorType::Firecracker => firecracker::start(config, &hv),
        HypervisorType::Acrn => acrn::start(config, &hv),
    };
    started.launch.explain_line(&started.kernel_cmdline, &started.kernel_params);
    let agent = crate::agent::go21::setup(
        config,
        started.kernel_params,
        started.kernel_cmdline,
        started.shares_files,
        hv.msize9p,
    );
    (started.launch, agent)
}

/// `SandboxHypervisor.valid`: what still says nothing gets a value. Firecracker does without.
fn completed<'a>(config: &SandboxConfig<'a>) -> SandboxHypervisor<'a> {
    let mut hv = config.hypervisor_config.clone();
    if config.runtime.hypervisor_type == HypervisorType::Firecracker {
        return hv;
    }
    hv.num_vcpus = vcpus(&hv);
    hv.default_max_vcpus = max_vcpus(&hv);
    if hv.msize9p == 0 && hv.shared_fs != "virtio-fs" {
        hv.msize9p = 8192;
    }
    hv
}

/// The vCPUs a VM boots with: zero counts as one.
fn vcpus(hv: &SandboxHypervisor<'_>) -> u32 {
    hv.num_vcpus.max(1)
}

/// The vCPUs a VM may grow to: zero counts as what QEMU takes at most.
fn max_vcpus(hv: &SandboxHypervisor<'_>) -> u32 {
    if hv.default_max_vcpus == 0 { 240 } else { hv.default_max_vcpus }
}

/// A file in the folder of the VM.
fn in_vm(config: &SandboxConfig<'_>, name: &str) -> String {
    format!("{VM_STORE}/{}/{name}", config.id)
}

/// The folder that the guest sees.
fn share(config: &SandboxConfig<'_>) -> String {
    format!("/run/kata-containers/shared/sandboxes/{}/shared", config.id)
}

/// A parameter as the command line has it; one without key and value is left out.
fn spelled(key: &str, value: &str) -> Option<String> {
    match (key.is_empty(), value.is_empty()) {
        (true, true) => None,
        (true, false) => Some(value.to_owned()),
        (false, true) => Some(key.to_owned()),
        (false, false) => Some([key, "=", value].concat()),
    }
}

/// Appends constant parameters.
fn extend(params: &mut Vec<Arg>, all: &[(&str, &str)], cause: &Cause) {
    params.extend(all.iter().filter_map(|(k, v)| spelled(k, v)).map(|text| Arg::new(text, cause.clone())));
}

/// Appends the parameters that loading and annotations have put together.
fn configured(params: &mut Vec<Arg>, config: &SandboxConfig<'_>, key: &'static str) {
    let cause = |param: &Param<Cow<'_, str>>| match (&*param.key, &*param.value) {
        ("systemd.unit" | "systemd.mask", _) => Cause::rule("the guest boots from an image"),
        ("scsi_mod.scan", "none") => Cause::rule("block_device_driver is virtio-scsi"),
        ("agent.log", "debug") => Cause::key("agent.kata.enable_debug"),
        ("agent.trace", _) => Cause::keys(["agent.kata.enable_tracing", "agent.kata.trace_type"]),
        ("agent.debug_console" | "agent.debug_console_vport", _) => {
            Cause::key("agent.kata.debug_console_enabled")
        }
        ("fips", "1") => Cause::rule("the host is in FIPS mode"),
        _ => Cause::key(key),
    };
    let all = &config.hypervisor_config.kernel_params;
    params.extend(all.iter().filter_map(|p| Some(Arg::new(spelled(&p.key, &p.value)?, cause(p)))));
}

/// Arguments of one cause.
fn push(args: &mut Vec<Arg>, texts: &[&str], cause: &Cause) {
    args.extend(texts.iter().map(|text| Arg::new(*text, cause.clone())));
}
