//! The checks that runtime-rs makes on the whole configuration once the annotations are in.
//!
//! They look at every table, also those that the pod does not use. Facts: the `validate` functions of
//! src/libs/kata-types/src/config at each tag.

use super::adjust::{plugin_of, split_bind_mount};
use super::config::{
    Agent, BlockDeviceInfo, BootInfo, Config, GuestExtensionImage, Hypervisor, Runtime, SharedFsInfo,
    SharedMount,
};
use super::error::{ConfigError, ConfigResult, ensure, existing, worst};
use crate::input::Host;
use crate::release::rs::Change;
use crate::release::{Release, Runtime as Which};
use crate::runtime::checks::{extension_image, is_sector_size, sector_order};

const DRIVERS: [&str; 5] =
    ["virtio-blk-pci", "virtio-blk-ccw", "virtio-blk-mmio", "virtio-pmem", "virtio-scsi"];
/// Their first names.
const FORMER_DRIVERS: [&str; 5] = ["virtio-blk", "virtio-blk-ccw", "virtio-mmio", "nvdimm", "virtio-scsi"];

/// Checks everything. Of several wrong tables the smallest message is given (upstream's order is random).
pub fn validate(config: &Config, host: &Host) -> ConfigResult {
    let release = config.release;
    worst(config.hypervisor.iter().map(|(name, hv)| {
        table(name, hv, host, release).map_err(|c| c.within(format!("hypervisor.{name}")))
    }))?;
    runtime(&config.runtime, host, release).map_err(|c| c.within("runtime"))?;
    let agents = config.agent.iter();
    worst(agents.map(|(name, own)| agent(own, release).map_err(|c| c.within(format!("agent.{name}")))))
}

fn table(name: &str, hv: &Hypervisor, host: &Host, release: Release) -> ConfigResult {
    plugin_of(name, host, release)?.validate(hv, host, release)?;
    blockdev(&hv.blockdev_info, host, release)?;
    boot(&hv.boot_info, host, release)?;
    for image in &hv.guest_extension_images {
        extension(image, host)?;
    }
    let cpu = &hv.cpu_info;
    // A number that is none (NaN) is not greater than anything.
    let greater = cpu.default_vcpus > cpu.default_maxvcpus as f32;
    ensure(!greater, "default_vcpus", || {
        format!(
            "The default_vcpus({}) is greater than default_maxvcpus({})",
            cpu.default_vcpus, cpu.default_maxvcpus
        )
    })?;
    let device = &hv.device_info;
    ensure(device.default_bridges <= 5, "default_bridges", || {
        format!("The configured PCI bridges {} are too many", device.default_bridges)
    })?;
    ensure(device.pcie_root_port == 0 || device.pcie_switch_port == 0, "pcie_switch_port", || {
        "Root Port and Switch Port set at the same time is forbidden.".to_owned()
    })?;
    let machine = &hv.machine_info;
    for flash in &machine.pflashes {
        existing(host, flash, "pflashes", "Flash image file {} is invalid: {}")?;
    }
    existing(host, &machine.entropy_source, "entropy_source", "Entropy source {} is invalid: {}")?;
    let memory = &hv.memory_info;
    if release.has(Change::MemoryBackend) {
        let backend = &memory.file_mem_backend;
        existing(host, backend, "file_mem_backend", "Memory backend file {} is invalid: {}")?;
    }
    ensure(memory.default_memory != 0, "default_memory", || {
        "Configured memory size for guest VM is zero".to_owned()
    })?;
    ensure(memory.memory_slots != 0, "memory_slots", || {
        "Configured memory slots for guest VM are zero".to_owned()
    })?;
    shared_fs(&hv.shared_fs, host, release)?;
    existing(host, &hv.path, "path", "Hypervisor binary path `{}` is invalid: {}")?;
    existing(host, &hv.ctlpath, "ctlpath", "Hypervisor control executable `{}` is invalid: {}")?;
    existing(host, &hv.jailer_path, "jailer_path", "Hypervisor jailer path `{}` is invalid: {}")?;
    let prefetch = &hv.prefetch_list_path;
    existing(host, prefetch, "prefetch_list_path", "prefetch_files.list path `{}` is invalid: {}")
}

