//! The order of a document: tables, keys, values, and which complaint comes first.
//!
//! A complaint names the line of the key, table or comment read last, not its own: `Reader::near`. NUL and
//! the end of the text are one and the same to this reader, so that a NUL after a value ends the document.

use std::collections::HashSet;

use super::scalar;
use super::{Entry, Error, Table, Value};
use crate::runtime::go_text::{quote, quote_char};

type Read<T> = Result<T, Error>;

/// What stands for the end of the text.
const END: char = '\0';

/// Reads a document.
pub fn parse(text: &str) -> Read<Table> {
    let mut reader = Reader {
        text,
        pos: 0,
        line: 1,
        near: 0,
        context: Vec::new(),
        key: String::new(),
        root: Table::new(),
        implicit: HashSet::new(),
    };
    reader.document()?;
    Ok(reader.root)
}

struct Reader<'a> {
    text: &'a str,
    pos: usize,
    line: usize,
    /// The line that complaints name.
    near: usize,
    /// The table that keys go to.
    context: Vec<String>,
    /// The key being read.
    key: String,
    root: Table,
    /// Tables that only the header of an inner one has made, by their dotted name.
    implicit: HashSet<String>,
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

impl Reader<'_> {
    fn peek(&self) -> char {
        self.text.get(self.pos..).and_then(|rest| rest.chars().next()).unwrap_or(END)
    }

    fn next(&mut self) -> char {
        let c = self.peek();
        if self.pos < self.text.len() {
            self.pos += c.len_utf8();
            self.line += usize::from(c == '\n');
        }
        c
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.pos < self.text.len() && self.peek() == wanted;
        if found {
            self.next();
        }
        found
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        while self.pos < self.text.len() && skipped(self.peek()) {
            self.next();
        }
    }

    fn since(&self, start: usize) -> &str {
        self.text.get(start..self.pos).unwrap_or_default()
    }

    fn complain<T>(&self, what: impl AsRef<str>) -> Read<T> {
        let mut last = self.context.join(".");
        if !self.key.is_empty() {
            if !self.context.is_empty() {
                last.push('.');
            }
            last.push_str(&self.key);
        }
        let message = format!("Near line {} (last key parsed '{last}'): {}", self.near, what.as_ref());
        Err(Error { message, offset: self.pos, panic: false })
    }

    fn checked<T>(&self, value: Result<T, scalar::Complaint>) -> Read<T> {
        value.or_else(|what| self.complain(what))
    }

    fn document(&mut self) -> Read<()> {
        loop {
            self.skip(|c| is_blank(c) || is_newline(c));
            match self.peek() {
                END if self.pos < self.text.len() => return self.complain("unexpected EOF"),
                END => return Ok(()),
                '#' => self.comment(),
                '[' => {
                    self.header()?;
                    if self.line_ends()? {
                        return Ok(());
                    }
                }
                _ => {
                    self.pair()?;
                    if self.line_ends()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// From `#` to the line break, which stays.
    fn comment(&mut self) {
        self.near = self.line;
        self.next();
        self.skip(|c| !is_newline(c) && c != END);
    }

    /// What may follow a table's header or a pair; true where the document ends.
    fn line_ends(&mut self) -> Read<bool> {
        self.skip(is_blank);
        match self.next() {
            '#' => {
                self.pos -= 1;
                self.comment();
                Ok(false)
            }
            c if is_newline(c) => Ok(false),
            END => Ok(true),
            c => self.complain(format!(
                "expected a top-level item to end with a newline, comment, or EOF, but got {} instead",
                quote_char(c)
            )),
        }
    }

    fn header(&mut self) -> Read<()> {
        self.next();
        let array = self.accept('[');
        let offset = self.pos;
        let mut name: Vec<String> = Vec::new();
        loop {
            self.skip(is_blank);
            let piece = match self.peek() {
                ']' | END => {
                    return self.complain("unexpected end of table name (table names cannot be empty)");
                }
                '.' => return self.complain("unexpected table separator (table names cannot be empty)"),
                '"' | '\'' => self.quoted()?,
                _ => {
                    let start = self.pos;
                    self.skip(is_bare);
                    let piece = self.since(start).to_owned();
                    if name.is_empty() {
                        self.near = self.line;
                    }
                    piece
                }
            };
            if name.is_empty() {
                self.near = self.line;
            }
            name.push(piece);
            self.skip(is_blank);
            match self.next() {
                '.' => {}
                ']' => break,
                c => {
                    let c = quote_char(c);
                    return self
                        .complain(format!("expected '.' or ']' to end table name, but got {c} instead"));
                }
            }
        }
        if array {
            match self.next() {
                ']' => {}
                c => {
                    let c = quote_char(c);
                    return self.complain(format!(
                        "expected end of table array name delimiter ']', but got {c} instead"
                    ));
                }
            }
        }
        self.open(name, array, offset)
    }

    /// Makes the table of a header the current one.
    fn open(&mut self, name: Vec<String>, array: bool, offset: usize) -> Read<()> {
        let Some((last, outer)) = name.split_last() else { return Ok(()) };
        let dotted = outer.join(".");
        let table = match reach(&mut self.root, outer, &mut self.implicit, offset) {
            Ok(table) => table,
            Err(other) => return self.complain(format!("Key '{other}' was already created as a hash.")),
        };
        if array {
            let empty = || Entry { value: Value::Tables(Vec::new()), offset };
            match &mut table.entry(last.clone()).or_insert_with(empty).value {
                Value::Tables(all) => all.push(Table::new()),
                _ => {
                    self.context = outer.to_vec();
                    return self.complain(format!(
                        "Key '{dotted}' was already created and cannot be used as an array."
                    ));
                }
            }
            self.context = name;
            return Ok(());
        }
        self.context = outer.to_vec();
        self.set(last, Value::Table(Table::new()), offset)?;
        self.context = name;
        Ok(())
    }

    /// Puts a value into the current table.
    fn set(&mut self, key: &str, value: Value, offset: usize) -> Read<()> {
        let mut table = &mut self.root;
        for piece in &self.context {
            match table.get_mut(piece).and_then(|entry| inner(&mut entry.value)) {
                Some(inner) => table = inner,
                None => return Ok(()),
            }
        }
        if !table.contains_key(key) {
            table.insert(key.to_owned(), Entry { value, offset });
            return Ok(());
        }
        let mut name = self.context.join(".");
        if !self.context.is_empty() {
            name.push('.');
        }
        name.push_str(key);
        // A table that only an inner header has made may be given its own once.
        if self.implicit.remove(&name) {
            return Ok(());
        }
        self.complain(format!("Key '{name}' has already been defined."))
    }

    fn pair(&mut self) -> Read<()> {
        let (key, value, offset) = self.key_and_value()?;
        self.set(&key, value, offset)?;
        self.key.clear();
        Ok(())
    }

    fn key_and_value(&mut self) -> Read<(String, Value, usize)> {
        self.skip(|c| is_blank(c) || is_newline(c));
        let offset = self.pos;
        let key = match self.peek() {
            '=' => return self.complain("unexpected key separator '='"),
            '"' | '\'' => self.quoted()?,
            _ => {
                self.skip(is_bare);
                match self.peek() {
                    c if is_blank(c) || c == '=' => self.since(offset).to_owned(),
                    c => {
                        let c = quote_char(c);
                        return self.complain(format!("bare keys cannot contain {c}"));
                    }
                }
            }
        };
        self.near = self.line;
        self.key.clone_from(&key);
        self.skip(is_blank);
        match self.next() {
            '=' => {}
            c => {
                let c = quote_char(c);
                return self.complain(format!("expected key separator '=', but got {c} instead"));
            }
        }
        let value = self.value()?;
        Ok((key, value, offset))
    }

    /// A key in quotes: whatever a string may be.
    fn quoted(&mut self) -> Read<String> {
        match self.value()? {
            Value::String(text) => Ok(text),
            _ => Ok(String::new()),
        }
    }

    fn value(&mut self) -> Read<Value> {
        self.skip(is_blank);
        let start = self.pos;
        match self.next() {
            '[' => self.array(),
            '{' => self.inline_table(),
            '"' => {
                if self.triple('"') {
                    let text = self.many_lines('"')?;
                    let text = self.checked(scalar::unescape_lines(&text))?;
                    return Ok(Value::String(text));
                }
                let text = self.one_line('"')?;
                let text = self.checked(scalar::unescape(&text))?;
                Ok(Value::String(text))
            }
            '\'' => {
                if self.triple('\'') {
                    let text = self.many_lines('\'')?;
                    return Ok(Value::String(scalar::without_first_newline(&text).to_owned()));
                }
                Ok(Value::String(self.one_line('\'')?))
            }
            '+' | '-' => match self.next() {
                c if c.is_ascii_digit() => self.number(start, false),
                '.' => self.complain("floats must start with a digit, not '.'"),
                c => self.complain(format!("expected a digit but got {}", quote_char(c))),
            },
            '.' => self.complain("floats must start with a digit, not '.'"),
            c if c.is_ascii_digit() => self.number(start, true),
            c if c.is_alphabetic() => {
                self.skip(char::is_alphabetic);
                match self.since(start) {
                    "true" => Ok(Value::Boolean(true)),
                    "false" => Ok(Value::Boolean(false)),
                    other => self.complain(format!("expected value but found {} instead", quote(other))),
                }
            }
            c => self.complain(format!("expected value but found {} instead", quote_char(c))),
        }
    }

    /// The rest of a number or date of which the first digit is read; a date has no sign.
    fn number(&mut self, start: usize, may_be_date: bool) -> Read<Value> {
        self.skip(|c| c.is_ascii_digit());
        if may_be_date && self.accept('-') {
            self.skip(|c| c.is_ascii_digit() || matches!(c, '-' | 'T' | ':' | '.' | 'Z' | '+'));
            return self.checked(scalar::datetime(self.since(start)));
        }
        self.skip(|c| c.is_ascii_digit() || c == '_');
        if matches!(self.peek(), '.' | 'e' | 'E') {
            self.skip(|c| c.is_ascii_digit() || matches!(c, '_' | '.' | '-' | '+' | 'e' | 'E'));
            return self.checked(scalar::float(self.since(start)));
        }
        self.checked(scalar::integer(self.since(start)))
    }

    /// Whether two more quotes follow the one that is read; if so they are taken.
    fn triple(&mut self, quote: char) -> bool {
        let mut rest = self.text.get(self.pos..).unwrap_or_default().chars();
        let three = rest.next() == Some(quote) && rest.next() == Some(quote);
        if three {
            self.pos += 2;
        }
        three
    }

    fn one_line(&mut self, quote: char) -> Read<String> {
        let start = self.pos;
        loop {
            match self.next() {
                END => return self.complain("unexpected EOF"),
                c if is_newline(c) => return self.complain("strings cannot contain newlines"),
                '\\' if quote == '"' => self.escape(start)?,
                c if c == quote => {
                    return Ok(self.since(start).strip_suffix(quote).unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
    }

    fn many_lines(&mut self, quote: char) -> Read<String> {
        let start = self.pos;
        loop {
            match self.next() {
                END => return self.complain("unexpected EOF"),
                '\\' if quote == '"' => {
                    if is_newline(self.peek()) {
                        self.next();
                    } else {
                        self.escape(start)?;
                    }
                }
                c if c == quote => {
                    let end = self.pos - 1;
                    if self.triple(quote) {
                        return Ok(self.text.get(start..end).unwrap_or_default().to_owned());
                    }
                    // Two quotes alone are part of the text.
                    self.accept(quote);
                }
                _ => {}
            }
        }
    }

    /// An escape; `start` is where the string began, since a complaint about `\\u` quotes all of it.
    fn escape(&mut self, start: usize) -> Read<()> {
        let (digits, name) = match self.next() {
            'b' | 't' | 'n' | 'f' | 'r' | '"' | '\\' => return Ok(()),
            'u' => (4, "four hexadecimal digits after '\\u'"),
            'U' => (8, "eight hexadecimal digits after '\\U'"),
            c => {
                return self.complain(format!(
                    "invalid escape character {}; only the following escape characters are allowed: \\b, \\t, \
                     \\n, \\f, \\r, \\\", \\\\, \\uXXXX, and \\UXXXXXXXX",
                    quote_char(c)
                ));
            }
        };
        for _ in 0..digits {
            if !self.next().is_ascii_hexdigit() {
                let read = quote(self.since(start));
                return self.complain(format!("expected {name}, but got {read} instead"));
            }
        }
        Ok(())
    }

    fn array(&mut self) -> Read<Value> {
        let mut items: Vec<Value> = Vec::new();
        loop {
            self.skip(|c| is_blank(c) || is_newline(c));
            match self.peek() {
                '#' => {
                    self.array_comment();
                    continue;
                }
                ',' => return self.complain("unexpected comma"),
                ']' => {
                    self.next();
                    break;
                }
                _ => {}
            }
            items.push(self.value()?);
            loop {
                self.skip(|c| is_blank(c) || is_newline(c));
                match self.peek() {
                    '#' => self.array_comment(),
                    _ => break,
                }
            }
            match self.next() {
                ',' => {}
                ']' => break,
                c => {
                    let c = quote_char(c);
                    return self
                        .complain(format!("expected a comma or array terminator ']', but got {c} instead"));
                }
            }
        }
        let Some(first) = items.first().map(Value::toml_type) else { return Ok(Value::Array(items)) };
        match items.iter().map(Value::toml_type).find(|other| *other != first) {
            Some(other) => self.complain(format!(
                "Array contains values of type '{first}' and '{other}', but arrays must be homogeneous."
            )),
            None => Ok(Value::Array(items)),
        }
    }

    /// A comment between the items of an array does not move the line that complaints name.
    fn array_comment(&mut self) {
        let near = self.near;
        self.comment();
        self.near = near;
    }

    fn inline_table(&mut self) -> Read<Value> {
        let outer = (self.context.clone(), self.key.clone());
        self.context.push(std::mem::take(&mut self.key));
        let mut table = Table::new();
        loop {
            self.skip(is_blank);
            match self.peek() {
                c if is_newline(c) => return self.complain("newlines not allowed within inline tables"),
                '#' => return self.crash(),
                ',' => return self.complain("unexpected comma"),
                '}' => {
                    self.next();
                    break;
                }
                _ => {}
            }
            let (key, value, offset) = self.key_and_value()?;
            table.insert(key, Entry { value, offset });
            self.skip(is_blank);
            match self.next() {
                ',' => {}
                '}' => break,
                '#' => return self.crash(),
                c if is_newline(c) => return self.complain("newlines not allowed within inline tables"),
                c => {
                    let c = quote_char(c);
                    return self.complain(format!(
                        "expected a comma or an inline table terminator '}}', but got {c} instead"
                    ));
                }
            }
        }
        (self.context, self.key) = outer;
        Ok(Value::Table(table))
    }

    /// The reader does not expect a comment here, and gives up for good.
    fn crash<T>(&self) -> Read<T> {
        let message =
            format!("BUG: Expected key start but instead found \"\", around line {}\n\n", self.near);
        Err(Error { message, offset: self.pos, panic: true })
    }
}

/// The table with this name, made where it is not there yet; or the name that stands for something else.
fn reach<'t>(
    root: &'t mut Table,
    name: &[String],
    implicit: &mut HashSet<String>,
    offset: usize,
) -> Result<&'t mut Table, String> {
    let mut table = root;
    for (depth, piece) in name.iter().enumerate() {
        let dotted = || name.get(..=depth).unwrap_or_default().join(".");
        let entry = table.entry(piece.clone()).or_insert_with(|| {
            implicit.insert(dotted());
            Entry { value: Value::Table(Table::new()), offset }
        });
        table = inner(&mut entry.value).ok_or_else(dotted)?;
    }
    Ok(table)
}

/// The table that a name leads to: itself, or the last one of many.
fn inner(value: &mut Value) -> Option<&mut Table> {
    match value {
        Value::Table(table) => Some(table),
        Value::Tables(all) => all.last_mut(),
        _ => None,
    }
}
