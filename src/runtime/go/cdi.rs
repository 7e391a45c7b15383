//! Devices that a pod asks for in `cdi.k8s.io/` annotations, as the shim reads them before it looks at Kata's own.
//!
//! Decides which of them are refused: what is no device name, and what no CDI file of the host knows; and which devices
//! the sandbox's specification has in the end, by these annotations or by what kubelet gave the pod. What a device is
//! only the host's files and the device itself say.
//!
//! Facts: `withCDI` and `coldPlugDevices` in src/runtime/pkg/containerd-shim-v2/create.go and device_cold_plug.go at
//! each tag; `ParseAnnotations` and `InjectDevices` of container-device-interface 0.6 to 1.0.

use super::ContainerType;
use crate::answer::verdict::{Failure, FailureStage};
use crate::golang::cdi;
use crate::input::manifest::DeviceRequest;
use crate::input::{Annotations, Host};
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::Sandbox;

/// What the annotations' keys begin with.
pub(crate) const PREFIX: &str = "cdi.k8s.io/";
/// Where a host's CDI files lie.
const FOLDERS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// The most of them that are looked at.
const MOST: usize = 1000;

/// Where the shim learns which devices a pod has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nowhere,
    ByKubelet,
    ByAnnotations,
}

/// Kubelet's socket, where it is there, says which devices the pod has, and the annotations are passed over.
fn told(release: Release, kind: ContainerType, (cold_plug, socket): (&str, &str), host: &Host) -> Told {
    if !release.has(Change::ColdPlugByKubelet) {
        let reads = release.has(Change::CdiOfPods)
            || release.has(Change::CdiOfEveryPod)
            || (release.has(Change::CdiOfLoneContainers) && kind == ContainerType::Single);
        return if reads { Told::ByAnnotations } else { Told::Nowhere };
    }
    // Devices are plugged in before the start, or not looked at.
    match cold_plug {
        "no-port" => Told::Nowhere,
        _ if !socket.is_empty() && host.exists(socket) => Told::ByKubelet,
        _ => Told::ByAnnotations,
    }
}

/// The refusal, where there is one.
pub(super) fn check(
    release: Release,
    kind: ContainerType,
    ports: (&str, &str),
    host: &Host,
    annotations: &Annotations,
) -> Option<Failure> {
    let asked = annotations.in_order(|key| key.starts_with(PREFIX));
    let first = asked.first()?.0;
    if told(release, kind, ports, host) != Told::ByAnnotations {
        return None;
    }
    let mut devices = Vec::new();
    for (key, value) in asked {
        for device in value.split(',') {
            if cdi::is_crash(device) {
                // The crash of the shim is all that the container runtime sees.
                let message = "panic: runtime error: slice bounds out of range [1:0]";
                return Some(Failure {
                    panic: true,
                    ..Failure::new(FailureStage::Annotations, message).by(key.as_str())
                });
            }
            if !cdi::is_qualified(device) {
                let quoted = crate::golang::strconv::quote(device);
                let why = format!("failed to parse CDI device annotations: invalid CDI device name {quoted}");
                return Some(refused(release, key, &why));
            }
            devices.push(device);
        }
    }
    if devices.iter().all(|device| may_be_known(host, device)) {
        return None;
    }
    let why = format!("CDI device injection failed: unresolvable CDI devices {}", devices.join(", "));
    Some(refused(release, first, &why))
}

fn refused(release: Release, key: &str, why: &str) -> Failure {
    let message = if release.has(Change::ColdPlugByKubelet) {
        format!("device cold plug failed: CDI device injection failed: {why}")
    } else if release.has(Change::CdiReason) {
        format!("adding CDI devices failed: {why}")
    } else {
        "adding CDI devices failed".to_owned()
    };
    Failure::new(FailureStage::Annotations, message).by(key)
}

/// The devices of a sandbox's specification.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// Their CDI names; kubelet's with a token for which one it is.
    pub(super) names: Vec<String>,
    /// Whether the host's CDI files name their IOMMU groups.
    pub(super) by_group: bool,
}

/// So many devices are told apart; no machine has room for as many.
const MOST_DEVICES: usize = 4096;

/// The devices that are handed to the VM, as far as the host's files can be looked at: what they say is no VFIO device
/// is none.
pub(super) fn devices(
    release: Release,
    kind: ContainerType,
    ports: (&str, &str),
    host: &Host,
    sandbox: &Sandbox<'_>,
) -> Devices {
    let asked = sandbox.annotations.in_order(|key| key.starts_with(PREFIX));
    if asked.is_empty() && sandbox.devices.is_empty() {
        return Devices::default();
    }
    let names: Vec<String> = match told(release, kind, ports, host) {
        Told::Nowhere => Vec::new(),
        Told::ByKubelet => {
            let each = |request: &DeviceRequest| {
                let name = format!("{}={{id}}", request.resource);
                std::iter::repeat_n(name, (request.count as usize).min(MOST_DEVICES))
            };
            sandbox.devices.iter().flat_map(each).take(MOST_DEVICES).collect()
        }
        Told::ByAnnotations => {
            let each = asked.iter().flat_map(|(_, value)| value.split(','));
            each.map(str::to_owned).take(MOST_DEVICES).collect()
        }
    };
    let mut found = Devices::default();
    for name in names {
        let kind = name.split_once('=').map_or("", |(kind, _)| kind);
        match file_of(host, kind) {
            Some(text) if !text.contains("/dev/vfio/") => continue,
            Some(text) => found.by_group |= !text.contains("/dev/vfio/devices/"),
            None => {}
        }
        found.names.push(name);
    }
    found
}

/// The host's CDI file of a kind of devices, where it can be looked at.
fn file_of(host: &Host, kind: &str) -> Option<String> {
    files(host).map(|path| text(host, &path)).find(|text| !kind.is_empty() && text.contains(kind))
}

/// The host's CDI files.
fn files(host: &Host) -> impl Iterator<Item = String> + '_ {
    let files = FOLDERS.iter().flat_map(|folder| {
        let names = host.read_dir(folder).map(|names| names.to_vec()).unwrap_or_default();
        names.into_iter().take(MOST).map(move |name| format!("{folder}/{name}"))
    });
    files.filter(|path| [".json", ".yaml"].iter().any(|end| path.ends_with(end)))
}

fn text(host: &Host, path: &str) -> String {
    String::from_utf8_lossy(&host.read(path).unwrap_or_default()).into_owned()
}

/// Whether a file of the host may know a device: one that cannot be looked at may.
fn may_be_known(host: &Host, device: &str) -> bool {
    let Some((kind, name)) = device.split_once('=') else { return false };
    if FOLDERS.iter().any(|folder| !host.lists(folder)) {
        return true;
    }
    files(host).map(|path| text(host, &path)).any(|text| text.contains(kind) && text.contains(name))
}
