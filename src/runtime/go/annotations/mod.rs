//! From a pod's annotations to its sandbox configuration.
//!
//! Decides what each annotation does, in the runtime's fixed order: name gate, assets, hypervisor,
//! runtime, agent; then static sizing. Facts: `SandboxConfig` and `addAnnotations` in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

mod assets;
mod early;
mod hypervisor;
mod paths;
mod settings;
mod take;
pub(super) mod walk;

use crate::catalog::Id;
use walk::{Attempt, Walk};

use crate::answer::verdict::{Failure, FailureStage, Stage, Status, Step};
use crate::catalog::{HYPERVISOR_PREFIX, KATA_PREFIX};
use crate::golang::strconv;
use crate::input::Annotations;

/// Walks all annotations over the sandbox's configuration.
pub(super) fn apply<'a>(walk: &mut Walk<'a>, annotations: &'a Annotations) {
    name_gate(walk, annotations);
    hypervisor::apply(walk);
    settings::apply_runtime(walk);
    settings::apply_agent(walk);
    assets::create(walk);
    without_part(walk);
}

/// Every hypervisor annotation, known or not, needs a pattern that matches its name. Which of several
/// refused ones the runtime complains about is random; here it is the first by name.
fn name_gate<'a>(walk: &mut Walk<'a>, annotations: &'a Annotations) {
    let loaded = walk.loaded;
    // One that is read is not Kata's own.
    let is_owed = |key: &str| key.starts_with(KATA_PREFIX) || key == Id::SgxIntelComEpc.annotation().key;
    for (key, value) in annotations.in_order(is_owed) {
        let read = Id::of(key).filter(|id| loaded.reads(*id)).and_then(|id| Some((id, loaded.prepared(id)?)));
        walk.attempts.push(Attempt { key, value, read });
        let admitted = match read {
            Some((_, prepared)) => prepared.admitted,
            None => key.strip_prefix(HYPERVISOR_PREFIX).is_none_or(|short| loaded.pattern(short).is_some()),
        };
        if !admitted && walk.failure.is_none() {
            let message = format!("annotation {key} is not enabled");
            walk.failure = Some(Failure::new(FailureStage::Annotations, message).by(key.as_str()));
        }
        if admitted
            && let Some((id, _)) = read
            && let Some(slot) = walk.values.get_mut(id as usize)
        {
            *slot = Some(value);
        }
    }
}

/// What is known but plays no part in the sandbox's configuration.
fn without_part(walk: &mut Walk<'_>) {
    for id in [Id::PkgOciBundlePath, Id::PkgOciContainerType] {
        if walk.value(id).is_some() {
            let reason = "the runtime writes its own value over it";
            walk.without_effect(id, Status::Overridden, Stage::Merge, reason);
        }
    }
    if walk.value(Id::ConfigPath).is_some() {
        walk.ignored(Id::ConfigPath, Stage::Parse, "an empty path counts as none");
    }
    pprof(walk);
    for id in [Id::ContainerResourceSwappiness, Id::ContainerResourceSwapInBytes] {
        if walk.value(id).is_some() {
            let note = "read when each container is created";
            walk.applied_by(id, Step::new(Stage::Parse, true, note));
        }
    }
}

/// The shim's own profiling: an annotation can turn it on, but not off, and never fails a pod. Facts:
/// src/runtime/pkg/containerd-shim-v2/shim_management.go at 4.1.0.
fn pprof(walk: &mut Walk<'_>) {
    let id = Id::RuntimeEnablePprof;
    let Some(value) = walk.value(id) else { return };
    match strconv::parse_bool(value) {
        _ if walk.config.runtime.enable_pprof => {
            walk.ignored(id, Stage::Merge, "the configuration turns it on, and no pod can turn it off");
        }
        None => walk.ignored(id, Stage::Parse, "not one of Go's spellings of true and false: read as false"),
        Some(false) => walk.ignored(id, Stage::Merge, "it is off already"),
        Some(true) => {
            walk.config.runtime.enable_pprof = true;
            walk.applied_by(id, Step::new(Stage::Parse, true, "the boolean true"));
        }
    }
}
