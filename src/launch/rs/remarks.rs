//! What a careful reader points out about a launch that the runtime begins: what fails a step later, and
//! what is different from what was asked for.
//!
//! Facts: src/runtime-rs/crates/hypervisor and src/runtime-rs/crates/runtimes/virt_container at 4.1.0.

use super::Start;
use super::resources::{Resources, Role};
use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::input::host::Arch;

/// Remarks that grow.
pub(super) struct Remarks(pub(super) Vec<Finding>);

impl Remarks {
    /// What concerns every hypervisor.
    pub(super) fn of(start: &Start<'_>, resources: &Resources<'_>) -> Self {
        let mut remarks = Self(Vec::new());
        remarks.protection(start, resources);
        let arch = start.host.facts.arch;
        if arch != Arch::X86_64 {
            remarks.add(
                Code::NotVerified,
                Severity::Note,
                start.keys.machine_type,
                format!(
                    "what is started on {} follows the runtime's source, and was not compared with a recording",
                    arch.as_str()
                ),
            );
        }
        if start.hv.factory.enable_template {
            remarks.add(
                Code::NotVerified,
                Severity::Note,
                start.keys.boot_from_template,
                "the VM comes from a template: the runtime configures it by the first default file alone, \
                 without drop-ins, annotations and sizing"
                    .to_owned(),
            );
        }
        remarks
    }

    /// Adds one that the cluster's administrator can mend.
    pub(super) fn add(&mut self, code: Code, severity: Severity, subject: &str, message: String) {
        self.0.push(Finding {
            code,
            severity,
            subject: Some(subject.to_owned()),
            place: None,
            message,
            fix: None,
            who: Who::ClusterAdministrator,
        });
    }

    /// The disk with the initialization data is made, and not attached.
    pub(super) fn lost_initdata(&mut self, start: &Start<'_>) {
        self.0.retain(|finding| finding.code != Code::InitdataUnmeasured);
        let message = "the initialization data is written to a disk image that is never attached: the guest does not \
                       get it";
        self.add(Code::InitdataDropped, Severity::Warning, start.keys.initdata, message.to_owned());
    }

    /// Disks that this hypervisor does not attach.
    pub(super) fn dropped_disks(&mut self, start: &Start<'_>, resources: &Resources<'_>) {
        let has = |wanted: fn(&Role<'_>) -> bool| resources.disks.iter().any(|disk| wanted(&disk.role));
        if has(|role| *role == Role::Initdata) {
            self.lost_initdata(start);
        }
        if has(|role| matches!(role, Role::Extension(_))) {
            self.add(
                Code::NoEffect,
                Severity::Warning,
                start.keys.guest_extension_images,
                "this hypervisor does not attach guest extension images before the VM starts".to_owned(),
            );
        }
    }
}
