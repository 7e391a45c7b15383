//! Keys, tables and arrays: from characters to a tree.
//!
//! What may be defined twice: `define`; what a value is: `scalars`. Facts: lex.go and parse.go of
//! github.com/BurntSushi/toml 1.2.0 to 1.6.0.

mod define;

use self::define::Definitions;
use super::cursor::{Cursor, END, is_blank, is_newline};
use super::{Dialect, Document, Error, Fault, Key, Spot, Table, Value, early, scalars};
use crate::golang::strconv::{quote, quote_char};

type Read<T> = Result<T, Fault>;

/// Deeper nesting than anybody writes; kept from exhausting the stack.
const DEPTH_LIMIT: usize = 256;

/// Reads a text.
pub fn parse(text: &[u8], dialect: Dialect) -> Result<Document, Error> {
    if dialect == Dialect::V0_3 {
        return early::tree::document(&String::from_utf8_lossy(text));
    }
    let skip = match text {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => 2,
        [0xef, 0xbb, 0xbf, ..] if dialect >= Dialect::V1_3 => 3,
        _ => 0,
    };
    let text = text.get(skip..).unwrap_or_default();
    if let Some(at) = text.iter().take(6).position(|b| *b == 0) {
        let message = "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; \
                       TOML files must be UTF-8";
        let spot = Some(Spot { line: 1, offset: at + skip });
        return Err(Error { message: message.into(), spot, panic: false });
    }
    let mut reader = Reader::new(text, dialect);
    let outcome = reader.document();
    let shift = |spot: Spot| Spot { offset: spot.offset + skip, ..spot };
    match outcome {
        Ok(()) => Ok(Document {
            root: reader.definitions.root,
            keys: reader.keys.into_iter().map(|(key, spot)| (key, shift(spot))).collect(),
            values: reader.definitions.info.into_iter().map(|(key, info)| (key, shift(info.spot))).collect(),
        }),
        Err(Fault { message, spot }) => {
            let last = reader.last_key();
            let message = if last.is_empty() {
                format!("toml: line {}: {message}", spot.line)
            } else {
                format!("toml: line {} (last key {}): {message}", spot.line, quote(&last))
            };
            Err(Error { message, spot: Some(shift(spot)), panic: false })
        }
    }
}

