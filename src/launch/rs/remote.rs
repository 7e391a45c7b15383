//! The remote hypervisor: the calls to the service that makes the VM elsewhere.
//!
//! Facts: src/runtime-rs/crates/hypervisor/src/remote at each tag.

use super::resources::Resources;
use super::{Context, Refusal, Start, Vm, network, refuse};
use crate::answer::launch::{Cause, Launch};
use crate::input::Text;
use crate::launch::body::Body;
use crate::release::rs::Change;

/// A remote sandbox that will not fail any more.
pub(super) struct Remote<'a> {
    start: Start<'a>,
    resources: Resources<'a>,
}

impl<'a> Remote<'a> {
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        if network::netns(&start).is_some() && !start.host.network().exists {
            return refuse("No such file or directory (os error 2)", &[])
                .context("prepare vm: check netns path");
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

    fn annotations(&self) -> Body {
        let (hv, keys) = (self.start.hv, self.start.keys);
        let (pod, namespace) = ("io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.sandbox-namespace");
        let pod_name = self.cri(pod, "io.kubernetes.cri-o.KubeName");
        let pod_namespace = self.cri(namespace, "io.kubernetes.cri-o.Namespace");
        let body = Body::default().by(pod, pod_name, Cause::rule("the pod's name")).by(
            namespace,
            pod_namespace,
            Cause::rule("the pod's namespace"),
        );
        [
            ("machine_type", hv.machine_info.machine_type.to_string(), keys.machine_type),
            ("default_vcpus", hv.cpu_info.default_vcpus.to_string(), keys.default_vcpus),
            ("default_memory", hv.memory_info.default_memory.to_string(), keys.default_memory),
            ("image", hv.boot_info.image.to_string(), keys.image),
            ("cc_init_data", hv.security_info.initdata.to_string(), keys.initdata),
            ("default_gpus", hv.remote_info.default_gpus.to_string(), keys.default_gpus),
            ("default_gpu_model", hv.remote_info.default_gpu_model.to_string(), keys.default_gpu_model),
        ]
        .into_iter()
        .fold(body, |body, (name, value, key)| {
            body.by(&format!("io.katacontainers.config.hypervisor.{name}"), value, key)
        })
    }
}

impl Vm for Remote<'_> {
    fn resources(&self) -> &Resources<'_> {
        &self.resources
    }

    fn launch(&self, _: &str) -> Launch {
        let id = self.start.paths.id;
        let create = Body::default()
            .set("id", id)
            .part("annotations", self.annotations())
            .set("networkNamespacePath", network::netns(&self.start).unwrap_or_default());
        let begin = Body::default().set("id", id);
        Launch {
            requests: vec![create.request("rpc", "CreateVM"), begin.request("rpc", "StartVM")],
            ..Launch::default()
        }
    }
}
