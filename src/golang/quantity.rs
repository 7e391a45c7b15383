//! Kubernetes quantities, as far as `sgx.intel.com/epc` needs them: which have a binary suffix, and the
//! number of bytes that the runtime gets out of them.
//!
//! Facts: k8s.io/apimachinery pkg/api/resource (`ParseQuantity`, `AsInt64`). Whatever leaves its fast path
//! (a fraction, Pi, Ei, many digits) comes out as 0.

/// Why a text is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No quantity: the words of the parser.
    Parse(&'static str),
    /// A quantity without a binary suffix.
    Format,
}

const WRONG_FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_SUFFIX: &str = "unable to parse quantity's suffix";

/// The bytes of a quantity with a binary suffix.
pub fn binary_bytes(text: &str) -> Result<i64, Refused> {
    if text.is_empty() {
        return Err(Refused::Parse(WRONG_FORMAT));
    }
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits_end = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = rest.split_at(digits_end(rest));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits_end(rest)),
        None => ("", rest),
    };
    // The suffix: letters, then perhaps a sign and digits.
    let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let tail = letters.strip_prefix(['-', '+']).unwrap_or(letters);
    if !tail.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refused::Parse(WRONG_FORMAT));
    }
    let exponent = match suffix {
        "Ki" => 10u32,
        "Mi" => 20,
        "Gi" => 30,
        "Ti" => 40,
        "Pi" => 50,
        "Ei" => 60,
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" => return Err(Refused::Format),
        _ => {
            let power = suffix.strip_prefix(['e', 'E']).filter(|p| !p.is_empty());
            let is_number = power.is_some_and(|p| crate::golang::strconv::parse_int(p, 10).is_ok());
            return Err(if is_number { Refused::Format } else { Refused::Parse(WRONG_SUFFIX) });
        }
    };
    let number = whole.trim_start_matches('0');
    let number = if number.is_empty() { "0" } else { number };
    let room = 14 - number.len() as i64 - i64::from(exponent * 3 / 10);
    if !fraction.is_empty() || room < 0 {
        return Ok(0);
    }
    let value = number.parse::<i64>().ok().and_then(|v| v.checked_mul(1 << exponent)).unwrap_or(0);
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_whole_numbers_count() {
        assert_eq!(binary_bytes("4Mi"), Ok(4 << 20));
        assert_eq!(binary_bytes("1.5Gi"), Ok(0));
        assert_eq!(binary_bytes("1Pi"), Ok(0));
        assert_eq!(binary_bytes("99Ti"), Ok(99 << 40));
        assert_eq!(binary_bytes("100Ti"), Ok(0));
        assert_eq!(binary_bytes("-2Ki"), Ok(-2048));
        for text in ["4M", "0", "4", "1000m", "4e3"] {
            assert_eq!(binary_bytes(text), Err(Refused::Format), "{text}");
        }
        for text in ["", "abc", "4 Mi"] {
            assert_eq!(binary_bytes(text), Err(Refused::Parse(WRONG_FORMAT)), "{text}");
        }
        assert_eq!(binary_bytes("4mi"), Err(Refused::Parse(WRONG_SUFFIX)));
    }
}
