//! What is registered with every hypervisor before its VM starts: the shared folder, disks, protection,
//! PCIe ports. What each hypervisor makes of it is its own file's business.
//!
//! Facts: `prepare_for_start_sandbox` in src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs,
//! `prepare_before_start_vm` in src/runtime-rs/crates/resource/src/manager_inner.rs and
//! src/runtime-rs/crates/hypervisor/src/device at each tag.

use std::borrow::Cow;

use super::network::Network;
use super::share_fs::Share;
use super::{Context, Kind, Refusal, Start, initdata, refuse};
use crate::answer::launch::Helper;
use crate::input::host::{Arch, HostFacts, Protection as Hardware};
use crate::input::manifest::DeviceRequest;
use crate::release::Release;
use crate::release::rs::Change;

const CAUSED_BY_CONFIDENTIAL: &[&str] = &["hypervisor.confidential_guest"];
const CAUSED_BY_IMAGE: &[&str] = &["hypervisor.image", "hypervisor.initrd"];

/// How a disk is attached, under the names that the runtime uses past its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    Blk,
    Ccw,
    Mmio,
    Nvdimm,
    Scsi,
}

impl Driver {
    fn named(name: &str, release: Release) -> Option<Self> {
        Some(match name {
            "virtio-blk-pci" => Self::Blk,
            "virtio-blk-ccw" if release.has(Change::CcwDriver) => Self::Ccw,
            "virtio-blk-mmio" => Self::Mmio,
            "virtio-pmem" => Self::Nvdimm,
            "virtio-scsi" if release.has(Change::ScsiDriver) => Self::Scsi,
            _ => return None,
        })
    }
}

/// What a disk is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// The guest's root file system.
    Root,
    /// An extension of this name.
    Extension(&'a str),
    /// Initialization data.
    Initdata,
}

/// One disk.
#[derive(Debug, Clone)]
pub(super) struct Disk<'a> {
    pub(super) path: Cow<'a, str>,
    pub(super) driver: Driver,
    pub(super) role: Role<'a>,
    /// Its number among the disks, persistent memory counted apart.
    pub(super) index: u64,
}

/// What protects a confidential guest.
#[derive(Debug, Clone)]
pub(super) enum Protection<'a> {
    Sev { firmware: &'a str },
    Snp { firmware: &'a str, host_data: Option<String> },
    Se,
    Tdx { firmware: &'a str, qgs_port: u32, mrconfigid: Option<String> },
}

/// Everything registered.
#[derive(Debug, Clone)]
pub(super) struct Resources<'a> {
    /// The sandbox that it is for.
    pub(super) start: Start<'a>,
    pub(super) share: Option<Share>,
    pub(super) disks: Vec<Disk<'a>>,
    pub(super) protection: Option<Protection<'a>>,
    pub(super) network: Network,
    /// Devices that are plugged in before the start, by their CDI names.
    pub(super) devices: Vec<String>,
    /// PCIe root ports for devices to come.
    pub(super) root_ports: u32,
    /// Ports of a PCIe switch.
    pub(super) switch_ports: u32,
}

/// What the host's processor offers, as the runtime finds it.
pub(super) fn hardware(facts: &HostFacts) -> Hardware {
    match facts.protection {
        // It does not look for realms.
        Hardware::Cca => Hardware::None,
        found => found,
    }
}

/// `available_guest_protection`, where looking for it fails.
fn look_for_protection(hardware: Hardware) -> Result<(), Refusal> {
    if hardware != Hardware::SeNoCmdline {
        return Ok(());
    }
    let message =
        "Invalid guest protection value: Protected Virtualization is not enabled on kernel command line!";
    refuse(message, CAUSED_BY_CONFIDENTIAL)
}

/// Whether devices hang on the channel subsystem of IBM Z.
pub(super) fn has_ccw_bus(start: &Start<'_>) -> bool {
    if start.has(Change::CcwByHost) {
        start.host.facts.arch == Arch::S390x
    } else {
        start.has(Change::CcwBus) && start.hv.machine_info.machine_type.contains("-ccw-")
    }
}

/// What is asked for, before any of it is made.
struct Wanted<'a> {
    disks: Vec<(Cow<'a, str>, &'a str, Role<'a>)>,
    protection: Option<Protection<'a>>,
}

impl<'a> Wanted<'a> {
    fn new(start: &Start<'a>) -> Result<Self, Refusal> {
        let hv = start.hv;
        let mut disks = Vec::with_capacity(2 + hv.guest_extension_images.len());
        if let Some(image) = root(start).context("failed to prepare rootfs device config")? {
            disks.push((Cow::Borrowed(image), hv.boot_info.vm_rootfs_driver.as_str(), Role::Root));
        }
        // Always virtio-blk: only its serial number tells the guest which extension a disk is.
        let driver = if has_ccw_bus(start) { "virtio-blk-ccw" } else { "virtio-blk-pci" };
        let extensions = hv.guest_extension_images.iter().filter(|image| !image.path.is_empty());
        disks.extend(
            extensions.map(|image| {
                (Cow::Borrowed(image.path.as_str()), driver, Role::Extension(image.name.as_str()))
            }),
        );
        let hardware = hardware(&start.host.facts);
        let mut digest = None;
        let document = hv.security_info.initdata.as_str();
        let takes_digest = match hardware {
            Hardware::Sev | Hardware::Pef => false,
            Hardware::Tdx | Hardware::Snp => true,
            _ => start.has(Change::InitdataWithoutTee),
        };
        if !document.is_empty() && takes_digest {
            let made = look_for_protection(hardware)
                .and_then(|()| initdata::digest(document, hardware, start.release));
            digest = Some(made.context("failed to prepare initdata device config")?);
            let driver = match start.has(Change::InitdataByBlockDriver) {
                true => hv.blockdev_info.block_device_driver.as_str(),
                false => hv.boot_info.vm_rootfs_driver.as_str(),
            };
            disks.push((Cow::Owned(start.paths.initdata()), driver, Role::Initdata));
        }
        match hv.device_info.cold_plug_vfio.as_str() {
            "" | "no-port" | "root-port" => {}
            other => {
                let message =
                    format!("unsupported cold_plug_vfio value {other:?}; only \"root-port\" is supported");
                return refuse(message, &["hypervisor.cold_plug_vfio"]);
            }
        }
        let protection =
            protection(start, hardware, digest).context("failed to prepare protection device config")?;
        Ok(Self { disks, protection })
    }
}

/// `prepare_rootfs_config`
fn root<'a>(start: &Start<'a>) -> Result<Option<&'a str>, Refusal> {
    let hv = start.hv;
    if !start.has(Change::VmRootfs) {
        return Ok(None);
    }
    if !hv.boot_info.initrd.is_empty() {
        return Ok((!start.has(Change::InitrdIsNoDisk)).then_some(hv.boot_info.initrd.as_str()));
    }
    if !hv.boot_info.image.is_empty() {
        return Ok(Some(&hv.boot_info.image));
    }
    if !start.has(Change::InitrdIsNoDisk) {
        return refuse("get image: failed to get image", CAUSED_BY_IMAGE);
    }
    let ccw = match start.has(Change::CcwByHost) {
        true => has_ccw_bus(start),
        false => start.has(Change::SealedImage) && hv.boot_info.vm_rootfs_driver.ends_with("ccw"),
    };
    let sealed = ccw && hv.security_info.confidential_guest;
    if sealed || (start.kind == Kind::Remote && start.has(Change::RemoteWithoutImage)) {
        Ok(None)
    } else {
        refuse("both of image and initrd isn't set", CAUSED_BY_IMAGE)
    }
}

