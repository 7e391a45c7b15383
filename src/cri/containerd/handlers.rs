//! The CRI plugin's handler tables: decoding with the release's type rules, defaults, validation.
//!
//! Decides which handlers there are and what each one says. Facts: `DefaultConfig` and
//! `ValidateRuntimeConfig` of internal/cri/config (2.x) and pkg/cri/config (1.7) at the tags named in `mod`.

use indexmap::IndexMap;

use super::Broken;
use super::fields;
use super::load::Config;
use super::migrate::{NEW_CRI, OLD_CRI};
use super::release::Release;
use super::tables::{Pattern, Reader, find, subtable};
use crate::cri::shim::{Shim, binary_name};
use crate::input::host::Host;
use crate::input::toml_tree::{Node, Table, Value};
use crate::input::{Place, Text};

/// One runtime handler.
#[derive(Debug, Clone, Default)]
pub struct Handler {
    /// `runtime_type`.
    pub runtime_type: String,
    /// `runtime_path`.
    pub runtime_path: String,
    /// `pod_annotations`.
    pub pod_annotations: Vec<Pattern>,
    /// Where `pod_annotations` stands, if it is there.
    pub list_place: Option<Place>,
    /// `options`, if there are any.
    pub options: Option<Table>,
    /// `sandboxer` (2.x).
    pub sandboxer: String,
    /// `snapshotter`: what mounts the root file systems of its containers.
    pub snapshotter: Option<String>,
    /// The shim's binary.
    pub shim: Shim,
    /// Where the table stands; `None` for a built-in one.
    pub place: Option<Place>,
    /// Keys of the table that the release does not know, with their places.
    pub unknown: Vec<(String, Place)>,
    base_runtime_spec: String,
    without_host_devices: bool,
    all_devices: bool,
    io_type: String,
    runtime_engine: String,
    runtime_root: String,
}

impl Handler {
    /// The binary that serves the handler. Under `sandboxer = "shim"` a path is passed over.
    pub(super) fn look_for_shim(&self, folders: &[&str], host: &Host) -> Shim {
        let by_type = self.runtime_path.is_empty() || self.sandboxer == "shim";
        let runtime = if by_type { &self.runtime_type } else { &self.runtime_path };
        if runtime.starts_with('/') {
            return Shim::at(runtime, host);
        }
        match binary_name(runtime) {
            Some(binary) if !runtime.contains('/') => Shim::of_type(runtime, &binary, folders, host),
            // What containerd says of a malformed name is its own.
            _ => Shim { named: runtime.clone(), ..Shim::default() },
        }
    }

    /// `ConfigPath` of its options: where Kata's configuration file lies.
    pub fn config_path(&self) -> Option<(&str, &Place)> {
        let (_, node) =
            self.options.as_ref()?.iter().find(|(key, _)| key.eq_ignore_ascii_case("ConfigPath"))?;
        Some((node.str().filter(|path| !path.is_empty())?, &node.place))
    }
}

impl Handler {
    /// What its table says in vain, and what it does not say; `name` is the handler's.
    pub fn notes(&self, name: &str) -> Vec<String> {
        let mut notes = Vec::new();
        if self.pod_annotations.is_empty() {
            notes.push(format!("handler {name} passes no annotations on: it has no pod_annotations"));
        }
        if self.sandboxer == "shim" {
            notes.push(
                "sandboxer = \"shim\": ConfigPath is not delivered, and annotations pass ungated".into(),
            );
        }
        for (key, place) in &self.unknown {
            notes.push(format!("{place}: containerd knows no key '{key}' here; it is ignored"));
        }
        for (key, node) in self.options.iter().flatten() {
            let known = ["TypeUrl", "ConfigPath", "ConfigBody"];
            if !known.iter().any(|k| k.eq_ignore_ascii_case(key)) {
                notes.push(format!("{}: Kata's options have no '{key}'; it is ignored", node.place));
            }
        }
        notes
    }
}

/// The handlers of a node.
#[derive(Debug, Clone, Default)]
pub struct Handlers {
    /// By name.
    pub by_name: IndexMap<String, Handler>,
    /// The one for an empty handler.
    pub default: String,
    /// What mounts the roots of containers whose handler names nothing.
    pub snapshotter: String,
    /// The pause image, which 2.x names in an annotation.
    pub sandbox_image: Option<Text>,
    /// Tables of other plugin releases that nobody reads, with their places.
    pub unread: Vec<(String, Place)>,
}

