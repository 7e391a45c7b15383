//! Tables of a file: structs whose fields are keys, of which a release reads those that the catalogue says.
//!
//! Decides nothing: which keys there are is declared in `load::tables`, how values fit in `golang::toml`.

/// Declares a struct whose fields are keys of a table, in order.
macro_rules! record {
    (
        $(#[$doc:meta])* $name:ident as $go:literal in $table:expr;
        { $($field:ident: $type:ty = $key:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[allow(missing_docs)]
        pub struct $name { $(pub $field: $type,)* }

        impl $name {
            /// The keys, in the order of the fields.
            pub const KEYS: &[&str] = &[$($key),*];

            /// Whether a release knows a key of this record.
            pub fn reads(key: &str, release: $crate::release::Release) -> bool {
                let table: Option<&str> = $table;
                table.is_none_or(|table| {
                    let known = $crate::catalog::config_key(table, key);
                    known.is_some_and(|known| known.reader(release).is_some())
                })
            }

            /// Copies the field of exactly this key; `false` where the release has none.
            // Not every record is merged key by key.
            #[allow(dead_code)]
            pub fn copy_key(&mut self, source: &Self, key: &str, release: $crate::release::Release) -> bool {
                if !Self::reads(key, release) {
                    return false;
                }
                match key {
                    $($key => self.$field.clone_from(&source.$field),)*
                    _ => return false,
                }
                true
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
                        $(Some($key) => at.below(key, |at| {
                            $crate::golang::toml::Decode::decode(&mut self.$field, value, at)
                        })?,)*
                        _ => {}
                    }
                }
                Ok(())
            }
        }
    };
}
pub(crate) use record;
