//! What a careful reader points out about a confidential guest that the runtime starts: that it is not protected, or
//! in another way than its configuration is for, and what of its initialization data is lost.
//!
//! Judges nothing. Facts: `enableProtection`, `appendProtectionDevice` and `buildInitdataDevice` of each architecture
//! in src/runtime/virtcontainers/qemu_*.go, and which of clh.go, fc.go, stratovirt.go and acrn.go read
//! `ConfidentialGuest` and `Initdata`, from 2.0.0 to 4.1.0.

use super::remarks::Remarks;
use crate::answer::finding::{Code, Severity, Who};
use crate::input::Host;
use crate::input::host::{Arch, Protection};
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorKeys, HypervisorType, SandboxConfig};

/// Why nothing protects a confidential guest that starts; `None`: it is protected.
fn unprotected(host: &Host, config: &SandboxConfig) -> Option<&'static str> {
    let release = config.release;
    match config.hypervisor_type {
        HypervisorType::Qemu if !release.has(Change::ConfidentialGuests) => {
            Some("this release protects no guest")
        }
        HypervisorType::Qemu if host.facts.arch == Arch::Riscv64 => {
            Some("the runtime knows no protection on RISC-V")
        }
        HypervisorType::Clh if !release.has(Change::ClhConfidential) => {
            Some("this release protects no guest of Cloud Hypervisor")
        }
        HypervisorType::Firecracker | HypervisorType::Stratovirt | HypervisorType::Acrn => {
            Some("this hypervisor passes it over")
        }
        _ => None,
    }
}

/// What becomes of the initialization data.
enum Initdata {
    Dropped,
    Unmeasured,
    Measured,
}

fn initdata(host: &Host, config: &SandboxConfig) -> Initdata {
    let (release, facts) = (config.release, &host.facts);
    let protected = config.hypervisor_config.confidential_guest && unprotected(host, config).is_none();
    let realm = protected && facts.protection == Protection::Cca;
    let by_architecture = release.has(Change::InitdataByArchitecture);
    match config.hypervisor_type {
        HypervisorType::Qemu if !release.has(Change::InitdataDrive) => Initdata::Dropped,
        // Its digest is measured all the same, but the guest has no document to hold against it.
        HypervisorType::Qemu if by_architecture && matches!(facts.arch, Arch::Aarch64 | Arch::Ppc64le) => {
            Initdata::Dropped
        }
        HypervisorType::Qemu => {
            let snp = facts.protection == Protection::Snp
                && super::qemu::wants_snp(release, &config.hypervisor_config);
            let measures = facts.protection == Protection::Tdx || snp || realm;
            if protected && measures { Initdata::Measured } else { Initdata::Unmeasured }
        }
        HypervisorType::Clh if release.has(Change::ClhInitdata) => Initdata::Unmeasured,
        _ => Initdata::Dropped,
    }
}

impl Remarks {
    /// What is to be said of protection.
    pub(super) fn protection(&mut self, host: &Host, config: &SandboxConfig, keys: &'static HypervisorKeys) {
        let hv = &config.hypervisor_config;
        let mut warn = |code, severity, key, message: String| {
            self.add(code, severity, Who::ClusterAdministrator, key, message);
        };
        if hv.confidential_guest {
            if let Some(why) = unprotected(host, config) {
                let message = format!("confidential_guest is set, and the VM starts UNPROTECTED: {why}");
                warn(Code::Unprotected, Severity::Warning, keys.confidential_guest, message);
            } else if let Some(message) = other_protection(host, config) {
                warn(Code::OtherProtection, Severity::Warning, keys.confidential_guest, message.to_owned());
            }
        }
        if hv.cc_init_data.is_empty() {
            return;
        }
        match initdata(host, config) {
            Initdata::Dropped => {
                let message = "the initialization data is passed over: the guest does not get it";
                warn(Code::InitdataDropped, Severity::Warning, keys.cc_init_data, message.to_owned());
            }
            Initdata::Unmeasured => {
                let severity = if hv.confidential_guest { Severity::Warning } else { Severity::Note };
                let message = "the guest gets the initialization data on a disk that the host can change: no digest of \
                               it is in what the guest attests to";
                warn(Code::InitdataUnmeasured, severity, keys.cc_init_data, message.to_owned());
            }
            Initdata::Measured => {}
        }
    }
}

/// How a guest that QEMU protects is protected otherwise than its configuration is for.
fn other_protection(host: &Host, config: &SandboxConfig) -> Option<&'static str> {
    let (hv, found) = (&config.hypervisor_config, host.facts.protection);
    if config.hypervisor_type != HypervisorType::Qemu {
        return None;
    }
    let snp = super::qemu::wants_snp(config.release, hv);
    match found {
        Protection::Snp if !snp => Some(
            "the host has SEV-SNP, and without sev_snp_guest the VM is a plain SEV guest: its memory is encrypted, not \
             guarded against being changed, and it cannot attest as SEV-SNP or TDX",
        ),
        Protection::Tdx if hv.sev_snp_guest => {
            Some("sev_snp_guest is set, and on this host the VM is a guest of TDX")
        }
        Protection::Sev if hv.sev_snp_guest => {
            Some("sev_snp_guest is set, and on this host the VM is a plain SEV guest")
        }
        Protection::Tdx | Protection::Snp | Protection::Sev if hv.firmware_asset_path().is_empty() => Some(
            "no firmware is configured: the object of the protection is left out, and QEMU refuses the machine that \
             names it",
        ),
        _ => None,
    }
}
