//! Whether anything brings the containers' root file systems into the VM.
//!
//! Decides by what the container runtime's snapshotter hands over: a folder needs a shared folder between host and
//! VM, a block device needs a VMM that may take one, RAFS needs a nydusd, and an image that is pulled in the guest needs
//! none of them. Judges nothing: the sandbox starts, and its containers fail one after the other.
//!
//! Facts: `handler_rootfs` in src/runtime-rs/crates/resource/src/rootfs/mod.rs, `create` in
//! src/runtime/virtcontainers/container.go, `ShareRootFilesystem` in fs_share_linux.go and `errNydusdNotSupport` in
//! nydusd.go beside it, at each tag; containerd's snapshotters; `pulls_images` of CRI-O.

use serde_json::Value as Json;

use super::remark::finding;
use super::{Evaluation, Evaluator, Outcome};
use crate::answer::effective::Effective;
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::input::manifest::Pod;
use crate::release::go::Change as GoChange;
use crate::release::rs::Change as RsChange;
use crate::release::{Release, Runtime};

/// What a snapshotter hands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    /// A folder of the host.
    Folder,
    /// A block device.
    Block,
    /// A file that holds a file system.
    BlockFile,
    /// Layers that are EROFS images.
    Erofs,
    /// RAFS for a nydusd, or a word that the image is to be pulled in the guest: its own configuration tells which.
    Nydus,
}

impl Root {
    /// What is known of a snapshotter; of strangers nothing is said.
    fn of(snapshotter: &str) -> Option<Self> {
        Some(match snapshotter {
            "overlayfs" | "native" | "btrfs" | "zfs" | "stargz" | "soci" | "fuse-overlayfs" => Self::Folder,
            "devmapper" => Self::Block,
            "blockfile" => Self::BlockFile,
            "erofs" => Self::Erofs,
            // kata-deploy adds its suffix.
            name if name == "nydus" || name.starts_with("nydus-") => Self::Nydus,
            _ => return None,
        })
    }

