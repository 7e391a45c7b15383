//! The order of a document: tables, keys, values, and which complaint comes first.
//!
//! A complaint names the line of the key, table or comment read last, not its own: `Reader::near`. NUL and
//! the end of the text are one and the same to this reader, so that a NUL after a value ends the document.
//! What a value is: `values`. Facts: lex.go and parse.go of github.com/BurntSushi/toml 0.3.1.

use std::collections::HashSet;

use super::scalar;
use super::{Entry, Error, Table, Value};
use crate::golang::strconv::quote_char;

pub(super) type Read<T> = Result<T, Error>;

/// Deeper nesting than anybody writes; kept from exhausting the stack.
pub(super) const DEPTH_LIMIT: usize = 256;

/// What stands for the end of the text.
pub(super) const END: char = '\0';

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
        depth: 0,
    };
    reader.document()?;
    Ok(reader.root)
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) pos: usize,
    line: usize,
    /// The line that complaints name.
    pub(super) near: usize,
    /// The table that keys go to.
    pub(super) context: Vec<String>,
    /// The key being read.
    pub(super) key: String,
    root: Table,
    /// Tables that only the header of an inner one has made, by their dotted name.
    implicit: HashSet<String>,
    /// Arrays and inline tables that are open.
    pub(super) depth: usize,
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> char {
        self.text.get(self.pos..).and_then(|rest| rest.chars().next()).unwrap_or(END)
    }

    pub(super) fn next(&mut self) -> char {
        let c = self.peek();
        if self.pos < self.text.len() {
            self.pos += c.len_utf8();
            self.line += usize::from(c == '\n');
        }
        c
    }

    pub(super) fn accept(&mut self, wanted: char) -> bool {
        let found = self.pos < self.text.len() && self.peek() == wanted;
        if found {
            self.next();
        }
        found
    }

    pub(super) fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        while self.pos < self.text.len() && skipped(self.peek()) {
            self.next();
        }
    }

    pub(super) fn since(&self, start: usize) -> &str {
        self.text.get(start..self.pos).unwrap_or_default()
    }

    pub(super) fn complain<T>(&self, what: impl AsRef<str>) -> Read<T> {
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

    pub(super) fn checked<T>(&self, value: Result<T, scalar::Complaint>) -> Read<T> {
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
    pub(super) fn comment(&mut self) {
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
            if name.len() > DEPTH_LIMIT {
                return self.complain("tables are nested too deeply");
            }
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

    pub(super) fn key_and_value(&mut self) -> Read<(String, Value, usize)> {
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
