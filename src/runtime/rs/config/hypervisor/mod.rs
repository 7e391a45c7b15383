//! `[hypervisor.*]`: one superset of keys for all six hypervisors.
//!
//! The groups (`blockdev_info`, `boot_info`, ...) exist only here; in the file their keys stand
//! side by side in the table. Unknown keys are passed over, except in the inner tables.
//! Facts: src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use crate::input::Text;

use super::Part;
use super::runtime::Vendor;

mod device;
mod guest;
mod policy;

pub use device::{BlockDeviceInfo, DeviceInfo, GuestExtensionImage, NetworkInfo, SharedFsInfo};
pub use guest::{BootInfo, CpuInfo, DebugInfo, HugePageType, MachineInfo, MemoryInfo, shortest};
pub use policy::{Factory, RemoteInfo, RootlessUser, SecurityInfo, VmTemplateInfo};

/// One `[hypervisor.*]` table.
#[allow(missing_docs)]
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct Hypervisor<'c> {
    #[serde(default)]
    pub path: Part<'c, Text>,
    #[serde(default)]
    pub valid_hypervisor_paths: Part<'c, Vec<String>>,
    #[serde(default)]
    pub ctlpath: Part<'c, Text>,
    #[serde(default)]
    pub valid_ctlpaths: Part<'c, Vec<String>>,
    #[serde(default)]
    pub jailer_path: Part<'c, Text>,
    #[serde(default)]
    pub valid_jailer_paths: Part<'c, Vec<String>>,
    #[serde(default)]
    pub disable_nesting_checks: bool,
    #[serde(default)]
    pub enable_iothreads: bool,
    #[serde(default)]
    pub indep_iothreads: u32,
    #[serde(default, flatten)]
    pub blockdev_info: Part<'c, BlockDeviceInfo>,
    #[serde(default, flatten)]
    pub boot_info: Part<'c, BootInfo>,
    #[serde(default)]
    pub guest_extension_images: Part<'c, Vec<GuestExtensionImage>>,
    #[serde(default, flatten)]
    pub cpu_info: Part<'c, CpuInfo>,
    #[serde(default, flatten)]
    pub debug_info: Part<'c, DebugInfo>,
    #[serde(default, flatten)]
    pub device_info: Part<'c, DeviceInfo>,
    #[serde(default, flatten)]
    pub machine_info: Part<'c, MachineInfo>,
    #[serde(default, flatten)]
    pub memory_info: Part<'c, MemoryInfo>,
    #[serde(default, flatten)]
    pub network_info: Part<'c, NetworkInfo>,
    #[serde(default, flatten)]
    pub security_info: Part<'c, SecurityInfo>,
    #[serde(default, flatten)]
    pub shared_fs: Part<'c, SharedFsInfo>,
    #[serde(default, flatten)]
    pub remote_info: Part<'c, RemoteInfo>,
    #[serde(default, flatten)]
    pub vm_template: Part<'c, VmTemplateInfo>,
    #[serde(default)]
    pub factory: Part<'c, Factory>,
    #[serde(default)]
    pub prefetch_list_path: Part<'c, Text>,
    #[serde(default, flatten)]
    pub vendor: Vendor,
    #[serde(default = "yes")]
    pub disable_guest_selinux: bool,
    #[serde(default)]
    pub disable_selinux: bool,
}

impl Hypervisor<'_> {
    /// The same table, for a sandbox to change.
    pub fn lend(&self) -> Hypervisor<'_> {
        Hypervisor {
            path: self.path.lend(),
            valid_hypervisor_paths: self.valid_hypervisor_paths.lend(),
            ctlpath: self.ctlpath.lend(),
            valid_ctlpaths: self.valid_ctlpaths.lend(),
            jailer_path: self.jailer_path.lend(),
            valid_jailer_paths: self.valid_jailer_paths.lend(),
            disable_nesting_checks: self.disable_nesting_checks,
            enable_iothreads: self.enable_iothreads,
            indep_iothreads: self.indep_iothreads,
            blockdev_info: self.blockdev_info.lend(),
            boot_info: self.boot_info.lend(),
            guest_extension_images: self.guest_extension_images.lend(),
            cpu_info: self.cpu_info.lend(),
            debug_info: self.debug_info.lend(),
            device_info: self.device_info.lend(),
            machine_info: self.machine_info.lend(),
            memory_info: self.memory_info.lend(),
            network_info: self.network_info.lend(),
            security_info: self.security_info.lend(),
            shared_fs: self.shared_fs.lend(),
            remote_info: self.remote_info.lend(),
            vm_template: self.vm_template.lend(),
            factory: self.factory.lend(),
            prefetch_list_path: self.prefetch_list_path.lend(),
            vendor: Vendor {},
            disable_guest_selinux: self.disable_guest_selinux,
            disable_selinux: self.disable_selinux,
        }
    }
}

fn yes() -> bool {
    true
}
