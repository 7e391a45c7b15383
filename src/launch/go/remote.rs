//! The remote hypervisor of peer pods: the `CreateVM` call.
//!
//! Whether somebody answers on the socket is not looked at. Facts: src/runtime/virtcontainers/remote.go from
//! 3.3.0 to 4.1.0.

use serde_json::{Map, json};

use super::network::{Abilities, NAMESPACE_CAUSE, Network};
use super::{Refusal, Started};
use crate::answer::launch::{Cause, Launch, Request};
use crate::input::Host;
use crate::launch::put;
use crate::release::go::Change;
use crate::runtime::go::config::{HypervisorKeys, HypervisorType, SandboxConfig};

/// What is asked for one sandbox.
pub(super) fn start<'a>(host: &'a Host, config: &SandboxConfig) -> Result<Started<'a>, Refusal> {
    let network = network(host, config)?;
    let hv = &config.hypervisor_config;
    let keys = HypervisorKeys::of(HypervisorType::Remote);
    let mut annotations = Map::new();
    let mut set = |name: &str, value: &str| annotations.insert(name.to_owned(), value.into());
    let hypervisor = |name: &str| format!("io.katacontainers.config.hypervisor.{name}");
    if config.release.has(Change::RemoteInitdata) {
        match config.release.has(Change::RemoteInitdataOfHypervisor) {
            true => set(&hypervisor("cc_init_data"), &hv.cc_init_data),
            false => set("io.katacontainers.config.runtime.cc_init_data", &hv.cc_init_data),
        };
    }
    if config.release.has(Change::RemoteGpus) {
        set(&hypervisor("default_gpu_model"), &hv.default_gpu_model);
        set(&hypervisor("default_gpus"), &hv.default_gpus.to_string());
    }
    set(&hypervisor("default_memory"), &hv.default_memory.to_string());
    set(&hypervisor("default_vcpus"), &hv.num_vcpus().to_string());
    if config.release.has(Change::RemoteImage) {
        set(&hypervisor("image"), &hv.image);
    }
    set(&hypervisor("machine_type"), &hv.machine_type);
    set("io.kubernetes.cri.sandbox-name", &hv.sandbox_name);
    set("io.kubernetes.cri.sandbox-namespace", &hv.sandbox_namespace);
    let mut body = json!({ "id": config.id, "annotations": annotations });
    if let Some(namespace) = network.namespace {
        put(&mut body, "network_namespace_path", namespace.into());
    }
    let pointer = |name: &str| format!("/annotations/io.katacontainers.config.hypervisor.{name}");
    let causes = vec![
        (pointer("cc_init_data"), Cause::key(keys.cc_init_data)),
        (pointer("default_gpu_model"), Cause::key(keys.default_gpu_model)),
        (pointer("default_gpus"), Cause::key(keys.default_gpus)),
        (pointer("default_memory"), Cause::key(keys.default_memory)),
        (pointer("default_vcpus"), Cause::key(keys.default_vcpus).by("rounded up")),
        (pointer("image"), Cause::key(keys.image)),
        (pointer("machine_type"), Cause::key(keys.machine_type)),
        ("/network_namespace_path".to_owned(), NAMESPACE_CAUSE),
    ];
    let create = Request { method: "rpc".into(), path: "CreateVM".into(), body, causes };
    let start = Request {
        method: "rpc".into(),
        path: "StartVM".into(),
        body: json!({ "id": config.id }),
        causes: Vec::new(),
    };
    Ok(Started {
        launch: Launch { requests: vec![create, start], ..Launch::default() },
        network: Some(network),
        kernel_params: Vec::new(),
        kernel_cmdline: String::new(),
        shares_files: false,
        findings: Vec::new(),
    })
}

/// The pod's network, which the VM is joined to elsewhere.
pub(super) fn network<'a>(host: &'a Host, config: &SandboxConfig) -> Result<Network<'a>, Refusal> {
    Network::of(host, config, Abilities { queues: false, limits: false }, |_| Ok(()))
}
