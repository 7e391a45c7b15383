//! How a sandbox holds a configuration: borrowed, until an annotation puts something else in its place.
//!
//! Loading holds its texts itself; each sandbox starts with a view of them, made without copying a text,
//! and replaces what annotations, sizing and checks change. Knows nothing of Kata.

use std::borrow::Cow;
use std::sync::Arc;

/// Something that loading holds and a sandbox borrows.
pub(super) trait Lend<'a> {
    /// What the sandbox gets.
    type Lent;

    /// The view that a sandbox starts with.
    fn lend(&'a self) -> Self::Lent;
}

impl<'a> Lend<'a> for String {
    type Lent = Cow<'a, str>;

    fn lend(&'a self) -> Self::Lent {
        Cow::Borrowed(self)
    }
}

impl<'a, T: 'a> Lend<'a> for Arc<[T]> {
    type Lent = &'a [T];

    fn lend(&'a self) -> Self::Lent {
        self
    }
}

impl<'a, T: Lend<'a>> Lend<'a> for Option<T> {
    type Lent = Option<T::Lent>;

    fn lend(&'a self) -> Self::Lent {
        self.as_ref().map(T::lend)
    }
}

impl<'a, T: Lend<'a>> Lend<'a> for Vec<T> {
    type Lent = Vec<T::Lent>;

    fn lend(&'a self) -> Self::Lent {
        self.iter().map(T::lend).collect()
    }
}

macro_rules! copied {
    ($($type:ty)*) => {
        $(impl $crate::runtime::go_lend::Lend<'_> for $type {
            type Lent = Self;

            fn lend(&self) -> Self {
                *self
            }
        })*
    };
}

pub(super) use copied;

copied! { bool u8 u32 u64 i64 f32 }

/// Defines a configuration whose texts are `T`: `String` as loading holds it, `Cow<str>` as a sandbox does;
/// its lists that no annotation changes are `L`.
macro_rules! lent {
    (@lent $l:ident $a:lifetime) => { &$a [String] };
    (
        $(#[$doc:meta])*
        pub struct $name:ident<$t:ident $(, $l:ident)?> {
            $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        pub struct $name<$t = String $(, $l = std::sync::Arc<[String]>)?> {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl<'a> $crate::runtime::go_lend::Lend<'a> for $name {
            type Lent = $name<std::borrow::Cow<'a, str> $(, $crate::runtime::go_lend::lent!(@lent $l 'a))?>;

            fn lend(&'a self) -> Self::Lent {
                $name { $($field: $crate::runtime::go_lend::Lend::lend(&self.$field)),* }
            }
        }
    };
}
pub(super) use lent;
