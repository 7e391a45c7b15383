//! Two nodes to changes: their handlers, the files that Kata and the container runtime read, the files that those
//! name, and what is told of the hardware. Decides which file of one node answers to which of the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Kind, Sides};
use crate::cri::Engine;
use crate::evaluate::node::NodeEvaluator;
use crate::input::archive;
use crate::input::away::named_files;
use crate::input::host::{FactOrigin, Host};
use crate::input::source::Source;
use crate::input::toml_tree::{self, Table, Value};
use crate::node::Handler;

/// Everything that two nodes differ in.
#[derive(Debug, Clone, Default)]
pub struct NodeDifferences {
    /// Handlers, by name.
    pub handlers: Vec<HandlerRow>,
    /// The files that were read.
    pub files: Vec<FileRow>,
    /// Files that the configurations name: what is known of them on each side.
    pub named: Vec<Row>,
    /// Hardware that both sides tell of.
    pub hardware: Vec<Row>,
}

/// Something with a value on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What.
    pub name: String,
    /// The values.
    pub values: Sides<Option<String>>,
}

/// A handler on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerRow {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub kind: Kind,
    /// What differs of it: release, shim, file, snapshotter; of one that only one side has, all.
    pub rows: Vec<Row>,
}

/// A file on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    /// Its path on each side.
    pub paths: Sides<Option<Arc<str>>>,
    /// What became of it.
    pub kind: Kind,
    /// The keys that differ; none where the file is on one side only, unless it is a drop-in.
    pub keys: Vec<KeyRow>,
    /// Why keys cannot be told.
    pub unread: Option<String>,
}

/// A key on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRow {
    /// With its tables, separated by dots.
    pub key: String,
    /// What became of it.
    pub kind: Kind,
    /// The values, with the line each stands on.
    pub values: Sides<Option<(Json, u32)>>,
    /// Of two lists of texts: the entries that only one of them has.
    pub entries: Option<Sides<Vec<String>>>,
}

impl NodeDifferences {
    /// Compares two nodes.
    pub fn between(baseline: &NodeEvaluator, candidate: &NodeEvaluator) -> Self {
        let sides = Sides::new(baseline, candidate);
        Self {
            handlers: handlers(sides),
            files: files(sides),
            named: named(sides),
            hardware: hardware(sides.map(|node| &node.node().host)),
        }
    }

    /// Whether anything differs.
    pub fn any(&self) -> bool {
        !(self.handlers.is_empty()
            && self.files.is_empty()
            && self.named.is_empty()
            && self.hardware.is_empty())
    }
}

fn kind<T>(sides: Sides<Option<T>>) -> Kind {
    match (sides.baseline, sides.candidate) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        _ => Kind::Changed,
    }
}

fn row(name: &str, values: Sides<Option<String>>) -> Option<Row> {
    values.differ().then(|| Row { name: name.to_owned(), values })
}

/// What is told of a handler, by name.
fn told(node: &NodeEvaluator, name: &str) -> Option<Vec<(&'static str, Option<String>)>> {
    let handler = node.node().handler(name);
    let of_all = node.only().filter(|_| name.is_empty());
    if let Some(evaluator) = of_all {
        let setup = evaluator.setup();
        return Some(vec![
            ("release", Some(setup.release.title())),
            ("configuration", Some(setup.layers.asked.to_string())),
        ]);
    }
    let handler: &Handler = handler?;
    Some(vec![
        ("release", handler.release.map(crate::release::Release::title)),
        ("shim", handler.shim.found.clone()),
        ("configuration", handler.config().map(str::to_owned)),
        ("snapshotter", handler.snapshotter.clone()),
        ("error", handler.error(&node.node().host)),
    ])
}

