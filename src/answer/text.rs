//! Text that nobody changes any more: a constant, or one copy that all who tell it share.
//!
//! A pod's keys and values go through many hands, and so do the words of a rule: a clone copies nothing.

use std::borrow::{Borrow, Cow};
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that is cheap to clone.
#[derive(Clone)]
pub struct Text(Held);

#[derive(Clone)]
enum Held {
    Constant(&'static str),
    Shared(Arc<str>),
}

/// Reads a value, blanks around it aside. Mostly there are none, and looking for them takes longer than
/// reading.
pub fn parse_trimmed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().or_else(|_| text.trim().parse()).ok()
}

/// A draft that grew longer than this is not kept.
const DRAFT_LIMIT: usize = 1 << 12;

impl Text {
    /// A constant.
    pub const fn constant(text: &'static str) -> Self {
        Self(Held::Constant(text))
    }

    /// A copy of `text`.
    pub fn copy(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(Held::Shared(text.into())) }
    }

    /// A text that is put together, in one allocation: most texts of a verdict are.
    pub fn written(parts: fmt::Arguments<'_>) -> Self {
        if let Some(constant) = parts.as_str() {
            return Self::constant(constant);
        }
        Self::scribbled(|draft| {
            let _ = draft.write_fmt(parts);
        })
    }

    /// Texts joined, without anything between them.
    pub fn joined(parts: &[&str]) -> Self {
        Self::scribbled(|draft| parts.iter().for_each(|part| draft.push_str(part)))
    }

    /// What `write` writes.
    fn scribbled(write: impl FnOnce(&mut String)) -> Self {
        thread_local! {
            // Taken while in use, so that a `Display` that itself makes a text finds another.
            static DRAFT: Cell<String> = const { Cell::new(String::new()) };
        }
        let mut draft = DRAFT.take();
        draft.clear();
        write(&mut draft);
        let text = Self::copy(&draft);
        if draft.capacity() <= DRAFT_LIMIT {
            DRAFT.set(draft);
        }
        text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Held::Constant(text) => text,
            Held::Shared(text) => text,
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::constant("")
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::constant(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::copy(&text)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(Held::Shared(text))
    }
}

impl From<Cow<'static, str>> for Text {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::constant(text),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        // Mostly the two are one copy.
        std::ptr::eq(self.as_str(), other) || self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, other) = (self.as_bytes(), other.as_bytes());
        // Keys differ in their first bytes or begin much alike: the former is told by two words.
        if let (Some(own), Some(other)) = (own.first_chunk::<8>(), other.first_chunk::<8>())
            && own != other
        {
            return u64::from_be_bytes(*own).cmp(&u64::from_be_bytes(*other));
        }
        own.cmp(other)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_within_a_text_has_a_draft_of_its_own() {
        struct Inner;
        impl fmt::Display for Inner {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&Text::written(format_args!("<{}>", 1 + 1)))
            }
        }
        assert_eq!(Text::written(format_args!("a{}b{Inner}c", 7)), "a7b<2>c");
        assert_eq!(Text::joined(&["a", "", "b"]), "ab");
        assert_eq!(Text::written(format_args!("{}", "")), "");
    }
}
