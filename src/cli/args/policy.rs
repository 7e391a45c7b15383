//! The words of `policy` and its commands. Decides nothing.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ContainerRuntimeInput, ExportArgs, Input, Output, RuntimeChoice};

/// `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// The commands of `policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Add entries to a list, in place; nothing else in the file changes
    Allow(EditArgs),
    /// Take entries out of a list; undoes allow to the last byte
    Deny(EditArgs),
    /// What whoever may create pods can change on this host, by risk
    Audit(AuditArgs),
    /// The tightest lists with which these pods start, and the entries that none of them needs
    Suggest(Box<SuggestArgs>),
    /// The same policy for a cluster: refused before it reaches the host
    Export(Box<ExportArgs>),
}

/// The configuration, for commands that take no manifests.
#[derive(Debug, Clone, Args)]
pub struct PolicyInput {
    /// Kata's configuration file [default: the runtime's own search path]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which runtime reads it
    #[arg(long, value_enum, default_value_t)]
    pub runtime: RuntimeChoice,
    /// Which Kata version, such as 3.19 or 3.19.1 [default: the newest]
    #[arg(long, value_name = "VERSION")]
    pub kata_version: Option<String>,
    /// The hypervisor table [default: the active one]
    #[arg(long, value_name = "NAME")]
    pub hypervisor: Option<String>,
    /// A node in a file: an archive of collect, a folder or archive of its files, what kata-collect-data.sh prints
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "root")]
    pub node: Vec<PathBuf>,
    /// Look every named path up under DIR, and show it without DIR
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

impl PolicyInput {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input {
            config: self.config.clone(),
            runtime: self.runtime,
            kata_version: self.kata_version.clone(),
            hypervisor: self.hypervisor.clone(),
            root: self.root.clone(),
            node: self.node.clone(),
            ..Input::default()
        }
    }
}

/// `policy allow`, `policy deny`.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// Entries: regular expressions of names, or globs of paths, as they stand in the file
    #[arg(required = true, value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// The list, with or without its table
    #[arg(long, value_name = "LIST", default_value = "enable_annotations")]
    pub list: String,
    /// Write nothing; print the difference (exit status 1 where there is one)
    #[arg(long)]
    pub dry_run: bool,
    /// Write the changed file here instead (- for standard output)
    #[arg(short, long, value_name = "FILE", conflicts_with = "dry_run")]
    pub output: Option<PathBuf>,
    /// Edit a drop-in that repeats the whole list, not the file that sets it
    #[arg(long)]
    pub drop_in: bool,
    /// Add also what is malformed or lets nothing in
    #[arg(long)]
    pub force: bool,
    /// The configuration.
    #[command(flatten)]
    pub input: PolicyInput,
    /// The handler whose configuration it is, on a node with several
    #[arg(long, value_name = "NAME")]
    pub handler: Option<String>,
}

impl EditArgs {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input { handler: self.handler.clone(), ..self.input.input() }
    }
}

/// `policy audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The configuration.
    #[command(flatten)]
    pub input: PolicyInput,
    /// The handler whose configuration it is, on a node with several
    #[arg(long, value_name = "NAME")]
    pub handler: Option<String>,
    /// The container runtime.
    #[command(flatten)]
    pub container_runtime: ContainerRuntimeInput,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

impl AuditArgs {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input {
            handler: self.handler.clone(),
            container_runtime: self.container_runtime.clone(),
            ..self.input.input()
        }
    }
}

/// `policy suggest`.
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// What to look at.
    #[command(flatten)]
    pub input: Input,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}
