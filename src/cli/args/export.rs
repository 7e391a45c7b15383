//! What `policy export` is told. Decides nothing.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ContainerRuntimeInput, PolicyInput};

const EXPORT_HELP: &str = "\
Modes:
  closed        only what enable_annotations lets in; nothing of agent, runtime and containers
  nothing-lost  what the host would refuse, not read or never get is refused
  as-host       what a gate of the host refuses is refused

Examples:
  katascope policy export --to vap -c configuration.toml --handler kata-qemu > kata.yaml
  katascope policy export --to vap --action warn --root /mnt/node > kata.yaml
  katascope policy export --check kata.yaml --root /mnt/node";

/// `policy export`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct ExportArgs {
    /// What is to enforce it
    #[arg(long, value_enum, value_name = "TARGET", required_unless_present = "check")]
    pub to: Option<Target>,
    /// How much is refused
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    pub mode: ModeChoice,
    /// Only rules for pods [default: for pods and for what makes them]
    #[arg(long)]
    pub pods: bool,
    /// Only rules for what makes pods: Deployments, Jobs and the rest
    #[arg(long)]
    pub templates: bool,
    /// What becomes of an object that does not pass
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    pub action: ActionChoice,
    /// Namespaces that are not judged
    #[arg(long, value_name = "NAMESPACE", value_delimiter = ',', default_value = "kube-system")]
    pub exempt: Vec<String>,
    /// RuntimeClasses that stand for the handler [default: those with the handler, whatever they are called]
    #[arg(long = "runtime-class", value_name = "NAME")]
    pub classes: Vec<String>,
    /// Say whether FILE, made by this command, is stale: exit status 1 where it is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "mode", "output"])]
    pub check: Option<PathBuf>,
    /// Write here [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The runtime handler [default: every Kata handler of the node]
    #[arg(long, value_name = "NAME")]
    pub handler: Option<String>,
    /// The container runtime.
    #[command(flatten)]
    pub container_runtime: ContainerRuntimeInput,
    /// The configuration.
    #[command(flatten)]
    pub input: PolicyInput,
}

/// `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// ValidatingAdmissionPolicy and its binding, of the API server itself
    Vap,
    /// ValidatingPolicy of Kyverno
    Kyverno,
    /// ConstraintTemplate and constraint of Gatekeeper
    Gatekeeper,
    /// pod_annotations of the node's containerd
    Containerd,
    /// Values of the kata-deploy chart
    Helm,
    /// MachineConfig of OpenShift
    Machineconfig,
}

/// `--mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ModeChoice {
    /// What a gate of the host refuses
    AsHost,
    /// Also what the host would not read or never get
    NothingLost,
    /// Everything but what enable_annotations lets in
    #[default]
    Closed,
}

/// `--action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ActionChoice {
    /// It is refused
    #[default]
    Deny,
    /// A warning, and the audit log
    Warn,
    /// The audit log
    Audit,
}
