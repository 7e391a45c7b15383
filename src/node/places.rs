//! Where a node has the configuration of its container runtime, as packages and distributions lay it out.
//!
//! Decides which file is read where nobody names one. Facts: containerd's and CRI-O's packages; k3s, RKE2,
//! k0s, microk8s, Talos; kubelet's `containerRuntimeEndpoint`.

use crate::input::Host;
use crate::input::host::FileKind;

/// The two container runtimes that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// containerd.
    Containerd,
    /// CRI-O.
    Crio,
}

/// A container runtime's configuration on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose it is.
    pub kind: Kind,
    /// Its main file, which need not be there.
    pub path: &'static str,
    /// Other files that somebody may have taken for it, and that it does not read.
    pub unread: Vec<&'static str>,
}

/// containerd's file, distributions first: theirs ignore the packages' one.
pub const CONTAINERD: [&str; 6] = [
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
    "/etc/k0s/containerd.toml",
    "/var/snap/microk8s/current/args/containerd.toml",
    "/etc/cri/containerd.toml",
    "/etc/containerd/config.toml",
];

/// CRI-O's file; the folder beside it counts without it, too.
pub const CRIO: &str = "/etc/crio/crio.conf";

/// Where containerd itself lies, for a node on which it runs without a file.
const PROGRAMS: [&str; 2] = ["/usr/bin/containerd", "/usr/local/bin/containerd"];

/// The container runtime of a node: of `kind`, where that is said.
pub fn find(host: &Host, kind: Option<Kind>) -> Option<Found> {
    let file = |path: &str| host.stat(path).is_ok_and(|stat| stat.kind == FileKind::File);
    let crio = || {
        let folder = host.read_dir("/etc/crio/crio.conf.d").is_ok_and(|names| !names.is_empty());
        // It starts without any file, and that it is there at all its folder says.
        let named = kind == Some(Kind::Crio) && host.exists("/etc/crio");
        (file(CRIO) || folder || named).then(|| Found { kind: Kind::Crio, path: CRIO, unread: Vec::new() })
    };
    let containerd = || {
        let there: Vec<&str> = CONTAINERD.into_iter().filter(|path| file(path)).collect();
        match there.split_first() {
            Some((path, rest)) => Some(Found { kind: Kind::Containerd, path, unread: rest.to_vec() }),
            // Without a file it has the built-in handler alone.
            None => PROGRAMS.iter().any(|path| file(path)).then(|| Found {
                kind: Kind::Containerd,
                path: "/etc/containerd/config.toml",
                unread: Vec::new(),
            }),
        }
    };
    match kind {
        Some(Kind::Crio) => crio(),
        Some(Kind::Containerd) => containerd(),
        None => match (containerd(), crio()) {
            (Some(containerd), Some(crio)) => Some(if uses_crio(host) { crio } else { containerd }),
            (one, other) => one.or(other),
        },
    }
}

/// Which of two that are installed kubelet talks to.
fn uses_crio(host: &Host) -> bool {
    let text = |path: &str| host.read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    ["/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeadm-flags.env"]
        .into_iter()
        .filter_map(text)
        .any(|text| text.contains("crio.sock"))
}

/// Why a file that was named is not what a container runtime reads.
pub fn is_template(path: &str) -> bool {
    path.ends_with(".tmpl") || path.ends_with("/containerd-template.toml")
}
