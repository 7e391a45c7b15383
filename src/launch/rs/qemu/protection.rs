//! The objects that protect a confidential guest.
//!
//! Facts: `add_{tdx,sev,sev_snp,se}_protection_device` in
//! src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs and `SocketAddress` in
//! src/runtime-rs/crates/hypervisor/src/utils.rs at each tag.

use serde_json::{Value as Json, json};

use super::{Protection, Qemu};
use crate::answer::launch::Cause;
use crate::launch::line::{Line, Options};
use crate::release::rs::Change;

/// The position of the C-bit, which the processor tells: as EPYC processors have it.
const C_BIT: u32 = 51;

const QUOTE_SOCKET: &str = "/var/run/tdx-qgs/qgs.socket";
/// The port where the quote service listens when there is no socket.
const QUOTE_PORT: u32 = 4050;

impl Qemu<'_> {
    pub(super) fn protection(&self, line: &mut Line, protection: &Protection<'_>) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let snp = format!("sev-snp-guest,id=snp,cbitpos={C_BIT},reduced-phys-bits=1,kernel-hashes=on");
        let by_sev = Cause::keys([keys.confidential_guest, keys.sev_snp_guest])
            .by("cbitpos as EPYC processors have it");
        let firmware = match protection {
            Protection::Se => {
                line.object("s390-pv-guest,id=pv0", keys.confidential_guest);
                return;
            }
            Protection::Sev { firmware } => {
                let sev = format!("sev-guest,id=sev,cbitpos={C_BIT},reduced-phys-bits=1");
                // The runtime made the object of SNP.
                line.object(if self.start.has(Change::SevObject) { sev } else { snp }, by_sev);
                firmware
            }
            Protection::Snp { firmware, host_data } => {
                let mut object = Options::new(snp, by_sev);
                object.because(keys.snp_guest_policy);
                let policy = format!("policy=0x{:x}", hv.security_info.snp_guest_policy);
                object.add_if(self.start.has(Change::SnpPolicy), policy, []);
                if let Some(digest) = host_data {
                    object.add(format!("host-data={digest}"), keys.initdata);
                }
                line.options("-object", object);
                firmware
            }
            Protection::Tdx { firmware, qgs_port, mrconfigid } => {
                let mut object = json!({ "qom-type": "tdx-guest", "id": "tdx", "sept-ve-disable": true });
                if let Some(fields) = object.as_object_mut() {
                    fields.extend(mrconfigid.iter().map(|digest| ("mrconfigid".to_owned(), json!(digest))));
                    fields.insert("quote-generation-socket".to_owned(), self.quote_socket(*qgs_port));
                }
                let keys = [keys.confidential_guest, keys.tdx_quote_generation_service_socket_port];
                line.object(object.to_string(), keys);
                firmware
            }
        };
        line.push("-bios", *firmware, [keys.firmware, keys.confidential_guest]);
    }

    fn quote_socket(&self, port: u32) -> Json {
        let falls_back = self.start.has(Change::QuoteFallback);
        if port == 0 && (!falls_back || self.start.host.finds(QUOTE_SOCKET)) {
            return json!({ "type": "unix", "path": QUOTE_SOCKET });
        }
        let port = if port == 0 { QUOTE_PORT } else { port };
        json!({ "type": "vsock", "cid": "2", "port": port.to_string() })
    }
}
