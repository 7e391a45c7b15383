//! One hypervisor table to `HypervisorConfig`: paths resolved, defaults filled in, choices checked, in the
//! order of each hypervisor, since the first complaint is the one that is told.
//!
//! Facts: the `new*HypervisorConfig` functions of src/runtime/pkg/katautils/config.go and
//! config-settings.go.in at 2.1.0.

use super::tables::Hypervisor;
use crate::input::Host;
use crate::input::text::key_and_value;
use crate::runtime::go_text::{fields, list};
use crate::runtime::go21::config::{HypervisorConfig, HypervisorType, Param};
use crate::runtime::go21::paths::resolve;

/// Block drivers that files and annotations may name.
pub(in crate::runtime::go21) const BLOCK_DRIVERS: [&str; 5] =
    ["virtio-scsi", "virtio-blk", "virtio-mmio", "nvdimm", "virtio-blk-ccw"];
/// Shared file systems that files and annotations may name.
pub(in crate::runtime::go21) const SHARED_FS: [&str; 2] = ["virtio-9p", "virtio-fs"];
/// What a pod gets at least, in MiB.
pub(in crate::runtime::go21) const LEAST_MEMORY: u32 = 256;
/// What QEMU takes at most on x86_64.
pub(in crate::runtime::go21) const MOST_QEMU_VCPUS: u32 = 240;

const DEFAULT_MEMORY: u32 = 2048;
const MOST_BRIDGES: u32 = 5;

/// A value that is not the file's: the key, and the rule that made it.
pub(in crate::runtime::go21) type Derived = (&'static str, &'static str);

/// Why a table is not taken, and the key that is to blame.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) key: &'static str,
}

impl Fault {
    fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), key }
    }
}

/// A table read for one hypervisor.
pub(super) struct Built {
    pub(super) config: HypervisorConfig,
    pub(super) derived: Vec<Derived>,
}

struct Builder<'a> {
    host: &'a Host,
    table: &'a Hypervisor,
    derived: Vec<Derived>,
}

/// Builds the configuration of `hypervisor` from its table.
pub(super) fn build(host: &Host, hypervisor: HypervisorType, table: &Hypervisor) -> Result<Built, Fault> {
    let mut builder = Builder { host, table, derived: Vec::new() };
    let config = match hypervisor {
        HypervisorType::Qemu => builder.qemu(),
        HypervisorType::Clh => builder.clh(),
        HypervisorType::Firecracker => builder.firecracker(),
        HypervisorType::Acrn => builder.acrn(),
    }?;
    Ok(Built { config, derived: builder.derived })
}

/// `key=value` words; a word without `=` is a key alone.
pub(in crate::runtime::go21) fn params<'a, T: From<&'a str>>(text: &'a str) -> Vec<Param<T>> {
    fields(text)
        .map(|word| match key_and_value(word) {
            Some((key, value)) => Param::new(key, value),
            None => Param::new(word, ""),
        })
        .collect()
}

fn or<'a>(value: &'a str, default: &'a str) -> &'a str {
    if value.is_empty() { default } else { value }
}

/// A list with commas: each entry without the white space around it, empty ones left out.
fn options(text: &str) -> String {
    let entries: Vec<&str> = text.split(',').filter(|entry| !entry.is_empty()).map(str::trim).collect();
    entries.join(",").trim_matches(',').to_owned()
}

