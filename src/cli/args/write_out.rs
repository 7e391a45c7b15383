//! Where the change of `--set` goes. Decides nothing.

use std::path::PathBuf;

use clap::Args;

/// What is done with the change of `--set` beside showing what comes of it.
#[derive(Debug, Clone, Default, Args)]
pub struct WriteOut {
    /// Write the configuration keys of --set to FILE as a drop-in for config.d
    #[arg(long, value_name = "FILE", help_heading = "What if", requires = "set", hide_short_help = true)]
    pub write_drop_in: Option<PathBuf>,
    /// Write them to FILE as a patch of the configuration files (patch -p1)
    #[arg(long, value_name = "FILE", help_heading = "What if", requires = "set", hide_short_help = true)]
    pub write_patch: Option<PathBuf>,
}