fn driver(driver: &str, key: &'static str, release: Release) -> ConfigResult {
    let drivers = if release.has(Change::BlockDriverNames) { &DRIVERS } else { &FORMER_DRIVERS };
    ensure(drivers.contains(&driver), key, || format!("{driver} is unsupported block device type."))
}

fn blockdev(block: &BlockDeviceInfo, host: &Host, release: Release) -> ConfigResult {
    if block.disable_block_device_use {
        return Ok(());
    }
    driver(&block.block_device_driver, "block_device_driver", release)?;
    let store = &block.vhost_user_store_path;
    existing(host, store, "vhost_user_store_path", "Invalid vhost-user-store-path {}: {}")?;
    let (logical, physical) =
        (block.block_device_logical_sector_size, block.block_device_physical_sector_size);
    sector_size(logical, "block_device_logical_sector_size")?;
    sector_size(physical, "block_device_physical_sector_size")?;
    sector_sizes(logical, physical)
}

/// A sector size is 0 (let the hypervisor choose) or a power of 2 within limits.
pub(super) fn sector_size(size: u32, key: &'static str) -> ConfigResult {
    ensure(is_sector_size(size.into()), key, || {
        format!("invalid sector size {size}: must be 0 or a power of 2 between 512 and 65536")
    })
}

/// The two sizes together.
pub(super) fn sector_sizes(logical: u32, physical: u32) -> ConfigResult {
    sector_order(logical, physical).map_err(|why| ConfigError::about("block_device_logical_sector_size", why))
}

fn boot(boot: &BootInfo, host: &Host, release: Release) -> ConfigResult {
    existing(host, &boot.kernel, "kernel", "guest kernel image file {} is invalid: {}")?;
    existing(host, &boot.image, "image", "guest boot image file {} is invalid: {}")?;
    existing(host, &boot.initrd, "initrd", "guest initrd image file {} is invalid: {}")?;
    existing(host, &boot.firmware, "firmware", "firmware image file {} is invalid: {}")?;
    ensure(boot.image.is_empty() || boot.initrd.is_empty(), "initrd", || {
        "Can not configure both initrd and image for boot".to_owned()
    })?;
    // Such a key came with the drivers' present names.
    match release.has(Change::BlockDriverNames) {
        true => driver(&boot.vm_rootfs_driver, "vm_rootfs_driver", release),
        false => Ok(()),
    }
}

fn extension(image: &GuestExtensionImage, host: &Host) -> ConfigResult {
    let key = "guest_extension_images";
    existing(host, &image.path, key, "extra image file {} is invalid: {}")?;
    let name = image.name.as_str();
    ensure(!name.is_empty(), key, || {
        "guest_extension_images entry is missing required 'name' field".to_owned()
    })?;
    extension_image(name, &image.verity_params, Which::Rs).map_err(|why| ConfigError::about(key, why))
}

fn shared_fs(fs: &SharedFsInfo, host: &Host, release: Release) -> ConfigResult {
    match fs.shared_fs.as_deref() {
        None => return Ok(()),
        Some(kind) if kind == "virtio-fs" || (kind == "virtio-fs-nydus" && release.has(Change::Nydus)) => {
            let daemon = &fs.virtio_fs_daemon;
            existing(host, daemon, "virtio_fs_daemon", "Virtio-fs daemon path {} is invalid: {}")?;
        }
        Some("inline-virtio-fs") => {}
        Some("virtio-9p") if release.has(Change::Plan9) => {
            const LEAST: u32 = 4 * 1024;
            const MOST: u32 = 8 * 1024 * 1024;
            let size = fs.msize_9p;
            return ensure((LEAST..=MOST).contains(&size), "msize_9p", || {
                format!(
                    "Invalid 9p configuration msize 0x{size:x}, min value is 0x{LEAST:x}, max value is 0x{MOST:x}"
                )
            });
        }
        Some(other) => {
            return Err(ConfigError::about("shared_fs", format!("Invalid shared_fs type {other}")));
        }
    }
    let cache = fs.virtio_fs_cache.as_str();
    let never = if release.has(Change::CacheNever) { "never" } else { "none" };
    ensure([never, "auto", "always"].contains(&cache), "virtio_fs_cache", || {
        format!("Invalid virtio-fs cache mode: {cache}")
    })?;
    ensure(!fs.virtio_fs_is_dax || fs.virtio_fs_cache_size != 0, "virtio_fs_cache_size", || {
        format!("Invalid virtio-fs DAX window size: {}", fs.virtio_fs_cache_size)
    })
}

