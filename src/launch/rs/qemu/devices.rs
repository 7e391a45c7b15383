//! QEMU's devices: those that come with the command line, then those that were registered, in order.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/qemu/{cmdline_generator,inner}.rs at each tag.

use super::{Backend, Qemu, size};
use crate::answer::launch::Cause;
use crate::launch::line::{Line, Options};
use crate::launch::rs::resources::{Disk, Driver, Role};
use crate::release::rs::Change;

/// The first slot that is free on the root bus; the platform has 0 and 1.
const FIRST_BRIDGE_SLOT: u32 = 2;
/// The slot of the first device that is plugged in before the start.
const FIRST_DEVICE_SLOT: usize = 9;
/// Chassis numbers of the root ports above nested bridges start here.
const NESTED_CHASSIS: u32 = 16;

impl Qemu<'_> {
    fn bus(&self) -> &'static str {
        if self.ccw { "ccw" } else { "pci" }
    }

    /// A legacy device in a virtual machine spares nested KVM the fast MMIO path.
    pub(super) fn disable_modern(&self) -> &'static str {
        let applies = !self.ccw || self.start.has(Change::ModernOffOnCcw);
        if applies && self.start.host.facts.nested { ",disable-modern=true" } else { "" }
    }

    /// What a device on the channel subsystem says about itself.
    fn ccw_tail(&self, line: &mut Line, iommu: bool) -> String {
        if !self.ccw {
            return String::new();
        }
        let iommu = iommu && self.start.hv.device_info.enable_iommu_platform;
        let platform = if iommu { ",iommu_platform=on" } else { "" };
        if !self.start.has(Change::CcwNumbers) {
            return platform.to_owned();
        }
        format!("{platform},devno={}", line.next_address())
    }

    /// The devices of `QemuCmdLine::new`.
    pub(super) fn built_in(&self, line: &mut Line) {
        let (start, hv, keys) = (&self.start, self.start.hv, self.start.keys);
        let device = &hv.device_info;
        let iommu = "intel-iommu,intremap=on,device-iotlb=on,caching-mode=on";
        line.push_if(self.has_iommu_device(), "-device", iommu, keys.enable_iommu);
        let monitored = hv.debug_info.enable_debug && start.has(Change::MonitorSocket);
        if monitored && hv.debug_info.extra_monitor_socket == "hmp" {
            let socket = "unix:path=debug-monitor.sock,server=on,wait=off";
            line.push("-monitor", socket, [keys.extra_monitor_socket, keys.enable_debug]);
        }
        let clock = "base=utc,clock=host,driftfix=slew";
        line.push_if(start.has(Change::IommuDevice), "-rtc", clock, Cause::constant());
        line.push_if(hv.vm_template.boot_from_template, "-incoming", "defer", keys.boot_from_template);
        if !self.ccw && start.has(Change::MonitorSocket) {
            let cause = Cause::rule("always, whatever entropy_source says");
            line.object("rng-random,id=rng0,filename=/dev/urandom", &cause);
            line.device("virtio-rng-pci,rng=rng0", cause);
        }
        if !self.ccw && start.has(Change::Bridges) {
            (0..device.default_bridges).for_each(|number| self.bridge(line, number));
        }
        if hv.blockdev_info.block_device_driver == "virtio-scsi" && start.has(Change::Bridges) {
            self.scsi(line);
        }
        for number in 0..self.iothreads() {
            let keys = [keys.enable_iothreads, keys.indep_iothreads, keys.block_device_driver];
            line.object(format!("iothread,id=indep_iothread_{number}"), keys);
        }
        if device.reclaim_guest_freed_memory && start.has(Change::Balloon) {
            line.device("virtio-balloon,free-page-reporting=on", keys.reclaim_guest_freed_memory);
        }
        let rules = hv.security_info.seccomp_sandbox.as_deref().unwrap_or_default();
        line.push_if(!rules.is_empty(), "-sandbox", rules, keys.seccomp_sandbox);
        let early = start.has(Change::PlainBios) && !start.has(Change::BiosAtTheEnd);
        line.push_if(early && self.plain_firmware(), "-bios", hv.boot_info.firmware.as_str(), keys.firmware);
    }

    fn bridge(&self, line: &mut Line, number: u32) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let machine = hv.machine_info.machine_type.as_str();
        let (slot, chassis) = (FIRST_BRIDGE_SLOT + number, number + 1);
        let room = "io-reserve=4k,mem-reserve=1m,pref64-reserve=1m";
        let nested = self.start.has(Change::NestedBridges)
            && machine == "q35"
            && !hv.security_info.confidential_guest
            && !hv.boot_info.firmware.is_empty();
        if nested {
            let cause = Cause::keys([keys.default_bridges, keys.firmware])
                .by("firmware heeds reservations on root ports only");
            let chassis = NESTED_CHASSIS + number;
            let port = format!(
                "pcie-root-port,id=rp-pci-bridge-{number},addr={slot},chassis={chassis},slot=0,bus=pcie.0,\
                 multifunction=off,bus-reserve=0x1,{room}"
            );
            line.device(port, &cause);
            let bridge = format!("pcie-pci-bridge,bus=rp-pci-bridge-{number},id=pci-bridge-{number}");
            line.device(bridge, cause);
            return;
        }
        let bus = if matches!(machine, "q35" | "virt") { "pcie.0" } else { "pci.0" };
        let bridge = format!(
            "pci-bridge,bus={bus},id=pci-bridge-{number},chassis_nr={chassis},shpc=off,addr={slot},{room}"
        );
        line.device(bridge, [keys.default_bridges, keys.machine_type]);
    }

    fn scsi(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let (modern, tail) = (self.disable_modern(), self.ccw_tail(line, true));
        let mut scsi =
            Options::new(format!("virtio-scsi-{},id=scsi0{modern}", self.bus()), keys.block_device_driver);
        if hv.enable_iothreads {
            scsi.add("iothread=scsi-io-thread", keys.enable_iothreads);
            line.object("iothread,id=scsi-io-thread", &scsi.cause);
        }
        scsi.append(&[&tail]);
        line.options("-device", scsi);
    }

    /// The devices that `start_vm` finds registered.
    pub(super) fn registered(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let modern = if hv.disable_nesting_checks { "" } else { self.disable_modern() };
        let (bus, tail) = (self.bus(), self.ccw_tail(line, true));
        let vsock = format!("vhost-vsock-{bus}{modern}{tail},vhostfd={{fd}},guest-cid={{cid}}");
        line.device(vsock, Cause::key(keys.disable_nesting_checks).by("the agent's channel"));
        self.network(line);
        self.share_device(line);
        for (number, disk) in self.resources.disks.iter().enumerate() {
            if *disk.path != *hv.boot_info.initrd {
                self.disk(line, number, disk);
            }
        }
        self.cold_plugged(line);
        if let Some(protection) = &self.resources.protection {
            self.protection(line, protection);
        }
        self.pool(line);
    }

    fn share_device(&self, line: &mut Line) {
        let (start, hv, keys) = (&self.start, self.start.hv, self.start.keys);
        let shares = self.resources.share.as_ref();
        let Some(share) = shares.filter(|share| share.kind.device() == "virtio-fs") else { return };
        let socket = share.socket(start);
        line.push("-chardev", format!("socket,id=virtiofsd-chardev,path={socket}"), keys.shared_fs);
        let bus = self.bus();
        let device = format!("vhost-user-fs-{bus},chardev=virtiofsd-chardev,tag=kataShared");
        let mut device = Options::new(device, [keys.shared_fs, keys.virtio_fs_queue_size]);
        let queue = if start.has(Change::QueueSize) { share.queue_size } else { 0 };
        // A queue that is no power of two, or too long, is left to QEMU.
        let is_told = queue <= 1024 && queue.is_power_of_two();
        device.add_if(is_told, format!("queue-size={queue}"), []);
        device.append(&[&self.ccw_tail(line, true)]);
        let platform = start.has(Change::SharePlatform) && hv.device_info.enable_iommu_platform && !self.ccw;
        device.add_if(platform, "iommu_platform=on", []);
        line.options("-device", device);
        if !self.ccw && !start.has(Change::MemoryBackendOption) {
            line.push("-numa", format!("node,memdev={}", Backend::Shared.id()), keys.shared_fs);
        }
    }

    /// Whether the release attaches such a disk before the VM starts; others are left out in silence.
    pub(super) fn attaches(&self, driver: Driver) -> bool {
        match driver {
            Driver::Mmio => false,
            Driver::Blk => self.start.has(Change::BlkDisk),
            Driver::Scsi => self.start.has(Change::ScsiDisk),
            Driver::Ccw => self.start.has(Change::CcwRoot),
            Driver::Nvdimm => true,
        }
    }

    fn disk(&self, line: &mut Line, number: usize, disk: &Disk<'_>) {
        let (start, hv) = (&self.start, self.start.hv);
        let (file, driver) = self.resources.keys_of(disk);
        let mut cause = Cause::key(file);
        cause.add_keys(&driver.into());
        let path = &disk.path;
        if disk.driver == Driver::Nvdimm {
            let stat = self.nvdimms.iter().find(|(disk, _)| *disk == number).map(|(_, stat)| stat);
            let size = stat.map_or_else(|| size(0), |stat| stat.size_text(size));
            let prealloc = if start.has(Change::Prealloc) { ",prealloc=off" } else { "" };
            let object = format!(
                "memory-backend-file,id=TODO,mem-path={path},size={size},share=off{prealloc},readonly=on"
            );
            line.object(object, &cause);
            line.device("nvdimm,memdev=TODO,unarmed=on", cause);
            return;
        }
        if !self.attaches(disk.driver) {
            return;
        }
        cause.keys.push(start.keys.block_device_cache_direct.into());
        // What was not asked of the configuration was on.
        let direct = !start.has(Change::CacheDirect) || hv.blockdev_info.block_device_cache_direct;
        let direct = if direct { "on" } else { "off" };
        let read_only = if start.has(Change::ReadOnlySaid) { "read-only=on" } else { "auto-read-only=on" };
        let file = format!(
            "driver=file,node-name=image-{{nonce}},filename={path},aio=threads,cache.direct={direct},\
             cache.no-flush=off,{read_only}"
        );
        line.push("-blockdev", file, &cause);
        let (bus, tail) = (self.bus(), self.ccw_tail(line, false));
        if disk.driver == Driver::Scsi {
            line.device(format!("scsi-hd,drive=image-{{nonce}},bus=scsi0.0{tail}"), cause);
            return;
        }
        let serial = match disk.role {
            Role::Extension(name) => format!("extension-{name}"),
            Role::Root | Role::Initdata => "image-{nonce}".to_owned(),
        };
        let scsi = if start.has(Change::ScsiOff) { ",scsi=off" } else { "" };
        let device = format!(
            "virtio-blk-{bus},drive=image-{{nonce}}{scsi},config-wce=off,share-rw=on,serial={serial}{tail}"
        );
        line.device(device, cause);
    }

    /// The devices that are plugged in before the start, one for each name: which they are only the host's CDI files say.
    fn cold_plugged(&self, line: &mut Line) {
        if !self.has_ports() {
            return;
        }
        for (number, device) in self.resources.devices.iter().enumerate() {
            let cause = Cause::key(self.start.keys.cold_plug_vfio).by(format!("the device {device}"));
            let slot = FIRST_DEVICE_SLOT + number;
            let chassis = slot + 1;
            line.object(format!("iommufd,id=iommufdrp{number}"), &cause);
            let port = format!(
                "pcie-root-port,id=rp{number},addr=0x{slot:02x},chassis={chassis},slot={slot},bus=pcie.0,multifunction=off"
            );
            line.device(port, &cause);
            let device = format!("vfio-pci,host={{bdf}},bus=rp{number},addr=0x0,iommufd=iommufdrp{number}");
            line.device(device, cause);
        }
    }

    /// A pool for devices to come; the runtime goes through it in random order, shown by number.
    fn pool(&self, line: &mut Line) {
        let keys = self.start.keys;
        // The numbers of devices that are plugged in already are taken.
        let taken = u32::try_from(self.resources.devices.len()).unwrap_or(u32::MAX);
        for number in taken.min(self.root_ports())..self.root_ports() {
            line.device(self.root_port(number), keys.pcie_root_port);
        }
        let switch_ports = self.resources.switch_ports;
        if switch_ports == 0 || !self.has_ports() {
            return;
        }
        line.device(self.root_port(1), keys.pcie_switch_port);
        line.device("x3130-upstream,id=swup1,bus=rp1", keys.pcie_switch_port);
        for number in 1..=switch_ports {
            let chassis = 3 + number;
            let port =
                format!("xio3130-downstream,id=swdp{number},bus=swup1,chassis={chassis},slot={number}");
            line.device(port, keys.pcie_switch_port);
        }
    }

    fn root_port(&self, number: u32) -> String {
        let chassis = number + 1;
        if self.start.has(Change::PortReserves) {
            return format!(
                "pcie-root-port,id=rp{number},bus=pcie.0,chassis={chassis},slot={number},multifunction=off,\
                 mem-reserve=33554432B,pref64-reserve=536870912B"
            );
        }
        let chassis = if self.start.has(Change::NumberedChassis) { chassis } else { 0 };
        format!("pcie-root-port,id=rp{number},chassis={chassis},slot={number},bus=pcie.0,multifunction=off")
    }

    pub(super) fn console(&self, line: &mut Line) {
        if !self.start.has(Change::Console) {
            return;
        }
        let (bus, tail) = (self.bus(), self.ccw_tail(line, true));
        let cause = Cause::rule("the guest's console");
        line.device(format!("virtio-serial-{bus},id=serial0{tail}"), &cause);
        line.device("virtconsole,id=console0,chardev=charconsole0", cause);
        let socket = self.start.socket("console.sock");
        let text = format!("socket,id=charconsole0,server=on,wait=off,path={socket}");
        line.push("-chardev", text, Cause::key(self.start.keys.rootless).by("the guest's console"));
    }
}
