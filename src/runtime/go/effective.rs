//! Every key with the value that holds for one sandbox, and where that value came from.
//!
//! Decides which keys a hypervisor reads at all, and names clamps and rules. The values are those that
//! the runtime holds once annotations and sizing are through, before its last checks fill zeros. Facts:
//! src/runtime/pkg/katautils/config.go and src/runtime/pkg/oci/utils.go at 4.1.0.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::annotations::known::{FullKey, Id, KNOWN, Known, Section, full_key};
use super::annotations::session::Session;
use super::config::{GuestExtensionImage, HypervisorType, SandboxConfig};
use super::{Loaded, kernel_params};
use crate::answer::effective::{Effective, EffectiveValue, Origin, hidden};
use crate::answer::verdict::Status;
use crate::catalog;
use crate::release::Release;

/// A single as people write it (0.1 stays 0.1), or the word for what is no number.
fn float(number: f32) -> Json {
    if number.fract() == 0.0 && number.abs() < 1e9 {
        return Json::from(number as i64);
    }
    let shortest = number.to_string();
    match shortest.parse::<f64>() {
        Ok(number) if number.is_finite() => Json::from(number),
        _ => Json::from(shortest),
    }
}

fn list(items: &[impl AsRef<str>]) -> Json {
    items.iter().map(AsRef::as_ref).collect()
}

fn extension_images(images: &[GuestExtensionImage]) -> Json {
    let images = images.iter();
    images.map(|i| json!({"name": i.name, "path": i.path, "verity_params": i.verity_params})).collect()
}

/// A key of the configuration.
#[derive(Debug)]
pub(super) struct Key {
    pub section: Section,
    /// The key within the table.
    pub field: &'static str,
    /// The whole key.
    name: FullKey,
    /// The hypervisors whose loader takes it from the file, by their first letters; the agent's and the
    /// runtime's keys are read whatever the hypervisor is.
    readers: &'static str,
    /// What it comes to.
    pub value: fn(&SandboxConfig) -> Json,
}

macro_rules! keys {
    ($($section:ident $key:literal $readers:literal = |$c:ident| $value:expr;)*) => {
        /// All of them, in the order of reports.
        static KEYS: &[Key] = &[$(
            Key {
                section: Section::$section,
                field: $key,
                name: full_key!($section $key),
                readers: $readers,
                value: |$c| Json::from($value),
            }
        ),*];
    };
}

