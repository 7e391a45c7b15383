//! The files of a node in memory.
//!
//! Decides which names an archive may have, and which contents are kept: those that a configuration, a container
//! runtime or a kernel is told by. Of the others their kind, size and mode are known, of small ones the digest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use sha2::{Digest, Sha512};

use super::limits;
use crate::input::host::{Errno, FileKind, Files, READ_LIMIT, Stat};

/// What is known of one file.
#[derive(Debug, Clone)]
struct Entry {
    kind: FileKind,
    size: u64,
    mode: u32,
    content: Option<Box<[u8]>>,
    digest: Option<Box<[u8; 64]>>,
    target: Option<Box<str>>,
}

/// A file system in memory that knows what it does not hold.
#[derive(Debug, Default)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
    absent: BTreeSet<String>,
    /// Folders of which every name is known.
    listed: BTreeSet<String>,
    /// Whether folders are here as whole as they were copied.
    whole: bool,
    kept: usize,
    names: usize,
    count: usize,
}

/// An archive's name for a file as an absolute path; `None` for the root itself.
pub(super) fn absolute(name: &str) -> Result<Option<String>, String> {
    if name.len() > limits::NAME {
        return Err(format!("a name of {} bytes: Linux takes no path as long", name.len()));
    }
    if name.contains('\0') {
        return Err(format!("the name {name:?} has a NUL in it"));
    }
    let mut path = String::with_capacity(name.len() + 1);
    for component in name.split('/') {
        match component {
            "" | "." => {}
            ".." => return Err(format!("the name {name:?} leads out of the archive")),
            component => {
                path.push('/');
                path.push_str(component);
            }
        }
    }
    Ok((!path.is_empty()).then_some(path))
}

/// Whether the content of such a file may be asked for, whatever its size.
fn is_told_by(path: &str) -> bool {
    const ENDS: [&str; 10] =
        [".toml", ".conf", ".yaml", ".yml", ".json", ".tmpl", ".part", ".template", "/VERSION", ".md"];
    const FOLDERS: [&str; 6] = ["/etc/", "/proc/", "/sys/", "/config.d/", "/conf.d/", "/sos_commands/"];
    ENDS.iter().any(|end| path.ends_with(end)) || FOLDERS.iter().any(|folder| path.contains(folder))
}

impl Tree {
    fn put(&mut self, path: String, entry: Entry) -> Result<(), String> {
        self.count += 1;
        self.names += path.len() + entry.target.as_ref().map_or(0, |target| target.len());
        if self.count > limits::ENTRIES {
            return Err(format!("more than {} files", limits::ENTRIES));
        }
        if self.names > limits::NAMES {
            return Err(format!("its names alone take more than {} MiB", limits::NAMES >> 20));
        }
        self.kept += entry.content.as_ref().map_or(0, |content| content.len());
        // The last one of a name counts, as it does for who unpacks.
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Adds a file from its content, which is read to its end or not at all.
    pub(super) fn file(
        &mut self,
        path: String,
        size: u64,
        mode: u32,
        content: impl Read,
    ) -> Result<(), String> {
        let wanted = size <= limits::SMALL || (size <= READ_LIMIT && is_told_by(&path));
        let room = self.kept as u64 + size <= limits::KEPT as u64;
        let mut entry = Entry { kind: FileKind::File, size, mode, content: None, digest: None, target: None };
        if (wanted && room) || size <= limits::DIGESTED {
            let mut bytes = Vec::new();
            content.take(READ_LIMIT).read_to_end(&mut bytes).map_err(|e| format!("{path}: {e}"))?;
            if bytes.len() as u64 != size {
                return Err(format!("{path}: it ends in the middle of this file"));
            }
            if wanted && room {
                entry.content = Some(bytes.into());
            } else {
                entry.digest = Some(Box::new(Sha512::digest(&bytes).into()));
            }
        }
        self.put(path, entry)
    }

    /// Adds a file of which only so much is known.
    pub(super) fn known(
        &mut self,
        path: String,
        kind: FileKind,
        size: u64,
        mode: u32,
        digest: Option<[u8; 64]>,
    ) -> Result<(), String> {
        self.put(path, Entry { kind, size, mode, content: None, digest: digest.map(Box::new), target: None })
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: String, target: &str) -> Result<(), String> {
        if target.len() > limits::NAME || target.contains('\0') {
            return Err(format!("{path}: a link to no path that Linux takes"));
        }
        let (kind, size) = (FileKind::Symlink, target.len() as u64);
        self.put(
            path,
            Entry { kind, size, mode: 0o777, content: None, digest: None, target: Some(target.into()) },
        )
    }

    /// Adds another name of a file that came before.
    pub(super) fn same_as(&mut self, path: String, other: &str) -> Result<(), String> {
        let Some(entry) = self.entries.get(other).cloned() else {
            return Err(format!("{path}: a hard link to {other}, which did not come before it"));
        };
        if entry.content.as_ref().is_some_and(|content| self.kept + content.len() > limits::KEPT) {
            return Err(format!("keeps more than {} MiB", limits::KEPT >> 20));
        }
        self.put(path, entry)
    }

    /// Notes that nothing is there.
    pub(super) fn absent(&mut self, path: String) {
        self.absent.insert(path);
    }

    /// A tree whose folders were copied whole.
    pub(super) fn copied() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// Notes that all names of a folder are here.
    pub(super) fn listed(&mut self, path: String) {
        self.listed.insert(path);
    }

    /// Replaces a size or mode by what the collector saw on the node.
    pub(super) fn correct(&mut self, path: &str, size: u64, mode: u32) {
        if let Some(entry) = self.entries.get_mut(path) {
            (entry.size, entry.mode) = (size, mode);
        }
    }

    fn is_folder(&self, path: &str) -> bool {
        let below = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        path == "/"
            || self.entries.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below))
    }
}

