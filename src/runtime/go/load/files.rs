//! The main file and its drop-ins, merged into typed tables.
//!
//! Decides what a drop-in may change and which files count: every entry of `config.d`, by name. Knows no
//! defaults. Facts: `decodeConfig` and what it calls in src/runtime/pkg/katautils/config.go at 4.1.0.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::toml_of;
use crate::golang::filepath::clean;
use crate::golang::strconv::quote;
use crate::golang::toml::{self, Decode, Decoder, Document, same_name, table_of};
use crate::input::config::{Layers, Unreadable};
use crate::input::host::Errno;
use crate::input::{Host, Place, Source};
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::LoadError;
use crate::runtime::go::config::{AgentConfig, FactoryTable, HypervisorConfig, NetmonTable, RuntimeTable};

/// Everything that the files say.
#[derive(Debug, Clone, Default)]
pub(super) struct TomlConfig {
    pub hypervisor: IndexMap<String, HypervisorConfig>,
    pub agent: IndexMap<String, AgentConfig>,
    pub factory: FactoryTable,
    pub runtime: RuntimeTable,
    pub netmon: NetmonTable,
}

impl Decode<Release> for TomlConfig {
    fn decode(&mut self, value: &toml::Value, at: &mut Decoder<'_, Release>) -> Result<(), toml::Error> {
        let Some(root) = table_of(value) else { return Ok(()) };
        for (key, value) in root {
            at.below(key, |at| {
                if same_name("hypervisor", key) {
                    decode_map(&mut self.hypervisor, value, at)
                } else if same_name("agent", key) {
                    decode_map(&mut self.agent, value, at)
                } else if same_name("factory", key) {
                    self.factory.decode(value, at)
                } else if same_name("runtime", key) {
                    self.runtime.decode(value, at)
                } else if same_name("netmon", key) && at.fields().has(Change::Netmon) {
                    self.netmon.decode(value, at)
                } else {
                    Ok(())
                }
            })?;
        }
        Ok(())
    }
}

/// Each table named starts anew.
fn decode_map<T: Decode<Release>>(
    map: &mut IndexMap<String, T>,
    value: &toml::Value,
    at: &mut Decoder<'_, Release>,
) -> Result<(), toml::Error> {
    let Some(table) = table_of(value) else { return Ok(()) };
    for (name, value) in table {
        let mut fresh = T::default();
        at.below(name, |at| fresh.decode(value, at))?;
        map.insert(name.clone(), fresh);
    }
    Ok(())
}

/// The merged files, and where each key was set last (`hypervisor.qemu.path`).
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub config: TomlConfig,
    pub places: HashMap<String, Place>,
}

fn unreadable(path: &str, why: Unreadable) -> String {
    match why {
        Unreadable::Io(Errno::IsDirectory) => format!("read {path}: is a directory"),
        Unreadable::Io(errno) => format!("open {path}: {errno}"),
        Unreadable::TooLarge(size) => format!("{path}: {size} bytes are more than is read here"),
        Unreadable::NotUtf8(_) => format!("{path}: not UTF-8"),
    }
}

/// A text that is no UTF-8 is read after all: the reader has its own words for it.
fn decode(
    release: Release,
    host: &Host,
    path: &str,
    content: &Result<Source, Unreadable>,
    into: &mut TomlConfig,
) -> Result<Document, LoadError> {
    let bytes;
    let (text, source) = match content {
        Ok(source) => (source.text.as_bytes(), Some(source)),
        Err(Unreadable::NotUtf8(_)) => {
            bytes = host.read(path).unwrap_or_default();
            (bytes.as_slice(), None)
        }
        Err(why) => return Err(LoadError::new(unreadable(path, *why), Place::whole(path))),
    };
    let place = |error: &toml::Error| match (source, error.spot) {
        (Some(source), Some(spot)) => source.place(spot.offset),
        (None, Some(spot)) => Place { line: u32::try_from(spot.line).unwrap_or(0), ..Place::whole(path) },
        _ => Place::whole(path),
    };
    let fail = |error: toml::Error| LoadError {
        panic: error.panic,
        ..LoadError::new(error.to_string(), place(&error))
    };
    let document = toml::parse(text, toml_of(release)).map_err(fail)?;
    let root = toml::Value::Table(document.root.clone());
    into.decode(&root, &mut Decoder::new(&document, toml_of(release), release)).map_err(fail)?;
    Ok(document)
}

