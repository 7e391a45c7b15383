//! Directly attached networks: the endpoints that a file for the sandbox names, in place of the namespace's interfaces.
//!
//! Facts: `addDanEndpoints` in src/runtime/virtcontainers/network_linux.go and types/dan.go from 3.7.0 to 4.1.0.
//! Their devices are plugged in after the start, so that the VM's command line has none of them.

use std::borrow::Cow;

use serde::Deserialize;

use super::endpoint::{Endpoint, Kind};
use super::{Change, Refusal, Start, refuse};
use crate::input::host::{Address, Interface, Ip, LinkKind, Neighbour, PodNetwork, Route};
use crate::runtime::go::config::InterworkingModel;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    devices: Option<Vec<Device>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Device {
    name: String,
    guest_mac: String,
    device: Attachment,
    network_info: Info,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attachment {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    interface: Link,
    routes: Option<Vec<RouteEntry>>,
    neighbors: Option<Vec<NeighbourEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Link {
    ip_addresses: Option<Vec<String>>,
    mtu: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RouteEntry {
    dest: String,
    gateway: String,
    source: String,
    scope: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NeighbourEntry {
    ip_address: String,
    hardware_addr: String,
    state: u32,
}
pub(super) struct Dan<'a> {
    pub(super) endpoints: Vec<Endpoint<'a>>,
    pub(super) pod: PodNetwork,
}

/// Reads the sandbox's file.
pub(super) fn read<'a>(start: &Start<'_>) -> Result<Dan<'a>, Refusal> {
    let path = &start.config.network_config.dan_config_path;
    let text = match &start.host.facts.network.dan {
        Some(text) => Cow::Borrowed(text.as_bytes()),
        None => Cow::Owned(start.host.read(path).map_err(|errno| {
            because(format!("fail to load DAN config file: open {path}: {}", errno.go()))
        })?),
    };
    let file: Option<File> = serde_json::from_slice(&text)
        .map_err(|error| because(format!("fail to unmarshal DAN config: {}", go_words(&error))))?;
    let mut dan = Dan { endpoints: Vec::new(), pod: PodNetwork::empty() };
    for device in file.and_then(|file| file.devices).unwrap_or_default() {
        dan.add(start, &device)?;
    }
    dan.endpoints.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(dan)
}

/// The parser's complaint, in Go's words where those are the same for every text.
fn go_words(error: &serde_json::Error) -> String {
    if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() }
}

fn because(message: String) -> Refusal {
    Refusal::because(message, &[])
}

fn check_mac(mac: &str, what: &str) -> Result<(), Refusal> {
    let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    let parts = mac.split([':', '-']).collect::<Vec<_>>();
    if matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(|part| is_byte(part)) {
        return Ok(());
    }
    refuse(format!("bad {what} in DAN config: address {mac}: invalid MAC address"), &[])
}

impl Dan<'_> {
    fn add(&mut self, start: &Start<'_>, device: &Device) -> Result<(), Refusal> {
        check_mac(&device.guest_mac, "mac address")?;
        let info = &device.network_info;
        let mut interface = Interface {
            name: device.name.clone(),
            kind: LinkKind::Device,
            mac: device.guest_mac.to_ascii_lowercase().replace('-', ":"),
            mtu: info.interface.mtu,
            addresses: Vec::new(),
            carrier: None,
        };
        for text in info.interface.ip_addresses.iter().flatten() {
            let address = Address::parse(text).ok_or_else(|| {
                because(format!("bad IP address in DAN config: invalid CIDR address: {text}"))
            })?;
            interface.addresses.push(address);
        }
        let ip = |text: &str| text.parse().ok().map(Ip::Known);
        for route in info.routes.iter().flatten() {
            let to = match route.dest.as_str() {
                "" => None,
                dest => Some(Address::parse(dest).ok_or_else(|| {
                    because(format!("bad route dest in DAN config: invalid CIDR address: {dest}"))
                })?),
            };
            let gateway = ip(&route.gateway);
            self.pod.routes.push(Route {
                to: to.map(Address::network),
                v6: gateway.is_none_or(Ip::is_v6),
                gateway,
                source: ip(&route.source),
                scope: route.scope as u8,
                ..Route::default_through(&device.name)
            });
        }
        for neighbour in info.neighbors.iter().flatten() {
            check_mac(&neighbour.hardware_addr, "neighbor hardware address")?;
            let Some(ip) = ip(&neighbour.ip_address) else { continue };
            self.pod.neighbours.push(Neighbour {
                ip,
                mac: neighbour.hardware_addr.to_ascii_lowercase(),
                dev: device.name.clone(),
                state: neighbour.state as u16,
            });
        }
        let kind = &device.device.kind;
        if kind != "vfio" || !start.has(Change::DanVfio) {
            return refuse(format!("unknown DAN device type: '{kind}'"), &[]);
        }
        self.endpoints.push(Endpoint {
            interface: Cow::Owned(interface),
            kind: Kind::Vfio,
            model: InterworkingModel::None,
            tap: String::new(),
            taps: 0,
            vhosts: 0,
        });
        Ok(())
    }
}
