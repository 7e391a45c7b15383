//! What kubelet hands to the container runtime as the sandbox's size.
//!
//! Decides quota, period, shares and memory from a pod's resources and kubelet's settings, with the sum
//! behind them; the RuntimeClass's overhead is not part of it. Facts: pkg/kubelet/kuberuntime
//! (sandbox resources), component-helpers/resource, pkg/kubelet/cm/cpumanager at Kubernetes 1.36.2.

use super::Node;
use super::quantity::Quantity;
use super::resources::{Amounts, Container, PodResources, Role};
use crate::input::manifest::{CgroupSum, Sizing, SizingLine, SizingSum};

/// Kubernetes' quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Qos {
    Guaranteed,
    Burstable,
    BestEffort,
}

/// The size and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// What kubelet sends; `None` for a kubelet so old that it sends nothing.
    pub sizing: Option<Sizing>,
    /// Quality of service.
    pub qos: Qos,
    /// The pod gets CPUs of its own.
    pub exclusive_cpus: bool,
    /// CPU limit of the pod, overhead left out.
    pub cpu: Option<Quantity>,
    /// CPU request of the pod: it becomes shares, and does not size the VM.
    pub cpu_request: Option<Quantity>,
    /// Memory limit of the pod.
    pub memory: Option<Quantity>,
    /// Memory request of the pod: never handed on.
    pub memory_request: Option<Quantity>,
}

const MIN_SHARES: i64 = 2;
const MAX_SHARES: i64 = 262_144;
/// The floor of a quota, whatever the period.
const MIN_QUOTA: i64 = 1000;

/// The size of a pod's sandbox.
pub fn size(resources: &PodResources, node: &Node) -> Size {
    let totals = Totals::of(resources);
    let (sizing, qos, exclusive_cpus) = compute(&totals, resources, node);
    Size {
        sizing: node.version.sends_sizing().then_some(sizing),
        qos,
        exclusive_cpus,
        cpu: totals.cpu,
        cpu_request: totals.cpu_request,
        memory: totals.memory,
        memory_request: totals.memory_request,
    }
}

/// Pod-wide limits and requests.
struct Totals {
    cpu: Option<Quantity>,
    cpu_request: Option<Quantity>,
    memory: Option<Quantity>,
    memory_request: Option<Quantity>,
}

impl Totals {
    fn of(resources: &PodResources) -> Self {
        let own = resources.pod.as_ref();
        let limit = |name| {
            let own = own.and_then(|(_, limits)| limits.get(name));
            own.or_else(|| resources.total(name, |c| &c.limits))
        };
        let request = |name| {
            let own = own.and_then(|(requests, _)| requests.get(name));
            own.or_else(|| resources.total(name, |c| &c.requests))
        };
        Self {
            cpu: limit("cpu"),
            cpu_request: request("cpu"),
            memory: limit("memory"),
            memory_request: request("memory"),
        }
    }
}

fn compute(totals: &Totals, resources: &PodResources, node: &Node) -> (Sizing, Qos, bool) {
    let limit = totals.cpu.map_or(0, Quantity::milli);
    let shares = shares(totals.cpu_request.map_or(limit, Quantity::milli));
    let qos = qos(resources);
    let exclusive = exclusive(resources, qos, node) > 0;
    let mut sizing = Sizing {
        cpu_shares: u64::try_from(shares).unwrap_or_default(),
        memory_limit: totals.memory.map_or(0, Quantity::value),
        ..Sizing::default()
    };
    if node.kubelet.cfs_quota {
        let period = period(node);
        sizing.cpu_period = u64::try_from(period).unwrap_or_default();
        sizing.cpu_quota = quota(limit, period);
        if exclusive && node.version.drops_quota_of_exclusive_cpus() {
            sizing.cpu_quota = -1;
        }
    }
    (sizing, qos, exclusive)
}

/// The CFS period in microseconds.
fn period(node: &Node) -> i64 {
    if node.version.has_custom_cfs_period() { node.kubelet.cfs_period / 1000 } else { 100_000 }
}

