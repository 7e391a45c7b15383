//! The command line: what can be said, in words and help. Decides nothing.

mod choices;
mod cluster;
mod collect;
mod explain;
mod export;
mod help;
mod input;
mod live;
mod narrow;
mod policy;
mod schema;
mod screens;
mod write_out;

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use choices::{
    AsIfChoice, CheckFormat, ColorChoice, CriChoice, DiffSubject, FailOn, FilesChoice, RuntimeChoice,
    ShowFormat, Subject, SubjectFormat,
};
pub use cluster::ClusterOptions;
pub use collect::CollectArgs;
pub use explain::ExplainArgs;
pub use export::{ActionChoice, ExportArgs, ModeChoice, Target};
pub(super) use help::{EXAMPLES, EXIT_STATUS};
pub use input::{ContainerRuntimeInput, Input};
pub use live::LiveArgs;
pub use policy::{AuditArgs, EditArgs, PolicyArgs, PolicyCommand, PolicyInput, SuggestArgs};
pub use schema::SchemaArgs;
pub use write_out::WriteOut;

pub use narrow::{Narrow, Output};
pub use screens::ScreenOptions;

use help::{AFTER_HELP, CHECK_HELP, SHORT_HELP, UPGRADE_HELP, VERSION};

/// The variable that says what `--settings` would.
pub(super) const SETTINGS_VARIABLE: &str = "KATASCOPE_CONFIG";

