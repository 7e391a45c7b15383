//! Devices of the host that a pod asks for, in `cdi.k8s.io/` annotations or as resources of its containers.
//!
//! Decides what becomes of them: whether the annotations arrive, whether the release reads them, and what only the host
//! knows then. Refusals and the VM's arguments are the runtime's.
//!
//! Facts: `coldPlugDevices` in src/runtime/pkg/containerd-shim-v2/device_cold_plug.go and `create` in create.go beside
//! it; `prepare_coldplug_cdi_devices` in src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs, at each tag.

use super::remark::finding;
use super::{Evaluation, Evaluator, Outcome};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::cri::Engine;
use crate::input::manifest::Pod;
use crate::release::Runtime;
use crate::release::go::Change as GoChange;
use crate::release::rs::Change as RsChange;
use crate::runtime::go::cdi::PREFIX;

/// What is pointed out about the devices that a pod asks for.
pub(super) fn notice(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Option<Finding> {
    let set: Vec<_> = pod.annotations.iter().filter(|a| a.key.starts_with(PREFIX)).collect();
    if evaluation.outcome != Outcome::Starts {
        return None;
    }
    let Some(first) = set.first() else { return requested(evaluator, pod, evaluation) };
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

/// What the files and the pod's annotations make of devices.
struct Plugged {
    cold: String,
    hot: String,
    /// Kubelet's socket, where one is named.
    socket: Option<String>,
    /// What the guest does with a device.
    mode: &'static str,
    by_kubelet: bool,
}

impl Plugged {
    fn of(evaluator: &Evaluator, evaluation: &Evaluation) -> Self {
        let release = evaluator.setup().release;
        let table = format!("hypervisor.{}", evaluator.hypervisor().unwrap_or_default());
        let value = |field: &str| {
            let own = evaluation.verdicts.iter().filter(|v| v.field.as_deref() == Some(field));
            let own = own.filter_map(|v| v.after.as_ref()?.as_str()).next_back();
            let base = || evaluator.bare()?.get(field)?.value.as_str();
            own.or_else(base).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let port = |key: &str| value(&format!("{table}.{key}")).unwrap_or_else(|| "no-port".to_owned());
        Self {
            cold: port("cold_plug_vfio"),
            hot: port("hot_plug_vfio"),
            socket: value("runtime.pod_resource_api_sock"),
            mode: match value("runtime.vfio_mode").as_deref() {
                Some("guest-kernel") => "the guest's own driver takes each (vfio_mode = guest-kernel)",
                _ => "the container gets each as /dev/vfio (vfio_mode = vfio)",
            },
            by_kubelet: match release.runtime {
                Runtime::Go => release.has(GoChange::ColdPlugByKubelet),
                Runtime::Rs => release.has(RsChange::ColdPlugByKubelet),
            },
        }
    }
}

/// What only the devices tell of the arguments that they get.
const TOKENS: &str = "which they are ({bdf}, {id}, {vendor}, {device}) the host's CDI files and the devices say, one \
                      for each name where no IOMMU group has several";

/// Devices that are asked for as resources of the containers, as far as the VM is started with them.
fn requested(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Option<Finding> {
    if pod.devices.is_empty() {
        return None;
    }
    let plugged = Plugged::of(evaluator, evaluation);
    if plugged.cold == "no-port" || !plugged.by_kubelet {
        return None;
    }
    let named = pod.devices.iter().map(|device| format!("{} ({})", device.resource, device.count));
    let (cold, names) = (&plugged.cold, named.collect::<Vec<_>>().join(", "));
    let runs_none = evaluator.setup().release.runtime == Runtime::Rs
        && evaluator.hypervisor().is_some_and(|name| name != "qemu");
    let (severity, message, fix) = match &plugged.socket {
        None => (
            Severity::Warning,
            format!("no pod_resource_api_sock is named: the VM is started without {names}"),
            "name kubelet's socket, /var/lib/kubelet/pod-resources/kubelet.sock, in pod_resource_api_sock",
        ),
        Some(_) if runs_none => (
            Severity::Warning,
            format!(
                "runtime-rs tells this hypervisor of no device before it runs: the VM is started without {names}"
            ),
            "take QEMU for devices that the VM starts with",
        ),
        Some(socket) => (
            Severity::Note,
            format!(
                "the VM is started with what kubelet ({socket}) gives the containers for {names}, on its {cold}s: {TOKENS}; {}",
                plugged.mode
            ),
            "compare with what runs (katascope live)",
        ),
    };
    Some(finding(Code::DevicesUnseen, severity, pod, Who::ClusterAdministrator, message, fix))
}

fn taken(evaluator: &Evaluator, evaluation: &Evaluation, names: &str) -> Said {
    let release = evaluator.setup().release;
    let who = Who::ClusterAdministrator;
    let plugged = Plugged::of(evaluator, evaluation);
    let Plugged { cold, hot, mode, by_kubelet, .. } = &plugged;
    let (socket, by_kubelet) = (plugged.socket.as_deref(), *by_kubelet);
    let reads = match release.runtime {
        Runtime::Go if by_kubelet => cold != "no-port" && socket.is_none(),
        Runtime::Go => release.has(GoChange::CdiOfPods) || release.has(GoChange::CdiOfEveryPod),
        Runtime::Rs => false,
    };
    if reads && cold != "no-port" {
        let message = format!("the VM is started with {names} on its {cold}s: {TOKENS}; {mode}");
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
                 VM's {cold}s from its start; what containers ask for as resources is in the preview"
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
