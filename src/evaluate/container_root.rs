//! Whether anything brings the containers' root file systems into the VM.
//!
//! Decides by what the container runtime's snapshotter hands over: a folder needs a shared folder between host and
//! VM, a block device needs a VMM that may take one, and an image that is pulled in the guest needs neither. Judges
//! nothing: the sandbox starts, and its containers fail one after the other.
//!
//! Facts: `handler_rootfs` in src/runtime-rs/crates/resource/src/rootfs/mod.rs, `create` in
//! src/runtime/virtcontainers/container.go and `ShareRootFilesystem` in fs_share_linux.go beside it at 4.1.0;
//! containerd's snapshotters; `pulls_images` of CRI-O.

use serde_json::Value as Json;

use super::notice::finding;
use super::{Evaluation, Evaluator, Outcome};
use crate::answer::effective::Effective;
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::input::manifest::Pod;
use crate::release::Runtime;

/// What a snapshotter hands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    /// A folder of the host.
    Folder,
    /// A block device.
    Block,
}

impl Root {
    /// What is known of a snapshotter; of those that pull in the guest, and of strangers, nothing is said.
    fn of(snapshotter: &str) -> Option<Self> {
        Some(match snapshotter {
            "overlayfs" | "native" | "btrfs" | "zfs" | "stargz" | "soci" | "fuse-overlayfs" => Self::Folder,
            "devmapper" | "blockfile" => Self::Block,
            _ => return None,
        })
    }
}

/// What the configuration makes of a sandbox that asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    table: String,
    shared_fs: Option<String>,
    without_blocks: bool,
    forces_guest_pull: bool,
    is_confidential: bool,
    /// Whether the guest's image is by its name one that can pull images.
    has_puller: bool,
}

impl Base {
    /// Reads the keys that decide.
    pub fn of(effective: &Effective, hypervisor: &str) -> Self {
        let table = format!("hypervisor.{hypervisor}");
        let value = |key: &str| effective.get(key).map(|value| &value.value);
        let own = |key: &str| value(&format!("{table}.{key}"));
        let is = |value: Option<&Json>| value.and_then(Json::as_bool).unwrap_or_default();
        Self {
            shared_fs: own("shared_fs").and_then(Json::as_str).map(str::to_owned),
            without_blocks: is(own("disable_block_device_use")),
            forces_guest_pull: is(value("runtime.experimental_force_guest_pull")),
            is_confidential: is(own("confidential_guest")),
            has_puller: ["image", "initrd"]
                .iter()
                .any(|key| own(key).and_then(Json::as_str).is_some_and(|path| path.contains("confidential"))),
            table,
        }
    }

    /// The same for a pod whose annotations set some of the keys.
    fn with(&self, evaluation: &Evaluation) -> Self {
        let mut base = self.clone();
        for verdict in &evaluation.verdicts {
            let (Some(field), Some(after)) = (verdict.field.as_deref(), &verdict.after) else { continue };
            let Some(key) = field.strip_prefix(base.table.as_str()) else { continue };
            match key {
                ".shared_fs" => base.shared_fs = after.as_str().map(str::to_owned),
                ".disable_block_device_use" => base.without_blocks = after.as_bool().unwrap_or_default(),
                _ => {}
            }
        }
        base
    }

    fn hypervisor(&self) -> &str {
        self.table.strip_prefix("hypervisor.").unwrap_or(&self.table)
    }

    /// Why no folder is shared; `None` where one is.
    fn unshared(&self, runtime: Runtime) -> Option<String> {
        if self.hypervisor() == "firecracker" {
            return Some("Firecracker shares no folders".to_owned());
        }
        if self.is_confidential && runtime == Runtime::Rs {
            return Some("a confidential guest shares no folder".to_owned());
        }
        match self.shared_fs.as_deref() {
            None | Some("" | "none") => Some("shared_fs is none".to_owned()),
            Some(_) => None,
        }
    }
}

/// What is pointed out about the roots of a pod's containers.
pub(super) fn notice(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Option<Finding> {
    // What is made elsewhere pulls its images there.
    if evaluation.outcome != Outcome::Starts || evaluator.hypervisor() == Some("remote") {
        return None;
    }
    let base = evaluator.roots()?.with(evaluation);
    let runtime = evaluator.setup().release.runtime;
    if base.forces_guest_pull {
        return None;
    }
    let why = base.unshared(runtime)?;
    let who = Who::ClusterAdministrator;
    let engine = &evaluator.setup().engine;
    let serving = engine.serving(pod, evaluator.sandbox_id()).ok().flatten();
    let named = serving.and_then(|name| {
        let (snapshotter, place) = engine.snapshotter(name)?;
        Some((name, snapshotter, place))
    });
    let Some((name, snapshotter, place)) = named else {
        // Images of confidential guests are pulled in the guest, and nobody said otherwise.
        if base.is_confidential {
            return None;
        }
        let stuck = base.without_blocks && runtime == Runtime::Go;
        let blocks = if stuck {
            ", and disable_block_device_use keeps block devices out: containers start only where their images are \
             pulled in the guest, and fail on overlayfs"
        } else {
            ": containers start where their roots are block devices (devmapper, blockfile, erofs) or their images are \
             pulled in the guest, and fail on overlayfs"
        };
        let severity = if stuck && !base.has_puller { Severity::Warning } else { Severity::Note };
        let fix = "share a folder, or see to it that the handler's snapshotter fits";
        return Some(finding(Code::ContainerRoot, severity, pod, who, format!("{why}{blocks}"), fix));
    };
    let (message, fix) = match Root::of(snapshotter)? {
        Root::Folder => (
            format!(
                "the sandbox starts, and every container fails: handler {name} has the snapshotter {snapshotter}, whose \
                 roots are folders, and {why}"
            ),
            "give the handler's table a snapshotter whose roots are block devices (devmapper, blockfile, erofs) or \
             that pulls in the guest (nydus), or share a folder where the hypervisor can",
        ),
        Root::Block if base.without_blocks && runtime == Runtime::Go => (
            format!(
                "the sandbox starts, and every container fails: the roots of the snapshotter {snapshotter} are block \
                 devices, which disable_block_device_use keeps out, and {why}"
            ),
            "set disable_block_device_use = false",
        ),
        Root::Block => return None,
    };
    let mut found = finding(Code::ContainerRoot, Severity::Warning, pod, who, message, fix);
    if let Some(place) = place {
        found.place = Some(place.clone());
    }
    Some(found)
}