/// `prepare_protection_device_config`
fn protection<'a>(
    start: &Start<'a>,
    hardware: Hardware,
    digest: Option<String>,
) -> Result<Option<Protection<'a>>, Refusal> {
    let security = &start.hv.security_info;
    let unasked = start.has(Change::ProtectionUnasked);
    if !start.has(Change::Protection) || (!security.confidential_guest && !unasked) {
        return Ok(None);
    }
    look_for_protection(hardware)?;
    let firmware = start.hv.boot_info.firmware.as_str();
    let needed = |name: &str| -> Result<&'a str, Refusal> {
        if firmware.is_empty() {
            // The misspelling is the runtime's.
            return refuse(
                format!("{name} protection requires a path to firmaware"),
                &["hypervisor.firmware"],
            );
        }
        Ok(firmware)
    };
    Ok(match hardware {
        Hardware::Sev => Some(Protection::Sev { firmware: needed("SEV")? }),
        Hardware::Snp => {
            let firmware = needed("SEV-SNP")?;
            Some(if security.sev_snp_guest {
                Protection::Snp { firmware, host_data: digest }
            } else {
                Protection::Sev { firmware }
            })
        }
        Hardware::Se => Some(Protection::Se),
        Hardware::Tdx if start.has(Change::TdxProtection) => Some(Protection::Tdx {
            firmware,
            qgs_port: security.tdx_quote_generation_service_socket_port,
            mrconfigid: digest,
        }),
        Hardware::None if start.has(Change::UnprotectedStarts) => None,
        _ => {
            let message =
                "confidential_guest requested by configuration but no supported protection available";
            return refuse(message, CAUSED_BY_CONFIDENTIAL);
        }
    })
}

/// `PCIeTopology`: ports of one kind only, at the root and behind a switch; with both kinds there are none.
fn ports(start: &Start<'_>) -> (u32, u32) {
    let device = &start.hv.device_info;
    if start.kind == Kind::OpenVmm || !start.has(Change::PciePorts) {
        return (0, 0);
    }
    match (device.pcie_root_port, device.pcie_switch_port) {
        (root, 0) => (root, 0),
        (0, switch) if start.has(Change::PortReserves) => (0, switch),
        _ => (0, 0),
    }
}

/// So many devices are told apart; no machine has room for as many.
const MOST_DEVICES: usize = 4096;

