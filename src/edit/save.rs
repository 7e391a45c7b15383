//! Writing a plan: a file is replaced whole or not at all, keeps its owner and mode, and is left alone
//! when somebody else changed it in the meantime. Links are kept; what they point to is replaced.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use crate::input::host::{DiskFiles, Errno, Host, HostFacts};

/// Owner and mode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u32,
    /// User number; `None`: whoever writes.
    pub uid: Option<u32>,
    /// Group number.
    pub gid: Option<u32>,
}

/// The steps of a save, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Step {
    Resolve,
    Read,
    Attributes,
    Folder,
    Create,
    Write,
    SetAttributes,
    Sync,
    Compare,
    Rename,
    Remove,
    SyncFolder,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "cannot be found",
            Self::Read => "cannot be read",
            Self::Attributes => "does not tell its owner and mode",
            Self::Folder => "has no folder, and none can be made",
            Self::Create => "cannot have a temporary file beside it",
            Self::Write => "could not be written out",
            Self::SetAttributes => "could not be given its owner and mode",
            Self::Sync => "could not be brought to the disk",
            Self::Compare => "cannot be read again",
            Self::Rename => "could not be replaced",
            Self::Remove => "could not be removed",
            Self::SyncFolder => "has a folder that could not be brought to the disk",
        })
    }
}

/// What saving asks of a file system. Paths are real ones, but for `resolve`.
pub trait Disk {
    /// The real path behind a shown one, links followed; a file that does not exist resolves as far as
    /// its folder.
    fn resolve(&self, shown: &str) -> io::Result<PathBuf>;
    /// A file's bytes; `None` where there is none.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// A file's owner and mode.
    fn attributes(&self, path: &Path) -> io::Result<Attributes>;
    /// Whether a file may be written; of a folder, whether files can be made and replaced in it.
    fn writable(&self, path: &Path) -> io::Result<bool>;
    /// Makes a folder where there is none.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
    /// Makes an empty file that only its owner can read; it must not exist.
    fn create(&self, path: &Path) -> io::Result<()>;
    /// Writes a file that `create` made.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file its owner and mode.
    fn set_attributes(&self, path: &Path, attributes: Attributes) -> io::Result<()>;
    /// Brings a file or folder to the disk.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// Puts one file in another's place.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Done {
    Created,
    Replaced,
    Removed,
}

/// A plan that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The file, links followed.
    pub path: PathBuf,
    /// What became of it.
    pub done: Done,
    /// Whether the replacement is known to survive a power cut.
    pub durable: bool,
}

/// Why a plan was not carried out. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody changed the file since it was read.
    #[error("{path} was changed by somebody else since it was read")]
    Conflict {
        /// The file.
        path: PathBuf,
        /// What it holds now; `None`: it is gone.
        now: Option<Vec<u8>>,
    },
    /// There is no right to write here.
    #[error("{folder} cannot be written to: no permission, or read-only")]
    ReadOnly {
        /// The folder, or the file that is protected itself.
        folder: PathBuf,
    },
    /// The file system refused.
    #[error("{path} {step}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The step that did not work.
        step: Step,
        /// The reason.
        source: io::Error,
    },
}

fn at<T>(path: &Path, step: Step, result: io::Result<T>) -> Result<T, SaveError> {
    result.map_err(|source| SaveError::Io { path: path.to_owned(), step, source })
}

/// Whether the file at `shown` could be replaced: known before anybody edits.
pub fn writable(disk: &dyn Disk, shown: &str) -> Result<(), SaveError> {
    let path = at(Path::new(shown), Step::Resolve, disk.resolve(shown))?;
    // Replacing needs the folder alone; but who took the right to write from a file meant it.
    let file = disk.attributes(&path).is_ok().then(|| path.clone());
    for place in file.into_iter().chain([nearest_folder(disk, &path)]) {
        match disk.writable(&place) {
            Ok(true) => {}
            Ok(false) => return Err(SaveError::ReadOnly { folder: place }),
            Err(source) => return Err(SaveError::Io { path: place, step: Step::Folder, source }),
        }
    }
    Ok(())
}

/// The file's folder, or where that does not exist yet, the one it would be made in.
fn nearest_folder(disk: &dyn Disk, path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("/"));
    match (disk.attributes(folder), folder.parent()) {
        (Err(_), Some(above)) => above.to_owned(),
        _ => folder.to_owned(),
    }
}

