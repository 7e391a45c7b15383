//! The requests that make the guest's network: interfaces, routes and neighbours.
//!
//! Facts: `generateVCNetworkStructures` in src/runtime/virtcontainers/network.go and `setupNetworks` in kata_agent.go
//! from 2.0.0 to 4.1.0; what the netlink library of a release says of a default route.

use serde_json::{Map, Value as Json};

use crate::answer::agent::NetworkRequests;
use crate::input::host::{Interface, Ip, Neighbour, Route};
use crate::launch::go::Network;
use crate::release::Release;
use crate::release::go::Change;

/// What the guest of one sandbox is told.
pub(super) fn requests(release: Release, network: &Network<'_>) -> NetworkRequests {
    let mut endpoints: Vec<_> = network.endpoints.iter().collect();
    endpoints.sort_by(|a, b| a.name().cmp(b.name()));
    let mut requests = NetworkRequests::default();
    for endpoint in endpoints {
        let name = endpoint.name();
        let kind = release.has(Change::InterfaceTypes).then_some(endpoint.kind.as_str());
        requests.update_interfaces.push(interface(&endpoint.interface, kind));
        let own = network.pod.routes.iter().filter(|route| route.dev == name);
        for route in own.clone().filter(|route| !route.of_kernel) {
            let down = !endpoint.interface.has_carrier();
            requests.update_routes.push(self::route(release, route, network.by_file, down));
        }
        let gateways: Vec<Ip> =
            own.filter(|route| route.leads_everywhere()).filter_map(|r| r.gateway).collect();
        let known = |neighbour: &&Neighbour| {
            neighbour.state == Neighbour::PERMANENT
                || (release.has(Change::GatewayNeighbours)
                    && neighbour.state == Neighbour::REACHABLE
                    && gateways.contains(&neighbour.ip))
        };
        let own = network.pod.neighbours.iter().filter(|neighbour| neighbour.dev == name);
        requests.add_arp_neighbors.extend(own.filter(known).map(self::neighbour));
    }
    requests
}

/// A request's fields, of which those that say nothing are not sent.
#[derive(Default)]
struct Fields(Map<String, Json>);

impl Fields {
    fn text(&mut self, name: &str, value: impl ToString) -> &mut Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    fn number(&mut self, name: &str, value: u32) -> &mut Self {
        if value != 0 {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }
}

fn interface(interface: &Interface, kind: Option<&str>) -> Json {
    let addresses: Vec<Json> = interface
        .all_addresses()
        .filter(|address| !address.ip.is_loopback())
        .map(|address| {
            let mut fields = Fields::default();
            fields.text("address", address.ip).number("family", address.ip.is_v6().into());
            fields.text("mask", address.mask());
            fields.0.into()
        })
        .collect();
    let mut fields = Fields::default();
    if !addresses.is_empty() {
        fields.0.insert("IPAddresses".into(), addresses.into());
    }
    fields.text("device", &interface.name).text("hwAddr", &interface.mac).number("mtu", interface.mtu);
    fields.text("name", &interface.name).text("type", kind.unwrap_or_default());
    fields.0.into()
}

/// `by_file`: it is one of a file of directly attached networks, and not the kernel's. `down`: its interface has no
/// carrier.
fn route(release: Release, route: &Route, by_file: bool, down: bool) -> Json {
    let to = match &route.to {
        Some(to) if by_file || !route.leads_everywhere() => to.to_string(),
        _ if by_file || !release.has(Change::DefaultRouteSpelled) => String::new(),
        _ if route.v6 => "::/0".to_owned(),
        _ => "0.0.0.0/0".to_owned(),
    };
    let mut fields = Fields::default();
    fields.text("dest", to).text("device", &route.dev);
    if release.has(Change::RouteFamily) {
        fields.number("family", route.v6.into());
    }
    if release.has(Change::RouteFlags) {
        fields.number("flags", route.flags | if down && !by_file { LINK_DOWN } else { 0 });
    }
    fields.text("gateway", route.gateway.map(|ip| ip.to_string()).unwrap_or_default());
    if release.has(Change::RouteMtu) {
        fields.number("mtu", route.mtu);
    }
    fields.number("scope", route.scope.into());
    fields.text("source", route.source.map(|ip| ip.to_string()).unwrap_or_default());
    fields.0.into()
}

/// What the kernel says of a route whose interface has no carrier (`RTNH_F_LINKDOWN`).
const LINK_DOWN: u32 = 16;

fn neighbour(neighbour: &Neighbour) -> Json {
    let mut address = Fields::default();
    address.text("address", neighbour.ip).number("family", neighbour.ip.is_v6().into());
    let mut fields = Fields::default();
    fields.text("device", &neighbour.dev).text("lladdr", &neighbour.mac);
    fields.number("state", neighbour.state.into());
    fields.0.insert("toIPAddress".into(), address.0.into());
    fields.0.into()
}
