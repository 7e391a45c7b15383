//! What the files say: sources with places, configuration layers, pods, CRI files, the host.
//!
//! Reads and parses; never judges. Everything here is a document or a fact.

pub mod amend;
pub mod annotations;
pub mod archive;
pub mod away;
pub mod config;
pub mod described;
pub mod helm;
pub mod host;
pub mod manifest;
pub mod probe;
pub(crate) mod quiet;
pub mod reading;
pub mod search;
pub mod source;
pub mod toml_tree;
pub mod what_if;

pub use crate::answer::{Place, Text};
pub use annotations::Annotations;
pub use host::Host;
pub use source::Source;
