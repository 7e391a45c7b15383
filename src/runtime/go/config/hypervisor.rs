//! `HypervisorConfig`: everything that shapes the VM, under the keys of the file.
//!
//! Decides what a key is; which releases and hypervisors take it, the catalogue says. Facts:
//! src/runtime/pkg/katautils/config.go and src/runtime/virtcontainers/hypervisor.go at 4.1.0, and for keys that went,
//! the last release that had them.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::catalog;
use crate::golang::toml::{Decode, Decoder, Error, Value};
use crate::input::host::Arch;
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::go::kernel_params;
use crate::runtime::go::record::{Held, hypervisor_record, record};

/// Which VMM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs)]
pub enum HypervisorType {
    #[default]
    Qemu,
    Clh,
    Firecracker,
    Dragonball,
    Acrn,
    Stratovirt,
    Remote,
}

impl HypervisorType {
    const ALL: [Self; 7] = [
        Self::Qemu,
        Self::Clh,
        Self::Firecracker,
        Self::Dragonball,
        Self::Acrn,
        Self::Stratovirt,
        Self::Remote,
    ];

    /// The table name in `configuration.toml`, and the runtime's own word for it.
    pub fn as_str(self) -> &'static str {
        self.table().trim_start_matches("hypervisor.")
    }

    /// The table (`hypervisor.qemu`).
    pub fn table(self) -> &'static str {
        match self {
            Self::Qemu => "hypervisor.qemu",
            Self::Clh => "hypervisor.clh",
            Self::Firecracker => "hypervisor.firecracker",
            Self::Dragonball => "hypervisor.dragonball",
            Self::Acrn => "hypervisor.acrn",
            Self::Stratovirt => "hypervisor.stratovirt",
            Self::Remote => "hypervisor.remote",
        }
    }

    /// By table name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hypervisor| hypervisor.as_str() == text)
    }

    /// Whether a release has it.
    pub fn is_in(self, release: Release) -> bool {
        match self {
            Self::Qemu | Self::Clh | Self::Firecracker => true,
            Self::Dragonball => release.has(Change::Dragonball),
            Self::Stratovirt | Self::Remote => release.has(Change::StratovirtAndRemote),
            Self::Acrn => release.has(Change::Acrn),
        }
    }
}

/// What put a kernel parameter into the configured list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParamFrom {
    /// `kernel_params` of the configuration.
    #[default]
    Configuration,
    /// The pod's annotation `kernel_params`.
    Pod,
    /// An image, which boots systemd.
    Image,
    /// The driver of block devices.
    BlockDeviceDriver,
    /// Keys of the agent's table.
    Agent(&'static [&'static str]),
    /// The host's kernel, which runs in FIPS mode.
    Fips,
}

/// A key with a value: a kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Param {
    pub key: String,
    pub value: String,
    pub from: ParamFrom,
}

impl Param {
    /// A parameter.
    pub fn new(key: impl Into<String>, value: impl Into<String>, from: ParamFrom) -> Self {
        Self { key: key.into(), value: value.into(), from }
    }
}

/// `kernel_params`: the line as it is written, and the parameters that hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct KernelParams {
    pub written: String,
    pub list: Vec<Param>,
}

impl Decode<Release> for KernelParams {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Release>) -> Result<(), Error> {
        self.written.decode(value, at)
    }
}

impl Held for KernelParams {
    fn to_json(&self) -> Json {
        kernel_params::line(&self.list).into()
    }
}

/// `default_vcpus`: a whole number until fractions came.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VcpuCount(pub f32);

impl Decode<Release> for VcpuCount {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Release>) -> Result<(), Error> {
        if at.fields().has(Change::FractionalVcpus) {
            return self.0.decode(value, at);
        }
        let mut whole = 0_i32;
        whole.decode(value, at)?;
        self.0 = whole as f32;
        Ok(())
    }
}

/// `memory_offset`: of 32 bits at first.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MemoryOffset(pub u64);

impl Decode<Release> for MemoryOffset {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Release>) -> Result<(), Error> {
        if at.fields().has(Change::WideMemoryOffset) {
            return self.0.decode(value, at);
        }
        let mut narrow = 0_u32;
        narrow.decode(value, at)?;
        self.0 = narrow.into();
        Ok(())
    }
}

record! {
    /// One entry of `guest_extension_images`.
    GuestExtensionImage as "katautils.guestExtensionImage" in None;
    {
        name: String,
        path: String,
        verity_params: String,
    }
}

impl Held for Vec<GuestExtensionImage> {
    fn to_json(&self) -> Json {
        let image = |i: &GuestExtensionImage| json!({"name": i.name, "path": i.path, "verity_params": i.verity_params});
        self.iter().map(image).collect()
    }
}

/// A guest NUMA node: host nodes and host CPUs as list texts (`0-3,8`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct GuestNumaNode {
    pub host_nodes: String,
    pub host_cpus: String,
}

