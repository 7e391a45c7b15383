//! What QEMU is told of a confidential guest's protection, and of SGX enclave memory.
//!
//! Facts: `appendProtectionDevice` of each architecture in src/runtime/virtcontainers/qemu_*.go, and the objects
//! of the QEMU library from 2.0.0 to 4.1.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::arch::GuestProtection;
use super::{Change, Qemu};
use crate::answer::launch::Cause;
use crate::input::host::Arch;
use crate::launch::line::{Line, Options};

/// Where the quote service listens on this host.
pub(super) const QUOTE_SOCKET: &str = "/var/run/tdx-qgs/qgs.socket";
/// Where the runtime gets it from is the processor itself; this is what EPYC has had since its second
/// generation.
const C_BIT: u32 = 51;
const C_BIT_KNOWN: &str = "cbitpos as EPYC processors have it";
/// The quote service's port where none is configured.
const QUOTE_PORT: u32 = 4050;

/// `data` cut or filled with zeros to `length`, in base64.
fn digest(data: &[u8], length: usize) -> String {
    let mut bytes = data.to_vec();
    bytes.resize(length, 0);
    STANDARD.encode(bytes)
}

impl Qemu<'_> {
    /// Whether the sandbox gets SGX enclave memory.
    pub(super) fn has_epc(&self) -> bool {
        self.has(Change::EnclaveMemory) && self.start.arch == Arch::X86_64 && self.start.hv.epc != 0
    }

    /// Whether the firmware is passed by itself.
    pub(super) fn has_bios(&self) -> bool {
        match self.protection {
            GuestProtection::None
            | GuestProtection::SecureExecution
            | GuestProtection::Pef
            | GuestProtection::Realm => true,
            GuestProtection::Tdx => !self.has(Change::TdxFirmwareLoader),
            GuestProtection::Snp => !self.has(Change::SnpFirmwareDrive),
            GuestProtection::Sev => false,
        }
    }

    /// The digest of the initdata document, where the protection holds it.
    fn initdata_digest(&self) -> Option<&[u8]> {
        let digest = &self.start.hv.initdata_digest;
        (!digest.is_empty() && self.has(Change::InitdataDrive)).then_some(digest)
    }

    pub(super) fn protection(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        if self.has_epc() {
            let object = format!("memory-backend-epc,id=epc0,size={},prealloc=on", hv.epc as u64);
            line.object(object, Cause::rule("sgx.intel.com/epc asks for enclave memory"));
        }
        // QEMU is not told of an object whose firmware is missing.
        let missing = hv.firmware_asset_path().is_empty();
        match self.protection {
            GuestProtection::Tdx | GuestProtection::Sev | GuestProtection::Snp if missing => {}
            GuestProtection::None => {}
            GuestProtection::Tdx => self.tdx(line),
            GuestProtection::Sev => {
                let cause = Cause::key(keys.confidential_guest).by(C_BIT_KNOWN);
                line.object(format!("sev-guest,id=sev,cbitpos={C_BIT},reduced-phys-bits=1"), cause);
                self.firmware_drive(line);
            }
            GuestProtection::Snp => {
                self.snp(line);
                if self.has(Change::SnpFirmwareDrive) {
                    self.firmware_drive(line);
                }
            }
            GuestProtection::Pef => {
                line.device("spapr-tpm-proxy,id=tpm0,host-path=/dev/tpmrm0", keys.confidential_guest);
                line.object("pef-guest,id=pef0", keys.confidential_guest);
            }
            GuestProtection::Realm => {
                let text = format!("rme-guest,id=rme0,measurement-algorithm={}", hv.measurement_algo);
                let mut object = Options::new(text, [keys.confidential_guest, keys.measurement_algo]);
                if let Some(data) = self.initdata_digest() {
                    object.add(format!("personalization-value={}", digest(data, 64)), keys.cc_init_data);
                }
                line.options("-object", object);
            }
            GuestProtection::SecureExecution => line.object("s390-pv-guest,id=pv0", keys.confidential_guest),
        }
    }

    fn firmware_drive(&self, line: &mut Line) {
        let firmware = self.start.hv.firmware_asset_path();
        let drive = format!("if=pflash,format=raw,readonly=on,file={firmware}");
        line.push("-drive", drive, self.start.keys.firmware);
    }

    fn snp(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let host_data = self.initdata_digest().map(|data| format!("host-data={}", digest(data, 32)));
        let (before, after) = match host_data {
            Some(data) if self.has(Change::SnpHostDataFirst) => (format!("{data},"), None),
            data => (String::new(), data),
        };
        let first = format!("{before}sev-snp-guest,id=snp,cbitpos={C_BIT},reduced-phys-bits=1");
        let mut object = Options::new(first, [keys.confidential_guest, keys.sev_snp_guest]);
        if self.initdata_digest().is_some() {
            object.because(keys.cc_init_data);
        }
        object.add_if(self.has(Change::SnpKernelHashes), "kernel-hashes=on", []);
        let certificates = !hv.snp_certs_path.is_empty() && self.has(Change::SnpFirmwareDrive);
        object.add_if(certificates, format!("certs-path={}", hv.snp_certs_path), keys.snp_certs_path);
        let identity = format!("id-block={},id-auth={}", hv.snp_id_block, hv.snp_id_auth);
        let is_identified = !hv.snp_id_block.is_empty() && self.has(Change::SnpIdentity);
        object.add_if(is_identified, identity, [keys.snp_id_block, keys.snp_id_auth]);
        if let Some(policy) = hv.snp_guest_policy.filter(|_| self.has(Change::SnpPolicy)) {
            object.add(format!("policy={policy}"), keys.snp_guest_policy);
        }
        if let Some(data) = after {
            object.add(data, []);
        }
        object.cause.rule = C_BIT_KNOWN.into();
        line.options("-object", object);
    }

    fn tdx(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        if self.has(Change::TdxFirmwareLoader) {
            let volume = hv.firmware_volume_asset_path();
            let loader = format!("loader,id=fd0,file={}", hv.firmware_asset_path());
            let mut loader = Options::new(loader, [keys.firmware, keys.firmware_volume]);
            let has_volume = !volume.is_empty() && self.has(Change::TdxFirmwareVolume);
            loader.add_if(has_volume, format!("config-firmware-volume={volume}"), []);
            line.options("-device", loader);
        }
        if !self.has(Change::TdxQuoteService) {
            let option = if self.has(Change::TdxSeptVeDisable) { ",sept-ve-disable=on" } else { "" };
            line.object(format!("tdx-guest{option},id=tdx"), keys.confidential_guest);
            return;
        }
        let mut cause = Cause::keys([keys.confidential_guest, keys.tdx_quote_generation_service_socket_port]);
        let mut digest_field = String::new();
        if let Some(data) = self.initdata_digest() {
            cause.keys.push(keys.cc_init_data.into());
            digest_field = format!(r#""mrconfigid":"{}","#, digest(data, 48));
        }
        let quotes = if self.qgs_unix {
            format!(r#"{{"type":"unix","path":"{QUOTE_SOCKET}"}}"#)
        } else {
            let port = match hv.tdx_quote_generation_service_socket_port {
                0 => QUOTE_PORT,
                port => port,
            };
            format!(r#"{{"type":"vsock","cid":"2","port":"{port}"}}"#)
        };
        let object = format!(
            r#"{{"qom-type":"tdx-guest","id":"tdx",{digest_field}"quote-generation-socket":{quotes}}}"#
        );
        line.object(object, cause);
    }
}
