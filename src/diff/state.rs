//! What the runtime itself wrote of a sandbox that runs, beside the effective values that are predicted for it.
//!
//! Decides which key of the configuration a field is; what has no key, and what only exists at run time, is left out.
//! Facts: `persist.json` of the Go runtime (src/runtime/virtcontainers/persist/api/config.go and persist.go) and
//! `state.json` of runtime-rs (src/runtime-rs/crates/persist and the hypervisor's table as it serializes it).

use serde_json::{Map, Value as Json};

use super::running::{Compared, EARLIER, Verdict, row};
use crate::answer::effective::Effective;
use crate::answer::launch::Cause;

/// The Go runtime's fields of a hypervisor, by the keys of the configuration.
const GO: &[(&str, &str)] = &[
    ("KernelPath", "kernel"),
    ("ImagePath", "image"),
    ("InitrdPath", "initrd"),
    ("FirmwarePath", "firmware"),
    ("MachineAccelerators", "machine_accelerators"),
    ("CPUFeatures", "cpu_features"),
    ("HypervisorPath", "path"),
    ("JailerPath", "jailer_path"),
    ("BlockDeviceDriver", "block_device_driver"),
    ("HypervisorMachineType", "machine_type"),
    ("EntropySource", "entropy_source"),
    ("SharedFS", "shared_fs"),
    ("VirtioFSDaemon", "virtio_fs_daemon"),
    ("VirtioFSCache", "virtio_fs_cache"),
    ("VirtioFSCacheSize", "virtio_fs_cache_size"),
    ("VirtioFSExtraArgs", "virtio_fs_extra_args"),
    ("VhostUserStorePath", "vhost_user_store_path"),
    ("GuestHookPath", "guest_hook_path"),
    ("HypervisorPathList", "valid_hypervisor_paths"),
    ("JailerPathList", "valid_jailer_paths"),
    ("EntropySourceList", "valid_entropy_sources"),
    ("VirtioFSDaemonList", "valid_virtio_fs_daemon_paths"),
    ("VhostUserStorePathList", "valid_vhost_user_store_paths"),
    ("EnableAnnotations", "enable_annotations"),
    ("MemOffset", "memory_offset"),
    ("RxRateLimiterMaxRate", "rx_rate_limiter_max_rate"),
    ("TxRateLimiterMaxRate", "tx_rate_limiter_max_rate"),
    ("NumVCPUsF", "default_vcpus"),
    ("DefaultMaxVCPUs", "default_maxvcpus"),
    ("MemorySize", "default_memory"),
    ("DefaultBridges", "default_bridges"),
    ("MemSlots", "memory_slots"),
    ("BlockDeviceCacheSet", "block_device_cache_set"),
    ("BlockDeviceCacheDirect", "block_device_cache_direct"),
    ("BlockDeviceCacheNoflush", "block_device_cache_noflush"),
    ("DisableBlockDeviceUse", "disable_block_device_use"),
    ("EnableIOThreads", "enable_iothreads"),
    ("IndepIOThreads", "indep_iothreads"),
    ("Debug", "enable_debug"),
    ("MemPrealloc", "enable_mem_prealloc"),
    ("HugePages", "enable_hugepages"),
    ("VirtioMem", "enable_virtio_mem"),
    ("DisableNestingChecks", "disable_nesting_checks"),
    ("DisableImageNvdimm", "disable_image_nvdimm"),
    ("DisableVhostNet", "disable_vhost_net"),
    ("EnableVhostUserStore", "enable_vhost_user_store"),
];

/// The Go runtime's own fields.
const GO_RUNTIME: &[(&str, &str)] = &[
    ("SandboxCgroupOnly", "runtime.sandbox_cgroup_only"),
    ("DisableGuestSeccomp", "runtime.disable_guest_seccomp"),
    ("EnableVCPUsPinning", "runtime.enable_vcpus_pinning"),
];

/// Of runtime-rs: what the start adds to, or stands otherwise in the file.
const RS_MADE: &[&str] = &["kernel_params", "rootless_user", "seccomp_sandbox", "selinux_label"];

/// Holds a state file against the effective values; `None` where it is none.
pub fn of_effective(effective: &Effective, state: &Json) -> Option<Vec<Compared>> {
    let table = effective.iter().find_map(|(key, _)| {
        let (table, _) = key.strip_prefix("hypervisor.")?.split_once('.')?;
        Some(format!("hypervisor.{table}"))
    })?;
    let mut rows = Vec::new();
    if let Some(config) = state.pointer("/hypervisor/config").and_then(Json::as_object) {
        for (key, value) in config.iter().filter(|(key, _)| !RS_MADE.contains(&key.as_str())) {
            rows.extend(compared("state.json", effective, format!("{table}.{key}"), value));
        }
        return Some(rows);
    }
    let config = state.get("Config")?;
    let held = config.get("HypervisorConfig").and_then(Json::as_object)?;
    let mut of = |fields: &[(&str, &str)], held: &Map<String, Json>, prefix: &str| {
        for (field, key) in fields {
            if let Some(value) = held.get(*field) {
                rows.extend(compared("persist.json", effective, format!("{prefix}{key}"), value));
            }
        }
    };
    of(GO, held, &format!("{table}."));
    if let Some(config) = config.as_object() {
        of(GO_RUNTIME, config, "");
    }
    Some(rows)
}

fn compared(of: &str, effective: &Effective, key: String, value: &Json) -> Option<Compared> {
    let predicted = &effective.get(&key)?.value;
    let verdict = if same(predicted, value) { Verdict::Equal } else { Verdict::Different };
    let side = |value: &Json| Some(format!("{key} = {value}"));
    let probably = verdict.differs().then(|| EARLIER.to_owned());
    Some(row(of, verdict, side(predicted), side(value), Cause::key(key.clone()), probably))
}

/// Whether two values are one: numbers to the precision of the runtimes, and nothing in whatever form.
fn same(predicted: &Json, held: &Json) -> bool {
    let nothing = |value: &Json| match value {
        Json::Null => true,
        Json::String(text) => text.is_empty() || text == "no-port",
        Json::Array(items) => items.is_empty(),
        _ => false,
    };
    if predicted == held || nothing(predicted) && nothing(held) {
        return true;
    }
    match (predicted.as_f64(), held.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-6,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_nothing_have_several_forms() {
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        assert!(same(&json("1.7"), &json("1.7000000476837158")) && same(&json("1"), &json("1.0")));
        assert!(same(&json("[]"), &json("null")) && same(&json("\"no-port\""), &json("\"\"")));
        assert!(!same(&json("2048"), &json("4096")) && !same(&json("true"), &json("false")));
    }
}
