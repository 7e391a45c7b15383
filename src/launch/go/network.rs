//! The network endpoints of a sandbox: which interfaces of the pod's namespace get one, how each is joined to the VM, and
//! where that fails.
//!
//! Facts: `createNetwork` in src/runtime/virtcontainers/sandbox.go, `network_linux.go` (`network.go` before 2.4.0), the
//! `*_endpoint.go` and `SetupNetworkNamespace` in src/runtime/pkg/katautils from 2.0.0 to 4.1.0.

use std::borrow::Cow;

use super::endpoint::{Endpoint, Kind};
use super::{Change, Refusal, Start, dan, refuse};
use crate::answer::launch::Cause;
use crate::input::host::{Interface, LinkKind, NETNS_TOKEN, PodNetwork};
use crate::runtime::go::config::{HypervisorType, InterworkingModel};

/// How many rates of a limit come to less than a byte a second, which the kernel does not take.
const BITS: u64 = 8;

/// The network of one sandbox.
#[derive(Debug, Clone)]
pub(super) struct Network<'a> {
    /// The namespace that the VMM runs in; `None`: the one it is started from.
    pub(super) namespace: Option<&'a str>,
    /// The endpoints, in the order in which the VM gets them.
    pub(super) endpoints: Vec<Endpoint<'a>>,
    /// What the namespace has beside them.
    pub(super) pod: Cow<'a, PodNetwork>,
    /// Whether a file names the endpoints.
    pub(super) by_file: bool,
    assumed: bool,
}

impl<'a> Network<'a> {
    /// Decides it, or says where upstream gives up. `add`: what the hypervisor says to an endpoint.
    pub(super) fn of(
        start: &Start<'a>,
        add: impl Fn(&Endpoint<'_>) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let said = &start.config.network_config;
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
        let pod = &*start.host.facts.network;
        if said.disable_new_network {
            check_entered(pod)?;
            return Ok(nothing(Some(&pod.netns)));
        }
        if !said.dan_config_path.is_empty() {
            let dan = dan::read(start)?;
            check_entered(pod)?;
            let (endpoints, pod_of_file) = (dan.endpoints, Cow::Owned(dan.pod));
            return Ok(Self { endpoints, pod: pod_of_file, by_file: true, ..nothing(Some(&pod.netns)) });
        }
        if !pod.exists {
            return refuse("no such file or directory", &[]);
        }
        let pod = start.host.network();
        let endpoints = Scan { start, add }.endpoints(pod)?;
        let assumed = start.host.assumes_network();
        Ok(Self { endpoints, pod: Cow::Borrowed(pod), assumed, ..nothing(Some(&pod.netns)) })
    }

    /// What put an interface's endpoint there.
    pub(super) fn cause(&self, keys: &[&'static str], endpoint: &Endpoint<'_>) -> Cause {
        let assumed = if self.assumed { ", which is assumed" } else { "" };
        Cause::keys(keys.iter().copied()).by(format!("the pod's interface {}{assumed}", endpoint.name()))
    }
}

/// How many interfaces the pod's namespace has, usable or not, the loopback one included.
pub(super) fn links(start: &Start<'_>) -> u32 {
    match &start.config.network_config {
        said if said.host_network => u32::from(!said.disable_new_network),
        _ if !start.host.facts.network.exists => 0,
        _ => 1 + start.host.network().interfaces.len() as u32,
    }
}

/// The namespace is entered whether or not its interfaces are looked at.
fn check_entered(pod: &PodNetwork) -> Result<(), Refusal> {
    if pod.exists {
        return Ok(());
    }
    refuse(format!("failed to Statfs \"{}\": no such file or directory", pod.netns), &[])
}

/// A look at the interfaces of a namespace, one after the other.
struct Scan<'s, F> {
    start: &'s Start<'s>,
    add: F,
}

impl<F: Fn(&Endpoint<'_>) -> Result<(), Refusal>> Scan<'_, F> {
    fn endpoints<'a>(&self, pod: &'a PodNetwork) -> Result<Vec<Endpoint<'a>>, Refusal> {
        let at_once = self.start.has(Change::EndpointsMadeAtOnce);
        let mut endpoints: Vec<Endpoint<'a>> = Vec::new();
        for interface in pod.interfaces.iter().filter(|interface| interface.is_usable()) {
            let mut index = endpoints.len() as u64;
            if let Some(last) = endpoints.last().filter(|_| self.start.has(Change::TapsBesideNames)) {
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
        let (start, hv) = (self.start, self.start.hv);
        let kind = match &interface.kind {
            LinkKind::Veth => Kind::Veth,
            LinkKind::Device if start.has(Change::PlainDevices) => Kind::Veth,
            LinkKind::Macvlan => Kind::Macvlan,
            LinkKind::Ipvlan => Kind::Ipvlan,
            LinkKind::Macvtap => Kind::Macvtap,
            LinkKind::Tap => Kind::Tuntap,
            LinkKind::Tun => return refuse("tun networking device not yet supported", &[]),
            other => return refuse(format!("Unsupported network interface: {}", other.as_str()), &[]),
        };
        let model = match start.config.network_config.interworking_model {
            _ if kind == Kind::Ipvlan => InterworkingModel::TcFilter,
            InterworkingModel::Default => InterworkingModel::TcFilter,
            model => model,
        };
        // Of the others only QEMU has more than one.
        let several = kind == Kind::Macvtap || start.config.hypervisor_type == HypervisorType::Qemu;
        let queues = if several { hv.num_vcpus() } else { 0 };
        let unprivileged = hv.rootless && start.has(Change::RootlessWithoutVhost);
        let own = kind == Kind::Macvtap || model == InterworkingModel::MacVtap;
        let least = if !own && start.has(Change::OneQueueAtLeast) { 1 } else { 0 };
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
            return refuse("Invalid internetworking model", &[MODEL]);
        }
        (self.add)(endpoint)?;
        let hv = self.start.hv;
        let hypervisor = self.start.config.hypervisor_type;
        let by_itself = matches!(hypervisor, HypervisorType::Clh | HypervisorType::Firecracker);
        let too_low = |rate: u64| (1..BITS).contains(&rate) && !by_itself;
        let message = "Failed to add htb classid 1:1 : invalid argument";
        if too_low(hv.rx_rate_limiter_max_rate) {
            return refuse(message, &["rx_rate_limiter_max_rate"]);
        }
        if too_low(hv.tx_rate_limiter_max_rate) {
            return refuse(message, &["tx_rate_limiter_max_rate"]);
        }
        Ok(())
    }
}

/// What puts the path of the pod's namespace somewhere.
pub(super) const BY_CRI: &str = "made by the CRI when the pod starts";

/// Thousands as powers of 1024.
pub(super) fn powers_of_1024(number: u64) -> u64 {
    match number / 1000 {
        0 => number,
        thousands => powers_of_1024(thousands).wrapping_mul(1024).wrapping_add(number % 1000),
    }
}

/// The annotation that names the model.
pub(super) const MODEL: &str = "io.katacontainers.config.runtime.internetworking_model";

/// The first number in a name: that of the interface before decides where taps go on.
fn number_in(name: &str) -> Result<u64, Refusal> {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    digits
        .parse()
        .map_err(|_| Refusal::because(format!("strconv.ParseInt: parsing {digits:?}: invalid syntax"), &[]))
}
