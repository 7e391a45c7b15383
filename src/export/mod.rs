//! A host's policy for a cluster: what an API server, a policy engine or the node's own files should enforce so
//! that it is refused before it reaches the host.
//!
//! Decides in `rules` what has to be enforced, and beside it how each target says that; reads no files, judges no
//! pod. The expressions are CEL as `ValidatingAdmissionPolicy` evaluates it (kube-apiserver since 1.30), and keep
//! to what every such server knows.

mod admission;
mod admits;
pub mod beside;
mod cel;
mod engines;
mod files;
mod head;
pub mod re2;
mod rules;
mod yaml;

pub use admits::{Admission, Refused};
pub use head::{Recorded, recorded};
pub use rules::{Others, Rules, Subject, rules};

/// The one key of Kata's that is not spelled as such.
const SGX_EPC: &str = "sgx.intel.com/epc";

/// Which of three policies is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What a gate of the host refuses is refused.
    AsHost,
    /// Also what the host would read past.
    NothingLost,
    /// Only what the host's lists name may be set.
    Closed,
}

impl Mode {
    /// The word of the command line and of the files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsHost => "as-host",
            Self::NothingLost => "nothing-lost",
            Self::Closed => "closed",
        }
    }

    /// What it refuses.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AsHost => {
                "refuses what a gate of the host refuses: names by enable_annotations, values by the valid_ lists"
            }
            Self::NothingLost => {
                "refuses what a gate of the host refuses, and what the host would not read or never get"
            }
            Self::Closed => {
                "lets in what enable_annotations lets in, and no other annotation of Kata: none of agent, runtime \
                 and containers, which no list of the host gates"
            }
        }
    }

    /// By its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::AsHost, Self::NothingLost, Self::Closed].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// What becomes of an object that does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// It is refused.
    #[default]
    Deny,
    /// Whoever applies it is warned, and it is written to the audit log.
    Warn,
    /// It is written to the audit log.
    Audit,
}

/// What is wanted of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Rules for pods.
    pub pods: bool,
    /// Rules for whatever makes pods.
    pub templates: bool,
    /// What becomes of what does not pass.
    pub action: Action,
    /// Namespaces that are not judged.
    pub exempt: Vec<String>,
    /// The RuntimeClasses that stand for the handler; none: those with its name as their handler.
    pub classes: Vec<String>,
    /// Whether the node's containerd is a 1.x.
    pub early_containerd: bool,
}

/// A file made for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Its text.
    pub text: String,
    /// What it does not say as the host does.
    pub inexact: Vec<String>,
}

/// Why a target cannot say it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsaid {
    /// containerd drops what it does not pass on, and refuses nothing.
    #[error("containerd passes annotations on by name or drops them: --mode closed or nothing-lost")]
    ByNameAlone,
    /// The release reads no drop-ins.
    #[error("{0} reads no drop-ins: its configuration file has to be edited (policy allow, policy deny)")]
    NoDropIns(String),
    /// The file is a handler's.
    #[error("no handler is known; --handler NAME says whose file it is")]
    NoHandler,
}

/// What is to enforce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The API server: `ValidatingAdmissionPolicy`.
    Vap,
    /// Kyverno: `ValidatingPolicy`.
    Kyverno,
    /// Gatekeeper: `ConstraintTemplate` and constraint.
    Gatekeeper,
    /// The node's containerd: `pod_annotations`.
    Containerd,
    /// The node's configuration, by values of the kata-deploy chart.
    Helm,
    /// The node's configuration, by a `MachineConfig`.
    MachineConfig,
}

/// The file for a target.
pub fn export(target: Target, all: &[Rules], wanted: &Wanted) -> Result<Exported, Unsaid> {
    match target {
        Target::Vap => Ok(admission::vap(all, wanted)),
        Target::Kyverno => Ok(engines::kyverno(all, wanted)),
        Target::Gatekeeper => Ok(engines::gatekeeper(all, wanted)),
        Target::Containerd => files::containerd(all, wanted),
        Target::Helm => files::helm(all),
        Target::MachineConfig => files::machine_config(all),
    }
}
