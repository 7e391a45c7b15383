//! The plain fields of the CRI plugin's tables: their types, and the durations that must be readable.
//!
//! Decides whether a release can decode what stands there, in its own order, although most of the
//! fields say nothing about handlers: one wrong value and no pod comes up. Other plugins' tables are
//! not looked at.
//! Facts: pkg/cri/config (1.7) and internal/cri/config (2.x).

use super::Broken;
use super::release::Release;
use super::tables::{Reader, find, subtable};
use crate::cri::EngineMessage;
use crate::golang::duration;
use crate::input::toml_tree::{Node, Table, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Text,
    Texts,
    /// A table of its own, decoded by whoever reads it.
    Tables(&'static str),
}

impl Kind {
    /// The Go type: for go-toml v2, for go-toml v1.
    fn go(self) -> (&'static str, &'static str) {
        match self {
            Self::Bool => ("bool", "bool"),
            Self::Int => ("int", "int"),
            Self::Text => ("string", "string"),
            Self::Texts => ("[]string", "[]string(slice)"),
            Self::Tables(name) => (name, name),
        }
    }

    fn takes(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Self::Bool, Value::Boolean(_))
                | (Self::Int, Value::Integer(_))
                | (Self::Text, Value::String(_))
                | (Self::Tables(_), Value::Table(_))
        )
    }
}

/// A field: its key, its name in Go, its type, and the releases from and up to which it exists.
type Field = (&'static str, &'static str, Kind, (u32, u32), (u32, u32));

const ALWAYS: (u32, u32) = (0, 0);
const NEWEST: (u32, u32) = (u32::MAX, 0);
const LAST_V1: (u32, u32) = (1, u32::MAX);
const V2: (u32, u32) = (2, 0);

const CONTAINERD: &[Field] = &[
    ("snapshotter", "Snapshotter", Kind::Text, ALWAYS, LAST_V1),
    ("default_runtime_name", "DefaultRuntimeName", Kind::Text, ALWAYS, NEWEST),
    ("runtimes", "Runtimes", Kind::Tables("map[string]config.Runtime"), V2, NEWEST),
    ("no_pivot", "NoPivot", Kind::Bool, ALWAYS, LAST_V1),
    ("disable_snapshot_annotations", "DisableSnapshotAnnotations", Kind::Bool, ALWAYS, LAST_V1),
    ("discard_unpacked_layers", "DiscardUnpackedLayers", Kind::Bool, ALWAYS, LAST_V1),
    ("ignore_blockio_not_enabled_errors", "IgnoreBlockIONotEnabledErrors", Kind::Bool, ALWAYS, NEWEST),
    ("ignore_rdt_not_enabled_errors", "IgnoreRdtNotEnabledErrors", Kind::Bool, ALWAYS, NEWEST),
];

const CNI: &[Field] = &[
    ("bin_dir", "NetworkPluginBinDir", Kind::Text, ALWAYS, NEWEST),
    ("bin_dirs", "NetworkPluginBinDirs", Kind::Texts, (2, 1), NEWEST),
    ("conf_dir", "NetworkPluginConfDir", Kind::Text, ALWAYS, NEWEST),
    ("max_conf_num", "NetworkPluginMaxConfNum", Kind::Int, ALWAYS, NEWEST),
    ("setup_serially", "NetworkPluginSetupSerially", Kind::Bool, ALWAYS, NEWEST),
    ("conf_template", "NetworkPluginConfTemplate", Kind::Text, ALWAYS, NEWEST),
    ("ip_pref", "IPPreference", Kind::Text, ALWAYS, NEWEST),
    ("use_internal_loopback", "UseInternalLoopback", Kind::Bool, V2, NEWEST),
];

