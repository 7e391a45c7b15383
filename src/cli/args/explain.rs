//! What `explain` is told. Decides nothing.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An annotation (whole or short), a configuration key, or an error message; - for a journal, a log, or what
    /// kubectl prints of events, on standard input
    #[arg(required_unless_present = "running", conflicts_with = "running", value_name = "KEY")]
    pub words: Vec<String>,
    /// Process lines of running VMs instead: what ps, pgrep -a or pmap print, /proc/PID/cmdline, a runtime's log, or
    /// - for standard input
    ///
    /// Says of each argument what it is and which key or annotation would set it, and which runtime and releases
    /// print such a line. What is cut or left out in the text counts as unknown.
    #[arg(long, value_name = "FILE")]
    pub running: Option<PathBuf>,
    /// Say what it means for this configuration file
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Look every named path up under DIR
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}
