//! What loading makes of the values in the file: defaults, limits of the host, paths in their real form.
//!
//! It runs over all tables when the configuration is loaded and once more after the annotations, so
//! that an annotation gets the same treatment as the file; then the parts that nobody wrote to are left
//! alone, for which adjusting once more is known to change nothing. Facts: the `adjust_config` functions of
//! src/libs/kata-types/src/config at 4.1.0.

use super::complaint::{Complaint, Outcome, ensure, resolve, written_resolve};
use super::config::hypervisor::{BlockDeviceInfo, BootInfo, CpuInfo, MachineInfo, MemoryInfo, SharedFsInfo};
use super::config::{Config, Hypervisor, Part, Runtime};
use super::plugin::Plugin;
use crate::input::host::Arch;
use crate::input::{Host, Text};

/// Adjusts everything. Upstream meets several hypervisor tables in random order; where more than one is
/// wrong, the smallest message is given.
pub fn adjust(config: &mut Config<'_>, host: &Host) -> Outcome {
    let mut worst: Option<Complaint> = None;
    for (name, hv) in config.hypervisor.iter_mut() {
        if let Err(complaint) = table(name, hv, &mut config.runtime, host) {
            let complaint = complaint.within(format!("hypervisor.{name}"));
            if worst.as_ref().is_none_or(|w| complaint.message < w.message) {
                worst = Some(complaint);
            }
        }
    }
    match worst {
        Some(complaint) => Err(complaint),
        None => match config.runtime.written_mut() {
            Some(written) => runtime(written, host).map_err(|c| c.within("runtime")),
            None => Ok(()),
        },
    }
}

/// The plugin of a table, or the runtime's complaint that there is none.
pub(super) fn plugin_of(name: &str, host: &Host) -> Outcome<Plugin> {
    Plugin::named(name, host.facts.arch)
        .ok_or_else(|| Complaint::new(format!("Can not find plugin for hypervisor {name}")))
}

fn table(name: &str, hv: &mut Hypervisor<'_>, runtime: &mut Part<'_, Runtime>, host: &Host) -> Outcome {
    plugin_of(name, host)?.adjust(hv, runtime, host)?;
    hv.blockdev_info.written_mut().map_or(Ok(()), |block| blockdev(block, host))?;
    let before = hv.boot_info.before();
    hv.boot_info.written_mut().map_or(Ok(()), |boot| self::boot(boot, before, host))?;
    for image in hv.guest_extension_images.written_mut().into_iter().flatten() {
        resolve(host, &mut image.path, "guest_extension_images", "extra image file {} is invalid: {}")?;
    }
    if let Some(written) = hv.cpu_info.written_mut() {
        cpu(written, host);
    }
    if let Some(device) = hv.device_info.written_mut() {
        device.default_bridges = device.default_bridges.min(5);
    }
    hv.machine_info.written_mut().map_or(Ok(()), |written| machine(written, host))?;
    hv.memory_info.written_mut().map_or(Ok(()), |written| memory(written, host))?;
    if let Some(network) = hv.network_info.written_mut() {
        network.network_queues = network.network_queues.clamp(1, 256);
    }
    hv.shared_fs.written_mut().map_or(Ok(()), |written| shared_fs(written, host))?;
    let prefetch = &mut hv.prefetch_list_path;
    written_resolve(host, prefetch, "prefetch_list_path", "prefetch_list_path `{}` is invalid: {}")
}

fn boot(boot: &mut BootInfo, before: Option<&BootInfo>, host: &Host) -> Outcome {
    if !same_paths(boot, before) {
        resolve(host, &mut boot.kernel, "kernel", "guest kernel image file {} is invalid: {}")?;
        resolve(host, &mut boot.image, "image", "guest boot image file {} is invalid: {}")?;
        resolve(host, &mut boot.initrd, "initrd", "guest initrd image file {} is invalid: {}")?;
        resolve(host, &mut boot.firmware, "firmware", "firmware image file {} is invalid: {}")?;
    }
    if boot.vm_rootfs_driver.is_empty() {
        boot.vm_rootfs_driver = "virtio-blk-pci".into();
    }
    Ok(())
}

/// Whether a pod left the paths as loading made them, real and existing: mostly it sets the kernel's
/// parameters alone.
pub(super) fn same_paths(boot: &BootInfo, before: Option<&BootInfo>) -> bool {
    before.is_some_and(|before| {
        boot.kernel == before.kernel
            && boot.image == before.image
            && boot.initrd == before.initrd
            && boot.firmware == before.firmware
    })
}