fn handlers(nodes: Sides<&NodeEvaluator>) -> Vec<HandlerRow> {
    let names = |node: &NodeEvaluator| -> Vec<String> {
        if node.only().is_some() {
            return vec![String::new()];
        }
        node.node().handlers().iter().map(|handler| handler.name.clone()).collect()
    };
    let mut all = names(nodes.candidate);
    all.extend(names(nodes.baseline));
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    let differing = |name: String| {
        let sides = nodes.map(|node| told(node, &name));
        let empty = Vec::new();
        let rows = sides.map(|told| told.as_ref().unwrap_or(&empty));
        let longer = if rows.candidate.is_empty() { rows.baseline } else { rows.candidate };
        let value = |told: &[(&str, Option<String>)], what: &str| {
            told.iter().find(|(name, _)| *name == what).and_then(|(_, value)| value.clone())
        };
        let rows: Vec<Row> =
            longer.iter().filter_map(|(what, _)| row(what, rows.map(|told| value(told, what)))).collect();
        let kind = kind(sides);
        (kind != Kind::Changed || !rows.is_empty()).then_some(HandlerRow { name, kind, rows })
    };
    all.into_iter().filter_map(differing).collect()
}

/// A file that was read, by what it is on its node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Role {
    /// A handler's configuration file; without a name where one judges all.
    Base(String),
    /// A file of `config.d`, by its name.
    DropIn(String, String),
    /// One of the container runtime's.
    Engine(String),
}

fn read_files(node: &NodeEvaluator) -> IndexMap<Role, Source> {
    let mut files = IndexMap::new();
    for (handler, evaluator) in node.policies() {
        let handler = handler.map_or_else(String::new, |handler| handler.name.clone());
        let layers = &evaluator.setup().layers;
        if let Ok(base) = &layers.base {
            files.insert(Role::Base(handler.clone()), base.clone());
        }
        for drop_in in layers.drop_ins.iter().flatten() {
            let name = drop_in.path.rsplit('/').next().unwrap_or_default().to_owned();
            if let Ok(source) = &drop_in.content {
                files.insert(Role::DropIn(handler.clone(), name), source.clone());
            }
        }
    }
    let engine = match &node.node().engine {
        Engine::Assumed => &[][..],
        Engine::Containerd(containerd) => &containerd.files,
        Engine::Crio(crio) => &crio.files,
    };
    for path in engine {
        let read = node.node().host.looking().read(path).ok();
        let text = read.and_then(|bytes| archive::without_secrets(path, bytes));
        if let Some(text) = text.and_then(|bytes| String::from_utf8(bytes).ok()) {
            files.insert(Role::Engine(path.clone()), Source::new(path.as_str(), text));
        }
    }
    files
}

fn files(nodes: Sides<&NodeEvaluator>) -> Vec<FileRow> {
    let files = nodes.map(|node| read_files(node));
    let mut roles: Vec<&Role> = files.candidate.keys().collect();
    roles.extend(files.baseline.keys().filter(|role| !files.candidate.contains_key(*role)));
    let mut seen = BTreeSet::new();
    let differing = |role: &Role| {
        let sources = files.map(|files| files.get(role));
        let paths = sources.map(|source| source.map(|source| Arc::clone(&source.path)));
        // Several handlers may share a file.
        if !seen.insert((paths.baseline.clone(), paths.candidate.clone())) {
            return None;
        }
        let same = matches!((sources.baseline, sources.candidate), (Some(a), Some(b)) if a.text == b.text);
        if same {
            return paths.differ().then_some(FileRow {
                paths,
                kind: Kind::Moved,
                keys: Vec::new(),
                unread: None,
            });
        }
        let kind = kind(sources);
        let whole = kind == Kind::Changed || matches!(role, Role::DropIn(..));
        let (keys, unread) = match whole.then(|| keys(sources)) {
            None => (Vec::new(), None),
            Some(Ok(keys)) if keys.is_empty() => (keys, Some("only comments or layout differ".to_owned())),
            Some(Ok(keys)) => (keys, None),
            Some(Err(why)) => (Vec::new(), Some(why)),
        };
        Some(FileRow { paths, kind, keys, unread })
    };
    roles.into_iter().filter_map(differing).collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::String(text) | Value::Datetime(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Array(items) => items.iter().map(|item| json(&item.value)).collect(),
        Value::Table(table) => table.iter().map(|(key, node)| (key.clone(), json(&node.value))).collect(),
    }
}

