//! The tables of `configuration.toml` that are no hypervisor's and no agent's, as the Go runtime declares them: every
//! key and its type.
//!
//! Decides nothing: which of them a release knows, the catalogue says. Facts: src/runtime/pkg/katautils/config.go
//! at 4.1.0, and for keys that went, at the last release that had them.

use crate::runtime::go::record::record;

record! {
    /// `[runtime]`
    RuntimeTable as "katautils.runtime" in Some("runtime");
    {
        internetworking_model: String,
        jaeger_endpoint: String,
        jaeger_user: String,
        jaeger_password: String,
        vfio_mode: String,
        guest_selinux_label: String,
        sandbox_bind_mounts: Vec<String>,
        experimental: Vec<String>,
        enable_tracing: bool,
        disable_new_netns: bool,
        disable_guest_seccomp: bool,
        enable_vcpus_pinning: bool,
        enable_debug: bool,
        sandbox_cgroup_only: bool,
        static_sandbox_resource_mgmt: bool,
        enable_pprof: bool,
        disable_guest_empty_dir: bool,
        emptydir_mode: String,
        create_container_timeout: u64,
        dan_conf: String,
        experimental_force_guest_pull: bool,
        pod_resource_api_sock: String,
        kubelet_root_dir: String,
    }
}

record! {
    /// `[netmon]`
    NetmonTable as "katautils.netmon" in Some("netmon");
    {
        path: String,
        enable_debug: bool,
        enable_netmon: bool,
    }
}

record! {
    /// `[factory]`
    FactoryTable as "katautils.factory" in Some("factory");
    {
        template_path: String,
        vm_cache_endpoint: String,
        vm_cache_number: u64,
        enable_template: bool,
    }
}