fn blockdev(block: &mut BlockDeviceInfo, host: &Host) -> Outcome {
    if block.disable_block_device_use {
        block.block_device_driver = Text::default();
        block.enable_vhost_user_store = false;
        block.memory_offset = 0;
        return Ok(());
    }
    if block.block_device_driver.is_empty() {
        block.block_device_driver = "virtio-blk-pci".into();
    }
    if block.block_device_aio.is_empty() {
        block.block_device_aio = "io_uring".into();
    }
    let aio = block.block_device_aio.as_str();
    ensure(matches!(aio, "io_uring" | "native" | "threads"), "block_device_aio", || {
        format!("{aio} is unsupported block device AIO mode.")
    })?;
    if block.num_queues == 0 {
        block.num_queues = 1;
    }
    if block.queue_size == 0 {
        block.queue_size = 128;
    }
    if !block.enable_vhost_user_store {
        block.vhost_user_store_path = Text::default();
    } else if block.vhost_user_store_path.is_empty() {
        block.vhost_user_store_path = "/var/run/vhost-user".into();
    }
    resolve(
        host,
        &mut block.vhost_user_store_path,
        "vhost_user_store_path",
        "Invalid vhost-user-store-path {}: {}",
    )
}

/// Trims the pieces of a comma list.
fn trim_pieces(list: &mut Text) {
    if list.contains(char::is_whitespace) {
        *list = list.split(',').map(str::trim).collect::<Vec<_>>().join(",").into();
    }
}

fn cpu(cpu: &mut CpuInfo, host: &Host) {
    trim_pieces(&mut cpu.cpu_features);
    let cpus = host.facts.cpus as f32;
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

fn machine(machine: &mut MachineInfo, host: &Host) -> Outcome {
    trim_pieces(&mut machine.machine_accelerators);
    for flash in &mut machine.pflashes {
        resolve(host, flash, "pflashes", "Flash image file {} is invalid: {}")?;
    }
    resolve(host, &mut machine.entropy_source, "entropy_source", "Entropy source {} is invalid: {}")
}

fn memory(memory: &mut MemoryInfo, host: &Host) -> Outcome {
    let host_memory = host.facts.memory_mib;
    if u64::from(memory.default_memory) > host_memory {
        memory.default_memory = host_memory as u32;
    }
    if memory.default_maxmemory == 0 || u64::from(memory.default_maxmemory) > host_memory {
        memory.default_maxmemory = host_memory as u32;
    }
    if host.facts.arch == Arch::Ppc64le { align_to_blocks(memory) } else { Ok(()) }
}

/// On ppc64le memory comes in blocks of 256 MiB, four at least.
fn align_to_blocks(memory: &mut MemoryInfo) -> Outcome {
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

fn shared_fs(fs: &mut SharedFsInfo, host: &Host) -> Outcome {
    let inline = match fs.shared_fs.as_deref() {
        Some("none") => {
            fs.shared_fs = None;
            return Ok(());
        }
        Some("") => {
            fs.shared_fs = Some("virtio-fs".into());
            false
        }
        Some("virtio-fs" | "virtio-fs-nydus") => false,
        Some("inline-virtio-fs") => true,
        _ => return Ok(()),
    };
    if !inline {
        resolve(
            host,
            &mut fs.virtio_fs_daemon,
            "virtio_fs_daemon",
            "Virtio-fs daemon path {} is invalid: {}",
        )?;
    }
    // `none` is the old word for `never`.
    if matches!(fs.virtio_fs_cache.as_str(), "" | "none") {
        fs.virtio_fs_cache = "never".into();
    }
    if fs.virtio_fs_is_dax && fs.virtio_fs_cache_size == 0 {
        fs.virtio_fs_cache_size = 1024;
    }
    if fs.virtio_fs_cache_size != 0 {
        fs.virtio_fs_is_dax = true;
    }
    Ok(())
}

fn runtime(runtime: &mut Runtime, host: &Host) -> Outcome {
    if runtime.internetworking_model.is_empty() {
        runtime.internetworking_model = "tcfilter".into();
    }
    if runtime.emptydir_mode.is_empty() {
        runtime.emptydir_mode = "shared-fs".into();
    }
    for bind in &mut runtime.sandbox_bind_mounts {
        let (path, mode) = split_bind_mount(bind);
        match host.canonicalize(path) {
            Ok(real) => {
                let whole = format!("{real}{mode}");
                *bind = whole;
            }
            Err(errno) => {
                let why = errno.rust();
                return Err(Complaint::about(
                    "sandbox_bind_mounts",
                    format!("sandbox bind mount `{bind}` is invalid: {why}"),
                ));
            }
        }
    }
    Ok(())
}

/// A bind mount's path and mode; a repeated mode is taken off as often as it stands there.
pub(super) fn split_bind_mount(bind: &str) -> (&str, &'static str) {
    for mode in [":ro", ":rw"] {
        if bind.ends_with(mode) {
            return (bind.trim_end_matches(mode), mode);
        }
    }
    (bind, "")
}