fn shares(milli: i64) -> i64 {
    if milli == 0 {
        return MIN_SHARES;
    }
    (milli.wrapping_mul(1024) / 1000).clamp(MIN_SHARES, MAX_SHARES)
}

fn quota(milli: i64, period: i64) -> i64 {
    if milli == 0 {
        return 0;
    }
    (milli.wrapping_mul(period) / 1000).max(MIN_QUOTA)
}

/// Quality of service: of the pod-level resources where they are set, else of the containers.
pub fn qos(resources: &PodResources) -> Qos {
    let counted = |amounts: &Amounts, name: &str| amounts.get(name).filter(|q| q.is_positive());
    let sum = |before: Option<Quantity>, quantity: Quantity| before.map_or(quantity, |q| q.plus(quantity));
    let pairs: Vec<(&Amounts, &Amounts)> = match &resources.pod {
        Some((requests, limits)) if !requests.is_empty() || !limits.is_empty() => vec![(requests, limits)],
        _ => resources.containers.iter().map(|c| (&c.requests, &c.limits)).collect(),
    };
    let mut guaranteed = true;
    let [cpu, memory] = ["cpu", "memory"].map(|name| {
        let (mut request, mut limit) = (None, None);
        for (own_requests, own_limits) in &pairs {
            if let Some(quantity) = counted(own_requests, name) {
                request = Some(sum(request, quantity));
            }
            match counted(own_limits, name) {
                Some(quantity) => limit = Some(sum(limit, quantity)),
                None => guaranteed = false,
            }
        }
        (request, limit)
    });
    if [cpu.0, cpu.1, memory.0, memory.1].iter().all(Option::is_none) {
        return Qos::BestEffort;
    }
    let same = [cpu, memory].iter().all(|pair| match pair {
        (Some(request), Some(limit)) => request.equals(*limit),
        (None, None) => true,
        _ => false,
    });
    if guaranteed && same { Qos::Guaranteed } else { Qos::Burstable }
}

/// CPUs that the static CPU manager sets aside: at the worst moment of the pod's life.
pub fn exclusive(resources: &PodResources, qos: Qos, node: &Node) -> i64 {
    let pod_level =
        resources.pod.as_ref().is_some_and(|(requests, limits)| !requests.is_empty() || !limits.is_empty());
    let barred = pod_level && !node.version.manages_pod_level_cpus();
    if !node.kubelet.static_cpus || qos != Qos::Guaranteed || barred {
        return 0;
    }
    let whole = |amounts: &Amounts| {
        let cpu = amounts.get("cpu").unwrap_or(Quantity::ZERO);
        if cpu.value().wrapping_mul(1000) == cpu.milli() { cpu.value() } else { 0 }
    };
    let (mut sidecars, mut init, mut apps) = (0i64, 0i64, 0i64);
    for container in &resources.containers {
        let cpus = whole(&container.requests);
        match container.role {
            Role::App => apps = apps.saturating_add(cpus),
            Role::Sidecar => sidecars = sidecars.saturating_add(cpus),
            Role::Init => init = init.max(sidecars.saturating_add(cpus)),
        }
    }
    init.max(sidecars.saturating_add(apps))
}

/// A pod wants more CPUs of its own than there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not enough cpus available to satisfy request: requested={wanted}, available={available}")]
pub struct NotEnoughCpus {
    /// How many it wants.
    pub wanted: i64,
    /// How many there are.
    pub available: i64,
}

/// Whether kubelet takes a pod that wants CPUs of its own.
pub fn admit(resources: &PodResources, node: &Node) -> Result<(), NotEnoughCpus> {
    if !node.kubelet.static_cpus {
        return Ok(());
    }
    let wanted = exclusive(resources, qos(resources), node);
    let available = i64::from(node.cpus.saturating_sub(node.kubelet.reserved_cpus));
    if node.cpus > 0 && wanted > available {
        return Err(NotEnoughCpus { wanted, available });
    }
    Ok(())
}

