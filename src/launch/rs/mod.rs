//! What runtime-rs starts and asks for, from its effective configuration.
//!
//! Decides what `start sandbox` makes of a configuration that was loaded, annotated, validated and sized:
//! one file or folder per hypervisor. The pod's VFIO devices are not part of it: they are known only when the pod
//! starts.
//!
//! Facts: src/runtime-rs/crates/{runtimes,resource,hypervisor} at each tag.

mod clh;
mod dragonball;
mod findings;
mod firecracker;
mod initdata;
mod kernel;
mod network;
mod openvmm;
mod paths;
mod qemu;
mod remote;
mod resources;
mod share_fs;

use super::findings::Findings;
use super::refusal::{Context, Refusal, refuse};
use super::{Plan, Started, boxed};
use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Launch};
use crate::answer::verdict::Failure;
use crate::input::Host;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::Sandbox;
use crate::runtime::rs::config::{Config, Hypervisor, Keys};
use paths::Paths;
use resources::Resources;

pub(crate) use paths::guest_share;

/// What the annotations of a refusal's caused_by begin with.
const ANNOTATIONS: &str = "io.katacontainers.config.";

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
    paths: Paths<'a>,
}

impl Start<'_> {
    fn has(&self, change: Change) -> bool {
        self.release.has(change)
    }

    /// Whether the VMM runs in a jail.
    fn is_jailed(&self) -> bool {
        !self.hv.jailer_path.is_empty()
    }

    /// A host file as the VMM names it: in the jail it is bound to a name of its own.
    fn jailed(&self, path: &str, name: &str) -> String {
        if self.is_jailed() { format!("/{name}") } else { path.to_owned() }
    }

    /// The folder of the sandbox's sockets; QEMU's were in the working directory.
    fn socket(&self, name: &str) -> String {
        match self.kind {
            Kind::Qemu if !self.has(Change::JailedSockets) => name.to_owned(),
            _ => format!("{}/{name}", self.paths.jail()),
        }
    }
}

/// A VM of this runtime that will not fail any more.
trait Vm {
    /// What was registered with it.
    fn resources(&self) -> &Resources<'_>;

    /// The guest kernel's parameters.
    fn kernel_params(&self) -> Vec<Arg> {
        Vec::new()
    }

    /// The processes and requests. `cmdline`: the parameters as one text.
    fn launch(&self, cmdline: &str) -> Launch;

    /// What a careful reader points out.
    fn findings(&self) -> Findings {
        findings::of(self.resources())
    }
}

impl<V: Vm> Plan for V {
    fn kernel_params(&self) -> Vec<Arg> {
        Vm::kernel_params(self)
    }

    fn launch(&self, cmdline: &str) -> Launch {
        Vm::launch(self, cmdline)
    }

    fn share(&self) -> Option<String> {
        self.resources().share_in_guest()
    }

    fn network(&self) -> NetworkRequests {
        let resources = self.resources();
        resources.network.requests(&resources.start)
    }

    fn findings(&self) -> Vec<Finding> {
        Vm::findings(self).0
    }
}

/// Plans one sandbox; every way in goes through here, so that all have one outcome.
fn plan<'a>(
    host: &'a Host,
    config: &'a Config,
    sandbox: &'a Sandbox<'a>,
) -> Result<Box<dyn Plan + 'a>, Refusal> {
    let name = config.runtime.hypervisor_name.as_str();
    let (Some(hv), Some(kind), Some(keys)) = (config.hypervisor.get(name), Kind::named(name), Keys::of(name))
    else {
        return refuse(format!("Unsupported hypervisor {name}"), &["runtime.hypervisor_name"])
            .context("init runtime handler: new runtime instance: new hypervisor");
    };
    let (release, paths) = (config.release, Paths::new(sandbox.id, hv, config.release));
    let start = Start { host, config, hv, keys, release, kind, sandbox, paths };
    let plan = match kind {
        Kind::Qemu => qemu::Qemu::new(start).map(boxed),
        Kind::Clh => clh::Clh::new(start).map(boxed),
        Kind::Dragonball => dragonball::Dragonball::new(start).map(boxed),
        Kind::Firecracker => firecracker::Firecracker::new(start).map(boxed),
        Kind::Remote => remote::Remote::new(start).map(boxed),
        Kind::OpenVmm => openvmm::OpenVmm::new(start).map(boxed),
    };
    plan.context("start sandbox in task handler")
}

/// The launch for `config`, which was loaded, annotated, validated and sized, and which a runtime handler was
/// made for. An error is one that the runtime meets before the VM runs.
pub fn launch(host: &Host, config: &Config, sandbox: &Sandbox<'_>) -> Result<Started, Failure> {
    let plan = plan(host, config, sandbox);
    plan.map(|plan| Started::by(&*plan)).map_err(|refusal| refusal.of(sandbox, ANNOTATIONS))
}

/// The same outcome and findings as of `launch`, without what it makes.
pub fn check(host: &Host, config: &Config, sandbox: &Sandbox<'_>) -> Result<Vec<Finding>, Failure> {
    let plan = plan(host, config, sandbox);
    plan.map(|plan| plan.findings()).map_err(|refusal| refusal.of(sandbox, ANNOTATIONS))
}
