//! Every behaviour of runtime-rs that came or went between 3.0.0 and 4.1.0, by name.
//!
//! A table alone; the code asks `release.has(Change::...)` where upstream has the difference. Facts: the tags
//! of kata-containers, src/runtime-rs and src/libs; each line names the commit that made the difference.

use crate::release::{Version, behaviours};

const fn v(major: u8, minor: u8, patch: u8) -> Version {
    Version::new(major, minor, patch)
}

behaviours! {
    /// What came, and with a last release what went.
    Change of Rs;
    /// A pod's `config_path` names the configuration that is loaded for it.
    ConfigPathAnnotation: v(3, 0, 0), Some(v(3, 32, 0)), "src/runtime-rs/crates/runtimes/src/manager.rs";
    /// The agent's kernel parameters stand in a fixed order.
    OrderedAgentParams: v(3, 26, 0), None, "src/libs/kata-types/src/config/agent.rs";
}
