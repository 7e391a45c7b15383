//! What a key defines: the table or value that it puts into the tree, and what is there already.
//!
//! Decides which tables come into being by themselves, and what may be defined twice. Facts: `addContext`,
//! `setValue` and `setType` of parse.go of github.com/BurntSushi/toml 1.2.0 to 1.6.0.

use std::collections::{HashMap, HashSet};

use crate::golang::toml::{Dialect, Fault, Key, Spot, Table, Value};

/// What one key was given.
pub(super) struct Info {
    pub(super) spot: Spot,
    is_array: bool,
}

/// What the text has defined so far.
pub(super) struct Definitions {
    dialect: Dialect,
    /// The table that keys go to.
    pub(super) context: Vec<String>,
    /// Where the key being defined stands.
    pub(super) defining: Spot,
    pub(super) root: Table,
    pub(super) info: HashMap<String, Info>,
    /// Tables that exist only because a longer key names them.
    pub(super) implicit: HashSet<String>,
}

impl Definitions {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            context: Vec::new(),
            defining: Spot::default(),
            root: Table::new(),
            info: HashMap::new(),
            implicit: HashSet::new(),
        }
    }

    fn defined(&self, message: String) -> Fault {
        Fault { message, spot: self.defining }
    }

    /// Makes `key` the table that pairs go to; its parents come into being by themselves.
    pub(super) fn enter(&mut self, key: &[String], as_list: bool) -> Result<(), Fault> {
        let Some((last, parents)) = key.split_last() else { return Ok(()) };
        let mut path: Vec<String> = Vec::with_capacity(key.len());
        let mut place = &mut self.root;
        for piece in parents {
            path.push(piece.clone());
            if !place.contains_key(piece) {
                self.implicit.insert(Key(path.clone()).to_string());
            }
            let entry = place.entry(piece.clone()).or_insert_with(|| Value::Table(Table::new()));
            let inner = match entry {
                Value::Table(table) => Some(table),
                Value::Tables(list) => list.last_mut(),
                _ => None,
            };
            match inner {
                Some(inner) => place = inner,
                None => {
                    let message = format!("Key '{}' was already created as a hash.", Key(path));
                    return Err(Fault { message, spot: self.defining });
                }
            }
        }
        self.context = path;
        if as_list {
            let entry = place.entry(last.clone()).or_insert_with(|| Value::Tables(Vec::new()));
            match entry {
                Value::Tables(list) => list.push(Table::new()),
                _ => {
                    let name = Key(key.to_vec());
                    let message = format!("Key '{name}' was already created and cannot be used as an array.");
                    return Err(self.defined(message));
                }
            }
        } else {
            self.set_value(last, Value::Table(Table::new()))?;
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// Puts a value into the current table, unless something else is there already.
    pub(super) fn set_value(&mut self, key: &str, value: Value) -> Result<(), Fault> {
        let mut path: Vec<String> = Vec::with_capacity(self.context.len() + 1);
        let mut place = &mut self.root;
        for piece in &self.context {
            path.push(piece.clone());
            let inner = match place.get_mut(piece) {
                Some(Value::Table(table)) => Some(table),
                Some(Value::Tables(list)) => list.last_mut(),
                _ => None,
            };
            match inner {
                Some(inner) => place = inner,
                None => {
                    let message = format!("Key '{}' has already been defined.", Key(path));
                    return Err(Fault { message, spot: self.defining });
                }
            }
        }
        path.push(key.to_owned());
        if !place.contains_key(key) {
            place.insert(key.to_owned(), value);
            return Ok(());
        }
        let name = Key(path).to_string();
        let is_array = self.info.get(&name).is_some_and(|info| info.is_array);
        let is_implicit = self.implicit.remove(&name);
        // Before 1.6 an array takes the place of anything, and anything that of an array.
        let is_replaced = is_array && self.dialect < Dialect::V1_6;
        if !is_implicit && !is_replaced {
            let message = format!("Key '{name}' has already been defined.");
            return Err(Fault { message, spot: self.defining });
        }
        // What was only implied may be defined once; an array then takes its place, anything else leaves
        // what is there.
        if is_array {
            place.insert(key.to_owned(), value);
        }
        Ok(())
    }

    pub(super) fn set_info(&mut self, key: &str, spot: Spot, is_array: bool) {
        let mut path = self.context.clone();
        if !key.is_empty() || path.is_empty() {
            path.push(key.to_owned());
        }
        self.info.insert(Key(path).to_string(), Info { spot, is_array });
    }
}