/// The sum behind a size.
pub fn explain(resources: &PodResources, size: &Size, node: &Node) -> SizingSum {
    let line = |who: String, amounts: &Amounts, note| {
        let text = |name| amounts.get(name).map(|q| q.to_string());
        SizingLine { who, cpu: text("cpu"), memory: text("memory"), note }
    };
    let mut lines: Vec<SizingLine> = resources
        .containers
        .iter()
        .map(|c| {
            let (word, note) = match c.role {
                _ if c.limits.is_empty() => ("container", "no limits: contributes nothing"),
                Role::App => ("container", "added"),
                Role::Sidecar => ("sidecar", "added: it keeps running"),
                Role::Init => ("init container", "counts only where it needs more than all that run later"),
            };
            line(format!("{word} {}", c.name), &c.limits, note)
        })
        .collect();
    if let Some((_, limits)) = &resources.pod {
        let note = "replaces the containers' sum where it is set";
        lines.push(line("spec.resources".to_owned(), limits, note));
    }
    if !resources.overhead.is_empty() {
        let note = "left out: it is for the scheduler and the pod's cgroup";
        lines.push(line("RuntimeClass overhead".to_owned(), &resources.overhead, note));
    }
    let steps = match &size.sizing {
        Some(sizing) => steps(sizing, size, node),
        None => {
            vec![format!("kubelet {} sends no size: Kubernetes 1.23 is the first that does", node.version)]
        }
    };
    SizingSum { lines, steps }
}

/// The pod's cgroup, as `ResourceConfigForPod` of pkg/kubelet/cm/helpers_linux.go sizes it: limited where every
/// container is.
pub fn cgroup(resources: &PodResources, size: &Size) -> CgroupSum {
    let of_pod = |name: &str| {
        resources.pod.as_ref().is_some_and(|(_, limits)| limits.get(name).is_some_and(|q| !q.is_zero()))
    };
    let of_all = |name: &str| {
        let limited = |container: &Container| container.limits.get(name).is_some_and(|q| !q.is_zero());
        !resources.containers.is_empty() && resources.containers.iter().all(limited)
    };
    let declared = |name: &str| of_pod(name) || of_all(name);
    let overhead = |name: &str| resources.overhead.get(name);
    CgroupSum {
        milli_cpus: size.cpu.filter(|_| declared("cpu")).map(Quantity::milli),
        memory: size.memory.filter(|_| declared("memory")).map(Quantity::value),
        overhead_milli_cpus: overhead("cpu").map_or(0, Quantity::milli),
        overhead_memory: overhead("memory").map_or(0, Quantity::value),
    }
}

fn steps(sizing: &Sizing, size: &Size, node: &Node) -> Vec<String> {
    let mut steps = Vec::new();
    let milli = size.cpu.map_or(0, Quantity::milli);
    if !node.kubelet.cfs_quota {
        steps.push("kubelet has cpuCFSQuota: false, so neither quota nor period is sent".to_owned());
    } else if sizing.cpu_quota == -1 {
        let why =
            if size.exclusive_cpus { "the CPU manager gives the pod CPUs of its own" } else { "no quota" };
        steps.push(format!("quota -1: {why}, so kubelet sets no quota"));
    } else if milli == 0 {
        steps.push("no CPU limit: quota 0".to_owned());
    } else {
        let floor = if sizing.cpu_quota == MIN_QUOTA && milli.wrapping_mul(period(node)) / 1000 < MIN_QUOTA {
            ", raised to the least quota"
        } else {
            ""
        };
        steps.push(format!("quota = {milli}m x {} / 1000 = {}{floor}", period(node), sizing.cpu_quota));
    }
    steps.push(format!("shares = {}: they weigh, they do not size the VM", sizing.cpu_shares));
    steps.push(match size.memory {
        Some(quantity) => format!("memory = {quantity} = {} bytes", sizing.memory_limit),
        None => "no memory limit: memory 0 (requests are never handed on)".to_owned(),
    });
    steps
}
