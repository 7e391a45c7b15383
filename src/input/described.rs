//! What other programs tell of a host: `kata-runtime env`, `kata-ctl env` and Kubernetes' Node object.
//!
//! Decides which of their fields are facts of the hardware. Facts: HostInfo in src/runtime/cmd/kata-runtime/kata-env.go
//! and src/tools/kata-ctl/src/ops/env_ops.rs at 4.1.0 (memory in KiB); `status` of a core/v1 Node.

use serde_json::Value as Json;

use super::host::{Arch, FactOrigin, HostFacts, Protection};

/// The text as another program's report: any JSON, or TOML with a table of the host.
pub fn parse(text: &str) -> Option<Json> {
    if text.trim_start().starts_with('{') {
        return Some(serde_json::from_str(text).unwrap_or_default());
    }
    let document: Json = toml::from_str(text).ok()?;
    let is_report = ["Host", "host"].iter().any(|name| document.get(name).is_some_and(Json::is_object));
    is_report.then_some(document)
}

/// Puts what a report says over `facts`, told by `origin`; `None` where it is none of the reports that are known.
pub fn apply(facts: &mut HostFacts, report: &Json, origin: FactOrigin) -> Option<()> {
    if report.get("kind").and_then(Json::as_str) == Some("Node") {
        return node(facts, report, origin);
    }
    Told { facts, origin }.env(field(report, "host").filter(|host| host.is_object())?)
}

/// Puts what a Node object says over `facts`; `None` where it has no status.
pub fn node(facts: &mut HostFacts, object: &Json, origin: FactOrigin) -> Option<()> {
    Told { facts, origin }.node(object.get("status")?)
}

/// Kata's version, by a report of its environment.
pub fn version(report: &Json) -> Option<String> {
    let version = field(field(report, "runtime")?, "version")?;
    field(version, "semver").unwrap_or(version).as_str().map(str::to_owned)
}

/// A field, whatever its spelling: the two programs write `SupportVSocks` and `support_vsocks`.
fn field<'j>(value: &'j Json, name: &str) -> Option<&'j Json> {
    let letters = |text: &str| text.replace('_', "").to_ascii_lowercase();
    value.as_object()?.iter().find(|(key, _)| letters(key) == name).map(|(_, value)| value)
}

struct Told<'f> {
    facts: &'f mut HostFacts,
    origin: FactOrigin,
}

impl Told<'_> {
    /// Whether this one may tell a fact, which it is then noted to have told: what a collection holds gives way to
    /// what was said outright.
    fn tells(&mut self, name: &'static str) -> bool {
        self.facts.is_told(name, self.origin)
    }

    fn cpus(&mut self, cpus: Option<u64>) {
        let cpus = cpus.and_then(|cpus| u32::try_from(cpus).ok()).filter(|cpus| *cpus > 0);
        if let Some(cpus) = cpus
            && self.tells("cpus")
        {
            self.facts.cpus = cpus;
        }
    }

    fn memory(&mut self, kib: Option<u64>) {
        if let Some(kib) = kib.filter(|kib| *kib > 0)
            && self.tells("memory_mib")
        {
            self.facts.memory_mib = kib / 1024;
        }
    }

    fn arch(&mut self, name: Option<&str>) {
        if let Some(arch) = name.and_then(Arch::parse)
            && self.tells("arch")
        {
            self.facts.arch = arch;
        }
    }

    fn env(&mut self, host: &Json) -> Option<()> {
        self.cpus(field(host, "cpu").and_then(|cpu| field(cpu, "cpus")).and_then(Json::as_u64));
        self.memory(field(host, "memory").and_then(|memory| field(memory, "total")).and_then(Json::as_u64));
        self.arch(field(host, "architecture").and_then(Json::as_str));
        if let Some(vsock) = field(host, "supportvsocks").and_then(Json::as_bool)
            && self.tells("vhost_vsock")
        {
            self.facts.vhost_vsock = vsock;
        }
        let list = field(host, "availableguestprotections").and_then(Json::as_array);
        let names: Option<Vec<&str>> = list
            .map(|list| list.iter().filter_map(Json::as_str).collect())
            .or_else(|| Some(vec![field(host, "availableguestprotection")?.as_str()?]));
        if let Some(names) = names
            && self.tells("protection")
        {
            self.facts.protection = names.into_iter().find_map(protection).unwrap_or_default();
        }
        Some(())
    }

    fn node(&mut self, status: &Json) -> Option<()> {
        let capacity = status.get("capacity")?;
        let text = |name: &str| capacity.get(name).and_then(Json::as_str);
        self.cpus(text("cpu").and_then(|cpus| cpus.parse().ok()));
        // kubelet reports it in KiB.
        self.memory(text("memory").and_then(|memory| memory.strip_suffix("Ki")?.parse().ok()));
        self.arch(status.get("nodeInfo").and_then(|info| info.get("architecture")?.as_str()));
        let mut pages =
            capacity.as_object()?.iter().filter(|(name, _)| name.starts_with("hugepages-")).peekable();
        if pages.peek().is_some() && self.tells("hugepages") {
            self.facts.hugepages =
                pages.any(|(_, amount)| amount.as_str().is_some_and(|amount| amount != "0"));
        }
        Some(())
    }
}

