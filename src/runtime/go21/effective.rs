//! The keys of `configuration.toml` that this release reads, and the value each comes to for one sandbox.
//!
//! Decides which keys a hypervisor reads at all, and where a value came from. The values are those that
//! the runtime holds once annotations are through. Facts: src/runtime/pkg/katautils/config.go and
//! src/runtime/virtcontainers/pkg/oci/utils.go at 2.1.0.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::Loaded;
use super::config::{Asset, HypervisorType, List, Param, SandboxConfig};
use crate::runtime::value::{Effective, Origin, hidden};

/// The table that a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Hypervisor,
    Agent,
    Runtime,
    Factory,
    Netmon,
}

/// A key of the file.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) part: Part,
    pub(super) key: &'static str,
    /// The whole name, for each hypervisor.
    names: [&'static str; 4],
    /// The hypervisors that the key is read for, by their first letters.
    readers: &'static str,
    pub(super) value: fn(&SandboxConfig<'_>) -> Json,
}

impl Key {
    /// The whole name under the active hypervisor.
    pub(super) fn name(&self, hypervisor: HypervisorType) -> &'static str {
        let [qemu, clh, firecracker, acrn] = self.names;
        match hypervisor {
            HypervisorType::Qemu => qemu,
            HypervisorType::Clh => clh,
            HypervisorType::Firecracker => firecracker,
            HypervisorType::Acrn => acrn,
        }
    }

    fn read_for(&self, hypervisor: HypervisorType) -> bool {
        self.readers.contains(hypervisor.as_str().get(..1).unwrap_or_default())
    }
}

/// The key of a table.
pub(super) fn key(part: Part, key: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.part == part && k.key == key)
}

