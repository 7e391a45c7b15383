//! What the terminal program is given, and how it ends. Decides nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::effect::{Fresh, Rights, Watched};
use super::invocation::Invocation;
use super::model::live::{Live, Seen};
use super::model::nodes::Nodes;
use super::model::pods::First;
use crate::input::config::Layers;
use crate::input::manifest::Pod;
use crate::release::Release;
use crate::report::beside::Beside;

/// The shortest look at the keyboard. Not zero: with that, crossterm's reader of /dev/tty returns before
/// it has looked at all.
pub(super) const GLANCE: Duration = Duration::from_micros(400);
/// Nothing is shown of reading that takes no longer than this.
pub(super) const MOMENT: Duration = Duration::from_millis(80);

/// Reads node, configuration and pods again.
pub type Reload = Box<dyn FnMut(Wanted<'_>) -> Result<Fresh, String> + Send>;

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which node, of several.
    pub node: usize,
    /// The handler whose configuration is looked at.
    pub handler: Option<&'a str>,
    /// Whether the pods are read again, too, and held against all nodes.
    pub pods: bool,
}

/// Asks the disk what of a configuration cannot be written.
pub type RightsOf = Box<dyn Fn(&Layers, Release) -> Rights + Send>;

/// Asks this machine for one of its VMs, by the sandbox, beside the prediction for a pod.
type AskBeside = Box<dyn FnMut(&str, &Pod) -> Result<Beside, String> + Send>;

/// Asks this machine for the VMs that run on it.
pub struct Machine {
    /// All of them.
    pub look: Box<dyn FnMut() -> Result<Vec<Seen>, String> + Send>,
    /// One, by its sandbox, beside the prediction for its pod; for the pod that is given where nothing tells which is
    /// its.
    pub beside: AskBeside,
}

/// Reads what words name, as on the command line; why it cannot be.
pub type Open = Box<dyn FnMut(&[String]) -> Result<Session, String> + Send>;

/// What was read, and how it is read again.
pub struct Session {
    /// The configuration, the pods, and where to begin.
    pub first: First,
    /// The cluster, where its pods are kept current.
    pub watched: Option<Watched>,
    /// Reads both again; the handler that is looked at tells which configuration is wanted.
    pub reload: Reload,
    /// Where a shown path lies on this machine.
    pub real_path: Box<dyn Fn(&str) -> PathBuf + Send>,
    /// The folder that shown paths of the configuration are below.
    pub root: PathBuf,
    /// The nodes, where pods are held against several.
    pub nodes: Option<Nodes>,
    /// Asks for the VMs that run.
    pub machine: Machine,
    /// The VMs to begin with, where one begins with them.
    pub live: Option<Live>,
    /// Why nothing may be changed; `None`: it may.
    pub readonly: Option<String>,
    /// What of a configuration cannot be written.
    pub rights_of: RightsOf,
    /// Whether the embedded sample is shown.
    pub sample: bool,
    /// How the program was started, for "copy as command".
    pub invocation: Invocation,
    /// Reads what other words name.
    pub open: Open,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("pods", &self.first.pods.len())
            .field("sample", &self.sample)
            .finish_non_exhaustive()
    }
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By its user.
    Quit,
    /// By a signal, its number.
    Signal(i32),
}
