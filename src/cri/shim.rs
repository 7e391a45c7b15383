//! The shim's binary of a handler, looked up as the container runtime does.
//!
//! Decides which binary is started, and what is said where there is none. Facts: `resolveRuntimePath` of
//! containerd's runtime/v2/manager.go (1.7) and core/runtime/v2/shim_manager.go (2.x), and `Start` of
//! binary.go beside it.

use crate::input::host::{FileKind, Host};

/// A handler's shim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shim {
    /// As the handler names it: a path, or the name of a binary on the container runtime's PATH.
    pub named: String,
    /// The path that is started, links not followed; `None` where there is none.
    pub found: Option<String>,
    /// Why it cannot be started, in the container runtime's words.
    pub missing: Option<String>,
}

impl Shim {
    /// The binary at a path that the handler names.
    pub fn at(path: &str, host: &Host) -> Self {
        let named = path.to_owned();
        match host.stat(path) {
            Err(errno) => Self {
                named,
                found: None,
                missing: Some(format!(
                    "failed to resolve runtime path: invalid custom binary path: stat {path}: {}",
                    errno.go()
                )),
            },
            Ok(stat) if stat.kind == FileKind::File && stat.mode & 0o111 != 0 => {
                Self { found: Some(named.clone()), named, missing: None }
            }
            Ok(_) => Self {
                named,
                found: None,
                missing: Some(format!("start failed: : fork/exec {path}: permission denied")),
            },
        }
    }

    /// The same, taken for granted.
    pub fn assumed(&self) -> Self {
        Self { named: self.named.clone(), found: Some(self.named.clone()), missing: None }
    }

    /// The binary of a runtime type, on the container runtime's PATH or beside the container runtime itself.
    pub fn of_type(runtime_type: &str, binary: &str, folders: &[&str], host: &Host) -> Self {
        let runs = |path: &String| {
            host.stat(path).is_ok_and(|stat| stat.kind == FileKind::File && stat.mode & 0o111 != 0)
        };
        let places = || folders.iter().map(|folder| format!("{folder}/{binary}"));
        let known = places().find(|path| host.knows(path) && runs(path));
        // Of a host that cannot be looked at whole it may lie in any of the others.
        let found = known.or_else(|| places().find(|path| !host.knows(path)));
        let missing = found.is_none().then(|| {
            format!(
                "failed to resolve runtime path: runtime {runtime_type:?} binary not installed {binary:?}: file \
                 does not exist"
            )
        });
        Self { named: binary.to_owned(), found, missing }
    }
}

/// PATH of a service of systemd's.
const SYSTEM: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Distributions that bring binaries of their own: where their containerd's file lies, and what their PATH
/// begins with.
const DISTRIBUTIONS: [(&str, &[&str]); 5] = [
    (
        "/var/lib/rancher/k3s/",
        &["/var/lib/rancher/k3s/data/current/bin", "/var/lib/rancher/k3s/data/current/bin/aux"],
    ),
    ("/var/lib/rancher/rke2/", &["/var/lib/rancher/rke2/bin"]),
    ("/etc/k0s/", &["/var/lib/k0s/bin"]),
    ("/run/k0s/", &["/var/lib/k0s/bin"]),
    ("/var/snap/microk8s/", &["/snap/microk8s/current/bin", "/snap/microk8s/current/usr/bin"]),
];

/// Where a containerd with this configuration file looks for shims.
pub fn folders(config: &str) -> Vec<&'static str> {
    let own =
        DISTRIBUTIONS.iter().find(|(prefix, _)| config.starts_with(prefix)).map_or(&[][..], |(_, own)| own);
    own.iter().chain(SYSTEM.iter()).copied().collect()
}

/// `containerd-shim-<name>-<version>` of a runtime type such as `io.containerd.kata.v2`.
pub fn binary_name(runtime_type: &str) -> Option<String> {
    let mut parts = runtime_type.rsplit('.');
    let (version, name) = (parts.next()?, parts.next()?);
    Some(format!("containerd-shim-{name}-{version}"))
}