keys! {
    Hypervisor "path" "FQCSA" = |c| &*c.hypervisor_config.hypervisor_path;
    Hypervisor "ctlpath" "A" = |c| c.hypervisor_config.hypervisor_ctl_asset_path();
    Hypervisor "jailer_path" "F" = |c| &*c.hypervisor_config.jailer_path;
    Hypervisor "kernel" "FQCDSA" = |c| c.hypervisor_config.kernel_asset_path();
    Hypervisor "initrd" "FQCS" = |c| c.hypervisor_config.initrd_asset_path();
    Hypervisor "image" "FQCDSA" = |c| c.hypervisor_config.image_asset_path();
    Hypervisor "rootfs_type" "FQCDSA" = |c| &*c.hypervisor_config.rootfs_type;
    Hypervisor "firmware" "FQCA" = |c| c.hypervisor_config.firmware_asset_path();
    Hypervisor "firmware_volume" "Q" = |c| c.hypervisor_config.firmware_volume_asset_path();
    Hypervisor "machine_accelerators" "QC" = |c| &*c.hypervisor_config.machine_accelerators;
    Hypervisor "cpu_features" "Q" = |c| &*c.hypervisor_config.cpu_features;
    Hypervisor "kernel_params" "FQCDSA" = |c| kernel_params::line(&c.hypervisor_config.kernel_params);
    Hypervisor "kernel_verity_params" "FQCDS" = |c| &*c.hypervisor_config.kernel_verity_params;
    Hypervisor "machine_type" "QCSR" = |c| &*c.hypervisor_config.hypervisor_machine_type;
    Hypervisor "tdx_quote_generation_service_socket_port" "Q" = |c| c.hypervisor_config.qgs_port;
    Hypervisor "block_device_driver" "FQCSA" = |c| &*c.hypervisor_config.block_device_driver;
    Hypervisor "entropy_source" "FQCDSA" = |c| &*c.hypervisor_config.entropy_source;
    Hypervisor "shared_fs" "QCS" = |c| &*c.hypervisor_config.shared_fs;
    Hypervisor "virtio_fs_daemon" "QCS" = |c| &*c.hypervisor_config.virtio_fs_daemon;
    Hypervisor "virtio_fs_cache" "QCS" = |c| &*c.hypervisor_config.virtio_fs_cache;
    Hypervisor "vhost_user_store_path" "Q" = |c| &*c.hypervisor_config.vhost_user_store_path;
    Hypervisor "file_mem_backend" "QC" = |c| &*c.hypervisor_config.file_backed_mem_root_dir;
    Hypervisor "guest_hook_path" "FQCSRA" = |c| &*c.hypervisor_config.guest_hook_path;
    Hypervisor "guest_memory_dump_path" "Q" = |c| &*c.hypervisor_config.guest_memory_dump_path;
    Hypervisor "seccompsandbox" "Q" = |c| &*c.hypervisor_config.seccomp_sandbox;
    Hypervisor "block_device_aio" "Q" = |c| &*c.hypervisor_config.block_device_aio;
    Hypervisor "remote_hypervisor_socket" "R" = |c| &*c.hypervisor_config.remote_hypervisor_socket;
    Hypervisor "snp_certs_path" "Q" = |c| &*c.hypervisor_config.snp_certs_path;
    Hypervisor "snp_id_block" "Q" = |c| &*c.hypervisor_config.snp_id_block;
    Hypervisor "snp_id_auth" "Q" = |c| &*c.hypervisor_config.snp_id_auth;
    Hypervisor "snp_guest_policy" "Q" = |c| c.hypervisor_config.snp_guest_policy;
    Hypervisor "measurement_algo" "QC" = |c| &*c.hypervisor_config.measurement_algo;
    Hypervisor "valid_hypervisor_paths" "FQCSA" = |c| list(&c.hypervisor_config.hypervisor_path_list);
    Hypervisor "valid_jailer_paths" "F" = |c| list(&c.hypervisor_config.jailer_path_list);
    Hypervisor "valid_ctlpaths" "A" = |c| list(&c.hypervisor_config.hypervisor_ctl_path_list);
    Hypervisor "valid_virtio_fs_daemon_paths" "QCS" = |c| list(&c.hypervisor_config.virtio_fs_daemon_list);
    Hypervisor "virtio_fs_extra_args" "QCS" = |c| list(&c.hypervisor_config.virtio_fs_extra_args);
    Hypervisor "pflashes" "Q" = |c| list(&c.hypervisor_config.pflash);
    Hypervisor "valid_vhost_user_store_paths" "Q" = |c| list(&c.hypervisor_config.vhost_user_store_path_list);
    Hypervisor "valid_file_mem_backends" "QC" = |c| list(&c.hypervisor_config.file_backed_mem_root_list);
    Hypervisor "valid_entropy_sources" "FQCA" = |c| list(&c.hypervisor_config.entropy_source_list);
    Hypervisor "enable_annotations" "FQCSRA" = |c| list(&c.hypervisor_config.enable_annotations);
    Hypervisor "rx_rate_limiter_max_rate" "FQ" = |c| c.hypervisor_config.rx_rate_limiter_max_rate;
    Hypervisor "tx_rate_limiter_max_rate" "FQ" = |c| c.hypervisor_config.tx_rate_limiter_max_rate;
    Hypervisor "memory_offset" "QCS" = |c| c.hypervisor_config.mem_offset;
    Hypervisor "default_maxmemory" "FQCSA" = |c| c.hypervisor_config.default_max_memory_size;
    Hypervisor "disk_rate_limiter_bw_max_rate" "C" = |c| c.hypervisor_config.disk_rate_limiter_bw_max_rate;
    Hypervisor "disk_rate_limiter_bw_one_time_burst" "C" = |c| c.hypervisor_config.disk_rate_limiter_bw_one_time_burst;
    Hypervisor "disk_rate_limiter_ops_max_rate" "C" = |c| c.hypervisor_config.disk_rate_limiter_ops_max_rate;
    Hypervisor "disk_rate_limiter_ops_one_time_burst" "C" = |c| c.hypervisor_config.disk_rate_limiter_ops_one_time_burst;
    Hypervisor "net_rate_limiter_bw_max_rate" "C" = |c| c.hypervisor_config.net_rate_limiter_bw_max_rate;
    Hypervisor "net_rate_limiter_bw_one_time_burst" "C" = |c| c.hypervisor_config.net_rate_limiter_bw_one_time_burst;
    Hypervisor "net_rate_limiter_ops_max_rate" "C" = |c| c.hypervisor_config.net_rate_limiter_ops_max_rate;
    Hypervisor "net_rate_limiter_ops_one_time_burst" "C" = |c| c.hypervisor_config.net_rate_limiter_ops_one_time_burst;
    Hypervisor "hypervisor_loglevel" "QCS" = |c| c.hypervisor_config.hypervisor_loglevel;
    Hypervisor "virtio_fs_cache_size" "QCS" = |c| c.hypervisor_config.virtio_fs_cache_size;
    Hypervisor "virtio_fs_queue_size" "Q" = |c| c.hypervisor_config.virtio_fs_queue_size;
    Hypervisor "default_maxvcpus" "FQCDSA" = |c| c.hypervisor_config.default_max_vcpus;
    Hypervisor "default_memory" "FQCDSA" = |c| c.hypervisor_config.memory_size;
    Hypervisor "memory_slots" "FQCDSA" = |c| c.hypervisor_config.mem_slots;
    Hypervisor "default_bridges" "FQCSA" = |c| c.hypervisor_config.default_bridges;
    Hypervisor "msize_9p" "QC" = |c| c.hypervisor_config.msize9p;
    Hypervisor "remote_hypervisor_timeout" "R" = |c| c.hypervisor_config.remote_hypervisor_timeout;
    Hypervisor "default_vcpus" "FQCDSA" = |c| float(c.hypervisor_config.num_vcpus_f);
    Hypervisor "block_device_cache_set" "QC" = |c| c.hypervisor_config.block_device_cache_set;
    Hypervisor "block_device_cache_direct" "QC" = |c| c.hypervisor_config.block_device_cache_direct;
    Hypervisor "block_device_cache_noflush" "Q" = |c| c.hypervisor_config.block_device_cache_noflush;
    Hypervisor "block_device_logical_sector_size" "QS" = |c| c.hypervisor_config.block_device_logical_sector_size;
    Hypervisor "block_device_physical_sector_size" "QS" = |c| c.hypervisor_config.block_device_physical_sector_size;
    Hypervisor "enable_vhost_user_store" "Q" = |c| c.hypervisor_config.enable_vhost_user_store;
    Hypervisor "vhost_user_reconnect_timeout_sec" "Q" = |c| c.hypervisor_config.vhost_user_device_reconnect;
    Hypervisor "disable_block_device_use" "QCS" = |c| c.hypervisor_config.disable_block_device_use;
    Hypervisor "enable_mem_prealloc" "QC" = |c| c.hypervisor_config.mem_prealloc;
    Hypervisor "reclaim_guest_freed_memory" "QC" = |c| c.hypervisor_config.reclaim_guest_freed_memory;
    Hypervisor "enable_swap" "QCFA" = |c| c.hypervisor_config.enable_swap;
    Hypervisor "enable_hugepages" "FQCSA" = |c| c.hypervisor_config.huge_pages;
    Hypervisor "enable_virtio_mem" "QC" = |c| c.hypervisor_config.virtio_mem;
    Hypervisor "enable_iommu" "Q" = |c| c.hypervisor_config.iommu;
    Hypervisor "enable_iommu_platform" "Q" = |c| c.hypervisor_config.iommu_platform;
    Hypervisor "enable_numa" "Q" = |c| !c.hypervisor_config.guest_numa_nodes.is_empty();
    Hypervisor "numa_mapping" "Q" = |c| list(&c.hypervisor_config.numa_mapping);
    Hypervisor "enable_debug" "FQCDSA" = |c| c.hypervisor_config.debug;
    Hypervisor "disable_nesting_checks" "FQCSA" = |c| c.hypervisor_config.disable_nesting_checks;
    Hypervisor "enable_iothreads" "FQC" = |c| c.hypervisor_config.enable_iothreads;
    Hypervisor "indep_iothreads" "FQC" = |c| c.hypervisor_config.indep_iothreads;
    Hypervisor "disable_image_nvdimm" "QC" = |c| c.hypervisor_config.disable_image_nvdimm;
    Hypervisor "hotplug_vfio_on_root_bus" "QC" = |c| c.hypervisor_config.hotplug_vfio_on_root_bus;
    Hypervisor "hot_plug_vfio" "QC" = |c| &*c.hypervisor_config.hot_plug_vfio;
    Hypervisor "cold_plug_vfio" "QC" = |c| &*c.hypervisor_config.cold_plug_vfio;
    Hypervisor "pcie_root_port" "QC" = |c| c.hypervisor_config.pcie_root_port;
    Hypervisor "pcie_switch_port" "QC" = |c| c.hypervisor_config.pcie_switch_port;
    Hypervisor "disable_vhost_net" "QA" = |c| c.hypervisor_config.disable_vhost_net;
    Hypervisor "guest_memory_dump_paging" "Q" = |c| c.hypervisor_config.guest_memory_dump_paging;
    Hypervisor "confidential_guest" "QC" = |c| c.hypervisor_config.confidential_guest;
    Hypervisor "sev_snp_guest" "Q" = |c| c.hypervisor_config.sev_snp_guest;
    Hypervisor "enable_guest_swap" "Q" = |c| c.hypervisor_config.guest_swap;
    Hypervisor "rootless" "QC" = |c| c.hypervisor_config.rootless;
    Hypervisor "disable_seccomp" "CS" = |c| c.hypervisor_config.disable_seccomp;
    Hypervisor "disable_selinux" "FQCSA" = |c| c.hypervisor_config.disable_selinux;
    Hypervisor "disable_guest_selinux" "QCS" = |c| c.hypervisor_config.disable_guest_selinux;
    Hypervisor "use_legacy_serial" "Q" = |c| c.hypervisor_config.legacy_serial;
    Hypervisor "extra_monitor_socket" "Q" = |c| &*c.hypervisor_config.extra_monitor_socket;
    Hypervisor "guest_extension_images" "Q" = |c| extension_images(&c.hypervisor_config.guest_extension_images);
    Hypervisor "default_gpus" "" = |c| c.hypervisor_config.default_gpus;
    Hypervisor "default_gpu_model" "" = |c| &*c.hypervisor_config.default_gpu_model;
    Hypervisor "cc_init_data" "" = |c| &*c.hypervisor_config.initdata;
    Hypervisor "epc" "" = |c| c.hypervisor_config.sgx_epc_size;
    Agent "kernel_modules" "" = |c| list(&c.agent_config.kernel_modules);
    Agent "enable_debug" "" = |c| c.agent_config.debug;
    Agent "enable_tracing" "" = |c| c.agent_config.trace;
    Agent "trace_mode" "" = |c| &*c.agent_config.trace_mode;
    Agent "trace_type" "" = |c| &*c.agent_config.trace_type;
    Agent "debug_console_enabled" "" = |c| c.agent_config.enable_debug_console;
    Agent "dial_timeout" "" = |c| c.agent_config.dial_timeout;
    Agent "cdh_api_timeout" "" = |c| c.agent_config.cdh_api_timeout;
    Agent "launch_process_timeout" "" = |c| c.agent_config.launch_process_timeout;
    Agent "visible_cdi_devices" "" = |c| c.agent_config.visible_cdi_devices;
    Agent "container_pipe_size" "" = |c| c.agent_config.container_pipe_size;
    Agent "policy" "" = |c| &*c.agent_config.policy;
    Runtime "internetworking_model" "" = |c| c.network_config.interworking_model.as_str();
    Runtime "vfio_mode" "" = |c| c.vfio_mode.as_str();
    Runtime "guest_selinux_label" "" = |c| &*c.guest_selinux_label;
    Runtime "sandbox_bind_mounts" "" = |c| list(&c.sandbox_bind_mounts);
    Runtime "disable_new_netns" "" = |c| c.network_config.disable_new_network;
    Runtime "disable_guest_seccomp" "" = |c| c.disable_guest_seccomp;
    Runtime "enable_vcpus_pinning" "" = |c| c.enable_vcpus_pinning;
    Runtime "sandbox_cgroup_only" "" = |c| c.sandbox_cgroup_only;
    Runtime "static_sandbox_resource_mgmt" "" = |c| c.static_resource_mgmt;
    Runtime "emptydir_mode" "" = |c| &*c.empty_dir_mode;
    Runtime "create_container_timeout" "" = |c| c.create_container_timeout;
    Runtime "experimental_force_guest_pull" "" = |c| c.force_guest_pull;
    Runtime "enable_pprof" "" = |c| c.enable_pprof;
    Runtime "kubelet_root_dir" "" = |c| &*c.kubelet_root_dir;
}