const PLUGIN: &[Field] = &[
    ("containerd", "ContainerdConfig", Kind::Tables("config.ContainerdConfig"), V2, NEWEST),
    ("cni", "CniConfig", Kind::Tables("config.CniConfig"), V2, NEWEST),
    ("disable_tcp_service", "DisableTCPService", Kind::Bool, ALWAYS, LAST_V1),
    ("stream_server_address", "StreamServerAddress", Kind::Text, ALWAYS, LAST_V1),
    ("stream_server_port", "StreamServerPort", Kind::Text, ALWAYS, LAST_V1),
    ("stream_idle_timeout", "StreamIdleTimeout", Kind::Text, ALWAYS, LAST_V1),
    ("enable_selinux", "EnableSelinux", Kind::Bool, ALWAYS, NEWEST),
    ("selinux_category_range", "SelinuxCategoryRange", Kind::Int, ALWAYS, NEWEST),
    ("sandbox_image", "SandboxImage", Kind::Text, ALWAYS, LAST_V1),
    ("stats_collect_period", "StatsCollectPeriod", Kind::Int, ALWAYS, LAST_V1),
    ("systemd_cgroup", "SystemdCgroup", Kind::Bool, ALWAYS, LAST_V1),
    ("enable_tls_streaming", "EnableTLSStreaming", Kind::Bool, ALWAYS, LAST_V1),
    ("max_container_log_line_size", "MaxContainerLogLineSize", Kind::Int, ALWAYS, NEWEST),
    ("disable_cgroup", "DisableCgroup", Kind::Bool, ALWAYS, LAST_V1),
    ("disable_apparmor", "DisableApparmor", Kind::Bool, ALWAYS, NEWEST),
    ("restrict_oom_score_adj", "RestrictOOMScoreAdj", Kind::Bool, ALWAYS, NEWEST),
    ("max_concurrent_downloads", "MaxConcurrentDownloads", Kind::Int, ALWAYS, LAST_V1),
    ("disable_proc_mount", "DisableProcMount", Kind::Bool, ALWAYS, NEWEST),
    ("unset_seccomp_profile", "UnsetSeccompProfile", Kind::Text, ALWAYS, NEWEST),
    ("tolerate_missing_hugetlb_controller", "TolerateMissingHugetlbController", Kind::Bool, ALWAYS, NEWEST),
    ("disable_hugetlb_controller", "DisableHugetlbController", Kind::Bool, ALWAYS, NEWEST),
    (
        "device_ownership_from_security_context",
        "DeviceOwnershipFromSecurityContext",
        Kind::Bool,
        ALWAYS,
        NEWEST,
    ),
    ("ignore_image_defined_volumes", "IgnoreImageDefinedVolumes", Kind::Bool, ALWAYS, NEWEST),
    ("netns_mounts_under_state_dir", "NetNSMountsUnderStateDir", Kind::Bool, ALWAYS, NEWEST),
    ("enable_unprivileged_ports", "EnableUnprivilegedPorts", Kind::Bool, ALWAYS, NEWEST),
    ("enable_unprivileged_icmp", "EnableUnprivilegedICMP", Kind::Bool, ALWAYS, NEWEST),
    ("enable_cdi", "EnableCDI", Kind::Bool, ALWAYS, NEWEST),
    ("cdi_spec_dirs", "CDISpecDirs", Kind::Texts, ALWAYS, NEWEST),
    ("image_pull_progress_timeout", "ImagePullProgressTimeout", Kind::Text, ALWAYS, LAST_V1),
    ("drain_exec_sync_io_timeout", "DrainExecSyncIOTimeout", Kind::Text, ALWAYS, NEWEST),
    ("image_pull_with_sync_fs", "ImagePullWithSyncFs", Kind::Bool, ALWAYS, LAST_V1),
    ("ignore_deprecation_warnings", "IgnoreDeprecationWarnings", Kind::Texts, ALWAYS, NEWEST),
    ("stats_collect_period", "StatsCollectPeriod", Kind::Text, (2, 3), NEWEST),
    ("stats_retention_period", "StatsRetentionPeriod", Kind::Text, (2, 3), NEWEST),
    ("enable_criu", "EnableCRIU", Kind::Bool, (2, 2), NEWEST),
    (
        "enable_experimental_restore_via_create",
        "EnableExperimentalRestoreViaCreate",
        Kind::Bool,
        (2, 2),
        (2, 3),
    ),
];

