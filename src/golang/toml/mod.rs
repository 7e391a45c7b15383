//! Go's TOML reader: the same documents accepted, the same words when one is not.
//!
//! Decides what a text means and where each key of it stands. The grammar and the messages are those of
//! github.com/BurntSushi/toml in the version that a program is built with (`Dialect`);
//! its oddities (what may redefine what, which line a message names) are kept.

mod cursor;
mod dates;
mod decode;
mod dialect;
mod document;
pub mod early;
mod scalars;

use std::collections::HashMap;
use std::fmt;

use indexmap::IndexMap;

pub use decode::{Decode, Decoder, same_name, table_of};
pub use dialect::Dialect;
pub use document::parse;

/// A value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Nothing in Kata's files wants one; that it was valid is all that is kept.
    Datetime,
    Array(Vec<Value>),
    Table(Table),
    /// `[[name]]`
    Tables(Vec<Table>),
}

/// A table in the order of the file.
pub type Table = IndexMap<String, Value>;

impl Value {
    /// The Go type that the reader holds such a value in, as its messages name it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Integer(_) => "int64",
            Self::Float(_) => "float64",
            Self::Boolean(_) => "bool",
            Self::Datetime => "time.Time",
            Self::Array(_) => "[]any",
            Self::Table(_) => "map[string]any",
            Self::Tables(_) => "[]map[string]any",
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spot {
    /// The line as messages count it (it can be one too small: see `cursor`).
    pub line: i64,
    /// Byte offset in the text.
    pub offset: usize,
}

/// A dotted key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key(pub Vec<String>);

impl Key {
    /// The key with one more piece.
    pub fn with(&self, piece: &str) -> Self {
        let mut pieces = self.0.clone();
        pieces.push(piece.to_owned());
        Self(pieces)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for (i, piece) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_char('.')?;
            }
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !piece.is_empty() && piece.chars().all(bare) {
                f.write_str(piece)?;
            } else {
                f.write_char('"')?;
                for c in piece.chars() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\u{8}' => f.write_str("\\b")?,
                        '\t' => f.write_str("\\t")?,
                        '\n' => f.write_str("\\n")?,
                        '\u{c}' => f.write_str("\\f")?,
                        '\r' => f.write_str("\\r")?,
                        '\0'..='\x1f' | '\x7f' => write!(f, "\\u{:04x}", u32::from(c))?,
                        _ => f.write_char(c)?,
                    }
                }
                f.write_char('"')?;
            }
        }
        Ok(())
    }
}

/// A document that was read.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The top-level table.
    pub root: Table,
    /// Every key that the text writes, tables included, in order, with its place.
    pub keys: Vec<(Key, Spot)>,
    /// Where the value of each key stands, by the key's text.
    pub values: HashMap<String, Spot>,
}

/// Why a text was not read, or did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The whole message.
    pub message: String,
    /// Where.
    pub spot: Option<Spot>,
    /// Whether the reader crashes instead of complaining.
    pub panic: bool,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A complaint of the reader before it knows in which key it is.
#[derive(Debug)]
struct Fault {
    message: String,
    spot: Spot,
}
