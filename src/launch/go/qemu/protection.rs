//! What QEMU is told of a confidential guest's protection, and of SGX enclave memory.
//!
//! Facts: `appendProtectionDevice` of each architecture in src/runtime/virtcontainers/qemu_*.go, and the objects
//! of the QEMU library from 2.0.0 to 4.1.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::arch::Guard;
use super::line::Line;
use super::{Plan, qemu};
use crate::answer::launch::Cause;
use crate::input::host::Arch;
use crate::release::go::Change;

/// Where the quote service listens on this host.
pub(super) const QUOTE_SOCKET: &str = "/var/run/tdx-qgs/qgs.socket";
/// Where the runtime gets it from is the processor itself; this is what EPYC has had since its second
/// generation.
const C_BIT: u32 = 51;
/// The quote service's port where none is configured.
const QUOTE_PORT: u32 = 4050;

/// `data` cut or filled with zeros to `length`, in base64.
fn digest(data: &[u8], length: usize) -> String {
    let mut bytes = data.to_vec();
    bytes.resize(length, 0);
    STANDARD.encode(bytes)
}

impl Plan<'_> {
    /// Whether the sandbox gets SGX enclave memory.
    pub(super) fn has_epc(&self) -> bool {
        self.has(Change::EnclaveMemory) && self.arch == Arch::X86_64 && self.hv.epc != 0
    }

    /// Whether the firmware is passed by itself.
    pub(super) fn has_bios(&self) -> bool {
        match self.guard {
            Guard::None | Guard::SecureExecution | Guard::Pef | Guard::Realm => true,
            Guard::Tdx => !self.has(Change::TdxFirmwareLoader),
            Guard::Snp => !self.has(Change::SnpFirmwareDrive),
            Guard::Sev => false,
        }
    }

    /// The digest of the initdata document, where the protection holds it.
    fn initdata_digest(&self) -> Option<&[u8]> {
        let digest = &self.hv.initdata_digest;
        (!digest.is_empty() && self.has(Change::InitdataDrive)).then_some(digest)
    }

    pub(super) fn protection(&self, line: &mut Line) {
        let hv = self.hv;
        if self.has_epc() {
            line.push(
                "-object",
                format!("memory-backend-epc,id=epc0,size={},prealloc=on", hv.epc as u64),
                Cause::rule("sgx.intel.com/epc asks for enclave memory"),
            );
        }
        // QEMU is not told of an object whose firmware is missing.
        let missing = hv.firmware_asset_path().is_empty();
        match self.guard {
            Guard::Tdx | Guard::Sev | Guard::Snp if missing => {}
            Guard::None => {}
            Guard::Tdx => self.tdx(line),
            Guard::Sev => {
                line.push(
                    "-object",
                    format!("sev-guest,id=sev,cbitpos={C_BIT},reduced-phys-bits=1"),
                    Cause::key(qemu!("confidential_guest")).by("cbitpos as EPYC processors have it"),
                );
                self.firmware_drive(line);
            }
            Guard::Snp => {
                self.snp(line);
                if self.has(Change::SnpFirmwareDrive) {
                    self.firmware_drive(line);
                }
            }
            Guard::Pef => {
                let cause = Cause::key(qemu!("confidential_guest"));
                line.push("-device", "spapr-tpm-proxy,id=tpm0,host-path=/dev/tpmrm0", cause.clone());
                line.push("-object", "pef-guest,id=pef0", cause);
            }
            Guard::Realm => {
                let mut cause = Cause::keys([qemu!("confidential_guest"), qemu!("measurement_algo")]);
                let mut object = format!("rme-guest,id=rme0,measurement-algorithm={}", hv.measurement_algo);
                if let Some(data) = self.initdata_digest() {
                    cause.keys.push(qemu!("cc_init_data").into());
                    object.push_str(&format!(",personalization-value={}", digest(data, 64)));
                }
                line.push("-object", object, cause);
            }
            Guard::SecureExecution => {
                line.push("-object", "s390-pv-guest,id=pv0", Cause::key(qemu!("confidential_guest")));
            }
        }
    }

    fn firmware_drive(&self, line: &mut Line) {
        line.push(
            "-drive",
            format!("if=pflash,format=raw,readonly=on,file={}", self.hv.firmware_asset_path()),
            Cause::key(qemu!("firmware")),
        );
    }

    fn snp(&self, line: &mut Line) {
        let hv = self.hv;
        let mut cause = Cause::keys([qemu!("confidential_guest"), qemu!("sev_snp_guest")]);
        let host_data = self.initdata_digest().map(|data| format!("host-data={}", digest(data, 32)));
        if host_data.is_some() {
            cause.keys.push(qemu!("cc_init_data").into());
        }
        let first = self.has(Change::SnpHostDataFirst);
        let mut words = Vec::with_capacity(8);
        words.extend(host_data.iter().filter(|_| first).cloned());
        words.push(format!("sev-snp-guest,id=snp,cbitpos={C_BIT},reduced-phys-bits=1"));
        if self.has(Change::SnpKernelHashes) {
            words.push("kernel-hashes=on".to_owned());
        }
        if !hv.snp_certs_path.is_empty() && self.has(Change::SnpFirmwareDrive) {
            words.push(format!("certs-path={}", hv.snp_certs_path));
            cause.keys.push(qemu!("snp_certs_path").into());
        }
        if !hv.snp_id_block.is_empty() && self.has(Change::SnpIdentity) {
            words.push(format!("id-block={},id-auth={}", hv.snp_id_block, hv.snp_id_auth));
            cause.keys.push(qemu!("snp_id_block").into());
            cause.keys.push(qemu!("snp_id_auth").into());
        }
        if let Some(policy) = hv.snp_guest_policy.filter(|_| self.has(Change::SnpPolicy)) {
            words.push(format!("policy={policy}"));
            cause.keys.push(qemu!("snp_guest_policy").into());
        }
        words.extend(host_data.filter(|_| !first));
        line.push("-object", words.join(","), cause.by("cbitpos as EPYC processors have it"));
    }

    fn tdx(&self, line: &mut Line) {
        let hv = self.hv;
        let mut cause = Cause::key(qemu!("confidential_guest"));
        if self.has(Change::TdxFirmwareLoader) {
            let volume = hv.firmware_volume_asset_path();
            let mut loader = format!("loader,id=fd0,file={}", hv.firmware_asset_path());
            if !volume.is_empty() && self.has(Change::TdxFirmwareVolume) {
                loader.push_str(&format!(",config-firmware-volume={volume}"));
            }
            line.push("-device", loader, Cause::keys([qemu!("firmware"), qemu!("firmware_volume")]));
        }
        if !self.has(Change::TdxQuoteService) {
            let option = if self.has(Change::TdxSeptVeDisable) { ",sept-ve-disable=on" } else { "" };
            line.push("-object", format!("tdx-guest{option},id=tdx"), cause);
            return;
        }
        cause.keys.push(qemu!("tdx_quote_generation_service_socket_port").into());
        let digest = match self.initdata_digest() {
            Some(data) => {
                cause.keys.push(qemu!("cc_init_data").into());
                format!(r#""mrconfigid":"{}","#, digest(data, 48))
            }
            None => String::new(),
        };
        let quotes = if self.qgs_unix {
            format!(r#"{{"type":"unix","path":"{QUOTE_SOCKET}"}}"#)
        } else {
            let port = if hv.tdx_quote_generation_service_socket_port == 0 {
                QUOTE_PORT
            } else {
                hv.tdx_quote_generation_service_socket_port
            };
            format!(r#"{{"type":"vsock","cid":"2","port":"{port}"}}"#)
        };
        let object =
            format!(r#"{{"qom-type":"tdx-guest","id":"tdx",{digest}"quote-generation-socket":{quotes}}}"#);
        line.push("-object", object, cause);
    }
}