/// Every key with its tables, its value and its line.
fn flat(table: &Table, within: &str, out: &mut IndexMap<String, (Json, u32)>) {
    for (key, node) in table {
        let bare = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let key = if bare { key.clone() } else { format!("{key:?}") };
        let key = if within.is_empty() { key } else { format!("{within}.{key}") };
        match &node.value {
            Value::Table(inner) => flat(inner, &key, out),
            value => {
                out.insert(key, (json(value), node.place.line));
            }
        }
    }
}

fn keys(sources: Sides<Option<&Source>>) -> Result<Vec<KeyRow>, String> {
    let read = |source: Option<&Source>| -> Result<IndexMap<String, (Json, u32)>, String> {
        let mut out = IndexMap::new();
        if let Some(source) = source {
            flat(&toml_tree::parse(source).map_err(|e| format!("no TOML: {e}"))?, "", &mut out);
        }
        Ok(out)
    };
    let (old, new) = (read(sources.baseline)?, read(sources.candidate)?);
    let mut names: Vec<&String> = new.keys().collect();
    names.extend(old.keys().filter(|key| !new.contains_key(*key)));
    let rows = names.into_iter().filter_map(|key| {
        let values = Sides::new(old.get(key).cloned(), new.get(key).cloned());
        let plain = values.map(|value| value.as_ref().map(|(value, _)| value));
        if !plain.differ() {
            return None;
        }
        let (kind, entries) = (kind(plain), entries(plain.baseline, plain.candidate));
        Some(KeyRow { key: key.clone(), kind, entries, values })
    });
    Ok(rows.collect())
}

fn entries(old: Option<&Json>, new: Option<&Json>) -> Option<Sides<Vec<String>>> {
    let texts = |list: Option<&Json>| -> Option<Vec<String>> {
        list?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let (old, new) = (texts(old)?, texts(new)?);
    let without = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|text| !other.contains(text)).cloned().collect()
    };
    Some(Sides::new(without(&old, &new), without(&new, &old)))
}

/// What is known of a file that a configuration names.
fn state(host: &Host, path: &str) -> String {
    let host = host.looking();
    if !host.knows(path) {
        return "not known".into();
    }
    match host.stat(path) {
        Ok(stat) if stat.size_known => format!("{} bytes", stat.size),
        Ok(_) => "there".into(),
        Err(_) => "not there".into(),
    }
}

fn named(nodes: Sides<&NodeEvaluator>) -> Vec<Row> {
    let names = |node: &NodeEvaluator| -> BTreeSet<String> {
        node.policies().flat_map(|(_, evaluator)| named_files(&evaluator.setup().layers)).collect()
    };
    // What only one side names is told of by its configuration.
    let both: Vec<String> = names(nodes.baseline).intersection(&names(nodes.candidate)).cloned().collect();
    let state_of = |node: &NodeEvaluator, path: &str| {
        let looks = node.policies().next().map(|(_, evaluator)| evaluator.setup().host.clone());
        let host = looks.filter(|host| !host.sees_all()).unwrap_or_else(|| node.node().host.clone());
        Some(state(&host, path))
    };
    both.iter().filter_map(|path| row(path, nodes.map(|node| state_of(node, path)))).collect()
}

fn hardware(hosts: Sides<&Host>) -> Vec<Row> {
    let told = |host: &Host, name: &str| {
        !matches!(host.facts.origins.get(name), Some(FactOrigin::Probed | FactOrigin::Assumed))
    };
    let value = |host: &Host, name: &str| {
        let facts = &host.facts;
        match name {
            "arch" => facts.arch.as_str().to_owned(),
            "cpus" => facts.cpus.to_string(),
            "memory_mib" => facts.memory_mib.to_string(),
            "nested" => facts.nested.to_string(),
            "protection" => format!("{:?}", facts.protection).to_lowercase(),
            "vhost_vsock" => facts.vhost_vsock.to_string(),
            _ => facts.hugepages.to_string(),
        }
    };
    ["arch", "cpus", "memory_mib", "nested", "protection", "vhost_vsock", "hugepages"]
        .into_iter()
        .filter(|name| told(hosts.baseline, name) && told(hosts.candidate, name))
        .filter_map(|name| row(name, hosts.map(|host| Some(value(host, name)))))
        .collect()
}
