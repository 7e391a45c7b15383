//! The pod's network endpoints in Cloud Hypervisor's requests: `vm.add-net` for each, before that a part of `vm.create`.
//!
//! Facts: `addNet` in src/runtime/virtcontainers/clh.go, and the fields and defaults of
//! src/runtime/virtcontainers/pkg/cloud-hypervisor/client from 2.0.0 to 4.1.0.

use super::super::endpoint::Endpoint;
use super::super::network::{MODEL, Network};
use super::{Change, Clh, Refusal, Start, refuse};
use crate::answer::launch::Request;
use crate::launch::body::Body;

/// The pod's network, or what is said to an endpoint that cannot be joined.
pub(super) fn of<'a>(start: &Start<'a>) -> Result<Network<'a>, Refusal> {
    let by_descriptors = start.has(Change::ClhAddNet);
    let refuse = |message: &'static str| refuse(message, &[MODEL]);
    Network::of(start, |endpoint| match endpoint.has_pair() {
        true if endpoint.taps > 0 || !by_descriptors => Ok(()),
        true => refuse("The file descriptors for the network pair are not present"),
        false if by_descriptors => refuse("net Pair to be added is nil, needed to get TAP file descriptors"),
        false => refuse("net Pair to be added is nil, needed to get TAP path"),
    })
}

impl Clh<'_> {
    /// The requests that add the endpoints to a VM that was created; the descriptors of the taps go with them.
    pub(super) fn add_net(&self) -> Vec<Request> {
        let endpoints = self
            .network
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.has_pair() && self.has(Change::ClhAddNet));
        endpoints.map(|endpoint| self.endpoint(endpoint).request("PUT", "vm.add-net")).collect()
    }

    /// The endpoints that are a part of the VM's configuration.
    pub(super) fn endpoints(&self) -> Vec<Body> {
        let endpoints = self.network.endpoints.iter().filter(|_| !self.has(Change::ClhAddNet));
        endpoints.map(|endpoint| self.endpoint(endpoint)).collect()
    }

    fn endpoint(&self, endpoint: &Endpoint<'_>) -> Body {
        let (hv, keys, generated) = (self.start.hv, self.start.keys, self.generated());
        let offloads = self.has(Change::ClhOffloads);
        let limits = [
            (hv.net_rate_limiter_bw_max_rate, keys.net_rate_limiter_bw_max_rate),
            (hv.net_rate_limiter_bw_one_time_burst, keys.net_rate_limiter_bw_one_time_burst),
            (hv.net_rate_limiter_ops_max_rate, keys.net_rate_limiter_ops_max_rate),
            (hv.net_rate_limiter_ops_one_time_burst, keys.net_rate_limiter_ops_one_time_burst),
        ];
        let card = Body::default()
            .all_by(self.network.cause(&["runtime.internetworking_model"], endpoint))
            .by_if(generated, "iommu", self.iommu(), keys.enable_iommu)
            .set_if(generated, "ip", "192.168.249.1")
            .set("mac", &endpoint.interface.mac)
            .set_if(generated, "mask", "255.255.255.0")
            .set_if(generated, "num_queues", 2)
            .set_if(offloads, "offload_csum", true)
            .set_if(offloads, "offload_tso", true)
            .set_if(offloads, "offload_ufo", true)
            .set_if(generated, "queue_size", 256);
        self.limited(card, limits)
            .set_if(!self.has(Change::ClhAddNet), "tap", &endpoint.tap)
            .set_if(generated, "vhost_mode", "Client")
            .set_if(generated, "vhost_user", false)
    }
}
