//! The runtime's and the agent's annotations; no name gate stands before them.
//!
//! Facts: `addRuntimeConfigOverrides` and `addAgentConfigOverrides` in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::Walk;
use crate::answer::verdict::{Note, Stage, Step};
use crate::catalog::Id;
use crate::golang::{LibraryError, base64};
use crate::release::go::Change;
use crate::runtime::refusal::Refusal;

pub(super) fn apply_runtime(walk: &mut Walk<'_>) {
    walk.take(&[
        Id::RuntimeDisableGuestSeccomp,
        Id::RuntimeSandboxCgroupOnly,
        Id::RuntimeCreateContainerTimeout,
        Id::RuntimeExperimentalForceGuestPull,
        Id::EnableVcpusPinning,
    ]);
    experimental(walk);
    walk.take(&[Id::RuntimeDisableNewNetns, Id::RuntimeInternetworkingModel, Id::RuntimeVfioMode]);
}

fn experimental(walk: &mut Walk<'_>) {
    let Some(value) = walk.value(Id::RuntimeExperimental) else { return };
    let key = Id::RuntimeExperimental.annotation().key;
    // The first word that is no feature, the empty one among them: later releases know none at all.
    let known = walk.config.release.has(Change::NewStore).then_some("newstore");
    let Some(first) = value.split(' ').find(|word| known != Some(*word)) else {
        return walk
            .applied_by(Id::RuntimeExperimental, Step::new(Stage::Value, true, "a feature of this release"));
    };
    let message = format!("Unsupported experimental feature {first} specified in annotation {key}");
    let refusal = match known {
        Some(known) => {
            let reason =
                format!("{first:?} is no experimental feature of this release: {known} is the only one");
            Refusal::at(Stage::Range, message, reason).write(known)
        }
        None => Refusal::at(Stage::Value, message, "this version knows no experimental feature")
            .advise("leave this annotation out"),
    };
    walk.refused(Id::RuntimeExperimental, refusal);
}

pub(super) fn apply_agent(walk: &mut Walk<'_>) {
    if let Some(value) = walk.value(Id::AgentKernelModules) {
        let modules: Vec<String> = value.split(';').map(str::to_owned).collect();
        let note = Note::Counted(&["", " modules, instead of the configured ones"], modules.len() as u64);
        walk.config.agent_config.kernel_modules = modules;
        walk.applied_by(Id::AgentKernelModules, Step::new(Stage::Merge, true, note));
    }
    if let Some(value) = walk.value(Id::AgentPolicy) {
        match base64::decode(value) {
            Ok(rules) => {
                walk.config.agent_config.policy = String::from_utf8_lossy(&rules).into_owned();
                let note = format!("{} bytes of rules", rules.len());
                walk.applied_by(Id::AgentPolicy, Step::new(Stage::Parse, true, note));
            }
            Err(LibraryError(message)) => {
                let fix = "write the policy in standard base64, padded";
                let refusal = Refusal::at(Stage::Parse, message, "not standard base64");
                walk.refused(Id::AgentPolicy, refusal.advise(fix));
            }
        }
    }
    walk.take(&[Id::AgentEnableTracing, Id::AgentTraceMode, Id::AgentTraceType, Id::AgentContainerPipeSize]);
}
