//! Kubernetes quantities: `500m`, `1.5Gi`, `1e3`.
//!
//! Decides how a text becomes an amount, with the two inner forms that the real one has, because what
//! does not fit an int64 comes out differently in each (k8s.io/apimachinery pkg/api/resource at 0.36).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// Why a text is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Its looks.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// Its number.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// Its suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// How it is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `1e3`
    Exponent,
    /// `1Gi`
    Binary,
    /// `1G`
    Decimal,
}

/// The two ways in which an amount is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    /// `value * 10^scale`
    Small { value: i64, scale: i32 },
    /// Billionths; what 128 bits cannot hold is held at the edge.
    Wide(i128),
}

/// The text that a quantity was read from, where the API server repeats it instead of respelling it.
/// Longer ones (they have leading zeros) are respelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spelling {
    bytes: [u8; 22],
    length: u8,
}

impl Spelling {
    const NONE: Self = Self { bytes: [0; 22], length: 0 };

    fn of(text: &str) -> Self {
        let mut spelling = Self::NONE;
        let (Some(room), Ok(length)) = (spelling.bytes.get_mut(..text.len()), u8::try_from(text.len()))
        else {
            return Self::NONE;
        };
        room.copy_from_slice(text.as_bytes());
        spelling.length = length;
        spelling
    }

    fn text(&self) -> Option<&str> {
        let text = self.bytes.get(..usize::from(self.length))?;
        std::str::from_utf8(text).ok().filter(|text| !text.is_empty())
    }
}

/// An amount of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    spelling: Spelling,
}

const NANO: i32 = -9;
/// Decimal digits that surely fit an int64.
const SAFE_DIGITS: i32 = 18;

fn ten_to(power: u32) -> Option<i128> {
    10i128.checked_pow(power)
}

/// The parts of a text: sign, digits before and behind the point, suffix.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    // Letters, a sign, digits; nothing behind them.
    let is_letter = |b: &u8| {
        matches!(b, b'e' | b'E' | b'i' | b'n' | b'u' | b'm' | b'k' | b'K' | b'M' | b'G' | b'T' | b'P')
    };
    let letters = suffix.bytes().take_while(is_letter).count();
    let tail = suffix.get(letters..).unwrap_or_default();
    let tail = tail.strip_prefix(['+', '-']).unwrap_or(tail);
    if !tail.bytes().all(|b| b.is_ascii_digit()) {
        return Err(QuantityError::Format);
    }
    let trimmed = whole.trim_start_matches('0');
    Ok(Parts { negative, whole: if trimmed.is_empty() { "0" } else { trimmed }, fraction, suffix })
}

