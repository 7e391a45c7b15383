//! Which configuration a pod of runtime-rs names in the host's place.
//!
//! A relative path is looked up in the sandbox's bundle folder, which exists only when the pod starts: the host's
//! own file stands in for it. Facts: `load_config` in src/runtime-rs/crates/runtimes/src/manager.rs at each tag.

use super::{Loaded, load};
use crate::input::Host;
use crate::input::search::default_paths;
use crate::release::Release;
use crate::release::rs::Change;
use crate::runtime::config_path::{CONFIG_PATH, Load, Replaceable};
use crate::runtime::{Asked, Run, Sandbox};

impl Replaceable for Loaded {
    const LOAD: Load<Self> = load;

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

    fn run_here(&self, asked: Asked<'_>) -> Run {
        self.run_configured(asked)
    }
}