/// Assets that annotations chose; they win over the paths of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct CustomAssets {
    pub firmware: Option<String>,
    pub firmware_volume: Option<String>,
    pub hypervisor: Option<String>,
    /// ACRN's control program.
    pub hypervisor_ctl: Option<String>,
    pub image: Option<String>,
    pub initrd: Option<String>,
    pub jailer: Option<String>,
    pub kernel: Option<String>,
}

hypervisor_record! {
    /// `[hypervisor.<name>]`: as written, and as it is held once its hypervisor's loader has been through it.
    HypervisorConfig as "katautils.hypervisor" in Some("hypervisor.<name>"), named in HypervisorKeys;
    {
        path: String,
        ctlpath: String,
        jailer_path: String,
        kernel: String,
        initrd: String,
        image: String,
        rootfs_type: String,
        firmware: String,
        firmware_volume: String,
        machine_accelerators: String,
        cpu_features: String,
        kernel_params: KernelParams,
        kernel_verity_params: String,
        machine_type: String,
        tdx_quote_generation_service_socket_port: u32,
        block_device_driver: String,
        entropy_source: String,
        shared_fs: String,
        virtio_fs_daemon: String,
        virtio_fs_cache: String,
        vhost_user_store_path: String,
        file_mem_backend: String,
        guest_hook_path: String,
        guest_memory_dump_path: String,
        seccompsandbox: String,
        block_device_aio: String,
        remote_hypervisor_socket: String,
        snp_certs_path: String,
        snp_id_block: String,
        snp_id_auth: String,
        snp_guest_policy: Option<u64>,
        measurement_algo: String,
        valid_hypervisor_paths: Arc<[String]>,
        valid_jailer_paths: Arc<[String]>,
        valid_ctlpaths: Arc<[String]>,
        valid_virtio_fs_daemon_paths: Arc<[String]>,
        virtio_fs_extra_args: Vec<String>,
        pflashes: Arc<[String]>,
        valid_vhost_user_store_paths: Arc<[String]>,
        valid_file_mem_backends: Arc<[String]>,
        valid_entropy_sources: Arc<[String]>,
        enable_annotations: Arc<[String]>,
        rx_rate_limiter_max_rate: u64,
        tx_rate_limiter_max_rate: u64,
        memory_offset: u64 as MemoryOffset,
        default_maxmemory: u64,
        disk_rate_limiter_bw_max_rate: i64,
        disk_rate_limiter_bw_one_time_burst: i64,
        disk_rate_limiter_ops_max_rate: i64,
        disk_rate_limiter_ops_one_time_burst: i64,
        net_rate_limiter_bw_max_rate: i64,
        net_rate_limiter_bw_one_time_burst: i64,
        net_rate_limiter_ops_max_rate: i64,
        net_rate_limiter_ops_one_time_burst: i64,
        hypervisor_loglevel: u32,
        virtio_fs_cache_size: u32,
        virtio_fs_queue_size: u32,
        default_maxvcpus: u32,
        default_memory: u32,
        memory_slots: u32,
        default_bridges: u32,
        msize_9p: u32,
        remote_hypervisor_timeout: u32,
        default_vcpus: f32 as VcpuCount,
        block_device_cache_set: bool,
        block_device_cache_direct: bool,
        block_device_cache_noflush: bool,
        block_device_logical_sector_size: u32,
        block_device_physical_sector_size: u32,
        enable_vhost_user_store: bool,
        vhost_user_reconnect_timeout_sec: u32,
        disable_block_device_use: bool,
        enable_mem_prealloc: bool,
        reclaim_guest_freed_memory: bool,
        enable_swap: bool,
        enable_hugepages: bool,
        enable_virtio_mem: bool,
        enable_iommu: bool,
        enable_iommu_platform: bool,
        enable_numa: bool,
        numa_mapping: Vec<String>,
        enable_debug: bool,
        disable_nesting_checks: bool,
        enable_iothreads: bool,
        indep_iothreads: u32,
        disable_image_nvdimm: bool,
        hotplug_vfio_on_root_bus: bool,
        hot_plug_vfio: String,
        cold_plug_vfio: String,
        pcie_root_port: u32,
        pcie_switch_port: u32,
        disable_vhost_net: bool,
        guest_memory_dump_paging: bool,
        confidential_guest: bool,
        sev_snp_guest: bool,
        enable_guest_swap: bool,
        rootless: bool,
        disable_seccomp: bool,
        disable_selinux: bool,
        disable_guest_selinux: bool,
        use_legacy_serial: bool,
        extra_monitor_socket: String,
        guest_extension_images: Vec<GuestExtensionImage>,
    }
    annotations alone {
        default_gpus: u32,
        default_gpu_model: String,
        cc_init_data: String,
        epc: i64,
    }
    beside {
        custom_assets: CustomAssets,
        /// The processor that the runtime itself runs on.
        arch: Arch,
        /// What `enable_numa` and `numa_mapping` come to.
        guest_numa_nodes: Vec<GuestNumaNode>,
        /// How many of `virtio_fs_extra_args`, at their end, are the pod's.
        virtio_fs_extra_args_of_pod: u32,
        /// From the CRI's annotations (`io.kubernetes.cri.sandbox-name`, ...).
        sandbox_name: String,
        /// From the CRI's annotations.
        sandbox_namespace: String,
        /// The digest of `cc_init_data` by the algorithm that it names.
        initdata_digest: Vec<u8>,
        /// The devices of the host that the sandbox's own specification names, by their CDI names.
        vfio_devices: Vec<String>,
        /// They are named by the files of their IOMMU groups, not by their own.
        vfio_groups: bool,
    }
}

