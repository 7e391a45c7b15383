//! Which hypervisors make anything of an annotation that the runtime accepts for all of them.
//!
//! Facts: where src/runtime/virtcontainers at 4.1.0 uses each field of `HypervisorConfig`
//! ({qemu,clh,fc,stratovirt,remote}.go and what they share).

use super::annotations::known::Id;
use super::config::HypervisorType::{self, Clh, Firecracker, Qemu, Remote, Stratovirt};

/// Why an accepted annotation changes nothing, where it does.
pub(super) fn nothing_uses(id: Id, hypervisor: HypervisorType) -> Option<&'static str> {
    const BOOT: &[HypervisorType] = &[Qemu, Clh, Firecracker, Stratovirt];
    let users: &[HypervisorType] = match id {
        Id::Rootless => return Some("user and folders are made before annotations are read"),
        Id::ContainerPipeSize => return Some("the kernel command line was made before annotations are read"),
        Id::FirmwareVolume
        | Id::FirmwareVolumeHash
        | Id::MemorySlots
        | Id::MemoryOffset
        | Id::EnableVirtioMem
        | Id::EnableMemPrealloc
        | Id::EnableIommuPlatform
        | Id::EnableGuestSwap
        | Id::NumaMapping
        | Id::EnableIothreads
        | Id::IndepIothreads
        | Id::Msize9p
        | Id::CpuFeatures
        | Id::DisableVhostNet
        | Id::PcieRootPort
        | Id::PcieSwitchPort
        | Id::MachineAccelerators
        | Id::VhostUserStorePath
        | Id::EnableVhostUserStore
        | Id::VhostUserReconnect
        | Id::DisableImageNvdimm
        | Id::UseLegacySerial
        | Id::BlockDeviceAio
        | Id::SgxEpc => &[Qemu],
        Id::Firmware
        | Id::FirmwareHash
        | Id::DefaultMaxVcpus
        | Id::ReclaimGuestFreedMemory
        | Id::EnableHugepages
        | Id::EnableIommu
        | Id::BlockDeviceCacheDirect => &[Qemu, Clh],
        Id::LogicalSectorSize | Id::PhysicalSectorSize => &[Qemu, Stratovirt],
        Id::BlockDeviceCacheSet => &[Qemu, Clh, Firecracker],
        Id::BlockDeviceCacheNoflush => &[Qemu, Firecracker],
        Id::EntropySource
        | Id::VirtioFsDaemon
        | Id::VirtioFsExtraArgs
        | Id::VirtioFsCache
        | Id::VirtioFsCacheSize => &[Qemu, Clh, Stratovirt],
        Id::MachineType => &[Qemu, Stratovirt, Remote],
        Id::CcInitData => &[Qemu, Clh, Remote],
        Id::JailerPath | Id::JailerHash => &[Firecracker],
        Id::HypervisorPath
        | Id::HypervisorHash
        | Id::Kernel
        | Id::KernelHash
        | Id::Initrd
        | Id::InitrdHash
        | Id::KernelParams
        | Id::KernelVerityParams
        | Id::DisableBlockDeviceUse
        | Id::BlockDeviceDriver => BOOT,
        _ => return None,
    };
    (!users.contains(&hypervisor)).then_some("nothing uses it on this hypervisor")
}
