//! Effective configuration to VM launch: processes, files and API requests, one file per
//! hypervisor and runtime.
//!
//! Decides what is started and what put each argument there; reads no files, and what it must know of the
//! host's it asks the host. Values that only exist at run time are tokens, or `runtime::placeholder`s. What both
//! runtimes' launches are written in stands here: a plan, a command line, a request's body, a refusal, findings.
//! Facts: named in each file.

mod body;
mod findings;
pub mod go;
mod line;
mod refusal;
pub mod rs;

use crate::answer::agent::NetworkRequests;
use crate::answer::finding::Finding;
use crate::answer::launch::{Arg, Launch, joined};

/// How a VM is started, once nothing can fail any more: a plan is made in upstream's order, since that is where a
/// sandbox can fail.
trait Plan {
    /// The guest kernel's parameters.
    fn kernel_params(&self) -> Vec<Arg> {
        Vec::new()
    }

    /// The processes and requests. `cmdline`: the parameters as one text.
    fn launch(&self, cmdline: &str) -> Launch;

    /// Where the guest mounts the folder that it shares with the host, if it gets one.
    fn share(&self) -> Option<String> {
        None
    }

    /// What the agent is told of the network.
    fn network(&self) -> NetworkRequests {
        NetworkRequests::default()
    }

    /// What fails after the point up to which the launch is modelled, and what was never held against the real
    /// runtime.
    fn findings(&self) -> Vec<Finding>;
}

/// What a hypervisor starts, what its guest boots with, and what the agent's setup has to do with it.
pub struct Started {
    /// The processes and requests.
    pub launch: Launch,
    /// The guest kernel's parameters.
    pub kernel_params: Vec<Arg>,
    /// The parameters as one text.
    pub kernel_cmdline: String,
    /// Where the guest mounts the shared folder, if there is one.
    pub share: Option<String>,
    /// What the agent is told of the network.
    pub network: NetworkRequests,
    /// What the launch would point out.
    pub findings: Vec<Finding>,
}

impl Started {
    fn by(plan: &dyn Plan) -> Self {
        let kernel_params = plan.kernel_params();
        let kernel_cmdline = joined(&kernel_params);
        let mut launch = plan.launch(&kernel_cmdline);
        launch.explain_line(&kernel_cmdline, &kernel_params);
        Self {
            launch,
            share: plan.share(),
            network: plan.network(),
            findings: plan.findings(),
            kernel_params,
            kernel_cmdline,
        }
    }
}

/// A plan of any hypervisor.
fn boxed<'a>(plan: impl Plan + 'a) -> Box<dyn Plan + 'a> {
    Box::new(plan)
}