/// Base, exponent and format of a suffix.
fn interpret(suffix: &str) -> Option<(u32, i32, Format)> {
    let known = match suffix {
        "n" => (10, -9),
        "u" => (10, -6),
        "m" => (10, -3),
        "" => (10, 0),
        "k" => (10, 3),
        "M" => (10, 6),
        "G" => (10, 9),
        "T" => (10, 12),
        "P" => (10, 15),
        "E" => (10, 18),
        "Ki" => (2, 10),
        "Mi" => (2, 20),
        "Gi" => (2, 30),
        "Ti" => (2, 40),
        "Pi" => (2, 50),
        "Ei" => (2, 60),
        _ => (0, 0),
    };
    match known {
        (10, exponent) => return Some((10, exponent, Format::Decimal)),
        (2, exponent) => return Some((2, exponent, Format::Binary)),
        _ => {}
    }
    let exponent = suffix.strip_prefix(['e', 'E']).filter(|e| !e.is_empty())?;
    let exponent: i64 = exponent.parse().ok()?;
    #[allow(clippy::cast_possible_truncation)] // as the real one does
    Some((10, exponent as i32, Format::Exponent))
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self {
        amount: Amount::Small { value: 0, scale: 0 },
        format: Format::Decimal,
        spelling: Spelling::NONE,
    };

    /// Reads a quantity out of JSON, where blanks around it do not count. Control characters do: there they
    /// are written as escapes.
    pub fn from_json(text: &str) -> Result<Self, QuantityError> {
        let blank =
            |c: char| c.is_whitespace() && !c.is_ascii_control() && !matches!(c, '\u{2028}' | '\u{2029}');
        // Mostly there are none.
        let ends = [text.as_bytes().first(), text.as_bytes().last()];
        let bare = ends.into_iter().flatten().all(u8::is_ascii_graphic);
        Self::parse(if bare { text } else { text.trim_matches(blank) })
    }

    /// Reads a quantity.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let parts = split(text)?;
        let (base, exponent, format) = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
        let length = |s: &str| i32::try_from(s.len()).unwrap_or(i32::MAX / 4);
        let (scale, mantissa, room) = if base == 10 {
            (exponent, 1i64, SAFE_DIGITS - length(parts.whole) - length(parts.fraction))
        } else if parts.fraction.is_empty() {
            #[allow(clippy::cast_possible_truncation)]
            let room = 15 - length(parts.whole) - (f64::from(exponent) * 3.0 / 10.0) as i32 - 1;
            (0, 1i64 << exponent, room)
        } else {
            (0, 1, -1)
        };
        let small_scale = scale.saturating_sub(length(parts.fraction));
        if room >= 0 && small_scale >= NANO {
            let digits = match parts.fraction {
                "" => Cow::Borrowed(parts.whole),
                fraction => Cow::Owned(format!("{}{fraction}", parts.whole)),
            };
            let value: i64 = digits.parse().map_err(|_| QuantityError::Numeric)?;
            if let Some(amount) = value.checked_mul(mantissa) {
                let kept = match format {
                    Format::Binary => value & 7 != 0,
                    _ => small_scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0'),
                };
                let spelling = if kept { Spelling::of(text) } else { Spelling::NONE };
                let value = if parts.negative { -amount } else { amount };
                return Ok(Self { amount: Amount::Small { value, scale: small_scale }, format, spelling });
            }
        }
        // Only there the number that is written counts, and not the 0 that stands for none.
        let number = text.len() - parts.suffix.len();
        if !text.bytes().take(number).any(|byte| byte.is_ascii_digit()) {
            return Err(QuantityError::Numeric);
        }
        Ok(Self::wide(&parts, base, exponent, format))
    }

    fn wide(parts: &Parts<'_>, base: u32, exponent: i32, format: Format) -> Self {
        let digits = format!("{}{}", parts.whole, parts.fraction);
        let unscaled: i128 = digits.parse().unwrap_or(i128::MAX);
        let fraction = i32::try_from(parts.fraction.len()).unwrap_or(i32::MAX / 4);
        let (unscaled, power) = if base == 2 {
            (unscaled.saturating_mul(1i128 << exponent), -NANO - fraction)
        } else {
            (unscaled, exponent.saturating_sub(fraction).saturating_sub(NANO))
        };
        // Billionths, rounded away from zero: whoever wants some gets some.
        let mut nano = match u32::try_from(power) {
            Ok(power) => ten_to(power)
                .map_or(if unscaled == 0 { 0 } else { i128::MAX }, |t| unscaled.saturating_mul(t)),
            Err(_) => {
                let divisor = ten_to(power.unsigned_abs()).unwrap_or(i128::MAX);
                unscaled / divisor + i128::from(unscaled % divisor != 0)
            }
        };
        let most = i128::from(i64::MAX) * 1_000_000_000;
        let mut format = format;
        if format == Format::Binary {
            nano = nano.min(most);
            if nano > 0 && nano < 1_000_000_000 {
                format = Format::Decimal;
            }
        }
        let amount = Amount::Wide(if parts.negative { -nano } else { nano });
        Self { amount, format, spelling: Spelling::NONE }
    }

    /// Billionths, for comparisons.
    fn nano(self) -> i128 {
        match self.amount {
            Amount::Wide(nano) => nano,
            Amount::Small { value, scale } => {
                let value = i128::from(value);
                match u32::try_from(scale - NANO).ok().and_then(ten_to) {
                    Some(factor) => value.saturating_mul(factor),
                    None if value == 0 => 0,
                    None => i128::MAX * value.signum(),
                }
            }
        }
    }

    /// The amount in units of `10^scale`, rounded away from zero, wrapped or zeroed as the real one does.
    fn scaled(self, scale: i32) -> i64 {
        match self.amount {
            Amount::Small { value, scale: own } if own < scale => {
                let divisor = ten_to((scale - own).unsigned_abs()).unwrap_or(i128::MAX);
                let value = i128::from(value);
                let rounded = value / divisor + (value % divisor).signum();
                i64::try_from(rounded).unwrap_or(0)
            }
            Amount::Small { value, scale: own } => {
                let factor = ten_to((own - scale).unsigned_abs());
                let product = factor.and_then(|f| i128::from(value).checked_mul(f));
                product.and_then(|p| i64::try_from(p).ok()).unwrap_or(0)
            }
            Amount::Wide(nano) => {
                let divisor = ten_to((scale - NANO).unsigned_abs()).unwrap_or(i128::MAX);
                let rounded = nano / divisor + (nano % divisor).signum();
                #[allow(clippy::cast_possible_truncation)] // the low 64 bits are what comes out
                let wrapped = rounded as i64;
                wrapped
            }
        }
    }

    /// Whole units, rounded up.
    pub fn value(self) -> i64 {
        self.scaled(0)
    }

    /// Thousandths, rounded up.
    pub fn milli(self) -> i64 {
        self.scaled(-3)
    }

    /// Rounded up to thousandths, which the API server does to every quantity it stores.
    #[must_use]
    pub fn rounded_to_milli(self) -> Self {
        let amount = match self.amount {
            Amount::Small { scale, .. } if scale >= -3 => return self,
            Amount::Small { .. } => Amount::Small { value: self.milli(), scale: -3 },
            Amount::Wide(nano) => {
                Amount::Wide((nano / 1_000_000 + (nano % 1_000_000).signum()).saturating_mul(1_000_000))
            }
        };
        Self { amount, format: self.format, spelling: Spelling::NONE }
    }

    /// Less than nothing.
    pub fn is_negative(self) -> bool {
        match self.amount {
            Amount::Small { value, .. } => value < 0,
            Amount::Wide(nano) => nano < 0,
        }
    }

    /// More than nothing.
    pub fn is_positive(self) -> bool {
        !self.is_negative() && !self.is_zero()
    }

    /// Nothing.
    pub fn is_zero(self) -> bool {
        match self.amount {
            Amount::Small { value, .. } => value == 0,
            Amount::Wide(nano) => nano == 0,
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if let (Amount::Small { value: a, scale: s }, Amount::Small { value: b, scale: t }) =
            (self.amount, other.amount)
        {
            if a == 0 {
                return Self { spelling: Spelling::NONE, ..other };
            }
            let scale = if b == 0 { s } else { s.min(t) };
            let up = |value: i64, own: i32| {
                let factor = 10i64.checked_pow((own - scale).unsigned_abs())?;
                value.checked_mul(factor)
            };
            let b = if b == 0 { Some(0) } else { up(b, t) };
            if let (Some(a), Some(b)) = (up(a, s), b)
                && let Some(value) = a.checked_add(b)
            {
                let amount = Amount::Small { value, scale };
                return Self { amount, format: self.format, spelling: Spelling::NONE };
            }
        }
        let format = if self.is_zero() { other.format } else { self.format };
        let amount = Amount::Wide(self.nano().saturating_add(other.nano()));
        Self { amount, format, spelling: Spelling::NONE }
    }

    /// The larger of two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        if other.exceeds(self) { other } else { self }
    }

    /// Whether it is more than `other`.
    pub fn exceeds(self, other: Self) -> bool {
        self.compared(other).is_gt()
    }

    /// Whether both are the same amount.
    pub fn equals(self, other: Self) -> bool {
        self.compared(other).is_eq()
    }

    fn compared(self, other: Self) -> Ordering {
        match (self.amount, other.amount) {
            (Amount::Small { value: a, scale: s }, Amount::Small { value: b, scale: t }) if s == t => {
                a.cmp(&b)
            }
            _ => self.nano().cmp(&other.nano()),
        }
    }

    /// Whether it is a whole multiple of `size`, which is positive.
    pub fn is_multiple_of(self, size: Self) -> bool {
        let (value, size) = (self.value(), size.value());
        size > 0 && value % size == 0
    }
}

