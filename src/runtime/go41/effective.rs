//! Every key with the value that holds for one sandbox, and where that value came from.
//!
//! Decides which keys a hypervisor reads at all, and names clamps and rules. The values are those that
//! the runtime holds once annotations and sizing are through, before its last checks fill zeros. Facts:
//! src/runtime/pkg/katautils/config.go and src/runtime/pkg/oci/utils.go at 4.1.0.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use super::annotations::known::{Id, KNOWN, Section};
use super::annotations::session::Session;
use super::config::{GuestExtensionImage, HypervisorConfig, HypervisorType, SandboxConfig};
use super::kernel_params;
use super::{AGENT_TABLE, Loaded};
use crate::runtime::value::{Effective, Origin};
use crate::runtime::verdict::Status;

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

fn list<T: AsRef<[String]> + ?Sized>(items: &T) -> Json {
    Json::from(items.as_ref())
}

fn extension_images(images: &[GuestExtensionImage]) -> Json {
    let one =
        |i: &GuestExtensionImage| json!({"name": i.name, "path": i.path, "verity_params": i.verity_params});
    Json::Array(images.iter().map(one).collect())
}

macro_rules! keys {
    ($list:ident, $read:ident, |$h:ident: &$of:ty| $($key:literal, $readers:literal => $value:expr;)*) => {
        /// The keys, with the hypervisors whose loader takes them from the file.
        const $list: &[(&str, &str)] = &[$(($key, $readers)),*];

        fn $read($h: &$of, key: &str) -> Option<Json> {
            Some(match key {
                $($key => Json::from($value),)*
                _ => return None,
            })
        }
    };
}

