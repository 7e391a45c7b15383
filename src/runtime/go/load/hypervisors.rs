//! What each hypervisor makes of its table, and what it insists on.
//!
//! Which keys a hypervisor takes, the catalogue says: another keeps its zero value, whatever the file says. Facts: the
//! `new*HypervisorConfig` functions of src/runtime/pkg/katautils/config.go at 4.1.0.

use super::settings::{
    ConfigError, check_vsock, default_hypervisor_path, default_machine_type, default_virtio_fs_cache,
};
use crate::golang::strconv::fields;
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorConfig, HypervisorType, ParamFrom};
use crate::runtime::go::kernel_params::pairs;
use crate::runtime::go::numa;

/// The configuration of one table.
pub(super) fn build(
    kind: HypervisorType,
    written: &HypervisorConfig,
    host: &Host,
    release: Release,
) -> Result<HypervisorConfig, ConfigError> {
    let takes = |key: &str| HypervisorConfig::takes(kind, key, release);
    let mut held = written.only(takes);
    held.fill_in(|key| takes(key) && !taken_as_written(kind, key), host, release);
    match kind {
        HypervisorType::Firecracker => firecracker(&mut held, host, release)?,
        HypervisorType::Qemu => qemu(&mut held, host, release)?,
        HypervisorType::Clh => clh(&mut held, host, release)?,
        HypervisorType::Dragonball => held.look_up(&["kernel", "image"], host, release)?,
        HypervisorType::Stratovirt => stratovirt(&mut held, host, release)?,
        HypervisorType::Acrn => acrn(&mut held, host, release)?,
        HypervisorType::Remote => remote(&mut held, release),
    }
    Ok(held)
}

/// Whether a hypervisor does without the value that the others put where none is written.
fn taken_as_written(kind: HypervisorType, key: &str) -> bool {
    matches!((kind, key), (HypervisorType::Clh, "virtio_fs_cache") | (HypervisorType::Remote, "machine_type"))
}

/// What holds where no file has a hypervisor table at all.
pub(super) fn built_in(release: Release) -> HypervisorConfig {
    HypervisorConfig {
        path: default_hypervisor_path(release).into(),
        jailer_path: "/usr/bin/jailer".into(),
        kernel: "/usr/share/kata-containers/vmlinuz.container".into(),
        image: "/usr/share/kata-containers/kata-containers.img".into(),
        initrd: "/usr/share/kata-containers/kata-containers-initrd.img".into(),
        rootfs_type: "ext4".into(),
        machine_type: default_machine_type(release).into(),
        default_vcpus: 1.0,
        default_memory: 2048,
        default_bridges: 1,
        block_device_driver: "virtio-scsi".into(),
        block_device_aio: "io_uring".into(),
        msize_9p: 8192,
        cold_plug_vfio: "no-port".into(),
        hot_plug_vfio: "no-port".into(),
        vhost_user_store_path: "/var/run/kata-containers/vhost-user/".into(),
        hypervisor_loglevel: 1,
        virtio_fs_cache: default_virtio_fs_cache(release).into(),
        disable_guest_selinux: true,
        ..HypervisorConfig::default()
    }
}

fn firecracker(h: &mut HypervisorConfig, host: &Host, release: Release) -> Result<(), ConfigError> {
    h.look_up(&["path", "jailer_path", "kernel"], host, release)?;
    h.look_up_boot(host, release)?;
    h.look_up(&["firmware"], host, release)?;
    h.check_word("block_device_driver", release)?;
    h.disable_vhost_net = true;
    h.disable_guest_selinux = true;
    Ok(())
}

fn qemu(h: &mut HypervisorConfig, host: &Host, release: Release) -> Result<(), ConfigError> {
    h.look_up(&["path", "kernel"], host, release)?;
    h.look_up_boot(host, release)?;
    h.check_pflashes(host)?;
    h.look_up(&["firmware", "firmware_volume"], host, release)?;
    // microvm has no NVDIMM; arm64 needs firmware for it.
    h.disable_image_nvdimm |= h.machine_type == "microvm"
        || (host.facts.arch == Arch::Aarch64
            && release.has(Change::Arm64NvdimmNeedsFirmware)
            && h.firmware.is_empty()
            && h.pflashes.is_empty());
    h.snp_certs_path = h.resolved_snp_certs(host, release)?;
    h.check_word("block_device_driver", release)?;
    h.check_word("block_device_aio", release)?;
    h.check_word("shared_fs", release)?;
    h.check_daemon()?;
    check_vsock(host)?;
    h.check_word("extra_monitor_socket", release)?;
    h.check_sector_sizes()?;
    h.check_extension_images()?;
    if h.enable_numa {
        // A mapping that cannot be made is only warned about.
        h.guest_numa_nodes = numa::guest_nodes(&host.facts, &h.numa_mapping).unwrap_or_default();
        h.enable_numa = !h.guest_numa_nodes.is_empty();
    }
    Ok(())
}

