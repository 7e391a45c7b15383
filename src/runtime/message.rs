//! A message of the runtime itself, word for word. Decides nothing.

use std::borrow::Cow;
use std::ops::Deref;

/// What the runtime says where it stops, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuntimeMessage(pub String);

impl Deref for RuntimeMessage {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for RuntimeMessage {
    fn from(message: String) -> Self {
        Self(message)
    }
}

impl From<&str> for RuntimeMessage {
    fn from(message: &str) -> Self {
        Self(message.to_owned())
    }
}

impl From<RuntimeMessage> for String {
    fn from(message: RuntimeMessage) -> Self {
        message.0
    }
}

impl From<RuntimeMessage> for Cow<'_, str> {
    fn from(message: RuntimeMessage) -> Self {
        Cow::Owned(message.0)
    }
}

/// Fills the two places of a message.
pub(super) fn worded(wording: &str, first: &str, second: &str) -> String {
    match wording.split_once("{}") {
        Some((before, rest)) => format!("{before}{first}{}", rest.replacen("{}", second, 1)),
        None => wording.to_owned(),
    }
}