keys! {
    HYPERVISOR_KEYS, hypervisor_value, |h: &HypervisorConfig|
    "path", "FQCS" => h.hypervisor_path.as_str();
    "jailer_path", "F" => h.jailer_path.as_str();
    "kernel", "FQCDS" => h.kernel_asset_path();
    "initrd", "FQCS" => h.initrd_asset_path();
    "image", "FQCDS" => h.image_asset_path();
    "rootfs_type", "FQCDS" => h.rootfs_type.as_str();
    "firmware", "FQC" => h.firmware_asset_path();
    "firmware_volume", "Q" => h.firmware_volume_asset_path();
    "machine_accelerators", "QC" => h.machine_accelerators.as_str();
    "cpu_features", "Q" => h.cpu_features.as_str();
    "kernel_params", "FQCDS" => kernel_params::line(&h.kernel_params);
    "kernel_verity_params", "FQCDS" => h.kernel_verity_params.as_str();
    "machine_type", "QCSR" => h.hypervisor_machine_type.as_str();
    "tdx_quote_generation_service_socket_port", "Q" => h.qgs_port;
    "block_device_driver", "FQCS" => h.block_device_driver.as_str();
    "entropy_source", "FQCDS" => h.entropy_source.as_str();
    "shared_fs", "QCS" => h.shared_fs.as_str();
    "virtio_fs_daemon", "QCS" => h.virtio_fs_daemon.as_str();
    "virtio_fs_cache", "QCS" => h.virtio_fs_cache.as_str();
    "vhost_user_store_path", "Q" => h.vhost_user_store_path.as_str();
    "guest_hook_path", "FQCSR" => h.guest_hook_path.as_str();
    "guest_memory_dump_path", "Q" => h.guest_memory_dump_path.as_str();
    "seccompsandbox", "Q" => h.seccomp_sandbox.as_str();
    "block_device_aio", "Q" => h.block_device_aio.as_str();
    "remote_hypervisor_socket", "R" => h.remote_hypervisor_socket.as_str();
    "snp_id_block", "Q" => h.snp_id_block.as_str();
    "snp_id_auth", "Q" => h.snp_id_auth.as_str();
    "snp_guest_policy", "Q" => h.snp_guest_policy;
    "measurement_algo", "QC" => h.measurement_algo.as_str();
    "valid_hypervisor_paths", "FQCS" => list(&h.hypervisor_path_list);
    "valid_jailer_paths", "F" => list(&h.jailer_path_list);
    "valid_virtio_fs_daemon_paths", "QCS" => list(&h.virtio_fs_daemon_list);
    "virtio_fs_extra_args", "QCS" => list(&h.virtio_fs_extra_args);
    "pflashes", "Q" => list(&h.pflash);
    "valid_vhost_user_store_paths", "Q" => list(&h.vhost_user_store_path_list);
    "valid_entropy_sources", "FQC" => list(&h.entropy_source_list);
    "enable_annotations", "FQCSR" => list(&h.enable_annotations);
    "rx_rate_limiter_max_rate", "FQ" => h.rx_rate_limiter_max_rate;
    "tx_rate_limiter_max_rate", "FQ" => h.tx_rate_limiter_max_rate;
    "memory_offset", "QCS" => h.mem_offset;
    "default_maxmemory", "FQCS" => h.default_max_memory_size;
    "disk_rate_limiter_bw_max_rate", "C" => h.disk_rate_limiter_bw_max_rate;
    "disk_rate_limiter_bw_one_time_burst", "C" => h.disk_rate_limiter_bw_one_time_burst;
    "disk_rate_limiter_ops_max_rate", "C" => h.disk_rate_limiter_ops_max_rate;
    "disk_rate_limiter_ops_one_time_burst", "C" => h.disk_rate_limiter_ops_one_time_burst;
    "net_rate_limiter_bw_max_rate", "C" => h.net_rate_limiter_bw_max_rate;
    "net_rate_limiter_bw_one_time_burst", "C" => h.net_rate_limiter_bw_one_time_burst;
    "net_rate_limiter_ops_max_rate", "C" => h.net_rate_limiter_ops_max_rate;
    "net_rate_limiter_ops_one_time_burst", "C" => h.net_rate_limiter_ops_one_time_burst;
    "hypervisor_loglevel", "QCS" => h.hypervisor_loglevel;
    "virtio_fs_cache_size", "QCS" => h.virtio_fs_cache_size;
    "virtio_fs_queue_size", "Q" => h.virtio_fs_queue_size;
    "default_maxvcpus", "FQCDS" => h.default_max_vcpus;
    "default_memory", "FQCDS" => h.memory_size;
    "memory_slots", "FQCDS" => h.mem_slots;
    "default_bridges", "FQCS" => h.default_bridges;
    "msize_9p", "QC" => h.msize9p;
    "remote_hypervisor_timeout", "R" => h.remote_hypervisor_timeout;
    "default_vcpus", "FQCDS" => float(h.num_vcpus_f);
    "block_device_cache_set", "QC" => h.block_device_cache_set;
    "block_device_cache_direct", "QC" => h.block_device_cache_direct;
    "block_device_cache_noflush", "Q" => h.block_device_cache_noflush;
    "block_device_logical_sector_size", "QS" => h.block_device_logical_sector_size;
    "block_device_physical_sector_size", "QS" => h.block_device_physical_sector_size;
    "enable_vhost_user_store", "Q" => h.enable_vhost_user_store;
    "vhost_user_reconnect_timeout_sec", "Q" => h.vhost_user_device_reconnect;
    "disable_block_device_use", "QCS" => h.disable_block_device_use;
    "enable_mem_prealloc", "QC" => h.mem_prealloc;
    "reclaim_guest_freed_memory", "QC" => h.reclaim_guest_freed_memory;
    "enable_hugepages", "FQCS" => h.huge_pages;
    "enable_virtio_mem", "QC" => h.virtio_mem;
    "enable_iommu", "Q" => h.iommu;
    "enable_iommu_platform", "Q" => h.iommu_platform;
    "enable_numa", "Q" => !h.guest_numa_nodes.is_empty();
    "numa_mapping", "Q" => list(&h.numa_mapping);
    "enable_debug", "FQCDS" => h.debug;
    "disable_nesting_checks", "FQCS" => h.disable_nesting_checks;
    "enable_iothreads", "FQC" => h.enable_iothreads;
    "indep_iothreads", "FQC" => h.indep_iothreads;
    "disable_image_nvdimm", "QC" => h.disable_image_nvdimm;
    "hot_plug_vfio", "QC" => h.hot_plug_vfio.as_str();
    "cold_plug_vfio", "QC" => h.cold_plug_vfio.as_str();
    "pcie_root_port", "QC" => h.pcie_root_port;
    "pcie_switch_port", "QC" => h.pcie_switch_port;
    "disable_vhost_net", "Q" => h.disable_vhost_net;
    "guest_memory_dump_paging", "Q" => h.guest_memory_dump_paging;
    "confidential_guest", "QC" => h.confidential_guest;
    "sev_snp_guest", "Q" => h.sev_snp_guest;
    "enable_guest_swap", "Q" => h.guest_swap;
    "rootless", "QC" => h.rootless;
    "disable_seccomp", "CS" => h.disable_seccomp;
    "disable_selinux", "FQCS" => h.disable_selinux;
    "disable_guest_selinux", "QCS" => h.disable_guest_selinux;
    "use_legacy_serial", "Q" => h.legacy_serial;
    "extra_monitor_socket", "Q" => h.extra_monitor_socket.as_str();
    "guest_extension_images", "Q" => extension_images(&h.guest_extension_images);
    "default_gpus", "" => h.default_gpus;
    "default_gpu_model", "" => h.default_gpu_model.as_str();
    "cc_init_data", "" => h.initdata.as_str();
    "epc", "" => h.sgx_epc_size;
}

