//! Which texts are dates and times: RFC 3339 with optional parts, every number with all its digits.
//!
//! The value itself is not kept: no key of Kata wants one. Facts: `valueDatetime` in parse.go of
//! github.com/BurntSushi/toml 1.6.0, and Go's time.Parse.

/// Whether the text (already with `T` and `Z` in capitals) is a date, a time, or both.
pub(super) fn is_valid(text: &str, without_seconds: bool) -> bool {
    let (date, rest) = match text.split_once('T') {
        Some((date, time)) => (Some(date), Some(time)),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    if date.is_some_and(|d| !is_date(d)) {
        return false;
    }
    let Some(rest) = rest else { return true };
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => (rest.get(..at).unwrap_or(""), rest.get(at..)),
        None => (rest, None),
    };
    is_time(time, without_seconds) && offset.is_none_or(|o| date.is_some() && is_offset(o))
}

fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn is_date(text: &str) -> bool {
    let pieces: Vec<&str> = text.split('-').collect();
    let &[year, month, day] = pieces.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

fn is_time(text: &str, without_seconds: bool) -> bool {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let pieces: Vec<&str> = clock.split(':').collect();
    let in_range = |text: &str, below: u32| number(text, 2).is_some_and(|n| n < below);
    let seconds = match *pieces.as_slice() {
        [hour, minute] if without_seconds => in_range(hour, 24) && in_range(minute, 60) && fraction.is_none(),
        [hour, minute, second] => in_range(hour, 24) && in_range(minute, 60) && in_range(second, 60),
        _ => false,
    };
    seconds && fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()))
}

fn is_offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some((hour, minute)) = text.strip_prefix(['+', '-']).and_then(|t| t.split_once(':')) else {
        return false;
    };
    number(hour, 2).is_some_and(|h| h <= 24) && number(minute, 2).is_some_and(|m| m <= 60)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn dates_need_all_their_digits() {
        for good in
            ["2020-02-29", "2020-01-02T03:04:05.123Z", "2020-01-02T03:04+01:00", "03:04", "03:04:05.1"]
        {
            assert!(is_valid(good, true), "{good}");
        }
        for bad in [
            "2021-02-29",
            "2020-1-02",
            "2020-01-02T3:04:05",
            "03:04:05Z",
            "03:04:05.",
            "2020-01-02T",
            "2020-01-02T03:04Z05:06",
        ] {
            assert!(!is_valid(bad, true), "{bad}");
        }
    }
}
