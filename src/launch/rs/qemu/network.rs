//! The network endpoints: a tap device by its descriptors, and the endpoint that it stands behind.
//!
//! Facts: `add_network_device`, `Netdev` and `DeviceVirtioNet` in
//! src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs at each tag, and network.rs beside it at 3.3.0.

use super::{Qemu, Refusal};
use crate::answer::launch::Cause;
use crate::launch::line::Line;
use crate::launch::rs::network::Endpoint;
use crate::release::rs::Change;

impl Qemu<'_> {
    /// The endpoints on the command line: those behind a process are left out, and all of them where the network is made
    /// once the VM runs.
    fn endpoints(&self) -> impl Iterator<Item = (&Endpoint, &str)> {
        let network = &self.resources.network;
        let all = network.endpoints.iter().filter(|_| !network.deferred);
        all.filter_map(|endpoint| endpoint.tap().map(|tap| (endpoint, tap)))
    }

    /// Pairs of queues, at least one.
    fn queue_pairs(&self, endpoint: &Endpoint) -> usize {
        let pairs = match self.start.has(Change::CardQueues) {
            true => endpoint.queue_pairs,
            false => self.start.hv.network_info.network_queues as usize,
        };
        pairs.max(1)
    }

    /// Opens every tap device as often as it is told to QEMU.
    pub(super) fn open_endpoints(&self) -> Result<(), Refusal> {
        self.endpoints().try_for_each(|(endpoint, _)| endpoint.open(self.queue_pairs(endpoint)))
    }

    pub(super) fn network(&self, line: &mut Line) {
        let (info, keys) = (&self.start.hv.network_info, self.start.keys);
        for (endpoint, tap) in self.endpoints() {
            let pairs = self.queue_pairs(endpoint);
            let descriptors = vec!["{fd}"; pairs].join(":");
            let id = format!("network-{}", if self.start.has(Change::NetdevByTap) { tap } else { "0" });
            let vhost = match info.disable_vhost_net {
                true => String::new(),
                false => format!("vhost=on,vhostfds={descriptors},"),
            };
            let cause =
                Cause::keys([keys.network_queues, keys.disable_vhost_net]).by("an interface of the pod");
            line.push("-netdev", format!("tap,id={id},{vhost}fds={descriptors}"), cause);
            let cause = Cause::key(keys.network_queues).by("an interface of the pod");
            let address = (self.ccw && self.start.has(Change::CcwCard)).then(|| line.next_address());
            line.device(self.endpoint(address, endpoint, &id, pairs), cause);
        }
    }

    fn endpoint(&self, address: Option<String>, endpoint: &Endpoint, id: &str, pairs: usize) -> String {
        let vectors = 2 * pairs + 2;
        if !self.start.has(Change::NetDriverFirst) {
            return format!(
                "driver=virtio-net-pci,netdev={id},mac={},disable-modern=false,mq=on,vectors={vectors}",
                endpoint.mac
            );
        }
        let bus = if address.is_some() { "ccw" } else { "pci" };
        let mut text = format!("virtio-net-{bus},netdev={id},mac={}{}", endpoint.mac, self.disable_modern());
        if self.ccw && self.start.hv.device_info.enable_iommu_platform {
            text.push_str(",iommu_platform=on");
        }
        match address {
            Some(address) => text.push_str(&format!(",devno={address},mq=on")),
            None => text.push_str(&format!(",mq=on,vectors={vectors}")),
        }
        text
    }
}
