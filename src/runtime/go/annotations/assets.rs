//! Assets that annotations choose: where they are, and whether they are what their hash says.
//!
//! Decides this at the launch, before anything else of it. Facts: `createAssets` in
//! src/runtime/virtcontainers/sandbox.go and src/runtime/virtcontainers/types/asset.go at 2.0.4 and 4.1.0.

use super::walk::Walk;
use crate::answer::verdict::{Failure, FailureStage, Fix, Stage, Status, Step};
use crate::catalog::Id;
use crate::release::go::Change;
use crate::runtime::go::config::{CustomAssets, HypervisorType};
use crate::runtime::refusal::Refusal;

type Asset = (Id, Id, Slot);

type Slot = fn(&mut CustomAssets) -> &mut Option<String>;

const ASSETS: [Asset; 8] = [
    (Id::HypervisorFirmware, Id::HypervisorFirmwareHash, |a| &mut a.firmware),
    (Id::HypervisorFirmwareVolume, Id::HypervisorFirmwareVolumeHash, |a| &mut a.firmware_volume),
    (Id::HypervisorPath, Id::HypervisorHypervisorHash, |a| &mut a.hypervisor),
    (Id::HypervisorCtlpath, Id::HypervisorHypervisorctlHash, |a| &mut a.hypervisor_ctl),
    (Id::HypervisorImage, Id::HypervisorImageHash, |a| &mut a.image),
    (Id::HypervisorInitrd, Id::HypervisorInitrdHash, |a| &mut a.initrd),
    (Id::HypervisorJailerPath, Id::HypervisorJailerHash, |a| &mut a.jailer),
    (Id::HypervisorKernel, Id::HypervisorKernelHash, |a| &mut a.kernel),
];

/// Those of the first releases, in their order.
const FIRST_ASSETS: [Asset; 3] = [
    (Id::HypervisorKernel, Id::HypervisorKernelHash, |a| &mut a.kernel),
    (Id::HypervisorImage, Id::HypervisorImageHash, |a| &mut a.image),
    (Id::HypervisorInitrd, Id::HypervisorInitrdHash, |a| &mut a.initrd),
];

/// Takes the assets over, or says which one stands in the way. The failure is the launch's: it comes
/// after every annotation was read.
pub(super) fn create(walk: &mut Walk<'_>) {
    let mut failure: Option<Failure> = None;
    let remote = walk.config.hypervisor_type == HypervisorType::Remote;
    let of_every_kind = walk.config.release.has(Change::AssetsOfEveryKind);
    let assets: &[Asset] = if of_every_kind { &ASSETS } else { &FIRST_ASSETS };
    for (path_id, hash_id, slot) in assets.iter().copied() {
        let hash = walk.value(hash_id);
        if hash.is_none() && walk.value(path_id).is_none() {
            continue;
        }
        // The value gate judged these two already; what it refused is no asset.
        let was_refused = walk.decision_on(path_id).is_some_and(|m| m.status == Status::Refused);
        let path = walk.value(path_id).filter(|_| !was_refused).unwrap_or_default();
        if path.is_empty() {
            if walk.value(path_id).is_some() && walk.decision_on(path_id).is_none() {
                walk.ignored_as_empty(path_id);
            }
            if hash.is_some() {
                walk.ignored(
                    hash_id,
                    Stage::Merge,
                    "there is no annotation with a path that it could belong to",
                );
            }
            continue;
        }
        if remote && path_id == Id::HypervisorImage {
            walk.config.hypervisor_config.image = path.into();
            walk.applied_by(path_id, Step::new(Stage::Parse, true, "the name of an image, not a path"));
            if hash.is_some() {
                walk.ignored(hash_id, Stage::Known, "the remote hypervisor checks no image");
            }
            continue;
        }
        let verdict = check(walk, path, hash.unwrap_or_default());
        match verdict {
            Ok(()) => {
                *slot(&mut walk.config.hypervisor_config.custom_assets) = Some(path.into());
                if walk.decision_on(path_id).is_none() {
                    walk.applied_by(
                        path_id,
                        Step::new(Stage::Parse, true, "an absolute path; wins over the configured one"),
                    );
                }
                match hash {
                    None => {}
                    Some("") => walk.ignored_as_empty(hash_id),
                    Some(_) => {
                        walk.applied_by(hash_id, Step::new(Stage::Value, true, "the file has this SHA-512"))
                    }
                }
            }
            Err((message, of_hash, fix)) => {
                let id = if of_hash { hash_id } else { path_id };
                let reason = match of_hash {
                    true => format!("{path} is not the file that the hash was made of"),
                    false => format!("{path:?} is not an absolute path"),
                };
                let refusal = Refusal::at(Stage::Value, message.as_str(), reason).mended_by(fix);
                walk.stopped(id, refusal);
                failure.get_or_insert_with(|| {
                    Failure::new(FailureStage::Launch, message).by(id.annotation().key)
                });
                let other = if of_hash { path_id } else { hash_id };
                if walk.value(other).is_some() && walk.decision_on(other).is_none() {
                    walk.applied(other, Vec::new());
                }
            }
        }
    }
    if !of_every_kind {
        if walk.value(Id::AssetHashType).is_some() {
            walk.applied_as_is(Id::AssetHashType);
        }
        let chosen = &walk.config.hypervisor_config.custom_assets;
        if chosen.image.is_some() && chosen.initrd.is_some() {
            let message = "image and initrd cannot be both set";
            failure.get_or_insert_with(|| {
                Failure::new(FailureStage::Launch, message).by(Id::HypervisorInitrd.annotation().key)
            });
        }
    }
    if walk.failure.is_none() {
        walk.failure = failure;
    }
}

type AssetError = (String, bool, Fix);

/// The message, whether it is about the hash, and what would help.
fn check(walk: &Walk<'_>, path: &str, hash: &str) -> Result<(), AssetError> {
    if !path.starts_with('/') {
        let fix = Fix::Advice("write an absolute path".into());
        return Err((format!("{path} is not an absolute path"), false, fix));
    }
    if hash.is_empty() {
        return Ok(());
    }
    let fix = || Fix::Advice("name a file that can be read and is not empty".into());
    let unreadable = |errno: crate::input::host::Errno| {
        let verb = if errno == crate::input::host::Errno::IsDirectory { "read" } else { "open" };
        (format!("{verb} {path}: {errno}"), true, fix())
    };
    let size = walk.host.stat(path).map_err(unreadable)?.size;
    let computed = walk.host.sha512_or(path, hash).map_err(unreadable)?;
    if size == 0 {
        return Err((format!("Empty asset file at {path}"), true, fix()));
    }
    if let Some(kind) = walk.value(Id::AssetHashType).filter(|kind| *kind != "sha512") {
        let fix = Fix::Advice("write sha512 into io.katacontainers.asset_hash_type".into());
        return Err((format!("Invalid hash type {kind}"), true, fix));
    }
    if *computed != *hash {
        let message = format!("Invalid hash for {path}: computed {computed}, expecting {hash}]");
        return Err((message, true, Fix::Value(computed.to_string())));
    }
    Ok(())
}
