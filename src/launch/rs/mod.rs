//! What runtime-rs starts and asks for, from its effective configuration.
//!
//! Decides what `start sandbox` makes of a configuration that was loaded, annotated, validated and sized:
//! one file or folder per hypervisor. A plan is made first, in upstream's order, since that is where a
//! sandbox can fail; spelling it out cannot. The pod's VFIO devices are not part of it: they are known only when the
//! pod starts.
//!
//! Facts: src/runtime-rs/crates/{runtimes,resource,hypervisor} at each tag.

mod clh;
mod dragonball;
mod firecracker;
mod flags;
mod initdata;
mod kernel;
mod network;
mod openvmm;
mod paths;
mod qemu;
mod remarks;
mod remote;
mod resources;
mod share_fs;
mod tee;
#[cfg(test)]
mod tests;

use super::refusal::Refusal;
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Launch, joined};
use crate::answer::verdict::Failure;
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::Sandbox;
use crate::runtime::rs::config::{Config, Hypervisor, Keys};
use paths::Paths;

pub(crate) use paths::guest_share;

/// What the annotations of a refusal's blame begin with.
const ANNOTATIONS: &str = "io.katacontainers.config.";

/// Upstream's `Context`: what was being done when it failed.
trait Within {
    /// Adds it.
    fn within(self, context: &str) -> Self;
}

impl<T> Within for Result<T, Refusal> {
    fn within(self, context: &str) -> Self {
        self.map_err(|refusal| refusal.within(context))
    }
}

/// The hypervisors that the shim is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Qemu,
    Clh,
    Dragonball,
    Firecracker,
    Remote,
    OpenVmm,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "qemu" => Self::Qemu,
            "clh" | "cloud-hypervisor" => Self::Clh,
            "dragonball" => Self::Dragonball,
            "firecracker" => Self::Firecracker,
            "remote" => Self::Remote,
            "openvmm" => Self::OpenVmm,
            _ => return None,
        })
    }
}

/// One sandbox on its way.
#[derive(Debug, Clone, Copy)]
struct Start<'a> {
    host: &'a Host,
    config: &'a Config,
    hv: &'a Hypervisor,
    keys: &'static Keys,
    release: Release,
    kind: Kind,
    sandbox: &'a Sandbox<'a>,
    paths: &'a Paths<'a>,
    /// Whether the plan will be spelled out, or only has to fail where the runtime does.
    spelled: bool,
}

impl Start<'_> {
    fn has(&self, change: Change) -> bool {
        self.release.has(change)
    }

    /// The folder of the sandbox's sockets; QEMU's were in the working directory.
    fn socket(&self, name: &str) -> String {
        match self.kind {
            Kind::Qemu if !self.has(Change::JailedSockets) => name.to_owned(),
            _ => format!("{}/{name}", self.paths.jail()),
        }
    }
}

/// What a hypervisor starts, what its guest boots with, and what the agent's setup has to do with it.
pub struct Started {
    /// The processes and requests.
    pub launch: Launch,
    /// The guest kernel's parameters.
    pub kernel_params: Vec<Arg>,
    /// Where the guest mounts the shared folder, if there is one.
    pub share: Option<String>,
    /// What the agent is told of the network.
    pub network: NetworkRequests,
    /// What the launch would point out.
    pub findings: Vec<Finding>,
}

/// A plan, spelled out.
struct Spelled {
    launch: Launch,
    kernel_params: Vec<Arg>,
}

