//! How a sandbox holds a configuration: it borrows what was loaded, part by part, and has its own copy of
//! those parts alone that something is written to.
//!
//! Knows nothing of Kata.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of a configuration: the loaded one until somebody writes to it, then a copy.
#[derive(Debug, Clone)]
pub struct Part<'c, T: Clone> {
    part: Cow<'c, T>,
    /// The loaded part that it is or was, if any.
    before: Option<&'c T>,
}

impl<T: Clone> Part<'_, T> {
    /// The same part, borrowed.
    pub fn lend(&self) -> Part<'_, T> {
        Part::loaded(self)
    }

    /// What was written; `None` where it is the loaded part, of which all is known already.
    pub fn written(&self) -> Option<&T> {
        match &self.part {
            Cow::Borrowed(_) => None,
            Cow::Owned(own) => Some(own),
        }
    }

    /// The same, to write more to.
    pub fn written_mut(&mut self) -> Option<&mut T> {
        match &mut self.part {
            Cow::Borrowed(_) => None,
            Cow::Owned(own) => Some(own),
        }
    }

    /// Whether both are the same part of one loaded configuration.
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq::<T>(&**self, &**other)
    }
}

impl<'c, T: Clone> Part<'c, T> {
    /// A loaded part.
    pub fn loaded(part: &'c T) -> Self {
        Self { part: Cow::Borrowed(part), before: Some(part) }
    }

    /// The loaded part that this is, or is a changed copy of.
    pub fn before(&self) -> Option<&'c T> {
        self.before
    }
}

impl<T: Clone + Default> Default for Part<'_, T> {
    fn default() -> Self {
        T::default().into()
    }
}

impl<T: Clone> From<T> for Part<'_, T> {
    fn from(own: T) -> Self {
        Self { part: Cow::Owned(own), before: None }
    }
}

impl<T: Clone + PartialEq> PartialEq for Part<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Clone> Deref for Part<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.part
    }
}

impl<T: Clone> DerefMut for Part<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.part.to_mut()
    }
}

impl<T: Clone + Serialize> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Clone + Deserialize<'de>> Deserialize<'de> for Part<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

/// Tables of one kind by name, in the order of their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables<'c, T>(Vec<(Cow<'c, str>, T)>);

impl<T> Default for Tables<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'c, T> Tables<'c, T> {
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_ref().cmp(name))
    }

    /// The table of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        // There are few, and two names are told apart faster than put in order.
        self.0.iter().find(|(own, _)| &**own == name).map(|(_, table)| table)
    }

    /// The table of this name, to write to.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.0.iter_mut().find(|(own, _)| &**own == name).map(|(_, table)| table)
    }

    /// Whether there is a table of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Puts a table there, in the place of an earlier one.
    pub fn insert(&mut self, name: impl Into<Cow<'c, str>>, table: T) {
        let name = name.into();
        match self.find(&name) {
            Ok(at) => {
                if let Some((_, earlier)) = self.0.get_mut(at) {
                    *earlier = table;
                }
            }
            Err(at) => self.0.insert(at, (name, table)),
        }
    }

    /// Takes a table out.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        let at = self.find(name).ok()?;
        Some(self.0.remove(at).1)
    }

    /// All tables.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, table)| (name.as_ref(), table))
    }

    /// All tables, to write to.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        self.0.iter_mut().map(|(name, table)| (&**name, table))
    }

    /// The same tables, each made anew.
    pub fn map<'t, U>(&'t self, table: impl Fn(&'t T) -> U) -> Tables<'t, U> {
        let name = |name: &'t Cow<'c, str>| Cow::Borrowed(&**name);
        Tables(self.0.iter().map(|(own, value)| (name(own), table(value))).collect())
    }
}

impl<T: Serialize> Serialize for Tables<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tables<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tables = BTreeMap::<String, T>::deserialize(deserializer)?;
        Ok(Self(tables.into_iter().map(|(name, table)| (Cow::Owned(name), table)).collect()))
    }
}
