//! The Go runtime: from one sandbox's configuration to the VMM process and the agent's requests.
//!
//! Decides what `CreateVM`, the agent's `configure` and `StartVM` make of a configuration that has been
//! through annotations, sizing, asset checks and `validateHypervisorConfig`: one file or folder per
//! hypervisor. A plan is made first, in upstream's order, since that is where a sandbox can fail; spelling
//! it out cannot. The pod's network cards are not part of it: their number and addresses are made by the
//! CNI plugins when the pod starts.
//!
//! Facts: src/runtime/virtcontainers from 2.0.0 to 4.1.0; what differs between releases is `changes`, asked where
//! upstream has it.

mod acrn;
mod clh;
mod daemon;
mod dan;
mod endpoint;
mod fill_in;
mod firecracker;
mod guest_kernel;
mod network;
mod numa;
mod paths;
mod process;
mod qemu;
mod remarks;
mod remote;
mod stratovirt;
mod tee;

use std::borrow::Cow;

use super::refusal::Refusal;
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::answer::launch::{Arg, Launch};
use crate::answer::verdict::Failure;
use crate::catalog::HYPERVISOR_PREFIX;
use crate::input::Host;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::Sandbox;
use crate::runtime::go::config::{HypervisorConfig, HypervisorType, SandboxConfig};

pub use network::Network;
pub(crate) use paths::{guest_memory, guest_share};

/// What a hypervisor starts: its processes and requests, what its guest boots with, and what the agent's setup
/// has to do with it.
pub struct Started<'a> {
    /// The processes and requests.
    pub launch: Launch,
    /// The pod's network, where the VM is given one.
    pub network: Option<Network<'a>>,
    /// The guest kernel's parameters.
    pub kernel_params: Vec<Arg>,
    /// The parameters as one text.
    pub kernel_cmdline: String,
    /// Whether the guest gets a shared folder.
    pub shares_files: bool,
    /// What the launch would point out.
    pub findings: Vec<Finding>,
}

/// The configuration as the hypervisor holds it, where the first releases fill it in; or why it does not take it.
///
/// `config` has been through annotations, sizing, asset checks and `validateHypervisorConfig`.
pub fn fill_in<'c>(
    config: &'c SandboxConfig,
    sandbox: &Sandbox<'_>,
) -> Result<Cow<'c, SandboxConfig>, Failure> {
    fill_in::fill_in(config).map_err(|refusal| refusal.of(sandbox, HYPERVISOR_PREFIX))
}

/// What is started for one sandbox, from `CreateVM` on; or why it fails there. `config` is filled in.
pub fn launch<'c>(
    host: &'c Host,
    config: &'c SandboxConfig,
    sandbox: &Sandbox<'_>,
) -> Result<Started<'c>, Failure> {
    let started = match config.hypervisor_type {
        HypervisorType::Qemu => qemu::Plan::new(host, config).map(|plan| plan.start(host)),
        HypervisorType::Clh => clh::Plan::new(host, config).map(|plan| plan.start(host)),
        HypervisorType::Firecracker => firecracker::Plan::new(host, config).map(|plan| plan.start(host)),
        HypervisorType::Stratovirt => stratovirt::Plan::new(host, config).map(|plan| plan.start(host)),
        HypervisorType::Acrn => acrn::Plan::new(host, config).map(|plan| plan.start(host)),
        HypervisorType::Remote => remote::start(host, config),
        HypervisorType::Dragonball => Ok(mock()),
    };
    let mut started = started.map_err(|refusal| refusal.of(sandbox, HYPERVISOR_PREFIX))?;
    started.launch.explain_line(&started.kernel_cmdline, &started.kernel_params);
    Ok(started)
}

