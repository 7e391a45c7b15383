//! The network cards of a sandbox: which interfaces of the pod's namespace get one, how each is joined to the VM, and
//! where that fails.
//!
//! Facts: `createNetwork` in src/runtime/virtcontainers/sandbox.go, `network_linux.go` (`network.go` before 2.4.0), the
//! `*_endpoint.go` and `SetupNetworkNamespace` in src/runtime/pkg/katautils from 2.0.0 to 4.1.0.

use std::borrow::Cow;

use super::Refusal;
use super::dan;
use super::endpoint::{Endpoint, Kind};
use crate::answer::launch::{Cause, CauseKeys};
use crate::input::Host;
use crate::input::host::{Interface, LinkKind, NETNS_TOKEN, PodNetwork};
use crate::release::go::Change;
use crate::runtime::go::config::{InterworkingModel, SandboxConfig};

/// How many rates of a limit come to less than a byte a second, which the kernel does not take.
const BITS: u64 = 8;

/// What the network is told of a hypervisor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Abilities {
    /// Whether a card may have several queues.
    pub(super) queues: bool,
    /// Whether it limits rates by itself.
    pub(super) limits: bool,
}

/// The network of one sandbox.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    /// The namespace that the VMM runs in; `None`: the one it is started from.
    pub(super) namespace: Option<&'a str>,
    /// The cards, in the order in which the VM gets them.
    pub(crate) endpoints: Vec<Endpoint<'a>>,
    /// What the namespace has beside them.
    pub(crate) pod: Cow<'a, PodNetwork>,
    /// Whether a file names the cards.
    pub(crate) by_file: bool,
    assumed: bool,
}

impl<'a> Network<'a> {
    /// Decides it, or says where upstream gives up. `add`: what the hypervisor says to a card.
    pub(super) fn of(
        host: &'a Host,
        config: &SandboxConfig,
        abilities: Abilities,
        add: impl Fn(&Endpoint<'_>) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let said = &config.network_config;
        let nothing = |namespace| Self {
            namespace,
            endpoints: Vec::new(),
            pod: Cow::Owned(PodNetwork::empty()),
            by_file: false,
            assumed: false,
        };
        if said.host_network {
            // A namespace is made where none is named.
            return Ok(nothing((!said.disable_new_network).then_some(NETNS_TOKEN)));
        }
        let pod = &*host.facts.network;
        if said.disable_new_network {
            check_entered(pod)?;
            return Ok(nothing(Some(&pod.netns)));
        }
        if !said.dan_config_path.is_empty() {
            let dan = dan::read(host, config)?;
            check_entered(pod)?;
            return Ok(Self {
                namespace: Some(&pod.netns),
                endpoints: dan.endpoints,
                pod: Cow::Owned(dan.pod),
                by_file: true,
                assumed: false,
            });
        }
        if !pod.exists {
            return Err(Refusal::because("no such file or directory", &[]));
        }
        let pod = host.network();
        let endpoints = Scan { config, abilities, add }.endpoints(pod)?;
        Ok(Self {
            namespace: Some(&pod.netns),
            endpoints,
            pod: Cow::Borrowed(pod),
            by_file: false,
            assumed: host.assumes_network(),
        })
    }

    /// What put an interface's card there.
    pub(super) fn cause(&self, keys: &[&'static str], endpoint: &Endpoint<'_>) -> Cause {
        let assumed = if self.assumed { ", which is assumed" } else { "" };
        Cause::keys(keys.iter().copied()).by(format!("the pod's interface {}{assumed}", endpoint.name()))
    }
}

/// How many interfaces the pod's namespace has, usable or not, the loopback one included.
pub(super) fn links(host: &Host, config: &SandboxConfig) -> u32 {
    match &config.network_config {
        said if said.host_network => u32::from(!said.disable_new_network),
        _ if !host.facts.network.exists => 0,
        _ => 1 + host.network().interfaces.len() as u32,
    }
}

/// The namespace is entered whether or not its interfaces are looked at.
fn check_entered(pod: &PodNetwork) -> Result<(), Refusal> {
    if pod.exists {
        return Ok(());
    }
    let message = format!("failed to Statfs \"{}\": no such file or directory", pod.netns);
    Err(Refusal::because(message, &[]))
}

/// A look at the interfaces of a namespace, one after the other.
struct Scan<'s, F> {
    config: &'s SandboxConfig,
    abilities: Abilities,
    add: F,
}

impl<F: Fn(&Endpoint<'_>) -> Result<(), Refusal>> Scan<'_, F> {
    fn endpoints<'a>(&self, pod: &'a PodNetwork) -> Result<Vec<Endpoint<'a>>, Refusal> {
        let release = self.config.release;
        let at_once = release.has(Change::EndpointsMadeAtOnce);
        let mut endpoints: Vec<Endpoint<'a>> = Vec::new();
        for interface in pod.interfaces.iter().filter(|interface| interface.is_usable()) {
            let mut index = endpoints.len() as u64;
            if let Some(last) = endpoints.last().filter(|_| release.has(Change::TapsBesideNames)) {
                index = index.max(number_in(last.name())?.saturating_add(1));
            }
            let endpoint = self.endpoint(interface, index)?;
            if !at_once {
                self.attach(&endpoint)?;
            }
            endpoints.push(endpoint);
        }
        if at_once {
            endpoints.sort_by(|a, b| a.name().cmp(b.name()));
            endpoints.iter().try_for_each(|endpoint| self.attach(endpoint))?;
        }
        Ok(endpoints)
    }

