//! The network cards: a tap device by its descriptors, and the card that it stands behind.
//!
//! Facts: `add_network_device`, `Netdev` and `DeviceVirtioNet` in
//! src/runtime-rs/crates/hypervisor/src/qemu/cmdline_generator.rs at each tag, and network.rs beside it at 3.3.0.

use super::{Qemu, Refusal};
use crate::answer::launch::Cause;
use crate::launch::line::Line;
use crate::launch::rs::network::Card;
use crate::release::rs::Change;

impl Qemu<'_> {
    /// The cards on the command line: those behind a process are left out, and all of them where the network is made
    /// once the VM runs.
    fn cards(&self) -> impl Iterator<Item = (&Card, &str)> {
        let network = &self.resources.network;
        let all = network.cards.iter().filter(|_| !network.deferred);
        all.filter_map(|card| card.tap().map(|tap| (card, tap)))
    }

    /// Pairs of queues, at least one.
    fn queue_pairs(&self, card: &Card) -> usize {
        let pairs = match self.start.has(Change::CardQueues) {
            true => card.queue_pairs,
            false => self.start.hv.network_info.network_queues as usize,
        };
        pairs.max(1)
    }

    /// Opens every tap device as often as it is told to QEMU.
    pub(super) fn open_cards(&self) -> Result<(), Refusal> {
        self.cards().try_for_each(|(card, _)| card.open(self.queue_pairs(card)))
    }

    pub(super) fn network(&self, line: &mut Line) {
        let (info, keys) = (&self.start.hv.network_info, self.start.keys);
        for (card, tap) in self.cards() {
            let pairs = self.queue_pairs(card);
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
            line.device(self.card(address, card, &id, pairs), cause);
        }
    }

    fn card(&self, address: Option<String>, card: &Card, id: &str, pairs: usize) -> String {
        let vectors = 2 * pairs + 2;
        if !self.start.has(Change::NetDriverFirst) {
            return format!(
                "driver=virtio-net-pci,netdev={id},mac={},disable-modern=false,mq=on,vectors={vectors}",
                card.mac
            );
        }
        let bus = if address.is_some() { "ccw" } else { "pci" };
        let mut text = format!("virtio-net-{bus},netdev={id},mac={}{}", card.mac, self.disable_modern());
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
