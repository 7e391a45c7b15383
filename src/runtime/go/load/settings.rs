//! One hypervisor table's settings after defaults, clamps and look-ups on the host.
//!
//! Decides each setting by itself; which of them a hypervisor takes is `hypervisors`' business. Facts:
//! the methods of `hypervisor` in src/runtime/pkg/katautils/config.go, with the built-in values of
//! config-settings.go.in, and src/runtime/pkg/govmm at 4.1.0.

use crate::golang::strconv::{fields, list, quote};
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::go::Change;
use crate::release::{Release, Runtime};
use crate::runtime::RuntimeMessage;
use crate::runtime::checks::{extension_image, is_sector_size, sector_order};
use crate::runtime::defaults::{or_number, or_word};
use crate::runtime::go::config::{AgentConfig, GuestExtensionImage, HypervisorConfig, Param, ParamFrom};
use crate::runtime::go::{kernel_params, paths};
use crate::runtime::message::worded;

/// Why a configuration is refused, and the key that it is about: of a hypervisor's table, or with its table but
/// without the hypervisor's name (`hypervisor.initrd`).
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ConfigError {
    pub message: String,
    pub key: &'static str,
}

impl ConfigError {
    pub fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), key }
    }
}

pub(super) type Setting<T> = Result<T, ConfigError>;

const DEFAULT_KERNEL_PATH: &str = "/usr/share/kata-containers/vmlinuz.container";
const DEFAULT_MEMORY_MIB: u32 = 2048;
/// Smaller memory sizes are replaced by the default.
pub(in crate::runtime::go) const MIN_MEMORY_MIB: u32 = 256;

/// The most vCPUs that the hypervisor layer supports on this architecture.
pub(in crate::runtime::go) fn max_vcpus(arch: Arch) -> u32 {
    match arch {
        Arch::X86_64 => 240,
        Arch::Aarch64 => 123,
        Arch::S390x => 248,
        Arch::Ppc64le => 128,
        Arch::Riscv64 => 512,
    }
}

/// Follows every link of a path that must exist.
pub(super) fn resolve(host: &Host, path: &str) -> Result<String, RuntimeMessage> {
    if path.is_empty() {
        return Err("path must be specified".into());
    }
    paths::resolve(host, path, paths::SANDBOX)
}

/// The program that holds where none is configured.
pub(super) fn default_hypervisor_path(release: Release) -> &'static str {
    match release.has(Change::FullQemuByDefault) {
        true => "/usr/bin/qemu-system-x86_64",
        false => "/usr/bin/qemu-lite-system-x86_64",
    }
}

/// The machine type that holds where none is configured.
pub(super) fn default_machine_type(release: Release) -> &'static str {
    if release.has(Change::Q35ByDefault) { "q35" } else { "pc" }
}

/// The cache mode that holds where none is configured.
pub(super) fn default_virtio_fs_cache(release: Release) -> &'static str {
    if release.has(Change::CacheNeverByDefault) { "never" } else { "none" }
}

fn or_default<'a>(value: &'a str, default: &'a str) -> &'a str {
    if value.is_empty() { default } else { value }
}

/// The CPUs that a configured number is held against.
fn host_cpus(host: &Host, release: Release) -> u32 {
    match release.has(Change::CpusOfMachine) {
        true => host.facts.cpus,
        false => host.facts.cpus_of_shim(),
    }
}

/// Trimmed pieces of a comma list, joined again.
fn comma_list(text: &str) -> String {
    let joined: String =
        text.split(',').filter(|p| !p.is_empty()).map(|p| format!("{},", p.trim())).collect();
    joined.trim_matches(',').to_owned()
}

/// A burst without a rate is dropped.
fn burst(burst: &mut i64, rate: i64) {
    if rate == 0 {
        *burst = 0;
    }
}

type FillIn = fn(&mut HypervisorConfig, &Host, Release);

