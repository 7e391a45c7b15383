//! A directly attached network: the file that a CNI plugin leaves for one sandbox names the endpoints.
//!
//! Decides what of the file counts and how it is refused. Facts: src/runtime-rs/crates/resource/src/network/dan.rs,
//! network_info/network_info_from_dan.rs and endpoint/{tap,vhost_user}_endpoint.rs beside it at each tag.

use std::net::IpAddr;

use serde::Deserialize;

use super::{Backend, CAUSED_BY_QUEUES, Context, Endpoint, Refusal, Start, refuse};
use crate::answer::agent::NetworkRequests;
use crate::input::host::{MAC_TOKEN, Neighbour};
use crate::release::rs::Change;

/// `IFF_NOARP`, the one flag of an interface that the guest is told.
const NO_ARP: u32 = 0x80;

/// The file. Field order is the order in which missing ones are reported.
#[derive(Debug, Deserialize)]
#[serde(rename = "DanConfig")]
struct File {
    #[serde(rename = "netns")]
    _netns: Option<String>,
    devices: Vec<DanDevice>,
}

#[derive(Debug, Deserialize)]
struct DanDevice {
    name: String,
    /// Random where it is not said.
    #[serde(default = "random_mac")]
    guest_mac: String,
    device: Device,
    network_info: NetworkInfo,
}

fn random_mac() -> String {
    MAC_TOKEN.to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Device {
    #[serde(rename = "vhost-user")]
    VhostUser {
        path: String,
        #[serde(default)]
        queue_num: usize,
        #[serde(default)]
        queue_size: usize,
    },
    #[serde(rename = "host-tap")]
    HostTap {
        tap_name: String,
        #[serde(default)]
        queue_num: usize,
        #[serde(default)]
        queue_size: usize,
    },
}

#[derive(Debug, Deserialize)]
struct NetworkInfo {
    interface: Interface,
    #[serde(default)]
    routes: Vec<Route>,
    #[serde(default)]
    neighbors: Vec<ARPNeighbor>,
}

#[derive(Debug, Deserialize)]
struct Interface {
    ip_addresses: Vec<String>,
    #[serde(default = "usual_mtu")]
    mtu: u64,
    #[serde(default)]
    ntype: String,
    #[serde(default)]
    flags: u32,
}

fn usual_mtu() -> u64 {
    1500
}

#[derive(Debug, Deserialize)]
struct Route {
    #[serde(default)]
    dest: String,
    #[serde(default)]
    gateway: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    scope: u32,
    #[serde(default, rename = "flags")]
    _flags: u32,
    #[serde(default, rename = "mtu")]
    _mtu: u32,
}

#[derive(Debug, Deserialize)]
struct ARPNeighbor {
    ip_address: Option<String>,
    #[serde(default)]
    hardware_addr: String,
    #[serde(default)]
    state: u32,
    #[serde(default)]
    flags: u32,
}

fn devices(text: &str) -> Result<Vec<DanDevice>, Refusal> {
    let file: Result<File, _> = serde_json::from_str(text);
    let file = file.map_err(|why| Refusal::because(why.to_string(), &[]).context("Invalid DAN config"));
    Ok(file.context("new network: New directly attachable network")?.devices)
}

/// The endpoints that the file names.
pub(super) fn endpoints(start: &Start<'_>, text: &str) -> Result<Vec<Endpoint>, Refusal> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (index, device) in devices(text)?.iter().enumerate() {
        let endpoint =
            endpoint(start, device, index).context("new network: New directly attachable network")?;
        // A device that is there already is not added again.
        if !endpoints.iter().any(|other| other.backend == endpoint.backend) {
            endpoints.push(endpoint);
        }
    }
    if endpoints.iter().any(|endpoint| endpoint.tap().is_some() && !is_mac(&endpoint.mac)) {
        return refuse("Parse mac address", &[]).context("setup network: Attach: Get network config");
    }
    Ok(endpoints)
}

/// What the agent is told of the devices.
pub(super) fn requests(start: &Start<'_>, text: &str) -> NetworkRequests {
    let mut requests = NetworkRequests::default();
    devices(text).unwrap_or_default().iter().for_each(|device| tell(start, &mut requests, device));
    requests
}

