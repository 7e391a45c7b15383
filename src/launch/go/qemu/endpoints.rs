//! The pod's network endpoints on QEMU's command line, the last of its devices.
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
fn only_by_descriptors(endpoint: &Endpoint<'_>) -> bool {
    endpoint.kind == Kind::Macvtap
        || (endpoint.kind != Kind::Tuntap && endpoint.model == InterworkingModel::MacVtap)
}

impl Qemu<'_> {
    /// The endpoints. Their descriptors are inherited after the agent's.
    pub(super) fn endpoints(&self, line: &mut Line) {
        let keys = self.start.keys;
        let keys = ["runtime.internetworking_model", keys.disable_vhost_net, keys.default_vcpus];
        let vhost = !self.start.hv.disable_vhost_net && self.start.arch != Arch::S390x;
        let mut descriptors = Descriptors::after(self.agent_descriptor());
        let endpoints =
            self.network.endpoints.iter().filter(|endpoint| endpoint.kind != Kind::Vfio).enumerate();
        for (index, endpoint) in
            endpoints.filter(|(_, endpoint)| endpoint.taps > 0 || !only_by_descriptors(endpoint))
        {
            let cause = self.network.cause(&keys, endpoint);
            let mut netdev = Options::new(format!("tap,id=network-{index}"), &cause);
            netdev.add_if(vhost, "vhost=on", []);
            if vhost && endpoint.vhosts > 0 {
                netdev.add(format!("vhostfds={}", descriptors.next(endpoint.vhosts)), []);
            }
            netdev.add(
                match endpoint.taps {
                    0 => format!("ifname={},downscript=no,script=no", endpoint.tap),
                    taps => format!("fds={}", descriptors.next(taps)),
                },
                [],
            );
            line.options("-netdev", netdev);
            let queues = match (self.transport(), endpoint.taps) {
                (_, 0) => String::new(),
                (Transport::Pci, taps) => format!(",mq=on,vectors={}", u64::from(taps) * 2 + 2),
                _ => ",mq=on".to_owned(),
            };
            let devno = self.devno(line, true);
            let (net, mac, bus) = (self.on_bus("virtio-net"), &endpoint.interface.mac, self.bus());
            let (modern, rom) = (self.modern(self.nested), self.rom());
            let device =
                format!("driver={net},netdev=network-{index},mac={mac}{bus}{modern}{queues}{rom}{devno}");
            line.device(device, cause);
        }
    }
}
