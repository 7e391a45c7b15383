//! The resources that a pod's spec asks for, as the API server stores them.
//!
//! Decides what is read from the spec, rounded and filled in (a missing request becomes the limit), and
//! what the API server refuses about it. What kubelet makes of it is `sizing`'s business.
//! Facts: pkg/apis/core/v1/defaults.go and pkg/apis/core/validation at Kubernetes 1.36.2.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::Version;
use super::quantity::Quantity;
use crate::input::Text;
use crate::input::manifest::DeviceRequest;
use crate::input::manifest::node::{Data, Node};

/// Amounts by resource name, in the order of the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts(Vec<(Text, Quantity)>);

/// So many are looked through one by one.
const FEW: usize = 8;

impl Amounts {
    /// The amount of `name`.
    pub fn get(&self, name: &str) -> Option<Quantity> {
        if self.0.len() <= FEW {
            return self.0.iter().find(|(own, _)| own.as_str() == name).map(|(_, quantity)| *quantity);
        }
        let at = self.0.binary_search_by(|(own, _)| own.as_str().cmp(name)).ok()?;
        self.0.get(at).map(|(_, quantity)| *quantity)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, quantity)| (name.as_str(), *quantity))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those that are missing.
    fn fill_in<'n>(&mut self, others: impl Iterator<Item = (&'n str, Quantity)>) {
        let missing: Vec<_> = others.filter(|(name, _)| self.get(name).is_none()).collect();
        if !missing.is_empty() {
            self.0.extend(missing.into_iter().map(|(name, quantity)| (text(name), quantity)));
            self.order();
        }
    }

    /// In the order of the names; of two alike the last one counts.
    fn order(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.0.dedup_by(|later, kept| {
            let is_again = later.0 == kept.0;
            if is_again {
                std::mem::swap(later, kept);
            }
            is_again
        });
    }

    fn read(node: Option<&Node<'_>>, path: impl Display, faults: &mut Vec<Fault>) -> Self {
        let mut amounts = Self::default();
        for entry in node.map(Node::entries).unwrap_or_default() {
            let quantity = match &entry.value.data {
                Data::Null => Ok(Quantity::ZERO),
                Data::String(text) | Data::Number(text) => Quantity::from_json(text),
                Data::Bool(_) | Data::List(_) | Data::Map(_) => Quantity::parse("x"),
            };
            match quantity {
                Ok(quantity) => amounts.0.push((text(&entry.key), quantity.rounded_to_milli())),
                Err(error) => faults.push(Fault {
                    message: error.to_string(),
                    at: entry.value.at,
                    path: format!("{path}[{}]", entry.key),
                }),
            }
        }
        amounts.order();
        amounts
    }
}

fn text(name: &str) -> Text {
    match name {
        "cpu" => Text::constant("cpu"),
        "memory" => Text::constant("memory"),
        name => Text::copy(name),
    }
}

/// Something wrong at a place of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kubernetes' words.
    pub message: String,
    /// Byte offset in the document.
    pub at: usize,
    /// The field.
    pub path: String,
}

/// When a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Beside the others, all the time.
    App,
    /// Before the others, one after the other.
    Init,
    /// An init container that stays (`restartPolicy: Always`).
    Sidecar,
}

/// One container's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub role: Role,
    /// What it is promised.
    pub requests: Amounts,
    /// What it may not exceed.
    pub limits: Amounts,
    /// Where its resources, or else it, stand.
    pub at: usize,
}

/// What a pod asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodResources {
    /// Init containers first, in order, then the others.
    pub containers: Vec<Container>,
    /// `spec.resources`: requests and limits of the pod as a whole.
    pub pod: Option<(Amounts, Amounts)>,
    /// `spec.overhead`.
    pub overhead: Amounts,
}