/// `tdx`, `sev(0)`, `SNP (51)`: as the programs print them.
fn protection(name: &str) -> Option<Protection> {
    let name = name.to_ascii_lowercase();
    Some(match name.split(['(', ' ']).next()? {
        "tdx" => Protection::Tdx,
        "snp" | "sev-snp" => Protection::Snp,
        "sev" => Protection::Sev,
        "se" => Protection::Se,
        "pef" => Protection::Pef,
        "cca" => Protection::Cca,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(report: &Json) -> HostFacts {
        let mut facts = HostFacts::default();
        assert_eq!(apply(&mut facts, report, FactOrigin::HostFile), Some(()));
        facts
    }

    #[test]
    fn both_spellings_of_the_environment_are_read() {
        let go = json!({ "Host": { "AvailableGuestProtections": ["tdx"], "Architecture": "arm64",
            "CPU": { "CPUs": 48 }, "Memory": { "Total": 8_388_608 }, "SupportVSocks": false } });
        let rs = json!({ "host": { "available_guest_protection": "tdx", "architecture": "aarch64",
            "cpu": { "cpus": 48 }, "memory": { "total": 8_388_608 }, "support_vsocks": false } });
        let facts = told(&go);
        assert_eq!((facts.cpus, facts.memory_mib, facts.arch), (48, 8192, Arch::Aarch64));
        assert_eq!((facts.vhost_vsock, facts.protection), (false, Protection::Tdx));
        assert_eq!(told(&rs), facts);
    }

    #[test]
    fn a_collection_gives_way_to_what_was_said() {
        let report = parse(
            "[Runtime.Version]\nSemver = \"3.2.0\"\n[Host.CPU]\nCPUs = 48\n[Host.Memory]\nTotal = 8388608\n",
        );
        let report = report.unwrap();
        let mut facts = HostFacts::default();
        facts.origins.insert("cpus", FactOrigin::Flag);
        facts.origins.insert("memory_mib", FactOrigin::Probed);
        assert_eq!(apply(&mut facts, &report, FactOrigin::Collected), Some(()));
        assert_eq!((facts.cpus, facts.memory_mib), (8, 8192));
        assert_eq!(facts.origins.get("memory_mib"), Some(&FactOrigin::Collected));
        assert_eq!(version(&report).as_deref(), Some("3.2.0"));
    }

    #[test]
    fn a_node_tells_its_capacity() {
        let node = json!({ "kind": "Node", "status": {
            "capacity": { "cpu": "96", "memory": "394848012Ki", "hugepages-2Mi": "1Gi" },
            "nodeInfo": { "architecture": "amd64" } } });
        let facts = told(&node);
        assert_eq!((facts.cpus, facts.memory_mib, facts.hugepages), (96, 385_593, true));
        assert_eq!(apply(&mut HostFacts::default(), &json!({ "cpus": 4 }), FactOrigin::HostFile), None);
    }
}
