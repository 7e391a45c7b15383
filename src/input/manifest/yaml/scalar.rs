//! What a scalar is: YAML 1.1 as go-yaml 2 reads it, and how it comes out in JSON and as a key.
//!
//! Decides which plain scalars are booleans, numbers, nulls and dates (`yes`, `on`, `010`, `1_000`), and
//! what a tag makes of them. Facts: gopkg.in/yaml.v2's resolve.go as sigs.k8s.io/yaml 1.6 carries it, and
//! Go's encoding/json.

use std::borrow::Cow;
use std::fmt::Write;

use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};

use crate::input::manifest::node::{Data, Node};
use crate::input::manifest::text;

/// A scalar with the type that YAML 1.1 gives it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'t> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'t, str>),
}

const STANDARD: &str = "tag:yaml.org,2002:";

/// The type of a scalar: by its tag, by its looks where it is plain.
pub(super) fn resolve<'t>(
    tag: Option<&str>,
    value: &Cow<'t, str>,
    plain: bool,
) -> Result<Scalar<'t>, String> {
    let text = || Scalar::Text(value.clone());
    let kind = match tag {
        None if !plain => return Ok(text()),
        None => "",
        Some(tag) => match tag.strip_prefix(STANDARD) {
            Some("binary") => return binary(value),
            Some(kind @ ("str" | "bool" | "int" | "float" | "null" | "timestamp")) => kind,
            _ => return Ok(text()),
        },
    };
    if kind == "str" {
        return Ok(text());
    }
    let scalar = by_looks(value, kind);
    let found = match &scalar {
        Scalar::Null => "null",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) | Scalar::Uint(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Text(_) if is_timestamp(value) => "timestamp",
        Scalar::Text(_) => "str",
    };
    match (kind, &scalar) {
        ("", _) => Ok(scalar),
        ("float", Scalar::Int(i)) => Ok(Scalar::Float(*i as f64)),
        ("float", Scalar::Uint(u)) => Ok(Scalar::Float(*u as f64)),
        _ if kind == found => Ok(scalar),
        _ => Err(format!("yaml: cannot decode !!{found} `{value}` as a !!{kind}")),
    }
}

fn binary(value: &str) -> Result<Scalar<'static>, String> {
    let compact: String = value.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    // Go does not look at the bits that are left over.
    let lax = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, lax).decode(compact);
    let bytes = bytes.map_err(|_| "yaml: !!binary value contains invalid base64 data".to_owned())?;
    Ok(Scalar::Text(text::lossy(&bytes).into()))
}

fn by_looks<'t>(value: &Cow<'t, str>, kind: &str) -> Scalar<'t> {
    match value.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let text = || Scalar::Text(value.clone());
    match value.as_bytes().first() {
        Some(b'.') => match styled_float(value) {
            Some(float) => Scalar::Float(float),
            None => text(),
        },
        Some(b'+' | b'-' | b'0'..=b'9') => {
            if matches!(kind, "" | "timestamp") && is_timestamp(value) {
                // A date stays the text that it was.
                return text();
            }
            let digits = value.replace('_', "");
            if let Some(int) = integer(&digits) {
                return int;
            }
            styled_float(&digits).map_or_else(text, Scalar::Float)
        }
        _ => text(),
    }
}

/// Go's `strconv.ParseInt(s, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..)?),
        Some(b'+') => (false, text.get(1..)?),
        _ => (false, text),
    };
    let prefix = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match prefix.as_deref() {
        Some("0x") => (16, digits.get(2..)?),
        Some("0o") => (8, digits.get(2..)?),
        Some("0b") => (2, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.chars().next().is_some_and(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    match i64::try_from(value) {
        Ok(int) => Some(Scalar::Int(int)),
        Err(_) if text.starts_with('+') => None,
        Err(_) => u64::try_from(value).ok().map(Scalar::Uint),
    }
}

/// A decimal number as go-yaml's pattern wants it: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn styled_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, Some(unsigned.get(at + 1..)?)),
        None => (unsigned, None),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && all_digits(e)
    });
    let fits = mantissa_fits && exponent_fits;
    fits.then(|| text.parse::<f64>().ok()).flatten().filter(|f| f.is_finite())
}

/// Whether go-yaml would take it for a date (and then keep it as it stands).
fn is_timestamp(value: &str) -> bool {
    let bytes = value.as_bytes();
    let year = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if year != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let number = |text: &str, max: u32| {
        (1..=2).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| n <= max)
    };
    let (date, time) = match value.find(['T', 't', ' ']) {
        Some(at) => (value.get(..at).unwrap_or_default(), value.get(at + 1..)),
        None => (value, None),
    };
    let mut parts = date.split('-').skip(1);
    let (Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    if !number(month, 12) || !number(day, 31) {
        return false;
    }
    let Some(time) = time else { return month.len() == 2 && day.len() == 2 };
    let clock = time.trim_end_matches(['Z', 'z']);
    let clock = clock.find(['+', '-']).and_then(|at| clock.get(..at)).unwrap_or(clock).trim_end();
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let second = second.split('.').next().unwrap_or_default();
    number(hour, 23) && number(minute, 59) && number(second, 59)
}

