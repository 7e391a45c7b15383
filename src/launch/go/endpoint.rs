//! One network endpoint of a sandbox: the interface behind it, and how it is joined to the VM.
//!
//! Decides nothing but the words. Facts: `EndpointType` in src/runtime/virtcontainers/endpoint.go from 2.0.0 to 4.1.0.

use std::borrow::Cow;

use crate::input::host::Interface;
use crate::runtime::go::config::InterworkingModel;

/// How an interface is joined to the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Veth,
    Macvlan,
    Ipvlan,
    Tuntap,
    /// Its own device is opened, and no other made beside it.
    Macvtap,
    /// Handed over whole, by a file of directly attached networks.
    Vfio,
}

impl Kind {
    /// The runtime's word for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Veth => "virtual",
            Self::Macvlan => "macvlan",
            Self::Ipvlan => "ipvlan",
            Self::Tuntap => "tuntap",
            Self::Macvtap => "macvtap",
            Self::Vfio => "vfio",
        }
    }
}

/// One interface with its endpoint.
#[derive(Debug, Clone)]
pub(super) struct Endpoint<'a> {
    pub(super) interface: Cow<'a, Interface>,
    pub(super) kind: Kind,
    pub(super) model: InterworkingModel,
    /// The name of the device that is opened beside the interface.
    pub(super) tap: String,
    /// How many descriptors of that device are handed over.
    pub(super) taps: u32,
    /// How many descriptors of vhost-net go with them.
    pub(super) vhosts: u32,
}

impl Endpoint<'_> {
    pub(super) fn name(&self) -> &str {
        &self.interface.name
    }

    /// Whether a device is made beside the interface.
    pub(super) fn has_pair(&self) -> bool {
        !matches!(self.kind, Kind::Macvtap | Kind::Vfio)
    }
}

/// The numbers of the descriptors that a VMM inherits.
pub(super) struct Descriptors {
    last: u32,
}

impl Descriptors {
    pub(super) fn after(last: u32) -> Self {
        Self { last }
    }

    /// The numbers of the next ones.
    pub(super) fn next(&mut self, count: u32) -> String {
        let first = self.last + 1;
        self.last += count;
        let numbers: Vec<String> = (first..=self.last).map(|number| number.to_string()).collect();
        numbers.join(":")
    }
}
