//! What is said of the screens.

use std::path::PathBuf;

use clap::Args;

use super::{ColorChoice, SETTINGS_VARIABLE};

/// How the terminal program behaves.
#[derive(Debug, Clone, Default, Args)]
pub struct ScreenOptions {
    /// Change nothing: write actions are disabled
    #[arg(long)]
    pub readonly: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Keep the cluster's pods current, by kubectl get --watch (-n, -A, --context and -l say which)
    #[arg(short, long, help_heading = "Cluster", hide_short_help = true)]
    pub watch: bool,
    /// Settings file [default: $XDG_CONFIG_HOME/katascope/config.toml]
    #[arg(long, value_name = "FILE", env = SETTINGS_VARIABLE, hide_short_help = true)]
    pub settings: Option<PathBuf>,
}
