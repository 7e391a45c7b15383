//! Files that a pod brings its own of: an absolute path, and a digest where one is given.
//!
//! Facts: `createAssets` in src/runtime/virtcontainers/sandbox.go and types/asset.go at 2.1.0. The kind of
//! digest cannot be chosen: the annotation for it never gets this far.

use super::config::{Asset, SandboxConfig};
use crate::catalog::HYPERVISOR_PREFIX;
use crate::input::Host;
use crate::runtime::verdict::{Failure, FailureStage};

/// Checks what annotations say of assets.
pub(super) fn check(host: &Host, config: &SandboxConfig<'_>) -> Result<(), Failure> {
    if config.asset_annotations.is_empty() {
        return Ok(());
    }
    for asset in Asset::ALL {
        let (path_name, hash_name) = asset.annotations();
        let Some(path) = config.asset_annotation(path_name).filter(|path| !path.is_empty()) else { continue };
        let fail = |message: String, name: &str| {
            Err(Failure::new(FailureStage::Launch, message).by(format!("{HYPERVISOR_PREFIX}{name}")))
        };
        if !path.starts_with('/') {
            return fail(format!("{path} is not an absolute path"), path_name);
        }
        let Some(wanted) = config.asset_annotation(hash_name).filter(|hash| !hash.is_empty()) else {
            continue;
        };
        let stat = match host.stat(path) {
            Ok(stat) => stat,
            Err(errno) => return fail(format!("open {path}: {errno}"), path_name),
        };
        if stat.kind == crate::input::host::FileKind::Directory {
            return fail(format!("read {path}: is a directory"), path_name);
        }
        if stat.size == 0 {
            return fail(format!("Empty asset file at {path}"), path_name);
        }
        match host.sha512_or(path, wanted) {
            Ok(computed) if *computed == *wanted => {}
            Ok(computed) => {
                return fail(
                    format!("Invalid hash for {path}: computed {computed}, expecting {wanted}]"),
                    hash_name,
                );
            }
            Err(errno) => return fail(format!("open {path}: {errno}"), path_name),
        }
    }
    Ok(())
}
