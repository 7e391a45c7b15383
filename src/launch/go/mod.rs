//! The Go runtime 4.1: from one sandbox's configuration to the VMM process and the agent's requests.
//!
//! Facts: src/runtime/virtcontainers at 4.1.0.

use super::Launch;
use crate::agent::AgentSetup;
use crate::finding::Finding;
use crate::input::Host;
use crate::runtime::Sandbox;
use crate::runtime::go41::config::SandboxConfig;
use crate::runtime::verdict::Failure;

/// What is started and said for one sandbox, from `CreateVM` on; or why it fails there.
///
/// `config` has been through annotations, sizing, asset checks and `validateHypervisorConfig`.
pub fn launch(
    host: &Host,
    config: &SandboxConfig,
    sandbox: &Sandbox<'_>,
) -> Result<(Launch, AgentSetup, Vec<Finding>), Failure> {
    let _ = (host, config, sandbox);
    Ok((Launch::default(), AgentSetup::default(), Vec::new()))
}
