//! What runtime-rs 4.1.0 starts and asks for, from its effective configuration.
//!
//! Facts: src/runtime-rs/crates/hypervisor at 4.1.0.

use super::Launch;
use crate::agent::AgentSetup;
use crate::finding::Finding;
use crate::input::Host;
use crate::runtime::Sandbox;
use crate::runtime::rs41::config::Config;
use crate::runtime::verdict::{Failure, FailureStage};

/// The launch and the agent's setup for `config`, which was loaded, annotated, validated and sized.
/// An error is one that the runtime meets before the VM runs.
pub fn launch(
    host: &Host,
    config: &Config,
    sandbox: &Sandbox<'_>,
) -> Result<(Launch, AgentSetup, Vec<Finding>), Failure> {
    let _ = (host, sandbox);
    if config.active_hypervisor().is_none() {
        return Err(Failure::new(FailureStage::Launch, "the hypervisor has no table"));
    }
    Ok((Launch::default(), AgentSetup::default(), Vec::new()))
}
