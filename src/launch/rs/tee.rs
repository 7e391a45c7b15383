//! What a careful reader points out about a confidential guest that the runtime starts: that it is not protected, or
//! in another way than its configuration is for, and what of its initialization data and shared folder is lost.
//!
//! Judges nothing. Facts: `prepare_protection_device_config` and `prepare_initdata_device_config` in
//! src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs, and what each hypervisor does with the devices that
//! are registered with it, at each tag.

use super::remarks::Remarks;
use super::resources::{Protection, Resources, Role, hardware};
use super::{Kind, Start, initdata};
use crate::answer::finding::{Code, Severity};
use crate::input::host::Protection as Hardware;
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

impl Remarks {
    /// What is to be said of protection. What a service elsewhere makes of a remote VM is not known here.
    pub(super) fn protection(&mut self, start: &Start<'_>, resources: &Resources<'_>) {
        if start.kind == Kind::Remote {
            return;
        }
        if start.hv.security_info.confidential_guest {
            self.kind_of_protection(start, resources);
            self.shared_folder(start, resources);
        } else if resources.protection.is_some() {
            let message = format!(
                "confidential_guest is not set, and this release protects every guest of a host with {} all the same",
                name(hardware(&start.host.facts))
            );
            let key = start.keys.confidential_guest;
            self.add(Code::OtherProtection, Severity::Note, key, message);
        }
        self.initdata(start, resources);
    }

    fn kind_of_protection(&mut self, start: &Start<'_>, resources: &Resources<'_>) {
        let (keys, host) = (start.keys, hardware(&start.host.facts));
        let snp = start.hv.security_info.sev_snp_guest;
        // OpenVMM warns of a protection that it does not know, and goes on.
        let unknown = start.kind == Kind::OpenVmm && resources.protection.is_some();
        if resources.protection.is_none() || unknown {
            let why = if !start.has(Change::Protection) {
                "this release protects no guest"
            } else if unknown {
                "OpenVMM passes it over"
            } else {
                "the host has no TEE"
            };
            let message = format!("confidential_guest is set, and the VM starts UNPROTECTED: {why}");
            self.add(Code::Unprotected, Severity::Warning, keys.confidential_guest, message);
            return;
        }
        let message = match (&resources.protection, host) {
            (Some(Protection::Sev { .. }), Hardware::Snp) => {
                "the host has SEV-SNP, and without sev_snp_guest the VM is a plain SEV guest: its memory is encrypted, \
                 not guarded against being changed, and it cannot attest as SEV-SNP or TDX"
                    .to_owned()
            }
            (Some(Protection::Sev { .. } | Protection::Tdx { .. } | Protection::Se), _) if snp => {
                format!("sev_snp_guest is set, and on this host the VM is a guest of {}", name(host))
            }
            _ => return,
        };
        self.add(Code::OtherProtection, Severity::Warning, keys.sev_snp_guest, message);
    }

    fn shared_folder(&mut self, start: &Start<'_>, resources: &Resources<'_>) {
        let asked = start.hv.shared_fs.shared_fs.as_deref().filter(|name| !matches!(*name, "" | "none"));
        if let (Some(asked), None, Kind::Qemu | Kind::Clh) = (asked, &resources.share, start.kind) {
            let message = format!(
                "shared_fs = {asked:?} is passed over without a word: a confidential guest shares no folder, and its \
                 containers need roots that come as block devices or are pulled in the guest"
            );
            self.add(Code::SharedFsDropped, Severity::Warning, start.keys.shared_fs, message);
        }
    }

    fn initdata(&mut self, start: &Start<'_>, resources: &Resources<'_>) {
        let document = start.hv.security_info.initdata.as_str();
        if document.is_empty() {
            return;
        }
        let (key, host) = (start.keys.initdata, hardware(&start.host.facts));
        if !resources.disks.iter().any(|disk| disk.role == Role::Initdata) {
            let message = format!(
                "the initialization data is passed over without a word on a host with {}: the guest does not get it",
                name(host)
            );
            self.add(Code::InitdataDropped, Severity::Warning, key, message);
            return;
        }
        let measured = match &resources.protection {
            Some(Protection::Tdx { mrconfigid, .. }) => mrconfigid.is_some(),
            Some(Protection::Snp { host_data, .. }) => host_data.is_some(),
            _ => false,
        };
        if !measured {
            let asked = start.hv.security_info.confidential_guest;
            let severity = if asked { Severity::Warning } else { Severity::Note };
            let message = "the guest gets the initialization data on a disk that the host can change: no digest of it \
                           is in what the guest attests to";
            self.add(Code::InitdataUnmeasured, severity, key, message.to_owned());
        } else if let Some((whole, kept)) = initdata::cut(document, host, start.release) {
            let message = format!(
                "the digest of the initialization data has {whole} bytes, of which {} keeps the first {kept}: a \
                 verifier has to compare those (katascope show initdata)",
                name(host)
            );
            self.add(Code::InitdataCut, Severity::Note, key, message);
        }
    }
}
