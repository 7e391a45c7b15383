//! What loading makes of the values in the file: defaults, limits of the host, paths in their real form.
//!
//! It runs over all tables when the configuration is loaded and once more after the annotations, so
//! that an annotation gets the same treatment as the file. Before 3.20 annotations were not adjusted.
//! Facts: the `adjust_config` functions of src/libs/kata-types/src/config at each tag.

use super::config::{
    BlockDeviceInfo, BootInfo, Config, CpuInfo, Hypervisor, MachineInfo, MemoryInfo, Runtime, SharedFsInfo,
};
use super::error::{ConfigError, ConfigResult, ensure, resolve, worst};
use super::plugin::Plugin;
use crate::input::host::Arch;
use crate::input::{Host, Text};
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::defaults::{or_number, or_word};

/// Adjusts everything. Upstream meets several hypervisor tables in random order; where more than one is
/// wrong, the smallest message is given.
pub fn adjust(config: &mut Config, host: &Host) -> ConfigResult {
    let (release, common) = (config.release, &mut config.runtime);
    worst(config.hypervisor.iter_mut().map(|(name, hv)| {
        table(name, hv, common, host, release).map_err(|c| c.within(format!("hypervisor.{name}")))
    }))?;
    runtime(&mut config.runtime, host, release).map_err(|c| c.within("runtime"))
}

/// The plugin of a table, or the runtime's error that there is none.
pub(super) fn plugin_of(name: &str, host: &Host, release: Release) -> ConfigResult<Plugin> {
    Plugin::named(name, host.facts.arch, release)
        .ok_or_else(|| ConfigError::new(format!("Can not find plugin for hypervisor {name}")))
}

fn table(
    name: &str,
    hv: &mut Hypervisor,
    runtime: &mut Runtime,
    host: &Host,
    release: Release,
) -> ConfigResult {
    plugin_of(name, host, release)?.adjust(hv, runtime, host, release)?;
    blockdev(&mut hv.blockdev_info, host, release)?;
    boot(&mut hv.boot_info, host)?;
    for image in &mut hv.guest_extension_images {
        resolve(host, &mut image.path, "guest_extension_images", "extra image file {} is invalid: {}")?;
    }
    cpu(&mut hv.cpu_info, host, release);
    let bridges = &mut hv.device_info.default_bridges;
    *bridges = (*bridges).min(5);
    machine(&mut hv.machine_info, host, release)?;
    memory(&mut hv.memory_info, host, release)?;
    if release.has(Change::NetworkQueuesBounded) {
        let queues = &mut hv.network_info.network_queues;
        *queues = (*queues).clamp(1, 256);
    }
    if release.has(Change::GuestHookDefault) {
        or_word(&mut hv.security_info.guest_hook_path, "/opt/kata/hooks");
    }
    shared_fs(&mut hv.shared_fs, host, release)?;
    let prefetch = &mut hv.prefetch_list_path;
    resolve(host, prefetch, "prefetch_list_path", "prefetch_list_path `{}` is invalid: {}")
}

fn boot(boot: &mut BootInfo, host: &Host) -> ConfigResult {
    resolve(host, &mut boot.kernel, "kernel", "guest kernel image file {} is invalid: {}")?;
    resolve(host, &mut boot.image, "image", "guest boot image file {} is invalid: {}")?;
    resolve(host, &mut boot.initrd, "initrd", "guest initrd image file {} is invalid: {}")?;
    resolve(host, &mut boot.firmware, "firmware", "firmware image file {} is invalid: {}")?;
    or_word(&mut boot.vm_rootfs_driver, "virtio-blk-pci");
    Ok(())
}

fn blockdev(block: &mut BlockDeviceInfo, host: &Host, release: Release) -> ConfigResult {
    if block.disable_block_device_use {
        block.block_device_driver = Text::default();
        block.enable_vhost_user_store = false;
        block.memory_offset = 0;
        return Ok(());
    }
    let named = release.has(Change::BlockDriverNames);
    or_word(&mut block.block_device_driver, if named { "virtio-blk-pci" } else { "virtio-blk" });
    or_word(&mut block.block_device_aio, "io_uring");
    let aio = block.block_device_aio.as_str();
    ensure(matches!(aio, "io_uring" | "native" | "threads"), "block_device_aio", || {
        format!("{aio} is unsupported block device AIO mode.")
    })?;
    or_number(&mut block.num_queues, 1);
    or_number(&mut block.queue_size, 128);
    let store = &mut block.vhost_user_store_path;
    match block.enable_vhost_user_store {
        true => or_word(store, "/var/run/vhost-user"),
        false => *store = Text::default(),
    }
    resolve(host, store, "vhost_user_store_path", "Invalid vhost-user-store-path {}: {}")
}

/// Trims the pieces of a comma list.
fn trim_pieces(list: &mut Text) {
    if list.contains(char::is_whitespace) {
        *list = list.split(',').map(str::trim).collect::<Vec<_>>().join(",").into();
    }
}

