//! Why one annotation makes the pod fail, in the runtime's words and in those for people.
//!
//! Decides nothing: what is refused, each runtime's own steps say.

use std::borrow::Cow;

use crate::answer::verdict::{Fix, ListId, Stage};
use crate::input::Text;

/// Why one annotation makes the pod fail.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The step that refuses.
    pub stage: Stage,
    /// The runtime's own message.
    pub message: String,
    /// Whether the runtime crashes.
    pub panic: bool,
    /// What it means, for people.
    pub reason: Text,
    /// What would help.
    pub fix: Option<Fix>,
}

/// Lets one more name of an annotation in, and nothing else.
pub fn allow_name(table: impl Into<Cow<'static, str>>, name: &str) -> Fix {
    let list = ListId::new(table, "enable_annotations");
    Fix::Allow { list, pattern: format!("^{}$", regex::escape(name)) }
}

impl Refusal {
    /// One that nothing is known to help against.
    pub fn at(stage: Stage, message: impl Into<String>, reason: impl Into<Text>) -> Self {
        Self { stage, message: message.into(), panic: false, reason: reason.into(), fix: None }
    }

    /// The same where the runtime crashes.
    pub fn crash(self) -> Self {
        Self { panic: true, ..self }
    }

    /// What would help.
    pub fn mended_by(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }

    /// Another value would help.
    pub fn write(self, value: impl ToString) -> Self {
        self.mended_by(Fix::Value(value.to_string()))
    }

    /// A person would help.
    pub fn advise(self, what: impl Into<Cow<'static, str>>) -> Self {
        self.mended_by(Fix::Advice(what.into()))
    }
}
