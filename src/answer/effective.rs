//! Effective values and where they came from.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Place;
use super::launch::Cause;

/// Where an effective value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File(Place),
    /// An annotation of the pod, by its whole key.
    Annotation(Cow<'static, str>),
    /// The runtime computed it; the rule, in a few words (`static sizing`, `clamped to host CPUs`).
    Derived(Cow<'static, str>),
}

impl Origin {
    /// The word of the reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Annotation(_) => "annotation",
            Self::Derived(_) => "derived",
        }
    }
}

/// What is shown of a password: whether there is one. Reports get around.
pub fn hidden(password: &str) -> &'static str {
    if password.is_empty() { "" } else { "(hidden)" }
}

/// One effective value, in the unit of the configuration file.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveValue {
    /// The value.
    pub value: Json,
    /// Where it came from.
    pub origin: Origin,
    /// Of a list to which the pod's annotation adds: where the configuration's own part came from.
    pub configured: Option<Origin>,
}

/// Every key that the release reads for the active hypervisor, agent and runtime, spelled as in
/// `configuration.toml` (`hypervisor.qemu.default_memory`), in the runtime's own order.
///
/// Most values are those of the configuration, which all pods share; a pod has its own of the others.
#[derive(Debug, Clone, Default)]
pub struct Effective {
    common: Arc<IndexMap<Cow<'static, str>, EffectiveValue>>,
    /// The pod's own values of common keys, by their place.
    instead: Vec<(usize, EffectiveValue)>,
    /// The pod's own keys, behind the common ones.
    added: IndexMap<Cow<'static, str>, EffectiveValue>,
}

impl Effective {
    /// The same values, from now on common to all clones.
    #[must_use]
    pub fn shared(self) -> Self {
        if self.instead.is_empty() && self.added.is_empty() {
            return self;
        }
        let all = self.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { common: Arc::new(all), ..Self::default() }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&EffectiveValue> {
        match self.common.get_full(key) {
            Some((at, _, common)) => Some(self.own(at).unwrap_or(common)),
            None => self.added.get(key),
        }
    }

    /// The value of `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut EffectiveValue> {
        let Some((at, _, common)) = self.common.get_full(key) else { return self.added.get_mut(key) };
        let own = match self.instead.binary_search_by_key(&at, |(place, _)| *place) {
            Ok(own) => own,
            Err(own) => {
                self.instead.insert(own, (at, common.clone()));
                own
            }
        };
        self.instead.get_mut(own).map(|(_, value)| value)
    }

    /// Sets `key`.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Json>, origin: Origin) {
        let (key, value) = (key.into(), EffectiveValue { value: value.into(), origin, configured: None });
        let Some(at) = self.common.get_index_of(&key) else {
            self.added.insert(key, value);
            return;
        };
        match self.instead.binary_search_by_key(&at, |(place, _)| *place) {
            Ok(own) => {
                if let Some((_, known)) = self.instead.get_mut(own) {
                    *known = value;
                }
            }
            Err(own) => self.instead.insert(own, (at, value)),
        }
    }

    /// Says of a list to which an annotation adds where the configuration's part came from.
    pub fn add_to(&mut self, key: &str, configured: Origin) {
        if let Some(value) = self.get_mut(key) {
            value.configured = Some(configured);
        }
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) {
        if self.get(key).is_some() {
            let mut all: IndexMap<_, _> =
                self.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            all.shift_remove(key);
            *self = Self { added: all, ..Self::default() };
        }
    }

    /// Where the part of a cause came from that the key decided.
    pub fn origin(&self, cause: &Cause, key: &str) -> Option<&Origin> {
        let value = self.get(key)?;
        Some(value.configured.as_ref().filter(|_| cause.configured).unwrap_or(&value.origin))
    }

    /// All keys with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Cow<'static, str>, &EffectiveValue)> {
        let common = self.common.iter().enumerate();
        common.map(|(at, (key, value))| (key, self.own(at).unwrap_or(value))).chain(&self.added)
    }

    fn own(&self, at: usize) -> Option<&EffectiveValue> {
        let own = self.instead.binary_search_by_key(&at, |(place, _)| *place).ok()?;
        self.instead.get(own).map(|(_, value)| value)
    }
}

impl PartialEq for Effective {
    /// As with any map, whatever the order.
    fn eq(&self, other: &Self) -> bool {
        self.iter().count() == other.iter().count()
            && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}