fn clh(h: &mut HypervisorConfig, host: &Host, release: Release) -> Result<(), ConfigError> {
    h.look_up(&["path", "kernel"], host, release)?;
    h.look_up_boot(host, release)?;
    let image_alone = release.has(Change::ClhImageAlone);
    if image_alone && !h.initrd.is_empty() {
        let message = "having an initrd defined in the configuration file is not supported";
        return Err(ConfigError::new("initrd", message));
    }
    boots_from_something(h)?;
    h.look_up(&["firmware"], host, release)?;
    h.check_word("block_device_driver", release)?;
    match image_alone {
        true => h.shared_fs = "virtio-fs".into(),
        false => h.check_word("shared_fs", release)?,
    }
    if image_alone && h.virtio_fs_daemon.is_empty() {
        let message = "virtio-fs daemon path is missing in configuration file";
        return Err(ConfigError::new("virtio_fs_daemon", message));
    }
    if !matches!(h.shared_fs.as_str(), "virtio-fs" | "virtio-fs-nydus" | "none") {
        let message = match release.has(Change::NoSharedFs) {
            true => format!("Cloud Hypervisor does not support {} shared filesystem option", h.shared_fs),
            false => "clh only support virtio-fs or virtio-fs-nydus".to_owned(),
        };
        return Err(ConfigError::new("shared_fs", message));
    }
    h.check_daemon()?;
    h.disable_vhost_net = true;
    Ok(())
}

fn boots_from_something(h: &HypervisorConfig) -> Result<(), ConfigError> {
    match h.image.is_empty() && h.initrd.is_empty() {
        true => Err(ConfigError::new("image", "image or initrd must be defined in the configuration file")),
        false => Ok(()),
    }
}

fn stratovirt(h: &mut HypervisorConfig, host: &Host, release: Release) -> Result<(), ConfigError> {
    h.look_up(&["path", "kernel"], host, release)?;
    h.look_up_boot(host, release)?;
    if !h.image.is_empty() && !h.initrd.is_empty() {
        let message = "having both an image and an initrd defined in the configuration file is not supported";
        return Err(ConfigError::new("initrd", message));
    }
    boots_from_something(h)?;
    h.check_word("block_device_driver", release)?;
    check_vsock(host)?;
    h.check_word("shared_fs", release)?;
    if !matches!(h.shared_fs.as_str(), "virtio-fs" | "virtio-fs-nydus" | "none") {
        let message =
            format!("Stratovirt Hypervisor does not support {} shared filesystem option", h.shared_fs);
        return Err(ConfigError::new("shared_fs", message));
    }
    h.check_daemon()?;
    h.check_sector_sizes()?;
    // Quotes mean nothing here.
    h.kernel_params.list = pairs(fields(&h.kernel_params.written), ParamFrom::Configuration);
    h.disable_vhost_net = true;
    Ok(())
}

fn acrn(h: &mut HypervisorConfig, host: &Host, release: Release) -> Result<(), ConfigError> {
    h.look_up(&["path", "ctlpath", "kernel", "image"], host, release)?;
    if h.image.is_empty() {
        let message = match release.has(Change::AssetsAtLoad) {
            true => "image is not set",
            false => "image must be defined in the configuration file",
        };
        return Err(ConfigError::new("image", message));
    }
    h.look_up(&["firmware"], host, release)?;
    h.check_word("block_device_driver", release)?;
    h.disable_guest_selinux = true;
    Ok(())
}

fn remote(h: &mut HypervisorConfig, release: Release) {
    h.disable_guest_selinux = true;
    h.shared_fs = if release.has(Change::RemoteSharesNothing) { "none" } else { "" }.into();
    // No driver at all: the agent then gets no block devices.
    h.block_device_driver = "dummy".into();
}
