//! The keys of CRI-O's files: the table they stand in, their type, the releases that know them.
//!
//! Decides nothing; `decode` does with it. A key of the wrong type stops the daemon, an unknown one is read
//! past, and a key is unknown to a release that is older than it. Facts: pkg/config/config.go,
//! pkg/config/workloads.go and internal/config/nri/nri.go of cri-o, v1.30.0 to v1.36.3.

use super::release::{Release, Since};

/// The type of a key, as Go has it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// An integer.
    Number,
    /// A list of strings.
    Texts,
    /// A `time.Duration`: a text such as `30s`, or a number.
    Duration,
    /// A table of strings. What is no table at all is read past.
    TextMap,
    /// A table of tables of this shape, each of which a later file replaces. What is no table is read past.
    Entries(&'static Shape),
    /// A table.
    Table(&'static Shape),
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written; letter case does not matter.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    since: Since,
    /// The last line of releases that knows it.
    last_line: u32,
}

impl Key {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, since: &[], last_line: u32::MAX }
    }

    const fn since(self, since: Since) -> Self {
        Self { since, ..self }
    }

    const fn up_to_line(self, last_line: u32) -> Self {
        Self { last_line, ..self }
    }

    /// Whether `release` reads it.
    pub fn is_known(&self, release: Release) -> bool {
        release.is_since(self.since) && release.minor <= self.last_line
    }
}

/// A table with its keys.
#[derive(Debug)]
pub struct Shape {
    /// The Go type, as messages name it.
    pub go: &'static str,
    /// Its keys in the order of Go's fields.
    pub keys: &'static [Key],
}

const fn text(name: &'static str) -> Key {
    Key::new(name, Kind::Text)
}

const fn flag(name: &'static str) -> Key {
    Key::new(name, Kind::Flag)
}

const fn number(name: &'static str) -> Key {
    Key::new(name, Kind::Number)
}

const fn texts(name: &'static str) -> Key {
    Key::new(name, Kind::Texts)
}

const fn duration(name: &'static str) -> Key {
    Key::new(name, Kind::Duration)
}

/// The whole file.
pub static FILE: Shape = Shape { go: "config.tomlConfig", keys: &[Key::new("crio", Kind::Table(&CRIO))] };

/// `[crio]`
pub static CRIO: Shape = Shape {
    go: concat!(
        "struct { config.RootConfig; API struct { config.APIConfig } \"toml:\\\"api\\\"\"; ",
        "Runtime struct { config.RuntimeConfig } \"toml:\\\"runtime\\\"\"; ",
        "Image struct { config.ImageConfig } \"toml:\\\"image\\\"\"; ",
        "Network struct { config.NetworkConfig } \"toml:\\\"network\\\"\"; ",
        "Metrics struct { config.MetricsConfig } \"toml:\\\"metrics\\\"\"; ",
        "Tracing struct { config.TracingConfig } \"toml:\\\"tracing\\\"\"; ",
        "Stats struct { config.StatsConfig } \"toml:\\\"stats\\\"\"; ",
        "NRI struct { *nri.Config } \"toml:\\\"nri\\\"\" }"
    ),
    keys: &[
        text("root"),
        text("runroot"),
        text("imagestore"),
        text("storage_driver"),
        texts("storage_option"),
        text("log_dir"),
        text("version_file"),
        text("version_file_persist"),
        text("clean_shutdown_file"),
        flag("internal_wipe"),
        flag("internal_repair"),
        Key::new("api", Kind::Table(&API)),
        Key::new("runtime", Kind::Table(&RUNTIME)),
        Key::new("image", Kind::Table(&IMAGE)),
        Key::new("network", Kind::Table(&NETWORK)),
        Key::new("metrics", Kind::Table(&METRICS)),
        Key::new("tracing", Kind::Table(&TRACING)),
        Key::new("stats", Kind::Table(&STATS)),
        Key::new("nri", Kind::Table(&NRI)),
    ],
};

