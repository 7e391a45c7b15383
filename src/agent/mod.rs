//! Effective configuration to what the guest is told: kernel command line and agent requests.
//!
//! Decides what the agent is asked once the VM runs; reads no files. Facts: named in each file.

mod create_sandbox;
pub mod go;
pub(crate) mod rs;

use serde_json::{Map, Value as Json};

use crate::answer::agent::{AgentSetup, DecidedBy, NetworkRequests};

/// A request's fields, in order.
pub(crate) fn fields<const N: usize>(all: [(&str, Json); N]) -> Json {
    let mut map = Map::with_capacity(N);
    map.extend(all.map(|(name, value)| (name.to_owned(), value)));
    Json::Object(map)
}
