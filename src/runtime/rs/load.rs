//! Files to configuration: drop-ins are merged as trees, the result is typed, then adjusted.
//!
//! Decides every message of a configuration that does not load; the texts of type errors come from the
//! same parser as the runtime's. Facts: src/libs/kata-types/src/config/{mod,drop_in}.rs at 4.1.0.

use crate::release::Release;
use crate::release::rs::Change;
use indexmap::IndexMap;

use super::adjust;
use super::config::{Agent, Config, Hypervisor, Runtime};
use super::error::ConfigError;
use super::spelling;
use super::tree::{Spot, Tree};
use crate::input::config::{Layers, Unreadable};
use crate::input::host::FileKind;
use crate::input::search::default_paths;
use crate::input::{Host, Place, Source, Text};
use crate::runtime::{LoadError, RuntimeMessage};

/// A configuration before and after adjustment.
pub struct Read {
    /// The release whose rules hold.
    pub release: Release,
    /// As the files have it.
    pub raw: Config,
    /// As the runtime holds it.
    pub adjusted: Config,
    /// Where each key is set last.
    pub places: IndexMap<String, Place>,
}

fn unreadable(why: Unreadable, path: &str) -> LoadError {
    let message = match why {
        Unreadable::Io(errno) => errno.rust(),
        Unreadable::NotUtf8(_) => "stream did not contain valid UTF-8".to_owned(),
        Unreadable::TooLarge(size) => format!("{path} is too large to be a configuration: {size} bytes"),
    };
    LoadError::new(message, Place::whole(path))
}

fn tree(source: &Source, release: Release) -> Result<Tree, LoadError> {
    Tree::parse(&source.text, release).map_err(|error| {
        let place = match error.at {
            Some(Spot::Offset(offset)) => source.place(offset),
            Some(Spot::LineColumn(line, column)) => {
                Place { file: source.path.clone(), line: line as u32, column: column as u32 }
            }
            None => return LoadError::new(error.message, Place::whole(source.path.clone())),
        };
        LoadError::new(error.message, Some(place))
    })
}

/// The merged tree of the layers.
pub fn merged(layers: &Layers, release: Release) -> Result<Tree, LoadError> {
    if let Err(errno) = &layers.resolved {
        return Err(LoadError::new(errno.rust(), Place::whole(layers.asked.clone())));
    }
    let base = layers.base.as_ref().map_err(|why| unreadable(*why, &layers.asked))?;
    let mut whole_tree = tree(base, release)?;
    let drop_ins = layers
        .drop_ins
        .as_ref()
        .map_err(|errno| LoadError::new(errno.rust(), Place::whole(layers.asked.clone())))?;
    for drop_in in drop_ins {
        // The words speak of symbolic links, the check takes none.
        if drop_in.kind != FileKind::File {
            let message = "drop-in cfg file can only be a regular file or a symlink".to_owned();
            return Err(LoadError::new(message, Place::whole(drop_in.path.clone())));
        }
        let source = drop_in.content.as_ref().map_err(|why| unreadable(*why, &drop_in.path))?;
        whole_tree.merge(tree(source, release)?);
    }
    Ok(whole_tree)
}

/// Loads as the runtime does.
pub fn load(release: Release, layers: &Layers, host: &Host) -> Result<Read, LoadError> {
    let tree = merged(layers, release)?.cut(release);
    let places = layers.places();
    let raw = typed(tree.clone(), release).map_err(|message| {
        let place = culprit(&tree, &message, release).and_then(|key| nearest_place(&places, &key));
        LoadError::new(message, place.or_else(|| Some(Place::whole(layers.asked.clone()))))
    })?;
    let mut adjusted = raw.clone();
    adjust::adjust(&mut adjusted, host).map_err(|error| {
        let place = place_of(&error, &places).or_else(|| Some(Place::whole(layers.asked.clone())));
        LoadError::new(error.message, place)
    })?;
    Ok(Read { release, raw, adjusted, places })
}

/// Types a tree that is cut to a release, and undoes what the structs have in another way.
fn typed(tree: Tree, release: Release) -> Result<Config, RuntimeMessage> {
    let typed: Result<Config, RuntimeMessage> = tree.clone().typed();
    if release.has(Change::PipeSizeRequired)
        && let Some(name) = lacks_pipe_size(&tree)
        // Agents are typed first.
        && typed.as_ref().err().is_none_or(|message| !message.contains("`agent."))
    {
        return Err(format!("missing field `container_pipe_size` for key `agent.{name}`").into());
    }
    let mut config =
        typed.map_err(|message| RuntimeMessage(spelling::without_later_keys(&message, release)))?;
    config.release = release;
    for (_, hv) in config.hypervisor.iter_mut() {
        if let Some(whole) = hv.cpu_info.whole_vcpus {
            let cpu = &mut hv.cpu_info;
            cpu.default_vcpus = whole as f32;
            cpu.whole_vcpus = None;
        }
        if !spelling::reads("hypervisor.<name>", "guest_swap_path", release) {
            hv.memory_info.guest_swap_path = Text::default();
        }
    }
    for (_, agent) in config.agent.iter_mut() {
        if let Some(milliseconds) = agent.create_container_timeout_ms {
            agent.create_container_timeout.milliseconds = milliseconds;
            agent.create_container_timeout_ms = None;
        }
        if !spelling::reads("agent.<name>", "cdh_api_timeout_ms", release) {
            agent.cdh_api_timeout_ms = 0;
        }
    }
    Ok(config)
}