fn letter(kind: HypervisorType) -> char {
    match kind {
        HypervisorType::Firecracker => 'F',
        HypervisorType::Qemu => 'Q',
        HypervisorType::Clh => 'C',
        HypervisorType::Dragonball => 'D',
        HypervisorType::Stratovirt => 'S',
        HypervisorType::Remote => 'R',
        HypervisorType::Acrn => 'A',
    }
}

/// The key of a table.
pub(super) fn key(section: Section, field: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.field == field)
}

impl Key {
    /// Whether a file's value reaches this hypervisor.
    fn read_for(&self, hypervisor: HypervisorType) -> bool {
        self.section != Section::Hypervisor || self.readers.contains(letter(hypervisor))
    }

    /// Whether a release reads such a key.
    fn is_of(&self, release: Release) -> bool {
        let table = match self.section {
            Section::Hypervisor => "hypervisor.<name>",
            Section::Agent => "agent.<name>",
            Section::Runtime => "runtime",
            Section::Nowhere => return false,
        };
        catalog::config_key(table, self.field).is_some_and(|key| key.reader(release).is_some())
    }

    /// Whether an annotation can set it.
    fn settable(&self, loaded: &Loaded) -> bool {
        let sets = |(i, known): (usize, &Known)| {
            known.section == self.section
                && known.field == self.field
                && loaded.read.get(i).copied().unwrap_or_default()
        };
        KNOWN.iter().enumerate().any(sets)
    }
}

