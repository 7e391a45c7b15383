//! NUMA: which guest nodes remain, how vCPUs and memory are spread over them, how far they are apart.
//!
//! Facts: src/runtime/virtcontainers/{qemu,utils/utils,utils/utils_linux}.go and pkg/cpuset from 3.32.0 to 4.1.0.
//! Distances are not part of the host's facts: a node is 10 from itself and 20 from any other, as on
//! two sockets.

use super::{Change, Refusal, refuse};
use crate::input::Host;
use crate::input::host::Arch;
use crate::release::Release;
use crate::runtime::go::config::{GuestNumaNode, HypervisorConfig};

const REMOTE_DISTANCE: u32 = 20;

/// A list such as `0-3,8` in rising order without repeats; `None` where it is not one.
fn parse_list(text: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    if text.is_empty() {
        return Some(numbers);
    }
    for part in text.split(',') {
        match part.split_once('-') {
            None => numbers.push(part.parse().ok()?),
            Some((first, last)) => {
                let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
                numbers.extend(first..=last.min(first.saturating_add(1 << 16)));
            }
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

fn count(text: &str) -> u32 {
    parse_list(text).map_or(0, |list| list.len() as u32)
}

/// Processors and memory (MiB) of the host nodes that a guest node covers.
fn capacity(host: &Host, node: &GuestNumaNode) -> (u32, u64) {
    let facts = &host.facts;
    let ids = parse_list(&node.host_nodes).unwrap_or_default();
    ids.into_iter().fold((0, 0), |(cpus, memory), id| {
        if facts.numa.is_empty() {
            return if id == 0 { (cpus + facts.cpus, memory + facts.memory_mib) } else { (cpus, memory) };
        }
        facts.numa.get(id as usize).map_or((cpus, memory), |n| (cpus + count(&n.cpus), memory + n.memory_mib))
    })
}

/// The nodes that remain: a topology nobody rendered out shrinks to its first node where the VM fits
/// into the smallest.
fn right_sized<'a>(release: Release, host: &Host, hv: &'a HypervisorConfig) -> Vec<&'a GuestNumaNode> {
    let all: Vec<&GuestNumaNode> = hv.guest_numa_nodes.iter().collect();
    if !hv.numa_mapping.is_empty() || all.len() <= 1 {
        return all;
    }
    let memory_only = !release.has(Change::NumaByHugePage);
    let mut nodes: Vec<&GuestNumaNode> =
        all.into_iter().filter(|n| memory_only || count(&n.host_cpus) > 0).collect();
    if nodes.len() <= 1 {
        return nodes;
    }
    let sizes = nodes.iter().map(|n| capacity(host, n));
    let (cpus, memory) = sizes.fold((u32::MAX, u64::MAX), |(c, m), (cpus, mem)| (c.min(cpus), m.min(mem)));
    if cpus > 0 && cpus >= hv.default_maxvcpus && memory >= u64::from(hv.default_memory) {
        nodes.truncate(1);
    }
    nodes
}

/// One node of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node<'a> {
    /// The host nodes its memory is bound to.
    pub(super) host_nodes: &'a str,
    /// The first and last processor; `None`: memory only.
    pub(super) cpus: Option<(u32, u32)>,
    /// MiB.
    pub(super) memory: u64,
}

/// The guest's topology; empty: one flat memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Topology<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// From, to, distance.
    pub(super) distances: Vec<(u32, u32, u32)>,
}

/// Spreads processors in proportion to those of the host nodes; at least one each.
fn spread_cpus(nodes: &[&GuestNumaNode], total: u32) -> Result<Vec<u32>, String> {
    if total < nodes.len() as u32 {
        return Err(format!("totalVCPUs ({total}) must be >= NUMA node count ({})", nodes.len()));
    }
    let mut weights = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        match count(&node.host_cpus) {
            0 => return Err(format!("HostCPUs for NUMA node {i} must not be empty")),
            n => weights.push(i64::from(n)),
        }
    }
    let all: i64 = weights.iter().sum();
    let mut share: Vec<u32> = weights.iter().map(|w| ((i64::from(total) * w / all) as u32).max(1)).collect();
    let mut assigned: u32 = share.iter().sum();
    // The first of the largest takes or gives.
    let largest =
        |values: &[i64]| values.iter().enumerate().rev().max_by_key(|(_, v)| **v).map_or(0, |(i, _)| i);
    while assigned < total {
        let best = largest(&weights);
        if let (Some(cpus), Some(weight)) = (share.get_mut(best), weights.get_mut(best)) {
            *cpus += 1;
            *weight -= 1;
        }
        assigned += 1;
    }
    while assigned > total {
        let values: Vec<i64> = share.iter().map(|c| i64::from(*c)).collect();
        match share.get_mut(largest(&values)) {
            Some(cpus) if *cpus > 1 => *cpus -= 1,
            _ => break,
        }
        assigned -= 1;
    }
    Ok(share)
}

