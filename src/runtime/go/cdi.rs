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
        Reads::ForColdPlug if is_kubelets(socket, host) => return None,
        Reads::Always | Reads::ForColdPlug => {}
    }
    let mut devices = Vec::new();
    for (key, value) in asked {
        for device in value.split(',') {
            if is_crash(device) {
                // The crash of the shim is all that the container runtime sees.
                let message = "panic: runtime error: slice bounds out of range [1:0]";
                return Some(Failure {
                    panic: true,
                    ..Failure::new(FailureStage::Annotations, message).by(key.as_str())
                });
            }
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

/// Whether kubelet is asked which devices the pod has.
fn is_kubelets(socket: &str, host: &Host) -> bool {
    !socket.is_empty() && host.exists(socket)
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
    (cold_plug, socket): (&str, &str),
    host: &Host,
    sandbox: &Sandbox<'_>,
) -> Devices {
    let asked = sandbox.annotations.in_order(|key| key.starts_with(PREFIX));
    if asked.is_empty() && sandbox.devices.is_empty() {
        return Devices::default();
    }
    let names: Vec<String> = match reads(release, kind) {
        Reads::Never => Vec::new(),
        Reads::ForColdPlug if cold_plug == "no-port" => Vec::new(),
        Reads::ForColdPlug if is_kubelets(socket, host) => {
            let each = |request: &DeviceRequest| {
                let name = format!("{}={{id}}", request.resource);
                std::iter::repeat_n(name, (request.count as usize).min(MOST_DEVICES))
            };
            sandbox.devices.iter().flat_map(each).take(MOST_DEVICES).collect()
        }
        Reads::Always | Reads::ForColdPlug => {
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

/// Whether the parser of names falls over a vendor or a class of one letter.
fn is_crash(name: &str) -> bool {
    let is_letter = |text: &str| text.len() == 1 && text.starts_with(|c: char| c.is_ascii_alphabetic());
    let Some((kind, device)) = name.split_once('=').filter(|_| !name.starts_with('/')) else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let whole = !vendor.is_empty() && !class.is_empty() && !device.is_empty();
    whole && (is_letter(vendor) || (is_part(vendor) && is_letter(class)))
}

/// Whether a vendor or a class is spelled as one.
fn is_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Whether a name is `vendor/class=device`.
fn is_qualified(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=').filter(|_| !name.starts_with('/')) else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let is_device = device.starts_with(|c: char| c.is_ascii_alphanumeric())
        && device.ends_with(|c: char| c.is_ascii_alphanumeric())
        && device.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    is_part(vendor) && is_part(class) && is_device
}

/// Whether a file of the host may know a device: one that cannot be looked at may.
fn may_be_known(host: &Host, device: &str) -> bool {
    let Some((kind, name)) = device.split_once('=') else { return false };
    if FOLDERS.iter().any(|folder| !host.lists(folder)) {
        return true;
    }
    files(host).map(|path| text(host, &path)).any(|text| text.contains(kind) && text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_vendor_class_and_device() {
        for good in ["nvidia.com/gpu=0", "intel.com/qat=vf-1:2", "v1/c1=d"] {
            assert!(is_qualified(good), "{good}");
        }
        for bad in ["", "nvidia.com/gpu", "nvidia.com=0", "1a/gpu=0", "a/gpu=", "a/b=-x", "/a/b=c", "a/b=c d"]
        {
            assert!(!is_qualified(bad), "{bad}");
        }
        for crash in ["v/class=d", "vendor.com/c=d", "v/c=-"] {
            assert!(is_crash(crash), "{crash}");
        }
        for no in ["1/class=d", "vendor.com/1=d", "v/=d", "v/c=", "-v/c=d", "nvidia.com/gpu=0"] {
            assert!(!is_crash(no), "{no}");
        }
    }
}
