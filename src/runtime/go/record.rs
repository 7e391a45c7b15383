//! Tables of a file: structs whose fields are keys, of which a release reads those that the catalogue says.
//!
//! One line is all there is to a key: it is decoded, copied from a drop-in, held for a sandbox, shown in reports and
//! named as a cause by it. Which releases and hypervisors read it stands in the catalogue, how values fit in
//! `golang::toml`.

use std::sync::Arc;

use serde_json::Value as Json;

/// The place of a key's value, for an annotation to write to.
#[derive(Debug)]
pub(crate) enum Slot<'a> {
    Bool(&'a mut bool),
    U32(&'a mut u32),
    U64(&'a mut u64),
    Text(&'a mut String),
    /// Of another type, or no such key.
    Other,
}

/// A value of a key.
pub(super) trait Held {
    /// The value as reports have it.
    fn to_json(&self) -> Json;

    /// Its place.
    fn slot(&mut self) -> Slot<'_> {
        Slot::Other
    }
}

macro_rules! plain {
    ($($type:ty $(, $slot:ident)?;)*) => {
        $(impl Held for $type {
            fn to_json(&self) -> Json {
                Json::from(self.clone())
            }

            $(fn slot(&mut self) -> Slot<'_> {
                Slot::$slot(self)
            })?
        })*
    };
}

plain! { bool, Bool; u32, U32; u64, U64; String, Text; i64; Vec<String>; Option<u64>; }

impl Held for Arc<[String]> {
    fn to_json(&self) -> Json {
        self.iter().map(String::as_str).collect()
    }
}

/// A single as people write it (0.1 stays 0.1), or the word for what is no number.
impl Held for f32 {
    fn to_json(&self) -> Json {
        if self.fract() == 0.0 && self.abs() < 1e9 {
            return Json::from(*self as i64);
        }
        let shortest = self.to_string();
        match shortest.parse::<f64>() {
            Ok(number) if number.is_finite() => Json::from(number),
            _ => Json::from(shortest),
        }
    }
}

/// Declares a struct whose fields are keys of a table, in order. A key that is held otherwise than it is written says
/// `as` which type it is written in; behind the keys stands what annotations alone set, and what is held besides.
macro_rules! record {
    (
        $(#[$doc:meta])* $name:ident as $go:literal in $table:expr;
        { $($field:ident: $type:ty $(as $written:ident)?,)* }
        $(annotations alone { $($own:ident: $own_type:ty,)* })?
        $(beside { $($(#[$other_doc:meta])* $other:ident: $other_type:ty,)* })?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[allow(missing_docs)]
        pub struct $name {
            $(pub $field: $type,)*
            $($(pub $own: $own_type,)*)?
            $($($(#[$other_doc])* pub $other: $other_type,)*)?
        }

        // Not every record is merged key by key, filtered or shown.
        #[allow(dead_code)]
        impl $name {
            /// The keys of the file, in the order of the fields.
            pub(crate) const KEYS: &[&str] = &[$(stringify!($field)),*];

            /// What annotations alone set.
            pub(crate) const BY_ANNOTATION: &[&str] = &[$($(stringify!($own)),*)?];

            /// Whether a release knows a key of this record.
            pub(crate) fn reads(key: &str, release: $crate::release::Release) -> bool {
                let table: Option<&str> = $table;
                table.is_none_or(|table| {
                    let known = $crate::catalog::config_key(table, key);
                    known.is_some_and(|known| known.reader(release).is_some())
                })
            }

            /// Copies the field of exactly this key; `false` where the release has none.
            pub(crate) fn copy_key(
                &mut self,
                source: &Self,
                key: &str,
                release: $crate::release::Release,
            ) -> bool {
                if !Self::reads(key, release) {
                    return false;
                }
                match key {
                    $(stringify!($field) => self.$field.clone_from(&source.$field),)*
                    _ => return false,
                }
                true
            }

            /// The same with the keys that are wanted alone.
            pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
                let mut only = Self::default();
                $(if wanted(stringify!($field)) {
                    only.$field.clone_from(&self.$field);
                })*
                only
            }

            /// The value of a key.
            pub(crate) fn value(&self, key: &str) -> Option<serde_json::Value> {
                use $crate::runtime::go::record::Held;
                Some(match key {
                    $(stringify!($field) => self.$field.to_json(),)*
                    $($(stringify!($own) => self.$own.to_json(),)*)?
                    _ => return None,
                })
            }

            /// The place of a key's value.
            pub(crate) fn slot(&mut self, key: &str) -> $crate::runtime::go::record::Slot<'_> {
                use $crate::runtime::go::record::Held;
                match key {
                    $(stringify!($field) => self.$field.slot(),)*
                    $($(stringify!($own) => self.$own.slot(),)*)?
                    _ => $crate::runtime::go::record::Slot::Other,
                }
            }
        }

        impl $crate::golang::toml::Decode<$crate::release::Release> for $name {
            fn decode(
                &mut self,
                value: &$crate::golang::toml::Value,
                at: &mut $crate::golang::toml::Decoder<'_, $crate::release::Release>,
            ) -> Result<(), $crate::golang::toml::Error> {
                use $crate::golang::toml::{Value, same_name};
                let Value::Table(table) = value else { return Err(at.not_a_table($go, value)) };
                for (key, value) in table {
                    let name = Self::KEYS
                        .iter()
                        .find(|name| *name == key)
                        .or_else(|| Self::KEYS.iter().find(|name| same_name(name, key)));
                    match name.copied().filter(|name| Self::reads(name, at.fields())) {
                        $(Some(stringify!($field)) => at.below(key, |at| {
                            $crate::runtime::go::record::decode!(self.$field, value, at $(, $written)?)
                        })?,)*
                        _ => {}
                    }
                }
                Ok(())
            }
        }
    };
}
pub(super) use record;

/// Decodes a field, through the type that it is written in where that is another.
macro_rules! decode {
    ($field:expr, $value:expr, $at:expr) => {
        $crate::golang::toml::Decode::decode(&mut $field, $value, $at)
    };
    ($field:expr, $value:expr, $at:expr, $written:ident) => {{
        let mut written = $written::default();
        $crate::golang::toml::Decode::decode(&mut written, $value, $at)?;
        $field = written.0;
        Ok(())
    }};
}
pub(super) use decode;

/// A record of hypervisors' tables, with the names that its keys have in each of them.
macro_rules! hypervisor_record {
    (
        $(#[$doc:meta])* $name:ident as $go:literal in $table:expr, named in $keys:ident;
        { $($field:ident: $type:ty $(as $written:ident)?,)* }
        annotations alone { $($own:ident: $own_type:ty,)* }
        $($beside:tt)*
    ) => {
        $crate::runtime::go::record::record! {
            $(#[$doc])* $name as $go in $table;
            { $($field: $type $(as $written)?,)* }
            annotations alone { $($own: $own_type,)* }
            $($beside)*
        }

        /// The dotted keys of one hypervisor's table, spelled out, so that a cause is a borrowed word.
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub struct $keys {
            $(pub $field: &'static str,)*
            $(pub $own: &'static str,)*
        }

        impl $keys {
            /// Those of a hypervisor's table.
            pub fn of(hypervisor: HypervisorType) -> &'static Self {
                macro_rules! table {
                    ($hypervisor:literal) => {{
                        static KEYS: $keys = $keys {
                            $($field: concat!("hypervisor.", $hypervisor, ".", stringify!($field)),)*
                            $($own: concat!("hypervisor.", $hypervisor, ".", stringify!($own)),)*
                        };
                        &KEYS
                    }};
                }
                match hypervisor {
                    HypervisorType::Qemu => table!("qemu"),
                    HypervisorType::Clh => table!("clh"),
                    HypervisorType::Firecracker => table!("firecracker"),
                    HypervisorType::Dragonball => table!("dragonball"),
                    HypervisorType::Stratovirt => table!("stratovirt"),
                    HypervisorType::Acrn => table!("acrn"),
                    HypervisorType::Remote => table!("remote"),
                }
            }
        }
    };
}
pub(super) use hypervisor_record;
