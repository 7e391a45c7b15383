//! How a later file's tables meet an earlier one's.
//!
//! Facts: `mergeConfig` of cmd/containerd/server/config (2.x) and services/server/config (1.7) at the tags
//! named in `mod`.

use crate::input::toml_tree::{Table, Value};

/// containerd 2.x: tables merge key by key, everything else is replaced.
pub fn deep(to: &mut Table, from: Table) {
    for (key, node) in from {
        match (to.get_mut(&key).map(|n| &mut n.value), node.value) {
            (Some(Value::Table(old)), Value::Table(new)) => deep(old, new),
            (_, value) => {
                to.insert(key, crate::input::toml_tree::Node { place: node.place, value });
            }
        }
    }
}

/// containerd 1.x: each plugin's table is replaced whole.
pub fn by_plugin(to: &mut Table, from: Table) {
    to.extend(from);
}