/// What is made of a key that is taken and cannot be refused: what holds where nothing is written, and bounds.
#[rustfmt::skip]
const FILLED_IN: &[(&str, FillIn)] = &[
    ("rootfs_type", |h, _, _| or_word(&mut h.rootfs_type, "ext4")),
    ("machine_type", |h, _, release| or_word(&mut h.machine_type, default_machine_type(release))),
    ("machine_accelerators", |h, _, _| h.machine_accelerators = comma_list(&h.machine_accelerators)),
    ("cpu_features", |h, _, _| h.cpu_features = comma_list(&h.cpu_features)),
    ("kernel_params", |h, _, release| h.kernel_params.list = kernel_line(&h.kernel_params.written, release)),
    ("tdx_quote_generation_service_socket_port", |h, _, release| {
        if release.has(Change::QuotePortByDefault) {
            or_number(&mut h.tdx_quote_generation_service_socket_port, 4050);
        }
    }),
    ("entropy_source", |h, _, _| or_word(&mut h.entropy_source, "/dev/urandom")),
    ("virtio_fs_cache", |h, _, release| or_word(&mut h.virtio_fs_cache, default_virtio_fs_cache(release))),
    ("vhost_user_store_path", |h, _, _| or_word(&mut h.vhost_user_store_path, "/var/run/kata-containers/vhost-user/")),
    ("hot_plug_vfio", |h, _, _| or_word(&mut h.hot_plug_vfio, "no-port")),
    ("cold_plug_vfio", |h, _, _| or_word(&mut h.cold_plug_vfio, "no-port")),
    ("measurement_algo", |h, _, _| or_word(&mut h.measurement_algo, "sha512")),
    ("remote_hypervisor_socket", |h, _, _| or_word(&mut h.remote_hypervisor_socket, "/run/peerpod/hypervisor.sock")),
    ("remote_hypervisor_timeout", |h, _, _| or_number(&mut h.remote_hypervisor_timeout, 600)),
    ("default_vcpus", |h, host, release| h.default_vcpus = vcpus(h.default_vcpus, host, release)),
    ("default_maxvcpus", |h, host, release| h.default_maxvcpus = most_vcpus(h.default_maxvcpus, host, release)),
    ("default_memory", |h, _, _| {
        if h.default_memory < MIN_MEMORY_MIB {
            h.default_memory = DEFAULT_MEMORY_MIB;
        }
    }),
    ("memory_slots", |h, _, _| or_number(&mut h.memory_slots, 10)),
    ("default_maxmemory", |h, host, _| {
        let most = host.facts.memory_mib;
        h.default_maxmemory = if h.default_maxmemory == 0 { most } else { h.default_maxmemory.min(most) };
    }),
    ("default_bridges", |h, _, _| h.default_bridges = if h.default_bridges == 0 { 1 } else { h.default_bridges.min(5) }),
    ("hypervisor_loglevel", |h, _, release| {
        h.hypervisor_loglevel = h.hypervisor_loglevel.min(3);
        if release.has(Change::LogLevelByDefault) {
            or_number(&mut h.hypervisor_loglevel, 1);
        }
    }),
    ("msize_9p", |h, _, _| or_number(&mut h.msize_9p, 8192)),
    ("pcie_root_port", |h, _, release| {
        if release.has(Change::PortsLimited) {
            h.pcie_root_port = h.pcie_root_port.min(16);
        }
    }),
    ("pcie_switch_port", |h, _, _| h.pcie_switch_port = h.pcie_switch_port.min(16)),
    ("net_rate_limiter_bw_one_time_burst", |h, _, _| burst(&mut h.net_rate_limiter_bw_one_time_burst, h.net_rate_limiter_bw_max_rate)),
    ("net_rate_limiter_ops_one_time_burst", |h, _, _| burst(&mut h.net_rate_limiter_ops_one_time_burst, h.net_rate_limiter_ops_max_rate)),
    ("disk_rate_limiter_bw_one_time_burst", |h, _, _| burst(&mut h.disk_rate_limiter_bw_one_time_burst, h.disk_rate_limiter_bw_max_rate)),
    ("disk_rate_limiter_ops_one_time_burst", |h, _, _| burst(&mut h.disk_rate_limiter_ops_one_time_burst, h.disk_rate_limiter_ops_max_rate)),
];

/// vCPUs at boot. The table's own maximum plays no part here.
fn vcpus(asked: f32, host: &Host, release: Release) -> f32 {
    let most = match release.has(Change::VcpusWithinMachine) {
        true => max_vcpus(host.facts.arch),
        false => u32::MAX,
    };
    let host_cpus = host_cpus(host, release).min(most) as f32;
    if asked < 0.0 || asked > host_cpus {
        host_cpus
    } else if asked == 0.0 {
        1.0
    } else {
        asked
    }
}

fn most_vcpus(asked: u32, host: &Host, release: Release) -> u32 {
    let cpus = host_cpus(host, release);
    let fitted = if asked >= cpus || asked == 0 { cpus } else { asked };
    fitted.min(max_vcpus(host.facts.arch))
}

/// The parameters of the guest's kernel.
fn kernel_line(written: &str, release: Release) -> Vec<Param> {
    let from = ParamFrom::Configuration;
    match release.has(Change::QuotedKernelParams) {
        true => kernel_params::pairs(kernel_params::quoted_words(written), from),
        false => kernel_params::pairs(fields(written), from),
    }
}

