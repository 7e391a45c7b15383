//! The configuration files of containerd: imports, versions, merging, migration.
//!
//! Decides which files are read, in which order, and whether the daemon starts with them. Facts:
//! `LoadConfig` of cmd/containerd/server/config (2.x) and services/server/config (1.7) at the tags named
//! in `mod`.

use std::collections::{BTreeSet, VecDeque};

use super::release::Release;
use super::{Broken, merge, migrate, syntax};
use crate::golang::filepath;
use crate::input::host::globs;
use crate::input::host::{Errno, FileKind, Host};
use crate::input::source::Source;
use crate::input::toml_tree::{self, Table, Value};

/// The merged configuration, as far as it concerns the CRI.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The schema version in the end.
    pub version: i64,
    /// `plugins`, migrated as far as the release does.
    pub plugins: Table,
    /// `disabled_plugins` of all files.
    pub disabled: Vec<String>,
    /// `required_plugins` of all files.
    pub required: Vec<String>,
    /// `sandbox_image` of an old CRI table, which migration hands to the images plugin.
    pub sandbox_image: Option<String>,
    /// What is imported, and cannot be looked at.
    pub not_held: Vec<String>,
}

/// One file's part.
struct File {
    version: i64,
    plugins: Table,
    disabled: Vec<String>,
    required: Vec<String>,
    imports: Vec<String>,
}

/// Reads `path` and what it imports, breadth first, each file once; later files win.
pub fn load(host: &Host, path: &str, release: Release, files: &mut Vec<String>) -> Result<Config, Broken> {
    let mut config =
        Config { version: if release.is_v1() { 0 } else { release.config_version() }, ..Config::default() };
    let mut loaded = BTreeSet::new();
    let mut pending = VecDeque::from([path.to_owned()]);
    let mut root_version = 0;
    while let Some(path) = pending.pop_front() {
        if !loaded.insert(path.clone()) {
            continue;
        }
        if !files.is_empty() && !host.knows(&path) {
            config.not_held.push(path);
            continue;
        }
        let mut file = read(host, &path, release)?;
        let old_cri = file.plugins.get(migrate::OLD_CRI).or_else(|| file.plugins.get("cri"));
        let image = old_cri.and_then(|n| n.table()?.get("sandbox_image")).and_then(|n| n.str());
        config.sandbox_image = image.map(str::to_owned).or(config.sandbox_image);
        files.push(path.clone());
        if release.migrates_each_file() {
            if root_version == 0 {
                root_version = file.version;
            }
            if release.refuses_newer_drop_ins() && file.version > root_version {
                return Err(Broken::new(format!(
                    "drop-in config version {} higher than root config version {root_version}",
                    file.version
                )));
            }
            while file.version < config.version {
                // There is no step from a version that the release does not know, and it looks anyway.
                if file.version < 0 || file.version >= release.config_version() {
                    return Err(index_panic(file.version));
                }
                step(&mut file.version, &mut file.plugins, &mut file.disabled, &mut file.required)?;
            }
        } else if !release.is_v1() && matches!(file.version, 0 | 1) {
            // Stamped with the newest version, short names spelled out, the CRI's table left where it is.
            migrate::short_names(&mut file.plugins, &mut [&mut file.disabled, &mut file.required]);
            file.version = config.version;
        }
        pending.extend(imports(host, &path, &file.imports, &mut config.not_held)?);
        if file.version != 0 {
            config.version = file.version;
        }
        if release.is_v1() {
            merge::by_plugin(&mut config.plugins, file.plugins);
        } else {
            merge::deep(&mut config.plugins, file.plugins);
        }
        for (all, new) in [(&mut config.disabled, file.disabled), (&mut config.required, file.required)] {
            for plugin in new {
                if release.is_v1() || !all.contains(&plugin) {
                    all.push(plugin);
                }
            }
        }
    }
    // The message names the last file that was taken up.
    let last = files.last().map_or(path, String::as_str);
    let named = if release.is_v1() { last } else { path };
    validate(&config, release)
        .map_err(|why| Broken::new(format!("failed to load TOML from {named}: {why}")))?;
    if !release.is_v1() && !release.migrates_each_file() {
        if config.version < 0 {
            return Err(index_panic(config.version));
        }
        while config.version < release.config_version() {
            step(&mut config.version, &mut config.plugins, &mut config.disabled, &mut config.required)?;
        }
    }
    Ok(config)
}

fn index_panic(index: i64) -> Broken {
    Broken { panic: true, ..Broken::new(format!("panic: runtime error: index out of range [{index}]")) }
}

/// One version up: the daemon's own step, then the CRI plugin's.
fn step(
    version: &mut i64,
    plugins: &mut Table,
    disabled: &mut [String],
    required: &mut [String],
) -> Result<(), Broken> {
    if *version == 1 {
        migrate::short_names(plugins, &mut [disabled, required]);
    }
    migrate::cri(plugins)?;
    *version += 1;
    Ok(())
}

fn read(host: &Host, path: &str, release: Release) -> Result<File, Broken> {
    let unreadable = |errno: Errno| {
        Broken::new(match (release.is_v1(), errno) {
            (true, Errno::IsDirectory) => format!("failed to load TOML: {path}: read {path}: is a directory"),
            (true, errno) => format!("failed to load TOML: {path}: open {path}: {}", errno.go()),
            (false, Errno::IsDirectory) => {
                format!("failed to unmarshal TOML: toml: read {path}: is a directory")
            }
            (false, errno) => format!("open {path}: {}", errno.go()),
        })
    };
    if host.stat(path).map_err(unreadable)?.kind == FileKind::Directory {
        return Err(unreadable(Errno::IsDirectory));
    }
    let bytes = host.read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| Broken::new(format!("{path}: not UTF-8")))?;
    let source = Source::new(path, text);
    if !release.is_v1() && source.text.starts_with('\u{feff}') {
        return Err(Broken::new(
            "failed to unmarshal TOML at row 1 column 1: toml: invalid character at start of key: ï",
        )
        .at(&source.place(0)));
    }
    file(&syntax::parse(&source, release)?, release)
}

