//! The annotations of a sandbox: what the container runtime hands over, each key once, in key order.
//!
//! Holds, and judges nothing. Keys and values are shared with the pod that they come from.

use serde::{Serialize, Serializer};

use super::Text;

/// Annotations in key order; of a key that is set twice the last value counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

    /// All of them, in key order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Their keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|(key, _)| key)
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

impl Serialize for Annotations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_key_that_is_set_twice_the_last_value_counts() {
        let all: Annotations = [("b", "1"), ("a", "2"), ("b", "3"), ("b", "4")].into_iter().collect();
        assert_eq!(all.iter().map(|(k, v)| format!("{k}{v}")).collect::<Vec<_>>(), ["a2", "b4"]);
        assert_eq!(all.get("b").map(Text::as_str), Some("4"));
        assert!(!all.contains_key("c"));
    }
}