/// The fields of a handler table and whether a release knows them.
fn known_key(key: &str, release: Release) -> bool {
    let common = [
        "runtime_type",
        "runtime_path",
        "pod_annotations",
        "container_annotations",
        "options",
        "privileged_without_host_devices",
        "privileged_without_host_devices_all_devices_allowed",
        "base_runtime_spec",
        "cni_conf_dir",
        "cni_max_conf_num",
        "snapshotter",
    ];
    let own: &[&str] = if release.is_v1() {
        &["runtime_engine", "runtime_root", "sandbox_mode"]
    } else {
        &["sandboxer", "io_type", "cgroup_writable", "disable_pause_image_pull"]
    };
    common.iter().chain(own).any(|k| {
        if release.is_v1() { *k == key || k.to_ascii_uppercase() == key } else { k.eq_ignore_ascii_case(key) }
    })
}

fn handler(node: &Node, release: Release) -> Result<Handler, Broken> {
    let Some(table) = node.table() else {
        return Err(Reader { table: &Table::new(), release, go_struct: "config.ContainerdConfig" }.mismatch(
            node,
            "Runtimes",
            "config.Runtime",
            "config.Runtime",
        ));
    };
    let reader = Reader { table, release, go_struct: "config.Runtime" };
    let text = |field, go_field| reader.string(field, go_field).map(Option::unwrap_or_default);
    let (pod_annotations, list_place) = reader.list("pod_annotations", "PodAnnotations")?;
    reader.list("container_annotations", "ContainerAnnotations")?;
    let options = match subtable(table, "options", release) {
        None => None,
        Some(node) => match node.table() {
            Some(options) => Some(options.clone()),
            None => {
                return Err(reader.mismatch(
                    &node,
                    "Options",
                    "map[string]interface {}",
                    "map[string]interface {}",
                ));
            }
        },
    };
    let unknown = table
        .iter()
        .filter(|(key, _)| !known_key(key, release))
        .map(|(key, node)| (key.clone(), node.place.clone()))
        .collect();
    Ok(Handler {
        runtime_type: text("runtime_type", "Type")?,
        runtime_path: text("runtime_path", "Path")?,
        pod_annotations,
        list_place,
        options,
        sandboxer: if release.is_v1() { String::new() } else { text("sandboxer", "Sandboxer")? },
        place: Some(node.place.clone()),
        unknown,
        base_runtime_spec: text("base_runtime_spec", "BaseRuntimeSpec")?,
        snapshotter: reader.string("snapshotter", "Snapshotter")?.filter(|name| !name.is_empty()),
        shim: Shim::default(),
        without_host_devices: reader
            .boolean("privileged_without_host_devices", "PrivilegedWithoutHostDevices")?,
        all_devices: reader.boolean(
            "privileged_without_host_devices_all_devices_allowed",
            "PrivilegedWithoutHostDevicesAllDevicesAllowed",
        )?,
        io_type: if release.is_v1() { String::new() } else { text("io_type", "IOType")? },
        runtime_engine: if release.is_v1() { text("runtime_engine", "Engine")? } else { String::new() },
        runtime_root: if release.is_v1() { text("runtime_root", "Root")? } else { String::new() },
    })
}

/// What containerd brings along.
fn built_in() -> Handler {
    Handler { runtime_type: "io.containerd.runc.v2".into(), ..Handler::default() }
}

