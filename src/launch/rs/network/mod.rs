//! The sandbox's network: which endpoints the VM gets, and what the agent is told of them.
//!
//! Decides where the network comes from (the sandbox's file of a directly attached network, else its namespace),
//! which interfaces become endpoints, under which names, and where that fails. What an endpoint is for each hypervisor is
//! that hypervisor's own file's business.
//!
//! Facts: `prepare_network_resource` in src/runtime-rs/crates/runtimes/virt_container/src/sandbox.rs, `try_init` in
//! src/runtime-rs/crates/runtimes/src/manager.rs and src/runtime-rs/crates/resource/src/network at each tag.

mod dan;
mod link;

use serde_json::Value as Json;

use super::{Context, Kind, Refusal, Start, refuse};
use crate::answer::agent::{NetworkRequests, fields};
use crate::release::rs::Change;

const CAUSED_BY_MODEL: &[&str] = &["runtime.internetworking_model"];
const CAUSED_BY_QUEUES: &[&str] = &["hypervisor.network_queues"];
const CAUSED_BY_NETNS: &[&str] = &["runtime.disable_new_netns"];

/// So many queues has a tap device at most.
const MOST_QUEUES: usize = 256;

/// What stands behind an endpoint on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Backend {
    Tap {
        name: String,
        /// Whether it was made with several queues; it can then be opened so alone.
        several: bool,
    },
    /// A process behind this socket.
    VhostUser { socket: String },
}

/// One network endpoint of the VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) backend: Backend,
    /// The interface that it stands for.
    pub(super) interface: String,
    pub(super) mac: String,
    /// Pairs of queues, as the device is told; 0 where it is told nothing.
    pub(super) queue_pairs: usize,
    /// The length of a queue, as the device is told.
    pub(super) queue_size: usize,
}

impl Endpoint {
    /// The tap device, where the endpoint has one.
    pub(super) fn tap(&self) -> Option<&str> {
        match &self.backend {
            Backend::Tap { name, .. } => Some(name),
            Backend::VhostUser { .. } => None,
        }
    }

    /// `open_named_tuntap`: a device of several queues is opened for several, and no other.
    pub(super) fn open(&self, queues: usize) -> Result<(), Refusal> {
        let Backend::Tap { several, .. } = self.backend else { return Ok(()) };
        let message = if several != (queues > 1) {
            "open named tuntap device failed: cannot create tap device. Invalid argument (os error 22)"
        } else if queues > MOST_QUEUES {
            "into mq taps failed.: cannot create tap device. Argument list too long (os error 7)"
        } else {
            return Ok(());
        };
        refuse(message, CAUSED_BY_QUEUES)
    }
}

/// The sandbox's network.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Network {
    /// The VM's endpoints, in order.
    pub(super) endpoints: Vec<Endpoint>,
    /// Whether it is made once the VM runs.
    pub(super) deferred: bool,
}

/// The namespace that the sandbox's processes join, if it has one of its own.
pub(super) fn netns<'a>(start: &Start<'a>) -> Option<&'a str> {
    let network = start.host.network();
    let disabled = start.config.runtime.disable_new_netns && start.has(Change::NewNetnsDisabled);
    let attached = start.has(Change::Dan) && network.dan.is_some();
    // Nothing but its name tells a namespace without interfaces from none at all.
    let named = network.netns != crate::input::host::NETNS_TOKEN || !network.interfaces.is_empty();
    let named = named || !network.exists;
    (named && !start.sandbox.host_network && !disabled && !attached).then_some(network.netns.as_str())
}

impl Network {
    /// `handle_network`
    pub(super) fn new(start: &Start<'_>) -> Result<Self, Refusal> {
        let endpoints = match (dan_file(start), netns(start)) {
            (Some(text), _) => dan::endpoints(start, text).map_err(|refusal| set_up(start, refusal))?,
            (None, Some(path)) => of_namespace(start, path)?,
            (None, None) => Vec::new(),
        };
        let deferred = start.has(Change::NetworkDeferred)
            && start.hv.factory.enable_template
            && matches!(start.kind, Kind::Qemu | Kind::Clh);
        attach(start, &endpoints).map_err(|refusal| set_up(start, refusal))?;
        Ok(Self { endpoints, deferred })
    }

    /// The endpoints that are tap devices, and no process.
    pub(super) fn taps(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.tap().is_some())
    }

    /// What the agent is asked.
    pub(super) fn requests(&self, start: &Start<'_>) -> NetworkRequests {
        match dan_file(start) {
            Some(text) => dan::requests(start, text),
            None => link::requests(start, &self.endpoints),
        }
    }
}

