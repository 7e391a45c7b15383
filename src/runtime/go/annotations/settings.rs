//! The runtime's and the agent's annotations; no name gate stands before them.
//!
//! Facts: `addRuntimeConfigOverrides` and `addAgentConfigOverrides` in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::session::Session;
use crate::answer::verdict::{Fix, Note, Stage};
use crate::catalog::Id;
use crate::golang::base64;
use crate::release::go::Change;
use crate::runtime::go::stations::step;

pub(super) fn apply_runtime(session: &mut Session<'_>) {
    session.take(&[
        Id::RuntimeDisableGuestSeccomp,
        Id::RuntimeSandboxCgroupOnly,
        Id::RuntimeCreateContainerTimeout,
        Id::RuntimeExperimentalForceGuestPull,
        Id::EnableVcpusPinning,
    ]);
    experimental(session);
    session.take(&[Id::RuntimeDisableNewNetns, Id::RuntimeInternetworkingModel, Id::RuntimeVfioMode]);
}

fn experimental(session: &mut Session<'_>) {
    let Some(value) = session.value(Id::RuntimeExperimental) else { return };
    let key = Id::RuntimeExperimental.known().key;
    // The first word that is no feature, the empty one among them: later releases know none at all.
    let known = session.config.release.has(Change::NewStore).then_some("newstore");
    let Some(first) = value.split(' ').find(|word| known != Some(*word)) else {
        return session
            .applied_by(Id::RuntimeExperimental, step(Stage::Value, true, "a feature of this release"));
    };
    let message = format!("Unsupported experimental feature {first} specified in annotation {key}");
    let (reason, fix) = match known {
        Some(known) => (
            format!("{first:?} is no experimental feature of this release: {known} is the only one"),
            Fix::Value(known.into()),
        ),
        None => (
            "this version knows no experimental feature".to_owned(),
            Fix::Advice("leave this annotation out".into()),
        ),
    };
    let stage = if known.is_some() { Stage::Range } else { Stage::Value };
    session.refused(Id::RuntimeExperimental, stage, message, reason, Some(fix));
}

pub(super) fn apply_agent(session: &mut Session<'_>) {
    if let Some(value) = session.value(Id::AgentKernelModules) {
        let modules: Vec<String> = value.split(';').map(str::to_owned).collect();
        let note = Note::Counted(&["", " modules, instead of the configured ones"], modules.len() as u64);
        session.config.agent_config.kernel_modules = modules;
        session.applied_by(Id::AgentKernelModules, step(Stage::Merge, true, note));
    }
    if let Some(value) = session.value(Id::AgentPolicy) {
        match base64::decode(value) {
            Ok(rules) => {
                session.config.agent_config.policy = String::from_utf8_lossy(&rules).into_owned();
                let note = format!("{} bytes of rules", rules.len());
                session.applied_by(Id::AgentPolicy, step(Stage::Parse, true, note));
            }
            Err(message) => {
                let fix = Some(Fix::Advice("write the policy in standard base64, padded".into()));
                session.refused(Id::AgentPolicy, Stage::Parse, message, "not standard base64", fix);
            }
        }
    }
    session.take(&[
        Id::AgentEnableTracing,
        Id::AgentTraceMode,
        Id::AgentTraceType,
        Id::AgentContainerPipeSize,
    ]);
}