impl<'t> Scalar<'t> {
    pub(super) fn into_json(self) -> Result<Data<'t>, String> {
        Ok(match self {
            Self::Null => Data::Null,
            Self::Bool(b) => Data::Bool(b),
            Self::Int(i) => Data::Number(i.to_string().into()),
            Self::Uint(u) => Data::Number(u.to_string().into()),
            Self::Float(f) if f.is_nan() => return Err("json: unsupported value: NaN".to_owned()),
            Self::Float(f) if f.is_infinite() => {
                let sign = if f > 0.0 { '+' } else { '-' };
                return Err(format!("json: unsupported value: {sign}Inf"));
            }
            Self::Float(f) => Data::Number(json_float(f).into()),
            Self::Text(text) => Data::String(text),
        })
    }

    /// What a key becomes; `value` is for the message only.
    pub(super) fn into_text(self, value: &Node<'_>) -> Result<Cow<'t, str>, String> {
        Ok(match self {
            Self::Text(text) => text,
            Self::Bool(b) => b.to_string().into(),
            Self::Int(i) => i.to_string().into(),
            Self::Float(f) if f.is_nan() => ".nan".into(),
            Self::Float(f) => key_float(f).into(),
            Self::Null => {
                let value = alone(value);
                return Err(format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {value}"));
            }
            Self::Uint(u) => {
                let value = alone(value);
                return Err(format!("unsupported map key of type: uint64, key: {u:#x}, value: {value}"));
            }
        })
    }
}

/// A float as Go's encoding/json writes it.
fn json_float(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return if size < 1.0 { text } else { text.replace('e', "e+") };
    }
    format!("{float}")
}

/// A float as Go's `FormatFloat(f, 'g', -1, 32)` writes it: what a float key becomes.
fn key_float(float: f64) -> String {
    #[allow(clippy::cast_possible_truncation)]
    let short = float as f32;
    if short.is_infinite() {
        return (if short > 0.0 { ".inf" } else { "-.inf" }).to_owned();
    }
    let scientific = format!("{short:e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    if short != 0.0 && !(-4..6).contains(&exponent) {
        let mantissa = scientific.split('e').next().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{short}")
}

/// The same where it stands alone: Go has two spellings of nothing.
fn alone(node: &Node<'_>) -> String {
    if node.data == Data::Null { "<nil>".to_owned() } else { in_go(node) }
}

/// A value in the spelling of Go's `%#v`.
pub(super) fn in_go(node: &Node<'_>) -> String {
    match &node.data {
        Data::Null => "interface {}(nil)".to_owned(),
        Data::Bool(b) => b.to_string(),
        Data::Number(text) => text.to_string(),
        Data::String(text) => format!("{text:?}"),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(in_go).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Data::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|e| (&e.key, &e.value)).collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            let mut text = "map[interface {}]interface {}{".to_owned();
            for (index, (key, value)) in entries.into_iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}{key:?}:{}", in_go(value));
            }
            text + "}"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Data<'_> {
        by_looks(&text.into(), "").into_json().unwrap_or(Data::String("unsupported".into()))
    }

    #[test]
    fn plain_scalars_follow_yaml_1_1() {
        let number = |t: &'static str| Data::Number(t.into());
        for (text, want) in [
            ("8", number("8")),
            ("010", number("8")),
            ("0o10", number("8")),
            ("0x1f", number("31")),
            ("0b11", number("3")),
            ("1_000", number("1000")),
            ("+1", number("1")),
            ("-1", number("-1")),
            ("1e3", number("1000")),
            (".5", number("0.5")),
            ("1.", number("1")),
            ("08", number("8")),
            ("12345678901234567890", number("12345678901234567890")),
            ("1e21", number("1e+21")),
            ("1e-7", number("1e-7")),
            ("yes", Data::Bool(true)),
            ("Off", Data::Bool(false)),
            ("~", Data::Null),
            (".inf", Data::String("unsupported".into())),
        ] {
            assert_eq!(value(text), want, "{text}");
        }
        for text in [
            "tRue",
            "4Gi",
            "2024-01-01",
            "12:30:45",
            "a=b",
            "-",
            "+",
            ".",
            "1e",
            "0x",
            "<<",
            "nil",
            "1.2.3",
            "-x",
        ] {
            assert_eq!(value(text), Data::String(text.into()), "{text}");
        }
    }
}
