//! runtime-rs 4.1.0, in its own order: load, annotations, checks, sizing, launch.
//!
//! Facts: src/libs/kata-types/src/config and src/runtime-rs/crates at 4.1.0.

pub mod config;

use super::{Depth, LoadError, LoadOptions, Run, Sandbox};
use crate::input::Host;
use crate::input::config::Layers;

/// A configuration as the runtime holds it after loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    hypervisor: String,
}

/// Loads the configuration as the runtime does.
pub fn load(layers: &Layers, host: &Host, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    let _ = (layers, host, options);
    Err(LoadError { message: "not modelled yet".into(), place: None, panic: false })
}

impl Loaded {
    /// The active hypervisor's table name.
    pub fn hypervisor(&self) -> &str {
        &self.hypervisor
    }

    /// What becomes of one sandbox.
    pub fn run(&self, host: &Host, sandbox: &Sandbox<'_>, depth: Depth) -> Run {
        let _ = (host, sandbox, depth);
        Run::default()
    }
}