/// The CRI plugin's configuration after decoding and validation.
pub fn decode(config: &Config, host: &Host, release: Release) -> Result<Handlers, Broken> {
    let id = match (release.is_v1(), config.version) {
        (true, 0 | 1) => "cri",
        (true, _) => OLD_CRI,
        (false, _) => NEW_CRI,
    };
    let disabled = if release.is_v1() {
        config.disabled.iter().any(|p| p == id)
    } else {
        config.disabled.iter().any(|p| p == OLD_CRI || p == NEW_CRI)
    };
    if disabled {
        return Err(Broken { cri_off: true, ..Broken::new("unknown service runtime.v1.RuntimeService") });
    }
    let empty = Table::new();
    let cri = config.plugins.get(id).and_then(Node::table).unwrap_or(&empty);
    fields::decode(cri, release)?;
    let containerd = subtable(cri, "containerd", release);
    let containerd = containerd.as_deref().and_then(Node::table).unwrap_or(&empty);
    let reader = Reader { table: containerd, release, go_struct: "config.ContainerdConfig" };
    let mut by_name = IndexMap::from([("runc".to_owned(), built_in())]);
    if let Some(node) = subtable(containerd, "runtimes", release) {
        let Some(table) = node.table() else {
            return Err(reader.mismatch(
                &node,
                "Runtimes",
                "map[string]config.Runtime",
                "map[string]config.Runtime",
            ));
        };
        if release.is_v1() {
            by_name.clear();
        }
        for (name, node) in table {
            by_name.insert(name.clone(), handler(node, release)?);
        }
    }
    let mut default =
        reader.string("default_runtime_name", "DefaultRuntimeName")?.unwrap_or_else(|| "runc".to_owned());
    if release.is_v1() {
        legacy(containerd, release, &mut by_name, &mut default)?;
    }
    validate(cri, &by_name, &default, release)
        .map_err(|why| Broken::new(format!("invalid plugin config: {why}")))?;
    for spec in by_name.values().map(|h| &h.base_runtime_spec).filter(|s| !s.is_empty()) {
        base_spec(spec, host, release)?;
    }
    let unread = ["cri", OLD_CRI, NEW_CRI]
        .iter()
        .filter(|other| **other != id)
        .filter_map(|other| config.plugins.get(*other).map(|n| (other, n)))
        .filter(|(_, node)| node.table().is_some_and(|t| t.contains_key("containerd")))
        .map(|(other, node)| ((*other).to_owned(), node.place.clone()))
        .collect();
    for (name, handler) in &mut by_name {
        for pattern in &mut handler.pod_annotations {
            pattern.note = format!("{:?} of handler {name}", pattern.text).into();
        }
    }
    // Version 2 moved the key to the plugin of images.
    let images = config.plugins.get("io.containerd.cri.v1.images").and_then(Node::table);
    let holder = if release.is_v1() { Some(containerd) } else { images };
    let snapshotter = holder.and_then(|table| find(table, "snapshotter", release)).and_then(Node::str);
    let snapshotter = snapshotter.filter(|name| !name.is_empty()).unwrap_or("overlayfs").to_owned();
    let sandbox_image = sandbox_image(config, release);
    Ok(Handlers { by_name, default, snapshotter, sandbox_image, unread })
}

/// The pause image: as configured, else the release's own.
fn sandbox_image(config: &Config, release: Release) -> Option<Text> {
    let table = |node: Option<&Node>, key: &str| node.and_then(Node::table).and_then(|t| t.get(key)).cloned();
    let images = config.plugins.get("io.containerd.cri.v1.images");
    let pinned = table(table(images, "pinned_images").as_ref(), "sandbox");
    let own = match (release.major, release.minor) {
        (0 | 1, _) => return None,
        (2, 0) => "registry.k8s.io/pause:3.10",
        (2, 1 | 2) => "registry.k8s.io/pause:3.10.1",
        _ => "registry.k8s.io/pause:3.10.2",
    };
    let configured =
        pinned.as_ref().and_then(Node::str).map(str::to_owned).or_else(|| config.sandbox_image.clone());
    Some(configured.map_or(own.into(), Text::from))
}

/// The two single-handler tables of 1.x.
fn legacy(
    containerd: &Table,
    release: Release,
    by_name: &mut IndexMap<String, Handler>,
    default: &mut String,
) -> Result<(), Broken> {
    let old = |key: &str| -> Result<Option<Handler>, Broken> {
        let Some(node) = find(containerd, key, release) else { return Ok(None) };
        let handler = handler(node, release)?;
        Ok((!handler.runtime_type.is_empty()).then_some(handler))
    };
    if let Some(handler) = old("untrusted_workload_runtime")? {
        if by_name.contains_key("untrusted") {
            return Err(Broken::new(
                "invalid plugin config: conflicting definitions: configuration includes both \
                 `untrusted_workload_runtime` and `runtimes[\"untrusted\"]`",
            ));
        }
        by_name.insert("untrusted".into(), handler);
    }
    if let Some(handler) = old("default_runtime")? {
        *default = "default".into();
        by_name.insert("default".into(), handler);
    }
    Ok(())
}

