//! JSON Schemas: of every report, as files, and of `configuration.toml`, made of the catalogue for one release.
//!
//! Decides what an editor is told of a key. A key that another release or runtime reads is taken, too, and said to
//! be unread, for files are shipped with some; a key that nobody reads is a slip. Draft 7, which editors' TOML
//! servers read.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::catalog::{ConfigKey, KeyReader, Kind, all_config_keys, knows_hypervisor};
use crate::release::{Release, Runtime};

/// The reports that have a schema, by name.
pub const OUTPUTS: [(&str, &str); 16] = [
    ("check", include_str!("../../assets/schema/check-1.schema.json")),
    ("check-nodes", include_str!("../../assets/schema/check-nodes-1.schema.json")),
    ("diff", include_str!("../../assets/schema/diff-1.schema.json")),
    ("diff-running", include_str!("../../assets/schema/diff-running-1.schema.json")),
    ("explain", include_str!("../../assets/schema/explain-1.schema.json")),
    ("live", include_str!("../../assets/schema/live-1.schema.json")),
    ("policy-audit", include_str!("../../assets/schema/policy-audit-1.schema.json")),
    ("policy-suggest", include_str!("../../assets/schema/policy-suggest-1.schema.json")),
    ("show-agent", include_str!("../../assets/schema/show-agent-1.schema.json")),
    ("show-annotations", include_str!("../../assets/schema/show-annotations-1.schema.json")),
    ("show-config", include_str!("../../assets/schema/show-config-1.schema.json")),
    ("show-initdata", include_str!("../../assets/schema/show-initdata-1.schema.json")),
    ("show-launch", include_str!("../../assets/schema/show-launch-1.schema.json")),
    ("show-sizing", include_str!("../../assets/schema/show-sizing-1.schema.json")),
    ("upgrade", include_str!("../../assets/schema/upgrade-1.schema.json")),
    ("which", include_str!("../../assets/schema/which-1.schema.json")),
];

/// Tables and keys that files are shipped with and no release reads.
const SHIPPED_UNREAD: [(&str, &str); 3] = [
    ("agent.<name>.mem_agent", "mem_agent_enable"),
    ("hypervisor.<name>", "snp_certs_path"),
    ("image", "service_offload"),
];

/// The hypervisor tables that a release knows by name.
fn hypervisors(release: Release) -> Vec<&'static str> {
    let mut all: Vec<&str> = all_config_keys()
        .iter()
        .flat_map(|key| key.readers(release.runtime))
        .flat_map(|(_, reader)| reader.hypervisors.iter().copied())
        .filter(|name| !name.contains(' '))
        // The name that runtime-rs had for clh.
        .chain((release.runtime == Runtime::Rs).then_some("cloud-hypervisor"))
        .filter(|name| knows_hypervisor(release, name))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The schema of the configuration of one release.
pub fn config(release: Release) -> Json {
    let mut tables: BTreeMap<&str, Vec<&ConfigKey>> = BTreeMap::new();
    for key in all_config_keys() {
        tables.entry(key.table).or_default().push(key);
    }
    let of = |table: &str, hypervisor: Option<&str>| {
        let mut properties = Map::new();
        for key in tables.get(table).into_iter().flatten() {
            properties.insert(key.key.to_owned(), property(key, release, hypervisor));
        }
        for (_, key) in SHIPPED_UNREAD.iter().filter(|(own, _)| *own == table) {
            let what = "Stands in shipped files, and no release reads it.";
            properties.insert((*key).to_owned(), json!({ "description": what, "deprecated": true }));
        }
        properties
    };
    let below = |mut properties: Map<String, Json>, name: &str, table: &str| {
        if tables.contains_key(table) {
            properties.insert(name.to_owned(), object("", of(table, None)));
        }
        properties
    };
    let mut hypervisor = Map::new();
    for name in hypervisors(release) {
        let known = if name == "cloud-hypervisor" { "clh" } else { name };
        let keys = below(of("hypervisor.<name>", Some(known)), "factory", "hypervisor.<name>.factory");
        hypervisor.insert(name.to_owned(), object(&format!("The hypervisor {name}."), keys));
    }
    let agent = below(of("agent.<name>", None), "mem_agent", "agent.<name>.mem_agent");
    let agents = Map::from_iter([("kata".to_owned(), object("The agent in the guest.", agent))]);
    let mut properties = Map::new();
    properties.insert("hypervisor".into(), object("The hypervisors, one table each.", hypervisor));
    properties.insert("agent".into(), object("The agents, one table each.", agents));
    for (table, what) in [
        ("runtime", "The runtime on the host."),
        ("factory", "VMs that are made ahead of pods."),
        ("netmon", "A network monitor of early releases."),
        ("image", "Images pulled inside the guest."),
    ] {
        properties.insert(table.to_owned(), object(what, of(table, None)));
    }
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    schema
        .insert("title".into(), json!(format!("configuration.toml of Kata Containers, {}", release.title())));
    schema.extend(object("", properties).as_object().cloned().unwrap_or_default());
    Json::Object(schema)
}