impl HypervisorConfig {
    /// Fills in the keys that are wanted.
    pub(super) fn fill_in(&mut self, wanted: impl Fn(&str) -> bool, host: &Host, release: Release) {
        for (_, fill_in) in FILLED_IN.iter().filter(|(key, _)| wanted(key)) {
            fill_in(self, host, release);
        }
    }

    /// Follows the links of the paths under these keys, which must exist where they are set; a program and a kernel are
    /// always wanted.
    pub(super) fn look_up(&mut self, keys: &[&'static str], host: &Host, release: Release) -> Setting<()> {
        for key in keys.iter().copied() {
            let (path, default) = match key {
                "path" => (&mut self.path, default_hypervisor_path(release)),
                "ctlpath" => (&mut self.ctlpath, "/usr/bin/acrnctl"),
                "kernel" => (&mut self.kernel, DEFAULT_KERNEL_PATH),
                "jailer_path" => (&mut self.jailer_path, ""),
                "image" => (&mut self.image, ""),
                "initrd" => (&mut self.initrd, ""),
                "firmware" => (&mut self.firmware, ""),
                "firmware_volume" => (&mut self.firmware_volume, ""),
                _ => continue,
            };
            let wanted = or_default(path, default);
            if !wanted.is_empty() {
                *path = resolve(host, wanted).map_err(|why| ConfigError::new(key, why))?;
            }
        }
        Ok(())
    }

    /// The certificates of an SNP host: the default ones may be missing.
    pub(super) fn resolved_snp_certs(&self, host: &Host, release: Release) -> Setting<String> {
        const DEFAULT: &str = "/opt/snp/cert_chain.cert";
        let wanted = self.confidential_guest
            && (self.sev_snp_guest || !release.has(Change::SnpCertificatesForSnpAlone));
        if !HypervisorConfig::reads("snp_certs_path", release) || !wanted {
            return Ok(String::new());
        }
        let found = resolve(host, or_default(&self.snp_certs_path, DEFAULT));
        match found.map_err(|why| ConfigError::new("snp_certs_path", why)) {
            Err(_) if self.snp_certs_path.is_empty() || self.snp_certs_path == DEFAULT => Ok(String::new()),
            found => found,
        }
    }

    /// Initrd and image.
    pub(super) fn look_up_boot(&mut self, host: &Host, release: Release) -> Setting<()> {
        if !release.has(Change::AssetsAtLoad) {
            return self.look_up(&["initrd", "image"], host, release);
        }
        let find = |path: &str, what: &str| match path {
            "" => Err(format!("{what} is not set").into()),
            path => resolve(host, path),
        };
        match (find(&self.initrd, "initrd"), find(&self.image, "image")) {
            (Ok(_), Ok(_)) => Err(ConfigError::new(
                "initrd",
                "having both an image and an initrd defined in the configuration file is not supported",
            )),
            (Err(initrd), Err(image)) => Err(ConfigError::new(
                "image",
                format!(
                    "Either initrd or image must be set to a valid path (initrd: {initrd}) (image: {image})"
                ),
            )),
            (initrd, image) => {
                (self.initrd, self.image) = (initrd.unwrap_or_default(), image.unwrap_or_default());
                Ok(())
            }
        }
    }

    /// The flash images exist, but are passed on as written.
    pub(super) fn check_pflashes(&self, host: &Host) -> Setting<()> {
        for path in self.pflashes.iter() {
            resolve(host, path)
                .map_err(|e| ConfigError::new("pflashes", format!("failed to resolve path: {path}: {e}")))?;
        }
        Ok(())
    }

    /// Fills in the word under a key where none is written, and refuses one that the runtime does not know.
    pub(super) fn check_word(&mut self, key: &'static str, release: Release) -> Setting<()> {
        let (word, default, known, wording) = match key {
            "block_device_driver" => (
                &mut self.block_device_driver,
                "virtio-scsi",
                vec!["virtio-scsi", "virtio-blk", "virtio-mmio", "nvdimm", "virtio-blk-ccw"],
                "Invalid hypervisor block storage driver {} specified (supported drivers: {})",
            ),
            "block_device_aio" => (
                &mut self.block_device_aio,
                "io_uring",
                vec!["io_uring", "native", "threads"],
                "Invalid hypervisor block storage I/O mechanism  {} specified (supported AIO: {})",
            ),
            "extra_monitor_socket" => (
                &mut self.extra_monitor_socket,
                "",
                vec!["hmp", "qmp", "qmp-pretty"],
                "Invalid hypervisor extra monitor socket {} specified (supported values: {})",
            ),
            _ => {
                let mut systems = vec!["virtio-9p", "virtio-fs"];
                systems.extend(release.has(Change::Nydus).then_some("virtio-fs-nydus"));
                systems.extend(release.has(Change::NoSharedFs).then_some("none"));
                let default = if release.has(Change::VirtioFsByDefault) { "virtio-fs" } else { "virtio-9p" };
                let wording =
                    "Invalid hypervisor shared file system {} specified (supported file systems: {})";
                (&mut self.shared_fs, default, systems, wording)
            }
        };
        or_word(word, default);
        if word.is_empty() || known.contains(&word.as_str()) {
            return Ok(());
        }
        Err(ConfigError::new(key, worded(wording, word, &list(&known))))
    }

    /// A shared file system that needs a daemon has one.
    pub(super) fn check_daemon(&self) -> Setting<()> {
        let shared_fs = self.shared_fs.as_str();
        if matches!(shared_fs, "virtio-fs" | "virtio-fs-nydus") && self.virtio_fs_daemon.is_empty() {
            let message = format!("cannot enable {shared_fs} without daemon path in configuration file");
            return Err(ConfigError::new("virtio_fs_daemon", message));
        }
        Ok(())
    }

    /// Logical and physical sector size.
    pub(super) fn check_sector_sizes(&self) -> Setting<()> {
        let check = |key: &'static str, size: u32| {
            if is_sector_size(u64::from(size)) {
                return Ok(size);
            }
            let message = format!("invalid {key} {size}: must be 0 or a power of 2 between 512 and 65536");
            Err(ConfigError::new(key, message))
        };
        let logical = check("block_device_logical_sector_size", self.block_device_logical_sector_size)?;
        let physical = check("block_device_physical_sector_size", self.block_device_physical_sector_size)?;
        sector_order(logical, physical)
            .map_err(|message| ConfigError::new("block_device_logical_sector_size", message))
    }

