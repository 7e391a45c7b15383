//! Values of keys that are neither numbers nor texts alone: how they are read, and how reports have them.
//!
//! Facts: src/libs/kata-types/src/config/{agent,runtime,hypervisor/mod}.rs at 4.1.0.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::answer::effective::hidden;
use crate::input::Text;

/// The number of 64 bits that has the fewest digits of those that stand for this one of 32: 0.1 stays 0.1.
pub fn shortest(number: f32) -> f64 {
    if number.fract() == 0.0 {
        return number.into();
    }
    number.to_string().parse().unwrap_or(f64::NAN)
}

/// Serializes with the fewest digits.
pub(super) fn in_few_digits<S: Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(shortest(*number))
}

/// A time that a file has in seconds, held in milliseconds; too many seconds end at the largest number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds {
    /// The time.
    pub milliseconds: u32,
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(|seconds| Self { milliseconds: seconds.saturating_mul(1000) })
    }
}

/// As the file's seconds, which are whole except after an overflow.
impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.milliseconds.is_multiple_of(1000) {
            true => serializer.serialize_u32(self.milliseconds / 1000),
            false => serializer.serialize_f64(f64::from(self.milliseconds) / 1000.0),
        }
    }
}

/// A password: reports get around, and they are made of what is serialized.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Secret(Text);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(hidden(&self.0))
    }
}

/// What backs huge pages.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "HugePageWord")]
pub enum HugePageType {
    #[default]
    #[serde(rename = "hugetlbfs")]
    Hugetlbfs,
    #[serde(rename = "thp")]
    Thp,
}

/// What an unknown word is answered with, in the file and in an annotation.
const NO_SUCH_WORD: &str = "data did not match any variant of untagged enum __HugePageTypeDeUntagged";

#[derive(Deserialize)]
enum Word {
    #[serde(rename = "hugetlbfs")]
    Hugetlbfs,
    #[serde(rename = "thp")]
    Thp,
}

/// Upstream's derive goes through an untagged enum, which words the error.
#[derive(Deserialize)]
#[serde(untagged, expecting = "data did not match any variant of untagged enum __HugePageTypeDeUntagged")]
enum HugePageWord {
    Known(Word),
}

impl From<HugePageWord> for HugePageType {
    fn from(HugePageWord::Known(word): HugePageWord) -> Self {
        match word {
            Word::Hugetlbfs => Self::Hugetlbfs,
            Word::Thp => Self::Thp,
        }
    }
}

impl FromStr for HugePageType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hugetlbfs" => Ok(Self::Hugetlbfs),
            "thp" => Ok(Self::Thp),
            _ => Err(NO_SUCH_WORD),
        }
    }
}