/// The same outcome and findings as of `launch`, without what it makes.
pub fn check(host: &Host, config: &SandboxConfig, sandbox: &Sandbox<'_>) -> Result<Vec<Finding>, Failure> {
    let outcome = match config.hypervisor_type {
        HypervisorType::Qemu => qemu::Plan::new(host, config).map(|plan| plan.findings(host)),
        HypervisorType::Clh => clh::Plan::new(host, config).map(|plan| plan.findings(host)),
        HypervisorType::Firecracker => firecracker::Plan::new(host, config).map(|plan| plan.findings(host)),
        HypervisorType::Stratovirt => stratovirt::Plan::new(host, config).map(|plan| plan.findings(host)),
        HypervisorType::Acrn => acrn::Plan::new(host, config).map(|plan| plan.findings(host)),
        HypervisorType::Remote => remote::network(host, config).map(|_| Vec::new()),
        HypervisorType::Dragonball => Ok(nothing_runs()),
    };
    outcome.map_err(|refusal| refusal.of(sandbox, HYPERVISOR_PREFIX))
}

/// What the runtime leaves behind where it follows a pointer to nothing.
const NIL_POINTER: &str = "panic: runtime error: invalid memory address or nil pointer dereference";

/// Dragonball is part of runtime-rs; the Go runtime reads its table, then puts a mock in its place that
/// starts nothing.
fn mock<'a>() -> Started<'a> {
    Started {
        launch: Launch::default(),
        network: None,
        kernel_params: Vec::new(),
        kernel_cmdline: String::new(),
        shares_files: true,
        findings: nothing_runs(),
    }
}

/// What the mock comes to.
fn nothing_runs() -> Vec<Finding> {
    let mut remarks = remarks::Remarks(Vec::new());
    remarks.add(
        Code::FailsLater,
        Severity::Warning,
        Who::ClusterAdministrator,
        "hypervisor.dragonball",
        "the Go runtime has a mock in Dragonball's place: no VM is started, and no agent ever answers; \
         runtime-rs is what runs it",
    );
    remarks.0
}

/// What the guest's root file system is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boot<'a> {
    Image(&'a str),
    Initrd(&'a str),
    /// Nothing beside the kernel image: IBM Secure Execution, or nothing was asked for.
    Kernel,
}

impl<'a> Boot<'a> {
    /// `ImageOrInitrdAssetPath`: what annotations chose, else what the files say. Firecracker and QEMU take an
    /// initrd first in releases before it, Cloud Hypervisor an image.
    fn of(release: Release, hv: &'a HypervisorConfig) -> Result<Self, Refusal> {
        if release.has(Change::InitrdWins) {
            return Ok(match (hv.initrd_asset_path(), hv.image_asset_path()) {
                ("", "") => Self::Kernel,
                ("", image) => Self::Image(image),
                (initrd, _) => Self::Initrd(initrd),
            });
        }
        let custom = &hv.custom_assets;
        let pick = |image: &'a str, initrd: &'a str| match (image.is_empty(), initrd.is_empty()) {
            (false, false) => Some(Err("cannot set both image and initrd at the same time")),
            (false, true) => Some(Ok(Self::Image(image))),
            (true, false) => Some(Ok(Self::Initrd(initrd))),
            (true, true) => None,
        };
        let chosen =
            pick(custom.image.as_deref().unwrap_or_default(), custom.initrd.as_deref().unwrap_or_default());
        match chosen {
            Some(Ok(boot)) => return Ok(boot),
            Some(Err(why)) => {
                return Err(Refusal::because(
                    format!("conflicting annotations: {why}"),
                    &["initrd", "image"],
                ));
            }
            None => {}
        }
        let sealed =
            hv.confidential_guest && hv.machine_type == "s390-ccw-virtio" && release.has(Change::SealedBoot);
        match pick(&hv.image, &hv.initrd) {
            Some(answer) => answer.map_err(|why| Refusal::because(why, &["initrd", "image"])),
            None if sealed => Ok(Self::Kernel),
            None => Err(Refusal::because("one of image and initrd must be set", &[])),
        }
    }
}

#[cfg(test)]
mod tests;
