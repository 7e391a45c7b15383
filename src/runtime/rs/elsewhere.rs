//! Which configuration a pod of runtime-rs names in the host's place.
//!
//! A relative path is looked up in the sandbox's bundle folder, which exists only when the pod starts: the host's
//! own file stands in for it. Facts: `load_config` in src/runtime-rs/crates/runtimes/src/manager.rs at each tag.

use super::{Loaded, load};
use crate::answer::verdict::Failure;
use crate::input::Host;
use crate::input::config::Layers;
use crate::input::search::default_paths;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::elsewhere::{CONFIG_PATH, load_failure, redirected};
use crate::runtime::{Asked, LoadError, LoadOptions, Run, Sandbox};

/// The file that a pod asks for, where the release heeds it and it can be looked up here.
fn asked_for(release: Release, host: &Host, sandbox: &Sandbox<'_>) -> Option<String> {
    if !release.has(Change::ConfigPathAnnotation) {
        return None;
    }
    let path = sandbox.annotations.get(CONFIG_PATH)?.trim();
    if path.is_empty() {
        let default = default_paths(release).iter().find(|path| host.finds(path));
        return default.map(|path| (*path).to_owned());
    }
    path.starts_with('/').then(|| path.to_owned())
}

fn load_from(release: Release, host: &Host, path: &str) -> Result<Loaded, LoadError> {
    load(release, &Layers::read(host, path), host, &LoadOptions::default())
}

fn failure(error: &LoadError) -> Failure {
    load_failure(error, error.message.clone())
}

fn run_under(loaded: &Result<Loaded, LoadError>, path: &str, asked: Asked<'_>) -> Run {
    redirected(loaded, path, asked.sandbox, |loaded: &Loaded| loaded.run_here(asked), failure)
}

/// The rest of the way under the configuration that the pod picked, where it picked one.
pub(super) fn run(loaded: &Loaded, asked: Asked<'_>) -> Option<Run> {
    let path = asked_for(loaded.release(), asked.host, asked.sandbox)?;
    let load = || load_from(loaded.release(), asked.host, &path);
    Some(run_under(&loaded.elsewhere.get(&path, load), &path, asked))
}

/// What becomes of a sandbox where the host's own configuration does not load: a pod may bring another.
pub fn without_configuration(release: Release, error: &LoadError, asked: Asked<'_>) -> Run {
    match asked_for(release, asked.host, asked.sandbox) {
        Some(path) => run_under(&load_from(release, asked.host, &path), &path, asked),
        None => Run { failure: Some(failure(error)), ..Run::default() },
    }
}
