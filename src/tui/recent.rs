//! What was opened, kept from one run to the next: two small files of names below the user's state folder.
//!
//! Decides where they lie and that nobody else reads them. What cannot be read or written is passed over: nothing
//! depends on it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::model::openings::{LONGEST, Openings, RECENT};

/// The most that is read of a file.
const LIMIT: u64 = ((LONGEST + 1) * RECENT) as u64;

fn read(path: &Path) -> Vec<String> {
    let is_small = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= LIMIT);
    let text = if is_small { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    text.lines().filter(|line| !line.is_empty()).take(RECENT).map(str::to_owned).collect()
}

/// What the folder has.
pub(super) fn load(folder: Option<&PathBuf>, remembers: bool) -> Openings {
    let Some(folder) = folder else { return Openings::default() };
    let recent = if remembers { read(&folder.join("recent")) } else { Vec::new() };
    Openings { recent, bookmarks: read(&folder.join("bookmarks")), remembers }
}

fn write(path: &Path, lines: &[String]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one that counts.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes both down.
pub(super) fn save(folder: Option<&PathBuf>, openings: &Openings) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(folder) = folder else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if openings.remembers {
        write(&folder.join("recent"), &openings.recent)?;
    }
    write(&folder.join("bookmarks"), &openings.bookmarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = Some(folder.path().join("state/katascope"));
        let mut openings = load(state.as_ref(), true);
        openings.note("-c a.toml");
        openings.toggle("-c b.toml");
        save(state.as_ref(), &openings).unwrap();
        assert_eq!(load(state.as_ref(), true), openings);
        let off = load(state.as_ref(), false);
        assert!(off.recent.is_empty() && off.bookmarks == ["-c b.toml"]);
        // What is switched off is left as it is.
        save(state.as_ref(), &off).unwrap();
        assert_eq!(load(state.as_ref(), true), openings);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(folder.path().join("state/katascope/recent")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o077, 0);
    }
}
