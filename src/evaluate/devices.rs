//! Devices of the host that a pod asks for in `cdi.k8s.io/` annotations.
//!
//! Decides what becomes of the annotations: whether they arrive, whether the release reads them, and what only the host
//! knows then. Refusals are the runtime's.
//!
//! Facts: `coldPlugDevices` in src/runtime/pkg/containerd-shim-v2/device_cold_plug.go and `create` in create.go beside
//! it; `prepare_coldplug_cdi_devices` in src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs, at each tag.

use super::notice::finding;
use super::{Evaluation, Evaluator, Outcome};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::cri::Engine;
use crate::input::manifest::Pod;
use crate::release::Runtime;
use crate::runtime::go::{Change as GoChange, cdi::PREFIX};
use crate::runtime::rs::Change as RsChange;

/// What is pointed out about the devices that a pod asks for.
pub(super) fn notice(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Option<Finding> {
    let set: Vec<_> = pod.annotations.iter().filter(|a| a.key.starts_with(PREFIX)).collect();
    let first = set.first()?;
    if evaluation.outcome != Outcome::Starts {
        return None;
    }
    let names: Vec<&str> = set.iter().flat_map(|a| a.value.split(',')).collect();
    let names = names.join(", ");
    let received = evaluation.received.as_ref()?;
    let (severity, who, message, fix) = if received.get(&first.key).is_none() {
        dropped(&evaluator.setup().engine, &names)
    } else {
        taken(evaluator, evaluation, &names)
    };
    let mut found = finding(Code::DevicesUnseen, severity, pod, who, message, fix);
    found.subject = Some(first.key.to_string());
    found.place = Some(first.place.clone());
    Some(found)
}

type Said = (Severity, Who, String, &'static str);

fn dropped(engine: &Engine, names: &str) -> Said {
    let fix = match engine {
        Engine::Crio(_) => "let the handler's allowed_annotations take cdi.k8s.io",
        _ => "add \"cdi.k8s.io/*\" to pod_annotations of the handler's table",
    };
    let message = format!("the container runtime does not hand the annotation on: no VM gets {names} by it");
    (Severity::Warning, Who::ClusterAdministrator, message, fix)
}

fn taken(evaluator: &Evaluator, evaluation: &Evaluation, names: &str) -> Said {
    let release = evaluator.setup().release;
    let who = Who::ClusterAdministrator;
    let table = format!("hypervisor.{}", evaluator.hypervisor().unwrap_or_default());
    let value = |key: &str| {
        let field = format!("{table}.{key}");
        let own = evaluation.verdicts.iter().filter(|v| v.field.as_deref() == Some(field.as_str()));
        let own = own.filter_map(|v| v.after.as_ref()?.as_str()).next_back();
        let base = || evaluator.bare()?.get(&field)?.value.as_str();
        own.or_else(base).filter(|port| !port.is_empty()).unwrap_or("no-port").to_owned()
    };
    let socket = evaluator.bare().and_then(|bare| bare.get("runtime.pod_resource_api_sock"));
    let socket = socket.and_then(|value| value.value.as_str()).filter(|socket| !socket.is_empty());
    let (cold, hot) = (value("cold_plug_vfio"), value("hot_plug_vfio"));
    let by_kubelet = match release.runtime {
        Runtime::Go => release.has(GoChange::ColdPlugByKubelet),
        Runtime::Rs => release.has(RsChange::ColdPlugByKubelet),
    };
    let reads = match release.runtime {
        Runtime::Go if by_kubelet => cold != "no-port" && socket.is_none(),
        Runtime::Go => release.has(GoChange::CdiOfPods) || release.has(GoChange::CdiOfEveryPod),
        Runtime::Rs => false,
    };
    if reads && cold != "no-port" {
        let message = format!(
            "the VM is started with {names} on its {cold}s, as the host's CDI files and the devices say: arguments such as \
             `-device vfio-pci,host={{bdf}},bus={{port}}` are in no preview"
        );
        return (Severity::Note, who, message, "compare with what runs (katascope live)");
    }
    if reads {
        let message = format!(
            "the shim adds {names} to the sandbox's own specification, and cold_plug_vfio is no-port: the VM starts \
             without them"
        );
        return (Severity::Warning, who, message, "set cold_plug_vfio = \"root-port\" or \"switch-port\"");
    }
    match (by_kubelet, cold.as_str(), socket) {
        (true, cold, Some(socket)) if cold != "no-port" => {
            let message = format!(
                "the annotation decides nothing: the kubelet's {socket} says which devices the pod has, and they are on the \
                 VM's {cold}s from its start, as arguments that are in no preview"
            );
            (Severity::Note, who, message, "ask for the devices as resources of the containers")
        }
        (_, "no-port", _) if hot != "no-port" => {
            let message = format!(
                "the sandbox passes {names} over, since cold_plug_vfio is no-port; what devices its containers have is \
                 plugged in on {hot}s later"
            );
            (Severity::Note, who, message, "set cold_plug_vfio for devices that the VM starts with")
        }
        (true, "no-port", _) => {
            let message = format!(
                "no VM gets {names}: cold_plug_vfio and hot_plug_vfio are both no-port, so devices are handed to no guest"
            );
            (Severity::Warning, who, message, "set cold_plug_vfio or hot_plug_vfio")
        }
        _ => {
            let message =
                format!("{} reads no cdi.k8s.io annotation: no VM gets {names} by it", release.title());
            (Severity::Warning, who, message, "ask for the devices as resources of the containers")
        }
    }
}
