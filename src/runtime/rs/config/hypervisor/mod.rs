//! `[hypervisor.*]`: one superset of keys for all six hypervisors.
//!
//! The groups (`blockdev_info`, `boot_info`, ...) exist only here; in the file their keys stand
//! side by side in the table. Unknown keys are passed over, except in the inner tables.
//! Facts: src/libs/kata-types/src/config/hypervisor/mod.rs at 4.1.0.

use serde::{Deserialize, Serialize};

use crate::input::Text;

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
pub struct Hypervisor {
    #[serde(default)]
    pub path: Text,
    #[serde(default)]
    pub valid_hypervisor_paths: Vec<String>,
    #[serde(default)]
    pub ctlpath: Text,
    #[serde(default)]
    pub valid_ctlpaths: Vec<String>,
    #[serde(default)]
    pub jailer_path: Text,
    #[serde(default)]
    pub valid_jailer_paths: Vec<String>,
    #[serde(default)]
    pub disable_nesting_checks: bool,
    #[serde(default)]
    pub enable_iothreads: bool,
    #[serde(default)]
    pub indep_iothreads: u32,
    #[serde(default, flatten)]
    pub blockdev_info: BlockDeviceInfo,
    #[serde(default, flatten)]
    pub boot_info: BootInfo,
    #[serde(default)]
    pub guest_extension_images: Vec<GuestExtensionImage>,
    #[serde(default, flatten)]
    pub cpu_info: CpuInfo,
    #[serde(default, flatten)]
    pub debug_info: DebugInfo,
    #[serde(default, flatten)]
    pub device_info: DeviceInfo,
    #[serde(default, flatten)]
    pub machine_info: MachineInfo,
    #[serde(default, flatten)]
    pub memory_info: MemoryInfo,
    #[serde(default, flatten)]
    pub network_info: NetworkInfo,
    #[serde(default, flatten)]
    pub security_info: SecurityInfo,
    #[serde(default, flatten)]
    pub shared_fs: SharedFsInfo,
    #[serde(default, flatten)]
    pub remote_info: RemoteInfo,
    #[serde(default, flatten)]
    pub vm_template: VmTemplateInfo,
    #[serde(default)]
    pub factory: Factory,
    #[serde(default)]
    pub prefetch_list_path: Text,
    #[serde(default, flatten)]
    pub vendor: Vendor,
    #[serde(default = "yes")]
    pub disable_guest_selinux: bool,
    #[serde(default)]
    pub disable_selinux: bool,
}

fn yes() -> bool {
    true
}
