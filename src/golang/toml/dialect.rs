//! Which version of the TOML library reads: what it takes, and how it words what it does not take.
//!
//! Knows nothing of Kata. Facts: github.com/BurntSushi/toml 0.3.1, 1.2.0, 1.2.1, 1.3.2, 1.4.0, 1.5.0
//! and 1.6.0.

/// A version of the library, oldest first. 1.2.1 differs from 1.2.0 in nothing that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// 0.3.1: no dotted keys, arrays of one type, complaints without a key.
    V0_3,
    /// 1.2.0 and 1.2.1.
    V1_2,
    /// 1.3.2: a byte order mark is passed over.
    V1_3,
    /// 1.4.0: `any` for a type, numbers that fit no float exactly, other words for times.
    V1_4,
    /// 1.5.0: a blank line's complaint names that line, as one at the end does.
    V1_5,
    /// 1.6.0: inline tables over several lines, `\\e` and `\\x`, times without seconds.
    V1_6,
}

impl Dialect {
    /// A Go type as this version names it.
    pub fn type_name(self, name: &str) -> String {
        if self >= Self::V1_4 { name.to_owned() } else { name.replace("any", "interface {}") }
    }
}
