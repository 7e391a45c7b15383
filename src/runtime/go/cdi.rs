//! Devices that a pod asks for in `cdi.k8s.io/` annotations, as the shim reads them before it looks at Kata's own.
//!
//! Decides which of them are refused: what is no device name, and what no CDI file of the host knows. What a device is
//! only the host's files and the device itself say.
//!
//! Facts: `withCDI` and `coldPlugDevices` in src/runtime/pkg/containerd-shim-v2/create.go and device_cold_plug.go at
//! each tag; `ParseAnnotations` and `InjectDevices` of container-device-interface 0.6 to 1.0.

use super::{Change, ContainerType};
use crate::answer::verdict::{Failure, FailureStage};
use crate::input::{Annotations, Host};
use crate::release::Release;

/// What the annotations' keys begin with.
pub(crate) const PREFIX: &str = "cdi.k8s.io/";
/// Where a host's CDI files lie.
const FOLDERS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// The most of them that are looked at.
const MOST: usize = 1000;

/// When the shim reads the annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// It never does.
    Never,
    /// For every sandbox, or for lone containers alone.
    Always,
    /// Where devices are plugged in before the start.
    ForColdPlug,
}

fn reads(release: Release, kind: ContainerType) -> Reads {
    if release.has(Change::ColdPlugByKubelet) {
        Reads::ForColdPlug
    } else if release.has(Change::CdiOfPods)
        || release.has(Change::CdiOfEveryPod)
        || (release.has(Change::CdiOfLoneContainers) && kind == ContainerType::Single)
    {
        Reads::Always
    } else {
        Reads::Never
    }
}

/// The refusal, where there is one. The kubelet's socket, where it is there, says which devices the pod has, and the
/// annotations are passed over.
pub(super) fn check(
    release: Release,
    kind: ContainerType,
    (cold_plug, socket): (&str, &str),
    host: &Host,
    annotations: &Annotations,
) -> Option<Failure> {
    let asked = annotations.in_order(|key| key.starts_with(PREFIX));
    let first = asked.first()?.0;
    match reads(release, kind) {
        Reads::Never => return None,
        Reads::ForColdPlug if cold_plug == "no-port" => return None,
        Reads::ForColdPlug if !socket.is_empty() && host.finds(socket) => return None,
        Reads::Always | Reads::ForColdPlug => {}
    }
    let mut devices = Vec::new();
    for (key, value) in asked {
        for device in value.split(',') {
            if !is_qualified(device) {
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

/// Whether a name is `vendor/class=device`.
fn is_qualified(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=').filter(|_| !name.starts_with('/')) else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let starts = |text: &str, letter: bool| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || (!letter && c.is_ascii_digit()))
    };
    let ends = |text: &str| text.ends_with(|c: char| c.is_ascii_alphanumeric());
    let holds = |text: &str, more: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') || more.contains(c))
    };
    let is_part = |text: &str| starts(text, true) && ends(text) && holds(text, "");
    is_part(vendor) && is_part(class) && starts(device, false) && ends(device) && holds(device, ":")
}

/// Whether a file of the host may know a device: one that cannot be looked at may.
fn may_be_known(host: &Host, device: &str) -> bool {
    let Some((kind, name)) = device.split_once('=') else { return false };
    if FOLDERS.iter().any(|folder| !host.lists(folder)) {
        return true;
    }
    let files = FOLDERS.iter().flat_map(|folder| {
        let names = host.read_dir(folder).map(|names| names.to_vec()).unwrap_or_default();
        names.into_iter().take(MOST).map(move |name| format!("{folder}/{name}"))
    });
    let mut files = files.filter(|path| [".json", ".yaml"].iter().any(|end| path.ends_with(end)));
    files.any(|path| {
        let text = host.read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.contains(kind) && text.contains(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_vendor_class_and_device() {
        for good in ["nvidia.com/gpu=0", "intel.com/qat=vf-1:2", "v/c=d"] {
            assert!(is_qualified(good), "{good}");
        }
        for bad in ["", "nvidia.com/gpu", "nvidia.com=0", "1a/gpu=0", "a/gpu=", "a/b=-x", "/a/b=c", "a/b=c d"]
        {
            assert!(!is_qualified(bad), "{bad}");
        }
    }
}
