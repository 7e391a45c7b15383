//! Effective configuration to VM launch: processes, files and API requests, one file per
//! hypervisor and runtime.
//!
//! Decides what is started and what put each argument there; reads no files, and what it must know of the
//! host's it asks the host. Values that only exist at run time are tokens, or `runtime::stand_in`s. Facts:
//! named in each file.

pub mod go;
mod refusal;
pub mod rs;

use serde_json::Value as Json;

/// Puts a field into a JSON object that is being written.
fn put(object: &mut Json, name: &str, value: Json) {
    if let Json::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}
