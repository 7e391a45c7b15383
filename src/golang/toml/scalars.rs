//! Strings, numbers, booleans and dates: where their text ends, and what it comes to.
//!
//! Facts: lex.go and parse.go of github.com/BurntSushi/toml 1.6.0, and Go's strconv behind them.

use super::cursor::{Cursor, END, is_newline};
use super::{Dialect, Fault, Spot, Value, dates};
use crate::golang::strconv::{quote, quote_char};

type Read<T> = Result<T, Fault>;

fn fault_at(spot: Spot, message: String) -> Fault {
    Fault { message, spot }
}

/// The pieces of a number, as the first look at it sorts them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Float,
    Date,
}

/// A string after its opening quote, up to and with the closing one.
pub(super) fn basic_string(cursor: &mut Cursor<'_>) -> Read<(String, Spot)> {
    let mut escaped = false;
    loop {
        let c = cursor.next()?;
        match c {
            END => return Err(cursor.fault("unexpected EOF; expected '\"'")),
            '\\' => {
                escaped = true;
                escape(cursor)?;
            }
            '"' => {
                cursor.back();
                let (text, spot) = cursor.take();
                cursor.next()?;
                cursor.ignore();
                let text = if escaped { replace_escapes(&text, spot)? } else { text };
                return Ok((text, spot));
            }
            c if is_newline(c) => {
                return Err(cursor.fault_on_previous_line("strings cannot contain newlines"));
            }
            _ => {}
        }
    }
}

/// A literal string after its opening quote.
pub(super) fn literal_string(cursor: &mut Cursor<'_>) -> Read<(String, Spot)> {
    loop {
        let c = cursor.next()?;
        match c {
            END => return Err(cursor.fault("unexpected EOF; expected \"'\"")),
            '\'' => {
                cursor.back();
                let item = cursor.take();
                cursor.next()?;
                cursor.ignore();
                return Ok(item);
            }
            c if is_newline(c) => {
                return Err(cursor.fault_on_previous_line("strings cannot contain newlines"));
            }
            _ => {}
        }
    }
}

/// The text between triple quotes; `quote` is which.
fn between_triple(cursor: &mut Cursor<'_>, mark: char) -> Read<(String, Spot)> {
    let other = if mark == '"' { '\'' } else { '"' };
    let (five, escaped_five) = (mark.to_string().repeat(5), format!("\\{}", mark.to_string().repeat(5)));
    loop {
        let c = cursor.next()?;
        if c == END {
            let three = mark.to_string().repeat(3);
            return Err(cursor.fault(format!("unexpected EOF; expected {other}{three}{other}")));
        }
        if c == '\\' && mark == '"' {
            if !is_newline(cursor.next()?) {
                cursor.back();
                escape(cursor)?;
            }
            continue;
        }
        if c != mark || !cursor.accept(mark)? {
            continue;
        }
        if !cursor.accept(mark)? {
            cursor.back();
            continue;
        }
        // One or two more marks belong to the text; a sixth one is too many.
        if cursor.peek()? == mark {
            let text = cursor.current();
            if text.ends_with(&five) && !(mark == '"' && text.ends_with(&escaped_five)) {
                let six = mark.to_string().repeat(6);
                return Err(cursor.fault(format!("unexpected {other}{six}{other}")));
            }
            cursor.back();
            cursor.back();
            continue;
        }
        (0..3).for_each(|_| cursor.back());
        let item = cursor.take();
        for _ in 0..3 {
            cursor.next()?;
        }
        cursor.ignore();
        return Ok(item);
    }
}

fn strip_first_newline(text: &str) -> &str {
    text.strip_prefix('\n').or_else(|| text.strip_prefix("\r\n")).unwrap_or(text)
}

pub(super) fn multiline_string(cursor: &mut Cursor<'_>) -> Read<(String, Spot)> {
    let (text, spot) = between_triple(cursor, '"')?;
    Ok((replace_escapes(&strip_escaped_newlines(strip_first_newline(&text)), spot)?, spot))
}

pub(super) fn multiline_literal(cursor: &mut Cursor<'_>) -> Read<(String, Spot)> {
    let (text, spot) = between_triple(cursor, '\'')?;
    Ok((strip_first_newline(&text).to_owned(), spot))
}

