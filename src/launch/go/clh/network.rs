//! The pod's network cards in Cloud Hypervisor's requests: `vm.add-net` for each, before that a part of `vm.create`.
//!
//! Facts: `addNet` in src/runtime/virtcontainers/clh.go, and the fields and defaults of
//! src/runtime/virtcontainers/pkg/cloud-hypervisor/client from 2.0.0 to 4.1.0.

use serde_json::Value as Json;

use super::super::endpoint::Endpoint;
use super::super::network::{Abilities, MODEL, Network};
use super::vm_config::{Object, limiter};
use super::{Plan, Refusal};
use crate::answer::launch::{Cause, Request};
use crate::input::Host;
use crate::release::go::Change;
use crate::runtime::go::config::SandboxConfig;

/// The pod's network, or what is said to a card that cannot be joined.
pub(super) fn of<'a>(host: &'a Host, config: &SandboxConfig) -> Result<Network<'a>, Refusal> {
    let by_descriptors = config.release.has(Change::ClhAddNet);
    let refuse = |message: &'static str| Err(Refusal::because(message, &[MODEL]));
    Network::of(host, config, Abilities { queues: false, limits: true }, |card| match card.has_pair() {
        true if card.taps > 0 || !by_descriptors => Ok(()),
        true => refuse("The file descriptors for the network pair are not present"),
        false if by_descriptors => refuse("net Pair to be added is nil, needed to get TAP file descriptors"),
        false => refuse("net Pair to be added is nil, needed to get TAP path"),
    })
}

impl Plan<'_> {
    /// The requests that add the cards to a VM that was created; the descriptors of the taps go with them.
    pub(super) fn add_net(&self) -> Vec<Request> {
        if !self.has(Change::ClhAddNet) {
            return Vec::new();
        }
        let request = |card: &Endpoint<'_>| Request {
            method: "PUT".into(),
            path: "vm.add-net".into(),
            body: self.card(card),
            causes: self.card_causes("", card),
        };
        self.network.endpoints.iter().filter(|card| card.has_pair()).map(request).collect()
    }

    /// The cards that are a part of the VM's configuration.
    pub(super) fn cards(&self) -> Vec<Json> {
        if self.has(Change::ClhAddNet) {
            return Vec::new();
        }
        self.network.endpoints.iter().map(|card| self.card(card)).collect()
    }

    /// What decided a card, which is at `pointer`.
    pub(super) fn card_causes(&self, pointer: &str, card: &Endpoint<'_>) -> Vec<(String, Cause)> {
        let keys = self.keys;
        let rates = [
            keys.net_rate_limiter_bw_max_rate,
            keys.net_rate_limiter_bw_one_time_burst,
            keys.net_rate_limiter_ops_max_rate,
            keys.net_rate_limiter_ops_one_time_burst,
        ];
        vec![
            (pointer.to_owned(), self.network.cause(&["runtime.internetworking_model"], card)),
            (format!("{pointer}/iommu"), Cause::key(keys.enable_iommu)),
            (format!("{pointer}/rate_limiter_config"), Cause::keys(rates)),
        ]
    }

    fn card(&self, card: &Endpoint<'_>) -> Json {
        let hv = self.hv;
        let generated = self.generated();
        let mut body = Object::default();
        body.set_if(generated, "iommu", self.iommu());
        body.set_if(generated, "ip", "192.168.249.1");
        body.set("mac", card.interface.mac.as_str());
        body.set_if(generated, "mask", "255.255.255.0");
        body.set_if(generated, "num_queues", 2);
        for name in ["offload_csum", "offload_tso", "offload_ufo"] {
            body.set_if(self.has(Change::ClhOffloads), name, true);
        }
        body.set_if(generated, "queue_size", 256);
        let limiter = limiter(
            (hv.net_rate_limiter_bw_max_rate, hv.net_rate_limiter_bw_one_time_burst),
            (hv.net_rate_limiter_ops_max_rate, hv.net_rate_limiter_ops_one_time_burst),
        );
        if let Some(limiter) = limiter.filter(|_| self.has(Change::ClhRateLimits)) {
            body.set("rate_limiter_config", limiter);
        }
        if !self.has(Change::ClhAddNet) {
            body.set("tap", card.tap.as_str());
        }
        body.set_if(generated, "vhost_mode", "Client");
        body.set_if(generated, "vhost_user", false);
        body.into()
    }
}
