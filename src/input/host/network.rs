//! What CNI has made in the pod's network namespace, as the host file tells it or as it is assumed.
//!
//! Decides what is assumed where nobody says anything: one `veth`, `eth0`. What the runtimes make of it is the
//! launch's business. Facts: what `netlink` reports of links, addresses, routes and neighbours.

mod table;

use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

pub use table::{NetworkTable, TableError};

/// The token of a network namespace's path, which CNI chooses.
pub const NETNS_TOKEN: &str = "{netns}";
/// The token of an interface's address on its link.
pub const MAC_TOKEN: &str = "{mac}";
/// What is assumed where nobody says what the pod's network is, as a sentence about it.
pub const ASSUMED: &str = "the pod has one network interface, the veth eth0";

/// The pod's network namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodNetwork {
    /// Its path, or a token.
    pub netns: String,
    /// Whether there is such a namespace.
    pub exists: bool,
    /// Its interfaces but for the loopback one, in the order of their indexes.
    pub interfaces: Vec<Interface>,
    /// Its routes, in the kernel's order.
    pub routes: Vec<Route>,
    /// Its neighbours.
    pub neighbours: Vec<Neighbour>,
    /// The text of the sandbox's file in the folder of directly attached networks (`dan_conf`), if there is one.
    pub dan: Option<String>,
}

impl PodNetwork {
    /// A namespace that CNI has left as it was.
    pub fn empty() -> Self {
        Self {
            netns: NETNS_TOKEN.to_owned(),
            exists: true,
            interfaces: Vec::new(),
            routes: Vec::new(),
            neighbours: Vec::new(),
            dan: None,
        }
    }

    /// What is assumed: one interface, with a default route.
    pub fn assumed() -> Self {
        let eth0 = Interface {
            name: "eth0".to_owned(),
            kind: LinkKind::Veth,
            mac: MAC_TOKEN.to_owned(),
            mtu: 1500,
            addresses: vec![Address { ip: Ip::Token("{address}"), prefix: None }],
            carrier: None,
        };
        let route = Route { gateway: Some(Ip::Token("{gateway}")), ..Route::default_through("eth0") };
        Self { interfaces: vec![eth0], routes: vec![route], ..Self::empty() }
    }
}

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What made it.
    pub kind: LinkKind,
    /// Its address on the link, in lower-case hexadecimal, or a token.
    pub mac: String,
    /// Its largest packet.
    pub mtu: u32,
    /// Its addresses, in the kernel's order.
    pub addresses: Vec<Address>,
    /// Whether something answers at its other end, where that was said.
    pub carrier: Option<bool>,
}

impl Interface {
    /// Whether something answers at its other end. A veth's other end is made with it, and a tap has none before a
    /// program opens it; that of the other virtual kinds depends on another device, of which an address of the link
    /// itself tells, where nobody said.
    pub fn has_carrier(&self) -> bool {
        if let Some(said) = self.carrier {
            return said;
        }
        match self.kind {
            LinkKind::Veth | LinkKind::Device => true,
            LinkKind::Tap | LinkKind::Tun => false,
            _ => self.addresses.iter().any(|address| address.ip.is_unknown() || address.ip.is_of_link()),
        }
    }

    /// Its addresses, with the one that the kernel gives a link with a carrier.
    pub fn all_addresses(&self) -> impl Iterator<Item = Address> + '_ {
        let known = self.addresses.iter().any(|address| address.ip.is_of_link());
        let own = if known || !self.has_carrier() { None } else { link_address(&self.mac) };
        self.addresses.iter().copied().chain(own)
    }

    /// Whether it has any address: what has none is left alone by both runtimes.
    pub fn is_usable(&self) -> bool {
        self.all_addresses().next().is_some()
    }
}

/// The address that the kernel makes of a link's own (EUI-64); `None` where that is not known.
fn link_address(mac: &str) -> Option<Address> {
    let bytes: Vec<u8> = mac.split(':').map_while(|part| u8::from_str_radix(part, 16).ok()).collect();
    let [a, b, c, d, e, f] = bytes.try_into().ok()?;
    let pair = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    let ip = Ipv6Addr::new(0xfe80, 0, 0, 0, pair(a ^ 2, b), pair(c, 0xff), pair(0xfe, d), pair(e, f));
    Some(Address { ip: Ip::Known(ip.into()), prefix: Some(64) })
}

/// What kind of link an interface is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LinkKind {
    Veth,
    /// A device of no own kind, such as a network card's.
    Device,
    Macvlan,
    Macvtap,
    Ipvlan,
    Vlan,
    /// `tuntap` in tap mode.
    Tap,
    /// `tuntap` in tun mode.
    Tun,
    Other(String),
}

impl LinkKind {
    /// Reads what `ip link` takes and shows.
    pub fn parse(text: &str) -> Self {
        match text {
            "veth" => Self::Veth,
            "device" => Self::Device,
            "macvlan" => Self::Macvlan,
            "macvtap" => Self::Macvtap,
            "ipvlan" => Self::Ipvlan,
            "vlan" => Self::Vlan,
            "tap" | "tuntap" => Self::Tap,
            "tun" => Self::Tun,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The kind as netlink names it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Veth => "veth",
            Self::Device => "device",
            Self::Macvlan => "macvlan",
            Self::Macvtap => "macvtap",
            Self::Ipvlan => "ipvlan",
            Self::Vlan => "vlan",
            Self::Tap | Self::Tun => "tuntap",
            Self::Other(kind) => kind,
        }
    }
}