/// Checks an escape sequence after its backslash.
fn escape(cursor: &mut Cursor<'_>) -> Read<()> {
    let c = cursor.next()?;
    let (digits, words, letter) = match c {
        'e' | 'x' if cursor.dialect < Dialect::V1_6 => {
            return Err(cursor.fault(format!("invalid escape in string '\\{c}'")));
        }
        'e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\' => return Ok(()),
        'x' => (2, "two", 'x'),
        'u' => (4, "four", 'u'),
        'U' => (8, "eight", 'U'),
        _ => {
            let message = format!("invalid escape in string '\\{c}'");
            return Err(if cursor.at_end() {
                cursor.fault_on_previous_line(message)
            } else {
                cursor.fault(message)
            });
        }
    };
    for _ in 0..digits {
        if !cursor.next()?.is_ascii_hexdigit() {
            let seen = quote(&cursor.current());
            let message =
                format!("expected {words} hexadecimal digits after '\\{letter}', but got {seen} instead");
            return Err(cursor.fault(message));
        }
    }
    Ok(())
}

/// Drops every backslash that ends a line, with the white space that follows it.
fn strip_escaped_newlines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let after = rest.get(at + 1..).unwrap_or("");
        if after.starts_with('\\') {
            out.push_str(rest.get(..at + 2).unwrap_or(""));
            rest = rest.get(at + 2..).unwrap_or("");
            continue;
        }
        let trimmed = after.trim_start_matches([' ', '\t', '\r', '\n']);
        let blank = after.get(..after.len() - trimmed.len()).unwrap_or("");
        if blank.contains('\n') {
            out.push_str(rest.get(..at).unwrap_or(""));
            rest = trimmed;
        } else {
            out.push_str(rest.get(..=at).unwrap_or(""));
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn replace_escapes(text: &str, spot: Spot) -> Read<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = match chars.next() {
            Some('b') => Ok('\u{8}'),
            Some('t') => Ok('\t'),
            Some('n') => Ok('\n'),
            Some('f') => Ok('\u{c}'),
            Some('r') => Ok('\r'),
            Some('e') => Ok('\u{1b}'),
            Some('x') => Err(2),
            Some('u') => Err(4),
            Some('U') => Err(8),
            Some(c @ (' ' | '\t')) => return Err(fault_at(spot, format!("invalid escape: '\\{c}'"))),
            Some(c) => Ok(c),
            None => Ok('\\'),
        };
        match digits {
            Ok(c) => out.push(c),
            Err(count) => {
                let hex: String = chars.by_ref().take(count).collect();
                let c = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                let message = || format!("Escaped character '\\u{hex}' is not valid UTF-8.");
                out.push(c.ok_or_else(|| fault_at(spot, message()))?);
            }
        }
    }
    Ok(out)
}

/// `true` or `false`, or whatever word stands there instead.
pub(super) fn boolean(cursor: &mut Cursor<'_>) -> Read<(Value, Spot)> {
    let mut word = String::new();
    loop {
        let c = cursor.next()?;
        if !is_letter(c) {
            cursor.back();
            break;
        }
        word.push(c);
    }
    match word.as_str() {
        "true" | "false" => Ok((Value::Boolean(word == "true"), cursor.take().1)),
        _ => Err(cursor.fault(format!("expected value but found {} instead", quote(&word)))),
    }
}

pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_numeric()
}

/// A number or a date that starts with a digit.
pub(super) fn number_or_date(cursor: &mut Cursor<'_>) -> Read<(Value, Spot)> {
    let mut kind = Kind::Integer;
    if cursor.next()? == '0' {
        let c = cursor.next()?;
        let digit: fn(char) -> bool = match c {
            'b' => |c| matches!(c, '0' | '1'),
            'o' => |c| matches!(c, '0'..='7'),
            'x' => |c| c.is_ascii_hexdigit(),
            c if c.is_ascii_digit() || matches!(c, '_' | '.' | 'e' | 'E') => {
                cursor.back();
                return rest_of_number(cursor, c.is_ascii_digit());
            }
            _ => {
                cursor.back();
                return finish(cursor, kind);
            }
        };
        let seen = cursor.peek()?;
        if !digit(seen) {
            let name = match c {
                'b' => "a binary",
                'o' => "an octal",
                _ if cursor.dialect < Dialect::V1_5 => "a hexidecimal",
                _ => "a hexadecimal",
            };
            return Err(cursor.fault(format!("not {name} number: '{}{seen}'", cursor.current())));
        }
        loop {
            let c = cursor.next()?;
            if !digit(c) && c != '_' {
                break;
            }
        }
        cursor.back();
        kind = Kind::Integer;
        return finish(cursor, kind);
    }
    rest_of_number(cursor, true)
}

/// The rest of a decimal number; with `date`, it may yet become a date.
fn rest_of_number(cursor: &mut Cursor<'_>, date: bool) -> Read<(Value, Spot)> {
    let mut date = date;
    let kind = loop {
        let c = cursor.next()?;
        match c {
            c if c.is_ascii_digit() => {}
            '-' | ':' if date => break Kind::Date,
            '_' => date = false,
            '.' | 'e' | 'E' => break Kind::Float,
            _ => {
                cursor.back();
                return finish(cursor, Kind::Integer);
            }
        }
    };
    let more: &[char] = match kind {
        Kind::Date => &['-', ':', 'T', 't', ' ', '.', 'Z', 'z', '+'],
        _ => &['_', '.', '-', '+', 'e', 'E'],
    };
    loop {
        let c = cursor.next()?;
        if !c.is_ascii_digit() && !more.contains(&c) {
            break;
        }
    }
    cursor.back();
    finish(cursor, kind)
}