/// What Kata Containers makes of a pod's annotations on a host, before the pod is started.
#[derive(Debug, Default, Parser)]
#[command(name = "katascope", bin_name = "katascope", version = VERSION.as_str())]
#[command(after_help = SHORT_HELP, after_long_help = AFTER_HELP)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, max_term_width = 100)]
pub struct Cli {
    /// What to do; without a command, the terminal program.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// For the terminal program.
    #[command(flatten)]
    pub input: Input,
    /// For the terminal program.
    #[command(flatten)]
    pub screen: ScreenOptions,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Every pod: outcome and findings
    ///
    /// Follows each pod's annotations from the manifest through Kubernetes and the container runtime to
    /// Kata's own rules. Says of every pod first whether it starts, then what each annotation comes to and
    /// why, what would change that, and who can. Starts nothing and changes nothing.
    #[command(after_long_help = CHECK_HELP)]
    Check(CheckArgs),
    /// One pod: its annotations, configuration, launch or agent setup
    Show(ShowArgs),
    /// Two sides: pods, policies, runtimes or configurations
    Diff(DiffArgs),
    /// A key, an annotation, a pasted message or a process line, in every release
    Explain(ExplainArgs),
    /// The policy lists: allow, deny, audit, suggest
    Policy(PolicyArgs),
    /// Which shim and configuration file serve a handler, and why
    Which(WhichArgs),
    /// What another Kata release would change, for these handlers and pods
    ///
    /// Judges every handler's configuration and every pod by the release that runs and by another, newer or older,
    /// and says what differs: worst first, by cause, each with the release that made the change and what to do.
    /// Exit status 1: something that works now does not work there.
    #[command(after_long_help = UPGRADE_HELP)]
    Upgrade(UpgradeArgs),
    /// The VMs that run on this node, and one of them beside its prediction
    ///
    /// Finds QEMU, Cloud Hypervisor, Firecracker and StratoVirt in /proc, and reads what the container runtime keeps of
    /// their sandboxes. Starts, stops and asks nothing. With a sandbox, its command is compared with the prediction,
    /// argument by argument, and the exit status is 1 where they differ.
    Live(LiveArgs),
    /// What this node's answers rest on, in one archive for --node
    ///
    /// Looks at every handler's configuration as a pod would, and takes along what was looked up on the way: files
    /// of the container runtime and of Kata, and of what they name the kind, size and mode. Values that log somebody
    /// in are left out and named. Writes nothing but the archive, starts nothing, and needs no root where the files
    /// can be read.
    Collect(CollectArgs),
    /// The JSON Schema of an output, or of configuration.toml for editors
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions {
        /// The shell; for bash into ~/.local/share/bash-completion/completions/katascope, for zsh a folder of $fpath as _katascope
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man {
        /// Of this command [default: of the program]
        command: Option<String>,
    },
    /// Print the commented settings of the terminal program, and where they are read from
    Settings,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to look at.
    #[command(flatten)]
    pub input: Input,
    /// The format
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: CheckFormat,
    /// The same as -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Also effective values, launch, agent, sizing and what the runtime received (JSON)
    #[arg(long)]
    pub full: bool,
    /// The least severe finding that makes the exit status 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Print nothing; the exit status tells
    #[arg(short, long)]
    pub quiet: bool,
    /// Tell of every pod, however many there are (text)
    ///
    /// Of more than 20 pods the text tells what they have in common: each reason once, with how many pods it
    /// concerns, three of them, and who can mend it.
    #[arg(long)]
    pub all: bool,
    /// How many pods are judged at once, instead of one on every core; the report is the same
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZero<usize>>,
    /// Which pods, and which findings.
    #[command(flatten)]
    pub narrow: Narrow,
    /// What is done with the change of --set.
    #[command(flatten)]
    pub write: WriteOut,
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// What to show
    #[arg(value_enum)]
    pub what: Subject,
    /// The launch alone, without what put each argument there
    #[arg(long)]
    pub plain: bool,
    /// A pod that is refused: what it would be given if it were not
    #[arg(long, value_enum, value_name = "WHAT")]
    pub as_if: Option<AsIfChoice>,
    /// What is done with the change of --set.
    #[command(flatten)]
    pub write: WriteOut,
    /// What to look at.
    #[command(flatten)]
    pub input: Input,
    /// The format
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: SubjectFormat,
    /// The same as -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

impl ShowArgs {
    /// Whether JSON was asked for, either way.
    pub fn is_json(&self) -> bool {
        self.json || self.output == SubjectFormat::Json
    }
}

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// What to compare
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub show: DiffSubject,
    /// The other side: what differs from the options given (repeatable): runtime=go|rs,
    /// kata-version=2.1|4.1, config=FILE, hypervisor=NAME, pod=NAMESPACE/NAME, pod=none (the pod
    /// without its Kata annotations), host=FILE, cpus=N, memory=MIB; or running=FILE[#SANDBOX], the VM that runs:
    /// process lines, vm.info of Cloud Hypervisor, Firecracker's configuration file
    #[arg(long = "with", value_name = "KEY=VALUE", required_unless_present = "set")]
    pub with: Vec<String>,
    /// Also keys that only one side has, at their default (text)
    #[arg(long)]
    pub all: bool,
    /// What is done with the change of --set.
    #[command(flatten)]
    pub write: WriteOut,
    /// What to look at.
    #[command(flatten)]
    pub input: Input,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

/// `upgrade`.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// The release to go to, such as 4.1 or 3.19.1
    #[arg(long, value_name = "VERSION")]
    pub to: String,
    /// What to look at.
    #[command(flatten)]
    pub input: Input,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

/// The container runtime and the host, for `which`.
#[derive(Debug, Clone, Args)]
pub struct WhichInput {
    /// The container runtime.
    #[command(flatten)]
    pub container_runtime: ContainerRuntimeInput,
    /// A node in a file: an archive of collect, a folder or archive of its files, what kata-collect-data.sh prints
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "root")]
    pub node: Vec<PathBuf>,
    /// Look every named path up under DIR, and show it without DIR
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

impl WhichInput {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input {
            container_runtime: self.container_runtime.clone(),
            root: self.root.clone(),
            node: self.node.clone(),
            ..Input::default()
        }
    }
}

/// `which`.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Only this handler [default: every Kata handler]; or a configuration file or drop-in, by its
    /// path on the node: which handlers read it
    #[arg(value_name = "HANDLER|FILE")]
    pub handler: Option<String>,
    /// The container runtime and the host.
    #[command(flatten)]
    pub input: WhichInput,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_the_default() {
        let mut parsed = Cli::parse_from(["katascope"]);
        // A variable may stand for it.
        parsed.screen.settings = None;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Cli::default()));
    }
}
