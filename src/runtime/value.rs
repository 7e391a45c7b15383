//! Effective values and where they came from.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::input::Place;

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

/// One effective value, in the unit of the configuration file.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveValue {
    /// The value.
    pub value: Json,
    /// Where it came from.
    pub origin: Origin,
}

/// Every key that the generation reads for the active hypervisor, agent and runtime, spelled as in
/// `configuration.toml` (`hypervisor.qemu.default_memory`), in the runtime's own order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effective {
    /// The values by dotted key.
    pub values: IndexMap<Cow<'static, str>, EffectiveValue>,
}

impl Effective {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&EffectiveValue> {
        self.values.get(key)
    }

    /// Sets `key`.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Json>, origin: Origin) {
        self.values.insert(key.into(), EffectiveValue { value: value.into(), origin });
    }
}
