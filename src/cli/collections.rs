//! Nodes that came home in files, as `--node` names them.
//!
//! Decides which collection is meant, and how much of its host's files can be looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{FilesChoice, Input};
use super::error::SetupError;
use super::setup;
use crate::input::Host;
use crate::input::archive::{self, Collection, Origin};
use crate::input::away::{self, Seen};
use crate::input::config::Layers;
use crate::report::escape::visible;

/// The nodes in what one `--node` names; of several, `FILE#NODE` names one.
pub(super) fn of_path(input: &Input, path: &Path) -> Result<Vec<Arc<Collection>>, SetupError> {
    let facts = setup::facts(input)?;
    let text = path.to_string_lossy();
    let (path, wanted) = match text.rsplit_once('#') {
        Some((file, node)) if !path.exists() => (PathBuf::from(file), Some(node.to_owned())),
        _ => (path.to_owned(), None),
    };
    let mut found = archive::open(&path, &facts).map_err(|e| SetupError::Usage(format!("--node {e}")))?;
    if let Some(wanted) = wanted {
        let names: Vec<String> = found.iter().map(|node| node.name.clone()).collect();
        found.retain(|node| node.name == wanted);
        if found.is_empty() {
            let why = format!("no node '{wanted}' in it; there are {}", names.join(", "));
            return Err(SetupError::Usage(format!("--node {}: {why}", path.display())));
        }
    }
    Ok(found.into_iter().map(Arc::new).collect())
}

/// Every node that was named, in order.
fn all(input: &Input) -> Result<Vec<Arc<Collection>>, SetupError> {
    let mut all = Vec::new();
    for path in &input.node {
        all.extend(of_path(input, path)?);
    }
    Ok(all)
}

/// The one node in a file that is asked about; `None` where none was named.
pub(super) fn the_one(input: &Input) -> Result<Option<Arc<Collection>>, SetupError> {
    if let Some(collection) = &input.collection {
        return Ok(Some(Arc::clone(collection)));
    }
    let found = all(input)?;
    match (input.node.first(), found.as_slice()) {
        (None, _) => Ok(None),
        (Some(_), [one]) => Ok(Some(Arc::clone(one))),
        (Some(path), several) => {
            let names: Vec<&str> = several.iter().map(|node| node.name.as_str()).collect();
            Err(SetupError::Usage(format!(
                "{} nodes, and this is about one: {}; name it as --node {}#NODE",
                several.len(),
                names.join(", "),
                path.display()
            )))
        }
    }
}

/// What the collection does not hold, in one line.
pub(super) fn lacks(collection: &Collection) -> Option<String> {
    let lacks = collection.lacks();
    let list = visible(&lacks.join("; ")).into_owned();
    let name = visible(&collection.name);
    (!lacks.is_empty()).then(|| format!("{name} ({}) does not hold: {list}", collection.origin.as_str()))
}

/// Whether the node is a part of a host's files, whatever they name.
pub(super) fn is_part(input: &Input) -> bool {
    match (input.files, &input.collection) {
        (Some(FilesChoice::Check), _) | (_, None) => false,
        (Some(FilesChoice::Assume), Some(_)) => true,
        (None, Some(collection)) => collection.origin != Origin::Root,
    }
}

/// How much of the host's files can be looked at: they may be elsewhere, and the configurations brought along.
pub(super) fn seen(input: &Input, host: &Host, mut layers: impl Iterator<Item = Layers>) -> Seen {
    let mut is_its_host = || layers.any(|layers| away::is_its_host(&layers, host));
    match (input.files, &input.collection) {
        (Some(FilesChoice::Check), _) => Seen::All,
        (Some(FilesChoice::Assume), None) if input.root.is_none() => Seen::Nothing,
        (Some(FilesChoice::Assume), _) => Seen::Part,
        (None, Some(collection)) if collection.origin != Origin::Root => Seen::Part,
        (None, Some(_)) => {
            if is_its_host() {
                Seen::All
            } else {
                Seen::Part
            }
        }
        (None, None) if input.root.is_some() || is_its_host() => Seen::All,
        (None, None) => Seen::Nothing,
    }
}