impl PodResources {
    /// Reads a pod's spec; quantities that are none come back as faults (the API server's 400).
    pub fn read(spec: Option<&Node<'_>>, version: &Version) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut resources = Self::default();
        let Some(spec) = spec else { return (resources, faults) };
        for (field, app) in [("initContainers", false), ("containers", true)] {
            for (index, node) in spec.get(field).map(Node::items).unwrap_or_default().iter().enumerate() {
                let own = node.get("resources");
                let stays = node.text("restartPolicy") == Some("Always");
                let mut amounts = |key: &str| {
                    let path = format_args!("spec.{field}[{index}].resources.{key}");
                    Amounts::read(own.and_then(|r| r.get(key)), path, &mut faults)
                };
                let limits = amounts("limits");
                let mut requests = amounts("requests");
                if requests.is_empty() {
                    requests.clone_from(&limits);
                } else {
                    requests.fill_in(limits.iter());
                }
                resources.containers.push(Container {
                    name: node.text("name").unwrap_or_default().to_owned(),
                    role: match (app, stays && version.has_sidecars()) {
                        (true, _) => Role::App,
                        (false, true) => Role::Sidecar,
                        (false, false) => Role::Init,
                    },
                    requests,
                    limits,
                    at: own.unwrap_or(node).at,
                });
            }
        }
        resources.overhead = Amounts::read(spec.get("overhead"), "spec.overhead", &mut faults);
        if let Some(pod) = spec.get("resources").filter(|_| version.has_pod_level_resources()) {
            let mut requests = Amounts::read(pod.get("requests"), "spec.resources.requests", &mut faults);
            let limits = Amounts::read(pod.get("limits"), "spec.resources.limits", &mut faults);
            let shared = |name: &str| matches!(name, "cpu" | "memory");
            let all = resources.aggregate(|c| &c.requests);
            requests.fill_in(all.iter().filter(|(name, _)| shared(name)));
            requests.fill_in(limits.iter().filter(|(name, _)| is_pod_level(name)));
            resources.pod = Some((requests, limits));
        }
        (resources, faults)
    }

    /// The devices of plugins that kubelet gives the containers that run side by side.
    pub fn devices(&self) -> Vec<DeviceRequest> {
        let running = self.containers.iter().filter(|container| container.role != Role::Init);
        let limits = running.flat_map(|container| container.limits.iter());
        limits
            .filter(|(name, count)| is_extended(name) && count.value() > 0)
            .map(|(name, count)| DeviceRequest {
                resource: name.to_owned(),
                count: u32::try_from(count.value()).unwrap_or(u32::MAX),
            })
            .collect()
    }

    /// What the containers need together at the worst moment: all that run side by side, or one init
    /// container with the sidecars started before it.
    pub fn aggregate(&self, of: impl Fn(&Container) -> &Amounts) -> Amounts {
        let named = self.containers.iter().flat_map(|container| of(container).iter());
        let names: BTreeSet<&str> = named.map(|(name, _)| name).collect();
        let total = |name| Some((text(name), self.total(name, &of)?));
        Amounts(names.into_iter().filter_map(total).collect())
    }

    /// The same of one resource.
    pub fn total(&self, name: &str, of: impl Fn(&Container) -> &Amounts) -> Option<Quantity> {
        let or_both = |own: Option<Quantity>,
                       other: Option<Quantity>,
                       both: fn(Quantity, Quantity) -> Quantity| match own {
            Some(own) => Some(other.map_or(own, |other| both(own, other))),
            None => other,
        };
        let (mut together, mut sidecars, mut most) = (None, None, None);
        for container in self.containers.iter().filter(|c| c.role == Role::App) {
            together = or_both(together, of(container).get(name), Quantity::plus);
        }
        for container in self.containers.iter().filter(|c| c.role != Role::App) {
            let own = of(container).get(name);
            let moment = if container.role == Role::Sidecar {
                together = or_both(together, own, Quantity::plus);
                sidecars = or_both(sidecars, own, Quantity::plus);
                sidecars
            } else {
                or_both(own, sidecars, Quantity::plus)
            };
            most = or_both(most, moment, Quantity::max);
        }
        or_both(together, most, Quantity::max)
    }
}

/// Whether a resource is one of a plugin's or of the node's own: `IsExtendedResourceName` of Kubernetes.
fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// Resources that `spec.resources` may name.
pub fn is_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}
