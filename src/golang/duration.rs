//! Go's `time.ParseDuration` and `Duration.String`: `1h30m`, `1.5ms`.
//!
//! Decides which texts are durations, how long they are, and what is said of the others. Facts: the Go 1.25
//! standard library, time/format.go and time/time.go.

use std::fmt::Write;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Its form, or more than 64 bits of nanoseconds.
    #[error("time: invalid duration {}", quoted(.0))]
    Invalid(String),
    /// A number alone.
    #[error("time: missing unit in duration {}", quoted(.0))]
    MissingUnit(String),
    /// A unit that there is not.
    #[error("time: unknown unit {} in duration {}", quoted(unit), quoted(text))]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The text.
        text: String,
    },
}

/// A text in quotes as package `time` has it, which is not as `strconv` has it: what is no printable ASCII by its
/// bytes.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        if !c.is_ascii() || c < ' ' {
            let bytes = c.to_string().into_bytes();
            out.extend(bytes.iter().map(|byte| format!("\\x{byte:02x}")));
        } else {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out.push('"');
    out
}

/// The most nanoseconds, a negative one's included.
const MOST: u64 = 1 << 63;

/// Nanoseconds of a unit.
fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Reads a duration, in nanoseconds.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut total = 0u64;
    while !rest.is_empty() {
        let (whole, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let amount = if whole.is_empty() { Ok(0) } else { whole.parse::<u64>() };
        let amount = amount.ok().filter(|amount| *amount <= MOST).ok_or_else(invalid)?;
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(DurationError::MissingUnit(text.to_owned()));
        }
        let size = nanoseconds(unit)
            .ok_or_else(|| DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() })?;
        // A fraction too fine for any unit adds nothing.
        let part = format!("0.{fraction}0").parse::<f64>().unwrap_or_default() * size as f64;
        let sum = amount.checked_mul(size).and_then(|sum| sum.checked_add(part as u64));
        let sum = sum.and_then(|sum| total.checked_add(sum)).filter(|sum| *sum <= MOST);
        total = sum.ok_or_else(invalid)?;
        rest = after;
    }
    match i64::try_from(total) {
        Ok(total) => Ok(if negative { -total } else { total }),
        Err(_) if negative => Ok(i64::MIN),
        Err(_) => Err(invalid()),
    }
}

/// Go's spelling of so many nanoseconds.
pub fn shown(nanoseconds: i64) -> String {
    let amount = nanoseconds as f64;
    match nanoseconds.unsigned_abs() {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => format!("{}µs", amount / 1e3),
        1_000_000..1_000_000_000 => format!("{}ms", amount / 1e6),
        size => {
            let mut text = String::new();
            let seconds = size / 1_000_000_000;
            if nanoseconds < 0 {
                text.push('-');
            }
            if seconds >= 3600 {
                let _ = write!(text, "{}h", seconds / 3600);
            }
            if seconds >= 60 {
                let _ = write!(text, "{}m", seconds / 60 % 60);
            }
            let _ = write!(text, "{}s", (size % 60_000_000_000) as f64 / 1e9);
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown_as_go_does() {
        for (text, want, again) in [
            ("0", 0, "0s"),
            ("1m30s", 90_000_000_000, "1m30s"),
            ("1.5ms", 1_500_000, "1.5ms"),
            ("-3m", -180_000_000_000, "-3m0s"),
            ("+.5s", 500_000_000, "500ms"),
            ("5.s", 5_000_000_000, "5s"),
            ("1h2m3s4ms5us6µs7ns", 3_723_004_011_007, "1h2m3.004011007s"),
            ("-9223372036854775808ns", i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
            assert_eq!(shown(want), again);
        }
    }

    #[test]
    fn what_is_none_is_told_as_go_does() {
        for (text, why) in [
            ("", "time: invalid duration \"\""),
            ("x", "time: invalid duration \"x\""),
            ("5", "time: missing unit in duration \"5\""),
            ("5d", "time: unknown unit \"d\" in duration \"5d\""),
            (".s", "time: invalid duration \".s\""),
            ("-", "time: invalid duration \"-\""),
            (" 1s", "time: invalid duration \" 1s\""),
            ("999999999h", "time: invalid duration \"999999999h\""),
            ("99999999999999999999", "time: invalid duration \"99999999999999999999\""),
            ("1é\"\n", "time: unknown unit \"\\xc3\\xa9\\\"\\x0a\" in duration \"1\\xc3\\xa9\\\"\\x0a\""),
            ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), why);
        }
    }
}
