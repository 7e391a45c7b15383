//! The Go runtime: from one sandbox's configuration to the VMM process and the agent's requests.
//!
//! Decides what `CreateVM`, the agent's `configure` and `StartVM` make of a configuration that has been
//! through annotations, sizing, asset checks and `validateHypervisorConfig`: one file or folder per
//! hypervisor.
//!
//! Facts: src/runtime/virtcontainers from 2.0.0 to 4.1.0; what differs between releases is `changes`, asked where
//! upstream has it.

mod acrn;
mod clh;
mod daemon;
mod dan;
mod endpoint;
mod fill_in;
mod findings;
mod firecracker;
mod guest_kernel;
mod network;
mod numa;
mod paths;
mod process;
mod qemu;
mod remote;
mod requests;
mod stratovirt;
mod version;

use std::borrow::Cow;

use super::findings::Findings;
use super::refusal::{Context, Refusal, refuse};
use super::{Plan, Started, boxed};
use crate::answer::finding::{Code, Finding};
use crate::answer::launch::Launch;
use crate::answer::verdict::Failure;
use crate::catalog::HYPERVISOR_PREFIX;
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::Sandbox;
use crate::runtime::go::config::{HypervisorConfig, HypervisorKeys, HypervisorType, SandboxConfig};
use daemon::Daemon;
use paths::Paths;

pub(crate) use paths::guest_memory;

/// One sandbox on its way.
#[derive(Debug, Clone, Copy)]
struct Start<'a> {
    host: &'a Host,
    config: &'a SandboxConfig,
    hv: &'a HypervisorConfig,
    keys: &'static HypervisorKeys,
    release: Release,
    arch: Arch,
    paths: Paths<'a>,
}

impl<'a> Start<'a> {
    fn new(host: &'a Host, config: &'a SandboxConfig) -> Self {
        let (hv, keys) = (&config.hypervisor_config, HypervisorKeys::of(config.hypervisor_type));
        let (release, arch, paths) = (config.release, host.facts.arch, Paths::of(config));
        Self { host, config, hv, keys, release, arch, paths }
    }
    fn has(&self, change: Change) -> bool {
        self.release.has(change)
    }

    /// Whether SEV-SNP is asked for, where its hosts have it.
    fn wants_snp(&self) -> bool {
        match self.has(Change::SnpFollowsConfidentialGuest) {
            true => self.hv.confidential_guest,
            false => self.has(Change::SnpGuests) && self.hv.sev_snp_guest,
        }
    }

    /// What serves the shared folder, by the word for it.
    fn daemon(&self) -> Option<Daemon> {
        match &*self.hv.shared_fs {
            "virtio-fs" => Some(Daemon::Virtiofsd),
            "virtio-fs-nydus" if self.has(Change::Nydusd) => Some(Daemon::Nydusd),
            _ => None,
        }
    }

    /// Where the guest mounts the shared folder.
    fn guest_share(&self) -> String {
        self.paths.guest_share(if self.daemon() == Some(Daemon::Nydusd) { "" } else { "containers/" })
    }
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
pub fn launch(host: &Host, config: &SandboxConfig, sandbox: &Sandbox<'_>) -> Result<Started, Failure> {
    plan(host, config, sandbox).map(|plan| Started::by(&*plan))
}

/// The same outcome and findings as of `launch`, without what it makes.
pub fn check(host: &Host, config: &SandboxConfig, sandbox: &Sandbox<'_>) -> Result<Vec<Finding>, Failure> {
    plan(host, config, sandbox).map(|plan| plan.findings())
}

fn plan<'a>(
    host: &'a Host,
    config: &'a SandboxConfig,
    sandbox: &Sandbox<'_>,
) -> Result<Box<dyn Plan + 'a>, Failure> {
    let start = Start::new(host, config);
    let plan = match config.hypervisor_type {
        HypervisorType::Qemu => qemu::Qemu::new(start).map(boxed),
        HypervisorType::Clh => clh::Clh::new(start).map(boxed),
        HypervisorType::Firecracker => firecracker::Firecracker::new(start).map(boxed),
        HypervisorType::Stratovirt => stratovirt::Stratovirt::new(start).map(boxed),
        HypervisorType::Acrn => acrn::Acrn::new(start).map(boxed),
        HypervisorType::Remote => remote::Remote::new(start).map(boxed),
        HypervisorType::Dragonball => Ok(boxed(Mock(start))),
    };
    plan.map_err(|refusal| refusal.of(sandbox, HYPERVISOR_PREFIX))
}

/// A path, or the one that is taken where none is configured.
fn or<'a>(path: &'a str, usual: &'static str) -> &'a str {
    if path.is_empty() { usual } else { path }
}

/// What the runtime leaves behind where it follows a pointer to nothing.
const NIL_POINTER: &str = "panic: runtime error: invalid memory address or nil pointer dereference";

/// Dragonball is part of runtime-rs; the Go runtime reads its table, then puts a mock in its place that
/// starts nothing.
struct Mock<'a>(Start<'a>);

impl Plan for Mock<'_> {
    fn launch(&self, _: &str) -> Launch {
        Launch::default()
    }

    fn share(&self) -> Option<String> {
        Some(self.0.guest_share())
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        let message = "the Go runtime has a mock in Dragonball's place: no VM is started, and no agent ever answers; \
                       runtime-rs is what runs it";
        findings.warn(Code::FailsLater, "hypervisor.dragonball", message);
        findings.0
    }
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
    fn of(start: &Start<'a>) -> Result<Self, Refusal> {
        let hv = start.hv;
        if start.has(Change::InitrdWins) {
            return Ok(match (hv.initrd_asset_path(), hv.image_asset_path()) {
                ("", "") => Self::Kernel,
                ("", image) => Self::Image(image),
                (initrd, _) => Self::Initrd(initrd),
            });
        }
        let pick = |image: &'a str, initrd: &'a str| match (image, initrd) {
            ("", "") => Ok(None),
            (image, "") => Ok(Some(Self::Image(image))),
            ("", initrd) => Ok(Some(Self::Initrd(initrd))),
            _ => refuse("cannot set both image and initrd at the same time", &["initrd", "image"]),
        };
        let custom = &hv.custom_assets;
        let (image, initrd) = (custom.image.as_deref(), custom.initrd.as_deref());
        let chosen = pick(image.unwrap_or_default(), initrd.unwrap_or_default());
        if let Some(boot) = chosen.context("conflicting annotations")? {
            return Ok(boot);
        }
        let sealed =
            hv.confidential_guest && hv.machine_type == "s390-ccw-virtio" && start.has(Change::SealedBoot);
        match pick(&hv.image, &hv.initrd)? {
            Some(boot) => Ok(boot),
            None if sealed => Ok(Self::Kernel),
            None => refuse("one of image and initrd must be set", &[]),
        }
    }
}