impl HypervisorConfig {
    /// vCPUs at boot: the float rounded up.
    pub fn num_vcpus(&self) -> u32 {
        // Go's conversion goes through a 64 bit integer and is cut; what becomes of a NaN or of a float that does
        // not fit is up to the processor: x86_64 makes the least integer of it, the others the nearest.
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let up = f64::from(self.default_vcpus).ceil();
        match self.arch {
            Arch::X86_64 if up.abs() >= LIMIT => 0,
            Arch::Riscv64 if up.is_nan() => u32::MAX,
            _ => (up as i64) as u32,
        }
    }

    /// Whether the loader of a hypervisor takes a key from its table.
    pub(crate) fn takes(hypervisor: HypervisorType, key: &str, release: Release) -> bool {
        let reader = catalog::config_key("hypervisor.<name>", key).and_then(|key| key.reader(release));
        reader.is_some_and(|reader| reader.hypervisors.contains(&hypervisor.as_str()))
    }

    /// The lists that gate what pods may set, `enable_annotations` first, then those of paths.
    pub(crate) fn lists(&self) -> Vec<(&'static str, &[String])> {
        vec![
            ("enable_annotations", &self.enable_annotations),
            ("valid_hypervisor_paths", &self.valid_hypervisor_paths),
            ("valid_ctlpaths", &self.valid_ctlpaths),
            ("valid_jailer_paths", &self.valid_jailer_paths),
            ("valid_file_mem_backends", &self.valid_file_mem_backends),
            ("valid_virtio_fs_daemon_paths", &self.valid_virtio_fs_daemon_paths),
            ("valid_vhost_user_store_paths", &self.valid_vhost_user_store_paths),
            ("valid_entropy_sources", &self.valid_entropy_sources),
        ]
    }
}

/// The files that annotations can choose, each by the key whose path it takes the place of.
macro_rules! assets {
    ($($path:ident: $asset:ident instead of $key:ident;)*) => {
        impl HypervisorConfig {
            /// The asset that an annotation chose instead of the path under a key.
            pub(crate) fn chosen_asset(&self, key: &str) -> Option<&str> {
                match key {
                    $(stringify!($key) => self.custom_assets.$asset.as_deref(),)*
                    _ => None,
                }
            }

            $(
                /// The path that holds: an annotation's, or the configured one.
                pub fn $path(&self) -> &str {
                    self.custom_assets.$asset.as_deref().unwrap_or(&self.$key)
                }
            )*
        }
    };
}

assets! {
    kernel_asset_path: kernel instead of kernel;
    image_asset_path: image instead of image;
    initrd_asset_path: initrd instead of initrd;
    hypervisor_asset_path: hypervisor instead of path;
    hypervisor_ctl_asset_path: hypervisor_ctl instead of ctlpath;
    jailer_asset_path: jailer instead of jailer_path;
    firmware_asset_path: firmware instead of firmware;
    firmware_volume_asset_path: firmware_volume instead of firmware_volume;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::HypervisorConfig;
    use crate::catalog;
    use crate::input::host::Arch;
    use crate::release::Runtime;
    use crate::runtime::go::config::AgentConfig;

    #[test]
    fn fields_are_the_keys_that_the_catalogue_has() {
        let keys = |table: &'static str| -> BTreeSet<&str> {
            let of_go = catalog::all_config_keys()
                .iter()
                .filter(move |key| key.table == table && key.readers(Runtime::Go).next().is_some());
            of_go.map(|key| key.key).collect()
        };
        assert_eq!(keys("hypervisor.<name>"), HypervisorConfig::KEYS.iter().copied().collect());
        assert_eq!(keys("agent.<name>"), AgentConfig::KEYS.iter().copied().collect());
    }

    #[test]
    fn odd_counts_are_cut_as_the_processor_does() {
        let count = |default_vcpus| HypervisorConfig { default_vcpus, ..Default::default() }.num_vcpus();
        assert_eq!((count(0.1), count(2.0), count(-5.0)), (1, 2, 4_294_967_291));
        assert_eq!((count(f32::NAN), count(9.223_372e18), count(5e9)), (0, 0, 705_032_704));
        let elsewhere =
            |default_vcpus| HypervisorConfig { default_vcpus, arch: Arch::S390x, ..Default::default() };
        let count = |count| elsewhere(count).num_vcpus();
        assert_eq!((count(f32::NAN), count(9.223_373e18), count(5e9)), (0, u32::MAX, 705_032_704));
    }
}
