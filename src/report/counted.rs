//! How many of something there are, as people say it: `1 pod`, `2 pods`.

use std::fmt::Display;

/// A number with the name of what is counted, whose plural ends in `s`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, thing: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// How often something was met: `once`, `2 times`.
pub fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    }
}
