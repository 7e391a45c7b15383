//! Keys of the container runtime's that a pod sets itself, and that reach Kata.
//!
//! Decides what becomes of them: with CRI-O a pod can state its VM's size in containerd's sizing keys, as
//! annotations or as labels, and no list of Kata's gates those; and it can call its sandbox a container. Facts:
//! server/sandbox_run_linux.go of cri-o; `CalculateSandboxSizing` and `ContainerType` in
//! src/runtime/pkg/oci/utils.go, src/runtime/pkg/containerd-shim-v2/create.go and
//! src/runtime-rs/crates/resource/src/cpu_mem/initial_size.rs at 4.1.0.

use super::vm_size::{Base, VmSize, Workload};
use super::{Evaluation, Evaluator};
use crate::answer::finding::{Code, Finding, Who};
use crate::answer::verdict::{Failure, FailureStage, Stage, Status, Verdict};
use crate::cri::Engine;
use crate::input::manifest::{Form, Pod};
use crate::input::{Annotations, Place};
use crate::release::Runtime;

/// What Kata takes for the sandbox's size.
pub const SIZES: [&str; 4] = [
    "io.kubernetes.cri.sandbox-memory",
    "io.kubernetes.cri.sandbox-cpu-quota",
    "io.kubernetes.cri.sandbox-cpu-period",
    "io.kubernetes.cri.sandbox-cpu-shares",
];

const QUOTA: &str = "io.kubernetes.cri.sandbox-cpu-quota";
const PERIOD: &str = "io.kubernetes.cri.sandbox-cpu-period";
const MEMORY: &str = "io.kubernetes.cri.sandbox-memory";
const TYPE: &str = "io.kubernetes.cri-o.ContainerType";

/// Whether whoever may create pods can state a VM's size past the policy, and whether a VM is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastPolicy {
    /// With static sizing one is.
    pub sizes_vms: bool,
}

impl PastPolicy {
    /// What is open on this node.
    pub fn of(evaluator: &Evaluator) -> Option<Self> {
        matches!(evaluator.setup().engine, Engine::Crio(_))
            .then(|| Self { sizes_vms: evaluator.base().is_some_and(Base::is_static) })
    }
}

/// Of the keys that the pod's own value arrives of: whether the runtime makes use of one.
fn is_used(key: &str, runtime: Runtime, received: &Annotations) -> bool {
    let number =
        |key: &str| received.get(key).and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or_default();
    match key {
        MEMORY => number(MEMORY) > 0,
        QUOTA | PERIOD => number(QUOTA) > 0 && number(PERIOD) > 0 || key == QUOTA && number(QUOTA) < 0,
        _ => runtime == Runtime::Go && number(QUOTA) < 0,
    }
}

/// The sizing keys that the pod itself sets, by annotation or label, where its value is the one that arrives.
fn own_sizes<'p>(pod: &'p Pod, received: &Annotations) -> Vec<(&'static str, &'p str, Place)> {
    // What an OCI spec has it has from the container runtime.
    if pod.form == Form::Oci {
        return Vec::new();
    }
    let arrives = |key: &str, value: &str| received.get(key).is_some_and(|own| own == value);
    let of_key = |key: &'static str| {
        let annotation = pod.annotations.iter().find(|annotation| annotation.key == key);
        let annotation = annotation.map(|annotation| (annotation.value.as_str(), annotation.place.clone()));
        // Labels are written after annotations.
        let label = pod.labels.get(key).map(|value| (value.as_str(), pod.place()));
        label
            .or(annotation)
            .filter(|(value, _)| arrives(key, value))
            .map(|(value, place)| (key, value, place))
    };
    SIZES.into_iter().filter_map(of_key).collect()
}

