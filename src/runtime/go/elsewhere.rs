//! Which configuration a pod of the Go runtime names in the host's place.
//!
//! Facts: `loadRuntimeConfig` in src/runtime/pkg/containerd-shim-v2/create.go at 3.32.0.

use super::{Loaded, container_type, load, paths};
use crate::answer::verdict::{Failure, FailureStage};
use crate::input::config::Layers;
use crate::input::{Host, Text};
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::elsewhere::{CONFIG_PATH, load_failure, redirected};
use crate::runtime::{Asked, LoadError, LoadOptions, Run, Sandbox};

/// The file that a pod asks for.
fn asked_for(release: Release, sandbox: &Sandbox<'_>) -> Option<String> {
    if !release.has(Change::ConfigPathAnnotation) {
        return None;
    }
    let path = sandbox.annotations.get(CONFIG_PATH).map(Text::as_str).filter(|path| !path.is_empty())?;
    Some(paths::absolute(path, sandbox.id))
}

fn load_from(release: Release, host: &Host, path: &str, wanted: Option<&str>) -> Result<Loaded, LoadError> {
    load(release, &Layers::read(host, path), host, &LoadOptions { hypervisor: wanted })
}

/// A relative path in a configuration is looked up in the folder of the sandbox, which only now has a name.
fn failure(error: &LoadError, sandbox: &Sandbox<'_>) -> Failure {
    load_failure(error, error.message.replace(paths::SANDBOX, sandbox.id))
}

fn run_under(loaded: &Result<Loaded, LoadError>, path: &str, asked: Asked<'_>) -> Run {
    let run = |loaded: &Loaded| loaded.run_here(asked);
    redirected(loaded, path, asked.sandbox, run, |error| failure(error, asked.sandbox))
}

/// The rest of the way under the configuration that the pod picked, where it picked one.
pub(super) fn run(loaded: &Loaded, asked: Asked<'_>) -> Option<Run> {
    let path = asked_for(loaded.release(), asked.sandbox)?;
    let load = || load_from(loaded.release(), asked.host, &path, loaded.wanted.as_deref());
    Some(run_under(&loaded.elsewhere.get(&path, load), &path, asked))
}

/// What becomes of a sandbox where the host's own configuration does not load: a pod may bring another.
pub fn without_configuration(release: Release, error: &LoadError, asked: Asked<'_>) -> Run {
    if let Err(message) = container_type(release, asked.sandbox) {
        let failure = Some(Failure::new(FailureStage::Annotations, message));
        return Run { failure, ..Run::default() };
    }
    match asked_for(release, asked.sandbox) {
        Some(path) => run_under(&load_from(release, asked.host, &path, None), &path, asked),
        None => Run { failure: Some(failure(error, asked.sandbox)), ..Run::default() },
    }
}
