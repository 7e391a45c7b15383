//! From a pod's annotations to its sandbox configuration.
//!
//! Decides what each annotation does, in the runtime's fixed order: name gate, assets, hypervisor,
//! runtime, agent; then static sizing. Facts: `SandboxConfig` and `addAnnotations` in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

mod assets;
mod early;
mod hypervisor;
pub(super) mod known;
mod paths;
pub(super) mod session;
mod settings;
mod words;

use crate::catalog::Id;
use crate::runtime::go::stations::step;
use session::{Given, Mark, Session};

use crate::answer::verdict::{Failure, FailureStage, Stage, Status};
use crate::catalog::{HYPERVISOR_PREFIX, KATA_PREFIX};
use crate::golang::strconv;
use crate::input::Annotations;

/// Walks all annotations over the session's configuration.
pub(super) fn apply<'a>(session: &mut Session<'a>, annotations: &'a Annotations) {
    name_gate(session, annotations);
    hypervisor::apply(session);
    settings::apply_runtime(session);
    settings::apply_agent(session);
    assets::create(session);
    elsewhere(session);
}

/// Every hypervisor annotation, known or not, needs a pattern that matches its name. Which of several
/// refused ones the runtime complains about is random; here it is the first by name.
fn name_gate<'a>(session: &mut Session<'a>, annotations: &'a Annotations) {
    let loaded = session.loaded;
    // One that is read is not Kata's own.
    let is_owed = |key: &str| key.starts_with(KATA_PREFIX) || key == Id::SgxIntelComEpc.known().key;
    for (key, value) in annotations.in_order(is_owed) {
        let read = Id::of(key).filter(|id| loaded.reads(*id)).and_then(|id| Some((id, loaded.stations(id)?)));
        session.given.push(Given { key, value, read });
        let admitted = match read {
            Some((_, stations)) => stations.admitted,
            None => key.strip_prefix(HYPERVISOR_PREFIX).is_none_or(|short| loaded.pattern(short).is_some()),
        };
        if !admitted && session.failure.is_none() {
            let message = format!("annotation {key} is not enabled");
            session.failure = Some(Failure::new(FailureStage::Annotations, message).by(key.as_str()));
        }
        if admitted
            && let Some((id, _)) = read
            && let Some(slot) = session.values.get_mut(id as usize)
        {
            *slot = Some(value);
        }
    }
}

/// What is known but plays no part in the sandbox's configuration.
fn elsewhere(session: &mut Session<'_>) {
    for id in [Id::PkgOciBundlePath, Id::PkgOciContainerType] {
        if session.value(id).is_some() {
            let reason = "the runtime writes its own value over it";
            let steps = vec![step(Stage::Merge, false, reason)];
            let status = Status::Overridden;
            session.mark(
                id,
                Mark { status, stage: Stage::Merge, reason: reason.into(), fix: None, steps, cut: None },
            );
        }
    }
    if session.value(Id::ConfigPath).is_some() {
        session.ignored(Id::ConfigPath, Stage::Parse, "an empty path counts as none");
    }
    pprof(session);
    for id in [Id::ContainerResourceSwappiness, Id::ContainerResourceSwapInBytes] {
        if session.value(id).is_some() {
            let note = "read when each container is created";
            session.applied_by(id, step(Stage::Parse, true, note));
        }
    }
}

/// The shim's own profiling: an annotation can turn it on, but not off, and never fails a pod. Facts:
/// src/runtime/pkg/containerd-shim-v2/shim_management.go at 4.1.0.
fn pprof(session: &mut Session<'_>) {
    let id = Id::RuntimeEnablePprof;
    let Some(value) = session.value(id) else { return };
    match strconv::parse_bool(value) {
        _ if session.config.runtime.enable_pprof => {
            session.ignored(id, Stage::Merge, "the configuration turns it on, and no pod can turn it off");
        }
        None => {
            session.ignored(id, Stage::Parse, "not one of Go's spellings of true and false: read as false")
        }
        Some(false) => session.ignored(id, Stage::Merge, "it is off already"),
        Some(true) => {
            session.config.runtime.enable_pprof = true;
            session.applied_by(id, step(Stage::Parse, true, "the boolean true"));
        }
    }
}
