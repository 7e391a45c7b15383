//! The devices on QEMU's command line, in the order in which they are appended.
//!
//! Facts: `buildDevices`, `CreateVM` and `AddDevice` in src/runtime/virtcontainers/qemu.go, the
//! architectures beside it, and the spelling of the QEMU library from 2.0.0 to 4.1.0.

use super::arch::{Machine, Transport};
use super::line::Line;
use super::{Disk, Plan, SHARE_SOCKET, qemu};
use crate::answer::launch::Cause;
use crate::input::host::{Arch, Stat};
use crate::release::go::Change;

/// The longest id of a device.
const ID_LIMIT: usize = 31;
/// The first slot of the root bus that the platform leaves free.
const FIRST_SLOT: u32 = 2;

/// A block device of the boot line.
struct Block<'a> {
    id: &'a str,
    file: &'a str,
    share: bool,
    read_only: bool,
    disable_modern: bool,
}

fn cut(id: &str) -> &str {
    let end = (0..=ID_LIMIT.min(id.len())).rev().find(|i| id.is_char_boundary(*i)).unwrap_or(0);
    id.get(..end).unwrap_or(id)
}

impl Plan<'_> {
    pub(super) fn transport(&self) -> Transport {
        self.machine.transport()
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
        let platform = if iommu && self.hv.enable_iommu_platform { ",iommu_platform=on" } else { "" };
        format!("{platform},devno={}", line.channel())
    }

    /// Whether a SCSI controller is there.
    pub(super) fn has_scsi(&self) -> bool {
        self.hv.block_device_driver == "virtio-scsi"
    }

    /// All of them.
    pub(super) fn devices(&self, line: &mut Line) {
        self.bridges(line);
        self.serial(line);
        self.image(line);
        self.extensions(line);
        if self.hv.enable_iommu {
            line.push(
                "-device",
                "intel-iommu,intremap=on,device-iotlb=on,caching-mode=on",
                Cause::key(qemu!("enable_iommu")),
            );
        }
        if !self.hv.guest_memory_dump_path.is_empty() {
            let cause = Cause::key(qemu!("guest_memory_dump_path"));
            line.push("-device", "pvpanic", cause.clone());
            line.flag("-no-shutdown", cause);
        }
        self.scsi(line);
        self.initdata(line);
        self.protection(line);
        self.entropy(line);
        self.balloon(line);
        self.port_devices(line);
        self.cold_plugged(line);
        self.vsock(line);
        self.share(line);
        self.cards(line);
    }

    /// The devices that are plugged in before the start, one for each name: what they are, the host's CDI files and
    /// they themselves say.
    fn cold_plugged(&self, line: &mut Line) {
        let hv = self.hv;
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
        let (name, kind, file) = (
            if self.has(Change::DeviceNames) { ",id={id}" } else { "" },
            if self.has(Change::DeviceKinds) {
                ",x-pci-vendor-id={vendor},x-pci-device-id={device}"
            } else {
                ""
            },
            if by_itself { ",iommufd=iommufd{id}" } else { "" },
        );
        for (number, device) in hv.vfio_devices.iter().enumerate() {
            let cause = Cause::key(qemu!("cold_plug_vfio")).by(format!("the device {device}"));
            if by_itself {
                line.push("-object", "iommufd,id=iommufd{id}", cause.clone());
            }
            line.push(
                "-device",
                format!("vfio-pci,host={{bdf}}{name}{kind},bus={port}{number}{file}"),
                cause,
            );
        }
    }

    fn bridges(&self, line: &mut Line) {
        if !self.machine.has_pci_bridges() {
            return;
        }
        let nested = self.machine == Machine::Q35
            && !self.hv.firmware.is_empty()
            && self.has(Change::BridgesBehindPorts);
        let express = self.machine == Machine::Virt && self.has(Change::ExpressBridgesOnVirt);
        let (bus, rom) = (self.machine.bridge_bus(), self.rom());
        let (hot_plug, reserves) = if self.has(Change::HotPlugBridges) {
            ("on", "")
        } else {
            ("off", ",io-reserve=4k,mem-reserve=1m,pref64-reserve=1m")
        };
        for i in 0..self.hv.default_bridges {
            let slot = FIRST_SLOT + i;
            if nested {
                let cause = Cause::keys([qemu!("default_bridges"), qemu!("firmware")]);
                line.push(
                    "-device",
                    format!(
                        "pcie-root-port,id=rp-pci-bridge-{i},bus={bus},chassis={},slot=0,addr={slot},\
                         multifunction=off,bus-reserve=0x1,pref64-reserve=1m,mem-reserve=1m,io-reserve=4k",
                        16 + i
                    ),
                    cause.clone(),
                );
                line.push(
                    "-device",
                    format!("pcie-pci-bridge,bus=rp-pci-bridge-{i},id=pci-bridge-{i}"),
                    cause,
                );
            } else if express {
                line.push(
                    "-device",
                    format!("pcie-pci-bridge,bus={bus},id=pcie-bridge-{i},addr={slot:x}{rom}"),
                    Cause::key(qemu!("default_bridges")),
                );
            } else {
                line.push(
                    "-device",
                    format!(
                        "pci-bridge,bus={bus},id=pci-bridge-{i},chassis_nr={},shpc={hot_plug},\
                         addr={slot:x}{rom}{reserves}",
                        i + 1
                    ),
                    Cause::key(qemu!("default_bridges")),
                );
            }
        }
    }

    /// Whether the console is a serial port: some architectures do not look at the key.
    pub(super) fn has_legacy_serial(&self) -> bool {
        self.hv.use_legacy_serial && !matches!(self.arch, Arch::S390x | Arch::Riscv64)
    }

    fn serial(&self, line: &mut Line) {
        let cause = Cause::key(qemu!("use_legacy_serial"));
        if self.has_legacy_serial() {
            line.push("-serial", "chardev:charconsole0", cause.clone());
        } else {
            let devno = self.devno(line, true);
            line.push(
                "-device",
                format!(
                    "virtio-serial{}{},id=serial0{}{devno}",
                    self.transport().suffix(),
                    self.modern(self.nested),
                    self.rom()
                ),
                cause.clone(),
            );
            line.push("-device", "virtconsole,chardev=charconsole0,id=console0", cause.clone());
        }
        line.push(
            "-chardev",
            format!("socket,id=charconsole0,path={},{}", self.console(), self.server()),
            cause,
        );
    }

    fn image(&self, line: &mut Line) {
        match self.disk {
            Disk::None | Disk::Nvdimm { stat: Stat { size: 0, .. }, .. } => {}
            Disk::Nvdimm { path, stat } => {
                let size = stat.size_text(|size| size.to_string());
                let cause = self.disk_cause();
                let (device, object) =
                    if self.has(Change::ReadOnlyNvdimm) { (",unarmed=on", ",readonly=on") } else { ("", "") };
                line.push("-device", format!("nvdimm,id=nv0,memdev=mem0{device}"), cause.clone());
                line.push(
                    "-object",
                    format!("memory-backend-file,id=mem0,mem-path={path},size={size}{object}"),
                    cause,
                );
            }
            Disk::Block { path } => {
                let block = Block {
                    id: "image-{nonce}",
                    file: path,
                    share: true,
                    read_only: true,
                    disable_modern: self.nested,
                };
                self.block(line, &block, self.disk_cause());
            }
        }
    }

    fn extensions(&self, line: &mut Line) {
        if !self.has(Change::ExtensionImages) {
            return;
        }
        for image in self.hv.guest_extension_images.iter().filter(|image| !image.path.is_empty()) {
            let id = format!("extension-{}", image.name);
            let block = Block {
                id: cut(&id),
                file: &image.path,
                share: true,
                read_only: true,
                disable_modern: self.nested,
            };
            self.block(line, &block, Cause::key(qemu!("guest_extension_images")));
        }
    }

    fn block(&self, line: &mut Line, block: &Block<'_>, cause: Cause) {
        let Block { id, file, .. } = block;
        let devno = self.devno(line, false);
        let scsi = if self.has(Change::BlockScsiOff) { ",scsi=off" } else { "" };
        let serial = if self.has(Change::BlockSerial) { format!(",serial={id}") } else { String::new() };
        line.push(
            "-device",
            format!(
                "virtio-blk{}{},drive={id}{scsi},config-wce=off{}{devno}{}{serial}",
                self.transport().suffix(),
                self.modern(block.disable_modern),
                self.rom(),
                if block.share { ",share-rw=on" } else { "" },
            ),
            cause.clone(),
        );
        let read_only = match block.read_only {
            true if self.has(Change::ReadOnlyWithoutValue) => ",readonly",
            true => ",readonly=on",
            false => "",
        };
        line.push("-drive", format!("id={id},file={file},aio=threads,format=raw,if=none{read_only}"), cause);
    }

    fn scsi(&self, line: &mut Line) {
        if !self.has_scsi() {
            return;
        }
        let devno = self.devno(line, true);
        let mut cause = Cause::key(qemu!("block_device_driver"));
        let thread = if self.hv.enable_iothreads {
            cause.keys.push(qemu!("enable_iothreads").into());
            ",iothread=iothread-{nonce}"
        } else {
            ""
        };
        line.push(
            "-device",
            format!(
                "virtio-scsi{},id=scsi0{}{thread}{}{devno}",
                self.transport().suffix(),
                self.modern(self.nested),
                self.rom()
            ),
            cause,
        );
    }

    fn initdata(&self, line: &mut Line) {
        let by_arch = self.has(Change::InitdataByArchitecture);
        let left_out = by_arch && matches!(self.arch, Arch::Aarch64 | Arch::Ppc64le);
        if self.hv.cc_init_data.is_empty() || left_out || !self.has(Change::InitdataDrive) {
            return;
        }
        let file = format!("/run/kata-containers/shared/initdata/{}/data.img", self.paths.id);
        let cause = Cause::key(qemu!("cc_init_data"));
        if self.transport() == Transport::Mmio || !by_arch {
            // This one is said to be on PCI whatever the machine is.
            line.push(
                "-device",
                "virtio-blk-pci,disable-modern=false,drive=initdata,config-wce=off,serial=initdata",
                cause.clone(),
            );
            line.push("-drive", format!("id=initdata,file={file},aio=threads,format=raw,if=none"), cause);
            return;
        }
        let block =
            Block { id: "initdata", file: &file, share: false, read_only: false, disable_modern: false };
        self.block(line, &block, cause);
    }

    fn entropy(&self, line: &mut Line) {
        let on_ccw = self.machine == Machine::S390Ccw && self.has(Change::NoEntropyOnCcw);
        if on_ccw || (self.hv.confidential_guest && self.has(Change::NoEntropyForConfidential)) {
            return;
        }
        let cause = Cause::key(qemu!("entropy_source"));
        let mut object = "rng-random,id=rng0".to_owned();
        if !self.hv.entropy_source.is_empty() {
            object.push_str(",filename=");
            object.push_str(&self.hv.entropy_source);
        }
        line.push("-object", object, cause.clone());
        let device = format!("virtio-rng{},rng=rng0{}", self.transport().suffix(), self.rom());
        line.push("-device", device, cause);
    }

    fn balloon(&self, line: &mut Line) {
        let asked = self.hv.reclaim_guest_freed_memory && self.has(Change::QemuBalloon);
        if !asked || self.hv.confidential_guest {
            return;
        }
        // On s390x its address is never filled in.
        let devno = if self.transport() == Transport::Ccw { ",devno=" } else { "" };
        line.push(
            "-device",
            format!(
                "virtio-balloon{},id=balloon0{devno},deflate-on-oom=on{},free-page-reporting=on",
                self.transport().suffix(),
                self.modern(false)
            ),
            Cause::key(qemu!("reclaim_guest_freed_memory")),
        );
    }

    /// The number of the descriptor through which the agent is reached: the monitor's socket is inherited first,
    /// where it is.
    pub(super) fn agent_descriptor(&self) -> u32 {
        if self.has(Change::Daemonized) { 3 } else { 4 }
    }

    fn vsock(&self, line: &mut Line) {
        let devno = self.devno(line, true);
        line.push(
            "-device",
            format!(
                "vhost-vsock{}{},vhostfd={},id=vsock-{{cid}},guest-cid={{cid}}{}{}{devno}",
                self.transport().suffix(),
                self.modern(self.nested),
                self.agent_descriptor(),
                self.bus(),
                self.rom()
            ),
            Cause::rule("how the runtime reaches the agent"),
        );
    }

    fn share(&self, line: &mut Line) {
        if !self.shares_files {
            return;
        }
        let hv = self.hv;
        let mut cause = Cause::key(qemu!("shared_fs"));
        if self.daemon.is_none() {
            let devno = self.devno(line, true);
            let remap = if self.arch == Arch::Aarch64 { "" } else { ",multidevs=remap" };
            line.push(
                "-device",
                format!(
                    "virtio-9p{}{},fsdev=extra-9p-kataShared,mount_tag=kataShared{}{devno}",
                    self.transport().suffix(),
                    self.modern(self.nested),
                    self.rom()
                ),
                cause.clone(),
            );
            line.push(
                "-fsdev",
                format!(
                    "local,id=extra-9p-kataShared,path={},security_model=none{remap}",
                    self.paths.share()
                ),
                cause,
            );
            return;
        }
        line.push(
            "-chardev",
            format!("socket,id=char-{{nonce}},path={}", self.paths.in_vm(SHARE_SOCKET)),
            cause.clone(),
        );
        // The s390x device is made without the configured size.
        let queue = match hv.virtio_fs_queue_size {
            _ if !self.has(Change::ShareQueueSize) => String::new(),
            0 => ",queue-size=1024".to_owned(),
            _ if self.arch == Arch::S390x => ",queue-size=1024".to_owned(),
            size => format!(",queue-size={size}"),
        };
        if self.has(Change::ShareQueueSize) {
            cause.keys.push(qemu!("virtio_fs_queue_size").into());
        }
        let cache = match hv.virtio_fs_cache_size {
            0 => String::new(),
            size => {
                cause.keys.push(qemu!("virtio_fs_cache_size").into());
                format!(",cache-size={size}M")
            }
        };
        let devno = self.devno(line, true);
        line.push(
            "-device",
            format!(
                "vhost-user-fs{},chardev=char-{{nonce}},tag=kataShared{queue}{cache}{devno}{}{}",
                self.transport().suffix(),
                self.bus(),
                self.rom()
            ),
            cause,
        );
    }
}
