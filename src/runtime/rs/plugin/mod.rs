//! What each hypervisor adds to the loading rules: its own defaults, its own checks, its limits.
//!
//! Decides which table names are hypervisors at all. What is common to all tables is in `adjust` and
//! `validate`. Facts: src/libs/kata-types/src/config/hypervisor/*.rs and
//! src/runtime-rs/crates/runtimes/virt_container/src/lib.rs at each tag.

mod checks;

use super::config::{Hypervisor, Runtime};
use super::error::{ConfigResult, resolve};
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::defaults::{or_number, or_word};

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

const JAILER: &str = "dragonball jailer path {} is invalid: {}";

type FillIn = fn(&mut Hypervisor, Release);

/// What holds where nothing is written, by hypervisor.
const DEFAULTS: &[(&[Plugin], FillIn)] = {
    use Plugin::{Clh, Dragonball, Firecracker, Openvmm, Qemu, Remote};
    &[
        (&[Qemu], |hv, _| or_word(&mut hv.path, "/usr/bin/qemu-system-x86_64")),
        (&[Clh], |hv, _| or_word(&mut hv.path, "/usr/bin/cloud-hypervisor")),
        (&[Remote], |hv, _| or_word(&mut hv.remote_info.hypervisor_socket, "/run/peerpod/hypervisor.sock")),
        (&[Remote], |hv, _| or_number(&mut hv.remote_info.hypervisor_timeout, 600)),
        (&[Clh, Dragonball, Qemu], |hv, _| or_word(&mut hv.boot_info.kernel, "vmlinuz")),
        (&[Firecracker], |hv, _| or_word(&mut hv.boot_info.kernel, "vmlinux")),
        (&[Qemu], |hv, release| {
            if release.has(Change::QemuRootfsType) {
                or_word(&mut hv.boot_info.rootfs_type, "ext4");
            }
        }),
        (&[Qemu], |hv, _| or_word(&mut hv.machine_info.machine_type, "q35")),
        (&[Clh, Dragonball, Firecracker, Qemu], |hv, _| {
            or_word(&mut hv.machine_info.entropy_source, "/dev/urandom")
        }),
        (&[Clh], |hv, _| or_number(&mut hv.device_info.default_bridges, 2)),
        (&[Qemu], |hv, release| {
            or_number(
                &mut hv.device_info.default_bridges,
                if release.has(Change::OneBridge) { 1 } else { 2 },
            );
        }),
        (&[Clh, Dragonball, Firecracker, Qemu], |hv, _| or_number(&mut hv.memory_info.default_memory, 128)),
        (&[Remote], |hv, _| or_number(&mut hv.memory_info.default_memory, 64)),
        (&[Clh, Dragonball, Openvmm, Qemu, Remote], |hv, _| or_number(&mut hv.memory_info.memory_slots, 128)),
    ]
};

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

    /// Fills in this hypervisor's defaults, and looks up its programs.
    pub fn adjust(
        self,
        hv: &mut Hypervisor,
        runtime: &mut Runtime,
        host: &Host,
        release: Release,
    ) -> ConfigResult {
        for (_, fill_in) in DEFAULTS.iter().filter(|(plugins, _)| plugins.contains(&self)) {
            fill_in(hv, release);
        }
        match self {
            Self::Clh => {
                resolve(host, &mut hv.path, "path", "CH binary path `{}` is invalid: {}")?;
                resolve(host, &mut hv.ctlpath, "ctlpath", "CH ctlpath `{}` is invalid: {}")?;
            }
            Self::Qemu => {
                resolve(host, &mut hv.path, "path", "Qemu binary path `{}` is invalid: {}")?;
                resolve(host, &mut hv.ctlpath, "ctlpath", "Qemu ctlpath `{}` is invalid: {}")?;
            }
            Self::Dragonball => {
                resolve(host, &mut hv.jailer_path, "jailer_path", JAILER)?;
                let cpu = &mut hv.cpu_info;
                cpu.default_maxvcpus = cpu.default_maxvcpus.min(self.max_vcpus());
                if cpu.default_vcpus as u32 > cpu.default_maxvcpus {
                    cpu.default_vcpus = cpu.default_maxvcpus as f32;
                }
            }
            Self::Remote => {
                let socket = &mut hv.remote_info.hypervisor_socket;
                resolve(host, socket, "hypervisor_socket", "Remote hypervisor socket `{}` is invalid: {}")?;
                // Its network is a tunnel of its own.
                if release.has(Change::RemoteNetwork) && runtime.internetworking_model != "none" {
                    runtime.internetworking_model = "none".into();
                }
                runtime.disable_new_netns &= !release.has(Change::RemoteNetwork);
            }
            Self::Firecracker | Self::Openvmm => {}
        }
        let templated = match self {
            Self::Clh | Self::Dragonball => release.has(Change::TemplatesEverywhere),
            Self::Qemu | Self::Remote => release.has(Change::TemplatePath),
            Self::Firecracker | Self::Openvmm => false,
        };
        if templated {
            or_word(&mut hv.factory.template_path, "/run/vc/vm/template");
        }
        Ok(())
    }

    /// This hypervisor's own checks.
    pub fn validate(self, hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
        match self {
            Self::Clh => checks::clh(hv, host, release),
            Self::Dragonball => checks::dragonball(hv, host, release),
            Self::Firecracker => checks::firecracker(hv, host),
            Self::Openvmm => checks::openvmm(hv, host),
            Self::Qemu => checks::qemu(hv, host, release),
            Self::Remote => checks::remote(hv, host),
        }
    }
}