impl Builder<'_> {
    fn resolve(&self, key: &'static str, path: &str) -> Result<String, Fault> {
        resolve(self.host, path).map_err(|message| Fault::new(key, message))
    }

    fn path(&self) -> Result<String, Fault> {
        self.resolve("path", or(&self.table.path, "/usr/bin/qemu-lite-system-x86_64"))
    }

    fn kernel(&self) -> Result<String, Fault> {
        self.resolve("kernel", or(&self.table.kernel, "/usr/share/kata-containers/vmlinuz.container"))
    }

    fn image(&self) -> Result<String, Fault> {
        if self.table.image.is_empty() {
            return Err(Fault::new("image", "image is not set"));
        }
        self.resolve("image", &self.table.image)
    }

    fn initrd(&self) -> Result<String, Fault> {
        if self.table.initrd.is_empty() {
            return Err(Fault::new("initrd", "initrd is not set"));
        }
        self.resolve("initrd", &self.table.initrd)
    }

    /// Exactly one of the two must lead to a file.
    fn initrd_or_image(&self) -> Result<(String, String), Fault> {
        match (self.initrd(), self.image()) {
            (Ok(_), Ok(_)) => Err(Fault::new(
                "initrd",
                "having both an image and an initrd defined in the configuration file is not supported",
            )),
            (Err(initrd), Err(image)) => {
                let (initrd, image) = (initrd.message, image.message);
                Err(Fault::new(
                    "image",
                    format!(
                        "Either initrd or image must be set to a valid path (initrd: {initrd}) (image: {image})"
                    ),
                ))
            }
            (initrd, image) => Ok((initrd.unwrap_or_default(), image.unwrap_or_default())),
        }
    }

    fn optional(&self, key: &'static str, path: &str) -> Result<String, Fault> {
        if path.is_empty() { Ok(String::new()) } else { self.resolve(key, path) }
    }

    fn pflash(&self) -> Result<Vec<String>, Fault> {
        for path in &self.table.pflashes {
            resolve(self.host, path)
                .map_err(|why| Fault::new("pflashes", format!("failed to resolve path: {path}: {why}")))?;
        }
        Ok(self.table.pflashes.clone())
    }

    fn vcpus(&mut self) -> u32 {
        let cpus = self.host.facts.cpus;
        match self.table.default_vcpus {
            0 => 1,
            wanted if wanted < 0 || wanted.cast_unsigned() > cpus => {
                self.derived.push(("default_vcpus", "the number of CPUs of the host"));
                cpus
            }
            wanted => wanted.cast_unsigned(),
        }
    }

    fn max_vcpus(&mut self) -> u32 {
        let cpus = self.host.facts.cpus;
        let wanted = self.table.default_maxvcpus;
        let most = if wanted >= cpus || wanted == 0 {
            if wanted != cpus {
                self.derived.push(("default_maxvcpus", "the number of CPUs of the host"));
            }
            cpus
        } else {
            wanted
        };
        if most > MOST_QEMU_VCPUS {
            self.derived.push(("default_maxvcpus", "what QEMU takes at most"));
        }
        most.min(MOST_QEMU_VCPUS)
    }

    fn memory(&mut self) -> u32 {
        let wanted = self.table.default_memory;
        if wanted >= LEAST_MEMORY {
            return wanted;
        }
        if wanted != 0 {
            self.derived.push(("default_memory", "less than 256 MiB counts as not set"));
        }
        DEFAULT_MEMORY
    }

    fn slots(&self) -> u32 {
        if self.table.memory_slots == 0 { 10 } else { self.table.memory_slots }
    }

    fn bridges(&mut self) -> u32 {
        match self.table.default_bridges {
            0 => 1,
            wanted if wanted > MOST_BRIDGES => {
                self.derived.push(("default_bridges", "five bridges at most"));
                MOST_BRIDGES
            }
            wanted => wanted,
        }
    }

    fn block_device_driver(&self) -> Result<String, Fault> {
        let wanted = self.table.block_device_driver.as_str();
        match wanted {
            "" => Ok("virtio-scsi".to_owned()),
            _ if BLOCK_DRIVERS.contains(&wanted) => Ok(wanted.to_owned()),
            _ => Err(Fault::new(
                "block_device_driver",
                format!(
                    "Invalid hypervisor block storage driver {wanted} specified (supported drivers: {})",
                    list(&BLOCK_DRIVERS)
                ),
            )),
        }
    }

    fn shared_fs(&self) -> Result<String, Fault> {
        let wanted = self.table.shared_fs.as_str();
        match wanted {
            "" => Ok("virtio-9p".to_owned()),
            _ if SHARED_FS.contains(&wanted) => Ok(wanted.to_owned()),
            _ => Err(Fault::new(
                "shared_fs",
                format!(
                    "Invalid hypervisor shared file system {wanted} specified (supported file systems: {})",
                    list(&SHARED_FS)
                ),
            )),
        }
    }

    /// What every hypervisor takes from its table.
    fn common(&mut self) -> HypervisorConfig {
        let table = self.table;
        HypervisorConfig {
            kernel_params: params(&table.kernel_params),
            num_vcpus: self.vcpus(),
            default_max_vcpus: self.max_vcpus(),
            memory_size: self.memory(),
            mem_slots: self.slots(),
            entropy_source: or(&table.entropy_source, "/dev/urandom").to_owned(),
            default_bridges: self.bridges(),
            huge_pages: table.enable_hugepages,
            mlock: !table.enable_swap,
            debug: table.enable_debug,
            disable_nesting_checks: table.disable_nesting_checks,
            guest_hook_path: table.guest_hook_path.clone(),
            ..HypervisorConfig::default()
        }
    }

    fn without_vhost_net(&mut self) -> bool {
        self.derived.push(("disable_vhost_net", "this hypervisor has no vhost-net"));
        true
    }

    fn firecracker(&mut self) -> Result<HypervisorConfig, Fault> {
        let hypervisor_path = self.path()?;
        let jailer_path = self.optional("jailer_path", &self.table.jailer_path)?;
        let kernel_path = self.kernel()?;
        let (initrd_path, image_path) = self.initrd_or_image()?;
        let firmware_path = self.optional("firmware", &self.table.firmware)?;
        let block_device_driver = self.block_device_driver()?;
        Ok(HypervisorConfig {
            hypervisor_path,
            jailer_path,
            kernel_path,
            initrd_path,
            image_path,
            firmware_path,
            block_device_driver,
            disable_block_device_use: self.table.disable_block_device_use,
            enable_iothreads: self.table.enable_iothreads,
            disable_vhost_net: self.without_vhost_net(),
            rx_rate_limiter_max_rate: self.table.rx_rate_limiter_max_rate,
            tx_rate_limiter_max_rate: self.table.tx_rate_limiter_max_rate,
            ..self.common()
        })
    }

    fn qemu(&mut self) -> Result<HypervisorConfig, Fault> {
        let table = self.table;
        let hypervisor_path = self.path()?;
        let kernel_path = self.kernel()?;
        let (initrd_path, image_path) = self.initrd_or_image()?;
        let pflash = self.pflash()?;
        let firmware_path = self.optional("firmware", &table.firmware)?;
        let hypervisor_machine_type = or(&table.machine_type, "pc").to_owned();
        let mut disable_image_nvdimm = table.disable_image_nvdimm;
        if hypervisor_machine_type == "microvm" && !disable_image_nvdimm {
            disable_image_nvdimm = true;
            self.derived.push(("disable_image_nvdimm", "the machine type microvm has no NVDIMM"));
        }
        let block_device_driver = self.block_device_driver()?;
        let shared_fs = self.shared_fs()?;
        if shared_fs == "virtio-fs" && table.virtio_fs_daemon.is_empty() {
            return Err(Fault::new(
                "shared_fs",
                "cannot enable virtio-fs without daemon path in configuration file",
            ));
        }
        if !self.host.vhost_vsock() {
            let why = "stat /dev/vhost-vsock: no such file or directory";
            return Err(Fault::new("", format!("host system doesn't support vsock: {why}")));
        }
        Ok(HypervisorConfig {
            hypervisor_path,
            kernel_path,
            initrd_path,
            image_path,
            firmware_path,
            pflash,
            machine_accelerators: options(&table.machine_accelerators),
            cpu_features: options(&table.cpu_features),
            hypervisor_machine_type,
            mem_offset: table.memory_offset,
            virtio_mem: table.enable_virtio_mem,
            disable_block_device_use: table.disable_block_device_use,
            shared_fs,
            virtio_fs_daemon: table.virtio_fs_daemon.clone(),
            virtio_fs_cache_size: table.virtio_fs_cache_size,
            virtio_fs_cache: or(&table.virtio_fs_cache, "none").to_owned(),
            virtio_fs_extra_args: table.virtio_fs_extra_args.clone(),
            mem_prealloc: table.enable_mem_prealloc,
            iommu: table.enable_iommu,
            iommu_platform: table.enable_iommu_platform,
            file_backed_mem_root_dir: table.file_mem_backend.clone(),
            block_device_driver,
            block_device_cache_set: table.block_device_cache_set,
            block_device_cache_direct: table.block_device_cache_direct,
            block_device_cache_noflush: table.block_device_cache_noflush,
            enable_iothreads: table.enable_iothreads,
            msize9p: if table.msize_9p == 0 { 8192 } else { table.msize_9p },
            disable_image_nvdimm,
            hotplug_vfio_on_root_bus: table.hotplug_vfio_on_root_bus,
            pcie_root_port: table.pcie_root_port,
            disable_vhost_net: table.disable_vhost_net,
            enable_vhost_user_store: table.enable_vhost_user_store,
            vhost_user_store_path: or(&table.vhost_user_store_path, "/var/run/kata-containers/vhost-user/")
                .to_owned(),
            rx_rate_limiter_max_rate: table.rx_rate_limiter_max_rate,
            tx_rate_limiter_max_rate: table.tx_rate_limiter_max_rate,
            guest_memory_dump_path: table.guest_memory_dump_path.clone(),
            guest_memory_dump_paging: table.guest_memory_dump_paging,
            ..self.common()
        })
    }

    fn acrn(&mut self) -> Result<HypervisorConfig, Fault> {
        let hypervisor_path = self.path()?;
        let hypervisor_ctl_path = self.resolve("ctlpath", or(&self.table.ctlpath, "/usr/bin/acrnctl"))?;
        let kernel_path = self.kernel()?;
        let image_path = self.image()?;
        let firmware_path = self.optional("firmware", &self.table.firmware)?;
        let block_device_driver = self.block_device_driver()?;
        Ok(HypervisorConfig {
            hypervisor_path,
            hypervisor_ctl_path,
            kernel_path,
            image_path,
            firmware_path,
            block_device_driver,
            disable_vhost_net: self.table.disable_vhost_net,
            ..self.common()
        })
    }

    fn clh(&mut self) -> Result<HypervisorConfig, Fault> {
        let table = self.table;
        let hypervisor_path = self.path()?;
        let kernel_path = self.kernel()?;
        let (initrd_path, image_path) = self.initrd_or_image()?;
        if !initrd_path.is_empty() {
            return Err(Fault::new(
                "initrd",
                "having an initrd defined in the configuration file is not supported",
            ));
        }
        let firmware_path = self.optional("firmware", &table.firmware)?;
        let block_device_driver = self.block_device_driver()?;
        if table.virtio_fs_daemon.is_empty() {
            return Err(Fault::new("", "virtio-fs daemon path is missing in configuration file"));
        }
        if table.shared_fs != "virtio-fs" {
            self.derived.push(("shared_fs", "Cloud Hypervisor shares files by virtio-fs only"));
        }
        Ok(HypervisorConfig {
            hypervisor_path,
            kernel_path,
            initrd_path,
            image_path,
            firmware_path,
            machine_accelerators: options(&table.machine_accelerators),
            hypervisor_machine_type: or(&table.machine_type, "pc").to_owned(),
            mem_offset: table.memory_offset,
            virtio_mem: table.enable_virtio_mem,
            disable_block_device_use: table.disable_block_device_use,
            shared_fs: "virtio-fs".to_owned(),
            virtio_fs_daemon: table.virtio_fs_daemon.clone(),
            virtio_fs_cache_size: table.virtio_fs_cache_size,
            virtio_fs_cache: table.virtio_fs_cache.clone(),
            virtio_fs_extra_args: table.virtio_fs_extra_args.clone(),
            mem_prealloc: table.enable_mem_prealloc,
            file_backed_mem_root_dir: table.file_mem_backend.clone(),
            block_device_driver,
            block_device_cache_set: table.block_device_cache_set,
            block_device_cache_direct: table.block_device_cache_direct,
            block_device_cache_noflush: table.block_device_cache_noflush,
            enable_iothreads: table.enable_iothreads,
            msize9p: if table.msize_9p == 0 { 8192 } else { table.msize_9p },
            hotplug_vfio_on_root_bus: table.hotplug_vfio_on_root_bus,
            pcie_root_port: table.pcie_root_port,
            disable_vhost_net: self.without_vhost_net(),
            ..self.common()
        })
    }
}
