//! Every behaviour of the Go runtime that came or went between 2.0.0 and 4.1.0, by name.
//!
//! A table alone; the code asks `release.has(Change::...)` where upstream has the difference. Facts: the tags
//! of kata-containers, src/runtime; each line names the commit that made the difference.

use crate::release::{Version, behaviours};

const fn v(major: u8, minor: u8, patch: u8) -> Version {
    Version::new(major, minor, patch)
}

/// The first release there is.
#[allow(dead_code)] // until a behaviour of the first releases went
const FIRST: Version = v(2, 0, 0);

behaviours! {
    /// What came, and with a last release what went.
    Change of Go;
    /// Files in `config.d` beside the configuration are merged into it.
    DropIns: v(2, 5, 0), None, "99f5ca80fc";
    /// A pod's `config_path` names the configuration that is loaded for it.
    ConfigPathAnnotation: FIRST, Some(v(3, 32, 0)), "src/runtime/pkg/containerd-shim-v2/create.go";
}
