//! What `collect` is told. Decides nothing.

use std::path::PathBuf;

use clap::Args;

use super::Input;

/// `collect`.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// The archive [default: katascope-NODE.tar.gz here, which must not be there yet; - for standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print what would be in it, and write nothing
    #[arg(long)]
    pub print: bool,
    /// What is asked: pods, so that what their annotations name is looked up too.
    #[command(flatten)]
    pub input: Input,
}
