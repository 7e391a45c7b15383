//! A network namespace's interfaces as the VM's endpoints: a tap device beside each, joined as the model says.
//!
//! Decides which interfaces count and which of their kinds are known. Facts: `get_entity_from_netns` and
//! `create_endpoint` in src/runtime-rs/crates/resource/src/network/network_with_netns.rs, `NetworkPair::new` in
//! network_pair.rs and the models in network_model beside it at each tag; the order of routes is that in which the
//! kernel's tables are gone through (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c).

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value as Json;

use super::{
    Backend, CAUSED_BY_MODEL, CAUSED_BY_QUEUES, Context, Endpoint, MOST_QUEUES, Refusal, Start, refuse,
};
use crate::answer::agent::NetworkRequests;
use crate::input::host::{Address, Interface, Ip, LinkKind, Neighbour, PodNetwork, Route};
use crate::release::rs::Change;

/// How the tap device and the interface are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Model {
    /// By traffic control, both ways.
    Filter,
    /// By routes and ARP proxies.
    Forwarding,
    /// Not at all.
    Nothing,
}

impl Model {
    fn of(start: &Start<'_>) -> Self {
        match start.config.runtime.internetworking_model.as_str() {
            "tcfilter" => Self::Filter,
            "l3forwarding" if start.has(Change::L3Forwarding) => Self::Forwarding,
            _ => Self::Nothing,
        }
    }
}

/// An interface's kind under the names that the runtime gives it: those that it knows none of are devices.
fn kind(interface: &Interface) -> &str {
    match &interface.kind {
        kind @ (LinkKind::Veth | LinkKind::Macvlan | LinkKind::Ipvlan | LinkKind::Vlan) => kind.as_str(),
        LinkKind::Tap | LinkKind::Tun => "tuntap",
        LinkKind::Other(kind) if kind == "bridge" => "bridge",
        LinkKind::Device | LinkKind::Macvtap | LinkKind::Other(_) => "device",
    }
}

/// What making a pair for an interface of this kind is called, and what joins the pair; `None`: no such kind.
fn joining(start: &Start<'_>, kind: &str, model: Model) -> Option<(&'static str, Model)> {
    Some(match kind {
        "veth" | "device" => ("new network interface pair failed.", model),
        "vlan" => ("new network interface pair failed.", Model::Filter),
        "ipvlan" => ("error creating new NetworkPair", Model::Filter),
        "macvlan" => ("error creating new networkInterfacePair", model),
        _ => return None,
    })
    .filter(|_| kind != "device" || start.has(Change::PlainLinks))
}

/// The interfaces with an address that others can reach them at.
fn usable(network: &PodNetwork) -> impl Iterator<Item = &Interface> {
    let counts = |address: &Address| !address.ip.is_loopback();
    network.interfaces.iter().filter(move |interface| interface.addresses.iter().any(counts))
}

/// The endpoints for the interfaces of the sandbox's namespace.
pub(super) fn endpoints(start: &Start<'_>) -> Result<Vec<Endpoint>, Refusal> {
    let network = start.host.network();
    let model = Model::of(start);
    let (mut endpoints, mut joints) = (Vec::new(), Vec::new());
    for (index, interface) in usable(network).enumerate() {
        let (endpoint, joint) = endpoint(start, network, interface, index, model)
            .context("new network: new network with netns: get entity from netns: create endpoint")?;
        endpoints.push(endpoint);
        joints.push((interface, joint));
    }
    if model == Model::Forwarding && endpoints.len() > 1 {
        let found = endpoints.len();
        let message =
            format!("l3forwarding supports only a single interface per network namespace, found {found}");
        return refuse(message, CAUSED_BY_MODEL)
            .context("new network: new network with netns: get entity from netns");
    }
    for (interface, joint) in joints {
        if joint == Model::Forwarding {
            forward(interface).context("setup network: attach: add network model: add")?;
        }
    }
    Ok(endpoints)
}