/// `prepare_coldplug_cdi_devices`: those that kubelet gave the pod. Only QEMU is told of them: Cloud Hypervisor passes
/// them over until its VM runs.
fn devices(start: &Start<'_>) -> Vec<String> {
    let socket = start.config.runtime.pod_resource_api_sock.as_str();
    let asked = start.sandbox.devices;
    let wanted = start.has(Change::ColdPlugByKubelet)
        && start.kind == Kind::Qemu
        && start.hv.device_info.cold_plug_vfio == *"root-port";
    if !wanted || asked.is_empty() || socket.is_empty() || !start.host.exists(socket) {
        return Vec::new();
    }
    let each = |request: &DeviceRequest| {
        let name = format!("{}={{id}}", request.resource);
        std::iter::repeat_n(name, (request.count as usize).min(MOST_DEVICES))
    };
    asked.iter().flat_map(each).take(MOST_DEVICES).collect()
}

/// `create_block_device_modern`: how a disk is attached.
fn driver(name: &str, role: Role<'_>, release: Release) -> Result<Driver, Refusal> {
    if let Some(driver) = Driver::named(name, release) {
        return Ok(driver);
    }
    let modern = release.has(Change::ModernBlocks);
    let step = if modern { "failed to create block device modern" } else { "failed to create device" };
    // The misspelling was the runtime's.
    let spelled = release.has(Change::CreationSpelled);
    let creating = if spelled { "failed to create device" } else { "failed to create deviec" };
    let refused = refuse(format!("unsupported driver type {name}"), &["hypervisor.block_device_driver"]);
    refused.context(step).context(creating).context(match role {
        Role::Root => "do handle device failed.",
        Role::Extension(_) => "do handle extra image device failed.",
        Role::Initdata => "do handle initdata block device failed.",
    })
}

impl<'a> Resources<'a> {
    /// Registers everything. `shares_files`: the hypervisor can share folders.
    pub(super) fn new(start: &Start<'a>, shares_files: bool) -> Result<Self, Refusal> {
        let wanted = Wanted::new(start)?;
        Self::made(start, shares_files, wanted).context("set up device before start vm")
    }

    fn made(start: &Start<'a>, shares_files: bool, wanted: Wanted<'a>) -> Result<Self, Refusal> {
        let network = Network::new(start)?;
        let asked = start.hv.shared_fs.shared_fs.as_deref();
        // It had to be a name, and nothing is none.
        let asked = if start.has(Change::SharedFsAsked) { asked } else { asked.or(Some("")) };
        let share = match asked {
            Some(name) if shares_files => {
                let share = Share::new(start, name)?;
                bind_mounts(start).context("failed setup sandbox bindmounts")?;
                Some(share)
            }
            _ => None,
        };
        let mut disks: Vec<Disk<'a>> = Vec::with_capacity(wanted.disks.len());
        for (path, name, role) in wanted.disks {
            // A path that is attached already is not attached again.
            if disks.iter().any(|disk| disk.path == path) {
                continue;
            }
            let driver = driver(name, role, start.release)?;
            let is_alike = |disk: &&Disk<'_>| (disk.driver == Driver::Nvdimm) == (driver == Driver::Nvdimm);
            let index = disks.iter().filter(is_alike).count() as u64;
            disks.push(Disk { path, driver, role, index });
        }
        let (root_ports, switch_ports) = ports(start);
        let devices = devices(start);
        let (start, protection) = (*start, wanted.protection);
        Ok(Self { start, share, disks, protection, network, devices, root_ports, switch_ports })
    }

    /// The daemon that serves the shared folder.
    pub(super) fn helpers(&self) -> Vec<Helper> {
        self.share.iter().filter_map(|share| share.helper(&self.start)).collect()
    }

    /// Where the agent mounts the shared folder.
    pub(super) fn share_in_guest(&self) -> Option<String> {
        self.share.as_ref().map(|share| share.kind.mount_point(&self.start))
    }

    /// The keys of a disk: of its file, and of how it is attached.
    pub(super) fn keys_of(&self, disk: &Disk<'_>) -> (&'static str, &'static str) {
        let keys = self.start.keys;
        match disk.role {
            Role::Root => (keys.image, keys.vm_rootfs_driver),
            Role::Extension(_) => (keys.guest_extension_images, keys.guest_extension_images),
            Role::Initdata => (keys.initdata, keys.block_device_driver),
        }
    }
}

/// `setup_sandbox_bind_mounts`: two folders of one name have no room beside each other.
fn bind_mounts(start: &Start<'_>) -> Result<(), Refusal> {
    let mut names: Vec<String> = Vec::new();
    for mount in &start.config.runtime.sandbox_bind_mounts {
        let mode = if mount.ends_with(":rw") { ":rw" } else { ":ro" };
        let path = mount.trim_end_matches(mode);
        let Ok(real) = start.host.canonicalize(path) else { continue };
        let name = real.rsplit('/').next().unwrap_or_default().to_owned();
        if names.contains(&name) {
            let message = format!("sandbox-bindmounts: path {path} is already specified.");
            return refuse(message, &["runtime.sandbox_bind_mounts"]);
        }
        names.push(name);
    }
    Ok(())
}
