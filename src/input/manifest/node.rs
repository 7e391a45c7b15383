//! A document as a tree in which everything knows where it stands.
//!
//! YAML and JSON both end here, after the conversions that the Kubernetes clients make, so that what
//! follows need not know which of the two was written. Judges nothing.

use std::borrow::Cow;

/// A value with the byte offset at which it starts, counted from the start of its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// Byte offset in the document.
    pub at: usize,
    /// The value.
    pub data: Data<'a>,
}

/// What a value is in JSON's terms.
#[derive(Debug, Clone, PartialEq)]
pub enum Data<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, in the spelling that the JSON text has (or that Go would write).
    Number(Cow<'a, str>),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object, in the order of the text. Keys repeat where a JSON text repeats them.
    Map(Vec<Entry<'a>>),
}

/// One key of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// Where the key starts.
    pub at: usize,
    /// Its value.
    pub value: Node<'a>,
}

/// JSON's word for what a value is, as Go's decoder says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shape {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Shape {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl<'a> Node<'a> {
    /// What it is.
    pub fn shape(&self) -> Shape {
        match self.data {
            Data::Null => Shape::Null,
            Data::Bool(_) => Shape::Bool,
            Data::Number(_) => Shape::Number,
            Data::String(_) => Shape::String,
            Data::List(_) => Shape::Array,
            Data::Map(_) => Shape::Object,
        }
    }

    /// The last entry named `key`, where this is an object.
    pub fn entry(&self, key: &str) -> Option<&Entry<'a>> {
        self.entries().iter().rev().find(|e| e.key == key)
    }

    /// The value of `key`, nulls left out.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entry(key).map(|e| &e.value).filter(|v| !matches!(v.data, Data::Null))
    }

    /// The value at the end of a path of keys.
    pub fn path(&self, path: &[&str]) -> Option<&Node<'a>> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text of a string.
    pub fn str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of the string at `key`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::str)
    }

    /// The entries of an object; none for anything else.
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of an array; none for anything else.
    pub fn items(&self) -> &[Node<'a>] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The number as a signed integer.
    pub fn integer(&self) -> Option<i64> {
        match &self.data {
            Data::Number(text) => text.parse().ok(),
            _ => None,
        }
    }
}
