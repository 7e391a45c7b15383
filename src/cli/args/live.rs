//! What `live` is told. Decides nothing.

use std::path::PathBuf;

use clap::Args;

use super::{FilesChoice, Input, Output, PolicyInput};

/// `live`.
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// The sandbox to compare with its prediction, or the beginning of its id [default: list all]
    #[arg(value_name = "SANDBOX")]
    pub sandbox: Option<String>,
    /// Print the list, at a terminal too
    #[arg(long)]
    pub list: bool,
    /// Process lines or a VMM's own document in a file (- for standard input), instead of this machine's VMs
    #[arg(long, value_name = "FILE")]
    pub running: Option<PathBuf>,
    /// Its pod, where the node has no bundle of it: a manifest
    #[arg(long, value_name = "FILE")]
    pub manifest: Vec<PathBuf>,
    /// Of these, the one of this name
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub pod: Option<String>,
    /// The runtime handler that served it
    #[arg(long, value_name = "NAME")]
    pub handler: Option<String>,
    /// Host facts, as for check
    #[arg(long, value_name = "FILE")]
    pub host: Option<PathBuf>,
    /// Whether to look for the files that are named, or to take them for granted, as for check
    #[arg(long, value_enum, value_name = "HOW")]
    pub files: Option<FilesChoice>,
    /// The configuration.
    #[command(flatten)]
    pub input: PolicyInput,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

impl LiveArgs {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input {
            manifests: self.manifest.clone(),
            pod: self.pod.clone(),
            handler: self.handler.clone(),
            host: self.host.clone(),
            files: self.files,
            ..self.input.input()
        }
    }
}
