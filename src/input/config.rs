//! The layers of one `configuration.toml`: the file, and what lies in `config.d` beside it.
//!
//! Decides which texts there are and gives each value its place. How layers are merged, and which
//! entry of `config.d` is an error, is each runtime's own business (`runtime::*::load`).
//! Facts: src/libs/kata-types/src/config/drop_in.rs and src/runtime/pkg/katautils/config.go at 4.1.0.

use std::sync::Arc;

use indexmap::IndexMap;

use super::host::{Errno, FileKind, Host};
use super::source::Source;
use crate::answer::Place;

/// One entry of `config.d`.
#[derive(Debug, Clone)]
pub struct DropIn {
    /// Shown path.
    pub path: Arc<str>,
    /// What the entry itself is (a link is not followed).
    pub kind: FileKind,
    /// Its text, links followed, or why it could not be read.
    pub content: Result<Source, Unreadable>,
}

/// Why a file gave no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The operating system refused.
    Io(Errno),
    /// Not UTF-8; the offset of the first bad byte.
    NotUtf8(usize),
    /// Larger than `SIZE_LIMIT`.
    TooLarge(u64),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(errno) => errno.fmt(f),
            Self::NotUtf8(at) => write!(f, "not UTF-8: the first bad byte is at offset {at}"),
            Self::TooLarge(size) => write!(f, "too large: {size} bytes, of {SIZE_LIMIT} that are read"),
        }
    }
}

/// The largest configuration file read, in bytes.
pub const SIZE_LIMIT: u64 = super::host::READ_LIMIT;

/// A configuration file with its drop-ins, unread by any runtime yet.
#[derive(Debug, Clone)]
pub struct Layers {
    /// The path asked for.
    pub asked: Arc<str>,
    /// The path after links were followed; drop-ins are looked for beside it.
    pub resolved: Result<Arc<str>, Errno>,
    /// The main file.
    pub base: Result<Source, Unreadable>,
    /// The folder of drop-ins, where it exists: `Err` if it is there but cannot be listed.
    pub drop_ins: Result<Vec<DropIn>, Errno>,
    /// Keys that are written otherwise than in the files, to see what comes of it: their names with their tables.
    pub what_if: Vec<String>,
}

fn read(host: &Host, path: &str) -> Result<Source, Unreadable> {
    let stat = host.stat(path).map_err(Unreadable::Io)?;
    if stat.size > SIZE_LIMIT {
        return Err(Unreadable::TooLarge(stat.size));
    }
    let bytes = host.read(path).map_err(Unreadable::Io)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(e) => Err(Unreadable::NotUtf8(e.utf8_error().valid_up_to())),
    }
}

impl Layers {
    /// Reads `path` and its `config.d` through the host. Never fails: what went wrong is in the fields.
    pub fn read(host: &Host, path: &str) -> Self {
        let resolved = host.canonicalize(path);
        let real: Arc<str> = resolved.clone().unwrap_or_else(|_| Arc::from(path));
        let folder = real.rsplit_once('/').map_or("", |(dir, _)| dir);
        let config_d = format!("{folder}/config.d");
        let drop_ins = match host.read_dir(&config_d) {
            Ok(names) => Ok(names
                .iter()
                .map(|name| {
                    let path = format!("{config_d}/{name}");
                    let kind = host.lstat(&path).map_or(FileKind::Other, |s| s.kind);
                    DropIn { kind, content: read(host, &path), path: path.into() }
                })
                .collect()),
            Err(Errno::NotFound) => Ok(Vec::new()),
            Err(errno) => Err(errno),
        };
        Self { asked: path.into(), base: read(host, &real), resolved, drop_ins, what_if: Vec::new() }
    }

    /// Layers of texts that are at hand: the sample, tests, an edited policy.
    pub fn of_text(path: &str, text: &str) -> Self {
        Self {
            asked: path.into(),
            resolved: Ok(path.into()),
            base: Ok(Source::new(path, text)),
            drop_ins: Ok(Vec::new()),
            what_if: Vec::new(),
        }
    }

    /// Every text that could be read, in order of effect.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let drop_ins = self.drop_ins.as_deref().unwrap_or_default();
        self.base.iter().chain(drop_ins.iter().filter_map(|d| d.content.as_ref().ok()))
    }

    /// The same layers with the text of one file replaced (an unsaved edit). A new path becomes a new drop-in.
    #[must_use]
    pub fn with_text(&self, path: &str, text: &str) -> Self {
        let mut changed = self.clone();
        let source = Source::new(path, text);
        if changed.base.as_ref().is_ok_and(|b| &*b.path == path) {
            changed.base = Ok(source);
            return changed;
        }
        if let Ok(drop_ins) = &mut changed.drop_ins {
            match drop_ins.iter_mut().find(|d| &*d.path == path) {
                Some(drop_in) => drop_in.content = Ok(source),
                None => {
                    drop_ins.push(DropIn { path: path.into(), kind: FileKind::File, content: Ok(source) });
                    drop_ins.sort_by(|a, b| a.path.cmp(&b.path));
                }
            }
        }
        changed
    }

    /// The same layers without one drop-in.
    #[must_use]
    pub fn without(&self, path: &str) -> Self {
        let mut changed = self.clone();
        if let Ok(drop_ins) = &mut changed.drop_ins {
            drop_ins.retain(|drop_in| &*drop_in.path != path);
        }
        changed
    }

    /// Where `key` (dotted, such as `hypervisor.qemu.path`) is set last; the winning place.
    /// Files that are not TOML are passed over.
    pub fn places(&self) -> IndexMap<String, Place> {
        let mut places = IndexMap::new();
        for source in self.sources() {
            if let Ok(document) = toml_edit::Document::parse(source.text.as_ref()) {
                collect_places(source, "", document.as_table(), &mut places);
            }
        }
        places
    }
}

fn collect_places(
    source: &Source,
    prefix: &str,
    table: &dyn toml_edit::TableLike,
    places: &mut IndexMap<String, Place>,
) {
    for (name, item) in table.iter() {
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
        if let Some(span) = span {
            places.insert(path.clone(), source.place(span.start));
        }
        if let Some(inner) = item.as_table_like() {
            collect_places(source, &path, inner, places);
        }
    }
}
