//! The tables of `configuration.toml` as Go's structs: which keys there are, and what a value of the
//! wrong type is told. Keys are matched without regard to case; unknown ones are passed over.
//!
//! Facts: `tomlConfig` and its parts in src/runtime/pkg/katautils/config.go at 2.1.0, and the `unify`
//! functions of github.com/BurntSushi/toml 0.3.1.

use indexmap::IndexMap;

use crate::runtime::go::toml::early::{Table, Value};

/// Why a value is not taken, with the byte offset of its key.
pub(super) struct Misfit {
    pub(super) message: String,
    pub(super) offset: usize,
}

/// A Go type that a value can be put into.
trait Target {
    fn take(&mut self, value: &Value) -> Result<(), String>;
}

fn misfit(value: &Value, wanted: &str) -> String {
    format!("toml: cannot load TOML value of type {} into a Go {wanted}", value.go_type())
}

impl Target for String {
    fn take(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) => self.clone_from(text),
            other => return Err(misfit(other, "string")),
        }
        Ok(())
    }
}

impl Target for bool {
    fn take(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Boolean(truth) => *self = *truth,
            other => return Err(misfit(other, "boolean")),
        }
        Ok(())
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    match value {
        Value::Integer(number) => Ok(*number),
        other => Err(misfit(other, "integer")),
    }
}

impl Target for u32 {
    fn take(&mut self, value: &Value) -> Result<(), String> {
        let number = integer(value)?;
        *self = number.try_into().map_err(|_| format!("toml: value {number} is out of range for uint32"))?;
        Ok(())
    }
}

impl Target for i32 {
    fn take(&mut self, value: &Value) -> Result<(), String> {
        let number = integer(value)?;
        *self = number.try_into().map_err(|_| format!("toml: value {number} is out of range for int32"))?;
        Ok(())
    }
}

/// `uint` and `uint64`: no bounds are checked, a negative number wraps around.
impl Target for u64 {
    fn take(&mut self, value: &Value) -> Result<(), String> {
        *self = integer(value)?.cast_unsigned();
        Ok(())
    }
}

impl Target for Vec<String> {
    fn take(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => {
                self.clear();
                for item in items {
                    let mut text = String::new();
                    text.take(item)?;
                    self.push(text);
                }
                Ok(())
            }
            // A list of tables is a list too, of the wrong things.
            Value::Tables(all) if all.is_empty() => Ok(()),
            Value::Tables(_) => Err(misfit(&Value::Table(Table::new()), "string")),
            other => Err(misfit(other, "slice")),
        }
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident as $go:literal { $($field:ident: $type:ty = $key:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub(super) struct $name { $(pub(super) $field: $type,)* }

        impl $name {
            fn read(value: &Value, offset: usize) -> Result<Self, Misfit> {
                let Value::Table(table) = value else {
                    let message = format!(
                        "toml: type mismatch for {}: expected table but found {}", $go, value.go_type()
                    );
                    return Err(Misfit { message, offset });
                };
                let mut read = Self::default();
                for (key, entry) in table {
                    let taken = match field_of(&[$($key),*], key) {
                        $(Some($key) => read.$field.take(&entry.value),)*
                        _ => Ok(()),
                    };
                    taken.map_err(|message| Misfit { message, offset: entry.offset })?;
                }
                Ok(read)
            }
        }
    )*};
}

