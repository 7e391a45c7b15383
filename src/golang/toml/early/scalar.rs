//! The small parts of the grammar: what a number, a date and a string come to once their text is known.
//!
//! Facts: parse.go of github.com/BurntSushi/toml 0.3.1, and Go's strconv and time.Parse behind it.

use super::Value;
use crate::golang::strconv::quote;

/// A complaint about the value itself.
pub(super) type Complaint = String;

/// Whether each underscore stands between other characters.
fn underscores_fit(text: &str) -> bool {
    let mut digit = false;
    for c in text.chars() {
        if c == '_' && !digit {
            return false;
        }
        digit = c != '_';
    }
    digit
}

/// An integer as written.
pub(super) fn integer(text: &str) -> Result<Value, Complaint> {
    if !underscores_fit(text) {
        return Err(format!("Invalid integer {}: underscores must be surrounded by digits", quote(text)));
    }
    match text.replace('_', "").parse() {
        Ok(number) => Ok(Value::Integer(number)),
        Err(_) => Err(format!("Integer '{text}' is out of the range of 64-bit signed integers.")),
    }
}

/// A number with a point or an exponent as written; only its validity counts.
pub(super) fn float(text: &str) -> Result<Value, Complaint> {
    let pieces = text.split(['.', 'e', 'E']).filter(|piece| !piece.is_empty());
    for piece in pieces {
        if !underscores_fit(piece) {
            return Err(format!("Invalid float {}: underscores must be surrounded by digits", quote(text)));
        }
    }
    let mut after_point = text.split('.').skip(1);
    if after_point.any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())) {
        let text = quote(text);
        return Err(format!("Invalid float {text}: '.' must be followed by one or more digits"));
    }
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Float),
        Ok(_) => {
            Err(format!("Float '{text}' is out of the range of 64-bit IEEE-754 floating-point numbers."))
        }
        Err(_) => Err(format!("Invalid float value: {}", quote(text))),
    }
}

/// A date, or a date with a time, with or without a zone.
pub(super) fn datetime(text: &str) -> Result<Value, Complaint> {
    if is_datetime(text) {
        Ok(Value::Datetime)
    } else {
        Err(format!("Invalid TOML Datetime: {}.", quote(text)))
    }
}

fn number(text: &str, from: usize, to: usize) -> Option<u32> {
    let digits = text.get(from..to)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn is_datetime(text: &str) -> bool {
    let date = || {
        let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 7)?, number(text, 8, 10)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        (dashes && (1..=days).contains(&day)).then_some(())
    };
    if date().is_none() {
        return false;
    }
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else { return true };
    let time = || {
        let (hour, minute, second) = (number(rest, 1, 3)?, number(rest, 4, 6)?, number(rest, 7, 9)?);
        let marks = rest.starts_with('T') && rest.get(3..4) == Some(":") && rest.get(6..7) == Some(":");
        (marks && hour < 24 && minute < 60 && second < 60).then_some(())
    };
    if time().is_none() {
        return false;
    }
    let mut zone = rest.get(9..).unwrap_or_default();
    if let Some(fraction) = zone.strip_prefix('.') {
        let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if after.len() == fraction.len() {
            return false;
        }
        zone = after;
    }
    match zone.as_bytes() {
        [] | b"Z" => true,
        [b'+' | b'-', _, _, b':', _, _] => number(zone, 1, 3).is_some() && number(zone, 4, 6).is_some(),
        _ => false,
    }
}

/// The text of a string in double quotes with its escapes replaced. The grammar has let only good ones in,
/// but for numbers that are no character.
pub(super) fn unescape(text: &str) -> Result<String, Complaint> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('f') => out.push('\u{c}'),
            Some('r') => out.push('\r'),
            Some('u') => out.push(character(&mut chars, 4)?),
            Some('U') => out.push(character(&mut chars, 8)?),
            Some(other) => out.push(other),
            None => {}
        }
    }
    Ok(out)
}

fn character(chars: &mut std::str::Chars<'_>, digits: usize) -> Result<char, Complaint> {
    let hex: String = chars.take(digits).collect();
    let character = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
    character.ok_or_else(|| format!("Escaped character '\\u{hex}' is not valid UTF-8."))
}

/// A string in three double quotes: a backslash at the end of a line takes the white space after it away.
pub(super) fn unescape_lines(text: &str) -> Result<String, Complaint> {
    let mut pieces = text.split("\\\n");
    let mut joined = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        joined.push_str(piece.trim_start());
    }
    unescape(without_first_newline(&joined))
}

/// The text after the line break that may follow the opening quotes.
pub(super) fn without_first_newline(text: &str) -> &str {
    text.strip_prefix('\n').unwrap_or(text)
}
