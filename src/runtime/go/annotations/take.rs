//! Annotations that do nothing but to set their key: how, their rows in the catalogue tell.
//!
//! Facts: `newAnnotationConfiguration` and its setters, `checkPathIsInGlobs` and its callers,
//! `addHypervisorBlockOverrides`, `addHypervisorVirtioFsOverrides` and `addRuntimeConfigOverrides` in
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::Walk;
use crate::answer::verdict::{Fix, ListId, Stage, Step};
use crate::catalog::{Id, Parse};
use crate::golang::filepath::literally;
use crate::golang::strconv::list;
use crate::release::go::Change;
use crate::runtime::go::config::{InterworkingModel, VfioMode};
use crate::runtime::go::record::Slot;
use crate::runtime::refusal::Refusal;

impl Walk<'_> {
    /// Takes over what annotations say that do nothing but to set their key, as their rows in the catalogue tell.
    pub fn take(&mut self, ids: &[Id]) {
        for id in ids.iter().copied() {
            let Some(value) = self.value(id) else { continue };
            match id.annotation().reader(self.config.release).parse {
                Some(Parse::GoBool) => self.flag(id, value),
                Some(Parse::GoUint32 | Parse::GoUint64 | Parse::GoUint64Trunc32) => self.take_number(id),
                Some(Parse::GoStringNonempty) if value.is_empty() => self.ignored_as_empty(id),
                Some(Parse::GoString | Parse::GoStringNonempty) => {
                    if let Slot::Text(place) = self.slot(id) {
                        value.clone_into(place);
                    }
                    self.applied_as_is(id);
                }
                Some(Parse::GoGlobList) => take_listed(self, id, value),
                Some(Parse::GoEnum) => take_word(self, id, value),
                _ => {}
            }
        }
    }

    fn take_number(&mut self, id: Id) {
        let Some(number) = self.number(id) else { return };
        let release = self.config.release;
        let past_zero = match id {
            Id::HypervisorMemorySlots | Id::HypervisorMemoryOffset | Id::HypervisorPcieSwitchPort => true,
            Id::HypervisorPcieRootPort => release.has(Change::PortsLimited),
            _ => false,
        };
        if number == 0 && past_zero {
            return self.ignored(id, Stage::Range, "0 changes nothing here");
        }
        if let Slot::U64(place) = self.slot(id) {
            *place = number;
            return self.applied_number(id, number);
        }
        let kept = self.applied_cut(id, number);
        if let Slot::U32(place) = self.slot(id) {
            *place = kept;
        }
    }
}

/// A path that a `valid_*` list has to let through; refuses the pod where it does not.
fn take_listed(walk: &mut Walk<'_>, id: Id, value: &str) {
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
    walk.refused(id, Refusal::at(Stage::Value, message, reason).mended_by(fix));
}

/// Takes a word that the runtime knows.
fn take_word(walk: &mut Walk<'_>, id: Id, value: &str) {
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
    let key = id.annotation().key;
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
    walk.refused(id, Refusal::at(Stage::Value, message, reason).write(fix));
}
