//! The PCI Express ports that QEMU's devices are plugged into later.
//!
//! Decides how many of which kind, and how they are rendered. Facts: `createPCIeTopology` and
//! `genericAppendPCIe{Root,Switch}Port` in src/runtime/virtcontainers/qemu.go, and the ports of the QEMU library
//! from 2.0.0 to 4.1.0.

use super::arch::Machine;
use super::{Change, Qemu, Refusal, Start, refuse};
use crate::answer::launch::Cause;
use crate::launch::go::network::links;
use crate::launch::line::Line;
use crate::runtime::go::config::HypervisorConfig;

/// As many ports of a kind as one root bus has room for.
const MOST_PORTS: u32 = 16;
/// What a port reserves where the host has no graphics card: below 4 GiB twice the least of a card.
const RESERVES: &str = ",pref64-reserve=2097152B,mem-reserve=4194304B";

/// The ports for VFIO devices that are plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ports {
    None,
    Root(u32),
    Switch(u32),
}

impl Ports {
    pub(super) fn of(start: &Start<'_>, machine: Machine) -> Result<Self, Refusal> {
        let hv = start.hv;
        if start.has(Change::PortsByNumber) {
            let has_ports = match machine {
                Machine::Q35 => true,
                Machine::Virt => start.has(Change::PortsOnVirt),
                _ => false,
            };
            return Ok(if has_ports { Self::Root(hv.pcie_root_port) } else { Self::None });
        }
        if !considered(machine, hv) {
            return Ok(Self::None);
        }
        let either = |port: &str| hv.hot_plug_vfio == port || hv.cold_plug_vfio == port;
        let at_least = |least: u32| if start.has(Change::PortsAtLeast) { least } else { 0 };
        let on_virt = start.has(Change::PortsForHotPlugOnVirt);
        // What is there of the pod's network gets one each.
        let own = if machine == Machine::Virt && on_virt {
            links(start) + u32::from(hv.enable_virtio_mem)
        } else {
            0
        };
        if hv.vfio_groups
            && !hv.vfio_devices.is_empty()
            && hv.confidential_guest
            && start.has(Change::ConfidentialDevicesByThemselves)
        {
            let message = "ConfidentialGuest needs IOMMUFD - cannot use /dev/vfio/{group}";
            return refuse(message, &["confidential_guest", "cold_plug_vfio"]);
        }
        let own = own.saturating_add(u32::try_from(hv.vfio_devices.len()).unwrap_or(u32::MAX));
        let bounded = |count: u32, kind: &str, caused_by: &'static [&'static str]| match count > MOST_PORTS {
            true => {
                refuse(format!("Number of PCIe {kind} Ports exceeed allowed max of {MOST_PORTS}"), caused_by)
            }
            false => Ok(count),
        };
        if either("root-port") {
            let count = own.max(at_least(hv.pcie_root_port));
            return bounded(count, "Root", &["pcie_root_port"]).map(Self::Root);
        }
        if either("switch-port") {
            let count = own.max(at_least(hv.pcie_switch_port));
            return bounded(count, "Switch", &["pcie_switch_port"]).map(Self::Switch);
        }
        Ok(if own > 0 { Self::Root(own) } else { Self::None })
    }
}

/// Whether ports are thought of at all.
fn considered(machine: Machine, hv: &HypervisorConfig) -> bool {
    let unplugged = hv.hot_plug_vfio == "no-port" && hv.cold_plug_vfio == "no-port";
    machine.has_pcie() && !(machine == Machine::Q35 && unplugged)
}

impl Qemu<'_> {
    pub(super) fn port_devices(&self, line: &mut Line) {
        let keys = self.start.keys;
        let reserves = if self.has(Change::PortsReserve) { RESERVES } else { "" };
        match self.ports {
            Ports::None => {}
            Ports::Root(count) => {
                let mut cause = Cause::key(keys.pcie_root_port);
                if !self.has(Change::PortsByNumber) {
                    cause.add_keys(&[keys.hot_plug_vfio, keys.cold_plug_vfio].into());
                }
                for i in 0..count {
                    let port = format!(
                        "pcie-root-port,id=rp{i},bus=pcie.0,chassis=0,slot={i},multifunction=off{reserves}"
                    );
                    line.device(port, &cause);
                }
            }
            Ports::Switch(count) => {
                let cause = [keys.pcie_switch_port, keys.hot_plug_vfio, keys.cold_plug_vfio];
                let port = "pcie-root-port,id=swrp0,bus=pcie.0,chassis=1,slot=0,multifunction=off";
                line.device(format!("{port}{reserves}"), cause);
                line.device("x3130-upstream,id=swup0,bus=swrp0", cause);
                for i in 0..count {
                    line.device(format!("xio3130-downstream,id=swdp{i},bus=swup0,chassis=2,slot={i}"), cause);
                }
            }
        }
    }

    /// What OVMF is told of the window that prefetchable memory of devices lies in.
    pub(super) fn pci_window(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let ovmf = hv.firmware.to_lowercase().contains("ovmf");
        if self.has(Change::FirmwarePciWindow) && ovmf && considered(self.machine, hv) {
            let window = "name=opt/ovmf/X-PciMmio64Mb,string=2";
            line.push("-fw_cfg", window, [keys.firmware, keys.hot_plug_vfio, keys.cold_plug_vfio]);
        }
    }
}