/// MiB that one page of `/dev/hugepages` takes: what Linux gives on x86_64 unless it is told otherwise.
const HUGE_PAGE: u64 = 2;

/// The topology of one VM.
pub(super) fn topology<'a>(
    release: Release,
    host: &Host,
    hv: &'a HypervisorConfig,
) -> Result<Topology<'a>, Refusal> {
    if !release.has(Change::GuestNuma) {
        return Ok(Topology::default());
    }
    let caused_by: &'static [&'static str] = &["numa_mapping", "enable_numa"];
    let guest = right_sized(release, host, hv);
    let active = guest.len() > 1 || guest.first().is_some_and(|n| !n.host_nodes.is_empty());
    if !active {
        return Ok(Topology::default());
    }
    let arch = host.facts.arch;
    if !matches!(arch, Arch::X86_64 | Arch::Aarch64) {
        return refuse(format!("multi-NUMA not supported on architecture {}", arch.as_str()), caused_by);
    }
    let count = guest.len() as u32;
    if hv.default_maxvcpus < count {
        return Ok(Topology::default());
    }
    let max_vcpus =
        if hv.confidential_guest { hv.default_maxvcpus } else { count * hv.default_maxvcpus.div_ceil(count) };
    let cpus = spread_cpus(&guest, max_vcpus).map_err(|why| {
        Refusal::because(format!("failed to distribute vCPUs across NUMA nodes: {why}"), caused_by)
    })?;
    if hv.enable_hugepages && !host.facts.hugepages {
        let message = if release.has(Change::NumaByHugePage) {
            "failed to determine huge page size for NUMA memory alignment: statfs \"/dev/hugepages\": no \
             such file or directory"
        } else {
            "NUMA memory backend path \"/dev/hugepages\" does not exist: stat /dev/hugepages: no such file or \
             directory"
        };
        return refuse(message, &["enable_hugepages", "numa_mapping"]);
    }
    let align = if hv.enable_hugepages { HUGE_PAGE } else { 1 };
    let total = u64::from(hv.default_memory);
    let mut memory: Vec<u64> = cpus
        .iter()
        .map(|n| (total * u64::from(*n) / u64::from(max_vcpus) / align * align).max(align))
        .collect();
    let assigned: u64 = memory.iter().sum();
    if assigned > total || !(total - assigned).is_multiple_of(align) {
        let message = format!(
            "MemorySize ({total} MiB) cannot be evenly distributed across {count} NUMA nodes with {align} MiB \
             alignment"
        );
        return refuse(message, &["default_memory", "numa_mapping"]);
    }
    if let Some(last) = memory.last_mut() {
        *last += total - assigned;
    }
    let mut first = 0;
    let nodes = guest.iter().zip(cpus.iter().zip(memory)).map(|(node, (n, memory))| {
        let cpus = (*n > 0).then(|| (first, first + n - 1));
        first += n;
        Node { host_nodes: &node.host_nodes, cpus, memory }
    });
    Ok(Topology { nodes: nodes.collect(), distances: distances(host, &guest) })
}

fn distances(host: &Host, guest: &[&GuestNumaNode]) -> Vec<(u32, u32, u32)> {
    let known = host.facts.numa.len().max(1) as u32;
    let ids: Vec<Option<u32>> = guest
        .iter()
        .map(|n| parse_list(&n.host_nodes).and_then(|l| l.first().copied()).filter(|id| *id < known))
        .collect();
    let mut all = Vec::new();
    for (from, a) in (0u32..).zip(&ids) {
        for (to, b) in (0u32..).zip(&ids) {
            if let (true, Some(a), Some(b)) = (from != to, a, b) {
                all.push((from, to, if a == b { 10 } else { REMOTE_DISTANCE }));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host_nodes: &str, host_cpus: &str) -> GuestNumaNode {
        GuestNumaNode { host_nodes: host_nodes.into(), host_cpus: host_cpus.into() }
    }

    #[test]
    fn processors_are_spread_in_proportion() {
        let (a, b) = (node("0", "0-5"), node("1", "6-7"));
        assert_eq!(spread_cpus(&[&a, &b], 4), Ok(vec![3, 1]));
        assert_eq!(spread_cpus(&[&a, &b], 5), Ok(vec![4, 1]));
        assert!(spread_cpus(&[&a, &b], 1).is_err());
    }

    #[test]
    fn lists_are_sets() {
        assert_eq!(parse_list("3,0-1,1"), Some(vec![0, 1, 3]));
        assert_eq!(parse_list(""), Some(vec![]));
        assert_eq!(parse_list("a"), None);
    }
}