    fn endpoint<'a>(&self, interface: &'a Interface, index: u64) -> Result<Endpoint<'a>, Refusal> {
        let (config, hv) = (self.config, &self.config.hypervisor_config);
        let kind = match &interface.kind {
            LinkKind::Veth => Kind::Veth,
            LinkKind::Device if config.release.has(Change::PlainDevices) => Kind::Veth,
            LinkKind::Macvlan => Kind::Macvlan,
            LinkKind::Ipvlan => Kind::Ipvlan,
            LinkKind::Macvtap => Kind::Macvtap,
            LinkKind::Tap => Kind::Tuntap,
            LinkKind::Tun => return Err(Refusal::because("tun networking device not yet supported", &[])),
            other => {
                let message = format!("Unsupported network interface: {}", other.as_str());
                return Err(Refusal::because(message, &[]));
            }
        };
        let model = match config.network_config.interworking_model {
            _ if kind == Kind::Ipvlan => InterworkingModel::TcFilter,
            InterworkingModel::Default => InterworkingModel::TcFilter,
            model => model,
        };
        let queues = if self.abilities.queues || kind == Kind::Macvtap { hv.num_vcpus() } else { 0 };
        let unprivileged = hv.rootless && config.release.has(Change::RootlessWithoutVhost);
        let own = kind == Kind::Macvtap || model == InterworkingModel::MacVtap;
        let least = if !own && config.release.has(Change::OneQueueAtLeast) { 1 } else { 0 };
        Ok(Endpoint {
            kind,
            model,
            tap: if kind == Kind::Macvtap { interface.name.clone() } else { format!("tap{index}_kata") },
            taps: queues.max(least),
            vhosts: if hv.disable_vhost_net || unprivileged { 0 } else { queues },
            interface: Cow::Borrowed(interface),
        })
    }

    fn attach(&self, endpoint: &Endpoint<'_>) -> Result<(), Refusal> {
        if endpoint.has_pair() && endpoint.model == InterworkingModel::None {
            return Err(Refusal::because("Invalid internetworking model", &[MODEL]));
        }
        (self.add)(endpoint)?;
        let hv = &self.config.hypervisor_config;
        let limits = [
            (hv.rx_rate_limiter_max_rate, "rx_rate_limiter_max_rate"),
            (hv.tx_rate_limiter_max_rate, "tx_rate_limiter_max_rate"),
        ];
        let too_low = |rate: u64| (1..BITS).contains(&rate) && !self.abilities.limits;
        match limits.iter().find(|(rate, _)| too_low(*rate)) {
            Some((_, "rx_rate_limiter_max_rate")) => {
                Err(Refusal::because(TOO_LOW, &["rx_rate_limiter_max_rate"]))
            }
            Some(_) => Err(Refusal::because(TOO_LOW, &["tx_rate_limiter_max_rate"])),
            None => Ok(()),
        }
    }
}

/// What puts the path of the pod's namespace somewhere.
pub(super) const NAMESPACE_CAUSE: Cause = Cause {
    keys: CauseKeys::None,
    rule: Cow::Borrowed("made by the CRI when the pod starts"),
    configured: false,
};

/// Thousands as powers of 1024.
pub(super) fn powers_of_1024(number: u64) -> u64 {
    match number / 1000 {
        0 => number,
        thousands => powers_of_1024(thousands).wrapping_mul(1024).wrapping_add(number % 1000),
    }
}

/// The annotation that names the model.
pub(super) const MODEL: &str = "io.katacontainers.config.runtime.internetworking_model";
const TOO_LOW: &str = "Failed to add htb classid 1:1 : invalid argument";

/// The first number in a name: that of the interface before decides where taps go on.
fn number_in(name: &str) -> Result<u64, Refusal> {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    digits
        .parse()
        .map_err(|_| Refusal::because(format!("strconv.ParseInt: parsing {digits:?}: invalid syntax"), &[]))
}
