//! The words that options choose among.

use clap::ValueEnum;

use crate::evaluate::as_if::AsIf;

/// Formats of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CheckFormat {
    /// For people
    #[default]
    Text,
    /// The contract (schema 1)
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations of a GitHub workflow run
    Github,
}

/// Formats of `diff`, `explain` and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ShowFormat {
    /// For people
    #[default]
    Text,
    /// JSON
    Json,
}

/// Formats of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SubjectFormat {
    /// For people
    #[default]
    Text,
    /// JSON
    Json,
    /// The annotations for a manifest (show annotations): what does nothing here is commented out
    Yaml,
}

/// Subjects of `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// Every annotation that the release knows, and what the pod makes of it
    Annotations,
    /// Every configuration key with its effective value and origin
    Config,
    /// The VM command and requests
    Launch,
    /// Guest kernel command line and agent requests
    Agent,
    /// From the containers' limits to the VM's CPUs and memory, line by line
    Sizing,
    /// The pod's initialization data: its parts, and the digest that a confidential guest is bound to
    Initdata,
}

/// What is supposed of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AsIfChoice {
    /// The policy lets in all that it asks for
    Allowed,
    /// What refuses it is not set
    Absent,
}

impl From<AsIfChoice> for AsIf {
    fn from(choice: AsIfChoice) -> Self {
        match choice {
            AsIfChoice::Allowed => Self::Allowed,
            AsIfChoice::Absent => Self::Absent,
        }
    }
}

/// Subjects of `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DiffSubject {
    /// All of them
    #[default]
    All,
    /// Outcome and annotations
    Annotations,
    /// Effective configuration
    Config,
    /// VM command and requests
    Launch,
    /// Guest kernel command line and agent requests
    Agent,
}

/// `--runtime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RuntimeChoice {
    /// By the look of the configuration file
    #[default]
    Auto,
    /// The Go runtime
    Go,
    /// runtime-rs
    Rs,
}

/// `--cri`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CriChoice {
    /// All annotations pass
    None,
    /// containerd
    Containerd,
    /// CRI-O
    Crio,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// A pod that does not start
    #[default]
    Refused,
    /// An annotation without effect, or worse
    Ignored,
    /// A warning, or worse
    Warning,
}

/// What is done about the files that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum FilesChoice {
    Check,
    Assume,
}
