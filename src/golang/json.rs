//! A list of strings out of JSON, with the words of Go's encoding/json.
//!
//! Decides what `json.Unmarshal` into a `[]string` accepts. As in Go the whole text is checked before
//! anything is taken from it, and the first value of a wrong type is the one complained about. Facts:
//! encoding/json's scanner.go and decode.go.

use super::LibraryError;
use super::strconv::quote;

/// Reads a JSON array of strings (`null` is the empty list, and the empty string inside one).
pub fn string_list(text: &str) -> Result<Vec<String>, LibraryError> {
    read_list(text).map_err(LibraryError)
}

fn read_list(text: &str) -> Result<Vec<String>, String> {
    let mut scanner = Scanner { bytes: text.as_bytes(), pos: 0, depth: 0 };
    scanner.blanks();
    let value = scanner.value()?;
    scanner.blanks();
    if let Some(byte) = scanner.peek() {
        return Err(Scanner::unexpected(byte, "after top-level value"));
    }
    let wrong =
        |found: &str, wanted: &str| format!("json: cannot unmarshal {found} into Go value of type {wanted}");
    let items = match value {
        Value::Array(items) => items,
        Value::Null => return Ok(Vec::new()),
        other => return Err(wrong(other.kind(), "[]string")),
    };
    items
        .into_iter()
        .map(|item| match item {
            Value::String(text) => Ok(text),
            Value::Null => Ok(String::new()),
            other => Err(wrong(other.kind(), "string")),
        })
        .collect()
}

enum Value {
    Null,
    Bool,
    Number,
    String(String),
    Array(Vec<Value>),
    Object,
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object => "object",
        }
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
    depth: usize,
}

type Read<T> = Result<T, String>;

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn next(&mut self) -> Read<u8> {
        let byte = self.peek().ok_or("unexpected end of JSON input")?;
        self.pos += 1;
        Ok(byte)
    }

    /// Inside a word, number or escape, the end of the text counts as a blank.
    fn next_or_blank(&mut self) -> u8 {
        let byte = self.peek().unwrap_or(b' ');
        self.pos += 1;
        byte
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.pos += 1;
        }
    }

    fn unexpected(byte: u8, context: &str) -> String {
        // A byte above ASCII is named as the character of that number.
        let name = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            _ => {
                let quoted = quote(&char::from(byte).to_string());
                format!("'{}'", quoted.get(1..quoted.len() - 1).unwrap_or_default())
            }
        };
        format!("invalid character {name} {context}")
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.depth += 1;
        // Go stops at 10000; the stack here is smaller.
        if self.depth > 500 {
            return Err("exceeded max depth".into());
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn value(&mut self) -> Read<Value> {
        match self.next()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(Value::String),
            b't' => self.literal("true").map(|()| Value::Bool),
            b'f' => self.literal("false").map(|()| Value::Bool),
            b'n' => self.literal("null").map(|()| Value::Null),
            byte @ (b'-' | b'0'..=b'9') => self.number(byte).map(|()| Value::Number),
            byte => Err(Self::unexpected(byte, "looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str) -> Read<()> {
        for expected in word.bytes().skip(1) {
            let byte = self.next_or_blank();
            if byte != expected {
                let context = format!("in literal {word} (expecting '{}')", char::from(expected));
                return Err(Self::unexpected(byte, &context));
            }
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
    }

    fn digit(&mut self, context: &str) -> Read<()> {
        let byte = self.next_or_blank();
        if !byte.is_ascii_digit() {
            return Err(Self::unexpected(byte, context));
        }
        self.digits();
        Ok(())
    }

    fn number(&mut self, first: u8) -> Read<()> {
        let lead = if first == b'-' { self.next_or_blank() } else { first };
        match lead {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            byte => return Err(Self::unexpected(byte, "in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.digit("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.pos += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.pos += 1;
            }
            self.digit("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn string(&mut self) -> Read<String> {
        let mut units: Vec<u8> = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Ok(String::from_utf8_lossy(&units).into_owned()),
                b'\\' => {
                    let c = self.escape()?;
                    units.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                byte if byte < 0x20 => return Err(Self::unexpected(byte, "in string literal")),
                byte => units.push(byte),
            }
        }
    }

    fn hex(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.next_or_blank();
            let digit = char::from(byte).to_digit(16);
            let context = "in \\u hexadecimal character escape";
            code = code * 16 + digit.ok_or_else(|| Self::unexpected(byte, context))?;
        }
        Ok(code)
    }

    fn escape(&mut self) -> Read<char> {
        Ok(match self.next_or_blank() {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => {
                let code = self.hex()?;
                if !(0xd800..0xdc00).contains(&code) {
                    return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
                }
                // The second half of a pair, where it follows; a lone half is replaced.
                let before = self.pos;
                if self.bytes.get(self.pos..self.pos + 2) == Some(b"\\u") {
                    self.pos += 2;
                    let low = self.hex()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                }
                self.pos = before;
                '\u{fffd}'
            }
            byte => return Err(Self::unexpected(byte, "in string escape code")),
        })
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.pos += 1;
            return Ok(Value::Array(items));
        }
        loop {
            self.blanks();
            items.push(self.value()?);
            self.blanks();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Value::Array(items)),
                byte => return Err(Self::unexpected(byte, "after array element")),
            }
        }
    }

    fn object(&mut self) -> Read<Value> {
        self.blanks();
        if self.peek() == Some(b'}') {
            self.pos += 1;
            return Ok(Value::Object);
        }
        loop {
            self.blanks();
            match self.next()? {
                b'"' => self.string()?,
                byte => return Err(Self::unexpected(byte, "looking for beginning of object key string")),
            };
            self.blanks();
            match self.next()? {
                b':' => {}
                byte => return Err(Self::unexpected(byte, "after object key")),
            }
            self.blanks();
            self.value()?;
            self.blanks();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Value::Object),
                byte => return Err(Self::unexpected(byte, "after object key:value pair")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::string_list;

    #[test]
    fn lists_of_strings_and_gos_complaints() {
        assert_eq!(string_list(r#" ["a", "\u00e9\ud83d\ude00", null] "#).unwrap(), ["a", "é😀", ""]);
        assert!(string_list("null").unwrap().is_empty());
        for (text, message) in [
            ("", "unexpected end of JSON input"),
            ("not", "invalid character 'o' in literal null (expecting 'u')"),
            ("[1]", "json: cannot unmarshal number into Go value of type string"),
            ("true", "json: cannot unmarshal bool into Go value of type []string"),
            ("[\"a\" \"b\"]", "invalid character '\"' after array element"),
            ("[\"a\",]", "invalid character ']' looking for beginning of value"),
            ("[\"\\x\"]", "invalid character 'x' in string escape code"),
            ("[1.]", "invalid character ']' after decimal point in numeric literal"),
            ("[tru", "invalid character ' ' in literal true (expecting 'e')"),
            ("[\"\\", "invalid character ' ' in string escape code"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
        ] {
            assert_eq!(string_list(text).unwrap_err().0, message, "{text}");
        }
    }
}
