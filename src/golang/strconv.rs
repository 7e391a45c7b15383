//! How Go reads numbers and booleans, and how it quotes text in its messages.
//!
//! Decides what `strconv` accepts and the words of its errors; knows nothing of Kata. Both Go
//! releases read annotations through these rules. Facts: package strconv of Go 1.25 and 1.16 (their
//! behaviour is the same here), and `strings.Fields`.

use std::borrow::Cow;
use std::fmt;

/// Why a number was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumError {
    /// `ParseUint`, ...
    pub function: &'static str,
    /// The text, as given.
    pub text: String,
    /// What is wrong with it.
    pub kind: NumErrorKind,
}

/// The two errors of `strconv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumErrorKind {
    /// Not a number at all.
    Syntax,
    /// A number that does not fit.
    Range,
}

impl fmt::Display for NumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            NumErrorKind::Syntax => "invalid syntax",
            NumErrorKind::Range => "value out of range",
        };
        write!(f, "strconv.{}: parsing {}: {what}", self.function, quote(&self.text))
    }
}

impl std::error::Error for NumError {}

/// `strconv.ParseBool`: twelve spellings, nothing trimmed.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The digits after an optional base prefix, and that base. Base 0 only.
fn prefixed(text: &str) -> (u64, &str) {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'0') {
        return (10, text);
    }
    let rest = |n: usize| text.get(n..).unwrap_or("");
    match bytes.get(1).map(u8::to_ascii_lowercase) {
        Some(b'b') if bytes.len() >= 3 => (2, rest(2)),
        Some(b'o') if bytes.len() >= 3 => (8, rest(2)),
        Some(b'x') if bytes.len() >= 3 => (16, rest(2)),
        _ => (8, rest(1)),
    }
}

/// Whether underscores stand only between digits, or between a base prefix and a digit.
fn underscores_ok(text: &str) -> bool {
    let mut bytes = text.as_bytes();
    if let [b'+' | b'-', rest @ ..] = bytes {
        bytes = rest;
    }
    let mut seen = b'^';
    let mut hex = false;
    if let [b'0', b, rest @ ..] = bytes {
        let base = b.to_ascii_lowercase();
        if matches!(base, b'b' | b'o' | b'x') {
            bytes = rest;
            seen = b'0';
            hex = base == b'x';
        }
    }
    for b in bytes {
        if b.is_ascii_digit() || (hex && b.is_ascii_hexdigit()) {
            seen = b'0';
        } else if *b == b'_' {
            if seen != b'0' {
                return false;
            }
            seen = b'_';
        } else {
            if seen == b'_' {
                return false;
            }
            seen = b'!';
        }
    }
    seen != b'_'
}

fn digits(text: &str, base: u32, bits: u32) -> Result<u64, NumErrorKind> {
    let (radix, digits) = if base == 0 { prefixed(text) } else { (u64::from(base), text) };
    if text.is_empty() {
        return Err(NumErrorKind::Syntax);
    }
    let most = if bits >= 64 { u64::MAX } else { (1u64 << bits) - 1 };
    // Nearly all numbers are decimal, and so few digits fit whatever they are.
    if base == 10 && text.len() < 20 {
        let next = |value: u64, b: u8| b.is_ascii_digit().then(|| value * 10 + u64::from(b - b'0'));
        if let Some(value) = text.bytes().try_fold(0, next).filter(|value| *value <= most) {
            return Ok(value);
        }
    }
    let mut value: u64 = 0;
    let mut underscores = false;
    for b in digits.bytes() {
        if b == b'_' && base == 0 {
            underscores = true;
            continue;
        }
        let digit = match b {
            b'0'..=b'9' => b - b'0',
            b'a'..=b'z' => b - b'a' + 10,
            b'A'..=b'Z' => b - b'A' + 10,
            _ => return Err(NumErrorKind::Syntax),
        };
        if u64::from(digit) >= radix {
            return Err(NumErrorKind::Syntax);
        }
        value = match value.checked_mul(radix).and_then(|value| value.checked_add(digit.into())) {
            Some(value) if value <= most => value,
            _ => return Err(NumErrorKind::Range),
        };
    }
    if underscores && !underscores_ok(text) {
        return Err(NumErrorKind::Syntax);
    }
    Ok(value)
}

/// `strconv.ParseUint`; base 0 allows prefixes and underscores. No sign.
pub fn parse_uint(text: &str, base: u32, bits: u32) -> Result<u64, NumError> {
    digits(text, base, bits).map_err(|kind| NumError { function: "ParseUint", text: text.to_owned(), kind })
}

