//! Why a VM does not start, as the launches of all runtimes say it, and whom that is laid to.
//!
//! Decides which annotation a failure names. What is refused, in which words and at which keys' fault, is
//! each runtime's own.

use std::borrow::Cow;

use crate::answer::verdict::{Failure, FailureStage};
use crate::catalog::KATA_PREFIX;
use crate::runtime::Sandbox;

/// The runtime's words, and what may be at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    message: Cow<'static, str>,
    /// Names of annotations past the prefix that `of` is given, the likeliest first.
    blame: &'static [&'static str],
    /// Whether the runtime crashes instead of answering.
    panic: bool,
}

/// Refuses.
pub(super) fn refuse<T>(
    message: impl Into<Cow<'static, str>>,
    blame: &'static [&'static str],
) -> Result<T, Refusal> {
    Err(Refusal::because(message, blame))
}

impl Refusal {
    pub(super) fn because(message: impl Into<Cow<'static, str>>, blame: &'static [&'static str]) -> Self {
        Self { message: message.into(), blame, panic: false }
    }

    pub(super) fn crash(message: impl Into<Cow<'static, str>>, blame: &'static [&'static str]) -> Self {
        Self { panic: true, ..Self::because(message, blame) }
    }

    /// Puts the caller's words before the message, as an error chain is printed.
    pub(super) fn within(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message).into();
        self
    }

    /// The failure, naming the first annotation at fault that the pod sets. `prefix`: what the annotations
    /// of `blame` begin with.
    pub(super) fn of(self, sandbox: &Sandbox<'_>, prefix: &str) -> Failure {
        let failure = Failure::new(FailureStage::Launch, self.message);
        let annotation = self.blame.iter().find_map(|name| {
            // A key of another table is named whole.
            let key =
                if name.starts_with(KATA_PREFIX) { (*name).to_owned() } else { format!("{prefix}{name}") };
            sandbox.annotations.contains_key(&key).then_some(key)
        });
        let failure = match annotation {
            Some(key) => failure.by(key),
            None => failure,
        };
        if self.panic { failure.crash() } else { failure }
    }
}