/// Kernel parameters as they are written.
pub(super) fn params_text(params: &[Param<Cow<'_, str>>]) -> String {
    let length = params.iter().map(|p| p.key.len() + p.value.len() + 2).sum();
    let mut line = String::with_capacity(length);
    for (i, Param { key, value }) in params.iter().enumerate() {
        if i > 0 {
            line.push(' ');
        }
        line.push_str(key);
        if !value.is_empty() {
            line.push('=');
            line.push_str(value);
        }
    }
    line
}

macro_rules! names {
    (Hypervisor $key:literal) => {
        [
            concat!("hypervisor.qemu.", $key),
            concat!("hypervisor.clh.", $key),
            concat!("hypervisor.firecracker.", $key),
            concat!("hypervisor.acrn.", $key),
        ]
    };
    (Agent $key:literal) => {
        [concat!("agent.kata.", $key); 4]
    };
    (Runtime $key:literal) => {
        [concat!("runtime.", $key); 4]
    };
    (Factory $key:literal) => {
        [concat!("factory.", $key); 4]
    };
    (Netmon $key:literal) => {
        [concat!("netmon.", $key); 4]
    };
}

macro_rules! keys {
    ($($part:ident $key:literal $readers:literal = |$c:ident| $value:expr;)*) => {
        static KEYS: &[Key] = &[$(
            Key {
                part: Part::$part,
                key: $key,
                names: names!($part $key),
                readers: $readers,
                value: |$c| json!($value),
            }
        ),*];
    };
}

keys! {
    Hypervisor "path" "qcfa" = |c| c.hypervisor_config.hypervisor_path;
    Hypervisor "jailer_path" "f" = |c| c.hypervisor_config.jailer_path;
    Hypervisor "ctlpath" "a" = |c| c.hypervisor_config.hypervisor_ctl_path;
    Hypervisor "kernel" "qcfa" = |c| c.asset(Asset::Kernel);
    Hypervisor "initrd" "qcf" = |c| c.asset(Asset::Initrd);
    Hypervisor "image" "qcfa" = |c| c.asset(Asset::Image);
    Hypervisor "firmware" "qcfa" = |c| c.asset(Asset::Firmware);
    Hypervisor "pflashes" "q" = |c| c.hypervisor_config.pflash;
    Hypervisor "machine_type" "qc" = |c| c.hypervisor_config.hypervisor_machine_type;
    Hypervisor "machine_accelerators" "qc" = |c| c.hypervisor_config.machine_accelerators;
    Hypervisor "cpu_features" "q" = |c| c.hypervisor_config.cpu_features;
    Hypervisor "kernel_params" "qcfa" = |c| params_text(&c.hypervisor_config.kernel_params);
    Hypervisor "default_vcpus" "qcfa" = |c| c.hypervisor_config.num_vcpus;
    Hypervisor "default_maxvcpus" "qcfa" = |c| c.hypervisor_config.default_max_vcpus;
    Hypervisor "default_memory" "qcfa" = |c| c.hypervisor_config.memory_size;
    Hypervisor "memory_slots" "qcfa" = |c| c.hypervisor_config.mem_slots;
    Hypervisor "memory_offset" "qc" = |c| c.hypervisor_config.mem_offset;
    Hypervisor "default_bridges" "qcfa" = |c| c.hypervisor_config.default_bridges;
    Hypervisor "enable_virtio_mem" "qc" = |c| c.hypervisor_config.virtio_mem;
    Hypervisor "enable_mem_prealloc" "qc" = |c| c.hypervisor_config.mem_prealloc;
    Hypervisor "enable_hugepages" "qcfa" = |c| c.hypervisor_config.huge_pages;
    Hypervisor "enable_swap" "qcfa" = |c| !c.hypervisor_config.mlock;
    Hypervisor "file_mem_backend" "qc" = |c| c.hypervisor_config.file_backed_mem_root_dir;
    Hypervisor "enable_iommu" "q" = |c| c.hypervisor_config.iommu;
    Hypervisor "enable_iommu_platform" "q" = |c| c.hypervisor_config.iommu_platform;
    Hypervisor "block_device_driver" "qcfa" = |c| c.hypervisor_config.block_device_driver;
    Hypervisor "disable_block_device_use" "qcf" = |c| c.hypervisor_config.disable_block_device_use;
    Hypervisor "block_device_cache_set" "qc" = |c| c.hypervisor_config.block_device_cache_set;
    Hypervisor "block_device_cache_direct" "qc" = |c| c.hypervisor_config.block_device_cache_direct;
    Hypervisor "block_device_cache_noflush" "qc" = |c| c.hypervisor_config.block_device_cache_noflush;
    Hypervisor "enable_iothreads" "qcf" = |c| c.hypervisor_config.enable_iothreads;
    Hypervisor "shared_fs" "qc" = |c| c.hypervisor_config.shared_fs;
    Hypervisor "virtio_fs_daemon" "qc" = |c| c.hypervisor_config.virtio_fs_daemon;
    Hypervisor "virtio_fs_cache" "qc" = |c| c.hypervisor_config.virtio_fs_cache;
    Hypervisor "virtio_fs_cache_size" "qc" = |c| c.hypervisor_config.virtio_fs_cache_size;
    Hypervisor "virtio_fs_extra_args" "qc" = |c| c.hypervisor_config.virtio_fs_extra_args;
    Hypervisor "msize_9p" "qc" = |c| c.hypervisor_config.msize9p;
    Hypervisor "hotplug_vfio_on_root_bus" "qc" = |c| c.hypervisor_config.hotplug_vfio_on_root_bus;
    Hypervisor "pcie_root_port" "qc" = |c| c.hypervisor_config.pcie_root_port;
    Hypervisor "disable_vhost_net" "qcfa" = |c| c.hypervisor_config.disable_vhost_net;
    Hypervisor "enable_vhost_user_store" "q" = |c| c.hypervisor_config.enable_vhost_user_store;
    Hypervisor "vhost_user_store_path" "q" = |c| c.hypervisor_config.vhost_user_store_path;
    Hypervisor "disable_image_nvdimm" "q" = |c| c.hypervisor_config.disable_image_nvdimm;
    Hypervisor "disable_nesting_checks" "qcfa" = |c| c.hypervisor_config.disable_nesting_checks;
    Hypervisor "entropy_source" "qcfa" = |c| c.hypervisor_config.entropy_source;
    Hypervisor "guest_hook_path" "qcfa" = |c| c.hypervisor_config.guest_hook_path;
    Hypervisor "guest_memory_dump_path" "q" = |c| c.hypervisor_config.guest_memory_dump_path;
    Hypervisor "guest_memory_dump_paging" "q" = |c| c.hypervisor_config.guest_memory_dump_paging;
    Hypervisor "rx_rate_limiter_max_rate" "qf" = |c| c.hypervisor_config.rx_rate_limiter_max_rate;
    Hypervisor "tx_rate_limiter_max_rate" "qf" = |c| c.hypervisor_config.tx_rate_limiter_max_rate;
    Hypervisor "epc" "" = |c| c.hypervisor_config.sgx_epc_size;
    Hypervisor "enable_debug" "qcfa" = |c| c.hypervisor_config.debug;
    Agent "kernel_modules" "qcfa" = |c| c.agent_config.kernel_modules;
    Agent "enable_debug" "qcfa" = |c| c.agent_config.debug;
    Agent "enable_tracing" "qcfa" = |c| c.agent_config.trace;
    Agent "trace_mode" "qcfa" = |c| c.agent_config.trace_mode;
    Agent "trace_type" "qcfa" = |c| c.agent_config.trace_type;
    Agent "debug_console_enabled" "qcfa" = |c| c.agent_config.enable_debug_console;
    Agent "dial_timeout" "qcfa" = |c| c.agent_config.dial_timeout;
    Agent "container_pipe_size" "" = |c| c.agent_config.container_pipe_size;
    Runtime "internetworking_model" "qcfa" = |c| c.interworking_model.as_str();
    Runtime "disable_new_netns" "qcfa" = |c| c.disable_new_netns;
    Runtime "disable_guest_seccomp" "qcfa" = |c| c.disable_guest_seccomp;
    Runtime "sandbox_cgroup_only" "qcfa" = |c| c.sandbox_cgroup_only;
    Runtime "sandbox_bind_mounts" "qcfa" = |c| c.runtime.sandbox_bind_mounts;
    Runtime "experimental" "qcfa" = |c| c.experimental;
    Runtime "enable_debug" "qcfa" = |c| c.runtime.debug;
    Runtime "enable_tracing" "qcfa" = |c| c.runtime.trace;
    Runtime "enable_pprof" "qcfa" = |c| c.enable_pprof;
    Runtime "jaeger_endpoint" "qcfa" = |c| c.runtime.jaeger_endpoint;
    Runtime "jaeger_user" "qcfa" = |c| c.runtime.jaeger_user;
    Runtime "jaeger_password" "qcfa" = |c| hidden(&c.runtime.jaeger_password);
    Factory "enable_template" "qcfa" = |c| c.runtime.factory_config.template;
    Factory "template_path" "qcfa" = |c| c.runtime.factory_config.template_path;
    Factory "vm_cache_number" "qcfa" = |c| c.runtime.factory_config.vm_cache_number;
    Factory "vm_cache_endpoint" "qcfa" = |c| c.runtime.factory_config.vm_cache_endpoint;
    Netmon "path" "qcfa" = |c| c.runtime.netmon_config.path;
    Netmon "enable_debug" "qcfa" = |c| c.runtime.netmon_config.debug;
    Netmon "enable_netmon" "qcfa" = |c| c.runtime.netmon_config.enable;
}

/// The policy lists, spelled out for each hypervisor.
fn list_name(hypervisor: HypervisorType, list: &str) -> String {
    format!("hypervisor.{}.{list}", hypervisor.as_str())
}

/// Every key that is read for the active hypervisor, and those that annotations have set beside them, key
/// by key. `annotated` has the keys that an annotation set, with its whole name.
pub(super) fn key_by_key(
    loaded: &Loaded,
    config: &SandboxConfig<'_>,
    annotated: &[(&'static Key, &str)],
) -> Effective {
    let hypervisor = loaded.config.hypervisor_type;
    let mut effective = Effective::default();
    for key in KEYS {
        let name = key.name(hypervisor);
        let by = annotated.iter().rev().find(|(set, _)| std::ptr::eq(*set, key));
        if by.is_none() && !key.read_for(hypervisor) {
            continue;
        }
        let origin = match by {
            Some((_, annotation)) => Origin::Annotation((*annotation).to_owned().into()),
            None => loaded.origin(key.key, name, key.part == Part::Hypervisor),
        };
        effective.set(name, (key.value)(config), origin);
    }
    let mut list = |key: &str, value: &[String]| {
        let name = list_name(hypervisor, key);
        let origin = loaded.origin("", &name, false);
        effective.set(name, json!(value), origin);
    };
    list("enable_annotations", &loaded.enable_annotations);
    for (which, value) in List::ALL.into_iter().zip(&loaded.lists) {
        if hypervisor.lists().contains(&which) {
            list(which.key(), value);
        }
    }
    effective
}

/// The same, from what holds for a sandbox that no annotation touches.
pub(super) fn effective(
    loaded: &Loaded,
    config: &SandboxConfig<'_>,
    annotated: &[(&'static Key, &str)],
) -> Effective {
    let hypervisor = loaded.config.hypervisor_type;
    if annotated.iter().any(|(key, _)| !key.read_for(hypervisor)) {
        return key_by_key(loaded, config, annotated);
    }
    let mut effective = loaded.unannotated().clone();
    for (key, annotation) in annotated {
        let origin = Origin::Annotation((*annotation).to_owned().into());
        effective.set(key.name(hypervisor), (key.value)(config), origin);
    }
    effective
}
