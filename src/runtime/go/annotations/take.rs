//! Annotations that do nothing but to set their key: how, their rows in the catalogue tell.
//!
//! Facts: `newAnnotationConfiguration` and its setters in src/runtime/pkg/oci/utils.go at 4.1.0.

use super::walk::Walk;
use super::{listed, words};
use crate::answer::verdict::Stage;
use crate::catalog::{Id, Parse};
use crate::release::go::Change;
use crate::runtime::go::record::Slot;

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
                Some(Parse::GoGlobList) => listed::take_listed(self, id, value),
                Some(Parse::GoEnum) => words::take_word(self, id, value),
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
