//! A node with something said of it otherwise than its files say it.
//!
//! Decides what cannot be meant: a key of a table that no configuration has, a handler that the node lacks.

use std::io::{self, Write};

use super::args::Input;
use super::error::SetupError;
use super::set;
use crate::cri::Engine;
use crate::evaluate::node::NodeEvaluator;
use crate::input::config::Layers;
use crate::input::what_if::KeyEdit;

/// A node of which something is said otherwise.
pub(super) fn applied(input: &Input, node: NodeEvaluator) -> Result<NodeEvaluator, SetupError> {
    let what_if = set::read(input)?;
    let node = node.what_if(what_if.clone());
    if let Some(name) = what_if.handler() {
        let known: Vec<&str> = node.node().handlers().iter().map(|handler| handler.name.as_str()).collect();
        let wrong = |why: String| SetupError::Usage(format!("--set handler={name}: {why}"));
        if matches!(node.node().engine, Engine::Assumed) {
            return Err(wrong(
                "one configuration judges all pods: a node (--root) or the container runtime's file \
                 (--cri-config) tells the handlers"
                    .into(),
            ));
        }
        if !known.contains(&name) {
            return Err(wrong(format!("no such handler; there are {}", known.join(", "))));
        }
    }
    for key in what_if.keys() {
        let name = key.name();
        let has = |layers: &Layers| layers.what_if.contains(&name);
        let mut readers = node.policies().filter(|(_, policy)| has(&policy.setup().layers)).peekable();
        if readers.peek().is_none() && node.policies().next().is_some() {
            return Err(SetupError::Usage(format!("--set {name}: {}", no_table(&key, &node))));
        }
        let known = crate::catalog::config_key(&key.table, &key.key);
        let mut unread: Vec<String> = readers
            .map(|(_, policy)| policy.setup().release)
            .filter(|release| known.is_some_and(|known| known.reader(*release).is_none()))
            .map(|release| release.title())
            .collect();
        unread.dedup();
        if let Some(release) = unread.first() {
            let _ = writeln!(io::stderr(), "katascope: --set {name}: {release} reads no such key");
        }
    }
    Ok(node)
}

/// What to say of a key that no configuration has a table for.
fn no_table(key: &KeyEdit, node: &NodeEvaluator) -> String {
    let head = key.table.split('.').next().unwrap_or_default();
    let mut tables: Vec<String> = Vec::new();
    for (_, policy) in node.policies() {
        let own = policy.setup().layers.tables_below(head);
        tables.extend(own.into_iter().map(|name| format!("[{head}.{name}]")));
    }
    tables.sort();
    tables.dedup();
    match tables.is_empty() {
        true => format!("no configuration that is read here has [{}], or it cannot be changed", key.table),
        false => {
            format!("no configuration that is read here has [{}]; there is {}", key.table, tables.join(", "))
        }
    }
}
