//! Values: strings, numbers, arrays and inline tables, and how each ends.
//!
//! Decides where a value's text stops and whether an array is of one type; what the text comes to:
//! `scalar`. Facts: lex.go and type_check.go of github.com/BurntSushi/toml 0.3.1.

use super::document::{DEPTH_LIMIT, END, Read, Reader, is_blank, is_newline};
use super::scalar;
use super::{Entry, Error, Table, Value};
use crate::golang::strconv::{quote, quote_char};

impl Reader<'_> {
    pub(super) fn value(&mut self) -> Read<Value> {
        self.skip(is_blank);
        let start = self.pos;
        match self.next() {
            '[' => self.nested(Self::array),
            '{' => self.nested(Self::inline_table),
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

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Value>) -> Read<Value> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return self.complain("values are nested too deeply");
        }
        let value = read(self);
        self.depth -= 1;
        value
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
