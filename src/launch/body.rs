//! The body of a request or a file, field by field, each with what decided it.
//!
//! Decides nothing. A field keeps its place: runtime-rs writes in the order of its structs, the Go runtime's clients
//! in that of the alphabet. What decided a field is kept where the field is left out, too: a comparison then says why
//! it is not there.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::answer::launch::{Cause, LaunchFile, Request};

/// An object that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    fields: Map<String, Json>,
    causes: Vec<(String, Cause)>,
}

impl Body {
    /// A field that is the same for every pod.
    pub(super) fn set(mut self, name: &str, value: impl Serialize) -> Self {
        self.fields.insert(name.to_owned(), json!(value));
        self
    }

    /// A field that is there in some releases.
    pub(super) fn set_if(self, there: bool, name: &str, value: impl Serialize) -> Self {
        if there { self.set(name, value) } else { self }
    }

    /// Fields with nothing in them.
    pub(super) fn nulls(self, names: &[&str]) -> Self {
        names.iter().fold(self, |body, name| body.set(name, Json::Null))
    }

    /// A field with what decided it.
    pub(super) fn by(self, name: &str, value: impl Serialize, cause: impl Into<Cause>) -> Self {
        self.because(name, cause).set(name, value)
    }

    /// A field that is not always there.
    pub(super) fn by_if(
        self,
        there: bool,
        name: &str,
        value: impl Serialize,
        cause: impl Into<Cause>,
    ) -> Self {
        self.because(name, cause).set_if(there, name, value)
    }

    /// An object within, with the causes of its fields.
    pub(super) fn part(self, name: &str, part: Self) -> Self {
        self.part_if(true, name, part)
    }

    /// An object within that is not always there.
    pub(super) fn part_if(mut self, there: bool, name: &str, part: Self) -> Self {
        self.causes.extend(part.below(name));
        self.set_if(there, name, part.fields)
    }

    /// Objects within.
    pub(super) fn parts(mut self, name: &str, parts: Vec<Self>) -> Self {
        for (number, part) in parts.iter().enumerate() {
            self.causes.extend(part.below(&format!("{name}/{number}")));
        }
        self.fields.insert(name.to_owned(), parts.into_iter().map(|part| Json::from(part.fields)).collect());
        self
    }

    /// Objects within, where there are any.
    pub(super) fn parts_if_any(self, name: &str, parts: Vec<Self>) -> Self {
        if parts.is_empty() { self } else { self.parts(name, parts) }
    }

    /// What decided a field, or what is deeper within it.
    pub(super) fn because(mut self, field: &str, cause: impl Into<Cause>) -> Self {
        self.causes.push((format!("/{field}"), cause.into()));
        self
    }

    /// What decided all fields that nothing else is said of.
    pub(super) fn all_by(mut self, cause: impl Into<Cause>) -> Self {
        self.causes.push((String::new(), cause.into()));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The causes, as those of a part.
    fn below<'b>(&'b self, name: &'b str) -> impl Iterator<Item = (String, Cause)> + 'b {
        self.causes.iter().map(move |(at, cause)| (format!("/{name}{at}"), cause.clone()))
    }

    /// The request that it is the body of.
    pub(super) fn request(self, method: &str, path: impl Into<String>) -> Request {
        Request {
            method: method.to_owned(),
            path: path.into(),
            body: self.fields.into(),
            causes: self.causes,
        }
    }

    /// The file that it is the content of.
    pub(super) fn file(self, path: String) -> LaunchFile {
        LaunchFile { path, body: self.fields.into(), causes: self.causes }
    }
}

/// A request without a body.
pub(super) fn bare_request(method: &str, path: &str) -> Request {
    Request { method: method.to_owned(), path: path.to_owned(), body: Json::Null, causes: Vec::new() }
}