/// Its own spelling where that is kept, else the canonical one: the largest suffix that loses nothing.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.spelling.text() {
            return f.write_str(text);
        }
        let nano = self.nano();
        const UNIT: i128 = 1_000_000_000;
        if self.format == Format::Binary && nano % UNIT == 0 && nano.abs() >= 1024 * UNIT {
            let mut value = nano / UNIT;
            let mut suffix = "";
            for larger in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
                if value % 1024 != 0 {
                    break;
                }
                value /= 1024;
                suffix = larger;
            }
            return write!(f, "{value}{suffix}");
        }
        if nano == 0 {
            return f.write_str("0");
        }
        let (mut value, mut exponent) = (nano, NANO);
        while value % 1000 == 0 && exponent < 18 {
            value /= 1000;
            exponent += 3;
        }
        match (self.format, exponent) {
            (_, 0) => write!(f, "{value}"),
            (Format::Exponent, exponent) => write!(f, "{value}e{exponent}"),
            (_, exponent) => {
                let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
                let index = usize::try_from((exponent - NANO) / 3).unwrap_or_default();
                write!(f, "{value}{}", suffix.get(index).copied().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn bytes_come_out_as_kubernetes_has_them() {
        for (text, want) in [
            ("1Gi", 1 << 30),
            ("1.5Gi", 3 << 29),
            ("129e6", 129_000_000),
            ("1500m", 2),
            ("1n", 1),
            ("1.1", 2),
            ("Gi", 0),
            (".5Mi", 1 << 19),
            ("5.Mi", 5 << 20),
            ("0.0001Ki", 1),
            ("010", 10),
            ("+2", 2),
            ("10E", 0),
            ("9E", 9_000_000_000_000_000_000),
            ("8Ei", i64::MAX),
            ("16Ei", i64::MAX),
            ("7Ei", 7 << 60),
            ("1234567890123456789012", -1_363_962_815_083_169_260),
            ("9223372036854775808", i64::MIN),
            ("9223372036854775807.5", i64::MIN),
            ("1e30", 0),
        ] {
            assert_eq!(of(text).value(), want, "{text}");
        }
        assert_eq!(of("7Ei").plus(of("7Ei")).value(), -2_305_843_009_213_693_952);
    }

    #[test]
    fn faults_are_of_three_kinds() {
        for text in ["", "1g", "1gb", "1MB", "1 Gi", "1,5Gi", "0x10", "inf", "1e3Mi", "2cores", "1_000"] {
            assert_eq!(Quantity::parse(text), Err(QuantityError::Format), "{text}");
        }
        for text in ["1K", "1ki", "1e", "100Mii", "1i"] {
            assert_eq!(Quantity::parse(text), Err(QuantityError::Suffix), "{text}");
        }
        for text in ["Pi", "-.Ei", "e-10", "+e-100"] {
            assert_eq!(Quantity::parse(text), Err(QuantityError::Numeric), "{text}");
        }
    }

    #[test]
    fn the_spelling_is_canonical() {
        for (text, want) in [
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("777Ki", "777Ki"),
            ("0.5", "500m"),
            ("1500", "1500"),
            ("2000", "2k"),
            ("100u", "100u"),
            ("1e3", "1e3"),
            ("-1Gi", "-1Gi"),
            ("1e0", "1e0"),
            ("1E-3", "1E-3"),
            ("1e4", "10e3"),
            ("+1Gi", "+1Gi"),
            ("1.500", "1.500"),
            ("2.5", "2500m"),
            ("1.5Gi", "1536Mi"),
            ("0", "0"),
        ] {
            assert_eq!(of(text).to_string(), want, "{text}");
        }
        assert_eq!(of("100u").rounded_to_milli().to_string(), "1m");
        assert_eq!(of("+1").rounded_to_milli().to_string(), "+1");
        assert_eq!(of("1e0").plus(of("10m")).to_string(), "1010e-3");
        assert_eq!(Quantity::from_json(" 1Gi ").map(|q| q.value()), Ok(1 << 30));
        assert_eq!(Quantity::from_json("1\n"), Err(QuantityError::Format));
    }
}
