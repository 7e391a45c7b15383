//! Effective configuration to what the guest is told: kernel command line and agent requests.
//!
//! Decides what the agent is asked once the VM runs; reads no files. Facts: named in each file, at the
//! tags 2.1.0 and 4.1.0.

pub mod go;
pub mod go21;
pub(crate) mod rs;

use serde_json::{Map, Value as Json};

use crate::launch::{Arg, Cause};
use crate::runtime::value::Effective;

/// What the guest is told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentSetup {
    /// The guest kernel command line, parameter by parameter, with the cause of each.
    pub kernel_params: Vec<Arg>,
    /// The command line, as the guest kernel gets it.
    pub kernel_cmdline: String,
    /// The fields of the CreateSandbox request, under the runtime's own names.
    pub create_sandbox: Json,
    /// The agent policy that is set before, if any.
    pub policy: Option<String>,
}

impl AgentSetup {
    /// What decided each part of CreateSandbox, by JSON pointer; absent parts are constant. Keys are
    /// spelled as in `effective`.
    pub fn create_sandbox_causes(&self, effective: &Effective) -> Vec<(String, Cause)> {
        let keys = |names: &[&str]| {
            let ends = |key: &str, name: &str| key.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
            let key = |name: &&str| effective.iter().map(|(key, _)| key).find(|key| ends(key, name)).cloned();
            Cause::keys(names.iter().filter_map(key))
        };
        let mut causes = vec![
            ("/hostname".to_owned(), Cause::rule("the pod's host name")),
            ("/sandbox_id".to_owned(), Cause::rule("the sandbox id")),
            ("/guest_hook_path".to_owned(), keys(&["guest_hook_path"])),
            ("/kernel_modules".to_owned(), keys(&["kernel_modules"])),
        ];
        let storages = self.create_sandbox.get("storages").and_then(Json::as_array);
        for (at, storage) in storages.into_iter().flatten().enumerate() {
            let cause = match storage.get("source").and_then(Json::as_str) {
                Some("kataShared") => {
                    let options = format!("/storages/{at}/options");
                    causes.push((options, keys(&["virtio_fs_cache_size", "virtio_fs_cache", "msize_9p"])));
                    keys(&["shared_fs"])
                }
                Some("shm") => Cause::rule("the pod's shared memory"),
                _ => continue,
            };
            causes.push((format!("/storages/{at}"), cause));
        }
        causes
    }

    /// What decided the agent policy.
    pub fn policy_cause(&self, effective: &Effective) -> Cause {
        let mut keys = effective.iter().map(|(key, _)| key);
        Cause::keys(keys.find(|key| key.starts_with("agent.") && key.ends_with(".policy")).cloned())
    }
}

/// A request's fields, in order.
fn fields<const N: usize>(all: [(&str, Json); N]) -> Json {
    let mut map = Map::with_capacity(N);
    map.extend(all.map(|(name, value)| (name.to_owned(), value)));
    Json::Object(map)
}