/// Says what becomes of the sizing keys; until now they are none of Kata's.
pub(super) fn judge(evaluator: &Evaluator, pod: &Pod, received: &Annotations, verdicts: &mut [Verdict]) {
    // Most pods have none, and looking for the base costs an evaluation.
    if !pod.annotations.iter().any(|annotation| SIZES.contains(&annotation.key.as_str())) {
        return;
    }
    let own = own_sizes(pod, received);
    let is_static = evaluator.base().is_some_and(Base::is_static);
    let runtime = evaluator.setup().release.runtime;
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.status == Status::Ignored) {
        let Some((key, ..)) = own.iter().find(|(key, ..)| verdict.key == *key) else { continue };
        let (status, stage, reason) = if !is_used(key, runtime, received) {
            (
                Status::Ignored,
                Stage::Sizing,
                "Kata reads it for the sandbox's size, and this value asks for none",
            )
        } else if is_static {
            (
                Status::Applied,
                Stage::Effective,
                "Kata takes it for the sandbox's size, and makes the VM of it (static sizing); no list checks it",
            )
        } else {
            (
                Status::Ignored,
                Stage::Sizing,
                "Kata takes it for the sandbox's size, of which it makes no VM without static sizing \
                 (static_sandbox_resource_mgmt)",
            )
        };
        (verdict.status, verdict.stage, verdict.reason) = (status, stage, reason.into());
    }
}

/// Whether the pod sizes its VM by keys that no list gates.
pub(super) fn sizes_itself(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> bool {
    let Some(received) = evaluation.received.as_ref() else { return false };
    let runtime = evaluator.setup().release.runtime;
    let own = own_sizes(pod, received);
    own.iter().any(|(key, ..)| is_used(key, runtime, received))
        && evaluator.base().is_some_and(Base::is_static)
}

/// The finding where it does.
pub(super) fn notice(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Option<Finding> {
    let received = evaluation.received.as_ref()?;
    if !sizes_itself(evaluator, pod, evaluation) {
        return None;
    }
    let setup = evaluator.setup();
    let own = own_sizes(pod, received);
    let used = own.iter().filter(|(key, ..)| is_used(key, setup.release.runtime, received));
    let told: Vec<String> = used.map(|(key, value, _)| format!("{key}={value}")).collect();
    let (key, _, place) = own.into_iter().find(|(key, ..)| is_used(key, setup.release.runtime, received))?;
    let vm = VmSize::of(
        setup.release,
        evaluator.base()?,
        Workload::of(setup.release, received),
        &evaluation.verdicts,
    );
    let message = format!(
        "the pod states its VM's size itself, past enable_annotations: {} reach{} Kata, where no list gates them, \
         and the VM boots with {} vCPUs and {} MiB ({})",
        told.join(", "),
        if told.len() == 1 { "es" } else { "" },
        vm.boot.vcpus,
        vm.boot.mib,
        vm.steps.iter().take(2).cloned().collect::<Vec<_>>().join("; "),
    );
    let fix = "refuse io.kubernetes.cri.sandbox-* in annotations and labels of pods at admission; or set \
               static_sandbox_resource_mgmt = false";
    Some(
        Finding::warning(Code::SizePastPolicy, Who::ClusterAdministrator, message)
            .about(key)
            .at(place)
            .advise(fix),
    )
}

/// Why the runtime does not start a sandbox that the pod calls a container.
pub(super) fn called_a_container(
    evaluator: &Evaluator,
    pod: &Pod,
    received: &Annotations,
) -> Option<Failure> {
    let setup = evaluator.setup();
    let is_crio = matches!(setup.engine, Engine::Crio(_)) && pod.form != Form::Oci;
    if !is_crio
        || setup.release.runtime != Runtime::Go
        || received.get(TYPE).is_none_or(|kind| kind != "container")
    {
        return None;
    }
    let message = "BUG: Cannot start the container, since the sandbox hasn't been created";
    let failure = Failure::new(FailureStage::Annotations, message);
    let by_annotation = pod.annotations.iter().any(|annotation| annotation.key == TYPE);
    Some(if by_annotation { failure.by(TYPE) } else { failure })
}
