//! What follows a sandbox's configuration: the VM's launch, then what its agent is told.
//!
//! Decides nothing of its own: it goes from the runtime's room to those of the launch and of the agent, which
//! stand above it.

use crate::answer::verdict::Failure;
use crate::input::Host;
use crate::runtime::go::config::SandboxConfig;
use crate::runtime::rs::config::Config;
use crate::runtime::{Depth, Sandbox, Start, Started};
use crate::{agent, launch};

/// The way up from the runtimes.
pub(super) struct LaunchAndAgent;

impl Start for LaunchAndAgent {
    fn go(
        &self,
        host: &Host,
        config: &SandboxConfig,
        sandbox: &Sandbox<'_>,
        depth: Depth,
    ) -> Result<Started, Failure> {
        let config = launch::go::fill_in(config, sandbox)?;
        if depth < Depth::Full {
            let findings = launch::go::check(host, &config, sandbox)?;
            return Ok(Started { findings, ..Started::default() });
        }
        let started = launch::go::launch(host, &config, sandbox)?;
        let agent = agent::go::setup(&config, &started);
        Ok(Started { launch: Some(started.launch), agent: Some(agent), findings: started.findings })
    }

    fn rs(
        &self,
        host: &Host,
        config: &Config,
        sandbox: &Sandbox<'_>,
        depth: Depth,
    ) -> Result<Started, Failure> {
        if depth < Depth::Full {
            let findings = launch::rs::check(host, config, sandbox)?;
            agent::rs::check(config, sandbox)?;
            return Ok(Started { findings, ..Started::default() });
        }
        let started = launch::rs::launch(host, config, sandbox)?;
        agent::rs::check(config, sandbox)?;
        let agent = agent::rs::setup(config, sandbox, &started);
        Ok(Started { launch: Some(started.launch), agent: Some(agent), findings: started.findings })
    }
}
