//! The runtime's and the agent's annotations; no name gate stands before them.
//!
//! Facts: `addRuntimeConfigOverrides` and `addAgentConfigOverrides` in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::session::Session;
use crate::answer::verdict::{Fix, Note, Stage};
use crate::catalog::Id;
use crate::golang::base64;
use crate::release::go::Change;
use crate::runtime::go::config::{InterworkingModel, VfioMode};
use crate::runtime::go::stations::step;

pub(super) fn apply_runtime(session: &mut Session<'_>) {
    session.flag(Id::RuntimeDisableGuestSeccomp, |c| &mut c.runtime.disable_guest_seccomp);
    session.flag(Id::RuntimeSandboxCgroupOnly, |c| &mut c.runtime.sandbox_cgroup_only);
    session.set_u64(Id::RuntimeCreateContainerTimeout, |c| &mut c.runtime.create_container_timeout);
    session.flag(Id::RuntimeExperimentalForceGuestPull, |c| &mut c.runtime.experimental_force_guest_pull);
    session.flag(Id::EnableVcpusPinning, |c| &mut c.runtime.enable_vcpus_pinning);
    experimental(session);
    session.flag(Id::RuntimeDisableNewNetns, |c| &mut c.network_config.disable_new_network);
    if let Some(value) = session.value(Id::RuntimeInternetworkingModel) {
        match InterworkingModel::parse(value) {
            Some(model) => {
                session.config.network_config.interworking_model = model;
                session.applied_by(
                    Id::RuntimeInternetworkingModel,
                    step(Stage::Value, true, "one of the known words"),
                );
            }
            None => {
                let key = Id::RuntimeInternetworkingModel.known().key;
                let message = format!("Unknown network model specified in annotation {key}");
                let reason = format!("{value:?} is none of default, macvtap, tcfilter and none");
                let fix = Some(Fix::Value("tcfilter".into()));
                session.refused(Id::RuntimeInternetworkingModel, Stage::Value, message, reason, fix);
            }
        }
    }
    if let Some(value) = session.value(Id::RuntimeVfioMode) {
        match VfioMode::parse(value) {
            Some(mode) => {
                session.config.vfio_mode = mode;
                session.applied_by(Id::RuntimeVfioMode, step(Stage::Value, true, "one of the known words"));
            }
            None => {
                let key = Id::RuntimeVfioMode.known().key;
                let message = format!("Unknown VFIO mode \"{value}\" in annotation {key}");
                let reason = format!("{value:?} is neither vfio nor guest-kernel");
                session.refused(
                    Id::RuntimeVfioMode,
                    Stage::Value,
                    message,
                    reason,
                    Some(Fix::Value("guest-kernel".into())),
                );
            }
        }
    }
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
    session.flag(Id::AgentEnableTracing, |c| &mut c.agent_config.enable_tracing);
    if let Some(value) = session.value(Id::AgentTraceMode) {
        session.config.agent_config.trace_mode = value.into();
        session.applied_as_is(Id::AgentTraceMode);
    }
    if let Some(value) = session.value(Id::AgentTraceType) {
        session.config.agent_config.trace_type = value.into();
        session.applied_as_is(Id::AgentTraceType);
    }
    session.set_u32(Id::AgentContainerPipeSize, |c| &mut c.agent_config.container_pipe_size);
}
