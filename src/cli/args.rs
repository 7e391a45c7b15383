//! The command line: what can be said, in words and help. Decides nothing.

mod choices;
mod narrow;
mod screens;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use clap::{Args, Parser, Subcommand};

pub use choices::{
    AsIfChoice, CheckFormat, ColorChoice, CriChoice, DiffSubject, FailOn, RuntimeChoice, ShowFormat, Subject,
    SubjectFormat,
};

pub use narrow::{Narrow, Output};
pub use screens::ScreenOptions;

use crate::input::archive::Collection;
use crate::release::{Runtime, Version as KataVersion};

/// The Kata versions that are modelled, and of which of them answers are recorded, for `--version`.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut text = format!(
        "{}\nmodels: Kata Containers 2.0.0 to {newest} (Go runtime), 3.0.0 to {newest} (runtime-rs)",
        env!("CARGO_PKG_VERSION"),
        newest = KataVersion::NEWEST
    );
    for runtime in [Runtime::Go, Runtime::Rs] {
        let measured: Vec<String> = runtime.measured().map(|version| version.to_string()).collect();
        text.push_str(&format!("\nmeasured: {} {}", runtime.title(), measured.join(", ")));
    }
    text.push_str("; the others are read in their source");
    text
});

macro_rules! examples {
    () => {
        "\
  katascope                                        the terminal program on an embedded sample
  katascope -c configuration.toml pods.yaml        the terminal program on your files
  katascope check -c configuration.toml pods.yaml  what becomes of every pod
  kubectl get pods -A -o json | katascope check -  the pods of a cluster, against this host
  katascope explain default_memory                 one annotation, in every release"
    };
}

macro_rules! exit_status {
    () => {
        "\
  0  nothing found, no difference
  1  findings at or above --fail-on; for diff and --dry-run, a difference
  2  could not do its work: usage, unreadable or malformed input"
    };
}

/// The variable that says what `--settings` would.
pub(super) const SETTINGS_VARIABLE: &str = "KATASCOPE_CONFIG";

/// The most useful commands, for help and man page.
pub(super) const EXAMPLES: &str = examples!();
/// What the exit status says, likewise.
pub(super) const EXIT_STATUS: &str = exit_status!();
const AFTER_HELP: &str = concat!("Examples:\n", examples!(), "\n\nExit status:\n", exit_status!());

const SHORT_HELP: &str = "\
Examples:
  katascope                                        the terminal program on an embedded sample
  katascope check -c configuration.toml pods.yaml  what becomes of every pod
More options, and what the exit status means: --help";

const CHECK_HELP: &str = "\
What becomes of an annotation:
  ✓ applied      it takes effect
  ↷ overridden   a later step replaces it (static sizing, most often)
  ○ ignored      the runtime reads past it
  ⤓ dropped      containerd or CRI-O does not pass it on
  ? unknown      this runtime has no such key
  ✗ refused      it makes the pod fail
  ! invalid      Kubernetes does not accept it

Examples:
  katascope check -c configuration.toml pods.yaml
  kubectl get runtimeclasses,pods -A -o json | katascope check -          on a node
  katascope check --root /mnt/node pods.yaml                             a node's files
  katascope check --root /mnt/node                                       do its handlers' files load?
  katascope check --handler kata-qemu --kubelet kubelet.yaml pods.yaml
  katascope check --filter 'ns:prod !handler:kata-qemu default_vcpus' pods.yaml
  katascope check --fail-on ignored -o sarif -c configuration.toml deploy/ > findings.sarif

More of one pod: katascope show annotations (every check), show sizing (the sum), show launch.";

const UPGRADE_HELP: &str = "\
Examples:
  katascope upgrade --to 4.1 pods.yaml                                    this node's handlers, these pods
  kubectl get pods -A -o json | katascope upgrade --to 4.1 -              the pods of a cluster
  katascope upgrade --kata-version 3.19.1 --to 4.1 -c configuration.toml  a file, without pods
  katascope upgrade --to 3.32 --node node.tar.gz pods.yaml                a collected node; also downwards";

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
    Explain(super::explain::ExplainArgs),
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
    Live(super::live::LiveArgs),
    /// What this node's answers rest on, in one archive for --node
    ///
    /// Looks at every handler's configuration as a pod would, and takes along what was looked up on the way: files
    /// of the container runtime and of Kata, and of what they name the kind, size and mode. Values that log somebody
    /// in are left out and named. Writes nothing but the archive, starts nothing, and needs no root where the files
    /// can be read.
    Collect(super::collect::CollectArgs),
    /// The JSON Schema of an output, or of configuration.toml for editors
    Schema(super::schema::SchemaArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
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

/// What is looked at.
#[derive(Debug, Clone, Default, Args)]
pub struct Input {
    /// Pods: YAML or JSON files, folders, or - for standard input
    #[arg(value_name = "MANIFEST")]
    pub manifests: Vec<PathBuf>,
    /// The cluster's pods.
    #[command(flatten)]
    pub cluster: super::kubectl::ClusterOptions,
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
    /// Host facts (kata-runtime env, kata-ctl env, a Node, or TOML): arch, cpus, memory_mib, nested, protection, vhost_vsock, hugepages and numa tables
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
    pub files: Option<super::nodes::FilesChoice>,
    /// The sandbox id to put in the place of {sandbox-id}
    #[arg(long, value_name = "ID", help_heading = "Host", hide_short_help = true)]
    pub sandbox_id: Option<String>,
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
    /// Which pods, and which findings.
    #[command(flatten)]
    pub narrow: Narrow,
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
    #[arg(long = "with", value_name = "KEY=VALUE", required = true)]
    pub with: Vec<String>,
    /// Also keys that only one side has, at their default (text)
    #[arg(long)]
    pub all: bool,
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
    /// The container runtime
    #[arg(long, value_enum)]
    pub cri: Option<CriChoice>,
    /// Its configuration file [default: the usual places, k3s and RKE2 included]
    #[arg(long, value_name = "FILE")]
    pub cri_config: Option<PathBuf>,
    /// containerd's version [default: the newest known]
    #[arg(long, value_name = "VERSION")]
    pub containerd: Option<String>,
    /// CRI-O's version [default: as the node records it, else the newest known]
    #[arg(long, value_name = "VERSION")]
    pub crio: Option<String>,
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
            cri: self.cri,
            cri_config: self.cri_config.clone(),
            containerd: self.containerd.clone(),
            crio: self.crio.clone(),
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
    Export(Box<super::export::ExportArgs>),
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
}

/// `policy audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The configuration.
    #[command(flatten)]
    pub input: PolicyInput,
    /// The container runtime, which may let more past the lists
    #[arg(long, value_enum)]
    pub cri: Option<CriChoice>,
    /// Its configuration file [default with --cri: the usual places]
    #[arg(long, value_name = "FILE")]
    pub cri_config: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub output: Output,
}

impl AuditArgs {
    /// The same, as every other command says it.
    pub fn input(&self) -> Input {
        Input { cri: self.cri, cri_config: self.cri_config.clone(), ..self.input.input() }
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
