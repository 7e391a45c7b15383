//! From a tree of values to typed fields: which types fit, and what is said when one does not.
//!
//! Knows no key; the tables with theirs: `load::tables`. Facts: decode.go of github.com/BurntSushi/toml
//! 1.6.0, and type_fields.go for letter case.

use super::{Dialect, Document, Error, Key, Spot, Table, Value};
use crate::release::Release;
use crate::runtime::go::changes::toml_of;
use crate::runtime::go_text::quote;

/// Fits values into fields; knows at which key it is.
pub struct Decoder<'d> {
    document: &'d Document,
    context: Key,
    release: Release,
    dialect: Dialect,
}

impl<'d> Decoder<'d> {
    /// For one document, as a release reads it.
    pub fn new(document: &'d Document, release: Release) -> Self {
        Self { document, context: Key::default(), release, dialect: toml_of(release) }
    }

    /// The release that reads.
    pub fn release(&self) -> Release {
        self.release
    }

    /// Does something below `key`.
    pub fn below<T>(
        &mut self,
        key: &str,
        act: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.context.0.push(key.to_owned());
        // After a failure nobody asks for the context again.
        let outcome = act(self)?;
        self.context.0.pop();
        Ok(outcome)
    }

    fn spot(&self) -> Option<Spot> {
        self.document.values.get(&self.context.to_string()).copied()
    }

    /// The message for values of the wrong type.
    pub fn wrong_type(&self, wanted: &str, value: &Value) -> Error {
        let found = self.dialect.type_name(value.type_name());
        if self.dialect == Dialect::V0_3 {
            return self.plain(format!("toml: cannot load TOML value of type {found} into a Go {wanted}"));
        }
        self.complain(&format!(
            "incompatible types: TOML value has type {found}; destination has type {wanted}"
        ))
    }

    /// The message for something that is not a table where a struct is wanted.
    pub fn not_a_table(&self, wanted: &str, value: &Value) -> Error {
        let found = self.dialect.type_name(value.type_name());
        let what = format!("type mismatch for {wanted}: expected table but found {found}");
        if self.dialect == Dialect::V0_3 {
            return self.plain(format!("toml: {what}"));
        }
        self.complain(&what)
    }

    /// A message that names no key.
    fn plain(&self, message: String) -> Error {
        Error { message, spot: self.spot(), panic: false }
    }

    fn complain(&self, what: &str) -> Error {
        let spot = self.spot();
        let key = quote(&self.context.to_string());
        let message = match spot {
            _ if self.context.0.is_empty() => format!("toml: {what}"),
            Some(spot) if spot.line > 0 => format!("toml: line {} (last key {key}): {what}", spot.line),
            _ => format!("toml: (last key {key}): {what}"),
        };
        Error { message, spot, panic: false }
    }

    /// The message for numbers that do not fit.
    fn out_of_range(&self, what: &str) -> Error {
        if self.dialect == Dialect::V0_3 {
            return self.plain(format!("toml: value {what}"));
        }
        let spot = self.spot();
        let line = spot.map_or(0, |s| s.line);
        let key = quote(&self.context.to_string());
        Error { message: format!("toml: line {line} (last key {key}): {what}"), spot, panic: false }
    }
}

/// A type that values can be fitted into. Fitting changes only what the value says.
pub trait Decode: Default {
    /// Takes the value over.
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error>;
}

impl Decode for String {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let Value::String(text) = value else { return Err(at.wrong_type("string", value)) };
        self.clone_from(text);
        Ok(())
    }
}

impl Decode for bool {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let Value::Boolean(flag) = value else { return Err(at.wrong_type("boolean", value)) };
        *self = *flag;
        Ok(())
    }
}

impl Decode for u32 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        let fitted = Self::try_from(*number);
        *self = fitted.map_err(|_| at.out_of_range(&format!("{number} is out of range for uint32")))?;
        Ok(())
    }
}

impl Decode for i32 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        let fitted = Self::try_from(*number);
        *self = fitted.map_err(|_| at.out_of_range(&format!("{number} is out of range for int32")))?;
        Ok(())
    }
}

impl Decode for u64 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        // A negative number wraps around: nobody checks.
        *self = *number as Self;
        Ok(())
    }
}

impl Decode for i64 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        *self = *number;
        Ok(())
    }
}

impl Decode for f32 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        match value {
            Value::Float(number) if number.abs() > f64::from(Self::MAX) => {
                Err(at.out_of_range(&format!("{} is out of range for float32", go_float(*number))))
            }
            Value::Float(number) => {
                *self = *number as Self;
                Ok(())
            }
            Value::Integer(number) if number.unsigned_abs() > 16_777_215 => {
                Err(at.out_of_range(&match at.dialect >= Dialect::V1_5 {
                    true => format!("{number} is out of the safe float32 range"),
                    false => format!("{number} is out of range for float32"),
                }))
            }
            Value::Integer(number) => {
                *self = *number as Self;
                Ok(())
            }
            _ => Err(at.wrong_type("float", value)),
        }
    }
}

/// `%v` of a number this large: the shortest digits with an exponent.
fn go_float(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{number:e}").replace('e', "e+")
}

impl<T: Decode> Decode for Option<T> {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        self.get_or_insert_with(T::default).decode(value, at)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_>) -> Result<(), Error> {
        let mut items = std::mem::take(self);
        let fit = |items: &mut Self, i: usize, value: &Value, at: &mut Decoder<'_>| match items.get_mut(i) {
            Some(item) => item.decode(value, at),
            None => Ok(()),
        };
        let length = match value {
            Value::Array(values) => values.len(),
            Value::Tables(tables) => tables.len(),
            _ => return Err(at.wrong_type("slice", value)),
        };
        items.resize_with(length, T::default);
        match value {
            Value::Array(values) => {
                for (i, value) in values.iter().enumerate() {
                    fit(&mut items, i, value, at)?;
                }
            }
            Value::Tables(tables) => {
                for (i, table) in tables.iter().enumerate() {
                    fit(&mut items, i, &Value::Table(table.clone()), at)?;
                }
            }
            _ => {}
        }
        *self = items;
        Ok(())
    }
}

/// Whether a key of a file names a field: letter case does not matter, as Unicode folds it.
pub fn same_name(field: &str, key: &str) -> bool {
    let fold = |c: char| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c.to_ascii_lowercase(),
    };
    field.chars().map(fold).eq(key.chars().map(fold))
}

/// The table, or nothing where the value is something else: maps read past what is no table.
pub fn table_of(value: &Value) -> Option<&Table> {
    match value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

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

        impl $crate::runtime::go::toml::Decode for $name {
            fn decode(
                &mut self,
                value: &$crate::runtime::go::toml::Value,
                at: &mut $crate::runtime::go::toml::Decoder<'_>,
            ) -> Result<(), $crate::runtime::go::toml::Error> {
                use $crate::runtime::go::toml::{Value, same_name};
                let Value::Table(table) = value else { return Err(at.not_a_table($go, value)) };
                for (key, value) in table {
                    let name = Self::KEYS
                        .iter()
                        .find(|name| *name == key)
                        .or_else(|| Self::KEYS.iter().find(|name| same_name(name, key)));
                    match name.copied().filter(|name| Self::reads(name, at.release())) {
                        $(Some($key) => at.below(key, |at| {
                            $crate::runtime::go::toml::Decode::decode(&mut self.$field, value, at)
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
