//! The value gates: which paths a `valid_*` list lets through.
//!
//! runtime-rs matches the text of each glob; the Go runtime expands it on the host's files and wants
//! exact equality. Facts: src/libs/kata-types/src/config/hypervisor/mod.rs and
//! src/runtime/pkg/oci/utils.go at 4.1.0.

use crate::catalog::Generation;
use crate::input::Host;

/// The index of the first pattern that lets `value` through.
pub fn admits(generation: Generation, host: &Host, patterns: &[String], value: &str) -> Option<usize> {
    let _ = host;
    match generation {
        Generation::Rs41 => {
            patterns.iter().position(|p| glob::Pattern::new(p).is_ok_and(|glob| glob.matches(value)))
        }
        Generation::Go21 | Generation::Go41 => None,
    }
}
