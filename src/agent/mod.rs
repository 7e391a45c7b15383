//! Effective configuration to what the guest is told: kernel command line and agent requests.
//! Reads no files.

pub mod go;
pub mod go21;
pub(crate) mod rs;

use serde_json::Value as Json;

use crate::launch::Arg;

/// What the guest is told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentSetup {
    /// The guest kernel command line, parameter by parameter, with the cause of each.
    pub kernel_params: Vec<Arg>,
    /// The command line, as the guest kernel gets it.
    pub kernel_cmdline: String,
    /// The fields of the CreateSandbox request, under the runtime's own names.
    pub create_sandbox: Json,
    /// The agent policy that is set before, if any.
    pub policy: Option<String>,
}
