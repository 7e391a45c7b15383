//! What a careful reader points out about a launch that the runtime begins: what fails a step later, what is different
//! from what was asked for, and how a confidential guest is less than its configuration says.
//!
//! Facts: src/runtime-rs/crates/hypervisor and src/runtime-rs/crates/runtimes/virt_container at each tag; of
//! protection, `prepare_protection_device_config` and `prepare_initdata_device_config` in sandbox.rs there, and what
//! each hypervisor does with the devices that are registered with it.

use super::resources::{Protection, Resources, Role, hardware};
use super::{Kind, Start, initdata};
use crate::answer::finding::Code;
use crate::input::host::{Arch, Protection as Hardware};
use crate::launch::findings::{Findings, PLAIN_SEV};
use crate::release::rs::Change;

/// A platform as people call it.
fn name(hardware: Hardware) -> &'static str {
    match hardware {
        Hardware::Tdx => "TDX",
        Hardware::Snp => "SEV-SNP",
        Hardware::Sev => "SEV",
        Hardware::Se => "Secure Execution",
        Hardware::Pef => "PEF",
        _ => "no TEE",
    }
}

/// What concerns every hypervisor.
pub(super) fn of(resources: &Resources<'_>) -> Findings {
    let start = &resources.start;
    let mut findings = Findings::default();
    // What a service elsewhere makes of a remote VM is not known here.
    if start.kind != Kind::Remote {
        protection(start, resources, &mut findings);
        initdata(start, resources, &mut findings);
    }
    let arch = start.host.facts.arch;
    if arch != Arch::X86_64 {
        let message = format!(
            "what is started on {} follows the runtime's source, and was not compared with a recording",
            arch.as_str()
        );
        findings.note(Code::NotVerified, start.keys.machine_type, message);
    }
    if start.hv.factory.enable_template {
        let message = "the VM comes from a template: the runtime configures it by the first default file alone, \
                       without drop-ins, annotations and sizing";
        findings.note(Code::NotVerified, start.keys.boot_from_template, message);
    }
    findings
}

fn protection(start: &Start<'_>, resources: &Resources<'_>, findings: &mut Findings) {
    let (keys, host) = (start.keys, hardware(&start.host.facts));
    let security = &start.hv.security_info;
    match &resources.protection {
        None if !security.confidential_guest => return,
        Some(_) if !security.confidential_guest => {
            let message = format!(
                "confidential_guest is not set, and this release protects every guest of a host with {} all the same",
                name(host)
            );
            findings.note(Code::OtherProtection, keys.confidential_guest, message);
            return;
        }
        None => {
            let knows = start.has(Change::Protection);
            let why = if knows { "the host has no TEE" } else { "this release protects no guest" };
            findings.unprotected(keys.confidential_guest, why);
        }
        // It warns of a protection that it does not know, and goes on.
        Some(_) if start.kind == Kind::OpenVmm => {
            findings.unprotected(keys.confidential_guest, "OpenVMM passes it over");
        }
        Some(Protection::Sev { .. }) if host == Hardware::Snp => {
            findings.warn(Code::OtherProtection, keys.sev_snp_guest, PLAIN_SEV);
        }
        Some(Protection::Sev { .. } | Protection::Tdx { .. } | Protection::Se) if security.sev_snp_guest => {
            let message =
                format!("sev_snp_guest is set, and on this host the VM is a guest of {}", name(host));
            findings.warn(Code::OtherProtection, keys.sev_snp_guest, message);
        }
        Some(_) => {}
    }
    let asked = start.hv.shared_fs.shared_fs.as_deref().filter(|name| !matches!(*name, "" | "none"));
    if let (Some(asked), None, Kind::Qemu | Kind::Clh) = (asked, &resources.share, start.kind) {
        let message = format!(
            "shared_fs = {asked:?} is passed over without a word: a confidential guest shares no folder, and its \
             containers need roots that come as block devices or are pulled in the guest"
        );
        findings.warn(Code::SharedFsDropped, keys.shared_fs, message);
    }
}

fn initdata(start: &Start<'_>, resources: &Resources<'_>, findings: &mut Findings) {
    let security = &start.hv.security_info;
    let document = security.initdata.as_str();
    if document.is_empty() {
        return;
    }
    let (key, host) = (start.keys.initdata, hardware(&start.host.facts));
    if !resources.disks.iter().any(|disk| disk.role == Role::Initdata) {
        let message = format!(
            "the initialization data is passed over without a word on a host with {}: the guest does not get it",
            name(host)
        );
        findings.warn(Code::InitdataDropped, key, message);
        return;
    }
    let measured = match &resources.protection {
        Some(Protection::Tdx { mrconfigid, .. }) => mrconfigid.is_some(),
        Some(Protection::Snp { host_data, .. }) => host_data.is_some(),
        _ => false,
    };
    if !measured {
        findings.unmeasured_initdata(key, security.confidential_guest);
    } else if let Some((whole, kept)) = initdata::cut(document, host, start.release) {
        let message = format!(
            "the digest of the initialization data has {whole} bytes, of which {} keeps the first {kept}: a \
             verifier has to compare those (katascope show initdata)",
            name(host)
        );
        findings.note(Code::InitdataCut, key, message);
    }
}

/// The disk with the initialization data is made, and not attached.
pub(super) fn lost_initdata(start: &Start<'_>, findings: &mut Findings) {
    findings.0.retain(|finding| finding.code != Code::InitdataUnmeasured);
    let message = "the initialization data is written to a disk image that is never attached: the guest does not get \
                   it";
    findings.warn(Code::InitdataDropped, start.keys.initdata, message);
}

/// Disks that this hypervisor does not attach.
pub(super) fn dropped_disks(resources: &Resources<'_>, findings: &mut Findings) {
    let has = |wanted: fn(&Role<'_>) -> bool| resources.disks.iter().any(|disk| wanted(&disk.role));
    if has(|role| *role == Role::Initdata) {
        lost_initdata(&resources.start, findings);
    }
    if has(|role| matches!(role, Role::Extension(_))) {
        let message = "this hypervisor does not attach guest extension images before the VM starts";
        findings.warn(Code::NoEffect, resources.start.keys.guest_extension_images, message);
    }
}
