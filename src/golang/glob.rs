//! Go's `filepath.Glob`, over whatever lists folders.
//!
//! Decides which files a glob stands for. Facts: the Go 1.25 standard library, path/filepath.

use std::sync::Arc;

use super::filepath::{BadPattern, PathPattern, clean, has_meta};

/// How many folders deep a glob may nest before Go calls it malformed.
const DEPTH_LIMIT: usize = 10_000;

/// What a glob is held against.
pub trait Folders {
    /// Whether there is a file or a link of this path.
    fn has(&self, path: &str) -> bool;

    /// The names in a folder; none where it is no folder or cannot be read.
    fn names(&self, folder: &str) -> Option<Arc<[String]>>;
}

/// The files that a pattern stands for, after at most `left` names were looked at. A malformed pattern stands for none.
pub fn expand(folders: &impl Folders, pattern: &str, left: &mut usize) -> Vec<String> {
    below(folders, pattern, 0, left).unwrap_or_default()
}

/// Whether a pattern stands for `path`, without listing any folder that `path` is not in; where there are no folders,
/// whether its text fits.
pub fn stands_for(folders: Option<&impl Folders>, pattern: &str, path: &str) -> bool {
    is_below(folders, pattern, path, 0)
}

fn is_below(folders: Option<&impl Folders>, pattern: &str, path: &str, depth: usize) -> bool {
    if depth == DEPTH_LIMIT || PathPattern::new(pattern).is_err() {
        return false;
    }
    if !has_meta(pattern) {
        return pattern == path && folders.is_none_or(|folders| folders.has(pattern));
    }
    let (folder, file) = split(pattern);
    let (parent, name) = match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((parent, name)) => (parent, name),
        None => (".", path),
    };
    if !PathPattern::new(file).is_ok_and(|file| file.matches(name)) {
        return false;
    }
    let listed = if has_meta(folder) { parent } else { folder };
    let in_folder =
        if has_meta(folder) { is_below(folders, folder, parent, depth + 1) } else { clean(folder) == parent };
    let is_there =
        |folders: &_| Folders::names(folders, listed).is_some_and(|names| names.iter().any(|n| n == name));
    in_folder && folders.is_none_or(is_there)
}

/// The folder part of a glob as Go lists it, and what its names have to match.
fn split(pattern: &str) -> (&str, &str) {
    let (folder, file) = match pattern.rfind('/') {
        Some(slash) => pattern.split_at(slash + 1),
        None => ("", pattern),
    };
    let folder = match folder {
        "" => ".",
        "/" => "/",
        longer => longer.strip_suffix('/').unwrap_or(longer),
    };
    (folder, file)
}

fn below(
    folders: &impl Folders,
    pattern: &str,
    depth: usize,
    left: &mut usize,
) -> Result<Vec<String>, BadPattern> {
    if depth == DEPTH_LIMIT {
        return Err(BadPattern);
    }
    PathPattern::new(pattern)?;
    if !has_meta(pattern) {
        return Ok(if folders.has(pattern) { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let (folder, file) = split(pattern);
    let file = PathPattern::new(file)?;
    let parents = match has_meta(folder) {
        true => below(folders, folder, depth + 1, left)?,
        false => vec![folder.to_owned()],
    };
    let mut found = Vec::new();
    for parent in parents {
        if *left == 0 {
            break;
        }
        let names = folders.names(&parent).unwrap_or_default();
        let read = names.len().min(*left);
        *left -= read;
        let names = names.iter().take(read).filter(|name| file.matches(name));
        found.extend(names.map(|name| clean(&format!("{parent}/{name}"))));
    }
    Ok(found)
}
