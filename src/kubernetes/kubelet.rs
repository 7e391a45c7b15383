//! kubelet's own configuration, as far as it changes a sandbox's size.
//!
//! Decides what a KubeletConfiguration says about CFS quota, CPU manager, reserved CPUs and how long a
//! start may take, and with which of these kubelet does not start. Facts: pkg/kubelet/apis/config at
//! Kubernetes 1.36.2.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::quantity::Quantity;
use super::version::Version;
use crate::golang::duration;
use crate::input::manifest::yaml;
use crate::input::{Place, Source};

/// kubelet's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubelet {
    /// `cpuCFSQuota`.
    pub cfs_quota: bool,
    /// `cpuCFSQuotaPeriod` in nanoseconds.
    pub cfs_period: i64,
    /// `cpuManagerPolicy: static`.
    pub static_cpus: bool,
    /// `runtimeRequestTimeout` in nanoseconds: how long the container runtime may take to start anything.
    pub request_timeout: i64,
    /// CPUs that pods cannot have for themselves.
    pub reserved_cpus: u32,
    /// `featureGates`.
    pub gates: BTreeMap<String, bool>,
}

impl Default for Kubelet {
    fn default() -> Self {
        Self {
            cfs_quota: true,
            cfs_period: DEFAULT_PERIOD,
            static_cpus: false,
            request_timeout: DEFAULT_TIMEOUT,
            reserved_cpus: 0,
            gates: BTreeMap::new(),
        }
    }
}

const MILLISECOND: i64 = 1_000_000;
const DEFAULT_PERIOD: i64 = 100 * MILLISECOND;
const DEFAULT_TIMEOUT: i64 = 120_000 * MILLISECOND;

/// A KubeletConfiguration that kubelet would not start with, or that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct KubeletError {
    /// Where.
    pub place: Place,
    /// kubelet's words where it has some.
    pub message: String,
}

/// The fields that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    kind: Option<String>,
    /// What the API server's proxy to kubelet's configz puts around it.
    kubeletconfig: Option<Box<Document>>,
    #[serde(rename = "cpuCFSQuota")]
    cpu_cfs_quota: Option<bool>,
    #[serde(rename = "cpuCFSQuotaPeriod")]
    cpu_cfs_quota_period: Option<String>,
    cpu_manager_policy: Option<String>,
    runtime_request_timeout: Option<String>,
    #[serde(rename = "reservedSystemCPUs")]
    reserved_system_cpus: Option<String>,
    kube_reserved: Option<BTreeMap<String, serde_yaml::Value>>,
    system_reserved: Option<BTreeMap<String, serde_yaml::Value>>,
    feature_gates: Option<BTreeMap<String, bool>>,
}

impl Document {
    fn says_something(&self) -> bool {
        self.cpu_cfs_quota.is_some()
            || self.cpu_cfs_quota_period.is_some()
            || self.cpu_manager_policy.is_some()
            || self.runtime_request_timeout.is_some()
            || self.reserved_system_cpus.is_some()
            || self.kube_reserved.is_some()
            || self.system_reserved.is_some()
            || self.feature_gates.is_some()
    }
}

