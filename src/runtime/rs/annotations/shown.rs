//! A configured value where it stands, to be compared with another without a copy of it.
//!
//! Knows nothing of Kata.

use serde_json::Value as Json;

/// The value of one configuration key, in the file's unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown<'v> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// Text.
    Text(&'v str),
    /// A list of texts.
    List(&'v [String]),
    /// Anything else.
    Json(Json),
}

impl Shown<'_> {
    /// Whether the reports would print it as they print `json`.
    pub fn is(&self, json: &Json) -> bool {
        match (self, json) {
            (Self::Bool(own), Json::Bool(other)) => own == other,
            (Self::Number(own), Json::Number(other)) => other.as_u64() == Some(*own),
            (Self::Text(own), Json::String(other)) => own == other,
            (Self::List(own), Json::Array(other)) => own.iter().eq(other),
            (Self::Json(own), other) => own == other,
            _ => false,
        }
    }
}

impl From<Shown<'_>> for Json {
    fn from(shown: Shown<'_>) -> Self {
        match shown {
            Shown::Bool(own) => own.into(),
            Shown::Number(own) => own.into(),
            Shown::Text(own) => own.into(),
            Shown::List(own) => own.into(),
            Shown::Json(own) => own,
        }
    }
}

impl From<bool> for Shown<'_> {
    fn from(own: bool) -> Self {
        Self::Bool(own)
    }
}

impl From<u32> for Shown<'_> {
    fn from(own: u32) -> Self {
        Self::Number(own.into())
    }
}

impl From<u64> for Shown<'_> {
    fn from(own: u64) -> Self {
        Self::Number(own)
    }
}

impl From<usize> for Shown<'_> {
    fn from(own: usize) -> Self {
        Self::Number(own as u64)
    }
}

impl<'v> From<&'v str> for Shown<'v> {
    fn from(own: &'v str) -> Self {
        Self::Text(own)
    }
}

impl<'v> From<Option<&'v str>> for Shown<'v> {
    fn from(own: Option<&'v str>) -> Self {
        own.map_or(Self::Json(Json::Null), Self::Text)
    }
}

impl<'v> From<&'v Vec<String>> for Shown<'v> {
    fn from(own: &'v Vec<String>) -> Self {
        Self::List(own)
    }
}

impl From<Json> for Shown<'_> {
    fn from(own: Json) -> Self {
        Self::Json(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_is_what_it_is_printed_as_and_nothing_else() {
        let list = vec!["a".to_owned(), "b".to_owned()];
        let all = [
            Shown::from(true),
            Shown::from(7_u64),
            Shown::from("7"),
            Shown::from(None),
            Shown::from(&list),
            Shown::from(json!(1.5)),
        ];
        for shown in &all {
            for other in &all {
                let json = Json::from(other.clone());
                assert_eq!(shown.is(&json), shown == other, "{shown:?} and {json}");
            }
        }
        assert!(!Shown::from(&list).is(&json!(["a"])));
        assert!(!Shown::from(&list).is(&json!(["a", "c"])));
    }
}