/// What holds for a sandbox that no annotation touches, and whose size nobody asks for.
#[derive(Debug, Clone)]
pub(super) struct Base {
    effective: Effective,
    /// How many of the keys are the hypervisor's; they stand first.
    of_hypervisor: usize,
}

impl Base {
    /// Every key that the hypervisor, the agent and the runtime have.
    pub fn of(loaded: &Loaded) -> Self {
        let mut config = SandboxConfig::new(loaded.runtime(), "", "");
        loaded.fill_in(&mut config);
        let mut base = Self { effective: Effective::default(), of_hypervisor: 0 };
        let hypervisor = config.hypervisor_type;
        let release = loaded.release();
        let known = |key: &&Key| (key.read_for(hypervisor) && key.is_of(release)) || key.settable(loaded);
        for key in KEYS.iter().filter(known) {
            let name = key.name.under(hypervisor);
            base.effective.set(name, (key.value)(&config), origin(loaded, &config, key, None));
            base.of_hypervisor += usize::from(key.section == Section::Hypervisor);
        }
        beside_the_sandbox(loaded, &mut base.effective);
        Self { effective: base.effective.shared(), ..base }
    }
}

/// Everything that holds for this sandbox: what holds for all of them, and its own in the place of that.
pub(super) fn effective(loaded: &Loaded, session: &Session<'_>) -> Effective {
    let base = loaded.base();
    let mut out = base.effective.clone();
    let config = &session.config;
    let hypervisor = config.hypervisor_type;
    let mut set = |key: &Key, by: Option<&'static str>| {
        let name = key.name.under(hypervisor);
        out.set(name, (key.value)(config), origin(loaded, config, key, by));
        if by.is_some() && matches!(key.field, "kernel_params" | "virtio_fs_extra_args") {
            out.add_to(name, origin(loaded, config, key, None));
        }
    };
    if config.static_resource_mgmt {
        for field in ["default_vcpus", "default_memory", "default_maxvcpus"] {
            key(Section::Hypervisor, field).into_iter().for_each(|key| set(key, None));
        }
    }
    let applied = session.marks.iter().filter(|(_, mark)| mark.status == Status::Applied);
    let mut keyless = Vec::new();
    let mut experimental = None;
    for (id, _) in applied {
        let known = id.known();
        match loaded.stations(*id).and_then(|stations| stations.key) {
            Some(key) => set(key, Some(known.key)),
            None if known.section == Section::Hypervisor => keyless.push(*id),
            None => {}
        }
        if *id == Id::Experimental
            && let Some(value) = session.value(*id)
        {
            let words: Vec<&str> = value.split(' ').collect();
            experimental = Some(json!(words));
        }
        if let Some(key) = also_set(*id).and_then(|field| key(Section::Hypervisor, field)) {
            set(key, Some(known.key));
        }
    }
    if let Some(words) = experimental {
        let by = Origin::Annotation(Cow::Borrowed(Id::Experimental.known().key));
        out.set("runtime.experimental", words, by);
    }
    if keyless.is_empty() {
        return out;
    }
    // What only annotations can say stands behind the hypervisor's keys.
    let mut all = Effective::default();
    for (at, (name, EffectiveValue { value, origin, configured })) in out.iter().enumerate() {
        if at == base.of_hypervisor {
            for id in keyless.drain(..) {
                let known = id.known();
                if let (Some(name), Some(value)) = (known.name(hypervisor), session.value(id)) {
                    all.set(name, value, Origin::Annotation(Cow::Borrowed(known.key)));
                }
            }
        }
        all.set(name.clone(), value.clone(), origin.clone());
        if let Some(configured) = configured {
            all.add_to(name, configured.clone());
        }
    }
    all
}

