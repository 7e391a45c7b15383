//! The devices on QEMU's command line, in the order in which they are appended.
//!
//! Facts: `buildDevices`, `CreateVM` and `AddDevice` in src/runtime/virtcontainers/qemu.go, the
//! architectures beside it, and the spelling in src/runtime/pkg/govmm/qemu/qemu.go at 4.1.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::arch::{Guard, Machine, Transport};
use super::line::Line;
use super::{Disk, Plan, Ports, SHARE_SOCKET, qemu};
use crate::input::host::{Arch, Stat};
use crate::launch::Cause;

/// The longest id of a device.
const ID_LIMIT: usize = 31;
/// The first slot of the root bus that the platform leaves free.
const FIRST_SLOT: u32 = 2;
/// Where the runtime gets it from is the processor itself; this is what EPYC has had since its second
/// release.
const C_BIT: u32 = 51;

/// A block device of the boot line.
struct Block<'a> {
    id: &'a str,
    file: &'a str,
    share: bool,
    read_only: bool,
    disable_modern: bool,
}

/// `data` cut or filled with zeros to `length`, in base64.
fn digest(data: &[u8], length: usize) -> String {
    let mut bytes = data.to_vec();
    bytes.resize(length, 0);
    STANDARD.encode(bytes)
}

fn cut(id: &str) -> &str {
    let end = (0..=ID_LIMIT.min(id.len())).rev().find(|i| id.is_char_boundary(*i)).unwrap_or(0);
    id.get(..end).unwrap_or(id)
}