/// A plan of any hypervisor: nothing can fail any more.
enum Plan<'a> {
    Qemu(qemu::Plan<'a>),
    Clh(clh::Plan<'a>),
    Dragonball(dragonball::Plan<'a>),
    Firecracker(firecracker::Plan<'a>),
    Remote(remote::Plan<'a>),
    OpenVmm(openvmm::Plan<'a>),
}

impl<'a> Plan<'a> {
    /// `Sandbox::start`, as far as it can fail.
    fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let plan = match start.kind {
            Kind::Qemu => qemu::Plan::new(start).map(Self::Qemu),
            Kind::Clh => clh::Plan::new(start).map(Self::Clh),
            Kind::Dragonball => dragonball::Plan::new(start).map(Self::Dragonball),
            Kind::Firecracker => firecracker::Plan::new(start).map(Self::Firecracker),
            Kind::Remote => remote::Plan::new(start).map(Self::Remote),
            Kind::OpenVmm => openvmm::Plan::new(start).map(Self::OpenVmm),
        };
        plan.within("start sandbox in task handler")
    }

    fn spell(&self) -> Spelled {
        match self {
            Self::Qemu(plan) => plan.spell(),
            Self::Clh(plan) => plan.spell(),
            Self::Dragonball(plan) => plan.spell(),
            Self::Firecracker(plan) => plan.spell(),
            Self::Remote(plan) => plan.spell(),
            Self::OpenVmm(plan) => plan.spell(),
        }
    }

    fn remarks(&self) -> Vec<Finding> {
        let remarks = match self {
            Self::Qemu(plan) => plan.remarks(),
            Self::Clh(plan) => plan.remarks(),
            Self::Dragonball(plan) => plan.remarks(),
            Self::Firecracker(plan) => plan.remarks(),
            Self::Remote(plan) => plan.remarks(),
            Self::OpenVmm(plan) => plan.remarks(),
        };
        remarks.0
    }

    fn resources(&self) -> &resources::Resources<'a> {
        match self {
            Self::Qemu(plan) => &plan.resources,
            Self::Clh(plan) => &plan.resources,
            Self::Dragonball(plan) => &plan.resources,
            Self::OpenVmm(plan) => &plan.resources,
            Self::Firecracker(plan) => &plan.resources,
            Self::Remote(plan) => &plan.resources,
        }
    }

    /// What is shared with the guest; the agent mounts it.
    fn share(&self) -> Option<share_fs::Kind> {
        self.resources().share.as_ref().map(|share| share.kind)
    }
}

/// Plans one sandbox and hands the plan on; every way in goes through here, so that all have one outcome.
fn plan<T>(
    host: &Host,
    config: &Config,
    sandbox: &Sandbox<'_>,
    spelled: bool,
    then: impl FnOnce(&Plan<'_>) -> T,
) -> Result<T, Failure> {
    let run = || -> Result<T, Refusal> {
        let name = config.runtime.hypervisor_name.as_str();
        let (Some(hv), Some(kind), Some(keys)) =
            (config.hypervisor.get(name), Kind::named(name), Keys::of(name))
        else {
            let message = format!("Unsupported hypervisor {name}");
            let refusal = Refusal::because(message, &["runtime.hypervisor_name"]);
            return Err(refusal.within("init runtime handler: new runtime instance: new hypervisor"));
        };
        let paths = Paths::new(sandbox.id, hv, config.release);
        let release = config.release;
        let start = Start { host, config, hv, keys, release, kind, sandbox, paths: &paths, spelled };
        Plan::new(start).map(|plan| then(&plan))
    };
    run().map_err(|refusal| refusal.of(sandbox, ANNOTATIONS))
}

/// The launch for `config`, which was loaded, annotated, validated and sized, and which a runtime handler was
/// made for. An error is one that the runtime meets before the VM runs.
pub fn launch(host: &Host, config: &Config, sandbox: &Sandbox<'_>) -> Result<Started, Failure> {
    plan(host, config, sandbox, true, |plan| {
        let Spelled { mut launch, kernel_params } = plan.spell();
        launch.explain_line(&joined(&kernel_params), &kernel_params);
        Started {
            launch,
            kernel_params,
            share: plan.share().map(|kind| kind.mount_point(config.active_hypervisor(), config.release)),
            network: plan.resources().network.requests.clone(),
            findings: plan.remarks(),
        }
    })
}

/// The same outcome and findings as of `launch`, without what it makes.
pub fn check(host: &Host, config: &Config, sandbox: &Sandbox<'_>) -> Result<Vec<Finding>, Failure> {
    plan(host, config, sandbox, false, |plan| plan.remarks())
}
