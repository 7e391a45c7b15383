//! What is looked at: the options that most commands share. Decides nothing.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{ClusterOptions, CriChoice, FilesChoice, RuntimeChoice};
use crate::input::archive::Collection;

/// The container runtime, which hands a pod to Kata and may drop annotations before.
#[derive(Debug, Clone, Default, Args)]
pub struct ContainerRuntimeInput {
    /// The container runtime [default: by --cri-config's name, with -c none, else the one found]
    #[arg(long, value_enum, help_heading = "Container runtime", hide_short_help = true)]
    pub cri: Option<CriChoice>,
    /// Its configuration file [default: the usual places, k3s and RKE2 included]
    #[arg(long, value_name = "FILE", help_heading = "Container runtime", hide_short_help = true)]
    pub cri_config: Option<PathBuf>,
    /// containerd's version [default: the newest known]
    #[arg(long, value_name = "VERSION", help_heading = "Container runtime", hide_short_help = true)]
    pub containerd: Option<String>,
    /// CRI-O's version [default: as the node records it, else the newest known]
    #[arg(long, value_name = "VERSION", help_heading = "Container runtime", hide_short_help = true)]
    pub crio: Option<String>,
}

impl ContainerRuntimeInput {
    /// Whether nothing says which it is.
    pub fn is_open(&self) -> bool {
        self.cri.is_none() && self.cri_config.is_none()
    }
}

/// What is looked at.
#[derive(Debug, Clone, Default, Args)]
pub struct Input {
    /// Pods: YAML or JSON files, folders, or - for standard input
    #[arg(value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// Pass over files without pods, as within a folder: values, templates, other objects
    #[arg(long, hide_short_help = true)]
    pub skip_others: bool,
    /// The cluster's pods.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Kata's configuration file, for all pods
    ///
    /// Default: each pod is judged by the file of its handler, as the container runtime's configuration names
    /// it, else by the first of the runtime's own search path.
    #[arg(short, long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Values of the kata-deploy chart: the configuration as the chart leaves it, of the shipped file that -c names
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Configuration",
        requires = "shim",
        hide_short_help = true
    )]
    pub helm: Option<PathBuf>,
    /// The chart's shim, with --helm
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Configuration",
        requires = "helm",
        hide_short_help = true
    )]
    pub shim: Option<String>,
    /// Its runtime
    #[arg(long, value_enum, default_value_t, help_heading = "Configuration")]
    pub runtime: RuntimeChoice,
    /// Which Kata version, such as 3.19 or 3.19.1 [default: the newest]
    #[arg(long, value_name = "VERSION", help_heading = "Configuration")]
    pub kata_version: Option<String>,
    /// The hypervisor table to take where the runtime would pick one at random
    #[arg(long, value_name = "NAME", help_heading = "Configuration", hide_short_help = true)]
    pub hypervisor: Option<String>,
    /// The container runtime.
    #[command(flatten)]
    pub container_runtime: ContainerRuntimeInput,
    /// The runtime handler that serves the pods
    #[arg(long, value_name = "NAME", help_heading = "Container runtime", hide_short_help = true)]
    pub handler: Option<String>,
    /// A KubeletConfiguration, or what its configz prints: CFS quota and CPU manager change the sandbox's size
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes", hide_short_help = true)]
    pub kubelet: Option<PathBuf>,
    /// Kubernetes' version [default: the newest known]
    #[arg(long, value_name = "VERSION", help_heading = "Kubernetes", hide_short_help = true)]
    pub kubernetes: Option<String>,
    /// Only the pods of this name
    #[arg(long, value_name = "NAMESPACE/NAME", help_heading = "Kubernetes")]
    pub pod: Option<String>,
    /// Host facts (kata-runtime env, kata-ctl env, a Node, or TOML): arch, cpus, cpus_allowed, memory_mib, nested, protection, vhost_vsock, hugepages and numa tables
    ///
    /// As TOML: cpus = 64, cpus_allowed = "0-15" (those that the shim may use), memory_mib = 262144, protection = "snp".
    #[arg(long, value_name = "FILE", help_heading = "Host", hide_short_help = true)]
    pub host: Option<PathBuf>,
    /// Online CPUs of the host
    #[arg(long, value_name = "N", help_heading = "Host", hide_short_help = true)]
    pub cpus: Option<u32>,
    /// Memory of the host
    #[arg(long, value_name = "MIB", help_heading = "Host", hide_short_help = true)]
    pub memory: Option<u64>,
    /// Architecture of the host: x86_64, aarch64, s390x, ppc64le, riscv64
    #[arg(long, value_name = "ARCH", help_heading = "Host", hide_short_help = true)]
    pub arch: Option<String>,
    /// Look every named path up under DIR, and show it without DIR
    #[arg(long, value_name = "DIR", help_heading = "Host", hide_short_help = true)]
    pub root: Option<PathBuf>,
    /// A node in a file: an archive of collect, a folder or archive of its files, what kata-collect-data.sh prints
    ///
    /// Of a collection with several nodes one is named as FILE#NODE. Repeated, check says what becomes of each pod
    /// on each node.
    #[arg(
        long,
        value_name = "FILE|DIR",
        help_heading = "Host",
        conflicts_with = "root",
        hide_short_help = true
    )]
    pub node: Vec<PathBuf>,
    /// The node that was opened already.
    #[arg(skip)]
    pub collection: Option<Arc<Collection>>,
    /// Whether it is the node that tells the version of Kata.
    #[arg(skip)]
    pub version_of_node: bool,
    /// Whether to look for the files that are named, or to take them for granted
    ///
    /// Default: looked for with --root, and where any file that the configuration names is on this machine. Else
    /// this is not their host, and they are assumed to be there; every answer that rests on that says so.
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Host", hide_short_help = true)]
    pub files: Option<FilesChoice>,
    /// Say something otherwise than the files do, to see what comes of it (repeatable)
    ///
    /// KEY=VALUE, or KEY- to take it out. A configuration key: hypervisor.qemu.default_vcpus=4,
    /// runtime.enable_debug=true. Of the pods: limits.cpu=2, requests.memory=1Gi, limits.CONTAINER.cpu=2,
    /// annotation:default_vcpus=4, annotation:io.katacontainers.config.hypervisor.kernel_params-, handler=kata-clh.
    /// Of the host: host.cpus=8, host.memory_mib=4096, host.protection=tdx. The later word counts. In diff, the one
    /// side is as it is.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "What if", hide_short_help = true)]
    pub set: Vec<String>,
    /// The sandbox id to put in the place of {sandbox-id}
    #[arg(long, value_name = "ID", help_heading = "Host", hide_short_help = true)]
    pub sandbox_id: Option<String>,
}
