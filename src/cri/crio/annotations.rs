//! The keys that CRI-O keeps to itself.
//!
//! Decides which annotations of a pod are removed before anybody sees them: those whose key *starts with* one
//! of these names, unless the handler or a workload allows that very name. Facts: `AllAllowedAnnotations` in
//! pkg/annotations/annotations.go (until 1.34) and pkg/annotations/v2/annotations.go (since 1.35) of cri-o, and
//! `FilterDisallowedAnnotations` in pkg/config/workloads.go.

use super::release::{Change, Release};

/// In every release.
const ALWAYS: [&str; 27] = [
    "io.kubernetes.cri-o.userns-mode",
    "io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw",
    "io.kubernetes.cri-o.UnifiedCgroup",
    "io.kubernetes.cri-o.ShmSize",
    "io.kubernetes.cri-o.Devices",
    "cpu-load-balancing.crio.io",
    "cpu-quota.crio.io",
    "irq-load-balancing.crio.io",
    "io.containers.trace-syscall",
    "io.kubernetes.cri.rdt-class",
    "io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel",
    "cpu-c-states.crio.io",
    "cpu-freq-governor.crio.io",
    "io.kubernetes.cri-o.seccompNotifierAction",
    "io.kubernetes.cri-o.umask",
    "io.kubernetes.cri-o.PodLinuxOverhead",
    "io.kubernetes.cri-o.PodLinuxResources",
    "io.kubernetes.cri-o.LinkLogs",
    "cpu-shared.crio.io",
    "seccomp-profile.kubernetes.cri-o.io",
    "io.kubernetes.cri-o.DisableFIPS",
    "bundle",
    "org.systemd.property.",
    "org.criu.config",
    "module.wasm.image/variant",
    "io.kubernetes.cri.container-type",
    "run.oci.",
];

/// Since `Change::KeysOfItsDomain`.
const OF_ITS_DOMAIN: [&str; 18] = [
    "cgroup2-mount-hierarchy-rw.crio.io",
    "devices.crio.io",
    "disable-fips.crio.io",
    "link-logs.crio.io",
    "platform-runtime-path.crio.io",
    "pod-linux-overhead.crio.io",
    "pod-linux-resources.crio.io",
    "seccomp-notifier-action.crio.io",
    "seccomp-profile.crio.io",
    "shm-size.crio.io",
    "spoofed.crio.io",
    "org.opencontainers.image.stopSignal",
    "try-skip-volume-selinux-label.crio.io",
    "umask.crio.io",
    "unified-cgroup.crio.io",
    "userns-mode.crio.io",
    "io.kubernetes.cri-o.PlatformRuntimePath",
    "io.kubernetes.cri-o.Spoofed",
];

/// The names that a release knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    of_its_domain: bool,
}

impl Known {
    /// Those of a release.
    pub fn of(release: Release) -> Self {
        Self { of_its_domain: release.has(Change::KeysOfItsDomain) }
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        let later = if self.of_its_domain { OF_ITS_DOMAIN.as_slice() } else { &[] };
        ALWAYS.iter().chain(later).copied()
    }

    /// Whether a list may allow this name: exactly one of them, no pattern and no suffix.
    pub fn has(self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The name for whose sake an annotation is removed.
    pub fn removes<'k>(self, key: &'k str, is_allowed: impl Fn(&str) -> bool + 'k) -> Option<&'static str> {
        self.names().find(|name| key.starts_with(name) && !is_allowed(name))
    }
}

/// What CRI-O says of a name that it does not know.
pub fn invalid(name: &str) -> String {
    format!("invalid allowed_annotation: {name}")
}

/// The two names of a feature, newer and older.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    newer: &'static str,
    older: &'static str,
}

impl Feature {
    /// A user namespace for the pod.
    pub const USERNS: Self = Self { newer: "userns-mode.crio.io", older: "io.kubernetes.cri-o.userns-mode" };
    /// The size of `/dev/shm`.
    pub const SHM: Self = Self { newer: "shm-size.crio.io", older: "io.kubernetes.cri-o.ShmSize" };
    /// kubelet's size of the sandbox.
    pub const RESOURCES: Self =
        Self { newer: "pod-linux-resources.crio.io", older: "io.kubernetes.cri-o.PodLinuxResources" };
    /// kubelet's overhead of the sandbox.
    pub const OVERHEAD: Self =
        Self { newer: "pod-linux-overhead.crio.io", older: "io.kubernetes.cri-o.PodLinuxOverhead" };
    /// A sandbox without a container of its own.
    pub const SPOOFED: Self = Self { newer: "spoofed.crio.io", older: "io.kubernetes.cri-o.Spoofed" };
    /// CPUs and other devices for containers: what the built-in handler allows.
    pub const DEVICES: Self = Self { newer: "devices.crio.io", older: "io.kubernetes.cri-o.Devices" };

    /// The name that a release writes.
    pub fn written(self, release: Release) -> &'static str {
        if release.has(Change::KeysOfItsDomain) { self.newer } else { self.older }
    }

    /// The names that a release reads, the first of which counts.
    pub fn read(self, release: Release) -> impl Iterator<Item = &'static str> {
        let newer = release.has(Change::KeysOfItsDomain).then_some(self.newer);
        newer.into_iter().chain([self.older])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_removes_whatever_starts_with_it() {
        let known = Known::of(Release::NEWEST);
        assert_eq!(known.removes("bundle.example.com/x", |_| false), Some("bundle"));
        assert_eq!(known.removes("io.katacontainers.config.hypervisor.path", |_| false), None);
        assert_eq!(known.removes("run.oci", |_| false), None);
        assert_eq!(known.removes("devices.crio.io", |name| name == "devices.crio.io"), None);
        let older = Known::of(Release::parse("1.34").unwrap());
        assert_eq!(older.removes("devices.crio.io", |_| false), None);
        assert!(!older.has("devices.crio.io") && older.has("run.oci.") && !older.has("run.oci.x"));
    }
}
