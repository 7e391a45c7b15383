//! Files to configuration: drop-ins are merged as trees, the result is typed, then adjusted.
//!
//! Decides every message of a configuration that does not load; the texts of type errors come from the
//! same parser as the runtime's. Facts: src/libs/kata-types/src/config/{mod,drop_in}.rs at 4.1.0.

use crate::release::Release;
use indexmap::IndexMap;

use super::adjust;
use super::complaint::Complaint;
use super::config::{Agent, Config, Hypervisor, Runtime};
use crate::input::config::{Layers, Unreadable};
use crate::input::host::FileKind;
use crate::input::{Host, Place, Source};
use crate::runtime::LoadError;

/// A configuration before and after adjustment.
pub struct Read {
    /// The release whose rules hold.
    pub release: Release,
    /// As the files have it.
    pub raw: Config<'static>,
    /// As the runtime holds it.
    pub adjusted: Config<'static>,
    /// Where each key is set last.
    pub places: IndexMap<String, Place>,
}

fn failed(message: String, place: Option<Place>) -> LoadError {
    LoadError { message, place, panic: false }
}

fn whole(path: &str) -> Option<Place> {
    Some(Place { file: path.into(), line: 0, column: 0 })
}

fn unreadable(why: Unreadable, path: &str) -> LoadError {
    let message = match why {
        Unreadable::Io(errno) => errno.rust(),
        Unreadable::NotUtf8(_) => "stream did not contain valid UTF-8".to_owned(),
        Unreadable::TooLarge(size) => format!("{path} is too large to be a configuration: {size} bytes"),
    };
    failed(message, whole(path))
}

fn tree(source: &Source) -> Result<toml::Value, LoadError> {
    toml::from_str(&source.text).map_err(|error| {
        let place = error.span().map(|span| source.place(span.start)).or_else(|| whole(&source.path));
        failed(error.to_string(), place)
    })
}

/// Puts `above` over `below`: tables key by key, all else as a whole.
fn merge(below: &mut toml::Value, above: toml::Value) {
    match (below, above) {
        (toml::Value::Table(below), toml::Value::Table(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => {
                        below.insert(key, value);
                    }
                }
            }
        }
        (below, above) => *below = above,
    }
}

/// The merged tree of the layers.
pub fn merged(layers: &Layers) -> Result<toml::Value, LoadError> {
    if let Err(errno) = &layers.resolved {
        return Err(failed(errno.rust(), whole(&layers.asked)));
    }
    let base = layers.base.as_ref().map_err(|why| unreadable(*why, &layers.asked))?;
    let mut whole_tree = tree(base)?;
    let drop_ins = layers.drop_ins.as_ref().map_err(|errno| failed(errno.rust(), whole(&layers.asked)))?;
    for drop_in in drop_ins {
        // The words speak of symbolic links, the check takes none.
        if drop_in.kind != FileKind::File {
            let message = "drop-in cfg file can only be a regular file or a symlink".to_owned();
            return Err(failed(message, whole(&drop_in.path)));
        }
        let source = drop_in.content.as_ref().map_err(|why| unreadable(*why, &drop_in.path))?;
        merge(&mut whole_tree, tree(source)?);
    }
    Ok(whole_tree)
}

/// Loads as the runtime does.
pub fn load(release: Release, layers: &Layers, host: &Host) -> Result<Read, LoadError> {
    let tree = merged(layers)?;
    let places = layers.places();
    let raw: Config<'static> = match tree.clone().try_into() {
        Ok(config) => config,
        Err(error) => {
            let message = toml::de::Error::to_string(&error);
            let place = culprit(&tree, &message).and_then(|key| nearest_place(&places, &key));
            return Err(failed(message, place.or_else(|| whole(&layers.asked))));
        }
    };
    let mut adjusted = raw.clone();
    adjust::adjust(&mut adjusted, host).map_err(|complaint| {
        let place = place_of(&complaint, &places).or_else(|| whole(&layers.asked));
        failed(complaint.message, place)
    })?;
    Ok(Read { release, raw, adjusted, places })
}

/// Where a complaint's key stands, or else its table.
pub fn place_of(complaint: &Complaint, places: &IndexMap<String, Place>) -> Option<Place> {
    let key = complaint.whole_key().unwrap_or_else(|| complaint.table.clone());
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
fn culprit(tree: &toml::Value, message: &str) -> Option<String> {
    // `unknown field `x`, expected ...` and `in `agent.kata`` name it between them.
    let table =
        message.rsplit_once("in `").and_then(|(_, rest)| rest.split_once('`')).map(|(table, _)| table);
    let table = table.unwrap_or_default();
    if let Some((field, _)) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
        return Some(format!("{table}.{field}"));
    }
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let wanted = first(message);
    let keys = table.split('.').try_fold(tree, |value, key| value.get(key))?.as_table()?;
    let fails = |key: &String, value: &toml::Value| {
        let alone = toml::Value::Table([(key.clone(), value.clone())].into_iter().collect());
        let error = match table.split('.').next() {
            Some("hypervisor") => alone.try_into::<Hypervisor<'_>>().err(),
            Some("agent") => alone.try_into::<Agent>().err(),
            Some("runtime") => alone.try_into::<Runtime>().err(),
            _ => None,
        };
        error.is_some_and(|e| first(&e.to_string()) == wanted)
    };
    let key = keys.iter().find(|(key, value)| fails(key, value)).map(|(key, _)| key)?;
    Some(format!("{table}.{key}"))
}

/// The files that the runtime looks for where nobody names one.
pub const DEFAULT_FILES: [&str; 3] = [
    "/etc/kata-containers/runtime-rs/configuration.toml",
    "/usr/share/defaults/kata-containers/runtime-rs/configuration.toml",
    "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration.toml",
];

/// The configuration that VM templates are made from: that of the default file, unadjusted, whatever
/// file the sandbox is started with. `given` stands in for the file that it was read from.
pub fn default_config(given: &Layers, host: &Host) -> Result<Config<'static>, String> {
    let default = DEFAULT_FILES.iter().find(|path| host.finds(path));
    let path = match default.and_then(|path| host.canonicalize(path).ok()) {
        Some(path) => path,
        // Of a host that nobody can look at, the given file is taken to be the default one.
        None if !host.sees_all() && given.resolved.is_ok() => given.resolved.clone().unwrap_or_default(),
        None => return Err("entity not found".to_owned()),
    };
    let tree = if given.resolved.as_ref().is_ok_and(|resolved| *resolved == path) {
        merged(given)
    } else {
        merged(&Layers::read(host, &path))
    };
    tree.map_err(|e| e.message)?.try_into().map_err(|e: toml::de::Error| e.to_string())
}

/// The other spelling under which a key may stand in a file.
pub fn alias(key: &str) -> Option<String> {
    let (table, name) = key.rsplit_once('.')?;
    let other = match name {
        "extra_monitor_socket" => "dbg_monitor_socket",
        "enable" if table.ends_with(".mem_agent") => "mem_agent_enable",
        _ => return None,
    };
    Some(format!("{table}.{other}"))
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

    #[test]
    fn a_drop_in_may_change_a_type_and_replaces_lists() {
        let mut base: toml::Value = toml::from_str("a = [1, 2]\nb = 1\n[t]\nx = 1\ny = 2\n").unwrap();
        merge(&mut base, toml::from_str("a = [3]\nb = { c = 1 }\n[t]\ny = 3\n").unwrap());
        let want: toml::Value = toml::from_str("a = [3]\nb = { c = 1 }\n[t]\nx = 1\ny = 3\n").unwrap();
        assert_eq!(base, want);
    }
}