    pub(super) fn check_extension_images(&self) -> Setting<()> {
        let check = |(i, image): (usize, &GuestExtensionImage)| {
            let checked = match image.name.is_empty() {
                true => {
                    Err(format!("guest_extension_images entry {i} is missing required 'name' field").into())
                }
                false => extension_image(&image.name, &image.verity_params, Runtime::Go),
            };
            checked.map_err(|why| ConfigError::new("guest_extension_images", why))
        };
        self.guest_extension_images.iter().enumerate().try_for_each(check)
    }
}

/// `/dev/vhost-vsock` is there.
pub(super) fn check_vsock(host: &Host) -> Setting<()> {
    if host.vhost_vsock() {
        return Ok(());
    }
    let message = "host system doesn't support vsock: stat /dev/vhost-vsock: no such file or directory";
    Err(ConfigError::new("", message))
}

/// The complaint about a table that is no hypervisor's.
pub(super) fn unknown_table(name: &str) -> String {
    format!(
        "configuration file contains invalid hypervisor section: {}",
        crate::golang::strconv::quote_ascii(name)
    )
}

/// How the agent traces, where it has a choice: checked, and filled in where nothing is said.
pub(super) fn trace_options(agent: &mut AgentConfig) -> Setting<()> {
    if !agent.enable_tracing {
        return Ok(());
    }
    let choices = [
        (&mut agent.trace_mode, "mode", "trace_mode", ["dynamic", "static"]),
        (&mut agent.trace_type, "type", "trace_type", ["isolated", "collated"]),
    ];
    for (value, what, key, [first, second]) in choices {
        if value.is_empty() {
            *value = first.into();
        } else if value != first && value != second {
            let (value, first, second) = (quote(value), quote(first), quote(second));
            let message = format!("invalid kata agent trace {what}: {value} (need {first} or {second})");
            return Err(ConfigError::new(key, message));
        }
    }
    Ok(())
}

/// `emptydir_mode`, checked.
pub(super) fn empty_dir_mode(asked: &str, release: Release) -> Result<String, RuntimeMessage> {
    let mut modes = vec!["shared-fs", "block-encrypted"];
    modes.extend(release.has(Change::EmptyDirAsBlock).then_some("block-plain"));
    if asked.is_empty() {
        return Ok("shared-fs".into());
    }
    if modes.contains(&asked) {
        return Ok(asked.into());
    }
    let modes: Vec<String> = modes.into_iter().map(quote).collect();
    Err(format!("invalid emptydir_mode={}, allowed values: {}", quote(asked), modes.join(", ")).into())
}
