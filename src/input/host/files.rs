//! The file systems that a host may have: the machine's, seen from a folder, and one in memory.
//!
//! Decides what one step of a look-up answers, in the operating system's terms. Follows no link and remembers
//! nothing: `Host` does.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha512};

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
    /// Whether anybody has looked at the size.
    pub size_known: bool,
}

impl Stat {
    /// What a look at a file says.
    pub fn new(kind: FileKind, size: u64, mode: u32) -> Self {
        Self { kind, size, mode, size_known: true }
    }

    /// The size as `spell` writes it, or a token where nobody has looked.
    pub fn size_text(&self, spell: impl FnOnce(u64) -> String) -> String {
        if self.size_known { spell(self.size) } else { "{image-size}".to_owned() }
    }
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
    /// The file was there when its host was collected, and its bytes were not taken along.
    NotKept,
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
            Self::NotKept => 61,
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
            Self::NotKept => "its bytes were not collected",
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
            Self::NotKept => return "Its bytes were not collected".to_owned(),
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
    /// Whether a collection says of this path, which it does not hold, that nothing is there.
    fn is_absent(&self, _path: &str) -> bool {
        false
    }
    /// Whether a collection has all names of this folder, which it holds.
    fn lists(&self, _folder: &str) -> bool {
        true
    }
    /// SHA-512 of everything that is known of them, where it is at hand whole.
    fn digest(&self) -> Option<[u8; 64]> {
        None
    }
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
        Ok(Stat::new(kind, meta.len(), meta.permissions().mode() & 0o7777))
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
            return Ok(Stat::new(FileKind::File, bytes.len() as u64, *mode));
        }
        if let Some(target) = self.links.get(path) {
            return Ok(Stat::new(FileKind::Symlink, target.len() as u64, 0o777));
        }
        if path == "/" || !self.names_below(path).is_empty() {
            return Ok(Stat::new(FileKind::Directory, 0, 0o755));
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
