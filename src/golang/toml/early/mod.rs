//! The TOML reader of the Go runtime before 3.0: the same documents accepted, the same words when one is not.
//!
//! Decides what a text means and where each key of it stands; knows nothing of Kata. The grammar and the
//! messages are those of github.com/BurntSushi/toml 0.3.1, which has no dotted keys, wants arrays of one
//! type, and crashes on a comment inside an inline table.

mod document;
mod scalar;
pub(super) mod tree;
mod values;

use indexmap::IndexMap;

pub use document::parse;

/// A value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    String(String),
    Integer(i64),
    /// No key of Kata wants one: that it was valid is all that is kept.
    Float,
    Boolean(bool),
    /// Likewise.
    Datetime,
    Array(Vec<Value>),
    Table(Table),
    /// `[[name]]`
    Tables(Vec<Table>),
}

impl Value {
    /// The type in the words of TOML, as the complaint about mixed arrays names it.
    fn toml_type(&self) -> &'static str {
        match self {
            Self::String(_) => "String",
            Self::Integer(_) => "Integer",
            Self::Float => "Float",
            Self::Boolean(_) => "Bool",
            Self::Datetime => "Datetime",
            Self::Array(_) => "Array",
            Self::Table(_) => "Hash",
            Self::Tables(_) => "ArrayHash",
        }
    }
}

/// A value with the place of its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Byte offset of the key.
    pub offset: usize,
}

/// A table in the order of the file.
pub type Table = IndexMap<String, Entry>;

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The reader's own words.
    pub message: String,
    /// Byte offset of what was read last.
    pub offset: usize,
    /// Whether the reader crashes instead of complaining.
    pub panic: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).map_or_else(|e| e.message, |_| "accepted".to_owned())
    }

    #[test]
    fn complaints_are_in_the_readers_words() {
        assert_eq!(
            error("[a.b]\nc = 1\n[a.b]\n"),
            "Near line 3 (last key parsed 'a'): Key 'a.b' has already been defined."
        );
        assert_eq!(
            error("x = \ny = 2"),
            "Near line 1 (last key parsed 'x'): expected value but found '\\n' instead"
        );
        assert_eq!(error("a.b = 1"), "Near line 0 (last key parsed ''): bare keys cannot contain '.'");
        assert_eq!(
            error("x = [1, \"a\"]"),
            "Near line 1 (last key parsed 'x'): Array contains values of type 'Integer' and 'String', but \
             arrays must be homogeneous."
        );
        assert_eq!(
            error("x = 1_"),
            "Near line 1 (last key parsed 'x'): Invalid integer \"1_\": underscores must be surrounded by \
             digits"
        );
        assert_eq!(
            error("x = 99999999999999999999"),
            "Near line 1 (last key parsed 'x'): Integer '99999999999999999999' is out of the range of 64-bit \
             signed integers."
        );
        assert_eq!(
            error("x = 1 2"),
            "Near line 1 (last key parsed ''): expected a top-level item to end \
             with a newline, comment, or EOF, but got '2' instead"
        );
        assert_eq!(
            error("x = yes"),
            "Near line 1 (last key parsed 'x'): expected value but found \"yes\" instead"
        );
        assert_eq!(
            error("[a]]"),
            "Near line 1 (last key parsed 'a'): expected a top-level item to end with a \
             newline, comment, or EOF, but got ']' instead"
        );
    }

    #[test]
    fn a_comment_in_an_inline_table_is_a_crash() {
        assert!(parse("x = { a = 1, # no\n }").is_err_and(|e| e.panic));
    }

    #[test]
    fn nesting_has_an_end() {
        for text in [
            format!("x = {}", "[".repeat(100_000)),
            format!("x = {}1", "{a=".repeat(100_000)),
            format!("[a{}]", ".a".repeat(100_000)),
        ] {
            assert!(error(&text).ends_with("nested too deeply"), "{}", error(&text));
        }
        assert!(parse(&format!("x = {}{}", "[".repeat(200), "]".repeat(200))).is_ok());
    }

    #[test]
    fn what_is_taken() {
        let text = "\r\n# c\n[a]\nb = \"x\\u00e9\\n\" # c\nc = '''\nl'''\nd = [ 1, # c\n 2, ]\n[a.t]\n[[l]]\n[[l]]\n";
        let table = parse(text).map_err(|e| e.message);
        let Ok(table) = table else { panic!("{table:?}") };
        let Some(Value::Table(a)) = table.get("a").map(|e| &e.value) else { panic!("{table:?}") };
        assert_eq!(a.get("b").map(|e| &e.value), Some(&Value::String("xé\n".into())));
        assert_eq!(a.get("c").map(|e| &e.value), Some(&Value::String("l".into())));
        assert_eq!(
            a.get("d").map(|e| &e.value),
            Some(&Value::Array(vec![Value::Integer(1), Value::Integer(2)]))
        );
        assert!(matches!(table.get("l").map(|e| &e.value), Some(Value::Tables(all)) if all.len() == 2));
        assert_eq!(parse("[a.b]\n[a]\n").map(|t| t.len()), Ok(1));
        assert_eq!(parse("x = 1979-05-27T07:32:00Z").map(|t| t.len()), Ok(1));
        assert!(parse("x = 1979-13-27").is_err());
    }

    #[test]
    fn any_text_has_an_answer() {
        let text = "# c\n[a.b]\nc = \"x\\u00e9\" # c\nd = [ 1, # c\n 2 ]\n[[l]]\ne = { f = 'g', h = 1.5e3 }\n\
                    i = \"\"\"j\\\n k\"\"\"\nl = 1979-05-27\n\"m n\" = -1_0\n";
        assert!(parse(text).is_ok(), "{:?}", parse(text));
        let pieces =
            ["", "\0", "\"", "'", "\\", "[", "]", "{", "}", "=", ".", ",", "#", "\n", "_", "é", "\"\"\""];
        for (at, _) in text.char_indices() {
            for piece in pieces {
                let (before, after) = text.split_at(at);
                let mut rest = after.chars();
                rest.next();
                for changed in [format!("{before}{piece}"), format!("{before}{piece}{}", rest.as_str())] {
                    if let Err(error) = parse(&changed) {
                        assert!(
                            error.panic || error.message.starts_with("Near line "),
                            "{changed:?}: {error:?}"
                        );
                    }
                }
            }
        }
    }
}