impl Kubelet {
    /// Reads a KubeletConfiguration and checks it as kubelet of that version would.
    pub fn read(source: &Source, version: &Version) -> Result<Self, KubeletError> {
        let fault = |line: u32, column: u32, message: String| KubeletError {
            place: Place { file: source.path.clone(), line, column },
            message,
        };
        // The same bounds on nesting and aliases as for manifests.
        let faulty = |e: yaml::YamlError| {
            let place = source.place(e.at.unwrap_or(0));
            fault(place.line, place.column, e.message)
        };
        yaml::read(&source.text).map_err(faulty)?;
        let document: Option<Document> = serde_yaml::from_str(&source.text).map_err(|e| {
            let (line, column) = e.location().map_or((0, 0), |l| (l.line(), l.column()));
            let text = e.to_string();
            let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
            fault(u32::try_from(line).unwrap_or(0), u32::try_from(column).unwrap_or(0), message)
        })?;
        let mut document = document.unwrap_or_default();
        match (document.kubeletconfig.take(), document.kind.is_some()) {
            (Some(inner), false) => document = *inner,
            (None, true) => {}
            // Without a word about what it is, it has to say something of kubelet's.
            (None, false) if document.says_something() || source.text.trim().is_empty() => {}
            _ => {
                let message = "neither a KubeletConfiguration (kind) nor what kubectl get --raw \
                               /api/v1/nodes/NODE/proxy/configz prints (kubeletconfig)";
                return Err(fault(0, 0, message.to_owned()));
            }
        }
        if let Some(kind) = document.kind.as_deref().filter(|k| *k != "KubeletConfiguration") {
            return Err(fault(0, 0, format!("a {kind}, not a KubeletConfiguration")));
        }
        let at = |key: &str| {
            let line = source.text.lines().position(|l| l.trim_start().starts_with(key)).map_or(0, |l| l + 1);
            u32::try_from(line).unwrap_or(0)
        };
        let gates = document.feature_gates.unwrap_or_default();
        let version = version.clone().with_gates(gates.clone());
        let mut kubelet =
            Self { cfs_quota: document.cpu_cfs_quota.unwrap_or(true), gates, ..Self::default() };
        if let Some(text) = document.cpu_cfs_quota_period.as_deref() {
            let line = at("cpuCFSQuotaPeriod");
            let period = duration::parse(text).map_err(|error| fault(line, 0, error.to_string()))?;
            // A zero is filled in like a missing one.
            kubelet.cfs_period = if period == 0 { DEFAULT_PERIOD } else { period };
            check_period(kubelet.cfs_period, &version).map_err(|message| fault(line, 0, message))?;
        }
        if let Some(text) = document.runtime_request_timeout.as_deref() {
            let line = at("runtimeRequestTimeout");
            let timeout = duration::parse(text).map_err(|error| fault(line, 0, error.to_string()))?;
            kubelet.request_timeout = if timeout == 0 { DEFAULT_TIMEOUT } else { timeout };
        }
        kubelet.static_cpus = match document.cpu_manager_policy.as_deref() {
            None | Some("" | "none") => false,
            Some("static") => true,
            Some(other) => {
                let message = format!("unknown policy: \"{other}\"");
                return Err(fault(at("cpuManagerPolicy"), 0, message));
            }
        };
        let listed = document.reserved_system_cpus.as_deref().map(count_cpus);
        let reserved = |map: &Option<BTreeMap<String, serde_yaml::Value>>| {
            let value = map.as_ref().and_then(|m| m.get("cpu"));
            let text = value.map(|v| match v {
                serde_yaml::Value::String(text) => text.clone(),
                serde_yaml::Value::Number(number) => number.to_string(),
                _ => String::new(),
            });
            text.and_then(|t| Quantity::parse(&t).ok()).unwrap_or(Quantity::ZERO)
        };
        let sum = reserved(&document.kube_reserved).plus(reserved(&document.system_reserved));
        kubelet.reserved_cpus = listed.unwrap_or_else(|| u32::try_from(sum.value()).unwrap_or(0));
        Ok(kubelet)
    }
}

fn check_period(period: i64, version: &Version) -> Result<(), String> {
    let shown = duration::shown(period);
    let name = "cpuCFSQuotaPeriod (--cpu-cfs-quota-period)";
    if !version.has_custom_cfs_period() && period != DEFAULT_PERIOD {
        return Err(format!(
            "invalid configuration: {name} {{{shown}}} requires feature gate CustomCPUCFSQuotaPeriod"
        ));
    }
    if version.has_custom_cfs_period() && !(MILLISECOND..=1000 * MILLISECOND).contains(&period) {
        return Err(format!(
            "invalid configuration: {name} {{{shown}}} must be between 1ms and 1sec, inclusive"
        ));
    }
    Ok(())
}

/// How many CPUs a list such as `0-1,8` names.
fn count_cpus(list: &str) -> u32 {
    let ranges = list.split(',').filter_map(|part| {
        let (first, last) = part.trim().split_once('-').unwrap_or((part.trim(), part.trim()));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first).map(|n| n + 1)
    });
    ranges.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, version: &str) -> Result<Kubelet, String> {
        let version = version.parse().unwrap();
        Kubelet::read(&Source::new("kubelet.yaml", text), &version).map_err(|e| e.to_string())
    }

    #[test]
    fn settings_are_read_and_checked() {
        let kubelet = read(
            "kind: KubeletConfiguration\ncpuCFSQuota: false\ncpuManagerPolicy: static\nreservedSystemCPUs: 0-1,8\n",
            "1.36",
        );
        let kubelet = kubelet.unwrap();
        assert_eq!((kubelet.cfs_quota, kubelet.static_cpus, kubelet.reserved_cpus), (false, true, 3));
        assert_eq!(read("runtimeRequestTimeout: 10m\n", "1.36").unwrap().request_timeout, 600_000_000_000);
        assert_eq!(read("cpuCFSQuotaPeriod: 1s\n", "1.36").unwrap().cfs_period, 1_000_000_000);
        assert_eq!(read("cpuCFSQuotaPeriod: 100ms\n", "1.35").unwrap().cfs_period, DEFAULT_PERIOD);
        let refused = read("kind: KubeletConfiguration\ncpuCFSQuotaPeriod: 100us\n", "1.36").unwrap_err();
        assert_eq!(
            refused,
            "kubelet.yaml:2: invalid configuration: cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {100µs} must be between 1ms and 1sec, inclusive"
        );
        let refused = read("cpuCFSQuotaPeriod: 10ms\n", "1.35").unwrap_err();
        assert!(refused.contains("{10ms} requires feature gate CustomCPUCFSQuotaPeriod"), "{refused}");
        assert!(
            read("cpuCFSQuotaPeriod: 10ms\nfeatureGates: {CustomCPUCFSQuotaPeriod: true}\n", "1.30").is_ok()
        );
    }
}