fn cpu(cpu: &mut CpuInfo, host: &Host, release: Release) {
    trim_pieces(&mut cpu.cpu_features);
    if !release.has(Change::VcpusBounded) {
        return;
    }
    let cpus = host.facts.cpus_of_shim() as f32;
    if cpu.default_maxvcpus == 0 || cpu.default_maxvcpus as f32 > cpus {
        cpu.default_maxvcpus = cpus as u32;
    }
    if cpu.default_vcpus < 0.0 || cpu.default_vcpus > cpus {
        cpu.default_vcpus = cpus;
    } else if cpu.default_vcpus == 0.0 {
        cpu.default_vcpus = 1.0;
    }
    if cpu.default_vcpus > cpu.default_maxvcpus as f32 {
        cpu.default_vcpus = cpu.default_maxvcpus as f32;
    }
}

fn machine(machine: &mut MachineInfo, host: &Host, release: Release) -> ConfigResult {
    trim_pieces(&mut machine.machine_accelerators);
    let wording = match release.has(Change::FlashSpelled) {
        true => "Flash image file {} is invalid: {}",
        false => "Flash image file {} is invalide: {}",
    };
    for flash in &mut machine.pflashes {
        resolve(host, flash, "pflashes", wording)?;
    }
    resolve(host, &mut machine.entropy_source, "entropy_source", "Entropy source {} is invalid: {}")
}

fn memory(memory: &mut MemoryInfo, host: &Host, release: Release) -> ConfigResult {
    let host_memory = host.facts.memory_mib;
    let bounded = release.has(Change::MemoryBounded);
    if release.has(Change::MemoryBackend) {
        let backend = &mut memory.file_mem_backend;
        resolve(host, backend, "file_mem_backend", "Memory backend file {} is invalid: {}")?;
    }
    if bounded && u64::from(memory.default_memory) > host_memory {
        memory.default_memory = host_memory as u32;
    }
    let beyond = bounded && u64::from(memory.default_maxmemory) > host_memory;
    if release.has(Change::MaxMemory) && (memory.default_maxmemory == 0 || beyond) {
        memory.default_maxmemory = host_memory as u32;
    }
    let in_blocks = host.facts.arch == Arch::Ppc64le && release.has(Change::MemoryInBlocks);
    if in_blocks { align_to_blocks(memory) } else { Ok(()) }
}

/// On ppc64le memory comes in blocks of 256 MiB, four at least.
fn align_to_blocks(memory: &mut MemoryInfo) -> ConfigResult {
    let least = memory.default_memory.max(1024);
    let (now, most) = (least / 256 * 256, memory.default_maxmemory / 256 * 256);
    ensure(most == 0 || most > now, "default_maxmemory", || {
        format!(
            "PowerPC: default_maxmemory ({most}MB) <= default_memory ({now}MB) after alignment. Requires \
             maxmemory > memory. Please increase default_maxmemory."
        )
    })?;
    (memory.default_memory, memory.default_maxmemory) = (now, most);
    Ok(())
}

fn shared_fs(fs: &mut SharedFsInfo, host: &Host, release: Release) -> ConfigResult {
    let inline = match fs.shared_fs.as_deref() {
        Some("none") if release.has(Change::SharedFsNone) => {
            fs.shared_fs = None;
            return Ok(());
        }
        Some("") => {
            fs.shared_fs = Some("virtio-fs".into());
            false
        }
        Some("virtio-fs") => false,
        Some("virtio-fs-nydus") if release.has(Change::Nydus) => false,
        Some("inline-virtio-fs") => true,
        Some("virtio-9p") if release.has(Change::Plan9) => {
            let kib = if release.has(Change::SmallPlan9) { 8 } else { 128 };
            or_number(&mut fs.msize_9p, kib * 1024);
            return Ok(());
        }
        _ => return Ok(()),
    };
    if !inline {
        let daemon = &mut fs.virtio_fs_daemon;
        resolve(host, daemon, "virtio_fs_daemon", "Virtio-fs daemon path {} is invalid: {}")?;
    }
    // `none` is the old word for `never`.
    if matches!(fs.virtio_fs_cache.as_str(), "" | "none") {
        fs.virtio_fs_cache = if release.has(Change::CacheNever) { "never" } else { "none" }.into();
    }
    if fs.virtio_fs_is_dax {
        or_number(&mut fs.virtio_fs_cache_size, 1024);
    }
    fs.virtio_fs_is_dax |= fs.virtio_fs_cache_size != 0;
    Ok(())
}

fn runtime(runtime: &mut Runtime, host: &Host, release: Release) -> ConfigResult {
    or_word(&mut runtime.internetworking_model, "tcfilter");
    or_word(&mut runtime.emptydir_mode, "shared-fs");
    for bind in &mut runtime.sandbox_bind_mounts {
        let (path, mode) = split_bind_mount(bind, release);
        let real = host.canonicalize(path).map_err(|errno| {
            let message = format!("sandbox bind mount `{bind}` is invalid: {}", errno.rust());
            ConfigError::about("sandbox_bind_mounts", message)
        })?;
        *bind = format!("{real}{mode}");
    }
    Ok(())
}

/// A bind mount's path and mode; a repeated mode is taken off as often as it stands there.
pub(super) fn split_bind_mount(bind: &str, release: Release) -> (&str, &'static str) {
    if !release.has(Change::BindMountModes) {
        return (bind, "");
    }
    for mode in [":ro", ":rw"] {
        if bind.ends_with(mode) {
            return (bind.trim_end_matches(mode), mode);
        }
    }
    (bind, "")
}
