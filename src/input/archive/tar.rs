//! Tar files: ustar with the long names of GNU and POSIX.
//!
//! Decides which kinds of entries count. The crate gives the headers one by one; names that need entries of their
//! own are put together here, where their length is bounded.

use std::io::Read;

use tar::{Archive, Entry, EntryType};

use super::limits;
use super::tree::{Tree, absolute};
use crate::input::host::FileKind;

/// What entries of their own say of the next one.
#[derive(Default)]
struct Ahead {
    name: Option<String>,
    target: Option<String>,
    size: Option<u64>,
}

pub(super) fn read(packed: impl Read) -> Result<Tree, String> {
    let mut archive = Archive::new(packed);
    let broken = |e: std::io::Error| format!("not whole, or not a tar file: {e}");
    let mut tree = Tree::copied();
    let mut ahead = Ahead::default();
    let mut read = 0_usize;
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        read += 1;
        if read > limits::ENTRIES * 2 {
            return Err(format!("more than {} files", limits::ENTRIES));
        }
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => ahead.name = Some(text(&mut entry)?),
            EntryType::GNULongLink => ahead.target = Some(text(&mut entry)?),
            EntryType::XHeader => extended(&text(&mut entry)?, &mut ahead),
            EntryType::XGlobalHeader => {}
            _ => put(&mut tree, &mut entry, std::mem::take(&mut ahead))?,
        }
    }
    Ok(tree)
}

/// The content of an entry that says something of the next one.
fn text(entry: &mut Entry<'_, impl Read>) -> Result<String, String> {
    // POSIX headers may have more in them than a name: extended attributes.
    const MOST: u64 = 64 << 10;
    let size = entry.header().entry_size().unwrap_or(u64::MAX);
    if size > MOST {
        return Err(format!("a header of {size} bytes: no name is as long"));
    }
    let mut bytes = Vec::new();
    entry.take(MOST).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches('\0').to_owned())
}

/// `LENGTH KEY=VALUE` lines; the ones that count.
fn extended(text: &str, ahead: &mut Ahead) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once(' ').and_then(|(_, pair)| pair.split_once('=')) else {
            continue;
        };
        match key {
            "path" | "GNU.sparse.name" => ahead.name = Some(value.to_owned()),
            "linkpath" => ahead.target = Some(value.to_owned()),
            "size" | "GNU.sparse.realsize" => ahead.size = value.parse().ok(),
            _ => {}
        }
    }
}

fn put(tree: &mut Tree, entry: &mut Entry<'_, impl Read>, ahead: Ahead) -> Result<(), String> {
    let header = entry.header();
    let name = ahead.name.unwrap_or_else(|| String::from_utf8_lossy(&header.path_bytes()).into_owned());
    let Some(path) = absolute(&name)? else { return Ok(()) };
    let mode = header.mode().unwrap_or(0o644) & 0o7777;
    let size = header.entry_size().map_err(|e| format!("{path}: {e}"))?;
    let target = || {
        let own = || header.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
        ahead.target.clone().or_else(own).unwrap_or_default()
    };
    match header.entry_type() {
        EntryType::Directory => tree.known(path, FileKind::Directory, 0, mode, None),
        EntryType::Symlink => tree.link(path, &target()),
        EntryType::Link => match absolute(&target())? {
            Some(other) => tree.same_as(path, &other),
            None => Err(format!("{path}: a hard link to the root")),
        },
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            tree.known(path, FileKind::Other, 0, mode, None)
        }
        // What it really holds stands in pieces: its size is enough.
        EntryType::GNUSparse => tree.known(path, FileKind::File, header.size().unwrap_or(size), mode, None),
        _ if ahead.size.is_some_and(|real| real != size) => {
            tree.known(path, FileKind::File, ahead.size.unwrap_or(size), mode, None)
        }
        _ => tree.file(path, size, mode, entry),
    }
}
