//! JSON texts, with the place of every value.
//!
//! Decides what a JSON text says, as Go's encoding/json reads it: half a surrogate pair becomes U+FFFD,
//! repeated keys are kept. serde_json tells no places, hence this reader; it borrows from the text and
//! is what makes long streams of pods cheap.

use std::borrow::Cow;

use super::NESTING_LIMIT;
use super::node::{Data, Entry, Node};

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// Byte offset.
    pub at: usize,
    /// Go's words where it has some.
    pub message: String,
}

/// Reads one value that starts at or after byte `from`; gives it and the offset behind it.
pub fn read_value(text: &str, from: usize) -> Result<(Node<'_>, usize), JsonError> {
    let mut reader = Reader { text, at: from, depth: 0 };
    reader.blanks();
    let node = reader.value("looking for beginning of value")?;
    Ok((node, reader.at))
}

/// Reads the item of an array at `from`, and what ends it, `,` or `]`; gives it, whether more follow, and
/// the offset behind.
pub fn read_item(text: &str, from: usize) -> Result<(Node<'_>, bool, usize), JsonError> {
    let mut reader = Reader { text, at: from, depth: 1 };
    reader.blanks();
    let node = reader.value("looking for beginning of value")?;
    reader.blanks();
    match reader.peek() {
        Some(end @ (b',' | b']')) => Ok((node, end == b',', reader.at + 1)),
        _ => Err(reader.unexpected("after array element")),
    }
}

/// The offset of the first byte at or after `from` that is not JSON's white space.
pub fn skip_blanks(text: &str, from: usize) -> usize {
    let mut reader = Reader { text, at: from, depth: 0 };
    reader.blanks();
    reader.at
}

/// The members of the object that starts at `from` (blanks before it allowed), visited without
/// building what `visit` does not ask for.
pub struct Members<'a> {
    reader: Reader<'a>,
    state: MemberState,
}

#[derive(PartialEq)]
enum MemberState {
    Start,
    Between,
    Done,
}

impl<'a> Members<'a> {
    /// Starts on the object or array at `from`; `open` is its bracket.
    pub fn open(text: &'a str, from: usize, open: u8) -> Option<Self> {
        let mut reader = Reader { text, at: from, depth: 1 };
        reader.blanks();
        (reader.peek() == Some(open)).then(|| {
            reader.at += 1;
            Self { reader, state: MemberState::Start }
        })
    }

    /// Goes on behind a member of an object that began before `text`.
    pub fn resume(text: &'a str) -> Self {
        Self { reader: Reader { text, at: 0, depth: 1 }, state: MemberState::Between }
    }

    /// The offset behind what was read.
    pub fn position(&self) -> usize {
        self.reader.at
    }

    /// The offset of the next array element, or `None` at the end.
    pub fn next_element(&mut self) -> Result<Option<usize>, JsonError> {
        let more = self.advance(b']', "after array element")?;
        Ok(more.then_some(self.reader.at))
    }

    /// The next key with its offset; the value follows at `position`.
    pub fn next_key(&mut self) -> Result<Option<(Cow<'a, str>, usize)>, JsonError> {
        if !self.advance(b'}', "after object key:value pair")? {
            return Ok(None);
        }
        let at = self.reader.at;
        let key = self.reader.key()?;
        self.reader.blanks();
        Ok(Some((key, at)))
    }

    /// Reads the value at the position.
    pub fn value(&mut self) -> Result<Node<'a>, JsonError> {
        self.reader.blanks();
        self.reader.value("looking for beginning of value")
    }

    /// Passes over the value at the position.
    pub fn skip(&mut self) -> Result<(), JsonError> {
        self.reader.blanks();
        self.reader.skip()
    }

    fn advance(&mut self, close: u8, context: &str) -> Result<bool, JsonError> {
        self.reader.blanks();
        match (self.reader.peek(), &self.state) {
            (Some(b), MemberState::Start | MemberState::Between) if b == close => {
                self.reader.at += 1;
                self.state = MemberState::Done;
                Ok(false)
            }
            (_, MemberState::Done) => Ok(false),
            (_, MemberState::Start) => {
                self.state = MemberState::Between;
                Ok(true)
            }
            (Some(b','), MemberState::Between) => {
                self.reader.at += 1;
                self.reader.blanks();
                Ok(true)
            }
            _ => Err(self.reader.unexpected(context)),
        }
    }
}

/// How many bytes of a string follow that stand for themselves. Most of a pod's bytes are inside strings.
fn plain_text(bytes: &[u8]) -> usize {
    let end = to_quote(bytes);
    let text = bytes.get(..end).unwrap_or_default();
    // Without a branch for each byte; what is found is rare.
    if text.iter().fold(false, |any, b| any | (*b < 0x20)) {
        return text.iter().position(|b| *b < 0x20).unwrap_or(end);
    }
    end
}

