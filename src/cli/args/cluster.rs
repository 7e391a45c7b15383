//! Which of a cluster's pods are asked for. Decides nothing.

use clap::Args;

/// Which pods of the cluster.
#[derive(Debug, Clone, Default, Args)]
pub struct ClusterOptions {
    /// The pods of this namespace, by kubectl get
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        help_heading = "Cluster",
        hide_short_help = true,
        conflicts_with = "all_namespaces"
    )]
    pub namespace: Option<String>,
    /// The pods of all namespaces, by kubectl get
    #[arg(short = 'A', long, help_heading = "Cluster", hide_short_help = true)]
    pub all_namespaces: bool,
    /// The kubeconfig's context
    #[arg(long, value_name = "NAME", help_heading = "Cluster", hide_short_help = true)]
    pub context: Option<String>,
    /// Only pods with these labels
    #[arg(short = 'l', long, value_name = "LABELS", help_heading = "Cluster", hide_short_help = true)]
    pub selector: Option<String>,
    /// Whether screens are open, which nothing is written over.
    #[arg(skip)]
    pub screens: bool,
    /// Whether the screens are kept current.
    #[arg(skip)]
    pub watch: bool,
}