fn object(what: &str, properties: Map<String, Json>) -> Json {
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    if !what.is_empty() {
        object.insert("description".into(), json!(what));
    }
    object.insert("properties".into(), Json::Object(properties));
    object.insert("additionalProperties".into(), json!(false));
    Json::Object(object)
}

/// What any release makes of the key, where this one does not read it.
fn elsewhere(key: &'static ConfigKey, release: Release) -> Option<&'static KeyReader> {
    let other = match release.runtime {
        Runtime::Go => Runtime::Rs,
        Runtime::Rs => Runtime::Go,
    };
    [release.runtime, other]
        .into_iter()
        .find_map(|runtime| key.readers(runtime).last().map(|(_, reader)| reader))
}

fn property(key: &'static ConfigKey, release: Release, hypervisor: Option<&str>) -> Json {
    let reader = key.reader(release);
    let mut description = vec![key.summary.to_owned()];
    let mut property = Map::new();
    match reader {
        None => {
            description.push(format!("Not read by {}.", release.title()));
            property.insert("deprecated".into(), json!(true));
        }
        Some(reader) => {
            if reader.unused {
                description.push("Read, and used by nothing.".into());
            }
            let known = |name: &&&str| !name.contains(' ');
            let users: Vec<&str> = reader.hypervisors.iter().filter(known).copied().collect();
            let everybody = reader.hypervisors.iter().any(|name| name.contains(' ')) || users.is_empty();
            if hypervisor.is_some_and(|own| !everybody && !users.contains(&own)) {
                description.push(format!("Used by {} alone.", users.join(", ")));
            }
            if let Some(unit) = reader.unit {
                description.push(format!("In {unit}."));
            }
            match default_value(reader) {
                Some(value) => drop(property.insert("default".into(), value)),
                None if reader.default.is_empty() => {}
                None => description.push(format!("Default: {}.", reader.default)),
            }
        }
    }
    if let Some(reader) = reader.or_else(|| elsewhere(key, release)) {
        property.extend(kind(reader.kind));
    }
    property.insert("description".into(), json!(description.join(" ")));
    Json::Object(property)
}

/// The default, where it is a value of the kind and not a sentence.
fn default_value(reader: &KeyReader) -> Option<Json> {
    let value: Json = serde_json::from_str(reader.default).ok()?;
    let fits = match reader.kind {
        Kind::Bool => value.is_boolean(),
        Kind::List | Kind::Objects => value.is_array(),
        Kind::Table => value.is_object(),
        Kind::F32 => value.is_number(),
        Kind::U8 | Kind::U32 | Kind::U64 | Kind::I32 | Kind::I64 => value.is_i64() || value.is_u64(),
        _ => value.is_string(),
    };
    fits.then_some(value)
}

fn kind(kind: Kind) -> Map<String, Json> {
    let whole = |low: i64, high: Option<i64>| match high {
        Some(high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        None => json!({ "type": "integer", "minimum": low }),
    };
    let shape = match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::U8 => whole(0, Some(i64::from(u8::MAX))),
        Kind::U32 => whole(0, Some(i64::from(u32::MAX))),
        Kind::U64 => whole(0, None),
        Kind::I32 => whole(i64::from(i32::MIN), Some(i64::from(i32::MAX))),
        Kind::I64 => json!({ "type": "integer" }),
        Kind::F32 => json!({ "type": "number" }),
        Kind::Size | Kind::Quantity => json!({ "type": ["string", "integer"] }),
        Kind::List => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Objects => json!({ "type": "array", "items": { "type": "object" } }),
        Kind::Table => json!({ "type": "object" }),
        Kind::Text | Kind::Path | Kind::Choice | Kind::Digest | Kind::Document => json!({ "type": "string" }),
    };
    shape.as_object().cloned().unwrap_or_default()
}