fn endpoint(start: &Start<'_>, device: &DanDevice, index: usize) -> Result<Endpoint, Refusal> {
    let (Device::VhostUser { queue_num, queue_size, .. } | Device::HostTap { queue_num, queue_size, .. }) =
        &device.device;
    let told = start.has(Change::CardQueues);
    let usual = start.hv.network_info.network_queues.max(1) as usize;
    let queue_pairs = if *queue_num == 0 && told { usual } else { *queue_num };
    let queue_size = if *queue_size == 0 && told { 256 } else { *queue_size };
    let backend = match &device.device {
        Device::VhostUser { path, .. } => {
            if start.host.finds(path) {
                return refuse(format!("vhost-user-net socket path {path} exists"), CAUSED_BY_QUEUES)
                    .context(&format!("create a vhost user endpoint, path: {path}"));
            }
            Backend::VhostUser { socket: path.clone() }
        }
        // The plugin has made it for as many queues as it writes.
        Device::HostTap { tap_name, .. } => Backend::Tap { name: tap_name.clone(), several: *queue_num > 1 },
    };
    let mac = device.guest_mac.clone();
    let mac = if is_mac(&mac) { mac.to_ascii_lowercase() } else { mac };
    Ok(Endpoint { backend, interface: format!("eth{index}"), mac, queue_pairs, queue_size })
}

/// `parse_mac`: six numbers of one or two digits.
fn is_mac(text: &str) -> bool {
    let byte = |part: &str| u8::from_str_radix(part, 16).is_ok();
    text == MAC_TOKEN || (text.split(':').count() == 6 && text.split(':').all(byte))
}

/// `parse_ip_cidr`
fn cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, mask) = text.split_once('/')?;
    let (ip, mask): (IpAddr, u8) = (ip.parse().ok()?, mask.parse().ok()?);
    let most = if ip.is_ipv4() { 32 } else { 128 };
    (mask <= most).then_some((ip, mask))
}

/// The family of the first address that a route has; `None` drops the route.
fn is_v6(route: &Route) -> Option<bool> {
    if !route.dest.is_empty() {
        return cidr(&route.dest).map(|(ip, _)| ip.is_ipv6());
    }
    let text = if route.gateway.is_empty() { &route.source } else { &route.gateway };
    text.parse().ok().map(|ip: IpAddr| ip.is_ipv6())
}

/// What the agent is told of one device.
fn tell(start: &Start<'_>, requests: &mut NetworkRequests, device: &DanDevice) {
    let name = device.name.as_str();
    let interface = &device.network_info.interface;
    let addresses = interface.ip_addresses.iter().filter_map(|text| cidr(text));
    let addresses = addresses.filter(|(ip, _)| !ip.is_loopback()).map(|(ip, mask)| format!("{ip}/{mask}"));
    requests.update_interfaces.push(super::interface(
        start,
        [
            ("device", name.into()),
            ("name", name.into()),
            ("ip_addresses", addresses.collect()),
            ("mtu", interface.mtu.into()),
            ("hw_addr", device.guest_mac.as_str().into()),
            ("type", interface.ntype.as_str().into()),
            ("raw_flags", (interface.flags & NO_ARP).into()),
        ],
    ));
    requests.update_routes.extend(device.network_info.routes.iter().filter_map(|route| {
        let ends = [route.dest.as_str(), &route.gateway, &route.source];
        Some(super::route(ends, name, route.scope, is_v6(route)?))
    }));
    let set = device.network_info.neighbors.iter();
    let set = set.filter(|neighbour| neighbour.state == u32::from(Neighbour::PERMANENT));
    requests.add_arp_neighbors.extend(set.map(|neighbour| {
        let to = neighbour.ip_address.as_deref().and_then(cidr);
        let to = to.map_or_else(String::new, |(ip, _)| ip.to_string());
        super::neighbour(&to, name, &neighbour.hardware_addr, neighbour.state, neighbour.flags)
    }));
}
