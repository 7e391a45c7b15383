//! Which host NUMA nodes the guest's nodes stand on.
//!
//! Decides the mapping of `enable_numa`, `numa_mapping` and its annotation; how memory and CPUs are spread
//! is the launch's business. Facts: `GetGuestNUMANodes` in src/runtime/virtcontainers/utils/utils.go and
//! src/runtime/virtcontainers/pkg/cpuset at 4.1.0.

use super::config::GuestNumaNode;
use crate::golang::strconv;
use crate::input::host::{HostFacts, NumaNode};
use crate::runtime::RuntimeMessage;

/// The guest's nodes for a mapping; an empty mapping gives one for each host node.
pub(super) fn guest_nodes(
    facts: &HostFacts,
    mapping: &[impl AsRef<str>],
) -> Result<Vec<GuestNumaNode>, RuntimeMessage> {
    let single = [NumaNode { cpus: all_cpus(facts.cpus), memory_mib: facts.memory_mib }];
    let host: &[NumaNode] = if facts.numa.is_empty() { &single } else { &facts.numa };
    if mapping.is_empty() {
        let nodes = host.iter().enumerate();
        return Ok(nodes
            .map(|(id, node)| GuestNumaNode { host_nodes: id.to_string(), host_cpus: node.cpus.clone() })
            .collect());
    }
    mapping
        .iter()
        .map(|nodes| {
            let mut cpus: Vec<&str> = Vec::new();
            let mut next = 0;
            for (start, end) in ranges(nodes.as_ref())? {
                for id in start.max(next)..=end {
                    let node = usize::try_from(id).ok().and_then(|id| host.get(id));
                    let node = node.ok_or_else(|| {
                        let file = format!("/sys/devices/system/node/node{id}/cpulist");
                        RuntimeMessage(format!("open {file}: no such file or directory"))
                    })?;
                    cpus.push(&node.cpus);
                    next = id + 1;
                }
            }
            Ok(GuestNumaNode { host_nodes: nodes.as_ref().to_owned(), host_cpus: joined(&cpus) })
        })
        .collect()
}

/// CPU lists with commas between them; nothing before the first that says something.
fn joined(lists: &[&str]) -> String {
    let mut out = String::new();
    for list in lists {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(list);
    }
    out
}

fn all_cpus(count: u32) -> String {
    match count {
        0 | 1 => "0".to_owned(),
        n => format!("0-{}", n - 1),
    }
}

/// The ranges of a CPU or node list, by start. Pieces with two dashes are read past.
fn ranges(list: &str) -> Result<Vec<(i64, i64)>, RuntimeMessage> {
    let mut ranges = Vec::new();
    if list.is_empty() {
        return Ok(ranges);
    }
    let number = |text: &str| strconv::atoi(text).map_err(|e| RuntimeMessage(e.to_string()));
    for piece in list.split(',') {
        let bounds: Vec<&str> = piece.split('-').collect();
        match *bounds.as_slice() {
            [one] => {
                let one = number(one)?;
                ranges.push((one, one));
            }
            [start, end] => ranges.push((number(start)?, number(end)?)),
            _ => {}
        }
    }
    ranges.sort_unstable();
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> HostFacts {
        let node = |cpus: &str| NumaNode { cpus: cpus.into(), memory_mib: 8192 };
        HostFacts { numa: vec![node("0-3"), node("4-7")], ..HostFacts::default() }
    }

    #[test]
    fn mappings_name_host_nodes() {
        let nodes = guest_nodes(&facts(), &["0-1", "1"]).unwrap();
        assert_eq!(nodes[0].host_cpus, "0-3,4-7");
        assert_eq!(nodes[1].host_nodes, "1");
        assert!(guest_nodes(&facts(), &["0-4000000000"]).unwrap_err().contains("node2/cpulist"));
        assert_eq!(
            guest_nodes(&facts(), &["-1"]).unwrap_err().0,
            "strconv.Atoi: parsing \"\": invalid syntax"
        );
        assert_eq!(guest_nodes(&HostFacts::default(), &[""; 0]).unwrap()[0].host_cpus, "0-7");
    }
}
