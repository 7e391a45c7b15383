//! The configuration in the end, key by key in the file's own spelling and unit, each with its origin.
//!
//! Facts: the field names and their order of src/libs/kata-types/src/config at 4.1.0.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::annotations::{Fate, Trail, seconds};
use super::config::Config;
use super::load::{Read, alias};
use crate::input::Place;
use crate::runtime::value::{Effective, Origin};

/// One key of a configuration.
type Entry = (String, Json);

/// The keys of the tables in use, in the runtime's own order.
pub fn flatten(config: &Config, hypervisor: &str, agent: &str) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(192);
    if let Some(table) = config.hypervisor.get(hypervisor) {
        walk(&format!("hypervisor.{hypervisor}"), table, &mut entries);
    }
    if let Some(table) = config.agent.get(agent) {
        let from = entries.len();
        walk(&format!("agent.{agent}"), table, &mut entries);
        let timeout =
            entries.iter_mut().skip(from).find(|(key, _)| key.ends_with(".create_container_timeout"));
        if let Some((_, value)) = timeout {
            *value = seconds(table.request_timeout_ms);
        }
    }
    walk("runtime", &config.runtime, &mut entries);
    entries
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

/// The loaded values with their origins, for one pair of tables.
#[derive(Debug, Clone)]
pub struct Base {
    entries: IndexMap<String, (Json, Origin)>,
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

impl Base {
    /// Compares what was read with what loading made of it.
    pub fn new(read: &Read, hypervisor: &str, agent: &str) -> Self {
        let raw: IndexMap<String, Json> = flatten(&read.raw, hypervisor, agent).into_iter().collect();
        let place = |key: &str| {
            read.places.get(key).or_else(|| alias(key).and_then(|other| read.places.get(&other))).cloned()
        };
        let origin = |key: &str, value: &Json| {
            let same = raw.get(key) == Some(value);
            match place(key) {
                Some(place) if same || is_path(key, value) => Origin::File(place),
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
        let entries = flatten(&read.adjusted, hypervisor, agent)
            .into_iter()
            .map(|(key, value)| {
                let origin = origin(&key, &value);
                (key, (value, origin))
            })
            .collect();
        Self { entries }
    }
}

/// A path in its real form is still the file's.
fn is_path(_key: &str, value: &Json) -> bool {
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
pub fn effective(base: &Base, config: &Config, trails: &[Trail<'_>], sized: &[&str]) -> Effective {
    let runtime = &config.runtime;
    let (hypervisor, agent) = (runtime.hypervisor_name.as_str(), runtime.agent_name.as_str());
    let set: Vec<(String, &str)> = trails
        .iter()
        .filter(|trail| trail.fate == Fate::Taken)
        .filter_map(|trail| trail.rule.map(|rule| (rule.whole_field(hypervisor, agent), rule.key)))
        .filter(|(field, _)| !sized.iter().any(|key| field.ends_with(key)))
        .collect();
    let mut effective = Effective::default();
    effective.values.reserve(base.entries.len() + 4);
    for (key, value) in flatten(config, hypervisor, agent) {
        let origin = match set.iter().find(|(field, _)| *field == key) {
            Some((_, annotation)) => Origin::Annotation(Cow::Borrowed(annotation)),
            None => match base.entries.get(&key) {
                Some((loaded, origin)) if *loaded == value => origin.clone(),
                Some((_, Origin::File(place))) if key.ends_with(".kernel_params") => {
                    Origin::File(Place::clone(place))
                }
                _ => Origin::Derived(derived(&key, config).into()),
            },
        };
        effective.set(key, value, origin);
    }
    effective
}
