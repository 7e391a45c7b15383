//! Which configuration a pod of the Go runtime names in the host's place.
//!
//! Facts: `loadRuntimeConfig` in src/runtime/pkg/containerd-shim-v2/create.go at 3.32.0.

use super::{ContainerType, Loaded, container_type, load, paths, unfit};
use crate::input::{Host, Text};
use crate::release::Release;
use crate::release::go::Change;
use crate::runtime::config_path::{self, CONFIG_PATH, Load, Replaceable};
use crate::runtime::{Asked, LoadError, Run, Sandbox};

impl Replaceable for Loaded {
    const LOAD: Load<Self> = load;

    fn asked_for(release: Release, _: &Host, sandbox: &Sandbox<'_>) -> Option<String> {
        if !release.has(Change::ConfigPathAnnotation) {
            return None;
        }
        let path = sandbox.annotations.get(CONFIG_PATH).map(Text::as_str).filter(|path| !path.is_empty())?;
        Some(paths::absolute(path, sandbox.id))
    }

    /// A relative path in a configuration is looked up in the folder of the sandbox, which only now has a name.
    fn load_message(error: &LoadError, sandbox: &Sandbox<'_>) -> String {
        error.message.replace(paths::SANDBOX, sandbox.id)
    }

    fn run_here(&self, asked: Asked<'_>) -> Run {
        self.run_as(container_type(self.release(), asked.sandbox).unwrap_or(ContainerType::Single), asked)
    }
}

/// What becomes of a sandbox where the host's own configuration does not load.
pub fn without_configuration(release: Release, error: &LoadError, asked: Asked<'_>) -> Run {
    match container_type(release, asked.sandbox) {
        Ok(_) => config_path::without_configuration::<Loaded>(release, error, asked),
        Err(message) => unfit(message),
    }
}
