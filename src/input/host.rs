//! The host that is asked about: hardware `facts`, and its file system seen under `--root`.
//!
//! Decides how a path named by a configuration or an annotation is looked up (symbolic links are
//! followed inside the root, as a chroot would) and remembers every answer, so that evaluation
//! stays cheap. Judges nothing. What this machine's own facts are is probed in `probe`.

mod facts;
mod memory;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha512};

use memory::Memory;

pub use facts::{Arch, FactOrigin, HostFacts, NumaNode, Protection};

/// What a path is, after its own kind (links not followed unless said).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FileKind {
    File,
    Directory,
    Symlink,
    Other,
}

/// What `stat` or `lstat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its kind.
    pub kind: FileKind,
    /// Size in bytes.
    pub size: u64,
    /// Permission bits (`0o755`).
    pub mode: u32,
}

/// Why a look-up did not work, as the operating system's errno, so that each runtime can word it its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Errno {
    NotFound,
    NotDirectory,
    IsDirectory,
    PermissionDenied,
    LinkLoop,
    NameTooLong,
    FileTooLarge,
    /// A FIFO, a socket or a device where a file is wanted: reading it might never end. The runtimes have
    /// no word for it, they wait.
    NotRegular,
    Other(i32),
}

impl Errno {
    /// From an I/O error.
    pub fn from_io(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(2) => Self::NotFound,
            Some(13 | 1) => Self::PermissionDenied,
            Some(20) => Self::NotDirectory,
            Some(21) => Self::IsDirectory,
            Some(27) => Self::FileTooLarge,
            Some(36) => Self::NameTooLong,
            Some(40) => Self::LinkLoop,
            Some(n) => Self::Other(n),
            None if error.kind() == io::ErrorKind::NotFound => Self::NotFound,
            None => Self::Other(5),
        }
    }

    /// The number on Linux.
    pub fn number(self) -> i32 {
        match self {
            Self::NotFound => 2,
            Self::PermissionDenied => 13,
            Self::NotDirectory => 20,
            Self::IsDirectory => 21,
            Self::NotRegular => 22,
            Self::FileTooLarge => 27,
            Self::NameTooLong => 36,
            Self::LinkLoop => 40,
            Self::Other(n) => n,
        }
    }

    /// Go's wording (`no such file or directory`).
    pub fn go(self) -> &'static str {
        match self {
            Self::NotFound => "no such file or directory",
            Self::PermissionDenied => "permission denied",
            Self::NotDirectory => "not a directory",
            Self::IsDirectory => "is a directory",
            Self::NameTooLong => "file name too long",
            Self::FileTooLarge => "file too large",
            Self::NotRegular => "not a regular file",
            Self::LinkLoop => "too many levels of symbolic links",
            Self::Other(22) => "invalid argument",
            Self::Other(_) => "input/output error",
        }
    }

    /// Rust's wording (`No such file or directory (os error 2)`).
    pub fn rust(self) -> String {
        let text = match self {
            Self::NotFound => "No such file or directory",
            Self::PermissionDenied => "Permission denied",
            Self::NotDirectory => "Not a directory",
            Self::IsDirectory => "Is a directory",
            Self::NameTooLong => "File name too long",
            Self::FileTooLarge => "File too large",
            Self::NotRegular => return "Not a regular file".to_owned(),
            Self::LinkLoop => "Too many levels of symbolic links",
            Self::Other(22) => "Invalid argument",
            Self::Other(_) => "Input/output error",
        };
        format!("{text} (os error {})", self.number())
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.go())
    }
}

/// The raw file system below the root. No link is followed by an implementation: `Host` does that.
pub trait Files: Send + Sync {
    /// `lstat`.
    fn lstat(&self, path: &str) -> Result<Stat, Errno>;
    /// The target of a symbolic link.
    fn read_link(&self, path: &str) -> Result<String, Errno>;
    /// Names in a directory, without `.` and `..`, sorted by bytes.
    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno>;
    /// A file's bytes, up to `READ_LIMIT`.
    fn read(&self, path: &str) -> Result<Vec<u8>, Errno>;
    /// SHA-512 of a file of any length.
    fn sha512(&self, path: &str) -> Result<[u8; 64], Errno> {
        self.read(path).map(|bytes| Sha512::digest(bytes).into())
    }
}

/// The largest file that is read as a text, in bytes.
pub const READ_LIMIT: u64 = 8 << 20;

/// Opens a regular file; anything else would block or never end.
fn open_regular(path: &Path) -> Result<(std::fs::File, u64), Errno> {
    let kind = std::fs::metadata(path).map_err(|e| Errno::from_io(&e))?;
    if kind.is_dir() {
        return Err(Errno::IsDirectory);
    }
    if !kind.is_file() {
        return Err(Errno::NotRegular);
    }
    let file = std::fs::File::open(path).map_err(|e| Errno::from_io(&e))?;
    Ok((file, kind.len()))
}