fn validate(
    cri: &Table,
    by_name: &IndexMap<String, Handler>,
    default: &str,
    release: Release,
) -> Result<(), String> {
    const OLD_SHIM: &str = "io.containerd.runtime.v1.linux";
    let only_old = |what: &str| Err(format!("`{what}` only works for runtime {OLD_SHIM}"));
    if default.is_empty() {
        return Err("`default_runtime_name` is empty".into());
    }
    let Some(serving) = by_name.get(default) else {
        return Err(format!(
            "no corresponding runtime configured in `containerd.runtimes` for `containerd` \
             `default_runtime_name = \"{default}\""
        ));
    };
    if release.is_v1() {
        let containerd = find(cri, "containerd", release).and_then(Node::table);
        let old = [(Some(cri), "systemd_cgroup"), (containerd, "no_pivot")];
        for (table, key) in old {
            let node = table.and_then(|table| find(table, key, release));
            if node.is_some_and(|n| n.value == Value::Boolean(true)) && serving.runtime_type != OLD_SHIM {
                return only_old(key);
            }
        }
    } else {
        let cni = subtable(cri, "cni", release);
        let cni = cni.as_deref().and_then(Node::table);
        let given = |key: &str| cni.and_then(|table| find(table, key, release));
        if (release.major, release.minor) >= (2, 1)
            && given("bin_dir").and_then(Node::str).is_some_and(|dir| !dir.is_empty())
            && given("bin_dirs").is_some_and(|dirs| !default_or_no_folders(dirs))
        {
            return Err("`cni.bin_dir` and `cni.bin_dirs` cannot be set at the same time".into());
        }
    }
    for handler in by_name.values() {
        for (key, value) in
            [("runtime_engine", &handler.runtime_engine), ("runtime_root", &handler.runtime_root)]
        {
            if release.is_v1() && !value.is_empty() && handler.runtime_type != OLD_SHIM {
                return only_old(key);
            }
        }
        if handler.all_devices && !handler.without_host_devices {
            return Err("`privileged_without_host_devices_all_devices_allowed` requires \
                        `privileged_without_host_devices` to be enabled"
                .into());
        }
        if !matches!(handler.io_type.as_str(), "" | "fifo" | "streaming") {
            return Err("`io_type` can only be `streaming` or `named_pipe`".into());
        }
    }
    if release.is_v1() {
        registry(cri, release)?;
    }
    Ok(fields::durations(cri, release)?)
}

/// Whether `bin_dirs` says no more than containerd's own value does.
fn default_or_no_folders(node: &Node) -> bool {
    match &node.value {
        Value::Array(dirs) => match dirs.as_slice() {
            [] => true,
            [one] => one.str() == Some("/opt/cni/bin"),
            _ => false,
        },
        _ => true,
    }
}

/// 1.x reads the registries with the rest of the plugin's table.
fn registry(cri: &Table, release: Release) -> Result<(), String> {
    let Some(registry) = find(cri, "registry", release).and_then(Node::table) else { return Ok(()) };
    let table = |key: &str| find(registry, key, release).and_then(Node::table).filter(|t| !t.is_empty());
    let path = find(registry, "config_path", release).and_then(Node::str).unwrap_or_default();
    if path.is_empty() {
        return Ok(());
    }
    if table("mirrors").is_some() {
        return Err("`mirrors` cannot be set when `config_path` is provided".into());
    }
    let tls = |node: &Node| node.table().is_some_and(|t| find(t, "tls", release).is_some());
    if table("configs").is_some_and(|configs| configs.values().any(tls)) {
        return Err("`configs.tls` cannot be set when `config_path` is provided".into());
    }
    Ok(())
}

fn base_spec(path: &str, host: &Host, release: Release) -> Result<(), Broken> {
    let wrap = |why: String| {
        let task = if release.is_v1() { "create CRI service" } else { "create load basic oci spec" };
        Broken::new(format!("failed to {task}: failed to load base OCI spec from file: {path}: {why}"))
    };
    let bytes = host.read(path).map_err(|errno| {
        wrap(format!("failed to open base OCI spec: {path}: open {path}: {}", errno.go()))
    })?;
    serde_json::from_slice::<serde_json::Value>(&bytes)
        .map(|_| ())
        .map_err(|e| wrap(format!("failed to parse base OCI spec file: {e}")))
}
