//! What is taken for granted of a host whose files nobody can look at.
//!
//! Decides how much of a host can be looked at, what counts as an answer where it cannot, and keeps the list of
//! what an answer rests on. A file that somebody names is taken to be there, being what they mean to run with; a
//! file that a runtime only tries is taken to be absent.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of the host's files can be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Look {
    /// All: what is not found is not there.
    #[default]
    Everything,
    /// None but these, which hold the configuration.
    NothingBut(Arc<[Arc<str>]>),
    /// Those that a collection holds. What is not among them may be there all the same, unless the collection
    /// says that it is not.
    Collected,
}

/// One thing that nobody has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assumption {
    /// The file is there, and is what its name says.
    There(Arc<str>),
    /// The file is not there.
    Absent(Arc<str>),
    /// The file has the digest that is asked for.
    Digest(Arc<str>),
    /// The handler that a pod goes to, as a sentence about its RuntimeClass.
    Handler(Arc<str>),
    /// A fact of the hardware, as a sentence about the host.
    Fact(Arc<str>),
    /// The machine's size and architecture, likewise.
    Machine(Arc<str>),
}

impl Assumption {
    /// Whether a pod that starts might well not start without it. A network of another form is joined as well, and
    /// few pods ask for more than a machine has: that much is said once, and marks no pod.
    pub fn decides(&self) -> bool {
        match self {
            Self::Machine(_) => false,
            Self::Fact(text) => **text != *super::network::ASSUMED,
            Self::There(_) | Self::Absent(_) | Self::Digest(_) | Self::Handler(_) => true,
        }
    }

    /// The file it is about.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::There(path) | Self::Absent(path) | Self::Digest(path) => Some(path),
            Self::Handler(_) | Self::Fact(_) | Self::Machine(_) => None,
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There(path) => write!(f, "{path} is there"),
            Self::Absent(path) => write!(f, "{path} is not there"),
            Self::Digest(path) => write!(f, "{path} has the digest that is asked for"),
            Self::Handler(text) | Self::Fact(text) | Self::Machine(text) => f.write_str(text),
        }
    }
}

/// The size that stands for one that is not known: no check of a runtime minds it, and no report prints it.
pub(super) const PLACEHOLDER_SIZE: u64 = 1 << 20;

/// What one evaluation has taken for granted so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What the loaded configuration rests on already.
    before: Arc<[Assumption]>,
    own: Mutex<Vec<Assumption>>,
}

impl Notes {
    pub(super) fn after(before: &Arc<[Assumption]>) -> Self {
        Self { before: Arc::clone(before), own: Mutex::default() }
    }

    pub(super) fn add(&self, assumption: Assumption) {
        if self.before.contains(&assumption) {
            return;
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if !own.contains(&assumption) {
            own.push(assumption);
        }
    }

    /// Everything, in the order in which it was asked for.
    pub(super) fn all(&self) -> Arc<[Assumption]> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_empty() {
            return Arc::clone(&self.before);
        }
        self.before.iter().chain(own.iter()).cloned().collect()
    }
}