/// The machine's file system, seen from a folder.
#[derive(Debug, Clone)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// Files under `root` (`/` for the machine itself).
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn real(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

impl Files for DiskFiles {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        use std::os::unix::fs::PermissionsExt;
        let meta = std::fs::symlink_metadata(self.real(path)).map_err(|e| Errno::from_io(&e))?;
        let kind = if meta.file_type().is_symlink() {
            FileKind::Symlink
        } else if meta.is_dir() {
            FileKind::Directory
        } else if meta.is_file() {
            FileKind::File
        } else {
            FileKind::Other
        };
        Ok(Stat { kind, size: meta.len(), mode: meta.permissions().mode() & 0o7777 })
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        std::fs::read_link(self.real(path))
            .map(|p| p.to_string_lossy().into_owned())
            .map_err(|e| Errno::from_io(&e))
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        let entries = std::fs::read_dir(self.real(path)).map_err(|e| Errno::from_io(&e))?;
        let mut names: Vec<String> =
            entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let (file, size) = open_regular(&self.real(path))?;
        // What the kernel makes up as it is read says that it is empty.
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(READ_LIMIT)).unwrap_or(0));
        file.take(READ_LIMIT + 1).read_to_end(&mut bytes).map_err(|e| Errno::from_io(&e))?;
        if bytes.len() as u64 > READ_LIMIT {
            return Err(Errno::FileTooLarge);
        }
        Ok(bytes)
    }

    fn sha512(&self, path: &str) -> Result<[u8; 64], Errno> {
        let (mut file, _) = open_regular(&self.real(path))?;
        let mut hash = Sha512::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(hash.finalize().into()),
                Ok(read) => hash.update(piece.get(..read).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Errno::from_io(&e)),
            }
        }
    }
}

/// A file system in memory: the embedded sample, and tests.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, (u32, Vec<u8>)>,
    links: BTreeMap<String, String>,
}

impl MemoryFiles {
    /// Nothing but `/`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; its folders come by themselves.
    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), (mode, bytes.into()));
        self
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.to_owned(), target.to_owned());
        self
    }

    fn names_below(&self, path: &str) -> Vec<String> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut names: Vec<String> = self
            .files
            .keys()
            .chain(self.links.keys())
            .filter_map(|p| p.strip_prefix(&prefix))
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Files for MemoryFiles {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        if let Some((mode, bytes)) = self.files.get(path) {
            return Ok(Stat { kind: FileKind::File, size: bytes.len() as u64, mode: *mode });
        }
        if let Some(target) = self.links.get(path) {
            return Ok(Stat { kind: FileKind::Symlink, size: target.len() as u64, mode: 0o777 });
        }
        if path == "/" || !self.names_below(path).is_empty() {
            return Ok(Stat { kind: FileKind::Directory, size: 0, mode: 0o755 });
        }
        Err(Errno::NotFound)
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        self.links.get(path).cloned().ok_or(Errno::Other(22))
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        match self.lstat(path)?.kind {
            FileKind::Directory => Ok(self.names_below(path)),
            _ => Err(Errno::NotDirectory),
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        match self.files.get(path) {
            Some((_, bytes)) => Ok(bytes.clone()),
            None if self.lstat(path).is_ok() => Err(Errno::IsDirectory),
            None => Err(Errno::NotFound),
        }
    }
}

/// The files that a glob stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Their paths.
    pub files: Vec<String>,
    /// Whether all are there: a glob over too much is not followed to its end.
    pub whole: bool,
}

/// The host: facts and files. Cheap to clone; clones share what was remembered.
#[derive(Clone)]
pub struct Host {
    /// Hardware facts.
    pub facts: HostFacts,
    files: Arc<dyn Files>,
    memory: Arc<Mutex<Memory>>,
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
        Self { facts, files, memory: Arc::default() }
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
            Err(Errno::NotFound) if path == "/dev" => {
                Ok(Stat { kind: FileKind::Directory, size: 0, mode: 0o755 })
            }
            Err(Errno::NotFound) if self.lacks_devices() && is_device(path) => {
                Ok(Stat { kind: FileKind::Other, size: 0, mode: 0o666 })
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

    /// The absolute path with every link followed and `.`/`..` resolved, all components existing (`realpath`).
    /// A relative `path` starts at `/`.
    pub fn canonicalize(&self, path: &str) -> Result<Arc<str>, Errno> {
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
            let stat = self.raw_lstat(&next)?;
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
        if let Some(known) = self.memory().stat.get(path) {
            return *known;
        }
        let answer = self.canonicalize(path).and_then(|real| self.raw_lstat(&real));
        self.memory().stat.insert(path.to_owned(), answer);
        answer
    }

    /// `lstat`: the last component's link not followed.
    pub fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let real = self.resolve(path, false)?;
        self.raw_lstat(&real)
    }

    /// Whether `stat` works.
    pub fn exists(&self, path: &str) -> bool {
        self.stat(path).is_ok()
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
        let answer = self.canonicalize(path).and_then(|real| {
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

    /// The bytes of a file; not remembered.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let real = self.canonicalize(path)?;
        self.files.read(&real)
    }

    /// The files a glob stands for: remembered, or found by `expand` (which may ask this host).
    pub fn remembered_glob(&self, pattern: &str, expand: impl FnOnce() -> Expansion) -> Arc<Expansion> {
        if let Some(known) = self.memory().globs.get(pattern) {
            return known.clone();
        }
        let answer = Arc::new(expand());
        self.memory().globs.insert(pattern.to_owned(), answer.clone());
        answer
    }

    /// Whether a glob stands for a path: remembered, or found by `look` (which may ask this host).
    pub fn remembered_match(&self, pattern: &str, path: &str, look: impl FnOnce() -> bool) -> bool {
        if let Some(known) = self.memory().stands_for(pattern, path) {
            return known;
        }
        self.make_room();
        let answer = look();
        self.memory().remember_match(pattern, path, answer);
        answer
    }

    /// SHA-512 of a file in lower-case hexadecimal.
    pub fn sha512(&self, path: &str) -> Result<Arc<str>, Errno> {
        if let Some(known) = self.memory().hashes.get(path) {
            return known.clone();
        }
        let hash = self.canonicalize(path).and_then(|real| self.files.sha512(&real));
        let answer = hash.map(|hash| Arc::from(hex(&hash)));
        self.memory().hashes.insert(path.to_owned(), answer.clone());
        answer
    }
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
