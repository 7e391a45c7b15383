//! Tables of a file: structs whose fields are keys.
//!
//! One line is all there is to a key: it is decoded, held for a sandbox, written by an annotation, shown in reports
//! and named as a cause by it. Which releases read it stands in the catalogue and in `spelling`; the order of lines is
//! upstream's, since it is the order in which deserialization reports errors.

use serde::Serialize;
use serde_json::Value as Json;

use super::values::{HugePageType, Seconds, shortest};
use super::{GuestExtensionImage, MemAgent, SharedMount, Vendor};
use crate::input::Text;

/// The place of a key's value, to write to.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Slot<'a> {
    Bool(&'a mut bool),
    U32(&'a mut u32),
    U64(&'a mut u64),
    Usize(&'a mut usize),
    F32(&'a mut f32),
    Seconds(&'a mut Seconds),
    Text(&'a mut Text),
    MaybeText(&'a mut Option<Text>),
    List(&'a mut Vec<String>),
    HugePages(&'a mut HugePageType),
    SharedMounts(&'a mut Vec<SharedMount>),
    /// What no annotation writes to, or no such key.
    Other,
}

/// A value of a key.
pub trait Held: Serialize {
    /// Its place.
    fn slot(&mut self) -> Slot<'_> {
        Slot::Other
    }

    /// It as reports have it, in the file's unit.
    fn shown(&self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }
}

macro_rules! held {
    ($($slot:ident: $type:ty,)*) => {
        $(impl Held for $type {
            fn slot(&mut self) -> Slot<'_> {
                Slot::$slot(self)
            }
        })*
    };
}

held! {
    Bool: bool,
    U32: u32,
    U64: u64,
    Usize: usize,
    Seconds: Seconds,
    Text: Text,
    MaybeText: Option<Text>,
    List: Vec<String>,
    HugePages: HugePageType,
    SharedMounts: Vec<SharedMount>,
}

impl Held for f32 {
    fn slot(&mut self) -> Slot<'_> {
        Slot::F32(self)
    }

    fn shown(&self) -> Json {
        shortest(*self).into()
    }
}

macro_rules! others {
    ($($type:ty)*) => { $(impl Held for $type {})* };
}

others! {
    i32 Option<bool> Option<i32> Option<u32> Option<u64> Option<super::RootlessUser> Vec<Text>
    Vec<GuestExtensionImage> super::Factory super::values::Secret MemAgent Vendor
}

/// Declares a struct whose fields are keys of a table, in order, each with what its absence means where that is not
/// nothing; behind the keys stands what is held besides.
macro_rules! record {
    (
        $(#[$meta:meta])* $name:ident {
            $($(#[$attr:meta])* $field:ident: $type:ty $(= $default:expr)?,)*
        }
        $(beside { $($(#[$other_doc:meta])* $other:ident: $other_type:ty,)* })?
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(default)]
        #[allow(missing_docs)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$attr])* pub $field: $type,)*
            $($(#[serde(skip)] $(#[$other_doc])* pub $other: $other_type,)*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::runtime::rs::config::record::or_nothing!($($default)?),)*
                    $($($other: Default::default(),)*)?
                }
            }
        }

        impl $name {
            /// The place of a key's value.
            pub fn slot(&mut self, key: &str) -> $crate::runtime::rs::config::Slot<'_> {
                use $crate::runtime::rs::config::record::Held;
                match key {
                    $(stringify!($field) => self.$field.slot(),)*
                    _ => $crate::runtime::rs::config::Slot::Other,
                }
            }

            /// The value of a key.
            pub fn shown(&self, key: &str) -> Option<serde_json::Value> {
                use $crate::runtime::rs::config::record::Held;
                match key {
                    $(stringify!($field) => Some(self.$field.shown()),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use record;

macro_rules! or_nothing {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}
pub(super) use or_nothing;

/// Declares the hypervisor's table: keys, and the groups that upstream has some of them in, which stand side by side in
/// the file; and `Keys`, their names in each hypervisor's table.
macro_rules! hypervisor {
    ($(
        { $($(#[$attr:meta])* $field:ident: $type:ty $(= $default:expr)?,)* }
        $(
            $(#[$doc:meta])* $group:ident: $struct:ident {
                $($(#[$key_attr:meta])* $key:ident: $key_type:ty $(= $key_default:expr)?,)*
            }
            $(; beside { $($beside:tt)* })?
        )*
    )*) => {
        $($(
            $crate::runtime::rs::config::record::record! {
                $(#[$doc])* $struct { $($(#[$key_attr])* $key: $key_type $(= $key_default)?,)* }
                $(beside { $($beside)* })?
            }
        )*)*

        /// One `[hypervisor.*]` table.
        #[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(default)]
        #[allow(missing_docs)]
        pub struct Hypervisor {
            $(
                $($(#[$attr])* pub $field: $type,)*
                $(#[serde(flatten)] pub $group: $struct,)*
            )*
        }

        impl Default for Hypervisor {
            fn default() -> Self {
                Self {
                    $(
                        $($field: $crate::runtime::rs::config::record::or_nothing!($($default)?),)*
                        $($group: Default::default(),)*
                    )*
                }
            }
        }

        impl Hypervisor {
            /// The keys, in order.
            pub const KEYS: &[&str] = &[$($(stringify!($field),)* $($(stringify!($key),)*)*)*];

            /// The place of a key's value.
            pub fn slot(&mut self, key: &str) -> Slot<'_> {
                match key {
                    $(
                        $(stringify!($field) => self.$field.slot(),)*
                        $($(stringify!($key) => self.$group.$key.slot(),)*)*
                    )*
                    _ => Slot::Other,
                }
            }

            /// The value of a key.
            pub fn shown(&self, key: &str) -> Option<serde_json::Value> {
                match key {
                    $(
                        $(stringify!($field) => Some(self.$field.shown()),)*
                        $($(stringify!($key) => Some(self.$group.$key.shown()),)*)*
                    )*
                    _ => None,
                }
            }
        }

        /// The dotted keys of one hypervisor's table, spelled out, so that a cause is a borrowed word.
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub struct Keys {
            $($(pub $field: &'static str,)* $($(pub $key: &'static str,)*)*)*
        }

        impl Keys {
            /// Those of the table with this name.
            pub fn of(hypervisor: &str) -> Option<&'static Self> {
                macro_rules! table {
                    ($hypervisor:literal) => {{
                        static KEYS: Keys = Keys {
                            $(
                                $($field: concat!("hypervisor.", $hypervisor, ".", stringify!($field)),)*
                                $($($key: concat!("hypervisor.", $hypervisor, ".", stringify!($key)),)*)*
                            )*
                        };
                        Some(&KEYS)
                    }};
                }
                match hypervisor {
                    "qemu" => table!("qemu"),
                    "clh" => table!("clh"),
                    "cloud-hypervisor" => table!("cloud-hypervisor"),
                    "dragonball" => table!("dragonball"),
                    "firecracker" => table!("firecracker"),
                    "remote" => table!("remote"),
                    "openvmm" => table!("openvmm"),
                    _ => None,
                }
            }
        }
    };
}
pub(super) use hypervisor;