/// An IP address, or the token of one that only the node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Ip {
    Known(IpAddr),
    Token(&'static str),
}

impl Ip {
    /// Whether it is one of IPv6.
    pub fn is_v6(self) -> bool {
        matches!(self, Self::Known(IpAddr::V6(_)))
    }

    /// Whether only the node knows it.
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Whether it is one of the link itself, which no router passes on.
    pub fn is_of_link(self) -> bool {
        matches!(self, Self::Known(IpAddr::V6(ip)) if ip.is_unicast_link_local())
    }

    /// Whether it is one of the machine to itself.
    pub fn is_loopback(self) -> bool {
        matches!(self, Self::Known(ip) if ip.is_loopback())
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(ip) => ip.fmt(f),
            Self::Token(token) => f.write_str(token),
        }
    }
}

/// An address with the length of its network's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: Ip,
    /// How many bits name the network; `None` where only the node knows.
    pub prefix: Option<u8>,
}

impl Address {
    /// Reads an address with the length of its network's part.
    pub fn parse(text: &str) -> Option<Self> {
        let (ip, prefix) = text.split_once('/')?;
        let ip: IpAddr = ip.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        (prefix <= most).then_some(Self { ip: Ip::Known(ip), prefix: Some(prefix) })
    }

    /// The network's part alone.
    #[must_use]
    pub fn network(self) -> Self {
        let (Ip::Known(ip), Some(prefix)) = (self.ip, self.prefix) else { return self };
        let ip = match ip {
            IpAddr::V4(ip) => IpAddr::V4((u32::from(ip) & !host_bits(prefix, 32) as u32).into()),
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !host_bits(prefix, 128)).into()),
        };
        Self { ip: Ip::Known(ip), ..self }
    }

    /// The last address of its network.
    fn last(self) -> u128 {
        match (self.ip, self.prefix) {
            (Ip::Known(IpAddr::V6(ip)), Some(prefix)) => u128::from(ip) | host_bits(prefix, 128),
            _ => u128::MAX,
        }
    }

    /// The length of the network's part, or a token.
    pub fn mask(&self) -> String {
        self.prefix.map_or_else(|| "{prefix}".to_owned(), |prefix| prefix.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.mask())
    }
}

/// The bits that do not name the network.
fn host_bits(prefix: u8, length: u8) -> u128 {
    1_u128.checked_shl((length - prefix.min(length)).into()).map_or(u128::MAX, |bit| bit - 1)
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it leads; `None`: everywhere.
    pub to: Option<Address>,
    /// Whether it is one of IPv6.
    pub v6: bool,
    /// Through which neighbour.
    pub gateway: Option<Ip>,
    /// Out of which interface.
    pub dev: String,
    /// The address that packets are sent from.
    pub source: Option<Ip>,
    /// The number of its scope.
    pub scope: u8,
    /// Its flags (`RTNH_F_*`).
    pub flags: u32,
    /// The largest packet on it; 0 where it says none.
    pub mtu: u32,
    /// Whether the kernel made it, of an interface's address.
    pub of_kernel: bool,
}

impl Route {
    /// Whether it leads everywhere.
    pub fn leads_everywhere(&self) -> bool {
        self.to.is_none_or(|to| to.prefix == Some(0))
    }

    /// The order in which the kernel tells routes: those of IPv4 by where they lead, then those of IPv6, a network
    /// before the larger one around it.
    fn order(&self, other: &Self) -> Ordering {
        let by_start = |route: &Self| match route.to.map(|to| to.ip) {
            Some(Ip::Known(IpAddr::V4(ip))) => u32::from(ip),
            _ => 0,
        };
        let by_end = |route: &Self| route.to.map_or(u128::MAX, Address::last);
        let narrow = |route: &Self| u8::MAX - route.to.and_then(|to| to.prefix).unwrap_or(0);
        self.v6
            .cmp(&other.v6)
            .then_with(|| match self.v6 {
                false => by_start(self).cmp(&by_start(other)),
                true => by_end(self).cmp(&by_end(other)),
            })
            .then_with(|| narrow(self).cmp(&narrow(other)))
    }

    /// The default route of IPv4 out of an interface.
    pub fn default_through(dev: &str) -> Self {
        Self {
            to: None,
            v6: false,
            gateway: None,
            dev: dev.to_owned(),
            source: None,
            scope: 0,
            flags: 0,
            mtu: 0,
            of_kernel: false,
        }
    }
}

/// One neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub ip: Ip,
    /// Its address on the link.
    pub mac: String,
    /// Behind which interface.
    pub dev: String,
    /// The number of its state (`NUD_*`).
    pub state: u16,
}

impl Neighbour {
    /// The state of an entry that somebody set (`NUD_PERMANENT`).
    pub const PERMANENT: u16 = 0x80;
    /// The state of a neighbour that has answered (`NUD_REACHABLE`).
    pub const REACHABLE: u16 = 0x02;
}
