//! What each hypervisor adds to the loading rules: its own defaults, its own checks, its limits.
//!
//! Decides which table names are hypervisors at all. What is common to all tables is in `adjust` and
//! `validate`. Facts: src/libs/kata-types/src/config/hypervisor/*.rs and
//! src/runtime-rs/crates/runtimes/virt_container/src/lib.rs at each tag.

mod clh;
mod dragonball;
mod firecracker;
mod openvmm;
mod qemu;
mod remote;

use super::config::{Hypervisor, Runtime};
use super::error::{ConfigError, ConfigResult, ensure};
use crate::input::host::Arch;
use crate::input::{Host, Text};
use crate::release::Release;
use crate::release::rs::Change;

/// A hypervisor that runtime-rs has built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Plugin {
    Clh,
    Dragonball,
    Firecracker,
    Openvmm,
    Qemu,
    Remote,
}

const TEMPLATE_PATH: &str = "/run/vc/vm/template";

impl Plugin {
    /// The plugin of a table name. All are built in on x86_64 and aarch64, elsewhere QEMU and remote.
    pub fn named(name: &str, arch: Arch, release: Release) -> Option<Self> {
        let (plugin, since) = match name {
            "qemu" => (Self::Qemu, Some(Change::QemuPlugin)),
            "remote" => (Self::Remote, Some(Change::RemotePlugin)),
            "clh" => (Self::Clh, Some(Change::ClhShortName)),
            "cloud-hypervisor" if !release.has(Change::ClhShortName) => (Self::Clh, Some(Change::ClhPlugin)),
            "dragonball" => (Self::Dragonball, None),
            "firecracker" => (Self::Firecracker, Some(Change::FirecrackerPlugin)),
            "openvmm" => (Self::Openvmm, Some(Change::OpenvmmPlugin)),
            _ => return None,
        };
        let everywhere = matches!(plugin, Self::Qemu | Self::Remote);
        let built_in = everywhere || matches!(arch, Arch::X86_64 | Arch::Aarch64);
        (built_in && since.is_none_or(|change| release.has(change))).then_some(plugin)
    }

    /// The table name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clh => "clh",
            Self::Dragonball => "dragonball",
            Self::Firecracker => "firecracker",
            Self::Openvmm => "openvmm",
            Self::Qemu => "qemu",
            Self::Remote => "remote",
        }
    }

    /// The most vCPUs that an annotation may ask for.
    pub fn max_vcpus(self) -> u32 {
        match self {
            Self::Firecracker | Self::Remote => 32,
            Self::Clh | Self::Dragonball | Self::Openvmm | Self::Qemu => 256,
        }
    }

    /// The least memory in MiB.
    pub fn min_memory(self) -> u32 {
        match self {
            Self::Firecracker => 128,
            Self::Clh | Self::Dragonball | Self::Openvmm | Self::Qemu | Self::Remote => 64,
        }
    }

    /// Fills in this hypervisor's defaults.
    pub fn adjust(
        self,
        hv: &mut Hypervisor,
        runtime: &mut Runtime,
        host: &Host,
        release: Release,
    ) -> ConfigResult {
        match self {
            Self::Clh => clh::adjust(hv, host, release),
            Self::Dragonball => dragonball::adjust(hv, host, release),
            Self::Firecracker => {
                firecracker::adjust(hv);
                Ok(())
            }
            Self::Openvmm => {
                openvmm::adjust(hv);
                Ok(())
            }
            Self::Qemu => qemu::adjust(hv, host, release),
            Self::Remote => {
                let outcome = remote::adjust(hv, host, release);
                // Its network is a tunnel of its own; an error comes before that.
                if outcome.is_ok() && release.has(Change::RemoteNetwork) {
                    if runtime.internetworking_model != "none" {
                        runtime.internetworking_model = "none".into();
                    }
                    if runtime.disable_new_netns {
                        runtime.disable_new_netns = false;
                    }
                }
                outcome
            }
        }
    }

    /// This hypervisor's own checks.
    pub fn validate(self, hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
        match self {
            Self::Clh => clh::validate(hv, host, release),
            Self::Dragonball => dragonball::validate(hv, host, release),
            Self::Firecracker => firecracker::validate(hv, host),
            Self::Openvmm => openvmm::validate(hv, host),
            Self::Qemu => qemu::validate(hv, host, release),
            Self::Remote => remote::validate(hv, host),
        }
    }
}

/// Sets a text where it is empty.
fn or_default(text: &mut Text, default: &'static str) {
    if text.is_empty() {
        *text = default.into();
    }
}

/// Sets a number where it is zero.
fn or_number(number: &mut u32, default: u32) {
    if *number == 0 {
        *number = default;
    }
}

/// Whether more vCPUs are asked for than `most`; fractions are cut off first.
fn too_many_vcpus(hv: &Hypervisor, most: u32) -> bool {
    let cpu = &hv.cpu_info;
    (cpu.default_vcpus > 0.0 && cpu.default_vcpus as u32 > most) || cpu.default_maxvcpus > most
}

/// The plugin's least memory, under the name that its message has for it.
fn enough_memory(hv: &Hypervisor, plugin: Plugin, name: &str) -> ConfigResult {
    let least = plugin.min_memory();
    ensure(hv.memory_info.default_memory >= least, "default_memory", || {
        format!("{name} hypervisor has minimal memory limitation {least}")
    })
}

/// The check that QEMU and Cloud Hypervisor share.
fn confidential_rootfs(hv: &Hypervisor, release: Release) -> ConfigResult {
    ensure(
        !(release.has(Change::ConfidentialRootfs)
            && hv.security_info.confidential_guest
            && hv.boot_info.vm_rootfs_driver == "virtio-blk-mmio"),
        "vm_rootfs_driver",
        || {
            "Confidential guests must not use virtio-blk-mmio (use virtio-blk-pci); virtio-mmio is not \
             hardened for CoCo"
                .to_owned()
        },
    )
}

fn absent(key: &'static str, fine: bool, message: &str) -> ConfigResult {
    if fine { Ok(()) } else { Err(ConfigError::about(key, message)) }
}
