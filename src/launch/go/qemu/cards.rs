//! The pod's network cards on QEMU's command line, the last of its devices.
//!
//! Facts: `genericNetwork` in src/runtime/virtcontainers/qemu_arch_base.go, `appendNetwork` of qemu_s390x.go, and
//! `NetDevice` of the QEMU library from 2.0.0 to 4.1.0.

use super::arch::Transport;
use super::line::Line;
use super::{Plan, qemu};
use crate::input::host::Arch;
use crate::launch::go::endpoint::{Endpoint, Kind};
use crate::runtime::go::config::InterworkingModel;

/// The numbers of the descriptors that QEMU inherits.
struct Descriptors {
    last: u32,
}

impl Descriptors {
    /// The numbers of the next ones.
    fn next(&mut self, count: u32) -> String {
        let first = self.last + 1;
        self.last += count;
        let numbers: Vec<String> = (first..=self.last).map(|number| number.to_string()).collect();
        numbers.join(":")
    }
}

/// Whether QEMU can do nothing with it but by descriptors.
fn only_by_descriptors(card: &Endpoint<'_>) -> bool {
    card.kind == Kind::Macvtap || (card.kind != Kind::Tuntap && card.model == InterworkingModel::MacVtap)
}

impl Plan<'_> {
    /// The cards. Their descriptors are inherited after the agent's.
    pub(super) fn cards(&self, line: &mut Line) {
        let keys = ["runtime.internetworking_model", qemu!("disable_vhost_net"), qemu!("default_vcpus")];
        let vhost = !self.hv.disable_vhost_net && self.arch != Arch::S390x;
        let mut descriptors = Descriptors { last: self.agent_descriptor() };
        let cards = self.network.endpoints.iter().filter(|card| card.kind != Kind::Vfio).enumerate();
        for (index, card) in cards.filter(|(_, card)| card.taps > 0 || !only_by_descriptors(card)) {
            let cause = self.network.cause(&keys, card);
            let mut netdev = format!("tap,id=network-{index}");
            if vhost {
                netdev.push_str(",vhost=on");
            }
            if vhost && card.vhosts > 0 {
                netdev.push_str(",vhostfds=");
                netdev.push_str(&descriptors.next(card.vhosts));
            }
            if card.taps > 0 {
                netdev.push_str(",fds=");
                netdev.push_str(&descriptors.next(card.taps));
            } else {
                netdev.push_str(&format!(",ifname={},downscript=no,script=no", card.tap));
            }
            line.push("-netdev", netdev, cause.clone());
            let queues = match (self.transport(), card.taps) {
                (_, 0) => String::new(),
                (Transport::Pci, taps) => format!(",mq=on,vectors={}", u64::from(taps) * 2 + 2),
                _ => ",mq=on".to_owned(),
            };
            let devno = self.devno(line, true);
            line.push(
                "-device",
                format!(
                    "driver=virtio-net{},netdev=network-{index},mac={}{}{}{queues}{}{devno}",
                    self.transport().suffix(),
                    card.interface.mac,
                    self.bus(),
                    self.modern(self.nested),
                    self.rom()
                ),
                cause,
            );
        }
    }
}
