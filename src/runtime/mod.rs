//! How a release loads, defaults, checks and merges: configuration, annotations and sizing to
//! effective configuration and verdicts, in that runtime's own order.
//!
//! One wing for each runtime; what came or went between its releases is named in its table of changes and
//! asked where the runtime has it. Common are the shape of the answer, and what Go's standard library does
//! to texts.

mod checks;
mod config_path;
mod defaults;
pub mod go;
pub mod initdata;
mod message;
pub mod placeholder;
mod refusal;
pub mod rs;
pub(crate) mod verity;

pub use message::RuntimeMessage;

use crate::answer::agent::AgentSetup;
use crate::answer::effective::Effective;
use crate::answer::finding::Finding;
use crate::answer::launch::Launch;
use crate::answer::verdict::{Failure, Verdict};
use crate::input::config::Layers;
use crate::input::manifest::DeviceRequest;
use crate::input::{Annotations, Host, Place};
use crate::policy::names::NameGate;
use crate::release::{Release, Runtime};

/// The largest initdata document that is unpacked, in bytes. No runtime has a limit; a pod's annotations
/// hold 256 KiB, which gzip can make of a thousand times as much.
const INITDATA_LIMIT: usize = 16 << 20;

/// What the CRI hands to the runtime for one pod sandbox.
#[derive(Debug, Clone)]
pub struct Sandbox<'a> {
    /// The sandbox id, or the token `{sandbox-id}`.
    pub id: &'a str,
    /// `hostname` of the OCI spec.
    pub hostname: &'a str,
    /// Whether the OCI spec names no network namespace, as of a pod on the host's network.
    pub host_network: bool,
    /// The annotations of the sandbox's OCI spec: the pod's, the CRI's own and the sizing keys.
    pub annotations: &'a Annotations,
    /// The devices of plugins that the pod asks kubelet for.
    pub devices: &'a [DeviceRequest],
}

/// How much of the answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Outcome and verdicts.
    Verdicts,
    /// Also effective values, launch and agent.
    Full,
}

/// Why a configuration did not load. Every pod is refused at stage `load`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The runtime's own message, word for word where it is deterministic.
    pub message: String,
    /// Where the cause stands.
    pub place: Option<Place>,
    /// Whether the real runtime crashes here.
    pub panic: bool,
}

impl LoadError {
    /// An error that is no crash.
    fn new(message: impl Into<String>, place: impl Into<Option<Place>>) -> Self {
        Self { message: message.into(), place: place.into(), panic: false }
    }
}

/// What became of one sandbox.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// One for each annotation the sandbox came with that belongs to Kata, in key order.
    /// The evaluation adds those of annotations that never got here.
    pub verdicts: Vec<Verdict>,
    /// Why the sandbox does not start; `None`: it starts.
    pub failure: Option<Failure>,
    /// Every key the release reads (only at `Depth::Full`, and only where the pod gets so far).
    pub effective: Option<Effective>,
    /// The VM's processes and requests (likewise).
    pub launch: Option<Launch>,
    /// What the guest is told (likewise).
    pub agent: Option<AgentSetup>,
    /// What a careful reader would point out.
    pub findings: Vec<Finding>,
}

/// What a sandbox comes to once its configuration stands.
#[derive(Debug, Clone, Default)]
pub struct Started {
    /// The VM's processes and requests (only at `Depth::Full`).
    pub launch: Option<Launch>,
    /// What the guest is told (likewise).
    pub agent: Option<AgentSetup>,
    /// What the launch would point out.
    pub findings: Vec<Finding>,
}

/// The launch of a sandbox whose configuration stands, and what its agent is told.
///
/// Each runtime comes to it in the middle of its way: what it made of the pod goes in, and a failure is laid
/// to the pod's annotations afterwards. Those who know how a VM is launched stand above this room.
pub trait Start {
    /// Starts a sandbox of the Go runtime. An error is one that the runtime meets before the VM runs.
    fn go(
        &self,
        host: &Host,
        config: &go::config::SandboxConfig,
        sandbox: &Sandbox<'_>,
        depth: Depth,
    ) -> Result<Started, Failure>;

    /// Starts a sandbox of runtime-rs. An error is one that the runtime meets before the VM runs.
    fn rs(
        &self,
        host: &Host,
        config: &rs::config::Config,
        sandbox: &Sandbox<'_>,
        depth: Depth,
    ) -> Result<Started, Failure>;
}

/// One sandbox, what it is started with, and how much is wanted of the answer.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The machine.
    pub host: &'a Host,
    /// What the CRI hands over.
    pub sandbox: &'a Sandbox<'a>,
    /// How much is wanted.
    pub depth: Depth,
    /// What follows the configuration.
    pub start: &'a dyn Start,
}

impl Run {
    /// Puts what the start came to into the answer.
    fn conclude(&mut self, started: Result<Started, Failure>) {
        match started {
            Ok(started) => {
                self.findings.extend(started.findings);
                self.launch = started.launch;
                self.agent = started.agent;
            }
            Err(failure) => self.failure = Some(failure),
        }
    }
}

/// What loading is told beside the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoadOptions<'a> {
    /// The hypervisor table to take where the runtime would pick one at random (`--hypervisor`).
    pub hypervisor: Option<&'a str>,
}

/// A loaded configuration of any release.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// The Go runtime.
    Go(Box<go::Loaded>),
    /// runtime-rs.
    Rs(rs::Loaded),
}

impl Loaded {
    /// Loads `layers` as `release` does.
    pub fn load(
        release: Release,
        layers: &Layers,
        host: &Host,
        options: &LoadOptions<'_>,
    ) -> Result<Self, LoadError> {
        Ok(match release.runtime {
            Runtime::Go => Self::Go(Box::new(go::load(release, layers, host, options)?)),
            Runtime::Rs => Self::Rs(rs::load(release, layers, host, options)?),
        })
    }

    /// What becomes of one sandbox where the configuration does not load: it is refused, but for a
    /// release in which a pod may bring a configuration of its own.
    pub fn run_without(release: Release, error: &LoadError, asked: Asked<'_>) -> Run {
        match release.runtime {
            Runtime::Go => go::without_configuration(release, error, asked),
            Runtime::Rs => rs::without_configuration(release, error, asked),
        }
    }

    /// The active hypervisor's table name.
    pub fn hypervisor(&self) -> &str {
        match self {
            Self::Go(loaded) => loaded.hypervisor(),
            Self::Rs(loaded) => loaded.hypervisor(),
        }
    }

    /// The name gate of the active hypervisor's table, compiled.
    pub fn name_gate(&self) -> Option<&NameGate> {
        match self {
            Self::Go(loaded) => Some(loaded.name_gate()),
            Self::Rs(loaded) => loaded.name_gate(),
        }
    }

    /// The lists of the active hypervisor's table as the runtime holds them: `enable_annotations` first.
    pub fn policy_lists(&self) -> Vec<(&'static str, &[String])> {
        match self {
            Self::Go(loaded) => loaded.policy_lists(),
            Self::Rs(loaded) => loaded.policy_lists(),
        }
    }

    /// What becomes of one sandbox.
    pub fn run(&self, asked: Asked<'_>) -> Run {
        match self {
            Self::Go(loaded) => loaded.run(asked),
            Self::Rs(loaded) => loaded.run(asked),
        }
    }
}
