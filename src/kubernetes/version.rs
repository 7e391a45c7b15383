//! Which Kubernetes, and what it has switched on.
//!
//! Facts: the feature gates' defaults by version (pkg/features at the tags), as far as they change what
//! kubelet hands to the container runtime.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A Kubernetes version with the feature gates that kubelet was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    minor: u32,
    gates: BTreeMap<String, bool>,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no Kubernetes version; write 1.36 or v1.35.2")]
pub struct VersionError(String);

/// The newest version whose rules are known.
pub const NEWEST: u32 = 36;

impl Default for Version {
    fn default() -> Self {
        Self { minor: NEWEST, gates: BTreeMap::new() }
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(text.to_owned());
        let mut parts = text.trim().trim_start_matches('v').splitn(3, '.');
        let (major, minor) = (parts.next().unwrap_or_default(), parts.next().ok_or_else(wrong)?);
        let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
        match (major, digits.parse()) {
            ("1", Ok(minor)) => Ok(Self { minor, gates: BTreeMap::new() }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl Version {
    /// The same with kubelet's own switches.
    #[must_use]
    pub fn with_gates(mut self, gates: BTreeMap<String, bool>) -> Self {
        self.gates = gates;
        self
    }

    /// The number behind `1.`.
    pub fn minor(&self) -> u32 {
        self.minor
    }

    fn gate(&self, name: &str, on_since: u32) -> bool {
        self.gates.get(name).copied().unwrap_or(self.minor >= on_since)
    }

    /// kubelet hands the size to the container runtime at all.
    pub fn sends_sizing(&self) -> bool {
        self.minor >= 23
    }

    /// Init containers that stay.
    pub fn has_sidecars(&self) -> bool {
        self.gate("SidecarContainers", 29)
    }

    /// `spec.resources`.
    pub fn has_pod_level_resources(&self) -> bool {
        self.gate("PodLevelResources", 34)
    }

    /// A CFS period other than 100ms.
    pub fn has_custom_cfs_period(&self) -> bool {
        self.gate("CustomCPUCFSQuotaPeriod", 36)
    }

    /// No quota for pods with CPUs of their own.
    pub fn drops_quota_of_exclusive_cpus(&self) -> bool {
        self.gate("DisableCPUQuotaWithExclusiveCPUs", 33)
    }

    /// CPUs of its own even for a pod with `spec.resources`.
    pub fn manages_pod_level_cpus(&self) -> bool {
        self.gate("PodLevelResourceManagers", u32::MAX)
    }
}
