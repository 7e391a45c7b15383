//! The annotations of a sandbox: what the container runtime hands over, each key once.
//!
//! Holds, and judges nothing. Keys and values are shared with the pod that they come from.

use serde::{Serialize, Serializer};

use super::Text;

/// Annotations; of a key that is set twice the last value counts.
///
/// Few stand as they came, more of them in key order: putting a dozen in order takes longer than all that
/// is then asked of them.
#[derive(Debug, Clone, Default)]
pub struct Annotations(Vec<(Text, Text)>);

/// So many are looked through one by one.
const FEW: usize = 32;

impl Annotations {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Text> {
        // Keys begin alike, so that an order takes longer to find out than that two of them differ in length.
        if self.0.len() <= FEW {
            return self.0.iter().find(|(own, _)| own == key).map(|(_, value)| value);
        }
        let at = self.0.binary_search_by(|(own, _)| own.as_str().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Whether `key` is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All of them, as they are held.
    pub fn iter(&self) -> std::slice::Iter<'_, (Text, Text)> {
        self.0.iter()
    }

    /// Those whose key is wanted, in key order.
    pub fn in_order(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<(&Text, &Text)> {
        let mut wanted = Vec::with_capacity(self.0.len());
        wanted.extend(self.0.iter().filter(|(key, _)| is_wanted(key)).map(|(key, value)| (key, value)));
        wanted.sort_by_key(|(key, _)| *key);
        wanted
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<Text>, V: Into<Text>> FromIterator<(K, V)> for Annotations {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let all: Vec<(Text, Text)> =
            pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self::from(all)
    }
}

impl From<Vec<(Text, Text)>> for Annotations {
    fn from(mut all: Vec<(Text, Text)>) -> Self {
        let is_again = |(at, (key, _)): (usize, &(Text, Text))| {
            let mut earlier = all.get(..at).unwrap_or_default().iter();
            earlier.any(|(other, _)| other.len() == key.len() && other == key)
        };
        if all.len() <= FEW && !all.iter().enumerate().any(is_again) {
            return Self(all);
        }
        // Stable: of equal keys the later one stays behind.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self(all)
    }
}

impl PartialEq for Annotations {
    fn eq(&self, other: &Self) -> bool {
        self.in_order(|_| true) == other.in_order(|_| true)
    }
}

impl Eq for Annotations {}

impl Serialize for Annotations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.in_order(|_| true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(all: &Annotations, is_wanted: impl Fn(&str) -> bool) -> String {
        all.in_order(is_wanted).into_iter().map(|(key, value)| format!("{key}={value} ")).collect()
    }

    #[test]
    fn of_a_key_that_is_set_twice_the_last_value_counts() {
        let all: Annotations = [("b", "1"), ("a", "2"), ("b", "3"), ("b", "4")].into_iter().collect();
        assert_eq!((told(&all, |_| true).as_str(), all.len()), ("a=2 b=4 ", 2));
        assert_eq!(all.get("b").map(Text::as_str), Some("4"));
        assert!(!all.contains_key("c"));
    }

    #[test]
    fn few_and_many_are_told_in_key_order() {
        for count in [2, FEW, FEW + 1, 3 * FEW] {
            let pairs = |at: usize| (format!("k{at:03}"), at.to_string());
            let all: Annotations = (0..count).rev().map(pairs).collect();
            let want: String = (0..count).map(|at| format!("k{at:03}={at} ")).collect();
            assert_eq!(told(&all, |_| true), want);
            assert_eq!(told(&all, |key| key == "k001"), "k001=1 ");
            assert_eq!(all.get("k001").map(Text::as_str), Some("1"));
            assert_eq!(all, (0..count).map(pairs).collect());
        }
    }
}