keys! {
    AGENT_KEYS, agent_value, |c: &SandboxConfig|
    "kernel_modules", "" => list(&c.agent_config.kernel_modules);
    "enable_debug", "" => c.agent_config.debug;
    "enable_tracing", "" => c.agent_config.trace;
    "debug_console_enabled", "" => c.agent_config.enable_debug_console;
    "dial_timeout", "" => c.agent_config.dial_timeout;
    "cdh_api_timeout", "" => c.agent_config.cdh_api_timeout;
    "launch_process_timeout", "" => c.agent_config.launch_process_timeout;
    "visible_cdi_devices", "" => c.agent_config.visible_cdi_devices;
    "container_pipe_size", "" => c.agent_config.container_pipe_size;
    "policy", "" => c.agent_config.policy.as_str();
}

keys! {
    RUNTIME_KEYS, runtime_value, |c: &SandboxConfig|
    "internetworking_model", "" => c.network_config.interworking_model.as_str();
    "vfio_mode", "" => c.vfio_mode.as_str();
    "guest_selinux_label", "" => c.guest_selinux_label.as_str();
    "sandbox_bind_mounts", "" => list(&c.sandbox_bind_mounts);
    "disable_new_netns", "" => c.network_config.disable_new_network;
    "disable_guest_seccomp", "" => c.disable_guest_seccomp;
    "enable_vcpus_pinning", "" => c.enable_vcpus_pinning;
    "sandbox_cgroup_only", "" => c.sandbox_cgroup_only;
    "static_sandbox_resource_mgmt", "" => c.static_resource_mgmt;
    "emptydir_mode", "" => c.empty_dir_mode.as_str();
    "create_container_timeout", "" => c.create_container_timeout;
    "experimental_force_guest_pull", "" => c.force_guest_pull;
    "enable_pprof", "" => c.enable_pprof;
    "kubelet_root_dir", "" => c.kubelet_root_dir.as_str();
}

fn letter(kind: HypervisorType) -> char {
    match kind {
        HypervisorType::Firecracker => 'F',
        HypervisorType::Qemu => 'Q',
        HypervisorType::Clh => 'C',
        HypervisorType::Dragonball => 'D',
        HypervisorType::Stratovirt => 'S',
        HypervisorType::Remote => 'R',
    }
}

/// The value of one key.
pub(super) fn value(config: &SandboxConfig, section: Section, key: &str) -> Option<Json> {
    match section {
        Section::Hypervisor => hypervisor_value(&config.hypervisor_config, key),
        Section::Agent => agent_value(config, key),
        Section::Runtime => runtime_value(config, key),
        Section::Nowhere => None,
    }
}

/// The annotation that decided a key, if one did.
fn annotation(session: &Session<'_>, section: Section, key: &str) -> Option<&'static str> {
    let mut found = None;
    for (id, mark) in &session.marks {
        let known = id.known();
        let names = known.section == section
            && (known.field == key || (key == "enable_numa" && *id == Id::NumaMapping));
        if names && mark.status == Status::Applied {
            found = Some(known.key);
        }
    }
    let plugs = [("hot_plug_vfio", Id::ColdPlugVfio), ("cold_plug_vfio", Id::HotPlugVfio)];
    let by_other =
        plugs.iter().find(|(name, _)| found.is_none() && section == Section::Hypervisor && *name == key);
    let (_, other) = by_other.filter(|(_, id)| session.value(*id).is_some()).copied().unzip();
    found.or_else(|| other.map(|id: Id| id.known().key))
}

/// Which of the hypervisor's keys an annotation can set.
fn settable() -> &'static [bool] {
    static SETTABLE: OnceLock<Vec<bool>> = OnceLock::new();
    let by_annotation = |key: &str| KNOWN.iter().any(|k| k.section == Section::Hypervisor && k.field == key);
    SETTABLE.get_or_init(|| HYPERVISOR_KEYS.iter().map(|(key, _)| by_annotation(key)).collect())
}

