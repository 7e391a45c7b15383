//! What a careful reader points out about a launch that the runtime begins: what will fail a step later,
//! what is different from what is shown, and how a confidential guest is less than its configuration says.
//!
//! Facts: src/runtime/virtcontainers and its factory from 2.0.0 to 4.1.0; of protection, `enableProtection`,
//! `appendProtectionDevice` and `buildInitdataDevice` of each architecture in qemu_*.go, and which of clh.go, fc.go,
//! stratovirt.go and acrn.go read `ConfidentialGuest` and `Initdata`.

use super::{Change, Start};
use crate::answer::finding::Code;
use crate::input::host::{Arch, Protection};
use crate::launch::findings::{Findings, PLAIN_SEV};
use crate::runtime::go::config::HypervisorType;

/// What concerns every hypervisor that is a process of this host. Loading has looked for the files that the
/// configuration names; nobody has for those that annotations name, nor for the daemon.
pub(super) fn of(start: &Start<'_>, daemon: bool) -> Findings {
    let (hv, keys, host) = (start.hv, start.keys, start.host);
    let mut findings = Findings::default();
    protection(start, &mut findings);
    let custom = &hv.custom_assets;
    let chosen = [
        (&custom.kernel, keys.kernel),
        (&custom.initrd, keys.initrd),
        (&custom.image, keys.image),
        (&custom.firmware, keys.firmware),
    ];
    for (path, key) in chosen {
        let Some(path) = path.as_deref().filter(|path| !host.exists(path)) else { continue };
        let message = format!("there is no {path} on this host: the VM will not start with it");
        findings.warn_author(Code::FailsLater, key, message);
    }
    if daemon && !host.exists(&hv.virtio_fs_daemon) {
        let message = format!("there is no {} on this host: starting it will fail", hv.virtio_fs_daemon);
        findings.warn(Code::FailsLater, keys.virtio_fs_daemon, message);
    }
    let factory = &start.config.factory;
    let made = || ["memory", "state"].iter().all(|f| host.finds(&format!("{}/{f}", factory.template_path)));
    if factory.enable_template && factory.vm_cache_number == 0 && made() {
        let message = format!(
            "a template is ready in {}: the VM is cloned from it where the configurations agree, and shown here as if \
             it were booted",
            factory.template_path
        );
        findings.note(Code::NotVerified, "factory.enable_template", message);
    }
    if start.arch != Arch::X86_64 {
        let arch = start.arch.as_str();
        let message =
            format!("what is started on {arch} was compared with recordings of 3.32.0 and 4.1.0 alone");
        findings.note(Code::NotVerified, keys.machine_type, message);
    }
    findings
}

/// What is to be said of protection.
fn protection(start: &Start<'_>, findings: &mut Findings) {
    let (hv, keys) = (start.hv, start.keys);
    if hv.confidential_guest {
        if let Some(why) = unprotected(start) {
            findings.unprotected(keys.confidential_guest, why);
        } else if let Some(message) = other_protection(start) {
            findings.warn(Code::OtherProtection, keys.confidential_guest, message);
        }
    }
    if hv.cc_init_data.is_empty() {
        return;
    }
    match initdata(start) {
        Initdata::Dropped => {
            let message = "the initialization data is passed over: the guest does not get it";
            findings.warn(Code::InitdataDropped, keys.cc_init_data, message);
        }
        Initdata::Unmeasured => findings.unmeasured_initdata(keys.cc_init_data, hv.confidential_guest),
        Initdata::Measured => {}
    }
}

/// Why nothing protects a confidential guest that starts; `None`: it is protected.
fn unprotected(start: &Start<'_>) -> Option<&'static str> {
    match start.config.hypervisor_type {
        HypervisorType::Qemu if !start.has(Change::ConfidentialGuests) => {
            Some("this release protects no guest")
        }
        HypervisorType::Qemu if start.arch == Arch::Riscv64 => {
            Some("the runtime knows no protection on RISC-V")
        }
        HypervisorType::Clh if !start.has(Change::ClhConfidential) => {
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

fn initdata(start: &Start<'_>) -> Initdata {
    let found = start.host.facts.protection;
    let protected = start.hv.confidential_guest && unprotected(start).is_none();
    let realm = protected && found == Protection::Cca;
    let by_architecture = start.has(Change::InitdataByArchitecture);
    match start.config.hypervisor_type {
        HypervisorType::Qemu if !start.has(Change::InitdataDrive) => Initdata::Dropped,
        // Its digest is measured all the same, but the guest has no document to hold against it.
        HypervisorType::Qemu if by_architecture && matches!(start.arch, Arch::Aarch64 | Arch::Ppc64le) => {
            Initdata::Dropped
        }
        HypervisorType::Qemu => {
            let snp = found == Protection::Snp && start.wants_snp();
            let measures = found == Protection::Tdx || snp || realm;
            if protected && measures { Initdata::Measured } else { Initdata::Unmeasured }
        }
        HypervisorType::Clh if start.has(Change::ClhInitdata) => Initdata::Unmeasured,
        _ => Initdata::Dropped,
    }
}

/// How a guest that QEMU protects is protected otherwise than its configuration is for.
fn other_protection(start: &Start<'_>) -> Option<&'static str> {
    let hv = start.hv;
    if start.config.hypervisor_type != HypervisorType::Qemu {
        return None;
    }
    match start.host.facts.protection {
        Protection::Snp if !start.wants_snp() => Some(PLAIN_SEV),
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