/// The key that a field goes by: spelled the same, else the first that differs in case only.
fn field_of(known: &[&'static str], key: &str) -> Option<&'static str> {
    let exact = known.iter().find(|k| **k == key);
    exact.or_else(|| known.iter().find(|k| k.eq_ignore_ascii_case(key))).copied()
}

tables! {
    /// `[factory]`
    Factory as "katautils.factory" {
        template: bool = "enable_template",
        template_path: String = "template_path",
        vm_cache_number: u64 = "vm_cache_number",
        vm_cache_endpoint: String = "vm_cache_endpoint",
    }
    /// `[hypervisor.<name>]`
    Hypervisor as "katautils.hypervisor" {
        path: String = "path",
        jailer_path: String = "jailer_path",
        kernel: String = "kernel",
        ctlpath: String = "ctlpath",
        initrd: String = "initrd",
        image: String = "image",
        firmware: String = "firmware",
        machine_accelerators: String = "machine_accelerators",
        cpu_features: String = "cpu_features",
        kernel_params: String = "kernel_params",
        machine_type: String = "machine_type",
        block_device_driver: String = "block_device_driver",
        entropy_source: String = "entropy_source",
        shared_fs: String = "shared_fs",
        virtio_fs_daemon: String = "virtio_fs_daemon",
        virtio_fs_cache: String = "virtio_fs_cache",
        vhost_user_store_path: String = "vhost_user_store_path",
        file_mem_backend: String = "file_mem_backend",
        guest_hook_path: String = "guest_hook_path",
        guest_memory_dump_path: String = "guest_memory_dump_path",
        valid_hypervisor_paths: Vec<String> = "valid_hypervisor_paths",
        valid_jailer_paths: Vec<String> = "valid_jailer_paths",
        valid_ctlpaths: Vec<String> = "valid_ctlpaths",
        valid_virtio_fs_daemon_paths: Vec<String> = "valid_virtio_fs_daemon_paths",
        virtio_fs_extra_args: Vec<String> = "virtio_fs_extra_args",
        pflashes: Vec<String> = "pflashes",
        valid_vhost_user_store_paths: Vec<String> = "valid_vhost_user_store_paths",
        valid_file_mem_backends: Vec<String> = "valid_file_mem_backends",
        valid_entropy_sources: Vec<String> = "valid_entropy_sources",
        enable_annotations: Vec<String> = "enable_annotations",
        rx_rate_limiter_max_rate: u64 = "rx_rate_limiter_max_rate",
        tx_rate_limiter_max_rate: u64 = "tx_rate_limiter_max_rate",
        virtio_fs_cache_size: u32 = "virtio_fs_cache_size",
        default_vcpus: i32 = "default_vcpus",
        default_maxvcpus: u32 = "default_maxvcpus",
        default_memory: u32 = "default_memory",
        memory_slots: u32 = "memory_slots",
        memory_offset: u32 = "memory_offset",
        default_bridges: u32 = "default_bridges",
        msize_9p: u32 = "msize_9p",
        pcie_root_port: u32 = "pcie_root_port",
        block_device_cache_set: bool = "block_device_cache_set",
        block_device_cache_direct: bool = "block_device_cache_direct",
        block_device_cache_noflush: bool = "block_device_cache_noflush",
        enable_vhost_user_store: bool = "enable_vhost_user_store",
        disable_block_device_use: bool = "disable_block_device_use",
        enable_mem_prealloc: bool = "enable_mem_prealloc",
        enable_hugepages: bool = "enable_hugepages",
        enable_virtio_mem: bool = "enable_virtio_mem",
        enable_iommu: bool = "enable_iommu",
        enable_iommu_platform: bool = "enable_iommu_platform",
        enable_swap: bool = "enable_swap",
        enable_debug: bool = "enable_debug",
        disable_nesting_checks: bool = "disable_nesting_checks",
        enable_iothreads: bool = "enable_iothreads",
        disable_image_nvdimm: bool = "disable_image_nvdimm",
        hotplug_vfio_on_root_bus: bool = "hotplug_vfio_on_root_bus",
        disable_vhost_net: bool = "disable_vhost_net",
        guest_memory_dump_paging: bool = "guest_memory_dump_paging",
    }
    /// `[runtime]`
    Runtime as "katautils.runtime" {
        internetworking_model: String = "internetworking_model",
        jaeger_endpoint: String = "jaeger_endpoint",
        jaeger_user: String = "jaeger_user",
        jaeger_password: String = "jaeger_password",
        sandbox_bind_mounts: Vec<String> = "sandbox_bind_mounts",
        experimental: Vec<String> = "experimental",
        enable_debug: bool = "enable_debug",
        enable_tracing: bool = "enable_tracing",
        disable_new_netns: bool = "disable_new_netns",
        disable_guest_seccomp: bool = "disable_guest_seccomp",
        sandbox_cgroup_only: bool = "sandbox_cgroup_only",
        enable_pprof: bool = "enable_pprof",
    }
    /// `[agent.<name>]`
    Agent as "katautils.agent" {
        trace_mode: String = "trace_mode",
        trace_type: String = "trace_type",
        kernel_modules: Vec<String> = "kernel_modules",
        enable_debug: bool = "enable_debug",
        enable_tracing: bool = "enable_tracing",
        debug_console_enabled: bool = "debug_console_enabled",
        dial_timeout: u32 = "dial_timeout",
    }
    /// `[netmon]`
    Netmon as "katautils.netmon" {
        path: String = "path",
        enable_debug: bool = "enable_debug",
        enable_netmon: bool = "enable_netmon",
    }
}

/// The whole file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) hypervisor: IndexMap<String, Hypervisor>,
    pub(super) agent: IndexMap<String, Agent>,
    pub(super) runtime: Runtime,
    pub(super) factory: Factory,
    pub(super) netmon: Netmon,
}

impl File {
    /// Fits the tables into the structs. What the document has in another order than Go's maps does not
    /// matter but for which of several misfits is told: Go picks one at random, here it is the first.
    pub(super) fn read(root: &Table) -> Result<Self, Misfit> {
        let mut file = Self::default();
        for (key, entry) in root {
            let known = field_of(&["hypervisor", "agent", "runtime", "factory", "netmon"], key);
            match (known, &entry.value) {
                // Whatever is not a table of tables is passed over without a word.
                (Some("hypervisor"), Value::Table(all)) => {
                    for (name, entry) in all {
                        let table = Hypervisor::read(&entry.value, entry.offset)?;
                        file.hypervisor.insert(name.clone(), table);
                    }
                }
                (Some("agent"), Value::Table(all)) => {
                    for (name, entry) in all {
                        file.agent.insert(name.clone(), Agent::read(&entry.value, entry.offset)?);
                    }
                }
                (Some("runtime"), value) => file.runtime = Runtime::read(value, entry.offset)?,
                (Some("factory"), value) => file.factory = Factory::read(value, entry.offset)?,
                (Some("netmon"), value) => file.netmon = Netmon::read(value, entry.offset)?,
                _ => {}
            }
        }
        Ok(file)
    }
}
