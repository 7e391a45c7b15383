//! From a tree of values to typed fields: which types fit, and what is said when one does not.
//!
//! Knows no key. Facts: decode.go of github.com/BurntSushi/toml
//! 1.6.0, and type_fields.go for letter case.

use std::sync::Arc;

use super::{Dialect, Document, Error, Key, Spot, Table, Value};
use crate::golang::strconv::quote;

/// Fits values into fields; knows at which key it is. `Fields` tells the caller's own types what they have
/// to know of it all.
pub struct Decoder<'d, Fields> {
    document: &'d Document,
    context: Key,
    fields: Fields,
    dialect: Dialect,
}

impl<'d, Fields: Copy> Decoder<'d, Fields> {
    /// For one document, as a version of the library reads it.
    pub fn new(document: &'d Document, dialect: Dialect, fields: Fields) -> Self {
        Self { document, context: Key::default(), fields, dialect }
    }

    /// What the caller's own types know.
    pub fn fields(&self) -> Fields {
        self.fields
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
pub trait Decode<Fields>: Default {
    /// Takes the value over.
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error>;
}

impl<Fields: Copy> Decode<Fields> for String {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let Value::String(text) = value else { return Err(at.wrong_type("string", value)) };
        self.clone_from(text);
        Ok(())
    }
}

impl<Fields: Copy> Decode<Fields> for bool {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let Value::Boolean(flag) = value else { return Err(at.wrong_type("boolean", value)) };
        *self = *flag;
        Ok(())
    }
}

impl<Fields: Copy> Decode<Fields> for u32 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        let fitted = Self::try_from(*number);
        *self = fitted.map_err(|_| at.out_of_range(&format!("{number} is out of range for uint32")))?;
        Ok(())
    }
}

impl<Fields: Copy> Decode<Fields> for i32 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        let fitted = Self::try_from(*number);
        *self = fitted.map_err(|_| at.out_of_range(&format!("{number} is out of range for int32")))?;
        Ok(())
    }
}

impl<Fields: Copy> Decode<Fields> for u64 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        // A negative number wraps around: nobody checks.
        *self = *number as Self;
        Ok(())
    }
}

impl<Fields: Copy> Decode<Fields> for i64 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let Value::Integer(number) = value else { return Err(at.wrong_type("integer", value)) };
        *self = *number;
        Ok(())
    }
}

impl<Fields: Copy> Decode<Fields> for f32 {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        match value {
            Value::Float(number) if number.abs() > f64::from(Self::MAX) => {
                Err(at.out_of_range(&format!("{} is out of range for float32", go_float(*number))))
            }
            Value::Float(number) => {
                *self = *number as Self;
                Ok(())
            }
            Value::Integer(number) if number.unsigned_abs() > 16_777_215 => {
                Err(at.out_of_range(&match at.dialect >= Dialect::V1_4 {
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

impl<Fields: Copy, T: Decode<Fields>> Decode<Fields> for Option<T> {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        self.get_or_insert_with(T::default).decode(value, at)
    }
}

impl<Fields: Copy, T: Decode<Fields> + Clone> Decode<Fields> for Arc<[T]> {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let mut items = self.to_vec();
        items.decode(value, at)?;
        *self = items.into();
        Ok(())
    }
}

impl<Fields: Copy, T: Decode<Fields>> Decode<Fields> for Vec<T> {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Fields>) -> Result<(), Error> {
        let mut items = std::mem::take(self);
        let fit = |items: &mut Self, i: usize, value: &Value, at: &mut Decoder<'_, Fields>| match items
            .get_mut(i)
        {
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