/// What the agent is told of the interfaces that these endpoints stand for.
pub(super) fn requests(start: &Start<'_>, endpoints: &[Endpoint]) -> NetworkRequests {
    let network = start.host.network();
    let routes = in_order(&network.routes);
    let mut requests = NetworkRequests::default();
    for (interface, endpoint) in usable(network).zip(endpoints) {
        tell(start, &mut requests, interface, &endpoint.mac, &routes, &network.neighbours);
    }
    requests
}

/// `create_endpoint`
fn endpoint(
    start: &Start<'_>,
    network: &PodNetwork,
    interface: &Interface,
    index: usize,
    model: Model,
) -> Result<(Endpoint, Model), Refusal> {
    let kind = kind(interface);
    let Some((making, joint)) = joining(start, kind, model) else {
        return refuse(format!("unsupported link type: {kind}"), &[]);
    };
    let pair = || -> Result<&Interface, Refusal> {
        if start.hv.network_info.network_queues as usize > MOST_QUEUES {
            let message = "create link: tun set iff: E2BIG: Argument list too long";
            return refuse(message, CAUSED_BY_QUEUES);
        }
        if start.has(Change::LinkByOwnName) {
            return Ok(interface);
        }
        // The interface was looked up by the name that the first ones usually have.
        let usual = format!("eth{index}");
        network.interfaces.iter().find(|other| other.name == usual).ok_or_else(|| {
            let message = "get link by name: Received a netlink error message No such device (os error 19)";
            Refusal::because(message, &[])
        })
    };
    let looked_up = pair().context(making).context(&format!("{kind} endpoint"))?;
    let pairs = start.hv.network_info.network_queues.max(1) as usize;
    let told = start.has(Change::CardQueues);
    let endpoint = Endpoint {
        backend: Backend::Tap { name: format!("tap{index}_kata"), several: pairs > 1 },
        interface: interface.name.clone(),
        mac: looked_up.mac.clone(),
        queue_pairs: if told { pairs } else { 0 },
        queue_size: if told { 256 } else { 0 },
    };
    Ok((endpoint, joint))
}

/// `L3ForwardingModel::add`, as far as the addresses decide.
fn forward(interface: &Interface) -> Result<(), Refusal> {
    let mut found = false;
    for address in &interface.addresses {
        match address.ip {
            Ip::Known(IpAddr::V6(ip)) if ip.is_unicast_link_local() => {}
            Ip::Known(IpAddr::V6(ip)) => {
                let message = format!("l3forwarding does not support IPv6 yet, but the virt iface has {ip}");
                return refuse(message, CAUSED_BY_MODEL);
            }
            _ => found = true,
        }
    }
    if found { Ok(()) } else { refuse("no IP addresses found on virt iface", CAUSED_BY_MODEL) }
}

/// What the agent is told of one interface.
fn tell(
    start: &Start<'_>,
    requests: &mut NetworkRequests,
    interface: &Interface,
    mac: &str,
    routes: &[&Route],
    neighbours: &[Neighbour],
) {
    let name = interface.name.as_str();
    let addresses = interface.addresses.iter().filter(|address| !address.ip.is_loopback());
    requests.update_interfaces.push(super::interface(
        start,
        [
            ("device", name.into()),
            ("name", name.into()),
            ("ip_addresses", addresses.map(|address| address.to_string()).collect()),
            ("mtu", interface.mtu.into()),
            ("hw_addr", mac.into()),
            ("type", kind(interface).into()),
            ("raw_flags", 0.into()),
        ],
    ));
    let own = routes.iter().filter(|route| route.dev == name && !route.of_kernel);
    requests.update_routes.extend(own.map(|route| told(start, route)));
    let all = !start.has(Change::SetNeighbours);
    let counts =
        |neighbour: &&Neighbour| neighbour.dev == name && (all || neighbour.state == Neighbour::PERMANENT);
    let told = neighbours.iter().filter(counts).map(|neighbour| {
        super::neighbour(&neighbour.ip.to_string(), name, &neighbour.mac, neighbour.state.into(), 0)
    });
    requests.add_arp_neighbors.extend(told);
    if all && interface.addresses.iter().any(|address| address.ip.is_v6()) {
        // The group that an interface reports its groups of IPv6 to is a neighbour from the start.
        let group = super::neighbour("ff02::16", name, "33:33:00:00:00:16", NO_ARP, 0);
        requests.add_arp_neighbors.push(group);
    }
}

