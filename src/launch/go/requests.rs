//! The requests that make the guest's network: interfaces, routes and neighbours.
//!
//! Facts: `generateVCNetworkStructures` in src/runtime/virtcontainers/network.go and `setupNetworks` in kata_agent.go
//! from 2.0.0 to 4.1.0; what the netlink library of a release says of a default route.

use serde_json::{Value as Json, json};

use super::network::Network;
use super::{Change, Start};
use crate::answer::agent::NetworkRequests;
use crate::input::host::{Interface, Ip, Neighbour, Route};

/// What the guest of one sandbox is told.
pub(super) fn requests(start: &Start<'_>, network: &Network<'_>) -> NetworkRequests {
    let mut endpoints: Vec<_> = network.endpoints.iter().collect();
    endpoints.sort_by(|a, b| a.name().cmp(b.name()));
    let mut requests = NetworkRequests::default();
    for endpoint in endpoints {
        let name = endpoint.name();
        let kind = start.has(Change::InterfaceTypes).then_some(endpoint.kind.as_str());
        requests.update_interfaces.push(interface_request(&endpoint.interface, kind));
        let own = network.pod.routes.iter().filter(|route| route.dev == name);
        for route in own.clone().filter(|route| !route.of_kernel) {
            let down = !endpoint.interface.has_carrier();
            requests.update_routes.push(route_request(start, route, network.by_file, down));
        }
        let gateways: Vec<Ip> =
            own.filter(|route| route.leads_everywhere()).filter_map(|r| r.gateway).collect();
        let known = |neighbour: &&Neighbour| {
            neighbour.state == Neighbour::PERMANENT
                || (start.has(Change::GatewayNeighbours)
                    && neighbour.state == Neighbour::REACHABLE
                    && gateways.contains(&neighbour.ip))
        };
        let own = network.pod.neighbours.iter().filter(|neighbour| neighbour.dev == name);
        requests.add_arp_neighbors.extend(own.filter(known).map(neighbour_request));
    }
    requests
}

/// A request's fields, of which those that say nothing are not sent.
fn fields_sent<const N: usize>(all: [(&str, Json); N]) -> Json {
    let says = |value: &Json| ![json!(""), json!(0), json!([])].contains(value);
    all.into_iter().filter(|(_, value)| says(value)).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(ip: Option<Ip>) -> Json {
    ip.map(|ip| ip.to_string()).unwrap_or_default().into()
}

fn family(v6: bool) -> Json {
    u8::from(v6).into()
}

fn interface_request(interface: &Interface, kind: Option<&str>) -> Json {
    let addresses = interface.all_addresses().filter(|address| !address.ip.is_loopback()).map(|address| {
        fields_sent([
            ("address", text(Some(address.ip))),
            ("family", family(address.ip.is_v6())),
            ("mask", address.mask().to_string().into()),
        ])
    });
    fields_sent([
        ("IPAddresses", addresses.collect()),
        ("device", interface.name.as_str().into()),
        ("hwAddr", interface.mac.as_str().into()),
        ("mtu", interface.mtu.into()),
        ("name", interface.name.as_str().into()),
        ("type", kind.unwrap_or_default().into()),
    ])
}

/// `by_file`: it is one of a file of directly attached networks, and not the kernel's. `down`: its interface has no
/// carrier.
fn route_request(start: &Start<'_>, route: &Route, by_file: bool, down: bool) -> Json {
    let to = match &route.to {
        Some(to) if by_file || !route.leads_everywhere() => to.to_string(),
        _ if by_file || !start.has(Change::DefaultRouteSpelled) => String::new(),
        _ if route.v6 => "::/0".to_owned(),
        _ => "0.0.0.0/0".to_owned(),
    };
    let told = |change, value: u32| Json::from(if start.has(change) { value } else { 0 });
    fields_sent([
        ("dest", to.into()),
        ("device", route.dev.as_str().into()),
        ("family", told(Change::RouteFamily, route.v6.into())),
        ("flags", told(Change::RouteFlags, route.flags | if down && !by_file { LINK_DOWN } else { 0 })),
        ("gateway", text(route.gateway)),
        ("mtu", told(Change::RouteMtu, route.mtu)),
        ("scope", route.scope.into()),
        ("source", text(route.source)),
    ])
}

/// What the kernel says of a route whose interface has no carrier (`RTNH_F_LINKDOWN`).
const LINK_DOWN: u32 = 16;

fn neighbour_request(neighbour: &Neighbour) -> Json {
    let to = fields_sent([("address", text(Some(neighbour.ip))), ("family", family(neighbour.ip.is_v6()))]);
    fields_sent([
        ("device", neighbour.dev.as_str().into()),
        ("lladdr", neighbour.mac.as_str().into()),
        ("state", neighbour.state.into()),
        ("toIPAddress", to),
    ])
}