/// A number after its sign.
pub(super) fn signed_number(cursor: &mut Cursor<'_>) -> Read<(Value, Spot)> {
    let c = cursor.next()?;
    match c {
        'i' | 'n' => {
            let rest = if c == 'i' { ['n', 'f'] } else { ['a', 'n'] };
            if !cursor.accept(rest[0])? || !cursor.accept(rest[1])? {
                return Err(cursor.fault(format!("invalid float: '{}'", cursor.current())));
            }
            return finish(cursor, Kind::Float);
        }
        '0' => {
            let next = cursor.peek()?;
            if matches!(next, 'b' | 'o' | 'x') {
                let text = cursor.current();
                return Err(cursor.fault(format!("cannot use sign with non-decimal numbers: '{text}{next}'")));
            }
        }
        '.' => return Err(cursor.fault("floats must start with a digit, not '.'")),
        _ => {}
    }
    if c.is_ascii_digit() {
        return rest_of_number(cursor, false);
    }
    Err(cursor.fault(format!("expected a digit but got {}", quote_char(c))))
}

/// What was read so far is a float word (`inf`, `nan`, and what looks like one).
pub(super) fn float_word(cursor: &mut Cursor<'_>) -> Read<(Value, Spot)> {
    finish(cursor, Kind::Float)
}

fn finish(cursor: &mut Cursor<'_>, kind: Kind) -> Read<(Value, Spot)> {
    let (text, spot) = cursor.take();
    let value = match kind {
        Kind::Integer => Value::Integer(integer(&text).map_err(|m| fault_at(spot, m))?),
        Kind::Float => Value::Float(float(&text).map_err(|m| fault_at(spot, m))?),
        Kind::Date => {
            let text = text.trim().replace('z', "Z").replace(['t', ' '], "T");
            let dialect = cursor.dialect;
            if !dates::is_valid(&text, dialect >= Dialect::V1_6) {
                let text = quote(&text);
                let message = match dialect >= Dialect::V1_4 {
                    true => format!("invalid datetime: {text}"),
                    false => format!("Invalid TOML Datetime: {text}."),
                };
                return Err(fault_at(spot, message));
            }
            Value::Datetime
        }
    };
    Ok((value, spot))
}

/// Whether every underscore stands between digits (of any base).
fn underscores_ok(text: &str) -> bool {
    if matches!(text, "nan" | "+nan" | "-nan" | "inf" | "-inf" | "+inf") {
        return true;
    }
    let mut accept = false;
    for c in text.chars() {
        if c == '_' && !accept {
            return false;
        }
        accept = c.is_ascii_hexdigit();
    }
    accept
}

fn has_leading_zero(text: &str) -> bool {
    match text.as_bytes() {
        [b'0', next, ..] => !matches!(next, b'b' | b'o' | b'x'),
        [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}

fn integer(text: &str) -> Result<i64, String> {
    if !underscores_ok(text) {
        return Err(format!("Invalid integer {}: underscores must be surrounded by digits", quote(text)));
    }
    if has_leading_zero(text) {
        return Err(format!("Invalid integer {}: cannot have leading zeroes", quote(text)));
    }
    // All that is left to go wrong is the size.
    crate::golang::strconv::parse_int(text, 0).map_err(|_| format!("{text} is out of range for int64"))
}

fn float(text: &str) -> Result<f64, String> {
    let parts: Vec<&str> = text.split(['.', 'e', 'E']).filter(|p| !p.is_empty()).collect();
    if parts.iter().any(|part| !underscores_ok(part)) {
        return Err(format!("Invalid float {}: underscores must be surrounded by digits", quote(text)));
    }
    if parts.first().is_some_and(|part| has_leading_zero(part)) {
        return Err(format!("Invalid float {}: cannot have leading zeroes", quote(text)));
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '.' && !chars.peek().is_some_and(char::is_ascii_digit) {
            let why = "'.' must be followed by one or more digits";
            return Err(format!("Invalid float {}: {why}", quote(text)));
        }
    }
    let plain = text.replace('_', "");
    let number: f64 = plain.parse().map_err(|_| format!("Invalid float value: {}", quote(text)))?;
    if number.is_infinite() && !plain.contains("inf") {
        return Err(format!("{text} is out of range for float64"));
    }
    Ok(number)
}