impl Files {
    /// Reads and merges.
    pub(super) fn read(release: Release, layers: &Layers, host: &Host) -> Result<Self, LoadError> {
        let resolved = layers.resolved.as_ref().map_err(|errno| {
            let asked = clean(&layers.asked);
            let why = match errno {
                Errno::NotFound => format!("file {asked} does not exist"),
                Errno::LinkLoop => "EvalSymlinks: too many links".to_owned(),
                Errno::NotDirectory => errno.go().to_owned(),
                _ => format!("lstat {asked}: {errno}"),
            };
            LoadError::new(
                format!("Cannot find usable config file ({why})"),
                Place::whole(layers.asked.clone()),
            )
        })?;
        let mut files = Self::default();
        let document = decode(release, host, resolved, &layers.base, &mut files.config)?;
        files.note(&document, layers.base.as_ref().ok(), false);
        let folder = resolved.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !release.has(Change::DropIns) {
            return Ok(files);
        }
        let drop_ins = layers.drop_ins.as_ref().map_err(|errno| {
            let folder = format!("{folder}/config.d");
            let message = format!("error reading {} directory: open {folder}: {errno}", quote(&folder));
            LoadError::new(message, Place::whole(folder.as_str()))
        })?;
        for drop_in in drop_ins {
            files.merge(release, host, &drop_in.path, &drop_in.content)?;
        }
        Ok(files)
    }

    /// A drop-in: what it says under `hypervisor` and `agent` is copied key by key, under exact names;
    /// the rest it changes in place.
    fn merge(
        &mut self,
        release: Release,
        host: &Host,
        path: &str,
        content: &Result<Source, Unreadable>,
    ) -> Result<(), LoadError> {
        let name = quote(path);
        if let Err(why @ (Unreadable::Io(_) | Unreadable::TooLarge(_))) = content {
            let message = format!("error reading file {name}: {}", unreadable(path, *why));
            return Err(LoadError::new(message, Place::whole(path)));
        }
        let before = (self.config.hypervisor.clone(), self.config.agent.clone());
        let document = decode(release, host, path, content, &mut self.config).map_err(|error| LoadError {
            message: format!("error decoding file {name}: {}", error.message),
            ..error
        })?;
        let (mut hypervisors, mut agents) = before;
        for (key, spot) in &document.keys {
            let [section, table, field, ..] = key.0.as_slice() else { continue };
            let known = match section.as_str() {
                "hypervisor" => {
                    let said = self.config.hypervisor.get(table).cloned().unwrap_or_default();
                    hypervisors.entry(table.clone()).or_default().copy_key(&said, field, release)
                }
                "agent" => {
                    let said = self.config.agent.get(table).cloned().unwrap_or_default();
                    agents.entry(table.clone()).or_default().copy_key(&said, field, release)
                }
                _ => true,
            };
            if !known {
                let field = quote(field);
                let message = format!(
                    "error applying key '{key}' from drop-in file {name}: error getting key {field} from a \
                     decoded drop-in conf file: key {field} not found"
                );
                let place = content.as_ref().map_or_else(|_| Place::whole(path), |s| s.place(spot.offset));
                return Err(LoadError::new(message, place));
            }
        }
        self.config.hypervisor = hypervisors;
        self.config.agent = agents;
        self.note(&document, content.as_ref().ok(), true);
        Ok(())
    }

    /// Remembers where each key stands.
    fn note(&mut self, document: &Document, source: Option<&Source>, exact: bool) {
        let Some(source) = source else { return };
        for (key, spot) in &document.keys {
            let same =
                |name: &str, key: &str, exact: bool| if exact { name == key } else { same_name(name, key) };
            let place = source.place(spot.offset);
            let named = |keys: &[&'static str], field: &str, exact: bool| {
                keys.iter().copied().find(|key| same(key, field, exact))
            };
            let found = match key.0.as_slice() {
                [section, table, field] if same("hypervisor", section, exact) => {
                    named(HypervisorConfig::KEYS, field, exact).map(|key| format!("hypervisor.{table}.{key}"))
                }
                [section, table, field] if same("agent", section, exact) => {
                    named(AgentConfig::KEYS, field, exact).map(|key| format!("agent.{table}.{key}"))
                }
                [section, table] if same_name("hypervisor", section) => Some(format!("hypervisor.{table}")),
                [section, table] if same_name("agent", section) => Some(format!("agent.{table}")),
                [section, field] if same_name("runtime", section) => {
                    named(RuntimeTable::KEYS, field, false).map(|key| format!("runtime.{key}"))
                }
                [section, field] if same_name("factory", section) => {
                    named(FactoryTable::KEYS, field, false).map(|key| format!("factory.{key}"))
                }
                _ => None,
            };
            if let Some(found) = found {
                self.places.insert(found, place);
            }
        }
    }
}