/// `[crio.api]`
pub static API: Shape = Shape {
    go: "struct { config.APIConfig }",
    keys: &[
        number("grpc_max_send_msg_size"),
        number("grpc_max_recv_msg_size"),
        text("listen"),
        text("stream_address"),
        text("stream_port"),
        flag("stream_enable_tls"),
        text("stream_tls_cert"),
        text("stream_tls_key"),
        text("stream_tls_ca"),
        text("stream_idle_timeout"),
        text("tls_min_version").since(&[(35, 1)]),
        texts("tls_cipher_suites").since(&[(35, 1)]),
    ],
};

/// `[crio.runtime]`
pub static RUNTIME: Shape = Shape {
    go: "struct { config.RuntimeConfig }",
    keys: &[
        flag("no_pivot"),
        flag("selinux"),
        flag("log_to_journald"),
        flag("drop_infra_ctr"),
        flag("read_only"),
        texts("conmon_env"),
        texts("hooks_dir"),
        texts("default_capabilities"),
        flag("add_inheritable_capabilities"),
        texts("default_env"),
        number("min_injected_gomaxprocs").since(&[(33, 12), (34, 8), (35, 3)]),
        texts("default_sysctls"),
        texts("default_ulimits"),
        texts("allowed_devices"),
        texts("additional_devices"),
        texts("cdi_spec_dirs"),
        flag("device_ownership_from_security_context"),
        text("default_runtime"),
        text("decryption_keys_path"),
        texts("additional_artifact_stores").since(&[(35, 2)]),
        text("conmon"),
        text("conmon_cgroup"),
        text("seccomp_profile"),
        text("privileged_seccomp_profile").since(&[(33, 0)]),
        text("apparmor_profile"),
        text("blockio_config_file"),
        flag("blockio_reload"),
        text("irqbalance_config_file"),
        text("rdt_config_file"),
        text("cgroup_manager"),
        text("default_mounts_file"),
        text("container_exits_dir"),
        text("container_attach_socket_dir"),
        text("bind_mount_prefix"),
        text("uid_mappings"),
        number("minimum_mappable_uid"),
        text("gid_mappings"),
        number("minimum_mappable_gid"),
        text("log_level"),
        text("log_filter"),
        text("namespaces_dir"),
        text("pinns_path"),
        flag("enable_criu_support"),
        Key::new("runtimes", Kind::Entries(&HANDLER)),
        Key::new("workloads", Kind::Entries(&WORKLOAD)),
        number("pids_limit"),
        number("log_size_max"),
        number("ctr_stop_timeout"),
        text("separate_pull_cgroup"),
        text("infra_ctr_cpuset"),
        text("shared_cpuset"),
        texts("absent_mount_sources_to_reject"),
        flag("enable_pod_events"),
        text("irqbalance_config_restore_file"),
        flag("hostnetwork_disable_selinux"),
        flag("disable_hostport_mapping"),
        text("timezone"),
    ],
};

/// `[crio.runtime.runtimes.NAME]`
pub static HANDLER: Shape = Shape {
    go: "config.RuntimeHandler",
    keys: &[
        text("runtime_config_path"),
        text("runtime_path"),
        text("runtime_type"),
        text("runtime_root"),
        flag("privileged_without_host_devices"),
        texts("allowed_annotations"),
        // A field without a name of its own in the file; later it is none of the file's.
        texts("DisallowedAnnotations").up_to_line(30),
        text("monitor_path"),
        text("monitor_cgroup"),
        texts("monitor_env"),
        text("monitor_exec_cgroup"),
        Key::new("platform_runtime_paths", Kind::TextMap),
        flag("runtime_pull_image"),
        text("container_min_memory"),
        flag("no_sync_log").since(&[(31, 0)]),
        flag("inherit_default_runtime").since(&[(31, 3)]),
        Key::new("default_annotations", Kind::TextMap).since(&[(31, 4)]),
        flag("stream_websockets").since(&[(34, 0)]),
        text("exec_cpu_affinity").since(&[(34, 0)]),
        text("seccomp_profile").since(&[(34, 0)]),
        number("container_create_timeout").since(&[(35, 0)]),
    ],
};

