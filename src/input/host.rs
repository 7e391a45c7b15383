//! The host that is asked about: hardware `facts`, and its file system seen under `--root`.
//!
//! Decides how a path named by a configuration or an annotation is looked up (symbolic links are
//! followed inside the root, as a chroot would) and remembers every answer, so that evaluation
//! stays cheap. Where the files cannot be looked at it answers as `assumption` decides, and notes that it did.
//! Judges nothing. What this machine's own facts are is probed in `probe`.

mod assumption;
mod facts;
mod files;
pub mod globs;
mod memory;
mod network;

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use assumption::{Notes, PLACEHOLDER_SIZE};
use memory::Memory;

pub use assumption::{Assumption, Look};
pub use facts::{Arch, FactOrigin, HostFacts, NumaNode, Protection};
pub use files::{DiskFiles, Errno, FileKind, Files, MemoryFiles, READ_LIMIT, Stat};
pub use network::{
    Address, Interface, Ip, LinkKind, MAC_TOKEN, NETNS_TOKEN, Neighbour, NetworkTable, PodNetwork, Route,
    TableError,
};

/// The files that a glob stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Their paths.
    pub files: Vec<String>,
    /// Whether all are here: a glob over too much is not followed to its end, and one over files that nobody can
    /// look at not at all.
    pub whole: bool,
}

/// The host: facts and files. Cheap to clone; clones share what was remembered.
#[derive(Clone)]
pub struct Host {
    /// Hardware facts.
    pub facts: HostFacts,
    files: Arc<dyn Files>,
    memory: Arc<Mutex<Memory>>,
    look: Look,
    /// What is taken for granted of the host as a whole: its hardware.
    granted: Arc<[Assumption]>,
    notes: Option<Arc<Notes>>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// Devices that any kernel has: those that a configuration may name.
const DEVICES: [&str; 5] = ["hwrng", "null", "random", "urandom", "zero"];

fn is_device(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|name| DEVICES.contains(&name))
}

/// How many links one look-up follows, as Linux does.
const LINK_LIMIT: usize = 40;

impl Host {
    /// A host of these facts and files.
    pub fn new(facts: HostFacts, files: Arc<dyn Files>) -> Self {
        Self {
            facts,
            files,
            memory: Arc::default(),
            look: Look::Everything,
            granted: Arc::default(),
            notes: None,
        }
    }

    /// The same files, of which only so much can be looked at, on hardware of which so much is taken for granted.
    #[must_use]
    pub fn looked_at(&self, look: Look, granted: Vec<Assumption>) -> Self {
        Self { look, granted: granted.into(), memory: Arc::default(), ..self.clone() }
    }

    /// The same files, all of which can be looked at.
    #[must_use]
    pub fn looking(&self) -> Self {
        if self.sees_all() { self.clone() } else { self.looked_at(Look::Everything, Vec::new()) }
    }

    /// The same host, of whose hardware this is taken for granted.
    #[must_use]
    pub(super) fn granting(&self, granted: Vec<Assumption>) -> Self {
        Self { granted: granted.into(), ..self.clone() }
    }

    /// What is taken for granted of its hardware.
    pub fn granted(&self) -> &Arc<[Assumption]> {
        &self.granted
    }

    /// Whether all of its files can be looked at.
    pub fn sees_all(&self) -> bool {
        self.look == Look::Everything
    }

    /// Whether nothing of it is ever taken for granted.
    pub fn is_known(&self) -> bool {
        self.sees_all() && self.granted.is_empty() && !self.assumes_network()
    }