    /// The same for a release that does not know the kind.
    fn as_known(self, release: Release) -> Self {
        let known = match (self, release.runtime) {
            (Self::Erofs, Runtime::Go) => release.has(GoChange::ErofsRoots),
            (Self::Erofs, Runtime::Rs) => release.has(RsChange::ErofsRoots),
            (Self::Nydus, Runtime::Go) => release.has(GoChange::NydusRoots),
            (Self::BlockFile, Runtime::Rs) => release.has(RsChange::BlockFileRoots),
            _ => true,
        };
        if known { self } else { Self::Folder }
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

/// What is wrong, and how it is mended.
struct Trouble {
    severity: Severity,
    message: String,
    fix: &'static str,
}

impl Trouble {
    fn warning(message: String, fix: &'static str) -> Option<Self> {
        Some(Self { severity: Severity::Warning, message, fix })
    }

    fn note(message: String, fix: &'static str) -> Option<Self> {
        Some(Self { severity: Severity::Note, message, fix })
    }
}

/// What is pointed out about the roots of a pod's containers.
pub(super) fn notice(evaluator: &Evaluator, pod: &Pod, evaluation: &Evaluation) -> Option<Finding> {
    // What is made elsewhere pulls its images there.
    if evaluation.outcome != Outcome::Starts || evaluator.hypervisor() == Some("remote") {
        return None;
    }
    let base = evaluator.roots()?.with(evaluation);
    let release = evaluator.setup().release;
    let found = |trouble: Trouble| {
        let Trouble { severity, message, fix } = trouble;
        finding(Code::ContainerRoot, severity, pod, Who::ClusterAdministrator, message, fix)
    };
    if base.forces_guest_pull {
        return forced(&base).map(found);
    }
    let engine = &evaluator.setup().engine;
    let serving = engine.serving(pod, evaluator.sandbox_id()).ok().flatten();
    let named = serving.and_then(|name| {
        let (snapshotter, place) = engine.snapshotter(name)?;
        Some((name, snapshotter, place))
    });
    let Some((name, snapshotter, place)) = named else {
        return unnamed(&base, release.runtime).map(found);
    };
    let handed = format!("handler {name} has the snapshotter {snapshotter}");
    let trouble = match Root::of(snapshotter)?.as_known(release) {
        Root::Nydus => nydus(&base, release, &handed),
        Root::Folder => base.unshared(release.runtime).and_then(|why| {
            Trouble::warning(
                format!("the sandbox starts, and every container fails: {handed}, whose roots are folders, and {why}"),
                "give the handler's table a snapshotter whose roots are block devices (devmapper, blockfile, erofs) or \
                 that pulls in the guest (nydus), or share a folder where the hypervisor can",
            )
        }),
        Root::Block | Root::BlockFile if base.without_blocks && release.runtime == Runtime::Go => {
            base.unshared(release.runtime).and_then(|why| {
                Trouble::warning(
                    format!(
                        "the sandbox starts, and every container fails: {handed}, whose roots are block devices, which \
                         disable_block_device_use keeps out, and {why}"
                    ),
                    "set disable_block_device_use = false",
                )
            })
        }
        Root::Block | Root::BlockFile | Root::Erofs => None,
    };
    let mut found = trouble.map(found)?;
    if let Some(place) = place {
        found.place = Some(place.clone());
    }
    Some(found)
}

/// Where the runtime has every image pulled in the guest.
fn forced(base: &Base) -> Option<Trouble> {
    if base.has_puller {
        return None;
    }
    Trouble::note(
        "experimental_force_guest_pull has the guest pull every image, whatever the snapshotter hands over, and the \
         guest's image is by its name none of those that bring the puller: the containers of such a guest fail"
            .to_owned(),
        "name the confidential guest image, or set experimental_force_guest_pull = false",
    )
}

/// Where nobody said which snapshotter serves the pod.
fn unnamed(base: &Base, runtime: Runtime) -> Option<Trouble> {
    let why = base.unshared(runtime)?;
    // Images of confidential guests are pulled in the guest, and nobody said otherwise.
    if base.is_confidential {
        return None;
    }
    let stuck = base.without_blocks && runtime == Runtime::Go;
    let blocks = if stuck {
        ", and disable_block_device_use keeps block devices out: containers start only where their images are pulled in \
         the guest, and fail on overlayfs"
    } else {
        ": containers start where their roots are block devices (devmapper, blockfile, erofs) or their images are pulled \
         in the guest, and fail on overlayfs"
    };
    let severity = if stuck && !base.has_puller { Severity::Warning } else { Severity::Note };
    let fix = "share a folder, or see to it that the handler's snapshotter fits";
    Some(Trouble { severity, message: format!("{why}{blocks}"), fix })
}

/// Where the nydus snapshotter serves the pod.
fn nydus(base: &Base, release: Release, handed: &str) -> Option<Trouble> {
    const PULL: &str = "set the snapshotter to pull in the guest, or give the handler's table another one";
    const STANDALONE: &str = "set shared_fs = \"virtio-fs-nydus\" with the nydusd as virtio_fs_daemon, or set the snapshotter to pull in the \
         guest";
    let every = |error: &str, fix| {
        Trouble::warning(format!("the sandbox starts, and every container fails: {handed}, and {error}"), fix)
    };
    let rafs = |error: &str, fix| {
        let starts = "containers start where it is set to have images pulled in the guest";
        Trouble::note(format!("{handed}: {starts}; those whose roots are RAFS fail: {error}"), fix)
    };
    let unshared = base.unshared(release.runtime);
    let shared = base.shared_fs.as_deref().filter(|_| unshared.is_none()).unwrap_or("none");
    if release.runtime == Runtime::Rs {
        let pulls = release.has(RsChange::GuestPullRoots);
        return match (shared, pulls) {
            ("none", true) if base.is_confidential || base.has_puller => None,
            ("none", true) => rafs("unsupported rootfs", STANDALONE),
            ("none", false) => every(
                "this release takes such a root with a shared folder alone: unsupported rootfs",
                STANDALONE,
            ),
            ("virtio-fs-nydus" | "inline-virtio-fs", _) => Trouble::note(
                format!(
                    "{handed}: containers start where their roots are RAFS; where it is set to have images pulled in the \
                     guest they fail with shared_fs = {shared:?}: failed to parse nydus extra options"
                ),
                "set shared_fs = \"none\" where images are pulled in the guest",
            ),
            (shared, _) => every(
                &format!(
                    "with shared_fs = {shared:?} there is no nydusd for RAFS, and an image is pulled in the guest without \
                     a shared folder alone: failed to parse nydus extra options"
                ),
                "set shared_fs = \"none\" where images are pulled in the guest, \"virtio-fs-nydus\" or \
                 \"inline-virtio-fs\" for RAFS",
            ),
        };
    }
    let (error, fix) = match (base.hypervisor(), shared) {
        ("qemu" | "clh" | "cloud-hypervisor", "virtio-fs-nydus") => return None,
        ("qemu" | "clh" | "cloud-hypervisor", "none") => {
            ("no daemon runs for them, and the shim crashes", STANDALONE)
        }
        ("qemu" | "clh" | "cloud-hypervisor", _) => ("unimplemented", STANDALONE),
        _ => ("nydusd only supports the QEMU/CLH hypervisor currently", PULL),
    };
    match release.has(GoChange::GuestPullRoots) {
        true if base.is_confidential || base.has_puller => None,
        true => rafs(error, fix),
        false => every(error, fix),
    }
}