/// The key that an annotation decides beside its own.
fn also_set(id: Id) -> Option<&'static str> {
    match id {
        Id::NumaMapping => Some("enable_numa"),
        Id::ColdPlugVfio => Some("hot_plug_vfio"),
        Id::HotPlugVfio => Some("cold_plug_vfio"),
        _ => None,
    }
}

/// What only the shim knows: no pod changes it.
fn beside_the_sandbox(loaded: &Loaded, out: &mut Effective) {
    let runtime = &loaded.configuration.runtime;
    let factory = &runtime.factory_config;
    let netmon = &runtime.netmon;
    let values: [(&'static str, Json); 16] = [
        ("runtime.enable_debug", runtime.debug.into()),
        ("runtime.enable_tracing", runtime.trace.into()),
        ("runtime.jaeger_endpoint", runtime.jaeger_endpoint.as_str().into()),
        ("runtime.jaeger_user", runtime.jaeger_user.as_str().into()),
        ("runtime.jaeger_password", hidden(&runtime.jaeger_password).into()),
        ("runtime.experimental", json!(runtime.experimental)),
        ("runtime.disable_guest_empty_dir", runtime.disable_guest_empty_dir.into()),
        ("runtime.dan_conf", runtime.dan_config.as_str().into()),
        ("runtime.pod_resource_api_sock", runtime.pod_resource_api_sock.as_str().into()),
        ("factory.enable_template", factory.template.into()),
        ("factory.template_path", factory.template_path.as_str().into()),
        ("factory.vm_cache_number", factory.vm_cache_number.into()),
        ("factory.vm_cache_endpoint", factory.vm_cache_endpoint.as_str().into()),
        ("netmon.path", netmon.path.as_str().into()),
        ("netmon.enable_debug", netmon.debug.into()),
        ("netmon.enable_netmon", netmon.enable.into()),
    ];
    let read = |name: &str| {
        let known = name.split_once('.').and_then(|(table, key)| catalog::config_key(table, key));
        known.is_some_and(|key| key.reader(runtime.release).is_some())
    };
    for (key, value) in values.into_iter().filter(|(key, _)| read(key)) {
        let place = loaded.configuration.places.get(key).cloned();
        out.set(key, value, place.map_or(Origin::Default, Origin::File));
    }
}

/// Where the value of a key came from; `by`: the annotation that set it.
fn origin(loaded: &Loaded, config: &SandboxConfig, key: &Key, by: Option<&'static str>) -> Origin {
    let of_hypervisor = key.section == Section::Hypervisor;
    if of_hypervisor
        && config.static_resource_mgmt
        && let Some(rule) = sizing_rule(config, key.field)
    {
        return Origin::Derived(Cow::Borrowed(rule));
    }
    if let Some(annotation) = by {
        return Origin::Annotation(Cow::Borrowed(annotation));
    }
    if of_hypervisor && let Some(rule) = rule(loaded, config.hypervisor_type, key.field) {
        return Origin::Derived(Cow::Borrowed(rule));
    }
    if !key.read_for(config.hypervisor_type) {
        return Origin::Default;
    }
    let places = &loaded.configuration.places;
    let place = match key.section {
        Section::Agent => places.get(&format!("agent.{}.{}", loaded.configuration.agent_table, key.field)),
        _ => places.get(key.name.under(config.hypervisor_type)),
    };
    place.cloned().map_or(Origin::Default, Origin::File)
}

/// What static sizing made of a key, whatever was there.
fn sizing_rule(config: &SandboxConfig, field: &str) -> Option<&'static str> {
    let resources = &config.sandbox_resources;
    match field {
        "default_maxvcpus" => Some("static sizing: the vCPUs at boot"),
        "default_vcpus" if resources.workload_cpus != 0.0 => {
            Some("static sizing: default plus the pod's CPU limit")
        }
        "default_memory" if resources.workload_mem_mb != 0 => {
            Some("static sizing: default plus the pod's memory limit")
        }
        _ => None,
    }
}