/// `strconv.ParseInt` for 64 bits.
pub fn parse_int(text: &str, base: u32) -> Result<i64, NumError> {
    let error = |kind| NumError { function: "ParseInt", text: text.to_owned(), kind };
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or("")),
        Some(b'+') => (false, text.get(1..).unwrap_or("")),
        _ => (false, text),
    };
    let size = digits(rest, base, 64).map_err(error)?;
    let value = if negative { 0i64.checked_sub_unsigned(size) } else { 0i64.checked_add_unsigned(size) };
    value.ok_or_else(|| error(NumErrorKind::Range))
}

/// `strconv.Atoi`: a decimal `ParseInt` under its own name.
pub fn atoi(text: &str) -> Result<i64, NumError> {
    parse_int(text, 10).map_err(|e| NumError { function: "Atoi", ..e })
}

/// `strconv.ParseFloat(text, 32)`: the nearest single, `inf` and `nan` included.
pub fn parse_float32(text: &str) -> Result<f32, NumError> {
    let error = |kind| NumError { function: "ParseFloat", text: text.to_owned(), kind };
    if let Some(special) = special_float(text) {
        return Ok(special);
    }
    let plain: Cow<'_, str> = match text.as_bytes().contains(&b'_') {
        true if !underscores_ok(text) => return Err(error(NumErrorKind::Syntax)),
        true => text.replace('_', "").into(),
        false => text.into(),
    };
    let (negative, body) = match plain.as_bytes().first() {
        Some(b'-') => (true, plain.get(1..).unwrap_or("")),
        Some(b'+') => (false, plain.get(1..).unwrap_or("")),
        _ => (false, &*plain),
    };
    if body.starts_with(['+', '-']) {
        return Err(error(NumErrorKind::Syntax));
    }
    let is_hex = body.len() > 2 && body.get(..2).is_some_and(|p| p.eq_ignore_ascii_case("0x"));
    let size = if is_hex {
        hex_float32(body.get(2..).unwrap_or(""))
    } else if body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) {
        body.parse::<f32>().ok()
    } else {
        None
    };
    let size = size.ok_or_else(|| error(NumErrorKind::Syntax))?;
    if size.is_infinite() {
        return Err(error(NumErrorKind::Range));
    }
    Ok(if negative { -size } else { size })
}

/// `inf`, `infinity` with a sign, `nan` without; any letter case.
fn special_float(text: &str) -> Option<f32> {
    if text.eq_ignore_ascii_case("nan") {
        return Some(f32::NAN);
    }
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, text.get(1..)?),
        Some(b'+') => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    (rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity"))
        .then_some(sign * f32::INFINITY)
}

/// The part after `0x`: hexadecimal digits with at most one point, and an exponent that must be there.
fn hex_float32(body: &str) -> Option<f32> {
    let at = body.find(['p', 'P'])?;
    let (mantissa, exponent) = (body.get(..at)?, body.get(at + 1..)?);
    let (sign, exponent) = match exponent.as_bytes().first() {
        Some(b'-') => (-1, exponent.get(1..)?),
        Some(b'+') => (1, exponent.get(1..)?),
        _ => (1, exponent),
    };
    if exponent.is_empty() || !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Exponents beyond this are all the same: zero or too big.
    let mut power =
        exponent.bytes().fold(0i64, |e, b| if e < 10_000 { e * 10 + i64::from(b - b'0') } else { e });
    power *= sign;
    let (mut bits, mut sticky, mut any, mut point): (u64, bool, bool, bool) = (0, false, false, false);
    for b in mantissa.bytes() {
        if b == b'.' {
            if point {
                return None;
            }
            point = true;
            continue;
        }
        let digit = u64::from((b as char).to_digit(16)?);
        any = true;
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            power -= if point { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            power += if point { 0 } else { 4 };
        }
    }
    any.then(|| round_to_f32(bits, sticky, power))
}

/// `bits * 2^power` (and a little more if `sticky`) to the nearest single, ties to even.
fn round_to_f32(bits: u64, sticky: bool, power: i64) -> f32 {
    if bits == 0 {
        return 0.0;
    }
    let length = 64 - i64::from(bits.leading_zeros());
    // The exponent of the last bit kept: 24 significant bits, fewer below the normal range.
    let last = (length + power - 24).max(-149);
    let drop = last - power;
    let kept = if drop <= 0 {
        bits << (-drop).min(63)
    } else if drop > 64 {
        0
    } else {
        let wide = u128::from(bits);
        let half = 1u128 << (drop - 1);
        let rest = wide & ((1u128 << drop) - 1);
        let kept = (wide >> drop) as u64;
        let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
        kept + u64::from(up)
    };
    // At most 25 bits now: exact in a double, and so is the scaling within its range.
    if last > 200 {
        return f32::INFINITY;
    }
    (kept as f64 * 2f64.powi(last as i32)) as f32
}