    /// The same host for one evaluation, which notes what is taken for granted beyond `before`.
    pub fn noting(&self, before: &Arc<[Assumption]>) -> Cow<'_, Self> {
        if self.is_known() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self { notes: Some(Arc::new(Notes::after(before))), ..self.clone() })
    }

    /// What was taken for granted, `before` included.
    pub fn noted(&self) -> Arc<[Assumption]> {
        self.notes.as_ref().map(|notes| notes.all()).unwrap_or_default()
    }

    fn note(&self, assumption: Assumption) {
        if let Some(notes) = &self.notes {
            notes.add(assumption);
        }
    }

    /// The same files with other facts; shares the memory of look-ups.
    #[must_use]
    pub fn with_facts(&self, facts: HostFacts) -> Self {
        Self { facts, ..self.clone() }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Forgets every answer (after a reload).
    pub fn forget(&self) {
        *self.memory() = Memory::default();
    }

    /// Forgets everything once too much is remembered: pods may name paths without end.
    fn make_room(&self) {
        let mut memory = self.memory();
        if memory.is_full() {
            *memory = Memory::default();
        }
    }

    fn raw_lstat(&self, path: &str) -> Result<Stat, Errno> {
        if let Some(known) = self.memory().lstat.get(path) {
            return *known;
        }
        let answer = match self.files.lstat(path) {
            Err(Errno::NotFound) if path == "/dev" => Ok(Stat::new(FileKind::Directory, 0, 0o755)),
            Err(Errno::NotFound) if self.lacks_devices() && is_device(path) => {
                Ok(Stat::new(FileKind::Other, 0, 0o666))
            }
            answer => answer,
        };
        self.memory().lstat.insert(path.to_owned(), answer);
        answer
    }

    /// A folder given as root holds the files of a host, not what its kernel puts into `/dev` at boot.
    fn lacks_devices(&self) -> bool {
        self.files.lstat("/dev/null").is_err()
    }

    /// Whether the files are such that looking for this one tells nothing.
    fn is_hidden(&self, path: &str) -> bool {
        match &self.look {
            Look::NothingBut(shown) => !is_device(path) && !shown.iter().any(|shown| **shown == *path),
            Look::Everything | Look::Collected => false,
        }
    }

    /// Whether the file that was not found is therefore not there.
    fn is_absent(&self, path: &str) -> bool {
        match &self.look {
            Look::Everything => true,
            Look::NothingBut(_) => !self.is_hidden(path),
            Look::Collected => {
                let mut missing = None;
                let _ = self.walk(path, true, &mut missing);
                missing.is_none_or(|missing| self.files.is_absent(&missing))
            }
        }
    }

    /// The answer where it can be had; `None` where nothing is known of the file.
    fn seen<T>(&self, path: &str, ask: impl FnOnce() -> Result<T, Errno>) -> Option<Result<T, Errno>> {
        if self.is_hidden(path) {
            return None;
        }
        match ask() {
            Err(Errno::NotFound) if !self.is_absent(path) => None,
            answer => Some(answer),
        }
    }

    /// Takes a file for granted that somebody names; its path as it would be without links.
    fn take_for_granted(&self, path: &str) -> Result<Arc<str>, Errno> {
        let known = self.memory().granted.get(path).cloned();
        let path = match known {
            Some(known) => known,
            None => {
                self.make_room();
                let plain: Arc<str> = without_links(path)?.into();
                self.memory().granted.insert(path.to_owned(), Arc::clone(&plain));
                plain
            }
        };
        self.note(Assumption::There(Arc::clone(&path)));
        Ok(path)
    }

    /// The absolute path with every link followed and `.`/`..` resolved, all components existing (`realpath`).
    /// A relative `path` starts at `/`.
    pub fn canonicalize(&self, path: &str) -> Result<Arc<str>, Errno> {
        self.seen(path, || self.real(path)).unwrap_or_else(|| self.take_for_granted(path))
    }

    fn real(&self, path: &str) -> Result<Arc<str>, Errno> {
        if let Some(known) = self.memory().canonical.get(path) {
            return known.clone();
        }
        self.make_room();
        let answer = self.resolve(path, true).map(Arc::<str>::from);
        self.memory().canonical.insert(path.to_owned(), answer.clone());
        answer
    }

    /// Walks `path` as the kernel does; the last component's own link is followed only if `follow`.
    fn resolve(&self, path: &str, follow: bool) -> Result<String, Errno> {
        self.walk(path, follow, &mut None)
    }

    /// The same; `missing` becomes the first component that is not found, where links lead.
    fn walk(&self, path: &str, follow: bool, missing: &mut Option<String>) -> Result<String, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        if path.contains('\0') {
            return Err(Errno::Other(22));
        }
        let must_be_dir = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
        let mut todo: Vec<String> =
            path.split('/').rev().filter(|c| !c.is_empty()).map(str::to_owned).collect();
        let mut done = String::new();
        let mut links = 0;
        while let Some(component) = todo.pop() {
            match component.as_str() {
                "." => continue,
                ".." => {
                    done.truncate(done.rfind('/').unwrap_or(0));
                    continue;
                }
                name if name.len() > 255 => return Err(Errno::NameTooLong),
                _ => {}
            }
            let next = format!("{done}/{component}");
            let stat = match self.raw_lstat(&next) {
                Err(Errno::NotFound) => {
                    *missing = Some(next);
                    return Err(Errno::NotFound);
                }
                answer => answer?,
            };
            match stat.kind {
                FileKind::Symlink if follow || !todo.is_empty() || must_be_dir => {
                    links += 1;
                    if links > LINK_LIMIT {
                        return Err(Errno::LinkLoop);
                    }
                    let target = self.files.read_link(&next)?;
                    if target.starts_with('/') {
                        done.clear();
                    }
                    todo.extend(target.split('/').rev().filter(|c| !c.is_empty()).map(str::to_owned));
                }
                FileKind::Directory => done = next,
                _ if todo.is_empty() && !must_be_dir => done = next,
                _ => return Err(Errno::NotDirectory),
            }
        }
        Ok(if done.is_empty() { "/".to_owned() } else { done })
    }

    /// `stat`: links followed.
    pub fn stat(&self, path: &str) -> Result<Stat, Errno> {
        self.seen(path, || self.real_stat(path)).unwrap_or_else(|| {
            self.take_for_granted(path)?;
            Ok(Stat { size_known: false, ..Stat::new(FileKind::File, PLACEHOLDER_SIZE, 0o755) })
        })
    }

    fn real_stat(&self, path: &str) -> Result<Stat, Errno> {
        if let Some(known) = self.memory().stat.get(path) {
            return *known;
        }
        let answer = self.real(path).and_then(|real| self.raw_lstat(&real));
        self.memory().stat.insert(path.to_owned(), answer);
        answer
    }

    /// `lstat`: the last component's link not followed.
    pub fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let look = || self.raw_lstat(&self.resolve(path, false)?);
        self.seen(path, look).unwrap_or_else(|| self.stat(path))
    }

    /// Whether a file that somebody names is there (`stat` works).
    pub fn exists(&self, path: &str) -> bool {
        self.stat(path).is_ok()
    }

    /// Whether a file is found that nobody names and a runtime only tries.
    pub fn finds(&self, path: &str) -> bool {
        self.seen(path, || self.real_stat(path)).map_or_else(
            || {
                self.note(Assumption::Absent(path.into()));
                false
            },
            |answer| answer.is_ok(),
        )
    }

    /// Whether it can be told if the file is there; takes nothing for granted.
    pub fn knows(&self, path: &str) -> bool {
        self.sees_all() || self.seen(path, || self.real_stat(path)).is_some()
    }

    /// Whether all names in a folder are known, or it is known that there is no such folder.
    pub fn lists(&self, folder: &str) -> bool {
        if self.sees_all() {
            return true;
        }
        match self.seen(folder, || self.real(folder)) {
            Some(Ok(real)) => self.files.lists(&real),
            Some(Err(_)) => true,
            None => false,
        }
    }

    /// Whether nobody has said what CNI has made.
    pub fn assumes_network(&self) -> bool {
        self.facts.guesses("network")
    }

    /// What CNI has made in the network namespace of a pod that has its own.
    pub fn network(&self) -> &PodNetwork {
        if self.assumes_network() {
            self.note(Assumption::Fact(network::ASSUMED.into()));
        }
        &self.facts.network
    }

    /// Whether `/dev/vhost-vsock` is there.
    pub fn vhost_vsock(&self) -> bool {
        if !self.sees_all() && self.facts.guesses("vhost_vsock") {
            self.note(Assumption::There("/dev/vhost-vsock".into()));
            return true;
        }
        self.facts.vhost_vsock
    }

    /// The target text of the link at `path`.
    pub fn read_link(&self, path: &str) -> Result<String, Errno> {
        let real = self.resolve(path, false)?;
        self.files.read_link(&real)
    }

    /// Sorted names in a directory.
    pub fn read_dir(&self, path: &str) -> Result<Arc<[String]>, Errno> {
        if let Some(known) = self.memory().dirs.get(path) {
            return known.clone();
        }
        if self.is_hidden(path) {
            return Err(Errno::NotFound);
        }
        let answer = self.real(path).and_then(|real| {
            let names = self.files.read_dir(&real);
            if *real != *"/dev" || !self.lacks_devices() {
                return names;
            }
            let mut names = names.unwrap_or_default();
            names.extend(DEVICES.map(str::to_owned));
            names.sort();
            names.dedup();
            Ok(names)
        });
        let answer = answer.map(Arc::from);
        self.memory().dirs.insert(path.to_owned(), answer.clone());
        answer
    }

    /// The bytes of a file; not remembered. Bytes that nobody can look at are not there.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        if self.is_hidden(path) {
            return Err(Errno::NotFound);
        }
        let real = self.real(path)?;
        self.files.read(&real)
    }

    /// SHA-512 of a file in lower-case hexadecimal; `wanted` where its bytes cannot be looked at.
    pub fn sha512_or(&self, path: &str, wanted: &str) -> Result<Arc<str>, Errno> {
        match self.seen(path, || self.sha512(path)) {
            Some(Err(Errno::NotKept)) | None => {
                self.note(Assumption::Digest(path.into()));
                Ok(wanted.into())
            }
            Some(answer) => answer,
        }
    }

    fn sha512(&self, path: &str) -> Result<Arc<str>, Errno> {
        if let Some(known) = self.memory().hashes.get(path) {
            return known.clone();
        }
        let hash = self.real(path).and_then(|real| self.files.sha512(&real));
        let answer = hash.map(|hash| Arc::from(hex(&hash)));
        self.memory().hashes.insert(path.to_owned(), answer.clone());
        answer
    }
}