/// The text of the file of a directly attached network, where the sandbox has one.
fn dan_file<'a>(start: &Start<'a>) -> Option<&'a str> {
    let reads = start.has(Change::Dan) && !start.config.runtime.dan_conf.is_empty();
    start.host.network().dan.as_deref().filter(|_| reads)
}

fn of_namespace(start: &Start<'_>, path: &str) -> Result<Vec<Endpoint>, Refusal> {
    let none = start.config.runtime.internetworking_model == "none" && start.has(Change::NoneModelUnscanned);
    if !start.host.network().exists {
        if none {
            let why = format!("open new netns path {path}: No such file or directory (os error 2)");
            let refused = refuse(why, CAUSED_BY_MODEL).context("setup network: net netns guard");
            return refused.map_err(|refusal| set_up(start, refusal));
        }
        if !start.has(Change::NetworkThread) {
            let message = format!(
                "called `Result::unwrap()` on an `Err` value: net netns guard\n\nCaused by:\n    0: open new netns \
                     path {path}\n    1: No such file or directory (os error 2)"
            );
            return Err(Refusal::crash(message, CAUSED_BY_NETNS));
        }
        // The thread that looks into it panics.
        let refused = refuse("Couldn't join on the associated thread: Any { .. }", CAUSED_BY_NETNS);
        return if start.has(Change::NetworkHandled) { refused.context(HANDLE) } else { refused };
    }
    if none {
        return Ok(Vec::new());
    }
    link::endpoints(start).map_err(|refusal| set_up(start, refusal))
}

/// An interface as the agent is told of it.
fn interface(start: &Start<'_>, told: [(&str, Json); 7]) -> Json {
    let mut interface = fields(told);
    if let (true, Some(fields)) = (start.has(Change::DevicePath), interface.as_object_mut()) {
        fields.insert("device_path".to_owned(), "".into());
    }
    interface
}

/// A route as the agent is told of it.
fn route(ends: [&str; 3], device: &str, scope: u32, v6: bool) -> Json {
    let [dest, gateway, source] = ends;
    fields([
        ("dest", dest.into()),
        ("gateway", gateway.into()),
        ("device", device.into()),
        ("source", source.into()),
        ("scope", scope.into()),
        ("family", if v6 { "V6" } else { "V4" }.into()),
    ])
}

/// A neighbour as the agent is told of it.
fn neighbour(to: &str, device: &str, mac: &str, state: u32, flags: u32) -> Json {
    fields([
        ("to", to.into()),
        ("device", device.into()),
        ("ll_addr", mac.into()),
        ("state", state.into()),
        ("flags", flags.into()),
    ])
}

const HANDLE: &str = "failed to handle network";

/// Says of a refusal that it came while the network was set up.
fn set_up(start: &Start<'_>, mut refusal: Refusal) -> Refusal {
    if start.has(Change::NetworkThread) {
        refusal = refusal.context("failed to set up network");
    }
    if start.has(Change::NetworkHandled) {
        refusal = refusal.context(HANDLE);
    }
    refusal
}

/// `attach` for every endpoint, as far as the hypervisor does not take one.
fn attach(start: &Start<'_>, endpoints: &[Endpoint]) -> Result<(), Refusal> {
    if start.kind != Kind::Firecracker {
        return Ok(());
    }
    let Some((endpoint, socket)) = endpoints.iter().find_map(|endpoint| match &endpoint.backend {
        Backend::VhostUser { socket } => Some((endpoint, socket)),
        Backend::Tap { .. } => None,
    }) else {
        return Ok(());
    };
    // The misspelling was the runtime's.
    let added = if start.has(Change::DeviceSpelled) { "device" } else { "deivce" };
    let name = if start.has(Change::VhostUserNamed) { endpoint.interface.as_str() } else { "" };
    let device = format!(
        "VhostUserNetDevice {{ device_id: \"{{nonce}}\", config: VhostUserConfig {{ dev_id: {name:?}, socket_path: \
         {socket:?}, mac_address: {:?}, tag: \"\", cache_mode: \"\", cache_size: 0, device_type: Net, driver_option: \
         \"\", pci_path: None, index: 0, queue_size: {}, num_queues: {}, virt_path: \"\" }} }}",
        endpoint.mac, endpoint.queue_size, endpoint.queue_pairs
    );
    refuse(format!("unhandled device: VhostUserNetwork({device})"), &[]).context(&format!(
        "setup network: Attach: handle device: failed to add {added}: add vhost-user-net device to hypervisor"
    ))
}
