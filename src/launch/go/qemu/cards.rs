//! The pod's network cards on QEMU's command line, the last of its devices.
//!
//! Facts: `genericNetwork` in src/runtime/virtcontainers/qemu_arch_base.go, `appendNetwork` of qemu_s390x.go, and
//! `NetDevice` of the QEMU library from 2.0.0 to 4.1.0.

use super::Qemu;
use super::arch::Transport;
use crate::input::host::Arch;
use crate::launch::go::endpoint::{Descriptors, Endpoint, Kind};
use crate::launch::line::{Line, Options};
use crate::runtime::go::config::InterworkingModel;

/// Whether QEMU can do nothing with it but by descriptors.
fn only_by_descriptors(card: &Endpoint<'_>) -> bool {
    card.kind == Kind::Macvtap || (card.kind != Kind::Tuntap && card.model == InterworkingModel::MacVtap)
}

impl Qemu<'_> {
    /// The cards. Their descriptors are inherited after the agent's.
    pub(super) fn cards(&self, line: &mut Line) {
        let keys = self.start.keys;
        let keys = ["runtime.internetworking_model", keys.disable_vhost_net, keys.default_vcpus];
        let vhost = !self.start.hv.disable_vhost_net && self.start.arch != Arch::S390x;
        let mut descriptors = Descriptors::after(self.agent_descriptor());
        let cards = self.network.endpoints.iter().filter(|card| card.kind != Kind::Vfio).enumerate();
        for (index, card) in cards.filter(|(_, card)| card.taps > 0 || !only_by_descriptors(card)) {
            let cause = self.network.cause(&keys, card);
            let mut netdev = Options::new(format!("tap,id=network-{index}"), &cause);
            netdev.add_if(vhost, "vhost=on", []);
            if vhost && card.vhosts > 0 {
                netdev.add(format!("vhostfds={}", descriptors.next(card.vhosts)), []);
            }
            netdev.add(
                match card.taps {
                    0 => format!("ifname={},downscript=no,script=no", card.tap),
                    taps => format!("fds={}", descriptors.next(taps)),
                },
                [],
            );
            line.options("-netdev", netdev);
            let queues = match (self.transport(), card.taps) {
                (_, 0) => String::new(),
                (Transport::Pci, taps) => format!(",mq=on,vectors={}", u64::from(taps) * 2 + 2),
                _ => ",mq=on".to_owned(),
            };
            let devno = self.devno(line, true);
            let (net, mac, bus) = (self.on_bus("virtio-net"), &card.interface.mac, self.bus());
            let (modern, rom) = (self.modern(self.nested), self.rom());
            let device =
                format!("driver={net},netdev=network-{index},mac={mac}{bus}{modern}{queues}{rom}{devno}");
            line.device(device, cause);
        }
    }
}