/// `NUD_NOARP`
const NO_ARP: u32 = 0x40;

fn told(start: &Start<'_>, route: &Route) -> Json {
    let gateway = route.gateway.map_or_else(String::new, |ip| ip.to_string());
    let dest = match route.to {
        None => String::new(),
        Some(to) if start.has(Change::RouteWithoutPrefix) => to.ip.to_string(),
        Some(to) => to.to_string(),
    };
    // What `ip route` calls src is another attribute, which is not asked for.
    super::route([&dest, &gateway, ""], &route.dev, route.scope.into(), route.v6)
}

/// The routes as the kernel lists them: those of IPv4 first and by address, longer prefixes of one address before
/// shorter ones; those of IPv6 with what lies within another before it.
fn in_order(routes: &[Route]) -> Vec<&Route> {
    let mut all: Vec<&Route> = routes.iter().collect();
    all.sort_by(|one, other| {
        one.v6.cmp(&other.v6).then_with(|| match one.v6 {
            false => (bits(one.to), length(other)).cmp(&(bits(other.to), length(one))),
            true => within(one, other),
        })
    });
    all
}

/// An address as a number, the first bit the highest.
fn bits(address: Option<Address>) -> u128 {
    match address.map(|address| address.ip) {
        Some(Ip::Known(IpAddr::V4(ip))) => u128::from(ip.to_bits()) << 96,
        Some(Ip::Known(IpAddr::V6(ip))) => ip.to_bits(),
        Some(Ip::Token(_)) | None => 0,
    }
}

fn length(route: &Route) -> u8 {
    route.to.and_then(|to| to.prefix).unwrap_or(0)
}

/// The order of a tree that is gone through from below.
fn within(one: &Route, other: &Route) -> Ordering {
    let shared = length(one).min(length(other));
    let head = |route: &Route| bits(route.to).checked_shr(128 - u32::from(shared)).unwrap_or(0);
    head(one).cmp(&head(other)).then_with(|| length(other).cmp(&length(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(to: Option<&str>) -> Route {
        let to = to.map(|text| {
            let (ip, prefix) = text.split_once('/').unwrap();
            Address { ip: Ip::Known(ip.parse().unwrap()), prefix: prefix.parse().ok() }
        });
        let v6 = to.is_some_and(|to| to.ip.is_v6());
        Route { to, v6, ..Route::default_through("eth0") }
    }

    fn sorted(routes: &[Route]) -> Vec<String> {
        in_order(routes)
            .iter()
            .map(|route| route.to.map_or_else(|| "default".to_owned(), |to| to.to_string()))
            .collect()
    }

    #[test]
    fn routes_stand_as_the_kernel_lists_them() {
        let all = [Some("169.254.1.1/32"), Some("fd00::/64"), Some("10.0.0.0/8"), None, Some("10.0.0.0/16")]
            .map(route);
        let wanted = ["default", "10.0.0.0/16", "10.0.0.0/8", "169.254.1.1/32", "fd00::/64"];
        assert_eq!(sorted(&all), wanted);
        let default = Route { v6: true, ..route(None) };
        let all =
            [default, route(Some("fd00::/48")), route(Some("fd00:0:0:1::/64")), route(Some("fc00::/64"))];
        assert_eq!(sorted(&all), ["fc00::/64", "fd00:0:0:1::/64", "fd00::/48", "default"]);
    }
}
