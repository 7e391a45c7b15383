//! The table `[network]` of a host file.
//!
//! Decides which texts are an interface, an address, a route or a neighbour, and where a wrong one stands. Nothing in
//! it can grow without end: the lists are bounded as a node's are in practice.

use std::net::IpAddr;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{Address, Interface, Ip, LinkKind, MAC_TOKEN, NETNS_TOKEN, Neighbour, PodNetwork, Route};

/// As many interfaces, routes or neighbours as are read.
const MOST: usize = 4096;
/// The longest name that the kernel gives an interface, in bytes.
const NAME_LIMIT: usize = 15;
/// The longest of the other texts, in bytes.
const TEXT_LIMIT: usize = 4096;
/// The longest file of a directly attached network, in bytes.
const DAN_LIMIT: usize = 1 << 20;

/// Why a table cannot be used, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// The bytes that are wrong.
    pub span: Range<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

/// A result with the place of what is wrong.
type Read<T> = Result<T, TableError>;

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTable {
    netns: Option<Spanned<String>>,
    exists: Option<bool>,
    #[serde(alias = "interface")]
    interfaces: Option<Spanned<Vec<InterfaceEntry>>>,
    #[serde(alias = "route")]
    routes: Option<Spanned<Vec<RouteEntry>>>,
    #[serde(alias = "neighbour")]
    neighbours: Option<Spanned<Vec<NeighbourEntry>>>,
    dan: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InterfaceEntry {
    name: Spanned<String>,
    kind: Option<Spanned<String>>,
    mac: Option<Spanned<String>>,
    mtu: Option<u32>,
    addresses: Option<Spanned<Vec<Spanned<String>>>>,
    carrier: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteEntry {
    dst: Spanned<String>,
    gateway: Option<Spanned<String>>,
    dev: Spanned<String>,
    scope: Option<Spanned<Number>>,
    src: Option<Spanned<String>>,
    proto: Option<Spanned<Number>>,
    mtu: Option<Spanned<Number>>,
    flags: Option<u32>,
    #[serde(rename = "metric")]
    _metric: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeighbourEntry {
    ip: Spanned<String>,
    mac: Spanned<String>,
    dev: Spanned<String>,
    state: Option<Spanned<Number>>,
}

/// A number, or a word or number in a text, as `ip` prints them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u32),
    Text(String),
}

impl Number {
    /// The number that is written, or that `words` gives to the word.
    fn read(entry: &Spanned<Self>, what: &str, words: &[(&str, u32)]) -> Read<u32> {
        let number = match entry.get_ref() {
            Self::Number(number) => Some(*number),
            Self::Text(text) => words
                .iter()
                .find_map(|(word, number)| (word == text).then_some(*number))
                .or_else(|| text.parse().ok()),
        };
        number.ok_or_else(|| {
            let words = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            let words = if words.is_empty() { String::new() } else { format!(" or one of {words}") };
            TableError { span: entry.span(), message: format!("{what} wants a number{words}") }
        })
    }
}

/// How far away what a route leads to is.
const SCOPES: [(&str, u32); 5] =
    [("global", 0), ("site", 200), ("link", 253), ("host", 254), ("nowhere", 255)];
/// Who made a route.
const PROTOCOLS: [(&str, u32); 6] =
    [("kernel", KERNEL), ("boot", 3), ("static", 4), ("ra", 9), ("dhcp", 16), ("bird", 12)];
const KERNEL: u32 = 2;
/// How much is known of a neighbour.
const STATES: [(&str, u32); 8] = [
    ("incomplete", 0x01),
    ("reachable", 0x02),
    ("stale", 0x04),
    ("delay", 0x08),
    ("probe", 0x10),
    ("failed", 0x20),
    ("noarp", 0x40),
    ("permanent", 0x80),
];

impl NetworkTable {
    /// The network that the table tells of. Where it names no interface at all, the assumed one is there.
    pub fn read(self) -> Read<PodNetwork> {
        let exists = self.exists.unwrap_or(true);
        let mut network = if self.interfaces.is_some() || !exists || self.dan.is_some() {
            PodNetwork::empty()
        } else {
            PodNetwork { routes: Vec::new(), ..PodNetwork::assumed() }
        };
        network.exists = exists;
        if let Some(netns) = &self.netns {
            network.netns = bounded(netns, "netns", TEXT_LIMIT)?;
        }
        if let Some(interfaces) = &self.interfaces {
            network.interfaces = each(interfaces, "interfaces", InterfaceEntry::read)?;
        }
        if let Some(routes) = &self.routes {
            network.routes = each(routes, "routes", RouteEntry::read)?;
            network.routes.sort_by(Route::order);
        }
        if let Some(neighbours) = &self.neighbours {
            network.neighbours = each(neighbours, "neighbours", NeighbourEntry::read)?;
        }
        network.dan = self.dan.as_ref().map(|dan| bounded(dan, "dan", DAN_LIMIT)).transpose()?;
        Ok(network)
    }
}

impl PodNetwork {
    /// The table of a host file that says the same.
    pub fn table(&self) -> String {
        let text = |text: &str| toml_edit::Value::from(text).to_string();
        let list = |lines: Vec<String>| format!("[{}]", lines.join(", "));
        let interfaces = self.interfaces.iter().map(|link| {
            let kind = if link.kind == LinkKind::Tun { "tun" } else { link.kind.as_str() };
            let mut entry = format!("name = {}, kind = {}", text(&link.name), text(kind));
            if link.mac != MAC_TOKEN {
                entry += &format!(", mac = {}", text(&link.mac));
            }
            entry += &format!(", mtu = {}", link.mtu);
            if !link.addresses.iter().any(|address| address.ip.is_unknown()) {
                let addresses = link.addresses.iter().map(|address| text(&address.to_string())).collect();
                entry += &format!(", addresses = {}", list(addresses));
            }
            if let Some(carrier) = link.carrier {
                entry += &format!(", carrier = {carrier}");
            }
            format!("{{ {entry} }}")
        });
        let is_told = |route: &&Route| !route.gateway.is_some_and(Ip::is_unknown);
        let routes = self.routes.iter().filter(is_told).map(|route| {
            let to = route.to.map_or_else(|| "default".to_owned(), |to| to.to_string());
            let mut entry = format!("dst = {}, dev = {}", text(&to), text(&route.dev));
            for (name, ip) in [("gateway", route.gateway), ("src", route.source)] {
                if let Some(ip) = ip {
                    entry += &format!(", {name} = {}", text(&ip.to_string()));
                }
            }
            entry += &format!(", scope = {}, flags = {}, mtu = {}", route.scope, route.flags, route.mtu);
            if route.of_kernel {
                entry += &format!(", proto = {KERNEL}");
            }
            format!("{{ {entry} }}")
        });
        let neighbours = self.neighbours.iter().map(|neighbour| {
            let (ip, mac, dev) =
                (text(&neighbour.ip.to_string()), text(&neighbour.mac), text(&neighbour.dev));
            format!("{{ ip = {ip}, mac = {mac}, dev = {dev}, state = {} }}", neighbour.state)
        });
        let mut table = format!(
            "[network]\nexists = {}\ninterfaces = {}\nroutes = {}\nneighbours = {}\n",
            self.exists,
            list(interfaces.collect()),
            list(routes.collect()),
            list(neighbours.collect())
        );
        if self.netns != NETNS_TOKEN {
            table += &format!("netns = {}\n", text(&self.netns));
        }
        if let Some(dan) = &self.dan {
            table += &format!("dan = {}\n", text(dan));
        }
        table
    }
}

impl InterfaceEntry {
    fn read(&self) -> Read<Interface> {
        let unknown = || Ok(vec![Address { ip: Ip::Token("{address}"), prefix: None }]);
        Ok(Interface {
            name: name(&self.name)?,
            kind: match &self.kind {
                // The kernel's word for both modes; a device in tun mode has no address on a link.
                Some(kind) if kind.get_ref() == "tun" && self.mac.is_some() => LinkKind::Tap,
                Some(kind) => LinkKind::parse(&bounded(kind, "kind", TEXT_LIMIT)?),
                None => LinkKind::Veth,
            },
            mac: self.mac.as_ref().map_or_else(|| Ok(MAC_TOKEN.to_owned()), mac)?,
            mtu: self.mtu.unwrap_or(1500),
            addresses: self
                .addresses
                .as_ref()
                .map_or_else(unknown, |addresses| each(addresses, "addresses", address))?,
            carrier: self.carrier,
        })
    }
}

impl RouteEntry {
    fn read(&self) -> Read<Route> {
        let gateway = self.gateway.as_ref().map(ip).transpose()?;
        let source = self.src.as_ref().map(ip).transpose()?;
        let to = if self.dst.get_ref() == "default" { None } else { Some(address(&self.dst)?.network()) };
        let number = |entry: &Option<Spanned<Number>>, what: &str, words: &[(&str, u32)]| {
            entry.as_ref().map_or(Ok(0), |entry| Number::read(entry, what, words))
        };
        let scope = number(&self.scope, "scope", &SCOPES)?;
        Ok(Route {
            v6: to.map(|to| to.ip).or(gateway).or(source).is_some_and(Ip::is_v6),
            to,
            gateway,
            dev: name(&self.dev)?,
            source,
            scope: u8::try_from(scope).map_err(|_| TableError {
                span: self.scope.as_ref().map_or(0..0, Spanned::span),
                message: "scope wants a number up to 255".to_owned(),
            })?,
            flags: self.flags.unwrap_or(0),
            mtu: number(&self.mtu, "mtu", &[])?,
            of_kernel: number(&self.proto, "proto", &PROTOCOLS)? == KERNEL,
        })
    }
}

impl NeighbourEntry {
    fn read(&self) -> Read<Neighbour> {
        let state = match &self.state {
            Some(state) => u16::try_from(Number::read(state, "state", &STATES)?).map_err(|_| TableError {
                span: state.span(),
                message: "state wants a number up to 65535".to_owned(),
            })?,
            None => Neighbour::PERMANENT,
        };
        Ok(Neighbour { ip: ip(&self.ip)?, mac: mac(&self.mac)?, dev: name(&self.dev)?, state })
    }
}

/// Reads each entry of a list that is not too long.
fn each<E, T>(list: &Spanned<Vec<E>>, what: &str, read: impl Fn(&E) -> Read<T>) -> Read<Vec<T>> {
    if list.get_ref().len() > MOST {
        return Err(TableError { span: list.span(), message: format!("more than {MOST} {what}") });
    }
    list.get_ref().iter().map(read).collect()
}

fn bounded(text: &Spanned<String>, what: &str, limit: usize) -> Read<String> {
    if text.get_ref().len() > limit {
        return Err(TableError {
            span: text.span(),
            message: format!("{what} is longer than {limit} bytes"),
        });
    }
    Ok(text.get_ref().clone())
}

/// A name that the kernel gives to an interface.
fn name(text: &Spanned<String>) -> Read<String> {
    let name = text.get_ref();
    let wrong = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > NAME_LIMIT || name == "." || name == ".." || name.contains(wrong) {
        let message = format!(
            "no name of an interface: it has 1 to {NAME_LIMIT} bytes, and neither a blank nor '/' nor ':' in it"
        );
        return Err(TableError { span: text.span(), message });
    }
    Ok(name.clone())
}

/// The address of an Ethernet card, or its token.
fn mac(text: &Spanned<String>) -> Read<String> {
    let mac = text.get_ref();
    let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    if mac != MAC_TOKEN && !(mac.len() == 17 && mac.split(':').all(is_byte)) {
        let message = format!(
            "no MAC address; write six bytes such as 0a:58:0a:f4:01:02, or {MAC_TOKEN} where it is not known"
        );
        return Err(TableError { span: text.span(), message });
    }
    Ok(mac.to_ascii_lowercase())
}

fn ip(text: &Spanned<String>) -> Read<Ip> {
    let known = text.get_ref().parse().map(Ip::Known);
    known.map_err(|_| TableError { span: text.span(), message: "no IP address".to_owned() })
}

/// An address with the length of its network's part: all of it where none is written.
fn address(text: &Spanned<String>) -> Read<Address> {
    let whole = |ip: IpAddr| Address { ip: Ip::Known(ip), prefix: Some(if ip.is_ipv4() { 32 } else { 128 }) };
    let written = text.get_ref();
    let read = Address::parse(written).or_else(|| written.parse().ok().map(whole));
    read.ok_or_else(|| TableError {
        span: text.span(),
        message: "no IP address with the length of its network, such as 10.244.1.2/24".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PodNetwork, String> {
        let table: NetworkTable = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        table.read().map_err(|e| format!("{}: {}", e.span.start, e.message))
    }

    #[test]
    fn both_forms_of_the_lists_are_read() {
        let inline = read(concat!(
            "netns = \"/run/netns/a\"\n",
            "interfaces = [{ name = \"eth0\", mac = \"0A:58:0a:f4:01:02\", mtu = 1450, addresses = [\"10.244.1.2/24\"] }]\n",
            "routes = [{ dst = \"default\", gateway = \"10.244.1.1\", dev = \"eth0\" }]\n",
            "neighbours = [{ ip = \"10.244.1.1\", mac = \"ee:ee:ee:ee:ee:ee\", dev = \"eth0\" }]\n",
        ));
        let tables = read(concat!(
            "netns = \"/run/netns/a\"\n",
            "[[interface]]\nname = \"eth0\"\nkind = \"veth\"\nmac = \"0a:58:0a:f4:01:02\"\nmtu = 1450\naddresses = [\"10.244.1.2/24\"]\n",
            "[[route]]\ndst = \"default\"\ngateway = \"10.244.1.1\"\ndev = \"eth0\"\nscope = \"global\"\n",
            "[[neighbour]]\nip = \"10.244.1.1\"\nmac = \"ee:ee:ee:ee:ee:ee\"\ndev = \"eth0\"\n",
        ));
        assert!(inline.is_ok());
        assert_eq!(inline, tables);
    }

    #[test]
    fn what_is_not_said_is_assumed_or_a_token() {
        assert_eq!(read("").unwrap(), PodNetwork { routes: Vec::new(), ..PodNetwork::assumed() });
        assert_eq!(read("interfaces = []").unwrap(), PodNetwork::empty());
        assert_eq!(read("exists = false").unwrap(), PodNetwork { exists: false, ..PodNetwork::empty() });
        let named = read("interfaces = [{ name = \"net1\" }]").unwrap();
        let interface = named.interfaces.first().unwrap();
        assert_eq!((interface.mac.as_str(), interface.mtu), (MAC_TOKEN, 1500));
    }

    #[test]
    fn a_wrong_text_is_told_with_its_place() {
        for (text, wanted) in [
            ("interfaces = [{ name = \"a b\" }]", "23: no name of an interface"),
            ("interfaces = [{ name = \"eth0\", mac = \"0a:58\" }]", "37: no MAC address"),
            ("interfaces = [{ name = \"eth0\", addresses = [\"10.0.0.1/33\"] }]", "44: no IP address"),
            (
                "routes = [{ dst = \"default\", dev = \"eth0\", scope = \"moon\" }]",
                "51: scope wants a number",
            ),
            ("interfaces = [{ name = \"eth0\", colour = 1 }]", "unknown field `colour`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(wanted), "{text}: {error}");
        }
        let many = format!("interfaces = [{}]", "{ name = \"a\" },".repeat(MOST + 1));
        assert_eq!(read(&many).unwrap_err(), format!("13: more than {MOST} interfaces"));
    }
}
