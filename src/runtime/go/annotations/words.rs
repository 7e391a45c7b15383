//! Annotations that take one of a few words; anything else refuses the pod.
//!
//! Facts: `addHypervisorBlockOverrides`, `addHypervisorVirtioFsOverrides` and `addRuntimeConfigOverrides` in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::Walk;
use crate::answer::verdict::{Stage, Step};
use crate::catalog::Id;
use crate::golang::strconv::list;
use crate::runtime::go::config::{InterworkingModel, VfioMode};
use crate::runtime::go::record::Slot;
use crate::runtime::refusal::Refusal;

/// Takes a word that the runtime knows.
pub(super) fn take_word(walk: &mut Walk<'_>, id: Id, value: &str) {
    let words = id.annotation().reader(walk.config.release).choices;
    if words.contains(&value) {
        match id {
            Id::RuntimeInternetworkingModel => {
                walk.config.network_config.interworking_model =
                    InterworkingModel::parse(value).unwrap_or_default();
            }
            Id::RuntimeVfioMode => walk.config.vfio_mode = VfioMode::parse(value).unwrap_or_default(),
            _ => {
                if let Slot::Text(place) = walk.slot(id) {
                    value.clone_into(place);
                }
            }
        }
        return walk.applied_by(id, Step::new(Stage::Value, true, "one of the known words"));
    }
    let key = id.known().key;
    let known = list(words);
    let message = match id {
        Id::HypervisorBlockDeviceDriver => format!(
            "Invalid hypervisor block storage driver {value} specified in annotation (supported drivers: {known})"
        ),
        Id::HypervisorBlockDeviceAio => format!(
            "Invalid AIO mechanism  {value} specified in annotation (supported IO mechanism : {known})"
        ),
        Id::RuntimeInternetworkingModel => format!("Unknown network model specified in annotation {key}"),
        Id::RuntimeVfioMode => format!("Unknown VFIO mode \"{value}\" in annotation {key}"),
        _ => format!(
            "Invalid hypervisor shared file system {value} specified for annotation shared_fs, (supported file \
             systems: {known})"
        ),
    };
    let (reason, fix) = match id {
        Id::RuntimeInternetworkingModel => {
            (format!("{value:?} is none of default, macvtap, tcfilter and none"), "tcfilter")
        }
        Id::RuntimeVfioMode => (format!("{value:?} is neither vfio nor guest-kernel"), "guest-kernel"),
        _ => {
            let known = words.join(", ");
            let first = words.first().copied().unwrap_or_default();
            (format!("{value:?} is none of the words the runtime knows: {known}"), first)
        }
    };
    walk.refused(id, Refusal::new(Stage::Value, message, reason).write(fix));
}
