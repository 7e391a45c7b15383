//! CRI-O: its configuration as a release reads it, and what it passes to the runtime.
//!
//! Decides which handlers exist and which annotations the sandbox gets, release by release. Images, networks
//! and what the daemon logs are not modelled. Facts: cri-o from v1.30.0 to v1.36.3, named in each file.

pub mod annotations;
mod check;
mod decode;
mod fields;
pub mod handler;
pub mod handlers;
mod keys;
mod load;
pub mod release;
mod sandbox;
pub mod workloads;

use indexmap::IndexMap;

use crate::answer::verdict::{Failure, FailureStage};
use crate::input::Place;
use crate::input::host::Host;

pub use handler::Handler;
use handler::Seen;
pub use handlers::{Dropped, Handlers};
pub use release::Release;
use workloads::Workload;

/// Why the daemon does not start: no pod comes up at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// CRI-O's own message.
    pub message: String,
    /// Where the cause stands.
    pub place: Option<Place>,
}

impl Broken {
    fn failure(&self) -> Failure {
        Failure::new(FailureStage::Cri, self.message.clone())
    }
}

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `crio.conf`
    pub main: String,
    /// `crio.conf.d`
    pub folder: String,
}

impl Places {
    /// Where they are without further notice.
    pub const MAIN: &'static str = "/etc/crio/crio.conf";

    /// From any one of them: the main file, the folder of the drop-ins, a drop-in, or the folder that holds all.
    pub fn around(host: &Host, named: &str) -> Self {
        let named = if named.len() > 1 { named.trim_end_matches('/') } else { named };
        let is_folder = |path: &str| {
            use crate::input::host::FileKind::Directory;
            host.stat(path).is_ok_and(|stat| stat.kind == Directory)
        };
        let beside =
            |folder: &str| Self { main: folder.trim_end_matches(".d").to_owned(), folder: folder.to_owned() };
        if named.ends_with(".conf.d") {
            return beside(named);
        }
        // A drop-in can lie some folders below.
        let mut above = named.match_indices('/').map(|(at, _)| named.split_at(at).0);
        if let Some(folder) = above.rfind(|folder| folder.ends_with(".conf.d")) {
            return beside(folder);
        }
        let main = format!("{named}/crio.conf");
        if is_folder(named) && (host.exists(&main) || is_folder(&format!("{main}.d"))) {
            return Self { folder: format!("{main}.d"), main };
        }
        Self { main: named.to_owned(), folder: format!("{named}.d") }
    }
}

/// A CRI-O with its configuration.
#[derive(Debug, Clone)]
pub struct Crio {
    /// Its release.
    pub release: Release,
    /// Where its files are, or would be.
    pub places: Places,
    /// The files it read, in order.
    pub files: Vec<String>,
    /// Its handlers, or why it does not start.
    pub handlers: Result<Handlers, Broken>,
    /// The handler that serves the pods; `None`: the one that each asks for.
    pub handler: Option<String>,
    workloads: IndexMap<String, Workload>,
    drop_infra_ctr: bool,
    seen: Seen,
}

impl Crio {
    /// Reads the configuration around `path` as the node's release does, the newest known where the node does
    /// not tell.
    pub fn read(host: &Host, path: &str, handler: Option<String>) -> Self {
        let release = Release::of_node(host).unwrap_or(Release::NEWEST);
        Self::read_as(host, path, release, handler)
    }

    /// Reads it as `release` does.
    pub fn read_as(host: &Host, path: &str, release: Release, handler: Option<String>) -> Self {
        let places = Places::around(host, path);
        let seen = Seen { host: host.clone(), elsewhere: places.main != Places::MAIN };
        let mut files = Vec::new();
        let mut workloads = IndexMap::new();
        let mut drop_infra_ctr = true;
        let handlers = load::load(host, &places, release, &mut files).and_then(|mut settings| {
            let handlers = check::check(&mut settings, &seen, release)?;
            drop_infra_ctr = settings.flag(&keys::RUNTIME, "drop_infra_ctr").unwrap_or(true);
            workloads = settings.workloads;
            Ok(handlers)
        });
        Self { release, places, files, handlers, handler, workloads, drop_infra_ctr, seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host::{HostFacts, MemoryFiles};
    use std::sync::Arc;

    fn host(files: MemoryFiles) -> Host {
        Host::new(HostFacts::default(), Arc::new(files))
    }

    #[test]
    fn a_later_table_replaces_the_whole_handler() {
        let shim = "/opt/kata/bin/containerd-shim-kata-v2";
        let files = MemoryFiles::new()
            .file(shim, 0o755, "")
            .file("/c", 0o644, "")
            .file(
                "/etc/crio/crio.conf",
                0o644,
                format!(
                    "[crio.runtime.runtimes.kata]\nruntime_path='{shim}'\nruntime_type='vm'\n\
                     runtime_config_path='/c'\n"
                ),
            )
            .file(
                "/etc/crio/crio.conf.d/99-kata",
                0o644,
                format!("[crio.runtime.runtimes.kata]\nruntime_path='{shim}'\nruntime_type='vm'\n"),
            );
        let crio = Crio::read(&host(files), Places::MAIN, None);
        let kata = &crio.handlers.unwrap().by_name["kata"];
        assert_eq!((kata.runtime_path.as_str(), kata.runtime_config_path.as_str()), (shim, ""));
    }

    #[test]
    fn every_file_names_the_same_places() {
        let files = MemoryFiles::new().file("/etc/crio/crio.conf.d/sub/50-kata", 0o644, "");
        let host = host(files);
        for named in [
            "/etc/crio",
            "/etc/crio/crio.conf",
            "/etc/crio/crio.conf.d/",
            "/etc/crio/crio.conf.d/sub/50-kata",
        ] {
            let places = Places::around(&host, named);
            let wanted = ("/etc/crio/crio.conf", "/etc/crio/crio.conf.d");
            assert_eq!((places.main.as_str(), places.folder.as_str()), wanted, "{named}");
        }
        assert_eq!(Places::around(&host, "/srv/mine.toml").folder, "/srv/mine.toml.d");
    }
}
