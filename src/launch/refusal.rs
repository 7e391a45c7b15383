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
    caused_by: &'static [&'static str],
    /// Whether the runtime crashes instead of answering.
    panic: bool,
}

/// What was being done when it failed, as an error chain is printed.
pub(super) trait Context {
    fn context(self, context: &str) -> Self;
}

impl<T> Context for Result<T, Refusal> {
    fn context(self, context: &str) -> Self {
        self.map_err(|refusal| refusal.context(context))
    }
}

pub(super) fn refuse<T>(
    message: impl Into<Cow<'static, str>>,
    caused_by: &'static [&'static str],
) -> Result<T, Refusal> {
    Err(Refusal::because(message, caused_by))
}

impl Refusal {
    pub(super) fn because(message: impl Into<Cow<'static, str>>, caused_by: &'static [&'static str]) -> Self {
        Self { message: message.into(), caused_by, panic: false }
    }

    pub(super) fn crash(message: impl Into<Cow<'static, str>>, caused_by: &'static [&'static str]) -> Self {
        Self { panic: true, ..Self::because(message, caused_by) }
    }

    /// Puts the caller's words before the message, as an error chain is printed.
    pub(super) fn context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message).into();
        self
    }

    /// The failure, naming the first annotation at fault that the pod sets. `prefix`: what the annotations
    /// of `caused_by` begin with.
    pub(super) fn of(self, sandbox: &Sandbox<'_>, prefix: &str) -> Failure {
        let failure = Failure::new(FailureStage::Launch, self.message);
        let annotation = self.caused_by.iter().find_map(|name| {
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
