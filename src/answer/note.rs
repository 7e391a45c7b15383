//! What a step on an annotation's way looked at.
//!
//! Holds values as they are: most notes of most pods are read by nobody, and putting a number into words
//! takes longer than the step itself. Decides only the words. Facts: none of its own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Text;

/// The most characters of a value that a sentence shows.
const SHOWN: usize = 60;

/// A value as a sentence shows it.
pub fn shown(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() => return "nothing".to_owned(),
        Json::Array(items) if items.is_empty() => return "nothing".to_owned(),
        _ => {}
    }
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A note, in words once it is read.
#[derive(Clone)]
pub enum Note {
    /// In its own words.
    Said(Text),
    /// A number between two texts.
    Counted(&'static [&'static str; 2], u64),
    /// The same of a number that may have a fraction.
    Measured(&'static [&'static str; 2], f32),
    /// The value in the end, as JSON.
    Value(Arc<Json>),
    /// The value in the end, as a sentence shows it.
    Shown(Arc<Json>),
}

impl Note {
    /// The words.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Said(text) => Cow::Borrowed(text),
            Self::Counted([before, after], number) => format!("{before}{number}{after}").into(),
            Self::Measured([before, after], number) => format!("{before}{number}{after}").into(),
            Self::Value(value) => value.to_string().into(),
            Self::Shown(value) => shown(value).into(),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text(), f)
    }
}

/// Notes are the same that say the same.
impl PartialEq for Note {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Note {}

impl<T: Into<Text>> From<T> for Note {
    fn from(text: T) -> Self {
        Self::Said(text.into())
    }
}
