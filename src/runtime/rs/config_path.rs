//! Which configuration a pod of runtime-rs names in the host's place.
//!
//! A relative path is looked up in the sandbox's bundle folder, which exists only when the pod starts: the host's
//! own file stands in for it. Facts: `load_config` in src/runtime-rs/crates/runtimes/src/manager.rs at each tag.

use super::{Loaded, load, without_namespace};
use crate::input::Host;
use crate::input::search::default_paths;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::config_path::{self, CONFIG_PATH, Load, Replaceable};
use crate::runtime::{Asked, LoadError, Run, Sandbox};

/// What becomes of a sandbox where the host's own configuration does not load.
pub fn without_configuration(release: Release, error: &LoadError, asked: Asked<'_>) -> Run {
    match without_namespace(release, asked.sandbox) {
        Some(crash) => Run { failure: Some(crash), ..Run::default() },
        None => config_path::without_configuration::<Loaded>(release, error, asked),
    }
}

impl Replaceable for Loaded {
    const LOAD: Load<Self> = load;

    fn asked_for(release: Release, host: &Host, sandbox: &Sandbox<'_>) -> Option<String> {
        if !release.has(Change::ConfigPathAnnotation) || without_namespace(release, sandbox).is_some() {
            return None;
        }
        let path = sandbox.annotations.get(CONFIG_PATH)?.trim();
        if path.is_empty() {
            let default = default_paths(release).iter().find(|path| host.finds(path));
            return default.map(|path| (*path).to_owned());
        }
        path.starts_with('/').then(|| path.to_owned())
    }

    fn run_here(&self, asked: Asked<'_>) -> Run {
        self.run_configured(asked)
    }
}