const HANDLER: &[Field] = &[
    ("runtime_type", "Type", Kind::Text, V2, NEWEST),
    ("runtime_path", "Path", Kind::Text, V2, NEWEST),
    ("pod_annotations", "PodAnnotations", Kind::Texts, V2, NEWEST),
    ("container_annotations", "ContainerAnnotations", Kind::Texts, V2, NEWEST),
    ("options", "Options", Kind::Tables("map[string]interface {}"), V2, NEWEST),
    ("privileged_without_host_devices", "PrivilegedWithoutHostDevices", Kind::Bool, V2, NEWEST),
    (
        "privileged_without_host_devices_all_devices_allowed",
        "PrivilegedWithoutHostDevicesAllDevicesAllowed",
        Kind::Bool,
        V2,
        NEWEST,
    ),
    ("cgroup_writable", "CgroupWritable", Kind::Bool, (2, 1), NEWEST),
    ("base_runtime_spec", "BaseRuntimeSpec", Kind::Text, V2, NEWEST),
    ("cni_conf_dir", "NetworkPluginConfDir", Kind::Text, ALWAYS, NEWEST),
    ("cni_max_conf_num", "NetworkPluginMaxConfNum", Kind::Int, ALWAYS, NEWEST),
    ("snapshotter", "Snapshotter", Kind::Text, ALWAYS, NEWEST),
    ("sandbox_mode", "SandboxMode", Kind::Text, ALWAYS, LAST_V1),
    ("sandboxer", "Sandboxer", Kind::Text, V2, NEWEST),
    ("io_type", "IOType", Kind::Text, V2, NEWEST),
];

fn exists(field: &Field, release: Release) -> bool {
    (field.3..=field.4).contains(&(release.major, release.minor))
}

/// One table's fields. 2.x writes the table out anew before it decodes it: plain values sorted, then
/// tables; 1.x goes by the order of the struct.
fn decodable(
    table: &Table,
    go_struct: &'static str,
    fields: &[Field],
    release: Release,
) -> Result<(), Broken> {
    let reader = Reader { table, release, go_struct };
    let check = |field: &Field, node: &Node| {
        if let (Kind::Texts, Value::Array(items)) = (field.2, &node.value) {
            // go-toml v1 names the place of the list.
            let at = |item: &Node| Node { place: node.place.clone(), value: item.value.clone() };
            let odd = items.iter().find(|item| item.str().is_none()).map(at);
            return odd.map_or(Ok(()), |odd| Err(reader.mismatch(&odd, field.1, "[]string", "string")));
        }
        let (go, v1) = field.2.go();
        // What a table in a plain value's place leads to differs too much to tell.
        let told = field.2.takes(&node.value) || node.table().is_some();
        if told { Ok(()) } else { Err(reader.mismatch(node, field.1, go, v1)) }
    };
    let mut known = fields.iter().filter(|field| exists(field, release));
    if release.is_v1() {
        return known.try_for_each(|field| find(table, field.0, release).map_or(Ok(()), |n| check(field, n)));
    }
    let mut plain: Vec<(&String, &Node)> = table.iter().collect();
    plain.sort_by_key(|(key, _)| *key);
    let known: Vec<&Field> = known.collect();
    plain.into_iter().try_for_each(|(key, node)| {
        known.iter().find(|f| f.0.eq_ignore_ascii_case(key)).map_or(Ok(()), |field| check(field, node))
    })
}

/// Whether the plugin's table can be decoded.
pub fn decode(cri: &Table, release: Release) -> Result<(), Broken> {
    let plugin = |release| decodable(cri, "config.RuntimeConfig", PLUGIN, release);
    if release.is_v1() {
        containerd(cri, release)?;
        cni(cri, release)?;
        return plugin(release);
    }
    plugin(release)?;
    cni(cri, release)?;
    containerd(cri, release)
}

fn containerd(cri: &Table, release: Release) -> Result<(), Broken> {
    let Some(node) = subtable(cri, "containerd", release) else { return Ok(()) };
    let Some(table) = node.table() else { return Ok(()) };
    decodable(table, "config.ContainerdConfig", CONTAINERD, release)?;
    let Some(node) = subtable(table, "runtimes", release) else { return Ok(()) };
    let Some(handlers) = node.table() else { return Ok(()) };
    let mut names: Vec<&String> = handlers.keys().collect();
    names.sort();
    names
        .into_iter()
        .filter_map(|name| handlers.get(name)?.table())
        .try_for_each(|handler| decodable(handler, "config.Runtime", HANDLER, release))
}

fn cni(cri: &Table, release: Release) -> Result<(), Broken> {
    let Some(node) = subtable(cri, "cni", release) else { return Ok(()) };
    node.table().map_or(Ok(()), |table| decodable(table, "config.CniConfig", CNI, release))
}