/// `[crio.runtime.workloads.NAME]`
pub static WORKLOAD: Shape = Shape {
    go: "config.WorkloadConfig",
    keys: &[
        text("activation_annotation"),
        text("annotation_prefix"),
        texts("allowed_annotations"),
        texts("DisallowedAnnotations"),
        Key::new("resources", Kind::Table(&RESOURCES)),
    ],
};

/// `[crio.runtime.workloads.NAME.resources]`
pub static RESOURCES: Shape = Shape {
    go: "config.Resources",
    keys: &[number("CPUShares"), number("CPUQuota"), number("CPUPeriod"), text("CPUSet"), number("CPULimit")],
};

/// `[crio.image]`
pub static IMAGE: Shape = Shape {
    go: "struct { config.ImageConfig }",
    keys: &[
        text("default_transport"),
        text("global_auth_file"),
        text("namespaced_auth_dir").since(&[(34, 3)]),
        text("pause_image"),
        text("pause_image_auth_file"),
        text("pause_command"),
        texts("pinned_images"),
        text("signature_policy"),
        text("signature_policy_dir"),
        texts("insecure_registries"),
        text("image_volumes"),
        texts("registries").up_to_line(30),
        text("big_files_temporary_dir"),
        flag("auto_reload_registries"),
        duration("pull_progress_timeout").since(&[(30, 11), (31, 3)]),
        flag("oci_artifact_mount_support").since(&[(33, 0)]),
        text("short_name_mode").since(&[(34, 0)]),
    ],
};

/// `[crio.network]`
pub static NETWORK: Shape = Shape {
    go: "struct { config.NetworkConfig }",
    keys: &[
        text("cni_default_network"),
        text("network_dir"),
        text("plugin_dir"),
        texts("plugin_dirs"),
        duration("cni_status_grace_period").since(&[(36, 3)]),
    ],
};

/// `[crio.metrics]`
pub static METRICS: Shape = Shape {
    go: "struct { config.MetricsConfig }",
    keys: &[
        flag("enable_metrics"),
        texts("metrics_collectors"),
        text("metrics_host"),
        number("metrics_port"),
        text("metrics_socket"),
        text("metrics_cert"),
        text("metrics_key"),
    ],
};

/// `[crio.tracing]`
pub static TRACING: Shape = Shape {
    go: "struct { config.TracingConfig }",
    keys: &[flag("enable_tracing"), text("tracing_endpoint"), number("tracing_sampling_rate_per_million")],
};

/// `[crio.stats]`
pub static STATS: Shape = Shape {
    go: "struct { config.StatsConfig }",
    keys: &[number("stats_collection_period"), number("collection_period"), texts("included_pod_metrics")],
};

/// `[crio.nri]`
pub static NRI: Shape = Shape {
    go: "struct { *nri.Config }",
    keys: &[
        flag("enable_nri"),
        text("nri_listen"),
        text("nri_plugin_dir"),
        text("nri_plugin_config_dir"),
        duration("nri_plugin_registration_timeout"),
        duration("nri_plugin_request_timeout"),
        flag("nri_disable_connections"),
        Key::new("default_validator", Kind::Table(&VALIDATOR)).since(&[(34, 0)]),
    ],
};

static VALIDATOR: Shape = Shape {
    go: "nri.DefaultValidatorConfig",
    keys: &[
        flag("nri_enable_default_validator"),
        flag("nri_validator_reject_oci_hook_adjustment"),
        flag("nri_validator_reject_runtime_default_seccomp_adjustment"),
        flag("nri_validator_reject_unconfined_seccomp_adjustment"),
        flag("nri_validator_reject_custom_seccomp_adjustment"),
        flag("nri_validator_reject_namespace_adjustment"),
        texts("nri_validator_required_plugins"),
        text("nri_validator_tolerate_missing_plugins_annotation"),
    ],
};
