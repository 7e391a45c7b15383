//! The devices on QEMU's command line, in the order in which they are appended.
//!
//! Facts: `buildDevices`, `CreateVM` and `AddDevice` in src/runtime/virtcontainers/qemu.go, the
//! architectures beside it, and the spelling of the QEMU library from 2.0.0 to 4.1.0.

use super::arch::{Machine, Transport};
use super::{Change, Disk, Qemu, SHARE_SOCKET};
use crate::answer::launch::Cause;
use crate::input::host::{Arch, Stat};
use crate::launch::line::{Line, Options};

/// The longest id of a device.
const ID_LIMIT: usize = 31;
/// The first slot of the root bus that the platform leaves free.
const FIRST_SLOT: u32 = 2;

fn cut(id: &str) -> &str {
    let end = (0..=ID_LIMIT.min(id.len())).rev().find(|i| id.is_char_boundary(*i)).unwrap_or(0);
    id.get(..end).unwrap_or(id)
}

impl Qemu<'_> {
    pub(super) fn transport(&self) -> Transport {
        self.machine.transport()
    }

    /// A virtio device by its name on this machine: `virtio-serial-pci`.
    pub(super) fn on_bus(&self, name: &str) -> String {
        format!("{name}{}", self.transport().suffix())
    }

    /// `,disable-modern=...` where devices are on PCI.
    pub(super) fn modern(&self, disable: bool) -> &'static str {
        match (self.transport(), disable) {
            (Transport::Pci, true) => ",disable-modern=true",
            (Transport::Pci, false) => ",disable-modern=false",
            _ => "",
        }
    }

    /// `,bus=pcie.0` where that is the root bus.
    pub(super) fn bus(&self) -> &'static str {
        if self.machine.has_pcie() && self.has(Change::RootBusNamed) { ",bus=pcie.0" } else { "" }
    }

    /// The empty boot ROM of a PCI device.
    pub(super) fn rom(&self) -> &'static str {
        let named = self.has(Change::OptionsWithoutValue) && self.transport() == Transport::Pci;
        if named { ",romfile=" } else { "" }
    }

    /// The socket of a character device is QEMU's, and waits for nobody.
    pub(super) fn server(&self) -> &'static str {
        if self.has(Change::OptionsWithoutValue) { "server,nowait" } else { "server=on,wait=off" }
    }

    /// The address on the s390x bus.
    pub(super) fn devno(&self, line: &mut Line, iommu: bool) -> String {
        if self.transport() != Transport::Ccw {
            return String::new();
        }
        let platform = iommu && self.start.hv.enable_iommu_platform;
        format!("{},devno={}", if platform { ",iommu_platform=on" } else { "" }, line.next_address())
    }

    /// Whether a SCSI controller is there.
    pub(super) fn has_scsi(&self) -> bool {
        self.start.hv.block_device_driver == "virtio-scsi"
    }
    pub(super) fn devices(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        self.bridges(line);
        self.serial(line);
        self.image(line);
        self.extensions(line);
        let iommu = "intel-iommu,intremap=on,device-iotlb=on,caching-mode=on";
        line.push_if(hv.enable_iommu, "-device", iommu, keys.enable_iommu);
        if !hv.guest_memory_dump_path.is_empty() {
            line.device("pvpanic", keys.guest_memory_dump_path);
            line.word("-no-shutdown", keys.guest_memory_dump_path);
        }
        self.scsi(line);
        self.initdata(line);
        self.protection(line);
        self.entropy(line);
        self.balloon(line);
        self.port_devices(line);
        self.cold_plugged(line);
        self.vsock(line);
        self.share_device(line);
        self.endpoints(line);
    }

    /// The devices that are plugged in before the start, one for each name: what they are, the host's CDI files and
    /// they themselves say.
    fn cold_plugged(&self, line: &mut Line) {
        let hv = self.start.hv;
        let port = match &*hv.cold_plug_vfio {
            "root-port" => "rp",
            "switch-port" => "swdp",
            "bridge-port" => "bp",
            _ => return,
        };
        if self.transport() != Transport::Pci {
            return;
        }
        let by_itself = self.has(Change::DevicesByThemselves) && !hv.vfio_groups;
        for (number, device) in hv.vfio_devices.iter().enumerate() {
            let cause = Cause::key(self.start.keys.cold_plug_vfio).by(format!("the device {device}"));
            line.push_if(by_itself, "-object", "iommufd,id=iommufd{id}", &cause);
            let mut device = Options::new("vfio-pci,host={bdf}", cause);
            device.add_if(self.has(Change::DeviceNames), "id={id}", []);
            let kind = "x-pci-vendor-id={vendor},x-pci-device-id={device}";
            device.add_if(self.has(Change::DeviceKinds), kind, []);
            device.add(format!("bus={port}{number}"), []);
            device.add_if(by_itself, "iommufd=iommufd{id}", []);
            line.options("-device", device);
        }
    }

    fn bridges(&self, line: &mut Line) {
        if !self.machine.has_pci_bridges() {
            return;
        }
        let (hv, keys) = (self.start.hv, self.start.keys);
        let nested =
            self.machine == Machine::Q35 && !hv.firmware.is_empty() && self.has(Change::BridgesBehindPorts);
        let express = self.machine == Machine::Virt && self.has(Change::ExpressBridgesOnVirt);
        let (bus, rom) = (self.machine.bridge_bus(), self.rom());
        let (hot_plug, reserves) = if self.has(Change::HotPlugBridges) {
            ("on", "")
        } else {
            ("off", ",io-reserve=4k,mem-reserve=1m,pref64-reserve=1m")
        };
        for i in 0..hv.default_bridges {
            let (slot, chassis, number) = (FIRST_SLOT + i, 16 + i, i + 1);
            if nested {
                let cause = [keys.default_bridges, keys.firmware];
                let port = format!(
                    "pcie-root-port,id=rp-pci-bridge-{i},bus={bus},chassis={chassis},slot=0,addr={slot},\
                     multifunction=off,bus-reserve=0x1,pref64-reserve=1m,mem-reserve=1m,io-reserve=4k"
                );
                line.device(port, cause);
                line.device(format!("pcie-pci-bridge,bus=rp-pci-bridge-{i},id=pci-bridge-{i}"), cause);
                continue;
            }
            let bridge = match express {
                true => format!("pcie-pci-bridge,bus={bus},id=pcie-bridge-{i},addr={slot:x}{rom}"),
                false => format!(
                    "pci-bridge,bus={bus},id=pci-bridge-{i},chassis_nr={number},shpc={hot_plug},addr={slot:x}{rom}\
                     {reserves}"
                ),
            };
            line.device(bridge, keys.default_bridges);
        }
    }

    /// Whether the console is a serial port: some architectures do not look at the key.
    pub(super) fn has_legacy_serial(&self) -> bool {
        self.start.hv.use_legacy_serial && !matches!(self.start.arch, Arch::S390x | Arch::Riscv64)
    }

    fn serial(&self, line: &mut Line) {
        let key = self.start.keys.use_legacy_serial;
        if self.has_legacy_serial() {
            line.push("-serial", "chardev:charconsole0", key);
        } else {
            let (serial, modern, rom) = (self.on_bus("virtio-serial"), self.modern(self.nested), self.rom());
            let devno = self.devno(line, true);
            line.device(format!("{serial}{modern},id=serial0{rom}{devno}"), key);
            line.device("virtconsole,chardev=charconsole0,id=console0", key);
        }
        let socket = format!("socket,id=charconsole0,path={},{}", self.console(), self.server());
        line.push("-chardev", socket, key);
    }

    fn image(&self, line: &mut Line) {
        let cause = self.disk_cause();
        match self.disk {
            Disk::None | Disk::Nvdimm { stat: Stat { size: 0, .. }, .. } => {}
            Disk::Nvdimm { path, stat } => {
                let size = stat.size_text(|size| size.to_string());
                let (device, object) =
                    if self.has(Change::ReadOnlyNvdimm) { (",unarmed=on", ",readonly=on") } else { ("", "") };
                line.device(format!("nvdimm,id=nv0,memdev=mem0{device}"), &cause);
                let file = format!("memory-backend-file,id=mem0,mem-path={path},size={size}{object}");
                line.object(file, cause);
            }
            Disk::Block { path } => self.root_block(line, "image-{nonce}", path, cause),
        }
    }

    fn extensions(&self, line: &mut Line) {
        let (hv, keys) = (self.start.hv, self.start.keys);
        if !self.has(Change::ExtensionImages) {
            return;
        }
        for image in hv.guest_extension_images.iter().filter(|image| !image.path.is_empty()) {
            let id = format!("extension-{}", image.name);
            self.root_block(line, cut(&id), &image.path, keys.guest_extension_images.into());
        }
    }

    /// A block device that others may have, too, and nobody writes to.
    fn root_block(&self, line: &mut Line, id: &str, file: &str, cause: Cause) {
        let read_only = if self.has(Change::ReadOnlyWithoutValue) { ",readonly" } else { ",readonly=on" };
        self.block(line, id, self.modern(self.nested), ",share-rw=on", &cause);
        line.push("-drive", format!("{}{read_only}", drive(id, file)), cause);
    }

    /// The device of a block device.
    fn block(&self, line: &mut Line, id: &str, modern: &str, share: &str, cause: &Cause) {
        let (block, rom, devno) = (self.on_bus("virtio-blk"), self.rom(), self.devno(line, false));
        let scsi = if self.has(Change::BlockScsiOff) { ",scsi=off" } else { "" };
        let serial = if self.has(Change::BlockSerial) { format!(",serial={id}") } else { String::new() };
        let device = format!("{block}{modern},drive={id}{scsi},config-wce=off{rom}{devno}{share}{serial}");
        line.device(device, cause);
    }

    fn scsi(&self, line: &mut Line) {
        if !self.has_scsi() {
            return;
        }
        let (keys, devno) = (self.start.keys, self.devno(line, true));
        let (scsi, modern) = (self.on_bus("virtio-scsi"), self.modern(self.nested));
        let mut scsi = Options::new(format!("{scsi},id=scsi0{modern}"), keys.block_device_driver);
        let thread = "iothread=iothread-{nonce}";
        scsi.add_if(self.start.hv.enable_iothreads, thread, keys.enable_iothreads);
        scsi.append(&[self.rom(), &devno]);
        line.options("-device", scsi);
    }

    fn initdata(&self, line: &mut Line) {
        let hv = self.start.hv;
        let by_arch = self.has(Change::InitdataByArchitecture);
        let left_out = by_arch && matches!(self.start.arch, Arch::Aarch64 | Arch::Ppc64le);
        if hv.cc_init_data.is_empty() || left_out || !self.has(Change::InitdataDrive) {
            return;
        }
        let file = format!("/run/kata-containers/shared/initdata/{}/data.img", self.start.paths.id);
        let cause = Cause::key(self.start.keys.cc_init_data);
        if self.transport() == Transport::Mmio || !by_arch {
            // This one is said to be on PCI whatever the machine is.
            let device = "virtio-blk-pci,disable-modern=false,drive=initdata,config-wce=off,serial=initdata";
            line.device(device, &cause);
        } else {
            self.block(line, "initdata", self.modern(false), "", &cause);
        }
        line.push("-drive", drive("initdata", &file), cause);
    }

    fn entropy(&self, line: &mut Line) {
        let (hv, key) = (self.start.hv, self.start.keys.entropy_source);
        let on_ccw = self.machine == Machine::S390Ccw && self.has(Change::NoEntropyOnCcw);
        if on_ccw || (hv.confidential_guest && self.has(Change::NoEntropyForConfidential)) {
            return;
        }
        let mut object = Options::new("rng-random,id=rng0", key);
        object.add_if(!hv.entropy_source.is_empty(), format!("filename={}", hv.entropy_source), []);
        line.options("-object", object);
        line.device(format!("{},rng=rng0{}", self.on_bus("virtio-rng"), self.rom()), key);
    }

    fn balloon(&self, line: &mut Line) {
        let hv = self.start.hv;
        let asked = hv.reclaim_guest_freed_memory && self.has(Change::QemuBalloon);
        if !asked || hv.confidential_guest {
            return;
        }
        // On s390x its address is never filled in.
        let devno = if self.transport() == Transport::Ccw { ",devno=" } else { "" };
        let (balloon, modern) = (self.on_bus("virtio-balloon"), self.modern(false));
        let device = format!("{balloon},id=balloon0{devno},deflate-on-oom=on{modern},free-page-reporting=on");
        line.device(device, self.start.keys.reclaim_guest_freed_memory);
    }

    /// The number of the descriptor through which the agent is reached: the monitor's socket is inherited first,
    /// where it is.
    pub(super) fn agent_descriptor(&self) -> u32 {
        if self.has(Change::Daemonized) { 3 } else { 4 }
    }

    fn vsock(&self, line: &mut Line) {
        let (vsock, modern) = (self.on_bus("vhost-vsock"), self.modern(self.nested));
        let (descriptor, bus, rom) = (self.agent_descriptor(), self.bus(), self.rom());
        let devno = self.devno(line, true);
        let device = format!(
            "{vsock}{modern},vhostfd={descriptor},id=vsock-{{cid}},guest-cid={{cid}}{bus}{rom}{devno}"
        );
        line.device(device, Cause::rule("how the runtime reaches the agent"));
    }

    fn share_device(&self, line: &mut Line) {
        let (hv, keys, paths) = (self.start.hv, self.start.keys, self.start.paths);
        if !self.shares_files() {
            return;
        }
        let rom = self.rom();
        if self.daemon.is_none() {
            let (share, modern) = (self.on_bus("virtio-9p"), self.modern(self.nested));
            let devno = self.devno(line, true);
            let device =
                format!("{share}{modern},fsdev=extra-9p-kataShared,mount_tag=kataShared{rom}{devno}");
            line.device(device, keys.shared_fs);
            let remap = if self.start.arch == Arch::Aarch64 { "" } else { ",multidevs=remap" };
            let folder = paths.share();
            let fsdev = format!("local,id=extra-9p-kataShared,path={folder},security_model=none{remap}");
            line.push("-fsdev", fsdev, keys.shared_fs);
            return;
        }
        let socket = format!("socket,id=char-{{nonce}},path={}", paths.in_vm(SHARE_SOCKET));
        line.push("-chardev", socket, keys.shared_fs);
        let share = format!("{},chardev=char-{{nonce}},tag=kataShared", self.on_bus("vhost-user-fs"));
        let mut share = Options::new(share, keys.shared_fs);
        // The s390x device is made without the configured size.
        let queue = match hv.virtio_fs_queue_size {
            size if size > 0 && self.start.arch != Arch::S390x => size,
            _ => 1024,
        };
        let sized = self.has(Change::ShareQueueSize);
        share.add_if(sized, format!("queue-size={queue}"), keys.virtio_fs_queue_size);
        let cache = hv.virtio_fs_cache_size;
        share.add_if(cache > 0, format!("cache-size={cache}M"), keys.virtio_fs_cache_size);
        share.append(&[&self.devno(line, true), self.bus(), rom]);
        line.options("-device", share);
    }
}

/// A block device's file.
fn drive(id: &str, file: &str) -> String {
    format!("id={id},file={file},aio=threads,format=raw,if=none")
}
