//! The configuration in the end, key by key in the file's own spelling and unit, each with its origin.
//!
//! Facts: the field names and their order of src/libs/kata-types/src/config at each tag.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::annotations::{Attempt, Decision};
use super::config::Config;
use super::load::Read;
use super::spelling;
use crate::answer::effective::{Effective, Origin};
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::placeholder::{GID_TOKEN, UID_TOKEN};

/// One key of a configuration.
type Entry = (String, Json);

/// The keys of the tables in use, in the runtime's own order.
fn flatten(config: &Config, hypervisor: &str, agent: &str) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(192);
    if let Some(table) = config.hypervisor.get(hypervisor) {
        walk(&format!("hypervisor.{hypervisor}"), table, &mut entries);
    }
    if let Some(table) = config.agent.get(agent) {
        walk(&format!("agent.{agent}"), table, &mut entries);
    }
    walk("runtime", &config.runtime, &mut entries);
    entries
}

/// The same under the names of the release's file.
fn keys_in_file(config: &Config, hypervisor: &str, agent: &str) -> Vec<Entry> {
    let entries = flatten(config, hypervisor, agent).into_iter();
    entries.filter_map(|(key, value)| in_file(&key, value, config.release)).collect()
}

/// A key as the file of a release has it, with the value in the file's unit; `None`: it has no such key.
fn in_file(key: &str, value: Json, release: Release) -> Option<Entry> {
    let key = spelling::in_file(key, release)?;
    let value = match value.as_f64() {
        Some(seconds) if key.ends_with(".request_timeout_ms") => ((seconds * 1000.0) as u64).into(),
        Some(number) if key.ends_with(".default_vcpus") && release.has(Change::WholeVcpus) => {
            (number as i64).into()
        }
        _ => value,
    };
    Some((key, value))
}

fn walk(prefix: &str, table: &impl Serialize, entries: &mut Vec<Entry>) {
    if let Ok(Json::Object(map)) = serde_json::to_value(table) {
        push(prefix, map, entries);
    }
}

fn push(prefix: &str, map: serde_json::Map<String, Json>, entries: &mut Vec<Entry>) {
    for (key, value) in map {
        let path = format!("{prefix}.{key}");
        match value {
            Json::Object(inner) => push(&path, inner, entries),
            value => entries.push((path, value)),
        }
    }
}

/// The rule behind a value that loading changed.
fn adjusted(key: &str) -> &'static str {
    match key.rsplit('.').next().unwrap_or(key) {
        "default_maxvcpus" | "default_vcpus" => "limited by the host's CPUs",
        "default_maxmemory" | "default_memory" => "limited by the host's memory",
        "internetworking_model" | "disable_new_netns" => "the remote hypervisor's own network",
        "virtio_fs_is_dax" | "virtio_fs_cache_size" => "a DAX cache size and DAX go together",
        "block_device_driver" | "enable_vhost_user_store" | "memory_offset" => "disable_block_device_use",
        "vhost_user_store_path" => "enable_vhost_user_store decides",
        _ => "adjusted when loading",
    }
}

/// The loaded values with their origins, for one pair of tables: most of them are every pod's. Compares what was
/// read with what loading made of it.
pub fn loaded(read: &Read, hypervisor: &str, agent: &str) -> Effective {
    let raw: IndexMap<String, Json> = keys_in_file(&read.raw, hypervisor, agent).into_iter().collect();
    let place = |key: &str| {
        read.places
            .get(key)
            .or_else(|| spelling::alias(key).and_then(|other| read.places.get(&other)))
            .cloned()
    };
    let origin = |key: &str, value: &Json| {
        let same = raw.get(key) == Some(value);
        match place(key) {
            Some(place) if same || is_path(value) => Origin::File(place),
            None if same => Origin::Default,
            // A default that depends on the host is a rule, one that is a constant is not.
            None if !matches!(
                adjusted(key),
                "limited by the host's CPUs" | "limited by the host's memory"
            ) || is_constant(key) =>
            {
                Origin::Default
            }
            _ => Origin::Derived(adjusted(key).into()),
        }
    };
    let mut loaded = Effective::default();
    for (key, value) in keys_in_file(&read.adjusted, hypervisor, agent) {
        let origin = origin(&key, &value);
        loaded.set(key, value, origin);
    }
    loaded.shared()
}

/// A path in its real form is still the file's.
fn is_path(value: &Json) -> bool {
    match value {
        Json::String(text) => text.starts_with('/'),
        Json::Array(items) => items.iter().all(|i| i.as_str().is_some_and(|t| t.starts_with('/'))),
        _ => false,
    }
}

/// Absent means a constant, not the host's size.
fn is_constant(key: &str) -> bool {
    key.ends_with(".default_vcpus") || key.ends_with(".default_memory")
}

/// Why a value differs from the loaded one without an annotation of its own.
fn derived(key: &str, config: &Config) -> &'static str {
    let sized = config.runtime.static_sandbox_resource_mgmt;
    match key.rsplit('.').next().unwrap_or(key) {
        "default_vcpus" | "default_memory" | "default_maxvcpus" | "default_maxmemory" if sized => {
            "static sizing"
        }
        "kernel_params" => "the agent's parameters",
        "guest_swap_path" | "uid" | "gid" | "groups" | "user_name" => "rootless",
        _ => adjusted(key),
    }
}

/// The effective values of one pod. `sized` are keys that sizing wrote over an annotation.
pub fn effective(loaded: &Effective, config: &Config, attempts: &[Attempt<'_>], sized: &[&str]) -> Effective {
    let runtime = &config.runtime;
    let mut effective = loaded.clone();
    if config.active_hypervisor().is_some_and(|hv| hv.security_info.rootless_user.is_some()) {
        effective.remove(&format!("hypervisor.{}.rootless_user", runtime.hypervisor_name));
    }
    let release = config.release;
    let made = config.active_hypervisor().is_some_and(|hv| hv.security_info.rootless);
    for (key, mut value) in keys_in_file(config, &runtime.hypervisor_name, &runtime.agent_name) {
        if made && key.ends_with(".rootless_user.uid") {
            value = UID_TOKEN.into();
        } else if made && key.ends_with(".rootless_user.gid") {
            value = GID_TOKEN.into();
        }
        match effective.get_mut(&key) {
            Some(known) if known.value == value => {}
            // The agent's parameters stand before those of the file, which still names them.
            Some(known) if matches!(known.origin, Origin::File(_)) && key.ends_with(".kernel_params") => {
                known.value = value;
            }
            _ => {
                let rule = derived(&key, config);
                effective.set(key, value, Origin::Derived(rule.into()));
            }
        }
    }
    for attempt in attempts.iter().filter(|attempt| attempt.decision == Decision::Taken) {
        let Some(known) = attempt.known else { continue };
        let rule = known.rule;
        let field = rule.whole_field(&runtime.hypervisor_name, &runtime.agent_name);
        let Some(field) = spelling::in_file(&field, release) else { continue };
        if sized.contains(&rule.field) {
            continue;
        }
        if let Some(value) = effective.get_mut(&field) {
            value.origin = Origin::Annotation(Cow::Borrowed(rule.key));
            if known.adds() {
                value.configured = loaded.get(&field).map(|value| value.origin.clone());
            }
        }
    }
    effective
}