/// Whether Go prints this character as it is inside quotes.
fn is_printable(c: char) -> bool {
    // Rust escapes exactly the unprintable ones after the first character of a string.
    c.is_ascii_graphic() || c == ' ' || {
        let mut text = String::from("a");
        text.push(c);
        text.escape_debug().skip(1).eq(std::iter::once(c))
    }
}

fn push_quoted(out: &mut String, c: char, quote: char, ascii: bool) {
    use fmt::Write;
    if c == quote || c == '\\' {
        out.push('\\');
        out.push(c);
        return;
    }
    if if ascii { c.is_ascii_graphic() || c == ' ' } else { is_printable(c) } {
        out.push(c);
        return;
    }
    let escape = match c {
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        _ => "",
    };
    let code = u32::from(c);
    // Writing to a string cannot fail.
    let _ = match code {
        _ if !escape.is_empty() => write!(out, "{escape}"),
        0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
        0..0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// `%q` of a string.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    text.chars().for_each(|c| push_quoted(&mut out, c, '"', false));
    out.push('"');
    out
}

/// `%+q` of a string: only ASCII comes out.
pub fn quote_ascii(text: &str) -> String {
    let mut out = String::from('"');
    text.chars().for_each(|c| push_quoted(&mut out, c, '"', true));
    out.push('"');
    out
}

/// `%q` of a character.
pub fn quote_char(c: char) -> String {
    let mut out = String::from('\'');
    push_quoted(&mut out, c, '\'', false);
    out.push('\'');
    out
}

/// `strings.Fields`: the pieces between runs of white space (Unicode's, as Go counts it).
pub fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace()).filter(|piece| !piece.is_empty())
}

/// `%v` of a list of strings: `[a b c]`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_strconv_does() {
        assert_eq!(parse_uint("18446744073709551615", 10, 64), Ok(u64::MAX));
        assert_eq!(parse_uint("18446744073709551616", 10, 64).map_err(|e| e.kind), Err(NumErrorKind::Range));
        assert_eq!(parse_uint("4294967296", 10, 32).map_err(|e| e.kind), Err(NumErrorKind::Range));
        assert_eq!(parse_uint("+1", 10, 64).map_err(|e| e.kind), Err(NumErrorKind::Syntax));
        assert_eq!(parse_uint("1_000", 10, 64).map_err(|e| e.kind), Err(NumErrorKind::Syntax));
        assert_eq!(parse_uint("0x_ff", 0, 64), Ok(255));
        assert_eq!(parse_uint("017", 0, 64), Ok(15));
        assert_eq!(parse_uint("1__0", 0, 64).map_err(|e| e.kind), Err(NumErrorKind::Syntax));
        assert_eq!(parse_int("-9223372036854775808", 10), Ok(i64::MIN));
        assert_eq!(
            parse_uint("a\"b", 10, 64).map_err(|e| e.to_string()),
            Err("strconv.ParseUint: parsing \"a\\\"b\": invalid syntax".to_owned())
        );
    }

    #[test]
    fn floats_come_in_all_of_gos_spellings() {
        assert_eq!(parse_float32("0x1p-2"), Ok(0.25));
        assert_eq!(parse_float32("0x1.8p1"), Ok(3.0));
        assert_eq!(parse_float32("0x10").map_err(|e| e.kind), Err(NumErrorKind::Syntax));
        assert_eq!(parse_float32("1e39").map_err(|e| e.kind), Err(NumErrorKind::Range));
        assert_eq!(parse_float32("-Infinity"), Ok(f32::NEG_INFINITY));
        assert!(parse_float32("nan").is_ok_and(f32::is_nan));
        assert!(parse_float32("+nan").is_err());
        assert_eq!(parse_float32("0x1p-149"), Ok(f32::from_bits(1)));
        assert_eq!(parse_float32("1_0e1_0"), Ok(1e11));
        assert!(parse_float32("1_e5").is_err());
        assert_eq!(parse_float32("0x1.8p-150"), Ok(f32::from_bits(1)));
        assert_eq!(parse_float32("0x1.ffffffp127").map_err(|e| e.kind), Err(NumErrorKind::Range));
        assert_eq!(parse_float32("0x1.000001p0"), Ok(1.0));
        assert_eq!(parse_float32("0x1.000003p0"), Ok(1.000_000_2));
    }

    #[test]
    fn quoting_is_gos() {
        assert_eq!(quote("a\"\u{7f}\u{200b}é"), "\"a\\\"\\x7f\\u200bé\"");
        assert_eq!(quote_ascii("é"), "\"\\u00e9\"");
        assert_eq!(quote_char('\n'), "'\\n'");
        assert_eq!(fields(" a\u{a0}b\tc ").collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
