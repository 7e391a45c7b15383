//! What Go and its libraries do to texts: numbers, quoting, JSON, TOML, regular expressions, paths, base64,
//! gzip, quantities, durations and devices' names, with the words of their complaints.
//!
//! Decides what they accept and what comes out; knows no Kata, no release and no host. Facts: named in each file.

pub mod base64;
pub mod cdi;
pub mod duration;
pub mod filepath;
pub mod flate;
pub mod glob;
pub mod gzip;
pub mod json;
pub mod quantity;
pub mod regexp;
pub mod strconv;
pub mod toml;

/// What one of the libraries says of a text that it does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LibraryError(pub String);