/// The top-level fields that matter, typed as the release types them.
fn file(table: &Table, release: Release) -> Result<File, Broken> {
    let mismatch = |node: &toml_tree::Node, field: &str, go_type: &str, go_type_v1: &str| {
        let (line, column) = (node.place.line, node.place.column);
        let message = if release.is_v1() {
            format!(
                "failed to unmarshal TOML: ({line}, {column}): Can't convert {} to {go_type_v1}",
                go_value(&node.value)
            )
        } else {
            // Position of the value; the key is what is at hand.
            let column = column as usize + field.len() + 3;
            format!(
                "failed to unmarshal TOML at row {line} column {column}: toml: cannot decode TOML {} into \
                 struct field config.Config.{} of type {go_type}",
                toml_type(&node.value),
                field_name(field)
            )
        };
        Broken::new(message).at(&node.place)
    };
    let list = |field: &str| -> Result<Vec<String>, Broken> {
        let Some(node) = table.get(field) else { return Ok(Vec::new()) };
        let Value::Array(items) = &node.value else {
            return Err(mismatch(node, field, "[]string", "[]string(slice)"));
        };
        items
            .iter()
            .map(|item| {
                item.str().map(str::to_owned).ok_or_else(|| mismatch(item, field, "[]string", "string"))
            })
            .collect()
    };
    let version = match table.get("version") {
        None => 0,
        Some(node) => match node.value {
            Value::Integer(version) => version,
            _ => return Err(mismatch(node, "version", "int", "int")),
        },
    };
    let plugins = match table.get("plugins") {
        None => Table::new(),
        Some(node) => node
            .table()
            .cloned()
            .ok_or_else(|| mismatch(node, "plugins", "map[string]interface {}", "map[string]toml.Tree"))?,
    };
    Ok(File {
        version,
        plugins,
        disabled: list("disabled_plugins")?,
        required: list("required_plugins")?,
        imports: list("imports")?,
    })
}

fn field_name(field: &str) -> &str {
    match field {
        "version" => "Version",
        "imports" => "Imports",
        "disabled_plugins" => "DisabledPlugins",
        "required_plugins" => "RequiredPlugins",
        "plugins" => "Plugins",
        other => other,
    }
}

/// What go-toml v2 calls a value's type.
pub(super) fn toml_type(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Integer(_) => "integer",
        Value::Float(_) => "float",
        Value::Boolean(_) => "boolean",
        Value::Datetime(_) => "datetime",
        Value::Array(_) => "array",
        Value::Table(_) => "table",
    }
}

/// A value as go-toml v1's messages show it.
pub(super) fn go_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}(string)"),
        Value::Integer(number) => format!("{number}(int64)"),
        Value::Float(number) => format!("{number}(float64)"),
        Value::Boolean(yes) => format!("{yes}(bool)"),
        Value::Datetime(text) => format!("{text}(time.Time)"),
        Value::Array(_) => "[](slice)".into(),
        Value::Table(_) => "(*toml.Tree)".into(),
    }
}

fn imports(
    host: &Host,
    parent: &str,
    imports: &[String],
    not_held: &mut Vec<String>,
) -> Result<Vec<String>, Broken> {
    let folder = parent.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut paths = Vec::new();
    for import in imports {
        let cleaned = filepath::clean(import);
        let path =
            if cleaned.starts_with('/') { cleaned } else { filepath::clean(&format!("{folder}/{cleaned}")) };
        if path.contains('*') {
            if filepath::PathPattern::new(&path).is_err() {
                return Err(Broken::new("syntax error in pattern"));
            }
            let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            if !host.lists(folder) {
                not_held.push(path.clone());
            }
            paths.extend(globs::files(host, &path).files.iter().cloned());
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn validate(config: &Config, release: Release) -> Result<(), String> {
    if release.is_v1() {
        let version = if config.version == 0 { 1 } else { config.version };
        if version < 2 {
            return Ok(());
        }
        if version > 2 {
            return Err(format!("unsupported config version `{version}`"));
        }
        let uri = |p: &str| p.starts_with("io.containerd.") && p.splitn(4, '.').count() == 4;
        let wrong = |what: &str, p: &str| Err(format!("invalid {what} URI {p:?} expect io.containerd.x.vx"));
        if let Some(p) = config.disabled.iter().find(|p| !uri(p)) {
            return wrong("disabled plugin", p);
        }
        if let Some(p) = config.required.iter().find(|p| !uri(p)) {
            return wrong("required plugin", p);
        }
        if let Some(p) = config.plugins.keys().find(|p| !uri(p)) {
            return wrong("plugin key", p);
        }
        return Ok(());
    }
    if config.version > release.config_version() {
        return Err(format!(
            "expected containerd config version equal to or less than `{}`, got `{}`",
            release.config_version(),
            config.version
        ));
    }
    for (what, list) in [("disabled", &config.disabled), ("required", &config.required)] {
        if let Some(p) = list.iter().find(|p| !p.contains('.')) {
            return Err(format!("invalid {what} plugin URI {p:?} expect io.containerd.x.vx"));
        }
    }
    Ok(())
}
