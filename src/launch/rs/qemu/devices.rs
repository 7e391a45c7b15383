//! QEMU's devices: those that come with the command line, then those that were registered, in order.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/qemu/{cmdline_generator,inner}.rs at each tag.

use super::line::Line;
use super::{Plan, size};
use crate::answer::launch::Cause;
use crate::launch::rs::resources::{Disk, Driver, Role};
use crate::release::rs::Change;

/// The first slot that is free on the root bus; the platform has 0 and 1.
const FIRST_BRIDGE_SLOT: u32 = 2;
/// The slot of the first device that is plugged in before the start.
const FIRST_DEVICE_SLOT: usize = 9;
/// Chassis numbers of the root ports above nested bridges start here.
const NESTED_CHASSIS: u32 = 16;

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl Plan<'_> {
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
        format!("{platform},devno={}", line.channel())
    }

    /// The devices of `QemuCmdLine::new`.
    pub(super) fn built_in(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let device = &hv.device_info;
        if self.has_iommu_device() {
            let text = "intel-iommu,intremap=on,device-iotlb=on,caching-mode=on";
            line.push("-device", text, Cause::key(keys.enable_iommu));
        }
        let monitored = hv.debug_info.enable_debug && self.start.has(Change::MonitorSocket);
        if monitored && hv.debug_info.extra_monitor_socket == "hmp" {
            let cause = Cause::keys([keys.extra_monitor_socket, keys.enable_debug]);
            line.push("-monitor", "unix:path=debug-monitor.sock,server=on,wait=off", cause);
        }
        if self.start.has(Change::IommuDevice) {
            line.push("-rtc", "base=utc,clock=host,driftfix=slew", Cause::constant());
        }
        if hv.vm_template.boot_from_template {
            line.push("-incoming", "defer", Cause::key(keys.boot_from_template));
        }
        if !self.ccw && self.start.has(Change::MonitorSocket) {
            let cause = Cause::rule("always, whatever entropy_source says");
            line.push("-object", "rng-random,id=rng0,filename=/dev/urandom", cause.clone());
            line.push("-device", "virtio-rng-pci,rng=rng0", cause);
        }
        if !self.ccw && self.start.has(Change::Bridges) {
            (0..device.default_bridges).for_each(|number| self.bridge(line, number));
        }
        let driver = hv.blockdev_info.block_device_driver.as_str();
        if driver == "virtio-scsi" && self.start.has(Change::Bridges) {
            self.scsi(line);
        }
        let cause = Cause::keys([keys.enable_iothreads, keys.indep_iothreads, keys.block_device_driver]);
        for number in 0..self.iothreads() {
            line.push("-object", format!("iothread,id=indep_iothread_{number}"), cause.clone());
        }
        if device.reclaim_guest_freed_memory && self.start.has(Change::Balloon) {
            let text = "virtio-balloon,free-page-reporting=on";
            line.push("-device", text, Cause::key(keys.reclaim_guest_freed_memory));
        }
        if let Some(rules) = hv.security_info.seccomp_sandbox.as_deref().filter(|rules| !rules.is_empty()) {
            line.push("-sandbox", rules, Cause::key(keys.seccomp_sandbox));
        }
        let early = self.start.has(Change::PlainBios) && !self.start.has(Change::BiosAtTheEnd);
        if early && self.plain_firmware() {
            line.push("-bios", hv.boot_info.firmware.as_str(), Cause::key(keys.firmware));
        }
    }

    fn bridge(&self, line: &mut Line, number: u32) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let machine = hv.machine_info.machine_type.as_str();
        let slot = FIRST_BRIDGE_SLOT + number;
        let room = "io-reserve=4k,mem-reserve=1m,pref64-reserve=1m";
        let nested = self.start.has(Change::NestedBridges)
            && machine == "q35"
            && !hv.security_info.confidential_guest
            && !hv.boot_info.firmware.is_empty();
        if nested {
            let cause = Cause::keys([keys.default_bridges, keys.firmware])
                .by("firmware heeds reservations on root ports only");
            let port = format!(
                "pcie-root-port,id=rp-pci-bridge-{number},addr={slot},chassis={},slot=0,bus=pcie.0,multifunction=off,bus-reserve=0x1,{room}",
                NESTED_CHASSIS + number
            );
            line.push("-device", port, cause.clone());
            let bridge = format!("pcie-pci-bridge,bus=rp-pci-bridge-{number},id=pci-bridge-{number}");
            line.push("-device", bridge, cause);
            return;
        }
        let bus = if matches!(machine, "q35" | "virt") { "pcie.0" } else { "pci.0" };
        let text = format!(
            "pci-bridge,bus={bus},id=pci-bridge-{number},chassis_nr={},shpc=off,addr={slot},{room}",
            number + 1
        );
        line.push("-device", text, Cause::keys([keys.default_bridges, keys.machine_type]));
    }

    fn scsi(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let modern = self.disable_modern();
        let tail = self.ccw_tail(line, true);
        let mut cause = Cause::key(keys.block_device_driver);
        let mut thread = "";
        if hv.enable_iothreads {
            cause.keys.push(keys.enable_iothreads.into());
            line.push("-object", "iothread,id=scsi-io-thread", cause.clone());
            thread = ",iothread=scsi-io-thread";
        }
        let text = format!("virtio-scsi-{},id=scsi0{modern}{thread}{tail}", self.bus());
        line.push("-device", text, cause);
    }

    /// The devices that `start_vm` finds registered.
    pub(super) fn registered(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let modern = if hv.disable_nesting_checks { "" } else { self.disable_modern() };
        let tail = self.ccw_tail(line, true);
        let text = format!("vhost-vsock-{}{modern}{tail},vhostfd={{fd}},guest-cid={{cid}}", self.bus());
        let cause = Cause::key(keys.disable_nesting_checks).by("the agent's channel");
        line.push("-device", text, cause);
        self.network(line);
        self.share(line);
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

    fn share(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let shares = self.resources.share.as_ref();
        let Some(share) = shares.filter(|share| share.kind.device() == "virtio-fs") else { return };
        let cause = Cause::key(keys.shared_fs);
        let socket = share.socket(&self.start);
        line.push("-chardev", format!("socket,id=virtiofsd-chardev,path={socket}"), cause);
        let cause = Cause::keys([keys.shared_fs, keys.virtio_fs_queue_size]);
        let queue = if self.start.has(Change::QueueSize) { share.queue_size } else { 0 };
        // A queue that is no power of two, or too long, is left to QEMU.
        let queue = if queue <= 1024 && queue.is_power_of_two() {
            format!(",queue-size={queue}")
        } else {
            String::new()
        };
        let mut tail = self.ccw_tail(line, true);
        if self.start.has(Change::SharePlatform) && hv.device_info.enable_iommu_platform && !self.ccw {
            tail.push_str(",iommu_platform=on");
        }
        let text =
            format!("vhost-user-fs-{},chardev=virtiofsd-chardev,tag=kataShared{queue}{tail}", self.bus());
        line.push("-device", text, cause);
        if !self.ccw && !self.start.has(Change::MemoryBackendOption) {
            let backend = super::Backend::Shared.id();
            line.push("-numa", format!("node,memdev={backend}"), Cause::key(keys.shared_fs));
        }
    }

    /// What decided a disk.
    fn disk_cause(&self, disk: &Disk<'_>) -> Cause {
        let keys = self.start.keys;
        match disk.role {
            Role::Root => Cause::keys([keys.image, keys.vm_rootfs_driver]),
            Role::Extension(_) => Cause::key(keys.guest_extension_images),
            Role::Initdata => Cause::keys([keys.initdata, keys.block_device_driver]),
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
        let hv = self.start.hv;
        let mut cause = self.disk_cause(disk);
        if let Driver::Nvdimm = disk.driver {
            let stat = self.nvdimms.iter().find(|nvdimm| nvdimm.disk == number).map(|n| n.stat);
            let prealloc = if self.start.has(Change::Prealloc) { ",prealloc=off" } else { "" };
            let text = format!(
                "memory-backend-file,id=TODO,mem-path={},size={},share=off{prealloc},readonly=on",
                disk.path,
                stat.map_or_else(|| size(0), |stat| stat.size_text(size))
            );
            line.push("-object", text, cause.clone());
            line.push("-device", "nvdimm,memdev=TODO,unarmed=on", cause);
            return;
        }
        if !self.attaches(disk.driver) {
            return;
        }
        cause.keys.push(self.start.keys.block_device_cache_direct.into());
        // What was not asked of the configuration was on.
        let direct = !self.start.has(Change::CacheDirect) || hv.blockdev_info.block_device_cache_direct;
        let direct = on_off(direct);
        let read_only =
            if self.start.has(Change::ReadOnlySaid) { "read-only=on" } else { "auto-read-only=on" };
        let text = format!(
            "driver=file,node-name=image-{{nonce}},filename={},aio=threads,cache.direct={direct},cache.no-flush=off,{read_only}",
            disk.path
        );
        line.push("-blockdev", text, cause.clone());
        let tail = self.ccw_tail(line, false);
        let text = if disk.driver == Driver::Scsi {
            format!("scsi-hd,drive=image-{{nonce}},bus=scsi0.0{tail}")
        } else {
            let serial = match disk.role {
                Role::Extension(name) => format!("extension-{name}"),
                Role::Root | Role::Initdata => "image-{nonce}".to_owned(),
            };
            let bus = self.bus();
            let scsi = if self.start.has(Change::ScsiOff) { ",scsi=off" } else { "" };
            format!(
                "virtio-blk-{bus},drive=image-{{nonce}}{scsi},config-wce=off,share-rw=on,serial={serial}{tail}"
            )
        };
        line.push("-device", text, cause);
    }

    /// The devices that are plugged in before the start, one for each name: which they are only the host's CDI files say.
    fn cold_plugged(&self, line: &mut Line) {
        if !self.has_ports() {
            return;
        }
        for (number, device) in self.resources.devices.iter().enumerate() {
            let cause = Cause::key(self.start.keys.cold_plug_vfio).by(format!("the device {device}"));
            let slot = FIRST_DEVICE_SLOT + number;
            line.push("-object", format!("iommufd,id=iommufdrp{number}"), cause.clone());
            let port = format!(
                "pcie-root-port,id=rp{number},addr=0x{slot:02x},chassis={},slot={slot},bus=pcie.0,multifunction=off",
                slot + 1
            );
            line.push("-device", port, cause.clone());
            let device = format!("vfio-pci,host={{bdf}},bus=rp{number},addr=0x0,iommufd=iommufdrp{number}");
            line.push("-device", device, cause);
        }
    }

    /// A pool for devices to come; the runtime goes through it in random order, shown by number.
    fn pool(&self, line: &mut Line) {
        // The numbers of devices that are plugged in already are taken.
        let taken = u32::try_from(self.resources.devices.len()).unwrap_or(u32::MAX);
        for number in taken.min(self.root_ports())..self.root_ports() {
            line.push("-device", self.root_port(number), Cause::key(self.start.keys.pcie_root_port));
        }
        let machine = self.start.hv.machine_info.machine_type.as_str();
        let switch_ports = self.resources.switch_ports;
        if switch_ports == 0 || !matches!(machine, "q35" | "virt") {
            return;
        }
        let cause = Cause::key(self.start.keys.pcie_switch_port);
        line.push("-device", self.root_port(1), cause.clone());
        line.push("-device", "x3130-upstream,id=swup1,bus=rp1", cause.clone());
        for number in 1..=switch_ports {
            let chassis = 3 + number;
            let text =
                format!("xio3130-downstream,id=swdp{number},bus=swup1,chassis={chassis},slot={number}");
            line.push("-device", text, cause.clone());
        }
    }

    fn root_port(&self, number: u32) -> String {
        let chassis = number + 1;
        if self.start.has(Change::PortReserves) {
            return format!(
                "pcie-root-port,id=rp{number},bus=pcie.0,chassis={chassis},slot={number},multifunction=off,mem-reserve=33554432B,pref64-reserve=536870912B"
            );
        }
        let chassis = if self.start.has(Change::NumberedChassis) { chassis } else { 0 };
        format!("pcie-root-port,id=rp{number},chassis={chassis},slot={number},bus=pcie.0,multifunction=off")
    }

    pub(super) fn console(&self, line: &mut Line) {
        if !self.start.has(Change::Console) {
            return;
        }
        let tail = self.ccw_tail(line, true);
        let cause = Cause::rule("the guest's console");
        line.push("-device", format!("virtio-serial-{},id=serial0{tail}", self.bus()), cause.clone());
        line.push("-device", "virtconsole,id=console0,chardev=charconsole0", cause);
        let socket = self.start.socket("console.sock");
        let text = format!("socket,id=charconsole0,server=on,wait=off,path={socket}");
        line.push("-chardev", text, Cause::key(self.start.keys.rootless).by("the guest's console"));
    }
}
