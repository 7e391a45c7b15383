//! The remote hypervisor: the calls to the service that makes the VM elsewhere.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/remote at each tag.

use serde_json::json;

use super::network;
use super::remarks::Remarks;
use super::resources::Resources;
use super::{Refusal, Spelled, Start};
use crate::answer::launch::{Cause, Launch, Request};
use crate::input::Text;
use crate::release::rs::Change;

/// A remote sandbox that will not fail any more.
pub(super) struct Plan<'a> {
    start: Start<'a>,
    pub(super) resources: Resources<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        if network::netns(&start).is_some() && !start.host.network().exists {
            let refusal = Refusal::because("No such file or directory (os error 2)", &[]);
            return Err(refusal.within("prepare vm: check netns path"));
        }
        // Devices are registered, and the registration does nothing.
        Resources::new(&start, false).map(|resources| Self { start, resources })
    }

    /// A CRI annotation under either of its names.
    fn cri(&self, containerd: &str, crio: &str) -> &str {
        let annotations = self.start.sandbox.annotations;
        let fallback = || annotations.get(crio).filter(|_| self.start.has(Change::RemoteFallback));
        annotations.get(containerd).or_else(fallback).map_or("", Text::as_str)
    }

    pub(super) fn remarks(&self) -> Remarks {
        Remarks::of(&self.start, &self.resources)
    }

    pub(super) fn spell(&self) -> Spelled {
        let (hv, keys, id) = (self.start.hv, self.start.keys, &self.start.paths.id);
        let set = |name: &str| format!("io.katacontainers.config.hypervisor.{name}");
        let all = [
            (
                "io.kubernetes.cri.sandbox-name".to_owned(),
                self.cri("io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.KubeName").to_owned(),
                Cause::rule("the pod's name"),
            ),
            (
                "io.kubernetes.cri.sandbox-namespace".to_owned(),
                self.cri("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace").to_owned(),
                Cause::rule("the pod's namespace"),
            ),
            (set("machine_type"), hv.machine_info.machine_type.to_string(), Cause::key(keys.machine_type)),
            (set("default_vcpus"), hv.cpu_info.default_vcpus.to_string(), Cause::key(keys.default_vcpus)),
            (
                set("default_memory"),
                hv.memory_info.default_memory.to_string(),
                Cause::key(keys.default_memory),
            ),
            (set("image"), hv.boot_info.image.to_string(), Cause::key(keys.image)),
            (set("cc_init_data"), hv.security_info.initdata.to_string(), Cause::key(keys.initdata)),
            (set("default_gpus"), hv.remote_info.default_gpus.to_string(), Cause::key(keys.default_gpus)),
            (
                set("default_gpu_model"),
                hv.remote_info.default_gpu_model.to_string(),
                Cause::key(keys.default_gpu_model),
            ),
        ];
        let mut annotations = serde_json::Map::new();
        let mut causes = Vec::with_capacity(all.len());
        for (name, value, cause) in all {
            causes.push((format!("/annotations/{name}"), cause));
            annotations.insert(name, value.into());
        }
        let body = json!({ "id": id, "annotations": annotations, "networkNamespacePath": network::netns(&self.start).unwrap_or_default() });
        let create = Request { method: "rpc".into(), path: "CreateVM".into(), body, causes };
        let begin = Request {
            method: "rpc".into(),
            path: "StartVM".into(),
            body: json!({ "id": id }),
            causes: Vec::new(),
        };
        Spelled {
            launch: Launch { requests: vec![create, begin], ..Launch::default() },
            kernel_params: Vec::new(),
        }
    }
}