/// The fields that are read as durations once the handlers are found good.
pub fn durations(cri: &Table, release: Release) -> Result<(), EngineMessage> {
    let all: &[(&str, &str, bool)] = &[
        ("stream_idle_timeout", "invalid stream idle timeout", release.is_v1()),
        ("image_pull_progress_timeout", "invalid image pull progress timeout", release.is_v1()),
        ("drain_exec_sync_io_timeout", "invalid `drain_exec_sync_io_timeout`", true),
        ("stats_collect_period", "invalid `stats_collect_period`", (release.major, release.minor) >= (2, 3)),
        (
            "stats_retention_period",
            "invalid `stats_retention_period`",
            (release.major, release.minor) >= (2, 3),
        ),
    ];
    for (key, what, _) in all.iter().filter(|(_, _, there)| *there) {
        let text = find(cri, key, release).and_then(Node::str).unwrap_or_default();
        if !text.is_empty() {
            duration::parse(text).map_err(|why| EngineMessage::from(format!("{what}: {why}")))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::cri::containerd::{Containerd, Release};
    use crate::input::host::{Host, HostFacts, MemoryFiles};

    const OLD: &str = "version = 2\n[plugins.'io.containerd.grpc.v1.cri']\n";
    const NEW: &str = "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n";

    fn said(release: &str, files: &[(&str, &str)]) -> String {
        let files = files.iter().fold(MemoryFiles::new(), |all, (path, text)| all.file(path, 0o644, *text));
        let host = Host::new(HostFacts::default(), Arc::new(files));
        let release = Release::parse(release).unwrap();
        let read = Containerd::read(&host, "/c.toml", release, None);
        read.handlers.map_or_else(|broken| broken.message, |found| format!("{:?}", found.by_name.keys()))
    }

    #[test]
    fn one_bad_field_stops_the_plugin() {
        let with = |head: &str, rest: &str| format!("{head}{rest}\n");
        for (release, text, want) in [
            (
                "2.3.4",
                with(NEW, "enable_selinux = 'x'"),
                "toml: cannot decode TOML string into struct field config.RuntimeConfig.EnableSelinux of type bool",
            ),
            ("1.7.34", with(OLD, "enable_selinux = 'x'"), "(3, 1): Can't convert x(string) to bool"),
            (
                "2.3.4",
                with(NEW, "drain_exec_sync_io_timeout = 'x'"),
                "invalid plugin config: invalid `drain_exec_sync_io_timeout`: time: invalid duration \"x\"",
            ),
            (
                "2.0.11",
                with(NEW, "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\nio_type = 'x'"),
                "invalid plugin config: `io_type` can only be `streaming` or `named_pipe`",
            ),
            (
                "2.3.4",
                with(NEW, "cni = { bin_dir = '/a', bin_dirs = ['/b'] }"),
                "invalid plugin config: `cni.bin_dir` and `cni.bin_dirs` cannot be set at the same time",
            ),
            (
                "1.7.34",
                with(OLD, "registry = { config_path = '/a', mirrors = { x = {} } }"),
                "invalid plugin config: `mirrors` cannot be set when `config_path` is provided",
            ),
            ("2.3.4", with(OLD, "cni = { bin_dir = '/a', bin_dirs = ['/b'] }"), "[\"runc\"]"),
        ] {
            assert_eq!(said(release, &[("/c.toml", &text)]), want, "{release}: {text}");
        }
    }

    #[test]
    fn every_spelling_of_a_table_counts_from_2_0_on() {
        let text = with_runtimes("containerd", "a") + &with_runtimes("Containerd", "b");
        let text = format!("version = 3\n{text}");
        assert_eq!(said("2.3.4", &[("/c.toml", &text)]), "[\"runc\", \"b\", \"a\"]");
    }

    fn with_runtimes(spelt: &str, name: &str) -> String {
        let table = format!("plugins.'io.containerd.cri.v1.runtime'.{spelt}.runtimes.{name}");
        format!("[{table}]\nruntime_type = 'io.containerd.kata.v2'\n")
    }

    #[test]
    fn no_step_leads_past_the_newest_version() {
        let files = [("/c.toml", "version = 5\nimports = ['d.toml']\n"), ("/d.toml", "version = 2\n")];
        assert_eq!(said("2.3.4", &files), "panic: runtime error: index out of range [4]");
    }
}
