//! The remote hypervisor of peer pods: the `CreateVM` call.
//!
//! Whether somebody answers on the socket is not looked at. Facts: src/runtime/virtcontainers/remote.go from
//! 3.3.0 to 4.1.0.

use super::network::{BY_CRI, Network};
use super::{Change, Plan, Refusal, Start};
use crate::answer::finding::Finding;
use crate::answer::launch::{Cause, Launch};
use crate::launch::body::Body;

/// A remote sandbox that will not fail any more; the VM is joined to the pod's network elsewhere.
pub(super) struct Remote<'a> {
    start: Start<'a>,
    network: Network<'a>,
}

impl<'a> Remote<'a> {
    /// Decides, or says where upstream gives up.
    pub(super) fn new(start: Start<'a>) -> Result<Self, Refusal> {
        let network = Network::of(&start, |_| Ok(()))?;
        Ok(Self { start, network })
    }

    fn annotations(&self) -> Body {
        let (start, hv, keys) = (&self.start, self.start.hv, self.start.keys);
        let name = |name: &str| format!("io.katacontainers.config.hypervisor.{name}");
        let initdata = match start.has(Change::RemoteInitdataOfHypervisor) {
            true => name("cc_init_data"),
            false => "io.katacontainers.config.runtime.cc_init_data".to_owned(),
        };
        let gpus = start.has(Change::RemoteGpus);
        let by_vcpus = Cause::key(keys.default_vcpus).by("rounded up");
        let text = |number: u32| number.to_string();
        Body::default()
            .because(&name("cc_init_data"), keys.cc_init_data)
            .set_if(start.has(Change::RemoteInitdata), &initdata, &*hv.cc_init_data)
            .by_if(gpus, &name("default_gpu_model"), &*hv.default_gpu_model, keys.default_gpu_model)
            .by_if(gpus, &name("default_gpus"), text(hv.default_gpus), keys.default_gpus)
            .by(&name("default_memory"), text(hv.default_memory), keys.default_memory)
            .by(&name("default_vcpus"), text(hv.num_vcpus()), by_vcpus)
            .by_if(start.has(Change::RemoteImage), &name("image"), &*hv.image, keys.image)
            .by(&name("machine_type"), &*hv.machine_type, keys.machine_type)
            .set("io.kubernetes.cri.sandbox-name", &hv.sandbox_name)
            .set("io.kubernetes.cri.sandbox-namespace", &hv.sandbox_namespace)
    }
}

impl Plan for Remote<'_> {
    fn launch(&self, _: &str) -> Launch {
        let id = &self.start.config.id;
        let namespace = self.network.namespace;
        let named = namespace.is_some();
        let create = Body::default().set("id", id).part("annotations", self.annotations()).by_if(
            named,
            "network_namespace_path",
            namespace,
            Cause::rule(BY_CRI),
        );
        let begin = Body::default().set("id", id);
        Launch {
            requests: vec![create.request("rpc", "CreateVM"), begin.request("rpc", "StartVM")],
            ..Launch::default()
        }
    }

    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}
