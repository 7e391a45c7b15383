//! containerd: its configuration as a release reads it, and what it passes to the runtime.
//!
//! Decides which handlers exist and which annotations the sandbox gets, release by release. What the
//! daemon logs, and what happens to images and networks, is not modelled.
//! Facts: services/server/config and pkg/cri (1.7), cmd/containerd/server/config, plugins/cri and
//! internal/cri (2.x) at v1.7.34, v2.0.11, v2.2.7, v2.3.4 and v2.4.0-beta.0.

mod fields;
pub mod handlers;
pub mod load;
mod merge;
mod migrate;
pub mod release;
pub mod sandbox;
mod syntax;
mod tables;

use super::shim;
use crate::answer::verdict::{Failure, FailureStage};
use crate::input::Place;
use crate::input::host::Host;
use crate::input::source::Source;
use crate::input::toml_tree::{self, Node};

pub use handlers::{Handler, Handlers};
pub use release::Release;

/// Why the daemon or its CRI plugin does not work: no pod comes up at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// containerd's own message.
    pub message: String,
    /// Where the cause stands.
    pub place: Option<Place>,
    /// Whether the daemon crashes.
    pub panic: bool,
    /// Whether `disabled_plugins` has the CRI: this containerd serves somebody else.
    pub cri_off: bool,
}

impl Broken {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, panic: false, cri_off: false }
    }

    fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }
}

/// A containerd with its configuration.
#[derive(Debug, Clone)]
pub struct Containerd {
    /// Its release.
    pub release: Release,
    /// The main file.
    pub path: String,
    /// The files it read, in order.
    pub files: Vec<String>,
    /// Its handlers, or why there is no CRI.
    pub handlers: Result<Handlers, Broken>,
    /// The handler that serves the pods; `None`: the default one.
    pub handler: Option<String>,
    lost: Vec<(String, Place)>,
    /// What it imports, and nobody collected.
    pub not_held: Vec<String>,
}

impl Containerd {
    /// Reads the configuration at `path` as `release` does.
    pub fn read(host: &Host, path: &str, release: Release, handler: Option<String>) -> Self {
        let mut files = Vec::new();
        let loaded = load::load(host, path, release, &mut files);
        let not_held = loaded.as_ref().map(|config| config.not_held.clone()).unwrap_or_default();
        let handlers = loaded.and_then(|c| handlers::decode(&c, host, release));
        let lost = handlers.as_ref().map_or_else(|_| Vec::new(), |found| lost(host, &files, found));
        let mut read = Self { release, path: path.to_owned(), files, handlers, handler, lost, not_held };
        read.find_shims(host);
        read
    }

    /// Takes the shims for granted: of a node that cannot be looked at.
    pub fn assume_shims(&mut self) {
        for handler in self.handlers.iter_mut().flat_map(|found| found.by_name.values_mut()) {
            handler.shim = handler.shim.assumed();
        }
    }

    /// Looks the shims up on `host`: of a node whose files of containerd lie elsewhere.
    pub fn find_shims(&mut self, host: &Host) {
        let folders = shim::folders(&self.path);
        for handler in self.handlers.iter_mut().flat_map(|found| found.by_name.values_mut()) {
            handler.shim = handler.look_for_shim(&folders, host);
        }
    }

    /// Handlers that a file which was read names and that are not there in the end, because a later file
    /// replaced the whole table (1.x) or the table is of another version; with their places.
    pub fn lost(&self) -> &[(String, Place)] {
        &self.lost
    }

    /// The failure of every pod where there is no CRI.
    fn broken(broken: &Broken) -> Failure {
        let failure = Failure::new(FailureStage::Cri, broken.message.clone());
        if broken.panic { failure.crash() } else { failure }
    }
}

/// The handlers that each file names by itself, whatever table of a CRI plugin it uses, and that `found`
/// does not have.
fn lost(host: &Host, files: &[String], found: &Handlers) -> Vec<(String, Place)> {
    let mut lost: Vec<(String, Place)> = Vec::new();
    for path in files {
        let text = host.read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(root) = text.and_then(|text| toml_tree::parse(&Source::new(path.as_str(), text)).ok())
        else {
            continue;
        };
        let Some(plugins) = root.get("plugins").and_then(Node::table) else { continue };
        for id in ["cri", migrate::OLD_CRI, migrate::NEW_CRI] {
            let table = |node: Option<&Node>, key: &str| {
                node.and_then(Node::table).and_then(|table| table.get(key)).cloned()
            };
            let runtimes = table(table(plugins.get(id), "containerd").as_ref(), "runtimes");
            for (name, node) in runtimes.as_ref().and_then(Node::table).into_iter().flatten() {
                if !found.by_name.contains_key(name) && lost.iter().all(|(other, _)| other != name) {
                    lost.push((name.clone(), node.place.clone()));
                }
            }
        }
    }
    lost
}
