//! The remote hypervisor of peer pods: the `CreateVM` call.
//!
//! Whether somebody answers on the socket is not looked at. Facts: src/runtime/virtcontainers/remote.go from
//! 3.3.0 to 4.1.0.

use serde_json::{Map, json};

use super::Started;
use super::changes::Change;
use super::keys;
use super::paths::NETWORK_NAMESPACE;
use crate::answer::launch::{Cause, Launch, Request};
use crate::runtime::go::config::{HypervisorType, SandboxConfig};

/// What is asked for one sandbox.
pub(super) fn start(config: &SandboxConfig<'_>) -> Started {
    let hv = &config.hypervisor_config;
    let keys = keys::of(HypervisorType::Remote);
    let mut annotations = Map::new();
    let mut set = |name: &str, value: &str| annotations.insert(name.to_owned(), value.into());
    let hypervisor = |name: &str| format!("io.katacontainers.config.hypervisor.{name}");
    if config.release.has(Change::RemoteInitdata) {
        match config.release.has(Change::RemoteInitdataOfHypervisor) {
            true => set(&hypervisor("cc_init_data"), &hv.initdata),
            false => set("io.katacontainers.config.runtime.cc_init_data", &hv.initdata),
        };
    }
    if config.release.has(Change::RemoteGpus) {
        set(&hypervisor("default_gpu_model"), &hv.default_gpu_model);
        set(&hypervisor("default_gpus"), &hv.default_gpus.to_string());
    }
    set(&hypervisor("default_memory"), &hv.memory_size.to_string());
    set(&hypervisor("default_vcpus"), &hv.num_vcpus().to_string());
    if config.release.has(Change::RemoteImage) {
        set(&hypervisor("image"), &hv.image_path);
    }
    set(&hypervisor("machine_type"), &hv.hypervisor_machine_type);
    set("io.kubernetes.cri.sandbox-name", &hv.sandbox_name);
    set("io.kubernetes.cri.sandbox-namespace", &hv.sandbox_namespace);
    let body = json!({
        "id": config.id,
        "annotations": annotations,
        "network_namespace_path": NETWORK_NAMESPACE,
    });
    let pointer = |name: &str| format!("/annotations/io.katacontainers.config.hypervisor.{name}");
    let causes = vec![
        (pointer("cc_init_data"), Cause::key(keys.cc_init_data)),
        (pointer("default_gpu_model"), Cause::key(keys.default_gpu_model)),
        (pointer("default_gpus"), Cause::key(keys.default_gpus)),
        (pointer("default_memory"), Cause::key(keys.default_memory)),
        (pointer("default_vcpus"), Cause::key(keys.default_vcpus).by("rounded up")),
        (pointer("image"), Cause::key(keys.image)),
        (pointer("machine_type"), Cause::key(keys.machine_type)),
        ("/network_namespace_path".to_owned(), Cause::rule("made by the CRI when the pod starts")),
    ];
    let create = Request { method: "rpc".into(), path: "CreateVM".into(), body, causes };
    let start = Request {
        method: "rpc".into(),
        path: "StartVM".into(),
        body: json!({ "id": config.id }),
        causes: Vec::new(),
    };
    Started {
        launch: Launch { requests: vec![create, start], ..Launch::default() },
        kernel_params: Vec::new(),
        kernel_cmdline: String::new(),
        shares_files: false,
        findings: Vec::new(),
    }
}