impl Files for Tree {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        match self.entries.get(path) {
            Some(entry) => Ok(Stat::new(entry.kind, entry.size, entry.mode)),
            None if self.is_folder(path) => Ok(Stat::new(FileKind::Directory, 0, 0o755)),
            None => Err(Errno::NotFound),
        }
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        let entry = self.entries.get(path).ok_or(Errno::NotFound)?;
        entry.target.as_deref().map(str::to_owned).ok_or(Errno::Other(22))
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        if self.lstat(path)?.kind != FileKind::Directory {
            return Err(Errno::NotDirectory);
        }
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut names: Vec<String> = Vec::new();
        for (path, _) in self.entries.range(prefix.clone()..) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            let name = rest.split('/').next().unwrap_or_default();
            if !name.is_empty() && names.last().is_none_or(|last| last != name) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let Some(entry) = self.entries.get(path) else {
            return Err(if self.is_folder(path) { Errno::IsDirectory } else { Errno::NotFound });
        };
        match (&entry.content, entry.kind) {
            (Some(content), _) => Ok(content.to_vec()),
            (None, FileKind::Directory) => Err(Errno::IsDirectory),
            (None, FileKind::File) if entry.size > READ_LIMIT => Err(Errno::FileTooLarge),
            (None, FileKind::File) => Err(Errno::NotKept),
            (None, FileKind::Symlink | FileKind::Other) => Err(Errno::NotRegular),
        }
    }

    fn sha512(&self, path: &str) -> Result<[u8; 64], Errno> {
        let digest = self.entries.get(path).and_then(|entry| entry.digest.as_deref());
        match digest {
            Some(digest) => Ok(*digest),
            None => match self.read(path) {
                Err(Errno::FileTooLarge) => Err(Errno::NotKept),
                bytes => bytes.map(|bytes| Sha512::digest(bytes).into()),
            },
        }
    }

    fn digest(&self) -> Option<[u8; 64]> {
        let mut hash = Sha512::new();
        let mut put = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for (path, entry) in &self.entries {
            put(path.as_bytes());
            put(format!("{:?} {} {:o}", entry.kind, entry.size, entry.mode).as_bytes());
            for part in [entry.content.as_deref(), entry.digest.as_deref().map(<[u8; 64]>::as_slice)] {
                put(&[u8::from(part.is_some())]);
                put(part.unwrap_or_default());
            }
            put(entry.target.as_deref().unwrap_or_default().as_bytes());
        }
        put(format!("{:?} {:?} {}", self.absent, self.listed, self.whole).as_bytes());
        Some(hash.finalize().into())
    }

    fn lists(&self, folder: &str) -> bool {
        self.whole || self.listed.contains(folder)
    }

    fn is_absent(&self, path: &str) -> bool {
        if self.absent.contains(path) {
            return true;
        }
        let Some((folder, _)) = path.rsplit_once('/') else { return false };
        let folder = if folder.is_empty() { "/" } else { folder };
        let is_there = folder == "/" || self.lstat(folder).is_ok();
        if is_there { self.listed.contains(folder) } else { self.is_absent(folder) }
    }
}