/// The absolute path with `.` and `..` resolved by its text alone; where the kernel would not take it, why.
fn without_links(path: &str) -> Result<String, Errno> {
    if path.is_empty() {
        return Err(Errno::NotFound);
    }
    if path.contains('\0') {
        return Err(Errno::Other(22));
    }
    let mut done = String::with_capacity(path.len());
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => done.truncate(done.rfind('/').unwrap_or(0)),
            name if name.len() > 255 => return Err(Errno::NameTooLong),
            name => {
                done.push('/');
                done.push_str(name);
            }
        }
    }
    Ok(if done.is_empty() { "/".to_owned() } else { done })
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// Removes `root` from the front of `path`, for showing.
pub fn without_root(root: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(root) {
        Ok(rest) => Path::new("/").join(rest),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        let files = MemoryFiles::new()
            .file("/opt/kata/bin/qemu", 0o755, "x")
            .link("/usr/bin", "/opt/kata/bin")
            .link("/a", "b")
            .link("/b", "a");
        Host::new(HostFacts::default(), Arc::new(files))
    }

    #[test]
    fn links_are_followed_inside_the_root() {
        let host = host();
        assert_eq!(host.canonicalize("/usr/bin/../bin/./qemu").as_deref(), Ok("/opt/kata/bin/qemu"));
        assert_eq!(host.canonicalize("/a"), Err(Errno::LinkLoop));
        assert_eq!(host.canonicalize("/opt/kata/bin/qemu/x"), Err(Errno::NotDirectory));
        assert_eq!(host.canonicalize("/opt/kata/bin/qemu/"), Err(Errno::NotDirectory));
        assert_eq!(host.canonicalize("/nope"), Err(Errno::NotFound));
        assert_eq!(host.lstat("/usr/bin").map(|s| s.kind), Ok(FileKind::Symlink));
        assert_eq!(host.read_dir("/usr/bin").as_deref(), Ok(&["qemu".to_owned()][..]));
    }

    #[test]
    fn a_root_without_devices_has_the_kernels() {
        assert!(host().exists("/dev/urandom"));
        assert!(!host().exists("/dev/sda"));
        let files = MemoryFiles::new().file("/dev/null", 0o666, "").file("/dev/random", 0o666, "");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        assert!(!host.exists("/dev/urandom"));
        assert_eq!(host.read_dir("/dev").as_deref(), Ok(&["null".to_owned(), "random".to_owned()][..]));
    }
}