fn runtime(runtime: &Runtime, host: &Host, release: Release) -> ConfigResult {
    let in_file = |what: &str, word: &str| format!("Invalid {what} `{word}` in configuration file");
    let model = runtime.internetworking_model.as_str();
    let models = ["", "macvtap", "none", "tcfilter"];
    let known = models.contains(&model) || (model == "l3forwarding" && release.has(Change::L3Forwarding));
    ensure(known, "internetworking_model", || in_file("internetworking_model", model))?;
    let vfio = runtime.vfio_mode.as_str();
    ensure(["", "vfio", "guest-kernel"].contains(&vfio), "vfio_mode", || in_file("vfio_mode", vfio))?;
    let mode = runtime.emptydir_mode.as_str();
    let known = ["shared-fs", "block-encrypted"].contains(&mode)
        || (mode == "block-plain" && release.has(Change::BlockPlain));
    ensure(known, "emptydir_mode", || in_file("emptydir_mode", mode))?;
    for mount in &runtime.shared_mounts {
        shared_mount(mount)?;
    }
    for bind in &runtime.sandbox_bind_mounts {
        let (path, _) = split_bind_mount(bind, release);
        existing(host, path, "sandbox_bind_mounts", "sandbox bind mount `{}` is invalid: {}")?;
    }
    Ok(())
}

fn shared_mount(mount: &SharedMount) -> ConfigResult {
    let key = "shared_mounts";
    let fields = [
        ("name", &mount.name),
        ("src_ctr", &mount.src_ctr),
        ("dst_ctr", &mount.dst_ctr),
        ("src_path", &mount.src_path),
        ("dst_path", &mount.dst_path),
    ];
    for (field, value) in fields {
        ensure(!value.is_empty(), key, || format!("shared_mount: field '{field}' couldn't be empty."))?;
    }
    for (field, path) in [("src_path", &mount.src_path), ("dst_path", &mount.dst_path)] {
        ensure(plain_path(path), key, || {
            format!(
                "shared_mount '{}': {field} is invalid. It must be an absolute path and can only contain \
                 letters, numbers, hyphens(-), underscores(_) and dots(.).",
                mount.name
            )
        })?;
        ensure(path.split('/').all(|folder| folder != ".."), key, || {
            format!("shared_mount '{}': {field} couldn't contain '..' directory.", mount.name)
        })?;
    }
    Ok(())
}

/// `/name/name` with an optional slash at the end; names of word characters, dots and hyphens.
fn plain_path(path: &str) -> bool {
    static WORD: std::sync::LazyLock<Option<regex::Regex>> =
        std::sync::LazyLock::new(|| regex::Regex::new(r"^(/[-\w.]+)+/?$").ok());
    WORD.as_ref().is_some_and(|word| word.is_match(path))
}

fn agent(agent: &Agent, release: Release) -> ConfigResult {
    ensure(agent.dial_timeout_ms != 0, "dial_timeout_ms", || "dial_timeout_ms couldn't be 0.".to_owned())?;
    let fine = agent.reconnect_timeout_ms >= agent.dial_timeout_ms || !release.has(Change::ReconnectChecked);
    ensure(fine, "reconnect_timeout_ms", || {
        "reconnect_timeout_ms must be >= dial_timeout_ms (reconnect_timeout_ms is the overall agent \
         connection budget; dial_timeout_ms is the sleep between retries)"
            .to_owned()
    })
}