/// Carries out a plan.
pub fn save(plan: &Plan, disk: &dyn Disk) -> Result<Saved, SaveError> {
    let shown = Path::new(&*plan.path);
    let path = at(shown, Step::Resolve, disk.resolve(&plan.path))?;
    let before = plan.before.as_deref().map(str::as_bytes);
    compare(disk, &path, before, Step::Read)?;
    writable(disk, &plan.path)?;
    if plan.after.is_none() {
        at(&path, Step::Remove, disk.remove(&path))?;
        let durable = path.parent().is_some_and(|folder| disk.sync(folder).is_ok());
        return Ok(Saved { path, done: Done::Removed, durable });
    }
    let attributes = match before {
        Some(_) => at(&path, Step::Attributes, disk.attributes(&path))?,
        None => Attributes { mode: 0o644, uid: None, gid: None },
    };
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    at(&path, Step::Folder, disk.make_folder(&folder))?;
    let name = path.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy());
    let temporary = format!(".{name}.katascope-{}", std::process::id());
    // The runtimes read every file in config.d, hidden and half written ones too: a drop-in is written
    // beside its folder. Only where that is another file system must it be written inside.
    let aside = folder.file_name().filter(|name| *name == "config.d").and(folder.parent());
    let places: Vec<&Path> = aside.into_iter().chain([folder.as_path()]).collect();
    let last = places.len() - 1;
    for (i, place) in places.into_iter().enumerate() {
        let temporary = place.join(&temporary);
        let written = replace(plan, disk, &path, &temporary, before, attributes);
        if written.is_err() {
            // The first error is the one that counts.
            let _ = disk.remove(&temporary);
        }
        match written {
            Err(SaveError::Io { step: Step::Rename | Step::Create, .. }) if i < last => {}
            Err(error) => return Err(error),
            Ok(()) => {
                let durable = disk.sync(&folder).is_ok();
                let done = if before.is_none() { Done::Created } else { Done::Replaced };
                return Ok(Saved { path, done, durable });
            }
        }
    }
    Err(SaveError::ReadOnly { folder })
}

fn compare(disk: &dyn Disk, path: &Path, before: Option<&[u8]>, step: Step) -> Result<(), SaveError> {
    let now = at(path, step, disk.read(path))?;
    if now.as_deref() == before { Ok(()) } else { Err(SaveError::Conflict { path: path.to_owned(), now }) }
}

fn replace(
    plan: &Plan,
    disk: &dyn Disk,
    path: &Path,
    temporary: &Path,
    before: Option<&[u8]>,
    attributes: Attributes,
) -> Result<(), SaveError> {
    at(path, Step::Create, disk.create(temporary))?;
    at(path, Step::Write, disk.write(temporary, plan.text().as_bytes()))?;
    at(path, Step::SetAttributes, disk.set_attributes(temporary, attributes))?;
    at(path, Step::Sync, disk.sync(temporary))?;
    // Once more, right before: what somebody wrote meanwhile must not be lost.
    compare(disk, path, before, Step::Compare)?;
    at(path, Step::Rename, disk.rename(temporary, path))
}

/// The machine's disk, seen from a folder (`--root`).
#[derive(Debug, Clone)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// The disk below `root`; `/` for the machine itself.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn real(&self, resolved: &str) -> PathBuf {
        self.root.join(resolved.trim_start_matches('/'))
    }
}

impl Disk for RealDisk {
    fn resolve(&self, shown: &str) -> io::Result<PathBuf> {
        let files = DiskFiles::new(&self.root);
        let host = Host::new(HostFacts::default(), std::sync::Arc::new(files));
        let error = |errno: Errno| io::Error::from_raw_os_error(errno.number());
        // A relative path is one of this process, unless everything is looked up below a root.
        let shown = if shown.starts_with('/') || self.root != Path::new("/") {
            shown.to_owned()
        } else {
            std::env::current_dir()?.join(shown).to_string_lossy().into_owned()
        };
        match host.canonicalize(&shown) {
            Ok(path) => Ok(self.real(&path)),
            Err(Errno::NotFound) => {
                // A link that leads nowhere is no place for a new file.
                if host.lstat(&shown).is_ok() {
                    return Err(error(Errno::NotFound));
                }
                let (folder, name) = shown.rsplit_once('/').unwrap_or(("", &shown));
                match host.canonicalize(if folder.is_empty() { "/" } else { folder }) {
                    Ok(folder) => Ok(self.real(&folder).join(name)),
                    // Its folder is to be made as well.
                    Err(Errno::NotFound) => {
                        let (above, folder) = folder.rsplit_once('/').unwrap_or(("", folder));
                        let above = if above.is_empty() { "/" } else { above };
                        host.canonicalize(above).map(|p| self.real(&p).join(folder).join(name)).map_err(error)
                    }
                    Err(errno) => Err(error(errno)),
                }
            }
            Err(errno) => Err(error(errno)),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn attributes(&self, path: &Path) -> io::Result<Attributes> {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(path)?;
        Ok(Attributes { mode: meta.mode() & 0o7777, uid: Some(meta.uid()), gid: Some(meta.gid()) })
    }

    fn writable(&self, path: &Path) -> io::Result<bool> {
        use rustix::fs::{Access, access};
        use rustix::io::Errno;
        let wanted = if path.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
        match access(path, wanted) {
            Ok(()) => Ok(true),
            Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        match std::fs::create_dir(folder) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        std::fs::OpenOptions::new().write(true).truncate(true).open(path)?.write_all(bytes)
    }

    fn set_attributes(&self, path: &Path, attributes: Attributes) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let now = std::fs::metadata(path)?;
        let uid = attributes.uid.filter(|uid| *uid != now.uid());
        let gid = attributes.gid.filter(|gid| *gid != now.gid());
        if uid.is_some() || gid.is_some() {
            chown(path, uid, gid)?;
        }
        // After the owner: changing that takes set-user bits away.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(attributes.mode))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        std::fs::File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}