/// The rest of `inf` or `nan`, after its first letter.
fn float_word(cursor: &mut Cursor<'_>) -> Read<bool> {
    Ok((cursor.accept('n')? && cursor.accept('f')?) || (cursor.accept('a')? && cursor.accept('n')?))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    definitions: Definitions,
    /// The key whose value is being read.
    current: String,
    keys: Vec<(Key, Spot)>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], dialect: Dialect) -> Self {
        Self {
            cursor: Cursor::new(text, dialect),
            definitions: Definitions::new(dialect),
            current: String::new(),
            keys: Vec::new(),
            depth: 0,
        }
    }

    /// What messages call the last key.
    fn last_key(&self) -> String {
        let context = Key(self.definitions.context.clone()).to_string();
        match (self.current.is_empty(), context.is_empty()) {
            (true, _) => context,
            (false, true) => self.current.clone(),
            (false, false) => format!("{context}.{}", self.current),
        }
    }

    fn document(&mut self) -> Read<()> {
        loop {
            let c = self.cursor.next()?;
            match c {
                '#' => self.cursor.comment()?,
                '[' => {
                    self.header()?;
                    if self.line_end()? {
                        return Ok(());
                    }
                }
                END => return Ok(()),
                c if is_blank(c) || is_newline(c) => self.cursor.ignore(),
                _ => {
                    self.cursor.back();
                    let outer = self.definitions.context.clone();
                    let (key, spot) = self.key()?;
                    let last = self.begin_pair(key, spot)?;
                    let (value, at, is_array) = self.value(false)?;
                    self.definitions.set_value(&last, value)?;
                    self.definitions.set_info(&last, at, is_array);
                    self.definitions.context = outer;
                    self.current.clear();
                    if self.line_end()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// What may follow a header or a pair on its line; `true` at the end of the text.
    fn line_end(&mut self) -> Read<bool> {
        loop {
            let c = self.cursor.next()?;
            match c {
                '#' => {
                    self.cursor.comment()?;
                    return Ok(false);
                }
                END => return Ok(true),
                c if is_blank(c) => {}
                c if is_newline(c) => {
                    self.cursor.ignore();
                    return Ok(false);
                }
                _ => {
                    let got = quote_char(c);
                    return Err(self.cursor.fault(format!(
                        "expected a top-level item to end with a newline, comment, or EOF, but got {got} instead"
                    )));
                }
            }
        }
    }

    /// `[name]` or `[[name]]`, after the first bracket.
    fn header(&mut self) -> Read<()> {
        let is_list = self.cursor.peek()? == '[';
        if is_list {
            self.cursor.next()?;
        }
        let at = self.cursor.spot();
        self.cursor.ignore();
        let mut key = Vec::new();
        let mut key_at = None;
        loop {
            self.cursor.skip_blanks()?;
            let (piece, spot) = match self.cursor.peek()? {
                ']' | END => {
                    let why = "unexpected end of table name (table names cannot be empty)";
                    return Err(self.cursor.fault(why));
                }
                '.' => {
                    let why = "unexpected table separator (table names cannot be empty)";
                    return Err(self.cursor.fault(why));
                }
                _ => self.name()?,
            };
            if key.is_empty() {
                self.definitions.defining = spot;
            }
            key_at.get_or_insert(spot);
            key.push(piece);
            self.bounded(&key)?;
            self.cursor.skip_blanks()?;
            match self.cursor.next()? {
                '.' => self.cursor.ignore(),
                ']' => break,
                c => {
                    let got = quote_char(c);
                    let why = format!("expected '.' or ']' to end table name, but got {got} instead");
                    return Err(self.cursor.fault(why));
                }
            }
        }
        if is_list {
            let c = self.cursor.next()?;
            if c != ']' {
                let got = quote_char(c);
                let why = format!("expected end of table array name delimiter ']', but got {got} instead");
                return Err(self.cursor.fault(why));
            }
        }
        self.cursor.ignore();
        self.definitions.enter(&key, is_list)?;
        self.definitions.set_info("", at, false);
        self.keys.push((Key(key), key_at.unwrap_or(at)));
        Ok(())
    }

    /// One piece of a key: bare (perhaps empty, which the caller trips over), or quoted.
    fn name(&mut self) -> Read<(String, Spot)> {
        match self.cursor.peek()? {
            '"' => {
                self.cursor.next()?;
                self.cursor.ignore();
                scalars::basic_string(&mut self.cursor)
            }
            '\'' => {
                self.cursor.next()?;
                self.cursor.ignore();
                scalars::literal_string(&mut self.cursor)
            }
            _ => {
                loop {
                    let c = self.cursor.next()?;
                    if !(c.is_ascii_alphanumeric() || c == '_' || c == '-') {
                        break;
                    }
                }
                self.cursor.back();
                Ok(self.cursor.take())
            }
        }
    }

    /// A dotted key up to and with its `=`.
    fn key(&mut self) -> Read<(Vec<String>, Spot)> {
        self.cursor.skip_blanks()?;
        match self.cursor.peek()? {
            '=' | END => return Err(self.cursor.fault("unexpected '=': key name appears blank")),
            '.' => return Err(self.cursor.fault("unexpected '.': keys cannot start with a '.'")),
            _ => {}
        }
        let mut key = Vec::new();
        let mut start = None;
        loop {
            self.cursor.skip_blanks()?;
            match self.cursor.peek()? {
                '=' | END => return Err(self.cursor.fault("unexpected '='")),
                '.' => return Err(self.cursor.fault("unexpected '.'")),
                _ => {}
            }
            let (piece, spot) = self.name()?;
            if key.is_empty() {
                self.definitions.defining = spot;
            }
            start.get_or_insert(spot);
            key.push(piece);
            self.bounded(&key)?;
            self.cursor.skip_blanks()?;
            match self.cursor.next()? {
                '.' => self.cursor.ignore(),
                '=' => break,
                END => return Err(self.cursor.fault("unexpected EOF; expected key separator '='")),
                '\n' => {
                    let why = "expected '.' or '=', but got '\\n' instead";
                    return Err(self.cursor.fault_at_line_end(why));
                }
                c => {
                    let why = format!("expected '.' or '=', but got {} instead", quote_char(c));
                    return Err(self.cursor.fault(why));
                }
            }
        }
        self.cursor.ignore();
        Ok((key, start.unwrap_or_default()))
    }

    /// Opens the tables that a dotted key names and notes the key; gives its last piece.
    fn begin_pair(&mut self, mut key: Vec<String>, spot: Spot) -> Read<String> {
        let last = key.pop().unwrap_or_default();
        self.current.clone_from(&last);
        for piece in key {
            let mut path = self.definitions.context.clone();
            path.push(piece);
            self.definitions.implicit.insert(Key(path.clone()).to_string());
            self.definitions.enter(&path, false)?;
        }
        self.keys.push((Key(self.definitions.context.clone()).with(&last), spot));
        Ok(last)
    }

    /// A value, with its place and whether it is an array.
    fn value(&mut self, in_array: bool) -> Read<(Value, Spot, bool)> {
        let cursor = &mut self.cursor;
        let mut c = cursor.next()?;
        while is_blank(c) {
            cursor.ignore();
            c = cursor.next()?;
        }
        if c.is_ascii_digit() {
            cursor.back();
            return scalars::number_or_date(cursor).map(|(v, spot)| (v, spot, false));
        }
        let text = |(text, spot)| (Value::String(text), spot, false);
        match c {
            '[' => {
                cursor.ignore();
                let spot = cursor.spot();
                return Ok((self.nested(|r| r.array(spot))?, spot, true));
            }
            '{' => {
                cursor.ignore();
                let spot = cursor.spot();
                return Ok((self.nested(|r| r.inline_table(in_array))?, spot, false));
            }
            '"' | '\'' => {
                if cursor.accept(c)? {
                    if cursor.accept(c)? {
                        cursor.ignore();
                        return match c {
                            '"' => scalars::multiline_string(cursor).map(text),
                            _ => scalars::multiline_literal(cursor).map(text),
                        };
                    }
                    cursor.back();
                }
                cursor.ignore();
                return match c {
                    '"' => scalars::basic_string(cursor).map(text),
                    _ => scalars::literal_string(cursor).map(text),
                };
            }
            '.' => return Err(cursor.fault("floats must start with a digit, not '.'")),
            'i' | 'n' if float_word(cursor)? => {
                return scalars::float_word(cursor).map(|(v, spot)| (v, spot, false));
            }
            '-' | '+' => return scalars::signed_number(cursor).map(|(v, spot)| (v, spot, false)),
            END => return Err(cursor.fault("unexpected EOF; expected value")),
            '\n' => {
                return Err(cursor.fault_at_line_end("expected value but found '\\n' instead"));
            }
            _ => {}
        }
        if scalars::is_letter(c) {
            cursor.back();
            return scalars::boolean(cursor).map(|(v, spot)| (v, spot, false));
        }
        Err(cursor.fault(format!("expected value but found {} instead", quote_char(c))))
    }

    /// A key of a hundred thousand pieces would be as many tables, each by its whole name.
    fn bounded(&self, key: &[String]) -> Read<()> {
        if key.len() > DEPTH_LIMIT {
            return Err(self.cursor.fault("tables are nested too deeply"));
        }
        Ok(())
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Value>) -> Read<Value> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.cursor.fault("values are nested too deeply"));
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// An array after its bracket.
    fn array(&mut self, at: Spot) -> Read<Value> {
        let current = self.current.clone();
        self.definitions.set_info(&current, at, true);
        let mut items = Vec::new();
        loop {
            match self.cursor.next()? {
                '#' => {
                    self.cursor.comment()?;
                    continue;
                }
                ',' => return Err(self.cursor.fault("unexpected comma")),
                ']' => break,
                c if is_blank(c) || is_newline(c) => {
                    self.cursor.ignore();
                    continue;
                }
                _ => self.cursor.back(),
            }
            items.push(self.value(true)?.0);
            if self.separator(']', "expected a comma (',') or array terminator (']'), but got ", "")? {
                break;
            }
        }
        self.cursor.ignore();
        Ok(Value::Array(items))
    }

    /// What follows an item: a comma, or the closing bracket (`true`).
    fn separator(&mut self, close: char, before: &str, after: &str) -> Read<bool> {
        loop {
            match self.cursor.next()? {
                '#' => self.cursor.comment()?,
                ',' => {
                    self.cursor.ignore();
                    return Ok(false);
                }
                c if c == close => return Ok(true),
                c if is_newline(c) && close == '}' => {
                    self.one_line()?;
                    self.cursor.ignore();
                }
                c if is_blank(c) || is_newline(c) => self.cursor.ignore(),
                c => {
                    let got = if c == END { "end of file".to_owned() } else { format!("'{c}'") };
                    return Err(self.cursor.fault(format!("{before}{got}{after}")));
                }
            }
        }
    }

    /// A line's end within an inline table, which earlier versions do not take.
    fn one_line(&self) -> Read<()> {
        if self.cursor.dialect >= Dialect::V1_6 {
            return Ok(());
        }
        Err(self.cursor.fault_on_previous_line("newlines not allowed within inline tables"))
    }

    /// A table in braces, after the first one.
    fn inline_table(&mut self, in_array: bool) -> Read<Value> {
        let (outer, outer_key) = (self.definitions.context.clone(), std::mem::take(&mut self.current));
        self.definitions.context.push(outer_key.clone());
        let inner = self.definitions.context.clone();
        self.definitions.implicit.insert(Key(inner.clone()).to_string());
        self.definitions.enter(&inner, in_array)?;
        let mut table = Table::new();
        loop {
            match self.cursor.next()? {
                '#' => {
                    self.cursor.comment()?;
                    continue;
                }
                ',' => return Err(self.cursor.fault("unexpected comma")),
                '}' => break,
                c if is_newline(c) => {
                    self.one_line()?;
                    self.cursor.ignore();
                    continue;
                }
                c if is_blank(c) => {
                    self.cursor.ignore();
                    continue;
                }
                _ => self.cursor.back(),
            }
            let start = self.cursor.spot();
            let (key, spot) = self.key()?;
            let path: Vec<String> = key.iter().take(key.len() - 1).cloned().collect();
            let last = self.begin_pair(key, spot)?;
            let (value, _, is_array) = self.value(false)?;
            self.definitions.set_value(&last, value.clone())?;
            self.definitions.set_info(&last, start, is_array);
            // Up to 1.3 only the last piece of a dotted key counts, where the table is not yet in the tree.
            let path = if self.cursor.dialect < Dialect::V1_4 { &[] } else { path.as_slice() };
            let mut place = &mut table;
            for piece in path {
                let entry = place.entry(piece.clone()).or_insert_with(|| Value::Table(Table::new()));
                match entry {
                    Value::Table(inner) => place = inner,
                    _ => {
                        let name = Key(self.definitions.context.clone()).to_string();
                        let message = format!("{} is not a table", quote(&name));
                        return Err(Fault { message, spot: self.definitions.defining });
                    }
                }
            }
            place.insert(last, value);
            self.definitions.context.clone_from(&inner);
            let why = "expected a comma or an inline table terminator '}', but got ";
            if self.separator('}', why, " instead")? {
                break;
            }
            // A comma may end the table too.
            self.cursor.skip_blanks()?;
            if self.cursor.peek()? == '}' && self.cursor.dialect < Dialect::V1_6 {
                return Err(self.cursor.fault("trailing comma not allowed in inline tables"));
            }
            if self.cursor.peek()? == '}' && self.separator('}', why, " instead")? {
                break;
            }
        }
        self.cursor.ignore();
        self.definitions.context = outer;
        self.current = outer_key;
        Ok(Value::Table(table))
    }
}
