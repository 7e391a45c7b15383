//! Annotations that name a file of the host, which a `valid_*` list has to let through.
//!
//! Facts: `checkPathIsInGlobs` and its callers in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::Walk;
use crate::answer::verdict::{Fix, ListId, Stage};
use crate::catalog::Id;
use crate::golang::filepath::literally;
use crate::runtime::go::record::Slot;
use crate::runtime::refusal::Refusal;

/// A path that a `valid_*` list has to let through; refuses the pod where it does not.
pub(super) fn take_listed(walk: &mut Walk<'_>, id: Id, value: &str) {
    let loaded = walk.loaded;
    let list = id.annotation().reader(walk.config.release).gate.list();
    let Some(listed) = list.and_then(|list| loaded.listed(list)) else { return };
    if let Some(passed) = listed.allows(walk.host, value) {
        if value.is_empty() {
            return walk.ignored_as_empty(id);
        }
        if let Slot::Text(place) = walk.slot(id) {
            value.clone_into(place);
        }
        return walk.applied_by(id, passed.clone());
    }
    let key = listed.key;
    let name = match id {
        Id::HypervisorPath => "hypervisor",
        Id::HypervisorJailerPath => "jailer",
        Id::HypervisorCtlpath => "hypervisor control",
        Id::HypervisorVhostUserStorePath => "vhost store path",
        Id::HypervisorFileMemBackend => "file_mem_backend value",
        Id::HypervisorVirtioFsDaemon => "virtiofs daemon",
        _ => "entropy source",
    };
    let message = format!("{name} {value} required from annotation is not valid");
    let list = ListId::new(loaded.table, key);
    let exists = !walk.host.knows(value) || walk.host.lstat(value).is_ok();
    let (reason, fix) = match exists {
        true => (
            format!("no pattern of {key} expands to {value}"),
            Fix::Allow { list, pattern: literally(value) },
        ),
        // A glob expands to files that exist: no pattern could let it through.
        false => (
            format!("{value:?} is no file of this host, so no pattern of {key} can expand to it"),
            Fix::Advice("name a file that exists on the host".into()),
        ),
    };
    walk.refused(id, Refusal::new(Stage::Value, message, reason).mended_by(fix));
}