/// How many bytes of a string follow before its end or an escape, whatever they are.
pub(super) fn to_quote(bytes: &[u8]) -> usize {
    memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error(&self, message: impl Into<String>) -> JsonError {
        JsonError { at: self.at, message: message.into() }
    }

    fn unexpected(&self, context: &str) -> JsonError {
        match self.text.get(self.at..).and_then(|t| t.chars().next()) {
            None => self.error("unexpected end of JSON input"),
            Some('\'') => self.error(format!("invalid character '\\'' {context}")),
            Some('"') => self.error(format!("invalid character '\"' {context}")),
            Some(c) => self.error(format!("invalid character '{}' {context}", c.escape_default())),
        }
    }

    fn nest(&mut self) -> Result<(), JsonError> {
        self.depth += 1;
        if self.depth > NESTING_LIMIT {
            return Err(self.error(format!("nested deeper than {NESTING_LIMIT} levels")));
        }
        Ok(())
    }

    fn value(&mut self, context: &str) -> Result<Node<'a>, JsonError> {
        let at = self.at;
        let data = match self.peek() {
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'"') => Data::String(self.string()?),
            Some(b't') => self.word("true", Data::Bool(true))?,
            Some(b'f') => self.word("false", Data::Bool(false))?,
            Some(b'n') => self.word("null", Data::Null)?,
            Some(b'-' | b'0'..=b'9') => Data::Number(Cow::Borrowed(self.number()?)),
            _ => return Err(self.unexpected(context)),
        };
        Ok(Node { at, data })
    }

    fn object(&mut self) -> Result<Data<'a>, JsonError> {
        self.nest()?;
        self.at += 1;
        let mut entries = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.depth -= 1;
            return Ok(Data::Map(entries));
        }
        loop {
            self.blanks();
            let at = self.at;
            let key = self.key()?;
            self.blanks();
            let value = self.value("looking for beginning of value")?;
            entries.push(Entry { key, at, value });
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Data::Map(entries))
    }

    fn key(&mut self) -> Result<Cow<'a, str>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        let key = self.string()?;
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(key)
    }

    fn array(&mut self) -> Result<Data<'a>, JsonError> {
        self.nest()?;
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            self.depth -= 1;
            return Ok(Data::List(items));
        }
        loop {
            self.blanks();
            items.push(self.value("looking for beginning of value")?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected("after array element")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Data::List(items))
    }

    fn word(&mut self, word: &str, data: Data<'a>) -> Result<Data<'a>, JsonError> {
        for (index, expected) in word.bytes().enumerate() {
            if self.peek() != Some(expected) {
                let wanted = char::from(expected);
                let context = format!("in literal {word} (expecting '{wanted}')");
                let context = if index == 0 { "looking for beginning of value".to_owned() } else { context };
                return Err(self.unexpected(&context));
            }
            self.at += 1;
        }
        Ok(data)
    }

    fn digits(&mut self, context: &str) -> Result<(), JsonError> {
        let count = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.unexpected(context)) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let start = self.at;
        self.at += plain_text(self.rest());
        if self.peek() == Some(b'"') {
            let text = self.text.get(start..self.at).unwrap_or_default();
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        let mut text = self.text.get(start..self.at).unwrap_or_default().to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(0..0x20) | None => return Err(self.unexpected("in string literal")),
                Some(_) => {
                    let from = self.at;
                    self.at += plain_text(self.rest());
                    text.push_str(self.text.get(from..self.at).unwrap_or_default());
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let c = match self.peek() {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let digit = digit.ok_or_else(|| self.unexpected("in \\u hexadecimal character escape"))?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Passes over a value with no more than its brackets and strings looked at; what is wrong inside
    /// is found when the value is read.
    fn skip(&mut self) -> Result<(), JsonError> {
        let mut open = 0usize;
        loop {
            match self.peek() {
                None => return Err(self.error("unexpected end of JSON input")),
                Some(b'"') => {
                    self.at += 1;
                    loop {
                        self.at += to_quote(self.rest());
                        match self.peek() {
                            Some(b'\\') => self.at = (self.at + 2).min(self.text.len()),
                            Some(_) => break,
                            None => return Err(self.error("unexpected end of JSON input")),
                        }
                    }
                    self.at += 1;
                }
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                    continue;
                }
                Some(b'}' | b']') if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                Some(b',' | b'}' | b']') if open == 0 => {
                    return Err(self.unexpected("looking for beginning of value"));
                }
                Some(_) if open > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {
                    let end = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                    self.at += self.rest().iter().take_while(|b| !end(b)).count();
                }
            }
            if open == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_strings_are_found_wherever_they_are() {
        for end in *b"\"\\\x1f\n\0" {
            for before in 0..100 {
                for fill in *b"x !#\x7f\x80\xff" {
                    let mut bytes = vec![fill; before];
                    bytes.extend([end, b'"', end, b'x', b'y', b'z', 0, 0, 0]);
                    assert_eq!(plain_text(&bytes), before, "{end} {fill}");
                    let quote = if matches!(end, b'"' | b'\\') { before } else { before + 1 };
                    assert_eq!(to_quote(&bytes), quote, "{end} {fill}");
                }
            }
        }
        assert_eq!((plain_text(&[b'x'; 99]), to_quote(&[b'x'; 7]), to_quote(b"")), (99, 7, 0));
    }

    #[test]
    fn values_keep_their_places_and_repeats() {
        let (node, end) = read_value(" {\"a\": [1, \"\\u00e9\\ud800x\"], \"a\": null} {}", 0).unwrap();
        assert_eq!(end, 39);
        let [first, second] = node.entries() else { panic!("{node:?}") };
        assert_eq!((first.at, first.value.at, second.at), (2, 7, 29));
        assert_eq!(first.value.items()[1].str(), Some("é\u{fffd}x"));
    }

    #[test]
    fn faults_are_told_in_the_words_of_go() {
        let message = |text| read_value(text, 0).unwrap_err();
        assert_eq!(
            message("{\"a\": \"4\" /* c */}").message,
            "invalid character '/' after object key:value pair"
        );
        assert_eq!(
            message("{\"a\": \"4\",}").message,
            "invalid character '}' looking for beginning of object key string"
        );
        assert_eq!(message("{\"a\"").message, "unexpected end of JSON input");
        assert_eq!(message("tru").message, "unexpected end of JSON input");
        assert_eq!(message("trx").message, "invalid character 'x' in literal true (expecting 'u')");
    }
}