impl Plan<'_> {
    fn transport(&self) -> Transport {
        self.machine.transport()
    }

    /// `,disable-modern=...` where devices are on PCI.
    fn modern(&self, disable: bool) -> &'static str {
        match (self.transport(), disable) {
            (Transport::Pci, true) => ",disable-modern=true",
            (Transport::Pci, false) => ",disable-modern=false",
            _ => "",
        }
    }

    /// `,bus=pcie.0` where that is the root bus.
    fn bus(&self) -> &'static str {
        if self.machine.has_pcie() { ",bus=pcie.0" } else { "" }
    }

    /// The address on the s390x bus.
    fn devno(&self, line: &mut Line, iommu: bool) -> String {
        if self.transport() != Transport::Ccw {
            return String::new();
        }
        let platform = if iommu && self.hv.iommu_platform { ",iommu_platform=on" } else { "" };
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
        if self.hv.iommu {
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
        self.vsock(line);
        self.share(line);
    }

    fn bridges(&self, line: &mut Line) {
        if !self.machine.has_pci_bridges() {
            return;
        }
        let nested = self.machine == Machine::Q35 && !self.hv.firmware_path.is_empty();
        let bus = self.machine.bridge_bus();
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
            } else {
                line.push(
                    "-device",
                    format!(
                        "pci-bridge,bus={bus},id=pci-bridge-{i},chassis_nr={},shpc=off,addr={slot:x},\
                         io-reserve=4k,mem-reserve=1m,pref64-reserve=1m",
                        i + 1
                    ),
                    Cause::key(qemu!("default_bridges")),
                );
            }
        }
    }

    fn serial(&self, line: &mut Line) {
        let cause = Cause::key(qemu!("use_legacy_serial"));
        if self.hv.legacy_serial && self.arch != Arch::S390x {
            line.push("-serial", "chardev:charconsole0", cause.clone());
        } else {
            let devno = self.devno(line, true);
            line.push(
                "-device",
                format!(
                    "virtio-serial{}{},id=serial0{devno}",
                    self.transport().suffix(),
                    self.modern(self.nested)
                ),
                cause.clone(),
            );
            line.push("-device", "virtconsole,chardev=charconsole0,id=console0", cause.clone());
        }
        line.push(
            "-chardev",
            format!("socket,id=charconsole0,path={},server=on,wait=off", self.console()),
            cause,
        );
    }

    fn image(&self, line: &mut Line) {
        match self.disk {
            Disk::None | Disk::Nvdimm { stat: Stat { size: 0, .. }, .. } => {}
            Disk::Nvdimm { path, stat } => {
                let size = stat.size_text(|size| size.to_string());
                let cause = self.disk_cause();
                line.push("-device", "nvdimm,id=nv0,memdev=mem0,unarmed=on", cause.clone());
                line.push(
                    "-object",
                    format!("memory-backend-file,id=mem0,mem-path={path},size={size},readonly=on"),
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
        line.push(
            "-device",
            format!(
                "virtio-blk{}{},drive={id},config-wce=off{devno}{},serial={id}",
                self.transport().suffix(),
                self.modern(block.disable_modern),
                if block.share { ",share-rw=on" } else { "" },
            ),
            cause.clone(),
        );
        let read_only = if block.read_only { ",readonly=on" } else { "" };
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
                "virtio-scsi{},id=scsi0{}{thread}{devno}",
                self.transport().suffix(),
                self.modern(self.nested)
            ),
            cause,
        );
    }

    fn initdata(&self, line: &mut Line) {
        if self.hv.initdata.is_empty() || matches!(self.arch, Arch::Aarch64 | Arch::Ppc64le) {
            return;
        }
        let file = format!("/run/kata-containers/shared/initdata/{}/data.img", self.paths.id);
        let cause = Cause::key(qemu!("cc_init_data"));
        if self.transport() == Transport::Mmio {
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

    fn protection(&self, line: &mut Line) {
        let hv = self.hv;
        if self.has_epc() {
            line.push(
                "-object",
                format!("memory-backend-epc,id=epc0,size={},prealloc=on", hv.sgx_epc_size as u64),
                Cause::rule("sgx.intel.com/epc asks for enclave memory"),
            );
        }
        let firmware = hv.firmware_asset_path();
        // QEMU is not told of an object whose firmware is missing.
        if firmware.is_empty() && matches!(self.guard, Guard::Tdx | Guard::Sev | Guard::Snp) {
            return;
        }
        let mut cause = Cause::key(qemu!("confidential_guest"));
        match self.guard {
            Guard::None => {}
            Guard::Tdx => {
                cause.keys.push(qemu!("tdx_quote_generation_service_socket_port").into());
                if !hv.initdata_digest.is_empty() {
                    cause.keys.push(qemu!("cc_init_data").into());
                }
                line.push("-object", self.tdx_object(), cause);
            }
            Guard::Sev => {
                line.push(
                    "-object",
                    format!("sev-guest,id=sev,cbitpos={C_BIT},reduced-phys-bits=1"),
                    cause.by("cbitpos as EPYC processors have it"),
                );
                line.push(
                    "-drive",
                    format!("if=pflash,format=raw,readonly=on,file={firmware}"),
                    Cause::key(qemu!("firmware")),
                );
            }
            Guard::Snp => {
                let mut text =
                    format!("sev-snp-guest,id=snp,cbitpos={C_BIT},reduced-phys-bits=1,kernel-hashes=on");
                cause.keys.push(qemu!("sev_snp_guest").into());
                if !hv.snp_id_block.is_empty() {
                    text.push_str(&format!(",id-block={},id-auth={}", hv.snp_id_block, hv.snp_id_auth));
                    cause.keys.push(qemu!("snp_id_block").into());
                    cause.keys.push(qemu!("snp_id_auth").into());
                }
                if let Some(policy) = hv.snp_guest_policy {
                    text.push_str(&format!(",policy={policy}"));
                    cause.keys.push(qemu!("snp_guest_policy").into());
                }
                if !hv.initdata_digest.is_empty() {
                    text.push_str(&format!(",host-data={}", digest(&hv.initdata_digest, 32)));
                    cause.keys.push(qemu!("cc_init_data").into());
                }
                line.push("-object", text, cause.by("cbitpos as EPYC processors have it"));
            }
            Guard::SecureExecution => line.push("-object", "s390-pv-guest,id=pv0", cause),
        }
    }

    fn tdx_object(&self) -> String {
        let hv = self.hv;
        let quotes = if self.qgs_unix {
            r#"{"type":"unix","path":"/var/run/tdx-qgs/qgs.socket"}"#.to_owned()
        } else {
            let port = if hv.qgs_port == 0 { 4050 } else { hv.qgs_port };
            format!(r#"{{"type":"vsock","cid":"2","port":"{port}"}}"#)
        };
        let digest = if hv.initdata_digest.is_empty() {
            String::new()
        } else {
            format!(r#""mrconfigid":"{}","#, digest(&hv.initdata_digest, 48))
        };
        format!(r#"{{"qom-type":"tdx-guest","id":"tdx",{digest}"quote-generation-socket":{quotes}}}"#)
    }

    fn entropy(&self, line: &mut Line) {
        if self.machine == Machine::S390Ccw || self.hv.confidential_guest {
            return;
        }
        let cause = Cause::key(qemu!("entropy_source"));
        let mut object = "rng-random,id=rng0".to_owned();
        if !self.hv.entropy_source.is_empty() {
            object.push_str(",filename=");
            object.push_str(&self.hv.entropy_source);
        }
        line.push("-object", object, cause.clone());
        line.push("-device", format!("virtio-rng{},rng=rng0", self.transport().suffix()), cause);
    }

    fn balloon(&self, line: &mut Line) {
        if !self.hv.reclaim_guest_freed_memory || self.hv.confidential_guest {
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

    fn port_devices(&self, line: &mut Line) {
        let plug = [qemu!("hot_plug_vfio"), qemu!("cold_plug_vfio")];
        match self.ports {
            Ports::None => {}
            Ports::Root(count) => {
                for i in 0..count {
                    line.push(
                        "-device",
                        format!("pcie-root-port,id=rp{i},bus=pcie.0,chassis=0,slot={i},multifunction=off"),
                        Cause::keys([qemu!("pcie_root_port"), plug[0], plug[1]]),
                    );
                }
            }
            Ports::Switch(count) => {
                let cause = Cause::keys([qemu!("pcie_switch_port"), plug[0], plug[1]]);
                line.push(
                    "-device",
                    "pcie-root-port,id=swrp0,bus=pcie.0,chassis=1,slot=0,multifunction=off",
                    cause.clone(),
                );
                line.push("-device", "x3130-upstream,id=swup0,bus=swrp0", cause.clone());
                for i in 0..count {
                    line.push(
                        "-device",
                        format!("xio3130-downstream,id=swdp{i},bus=swup0,chassis=2,slot={i}"),
                        cause.clone(),
                    );
                }
            }
        }
    }

    fn vsock(&self, line: &mut Line) {
        let devno = self.devno(line, true);
        line.push(
            "-device",
            format!(
                "vhost-vsock{}{},vhostfd=4,id=vsock-{{cid}},guest-cid={{cid}}{}{devno}",
                self.transport().suffix(),
                self.modern(self.nested),
                self.bus()
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
                    "virtio-9p{}{},fsdev=extra-9p-kataShared,mount_tag=kataShared{devno}",
                    self.transport().suffix(),
                    self.modern(self.nested)
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
            0 => 1024,
            _ if self.arch == Arch::S390x => 1024,
            size => size,
        };
        cause.keys.push(qemu!("virtio_fs_queue_size").into());
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
                "vhost-user-fs{},chardev=char-{{nonce}},tag=kataShared,queue-size={queue}{cache}{devno}{}",
                self.transport().suffix(),
                self.bus()
            ),
            cause,
        );
    }
}
