//! A file that somebody asked for: a report, an archive, a patch. It is there whole or not at all.
//!
//! Decides how it is written: under another name beside its place, brought to the disk, then moved. What is no plain
//! file (a pipe, a terminal, `/dev/stdout`) is written as it is. Edits of configurations go through `save`.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written (`ErrorKind::AlreadyExists`).
    Keep,
    /// The new one takes its place and its mode; a link stays, and what it leads to is replaced.
    Replace,
}

/// Writes `text` to `path`.
pub fn put(path: &Path, text: &str, existing: Existing) -> io::Result<()> {
    put_with(path, existing, |out| out.write_all(text.as_bytes()))
}

/// Writes what `write` writes to `path`. Where that fails, nothing has changed.
pub fn put_with(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let there = match fs::metadata(path) {
        Ok(meta) => Some(meta),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if there.as_ref().is_some_and(|meta| !meta.is_file() && !meta.is_dir()) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        write(&mut out)?;
        return out.flush();
    }
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let place = if there.is_some() { path.canonicalize()? } else { path.to_owned() };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new file's mode is what the umask leaves of this.
    let mode = there.as_ref().map_or(0o666, |meta| meta.permissions().mode() & 0o7777);
    let mut builder = tempfile::Builder::new();
    let named =
        builder.prefix(".katascope-").permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
    let mut out = BufWriter::new(named.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if there.is_some() {
        named.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    named.as_file().sync_all()?;
    let moved = match existing {
        Existing::Keep => named.persist_noclobber(&place),
        Existing::Replace => named.persist(&place),
    };
    moved.map(drop).map_err(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_stays_or_is_replaced_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        put(&file, "one", Existing::Keep).unwrap();
        assert_eq!(put(&file, "two", Existing::Keep).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a", &link).unwrap();
        put(&link, "three", Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "three");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_fails_midway_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let half = |out: &mut dyn Write| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert!(put_with(&file, Existing::Replace, half).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(&file, "old").unwrap();
        assert!(put_with(&file, Existing::Replace, half).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_pipe_is_written_to() {
        put(Path::new("/dev/null"), "text", Existing::Replace).unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    }
}