/// Everything that holds for this sandbox.
pub(super) fn effective(loaded: &Loaded, session: &Session<'_>) -> Effective {
    let mut out = Effective::default();
    let config = &session.config;
    let mark = letter(config.hypervisor_type);
    for ((key, readers), settable) in HYPERVISOR_KEYS.iter().zip(settable()) {
        let from_file = readers.contains(mark);
        if !from_file && !*settable {
            continue;
        }
        if let Some(value) = hypervisor_value(&config.hypervisor_config, key) {
            let name = format!("{}.{key}", loaded.table);
            let origin = origin(loaded, session, Section::Hypervisor, key, &name, from_file);
            out.set(name, value, origin);
        }
    }
    for (id, mark) in &session.marks {
        let known = id.known();
        let is_new = known.section == Section::Hypervisor
            && mark.status == Status::Applied
            && !HYPERVISOR_KEYS.iter().any(|(key, _)| *key == known.field);
        if is_new && let Some(value) = session.value(*id) {
            let name = format!("{}.{}", loaded.table, known.field);
            out.set(name, value, Origin::Annotation(Cow::Borrowed(known.key)));
        }
    }
    for (key, _) in AGENT_KEYS {
        if let Some(value) = agent_value(config, key) {
            let written = format!("agent.{}.{key}", loaded.configuration.agent_table);
            let origin = origin(loaded, session, Section::Agent, key, &written, true);
            out.set(format!("{AGENT_TABLE}.{key}"), value, origin);
        }
    }
    for (key, _) in RUNTIME_KEYS {
        if let Some(value) = runtime_value(config, key) {
            let name = format!("runtime.{key}");
            let origin = origin(loaded, session, Section::Runtime, key, &name, true);
            out.set(name, value, origin);
        }
    }
    beside_the_sandbox(loaded, &mut out);
    out
}

/// What only the shim knows: no pod changes it.
fn beside_the_sandbox(loaded: &Loaded, out: &mut Effective) {
    let runtime = &loaded.configuration.runtime;
    let factory = &runtime.factory_config;
    let none: [&str; 0] = [];
    // Reports get around; a password should not.
    let hidden = if runtime.jaeger_password.is_empty() { "" } else { "(hidden)" };
    let values: [(&'static str, Json); 13] = [
        ("runtime.enable_debug", runtime.debug.into()),
        ("runtime.enable_tracing", runtime.trace.into()),
        ("runtime.jaeger_endpoint", runtime.jaeger_endpoint.as_str().into()),
        ("runtime.jaeger_user", runtime.jaeger_user.as_str().into()),
        ("runtime.jaeger_password", hidden.into()),
        ("runtime.experimental", json!(none)),
        ("runtime.disable_guest_empty_dir", runtime.disable_guest_empty_dir.into()),
        ("runtime.dan_conf", runtime.dan_config.as_str().into()),
        ("runtime.pod_resource_api_sock", runtime.pod_resource_api_sock.as_str().into()),
        ("factory.enable_template", factory.template.into()),
        ("factory.template_path", factory.template_path.as_str().into()),
        ("factory.vm_cache_number", factory.vm_cache_number.into()),
        ("factory.vm_cache_endpoint", factory.vm_cache_endpoint.as_str().into()),
    ];
    for (key, value) in values {
        let place = loaded.configuration.places.get(key).cloned();
        out.set(key, value, place.map_or(Origin::Default, Origin::File));
    }
}

fn origin(
    loaded: &Loaded,
    session: &Session<'_>,
    section: Section,
    key: &str,
    name: &str,
    from_file: bool,
) -> Origin {
    let sized = section == Section::Hypervisor && session.config.static_resource_mgmt;
    let resources = &session.config.sandbox_resources;
    match key {
        "default_maxvcpus" if sized => {
            return Origin::Derived(Cow::Borrowed("static sizing: the vCPUs at boot"));
        }
        "default_vcpus" if sized && resources.workload_cpus != 0.0 => {
            return Origin::Derived(Cow::Borrowed("static sizing: default plus the pod's CPU limit"));
        }
        "default_memory" if sized && resources.workload_mem_mb != 0 => {
            return Origin::Derived(Cow::Borrowed("static sizing: default plus the pod's memory limit"));
        }
        _ => {}
    }
    if let Some(annotation) = annotation(session, section, key) {
        return Origin::Annotation(Cow::Borrowed(annotation));
    }
    if section == Section::Hypervisor
        && let Some(rule) = rule(loaded, session, key)
    {
        return Origin::Derived(Cow::Borrowed(rule));
    }
    let place = loaded.configuration.places.get(name).filter(|_| from_file);
    place.cloned().map_or(Origin::Default, Origin::File)
}

/// The rule that replaced what the file says (or does not say).
fn rule(loaded: &Loaded, session: &Session<'_>, key: &str) -> Option<&'static str> {
    let asked = &loaded.configuration.asked;
    let held = &loaded.configuration.runtime.hypervisor_config;
    let kind = session.config.hypervisor_type;
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
        "default_vcpus" if asked.default_vcpus != 0.0 && asked.default_vcpus != held.num_vcpus_f => {
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
        "pcie_root_port" if asked.pcie_root_port > 16 => Some(cut),
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