/// The first agent whose table does not set the size of pipes.
fn lacks_pipe_size(tree: &Tree) -> Option<String> {
    let lacks = |name: &String| {
        let entries = tree.entries(&format!("agent.{name}"));
        entries.is_some_and(|entries| entries.iter().all(|(key, _)| key != "container_pipe_size"))
    };
    tree.entries("agent")?.into_iter().map(|(name, _)| name).find(lacks)
}

/// Where a error's key stands, or else its table.
pub fn place_of(error: &ConfigError, places: &IndexMap<String, Place>) -> Option<Place> {
    let key = error.whole_key().unwrap_or_else(|| error.table.clone());
    nearest_place(places, &key)
}

fn nearest_place(places: &IndexMap<String, Place>, key: &str) -> Option<Place> {
    let mut key = key;
    loop {
        if let Some(place) = places.get(key) {
            return Some(place.clone());
        }
        key = key.rsplit_once('.')?.0;
    }
}

/// The key that typing fails on: the one that alone gives the same message.
fn culprit(tree: &Tree, message: &str, release: Release) -> Option<String> {
    // Both crates name the table behind the message, and an unknown field in front.
    let behind = |sign: &str| {
        let (_, rest) = message.rsplit_once(sign)?;
        rest.split_once('`').map(|(table, _)| table)
    };
    let table = behind("in `").or_else(|| behind("for key `")).unwrap_or_default();
    if let Some((field, _)) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
        return Some(format!("{table}.{field}"));
    }
    let first = |text: &str| {
        let line = text.lines().next().unwrap_or_default();
        line.split_once(" for key `").map_or(line, |(words, _)| words).to_owned()
    };
    let wanted = first(message);
    let fails = |alone: Tree| {
        let error = match table.split('.').next() {
            Some("hypervisor") => alone.typed::<Hypervisor>().err(),
            Some("agent") => alone.typed::<Agent>().err(),
            Some("runtime") => alone.typed::<Runtime>().err(),
            _ => None,
        };
        error.is_some_and(|error| first(&error) == wanted)
    };
    let key = tree.entries(table)?.into_iter().find(|(_, alone)| fails(alone.clone()))?.0;
    let key = format!("{table}.{key}");
    Some(spelling::in_file(&key, release).unwrap_or(key))
}

/// The configuration that VM templates are made from: that of the default file, unadjusted, whatever
/// file the sandbox is started with. `given` stands in for the file that it was read from.
pub fn default_config(release: Release, given: &Layers, host: &Host) -> Result<Config, RuntimeMessage> {
    let default = default_paths(release).iter().find(|path| host.finds(path));
    let path = match default.and_then(|path| host.canonicalize(path).ok()) {
        Some(path) => path,
        // Of a host that nobody can look at, the given file is taken to be the default one.
        None if default_paths(release).iter().any(|path| !host.knows(path)) && given.resolved.is_ok() => {
            given.resolved.clone().unwrap_or_default()
        }
        None => return Err("entity not found".into()),
    };
    let tree = if given.resolved.as_ref().is_ok_and(|resolved| *resolved == path) {
        merged(given, release)
    } else {
        merged(&Layers::read(host, &path), release)
    };
    typed(tree.map_err(|error| RuntimeMessage(error.message))?.cut(release), release)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};

    fn failure(text: &str) -> (String, String) {
        let host = Host::new(HostFacts::default(), Arc::new(MemoryFiles::new()));
        let error =
            load(Release::newest(crate::release::Runtime::Rs), &Layers::of_text("/c.toml", text), &host)
                .err()
                .unwrap();
        (error.message.trim_end().to_owned(), error.place.unwrap().to_string())
    }

    #[test]
    fn errors_stand_at_the_key_that_causes_them() {
        let (message, place) = failure("[agent.kata]\nenable_debug = true\nnope = 1\n");
        assert!(message.starts_with("unknown field `nope`, expected one of `enable_debug`"), "{message}");
        assert_eq!(place, "/c.toml:3:1");
        let (message, place) = failure("[hypervisor.qemu]\npath = \"\"\ndefault_memory = \"2G\"\n");
        assert_eq!(message, "invalid type: string \"2G\", expected u32\nin `hypervisor.qemu`");
        assert_eq!(place, "/c.toml:3:1");
        let (message, place) = failure("[hypervisor.acrn]\n");
        assert_eq!(message, "Can not find plugin for hypervisor acrn");
        assert_eq!(place, "/c.toml:1:13");
        let (message, place) = failure("[runtime]\nsandbox_bind_mounts = [\"/no:ro\"]\n");
        assert_eq!(message, "sandbox bind mount `/no:ro` is invalid: No such file or directory (os error 2)");
        assert_eq!(place, "/c.toml:2:1");
        let (message, place) = failure("[runtime\n");
        assert!(message.starts_with("TOML parse error at line 1, column 9"), "{message}");
        assert_eq!(place, "/c.toml:1:9");
    }
}