/// The rule that replaced what the file says (or does not say).
fn rule(loaded: &Loaded, kind: HypervisorType, key: &str) -> Option<&'static str> {
    let asked = &loaded.configuration.asked;
    let held = &loaded.configuration.runtime.hypervisor_config;
    if kind == HypervisorType::Remote {
        return match key {
            "shared_fs" => Some("remote never shares a file system"),
            "block_device_driver" => Some("remote has no block devices"),
            "kernel_params" => Some("the runtime's own parameters"),
            _ => None,
        };
    }
    let cut = "lowered to the most that is taken";
    match key {
        "default_vcpus" if asked.default_vcpus.0 != 0.0 && asked.default_vcpus.0 != held.num_vcpus_f => {
            Some("set to the host's CPUs")
        }
        "default_maxvcpus" if asked.default_maxvcpus != held.default_max_vcpus => {
            Some("set to the host's CPUs")
        }
        "default_memory" if asked.default_memory != 0 && asked.default_memory != held.memory_size => {
            Some("below 256 MiB: replaced by the built-in 2048")
        }
        "default_maxmemory" if asked.default_maxmemory != held.default_max_memory_size => {
            (held.default_max_memory_size != 0).then_some("set to the host's memory")
        }
        "default_bridges" if asked.default_bridges > held.default_bridges && held.default_bridges != 0 => {
            Some(cut)
        }
        "hypervisor_loglevel"
            if asked.hypervisor_loglevel > held.hypervisor_loglevel && held.hypervisor_loglevel != 0 =>
        {
            Some(cut)
        }
        "pcie_root_port" if asked.pcie_root_port > held.pcie_root_port => Some(cut),
        "pcie_switch_port" if asked.pcie_switch_port > 16 => Some(cut),
        "disable_image_nvdimm" if held.disable_image_nvdimm && !asked.disable_image_nvdimm => {
            Some("this machine type or firmware has no NVDIMM")
        }
        "disable_vhost_net" if held.disable_vhost_net && kind != HypervisorType::Qemu => {
            Some("always, on this hypervisor")
        }
        "disable_guest_selinux" if kind == HypervisorType::Firecracker => Some("always, on this hypervisor"),
        "kernel_params" if asked.kernel_params.is_empty() && !held.kernel_params.is_empty() => {
            Some("the runtime's own parameters")
        }
        _ => None,
    }
}
