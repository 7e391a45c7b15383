//! Zip files.
//!
//! Decides how many entries are looked at before the list of them is read, and that what is encrypted or packed in
//! a rare way is refused by name.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use super::limits;
use super::limits::{Bounded, Budget};
use super::tree::{Tree, absolute};
use crate::input::host::FileKind;

/// The end of the list of entries, and how far before the end of the file it may begin.
const END: [u8; 4] = *b"PK\x05\x06";
const END_LENGTH: u64 = 22;
const COMMENT: u64 = 65_535;
/// A list of this length has more entries than are read, however short their names are.
const LIST: u64 = limits::ENTRIES as u64 * 46;

/// Refuses a list that is too long before anything of it is kept.
fn check_list(file: &mut (impl Read + Seek)) -> Result<(), String> {
    let fail = |e: std::io::Error| e.to_string();
    let length = file.seek(SeekFrom::End(0)).map_err(fail)?;
    let from = length.saturating_sub(END_LENGTH + COMMENT);
    file.seek(SeekFrom::Start(from)).map_err(fail)?;
    let mut tail = Vec::new();
    file.take(END_LENGTH + COMMENT).read_to_end(&mut tail).map_err(fail)?;
    file.rewind().map_err(fail)?;
    let at =
        tail.windows(4).rposition(|four| four == END).ok_or("not whole: a zip file ends with its list")?;
    let number = |offset: usize, width: usize| {
        let bytes = tail.get(at + offset..at + offset + width)?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    let (count, list) = (number(10, 2).unwrap_or(u64::MAX), number(12, 4).unwrap_or(u64::MAX));
    // These say that the true numbers stand elsewhere: whoever has so many entries has too many, too.
    if (count == 0xffff && length > LIST) || list > LIST {
        return Err(format!("more than {} files", limits::ENTRIES));
    }
    Ok(())
}

pub(super) fn read(mut file: impl Read + Seek, budget: &Budget) -> Result<Tree, String> {
    check_list(&mut file)?;
    let mut archive = ZipArchive::new(file).map_err(|e| e.to_string())?;
    if archive.len() > limits::ENTRIES {
        return Err(format!("more than {} files", limits::ENTRIES));
    }
    let mut tree = Tree::copied();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|e| e.to_string())?;
        let name = entry.name().map_err(|e| e.to_string())?.into_owned();
        let Some(path) = absolute(&name)? else { continue };
        let mode = entry.unix_mode().map_or(0o644, |mode| mode & 0o7777);
        let size = entry.size();
        if entry.is_dir() {
            tree.known(path, FileKind::Directory, 0, mode, None)?;
        } else if entry.is_symlink() {
            let mut target = String::new();
            let read =
                Bounded::new(entry, budget.clone()).take(limits::NAME as u64 + 1).read_to_string(&mut target);
            read.map_err(|e| format!("{path}: {e}"))?;
            tree.link(path, &target)?;
        } else {
            tree.file(path, size, mode, Bounded::new(entry, budget.clone()))?;
        }
    }
    Ok(tree)
}
