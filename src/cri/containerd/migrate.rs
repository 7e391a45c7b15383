//! What containerd 2.x does to the tables of older schema versions.
//!
//! Facts: the migrations of plugins/cri and cmd/containerd/server/config at the tags named in `mod`.

use super::Broken;
use crate::input::toml_tree::{Node, Table, Value};

/// The CRI's plugin id up to version 2.
pub const OLD_CRI: &str = "io.containerd.grpc.v1.cri";
/// The CRI runtime's plugin id from version 3.
pub const NEW_CRI: &str = "io.containerd.cri.v1.runtime";

/// Keys of the old table that other plugins took over.
const MOVED_ELSEWHERE: [&str; 13] = [
    "sandbox_image",
    "registry",
    "image_decryption",
    "max_concurrent_downloads",
    "image_pull_progress_timeout",
    "image_pull_with_sync_fs",
    "stats_collect_period",
    "disable_tcp_service",
    "stream_server_address",
    "stream_server_port",
    "stream_idle_timeout",
    "enable_tls_streaming",
    "x509_key_pair_streaming",
];

/// Version 1 to 2: a name without a dot becomes a plugin URI. Only the CRI's matters here.
pub fn short_names(plugins: &mut Table, lists: &mut [&mut [String]]) {
    if let Some(node) = plugins.shift_remove("cri") {
        plugins.insert(OLD_CRI.to_owned(), node);
    }
    for name in lists.iter_mut().flat_map(|list| list.iter_mut()) {
        if name == "cri" {
            *name = OLD_CRI.to_owned();
        } else if !name.contains('.') {
            *name = format!("io.containerd.grpc.v1.{name}");
        }
    }
}

/// The CRI plugin's step: the old table's keys go to the new one, unless they are there already. The
/// whole of `runtimes` is one such key.
pub fn cri(plugins: &mut Table) -> Result<(), Broken> {
    let Some(old) = plugins.get(OLD_CRI).and_then(Node::table).cloned() else { return Ok(()) };
    let place = plugins.get(OLD_CRI).map(|n| n.place.clone());
    let mut new = plugins.get(NEW_CRI).and_then(Node::table).cloned().unwrap_or_default();
    for (key, node) in &old {
        if key != "containerd" && !MOVED_ELSEWHERE.contains(&key.as_str()) && !new.contains_key(key) {
            let mut node = node.clone();
            if key == "cni"
                && let Value::Table(cni) = &mut node.value
            {
                // It becomes `bin_dirs`, whatever that said.
                cni.shift_remove("bin_dir");
            }
            new.insert(key.clone(), node);
        }
    }
    if let Some(containerd) = old.get("containerd")
        && let Some(old_containerd) = containerd.table()
    {
        let mut table = new.get("containerd").and_then(Node::table).cloned().unwrap_or_default();
        for (key, node) in old_containerd {
            let moved = matches!(
                key.as_str(),
                "snapshotter" | "disable_snapshot_annotations" | "discard_unpacked_layers"
            );
            if !moved && !table.contains_key(key) {
                table.insert(key.clone(), node.clone());
            }
        }
        rename_sandbox_mode(&mut table)?;
        let place = new.get("containerd").map_or_else(|| containerd.place.clone(), |n| n.place.clone());
        new.insert("containerd".into(), Node { place, value: Value::Table(table) });
    }
    // What stays under the old name is the stream server's.
    let rest: Table =
        old.into_iter().filter(|(key, _)| MOVED_ELSEWHERE.iter().skip(7).any(|moved| moved == key)).collect();
    if let Some(place) = place {
        plugins.insert(OLD_CRI.into(), Node { place: place.clone(), value: Value::Table(rest) });
        let place = plugins.get(NEW_CRI).map_or(place, |n| n.place.clone());
        plugins.insert(NEW_CRI.into(), Node { place, value: Value::Table(new) });
    }
    Ok(())
}

fn rename_sandbox_mode(containerd: &mut Table) -> Result<(), Broken> {
    let Some(runtimes) = containerd.get_mut("runtimes") else { return Ok(()) };
    let not_a_table = |node: &Node| Broken {
        panic: true,
        ..Broken::new(format!(
            "panic: interface conversion: interface {{}} is {}, not map[string]interface {{}}",
            go_kind(&node.value)
        ))
        .at(&node.place)
    };
    if runtimes.table().is_none() {
        return Err(not_a_table(runtimes));
    }
    let Value::Table(handlers) = &mut runtimes.value else { return Ok(()) };
    for handler in handlers.values_mut() {
        if handler.table().is_none() {
            return Err(not_a_table(handler));
        }
        if let Value::Table(keys) = &mut handler.value
            && !keys.contains_key("sandboxer")
            && let Some(mode) = keys.shift_remove("sandbox_mode")
        {
            keys.insert("sandboxer".into(), mode);
        }
    }
    Ok(())
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Integer(_) => "int64",
        Value::Float(_) => "float64",
        Value::Boolean(_) => "bool",
        Value::Datetime(_) => "time.Time",
        Value::Array(_) => "[]interface {}",
        Value::Table(_) => "map[string]interface {}",
    }
}
